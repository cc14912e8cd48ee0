"""A board as one HTML file that works without a network: interactive figures, plotly.js inlined once.

The file forbids itself every connection (its content policy), so that neither figures nor notes can call anywhere.
"""

import json
from typing import Any

from analysis.catalog.boards import Action, BoardRecord, Pin
from analysis.core.progress import report
from analysis.core.registry import Registry
from analysis.core.store import Store
from analysis.core.style import Style
from analysis.report import methods
from analysis.report.notes import as_html, escaped
from analysis.report.pins import draw, said_origin

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
)
CONFIG = {"showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False, "responsive": True}
LOOK = """
body{font:15px/1.5 system-ui,'Segoe UI',Arial,sans-serif;color:#1c2330;margin:0;background:#f4f6f8}
main{max-width:1100px;margin:0 auto;padding:24px}
header,section{background:#fff;border:1px solid #dfe3e9;border-radius:6px;padding:14px 18px;margin-bottom:16px}
h1{font-size:24px;margin:0 0 6px}h2{font-size:17px;margin:0 0 8px}
.small{color:#5b6472;font-size:13px}.synthetic{background:#fff3bf;color:#5c4700;border-radius:4px;padding:1px 7px;font-size:13px}
.figure{height:480px}table{border-collapse:collapse}td,th{text-align:left;padding:3px 12px 3px 0;vertical-align:top}
.note table td,.note table th{border:1px solid #dfe3e9;padding:3px 8px}pre{white-space:pre-wrap}
"""
DRAW = """
for (const element of document.querySelectorAll(".figure")) {
  const figure = JSON.parse(document.getElementById(element.dataset.figure).textContent);
  Plotly.newPlot(element, figure.data, figure.layout, CONFIG);
}
"""


def page(board: BoardRecord, store: Store, registry: Registry, *, groups: tuple[str, ...] = ()) -> str:
    """The whole file."""
    from plotly.offline import get_plotlyjs

    content = board.content
    sections = []
    for number, pin in enumerate(content.pins, 1):
        report((number - 1) / len(content.pins), f"drawing {pin.title}")
        sections.append(_section(number, pin, store, registry, groups))
    script = DRAW.replace("CONFIG", json.dumps(CONFIG))
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escaped(content.title)}</title>\n<style>{LOOK}</style>\n</head>\n<body>\n<main>",
            f"<header>{heading(board)}</header>",
            *sections,
            f'<section><h2>Methods</h2><p class="small" style="white-space:pre-line">{_methods(board, store, registry)}</p></section>',
            f"</main>\n<script>{get_plotlyjs()}</script>\n<script>{script}</script>\n</body>\n</html>\n",
        ]
    )


def _methods(board: BoardRecord, store: Store, registry: Registry) -> str:
    return escaped(methods.paragraph(board.content, store, registry))


def heading(board: BoardRecord) -> str:
    """Title, version, notes, decisions."""
    content = board.content
    parts = [f"<h1>{escaped(content.title)}</h1>", f'<p class="small">{escaped(version_line(board))}</p>']
    parts += [f'<div class="note">{as_html(content.notes)}</div>'] if content.notes else []
    if content.actions:
        rows = "".join(f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in action_cells(a))}</tr>" for a in content.actions)
        head = "".join(f"<th>{h}</th>" for h in ("Kind", "What", "Owner", "Date", "State"))
        parts.append(f"<h2>Decisions and actions</h2><table><tr>{head}</tr>{rows}</table>")
    return "".join(parts)


def version_line(board: BoardRecord) -> str:
    count = len(board.content.pins)
    return f"Version {board.version} of {board.saved_at:%Y-%m-%d %H:%M} UTC · {count} figure{'' if count == 1 else 's'}"


def action_cells(action: Action) -> tuple[str, str, str, str, str]:
    """Kind, text, owner, date and state of a decision or action."""
    state = "decided" if action.what == "decision" else ("done" if action.done else "open")
    return action.what, action.text, action.owner or "", action.date.isoformat() if action.date else "", state


def caption(pin: Pin) -> str:
    """The line under a figure: when it was pinned, of how many datasets, and whether they are synthetic."""
    n = len(pin.items)
    made = (pin.pinned_at or "").replace("T", " ").partition("+")[0]
    return f"Pinned {made} UTC · {n} dataset{'' if n == 1 else 's'}"


def _section(number: int, pin: Pin, store: Store, registry: Registry, groups: tuple[str, ...]) -> str:
    figure = draw(pin, store, registry, Style(groups=groups))
    origin = said_origin(pin)
    badge = f' <span class="synthetic">{escaped(origin)}</span>' if origin else ""
    return (
        f'<section><h2>{number}. {escaped(pin.title)}{badge}</h2><div class="figure" data-figure="data-{number}"></div>'
        f'<p class="small">{escaped(caption(pin))}</p><div class="note">{as_html(pin.note)}</div>'
        f'<script type="application/json" id="data-{number}">{_inert(json.loads(figure.to_json()))}</script></section>'
    )


def _inert(figure: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps({"data": figure.get("data", []), "layout": figure.get("layout", {})}).replace("<", "\\u003c")
