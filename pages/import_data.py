"""Import: files in, recognised by their content, shown before they are taken."""

import dash

from components import import_page

dash.register_page(__name__, path="/import", name="Import", title="Import · Interplay", order=8, icon="import")
layout = import_page.layout
