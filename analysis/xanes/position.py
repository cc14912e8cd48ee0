"""Where the edge of a stack lies, so that one E0 can be chosen for all particles of a comparison."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from analysis.core.data import Scalar, Schema, Var, table, warnings_of
from analysis.core.params import Params
from analysis.xanes.blocks import checked_mask
from analysis.xanes.normalise import check_energies
from analysis.xanes.sampling import edge_position, rising_mean, sample_of

POSITION = Schema(
    "xanes.position",
    {
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "mu": Var(("energy",), ("1", "1/um"), title="Mean absorption where it rises most"),
    },
)


class PositionParams(Params):
    """Nothing is chosen: the sample is an even one, the position its steepest rise."""


def position(*, stack: xr.Dataset, params: PositionParams, mask: xr.Dataset | None = None) -> xr.Dataset:
    """Mean spectrum of an even sample of the stack, with its steepest energy in ``attrs["e0"]``."""
    check_energies(stack["energy"].to_numpy())
    sample = sample_of(stack, checked_mask(mask, stack))
    columns = {"energy": (sample.energy, "eV"), "mu": (rising_mean(sample), str(stack["mu"].attrs.get("units", "1")))}
    kept = {k: stack.attrs[k] for k in ("element", "edge") if k in stack.attrs}
    return table(columns, dim="energy", attrs={**kept, "e0": edge_position(sample), "warnings": list(warnings_of(stack))})


def summarise(stored: xr.Dataset, params: PositionParams) -> Mapping[str, Scalar]:
    """The energy of the steepest rise, on the grid of the stack."""
    return {"e0": Scalar(float(stored.attrs["e0"]), "eV", title="Steepest rise of the mean spectrum")}


def common_position(found: np.ndarray, *, apart: float = 30.0) -> float:
    """One whole-numbered E0 in eV for many stacks: the median of their positions, of the edge that most of them were taken at.

    Parameters
    ----------
    found
        Shape (N,), positions in eV.
    apart
        Positions further from their neighbour than this, in eV, are of different edges.
    """
    ordered = np.sort(np.asarray(found, dtype=float))
    edges = np.split(ordered, np.flatnonzero(np.diff(ordered) > apart) + 1)
    largest = max(edges, key=len)
    return float(np.round(np.median(largest)))
