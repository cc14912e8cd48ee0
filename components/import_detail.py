"""The open file: how its data look, how it was read, and everything else that can be said about it."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from analysis.core.hashing import json_digest
from analysis.core.style import Style
from analysis.inspection import Found
from analysis.staging import printed_bytes
from components import import_options
from components.card import CONFIG
from components.context import style, workspace
from components.import_form import BUILD, MASSES, PARTICLE_SAMPLE, SAMPLE, SAMPLE_MORE, effective, said
from components.import_inputs import entry, field_id
from components.import_rows import ACT, action_id, printed_duration
from components.import_work import Lot
from components.pressed import into

AXES = {"voltage": "Voltage / V", "current": "Current / mA"}
SCALE = {"voltage": 1.0, "current": 1000.0}
HOUR_S = 3600.0
FEW = 12  # points that are drawn as points
MOST_NAMED = 6  # curves in a legend


def nothing() -> Component:
    """What stands here before a file is open."""
    return html.Div(dmc.Text("Choose a file of the list to see it.", size="sm", c="dimmed"), className="detail-empty")


def detail(lot: Lot, place: int = 0) -> Component:
    """One part of a lot, with the form of the whole lot."""
    part, found = lot.parts[place], lot.found[place]
    is_many = lot.is_series and len(lot.parts) > 1
    title = f"{part.name} and {len(lot.parts) - 1} more" if is_many else part.name
    size = printed_bytes(sum(p.size for p in lot.parts) if is_many else part.size)
    head = html.Div([html.H2(title, className="card-title"), dmc.Text(size, size="xs", c="dimmed")], className="card-head")
    body: list[Component] = []
    if found is not None and (found.picture or found.curves or found.image):
        body.append(_shown(found, part.sid))
    if found is not None:
        body.append(_facts(found, str(part.path) if part.referenced else ""))
        body += [html.P(w, className="detail-warning") for w in found.warnings[:6]]
        body += [html.P(found.note, className="detail-note")] if found.note and found.kind == "data" else []
    reader = import_options.reader_of(lot)
    if lot.takes_words:
        body += [_reading(lot, found), *([import_options.panel(lot, reader)] if reader is not None else [])]
        body += [*([_members(lot)] if is_many else []), *_form(lot)]
    return html.Div([head, html.Div(body, className="detail-body")])


def _shown(found: Found, sid: str) -> Component:
    """A record's curves, or the picture of images beside the curves that go with it."""
    config = {**CONFIG, "displayModeBar": False}
    if found.picture:
        return dcc.Graph(figure=picture(found, style()), config=config, className="detail-graph")
    made: list[Component] = []
    if found.image:
        address = f"/uploads/{sid}/picture.png?{json_digest(found.asked)[:10]}"
        made.append(html.Figure([html.Img(src=address, alt=found.image), html.Figcaption(found.image)], className="detail-picture"))
    if any(len(x) > 1 for _, x, _ in found.curves):
        made.append(dcc.Graph(figure=curves(found, style()), config=config, className="detail-curves"))
    return html.Div(made, className="detail-shown")


def curves(found: Found, look: Style) -> dict[str, Any]:
    """Spectra over one another."""
    colours = (look.ink, *look.template()["layout"]["colorway"]) if len(found.curves) > 1 else (look.ink,)
    traces = [
        {
            "type": "scatter",
            "mode": "lines" if len(x) > FEW else "lines+markers",
            "x": x,
            "y": y,
            "name": name,
            "line": {"width": 1.2, "color": colours[i % len(colours)]},
            "hovertemplate": "%{y:.4g} at %{x:.1f} eV<extra>%{fullData.name}</extra>",
        }
        for i, (name, x, y) in enumerate(found.curves)
    ]
    axes = {
        "xaxis": {"title": {"text": found.axes[0]}, "tickformat": ".0f", "separatethousands": False, "nticks": 5},
        "yaxis": {"title": {"text": found.axes[1]}, "nticks": 5},
    }
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 10}}
    margin = {"l": 52, "r": 10, "t": 8 if len(traces) == 1 else 40, "b": 38}
    layout = {"template": look.template(), "showlegend": 1 < len(traces) <= MOST_NAMED, "legend": legend, "margin": margin, "height": 220}
    return {"data": traces, "layout": {**layout, **axes}}


def _members(lot: Lot) -> Component:
    """The files of a series, each of which can be left out."""
    lines = [
        html.Div(
            [
                html.Span(p.name, className="member-name", title=p.name),
                html.Button(
                    "✕",
                    id=action_id("leave", p.sid),
                    className="tiny",
                    title="Leave out",
                    **{"aria-label": f"Leave {p.name} out", **into(ACT)},
                ),
            ],
            className="member",
        )
        for p in lot.parts
    ]
    beside = [html.Div([html.Span(h.name, className="member-name"), " beside"], className="member") for h in lot.helpers]
    return html.Details([html.Summary(f"Its {len(lot.parts)} files"), html.Div([*lines, *beside], className="members")])


def picture(found: Found, look: Style) -> dict[str, Any]:
    """Voltage above current against time, decimated."""
    names = [n for n in AXES if n in found.picture]
    unit, factor = _time_unit(found)
    traces, layout = [], {"template": look.template(), "showlegend": False, "margin": {"l": 58, "r": 10, "t": 8, "b": 38}, "height": 250}
    for i, name in enumerate(names):
        curve = found.picture[name]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [None if v is None else v / factor for v in curve["x"]],
                "y": [None if v is None else v * SCALE[name] for v in curve["y"]],
                "line": {"width": 1.2, "color": look.ink if name == "voltage" else look.muted},
                "xaxis": "x",
                "yaxis": f"y{i + 1 if i else ''}",
                "hovertemplate": f"%{{y:.4g}} {AXES[name].rpartition('/ ')[2]} at %{{x:.4g}} {unit}<extra></extra>",
            }
        )
        low, high = (0.0, 1.0) if len(names) == 1 else ((0.40, 1.0) if i == 0 else (0.0, 0.32))
        layout[f"yaxis{i + 1 if i else ''}"] = {"title": {"text": AXES[name]}, "domain": [low, high], "nticks": 5 if i == 0 else 3}
    layout["xaxis"] = {"title": {"text": f"Time / {unit}"}, "anchor": "y2" if len(names) > 1 else "y"}
    return {"data": traces, "layout": layout}


def _time_unit(found: Found) -> tuple[str, float]:
    low, high = found.ranges.get("time", (0.0, 0.0))
    return ("h", HOUR_S) if high - low >= HOUR_S else ("s", 1.0)


def _facts(found: Found, place: str) -> Component:
    rows = [
        ("Format", found.title),
        ("Instrument", found.instrument),
        ("Started", found.start_time[:19].replace("T", " ")),
        ("Lies at", place),
    ]
    rows += list(found.facts.items())
    if found.kind == "data" and not found.facts:
        rows.append(("Rows", f"{found.rows:,}".replace(",", " ")))
    for name, (low, high) in found.ranges.items():
        words = printed_duration(high - low) if name == "time" else f"{low * SCALE[name]:.5g} … {high * SCALE[name]:.5g}".replace("-", "−")
        rows.append(("Duration" if name == "time" else AXES[name], words))
    stated = found.stated.get("active_mass_mg")
    if stated:
        rows.append(("Mass in the file", f"{stated:.5g} mg"))
    if found.lacks:
        rows.append(("Does not say", f"{', '.join(found.lacks)}"))
    made = [html.Tr([html.Th(n, scope="row"), html.Td(v)]) for n, v in rows if v]
    return html.Table(html.Tbody(made), className="facts")


def _reading(lot: Lot, found: Found | None) -> Component:
    """Which reader, and what else can be done with the whole."""
    if found is None or not found.candidates:
        return html.Div()
    chosen = lot.parts[0].form.get("reader") or found.reader
    buttons: list[Component] = []
    if found.modality == "cycling" and any(i == "cycling.generic" for i, _ in found.candidates):
        buttons.append(_button("map", lot, "Columns…"))
    if found.stated.get("active_mass_mg"):
        buttons.append(_button("stated", lot, f"Take {found.stated['active_mass_mg']:.5g} mg as active mass"))
    if len(lot.parts) > 1:
        buttons += [] if lot.is_series else [_button("sort", lot, "Sort by start")]
        buttons.append(_button("split", lot, "Separate the parts"))
    select = dmc.Select(
        id=field_id(lot.sid, "reader"),
        value=chosen,
        data=[{"value": i, "label": t} for i, t in found.candidates],
        label="Read as",
        size="xs",
        allowDeselect=False,
        w=230,
    )
    return html.Div([select, *buttons], className="detail-reading")


def _button(action: str, lot: Lot, label: str) -> Component:
    return dmc.Button(label, id=action_id(action, lot.sid), size="xs", variant="default", **into(ACT))


def _form(lot: Lot) -> list[Component]:
    fields = said(lot.parts[0])
    known, cell = effective(fields, workspace().snapshot().cells)
    kept: Mapping[str, Any] = cell if known else {}

    def inputs(names: tuple[str, ...]) -> Component:
        made = []
        for field in names:
            kind, _, name = field.partition(".")
            before = kept.get(name) if kind == "cell" and fields.get(field) in (None, "") else None
            made.append(entry(field_id(lot.sid, field), field, fields.get(field), placeholder="" if before is None else str(before)))
        return html.Div(made, className="detail-fields")

    about = f"Cell {known.name} is known; blanks keep what is recorded (shown in grey)." if known else ""
    sample = html.Div([inputs((*SAMPLE, *SAMPLE_MORE))])
    found = lot.found[0]
    is_cycling = found is None or found.modality in ("", "cycling")
    first = [inputs(MASSES)] if is_cycling else [inputs(PARTICLE_SAMPLE)]
    rest = (
        sample if is_cycling else html.Div([inputs(tuple(f for f in (*SAMPLE, *SAMPLE_MORE) if f not in PARTICLE_SAMPLE)), inputs(MASSES)])
    )
    return [
        *([html.P(about, className="detail-note")] if about else []),
        *first,
        html.Details([html.Summary("Test, state, cycle, particle, notes" if is_cycling else "Test, date, notes, masses"), rest]),
        html.Details([html.Summary("How the cell was built and cycled"), inputs(BUILD)]),
    ]
