"""The list of waiting files: a row each, with what was recognised, what must be said, and where it stands."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Patch, dcc, html
from dash.development.base_component import Component

from analysis.inspection import Found
from analysis.staging import Staged, printed_bytes
from components import import_options, import_work
from components.address import href
from components.context import workspace
from components.icons import icon
from components.import_form import PARTICLE_ROW, ROW, WITH_PARTICLES, effective, said
from components.import_inputs import entry, field_id, titled
from components.import_work import Lot
from components.job_panel import CANCEL, cancel_id
from components.pressed import into

HINTS = {"particle.name": "particle", "cell.active_mass_mg": "mg"}  # where nothing is known yet
NO_BREAK = "\u00a0"
COLOURS = {"ready": "teal", "done": "teal", "problem": "red", "known": "orange", "wrong": "red"}


ACT = "import-act"  # where presses of these buttons are noted


def action_id(action: Any, sid: Any) -> dict[str, Any]:
    """Id of a button that does something with a waiting file, or with the list (``sid`` is then "")."""
    return {"part": "import-action", "action": action, "sid": sid}


def tick_id(sid: Any) -> dict[str, Any]:
    return {"part": "import-tick", "sid": sid}


def open_id(sid: Any) -> dict[str, Any]:
    return {"part": "import-open", "sid": sid}


def state_id(sid: Any) -> dict[str, Any]:
    return {"part": "import-state", "sid": sid}


def words_id(sid: Any) -> dict[str, Any]:
    return {"part": "import-words", "sid": sid}


def facts_id(sid: Any) -> dict[str, Any]:
    return {"part": "import-facts", "sid": sid}


def mark_id(sid: Any) -> dict[str, Any]:
    return {"part": "import-mark", "sid": sid}


def saved_id(sid: Any) -> dict[str, Any]:
    return {"part": "import-saved", "sid": sid}


def table(lots: Sequence[Lot]) -> list[Component]:
    """Head and rows; nothing where nothing waits."""
    if not lots:
        return []
    every = dmc.Checkbox(id="import-tick-all", checked=False, size="xs", **{"aria-label": "Tick all files"})
    heads = [html.Span(h) for h in ("File", *(titled(f) for f in ROW[:-1]), "Mass or particle", "State", "")]
    return [html.Div([every, *heads], className="lot-head"), *(row(lot) for lot in lots)]


def changes(before: Mapping[str, str], lots: Sequence[Lot], ticked: Collection[str]) -> Any:
    """What turns the rows that are drawn (id → revision) into those of now, touching only what differs.

    Rows in which nothing changed keep what somebody is typing in them.
    """
    now = {lot.sid: lot for lot in lots}
    staying = [sid for sid in before if sid in now]
    if not staying or list(now)[: len(staying)] != staying:
        return table(lots)
    patch = Patch()
    for place in reversed([i for i, sid in enumerate(before) if sid not in now]):
        del patch[place + 1]  # after the head
    for place, sid in enumerate(staying):
        if now[sid].rev != before[sid]:
            patch[place + 1] = row(now[sid], ticked=sid in ticked)
    for lot in lots[len(staying) :]:
        patch.append(row(lot))
    return patch


def row(lot: Lot, *, ticked: bool = False) -> Component:
    """A lot's row. Its inputs are drawn once; state, facts and words are refreshed while it is read or imported."""
    first = lot.parts[0]
    cells = [
        dmc.Checkbox(id=tick_id(lot.sid), checked=ticked, size="xs", **{"aria-label": f"Tick {first.name}"}),
        html.Div(_files(lot), className="lot-files"),
        *(_inputs(lot) if lot.takes_words else [html.Div(_instead(lot), className="lot-instead")]),
        html.Div(state(lot), id=state_id(lot.sid), className="lot-state", **{"aria-live": "polite"}),
        _remove(lot),
    ]
    return html.Div(
        [
            html.Span(id=mark_id(lot.sid), className="mark"),
            html.Div(cells, className="lot-cells"),
            html.Div(words(lot), id=words_id(lot.sid), className="lot-words", role="status"),
            dcc.Store(id=saved_id(lot.sid)),
        ],
        className="lot",
    )


def _files(lot: Lot) -> list[Component]:
    """A line a file; one line for a series."""
    return [_series(lot)] if lot.is_series and len(lot.parts) > 1 else [_file(lot, i) for i in range(len(lot.parts))]


def _series(lot: Lot) -> Component:
    first, last = lot.parts[0], lot.parts[-1]
    named = html.Button(
        f"{first.name} … {last.name}",
        id=open_id(lot.sid),
        className="lot-name",
        title=f"{first.name} … {last.name}",
        n_clicks=0,
        **{"aria-label": f"Show {first.name}"},
    )
    return html.Div([named, html.Span(series_facts(lot), id=facts_id(lot.sid), className="lot-facts")], className="lot-file")


def series_facts(lot: Lot) -> str:
    """How many files a series has, and what they are together."""
    size = printed_bytes(sum(p.size for p in lot.parts))
    found = lot.found[0]
    said = [f"{len(lot.parts)} files", *([found.title] if found is not None and found.title else []), size]
    return " · ".join(fact.replace(" ", NO_BREAK) for fact in [*said, *_extent(found)])


def line(lot: Lot, place: int) -> str:
    """What stands under the name of a part."""
    return series_facts(lot) if lot.is_series and len(lot.parts) > 1 else facts(lot.parts[place], lot.found[place])


def _file(lot: Lot, place: int) -> Component:
    part = lot.parts[place]
    name = html.Button(
        part.name,
        id=open_id(lot.sid if place == 0 else f"{lot.sid}.{place}"),
        className="lot-name",
        title=part.name,
        n_clicks=0,
        **{"aria-label": f"Show {part.name}"},
    )
    line: list[Any] = [name, html.Span(facts(part, lot.found[place]), id=facts_id(part.sid), className="lot-facts")]
    if len(lot.parts) > 1 and lot.takes_words:
        arrows = [_small("up", part, "Earlier", place == 0), _small("down", part, "Later", place == len(lot.parts) - 1)]
        line.append(html.Span(arrows, className="lot-order"))
    return html.Div(line, className="lot-file")


def _small(action: str, part: Staged, label: str, disabled: bool) -> Component:
    return html.Button(
        {"up": "↑", "down": "↓"}[action],
        id=action_id(action, part.sid),
        disabled=disabled,
        title=label,
        className="tiny",
        **{"aria-label": f"{label}: {part.name}", **into(ACT)},
    )


def facts(part: Staged, found: Found | None) -> str:
    """Size and, once known, format and extent in one line."""
    facts = [printed_bytes(part.size)]
    if found is not None and found.title:
        facts.insert(0, found.title)
    return " · ".join(fact.replace(" ", NO_BREAK) for fact in [*facts, *_extent(found)])


def _extent(found: Found | None) -> list[str]:
    """Rows, duration and voltages of a record; size and energies of images and spectra."""
    if found is None or found.kind != "data":
        return []
    if found.facts:
        return [found.facts[n] for n in ("Size", "Energies", "Angles") if n in found.facts]
    rows = f"{found.rows:,} rows".replace(",", NO_BREAK)
    return [rows, *(printed_range(n, found) for n in ("time", "voltage") if n in found.ranges)]


def printed_range(name: str, found: Found) -> str:
    """Duration of the time, extent of anything else."""
    low, high = found.ranges[name]
    if name != "time":
        return f"{low:.3f} … {high:.3f} V".replace("-", "−")
    return printed_duration(high - low)


def printed_duration(seconds: float) -> str:
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def _row(lot: Lot) -> tuple[str, ...]:
    """The fields that a row asks for."""
    found = lot.found[0]
    return PARTICLE_ROW if found is not None and found.modality in WITH_PARTICLES else ROW


def _inputs(lot: Lot) -> list[Component]:
    fields = said(lot.parts[0])
    snapshot = workspace().snapshot()
    known, cell = effective(fields, snapshot.cells)
    suggestions = {"cell.name": [c.name for c in snapshot.cells], "cell.group": [g.name for g in snapshot.groups]}
    made = []
    for field in _row(lot):
        kept = cell.get(field.partition(".")[2]) if known and field.startswith("cell.") else None
        placeholder = str(kept) if kept is not None and not fields.get(field) else HINTS.get(field, "")
        made.append(
            entry(
                field_id(lot.sid, field),
                field,
                fields.get(field),
                label=False,
                placeholder=placeholder,
                suggestions=suggestions.get(field),
            )
        )
    return made


def _instead(lot: Lot) -> list[Any]:
    if lot.state == "claimed":
        return [lot.sentence]
    if lot.state == "list":
        return ["helps to read other files"]
    if lot.is_manifest and lot.found[0] is not None:
        return [lot.found[0].note]
    record = import_work.imported(lot)
    fields = said(lot.parts[0])
    cell, group = (record.cell, record.group) if record else (fields.get("cell.name"), fields.get("cell.group"))
    return [f"cell {cell}", f", group {group}" if group else ""]


def state(lot: Lot) -> list[Component]:
    """Where a lot stands, as a badge, a progress bar or a link."""
    if lot.state == "importing" and lot.job is not None:
        return [_progress(lot.job.fraction, "importing" if lot.job.state == "running" else "queued"), _cancel(lot.job.key)]
    if lot.state == "reading":
        job = lot.job
        return [_progress(job.fraction if job else 0.0, "reading" if job else "waiting"), *([_cancel(job.key)] if job else [])]
    if lot.state == "done":
        return [_badge("imported", "teal"), _see(lot)]
    if lot.state == "problem":
        is_table = any(f is not None and f.kind == "table" for f in lot.found)
        asks = "columns?" if is_table else "what is it?" if any(f is not None and f.wanted for f in lot.found) else ""
        return [_badge(asks or ("cannot be read" if not lot.is_manifest else "incomplete"), "orange" if asks else "red")]
    if lot.state in ("claimed", "list"):
        return [_badge("manifest" if lot.sentence.startswith("as ") else "list" if lot.state == "list" else "beside", "gray")]
    if lot.state == "ready" and lot.job is not None:
        return [_badge(lot.job.state, "red" if lot.job.state == "failed" else "gray")]
    return [_badge({"known": "twice", "wrong": "check"}.get(lot.state, lot.state), COLOURS[lot.state])]


def _badge(text: str, color: str) -> Component:
    return dmc.Badge(text, color=color, variant="light", size="sm", radius="sm", tt="none")


def _progress(fraction: float, label: str) -> Component:
    bar = dmc.Progress(value=100 * fraction, animated=True, size="sm", attributes={"section": {"aria-label": label}})
    return html.Div([bar, html.Span(label, className="lot-facts")], className="lot-progress")


def _cancel(key: str) -> Component:
    return dmc.Button("Cancel", id=cancel_id(key), size="compact-xs", variant="default", **into(CANCEL))


def _see(lot: Lot) -> Component:
    record = import_work.imported(lot)
    if record is not None and record.modality in WITH_PARTICLES:
        return _link("See it on the Particle page", href("/particle", {"particle": str(record.id)}))
    if record is not None and not record.group:
        return _link("Give it a group in the Catalog", "/catalog")
    if lot.is_manifest and lot.found[0] is not None and not lot.found[0].files:
        return _link("See its cells in the Catalog", "/catalog")
    page, title = ("/spectra", "Spectra") if record is not None and record.modality == "spectra" else ("/cycling", "Cycling")
    return _link(f"See it on the {title} page", href(page, {"ref": record.group} if record is not None and record.group else {}))


def _link(words_shown: str, where: str) -> Component:
    return dmc.Anchor(words_shown, href=where, size="xs", fw=600)


def words(lot: Lot) -> list[Component]:
    """The line under a row: the one sentence that matters, what to do, and the button that does it."""
    made: list[Component] = []
    if lot.state in ("problem", "known", "wrong") or (lot.state == "ready" and lot.sentence):
        made.append(
            html.Span([icon("warning", 14), html.Span(lot.sentence)], className="lot-warning" if lot.state == "known" else "lot-problem")
        )
        hint = import_options.asked_for(lot) or lot.hint
        made += [html.Span(hint, className="lot-hint")] if hint else []
        made += _remedies(lot)
    elif lot.state == "list":
        made += [html.Span(f"{lot.sentence} {lot.hint}", className="lot-hint")]
    elif lot.state == "ready":
        made += [html.Span([icon("warning", 14), html.Span(w)], className="lot-warning") for w in lot.warnings[:1]]
        made += [html.Span(f"and {len(lot.warnings) - 1} more", className="lot-hint")] if len(lot.warnings) > 1 else []
    if lot.state == "ready" and lot.judged.missing:
        made.append(html.Span(f"Not said: {', '.join(lot.judged.missing)}", className="lot-hint"))
    return made


def _remedies(lot: Lot) -> list[Component]:
    made = []
    if any(f is not None and f.kind == "table" for f in lot.found):
        made.append(_remedy("map", lot, "Say which column is what…"))
    if lot.state == "known":
        made.append(_remedy("again", lot, "Import it again"))
    if lot.state == "problem" and lot.job is not None:
        made.append(_remedy("look", lot, "Look again"))
    return made


def _remedy(action: str, lot: Lot, label: str) -> Component:
    return dmc.Button(label, id=action_id(action, lot.sid), size="compact-xs", variant="light", **into(ACT))


def _remove(lot: Lot) -> Component:
    name = lot.parts[0].name
    return dmc.ActionIcon(
        icon("close", 14),
        id=action_id("remove", lot.sid),
        variant="subtle",
        color="gray",
        size="sm",
        disabled=lot.state == "importing",
        **{"aria-label": f"Take {name} off the list", **into(ACT)},
    )
