"""A study from an archive: checked before it is unpacked, unpacked beside its place, and moved there when all of it is right.

Archives come from other people. Their list of entries is checked first: names stay inside the workspace's own folders, sizes
and counts stay within limits and add up, nothing is listed twice. While unpacking, no entry may become larger than listed,
and each must have its hash. At the end the catalog must open and every dataset that it names must be there.
"""

import hashlib
import os
import re
import shutil
import sqlite3
import uuid
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.catalog.database import FILE_NAME
from analysis.core.errors import StoreError, UserError
from analysis.core.progress import report
from analysis.core.store import FORMAT, Store
from analysis.formats import deflate
from analysis.report.archive import ARCHIVE_FORMAT, FOLDERS, LIST, blocks
from analysis.workspace import Workspace

TASK = "analysis.report.unarchive:unarchive_study"
MOST_FILES = 2_000_000
MOST_BYTES = 4 << 40
LIST_BYTES = 512 << 20
PACKED_AT_MOST = 400  # unpacked bytes for each packed one, over a whole archive of more than FREE_BYTES
FREE_BYTES = 256 << 20
SPARE_BYTES = 256 << 20  # left free on the disk
_SAFE = re.compile(r"[^\x00-\x1f\x7f\\:*?\"<>|]+")
_SHA = r"^[0-9a-f]{64}$"
DAMAGED: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    *deflate.DAMAGED,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
)
AGAIN = "Copy or export the archive again. Nothing was imported."


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    sha256: str = Field(pattern=_SHA)
    bytes: int = Field(ge=0)


class _List(BaseModel):
    model_config = ConfigDict(frozen=True)
    archive: int
    workspace: int
    title: str = ""
    outside: tuple[str, ...] = ()
    files: dict[str, _Entry]


def unarchive(path: Path, target: Path) -> Workspace:
    """Open the study of an archive as a new workspace in ``target``, which must not be there yet, or be empty."""
    if not path.is_file():
        raise StoreError(f"There is no file {path.name}.", hint=f"Looked in {path.parent}.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StoreError(f"{target} is not empty.", hint="Name a new folder for the study.")
    target.parent.mkdir(parents=True, exist_ok=True)
    temp = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    try:
        with _opened(path) as packed:
            listed = _checked_list(packed, path)
            _enough_room(listed, target.parent)
            _unpack(packed, listed, temp, path)
        _check_study(temp, path)
        if target.exists():
            target.rmdir()
        os.rename(temp, target)
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    return Workspace(target)


def unarchive_study(store: Store, payload: Mapping[str, Any]) -> str:
    """Job: an uploaded archive as a study beside the one that is served; the new folder."""
    source, target = Path(payload["path"]), Path(payload["target"])
    try:
        workspace = unarchive(source, target)
        workspace.catalog.close()
    finally:
        if payload.get("discard"):
            source.unlink(missing_ok=True)
    return str(target)


def _refused(path: Path, what: str, hint: str = AGAIN) -> StoreError:
    return StoreError(f"{path.name} {what}.", hint=hint)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except DAMAGED as err:
        raise _refused(path, "is damaged or not a study archive: it is no readable zip file") from err


# -- before anything is unpacked -----------------------------------------------------------------------------------------------


def _checked_list(packed: zipfile.ZipFile, path: Path) -> _List:
    """What the archive says it holds, where that is allowed and agrees with what is in it."""
    infos = packed.infolist()
    if len(infos) > MOST_FILES + 1:
        raise _refused(path, f"has {len(infos):,} entries; a study has at most {MOST_FILES:,}")
    names = [i.filename for i in infos]
    if len(set(names)) != len(names):
        raise _refused(path, "has two entries of one name")
    if LIST not in names:
        raise _refused(path, "is not a study archive: it has no list of its files")
    listed = _read_list(packed, path)
    sizes = {i.filename: i.file_size for i in infos if i.filename != LIST}
    for name in listed.files:
        _check_name(name, path)
    if unlisted := sorted(set(sizes) ^ set(listed.files)):
        raise _refused(path, f"does not hold what its list says ('{unlisted[0][:80]}')")
    if wrong := [n for n, e in listed.files.items() if e.bytes != sizes[n]]:
        raise _refused(path, f"is damaged: '{wrong[0]}' has another size than listed")
    _check_packing(infos, path)
    return listed


def _read_list(packed: zipfile.ZipFile, path: Path) -> _List:
    if packed.getinfo(LIST).file_size > LIST_BYTES:
        raise _refused(path, "has a list of files that is too long")
    try:
        with packed.open(LIST) as entry:
            text = entry.read(LIST_BYTES + 1)
        listed = _List.model_validate_json(text)
    except ValidationError as err:
        raise _refused(path, "is damaged: its list of files cannot be read") from err
    except DAMAGED as err:
        raise _refused(path, "is damaged: its list of files cannot be unpacked") from err
    if listed.archive > ARCHIVE_FORMAT or listed.workspace > FORMAT:
        raise _refused(path, "comes from a newer version of this program", hint="Update the program.")
    return listed


def _check_name(name: str, path: Path) -> None:
    """Only the workspace's own files and folders, and nothing that leads out of them on any system."""
    parts = name.split("/")
    plain = _SAFE.fullmatch(name) is not None and all(p not in ("", ".", "..") and p == p.rstrip(" .") for p in parts)
    inside = name in ("format", FILE_NAME) or (len(parts) > 1 and parts[0] in FOLDERS)
    if not (plain and inside and not PurePosixPath(name).is_absolute()):
        raise _refused(path, f"has an entry that does not belong into a workspace ('{name[:80]}')", hint="Nothing was imported.")


def _check_packing(infos: list[zipfile.ZipInfo], path: Path) -> None:
    """Sizes that add up: no entry stands on the bytes of another, and little does not become endlessly much."""
    unpacked, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
    if unpacked > MOST_BYTES:
        raise _refused(path, f"would unpack to {unpacked / 1e12:.1f} TB; a study has at most {MOST_BYTES / 1e12:.1f} TB")
    if packed > path.stat().st_size or unpacked > FREE_BYTES + PACKED_AT_MOST * packed:
        raise _refused(path, f"would unpack to {unpacked / 1e6:,.0f} MB from {path.stat().st_size / 1e6:,.1f} MB, which no study does")
    if any(i.flag_bits & 1 for i in infos):
        raise _refused(path, "is encrypted", hint="Export it without a password.")


def _enough_room(listed: _List, folder: Path) -> None:
    needed, free = sum(e.bytes for e in listed.files.values()), shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise StoreError(
            f"The study needs {needed / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB free.",
            hint="Free some space, or choose another disk.",
        )


# -- unpacking -----------------------------------------------------------------------------------------------------------------


def _unpack(packed: zipfile.ZipFile, listed: _List, temp: Path, path: Path) -> None:
    total = sum(e.bytes for e in listed.files.values()) or 1
    done = 0
    for name, entry in listed.files.items():
        report(0.9 * done / total, f"unpacking {name}")
        to = temp.joinpath(*name.split("/"))
        to.parent.mkdir(parents=True, exist_ok=True)
        if _copied(packed, name, to, entry.bytes, path) != entry.sha256:
            raise _refused(path, f"is damaged: '{name}' is not what was archived")
        done += entry.bytes
    for name in FOLDERS:
        (temp / name).mkdir(parents=True, exist_ok=True)


def _copied(packed: zipfile.ZipFile, name: str, to: Path, size: int, path: Path) -> str:
    """Unpack one entry, never more than its size; return the hash of what came."""
    found, written = hashlib.sha256(), 0
    try:
        with packed.open(name) as entry, open(to, "xb") as out:
            for block in blocks(entry):
                written += len(block)
                if written > size:
                    raise _refused(path, f"is damaged: '{name}' is larger than listed")
                found.update(block)
                out.write(block)
    except DAMAGED as err:
        raise _refused(path, f"is damaged: '{name}' cannot be unpacked") from err
    return found.hexdigest()


# -- afterwards ----------------------------------------------------------------------------------------------------------------


def _check_study(root: Path, path: Path) -> None:
    """The catalog opens, is no program, and what it names is there."""
    report(0.95, "checking the study")
    _check_catalog(root / FILE_NAME, path)
    try:
        workspace = Workspace(root)
    except UserError as err:
        raise _refused(path, f"holds a study that does not open: {err.message.rstrip('.')}") from err
    try:
        problems = workspace.catalog.damage()
        for m in workspace.catalog.measurements():
            problems += [f"the dataset {k} of cell '{m.cell}' is missing" for k in m.dataset_keys if not workspace.store.has(k)]
            problems += [f"'{f.original_name}' lies outside" for f in m.files if not f.referenced and not _within(root, f.stored_path)]
    finally:
        workspace.catalog.close()
    if problems:
        raise _refused(path, f"holds a study that is not whole: {problems[0].rstrip('.')}")


def _within(root: Path, stored: str) -> bool:
    return (root / stored).resolve().is_relative_to(root.resolve())


def _check_catalog(catalog: Path, path: Path) -> None:
    """Tables and indexes only: triggers and views of a foreign catalog would run in this program."""
    if not catalog.is_file():
        raise _refused(path, "holds no catalog")
    try:
        with closing(sqlite3.connect(f"{catalog.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            opened.execute("PRAGMA trusted_schema = OFF")
            kinds = {str(row[0]) for row in opened.execute("SELECT DISTINCT type FROM sqlite_master")}
    except sqlite3.DatabaseError as err:
        raise _refused(path, "holds a catalog that is damaged") from err
    if kinds - {"table", "index"}:
        raise _refused(path, "holds a catalog with programs in it, which are not run", hint="Nothing was imported.")
