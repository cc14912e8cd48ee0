"""Which files are one dataset: the frames of a scan, one image an energy, the slices of a tomogram; and what lies beside them.

People give files one by one, by a pattern, or as a folder. Files that a reader knows as parts of a series are read together; files
that only help to read another (a list of energies, the images of a header) are not read by themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from analysis.core.errors import ParamError, ReadError
from analysis.core.registry import Reader, Registry
from analysis.formats.file_names import natural

MOST_FILES = 20_000  # of a folder
FOLDER_HINT = "Name the files, or the reader with reader=…."


@dataclass(frozen=True)
class Bundle:
    """Files that are read together, in order, and the reader that does it."""

    reader: Reader
    paths: tuple[Path, ...]


def companions(names: Sequence[str], registry: Registry) -> dict[str, tuple[str, ...]]:
    """Names that help to read others of the same list → the names that they help to read."""
    found: dict[str, tuple[str, ...]] = {}
    for reader in registry.readers:
        if not reader.companions:
            continue
        mains = [n for n in names if Path(n).suffix.lower() in reader.suffixes]
        for main in mains:
            patterns = [p.replace("{stem}", _literal(Path(main).stem)) for p in reader.companions]
            for name in names:
                if name not in mains and any(fnmatchcase(name, p) for p in patterns):
                    found[name] = (*found.get(name, ()), *(() if main in found.get(name, ()) else (main,)))
    return found


def _literal(stem: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", stem)


def expanded(given: Sequence[Path], registry: Registry, *, reader_id: str = "", schema: str = "") -> tuple[Path, ...]:
    """Files that are given, those of folders included; in natural order where a pattern of names seems to have sorted them by letters."""
    paths: list[Path] = []
    for path in given:
        if path.is_dir():
            paths += _of_folder(path, registry, reader_id=reader_id, schema=schema)
        elif path.is_file():
            paths.append(path)
        else:
            raise ParamError(f"There is no file {path}.", hint="An input is a file, a folder, or a key such as d-…, e-… or r-….")
    by_letters = paths == sorted(paths, key=str)
    return tuple(sorted(paths, key=lambda p: natural(str(p)))) if by_letters else tuple(paths)


def _of_folder(folder: Path, registry: Registry, *, reader_id: str, schema: str) -> list[Path]:
    """The files of a folder that one reader takes; a folder with files of several kinds is refused."""
    inside = [p for _, p in zip(range(MOST_FILES), sorted(folder.iterdir()), strict=False) if p.is_file() and p.stat().st_size]
    helping = companions([p.name for p in inside], registry)
    known: dict[str, list[Path]] = {}
    for path in inside:
        found = [] if path.name in helping else [r for r, _ in registry.candidates(path) if not schema or r.schema.name == schema]
        if reader_id:
            found = [r for r in found if r.id == reader_id]
        if found:
            known.setdefault(found[0].id, []).append(path)
    if not known:
        raise ReadError(f"The folder {folder.name} holds no file that can be read here.", hint="Name the files.")
    in_series = [i for i, found in known.items() if len(found) > 1 and _are_series(registry.reader(i), found)]
    if len(in_series) == 1:  # notes and lists beside the frames of a scan
        known = {in_series[0]: known[in_series[0]]}
    if len(known) > 1:
        said = ", ".join(f"{len(p)} as {registry.reader(i).title}" for i, p in known.items())
        raise ReadError(f"The folder {folder.name} holds files of several kinds ({said}).", hint=FOLDER_HINT)
    return sorted(next(iter(known.values())), key=lambda p: natural(p.name))


DAMAGED = "damaged"


def _series_of(reader: Reader, path: Path) -> str:
    """The series that a file is part of; what is damaged is left to the reader of the others, which names all that are."""
    try:
        return reader.series(path)
    except ReadError:
        return DAMAGED


def _are_series(reader: Reader, paths: Sequence[Path]) -> bool:
    """Whether the first file that can be opened is a part of a series."""
    found = next((s for s in (_series_of(reader, p) for p in paths) if s != DAMAGED), "")
    return bool(found)


def bundles(paths: Sequence[Path], registry: Registry, *, reader_id: str = "", schema: str = "", whole: bool = False) -> tuple[Bundle, ...]:
    """Files grouped as they are read, in the order of the first of each.

    Parameters
    ----------
    reader_id, schema
        The reader, or what is to come out; else the content decides.
    whole
        All files are meant to be one dataset: parts of series are read together whatever their names are.
    """
    helping = companions([p.name for p in paths], registry)
    grouped: dict[object, list[Path]] = {}
    readers: dict[object, Reader] = {}
    for i, path in enumerate(paths):
        if path.name in helping:
            continue
        reader = registry.reader(reader_id) if reader_id else registry.recognise(path, schema=schema)
        series = _series_of(reader, path) if len(paths) > 1 else ""
        key: object = (reader.id, "" if whole else series, path.parent if not whole else "") if series else i
        grouped.setdefault(key, []).append(path)
        readers[key] = reader
    return tuple(Bundle(readers[k], tuple(p)) for k, p in grouped.items())
