"""What hands do on the spectra page: take points out, choose and save recipes, keep the library of marker lines."""

from typing import Any

from dash import ALL, Input, Output, State, callback, ctx, no_update

from analysis.core.errors import UserError
from components import notice, spectra_library, spectra_recipe, spectra_single
from components.address import ADDRESS, control
from components.card import graph_id
from components.spectra_forms import RECIPE_NAME, RECIPE_PICK, RECIPE_REMOVE, RECIPE_SAID, RECIPE_SAVE

DEGLITCH, UNDO, RESTORE = "spectra-deglitch", "spectra-undo", "spectra-restore"


@callback(
    Output(control("taken", ""), "value"),
    Input(graph_id("spectra.measured"), "clickData"),
    Input(UNDO, "n_clicks"),
    Input(RESTORE, "n_clicks"),
    State(DEGLITCH, "checked"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def points(click: dict[str, Any] | None, undo: int, restore: int, is_on: bool, query: dict[str, str] | None) -> Any:
    """Points of the drawn sample taken out by clicks; undone step by step, or all put back."""
    cause, asked = ctx.triggered_id, query or {}
    if cause == UNDO and undo:
        found = spectra_single.undone(asked)
    elif cause == RESTORE and restore:
        found = spectra_single.restored(asked)
    else:
        found = spectra_single.toggled(asked, click) if click and is_on and cause not in (UNDO, RESTORE) else None
    return no_update if found is None else found


@callback(
    Output(control("recipe", ""), "value"),
    *(Output(control(n, ""), "value") for n in spectra_recipe.FIELDS),
    Output(RECIPE_SAID, "children"),
    Input(RECIPE_PICK, "value"),
    Input(RECIPE_SAVE, "n_clicks"),
    Input(RECIPE_REMOVE, "n_clicks"),
    State(RECIPE_NAME, "value"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def recipe(picked: str, saves: int, removes: int, name: str | None, query: dict[str, str] | None) -> list[Any]:
    """Another recipe takes the place of the present one with all that was changed in it; a saved one is chosen at once."""
    asked, kept = query or {}, [no_update] * len(spectra_recipe.FIELDS)
    blank = [""] * len(spectra_recipe.FIELDS)
    try:
        if ctx.triggered_id == RECIPE_SAVE and saves:
            spectra_recipe.save(asked, name or "")
            return [(name or "").strip(), *blank, ""]
        if ctx.triggered_id == RECIPE_REMOVE and removes:
            spectra_recipe.forget(picked)
            return ["", *blank, ""]
    except UserError as err:
        return [no_update, *kept, notice.problem(err)]
    if picked == spectra_recipe.chosen(asked):
        return [no_update, *kept, no_update]
    return [spectra_recipe.named(asked, picked), *blank, ""]


@callback(
    Output(spectra_library.ROWS, "children"),
    Output(spectra_library.DIALOG, "opened"),
    Output(control("markers", "all"), "value"),
    Output(spectra_library.SAID, "children"),
    Input(spectra_library.OPEN, "n_clicks"),
    Input(spectra_library.ADD, "n_clicks"),
    Input(spectra_library.SAVE, "n_clicks"),
    State(spectra_library.field_id(ALL, ALL), "value"),
    State(spectra_library.field_id(ALL, ALL), "checked"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def library(
    _open: int, add: int, save: int, values: list[Any], checked: list[Any], query: dict[str, str] | None
) -> tuple[Any, Any, Any, Any]:
    """The dialog of marker lines: opened, a line more, kept with the workspace."""
    asked = query or {}
    if ctx.triggered_id == spectra_library.OPEN:
        return spectra_library.rows(asked), True, no_update, ""
    typed = spectra_library.typed(values, checked)
    if ctx.triggered_id == spectra_library.ADD and add:
        return spectra_library.drawn([*typed, spectra_library.BLANK]), no_update, no_update, ""
    if not save:
        return no_update, no_update, no_update, no_update
    try:
        return no_update, False, spectra_library.kept(asked, typed), ""
    except UserError as err:
        return no_update, no_update, no_update, notice.problem(err)
