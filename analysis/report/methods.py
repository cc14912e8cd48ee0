"""A methods paragraph from the provenance: what was read, what was computed with which parameters, and by which versions.

Literature is what the code of each recipe names: the ``References`` of the functions that it can call and of their modules.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, ModuleType
from typing import Any

from analysis.catalog.boards import BoardContent
from analysis.core.params import Params
from analysis.core.registry import Recipe, Registry
from analysis.core.store import Store

PROJECT = "analysis."
MOST_LISTED = 6  # longer lists, such as the group of each cell, stand in the provenance
_REFERENCE = re.compile(r"^\.\. \[\d+\]\s*(.+?)(?=^\.\. \[|\Z)", re.MULTILINE | re.DOTALL)


def paragraph(content: BoardContent, store: Store, registry: Registry) -> str:
    """Sentences for the methods section of a paper, and the literature they rest on."""
    records = _records(content, store)
    sentences = [*_read(records, registry), *_computed(records, registry)]
    libraries = {f"{n} {v}" for r in records.values() for n, v in r.get("libraries", {}).items()}
    if libraries:
        sentences.append(f"All results were computed with Interplay, using {_listed(sorted(libraries))}.")
    if any(pin.origins & {"synthetic"} for pin in content.pins):
        sentences.append("Data marked synthetic were made by forward models with known truth and are not measurements.")
    cited = list(dict.fromkeys(c for r in _recipes(records, registry) for c in citations(r)))
    words = [" ".join(sentences) or "No figure stands on this board yet."]
    return "\n".join([*words, *(f"[{i}] {c}" for i, c in enumerate(cited, 1))])


def _records(content: BoardContent, store: Store) -> dict[str, dict[str, Any]]:
    """Provenance of all that the board stands on, from the files up."""
    found: dict[str, dict[str, Any]] = {}
    todo = [k for pin in content.pins for k in pin.keys]
    while todo:
        key = todo.pop(0)
        if key in found or not store.has(key):
            continue
        found[key] = store.provenance(key)
        given = found[key].get("inputs", {}).values()
        todo += [k for keys in given for k in ([keys] if isinstance(keys, str) else keys)]
    return dict(reversed(found.items()))


def _read(records: dict[str, dict[str, Any]], registry: Registry) -> Iterator[str]:
    readers: dict[str, set[str]] = {}
    for record in records.values():
        if record["kind"] == "dataset":
            readers.setdefault(record["reader"], set()).update(f["sha256"] for f in record["files"])
    titles = {r.id: r.title for r in registry.readers}
    for reader, files in readers.items():
        yield f"Data were read from {len(files)} file{'s' if len(files) > 1 else ''} ({titles.get(reader, reader)})."


def _recipes(records: dict[str, dict[str, Any]], registry: Registry) -> list[Recipe]:
    known = {r.id: r for r in registry.recipes}
    return [known[i] for i in dict.fromkeys(r["recipe"] for r in records.values() if r["kind"] == "result") if i in known]


def _computed(records: dict[str, dict[str, Any]], registry: Registry) -> Iterator[str]:
    """A sentence for each recipe with the parameters that all its results share, and ranges of those that differ."""
    results = [r for r in records.values() if r["kind"] == "result"]
    known = {r.id: r for r in registry.recipes}
    for name in _ordered(results, registry):
        used = [r for r in results if r["recipe"] == name]
        recipe = known.get(name)
        title = recipe.title if recipe else name
        said = "; ".join(_parameters(recipe.params if recipe else Params, [r["params"] for r in used]))
        count = f"{len(used)} result{'s' if len(used) > 1 else ''}"
        versions = _listed(sorted({str(r["code"]) for r in used}))
        yield f"The step “{title}” ({name}, code {versions}; {count}) was computed" + (f" with: {said}." if said else ".")


def _ordered(results: list[dict[str, Any]], registry: Registry) -> list[str]:
    """The recipes by modality, in each as the results stand: from the files up."""
    names = list(dict.fromkeys(str(r["recipe"]) for r in results))
    modalities = list(registry.modalities)
    places = {n: modalities.index(m) if (m := n.partition(".")[0]) in modalities else len(modalities) for n in names}
    return sorted(names, key=lambda n: (places[n], names.index(n)))


def _parameters(cls: type[Params], given: list[dict[str, Any]]) -> list[str]:
    said = []
    for name in dict.fromkeys(n for params in given for n in params):
        values = [p[name] for p in given if p.get(name) is not None]
        field = cls.model_fields.get(name)
        extra = field.json_schema_extra if field is not None else None
        unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
        title = field.title if field is not None and field.title else name
        if text := _values(values):
            said.append(f"{title[:1].lower()}{title[1:]} {text}{f' {unit}' if unit and unit != '1' else ''}")
    return said


def _values(values: list[Any]) -> str:
    """One value, a range of numbers, or all that occur; lists only where every result has the same."""
    texts = list(dict.fromkeys(_text(v) for v in values))
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if any(isinstance(v, list) and len(v) > MOST_LISTED for v in values):
        return ""
    if not values or (len(texts) > 1 and any(isinstance(v, list | dict) for v in values)):
        return ""
    if len(texts) > 1 and numbers:
        return f"{_text(min(values))} to {_text(max(values))}"
    return ", ".join(texts) if len(", ".join(texts)) <= 120 else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_text(v) for v in value)
    return str(value).replace("_", " ")


def _listed(parts: Iterable[str]) -> str:
    *most, last = [*parts] or [""]
    return f"{', '.join(most)} and {last}" if most else last


# -- literature --------------------------------------------------------------------------------------------------------------


def citations(recipe: Recipe) -> list[str]:
    """What the functions that a recipe can call name as their sources, each once."""
    start: list[Callable[..., Any]] = [recipe.compute, *([recipe.summarise] if recipe.summarise else [])]
    texts: list[str] = []
    for function in _reached(start):
        module = sys.modules.get(function.__module__)
        texts += [inspect.getdoc(function) or "", (module.__doc__ or "") if module is not None else ""]
    found = [_one_line(r) for text in texts for r in _references(text)]
    return list(dict.fromkeys(found))


def _references(text: str) -> list[str]:
    _, marked, after = inspect.cleandoc(text).partition("References\n----------\n")
    return _REFERENCE.findall(after) if marked else []


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _reached(start: Iterable[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """The project's functions that can be called from these, by the names in their code."""
    found: dict[tuple[str, str], Callable[..., Any]] = {}
    todo = [_plain(f) for f in start]
    while todo:
        function = todo.pop(0)
        place = (getattr(function, "__module__", ""), getattr(function, "__qualname__", ""))
        if place in found or not place[0].startswith(PROJECT) or not hasattr(function, "__code__"):
            continue
        found[place] = function
        todo += _called(function)
    return list(found.values())


def _plain(function: Any) -> Any:
    return inspect.unwrap(getattr(function, "py_func", function))


def _called(function: Any) -> list[Any]:
    names = set(_names(function.__code__))
    known = function.__globals__
    direct = [known[n] for n in names if n in known]
    inside = [getattr(m, n) for m in direct if isinstance(m, ModuleType) and m.__name__.startswith(PROJECT) for n in names if hasattr(m, n)]
    return [_plain(f) for f in (*direct, *inside) if callable(f)]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
