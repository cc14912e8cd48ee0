"""From a number back to its files: the drawer behind "How was this made?"."""

from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.data import warnings_of
from analysis.core.registry import Labelled
from analysis.core.run import command, explain
from components.context import workspace
from components.views import View


def described(view: View, items: tuple[Labelled, ...]) -> list[Component]:
    """Every dataset of a figure with its request, parameters, code, libraries and files."""
    if not items:
        return [dmc.Text("This figure shows no data yet.", size="sm", c="dimmed")]
    results = joined(items)
    return [
        dmc.Text(f"{view.title}: {len(results)} {'results' if len(results) > 1 else 'result'}", fw=600, size="sm"),
        entries(results),
    ]


def joined(items: tuple[Labelled, ...]) -> tuple[Labelled, ...]:
    """One item a result: parts of one result, such as the samples of a batch, stand together."""
    parts: dict[str, list[Labelled]] = {}
    for item in items:
        parts.setdefault(item.key, []).append(item)
    return tuple(own[0] if len(own) == 1 else replace(own[0], label=f"{own[0].label} and {len(own) - 1} more") for own in parts.values())


def entries(items: tuple[Labelled, ...]) -> Component:
    """A fold for each dataset: warnings, where it comes from, and the command that makes it again."""
    return dmc.Accordion([_entry(i) for i in items], variant="separated", mt="sm")


def _entry(item: Labelled) -> Component:
    store = workspace().store
    tree = explain(item.key, store)
    body: list[Component] = [dmc.Text(w, size="xs", c="orange") for w in warnings_of(item.data)]
    body += [_node(tree), dmc.Text("Reproduce on the command line", size="xs", fw=600, mt="xs"), _copyable(command(item.key, store))]
    return dmc.AccordionItem([dmc.AccordionControl(f"{item.label} ({item.origin})"), dmc.AccordionPanel(body)], value=item.key + item.label)


def _copyable(text: str) -> Component:
    return dmc.Group(
        [
            html.Code(text, className="command"),
            dmc.CopyButton(value=text, children="Copy", copiedChildren="Copied", size="compact-xs", variant="default"),
        ],
        wrap="nowrap",
        align="start",
    )


def _node(tree: dict[str, Any]) -> Component:
    rows: list[tuple[str, str]] = [("key", tree["key"])]
    if tree["kind"] == "dataset":
        rows += [
            ("reader", tree["reader"]),
            *[("file", f"{f['name']} · {f['bytes']:,} bytes · sha256 {f['sha256'][:16]}…") for f in tree["files"]],
        ]
        rows += [(n, str(v)) for n, v in tree["options"].items()]
    elif tree["kind"] == "result":
        rows += [("recipe", tree["recipe"]), *[(n, str(v)) for n, v in tree["params"].items() if v is not None]]
        rows += [("libraries", ", ".join(f"{n} {v}" for n, v in tree["libraries"].items()))]
    rows += [("code version", str(tree.get("code", ""))), ("made", f"{tree.get('created', '')} in {tree.get('seconds', '?')} s")]
    table = html.Table([html.Tr([html.Th(n, scope="row"), html.Td(v)]) for n, v in rows], className="facts")
    parents = [_node(parent) for entries in tree.get("inputs", {}).values() for parent in entries] if tree["kind"] == "result" else []
    return html.Div([table, *([html.Div(parents, className="parents")] if parents else [])])
