"""Where a metric is looked into: the page and the view that show it, with both groups chosen."""

import dash

from components.address import href
from components.views import Query

CARRIED = ("ref", "cmp", "excluded", "test")

# Page and what to choose on it, by metric, else by modality; the first page that exists is taken.
PAGES: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "cycling": (("/cycling", {}),),
    "cycling.initial_capacity": (("/cycling", {"tab": "table", "scalar": "initial_discharge_capacity"}),),
    "cycling.retention": (("/cycling", {"tab": "table", "scalar": "retention"}),),
    "cycling.fade_rate": (("/cycling", {"tab": "table", "scalar": "fade_rate"}),),
    "cycling.mean_ce": (("/cycling", {"tab": "table", "scalar": "mean_coulombic_efficiency"}),),
    "cycling.hysteresis_growth": (("/cycling", {"tab": "table", "scalar": "hysteresis_growth"}),),
    "xanes": (("/distributions", {}), ("/particle", {})),
    "cracks": (("/cracks", {}), ("/particle", {})),
    "spectra": (("/spectra", {"edge": "S K"}),),
    "spectra.bridging_charged": (("/spectra", {"tab": "peaks", "edge": "S K"}),),
    "spectra.bridging_discharged": (("/spectra", {"tab": "peaks", "edge": "S K"}),),
    "scalars": (("/catalog", {}),),
}
# What to import where a modality has no data.
IMPORTS = {
    "cycling": "cycler files",
    "xanes": "energy stacks or edge maps",
    "cracks": "tomograms or stacks",
    "spectra": "S K-edge spectra",
    "scalars": "a table of own scalars",
}


def place(metric: str, modality: str, query: Query) -> str:
    """The address of the page that shows a metric; "" where there is none."""
    known = {page["path"] for page in dash.page_registry.values()}
    for path, more in PAGES.get(metric, PAGES.get(modality, ())):
        if path in known:
            return href(path, {**{n: query[n] for n in CARRIED if query.get(n)}, **more})
    return ""
