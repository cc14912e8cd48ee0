"""What analyses want said about their results: every warning once, with whom it is about."""

import re
from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.data import warnings_of
from analysis.core.registry import Labelled
from components.icons import icon

Remark = tuple[str, str]  # sentence, whom it is about
NAMED = 3


def remarks_of(items: Sequence[Labelled], total: int) -> list[Remark]:
    """Every warning once, with the samples that it is about; those that differ only in their numbers count as one."""
    about: dict[str, tuple[str, list[str]]] = {}
    for item in items:
        for sentence in warnings_of(item.data):
            kind = re.sub(r"(About )?\d[\d.,]*", "#", sentence)
            about.setdefault(kind, (sentence, []))[1].append(item.label)
    return [(sentence, _whom(list(dict.fromkeys(labels)), total)) for sentence, labels in about.values()]


def _whom(labels: Sequence[str], total: int) -> str:
    if len(labels) == total > 1:
        return f"so or alike for all {total} particles"
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + more


def folded(remarks: Sequence[Remark]) -> list[Component]:
    """A line that opens into the remarks; nothing where there is none."""
    if not remarks:
        return []
    words = f"{len(remarks)} remarks of the analysis" if len(remarks) > 1 else "A remark of the analysis"
    head = html.Summary([icon("warning", 14), dmc.Text(words, size="xs", span=True)])
    rows = [html.Li([sentence, html.Small(f" ({who})")]) for sentence, who in remarks]
    return [html.Details([head, html.Ul(rows)], className="remarks")]
