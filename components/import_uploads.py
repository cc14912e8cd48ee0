"""Uploads: files arrive in pieces, each streamed to disk, and go on after an interruption.

    POST   /uploads        {"name", "size", "stamp"}   → {"id", "offset", "chunk"}
    HEAD   /uploads/<id>                               → Upload-Offset
    PATCH  /uploads/<id>   Upload-Offset, a piece      → 204, Upload-Offset after it; 409 with the right one if it does not follow
    DELETE /uploads/<id>                               → 204; what arrived is gone
    GET    /uploads/<id>/picture.png                   → a small picture of what was read

Problems are answered as one sentence of plain text.
"""

import errno
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState

from analysis.core.errors import StoreError, UserError
from analysis.staging import CHUNK_BYTES, OffsetError, RoomError, Staging
from components.context import CONFIG

uploads = Blueprint("uploads", __name__, url_prefix="/uploads")
OFFSET = "Upload-Offset"


def staging() -> Staging:
    """The waiting files of the served workspace."""
    return Staging(current_app.config[CONFIG].workspace.root)


@uploads.record_once
def sweep(state: BlueprintSetupState) -> None:
    """What was given up a day ago goes when the server starts."""
    Staging(state.app.config[CONFIG].workspace.root).sweep()


@uploads.post("")
def begin() -> Response:
    given = request.get_json(silent=True)
    asked: dict[str, Any] = given if isinstance(given, dict) else {}
    name, size = asked.get("name"), asked.get("size")
    if not isinstance(name, str) or not isinstance(size, int) or isinstance(size, bool):
        return _said("An upload begins with a name and a size.", 400)
    try:
        sid, offset = staging().begin(name, size, stamp=str(asked.get("stamp", ""))[:64])
    except RoomError as err:
        return _said(str(err), 413)
    except UserError as err:
        return _said(str(err), 400)
    return jsonify(id=sid, offset=offset, chunk=CHUNK_BYTES)


@uploads.route("/<sid>", methods=["HEAD"])
def where(sid: str) -> Response:
    try:
        return _at(staging().offset(sid))
    except StoreError as err:
        return _said(str(err), 404)


@uploads.patch("/<sid>")
def piece(sid: str) -> Response:
    offset, length = request.headers.get(OFFSET, ""), request.content_length
    if not offset.isdigit() or length is None:
        return _said(f"A piece needs its length and {OFFSET}.", 400)
    if length > CHUNK_BYTES:
        return _said(f"A piece has at most {CHUNK_BYTES} bytes.", 413)
    try:
        return _at(staging().write(sid, int(offset), request.stream))
    except OffsetError as err:
        return _at(err.offset, 409)
    except StoreError as err:
        return _said(str(err), 404)
    except UserError as err:
        return _said(str(err), 400)
    except OSError as err:
        if err.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _said("The disk of the workspace is full. Free some space and add the file again.", 507)


@uploads.delete("/<sid>")
def cancel(sid: str) -> Response:
    try:
        staging().discard(sid)
    except StoreError as err:
        return _said(str(err), 404)
    return Response(status=204)


@uploads.get("/<sid>/picture.png")
def picture(sid: str) -> Response:
    """Its address on the page changes with what was asked, so that the browser may keep it."""
    try:
        content = staging().picture(sid).read_bytes()
    except (StoreError, FileNotFoundError):
        return _said("There is no picture of this file.", 404)
    return Response(content, mimetype="image/png", headers={"Cache-Control": "private, max-age=3600"})


def _at(offset: int, status: int = 204) -> Response:
    return Response(status=status, headers={OFFSET: str(offset)})


def _said(sentence: str, status: int) -> Any:
    return Response(sentence, status, mimetype="text/plain")
