"""Image views: slices through stored volumes, pictures and stacks, drawn by the browser (assets/50_image_view.mjs and on).

    image_view("particle", shown(base, overlay=edge, axes=("z", "y", "x")))

``base`` and ``overlay`` are view forms (``view_of`` gives or makes them). The contract, all through stores beside the view:

``source_id(view)``, written by the page
    what is shown: the value of ``shown(...)``. Index, zoom and crosshair stay when another map of the same shape comes.
``order_id(view)``, written by the page or by client-side code
    changes of the view, any of: ``index`` {z, y, x} · ``energy`` number of the layer · ``zoom`` pixels a µm · ``centre`` {z, y, x} ·
    ``tool`` move | window | lasso | profile · ``base`` and ``overlay`` {low, high} or {percents: [1, 99]}, {colours} · ``opacity`` ·
    ``brush`` {on: "base" | "overlay", low, high} lights up the voxels of a range of values, or null · ``label`` lights up the voxels
    of the mask that have this label (-1: any), or null · ``marks`` {points: [{name, z, y, x, colour}], regions: [{name, axis,
    index, polygon, colour}], lines: [{from: {z, y, x}, to: {z, y, x}}]}
``event_id(view)``, written by the view when a hand did something
    {"type": "voxel", z, y, x, value, overlay_value}, whole numbers; the values are those of the screen, null where there is none;
    {"type": "lasso", axis, index, rows, columns, polygon: [[row, column], …]}, ``rows`` and ``columns`` name the axes;
    {"type": "profile", axis, index, rows, columns, from: {z, y, x}, to: {z, y, x}};
    each with view, key and variable (of the base), energy (layer), energy_value, at (ms). Coordinates of lasso and profile are
    continuous: voxel i covers i … i + 1. ``region`` turns a lasso into a mask.
``seen_id(view)``, written by the view a quarter of a second after a change
    {index, energy, base: {low, high, colours, percents}, overlay, opacity}: what a 3D view or an export follows.

Views that share a ``link`` and a shape share crosshair, layer and zoom.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dash import MATCH, ClientsideFunction, Input, Output, State, clientside_callback, dcc, html
from dash.development.base_component import Component

from analysis import viewform
from analysis.core.errors import DataError
from analysis.core.jobs import Status
from analysis.core.numerics.regions import inside
from analysis.viewform import Kind, plan_view
from components.context import jobs, workspace

Source = dict[str, str]  # {"key": of the view form, "variable": its name}


def view_id(view: Any) -> dict[str, Any]:
    return {"part": "image-view", "view": view}


def source_id(view: Any) -> dict[str, Any]:
    return {"part": "image-source", "view": view}


def order_id(view: Any) -> dict[str, Any]:
    return {"part": "image-order", "view": view}


def event_id(view: Any) -> dict[str, Any]:
    return {"part": "image-event", "view": view}


def seen_id(view: Any) -> dict[str, Any]:
    return {"part": "image-seen", "view": view}


def view_of(key: str, variable: str, *, kind: Kind = "auto", title: str = "") -> tuple[Source | None, Status | None]:
    """The view form of a stored variable: as it is stored, made at once where it is small, or the job that makes it.

    Raises
    ------
    UserError
        The variable cannot be shown, or making its view form failed before.
    """
    planned = plan_view(workspace().store, key, variable, kind=kind)
    made = {"key": planned.key, "variable": variable}
    if workspace().store.has(planned.key):
        return made, None
    if planned.voxels <= viewform.INLINE_VOXELS:
        viewform.make_view(workspace().store, planned.payload)
        return made, None
    known = jobs().status(planned.key)
    if not known.active and known.state not in ("failed", "cancelled"):
        known = jobs().submit(planned.key, viewform.JOB, planned.payload, title=title or f"Slices of {variable}")
    return (made, None) if known.state == "done" else (None, known)


def shown(
    base: Source,
    *,
    overlay: Source | None = None,
    mask: Source | None = None,
    axes: Sequence[str] = ("z", "y", "x"),
    link: str = "",
    colours: Mapping[str, str] | None = None,
    opacity: float = 0.6,
    caption: str = "",
) -> dict[str, Any]:
    """What a view shows, for ``image_view`` and ``source_id``: a map, a map over it, a mask to light up, and along which axes.

    ``colours`` maps "base" and "overlay" to viridis, cividis or grey. Overlay and mask cover the same field as the base; their
    voxels may be of another size. Pictures have one pane whatever ``axes`` says. ``caption`` names the particle, with the word
    synthetic where its data are.
    """
    if not axes or set(axes) - {"z", "y", "x"}:
        raise DataError(f"Slices cannot be cut along {', '.join(axes) or 'nothing'}.", hint="Axes are z, y and x.")
    return {
        "base": base,
        "overlay": overlay,
        "mask": mask,
        "axes": list(axes),
        "link": link,
        "colours": dict(colours or {}),
        "opacity": opacity,
        "caption": caption,
    }


def image_view(view: str, source: Mapping[str, Any] | None, *, order: Mapping[str, Any] | None = None, label: str = "Slices") -> Component:
    """The view and its stores; ``source`` may come later. It fills its parent's height."""
    return html.Div(
        [
            html.Div(id=view_id(view), className="image-view", role="group", **{"data-view": view, "aria-label": label}),
            dcc.Store(id=source_id(view), data=source),
            dcc.Store(id=order_id(view), data=order),
            dcc.Store(id=event_id(view)),
            dcc.Store(id=seen_id(view)),
        ],
        className="image-frame",
    )


def region(event: Mapping[str, Any], shape: Mapping[str, int]) -> np.ndarray:
    """The voxels of a lasso, shape (rows, columns) of its plane, bool: those whose middle lies inside.

    Parameters
    ----------
    event
        A lasso as ``event_id`` gives it. It comes from a browser: what does not make sense raises ``DataError``.
    shape
        Voxels along z, y, x.
    """
    try:
        size = int(shape[event["rows"]]), int(shape[event["columns"]])
        polygon = np.asarray(event["polygon"], dtype=float)
    except (KeyError, TypeError, ValueError) as err:
        raise DataError("This is not a lasso.", hint="Draw it again.") from err
    return inside(polygon, size)


clientside_callback(
    ClientsideFunction("image", "show"),
    Output(view_id(MATCH), "title"),
    Input(source_id(MATCH), "data"),
    Input(order_id(MATCH), "data"),
    State(source_id(MATCH), "id"),
)
