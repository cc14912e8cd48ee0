"""Exports of boards and archives of studies as jobs: begun, followed, cancelled, and their files handed out."""

import re
import secrets
import shutil
from pathlib import Path
from typing import IO, Any

from flask import Response, send_file

from analysis.core.errors import ParamError, StoreError
from analysis.core.jobs import Status
from analysis.report import archive, unarchive
from analysis.report.archive import blocks
from analysis.report.export import FORMATS, TASK, job_key, place
from analysis.report.figure_files import FigureOptions, file_name
from components.context import jobs, workspace

OURS = re.compile(r"x-[0-9a-f]{32}|(study|import)-[0-9a-f]{16}")
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,60}")
SPARE_BYTES = 256 << 20


def export(board: int, version: object, kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """Begin to write a board; one that was written before is there at once."""
    if kind not in FORMATS:
        raise ParamError(f"'{kind}' is not a way to export a board.", hint=f"Known: {', '.join(FORMATS)}.")
    checked = FigureOptions.check(options).model_dump(mode="json")
    found = workspace().catalog.boards.get(board, version if isinstance(version, int) else None)
    key = job_key(found, kind, checked)
    payload = {"board": found.id, "version": found.version, "kind": kind, "options": checked, "key": key}
    path = place(workspace().root, key, kind)
    return _begun(key, TASK, payload, f"{FORMATS[kind].title}: {found.name}", path)


def export_study() -> dict[str, Any]:
    key = f"study-{secrets.token_hex(8)}"
    return _begun(key, archive.TASK, {"key": key}, f"Study archive: {workspace().title}", None)


def import_study(name: str, stream: IO[bytes], length: int | None) -> dict[str, Any]:
    """Take an uploaded archive piece by piece, then open it as a workspace beside this one."""
    if not FOLDER_NAME.fullmatch(name) or name.endswith((".", " ")):
        raise ParamError("Give the study a folder name of letters, digits, spaces, dots, - and _.")
    target = workspace().root.resolve().parent / name
    if target.exists():
        raise ParamError(f"There is already a folder '{name}' beside this workspace.", hint="Choose another name.")
    key = f"import-{secrets.token_hex(8)}"
    folder = workspace().root / "cache" / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    if length is None or length + SPARE_BYTES > shutil.disk_usage(folder).free:
        raise StoreError("There is no room for this archive on the disk of the workspace.", hint="Free some space first.")
    path = folder / f"{key}.zip"
    with open(path, "wb") as out:
        for block in blocks(stream):
            out.write(block)
    if path.stat().st_size != length:
        path.unlink()
        raise ParamError("The archive did not arrive whole.", hint="Send it again.")
    payload = {"path": str(path), "target": str(target), "discard": True}
    return _begun(key, unarchive.TASK, payload, f"Study from an archive: {name}", None)


def _begun(key: str, task: str, payload: dict[str, Any], title: str, path: Path | None) -> dict[str, Any]:
    known = jobs().status(key)
    if path is not None and known.state == "done" and path.is_file():
        return _told(known)
    if not known.active:
        jobs().forget(key)
        known = jobs().submit(key, task, payload, title=title)
    return _told(known)


def told(key: str) -> dict[str, Any]:
    """How far a job is, and where its file is."""
    return _told(_status(key))


def cancelled(key: str) -> dict[str, Any]:
    _status(key)
    return _told(jobs().cancel(key))


def _status(key: str) -> Status:
    if not OURS.fullmatch(key):
        raise StoreError("There is no such export.", hint="Begin it again.")
    return jobs().status(key)


def _told(status: Status) -> dict[str, Any]:
    said = f"{status.message} {status.hint}".strip()
    made = status.state == "done" and not status.key.startswith("import-")
    if status.state == "done" and status.key.startswith("import-"):
        said = f"The study is in {status.result}. Open it with: python app.py --workspace {_quoted(status.result)}"
    return {
        "key": status.key,
        "title": status.title,
        "state": status.state,
        "fraction": status.fraction,
        "message": said,
        "file": f"/board/jobs/{status.key}/file" if made else "",
    }


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(path)


def attachment(key: str) -> Response:
    """The file of a job that is done; never shown in the page, because exported HTML carries its own scripts."""
    status = _status(key)
    path = workspace().root / "cache" / "exports" / Path(status.result).name
    if status.state != "done" or not status.result or not path.is_file():
        raise StoreError("This export is not there any more.", hint="Export again.")
    name = file_name(status.title.partition(": ")[2] or "study") + path.suffix
    answer = send_file(path.resolve(), as_attachment=True, download_name=name, max_age=0)
    answer.headers["Cache-Control"] = "no-store"
    return answer
