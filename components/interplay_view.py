"""What stands behind the Interplay page: metrics against each other, and the arrows of the vicious circle.

Names in the address: those of the comparison, and ``metrics``, the metrics of the matrix.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from analysis.compare.figures_circle import PAIRS
from analysis.compare.figures_matrix import title_of
from analysis.compare.replicates import Rows
from components import compare_view
from components.compare_sources import CHOICE, groups
from components.results import merged
from components.views import Items, Query, View, listed, register

MOST = 5  # metrics of a matrix: more panels would be too small to read
# The matrix begins with one metric of each kind, as far as there are data, then others until four are found.
FIRST = ("cycling.retention", "cracks.ratio", "cracks.isolated", "xanes.spread_discharged", "xanes.activity", "spectra.bridging_charged")
START = 4


def measured(query: Query) -> list[tuple[str, str]]:
    """Metrics that the chosen groups have values of: id and title."""
    found = compare_view.values(query)
    if not found.shown:
        return []
    rows = Rows.of(found.shown[0].data)
    return [(m, title_of(rows, m)) for m in rows.metrics if rows.first(m, "title")]


def chosen(query: Query) -> tuple[str, ...]:
    """Metrics of the matrix: those of the address that exist, else the first of each kind."""
    known = [m for m, _ in measured(query)]
    named = [m for m in listed(query, "metrics") if m in known]
    if len(named) >= 2:
        return tuple(named[:MOST])
    ordered = [m for m in FIRST if m in known] + [m for m in known if m not in FIRST]
    return tuple(ordered[:START])


def default(query: Query) -> str:
    """The metrics that are shown where the address names none."""
    return ",".join(chosen({n: v for n, v in query.items() if n != "metrics"}))


def _matrix_items(query: Query) -> Items:
    values = compare_view.values(query)
    pairs = list(combinations(chosen(query), 2))
    return merged(values, compare_view.correlations(query, pairs)) if pairs and values.shown else values


def _matrix_params(query: Query) -> dict[str, Any]:
    return {
        "metrics": chosen(query),
        "groups": groups(query),
        "by": compare_view.by(query),
        "with_excluded": compare_view.with_excluded(query),
    }


def _circle_items(query: Query) -> Items:
    return compare_view.correlations(query, PAIRS)


def pairs_of(metrics: Sequence[str]) -> int:
    return len(metrics) * (len(metrics) - 1) // 2


register(
    View(
        "compare.matrix",
        "Scatter matrix",
        (*CHOICE, "metrics"),
        _matrix_items,
        _matrix_params,
        hint="Drag over points: the same cells are marked in every panel. A double click lets go.",
        name="interplay.matrix",
    ),
    View(
        "compare.circle",
        "The vicious circle, with this study's correlations",
        CHOICE,
        _circle_items,
        name="interplay.circle",
        hint="Correlation within groups, from cell to cell; it does not prove what drives what.",
    ),
)
