"""Edge-energy maps of a stack: what is prepared once, what is done to every block, what the map says of itself."""

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from analysis.core.data import Scalar, warn, warnings_of
from analysis.core.errors import DataError
from analysis.schemas import FLAGS, dimensionality, spatial_dims
from analysis.xanes import kernel
from analysis.xanes.blocks import checked_mask, in_blocks, is_lazy, like, per_voxel
from analysis.xanes.definitions import Template, Window, edge_window, template_of
from analysis.xanes.halo import with_halo
from analysis.xanes.kept import kept_voxels
from analysis.xanes.normalise import Lines, check_energies, fit_lines, normalise
from analysis.xanes.quality import MAPS, OUTSIDE, Quality, QualityParams, finish
from analysis.xanes.sampling import FEWEST, Sample, edge_position, sample_of

SYSTEMATIC = 3  # ways in which the fine structure after the edge may vary between voxels; the rest is noise
RECIPE = ("definition", "pre1", "pre2", "norm1", "norm2", "normalised", "energy_offset", "calibrant", "smooth_points")


@dataclass(frozen=True)
class Setup:
    """All that is fixed before the first block: the same for every voxel."""

    lines: Lines
    window: Window
    template: Template | None
    steep_gain: float
    growth: float
    remarks: tuple[str, ...]

    def plan(self, definition: str) -> kernel.Plan:
        return kernel.plan_of(definition, self.lines, self.window, template=self.template, kappa=self.growth, steep_gain=self.steep_gain)


def edge_maps(
    stack: xr.Dataset, params: QualityParams, *, mask: xr.Dataset | None = None, template: xr.Dataset | None = None
) -> xr.Dataset:
    """Edge energy, its uncertainty, jump, white line and flags of every voxel; lazy where the stack is."""
    inside = checked_mask(mask, stack)
    setup = prepare(stack, params, mask=inside, template=template)
    spectra = in_blocks(stack["mu"])
    wanted = [like(inside, spectra)] if inside is not None else []
    raw = per_voxel(_on_block, spectra, *wanted, rows=kernel.ROWS, setup=setup, definition=params.definition)
    quality = _quality(setup, params)
    if not is_lazy(stack):
        raw = da.from_array(raw.compute(), chunks=raw.chunks, name=False)  # a tenth of the stack: nothing is computed twice
    made = with_halo(lambda block: finish(block, quality), raw, halo=quality.halo, rows=len(MAPS))
    if not is_lazy(stack):
        made = made.compute()
    return _described(made, stack, setup, params)


def _on_block(spectra: np.ndarray, *wanted: np.ndarray, setup: Setup, definition: str) -> np.ndarray:
    inside = wanted[0] != 0 if wanted else np.ones(len(spectra), dtype=bool)
    return kernel.edge_maps(spectra, inside, setup.plan(definition))


def _quality(setup: Setup, params: QualityParams) -> Quality:
    energy = setup.lines.energy[setup.window.start : setup.window.stop]
    rims = (float(energy[0]), float(energy[-1]))
    return Quality(params.min_jump_to_noise, params.max_std, params.pool, params.erode, setup.lines.freedom, rims)


def _described(made: Any, stack: xr.Dataset, setup: Setup, params: QualityParams) -> xr.Dataset:
    dims, of_mu = spatial_dims(stack), stack["mu"].attrs.get("units", "1")
    units = {"edge_energy": "eV", "edge_energy_std": "eV", "edge_jump": of_mu, "white_line": "eV", "white_line_height": "1", "noise": of_mu}
    variables = {}
    for row, name in enumerate(MAPS):
        values = made[row].astype(np.uint8) if name in ("flags", "rim") else made[row]
        variables[name] = (dims, values, {"units": units.get(name, "1")})
    attrs = {k: stack.attrs[k] for k in ("voxel_um", "element", "edge", "metadata") if k in stack.attrs}
    attrs |= {name: getattr(params, name) for name in RECIPE}
    attrs |= {"e0": setup.lines.e0, "noise_growth": setup.growth, "dimensionality": dimensionality(stack)}
    if setup.template is not None:
        attrs["template_energy"] = setup.template.anchor
    coords = {d: stack.coords[d] for d in dims if d in stack.coords}
    return warn(xr.Dataset(variables, coords, attrs), *warnings_of(stack), *setup.remarks)


def prepare(stack: xr.Dataset, params: QualityParams, *, mask: xr.DataArray | None = None, template: xr.Dataset | None = None) -> Setup:
    """Lines, window, template and noise model, from the parameters and a sample of the stack."""
    energy = check_energies(stack["energy"].to_numpy()) + params.energy_offset
    sample = sample_of(stack, mask)
    sample = Sample(energy, sample.mu, sample.taken, sample.lost)
    remarks = []
    e0 = params.e0
    if e0 is None:
        e0 = edge_position(sample)
        remarks.append(f"E0 = {e0:g} eV was found in this stack; give one e0 for all particles of a comparison.")
    lines = fit_lines(energy, e0, params)
    remarks += lines.clipped
    window = edge_window(energy, e0, params)
    jumps = _checked_jumps(sample, lines, params)
    strong = sample.mu[jumps > 0.3 * np.quantile(jumps, 0.98)]
    mean = normalise(strong.mean(axis=0), lines).norm
    given = _given_template(template, lines) if template is not None else mean
    wanted = template_of(given, lines, window) if params.definition == "template_shift" else None
    if wanted is not None and not np.isfinite(wanted.anchor):
        raise DataError("The mean spectrum does not cross half of its jump in the edge window.", hint="Check e0, edge1 and edge2.")
    if lines.freedom == 0:
        remarks.append("Two points before the edge do not tell the noise: edge energies have no uncertainty. Lower pre1 or raise pre2.")
    gain = steep_gain(mean, lines, window) if params.definition == "max_slope" else float("nan")
    growth = params.photon_noise if params.photon_noise is not None else noise_growth(strong, lines)
    return Setup(lines, window, wanted, gain, growth, tuple(remarks))


def _checked_jumps(sample: Sample, lines: Lines, params: QualityParams) -> np.ndarray:
    """Jumps of the sampled spectra; DataError where they say that the stack is not what it should be."""
    if np.ptp(sample.mu) == 0:
        raise DataError("All values of the stack are equal.", hint="Is it the right dataset of the file?")
    if lines.normalised:
        return np.ones(len(sample.mu))
    pre = sample.mu[:, lines.pre] @ lines.w_pre
    jumps = sample.mu[:, lines.post] @ lines.w_post - pre
    before = sample.mu[:, lines.pre] - pre[:, None] - np.outer(sample.mu[:, lines.pre] @ lines.w_slope, lines.x[lines.pre])
    noise = np.sqrt(np.sum(before**2) / max(1, len(before) * lines.freedom)) if lines.freedom else 0.0
    rises = np.mean(jumps > params.min_jump_to_noise * noise)
    falls = np.mean(jumps < -params.min_jump_to_noise * noise)
    if falls > rises:
        raise DataError(
            f"At E0 = {lines.e0:g} eV absorption falls instead of rising.",
            hint="The stack seems to hold transmitted intensity: convert it to optical depth, -ln(I/I0), or check e0.",
        )
    return np.asarray(jumps)


def _given_template(template: xr.Dataset, lines: Lines) -> np.ndarray:
    """Normalised spectrum of a reference dataset on the stack's energies."""
    energy, mu = template["energy"].to_numpy().astype(float), template["mu"].to_numpy().astype(float)
    row = mu[0] if mu.ndim == 2 else mu
    good = np.isfinite(row)
    if energy[good].size < 6 or energy[good][0] > lines.energy[0] or energy[good][-1] < lines.energy[-1]:
        raise DataError("The template does not cover the energies of the stack.", hint="Choose a longer one, or leave it out.")
    return normalise(CubicSpline(energy[good], row[good])(lines.energy), lines).norm


def steep_gain(norm: np.ndarray, lines: Lines, window: Window) -> float:
    """Standard deviation of the steepest point for unit noise and unit jump, of the mean spectrum over all phases of the grid."""
    spline, energy = CubicSpline(lines.energy, norm), lines.energy
    spacing = float(np.median(np.diff(energy[window.start : window.stop])))
    moved = spline(np.clip(energy - np.linspace(-1, 1, 33)[:, None] * spacing, energy[0], energy[-1]))
    plan = kernel.plan_of("max_slope", lines, window)
    found = kernel.edge_maps(moved.astype(np.float32), np.ones(len(moved), dtype=bool), plan)
    gains = found[kernel.GAIN] * found[kernel.JUMP]
    good = gains[np.isfinite(gains)]
    return float(np.sqrt(np.mean(good.astype(np.float64) ** 2))) if good.size else float("nan")


def noise_growth(spectra: np.ndarray, lines: Lines) -> float:
    """How the noise grows with absorption: variance = exp(growth * rise); 1 for counted photons, 0 for constant noise.

    The noise after the edge is what remains of the post-edge points when a line and the few commonest shapes are taken off,
    since fine structure differs between voxels. Photons (1) are assumed where too few points or spectra are there to tell.
    """
    n = lines.post.stop - lines.post.start
    shapes = min(SYSTEMATIC, n - 3)
    if lines.normalised or shapes < 1 or lines.freedom == 0 or len(spectra) < FEWEST:
        return 0.0 if lines.normalised else 1.0
    before = _about_line(spectra[:, lines.pre], lines.x[lines.pre])
    after = _about_line(spectra[:, lines.post], lines.x[lines.post])
    own = np.sort(np.linalg.eigvalsh(after.T @ after))[: n - shapes]
    late = own.sum() / (len(spectra) * (n - 2 - shapes))
    early = np.sum(before**2) / (len(spectra) * lines.freedom)
    rise = float(np.mean(spectra[:, lines.post] @ lines.w_post - spectra[:, lines.pre] @ lines.w_pre))
    if not (early > 0 and late > 0 and rise > 0):
        return 0.0
    return float(np.clip(np.log(late / early) / rise, 0.0, 2.0))


def _about_line(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    basis = np.linalg.qr(np.stack([np.ones_like(x), x], axis=1))[0]
    return np.asarray(values - (values @ basis) @ basis.T)


# -- what a finished map says of itself --------------------------------------------------------------------------------------


TITLES = {
    "median": "Median edge energy",
    "iqr": "Quartile distance",
    "std": "Standard deviation",
    "noise_floor": "Noise floor",
    "heterogeneity": "Heterogeneity beyond noise",
}


def summarise(stored: xr.Dataset, params: QualityParams) -> dict[str, Scalar]:
    """How many voxels count, why others do not, and how the edge energies are spread."""
    kept = kept_voxels(stored)
    looked_at = kept.total - kept.outside
    n, refused = kept.n, sum(kept.refused.values()) - kept.outside
    particle = looked_at - kept.refused[kernel.NOT_FINITE] - kept.refused[kernel.NO_EDGE]
    in_particle = refused - kept.refused[kernel.NOT_FINITE] - kept.refused[kernel.NO_EDGE]
    found = {
        "n_valid": Scalar(n, "1", n=n, of="voxels", title="Voxels that count"),
        "fraction_refused": Scalar(refused / looked_at if looked_at else None, "1", n=looked_at, of="voxels", title="Refused voxels"),
        "fraction_refused_in_particle": Scalar(
            in_particle / particle if particle else None,
            "1",
            n=particle,
            of="voxels with an edge",
            title="Refused voxels that have an edge",
        ),
        "n_rim": Scalar(kept.rim, "1", n=kept.rim, of="voxels", title="Voxels of the rim, left out of statistics"),
        "e0": Scalar(stored.attrs.get("e0"), "eV", title="E0"),
    }
    found |= {name: Scalar(kept.spread[name], "eV", n=n, of="voxels", title=title) for name, title in TITLES.items()}
    reasons = {flag: kept.refused[flag] for flag in FLAGS if flag != OUTSIDE}
    found |= {f"n_refused_{flag}": Scalar(k, "1", n=k, of="voxels", title=f"Refused: {FLAGS[flag]}") for flag, k in reasons.items()}
    return found
