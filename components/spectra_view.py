"""What stands behind the spectra page's figures: results of few requests, taken apart into samples and groups.

files → processed spectra (one recipe, one result) → means over cells → differences, peaks, mixtures, components
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.catalog import MeasurementRecord
from analysis.core.data import warnings_of
from analysis.core.errors import ParamError, UserError
from analysis.core.registry import Labelled
from analysis.core.run import Request
from analysis.spectra.curves import picked
from analysis.spectra.figures_base import STATE_MARK, is_mean
from analysis.spectra.peaks import PeaksParams
from components import spectra_recipe, spectra_samples
from components.context import workspace
from components.results import merged, obtain
from components.spectra_samples import STATES, edge, groups, label, references, samples, state_of
from components.views import Items, Query, listed

CHOICE = (*spectra_samples.CHOICE, *spectra_recipe.READS)
SUBJECTS = (*CHOICE, "off", "curves")
RANGES = {"S K": (2466.0, 2485.0), "Ni K": (8320.0, 8380.0)}  # eV, where a comparison looks first


def obtained(request: Request, title: str, split: Callable[[str, xr.Dataset], Sequence[Labelled]]) -> Items:
    """What a result holds, the job that makes it, or why there is none."""
    try:
        key, status = obtain(request, title=title)
        if status is not None and status.state == "done":
            key = workspace().ready(request)
    except UserError as err:
        return Items(problems=((title, str(err)),))
    if key is not None:
        return Items(shown=tuple(split(key, workspace().store.open(key))))
    if status is not None and status.active:
        return Items(waiting=(status,))
    if status is not None:
        return Items(problems=((title, f"{status.message} {status.hint}".strip()),), failed=(status.key,))
    return Items()


# processed spectra ----------------------------------------------------------------------------------------------------------------


def processed(query: Query, measurements: Sequence[MeasurementRecord]) -> Items:
    """The processed spectra of some measurements; those that were refused are problems, not holes."""
    if not measurements:
        return Items()
    names = labels(measurements)
    by_name = dict(zip(names, measurements, strict=True))
    refused: list[tuple[str, str]] = []

    def split(key: str, ds: xr.Dataset) -> list[Labelled]:
        refused.extend((str(name), str(sentence)) for name, sentence in ds.attrs.get("left_out", ()))
        return [item for name, m in by_name.items() for item in _of_sample(ds, key, name, m)]

    try:
        found = obtained(spectra_recipe.request(query, measurements, names), "Processing of spectra", split)
    except UserError as err:
        return Items(problems=(("Processing of spectra", str(err)),))
    return replace(found, problems=(*found.problems, *refused))


def labels(measurements: Sequence[MeasurementRecord]) -> list[str]:
    return [label(m, measurements) for m in measurements]


def _of_sample(ds: xr.Dataset, key: str, name: str, m: MeasurementRecord) -> list[Labelled]:
    """The spectra of one sample, together in one item."""
    places = np.flatnonzero(ds["sample"].values.astype(str) == name)
    if not places.size:
        return []
    return [Labelled(picked(ds, places.tolist()), label=name, group=m.group or "", origin=m.origin, key=key, id=str(m.cell_id))]


def everyone(query: Query) -> Items:
    """The processed spectra of the chosen groups' samples, whether they are switched off or not."""
    return processed(query, samples(query))


def switched_on(items: Items, query: Query) -> Items:
    gone = set(listed(query, "off"))
    return replace(items, shown=tuple(i for i in items.shown if i.id not in gone))


def chosen(query: Query) -> Items:
    """The processed spectra of the samples that are switched on."""
    return switched_on(everyone(query), query)


def means(query: Query) -> Items:
    """The mean over cells of each group in each state."""
    each = everyone(query)
    if not each.shown:
        return each
    gone = set(listed(query, "off"))
    key = each.shown[0].key
    by_sample = {i.label: i for i in each.shown}
    names = workspace().store.open(key)["sample"].values.astype(str).tolist()
    members = [by_sample.get(n) for n in names]
    sets = ["" if i is None or i.id in gone else set_of(i) for i in members]
    if not any(sets):
        return replace(each, shown=())
    params = {"sets": sets, "cells": [i.id if i else "" for i in members]}

    def split(made: str, ds: xr.Dataset) -> list[Labelled]:
        own = [i for i, s in zip(members, sets, strict=True) if i is not None and s]
        return sorted((_mean(ds, made, k, own) for k in range(ds.sizes["spectrum"])), key=_order(query))

    found = obtained(Request(recipe="spectra.mean", inputs={"spectra": (key,)}, params=params), "Means over samples", split)
    return merged(replace(each, shown=()), found)


def set_of(item: Labelled) -> str:
    """The name of the mean that a sample goes into: its group and state."""
    state = state_in(item)
    return f"{item.group}{STATE_MARK}{state}" if state else item.group


def _mean(ds: xr.Dataset, key: str, k: int, members: Sequence[Labelled]) -> Labelled:
    name = str(ds["name"].values[k])
    own = [i for i in members if set_of(i) == name]
    origin = "measured" if {i.origin for i in own} == {"measured"} else "synthetic"  # what is made of both is not measured
    return Labelled(picked(ds, [k]), label=name, group=own[0].group, origin=origin, key=key)


def _order(query: Query) -> Callable[[Labelled], tuple[int, int]]:
    wanted = groups(query)
    return lambda i: (wanted.index(i.group) if i.group in wanted else len(wanted), place(state_in(i)))


def state_in(item: Labelled) -> str:
    return item.label.rpartition(STATE_MARK)[2] if STATE_MARK in item.label else ""


def place(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def shows_means(query: Query) -> bool:
    """Whether means stand for their samples: as chosen, else where a group has several cells in one state."""
    if query.get("curves") in ("means", "both"):
        return True
    found = [(m.group, state_of(m)) for m in samples(query)]
    return query.get("curves", "auto") == "auto" and len(found) > len(set(found))


def subjects(query: Query) -> Items:
    """What a comparison is made of: means over cells, or every sample."""
    return means(query) if shows_means(query) else chosen(query)


def overlaid(query: Query) -> Items:
    """Subjects, the samples behind their means, and references that were asked for."""
    behind = chosen(query) if query.get("curves") == "both" else Items()
    return merged(behind, subjects(query), beside(query))


def beside(query: Query) -> Items:
    """Standards and reference substances that were asked for, in no group's colour."""
    return _plain(processed(query, [m for m in references(query) if str(m.id) in listed(query, "refs")]))


def all_references(query: Query) -> Items:
    return _plain(processed(query, references(query)))


def _plain(items: Items) -> Items:
    return replace(items, shown=tuple(replace(i, group="", id="") for i in items.shown))


# differences ----------------------------------------------------------------------------------------------------------------------


def difference_modes(query: Query) -> list[tuple[str, str]]:
    """References that a difference can be taken against, by value of the address and as printed."""
    found = samples(query)
    present = list(dict.fromkeys(map(state_of, found)))
    modes = [("group", f"{groups(query)[0]}, same state")] if len(groups(query)) > 1 else []
    modes += [(f"state:{s}", f"{s}, same group") for s in STATES if s in present and len(present) > 1]
    return [*modes, *((f"m{m.id}", name) for m, name in zip(found, labels(found), strict=True))]


def difference_mode(query: Query) -> str:
    known = [v for v, _ in difference_modes(query)]
    return query["diff"] if query.get("diff") in known else next(iter(known), "")


def differences(query: Query) -> Items:
    """Every subject minus its reference."""
    main, mode = subjects(query), difference_mode(query)
    against = everyone(query) if mode.startswith("m") else means(query)
    pairs = [(i, r) for i in main.shown if (r := _reference(i, mode, against.shown, query)) is not None]
    pending = replace(main, shown=())
    if not pairs:
        nothing = ("Difference", "There is nothing to subtract here: choose another reference.")
        return replace(pending, problems=(*main.problems, nothing)) if main.shown else pending
    params: dict[str, Any] = {
        "chosen": [row(i) + 1 for i, _ in pairs],
        "against": [row(r) + 1 for _, r in pairs],
        "names": [i.label for i, _ in pairs],
        "flattened": query.get("quantity") == "flat",
        "max_shift": 0.3 if query.get("diffshift") == "fit" else 0.0,
    }
    inputs = {"spectra": (main.shown[0].key,), "reference": against.shown[0].key}

    def split(key: str, ds: xr.Dataset) -> list[Labelled]:
        return [replace(i, data=_referred(picked(ds, [k])), key=key) for k, (i, _) in enumerate(pairs)]

    return merged(pending, obtained(Request(recipe="spectra.difference", inputs=inputs, params=params), "Difference spectra", split))


def _referred(ds: xr.Dataset) -> xr.Dataset:
    """A difference that says its own reference only."""
    return ds.assign_attrs(reference=str(ds["reference_name"].values[0]))


def row(item: Labelled) -> int:
    """The place of an item's first spectrum in the stored result."""
    names = workspace().store.open(item.key)["name"].values.astype(str).tolist()
    return names.index(str(item.data["name"].values[0]))


def _reference(item: Labelled, mode: str, against: Sequence[Labelled], query: Query) -> Labelled | None:
    """What an item is compared with; None where that is itself or not there."""
    if mode.startswith("m"):
        found = samples(query)
        wanted = next((name for m, name in zip(found, labels(found), strict=True) if f"m{m.id}" == mode), None)
        return next((i for i in against if i.label == wanted and i.label != item.label), None)
    group, state = (groups(query)[0], state_in(item)) if mode == "group" else (item.group, mode.partition(":")[2])
    if (item.group, state_in(item)) == (group, state):
        return None
    return next((i for i in against if i.group == group and state_in(i) == state), None)


# peaks ----------------------------------------------------------------------------------------------------------------------------

PEAK_FIELDS = ("peaks", "low", "high", "freedom", "gamma", "step", "step_center", "step_freedom", "step_width", "baseline")
PEAK_NAMES = {f"pk{n}": n for n in PEAK_FIELDS}  # of the address, and of the recipe
PEAKS = (*PEAK_NAMES, "feature")
FEATURE = "P–Sx–P"


def peak_names(query: Query) -> list[str]:
    """Names of the peaks in the model; none where the model cannot be had."""
    try:
        return list(PeaksParams.check(peak_params(query)).model().names)
    except UserError:
        return []


def peak_params(query: Query) -> dict[str, Any]:
    """The peak model; the preset is that of S K, for other edges peaks must be named."""
    given: dict[str, Any] = {n: query[q] for q, n in PEAK_NAMES.items() if query.get(q)}
    if "peaks" in given:
        given["peaks"] = listed(query, "pkpeaks")
    if edge(query) != "S K" and "peaks" not in given:
        raise ParamError(f"No peaks are preset for {edge(query)}.", hint="Name them on the Peaks tab, as name@energy.")
    return {**given, **({"feature": query["feature"]} if query.get("feature") else {})}


def fitted(query: Query, source: Items) -> Items:
    """The peak fits of some processed spectra or means, one item each."""
    if not source.shown:
        return source
    try:
        request = Request(recipe="spectra.peaks", inputs={"spectra": (source.shown[0].key,)}, params=peak_params(query))
    except UserError as err:
        return replace(source, shown=(), problems=(*source.problems, ("Peaks", str(err))))
    said: list[tuple[str, str]] = []

    def split(key: str, ds: xr.Dataset) -> list[Labelled]:
        names = ds["name"].values.astype(str).tolist()
        said.extend(("Peaks", w) for w in warnings_of(ds) if w.startswith("Left out:"))
        own = ((i, [names.index(n) for n in i.data["name"].values.astype(str) if n in names]) for i in source.shown)
        return [replace(i, data=picked(ds, places), key=key) for i, places in own if places]

    found = merged(replace(source, shown=()), obtained(request, "Peak fits", split))
    return replace(found, problems=(*found.problems, *said))


def areas(query: Query) -> Items:
    """The peak fits of the samples that are switched on."""
    return switched_on(fitted(query, everyone(query)), query)


def one_of(query: Query, name: str = "sample") -> tuple[Items, list[str]]:
    """The sample or mean that the address names (else the first subject), alone, and the names of all that could be."""
    averaged, each = means(query), everyone(query)
    known = {i.label: i for i in (*averaged.shown, *each.shown)}
    first = subjects(query).shown
    wanted = known.get(query.get(name, "")) or (first[0] if first else None)
    found = merged(replace(averaged, shown=()), replace(each, shown=()))
    return replace(found, shown=(wanted,) if wanted else ()), list(known)


def fit_of_one(query: Query) -> Items:
    """The peak fit of one sample, out of that of all samples; or of one mean, out of that of all means."""
    one, _ = one_of(query)
    if not one.shown:
        return one
    source = means(query) if is_mean(one.shown[0]) else everyone(query)
    found = fitted(query, source)
    return replace(found, shown=tuple(i for i in found.shown if i.label == one.shown[0].label))


# what is shown --------------------------------------------------------------------------------------------------------------------


def window(query: Query) -> dict[str, Any]:
    """The energies that are shown."""
    low, high = RANGES.get(edge(query), (None, None))
    given = {"low": query.get("from") or low, "high": query.get("to") or high}
    return {k: v for k, v in given.items() if v is not None}


def drawn_together(query: Query, **more: Any) -> dict[str, Any]:
    """Parameters of every figure with an energy axis: its range and the marker lines."""
    return {**window(query), "markers": spectra_recipe.markers(query), **more}
