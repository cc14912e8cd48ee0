"""Small synthetic records with exactly known charge, for the tests of the cycling analysis."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

UNITS = {
    "time": "s",
    "voltage": "V",
    "current": "A",
    "cycle": "1",
    "step": "1",
    "mode": "1",
    "charge_capacity": "A h",
    "discharge_capacity": "A h",
}


def record(*, attrs: dict[str, object] | None = None, **columns: object) -> xr.Dataset:
    """A record from columns of one length."""
    return xr.Dataset({n: ("row", np.array(v), {"units": UNITS[n]}) for n, v in columns.items()}, attrs=attrs or {})


@dataclass(frozen=True)
class Stretch:
    """Constant current for a while; the voltage runs evenly between its ends."""

    current: float  # A
    seconds: float
    v0: float
    v1: float
    rows: int = 50
    cycle: int = 1
    mode: int = 0


def stretches(parts: Sequence[Stretch], *, gap: float = 0.0, columns: Sequence[str] = ()) -> xr.Dataset:
    """Stretches one after the other, each ``gap`` seconds after the one before; the charge of each is current × seconds."""
    out: dict[str, list[np.ndarray]] = {n: [] for n in ("time", "voltage", "current", "cycle", "step", "mode")}
    start = 0.0
    for step, p in enumerate(parts):
        out["time"].append(start + np.linspace(0, p.seconds, p.rows))
        out["voltage"].append(np.linspace(p.v0, p.v1, p.rows))
        out["current"].append(np.full(p.rows, p.current))
        for name, value in (("cycle", p.cycle), ("step", step), ("mode", p.mode)):
            out[name].append(np.full(p.rows, value))
        start += p.seconds + gap
    kept = ("time", "voltage", "current", *columns)
    return record(**{n: np.concatenate(v) for n, v in out.items() if n in kept})


def cycling(
    charge: Sequence[float],
    discharge: Sequence[float],
    *,
    current: float | Sequence[float] = 1e-3,
    rest: float = 600.0,
    columns: Sequence[str] = (),
) -> xr.Dataset:
    """Whole cycles, charge first, of the given capacities in mA h at constant current in A between 2.0 and 3.6 V, with rests."""
    currents = np.broadcast_to(current, len(charge))
    parts = []
    for n, (qc, qd, i) in enumerate(zip(charge, discharge, currents, strict=True), start=1):
        parts += [
            Stretch(i, qc * 3.6 / i, 2.0, 3.6, cycle=n),
            Stretch(0.0, rest, 3.55, 3.5, rows=5, cycle=n),
            Stretch(-i, qd * 3.6 / i, 3.4, 2.0, cycle=n),
            Stretch(0.0, rest, 2.2, 2.3, rows=5, cycle=n),
        ]
    return stretches(parts, columns=columns)


def fading(
    cycles: int, *, slope: float = -2e-3, efficiency: float = 0.995, first: float = 1.0, noise: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Charge and discharge capacities in mA h of a cell that fades evenly."""
    rng = np.random.default_rng(seed)
    discharge = first + slope * np.arange(cycles) + rng.normal(0, noise, cycles)
    return discharge / efficiency, discharge


def read_file(path: Path) -> xr.Dataset:
    """The record of a real file, by the reader that knows its content."""
    from analysis.modalities import registry

    reader = registry().recognise(path)
    return reader.schema.conform(reader.read((path,), reader.options()))
