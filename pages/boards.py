"""Boards: what the team pinned, decided and shows; and the study as one file."""

import dash

from components import board_page

dash.register_page(__name__, path="/boards", name="Boards", title="Boards · Interplay", order=7, icon="board")
layout = board_page.layout
