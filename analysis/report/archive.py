"""A whole study in one file: everything of a workspace but its cache, with the hash of every file.

The archive is a zip. ``interplay-archive.json`` comes first and lists every other entry with its size and SHA-256; then
follow ``format``, ``catalog.sqlite`` (one consistent copy, taken while others may write), ``raw/``, ``data/``, ``edits/``
and ``results/`` as they lie in the workspace. Originals that are referenced in place stay where they are and are named.
"""

import json
import os
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from analysis.catalog.database import FILE_NAME
from analysis.core import settings
from analysis.core.errors import StoreError
from analysis.core.hashing import file_digest
from analysis.core.progress import report
from analysis.core.store import FORMAT, Store
from analysis.workspace import Workspace

LIST = "interplay-archive.json"
ARCHIVE_FORMAT = 1
FOLDERS = ("raw", "data", "edits", "results")
TASK = "analysis.report.archive:archive_study"
BLOCK = 1 << 20


def archive(workspace: Workspace, path: Path) -> dict[str, Any]:
    """Write the study into ``path``; return what it holds. The file is there whole or not at all."""
    if path.exists():
        raise StoreError(f"{path.name} is already there.", hint="Choose another name, or remove it first.")
    if not path.parent.is_dir():
        raise StoreError(f"There is no folder {path.parent}.", hint="Make it first, or choose another.")
    temp = path.with_name(f".{path.name}.part")
    try:
        with workspace.store.scratch() as folder:
            _copy_catalog(workspace.root, folder / FILE_NAME)
            files = _files(workspace.root, folder)
            listed = _listed(workspace, files)
            _write(temp, files, listed)
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)
    return {k: v for k, v in listed.items() if k != "files"} | {"files": len(files), "bytes": path.stat().st_size}


def archive_study(store: Store, payload: Mapping[str, Any]) -> str:
    """Job: the study as a file in the cache; its name."""
    folder = store.root / "cache" / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob("study-*.zip"):  # as large as the study itself
        earlier.unlink(missing_ok=True)
    path = folder / f"{payload['key']}.zip"
    path.unlink(missing_ok=True)
    archive(Workspace(store.root), path)
    return path.name


def _copy_catalog(root: Path, to: Path) -> None:
    """The catalog of one moment, in one file without its journal."""
    with closing(sqlite3.connect(root / FILE_NAME)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")


def _files(root: Path, folder: Path) -> dict[str, Path]:
    """Entries by their names, in a fixed order. What is not whole yet lies in ``temp`` and is left out."""
    found = {"format": root / "format", FILE_NAME: folder / FILE_NAME}
    for name in FOLDERS:
        found |= {p.relative_to(root).as_posix(): p for p in sorted((root / name).rglob("*")) if p.is_file() and not p.is_symlink()}
    return found


def _listed(workspace: Workspace, files: Mapping[str, Path]) -> dict[str, Any]:
    entries = {}
    for i, (name, path) in enumerate(files.items()):
        report(0.4 * i / len(files), f"hashing {name}")
        entries[name] = {"sha256": file_digest(path), "bytes": path.stat().st_size}
    outside = [f.original_name for m in workspace.snapshot().measurements for f in m.files if f.referenced]
    return {
        "archive": ARCHIVE_FORMAT,
        "workspace": FORMAT,
        "title": workspace.title,
        "created": settings.now(),
        "origins": sorted(workspace.origins()),
        "outside": outside,
        "files": entries,
    }


def _write(path: Path, files: Mapping[str, Path], listed: Mapping[str, Any]) -> None:
    total = sum(entry["bytes"] for entry in listed["files"].values()) or 1
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr(LIST, json.dumps(listed, indent=1))
        for name, source in files.items():
            with open(source, "rb") as content, made.open(name, "w", force_zip64=True) as entry:
                for block in blocks(content):
                    report(0.4 + 0.6 * done / total, f"packing {name}")
                    entry.write(block)
                    done += len(block)


def blocks(content: Any) -> Iterator[bytes]:
    while block := content.read(BLOCK):
        yield block
