"""The first page, made before anybody opens it: the pool, code versions, results, figures; then the compiled kernels.

Its jobs are listed as all are, and what a visitor asks for runs before those that still wait.
"""

import logging
import time

from flask import Flask

from analysis.core.errors import UserError
from components import compare_table, compare_tiles
from components.context import jobs, workspace
from components.panels import PANELS, drawn
from components.results import patiently
from components.views import VIEWS, draw

log = logging.getLogger(__name__)

LOOK_S = 1.0  # between two looks at what is there


def prepare(server: Flask, *, after: str = "") -> None:
    """Everything at hand before the first visitor needs it; ``after`` names a job that fills the workspace first."""
    with server.app_context():
        jobs().warm()
        try:
            ready = not waiting()
            _rehearse()
            while after and jobs().status(after).active:
                time.sleep(LOOK_S)
            while not ready and workspace().snapshot().measurements and waiting():
                time.sleep(LOOK_S)
        except UserError as err:
            log.warning("the first page is not prepared: %s", err)


def _rehearse() -> None:
    """Compiled kernels run once on small data."""
    for modality in workspace().registry.modalities.values():
        if modality.rehearse is not None:
            modality.rehearse()


def waiting() -> bool:
    """Draw the first page as it is without an address; whether it waits for results, or for anything to show."""
    if not workspace().snapshot().measurements:
        return True
    with patiently():
        tiles = [draw(VIEWS[tile.view], {})[1] for tile in compare_tiles.TILES]
        card = drawn(PANELS[compare_table.NAME], {})
    return card.waiting or any(items.waiting for items in tiles)
