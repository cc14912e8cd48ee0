"""How a waiting file is read: the options of its reader as inputs, made from the option class."""

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from analysis.core.params import Options
from analysis.core.registry import Reader
from components.context import workspace
from components.import_form import number_in, present
from components.import_inputs import field_id, made
from components.import_work import Lot

PREFIX = "option."
YES_NO = {"yes": True, "no": False}
SIMPLE = ("string", "number", "integer", "boolean")


def simple_options(options: type[Options]) -> dict[str, dict[str, Any]]:
    """Options that one input can hold, with what the schema says of them; tables of columns have their own dialog."""
    properties = options.model_json_schema().get("properties", {})
    specs = {name: present(spec) for name, spec in properties.items()}
    return {name: spec for name, spec in specs.items() if "enum" in spec or spec.get("type") in SIMPLE}


def panel(lot: Lot, reader: Reader) -> Component:
    """The options of the reader, folded away; nothing where it has none."""
    used: Mapping[str, Any] = lot.found[0].options if lot.found[0] is not None else {}
    fields = simple_options(reader.options)
    inputs = [_input(lot.sid, reader.options, name, spec, used) for name, spec in fields.items()]
    if not inputs:
        return html.Div()
    return html.Details([html.Summary("How it is read"), html.Div(inputs, className="detail-fields")], open=any(n in used for n in fields))


def _input(sid: str, options: type[Options], name: str, spec: dict[str, Any], used: Mapping[str, Any]) -> Component:
    info = options.model_fields[name]
    value = used.get(name, info.default)
    shown = next((word for word, meant in YES_NO.items() if meant is value), value)
    if spec.get("type") == "boolean":
        spec = {"enum": list(YES_NO)}
    elif "enum" in spec:
        spec = {"enum": [c for c in spec["enum"] if c != ""]}
    label = {"label": info.title or name, "description": info.description}
    return made(field_id(sid, PREFIX + name), spec, shown, placeholder="automatic" if info.default in (None, "") else "", **label)


def with_option(used: Mapping[str, Any], options: type[Options], field: str, typed: Any) -> dict[str, Any]:
    """The options with one of them as it was typed; a blank or the default takes it out again."""
    name = field.removeprefix(PREFIX)
    spec = simple_options(options)[name]
    value = "" if typed is None else typed
    if spec.get("type") == "boolean":
        value = YES_NO.get(str(value), "")
    elif spec.get("type") in ("number", "integer"):
        value = number_in(str(value))
    rest = {k: v for k, v in used.items() if k != name}
    return rest if value in ("", options.model_fields[name].default) and not isinstance(value, bool) else {**rest, name: value}


def reader_of(lot: Lot) -> Reader | None:
    """The reader that the lot is read with, where one is known."""
    found = lot.found[0]
    return workspace().registry.reader(found.reader) if found is not None and found.reader else None
