"""Which spectra a page shows: samples of the chosen groups, standards and references beside them, each of one edge."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from analysis.catalog import MeasurementRecord
from analysis.spectra.edges import Standard, standard_of
from components.context import workspace
from components.views import Query, listed

MODALITY = "spectra"
CHOICE = ("ref", "cmp", "excluded", "edge")  # which measurements
STATES = ("pristine", "charged", "discharged")
UNKNOWN = "unknown"  # an edge that the file does not say and the energies do not tell


def groups(query: Query) -> tuple[str, ...]:
    """The groups that the address compares: reference first, the other unless it is 'none' or the same."""
    ref, cmp = workspace().default_pair()
    chosen = (query.get("ref", ref), query.get("cmp", cmp))
    return tuple(dict.fromkeys(g for g in chosen if g and g != "none"))


def edge_of(measurement: MeasurementRecord) -> str:
    """The edge of a measurement's first dataset, such as ``S K``."""
    return _edge_in(str(workspace().root), measurement.dataset_keys[0]) if measurement.dataset_keys else UNKNOWN


@lru_cache(maxsize=4096)
def _edge_in(_root: str, key: str) -> str:
    """The same of a dataset: what lies under a key does not change, and is asked for hundreds of times a page."""
    attrs = workspace().store.open(key).attrs
    return f"{attrs['element']} {attrs['edge']}" if attrs.get("element") and attrs.get("edge") else UNKNOWN


def everything() -> list[MeasurementRecord]:
    """All measured spectra that have data."""
    return [m for m in workspace().snapshot().measurements if m.modality == MODALITY and m.dataset_keys]


def edges(query: Query) -> list[str]:
    """Edges that were measured, those with most spectra of the chosen groups first."""
    wanted = groups(query)
    counts = Counter({e: 0 for e in dict.fromkeys(map(edge_of, everything()))})
    counts.update(edge_of(m) for m in everything() if m.group in wanted)
    return [e for e, _ in counts.most_common()]


def edge(query: Query) -> str:
    """The edge that is shown."""
    known = edges(query)
    return query["edge"] if query.get("edge") in known else next(iter(known), UNKNOWN)


def state_of(measurement: MeasurementRecord) -> str:
    return str(measurement.state or "")


def samples(query: Query, *, off: bool = False) -> list[MeasurementRecord]:
    """The chosen groups' spectra of the shown edge: by group, then state, then cell; without cells that are switched ``off``."""
    wanted, shown = groups(query), edge(query)
    gone = set(listed(query, "off")) if off else set()
    found = [
        m
        for m in everything()
        if m.group in wanted and str(m.cell_id) not in gone and edge_of(m) == shown and (not m.excluded or query.get("excluded") == "shown")
    ]
    order = {s: k for k, s in enumerate(STATES)}
    return sorted(found, key=lambda m: (wanted.index(m.group or ""), order.get(state_of(m), len(order)), m.cell, m.id))


def references(query: Query) -> list[MeasurementRecord]:
    """Spectra of the shown edge that are of no compared group: standards, reference substances, other samples."""
    wanted, shown = groups(query), edge(query)
    return [m for m in everything() if m.group not in wanted and edge_of(m) == shown and not m.excluded]


def label(measurement: MeasurementRecord, among: Iterable[MeasurementRecord]) -> str:
    """Cell and state, and what else tells it from the others."""
    state = state_of(measurement)
    alike = [m for m in among if (m.cell_id, m.state) == (measurement.cell_id, measurement.state)]
    name = measurement.cell
    if len(alike) > 1:
        name += f" ({measurement.part_of or measurement.date or f'#{alike.index(measurement) + 1}'})"
    return f"{name} · {state}" if state else name


def by_id(measurement_id: str) -> MeasurementRecord | None:
    return next((m for m in everything() if str(m.id) == measurement_id), None)


def standards(query: Query) -> list[tuple[int, str, Standard | None]]:
    """Cells that can be a standard: id, name, and what the library knows of them; known ones first."""
    cells = {m.cell_id: m.cell for m in references(query)}
    found = [(cell_id, name, standard_of(name, edge(query))) for cell_id, name in cells.items()]
    return sorted(found, key=lambda f: f[2] is None)


def nearest(measurement: MeasurementRecord, of: Iterable[MeasurementRecord]) -> MeasurementRecord | None:
    """The measurement of the same session: of the same day, else nearest in time, else the first."""
    found = list(of)
    if measurement.date is None:
        return found[0] if found else None
    day = measurement.date
    return min(found, key=lambda m: (m.date is None, abs((m.date - day).days) if m.date else 0, m.id), default=None)
