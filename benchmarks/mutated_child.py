"""What the part ``mutations`` runs in processes of its own: read damaged copies, one line of JSON each.

``python -m benchmarks.mutated_child FORMAT FIRST COUNT FOLDER``; with ``--keep FILE`` the (last) damaged copy stays there, and a
failure is shown with its traceback.
"""

import argparse
import json
import math
import resource
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.data import warnings_of
from analysis.core.errors import UserError
from analysis.core.registry import Reader
from analysis.core.run import read
from analysis.modalities import registry
from benchmarks.damage_kinds import damaged
from benchmarks.damage_sources import SOURCES

MEMORY_BYTES = 12 << 30  # of addresses; libraries reserve far more than they use
SAME = 1e-3
REGISTRY = registry()


def main() -> None:
    args = _arguments()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    source = next(s for s in SOURCES if s.name == args.format)
    whole = source.whole()
    path = Path(args.folder) / f"whole{source.suffix}"
    path.write_bytes(whole)
    reader = REGISTRY.recognise(path)
    right = _numbers(_read(path, reader))
    _say({"number": -1, "outcome": "ready", "reader": reader.id})
    for number in range(args.first, args.first + args.count):
        copy = Path(args.keep) if args.keep else path.with_name(f"damaged{source.suffix}")
        copy.write_bytes(damaged(whole, source.name, number))
        _say({"number": number, **_outcome(copy, reader, right, shown=bool(args.keep))})


def _outcome(path: Path, reader: Reader, right: tuple[float, ...], *, shown: bool) -> dict[str, Any]:
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(_looked_at, path, reader, right)
    fault = done.exception()
    if fault is None:
        return done.result()
    if isinstance(fault, UserError):
        return {"outcome": "refused", "sentence": str(fault)[:200]}
    if shown:
        traceback.print_exception(fault)
    place = traceback.extract_tb(fault.__traceback__)[-1]
    return {
        "outcome": "failed",
        "sentence": f"{type(fault).__name__}: {fault}"[:160],
        "place": f"{Path(place.filename).name}:{place.lineno}",
    }


def _looked_at(path: Path, reader: Reader, right: tuple[float, ...]) -> dict[str, Any]:
    REGISTRY.candidates(path)
    record = _read(path, reader)
    if problem := _problem(record):
        return {"outcome": "invalid", "sentence": problem}
    if _same(_numbers(record), right):
        return {"outcome": "same"}
    return {"outcome": "warned" if warnings_of(record) else "other"}


def _read(path: Path, reader: Reader) -> xr.Dataset:
    return read((path,), reader, reader.options.check({}))


def _problem(record: xr.Dataset) -> str:
    """What makes a record invalid, or nothing."""
    time = record["time"].values
    if time.size == 0:
        return "no rows"
    if not np.isfinite(time).all():
        return "a time that is no number"
    if (np.diff(time) < 0).any():
        return "time goes backwards"
    return ""


def _numbers(record: xr.Dataset) -> tuple[float, ...]:
    """Rows and total charge and discharge of the summary, which must work on whatever a reader lets through."""
    recipe = REGISTRY.recipe("cycling.summary")
    made = recipe.output.conform(recipe.compute(records=(record,), params=recipe.params.check({})))
    return (float(record.sizes["row"]), *(float(np.nansum(made[n].values)) for n in ("charge_capacity", "discharge_capacity")))


def _same(found: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return all(math.isclose(a, b, rel_tol=SAME, abs_tol=1e-9) for a, b in zip(found, right, strict=True))


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format", choices=[s.name for s in SOURCES])
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("folder", nargs="?", default=gettempdir())
    parser.add_argument("--keep", metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
