"""Raw images of a scan, sample and reference, grouped by energy, repeats averaged with their scatter.

``sample`` and ``reference`` are means over the repeats of one energy, ``…_std`` the standard deviation of that mean (NaN for a single
frame), ``n_…`` how many there were. Means of parts are put together exactly: means and sums of squares are pooled (Chan, Golub &
LeVeque 1983, doi 10.1080/00031305.1983.10483115).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.core.data import Schema, Var
from analysis.core.errors import DataError

FRAME = ("energy", "y", "x")
ENERGY = ("energy",)

FRAMES = Schema(
    "txm.frames",
    {
        "energy": Var(ENERGY, "eV", title="Photon energy"),
        "sample": Var(FRAME, "counts", optional=True, title="Sample"),
        "reference": Var(FRAME, "counts", optional=True, title="Reference"),
        "dark": Var(("y", "x"), "counts", optional=True, title="Dark image"),
        "exposure": Var(ENERGY, "s", optional=True, title="Exposure of the sample"),
        "reference_exposure": Var(ENERGY, "s", optional=True, title="Exposure of the reference"),
        "n_sample": Var(ENERGY, "1", optional=True, title="Sample frames"),
        "n_reference": Var(ENERGY, "1", optional=True, title="Reference frames"),
    },
)

PROJECTIONS = Schema(
    "txm.projections",
    {
        "angle": Var(("angle",), "degree", title="Rotation angle"),
        "sample": Var(("angle", "y", "x"), "counts", title="Projection"),
        "reference": Var(("y", "x"), "counts", optional=True, title="Reference"),  # mean of the white images
        "dark": Var(("y", "x"), "counts", optional=True, title="Dark image"),
        "exposure": Var(("angle",), "s", optional=True, title="Exposure"),
    },
)

SAME_EV = 1e-3  # energies closer than this are one


@dataclass(frozen=True)
class Averaged:
    """Mean of ``n`` frames, the standard deviation of that mean (NaN for one frame), and the exposure in s (NaN unknown)."""

    mean: np.ndarray
    std: np.ndarray
    n: int
    exposure: float

    @property
    def squares(self) -> np.ndarray:
        """Sum of squared deviations from the mean."""
        return np.zeros_like(self.mean, float) if self.n < 2 else self.std.astype(float) ** 2 * self.n * (self.n - 1)


def averaged(frames: np.ndarray, exposure: float) -> Averaged:
    """Mean and its standard deviation of frames (n, y, x) of one energy."""
    n = frames.shape[0]
    mean = frames.mean(axis=0, dtype=np.float64)
    std = frames.std(axis=0, ddof=1, dtype=np.float64) / np.sqrt(n) if n > 1 else np.full(mean.shape, np.nan)
    return Averaged(mean.astype(np.float32), std.astype(np.float32), n, exposure)


def pooled(parts: Sequence[Averaged], what: str) -> Averaged:
    """The mean over the frames of several means, with its standard deviation, as if they had been averaged together."""
    first, *rest = parts
    if any(p.mean.shape != first.mean.shape for p in rest):
        raise DataError(f"{what} has images of different size.", hint="Give the frames of one scan.")
    if any(not np.isclose(p.exposure, first.exposure, equal_nan=True) for p in rest):
        said = " and ".join(sorted({f"{p.exposure:g} s" for p in parts}))
        raise DataError(f"{what} was exposed for {said}.", hint="Frames of one energy and kind need one exposure; take the others out.")
    if not rest:
        return first
    n, mean, squares = first.n, first.mean.astype(float), first.squares
    for part in rest:
        step = part.mean - mean
        total = n + part.n
        squares = squares + part.squares + step**2 * (n * part.n / total)
        mean, n = mean + step * (part.n / total), total
    std = np.sqrt(squares / (n - 1) / n)
    return Averaged(mean.astype(np.float32), std.astype(np.float32), n, first.exposure)


@dataclass(frozen=True)
class Scan:
    """The frames of a scan, taken from one or more datasets, one energy at a time.

    ``places`` says for each kind where frames are: energy, number of the dataset, index in it.
    """

    datasets: tuple[xr.Dataset, ...]
    energy: np.ndarray  # of the sample frames, increasing
    places: Mapping[str, tuple[tuple[float, int, int], ...]]

    @property
    def shape(self) -> tuple[int, int]:
        ds = self.datasets[0]
        return ds.sizes["y"], ds.sizes["x"]

    def energies_of(self, kind: str) -> np.ndarray:
        return _distinct([e for e, _, _ in self.places[kind]])

    def at(self, kind: str, energy: float) -> Averaged:
        """Sample or reference at one energy, over all datasets that have frames of it."""
        parts = [_part(self.datasets[k], kind, i) for e, k, i in self.places[kind] if abs(e - energy) < SAME_EV]
        return pooled(parts, f"The {kind} at {energy:.1f} eV")

    @property
    def dark(self) -> np.ndarray | None:
        found = [ds["dark"].values for ds in self.datasets if "dark" in ds]
        return np.mean(found, axis=0) if found else None


def _distinct(energies: Sequence[float]) -> np.ndarray:
    """Energies in increasing order, each once."""
    values = np.sort(np.array(energies, float))
    return values[np.diff(values, prepend=-np.inf) > SAME_EV] if values.size else values


def _places(datasets: Sequence[xr.Dataset], kind: str) -> tuple[tuple[float, int, int], ...]:
    found = []
    for k, ds in enumerate(datasets):
        if kind in ds:
            found += [(float(e), k, i) for i, e in enumerate(ds["energy"].values) if _count(ds, kind, i)]
    return tuple(found)


def scan_of(datasets: Sequence[xr.Dataset]) -> Scan:
    """A scan from its parts; ``DataError`` where they do not belong together or hold no sample."""
    if not datasets:
        raise DataError("No frames are given.", hint="Give the sample and reference frames of one scan.")
    sizes = {(ds.sizes["y"], ds.sizes["x"]) for ds in datasets}
    if len(sizes) > 1:
        said = " and ".join(f"{y} × {x}" for y, x in sorted(sizes))
        raise DataError(f"The frames are of different size: {said}.", hint="Give the frames of one scan.")
    places = {kind: _places(datasets, kind) for kind in ("sample", "reference")}
    energy = _distinct([e for e, _, _ in places["sample"]])
    if not energy.size:
        raise DataError("There are reference frames only.", hint="Add the frames of the sample.")
    return Scan(tuple(datasets), energy, places)


def _count(ds: xr.Dataset, kind: str, i: int) -> int:
    name = f"n_{kind}"
    return int(ds[name].values[i]) if name in ds else 1


def _part(ds: xr.Dataset, kind: str, i: int) -> Averaged:
    name = "exposure" if kind == "sample" else "reference_exposure"
    mean = ds[kind].isel(energy=i).values
    std = ds[f"{kind}_std"].isel(energy=i).values if f"{kind}_std" in ds else np.full(mean.shape, np.nan, np.float32)
    return Averaged(mean, std, _count(ds, kind, i), float(ds[name].values[i]) if name in ds else float("nan"))
