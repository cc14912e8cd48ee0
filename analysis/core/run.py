"""From files to datasets and from requests to results: the one path every caller takes."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
from pydantic import BaseModel, ConfigDict

from analysis.core import settings
from analysis.core.data import Scalar, Schema
from analysis.core.errors import ParamError, ReadError
from analysis.core.hashing import file_digest, json_digest
from analysis.core.params import Options, Params
from analysis.core.progress import report, reporting, stage
from analysis.core.registry import Reader, Recipe, Registry
from analysis.core.store import Store
from analysis.core.versions import code_version, library_versions

__all__ = ["Plan", "Request", "command", "explain", "ingest", "plan", "read", "report", "reporting", "run", "schema_of", "stage"]


class Request(BaseModel):
    """Everything that determines a result. JSON in, JSON out."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    recipe: str
    inputs: dict[str, str | tuple[str, ...]]
    params: dict[str, Any] = {}


@dataclass(frozen=True)
class Plan:
    """A checked request: the key of its result, the record that explains it, and the parts to run."""

    key: str
    record: dict[str, Any]
    recipe: Recipe
    params: Params


# -- files to datasets ---------------------------------------------------------------------------------------------------


def ingest(
    paths: Sequence[Path], registry: Registry, store: Store, *, reader_id: str = "", options: Mapping[str, Any] | None = None
) -> str:
    """Read files (parts of one measurement) into the store; return the dataset's key.

    The reader is recognised from the first file's content unless ``reader_id`` names it.
    """
    paths = tuple(Path(p) for p in paths)
    if not paths:
        raise ReadError("No file was given.")
    for path in paths:
        if not path.is_file():
            raise ReadError(f"There is no file {path.name}.", hint=f"Looked in {path.parent}.")
    reader = registry.reader(reader_id) if reader_id else registry.recognise(paths[0])
    checked = reader.options.check(dict(options or {}))
    record = _dataset_record(paths, reader, checked)
    key = "d-" + json_digest({k: record[k] for k in ("files", "reader", "options", "code")})
    if not store.has(key):
        started = time.perf_counter()
        ds = read(paths, reader, checked)
        store.put(key, ds, {**record, "created": settings.now(), "seconds": round(time.perf_counter() - started, 3)})
    return key


def read(paths: tuple[Path, ...], reader: Reader, options: Options) -> xr.Dataset:
    """The conforming dataset of some files, not stored."""
    ds = reader.schema.conform(reader.read(paths, options))
    if all(size == 0 for size in ds.sizes.values()):
        raise ReadError(f"{paths[0].name} holds no rows of data.", hint="Only a header was found; export it again with its data.")
    return ds


def _dataset_record(paths: tuple[Path, ...], reader: Reader, options: Options) -> dict[str, Any]:
    try:
        files = list(dict.fromkeys(f for p in paths for f in (p, *reader.side_files(p))))
        # Names count: some readers take energies or cycle numbers from them.
        described = [{"name": f.name, "sha256": file_digest(f), "bytes": f.stat().st_size} for f in files]
    except OSError as err:
        raise ReadError(f"{err.filename} cannot be read: {err.strerror}.", hint="Check the file and its permissions.") from err
    return {
        "kind": "dataset",
        "files": described,
        "reader": reader.id,
        "options": options.model_dump(mode="json"),
        "code": code_version(reader.read),
    }


# -- requests to results ---------------------------------------------------------------------------------------------------


def plan(request: Request, registry: Registry) -> Plan:
    """Check a request without running it."""
    recipe = registry.recipe(request.recipe)
    params = recipe.params.check(request.params)
    inputs = _checked_inputs(request, recipe)
    record = {
        "kind": "result",
        "recipe": recipe.id,
        "inputs": inputs,
        "params": params.model_dump(mode="json"),
        "code": code_version(recipe.compute, *([recipe.summarise] if recipe.summarise else [])),
        "libraries": library_versions(),
    }
    return Plan("r-" + json_digest(record), record, recipe, params)


def run(request: Request, registry: Registry, store: Store) -> str:
    """Compute the requested result unless it is stored; return its key."""
    planned = plan(request, registry)
    if store.has(planned.key):
        return planned.key
    started = time.perf_counter()
    inputs = {name: _open(keys, planned.recipe, name, store) for name, keys in planned.record["inputs"].items()}
    made = planned.recipe.output.conform(planned.recipe.compute(**inputs, params=planned.params))
    summarise = _summariser(planned)
    record = {**planned.record, "created": settings.now(), "seconds": round(time.perf_counter() - started, 4)}
    store.put(planned.key, made, record, summarise=summarise)
    return planned.key


def _summariser(planned: Plan) -> Callable[[xr.Dataset], Mapping[str, Scalar]] | None:
    summarise, params = planned.recipe.summarise, planned.params
    return None if summarise is None else lambda stored: summarise(stored, params)


def _checked_inputs(request: Request, recipe: Recipe) -> dict[str, str | list[str]]:
    unknown = sorted(set(request.inputs) - set(recipe.inputs))
    missing = [n for n, i in recipe.inputs.items() if not i.optional and not request.inputs.get(n)]
    if unknown or missing:
        wrong = [f"has no input '{n}'" for n in unknown] + [f"needs '{n}' ({recipe.inputs[n].schema})" for n in missing]
        raise ParamError(f"{recipe.id} {' and '.join(wrong)}.", hint=f"Its inputs: {', '.join(recipe.inputs)}.")
    checked: dict[str, str | list[str]] = {}
    for name, given in request.inputs.items():
        keys = [given] if isinstance(given, str) else list(given)
        if not recipe.inputs[name].many and len(keys) > 1:
            raise ParamError(f"{recipe.id} takes one '{name}', {len(keys)} were given.")
        checked[name] = keys if recipe.inputs[name].many else keys[0]
    return checked


def _open(keys: str | list[str], recipe: Recipe, name: str, store: Store) -> xr.Dataset | tuple[xr.Dataset, ...]:
    opened = tuple(store.open(k, chunked=recipe.chunked) for k in ([keys] if isinstance(keys, str) else keys))
    wanted = recipe.inputs[name].schema
    for ds, key in zip(opened, [keys] if isinstance(keys, str) else keys, strict=True):
        if (found := ds.attrs.get("schema")) != wanted:
            raise ParamError(f"{recipe.id} needs {wanted} as '{name}', but {key} holds {found}.", hint="Choose another file or recipe.")
    return opened[0] if isinstance(keys, str) else opened


def schema_of(key: str, registry: Registry, store: Store) -> Schema | None:
    """The declared schema of a stored entry, if a reader or recipe still declares it."""
    name = str(store.open(key).attrs.get("schema"))
    known = {r.schema.name: r.schema for r in registry.readers} | {r.output.name: r.output for r in registry.recipes}
    return known.get(name)


# -- where a number comes from -----------------------------------------------------------------------------------------------


def explain(key: str, store: Store) -> dict[str, Any]:
    """The tree from a result back to its files: options, parameters, code and library versions on the way."""
    record = store.provenance(key)
    parents = record.get("inputs", {})
    tree = {name: [_explain_input(k, store) for k in ([keys] if isinstance(keys, str) else keys)] for name, keys in parents.items()}
    return {"key": key, **record, **({"inputs": tree} if tree else {})}


def _explain_input(key: str, store: Store) -> dict[str, Any]:
    return explain(key, store) if store.has(key) else {"key": key, "kind": "removed"}


def command(key: str, store: Store) -> str:
    """The command line that reproduces an entry from the files it came from."""
    record = store.provenance(key)
    if record["kind"] == "dataset":
        return "python -m analysis inspect " + " ".join(_quoted(f["name"]) for f in record["files"])
    if record["kind"] == "edit":
        return f"python -m analysis explain {key} --workspace {_quoted(str(store.root))}"
    words = ["python -m analysis run", record["recipe"]]
    for name, keys in record["inputs"].items():
        for k in [keys] if isinstance(keys, str) else keys:
            words.append(_quoted(k if len(record["inputs"]) == 1 else f"{name}={k}"))
    words += [f"-p {_quoted(f'{n}={_value(v)}')}" for n, v in record["params"].items()]
    return " ".join([*words, "--workspace", _quoted(str(store.root))])


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
