"""Files of the Cracks page.

GET /cracks-export/groups.csv?<address>                     the groups in numbers, with differences
GET /cracks-export/<view>/<surface|shell>.ply?<address>     triangles of a 3D view, µm, with normals and the quantity that colours them
"""

import io

from flask import Blueprint, Response, abort, request

from analysis.core.errors import UserError
from analysis.cracks.summary import frame
from analysis.formats.ply import ply
from analysis.surface import surface_of
from components import cracks_solid, cracks_tables
from components.context import workspace

crack_files = Blueprint("crack_files", __name__, url_prefix="/cracks-export")


@crack_files.get("/groups.csv")
def groups() -> Response:
    """A row for each quantity and group, and one for each difference."""
    try:
        found, _ = cracks_tables.lines(request.args.to_dict())
    except UserError as err:
        return Response(str(err), 409, mimetype="text/plain")
    text = io.StringIO()
    frame(found).to_csv(text, index=False, lineterminator="\n")
    return Response(text.getvalue(), mimetype="text/csv", headers=_named("cracks-groups.csv"))


@crack_files.get("/<view>/<part>.ply")
def surface(view: str, part: str) -> Response:
    """The triangles of a surface that is shown."""
    if view not in cracks_solid.SIDES or part not in ("surface", "shell"):
        abort(404, "There is no such surface.")
    query = request.args.to_dict()
    try:
        source = cracks_solid.shown(query, view).source
    except UserError as err:
        return Response(str(err), 409, mimetype="text/plain")
    if source is None or not source[part]:
        return Response("This surface is not made yet.", 404, mimetype="text/plain")
    ds, said = workspace().store.open(source[part]), surface_of(workspace().store, source[part])
    lengths = "um" if said["has_voxel_size"] else "voxels (the voxel size is not known)"
    comments = [
        f"Interplay, {source['caption']}",
        f"lengths in {lengths}; result {source[part]}",
        f"simplified from {said['faces_before']} triangles: moved by {said['deviation_mean_um']:.3g} um on average, "
        f"{said['deviation_max_um']:.3g} um at most",
    ]
    comments += [f"quality: {said['colour']['title']} / {said['colour']['units']}"] if said["colour"] else []
    content = ply(ds["point"].values, ds["normal"].values, ds["value"].values, ds["face"].values, comments)
    name = f"{source['caption'].replace(' · ', '-').replace(' ', '-').replace('(', '').replace(')', '')}-{part}.ply"
    return Response(content, mimetype="application/octet-stream", headers=_named(name))


def _named(name: str) -> dict[str, str]:
    safe = "".join(c for c in name if c.isalnum() or c in "-_.") or "file"
    return {"Content-Disposition": f'attachment; filename="{safe.encode("ascii", "ignore").decode()}"'}
