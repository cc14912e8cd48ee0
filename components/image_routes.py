"""Pixels and triangles by HTTP: slices of view forms, surfaces, and what is said of them.

GET /slice/<key>/<variable>/meta                              JSON: ``analysis.viewform.described``
GET /slice/<key>/<variable>/<level>/<axis>/<index>            raw little-endian integers, row by row
        ?energy=<layer>    number of the layer, from 0 (default 0)
        &bits=8|16         16 (default): the stored codes; 8: spread over low … high
        &low=&high=        for 8 bits: the stored codes that become 1 and 255 (default 1 and 65535)

``key`` is the view form's, ``level`` its place in the pyramid (0 is full resolution), ``index`` counts along ``axis`` at that
level. A slice along z has rows y and columns x; along y, rows z and columns x; along x, rows z and columns y. Headers:
``X-Slice-Shape`` (rows,columns), ``X-Slice-Scale`` and ``X-Slice-Offset``: a value is offset + scale * code, code 0 has none.
GET /mesh/<key>/meta                                          JSON: ``analysis.surface.surface_of``
GET /mesh/<key>/surface                                       little-endian: points float32 (V, 3), normals float32 (V, 3), values
                                                              float32 (V), triangles uint32 (F, 3); ``X-Mesh``: V,F

The address determines the content, so browsers keep it for good. What does not exist is answered 404 with a sentence.
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request

from analysis import viewform
from analysis.core.errors import UserError
from analysis.core.numerics import pyramid
from analysis.surface import surface_of
from components.context import workspace
from components.security import LOOPBACK
from components.slabs import slabs

images = Blueprint("images", __name__)

KEY = re.compile(r"r-[0-9a-f]{32}")
AXES = ("z", "y", "x")
NUMBER = re.compile("[0-9]{1,9}")
PACKED_AT_MOST = 0.9  # of the size; what does not shrink is sent as it is


class NotThere(LookupError):
    """What was asked for does not exist; the message says what."""


@dataclass(frozen=True)
class Asked:
    """A slice request whose every part was found to exist."""

    key: str
    level: int
    axis: int
    index: int
    layer: int
    bits: int
    low: int
    high: int
    scale: pyramid.Scale


@images.errorhandler(NotThere)
def not_there(err: NotThere) -> Response:
    return Response(str(err), 404, mimetype="text/plain", headers={"Cache-Control": "no-store"})


@images.get("/slice/<key>/<variable>/meta")
def meta(key: str, variable: str) -> Response:
    """How the view form is read, with its levels, layers, units and percentiles."""
    answer = jsonify({**_view(key, variable), "key": key})
    return _for_good(answer)


@images.get("/slice/<key>/<variable>/<int:level>/<axis>/<int:index>")
def plane(key: str, variable: str, level: int, axis: str, index: int) -> Response:
    """The codes of one slice."""
    asked = _checked(_view(key, variable), key, level, axis, index)
    codes = slabs.plane(workspace().store.path(key), asked.level, asked.layer, asked.axis, asked.index)
    scale = asked.scale
    if asked.bits == 8:
        codes, scale = pyramid.shorten(codes, asked.low, asked.high), pyramid.short_scale(scale, asked.low, asked.high)
    answer = packed(codes.astype(codes.dtype.newbyteorder("<"), copy=False).tobytes())
    answer.headers["X-Slice-Shape"] = f"{codes.shape[0]},{codes.shape[1]}"
    answer.headers["X-Slice-Scale"], answer.headers["X-Slice-Offset"] = repr(float(scale.scale)), repr(float(scale.offset))
    return _for_good(answer)


@images.get("/mesh/<key>/meta")
def mesh_meta(key: str) -> Response:
    """What a surface shows, and how far simplifying moved it."""
    return _for_good(jsonify({**_surface(key), "key": key}))


@images.get("/mesh/<key>/surface")
def mesh_surface(key: str) -> Response:
    """The triangles of a surface."""
    _surface(key)
    ds = workspace().store.open(key)
    parts = [
        ds[name].to_numpy().astype(kind).tobytes()
        for name, kind in (("point", "<f4"), ("normal", "<f4"), ("value", "<f4"), ("face", "<u4"))
    ]
    answer = packed(b"".join(parts))
    answer.headers["X-Mesh"] = f"{ds.sizes['vertex']},{ds.sizes['triangle']}"
    return _for_good(answer)


def _surface(key: str) -> dict[str, Any]:
    store = workspace().store
    if not KEY.fullmatch(key) or not store.has(key):
        raise NotThere("There is no such surface.")
    try:
        return surface_of(store, key)
    except UserError as err:
        raise NotThere(str(err)) from err


def _view(key: str, variable: str) -> dict[str, Any]:
    store = workspace().store
    if not KEY.fullmatch(key) or not store.has(key):
        raise NotThere("There is no such view form.")
    try:
        found = viewform.described(store, key)
    except UserError as err:
        raise NotThere(str(err)) from err
    if found["variable"] != variable:
        raise NotThere(f"This view form shows another variable: {found['variable']}.")
    return found


def _checked(view: Mapping[str, Any], key: str, level: int, axis: str, index: int) -> Asked:
    levels, layers = view["levels"], len(view["layers"]["values"]) if view["layers"] else 1
    if level >= len(levels):
        raise NotThere(f"There are {len(levels)} levels.")
    if axis not in AXES or (view["flat"] and axis != "z"):
        raise NotThere("There is no such axis.")
    if index >= levels[level][AXES.index(axis)]:
        raise NotThere(f"Level {level} has {levels[level][AXES.index(axis)]} slices along {axis}.")
    layer, bits = _number("energy", 0), _number("bits", 16)
    low, high = _number("low", 1), _number("high", pyramid.CODES)
    if layer >= layers:
        raise NotThere(f"There are {layers} layers.")
    if bits not in (8, 16) or not low < high <= pyramid.CODES:
        raise NotThere("Slices come in 8 or 16 bits, between two codes up to 65535.")
    return Asked(key, level, AXES.index(axis), index, layer, bits, low, high, pyramid.Scale(view["scale"], view["offset"]))


def _number(name: str, default: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return default
    if not NUMBER.fullmatch(text):
        raise NotThere(f"'{name}' is a whole number.")
    return int(text)


def packed(content: bytes) -> Response:
    """Binary content, compressed where it travels: on this machine itself, packing costs more time than it saves."""
    answer = Response(content, mimetype="application/octet-stream")
    travels = (urlsplit(f"//{request.host}").hostname or "") not in LOOPBACK
    if travels and request.accept_encodings["gzip"]:
        small = gzip.compress(content, 1, mtime=0)
        if len(small) < PACKED_AT_MOST * len(content):
            answer.set_data(small)
            answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Vary"] = "Accept-Encoding"
    return answer


def _for_good(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer
