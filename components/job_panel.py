"""Long work: the indicator in the header, and the panel that lists jobs with progress and cancel."""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis.core.jobs import Status
from components import notice, pressed
from components.context import jobs
from components.icons import icon
from components.pressed import heard, into

POLL_MS = 700
COLOURS = {"done": "teal", "failed": "red", "cancelled": "gray", "queued": "gray", "running": "blue"}
CANCEL = "jobs-cancel"  # where presses of these buttons are noted


def cancel_id(key: Any) -> dict[str, Any]:
    return {"part": "job-cancel", "key": key}


def indicator() -> Component:
    """A button with the number of active jobs; it opens the panel."""
    return html.Div(
        [
            dcc.Interval(id="jobs-poll", interval=POLL_MS * 3),
            pressed.store(CANCEL),
            dmc.Indicator(
                dmc.ActionIcon(icon("jobs"), id="jobs-open", variant="subtle", color="gray", **{"aria-label": "Jobs"}),
                id="jobs-count",
                disabled=True,
                label="0",
                size=14,
                offset=6,
                processing=True,
            ),
            dmc.Drawer(
                [html.Div(id="jobs-list"), dmc.Button("Clear finished", id="jobs-clear", size="compact-sm", variant="default", mt="sm")],
                id="jobs-drawer",
                title="Jobs",
                position="right",
                size="sm",
            ),
        ]
    )


def progress(status: Status, *, cancel: bool = True) -> Component:
    """One job: what it does, how far it is, a way to stop it, and its end."""
    head = dmc.Group(
        [
            dmc.Text(status.title or status.key, size="sm", fw=500, className="ellipsis", style={"flex": 1}),
            dmc.Badge(status.state, color=COLOURS.get(status.state, "gray"), variant="light", size="sm"),
            *([_cancel(status.key)] if status.active and cancel else []),
        ],
        wrap="nowrap",
        gap="xs",
    )
    body: list[Component] = [head]
    if status.active:
        body.append(dmc.Progress(value=100 * status.fraction, animated=True, size="sm", attributes={"section": {"aria-label": "Progress"}}))
        body.append(dmc.Text(status.message or _nothing_said(status), size="xs", c="dimmed"))
    elif status.state in ("failed", "cancelled"):
        body.append(notice.of_job(status))
    return dmc.Stack(body, gap=4, className="job")


def _nothing_said(status: Status) -> str:
    return "running" if status.state == "running" else "waiting for a free worker"


def in_progress() -> Component:
    """What is being made right now, on a page that has nothing else to show; the page is asked for again when all has ended."""
    active = [s for s in jobs().recent() if s.active]
    return html.Div(
        [
            html.Div([progress(s) for s in active], id="jobs-here", className="card jobs-here", hidden=not active),
            dcc.Store(id="jobs-here-keys", data=[s.key for s in active]),
            dcc.Store(id="jobs-here-ended"),
            dcc.Interval(id="jobs-here-poll", interval=POLL_MS, disabled=not active),
        ]
    )


def _cancel(key: str) -> Component:
    return dmc.Button("Cancel", id=cancel_id(key), size="compact-xs", variant="default", **into(CANCEL))


@callback(
    Output("jobs-count", "label"),
    Output("jobs-count", "disabled"),
    Output("jobs-list", "children"),
    Input("jobs-poll", "n_intervals"),
    Input("jobs-drawer", "opened"),
)
def refresh(_ticks: int | None, opened: bool | None) -> tuple[str, bool, Any]:
    found = jobs().recent()
    active = sum(s.active for s in found)
    if not opened:
        return str(active), active == 0, no_update
    listed = [progress(s) for s in found[:40]]
    return str(active), active == 0, listed or dmc.Text("No jobs yet. Long work appears here.", size="sm", c="dimmed")


@callback(Output("jobs-drawer", "opened"), Input("jobs-open", "n_clicks"), State("jobs-drawer", "opened"), prevent_initial_call=True)
def toggle(_clicks: int | None, opened: bool | None) -> bool:
    return not opened


@callback(Output("jobs-poll", "n_intervals"), heard(CANCEL), Input("jobs-clear", "n_clicks"), prevent_initial_call=True)
def act(asked: dict[str, Any] | None, _clear: int | None) -> Any:
    """Cancel one job, or clear the list of those that have ended; then show what there is now."""
    if ctx.triggered_id == "jobs-clear":
        jobs().forget_finished()
    elif asked:
        jobs().cancel(asked["key"])
    return 0


@callback(
    Output("jobs-here", "children"),
    Output("jobs-here-poll", "disabled"),
    Output("jobs-here-ended", "data"),
    Input("jobs-here-poll", "n_intervals"),
    State("jobs-here-keys", "data"),
    prevent_initial_call=True,
)
def follow(_ticks: int | None, keys: list[str]) -> tuple[Any, bool, Any]:
    found = [jobs().status(key) for key in keys]
    waiting = any(s.active for s in found)
    done = not waiting and all(s.state == "done" for s in found)
    return [progress(s) for s in found], not waiting, done or no_update


clientside_callback(
    ClientsideFunction("shell", "again"),
    Output("jobs-here-ended", "clear_data"),
    Input("jobs-here-ended", "data"),
    prevent_initial_call=True,
)
