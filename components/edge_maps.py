"""Edge-energy maps of the particles of a comparison: one recipe for all of them, as the address says.

Names in the address: ``definition``, ``e0``, ``pre1``, ``pre2``, ``norm1``, ``norm2``, ``energy_offset``. Where no E0 is given,
it is the median of the edge positions of all stacks in the workspace, in whole eV: one number for all particles, whatever
groups are shown.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from analysis.catalog import MeasurementRecord
from analysis.core.data import scalars
from analysis.core.errors import ParamError, UserError
from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from analysis.core.run import Request
from analysis.schemas import EDGE_MAP, STACK, dimensionality
from analysis.xanes.compute import EdgeParams
from analysis.xanes.figures_base import STATE_MARK
from analysis.xanes.position import common_position
from components.context import workspace
from components.results import obtain
from components.views import Items, Query

MODALITY = "xanes"
RECIPE = ("definition", "e0", "pre1", "pre2", "norm1", "norm2", "energy_offset")
READABLE = (STACK.name, EDGE_MAP.name)


def measured_particles() -> list[MeasurementRecord]:
    """All stacks and finished edge maps of the workspace; frames that are no stack yet are left to their own page."""
    return [m for m in workspace().snapshot().measurements if m.modality == MODALITY and m.dataset_keys and schema_of(m) in READABLE]


def schema_of(m: MeasurementRecord) -> str:
    """What a measurement holds, "" where its dataset is gone."""
    key = m.dataset_keys[0]
    return _facts(str(workspace().root), key)[0] if workspace().store.has(key) else ""


def dimensionality_of(m: MeasurementRecord) -> str:
    """2D or 3D, as the data are."""
    return _facts(str(workspace().root), m.dataset_keys[0])[1]


@lru_cache(maxsize=4096)
def _facts(_root: str, key: str) -> tuple[str, str]:
    """Schema and dimensionality of a dataset: they are what its key stands for."""
    ds = workspace().store.open(key)
    return str(ds.attrs.get("schema", "")), dimensionality(ds)


def particle_name(m: MeasurementRecord) -> str:
    """Cell and particle, each said once."""
    particle = m.particle or ""
    return particle if m.cell and m.cell in particle else f"{m.cell} {particle}".strip()


def titled(m: MeasurementRecord) -> str:
    """Name and state, as lists have them."""
    words = " · ".join(p for p in (particle_name(m), m.state or "") if p)
    return f"{words}, excluded" if m.excluded else words


def labelled(key: str, m: MeasurementRecord) -> Labelled:
    """A result as figures take it: named by its particle and state, identified by its measurement."""
    label = f"{particle_name(m)}{STATE_MARK}{m.state}" if m.state else particle_name(m)
    return Labelled(workspace().store.open(key), label=label, group=m.group or "", origin=m.origin, key=key, id=str(m.id))


def number(query: Query, name: str) -> float | None:
    """A number of the address; ParamError where it is none."""
    text = query.get(name, "").strip().replace(",", ".").replace("\u2212", "-")
    if not text:
        return None
    try:
        return float(text)
    except ValueError as err:
        title = EdgeParams.model_fields[name].title if name in EdgeParams.model_fields else name
        raise ParamError(f"{title}: '{query[name]}' is not a number.", hint="Write it with a decimal point, without its unit.") from err


def given(query: Query) -> dict[str, Any]:
    """The parameters of an edge map that the address gives; ParamError names the one that does not fit."""
    found: dict[str, Any] = {n: v for n in RECIPE if n != "definition" and (v := number(query, n)) is not None}
    if query.get("definition"):
        found["definition"] = query["definition"]
    EdgeParams.check(found)
    return found


def parameters(query: Query) -> tuple[dict[str, Any], Items]:
    """All that the address and the common E0 say about edge maps; and the jobs that find E0 while it is not known."""
    known = given(query)
    if "e0" in known:
        return known, Items()
    e0, items = common_e0()
    return ({**known, "e0": e0} if e0 is not None else {}), items


def common_e0() -> tuple[float | None, Items]:
    """The E0 that all particles share where none is given; None while it is being found."""
    stacks = [m for m in measured_particles() if schema_of(m) == STACK.name]
    found = each(stacks, lambda m: obtain(Request(recipe="xanes.position", inputs={"stack": m.dataset_keys}), title=_title("Edge of", m)))
    if found.waiting or not found.shown:
        return None, found
    places = [float(s.value) for i in found.shown if isinstance((s := scalars(i.data)["e0"]).value, int | float)]
    return common_position(places), Items(problems=found.problems, failed=found.failed)


def reaches(m: MeasurementRecord, e0: float) -> bool:
    """Whether a particle's own energies lie on both sides of an E0; true where it has none, as a finished map."""
    ds = workspace().store.open(m.dataset_keys[0])
    if "energy" not in ds.variables:
        return True
    energy = ds["energy"].to_numpy()
    return bool(energy.min() < e0 < energy.max())


def edge_maps(query: Query, measurements: Iterable[MeasurementRecord]) -> Items:
    """The edge map of each particle under the one recipe of the address; finished maps as they are, where their definition fits."""
    chosen = list(measurements)
    params, finding = parameters(query)
    if not params and any(schema_of(m) == STACK.name for m in chosen):
        return replace(finding, shown=())  # edges by themselves are no maps
    wanted = params.get("definition", EdgeParams.model_fields["definition"].default)
    return each(chosen, lambda m: _edge_map(m, params, wanted))


def _edge_map(m: MeasurementRecord, params: dict[str, Any], wanted: str) -> tuple[str | None, Status | None]:
    if schema_of(m) == STACK.name:
        return obtain(Request(recipe="xanes.edge_map", inputs={"stack": m.dataset_keys}, params=params), title=_title("Edge energy of", m))
    (key, *_) = m.dataset_keys
    has = workspace().store.open(key).attrs.get("definition", "")
    if has != wanted:
        raise ParamError(f"its map was imported with the definition '{has}', which is not put together with '{wanted}'.")
    return key, None


def each(measurements: Iterable[MeasurementRecord], make: Callable[[MeasurementRecord], tuple[str | None, Status | None]]) -> Items:
    """What ``make`` gives for each measurement: results, jobs to wait for, problems; those of one do not hide the others."""
    shown: list[Labelled] = []
    waiting: list[Status] = []
    problems: list[tuple[str, str]] = []
    failed: list[str] = []
    for m in measurements:
        try:
            key, status = make(m)
        except UserError as err:
            problems.append((particle_name(m), str(err)))
            continue
        if key is not None:
            shown.append(labelled(key, m))
        elif status is not None and status.active:
            waiting.append(status)
        elif status is not None:
            problems.append((particle_name(m), f"{status.message} {status.hint}".strip()))
            failed.append(status.key)
    return Items(tuple(shown), tuple(waiting), tuple(problems), tuple(failed))


def _title(what: str, m: MeasurementRecord) -> str:
    return f"{what} {particle_name(m)}" + (f", {m.state}" if m.state else "")
