"""What can be compared: a metric is one number of a cell, a particle or a sample, and which way is better.

A metric names the recipe's result that it is read from, and where in it: a scalar, or a pure function of what is stored. Numbers are
turned into the unit in which people print them. Metrics that a table of own scalars brings are made when the table is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from analysis.core.data import Scalar, scalars

Level = Literal["cell", "particle", "sample"]
Better = Literal["more", "less", "neither"]
Find = Callable[[xr.Dataset], Scalar | None]

OWN = "own."  # metrics of imported tables begin with it
BRIDGING_EV = 2472.0  # P–Sx–P, doi 10.1038/s41597-023-02262-4
NEAR_EV = 0.75  # a fitted centre may move by 0.7 eV


@dataclass(frozen=True)
class Metric:
    """One row of a scorecard.

    ``source`` is an input of ``compare.values``; ``state`` keeps measurements of that state only. A metric of ``difference`` is
    the first of two others minus the second, within one cell.
    """

    id: str
    title: str
    modality: str
    source: str
    level: Level
    better: Better
    find: Find
    factor: float = 1.0
    unit: str = ""  # after ``factor``; empty: as the result says
    state: str = ""
    difference: tuple[str, str] | None = None
    about: str = ""


def scalar(name: str) -> Find:
    """The scalar of that name; None where the result has none or does not know it."""

    def find(ds: xr.Dataset) -> Scalar | None:
        found = scalars(ds).get(name)
        return found if found is not None and isinstance(found.value, int | float) else None

    return find


def capacity_at(ds: xr.Dataset, cycle: int) -> Scalar | None:
    """Discharge capacity of one cycle; None where the test has no such whole cycle."""
    capacity = ds["discharge_capacity"]
    at = capacity.values[(ds["cycle"].values == cycle) & np.isin(ds["kind"].values.astype(str), ("cycle", "formation", "check"))]
    if not at.size or not np.isfinite(at[0]):
        return None
    return Scalar(float(at[0]), str(capacity.attrs["units"]))


def largest_crack(ds: xr.Dataset) -> Scalar | None:
    """Volume of the largest connected crack over that of the envelopes."""
    found = scalars(ds)
    parts = [found.get(n) for n in ("largest_crack_fraction", "crack_volume", "envelope_volume")]
    fraction, crack, envelope = (p.value if p is not None else None for p in parts)
    if not isinstance(crack, int | float) or not isinstance(envelope, int | float) or envelope <= 0:
        return None
    return Scalar((float(fraction) if isinstance(fraction, int | float) else 0.0) * crack / envelope, "1")


def never(_ds: xr.Dataset) -> Scalar | None:
    """Of metrics that are not read from one result."""
    return None


METRICS = (
    Metric("cycling.initial_capacity", "Initial capacity", "cycling", "cycles", "cell", "more", scalar("initial_discharge_capacity")),
    Metric("cycling.capacity_at", "Capacity at cycle", "cycling", "cycles", "cell", "more", never),
    Metric("cycling.retention", "Retention", "cycling", "cycles", "cell", "more", scalar("retention"), 100.0, "%", about="last cycle"),
    Metric(
        "cycling.fade_rate", "Fade rate", "cycling", "cycles", "cell", "more", scalar("fade_rate"), about="slope of capacity; below 0 fades"
    ),
    Metric("cycling.mean_ce", "Mean CE", "cycling", "cycles", "cell", "more", scalar("mean_coulombic_efficiency"), 100.0, "%"),
    Metric(
        "cycling.hysteresis_growth",
        "Hysteresis growth",
        "cycling",
        "cycles",
        "cell",
        "less",
        scalar("hysteresis_growth"),
        1000.0,
        "mV/cycle",
    ),
    Metric("cracks.ratio", "Crack volume ratio", "cracks", "cracks", "particle", "less", scalar("crack_volume_ratio"), 100.0, "%"),
    Metric(
        "cracks.largest",
        "Largest connected crack",
        "cracks",
        "cracks",
        "particle",
        "less",
        largest_crack,
        100.0,
        "%",
        about="of the envelope",
    ),
    Metric(
        "cracks.isolated",
        "Isolated volume",
        "cracks",
        "domains",
        "particle",
        "less",
        scalar("isolated_fraction"),
        100.0,
        "%",
        about="of the solid",
    ),
    Metric("xanes.edge_charged", "Edge energy, charged", "xanes", "edges", "particle", "neither", scalar("median"), state="charged"),
    Metric(
        "xanes.edge_discharged", "Edge energy, discharged", "xanes", "edges", "particle", "neither", scalar("median"), state="discharged"
    ),
    Metric(
        "xanes.activity",
        "Activity",
        "xanes",
        "edges",
        "cell",
        "more",
        never,
        unit="eV",
        difference=("xanes.edge_charged", "xanes.edge_discharged"),
        about="charged − discharged, of different particles",
    ),
    Metric(
        "xanes.spread_charged",
        "Heterogeneity, charged",
        "xanes",
        "edges",
        "particle",
        "less",
        scalar("heterogeneity"),
        state="charged",
        about="above the noise",
    ),
    Metric(
        "xanes.spread_discharged",
        "Heterogeneity, discharged",
        "xanes",
        "edges",
        "particle",
        "less",
        scalar("heterogeneity"),
        state="discharged",
        about="above the noise",
    ),
    Metric(
        "cracks.slope_charged",
        "Crack-distance slope, charged",
        "cracks",
        "profiles",
        "particle",
        "neither",
        scalar("slope"),
        state="charged",
    ),
    Metric(
        "cracks.slope_discharged",
        "Crack-distance slope, discharged",
        "cracks",
        "profiles",
        "particle",
        "neither",
        scalar("slope"),
        state="discharged",
    ),
    Metric(
        "spectra.bridging_charged", "2472.0 eV peak area, charged", "spectra", "peaks", "sample", "less", never, state="charged", unit="eV"
    ),
    Metric(
        "spectra.bridging_discharged",
        "2472.0 eV peak area, discharged",
        "spectra",
        "peaks",
        "sample",
        "less",
        never,
        state="discharged",
        unit="eV",
    ),
)
KNOWN: Mapping[str, Metric] = {m.id: m for m in METRICS}


def bridging_area(ds: xr.Dataset, spectra: frozenset[str]) -> Scalar | None:
    """Mean area of the peak nearest 2472.0 eV over the spectra of one sample; its interval where there is one spectrum."""
    mine = np.isin(ds["spectrum_name"].values.astype(str), sorted(spectra))
    center = ds["center"].values
    near = mine & (np.abs(center - BRIDGING_EV) <= NEAR_EV)
    names = ds["spectrum_name"].values.astype(str)
    rows = [min(np.flatnonzero(near & (names == s)), key=lambda k: abs(center[k] - BRIDGING_EV), default=None) for s in sorted(spectra)]
    kept = [k for k in rows if k is not None]
    if not kept:
        return None
    area = ds["area"].values
    if len(kept) > 1:
        return Scalar(float(np.mean(area[kept])), "eV", std=float(np.std(area[kept], ddof=1)), n=len(kept), of="spectra")
    (k,) = kept
    level = ds.attrs.get("level")
    return Scalar(
        float(area[k]), "eV", low=float(ds["area_low"].values[k]), high=float(ds["area_high"].values[k]), level=level, n=1, of="spectra"
    )
