"""What boards ask by HTTP: pinning, changes of a board, exports and study archives as jobs.

    GET  /board/list.json                                → [{"id", "name", "figures"}]
    POST /board/new            {"name"}                  → {"id", "version"}
    POST /board/pin            {"board" or "name", "view", "search", "page", "title", "note", "layout"} → {"id", "name", "version"}
    POST /board/<id>/change    {"version", "do", …}      → {"id", "version"}; see ``analysis.report.edits``
    POST /board/<id>/restore   {"version", "to"}         → {"id", "version"}
    POST /board/<id>/refresh   {"version", "pin"}        → {"id", "version"}, or {"waiting", "fraction"} while results are made
    POST /board/<id>/delete                              → {"name"}
    POST /board/<id>/export    {"version", "kind", "options"} → a job, as in GET /board/jobs/<key>
    POST /board/study/export                             → the same, of the whole study
    POST /board/study/import?name=…  a zip as the body   → the same
    GET  /board/jobs/<key>                               → {"key", "state", "fraction", "message", "file"}
    POST /board/jobs/<key>/cancel                        → the same
    GET  /board/jobs/<key>/file                          → the file, as an attachment

What people can solve is answered as {"problem": a sentence}: a save that somebody else's save has overtaken is no fault of the page,
and the browser would log it as one. A file that is not there is a 409 with its sentence as plain text.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import MultiDict

from analysis.catalog.boards import BoardRecord
from analysis.core.errors import ParamError, UserError
from analysis.report import edits, pins
from components import board_jobs, board_state
from components.context import workspace

boards = Blueprint("boards", __name__, url_prefix="/board")
Answer = Callable[..., Any]


def _said(answer: Answer) -> Answer:
    """What people can solve, as its sentence."""

    @wraps(answer)
    def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return answer(*args, **kwargs)
        except UserError as err:
            return jsonify(problem=str(err))

    return told


def _asked() -> dict[str, Any]:
    given = request.get_json(silent=True)
    return given if isinstance(given, dict) else {}


def _version(asked: dict[str, Any]) -> int:
    version = asked.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise ParamError("A change names the version of the board that it was made from.")
    return version


def _saved(board: BoardRecord) -> Response:
    return jsonify(id=board.id, name=board.name, version=board.version)


@boards.get("/list.json")
@_said
def listed() -> Response:
    return jsonify([{"id": b.id, "name": b.name, "figures": len(b.content.pins)} for b in workspace().catalog.boards.all()])


@boards.post("/new")
@_said
def new() -> Response:
    return _saved(workspace().catalog.boards.add(str(_asked().get("name") or "")))


@boards.post("/pin")
@_said
def pin() -> Response:
    """Freeze what a page shows at its address and put it at the end of a board, a new one where only a name is given."""
    asked = _asked()
    view = board_state.view_named(str(asked.get("view")))
    query = MultiDict(_pairs(str(asked.get("search") or ""))).to_dict()
    items = view.items(query)
    if items.waiting:
        raise ParamError(f"'{view.title}' is still being computed.", hint="Pin it when it is drawn.")
    page, title = str(asked.get("page") or "/"), str(asked.get("title") or "")
    found = board_state.shown(view, query, page=page, title=title, items=items, layout=asked.get("layout"))
    made = pins.freeze(found, workspace().store, workspace().registry, note=str(asked.get("note") or "") or None)
    known = workspace().catalog.boards
    board = asked.get("board")
    number = board if isinstance(board, int) else known.add(str(asked.get("name") or "")).id
    return _saved(known.save(number, edits.add_pin(made), f"'{made.title}' pinned"))


def _pairs(search: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(search.removeprefix("?"), keep_blank_values=True)


@boards.post("/<int:board>/change")
@_said
def change(board: int) -> Response:
    asked = _asked()
    made, what = edits.edit(asked)
    return _saved(workspace().catalog.boards.save(board, made, what, expected=_version(asked)))


@boards.post("/<int:board>/restore")
@_said
def restore(board: int) -> Response:
    asked = _asked()
    to = asked.get("to")
    if not isinstance(to, int):
        raise ParamError("Say which version is to be restored.")
    return _saved(workspace().catalog.boards.restore(board, to, expected=_version(asked)))


@boards.post("/<int:board>/refresh")
@_said
def refresh(board: int) -> Response:
    """Put what the figure's address gives now in its place; while that is computed, say so."""
    asked = _asked()
    known = workspace().catalog.boards.get(board)
    old = known.content.pin(str(asked.get("pin")))
    view = board_state.view_named(old.view)
    items = view.items(old.query)
    if items.waiting:
        fraction = sum(s.fraction for s in items.waiting) / len(items.waiting)
        return jsonify(waiting=len(items.waiting), fraction=fraction)
    if not items.shown:
        said = " ".join(f"{what}: {sentence}" for what, sentence in items.problems)
        raise ParamError(f"There is nothing at this figure's address now. {said}".strip(), hint="The pinned results stay as they are.")
    found = board_state.shown(view, old.query, page=old.page, title=old.title, items=items)
    fresh = pins.freeze(found, workspace().store, workspace().registry)
    changed = edits.refreshed(old.id, fresh)
    return _saved(workspace().catalog.boards.save(board, changed, f"'{old.title}' refreshed", expected=_version(asked)))


@boards.post("/<int:board>/delete")
@_said
def delete(board: int) -> Response:
    return jsonify(name=workspace().catalog.boards.delete(board))


@boards.post("/<int:board>/export")
@_said
def export(board: int) -> Response:
    asked = _asked()
    options = asked.get("options")
    return jsonify(board_jobs.export(board, asked.get("version"), str(asked.get("kind")), options if isinstance(options, dict) else {}))


@boards.post("/study/export")
@_said
def study_export() -> Response:
    return jsonify(board_jobs.export_study())


@boards.post("/study/import")
@_said
def study_import() -> Response:
    return jsonify(board_jobs.import_study(request.args.get("name", ""), request.stream, request.content_length))


@boards.get("/jobs/<key>")
@_said
def job(key: str) -> Response:
    return jsonify(board_jobs.told(key))


@boards.post("/jobs/<key>/cancel")
@_said
def cancel(key: str) -> Response:
    return jsonify(board_jobs.cancelled(key))


@boards.get("/jobs/<key>/file")
def file(key: str) -> Response:
    try:
        return board_jobs.attachment(key)
    except UserError as err:
        return Response(str(err), 409, mimetype="text/plain")
