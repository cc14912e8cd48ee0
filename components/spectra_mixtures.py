"""Linear combinations and principal components as the address asks for them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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
    wanted = [n for n in reference_names(query, known.shown) if target is None or n != target.label]
    references = [next(i for i in known.shown if i.label == n) for n in wanted]
    pending = replace(known, shown=())
    if target is None or len(references) < 2:
        said = ("Linear combination", "Choose at least two references besides the unknown.")
        return replace(pending, problems=(*known.problems, said)) if known.shown else pending
    keys = tuple(dict.fromkeys(i.key for i in references))
    params: dict[str, Any] = {
        **{n: query[q] for q, n in LCF_NAMES.items() if query.get(q)},
        "spectrum": row(target) + 1,
        "chosen": [_offset(keys, i.key) + row(i) + 1 for i in references],
    }
    request = Request(recipe="spectra.lcf", inputs={"unknown": target.key, "references": keys}, params=params)
    return merged(pending, obtained(request, "Linear combination", lambda key, ds: [replace(target, data=ds, key=key)]))


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
