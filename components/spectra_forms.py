"""Forms of the spectra page: the peak model, the mixture, the recipe of processing; every field lives in the address."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.params import Params
from analysis.spectra.lcf import LcfParams
from analysis.spectra.pca import PcaParams
from analysis.spectra.peaks import S_K_PEAKS, PeaksParams
from components.address import control
from components.spectra_controls import labelled, number
from components.spectra_samples import edge
from components.views import Query, listed


def section(title: str, *fields: Component) -> Component:
    return html.Fieldset([html.Legend(title), html.Div(list(fields), className="fields")], className="form-section")


def form(title: str, *sections: Component) -> Component:
    """A card of fields beside the figures that they change."""
    return html.Section(
        [html.Div(html.H2(title, className="card-title"), className="card-head"), html.Div(list(sections), className="form scroll")],
        className="card",
        **{"aria-label": title},
    )


def default_of(params: type[Params], name: str) -> str:
    """What stands in grey where nothing is given."""
    value = params.model_fields[name].default
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def unit_of(params: type[Params], name: str) -> str:
    extra = params.model_fields[name].json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def numbers_of(params: type[Params], query: Query, names: Sequence[tuple[str, str, str]]) -> list[Component]:
    """Number fields: name in the address, field of the parameters, label."""
    return [
        number(
            place,
            query,
            label,
            unit=unit_of(params, field),
            placeholder=default_of(params, field),
            tip=params.model_fields[field].title or label,
        )
        for place, field, label in names
    ]


def peaks(query: Query) -> Component:
    """The model of the peak fits, the same for all samples."""
    preset = S_K_PEAKS if edge(query) == "S K" else ()
    tags = dmc.TagsInput(
        id=control("pkpeaks", preset),
        value=listed(query, "pkpeaks", ",".join(preset)),
        label="Peaks: name@energy (name~@energy: broad)",
        size="xs",
        w="100%",
        clearable=False,
    )
    background = (("constant", "constant"), ("none", "none"), ("linear", "linear"))
    steps = (("fit", "arctangent"), ("none", "none"))
    return form(
        "Model",
        section("Peaks", tags, *numbers_of(PeaksParams, query, (("pklow", "low", "From"), ("pkhigh", "high", "To")))),
        section(
            "Shape",
            *numbers_of(PeaksParams, query, (("pkfreedom", "freedom", "Centres ±"), ("pkgamma", "gamma", "γ"))),
        ),
        section(
            "Background",
            labelled("pkstep", query, "fit", steps, "Step", 104),
            *numbers_of(
                PeaksParams,
                query,
                (
                    ("pkstep_center", "step_center", "Centre"),
                    ("pkstep_freedom", "step_freedom", "Centre ±"),
                    ("pkstep_width", "step_width", "Width"),
                ),
            ),
            labelled("pkbaseline", query, "constant", background, "Baseline", 104),
        ),
    )


def mixture(query: Query, names: Sequence[str], unknown: str, references: Sequence[str]) -> Component:
    """What is taken apart, by what, and the rules of the fit."""
    options = [{"value": n, "label": n} for n in names]
    target = dmc.Select(id=control("lcu", ""), data=options, value=unknown, label="Unknown", size="xs", w="100%", allowDeselect=False)
    given = dmc.MultiSelect(
        id=control("lcr", ""), data=options, value=list(references), label="References", size="xs", w="100%", maxValues=14, searchable=True
    )
    yes = (("true", "yes"), ("false", "no"))
    selections = (("f_test", "smallest by F-test"), ("best", "best"))
    fields = (
        ("lclow", "low", "From E0"),
        ("lchigh", "high", "To E0"),
        ("lclargest", "largest", "At most"),
        ("lcshift", "max_shift", "Shift ±"),
    )
    return form(
        "Mixture",
        section("Spectra", target, given),
        section(
            "Fit",
            *numbers_of(LcfParams, query, fields),
            labelled("lcsum", query, "true", yes, "Sum to one", 84),
            labelled("lcbounded", query, "true", yes, "Not negative", 92),
            labelled("lcselect", query, "f_test", selections, "Reported fit", 150),
        ),
        section("Components", *numbers_of(PcaParams, query, (("pclow", "low", "From E0"), ("pchigh", "high", "To E0")))),
    )
