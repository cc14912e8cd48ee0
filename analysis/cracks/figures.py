"""The figures of cracks: the table of contents, and the numbers behind each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.core.data import scalars
from analysis.core.params import Params
from analysis.core.registry import Figure, Labelled
from analysis.core.tables import column_name
from analysis.cracks import figures_domains as domains
from analysis.cracks import figures_profile as profiles
from analysis.cracks import figures_volume as volumes
from analysis.cracks.sets import SetParams

if TYPE_CHECKING:
    import pandas as pd


def _rows(dim: str) -> "Callable[[Sequence[Labelled], Any], pd.DataFrame]":
    """All variables that have this one dimension only, one row each, under one another."""

    def frame(items: Sequence[Labelled], _params: Any) -> "pd.DataFrame":
        import pandas as pd

        parts = []
        for item in items:
            own = {str(n): v for n, v in item.data.variables.items() if v.dims == (dim,)}
            about = {"group": item.group, "particle file": item.label, "origin": item.origin}
            columns = {column_name(n, str(v.attrs.get("units", ""))): np.asarray(v.values) for n, v in own.items()}
            rows = item.data.sizes[dim]
            parts.append(pd.DataFrame({**{k: np.full(rows, v, dtype=object) for k, v in about.items()}, **columns}))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "particle file", "origin"])

    return frame


VOLUME_SCALARS = ("crack_volume_ratio", "detection_limit", "blank_ratio", "n_particles", "n_cracks", "n_cut")


def _ratios(items: Sequence[Labelled], params: Any) -> "pd.DataFrame":
    """Ratio, range, detection limit and blank of each item; its cycle where the figure is over cycles."""
    import pandas as pd

    cycles = volumes.cycles_of(items, params) if isinstance(params, volumes.CycleParams) else [None] * len(items)
    rows = [{**_about(i), **({"cycle": c} if c is not None else {}), **_told(i)} for i, c in zip(items, cycles, strict=True)]
    return pd.DataFrame(rows)


def _about(item: Labelled) -> dict[str, Any]:
    return {"group": item.group, "particle file": item.label, "origin": item.origin}


def _told(item: Labelled) -> dict[str, Any]:
    """What is told of all particles of a volume together."""
    found = scalars(item.data)
    row: dict[str, Any] = {column_name(n, found[n].unit): found[n].value for n in VOLUME_SCALARS if n in found}
    if "crack_volume_ratio" in found:
        row |= {"ratio low / 1": found["crack_volume_ratio"].low, "ratio high / 1": found["crack_volume_ratio"].high}
    return row


def _particles(items: Sequence[Labelled], _params: Any) -> "pd.DataFrame":
    """Every particle of every item with its own measures, and what is told of its volume."""
    import pandas as pd

    rows = []
    for item in items:
        own = {str(n): v for n, v in item.data.variables.items() if v.dims == ("particle_row",)}
        for k in range(item.data.sizes["particle_row"]):
            measured = {column_name(n, str(v.attrs.get("units", ""))): v.values[k].item() for n, v in own.items()}
            rows.append({**_about(item), **measured, **_told(item)})
    return pd.DataFrame(rows)


def _joint(items: Sequence[Labelled], _params: Any) -> "pd.DataFrame":
    """Every cell of the map of distance and depth."""
    import pandas as pd

    parts = []
    for item in items:
        ds = item.data
        depth, distance = np.meshgrid(ds["depth"].values, ds["distance"].values, indexing="ij")
        columns = {
            "depth / um": depth,
            "distance / um": distance,
            "edge energy / eV": ds["joint_mean"].values,
            "voxels / 1": ds["joint_count"].values,
        }
        frame = pd.DataFrame({k: np.asarray(v).ravel() for k, v in columns.items()})
        parts.append(frame.assign(**{"group": item.group, "particle file": item.label, "origin": item.origin}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


PROFILE_DIMS = {"crack": "bin", "normalised": "part", "surface": "layer"}


def _profile_rows(items: Sequence[Labelled], params: profiles.ProfileParams) -> "pd.DataFrame":
    return _rows(PROFILE_DIMS[params.against])(items, params)


MEASURED, CUT_OFF = "cracks.measures", "cracks.domains"
FIGURES = (
    Figure("cracks.volume", "Crack volume", MEASURED, volumes.bars, volumes.BarParams, _particles),
    Figure("cracks.evolution", "Crack volume over cycles", MEASURED, volumes.evolution, volumes.CycleParams, _ratios),
    Figure("cracks.widths", "Widths of cracks", MEASURED, volumes.widths, volumes.HistogramParams, _rows("width_bin")),
    Figure("cracks.radial", "Cracks from core to surface", MEASURED, volumes.radial, volumes.ShapeParams, _rows("radial_bin")),
    Figure("cracks.sensitivity", "Crack volume against the settings", "cracks.sensitivity", volumes.sensitivity, Params, _rows("setting")),
    Figure("cracks.profile", "Edge energy by distance", "cracks.distance_profile", profiles.profile, profiles.ProfileParams, _profile_rows),
    Figure("cracks.joint", "Edge energy by distance and depth", "cracks.distance_profile", domains.joint, domains.JointParams, _joint),
    Figure("cracks.domains", "Table of isolated domains", CUT_OFF, domains.listed, Params, _rows("domain_row")),
    Figure("cracks.isolated", "Isolated domains", CUT_OFF, domains.isolated, SetParams, _rows("domain_row")),
)
