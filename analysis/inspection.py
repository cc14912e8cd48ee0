"""What a file is, before anything of it is taken: format, extent, warnings, a small picture, or one sentence why not."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.catalog import manifest_text
from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ReadError, UserError
from analysis.core.hashing import file_digest
from analysis.core.numerics.decimate import min_max
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.core.registry import Modality, Reader, Registry
from analysis.core.run import read
from analysis.cycling.mapping import propose
from analysis.formats.energies import read_list
from analysis.formats.png import grey_png
from analysis.schemas import Preview

Kind = Literal["data", "part", "list", "table", "manifest", "problem"]
PICTURE_POINTS = 600
PIECE_ROWS = 1 << 20  # looked at together
AGAINST = "time"
SHOWN = ("voltage", "current")  # drawn against time where a dataset has them
MANIFEST_HEAD = 16 * 1024
MAX_TIMESTAMP = 32503680000.0  # s since 1970, the year 3000
TRIAL_BYTES = 1 << 20
FEWEST_ENERGIES = 5
_OPTION = re.compile(r"\b([a-z][a-z0-9_]*)=")


class Found(Params):
    """What inspection says of a file; whoever keeps it may note in ``asked`` what it was asked."""

    kind: Kind
    asked: dict[str, Any] = Field(default_factory=dict)
    sha256: str = ""
    reader: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    candidates: tuple[tuple[str, str], ...] = ()  # id and title of readers that may read it, the surest first
    title: str = ""  # of the format
    instrument: str = ""
    start_time: str = ""
    rows: int = 0
    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)  # of time (s) and of what is drawn
    stated: dict[str, float] = Field(default_factory=dict)  # fields of a cell that the file states itself
    picture: dict[str, dict[str, list[float | None]]] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # that a manifest names
    message: str = ""
    hint: str = ""
    note: str = ""  # something to know that is no problem
    modality: str = ""
    series: str = ""  # of a part: what the parts of its series have in common
    facts: dict[str, str] = Field(default_factory=dict)  # in words, such as the energies
    image: str = ""  # title of the picture that was drawn; "" where none was
    curves: tuple[tuple[str, list[float | None], list[float | None]], ...] = ()  # name, x, y
    axes: tuple[str, str] = ("", "")  # of the curves
    lacks: tuple[str, ...] = ()  # what the files do not say of themselves
    wanted: tuple[str, ...] = ()  # options without which it cannot be read
    choices: dict[str, list[tuple[str, str]]] = Field(default_factory=dict)  # values that an option may have, with their words


Recall = Callable[[Reader, Path], Mapping[str, Any]]
Draw = Callable[[bytes], None]


def inspect(
    path: Path,
    registry: Registry,
    *,
    reader_id: str = "",
    options: Mapping[str, Any] | None = None,
    recall: Recall | None = None,
    draw: Draw | None = None,
) -> Found:
    """Read a file without keeping anything; whatever is wrong with it becomes a sentence of the answer.

    A file that is one of a series is only recognised: ``inspect_together`` reads the series.

    Parameters
    ----------
    reader_id, options
        How to read it; recognised by content and with the reader's defaults where they are not given.
    recall
        Answers with the options that a file laid out like this one was read with before; asked where none are given.
    draw
        Gets a small picture of what was read, as PNG, where there is one.
    """
    try:
        sha256 = file_digest(path)
        if not reader_id and is_manifest(path):
            return _manifest(path, sha256)
        report(0.2, "recognising the format")
        known = _recognised(path, registry, reader_id) | {"sha256": sha256}
        reader = registry.reader(known["reader"])
        if series := reader.series(path):
            return Found(kind="part", **known, options=dict(options or {}), series=series)
    except OSError as err:
        return Found(kind="problem", message=f"{path.name} cannot be read: {err.strerror or err}.", hint="Add it again.")
    except UserError as err:
        if manifest_text.lists_cells(path):
            return _manifest(path, sha256)
        return _list_of_numbers(path) or Found(kind="problem", message=err.message, hint=err.hint)
    found = _looked_into((path,), registry, known, dict(options or {}), recall, draw)
    if found.kind != "data" and not reader_id and manifest_text.lists_cells(path):
        return _manifest(path, sha256)
    return found


def inspect_together(
    paths: Sequence[Path],
    registry: Registry,
    *,
    reader_id: str = "",
    options: Mapping[str, Any] | None = None,
    recall: Recall | None = None,
    draw: Draw | None = None,
) -> Found:
    """Read files that are one dataset, like ``inspect`` a single one."""
    try:
        known = _recognised(paths[0], registry, reader_id)
    except UserError as err:
        return Found(kind="problem", message=err.message, hint=err.hint)
    return _looked_into(tuple(paths), registry, known, dict(options or {}), recall, draw)


def _list_of_numbers(path: Path) -> Found | None:
    """A list of energies, which is no measurement; None where the file is something else."""
    try:
        values = read_list(path)[:, 0]
    except UserError:
        return None
    if values.size < FEWEST_ENERGIES or not np.isfinite(values).all():
        return None
    said = f"A list of {values.size} numbers, {values[0]:g} … {values[-1]:g}."
    return Found(kind="list", title="List of numbers", message=said, hint="Energies are chosen where their stack is read.")


def _recognised(path: Path, registry: Registry, reader_id: str) -> dict[str, Any]:
    """Reader, its title, and the readers that could be chosen instead."""
    candidates = registry.candidates(path)
    reader = registry.reader(reader_id) if reader_id else registry.recognise(path)
    modality = next(m.id for m in registry.modalities.values() if reader in m.readers)
    return {"reader": reader.id, "title": reader.title, "modality": modality, "candidates": tuple((r.id, r.title) for r, _ in candidates)}


def _looked_into(
    paths: tuple[Path, ...], registry: Registry, known: dict[str, Any], options: dict[str, Any], recall: Recall | None, draw: Draw | None
) -> Found:
    path, reader = paths[0], registry.reader(known["reader"])
    used, choices = options, {}
    try:
        choices = _choices(reader, path)
        used = options or (dict(recall(reader, path)) if recall else {})
        report(0.3, "reading")
        ds = read(paths, reader, reader.options.check(used))
        facts = _facts(ds, path.name) | ({"instrument": ""} if takes_mapping(reader) else {})
        facts |= _previewed(ds, registry.modalities[known["modality"]], draw)
    except UserError as err:
        kind: Kind = "table" if takes_mapping(reader) and isinstance(err, ReadError) and _lacks_columns(path) else "problem"
        said = _wanted(reader, f"{err.message} {err.hint}")
        return Found(kind=kind, **known, options=used, message=err.message, hint=err.hint, choices=choices, wanted=said)
    remembered = "Read with the column mapping that was kept for files with these columns."
    if not takes_mapping(reader):
        remembered = f"Read like the last file that was laid out alike: {', '.join(f'{n} {v}' for n, v in used.items())}."
    note = remembered if used and not options else _misnamed(path, reader)
    return Found(kind="data", **known, options=used, note=note, choices=choices, **facts)


def _choices(reader: Reader, path: Path) -> dict[str, list[tuple[str, str]]]:
    """What the options that name a part of a file may be; nothing where there is no choice."""
    if reader.inside is None:
        return {}
    return {name: [(v, words) for v, words in given] for name, given in reader.inside.choices(path).items() if given}


def _wanted(reader: Reader, said: str) -> tuple[str, ...]:
    """Options that a sentence asks for: they stand in it as on the command line."""
    return tuple(dict.fromkeys(n for n in _OPTION.findall(said) if n in reader.options.model_fields))


def _previewed(ds: xr.Dataset, modality: Modality, draw: Draw | None) -> dict[str, Any]:
    """Facts, curves and picture of what was read, as its modality shows it."""
    make = modality.previews.get(str(ds.attrs.get("schema")))
    if make is None:
        return {}
    seen: Preview = make(ds)
    if seen.image is not None and draw is not None:
        draw(grey_png(seen.image))
    return {
        "facts": dict(seen.facts),
        "image": seen.image_title if seen.image is not None and draw is not None else "",
        "curves": tuple((name, _numbers(x), _numbers(y)) for name, x, y in map(_few, seen.curves)),
        "axes": (seen.x_title, seen.y_title),
        "lacks": seen.lacks,
    }


def _few(curve: tuple[str, np.ndarray, np.ndarray]) -> tuple[str, np.ndarray, np.ndarray]:
    """No more points than a small picture can show."""
    name, x, y = curve
    x, y = np.ascontiguousarray(x, float), np.ascontiguousarray(y, float)
    kept = min_max(x, y, PICTURE_POINTS) if x.size > PICTURE_POINTS else slice(None)
    return name, x[kept], y[kept]


def trial(path: Path, registry: Registry, *, reader_id: str, options: Mapping[str, Any]) -> Found:
    """Inspect with these options, of a long text its beginning only: quick enough to follow what is chosen in a dialog."""
    with open(path, "rb") as f:
        head = f.read(TRIAL_BYTES + 1)
    if len(head) <= TRIAL_BYTES or head.startswith((b"PK", b"PAR1", b"\xd0\xcf\x11\xe0")):
        return inspect(path, registry, reader_id=reader_id, options=options)
    with TemporaryDirectory() as folder:
        beginning = Path(folder) / path.name
        beginning.write_bytes(head[: head.rfind(b"\n") + 1] or head)
        return inspect(beginning, registry, reader_id=reader_id, options=options)


def takes_mapping(reader: Reader) -> bool:
    """Whether this reader can be told which column is what."""
    return "columns" in reader.options.model_fields


def columns_signature(reader: Reader, path: Path) -> str:
    """What tells tables with the same columns; "" where this reader takes no mapping, or where the file is no table."""
    try:
        return propose(path).signature if takes_mapping(reader) else ""
    except UserError:  # the reader says so
        return ""


def _lacks_columns(path: Path) -> bool:
    """Whether this is a table whose columns somebody could name."""
    try:
        proposal = propose(path)
    except UserError:
        return False
    return bool(proposal.rows) and bool(proposal.missing)


def _misnamed(path: Path, reader: Reader) -> str:
    suffix = path.suffix.lower()
    if not suffix or suffix in reader.suffixes or takes_mapping(reader):
        return ""
    return f"The content is of the format {reader.title}, although the name ends in {suffix}."


def _facts(ds: xr.Dataset, name: str) -> dict[str, Any]:
    drawn = [n for n in SHOWN if n in ds and ds[n].ndim == 1 and AGAINST in ds and ds[n].dims == ds[AGAINST].dims]
    ranges, picture = _outline(ds, [AGAINST, *drawn]) if drawn else ({}, {})
    lost = next((n for n in drawn if n not in ranges), None)
    if lost is not None:
        raise DataError(
            f"{name}: the {lost} is not a number in any of its {ds[lost].size} rows.", hint="Export it again or map another column."
        )
    metadata = ds.attrs.get("metadata", {})
    mass = metadata.get("active_mass_mg") if isinstance(metadata, Mapping) else None
    return {
        "instrument": str(ds.attrs.get("instrument", "")),
        "start_time": str(ds.attrs.get("start_time", "")) or _first_time(ds),
        "rows": max(ds.sizes.values(), default=0),
        "ranges": ranges,
        "stated": {"active_mass_mg": float(mass)} if isinstance(mass, int | float) and 0 < mass < math.inf else {},
        "picture": picture,
        "warnings": warnings_of(ds),
    }


def _first_time(ds: xr.Dataset) -> str:
    """When the wall clock of the first row says it began, where there is one."""
    if "timestamp" not in ds or ds["timestamp"].ndim != 1:
        return ""
    first = ds["timestamp"][:1].values.astype(float)
    is_usual = first.size == 1 and 0 < first[0] < MAX_TIMESTAMP
    return datetime.fromtimestamp(float(first[0]), UTC).isoformat(timespec="seconds") if is_usual else ""


Ranges = dict[str, tuple[float, float]]


def _outline(ds: xr.Dataset, names: list[str]) -> tuple[Ranges, dict[str, Any]]:
    """Ranges of one-dimensional variables, and few points that draw what all of them would; read piece by piece."""
    ranges: Ranges = {}
    curves: dict[str, list[np.ndarray]] = {n: [] for n in names if n != AGAINST}
    (dim,) = ds[AGAINST].dims
    starts = range(0, ds.sizes[dim], PIECE_ROWS)
    for start in starts:
        piece = {n: np.asarray(ds[n].isel({dim: slice(start, start + PIECE_ROWS)}).values, float) for n in names}
        for name, values in piece.items():
            _widen(ranges, name, values[np.isfinite(values)])
        for name, kept in curves.items():
            at = min_max(piece[AGAINST], piece[name], max(8, 4 * PICTURE_POINTS // len(starts)))
            kept.append(np.stack([piece[AGAINST][at], piece[name][at]]))
    return ranges, {name: _thinned(np.concatenate(kept, axis=1)) for name, kept in curves.items() if kept}


def _widen(ranges: Ranges, name: str, finite: np.ndarray) -> None:
    if finite.size:
        low, high = ranges.get(name, (math.inf, -math.inf))
        ranges[name] = (min(low, float(finite.min())), max(high, float(finite.max())))


def _thinned(curve: np.ndarray) -> dict[str, list[float | None]]:
    x, y = (np.ascontiguousarray(row) for row in curve)
    kept = min_max(x, y, PICTURE_POINTS)
    return {"x": _numbers(x[kept]), "y": _numbers(y[kept])}


def _numbers(values: np.ndarray) -> list[float | None]:
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in values.tolist()]


# -- manifests -------------------------------------------------------------------------------------------------------------


def is_manifest(path: Path) -> bool:
    """Whether a file's head is that of a study's manifest: a table with the columns file and cell, or the TOML of one."""
    with open(path, "rb") as f:
        head = f.read(MANIFEST_HEAD)
    if b"\x00" in head:
        return False
    text = head.decode("utf-8-sig", errors="replace")
    if path.suffix.lower() == ".toml":
        return any(line.strip() in ("[[file]]", "[[cell]]", "[[group]]") for line in text.splitlines())
    first = next((line for line in text.splitlines() if line.strip()), "")
    cells = {c.strip().strip('"').lower() for c in first.replace(";", ",").replace("\t", ",").split(",")}
    return {"file", "cell"} <= cells


def _manifest(path: Path, sha256: str) -> Found:
    rows = manifest_text.parse(path)
    named = tuple(dict.fromkeys(str(r.values["file"]) for r in rows if "file" in r.values))
    cells = len({r.values["cell"] for r in rows if "cell" in r.values})
    groups = len({r.values["group"] for r in rows if "group" in r.values})
    note = f"Names {_count(len(named), 'file')} of {_count(cells, 'cell')} in {_count(groups, 'group')}."
    return Found(kind="manifest", sha256=sha256, title="Manifest", rows=len(rows), files=named, note=note, warnings=rows[0].remarks)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
