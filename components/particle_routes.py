"""Downloads of the particle page's pictures.

GET /particle/<view>/slices.csv?<address>     the voxels of the slices through the crosshair, one a row, with σ where the map has one
GET /particle/<view>/command.txt?<address>    the commands that make what a picture shows
"""

import io
from collections.abc import Iterator

import numpy as np
import pandas as pd
from flask import Blueprint, Response, abort, request

from analysis.core.errors import UserError
from analysis.core.run import command
from analysis.core.tables import column_name
from analysis.schemas import spatial_dims, voxel_um
from analysis.xanes.map_values import Chosen, MapParams
from analysis.xanes.map_values import chosen as chosen_map
from components import particle_stage, particle_view
from components.context import workspace
from components.particle_view import NotYet
from components.views import Query

particle = Blueprint("particle", __name__, url_prefix="/particle")


@particle.get("/<view>/slices.csv")
def slices(view: str) -> Response:
    """The slices that are shown, in full precision."""
    if view not in particle_stage.SLICES:
        abort(404, "There is no such picture.")
    query = request.args.to_dict()
    try:
        of = _map(query, particle_stage.SLICES[view])
    except NotYet:
        return Response("This map is still being made.", 409, mimetype="text/plain")
    except UserError as err:
        return Response(str(err), 409, mimetype="text/plain")
    text = io.StringIO()
    pd.concat(list(_planes(of, query)), ignore_index=True).to_csv(text, index=False, lineterminator="\n")
    name = f"slices-{of.values.name}.csv"
    return Response(text.getvalue(), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _map(query: Query, side: str) -> Chosen:
    m = particle_view.chosen(query, side)
    if m is None:
        abort(404, "There is no such particle.")
    kind = particle_view.map_kind(query)
    layer = query.get("layer", "0")
    params = MapParams(variable=kind.variable, layer=int(layer) if layer.isdigit() and kind.variable in ("mu", "weight") else 0)
    return chosen_map(params, map=workspace().store.open(particle_view.SOURCES[kind.source](m, query)))


def _planes(of: Chosen, query: Query) -> Iterator[pd.DataFrame]:
    """One table a slice; pictures have only one."""
    dims = spatial_dims(of.ds)
    at = [int(p) for p in query.get("at", "").split(".") if p.isdigit()]
    place = dict(zip(("z", "y", "x"), at, strict=False)) if len(at) == 3 else {d: of.values.sizes[d] // 2 for d in dims}
    um = dict(zip(dims, voxel_um(of.ds), strict=True))
    for axis in dims if len(dims) == 3 else ("",):
        part = {axis: min(place[axis], of.values.sizes[axis] - 1)} if axis else {}
        values = of.values.isel(part)
        rows = {d: np.broadcast_to(part.get(d, 0), values.size) for d in dims if d in part}
        grid = np.indices(values.shape).reshape(values.ndim, -1)
        rows |= {str(d): grid[i] for i, d in enumerate(values.dims)}
        columns: dict[str, np.ndarray] = {"slice across": np.full(values.size, axis or "none", dtype=object)}
        columns |= {d: rows[d] for d in dims} | {f"{d} / um": (rows[d] + 0.5) * um[d] for d in dims}
        columns[column_name(str(of.values.name), of.units)] = values.to_numpy().reshape(-1)
        if of.std is not None:
            columns[column_name(f"{of.values.name}_std", of.units)] = of.std.isel(part).to_numpy().reshape(-1)
        yield pd.DataFrame(columns)


@particle.get("/<view>/command.txt")
def commands(view: str) -> Response:
    """The command lines of the results that a picture shows."""
    if view not in (*particle_stage.SLICES, *particle_stage.SOLIDS):
        abort(404, "There is no such picture.")
    shown = particle_stage.shown_by(view, request.args.to_dict())
    if not shown:
        return Response("Nothing is shown yet.", 404, mimetype="text/plain")
    return Response("\n".join(command(i.key, workspace().store) for i in shown) + "\n", mimetype="text/plain")
