"""The frame around every page: header, navigation, job indicator, theme; and the bar of controls that pages begin with."""

from collections.abc import Sequence
from typing import Any

import dash
import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, html
from dash.development.base_component import Component

from components import job_panel, menu
from components.address import ADDRESS, control, nav
from components.card import extras
from components.context import style, theme, workspace
from components.icons import icon

THEME = {
    "primaryColor": "indigo",
    "fontFamily": "Inter, 'Segoe UI', system-ui, 'Helvetica Neue', Arial, sans-serif",
    "defaultRadius": "sm",
    "headings": {"fontWeight": "600"},
}


def shell() -> Component:
    """The layout of the app; Dash calls it once for each visit."""
    return dmc.MantineProvider(
        id="mantine",
        theme=THEME,
        forceColorScheme=theme(),
        children=[
            dcc.Store(id=ADDRESS),
            dmc.NotificationContainer(id="notifications", position="bottom-right"),
            *extras(),
            *menu.shared(),
            dmc.AppShell(
                [_header(), _navbar(), dmc.AppShellMain(dash.page_container)],
                id="shell",
                header={"height": 44},
                navbar={"width": 168, "breakpoint": "sm", "collapsed": {"mobile": True}},
                padding=0,
            ),
        ],
    )


def _header() -> Component:
    left = [
        dmc.Burger(id="burger", size="sm", hiddenFrom="sm", opened=False, **{"aria-label": "Navigation"}),
        html.Span(className="logo", **{"aria-hidden": "true"}),
        dmc.Text("Interplay", fw=700, size="md"),
        dmc.Text(workspace().title, size="sm", c="dimmed", visibleFrom="sm", className="workspace-name"),
        _synthetic_badge(),
    ]
    right = [job_panel.indicator(), _theme_button()]
    return dmc.AppShellHeader(
        dmc.Group([dmc.Group(left, gap="xs"), dmc.Group(right, gap="xs")], h="100%", px="sm", justify="space-between")
    )


def _synthetic_badge() -> Component:
    if "synthetic" not in workspace().origins():
        return html.Span()
    words = "Synthetic data" if workspace().origins() == {"synthetic"} else "Contains synthetic data"
    label = "Made by forward models with known truth, not measured. Import your own files to replace it."
    badges = [
        dmc.Badge(words, color="yellow", variant="light", radius="sm", id="synthetic-banner", visibleFrom="sm"),
        dmc.Badge("Synthetic", color="yellow", variant="light", radius="sm", hiddenFrom="sm"),
    ]
    return dmc.Tooltip(html.Span(badges), label=label, multiline=True, w=260)


def _theme_button() -> Component:
    other = "light" if theme() == "dark" else "dark"
    return dmc.ActionIcon(
        icon("sun" if other == "light" else "moon"),
        id="theme",
        variant="subtle",
        color="gray",
        **{"aria-label": f"Use the {other} theme"},
    )


def _navbar() -> Component:
    links = [
        dmc.NavLink(id=nav(page["path"]), label=page["name"], href=page["path"], active="exact", leftSection=icon(page["icon"]))
        for page in dash.page_registry.values()
        if page.get("icon")
    ]
    return dmc.AppShellNavbar(html.Nav(links, **{"aria-label": "Pages"}), p=6)


def toolbar(title: str, ref: str, cmp: str, controls: Sequence[Component] = (), *, groups: bool = True) -> Component:
    """The first row of a page: its title, the two groups that are compared, the page's own controls."""
    parts: list[Component] = [dmc.Title(title, order=1, size="h4", className="page-title")]
    if groups:
        parts.append(_group_pair(ref, cmp))
    return dmc.Group([*parts, *controls], gap="sm", className="toolbar", wrap="wrap")


def _group_pair(ref: str, cmp: str) -> Component:
    names = workspace().group_names()
    default_ref, default_cmp = workspace().default_pair()
    options = [{"value": n, "label": workspace().group_title(n)} for n in names]

    def select(name: str, value: str, default: str, label: str, data: list[dict[str, str]]) -> Component:
        swatch = html.Span(className="swatch", style={"background": style().color(value)})
        return dmc.Select(
            id=control(name, default),
            data=data,
            value=value,
            size="xs",
            w=156,
            allowDeselect=False,
            leftSection=swatch,
            **{"aria-label": label},
        )

    return dmc.Group(
        [
            select("ref", ref, default_ref, "Reference group", options),
            dmc.Text("against", size="xs", c="dimmed"),
            select("cmp", cmp, default_cmp, "Compared group", [*options, {"value": "none", "label": "nothing"}]),
        ],
        gap=6,
    )


def choice(name: str, value: str, default: str, options: Sequence[tuple[str, str]], label: str) -> Component:
    """A small segmented control of the address."""
    return dmc.SegmentedControl(
        id=control(name, default),
        data=[{"value": v, "label": t} for v, t in options],
        value=value,
        size="xs",
        attributes={"root": {"aria-label": label}},
    )


def view(*rows: Component) -> Component:
    """A whole page: its rows from the toolbar down; the last one fills the window."""
    return html.Div(list(rows), className="view")


def page(*children: Any, class_name: str = "") -> Component:
    """The body of a page under its toolbar."""
    return html.Div(list(children), className=f"page {class_name}".strip())


clientside_callback(
    ClientsideFunction("shell", "navbar"),
    Output("shell", "navbar"),
    Input("burger", "opened"),
    Input("_pages_location", "pathname"),
    State("shell", "navbar"),
)
clientside_callback(
    ClientsideFunction("shell", "theme"), Output("theme", "disabled"), Input("theme", "n_clicks"), prevent_initial_call=True
)
