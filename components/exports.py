"""Downloads of figures: their numbers as tidy CSV, and the commands that reproduce them."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, request

from analysis.core.errors import UserError
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.run import command
from analysis.core.tables import tidy
from components.context import workspace
from components.views import VIEWS, View

if TYPE_CHECKING:
    from pandas import DataFrame

exports = Blueprint("exports", __name__, url_prefix="/export")


def _view(figure: str) -> View:
    if figure not in VIEWS:
        abort(404, f"There is no figure '{figure}'.")
    return VIEWS[figure]


@exports.get("/<figure>.csv")
def csv(figure: str) -> Response:
    """All numbers behind a figure, in full, whatever was decimated for the screen."""
    view = _view(figure)
    query = request.args.to_dict()
    kind = workspace().registry.figure(view.figure)
    try:
        table = (kind.table or _everything)(view.items(query).shown, kind.params.check(view.params(query)))
    except UserError as err:
        return Response(str(err), 409, mimetype="text/plain")
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    name = figure.replace(".", "-")
    return Response(text.getvalue(), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})


@exports.get("/<figure>.txt")
def commands(figure: str) -> Response:
    """The command line of every result that a figure shows."""
    shown = _view(figure).items(request.args.to_dict()).shown
    if not shown:
        return Response("This figure shows no data yet.", 404, mimetype="text/plain")
    return Response("\n".join(command(key, workspace().store) for key in dict.fromkeys(i.key for i in shown)) + "\n", mimetype="text/plain")


def _everything(items: Sequence[Labelled], _params: Params) -> "DataFrame":
    return tidy(items)
