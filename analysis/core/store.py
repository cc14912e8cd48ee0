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

import json
import os
import shutil
import threading
import uuid
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr
from filelock import FileLock, Timeout

from analysis.core.data import with_scalars
from analysis.core.errors import StoreError
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


class Store:
    """The arrays of one workspace."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._memory: OrderedDict[str, tuple[xr.Dataset, int]] = OrderedDict()
        self._lock = threading.Lock()
        for folder in (*FOLDERS.values(), "raw", "cache", "temp"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        _check_format(self.root)

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
            return known
        path = self.path(key)
        if not path.is_dir():
            raise StoreError(f"The workspace has no '{key}'.", hint="It may have been pruned; run its request again.")
        ds = xr.open_zarr(path, chunks={} if chunked else None, consolidated=True)
        if chunked:
            return ds
        if ds.nbytes <= SMALL_BYTES:
            ds = ds.load()
        self._remember(key, ds)
        return ds

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
        with self.scratch() as temp:
            made = temp / target.name
            if summarise is not None and _in_memory(ds):
                ds = with_scalars(ds, summarise(ds))
            ds.drop_encoding().to_zarr(made, mode="w", consolidated=True, encoding=_encoding(ds), zarr_format=3)
            if summarise is not None and not _in_memory(ds):
                ds = with_scalars(ds, summarise(xr.open_zarr(made, chunks=None, consolidated=True)))
                xr.Dataset(attrs=ds.attrs).to_zarr(made, mode="a", consolidated=True)
            (made / "interplay.json").write_text(json.dumps(record, sort_keys=True, indent=1), encoding="utf-8")
            _write_manifest(made)
            _sync(made)
            _publish(made, target)
        if _in_memory(ds):
            self._remember(key, ds)

    def put_edit(self, ds: xr.Dataset, *, author: str = "", note: str = "", previous: str = "") -> str:
        """Store what a hand made (mask strokes, a lasso, shifts) under the hash of its content; return its key.

        ``previous`` is the edit it was made from: undo means pointing to that key again.
        """
        ds = ds.load()
        parts = [json.dumps({"schema": ds.attrs.get("schema", ""), "previous": previous}, sort_keys=True).encode()]
        for name in sorted(map(str, ds.variables)):
            v = ds[name]
            parts += [name.encode(), repr((v.dims, v.shape, v.dtype.str, v.attrs.get("units"))).encode(), v.to_numpy().tobytes()]
        key = "e-" + digest(parts)
        self.put(key, ds, {"kind": "edit", "author": author, "note": note, "previous": previous})
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
            _sync(made)
            folder.parent.mkdir(exist_ok=True)
            _publish(made, folder)
        return sha256, target

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of one's own inside the workspace, locked while in use and removed afterwards."""
        temp = self.root / "temp" / uuid.uuid4().hex
        lock = FileLock(f"{temp}.lock")
        with lock:
            temp.mkdir()
            try:
                yield temp
            finally:
                shutil.rmtree(temp, ignore_errors=True)
        Path(lock.lock_file).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what killed writers left behind; folders of living writers are locked and stay."""
        removed = 0
        for lock_file in (self.root / "temp").glob("*.lock"):
            lock = FileLock(lock_file)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            folder = lock_file.with_suffix("")
            removed += folder.is_dir()
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()
            lock_file.unlink(missing_ok=True)
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
        try:
            listed = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return [f"{key}: its manifest is missing or unreadable."]
        problems = [f"{key}: {name} is missing." for name in listed if not (path / name).is_file()]
        for name, want in listed.items():
            if (path / name).is_file() and file_digest(path / name) != want:
                problems.append(f"{key}: {name} was changed after it was written.")
        return problems

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
    if not path.exists():
        path.write_text(f"{FORMAT}\n", encoding="ascii")
    try:
        found = int(path.read_text(encoding="ascii"))
    except ValueError as err:
        raise StoreError(f"{path} does not hold a version number.", hint="Is this folder a workspace?") from err
    if found > FORMAT:
        raise StoreError(f"This workspace has format {found}; this program knows up to {FORMAT}.", hint="Update the program.")


def _encoding(ds: xr.Dataset) -> dict[str, dict[str, Any]]:
    from zarr.codecs import BloscCodec

    encoding: dict[str, dict[str, Any]] = {}
    for name, v in ds.variables.items():
        if v.ndim == 0 or v.dtype.kind not in "iufb":
            continue
        spec: dict[str, Any] = {"compressors": (BloscCodec(**COMPRESSION),)}  # type: ignore[arg-type]
        if v.ndim == 1 and v.chunks is None:
            spec["chunks"] = (max(1, min(v.size, ROWS_A_CHUNK)),)
        encoding[str(name)] = spec
    return encoding


def _write_manifest(folder: Path) -> None:
    listed = {f.relative_to(folder).as_posix(): file_digest(f) for f in sorted(folder.rglob("*")) if f.is_file()}
    (folder / "manifest.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")


def _sync(folder: Path) -> None:
    for path in [p for p in folder.rglob("*") if p.is_file()] + ([folder] if os.name == "posix" else []):
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
