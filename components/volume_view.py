"""3D views: the surface of a particle coloured by a map, drawn by the browser with vtk.js (assets/60_volume_view.mjs and on).

    volume_view("solid", solid(surface, link="pair"))

``surface`` is the key of a stored surface (``surface_for`` gives or makes it). The contract, all through stores beside the view:

``source_id(view)``, written by the page
    what is shown: the value of ``solid(...)``. Views that share a ``link`` share the camera.
``order_id(view)``, written by the page or by client-side code
    changes of the view, any of: ``low``, ``high`` or ``percents`` [1, 99] · ``colours`` · ``brush`` {low, high} lights up a range of
    values, or null · ``cut`` {axis, index, flip} opens the particle at a voxel of the map, or null · ``shell`` true or false ·
    ``side`` xy | xz | yz | oblique. The clientside function ``volume.follow`` makes such an order of what an image view writes to
    its ``seen_id``: range, colours, cut at the crosshair.

Camera, cut and range that a hand changes stay in the browser. The button PNG saves what is seen, with colour bar and scale.
"""

from collections.abc import Mapping
from typing import Any

from dash import MATCH, ClientsideFunction, Input, Output, State, clientside_callback, dcc, html
from dash.development.base_component import Component

from analysis import surface
from analysis.core.jobs import Status
from analysis.surface import FACES, SMOOTH, plan_surface
from components.context import jobs, workspace


def view_id(view: Any) -> dict[str, Any]:
    return {"part": "volume-view", "view": view}


def source_id(view: Any) -> dict[str, Any]:
    return {"part": "volume-source", "view": view}


def order_id(view: Any) -> dict[str, Any]:
    return {"part": "volume-order", "view": view}


def surface_for(
    shape: str,
    colour: str = "",
    *,
    threshold: float | None = None,
    layer: int = 0,
    faces: int = FACES,
    smooth: float = SMOOTH,
    title: str = "",
) -> tuple[str | None, Status | None]:
    """Key of the surface around what a view form shows: as it is stored, made at once where it is small, or the job that makes it.

    See ``analysis.surface.plan_surface`` for the parameters.

    Raises
    ------
    UserError
        There is no such surface.
    """
    store = workspace().store
    planned = plan_surface(store, shape, colour, threshold=threshold, layer=layer, faces=faces, smooth=smooth)
    if store.has(planned.key):
        return planned.key, None
    if planned.voxels <= surface.INLINE_VOXELS:
        return surface.make_surface(store, planned.payload), None
    known = jobs().status(planned.key)
    if not known.active and known.state not in ("failed", "cancelled"):
        known = jobs().submit(planned.key, surface.JOB, planned.payload, title=title or "Surface of a particle")
    return (planned.key, None) if known.state == "done" else (None, known)


def solid(
    surface: str,
    *,
    shell: str = "",
    cut: Mapping[str, Any] | None = None,
    link: str = "",
    colours: str = "viridis",
    caption: str = "",
    shell_shown: bool = True,
) -> dict[str, Any]:
    """What a view shows, for ``volume_view`` and ``source_id``.

    ``shell`` is the key of a second surface, drawn transparent around the first, at first where ``shell_shown``; ``cut`` is
    {axis, index} in voxels of the map. ``caption`` names the particle, with the word synthetic where its data are.
    """
    return {
        "surface": surface,
        "shell": shell,
        "shell_shown": shell_shown,
        "cut": dict(cut) if cut else None,
        "link": link,
        "colours": colours,
        "caption": caption,
    }


def volume_view(
    view: str, source: Mapping[str, Any] | None, *, order: Mapping[str, Any] | None = None, label: str = "3D view"
) -> Component:
    """The view and its stores; ``source`` may come later. It fills its parent's height."""
    return html.Div(
        [
            html.Div(id=view_id(view), className="volume-view", role="group", **{"data-view": view, "aria-label": label}),
            dcc.Store(id=source_id(view), data=source),
            dcc.Store(id=order_id(view), data=order),
        ],
        className="image-frame",
    )


clientside_callback(
    ClientsideFunction("volume", "show"),
    Output(view_id(MATCH), "title"),
    Input(source_id(MATCH), "data"),
    Input(order_id(MATCH), "data"),
    State(source_id(MATCH), "id"),
)
