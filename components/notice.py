"""How a problem or an empty place is said to the user."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.errors import UserError
from analysis.core.jobs import Status
from components.icons import icon

PROBLEMS_SHOWN = 2  # the others are one click away: a card has room for a picture, not for a list


def problem(error: UserError, *, title: str = "This did not work") -> Component:
    """A user's problem beside what caused it: what is wrong, then what to do."""
    return alert(title, error.message, error.hint, color="red")


def of_job(status: Status) -> Component:
    return alert(status.title or "Job", status.message, status.hint, color="red" if status.state == "failed" else "gray")


def alert(title: str, message: str, hint: str = "", *, color: str = "blue") -> Component:
    lines: list[Component] = [dmc.Text(message, size="sm")]
    if hint:
        lines.append(dmc.Text(hint, size="sm", c="dimmed"))
    return dmc.Alert(
        lines, title=title, color=color, variant="light", radius="sm", className="notice", attributes={"root": {"role": "alert"}}
    )


def problems(found: Sequence[tuple[str, str]]) -> list[Component]:
    """Problems of single inputs, (what, sentence) each: the first ones, and how many more there are."""
    said = [alert(what, sentence, color="orange") for what, sentence in dict.fromkeys(found) if sentence]
    if len(said) <= PROBLEMS_SHOWN:
        return said
    first, more = said[: PROBLEMS_SHOWN - 1], said[PROBLEMS_SHOWN - 1 :]
    return [*first, html.Details([html.Summary(f"and {len(more)} more problems"), *more], className="more-problems")]


def empty(what: str, how: str, *, href: str = "/import", action: str = "Import data") -> Component:
    """What a page shows before there is anything to show: what is missing and where to get it."""
    return dmc.Center(
        dmc.Stack(
            [
                dmc.ThemeIcon(icon("import", 24), size=48, radius="xl", variant="light"),
                dmc.Title(what, order=2, size="h4"),
                dmc.Text(how, size="sm", c="dimmed", ta="center", maw=460),
                dmc.Anchor(action, href=href, underline="never", className="link-button"),
            ],
            align="center",
            gap="sm",
        ),
        className="empty",
    )
