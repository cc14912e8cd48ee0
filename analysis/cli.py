"""The command line. Others script against it: names, options, exit codes and JSON keys stay as they are.

Exit status: 0 done; 2 something the user can fix, one sentence on standard error; 1 a fault of the program.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import xarray as xr

from analysis import cli_output, cli_report, cluster, series
from analysis.catalog import CellFields, HarvestFields, MeasurementFields, ParticleFields, manifest
from analysis.core import settings
from analysis.core.data import warnings_of
from analysis.core.errors import ParamError, UserError
from analysis.core.registry import Input, Reader, Recipe
from analysis.core.run import Request, command, explain, ingest, read, reporting, run
from analysis.core.store import FOLDERS, Store
from analysis.modalities import registry
from analysis.workspace import Workspace

CELL_OPTIONS = {
    "group": "group",
    "active_mass_mg": "active_mass_mg",
    "composite_mass_mg": "composite_mass_mg",
    "active_fraction": "active_fraction",
    "electrode_area_cm2": "electrode_area_cm2",
}


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        act: Callable[[argparse.Namespace], int | None] = args.act
        return act(args) or 0
    except UserError as err:
        print(f"error: {err.message}" + (f" {err.hint}" if err.hint else ""), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0  # the reader of our output went away, as ``head`` does


# -- what can be read and computed ---------------------------------------------------------------------------------------


def _readers(args: argparse.Namespace) -> None:
    found = [r for r in registry().readers if args.name in (None, r.id)]
    if args.name and not found:
        registry().reader(args.name)  # raises the sentence that lists what there is
    rows = [
        {
            "id": r.id,
            "title": r.title,
            "schema": r.schema.name,
            "suffixes": list(r.suffixes),
            "options": r.options.model_json_schema()["properties"],
        }
        for r in found
    ]
    cli_output.listing(rows, args.json, broken=dict(registry().broken))


def _recipes(args: argparse.Namespace) -> None:
    found = [registry().recipe(args.name)] if args.name else list(registry().recipes)
    rows = [
        {
            "id": r.id,
            "title": r.title,
            "inputs": {n: {"schema": i.schema, "many": i.many, "optional": i.optional} for n, i in r.inputs.items()},
            "output": r.output.name,
            "params": r.params.model_json_schema().get("properties", {}),
        }
        for r in found
    ]
    cli_output.listing(rows, args.json, broken=dict(registry().broken))


def _inspect(args: argparse.Namespace) -> int:
    reader_id, answers = _named_reader(args.reader), []
    try:
        files = series.expanded(args.files, registry(), reader_id=reader_id)
        groups = [b.paths for b in series.bundles(files, registry(), reader_id=reader_id)]
    except UserError as err:  # one of several: each says for itself what it is
        groups = [(p,) for p in args.files if p.is_file()]
        answers += [_unread(p, err) for p in args.files if not p.is_file()]
    for paths in groups:
        try:
            answers.append(cli_output.described(paths, *_read_files(paths, reader_id, args.reader)))
        except UserError as err:
            answers.append(_unread(paths[0], err))
    cli_output.inspected(answers, args.json)
    return 2 if any("error" in a for a in answers) else 0


def _unread(path: Path, err: UserError) -> dict[str, Any]:
    print(f"error: {err}", file=sys.stderr)
    return {"file": str(path), "error": str(err)}


def _named_reader(options: Sequence[str]) -> str:
    """The reader that ``-r reader=ID`` names; "" where none is."""
    named = dict(o.partition("=")[::2] for o in options).get("reader", "")
    return registry().reader(named).id if named else ""


def _read_files(paths: tuple[Path, ...], reader_id: str, options: Sequence[str]) -> tuple[str, xr.Dataset]:
    reader = registry().reader(reader_id) if reader_id else registry().recognise(paths[0])
    return reader.id, read(paths, reader, reader.options.check(_reader_options(reader, options)))


def _reader_options(reader: Reader, options: Sequence[str]) -> dict[str, Any]:
    return reader.options.parse([o for o in options if not o.startswith("reader=")])


# -- running ---------------------------------------------------------------------------------------------------------------


def _run(args: argparse.Namespace) -> None:
    recipe = registry().recipe(args.recipe)
    with _workspace(args.workspace) as store, reporting(cli_output.progress(args.json)):
        request = Request(
            recipe=recipe.id, inputs=_inputs(recipe, args.inputs, args.reader, store), params=recipe.params.parse(args.params)
        )
        with cluster.computing(args.scheduler or settings.scheduler(), store) if recipe.chunked else nullcontext():
            key = run(request, registry(), store)
        result = store.open(key)
        if args.out:
            cli_output.write(result, args.out)
        if args.figure:
            cli_output.draw(result, key, args.figure, registry())
        cli_output.ran(key, result, store.provenance(key), args.json)
        for sentence in warnings_of(result):
            print(f"warning: {sentence}", file=sys.stderr)


@contextmanager
def _workspace(folder: Path | None) -> Iterator[Store]:
    if folder is not None:
        yield Store(folder)
        return
    with tempfile.TemporaryDirectory(prefix="interplay-") as temporary:
        yield Store(Path(temporary))


def _inputs(recipe: Recipe, given: Sequence[str], options: Sequence[str], store: Store) -> dict[str, str | tuple[str, ...]]:
    """Keys of the inputs: files are read, keys are taken, ``name=…`` says which input is meant."""
    words: dict[str, list[str]] = {}
    first = next(iter(recipe.inputs))
    for text in given:
        name, equals, rest = text.partition("=")
        named = bool(equals) and name in recipe.inputs and not Path(text).exists()
        words.setdefault(name if named else first, []).append(rest if named else text)
    made: dict[str, str | tuple[str, ...]] = {}
    for name, said in words.items():
        keys = _keys(said, options, store, recipe.inputs[name])
        if len(keys) > 1 and not recipe.inputs[name].many:
            raise ParamError(f"{recipe.id} takes one '{name}', {len(keys)} were given.", hint="Name further inputs as name=FILE.")
        made[name] = tuple(keys) if recipe.inputs[name].many else keys[0]
    return made


def _keys(given: Sequence[str], options: Sequence[str], store: Store, wanted: Input) -> list[str]:
    """Keys as they are, and of files read: where one dataset is wanted, all files are meant to be it."""
    keys = [text for text in given if _is_key(text)]
    for key in keys:
        store.provenance(key)  # says so where there is no such entry
    reader_id = _named_reader(options)
    files = series.expanded([Path(t) for t in given if not _is_key(t)], registry(), reader_id=reader_id, schema=wanted.schema)
    groups = series.bundles(files, registry(), reader_id=reader_id, schema=wanted.schema, whole=not wanted.many)
    for group in groups:
        chosen = _reader_options(group.reader, options)
        keys.append(ingest(group.paths, registry(), store, reader_id=group.reader.id, options=chosen))
    return keys


def _is_key(text: str) -> bool:
    return text[:2] in {f"{kind}-" for kind in FOLDERS} and not Path(text).exists()


# -- workspaces ------------------------------------------------------------------------------------------------------------


def _import(args: argparse.Namespace) -> None:
    workspace = Workspace(args.workspace)
    listed = manifest.read_manifest(args.manifest) if args.manifest else ()
    for sentence in manifest.remarks(listed):
        print(f"warning: {sentence}", file=sys.stderr)
    with reporting(cli_output.progress(False)):
        made = workspace.import_manifest(args.manifest, again=args.again) if args.manifest else [_import_one(workspace, args)]
    described = dict.fromkeys(row.cell.name for row in listed if row.cell is not None and row.file is None)
    if described:
        print(f"{len(described)} cell{'s' if len(described) > 1 else ''} described: {', '.join(described)}")
    for m in made:
        print(f"{m.cell}: {m.modality}, {cli_output.named([f.original_name for f in m.files])} ({', '.join(m.dataset_keys)})")
        for sentence in workspace.warnings(m):
            print(f"warning: {sentence}", file=sys.stderr)


def _import_one(workspace: Workspace, args: argparse.Namespace) -> Any:
    if not args.files or not args.cell:
        raise ParamError("Name the files and their --cell, or give a --manifest.")
    cell = {"name": args.cell, **{field: v for option, field in CELL_OPTIONS.items() if (v := getattr(args, option)) is not None}}
    sample = {"state": args.state, "cycle_number": args.cycle}
    known = {k: v for k, v in sample.items() if v is not None}
    reader = _named_reader(args.reader)
    files = series.expanded(args.files, registry(), reader_id=reader)
    found = registry().reader(reader) if reader else registry().recognise(files[0])
    options = _reader_options(found, args.reader)
    if not options and (options := workspace.recalled(found, files[0])):
        print(f"read as the last file that was laid out like this: {', '.join(f'{n}={v}' for n, v in options.items())}")
    return workspace.import_files(
        files,
        cell=CellFields.check(cell, subject=f"cell '{args.cell}'"),
        measurement=MeasurementFields.check({**known, **({"part_of": args.test} if args.test else {})}),
        harvest=HarvestFields.check(known) if args.particle and known else None,
        particle=ParticleFields.check({"name": args.particle}) if args.particle else None,
        reader_id=reader,
        options=options,
        again=args.again,
    )


def _demo(args: argparse.Namespace) -> None:
    from analysis.tasks import make_demo

    with reporting(cli_output.progress(False)):
        print(make_demo(Store(args.workspace), {}))


def _workspace_command(args: argparse.Namespace) -> int:
    if args.action != "create" and not (args.dir / "format").is_file():
        raise ParamError(f"{args.dir} is not a workspace.", hint=f"Make one with: python -m analysis workspace create {args.dir}")
    workspace = Workspace(args.dir)
    workspace.store.sweep()
    if args.action == "check":
        problems = workspace.check()
        cli_output.checked(problems, args.json)
        return 2 if problems else 0
    if args.action == "prune":
        entries, size = workspace.prune()
        print(f"{entries} entries removed, {size / 1e6:.1f} MB freed")
    else:
        cli_output.facts(workspace.status(), args.json)
    return 0


def _explain(args: argparse.Namespace) -> None:
    store = Store(args.workspace)
    tree = explain(args.key, store)
    if args.json:
        print(json.dumps(tree, indent=1))
    else:
        cli_output.tree(tree)
        print(f"\n{command(args.key, store)}")


# -- the words -------------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m analysis", description="Interplay's analyses without a browser.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_looking(commands)
    _add_run(commands)
    _add_import(commands)
    _add_workspace(commands)
    cli_report.add(commands)
    return top


def _add_looking(commands: Any) -> None:
    for name, act, words in (
        ("readers", _readers, "formats that can be read"),
        ("recipes", _recipes, "analyses, their inputs and parameters"),
    ):
        p = commands.add_parser(name, help=words)
        p.add_argument("name", nargs="?", help="only this one")
        p.add_argument("--json", action="store_true")
        p.set_defaults(act=act)
    p = commands.add_parser("inspect", help="what is in a file")
    p.add_argument("files", nargs="+", type=Path, metavar="FILE")
    p.add_argument(
        "-r", "--reader", action="append", default=[], metavar="OPTION=VALUE", help="reader option; reader=ID chooses the reader"
    )
    p.add_argument("--json", action="store_true")
    p.set_defaults(act=_inspect)


def _add_run(commands: Any) -> None:
    p = commands.add_parser("run", help="compute a recipe")
    p.add_argument("recipe", metavar="RECIPE")
    p.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="file, folder, key, or name=… where a recipe takes several; files of one series become one dataset",
    )
    p.add_argument("-p", "--param", dest="params", action="append", default=[], metavar="NAME=VALUE")
    p.add_argument("-r", "--reader", action="append", default=[], metavar="OPTION=VALUE")
    p.add_argument("--out", type=Path, metavar="FILE.nc|.zarr|.csv|.parquet")
    p.add_argument("--figure", type=Path, metavar="FILE.html|.png|.svg")
    p.add_argument("--json", action="store_true")
    p.add_argument("--workspace", type=Path, metavar="DIR")
    p.add_argument("--scheduler", default="", metavar="ADDRESS", help="Dask scheduler whose workers compute recipes over large arrays")
    p.set_defaults(act=_run)


def _add_import(commands: Any) -> None:
    p = commands.add_parser("import", help="take files into a workspace")
    p.add_argument("workspace", type=Path)
    p.add_argument("files", nargs="*", type=Path, metavar="FILE", help="parts of one measurement, in time order, or a folder of them")
    p.add_argument("--manifest", type=Path, metavar="FILE.csv|.xlsx|.toml")
    p.add_argument("--cell", metavar="NAME")
    p.add_argument("--group")
    p.add_argument("--state", choices=("pristine", "charged", "discharged"))
    p.add_argument("--cycle", type=int)
    p.add_argument("--particle")
    p.add_argument("--test", help="name of this test, where a cell has several")
    for option in ("active-mass-mg", "composite-mass-mg", "active-fraction", "electrode-area-cm2"):
        p.add_argument(f"--{option}", type=float)
    p.add_argument("-r", "--reader", action="append", default=[], metavar="OPTION=VALUE")
    p.add_argument("--again", action="store_true", help="even if the same file is already in")
    p.set_defaults(act=_import)
    p = commands.add_parser("demo", help="put the synthetic study with known truth into a workspace")
    p.add_argument("workspace", type=Path)
    p.set_defaults(act=_demo)


def _add_workspace(commands: Any) -> None:
    p = commands.add_parser("workspace", help="create, look at, check, tidy up")
    p.add_argument("action", choices=("create", "status", "check", "prune"))
    p.add_argument("dir", type=Path)
    p.add_argument("--json", action="store_true")
    p.set_defaults(act=_workspace_command)
    p = commands.add_parser("explain", help="from a key back to its files")
    p.add_argument("key")
    p.add_argument("--workspace", type=Path, required=True)
    p.add_argument("--json", action="store_true")
    p.set_defaults(act=_explain)
