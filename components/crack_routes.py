"""Masks of the segmentation workbench.

GET /cracks/mask/<measurement>/<axis>/<index>?<address>     one byte a voxel, row by row: the sum of 1 envelope, 2 crack, 4 painted,
                                                            8 taken away by the brush, 16 particle cut by the border
        &preview=yes    the preview, even where the result is stored

Rows and columns are those of /slice. ``X-Slice-Shape`` is rows,columns; ``X-Mask-Source`` says what is shown: result (the stored
segmentation), whole (a preview of the whole volume), slab (a preview from a slab about the slice), mask (an imported one);
``X-Mask-Ratio`` is the crack volume ratio where the whole volume was looked at. 202: the particles of the volume are being found, with
{title, fraction, message}; 409: why there is no mask, as {message, hint}. Masks change with strokes, so nothing is kept by the browser.
"""

from flask import Blueprint, Response, jsonify, request

from analysis.catalog import MeasurementRecord
from analysis.core.errors import UserError
from components import crack_settings
from components import crack_workbench_preview as preview
from components import crack_workbench_results as results
from components.image_routes import packed
from components.particle_view import NotYet
from components.views import Query

cracks = Blueprint("cracks", __name__, url_prefix="/cracks")


@cracks.get("/mask/<int:measurement>/<axis>/<int:index>")
def mask(measurement: int, axis: str, index: int) -> Response:
    """The mask over one slice."""
    query = request.args.to_dict()
    m = next((v for v in preview.volumes() if v.id == measurement), None)
    if m is None or axis not in preview.AXES:
        return _said(404, "There is no such volume.", "")
    try:
        shown = _shown(m, query, preview.AXES.index(axis), index)
    except NotYet as wait:
        if wait.status.active:
            status = wait.status
            return _answer(202, title=status.title, fraction=status.fraction, message=status.message)
        return _said(409, wait.status.message or "The particles were not found: the job was stopped.", wait.status.hint)
    except UserError as err:
        return _said(409, err.message, err.hint)
    answer = packed(shown.codes.tobytes())
    answer.headers["X-Slice-Shape"] = f"{shown.codes.shape[0]},{shown.codes.shape[1]}"
    answer.headers["X-Mask-Source"] = shown.source
    if shown.ratio is not None:
        answer.headers["X-Mask-Ratio"] = repr(shown.ratio)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown(m: MeasurementRecord, query: Query, axis: int, index: int) -> preview.Shown:
    key = results.stored(m, query) if query.get("preview") != "yes" else ""
    if key:
        preview.warm(m, preview.inputs_of(m, query), crack_settings.params(query, m.group))
        return preview.Shown(preview.stored_slice(key, axis, index), "result")
    return preview.slice_of(m, query, axis, index)


def _answer(code: int, **said: object) -> Response:
    answer = jsonify(said)
    answer.status_code = code
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _said(code: int, message: str, hint: str) -> Response:
    return _answer(code, message=message, hint=hint)
