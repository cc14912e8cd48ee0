"""How a waiting file is read: the options of its reader as inputs, made from the option class.

Lists of numbers (energies, shape, frames to leave out) are typed, or taken from a waiting text file by its name. A path is never
taken: the page reaches no file that was not added to it.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.errors import ParamError
from analysis.core.params import Options
from analysis.core.registry import Reader
from analysis.formats import stxm
from analysis.formats.energies import read_list
from components.context import workspace
from components.import_form import number_in, present
from components.import_inputs import WAIT_MS, field_id, made
from components.import_uploads import staging
from components.import_work import Lot

PREFIX = "option."
YES_NO = {"yes": True, "no": False}
SIMPLE = ("string", "number", "integer", "boolean")
LIST_SUFFIXES = (".txt", ".csv", ".dat", ".tsv", ".xsp", ".hdr", ".asc", ".lst")
_BETWEEN = re.compile(r"[\s,;×x]+")


def simple_options(options: type[Options]) -> dict[str, dict[str, Any]]:
    """Options that one input can hold, with what the schema says of them; tables of columns have their own dialog."""
    properties = options.model_json_schema().get("properties", {})
    specs = {name: present(spec) for name, spec in properties.items()}
    return {name: spec for name, spec in specs.items() if "enum" in spec or spec.get("type") in SIMPLE or columns_in(spec)}


def columns_in(spec: Mapping[str, Any]) -> int:
    """How many numbers stand in a line of a list: 1 for energies, 2 for pairs; 0 where it is no list of numbers."""
    items = spec.get("items", {}) if spec.get("type") == "array" else {}
    if items.get("type") in ("number", "integer"):
        return 1
    return len(items.get("prefixItems", ())) if items.get("type") == "array" else 0


def panel(lot: Lot, reader: Reader) -> Component:
    """The options of the reader, folded away unless something is said or wanted; nothing where it has none."""
    found = lot.found[0]
    used: Mapping[str, Any] = found.options if found is not None else {}
    fields = simple_options(reader.options)
    wanted = found.wanted if found is not None else ()
    ordered = [*(n for n in wanted if n in fields), *(n for n in fields if n not in wanted)]
    inputs = [_input(lot, reader.options, name, fields[name], used) for name in ordered]
    if not inputs:
        return html.Div()
    opened = bool(wanted) or any(n in used for n in fields)
    return html.Details([html.Summary("How it is read"), html.Div(inputs, className="detail-fields")], open=opened)


def asked_for(lot: Lot) -> str:
    """What to fill in under "How it is read", where the reader cannot do without it."""
    reader, found = reader_of(lot), lot.found[0]
    if lot.state != "problem" or reader is None or found is None or not found.wanted or found.kind == "table":
        return ""
    titles = [reader.options.model_fields[n].title or n for n in found.wanted if n in simple_options(reader.options)]
    return f"Open it and say under “How it is read”: {', '.join(titles)}." if titles else ""


def _input(lot: Lot, options: type[Options], name: str, spec: dict[str, Any], used: Mapping[str, Any]) -> Component:
    info, found = options.model_fields[name], lot.found[0]
    value = used.get(name, info.default)
    label = {"label": _titled(info), "description": info.description}
    if found is not None and name in found.choices:
        return _choice(lot.sid, name, found.choices[name], value, label)
    if columns_in(spec):
        return _list(lot, name, value, label)
    shown = next((word for word, meant in YES_NO.items() if meant is value), value)
    if spec.get("type") == "boolean":
        spec = {"enum": list(YES_NO)}
    elif "enum" in spec:
        spec = {"enum": [c for c in spec["enum"] if c != ""]}
    return made(field_id(lot.sid, PREFIX + name), spec, shown, placeholder="automatic" if info.default in (None, "") else "", **label)


def _titled(info: Any) -> str:
    unit = (info.json_schema_extra or {}).get("unit", "") if isinstance(info.json_schema_extra, dict) else ""
    return f"{info.title} / {unit.replace('um', 'µm')}" if unit else str(info.title)


def _choice(sid: str, name: str, choices: Sequence[tuple[str, str]], value: Any, label: Mapping[str, Any]) -> Component:
    """What the file holds, to choose from."""
    chosen = next((v for v, _ in choices if str(value).strip("/") == v.strip("/")), None)
    data = [{"value": v, "label": words} for v, words in choices]
    return dmc.Select(
        id=field_id(sid, PREFIX + name),
        data=data,
        value=chosen,
        size="xs",
        clearable=True,
        searchable=len(data) > 8,
        placeholder="automatic",
        className="wide-field",
        **label,
    )


def _list(lot: Lot, name: str, value: Any, label: Mapping[str, Any]) -> Component:
    """Numbers, or the name of a waiting file that lists them."""
    waiting = [e.name for e in staging().entries() if Path(e.name).suffix.lower() in LIST_SUFFIXES and "done" not in e.form]
    shown = lot.parts[0].form.get("lists", {}).get(name) or printed_list(value)
    words = f"{label['description']}. Type numbers, or choose a text file that waits here." if len(waiting) else label["description"]
    return dmc.Autocomplete(
        id=field_id(lot.sid, PREFIX + name),
        value=shown,
        data=list(dict.fromkeys(waiting)),
        debounce=WAIT_MS,
        size="xs",
        className="wide-field",
        label=label["label"],
        description=words,
    )


def printed_list(value: Any) -> str:
    """Numbers as they are typed: pairs side by side, separated by semicolons."""
    rows = [" ".join(f"{v:.10g}" for v in row) if isinstance(row, list | tuple) else f"{row:.10g}" for row in value or ()]
    return ("; " if value and isinstance(value[0], list | tuple) else ", ").join(rows)


def list_in(text: str, *, columns: int) -> list[Any]:
    """The numbers of a typed list, or of the waiting text file of this name.

    Raises
    ------
    ParamError
        It is neither.
    """
    named = next((e for e in staging().entries() if e.name == text.strip() and "done" not in e.form), None)
    if named is not None:
        table = stxm.read_header(named.path).energy[:, None] if named.path.suffix.lower() == ".hdr" else read_list(named.path)
        if table.shape[1] < columns:
            raise ParamError(f"{named.name} has {table.shape[1]} column, {columns} are needed.", hint="Choose another list.")
        rows = table[:, :columns].tolist()
    else:
        values = [number_in(word) for word in _BETWEEN.split(text.strip()) if word]
        wrong = next((v for v in values if isinstance(v, str)), None)
        if wrong is not None or len(values) % columns:
            raise ParamError(f"‘{text[:60]}’ is no list of numbers.", hint="Type them with commas between, or name a waiting text file.")
        rows = [values[i : i + columns] for i in range(0, len(values), columns)]
    return [row[0] for row in rows] if columns == 1 else rows


def with_option(used: Mapping[str, Any], options: type[Options], field: str, typed: Any) -> dict[str, Any]:
    """The options with one of them as it was typed; a blank or the default takes it out again."""
    name = field.removeprefix(PREFIX)
    spec = simple_options(options)[name]
    value: Any = "" if typed is None else typed
    if spec.get("type") == "boolean":
        value = YES_NO.get(str(value), "")
    elif spec.get("type") in ("number", "integer"):
        value = number_in(str(value))
    elif columns_in(spec):
        value = list_in(value, columns=columns_in(spec)) if isinstance(value, str) and value.strip() else ""
        value = [int(v) if float(v).is_integer() else v for v in value] if value and _of_integers(spec) else value
    rest = {k: v for k, v in used.items() if k != name}
    return rest if value in ("", options.model_fields[name].default) and not isinstance(value, bool) else {**rest, name: value}


def _of_integers(spec: Mapping[str, Any]) -> bool:
    return spec.get("items", {}).get("type") == "integer"


def list_name(field: str, typed: Any, options: type[Options]) -> str | None:
    """The name of the waiting file that was typed for a list; None where it is none."""
    spec = simple_options(options).get(field.removeprefix(PREFIX), {})
    names = {e.name for e in staging().entries()}
    return str(typed).strip() if columns_in(spec) and str(typed).strip() in names else None


def reader_of(lot: Lot) -> Reader | None:
    """The reader that the lot is read with, where one is known."""
    found = lot.found[0]
    return workspace().registry.reader(found.reader) if found is not None and found.reader else None
