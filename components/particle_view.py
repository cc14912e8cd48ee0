"""What the particle page shows, as a function of the address: which stack, which map, which spectra of which particle.

Names in the address: ``particle`` and ``beside`` (measurements), ``map`` and ``over`` (what it lies on), ``points``, ``line``,
``brush``, ``layer``, ``shifts``, the recipe of edge maps as in ``components.edge_maps``, and ``clusters``, ``components``, ``references``,
``sum_to_one``, ``max_shift``, ``quantity``, ``energies``, ``values`` of the maps that need them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analysis import viewform
from analysis.catalog import MeasurementRecord
from analysis.core.errors import DataError, UserError
from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from analysis.core.run import Request
from analysis.core.style import legend_name
from analysis.schemas import EDGE_MAP, SPECTRA, STACK, VOLUME, spatial_dims
from analysis.xanes.frames import FRAMES
from components import calibrants, edge_maps
from components.context import workspace
from components.edge_maps import particle_name, schema_of
from components.image_view import Source, view_of
from components.results import obtain
from components.views import Items, Query, listed

SIDES = ("particle", "beside")
DEFAULT_MAP = "edge_energy"
LINES = ("e0", "pre1", "pre2", "norm1", "norm2", "energy_offset")
CLUSTER = ("clusters", "components")
LCF = ("sum_to_one", "max_shift")
CALIBRATE = ("quantity", "energies", "values", "between", "calibrants")
MAP_PARAMETERS = (*edge_maps.RECIPE, *CLUSTER, *LCF, "references", *CALIBRATE, "shifts", "align")


@dataclass(frozen=True)
class MapKind:
    """One entry of the list of maps: ``source`` names the dataset that holds it (see ``analysis.xanes.map_values.MAPS``)."""

    title: str
    source: str
    variable: str


MAPS = {
    "edge_energy": MapKind("Edge energy", "edges", "edge_energy"),
    "edge_energy_std": MapKind("Uncertainty σ", "edges", "edge_energy_std"),
    "edge_jump": MapKind("Edge jump", "edges", "edge_jump"),
    "white_line": MapKind("White-line energy", "edges", "white_line"),
    "white_line_height": MapKind("White-line height", "edges", "white_line_height"),
    "flags": MapKind("Flags: why refused", "edges", "flags"),
    "label": MapKind("Clusters", "clusters", "label"),
    "weight": MapKind("Fractions of references", "fractions", "weight"),
    "r_factor": MapKind("Misfit of the fractions", "fractions", "r_factor"),
    "state": MapKind("State of charge", "state", "state"),
    "mu": MapKind("Optical depth", "stack", "mu"),
}


class NotYet(Exception):
    """A result is being made, or its job has ended without one."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.title)
        self.status = status


def obtained(request: Request, title: str) -> str:
    """Key of a result that is there; NotYet where a job makes it."""
    key, status = obtain(request, title=title)
    if key is None and status is not None and status.state == "done":  # while it was asked for
        return status.key
    if key is None:
        raise NotYet(status or Status(""))
    return key


def collected(name: str, make: Callable[[], tuple[Labelled, ...]]) -> Items:
    """What ``make`` gives, or what has to be waited for, or what is wrong."""
    try:
        return Items(shown=make())
    except NotYet as wait:
        if wait.status.active:
            return Items(waiting=(wait.status,))
        said = f"{wait.status.message} {wait.status.hint}".strip()
        return Items(problems=((name, said or "was stopped."),), failed=(wait.status.key,))
    except UserError as err:
        return Items(problems=((name, str(err)),))


# -- which particle ----------------------------------------------------------------------------------------------------------


def particles() -> list[MeasurementRecord]:
    """Everything that the page can show: stacks, finished maps, raw frames with references."""
    held = (STACK.name, EDGE_MAP.name, FRAMES.name)
    found = [m for m in workspace().snapshot().measurements if m.modality == edge_maps.MODALITY and m.dataset_keys]
    return [m for m in found if schema_of(m) in held]


def chosen(query: Query, side: str = "particle") -> MeasurementRecord | None:
    """The particle of a side; without one in the address the first volume, else the first of all."""
    every = particles()
    wanted = next((m for m in every if str(m.id) == query.get(side, "")), None)
    if wanted is not None or side != "particle" or not every:
        return wanted
    stacks = [m for m in every if schema_of(m) == STACK.name]
    return next((m for m in stacks if edge_maps.dimensionality_of(m) == "3D"), (stacks or every)[0])


def sides(query: Query) -> list[MeasurementRecord]:
    """One particle, or two beside each other."""
    found = [chosen(query, side) for side in SIDES]
    return [m for n, m in enumerate(found) if m is not None and m not in found[:n]]


def title_of(m: MeasurementRecord) -> str:
    """Name, state and cycle of a particle, and whether it is synthetic."""
    cycle = f"cycle {m.cycle_number}" if m.cycle_number is not None else ""
    return legend_name(" · ".join(p for p in (particle_name(m), m.state or "", cycle) if p), m.origin)


def tomograms(m: MeasurementRecord) -> list[MeasurementRecord]:
    """Volumes of the same particle, or of the same cell where the particle is not named."""
    found = [
        t for t in workspace().snapshot().measurements if t.modality == edge_maps.MODALITY and t.dataset_keys and t.cell_id == m.cell_id
    ]
    return [t for t in found if schema_of(t) == VOLUME.name and t.particle_id in (None, m.particle_id)]


def references(particle: MeasurementRecord) -> list[MeasurementRecord]:
    """Spectra of the workspace that reach over the middle of a particle's energies: those of its edge."""
    stack = workspace().store.open(particle.dataset_keys[0])
    if "energy" not in stack.variables:
        return []
    middle = float(stack["energy"].median())
    spectra = [m for m in workspace().snapshot().measurements if m.dataset_keys and schema_of(m) == SPECTRA.name]
    ends = [workspace().store.open(m.dataset_keys[0])["energy"].to_numpy() for m in spectra]
    return [m for m, energy in zip(spectra, ends, strict=True) if energy.min() < middle < energy.max()]


# -- which results -----------------------------------------------------------------------------------------------------------


def stack_of(m: MeasurementRecord, query: Query) -> str:
    """Key of the stack of a particle; of raw frames, of the stack that is made of them."""
    schema = schema_of(m)
    if schema == STACK.name:
        return m.dataset_keys[0]
    if schema != FRAMES.name:
        raise DataError("this is a finished map: it has no spectra.", hint="Import the stack that it was made from.")
    inputs: dict[str, str | tuple[str, ...]] = {"frames": m.dataset_keys}
    edited = query.get("shifts", "").partition(".")
    if edited[0] == str(m.id) and workspace().store.has(edited[2]):
        inputs["shifts"] = edited[2]
    params = {"align": query["align"]} if query.get("align") else {}
    return obtained(Request(recipe="xanes.optical_depth", inputs=inputs, params=params), f"Optical depth of {particle_name(m)}")


def line_parameters(m: MeasurementRecord, query: Query) -> dict[str, Any]:
    """The one recipe of all particles; its common E0 only where this particle's energies reach over it."""
    known = edge_maps.given(query)
    if "e0" in known:
        return known
    params, finding = edge_maps.parameters(query)
    if finding.waiting:
        raise NotYet(finding.waiting[0])
    if not params:
        return known
    energy = workspace().store.open(stack_of(m, query))["energy"].to_numpy()
    return params if energy.min() < params["e0"] < energy.max() else known


def edges_of(m: MeasurementRecord, query: Query) -> str:
    """Key of the edge map; a finished map is its own."""
    if schema_of(m) == EDGE_MAP.name:
        return m.dataset_keys[0]
    params = line_parameters(m, query)
    request = Request(recipe="xanes.edge_map", inputs={"stack": stack_of(m, query)}, params=params)
    return obtained(request, f"Edge energy of {particle_name(m)}" + (f", {m.state}" if m.state else ""))


def clusters_of(m: MeasurementRecord, query: Query) -> str:
    request = Request(recipe="xanes.cluster", inputs=_with_edges(m, query), params=_more(m, query, "xanes.cluster", CLUSTER))
    return obtained(request, f"Clusters of {particle_name(m)}")


def fractions_of(m: MeasurementRecord, query: Query) -> str:
    wanted = listed(query, "references")
    keys = tuple(k for r in references(m) if str(r.id) in wanted for k in r.dataset_keys)
    if not keys:
        raise DataError("no reference spectra are chosen.", hint="Choose two or more above; import them on the import page.")
    inputs = {**_with_edges(m, query), "references": keys}
    return obtained(
        Request(recipe="xanes.lcf", inputs=inputs, params=_more(m, query, "xanes.lcf", LCF)), f"Fractions in {particle_name(m)}"
    )


def state_of(m: MeasurementRecord, query: Query) -> str:
    known = calibrants.chosen(query)
    left_out = ("calibrants", "energies") if known else ("calibrants",)
    params = _parsed("xanes.calibrate", {n: query[n] for n in CALIBRATE if query.get(n) and n not in left_out})
    if not known and not params.get("energies"):
        raise DataError("no calibrants are given.", hint="Choose particles of two or more known states above, or write edge energies.")
    inputs: dict[str, str | tuple[str, ...]] = {"edges": edges_of(m, query)}
    if known:
        inputs["calibrants"] = tuple(edges_of(c, query) for c in known)
    return obtained(Request(recipe="xanes.calibrate", inputs=inputs, params=params), f"State of {particle_name(m)}")


def volume_of(m: MeasurementRecord, query: Query, tomogram: MeasurementRecord) -> str:
    """A tomogram laid over the particle's map."""
    inputs: dict[str, str | tuple[str, ...]] = {"volume": tomogram.dataset_keys[0], "edge_map": edges_of(m, query)}
    return obtained(Request(recipe="xanes.register", inputs=inputs), f"Tomogram laid over {particle_name(m)}")


SOURCES: dict[str, Callable[[MeasurementRecord, Query], str]] = {
    "stack": stack_of,
    "edges": edges_of,
    "clusters": clusters_of,
    "fractions": fractions_of,
    "state": state_of,
}


def _with_edges(m: MeasurementRecord, query: Query) -> dict[str, str | tuple[str, ...]]:
    return {"stack": stack_of(m, query), "edges": edges_of(m, query)}


def _more(m: MeasurementRecord, query: Query, recipe: str, names: tuple[str, ...]) -> dict[str, Any]:
    lines = {n: v for n, v in line_parameters(m, query).items() if n in LINES}
    return {**lines, **_parsed(recipe, {n: query[n] for n in names if query.get(n)})}


def _parsed(recipe: str, given: dict[str, str]) -> dict[str, Any]:
    """Values of the address as the recipe's parameters take them."""
    params = workspace().registry.recipe(recipe).params
    return params.parse([f"{n}={v}" for n, v in given.items()])


# -- which pictures ----------------------------------------------------------------------------------------------------------


def map_kind(query: Query) -> MapKind:
    """The map that is shown; beside the shifts of raw frames, the optical depth that they make."""
    if query.get("tab") == "frames":
        return MAPS["mu"]
    return MAPS.get(query.get("map", DEFAULT_MAP), MAPS[DEFAULT_MAP])


def form_of(key: str, variable: str, title: str) -> Source:
    """The view form of a stored variable; NotYet where it is being made."""
    if variable not in workspace().store.open(key).data_vars:
        raise DataError(f"'{variable}' is not among the maps of this particle.", hint="Choose another map.")
    source, status = view_of(key, variable, title=f"Slices of {title}")
    if source is None:
        raise NotYet(status or Status(""))
    return source


def morphology(m: MeasurementRecord, query: Query) -> tuple[str, str] | None:
    """Key and variable of what the map lies on; None where it stands alone."""
    over = query.get("over", "")
    if over in ("mu", "edge_jump"):
        kind = MAPS[over]
        return SOURCES[kind.source](m, query), kind.variable
    tomogram = next((t for t in tomograms(m) if f"t{t.id}" == over), None)
    return (volume_of(m, query, tomogram), "density") if tomogram is not None else None


def map_of(m: MeasurementRecord, query: Query) -> tuple[str, Source]:
    """Key and view form of the map that is shown."""
    kind = map_kind(query)
    key = SOURCES[kind.source](m, query)
    return key, form_of(key, kind.variable, particle_name(m))


def ground_of(m: MeasurementRecord, query: Query) -> tuple[str, Source] | None:
    """Key and view form of what the map lies on; None where it stands alone, or would lie on itself."""
    ground = morphology(m, query)
    if ground is None or query.get("over") == query.get("map", DEFAULT_MAP):
        return None
    return ground[0], form_of(*ground, particle_name(m))


def value_range(query: Query) -> tuple[float, float] | None:
    """From the first to the 99th percentile of the map over all particles that are shown: one colour scale for both."""
    found = []
    for m in sides(query):
        said = viewform.described(workspace().store, map_of(m, query)[1]["key"])
        ends = [said["percentiles"][said["percents"].index(p)] for p in (1.0, 99.0)]
        if None in ends or said["labels"]:
            return None
        found.append(ends)
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def shape_of(key: str) -> dict[str, int]:
    """Voxels along z, y, x of a stored entry."""
    ds = workspace().store.open(key)
    return {d: int(ds.sizes[d]) if d in spatial_dims(ds) else 1 for d in ("z", "y", "x")}
