"""One sample by itself: its files as measured, the points taken out of them, its standard, its correction, its repeated scans."""

from dataclasses import replace
from typing import Any

from analysis.catalog import MeasurementRecord
from analysis.core.registry import Labelled
from analysis.core.run import Request
from analysis.spectra.combine import glitches
from analysis.spectra.schemas import GLITCHES
from components import spectra_recipe
from components.context import workspace
from components.results import merged
from components.spectra_samples import nearest, references, samples
from components.spectra_view import labels, obtained, processed, row
from components.views import Items, Query, listed

REPEATED = 3  # scans that can show a trend


def names(query: Query) -> dict[str, MeasurementRecord]:
    """Every measurement that can be looked at by itself, by its label: samples first, then standards and references."""
    found, others = samples(query), references(query)
    given = [f"{m.cell}, {m.date}" if m.date else m.cell for m in others]
    return {**dict(zip(labels(found), found, strict=True)), **dict(zip(given, others, strict=True))}


def chosen(query: Query) -> tuple[str, MeasurementRecord] | None:
    """The measurement that the address names, else the first."""
    known = names(query)
    name = query.get("one", "")
    return (name, known[name]) if name in known else next(iter(known.items()), None)


def measured(query: Query) -> Items:
    """Its datasets as the reader gave them."""
    found = chosen(query)
    if found is None:
        return Items()
    name, m = found
    store = workspace().store
    return Items(tuple(Labelled(store.open(k), name, m.group or "", m.origin, k) for k in m.dataset_keys))


def taken(query: Query) -> list[str]:
    """Points that were taken out of it, as spectrum@energy."""
    return [f"{name}@{energy}" for energy, name in _points(_edit(query))]


def _edit(query: Query) -> str:
    found = chosen(query)
    return spectra_recipe.edits(query).get(str(found[1].id), "") if found else ""


def _points(edit: str) -> list[tuple[float, str]]:
    if not edit:
        return []
    ds = workspace().store.open(edit)
    return list(zip(ds["energy"].values.astype(float).tolist(), ds["spectrum_name"].values.astype(str).tolist(), strict=True))


def toggled(query: Query, click: dict[str, Any]) -> str | None:
    """The address's edits after a click on a point: taken out, or put back where it was out; None where no point was meant."""
    found = chosen(query)
    point: dict[str, Any] = next(iter(click.get("points", ())), {})
    name = next(iter(point.get("customdata") or ()), None)
    if found is None or name is None or not isinstance(point.get("x"), int | float):
        return None
    before = _edit(query)
    points, clicked = _points(before), (float(point["x"]), str(name))
    after = [p for p in points if p != clicked] if clicked in points else [*points, clicked]
    note = f"{len(after)} points of {found[0]}"
    edit = workspace().store.put_edit(GLITCHES.conform(glitches(after)), note=note, previous=before) if after else ""
    return _with_edit(query, found[1], edit)


def undone(query: Query) -> str | None:
    """The address's edits with this sample's as it was before its last one."""
    found, edit = chosen(query), _edit(query)
    if found is None or not edit:
        return None
    return _with_edit(query, found[1], str(workspace().store.provenance(edit).get("previous", "")))


def restored(query: Query) -> str | None:
    """The address's edits without this sample's: all points are there again."""
    found = chosen(query)
    return _with_edit(query, found[1], "") if found else None


def _with_edit(query: Query, m: MeasurementRecord, edit: str) -> str:
    kept = [text for text in listed(query, "taken") if not text.startswith(f"{m.id}_")]
    return ",".join([*kept, *([f"{m.id}_{edit}"] if edit else [])])


def one_processed(query: Query) -> Items:
    """Its processed spectra."""
    found = chosen(query)
    if found is None:
        return Items()
    among = samples(query) if found[1] in samples(query) else references(query)
    made = processed(query, among)
    place = among.index(found[1])
    name = labels(among)[place]
    own = tuple(replace(i, label=found[0]) for i in made.shown if i.label == name)
    return replace(made, shown=own, problems=tuple(p for p in made.problems if own == () or p[0] == name))


def standard(query: Query) -> Items:
    """The standards of all sessions as measured; none where nothing is calibrated on a standard."""
    said = spectra_recipe.calibration(query)
    if "cell" not in said:
        return Items(problems=(("Standards", "The energies are not calibrated on a standard that was measured with the samples."),))
    own = [m for m in references(query) if m.cell_id == said["cell"]]
    store = workspace().store
    return Items(tuple(Labelled(store.open(m.dataset_keys[0]), f"{m.date or m.cell}", "", m.origin, m.dataset_keys[0]) for m in own))


def standard_params(query: Query) -> dict[str, Any]:
    said = spectra_recipe.calibration(query)
    return {n: said[n] for n in ("feature", "assigned") if said.get(n)}


def session_of(query: Query) -> str:
    """Which standard the sample is calibrated on, in words."""
    said, found = spectra_recipe.calibration(query), chosen(query)
    if found is None or "cell" not in said:
        return ""
    guide = nearest(found[1], [m for m in references(query) if m.cell_id == said["cell"]])
    if guide is None:
        return ""
    same = guide.date == found[1].date and guide.date is not None
    return f"{found[0]}: {said['standard']} of {guide.date or 'unknown date'}" + ("" if same else ", another day")


def corrected(query: Query) -> Items:
    """The normalised spectrum before and after the correction for self-absorption."""
    before = one_processed({**query, "formula": "none"})
    after = one_processed(query) if spectra_recipe.fields(query).get("formula", "none") != "none" else Items()
    named = [replace(i, label=name) for found, name in ((before, "before"), (after, "corrected")) for i in found.shown[:1]]
    return merged(replace(before, shown=tuple(named)), replace(after, shown=()))


def repeated(query: Query) -> Items:
    """Do its scans, unmerged and in their order, drift?"""
    made = one_processed({**query, "merge": "none"})
    item = next(iter(made.shown), None)
    if item is None or item.data.sizes["spectrum"] < REPEATED:
        return replace(made, shown=())
    first, count = row(item), item.data.sizes["spectrum"]
    request = Request(recipe="spectra.repeats", inputs={"spectra": (item.key,)}, params={"chosen": [first + k + 1 for k in range(count)]})
    return merged(replace(made, shown=()), obtained(request, "Repeated scans", lambda key, ds: [replace(item, data=ds, key=key)]))


def has_repeats(query: Query) -> bool:
    found = chosen(query)
    if found is None:
        return False
    store = workspace().store
    return sum(store.open(k).sizes["spectrum"] for k in found[1].dataset_keys) >= REPEATED
