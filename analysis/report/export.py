"""The one entrance to all exports of a board: by format, into a file, with progress."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.catalog.boards import BoardRecord
from analysis.core.errors import ParamError
from analysis.core.hashing import json_digest
from analysis.core.store import Store
from analysis.report import figure_files, methods, numbers, paper, slides, web
from analysis.report.figure_files import FigureOptions
from analysis.workspace import Workspace

TASK = "analysis.report.export:export_board"
FOLDER = "exports"
FILES_KEPT = 40  # in the cache


@dataclass(frozen=True)
class Format:
    """One way out: its title, the end of its file name, and the type that a browser is told."""

    title: str
    suffix: str
    mimetype: str


FORMATS = {
    "html": Format("Interactive HTML", ".html", "text/html"),
    "pdf": Format("PDF", ".pdf", "application/pdf"),
    "pptx": Format("PowerPoint", ".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    "csv": Format("All numbers, CSV", ".csv", "text/csv"),
    "xlsx": Format("All numbers, Excel", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "figures": Format("Figures at journal size", ".zip", "application/zip"),
    "methods": Format("Methods paragraph", ".txt", "text/plain"),
}
BY_SUFFIX = {f.suffix: name for name, f in FORMATS.items()}


def write(workspace: Workspace, board: BoardRecord, kind: str, path: Path, options: Mapping[str, Any] | None = None) -> None:
    """Write the board as ``kind`` into ``path``; the file is there whole or not at all."""
    checked = FigureOptions.check(dict(options or {}))
    if kind not in FORMATS:
        raise ParamError(f"'{kind}' is not a way to export a board.", hint=f"Known: {', '.join(FORMATS)}.")
    temp = path.with_name(f".{path.stem}.part{FORMATS[kind].suffix}")
    try:
        _writers(workspace, board, checked)[kind](temp)
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)


def _writers(workspace: Workspace, board: BoardRecord, options: FigureOptions) -> dict[str, Callable[[Path], object]]:
    store, registry, groups = workspace.store, workspace.registry, workspace.group_names()
    words = lambda: methods.paragraph(board.content, store, registry)  # noqa: E731 - said once, needed twice
    return {
        "html": lambda p: p.write_text(web.page(board, store, registry, groups=groups), encoding="utf-8"),
        "pdf": lambda p: p.write_bytes(paper.document(board, store, registry, groups=groups)),
        "pptx": lambda p: p.write_bytes(slides.presentation(board, store, registry, groups=groups)),
        "csv": lambda p: numbers.write(board.content, store, registry, p),
        "xlsx": lambda p: numbers.write(board.content, store, registry, p, words=words()),
        "figures": lambda p: p.write_bytes(figure_files.bundle(board, store, registry, options, groups=groups)),
        "methods": lambda p: p.write_text(words() + "\n", encoding="utf-8"),
    }


def kind_of(path: Path) -> str:
    """The way out that a file's name asks for."""
    kind = BY_SUFFIX.get(path.suffix.lower())
    if kind is None:
        raise ParamError(f"'{path.suffix}' is not a format for boards.", hint=f"Use {', '.join(BY_SUFFIX)}.")
    return kind


def job_key(board: BoardRecord, kind: str, options: Mapping[str, Any]) -> str:
    """The same board, version, format and options share one job and one file."""
    return "x-" + json_digest(["board", board.id, board.version, kind, dict(options), board.saved_at.isoformat()])


def place(root: Path, key: str, kind: str) -> Path:
    """Where the file of a job lies until the cache is emptied."""
    return root / "cache" / FOLDER / f"{key}{FORMATS[kind].suffix}"


def export_board(store: Store, payload: Mapping[str, Any]) -> str:
    """Job: write one version of a board; the name of the file in the cache."""
    workspace = Workspace(store.root)
    board = workspace.catalog.boards.get(int(payload["board"]), int(payload["version"]))
    path = place(store.root, str(payload["key"]), str(payload["kind"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    tidy(path.parent)
    write(workspace, board, str(payload["kind"]), path, payload.get("options"))
    return path.name


def tidy(folder: Path) -> None:
    """Remove all but the newest files of earlier exports."""
    made = sorted((p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")), key=lambda p: p.stat().st_mtime_ns)
    for path in made[:-FILES_KEPT]:
        path.unlink(missing_ok=True)
