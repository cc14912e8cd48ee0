"""Pairs of metrics: which cells are taken together, and what is said of them."""

import numpy as np
import pytest
from made_values import cycle_table, distribution, table_of, unit

from analysis.compare.compute import correlate, values
from analysis.compare.correlate import CORRELATION, CorrelateParams
from analysis.compare.replicates import NO_CYCLE, OTHER_CYCLE, SAME_CYCLE, Rows, paired
from analysis.compare.values import ValuesParams
from analysis.core.errors import ParamError


def both(at_cycle: int, *, cells: int = 6) -> object:
    """Cells whose capacity rises with their number, and whose heterogeneity after cycle 6 falls with it."""
    names = [(f"C{k}", "a" if k % 2 else "b") for k in range(cells)]
    cycles = tuple(cycle_table(np.linspace(100 + k, 80 + k, 8).tolist(), retention=0.8 + 0.01 * k) for k in range(cells))
    edges = tuple(distribution(8342.0, 0.5 - 0.05 * k) for k in range(cells))
    params = {
        "cycles": [unit(c, g) for c, g in names],
        "edges": [unit(c, g, particle="P", state="discharged", cycle=6) for c, g in names],
        "at_cycle": at_cycle,
    }
    return values(params=ValuesParams.check(params), cycles=cycles, edges=edges)


@pytest.mark.parametrize(("at_cycle", "pairing"), [(6, SAME_CYCLE), (8, OTHER_CYCLE)])
def test_pairs_say_at_which_cycles_they_were_taken(at_cycle: int, pairing: str) -> None:
    params = CorrelateParams(pairs=(("xanes.spread_discharged", "cycling.capacity_at"),))
    found = CORRELATION.conform(correlate(values=both(at_cycle), params=params))
    assert found["pairing"].item() == pairing
    assert (found["rho"].item(), found["n"].item(), found["counts"].item()) == (pytest.approx(-1.0), 6, "3 + 3")
    assert found["p"].item() == pytest.approx(2 / 36)


def test_a_number_of_the_whole_test_has_no_cycle() -> None:
    found = paired(Rows.of(both(6)), "cycling.fade_rate", "xanes.spread_discharged", ("a", "b"))
    assert found.pairing == NO_CYCLE and len(found.names) == 6


def test_four_cells_are_not_enough_and_cells_without_both_are_left_out() -> None:
    found = correlate(values=both(6, cells=4), params=CorrelateParams(pairs=(("cycling.retention", "xanes.spread_discharged"),)))
    assert np.isnan(found["rho"].item()) and found["method"].item() == "not enough data"
    alone = correlate(values=table_of({"a": [0.5] * 5}), params=CorrelateParams(pairs=(("cycling.retention", "cracks.ratio"),)))
    assert alone["n"].item() == 0


def test_unknown_metrics_are_named() -> None:
    with pytest.raises(ParamError, match=r"no metric 'cycling\.colour'"):
        correlate(values=both(6), params=CorrelateParams(pairs=(("cycling.colour", "cycling.retention"),)))
