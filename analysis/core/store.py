"""Datasets, edits and results on disk, each under the hash of what made it.

A workspace folder holds

    format            version of this layout
    catalog.sqlite    what the files mean (see analysis.catalog)
    raw/              imported originals by hash
    data/ edits/ results/   <key>.zarr with ``interplay.json`` (provenance) and ``manifest.json`` (chunk digests)
    cache/            job notes, rendered images; may be deleted at any time
    temp/             being written; locked by its writer

Keys begin with ``d-`` (dataset), ``e-`` (edit) or ``r-`` (result). Arrays are written to ``temp``, synced to disk and
renamed: a reader never sees a half-written entry, and two writers of one key write the same content.
"""

import errno
import json
import math
import os
import shutil
import threading
import uuid
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import xarray as xr
from filelock import FileLock, Timeout

from analysis.core import settings
from analysis.core.data import with_scalars
from analysis.core.errors import ReadError, StoreError
from analysis.core.hashing import digest, file_digest

# Both are outside the zarr 3 text; this store writes and reads its own.
warnings.filterwarnings("ignore", message="Consolidated metadata")
warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification.*")

FORMAT = 1
FOLDERS = {"d": "data", "e": "edits", "r": "results"}
MEMORY_BYTES = 256 << 20  # opened small entries kept in memory
SMALL_BYTES = 8 << 20
COMPRESSION = {"cname": "lz4", "clevel": 1, "shuffle": "shuffle"}  # half a second for 10⁷ values on one core
ROWS_A_CHUNK = 1 << 20
MOST_A_CHUNK = 1 << 22  # values of a dask chunk that is stored as it is
CHUNK_VALUES = 1 << 18  # at most, of the chunks that a larger one is stored as


class Store:
    """The arrays of one workspace."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._memory: OrderedDict[str, tuple[xr.Dataset, int]] = OrderedDict()
        self._lock = threading.Lock()
        try:
            _check_format(self.root)
            for folder in (*FOLDERS.values(), "raw", "cache", "temp"):
                (self.root / folder).mkdir(exist_ok=True)
        except OSError as err:
            hint = "Choose another folder, or change its permissions."
            raise StoreError(f"The workspace {self.root} cannot be used: {err.strerror or err}.", hint=hint) from err

    # -- reading -----------------------------------------------------------------------------------------------------
    def path(self, key: str) -> Path:
        folder = FOLDERS.get(key[:1])
        if folder is None or key[1:2] != "-" or not key[2:].isalnum():
            raise StoreError(f"'{key}' is not a key.", hint="Keys look like d-…, e-… or r-… and are printed by every run.")
        return self.root / folder / f"{key}.zarr"

    def has(self, key: str) -> bool:
        return self.path(key).is_dir()

    def open(self, key: str, *, chunked: bool = False) -> xr.Dataset:
        """The entry; small ones in memory, large ones lazy (``chunked``: as dask arrays)."""
        if not chunked and (known := self._remembered(key)) is not None:
            return known.copy(deep=False)
        path = self.path(key)
        if not path.is_dir():
            raise StoreError(f"The workspace has no '{key}'.", hint="It may have been pruned; run its request again.")
        ds = _read(path, chunked=chunked)
        if chunked:
            return ds
        if ds.nbytes <= SMALL_BYTES:
            ds = ds.load()
        self._remember(key, ds)
        return ds.copy(deep=False)

    def provenance(self, key: str) -> dict[str, Any]:
        """How the entry came to be, without opening its arrays."""
        path = self.path(key) / "interplay.json"
        if not path.is_file():
            raise StoreError(f"The workspace has no '{key}'.", hint="It may have been pruned; run its request again.")
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def keys(self, kind: str = "der") -> list[str]:
        return [p.name.removesuffix(".zarr") for k in kind for p in sorted((self.root / FOLDERS[k]).glob("*.zarr"))]

    def nbytes(self, key: str) -> int:
        return sum(f.stat().st_size for f in self.path(key).rglob("*") if f.is_file())

    # -- writing -----------------------------------------------------------------------------------------------------
    def put(self, key: str, ds: xr.Dataset, record: Mapping[str, Any], *, summarise: Any = None) -> None:
        """Compute and write; then ``summarise(stored)`` gives the scalars, which are stored with it."""
        target = self.path(key)
        if target.is_dir():
            return
        ds = _storable(ds)
        with self.scratch() as temp:
            made = temp / target.name
            if summarise is not None and _in_memory(ds):
                ds = with_scalars(ds, summarise(ds))
            ds.drop_encoding().to_zarr(made, mode="w", consolidated=True, encoding=_encoding(ds), zarr_format=3)
            if summarise is not None and not _in_memory(ds):
                ds = with_scalars(ds, summarise(_read(made)))
                xr.Dataset(attrs=ds.attrs).to_zarr(made, mode="a", consolidated=True)
            _finish(made, target, record)
        if _in_memory(ds):
            self._remember(key, ds)

    def put_files(self, key: str, write: Callable[[Path], None], record: Mapping[str, Any]) -> None:
        """Store the zarr group that ``write(folder)`` makes itself: with a layout of its own, and larger than memory."""
        target = self.path(key)
        if target.is_dir():
            return
        with self.scratch() as temp:
            write(temp / target.name)
            _finish(temp / target.name, target, record)

    def put_edit(self, ds: xr.Dataset, *, author: str = "", note: str = "", previous: str = "") -> str:
        """Store what a hand made (mask strokes, a lasso, shifts) under the hash of its content; return its key.

        ``previous`` is the edit it was made from: undo means pointing to that key again.
        """
        ds = _storable(ds.compute())
        parts = [json.dumps({"attrs": ds.attrs, "previous": previous}, sort_keys=True).encode()]
        for name in sorted(map(str, ds.variables)):
            v = ds[name]
            described = [name, v.dims, v.shape, v.dtype.str, name in ds.coords, v.attrs]
            parts += [json.dumps(described, sort_keys=True).encode(), v.to_numpy().tobytes()]
        key = "e-" + digest(parts)
        self.put(key, ds, {"kind": "edit", "author": author, "note": note, "previous": previous, "created": settings.now()})
        return key

    def keep_original(self, path: Path, *, sha256: str | None = None) -> tuple[str, Path]:
        """Copy a file into ``raw/`` under its hash (once); return hash and place."""
        sha256 = sha256 or file_digest(path)
        folder = self.root / "raw" / sha256[:2] / sha256
        target = folder / path.name
        if folder.is_dir() and (kept := next(iter(folder.iterdir()), None)):
            return sha256, kept
        with self.scratch() as temp:
            made = temp / sha256
            made.mkdir()
            shutil.copyfile(path, made / path.name)
            if file_digest(made / path.name) != sha256:
                raise ReadError(f"{path.name} changed while it was imported.", hint="Import it again when nothing writes to it.")
            _sync(made)
            folder.parent.mkdir(exist_ok=True)
            _publish(made, folder)
        return sha256, target

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of one's own inside the workspace, locked while in use and removed afterwards."""
        temp = self.root / "temp" / uuid.uuid4().hex
        with FileLock(f"{temp}.lock"):
            try:
                temp.mkdir()
                yield temp
            except OSError as err:
                if err.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise StoreError("The disk of the workspace is full.", hint="Free some space, or prune the workspace.") from err
                raise
            finally:
                _discard(temp)

    def sweep(self) -> int:
        """Remove what killed writers left behind; folders of living writers are locked and stay."""
        removed = 0
        for folder in {p.with_suffix("") for p in (self.root / "temp").glob("*")}:
            lock = FileLock(f"{folder}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            removed += folder.is_dir()
            _discard(folder)
            lock.release()
        return removed

    def remove(self, key: str) -> None:
        """Forget an entry: it disappears at once and is deleted afterwards."""
        with self._lock:
            self._memory.pop(key, None)
        with self.scratch() as temp:
            if (path := self.path(key)).is_dir():
                os.rename(path, temp / path.name)

    def check(self, key: str) -> list[str]:
        """Sentences for what is wrong with an entry's files; an empty list when it is whole."""
        path = self.path(key)
        if not path.is_dir():
            return [f"{key}: the workspace does not have it."]
        try:
            listed = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return [f"{key}: its manifest is missing or unreadable."]
        problems = [f"{key}: {name} is missing." for name in listed if not (path / name).is_file()]
        for name, want in listed.items():
            if (path / name).is_file() and file_digest(path / name) != want:
                problems.append(f"{key}: {name} was changed after it was written.")
        found = {f.relative_to(path).as_posix() for f in path.rglob("*") if f.is_file()}
        return problems + [f"{key}: {name} was added after it was written." for name in sorted(found - set(listed) - {"manifest.json"})]

    # -- memory ------------------------------------------------------------------------------------------------------
    def _remembered(self, key: str) -> xr.Dataset | None:
        with self._lock:
            if key not in self._memory:
                return None
            self._memory.move_to_end(key)
            return self._memory[key][0]

    def _remember(self, key: str, ds: xr.Dataset) -> None:
        size = ds.nbytes if _in_memory(ds) else 0
        if size > MEMORY_BYTES // 2:
            return
        with self._lock:
            self._memory[key] = (ds, size)
            while sum(n for _, n in self._memory.values()) > MEMORY_BYTES or len(self._memory) > 4096:
                self._memory.popitem(last=False)


def _in_memory(ds: xr.Dataset) -> bool:
    return all(v._in_memory for v in ds.variables.values())


def _check_format(root: Path) -> None:
    path = root / "format"
    root.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Renamed into place: a program killed here, or another one that starts now, never sees an empty version.
        made = root / f"format.{uuid.uuid4().hex}"
        made.write_text(f"{FORMAT}\n", encoding="ascii")
        os.replace(made, path)
    try:
        found = int(path.read_text(encoding="ascii"))
    except ValueError as err:
        raise StoreError(f"{path} does not hold a version number.", hint="Is this folder a workspace?") from err
    if found > FORMAT:
        raise StoreError(f"This workspace has format {found}; this program knows up to {FORMAT}.", hint="Update the program.")


def _read(path: Path, *, chunked: bool = False) -> xr.Dataset:
    # Units are not decoded (a column in "days" stays numbers), and what is read lazily is not kept.
    return xr.open_dataset(
        path,
        engine="zarr",
        consolidated=True,
        chunks={} if chunked else None,
        cache=False,
        decode_times=False,
        decode_timedelta=False,
    )


def _storable(ds: xr.Dataset) -> xr.Dataset:
    """The dataset as it will be read again: plain attributes, text of fixed width, chunks of one size."""
    out = ds.copy(deep=False).assign_attrs(_plain(ds.attrs))
    for name, v in list(out.variables.items()):
        v.attrs = _plain(v.attrs)
        if v.chunks is not None and any(len(set(c[:-1])) > 1 or c[-1] > c[0] for c in v.chunks):
            out[name] = out[name].chunk({d: max(c) for d, c in zip(v.dims, v.chunks, strict=True)})
        elif v.dtype.kind == "O" and _in_memory(ds[[name]]) and all(isinstance(x, str) for x in v.values.flat):
            out[name] = out[name].astype(str)
    return out


def _plain(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(dict(attrs), default=lambda x: x.tolist())))


def _encoding(ds: xr.Dataset) -> dict[str, dict[str, Any]]:
    from zarr.codecs import BloscCodec

    encoding: dict[str, dict[str, Any]] = {}
    for name, v in ds.variables.items():
        if v.ndim == 0 or v.dtype.kind not in "iufb":
            continue
        spec: dict[str, Any] = {"compressors": (BloscCodec(**COMPRESSION),)}  # type: ignore[arg-type]
        if v.ndim == 1 and v.chunks is None:
            spec["chunks"] = (max(1, min(v.size, ROWS_A_CHUNK)),)
        elif v.chunks is not None and math.prod(v.data.chunksize) > MOST_A_CHUNK:
            spec["chunks"] = _divided(v.data.chunksize, v.data.numblocks)
        encoding[str(name)] = spec
    return encoding


def _divided(chunk: tuple[int, ...], blocks: tuple[int, ...]) -> tuple[int, ...]:
    """A chunk cut into equal ones of a size that is read for one slice: those who write chunks beside it never meet in one."""
    sizes = list(chunk)
    while math.prod(sizes) > CHUNK_VALUES:
        even = [i for i, size in enumerate(sizes) if size > 1 and (size % 2 == 0 or blocks[i] == 1)]
        if not even:
            break
        longest = max(even, key=lambda i: sizes[i])
        sizes[longest] = -(-sizes[longest] // 2)
    return tuple(sizes)


def _finish(made: Path, target: Path, record: Mapping[str, Any]) -> None:
    (made / "interplay.json").write_text(json.dumps(record, sort_keys=True, indent=1), encoding="utf-8")
    _write_manifest(made)
    _sync(made)
    _publish(made, target)


def _write_manifest(folder: Path) -> None:
    listed = {f.relative_to(folder).as_posix(): file_digest(f) for f in sorted(folder.rglob("*")) if f.is_file()}
    (folder / "manifest.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")


def _discard(folder: Path) -> None:
    """Remove a folder of ``temp`` whose lock is held, and the lock's file while it is: a later holder makes a new one."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        with suppress(PermissionError):  # Windows removes it on release
            Path(f"{folder}.lock").unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and os.name != "posix":
            continue
        fd = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _publish(made: Path, target: Path) -> None:
    try:
        os.rename(made, target)
    except OSError:
        # Lost the race for a content-addressed name: the other writer's content is the same.
        if not target.is_dir():
            raise
        return
    if os.name == "posix":
        fd = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
