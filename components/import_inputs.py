"""Inputs made from the catalog's field classes: title, unit, choices and what the value must be come from there."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash.development.base_component import Component

from analysis.catalog.records import title_of, unit_of
from components.import_form import KINDS, spec_of

WAIT_MS = 300  # after the last letter
LONG_TEXT = 1000  # characters; what may be longer gets several lines


def field_id(sid: Any, field: Any) -> dict[str, Any]:
    """Id of the input of a field of a waiting file; of several files where ``sid`` is ""."""
    return {"part": "import-field", "sid": sid, "field": field}


def title(field: str) -> str:
    kind, _, name = field.partition(".")
    return title_of(KINDS[kind], name)


def titled(field: str) -> str:
    """Title with unit."""
    kind, _, name = field.partition(".")
    unit = unit_of(KINDS[kind], name)
    return f"{title(field)} / {unit}" if unit else title(field)


def entry(
    component_id: Mapping[str, Any],
    field: str,
    value: Any,
    *,
    label: bool = True,
    placeholder: str = "",
    suggestions: Sequence[str] | None = None,
    **properties: Any,
) -> Component:
    """An input for a field; without ``label`` its title is only told to screen readers and stands in the column's head."""
    named = {"label": titled(field)} if label else {"aria-label": titled(field)}
    return made(component_id, spec_of(field), value, placeholder=placeholder, suggestions=suggestions, **named, **properties)


def made(
    component_id: Mapping[str, Any],
    spec: Mapping[str, Any],
    value: Any,
    *,
    placeholder: str = "",
    suggestions: Sequence[str] | None = None,
    **properties: Any,
) -> Component:
    """An input for what a schema describes."""
    common = {"id": dict(component_id), "size": "xs", "placeholder": placeholder, **properties}
    text = "" if value is None else str(value)
    if suggestions is not None:
        return dmc.Autocomplete(value=text, data=list(suggestions), debounce=WAIT_MS, **common)
    if "enum" in spec:
        return dmc.Select(value=text or None, data=[str(c) for c in spec["enum"]], clearable=True, **common)
    if spec["type"] in ("number", "integer"):
        # Not a NumberInput: that one takes a pasted 3,0 for 30.
        return dmc.TextInput(value=text, debounce=WAIT_MS, inputProps={"inputMode": "decimal"}, **common)
    if spec.get("maxLength", 0) > LONG_TEXT:
        return dmc.Textarea(value=text, debounce=WAIT_MS, autosize=True, minRows=1, maxRows=4, **common)
    hint = "2026-05-31" if spec.get("format") == "date" else ""
    return dmc.TextInput(value=text, debounce=WAIT_MS, **{**common, "placeholder": placeholder or hint})
