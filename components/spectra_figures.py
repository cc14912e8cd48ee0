"""The spectra page's views: each figure, what of the address it reads, and its parameters."""

from typing import Any

from components import spectra_mixtures, spectra_recipe, spectra_samples, spectra_single, spectra_view
from components.spectra_samples import edge
from components.spectra_view import CHOICE, PEAKS, SUBJECTS, drawn_together
from components.views import Query, View, register

WINDOW = ("from", "to", "markers")


def _overlay(query: Query) -> dict[str, Any]:
    inset = edge(query) == "S K" and query.get("inset", "on") == "on"
    made = {
        "quantity": query.get("quantity", "norm"),
        "offset": query.get("offset") or 0.0,
        "offset_by": query.get("apart", "groups"),
        "inset": inset,
        **{n: query[q] for n, q in (("inset_low", "zoom1"), ("inset_high", "zoom2")) if query.get(q)},
    }
    return drawn_together(query, **made)


register(
    View(
        "spectra.overlay",
        "Normalised spectra",
        (*SUBJECTS, *WINDOW, "refs", "quantity", "offset", "apart", "inset", "zoom1", "zoom2"),
        spectra_view.overlaid,
        _overlay,
        hint="Colour: group. Dash: state.",
    ),
    View(
        "spectra.difference",
        "Difference spectra",
        (*SUBJECTS, *WINDOW, "quantity", "diff", "diffshift"),
        spectra_view.differences,
        drawn_together,
    ),
    View(
        "spectra.areas",
        "Peak areas",
        (*CHOICE, *PEAKS, "off"),
        spectra_view.areas,
        lambda q: {"peak": q.get("feature", "")},
        hint="Bars are means over cells, points are samples.",
    ),
    View(
        "spectra.peak_fit",
        "Peak fit",
        (*SUBJECTS, *PEAKS, "sample"),
        spectra_view.fit_of_one,
        hint="Step and baseline, Voigt peaks on them, residual below.",
    ),
    View(
        "spectra.lcf",
        "Linear combination",
        (*CHOICE, "off", *spectra_mixtures.READS),
        spectra_mixtures.fit,
        lambda q: {"markers": spectra_recipe.markers(q)},
        hint="All combinations are fitted; the one that is drawn is as small as the F-test allows.",
    ),
    View("spectra.components", "Principal components", (*CHOICE, "off", *spectra_mixtures.PCA_NAMES), spectra_mixtures.components),
    View("spectra.loadings", "Components as spectra", (*CHOICE, "off", *spectra_mixtures.PCA_NAMES), spectra_mixtures.components),
    View("spectra.edges", "Edge energies", CHOICE, spectra_view.everyone, hint="Its data hold a row for every sample."),
    View(
        "spectra.measured",
        "As measured",
        (*spectra_samples.CHOICE, "one", "taken"),
        spectra_single.measured,
        lambda q: {"taken": spectra_single.taken(q), "points": True},
        hint="With “click takes points out” on, a click takes a point out, another one puts it back.",
    ),
    View("spectra.lines", "Pre-edge, post-edge, E0", (*CHOICE, "one"), spectra_single.one_processed),
    View("spectra.standards", "Standards as measured", CHOICE, spectra_single.standard, spectra_single.standard_params),
    View("spectra.corrected", "Self-absorption", (*CHOICE, "one"), spectra_single.corrected, spectra_view.window),
    View("spectra.scans", "Repeated scans", (*CHOICE, "one"), spectra_single.repeated),
)
