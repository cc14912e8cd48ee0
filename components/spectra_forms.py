"""Forms of the spectra page: the peak model, the mixture, the recipe of processing; every field lives in the address."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.params import Params
from analysis.spectra.lcf import LcfParams
from analysis.spectra.normalising import PRESETS
from analysis.spectra.pca import PcaParams
from analysis.spectra.peaks import S_K_PEAKS, PeaksParams
from analysis.spectra.processing import ProcessParams
from components import spectra_recipe
from components.address import control
from components.controls import picker
from components.spectra_controls import number, text
from components.spectra_samples import edge
from components.views import Query, listed

RECIPE_PICK, RECIPE_NAME, RECIPE_SAVE, RECIPE_REMOVE, RECIPE_SAID = (
    f"spectra-recipe-{n}" for n in ("pick", "name", "save", "remove", "said")
)


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
        className="all-fields",
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
            picker("pkstep", query, steps, "Step", default="fit", width=104, above=True),
            *numbers_of(
                PeaksParams,
                query,
                (
                    ("pkstep_center", "step_center", "Centre"),
                    ("pkstep_freedom", "step_freedom", "Centre ±"),
                    ("pkstep_width", "step_width", "Width"),
                ),
            ),
            picker("pkbaseline", query, background, "Baseline", default="constant", width=104, above=True),
        ),
    )


def mixture(query: Query, names: Sequence[str], unknown: str, references: Sequence[str]) -> Component:
    """What is taken apart, by what, and the rules of the fit."""
    options = [{"value": n, "label": n} for n in names]
    target = dmc.Select(
        id=control("lcu", ""), data=options, value=unknown, label="Unknown", size="xs", className="all-fields", allowDeselect=False
    )
    given = dmc.MultiSelect(
        id=control("lcr", ""),
        data=options,
        value=list(references),
        label="References",
        size="xs",
        className="all-fields",
        maxValues=14,
        searchable=True,
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
            picker("lcsum", query, yes, "Sum to one", default="true", width=84, above=True),
            picker("lcbounded", query, yes, "Not negative", default="true", width=92, above=True),
            picker("lcselect", query, selections, "Reported fit", default="f_test", width=150, above=True),
        ),
        section("Components", *numbers_of(PcaParams, query, (("pclow", "low", "From E0"), ("pchigh", "high", "To E0")))),
    )


INTERFERENCE = (("", "as the recipe"), ("fit", "fitted, taken off"), ("mask", "masked"), ("ignore", "ignored"))
ORDERS = (("", "as the recipe"), ("0", "constant"), ("1", "linear"), ("2", "quadratic"), ("3", "cubic"))
SCALES = (("", "as the recipe"), ("step", "edge step"), ("area", "area"))
ALIGN = (("", "as the recipe"), ("none", "not"), ("spectrum", "by themselves"), ("foil", "by the foil"))
MERGE = (("", "as the recipe"), ("none", "kept apart"), ("equal", "equal weights"), ("noise", "by noise"))
REBIN = (("", "as the recipe"), ("none", "no"), ("edge", "around the edge"))
FEATURES = (("", "its own"), ("white_line", "first maximum"), ("max_slope", "steepest rise"))


def processing(query: Query) -> Component:
    """The recipe: calibration, normalisation, other steps; saved by name."""
    return form(
        "Recipe for all spectra",
        _recipes(query),
        section(
            "Energies calibrated on",
            html.Div(_calibrators(query), className="all-fields"),
            picker("calfeature", query, FEATURES, "Feature", default="", width=118, above=True),
            number("calenergy", query, "Assigned", unit="eV", placeholder=_assigned(query), width=108),
        ),
        section(
            "Normalise (ranges relative to E0)",
            *_numbers(query, (("e0", "E0"), ("pre1", "Pre from"), ("pre2", "Pre to"), ("norm1", "Post from"), ("norm2", "Post to"))),
            picker("order", query, ORDERS, "Post-edge", default="", width=116, above=True),
            picker("scale", query, SCALES, "Divide by", default="", width=116, above=True),
            *_numbers(query, (("area1", "Area from"), ("area2", "Area to"))),
            picker("interference", query, INTERFERENCE, "Step of Nb L2", default="", width=134, above=True),
            *_numbers(query, (("interference_energy", "at"), ("victoreen", "Victoreen"))),
        ),
        section(
            "Scans of one sample",
            picker("align", query, ALIGN, "Aligned", default="", width=116, above=True),
            picker("merge", query, MERGE, "Merged", default="", width=116, above=True),
            picker("rebin", query, REBIN, "Rebinned", default="", width=124, above=True),
            *_numbers(query, (("step_before", "Before"), ("step_edge", "Edge"), ("step_k", "k"))),
        ),
        section(
            "Self-absorption of thick samples",
            text(
                "formula", query, "Formula (blank: none)", placeholder=spectra_recipe.stands_for(query, "formula") or "Li6PS5Cl", width=170
            ),
            *_numbers(query, (("angle_in", "Beam"), ("angle_out", "Detector"))),
        ),
    )


def _calibrators(query: Query) -> Component:
    """Names of standards are long: they have a row of their own."""
    known = spectra_recipe.calibrators(query)
    return picker("cal", query, known, "Standard, foil or template", default="auto", width="100%", above=True)


def _numbers(query: Query, names: Sequence[tuple[str, str]]) -> list[Component]:
    """Fields of the recipe, with what it has for them in grey."""
    made = []
    for name, label in names:
        unit = unit_of(ProcessParams, name)
        short = {"degree": "°", "1/angstrom": "Å⁻¹"}.get(unit, unit)
        tip = ProcessParams.model_fields[name].title or label
        made.append(number(name, query, label, unit=short, placeholder=spectra_recipe.stands_for(query, name), tip=tip, width=88))
    return made


def _assigned(query: Query) -> str:
    found = spectra_recipe.calibration({**query, "calenergy": ""}).get("assigned")
    return f"{float(found):g}" if found else ""


def _recipes(query: Query) -> Component:
    """Presets and saved recipes; a name and a button keep the present one."""
    own = [n for n, r in spectra_recipe.saved().items() if r.get("edge") == edge(query)]
    names = [*PRESETS, *own]
    pick = dmc.Select(
        id=RECIPE_PICK,
        data=[{"value": n, "label": n} for n in names],
        value=spectra_recipe.chosen(query),
        label="Recipe",
        size="xs",
        w=128,
        allowDeselect=False,
    )
    name = dmc.TextInput(id=RECIPE_NAME, label="Save as", placeholder="name", size="xs", className="two-fields")
    save = dmc.Button("Save", id=RECIPE_SAVE, size="xs", variant="default", n_clicks=0)
    is_own = spectra_recipe.chosen(query) in own
    remove = dmc.Button("Remove", id=RECIPE_REMOVE, size="xs", variant="subtle", color="red", n_clicks=0, disabled=not is_own)
    buttons = html.Div([save, remove], className="all-fields")
    return section("Saved with the workspace", pick, name, buttons, html.Div(id=RECIPE_SAID, className="said"))
