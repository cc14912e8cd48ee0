"""Cracks in 3D: the surface of a particle, transparent, with its cracks or cut-off domains inside, coloured by a quantity.

Names in the address: ``particle`` and ``beside`` (measurements in which cracks were found), ``shape`` (what is opaque), ``colour``,
``faces`` (triangles at most).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis import viewform
from analysis.core.registry import Labelled
from analysis.core.run import Request
from analysis.core.style import legend_name
from analysis.surface import surface_of
from components import cracks_results, edge_maps
from components import cracks_view as view
from components.context import workspace
from components.cracks_results import Found, Specimen
from components.edge_maps import particle_name
from components.particle_view import NotYet, collected, form_of, obtained
from components.views import Items, Query
from components.volume_view import solid, surface_for

SIDES = {"cracks-a": "particle", "cracks-b": "beside"}
SHAPES = {"cracks": "Cracks", "domains": "Isolated domains", "particle": "Particle"}
COLOURS = {"depth": "Depth", "distance": "Distance from cracks", "edge_energy": "Edge energy", "domain": "Domain", "": "Plain"}
FACES = {"40000": "40 k triangles", "200000": "200 k triangles", "1000000": "1 M triangles"}
SMOOTH = {"cracks": 0.5, "domains": 0.7, "particle": 1.2}  # voxels: thin cracks must stay, stairs of the particle must not
LINK = "cracks"


@dataclass(frozen=True)
class Shown:
    """A picture: keys of its two surfaces, what the opaque one shows, what they stand on; what is waited for."""

    source: dict[str, Any] | None
    items: Items


@dataclass(frozen=True)
class Chosen:
    """What the address wants to be seen."""

    shape: str
    colour: str
    faces: int

    @classmethod
    def of(cls, query: Query, specimen: Specimen) -> "Chosen":
        shape = query.get("shape", "cracks")
        colour = query.get("colour", "depth")
        colour = colour if colour in COLOURS and (colour != "edge_energy" or specimen.mapped is not None) else "depth"
        faces = query.get("faces", "")
        return cls(shape if shape in SHAPES else "cracks", colour, int(faces if faces in FACES else next(iter(FACES))))


def chosen(query: Query, side: str = "particle") -> Specimen | None:
    """The particle of a side; without one in the address, the first."""
    every = view.specimens(query, off=False)
    wanted = next((s for s in every if s.id == query.get(side, "")), None)
    if wanted is not None or side != "particle" or not every:
        return wanted
    return every[0]


def sides(query: Query) -> dict[str, Specimen]:
    """The particles that are shown, by the name of their view."""
    found = {name: chosen(query, side) for name, side in SIDES.items()}
    first = found["cracks-a"]
    return {name: s for name, s in found.items() if s is not None and (name == "cracks-a" or first is None or s.id != first.id)}


def title_of(specimen: Specimen) -> str:
    """Name, state and cycle, and whether it is synthetic."""
    m = specimen.source
    cycle = f"cycle {m.cycle_number}" if m.cycle_number is not None else ""
    return legend_name(" · ".join(p for p in (particle_name(m), m.state or "", cycle) if p), m.origin)


# -- what is shown -------------------------------------------------------------------------------------------------------------


def shown(query: Query, name: str) -> Shown:
    """The surfaces of a view, or what they wait for."""
    specimen = sides(query).get(name)
    if specimen is None:
        return Shown(None, Items())
    return _shown(query, specimen)


def _shown(query: Query, specimen: Specimen) -> Shown:
    wanted = Chosen.of(query, specimen)
    found = _segmented(query, specimen, wanted)
    if specimen.id not in found.keys:
        return Shown(None, found.pending)
    made: list[dict[str, Any]] = []

    def make() -> tuple[Labelled, ...]:
        made.append(_surfaces(query, specimen, wanted, found.keys[specimen.id]))
        return found.shown

    items = collected(particle_name(specimen.source), make)
    return Shown(made[0] if made else None, items)


def _segmented(query: Query, specimen: Specimen, wanted: Chosen) -> Found:
    """The segmentation that is drawn: beside chemistry, the one that lies on its grid."""
    if wanted.colour == "edge_energy":
        return cracks_results.laid(query, [specimen])[0]
    if "domain" in (wanted.colour, wanted.shape.removesuffix("s")):
        return cracks_results.domains(query, [specimen])
    return cracks_results.segmentations(query, [specimen])


def _surfaces(query: Query, specimen: Specimen, wanted: Chosen, key: str) -> dict[str, Any]:
    """What the view draws. ``key`` is of a segmentation, or of domains where these are drawn."""
    name = particle_name(specimen.source)
    with_domains = "label" in workspace().store.open(key)
    mask = _mask_of(query, specimen) if with_domains else key
    colour = _colour(query, specimen, wanted, mask, key if with_domains else "")
    shapes = {"cracks": (mask, "crack"), "particle": (mask, "envelope"), "domains": (key, "label")}
    crackless = wanted.shape == "cracks" and not _any(mask)
    shape = "particle" if crackless else wanted.shape
    form = form_of(*shapes[shape], name)["key"]
    lowest = {"domains": 2.0}.get(shape)  # 1 is the main body
    opaque = _surface(form, colour, faces=wanted.faces, smooth=SMOOTH[shape], threshold=lowest, title=f"3D: {shape} of {name}")
    shell = ""
    if shape != "particle":
        whole = form_of(mask, "envelope", name)["key"]
        shell = _surface(whole, "", faces=wanted.faces, smooth=SMOOTH["particle"], title=f"3D: surface of {name}")
    return solid(opaque, shell=shell, link=LINK, caption=title_of(specimen) + (", no cracks" if crackless else ""))


def _mask_of(query: Query, specimen: Specimen) -> str:
    """The segmentation that the domains of a particle were found in."""
    found, _ = cracks_results.laid(query, [specimen])
    alone = cracks_results.segmentations(query, [specimen])
    return found.keys.get(specimen.id) or alone.keys[specimen.id]


def _any(mask: str) -> bool:
    said = viewform.described(workspace().store, form_of(mask, "crack", "")["key"])
    return bool(said["high"])


def _colour(query: Query, specimen: Specimen, wanted: Chosen, mask: str, domains: str) -> str:
    """Key of the view form that colours; "" for none."""
    name = particle_name(specimen.source)
    if wanted.colour == "":
        return ""
    if wanted.colour == "domain":
        key = domains or cracks_results.domains(query, [specimen]).keys.get(specimen.id, "")
        return form_of(key, "label", name)["key"] if key else ""
    inputs: dict[str, str | tuple[str, ...]] = {"segmentation": mask}
    if wanted.colour == "edge_energy":
        inputs["edges"] = cracks_results.maps(query, [specimen]).keys[specimen.id]
    if wanted.colour == "distance" and not _any(mask):
        return ""
    request = Request(recipe="cracks.field", inputs=inputs, params={"quantity": wanted.colour})
    key = obtained(request, f"{COLOURS[wanted.colour]} in {name}")
    return form_of(key, wanted.colour, name)["key"]


def _surface(form: str, colour: str, **options: Any) -> str:
    key, status = surface_for(form, colour, **options)
    if key is None:
        raise NotYet(status)  # type: ignore[arg-type]
    return key


def order(query: Query) -> dict[str, Any]:
    """Two particles share one range of colours."""
    spans = []
    for name in sides(query):
        source = shown(query, name).source
        said = surface_of(workspace().store, source["surface"])["colour"] if source else None
        if not said or said["labels"]:
            return {}
        ends = [said["percentiles"][said["percents"].index(p)] for p in (1.0, 99.0)]
        if None in ends:
            return {}
        spans.append(ends)
    return {"low": min(low for low, _ in spans), "high": max(high for _, high in spans)} if len(spans) > 1 else {}


# -- what is said of it --------------------------------------------------------------------------------------------------------


def facts(source: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What is known of the surfaces of a view: ``surface`` the opaque one, ``shell`` the transparent one."""
    return {part: surface_of(workspace().store, source[part]) for part in ("surface", "shell") if source[part]}


READS = tuple(dict.fromkeys((*view.READS, *edge_maps.RECIPE, "particle", "beside", "shape", "colour", "faces")))
