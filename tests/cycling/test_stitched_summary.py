"""However a record is cut into files, its table of cycles is the same."""

import random
from itertools import pairwise

import numpy as np
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cycling.aging import SummaryParams, summarise
from analysis.cycling.compute import summary
from tests.tables import cycled

CUTS = st.lists(st.integers(1, 160), max_size=5)
LABELS = {"1": "Formation", "2": "Ageing", "3": "Capacity check", "4": "Ageing"}


def four_cycles(counter: str = "cycle") -> xr.Dataset:
    """Four cycles whose voltage follows the charge."""
    ds = cycled(cycles=4, counter=counter)
    return ds.assign(voltage=("row", 3.0 + 0.03 * np.cumsum(np.sign(ds["current"].values)), {"units": "V"}))


def labelled(ds: xr.Dataset, labels: dict[str, str]) -> xr.Dataset:
    return ds.assign_attrs(metadata={"cycle_labels": labels})


def parts_of(ds: xr.Dataset, cuts: list[int]) -> list[xr.Dataset]:
    """Parts that know the labels of their own cycles only, as files do."""
    edges = [0, *sorted(set(cuts)), ds.sizes["row"]]
    parts = [ds.isel(row=slice(a, b)) for a, b in pairwise(edges) if b > a]
    own = [{str(n) for n in np.unique(part["cycle"].values)} for part in parts]
    return [labelled(p, {n: w for n, w in LABELS.items() if n in mine}) for p, mine in zip(parts, own, strict=True)]


def table(*records: xr.Dataset, **params: object) -> xr.Dataset:
    return summary(records=records, params=SummaryParams.check(params))


def assert_same(found: xr.Dataset, wanted: xr.Dataset, rtol: float = 0.0) -> None:
    assert set(found.variables) == set(wanted.variables)
    for name in wanted.variables:
        if wanted[name].dtype.kind == "f":
            np.testing.assert_allclose(found[name].values, wanted[name].values, rtol=rtol, atol=rtol, err_msg=str(name))
        else:
            assert found[name].values.tolist() == wanted[name].values.tolist(), name
    params = SummaryParams()
    if rtol == 0.0:
        assert summarise(found, params) == summarise(wanted, params)


@settings(max_examples=40, deadline=None)
@given(cuts=CUTS, order=st.randoms(use_true_random=False), counter=st.sampled_from(["cycle", "cumulative"]))
def test_any_split_in_any_order_gives_the_same_table(cuts: list[int], order: random.Random, counter: str) -> None:
    ds = four_cycles(counter)
    wanted = table(labelled(ds, LABELS))
    assert wanted["kind"].values.tolist() == ["formation", "cycle", "check", "cycle"]
    parts = parts_of(ds, cuts)
    order.shuffle(parts)
    assert_same(table(*parts), wanted)
    assert_same(table(*parts, capacity_source="counter"), table(labelled(ds, LABELS), capacity_source="counter"))


@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(1, 11)), shared=st.integers(2, 12))
def test_files_that_overlap_give_the_same_table(cuts: set[int], shared: int) -> None:
    """A single row of one instant stays, as instruments write two rows where a step changes; it carries no charge."""
    ds = four_cycles()
    edges = [0, *(14 * n for n in sorted(cuts)), ds.sizes["row"]]  # each file is longer than what it shares
    parts = [ds.isel(row=slice(max(0, a - shared), b)) for a, b in pairwise(edges) if b > a]
    assert_same(table(*parts), table(ds))


@settings(max_examples=25, deadline=None)
@given(whole=st.sets(st.integers(2, 3)), labels=st.booleans())
def test_files_whose_clock_and_cycles_begin_anew_give_the_same_table(whole: set[int], labels: bool) -> None:
    """Cut between cycles, each file counting cycles and time from its own start, without a date.

    Not after the first cycle: a second file that begins with cycle 1 could as well go on with it.
    """
    ds = four_cycles().drop_vars("timestamp")
    edges = [0, *(42 * n for n in sorted(whole)), ds.sizes["row"]]
    parts = []
    for a, b in pairwise(edges):
        part = ds.isel(row=slice(a, b))
        first = int(part["cycle"].values[0])
        words = {str(int(n) - first + 1): w for n, w in LABELS.items() if first <= int(n) <= int(part["cycle"].values[-1])}
        restarted = part.assign(
            time=(part["time"] - part["time"][0] + (10.0 if a else 0.0)).assign_attrs(units="s"),
            cycle=(part["cycle"] - first + 1).assign_attrs(units="1"),
        )
        parts.append(labelled(restarted, words if labels else {}))
    assert_same(table(*parts), table(labelled(ds, LABELS if labels else {})), rtol=1e-12)
