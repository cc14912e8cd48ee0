"""Linear combinations and principal components as the address asks for them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.registry import Labelled
from analysis.core.run import Request
from components.context import workspace
from components.results import merged
from components.spectra_samples import groups
from components.spectra_view import all_references, chosen, everyone, means, obtained, row, state_in
from components.views import Items, Query, listed

LCF_NAMES = {
    "lclow": "low",
    "lchigh": "high",
    "lclargest": "largest",
    "lcshift": "max_shift",
    "lcsum": "sum_to_one",
    "lcbounded": "bounded",
    "lcselect": "selection",
}
PCA_NAMES = {"pclow": "low", "pchigh": "high"}
READS = ("lcu", "lcr", *LCF_NAMES)


def candidates(query: Query) -> Items:
    """All that can be an unknown or a reference: means, samples, standards and reference substances."""
    return merged(means(query), everyone(query), all_references(query))


def unknown(query: Query, known: Sequence[Labelled]) -> Labelled | None:
    """The spectrum that is taken apart: the named one, else the first charged one of the compared group."""
    named = next((i for i in known if i.label == query.get("lcu")), None)
    last = groups(query)[-1:] or ("",)
    charged = next((i for i in known if i.group == last[0] and state_in(i) == "charged"), None)
    return named or charged or (known[0] if known else None)


def reference_names(query: Query, known: Sequence[Labelled]) -> list[str]:
    """The named references; else those of the workspace, or the reference group before and after."""
    labels = list(dict.fromkeys(i.label for i in known))
    wanted = [n for n in listed(query, "lcr") if n in labels]
    if wanted:
        return wanted
    substances = list(dict.fromkeys(i.label for i in known if not i.group))
    first = groups(query)[:1] or ("",)
    ends = [i.label for i in known if i.group == first[0] and i.id == "" and state_in(i) in ("pristine", "charged")]
    return ends if len(ends) > 1 else substances[:6] if len(substances) > 1 else labels[:2]


def fit(query: Query) -> Items:
    """The linear combination fit of one spectrum."""
    known = candidates(query)
    target = unknown(query, known.shown)
    references = _references(query, known.shown, besides=target.label if target else "")
    pending = replace(known, shown=())
    if target is None or len(references) < 2:
        said = ("Linear combination", "Choose at least two references besides the unknown.")
        return replace(pending, problems=(*known.problems, said)) if known.shown else pending
    params = {**_rules(query), "spectrum": row(target) + 1}
    request = _request("spectra.lcf", target.key, references, params)
    return merged(pending, obtained(request, "Linear combination", lambda key, ds: [replace(target, data=ds, key=key)]))


def fits(query: Query) -> Items:
    """The same mixture of every sample that is switched on; an item for each, named as the sample, with its rows of the table."""
    known, samples = candidates(query), chosen(query)
    references = _references(query, known.shown)
    of = {i.label for i in references}
    wanted = [i for i in samples.shown if i.label not in of]
    pending = replace(merged(known, samples), shown=())
    if len(references) < 2 or not wanted:
        return pending
    request = _request("spectra.lcf_table", wanted[0].key, references, {**_rules(query), "unknowns": [row(i) + 1 for i in wanted]})

    def split(key: str, ds: xr.Dataset) -> list[Labelled]:
        names = ds["name"].values.astype(str)
        return [replace(i, data=ds.isel(row=np.flatnonzero(names == i.label)), key=key) for i in wanted if (names == i.label).any()]

    found = obtained(request, "Mixtures of all samples", split)
    refused = [(n, s) for n, s in found.shown[0].data.attrs.get("left_out", ())] if found.shown else []
    return merged(pending, replace(found, problems=(*found.problems, *refused)))


def _references(query: Query, known: Sequence[Labelled], besides: str = "") -> list[Labelled]:
    wanted = [n for n in reference_names(query, known) if n != besides]
    return [next(i for i in known if i.label == n) for n in wanted]


def _rules(query: Query) -> dict[str, Any]:
    return {n: query[q] for q, n in LCF_NAMES.items() if query.get(q)}


def _request(recipe: str, unknown_key: str, references: Sequence[Labelled], params: dict[str, Any]) -> Request:
    keys = tuple(dict.fromkeys(i.key for i in references))
    numbers = [_offset(keys, i.key) + row(i) + 1 for i in references]
    return Request(recipe=recipe, inputs={"unknown": unknown_key, "references": keys}, params={**params, "chosen": numbers})


def _offset(keys: Sequence[str], key: str) -> int:
    """How many spectra stand before those of a dataset, where all are numbered through."""
    store = workspace().store
    return sum(store.open(k).sizes["spectrum"] for k in keys[: keys.index(key)])


def components(query: Query) -> Items:
    """Principal components of the samples that are switched on."""
    found = chosen(query)
    if not found.shown:
        return found
    params = {**{n: query[q] for q, n in PCA_NAMES.items() if query.get(q)}, "chosen": [row(i) + 1 for i in found.shown]}
    origins = {i.origin for i in found.shown}
    origin = "measured" if origins == {"measured"} else "synthetic"
    request = Request(recipe="spectra.pca", inputs={"spectra": (found.shown[0].key,)}, params=params)
    name = f"{len(found.shown)} samples"
    return merged(
        replace(found, shown=()),
        obtained(request, "Principal components", lambda key, ds: [Labelled(ds, label=name, origin=origin, key=key)]),
    )
