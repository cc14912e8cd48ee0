"""What several recipes do with the spectra of a stack: choose voxels, normalise a block, bring references onto its energies."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numba import njit
from scipy.interpolate import CubicSpline

from analysis.core.errors import DataError, ParamError
from analysis.schemas import spatial_dims
from analysis.xanes.blocks import checked_mask
from analysis.xanes.normalise import LineParams, Lines, check_energies, fit_lines
from analysis.xanes.sampling import Sample, edge_position, sample_of


def chosen_voxels(stack: xr.Dataset, mask: xr.Dataset | None, edges: xr.Dataset | None) -> xr.DataArray | None:
    """Where spectra are looked at: inside the mask, and where the edge map has a value; None is everywhere."""
    inside = checked_mask(mask, stack)
    if edges is None:
        return inside
    sizes = {d: stack.sizes[d] for d in spatial_dims(stack)}
    if {d: edges.sizes[d] for d in spatial_dims(edges)} != sizes:
        raise DataError("The edge map is of another stack: its shape differs.", hint="Choose the map that was made from this stack.")
    good = edges["flags"] == 0
    return good if inside is None else good & (inside != 0)


@dataclass(frozen=True)
class Prepared:
    """Lines for a stack, a sample of its spectra, and what has to be said."""

    lines: Lines
    sample: Sample
    remarks: tuple[str, ...]


def prepare_lines(stack: xr.Dataset, params: LineParams, *, where: xr.DataArray | None, edges: xr.Dataset | None = None) -> Prepared:
    """Pre- and post-edge lines; E0 from the parameters, else from the edge map, else from the stack itself."""
    energy = check_energies(stack["energy"].to_numpy()) + params.energy_offset
    taken = sample_of(stack, where)
    sample = Sample(energy, taken.mu, taken.taken, taken.lost)
    remarks: tuple[str, ...] = ()
    e0 = params.e0 if params.e0 is not None or edges is None else edges.attrs.get("e0")
    if e0 is None:
        e0 = edge_position(sample)
        remarks = (f"E0 = {e0:g} eV was found in this stack; give one e0 for all particles of a comparison.",)
    lines = fit_lines(energy, float(e0), params)
    return Prepared(lines, sample, (*remarks, *lines.clipped))


def normalised_block(spectra: np.ndarray, lines: Lines, points: slice) -> np.ndarray:
    """Normalised spectra at some of the energies.

    Parameters
    ----------
    spectra
        Shape (N, E).

    Returns
    -------
    np.ndarray
        Shape (N, n), float64; NaN where a value is missing or the jump is not above zero.
    """
    out = np.empty((len(spectra), points.stop - points.start))
    weights = (lines.w_pre, lines.w_slope, lines.w_post, lines.x)
    if lines.normalised:
        out[:] = spectra[:, points]
    else:
        _normalise(spectra, lines.pre.start, lines.post.start, points.start, *weights, out)
    out[~np.isfinite(out).all(axis=1)] = np.nan
    return out


@njit(nogil=True, cache=True)
def _normalise(
    spectra: np.ndarray,
    pre_start: int,
    post_start: int,
    start: int,
    w_pre: np.ndarray,
    w_slope: np.ndarray,
    w_post: np.ndarray,
    x: np.ndarray,
    out: np.ndarray,
) -> None:
    for i in range(spectra.shape[0]):
        pre, slope, post = 0.0, 0.0, 0.0
        for k in range(w_pre.size):
            pre += w_pre[k] * spectra[i, pre_start + k]
            slope += w_slope[k] * spectra[i, pre_start + k]
        for k in range(w_post.size):
            post += w_post[k] * spectra[i, post_start + k]
        jump = post - pre
        for k in range(out.shape[1]):
            value = (spectra[i, start + k] - pre - slope * x[start + k]) / jump
            out[i, k] = value if jump > 0 else np.nan


@dataclass(frozen=True)
class References:
    """Spectra on the energies of a stack: shape (n, E), NaN beyond their own energies."""

    names: tuple[str, ...]
    mu: np.ndarray


def references_on(energy: np.ndarray, references: tuple[xr.Dataset, ...], *, shift: float = 0.0) -> References:
    """All spectra of some datasets on the given energies, by cubic splines, after moving them up by ``shift``.

    A straight line between points 1 eV apart would smooth a white line by as much as a shift of 0.1 eV does.
    """
    names: list[str] = []
    rows = []
    for ds in references:
        own, mu = ds["energy"].to_numpy().astype(float), ds["mu"].to_numpy().astype(float)
        for name, row in zip(ds["name"].to_numpy().astype(str).tolist(), mu, strict=True):
            good = np.isfinite(row)
            if good.sum() < 4:
                raise DataError(f"The reference '{name}' holds fewer than four numbers.", hint="Leave it out.")
            names.append(name if name not in names else f"{name} ({len(names) + 1})")
            rows.append(CubicSpline(own[good] + shift, row[good], extrapolate=False)(energy))
    if not rows:
        raise DataError("No reference is given.", hint="Choose at least one reference spectrum.")
    return References(tuple(names), np.stack(rows))


def points_of(energy: np.ndarray, low: float, high: float, *, least: int) -> slice:
    """The points from ``low`` to ``high``, both included."""
    start, stop = np.searchsorted(energy, [low - 1e-9, high + 1e-9])
    if stop - start < least:
        raise ParamError(f"Only {stop - start} energies lie between {low:g} and {high:g} eV; {least} are needed.", hint="Widen the range.")
    return slice(int(start), int(stop))
