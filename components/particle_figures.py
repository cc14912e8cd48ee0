"""The particle page's figures: spectra of marks, values of the map, the map along a line, shifts of raw frames."""

from functools import partial
from math import floor, log10, prod
from typing import Any

from analysis import viewform
from analysis.catalog import MeasurementRecord
from analysis.core.errors import DataError
from analysis.core.registry import Labelled
from analysis.core.run import Request, plan, run
from analysis.xanes import map_values
from analysis.xanes.frames import FRAMES
from components import edge_maps, particle_view
from components.context import workspace
from components.edge_maps import particle_name, schema_of
from components.particle_marks import Line, Mark, line_of, marks_of, slices_of
from components.particle_view import MAP_PARAMETERS, MAPS, MapKind, collected, map_kind, sides
from components.results import is_looking, merged
from components.views import Items, Query, View, register

WHOLE = "whole"
AT_ONCE = 8 << 20  # values of a box whose mean spectrum is made at once: a fraction of a second
BINS = 60  # about so many between the first and the 99th percentile, where the map is no edge energy
EDGE_BINS_EV = 0.05
SHOWN = ("particle", "beside", *MAP_PARAMETERS)


def _around(query: Query) -> int:
    text = query.get("around", "0")
    return min(int(text), 4) if text.isdigit() else 0


def _made(request: Request, title: str, *, at_once: bool) -> str:
    planned = plan(request, workspace().registry)
    if at_once and not is_looking() and not workspace().store.has(planned.key):
        return run(request, workspace().registry, workspace().store)
    return particle_view.obtained(request, title)


# -- spectra -----------------------------------------------------------------------------------------------------------------


def spectrum_of(m: MeasurementRecord, mark: Mark | None, query: Query) -> str:
    """Key of the mean spectrum of a voxel with its neighbours, of a region, or of all voxels with an edge energy."""
    stack = particle_view.stack_of(m, query)
    sizes = particle_view.shape_of(stack)
    inputs: dict[str, str | tuple[str, ...]] = {"stack": stack}
    if mark is None or isinstance(mark.place, str):
        inputs["edges"] = particle_view.edges_of(m, query)
    if mark is not None and isinstance(mark.place, str):
        inputs["mask"] = mark.place
    box = _box(mark, sizes, _around(query))
    ds = workspace().store.open(stack)
    size = ds.sizes["energy"] * prod(high - low for low, high in box.values())
    ranges = {d: ends for d, ends in box.items() if d in ds.sizes and ends != (0, sizes[d])}
    request = Request(recipe="xanes.spectrum", inputs=inputs, params={**particle_view.line_parameters(m, query), **ranges})
    return _made(request, f"Mean spectrum of {particle_name(m)}", at_once=size <= AT_ONCE)


def _box(mark: Mark | None, sizes: dict[str, int], reach: int) -> dict[str, tuple[int, int]]:
    """The part of the stack that holds a mark: from and to, along z, y, x."""
    if mark is None:
        return {d: (0, n) for d, n in sizes.items()}
    if isinstance(mark.place, str):
        drawn = _drawn(mark)
        first, last = slices_of(drawn)
        return {d: (first, last + 1) if d == drawn["axis"] else (0, n) for d, n in sizes.items()}
    places = dict(zip(("z", "y", "x"), mark.place, strict=True))
    if any(p >= sizes[d] for d, p in places.items()):
        raise DataError("this point lies outside the stack.", hint="Remove it.")
    return {d: (max(0, p - reach), min(sizes[d], p + reach + 1)) for d, p in places.items()}


def _drawn(mark: Mark) -> dict[str, Any]:
    if not workspace().store.has(str(mark.place)):
        raise DataError("this region is not in the workspace.", hint="Draw it again.")
    return dict(workspace().store.open(str(mark.place)).attrs["drawn"])


def _marks(query: Query, m: MeasurementRecord) -> list[Mark]:
    return [k for k in marks_of(query.get("points", "")) if k.measurement == m.id]


def _labelled(key: str, m: MeasurementRecord, name: str, number: str, query: Query) -> Labelled:
    label = f"{name}, {edge_maps.labelled(key, m).label}" if name and len(sides(query)) > 1 else name or edge_maps.labelled(key, m).label
    return Labelled(workspace().store.open(key), label=label, group=m.group or "", origin=m.origin, key=key, id=number)


def spectra(query: Query) -> Items:
    """The spectra of all marks, and of the whole particles for comparison."""
    found = []
    for m in sides(query):
        marks = _marks(query, m)
        whole = [None] if query.get("mean", "shown") == "shown" or not marks else []
        for mark in (*whole, *marks):
            found.append(collected(mark.name if mark else particle_name(m), partial(_spectrum, query, m, mark)))
    return merged(*found)


def _spectrum(query: Query, m: MeasurementRecord, mark: Mark | None) -> tuple[Labelled, ...]:
    name, number = (mark.name, mark.id) if mark else ("whole particle", f"{WHOLE}.{m.id}")
    return (_labelled(spectrum_of(m, mark, query), m, name, number, query),)


def colours(query: Query) -> dict[str, int]:
    return {m.id: m.colour for m in marks_of(query.get("points", ""))}


# -- values of the map ---------------------------------------------------------------------------------------------------------


def counted_map(query: Query) -> MapKind:
    """The map whose values are counted: a stack has one for each energy, so its edge energy stands for it."""
    kind = map_kind(query)
    return MAPS["edge_energy"] if kind.source == "stack" else kind


def _layer(query: Query, kind: MapKind) -> dict[str, int]:
    text = query.get("layer", "0")
    return {"layer": int(text)} if kind.variable == "weight" and text.isdigit() and len(text) < 4 else {}


def bin_width(query: Query, kind: MapKind) -> float:
    """The same bins for all that is shown: 0.1 eV for edge energies, else a round part of the first particle's range."""
    if kind.variable in ("edge_energy", "white_line"):
        return edge_maps.number(query, "bin_width") or EDGE_BINS_EV
    m = sides(query)[0]
    key = particle_view.SOURCES[kind.source](m, query)
    said = viewform.described(workspace().store, particle_view.form_of(key, kind.variable, particle_name(m))["key"])
    low, high = (said["percentiles"][said["percents"].index(p)] or 0.0 for p in (1.0, 99.0))
    return round_down((high - low) / BINS) if high > low else 1.0


def round_down(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above a positive value."""
    power = 10.0 ** floor(log10(value))
    return next(n * power for n in (5, 2, 1) if n * power <= value * (1 + 1e-9))


def values_of(m: MeasurementRecord, mark: Mark | None, query: Query) -> str:
    """Key of the histogram of the shown map over a particle, or over a region of it."""
    kind = counted_map(query)
    inputs: dict[str, str | tuple[str, ...]] = {kind.source: particle_view.SOURCES[kind.source](m, query)}
    if mark is not None:
        _drawn(mark)
        inputs["mask"] = str(mark.place)
    params = {"variable": kind.variable, "bin_width": bin_width(query, kind), **_layer(query, kind)}
    return particle_view.obtained(
        Request(recipe="xanes.map_histogram", inputs=inputs, params=params), f"{kind.title} of {particle_name(m)}"
    )


def values(query: Query) -> Items:
    """The map of each particle, and of each region that was drawn in it."""
    found = []
    for m in sides(query):
        regions = [k for k in _marks(query, m) if isinstance(k.place, str)]
        for mark in (None, *regions):
            found.append(collected(mark.name if mark else particle_name(m), partial(_values, query, m, mark)))
    return merged(*found)


def _values(query: Query, m: MeasurementRecord, mark: Mark | None) -> tuple[Labelled, ...]:
    name, number = (mark.name, mark.id) if mark else ("", f"{WHOLE}.{m.id}")
    return (_labelled(values_of(m, mark, query), m, name, number, query),)


def brush_of(query: Query) -> tuple[float, float] | None:
    """The range of values that is marked."""
    ends = query.get("brush", "").split(",")
    try:
        low, high = map(float, ends)
    except ValueError:
        return None
    return (low, high) if low < high else None


def within(m: MeasurementRecord, query: Query, brush: tuple[float, float]) -> tuple[int, int]:
    """How many voxels of a particle lie in the marked range, and how many count."""
    kind = counted_map(query)
    ds = workspace().store.open(particle_view.SOURCES[kind.source](m, query))
    of = map_values.chosen(map_values.MapParams(variable=kind.variable, **_layer(query, kind)), map=ds)
    return map_values.within(of, *brush)


# -- along a line --------------------------------------------------------------------------------------------------------------


def profile(query: Query) -> Items:
    """The map along the line, in the particle it was drawn in."""
    line = line_of(query.get("line", ""))
    m = next((m for m in sides(query) if line is not None and m.id == line.measurement), None)
    if m is None or line is None:
        return Items()
    return collected(particle_name(m), partial(_profile, query, m, line))


def _profile(query: Query, m: MeasurementRecord, line: Line) -> tuple[Labelled, ...]:
    return (_labelled(_profile_of(m, line, query), m, "", str(m.id), query),)


def _profile_of(m: MeasurementRecord, line: Line, query: Query) -> str:
    kind = map_kind(query)
    key = particle_view.SOURCES[kind.source](m, query)
    flat = "z" not in workspace().store.open(key).sizes
    start, end = ((p[1:] if flat else p) for p in (line.start, line.end))
    layer = {"layer": int(query["layer"])} if kind.variable in ("mu", "weight") and query.get("layer", "").isdigit() else {}
    params = {"variable": kind.variable, "start": start, "end": end, **layer}
    return _made(
        Request(recipe="xanes.map_profile", inputs={kind.source: key}, params=params), f"Profile of {particle_name(m)}", at_once=True
    )


# -- raw frames ----------------------------------------------------------------------------------------------------------------


def shifts(query: Query) -> Items:
    """The stack that is made of raw frames, with its shifts."""
    raw = [m for m in sides(query) if schema_of(m) == FRAMES.name]
    return merged(*(collected(particle_name(m), partial(_made_stack, query, m)) for m in raw))


def _made_stack(query: Query, m: MeasurementRecord) -> tuple[Labelled, ...]:
    return (edge_maps.labelled(particle_view.stack_of(m, query), m),)


# -- slices as a figure --------------------------------------------------------------------------------------------------------


def slices(query: Query) -> Items:
    """The map of each particle that is shown, for boards and reports: the page itself draws slices from their view form."""
    return merged(*(collected(particle_name(m), partial(_sliced, query, m)) for m in sides(query)))


def _sliced(query: Query, m: MeasurementRecord) -> tuple[Labelled, ...]:
    return (edge_maps.labelled(particle_view.SOURCES[map_kind(query).source](m, query), m),)


def _slices_look(query: Query) -> dict[str, Any]:
    place = [int(p) for p in query.get("at", "").split(".") if p.isdigit()]
    alone = len(sides(query)) == 1 and query.get("tab") != "solid"
    low, high = _ends(query.get("range", ""))
    return {
        "variable": map_kind(query).variable,
        "layer": int(query["layer"]) if query.get("layer", "").isdigit() else 0,
        "at": place if len(place) == 3 else [],
        "axes": ["z", "y", "x"] if alone else [query["axis"] if query.get("axis") in ("y", "x") else "z"],
        "low": low,
        "high": high,
    }


def _ends(text: str) -> tuple[float | None, float | None]:
    """The two values of a range of colours; None where it is one of percentiles."""
    low, _, high = text.partition("_")
    try:
        return float(low), float(high)
    except ValueError:
        return None, None


def _spectra_look(query: Query) -> dict[str, Any]:
    definition = query.get("definition", "e_half")
    show = query.get("spectra", "absorption")
    return {"show": show, "definition": definition, "whole": query.get("reach") == "all", "colours": colours(query)}


def _values_look(query: Query) -> dict[str, Any]:
    return {"brush": brush_of(query), "colours": colours(query)}


SPECTRA = View(
    "xanes.spectra",
    "Spectra",
    (*SHOWN, "points", "spectra", "reach", "around", "mean"),
    spectra,
    _spectra_look,
    hint="Click a voxel, or draw with the lasso: its spectrum with the lines that normalise it.",
    name="particle.spectra",
)
VALUES = View(
    "xanes.map_histogram",
    "Values of the map",
    (*SHOWN, "map", "layer", "points", "brush", "bin_width"),
    values,
    _values_look,
    hint="Drag a range to light its voxels up in slices and 3D; a double click clears it.",
    name="particle.values",
)
PROFILE = View(
    "xanes.map_profile",
    "Along the line",
    (*SHOWN, "map", "layer", "line"),
    profile,
    hint="Drag a line with the tool Profile.",
    name="particle.profile",
)
SHIFTS = View("xanes.shifts", "Shifts between energies", (*SHOWN,), shifts, name="particle.shifts")
SLICES = View(
    "xanes.slices",
    "Slices",
    (*SHOWN, "map", "layer", "at", "range", "axis", "tab"),
    slices,
    _slices_look,
    hint="The slices through the crosshair.",
    name="particle.slices",
)
register(SPECTRA, VALUES, PROFILE, SHIFTS, SLICES)
