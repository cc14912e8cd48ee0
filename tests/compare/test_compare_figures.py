"""Figures of comparisons: what they draw, with units, and what they say where there is nothing."""

import numpy as np
import pytest
from made_values import cycle_table, distribution, table_of, unit

from analysis.compare.compute import correlate, scorecard, values
from analysis.compare.correlate import CorrelateParams
from analysis.compare.figures_circle import PAIRS, circle
from analysis.compare.figures_groups import MetricParams, effects, effects_table, metric
from analysis.compare.figures_matrix import MatrixParams, matrix, matrix_table
from analysis.compare.scorecard import ScorecardParams
from analysis.compare.values import ValuesParams
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style

STYLE = Style(groups=("a", "b"))
GROUPS = {"a": [0.3, 0.31, 0.29], "b": [0.8, 0.82, 0.81]}


def item(ds: object, schema: str, origin: str = "measured") -> Labelled:
    return Labelled(ds.assign_attrs(schema=schema), "x", origin=origin)  # type: ignore[attr-defined]


def related(cells: int) -> object:
    """Retention falls as heterogeneity rises, in both groups."""
    units = [unit(f"C{k}", "ab"[k % 2]) for k in range(cells)]
    cycles = tuple(cycle_table([100.0, 90.0], retention=0.9 - 0.01 * k) for k in range(cells))
    edges = tuple(distribution(8342.0, 0.1 + 0.01 * k) for k in range(cells))
    params = {"cycles": units, "edges": [{**u, "particle": "P", "state": "discharged", "cycle": 6} for u in units]}
    return values(params=ValuesParams.check(params), cycles=cycles, edges=edges)


def test_bars_of_means_with_intervals_and_all_points() -> None:
    made = item(table_of(GROUPS), "compare.values", "synthetic")
    fig = metric((made,), STYLE, MetricParams(metric="cycling.retention", groups=("a", "b")))
    bars, points = [t for t in fig.data if t.type == "bar"], [t for t in fig.data if t.type == "scatter"]
    assert [b.y[0] for b in bars] == [pytest.approx(30.0), pytest.approx(81.0)]
    assert bars[0].error_y.array[0] == pytest.approx(4.302653 * 1.0 / np.sqrt(3), rel=1e-5)  # Student's t of two degrees
    assert [len(p.x) for p in points] == [3, 3] and fig.layout.yaxis.title.text == "Retention / %"
    assert "synthetic" in fig.layout.annotations[0].text
    assert not metric((made,), STYLE, MetricParams(metric="cracks.ratio")).data


def test_all_effects_share_an_axis() -> None:
    card = scorecard(values=table_of(GROUPS), params=ScorecardParams(reference="a", compared="b"))
    fig = effects((item(card, "compare.scorecard"),), STYLE, Params())
    k = list(fig.data[0].y).index("Retention")
    assert fig.data[0].x[k] == pytest.approx(51.0 / 1.0) and fig.data[0].marker.symbol[k] == "triangle-up"
    table = effects_table((item(card, "compare.scorecard"),), Params())
    assert set(table["reference"]) == {"a"} and set(table["metrics_compared"]) == {6} and "unit" in table


def test_the_matrix_draws_pairs_below_and_numbers_above() -> None:
    ds = related(8)
    metrics = ("cycling.retention", "xanes.spread_discharged", "cycling.initial_capacity")
    found = correlate(values=ds, params=CorrelateParams(pairs=((metrics[0], metrics[1]),)))
    items = (item(ds, "compare.values", "synthetic"), item(found, "compare.correlation", "synthetic"))
    params = MatrixParams(metrics=metrics, groups=("a", "b"))
    fig = matrix(items, STYLE, params)
    assert len(fig.data) == 6 * 2  # three pairs and three lines, two groups each
    assert {n for t in fig.data for n in t.customdata} == {f"C{k}" for k in range(8)}
    assert [t.name for t in fig.data if t.showlegend] == ["a (synthetic)", "b (synthetic)"]
    said = [a.text for a in fig.layout.annotations]
    assert any("ρ = \u22121.00" in t and "n = 4 + 4" in t for t in said) and sum("not enough data" in t for t in said) == 2
    assert fig.layout.xaxis7.title.text == "Retention / %"
    assert set(matrix_table(items, params)["metric"]) == set(metrics)
    assert not matrix(items, STYLE, MatrixParams(metrics=metrics[:1])).data


@pytest.mark.parametrize(("cells", "words"), [(8, "n = 4 + 4"), (4, "not enough data (n = 4)")])
def test_the_circle_carries_what_was_measured(cells: int, words: str) -> None:
    pair = ("xanes.spread_discharged", "cycling.retention")
    assert pair in PAIRS
    found = correlate(values=related(cells), params=CorrelateParams(pairs=PAIRS))
    fig = circle((item(found, "compare.correlation"),), STYLE, Params())
    labels = [a.text for a in fig.layout.annotations]
    assert any("is charge left behind" in t and words in t for t in labels)
    assert any("cut domains off" in t and "not enough data" in t for t in labels)
    assert len([a for a in fig.layout.annotations if a.showarrow]) == len(PAIRS)
