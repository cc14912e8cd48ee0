"""Real files against what is known of them: frames of SSRL 6-2c, the Fe L stack of ALS 5.3.2, Ni references."""

from pathlib import Path

import numpy as np
import xarray as xr
from scipy import ndimage
from scipy.interpolate import CubicSpline
from scipy.optimize import nnls
from skimage.filters import threshold_otsu
from skimage.registration import phase_cross_correlation

from analysis.core.run import read
from analysis.modalities import registry
from analysis.schemas import MASK, SPECTRA
from analysis.xanes.compute import fractions
from analysis.xanes.lcf import LcfParams
from analysis.xanes.prepare import OpticalDepthParams
from analysis.xanes.prepare import prepare as optical_depth
from benchmarks import places
from benchmarks.report import Section, Table

TXM = places.ROOT.parent / "shared" / "data" / "txm"
XAS = places.ROOT.parent / "shared" / "data" / "xas"
PICTURE = places.ROOT / "docs" / "images" / "jump-mask.png"
LOW, HIGH = 8324.0, 8354.0  # eV
TOP_POINTS = 7  # of the parabola that the white line is read from
RIM = 24  # pixels that the drift leaves without a partner


def run(*, quick: bool) -> Section:
    if not TXM.is_dir():
        raise places.Missing("../shared/data/txm is not there")
    rows = (*_frames(quick=quick), *_iron(), *_nickel())
    table = Table("Against the list of the files", ("file", "quantity", "expected", "found"), tuple(rows))
    return Section("real", "X-ray microscopy: real files", "Every value is recomputed from the files themselves.", (table,))


def taken(paths: list[Path]) -> xr.Dataset:
    reader = registry().recognise(paths[0])
    return read(tuple(paths), reader, reader.options())


def _frames(*, quick: bool) -> list[tuple[str, ...]]:
    folder = TXM / "ssrl_6-2c_nca_raw"
    paths = sorted(folder.glob("rep01*"))
    frames = taken(paths)
    made = optical_depth(frames=(frames,), params=OpticalDepthParams())
    ours = (made["mu"].sel(energy=HIGH) - made["mu"].sel(energy=LOW)).values
    mask, threshold = _masked(ours)
    plain, drift = plain_jump(frames)
    own = [float(made[f"shift_{axis}"].sel(energy=HIGH) - made[f"shift_{axis}"].sel(energy=LOW)) for axis in "yx"]
    other, _ = _masked(plain)
    overlap = intersection_over_union(mask, other)
    if not quick:
        write_picture(PICTURE, ours, mask, other)
    name = folder.name
    return [
        (name, "energies", "8324, 8354 eV", ", ".join(f"{e:g}" for e in frames["energy"].values) + " eV"),
        (
            name,
            "exposure, sample / reference",
            "0.5 / 0.3 s",
            f"{frames['exposure'].values[0]:g} / {frames['reference_exposure'].values[0]:g} s",
        ),
        (name, "drift, y, x (after the scale ∝ E)", "−19.9, −10.1 px", f"{own[0]:.1f}, {own[1]:.1f} px".replace("-", "−")),
        (name, "the same by plain correlation", "", f"{drift[0]:.1f}, {drift[1]:.1f} px".replace("-", "−")),
        (name, "Otsu threshold of the jump", "0.23", f"{threshold:.3f}"),
        (name, "mean jump in the mask", "0.44", f"{ours[mask].mean():.3f}"),
        (name, "mask", "20 %", f"{100 * np.mean(mask[np.isfinite(ours)]):.1f} %"),
        (name, "mask against above minus below the edge, IoU", "≥ 0.9", f"{overlap:.3f}"),
    ]


def plain_jump(frames: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Above minus below the edge without any of the program's own steps: counts a second, logarithm, scale, shift, subtract."""
    depths = []
    for energy in (LOW, HIGH):
        at = frames.sel(energy=energy)
        rate = at["sample"].values / float(at["exposure"]), at["reference"].values / float(at["reference_exposure"])
        depths.append(np.log(rate[1]) - np.log(rate[0]))
    below, above = (np.nan_to_num(d, nan=0.0, posinf=0.0, neginf=0.0) for d in depths)
    center = (np.array(above.shape) - 1) / 2
    factor = HIGH / LOW  # a pixel is larger at the higher energy
    scaled = ndimage.affine_transform(above, np.full(2, 1 / factor), offset=center * (1 - 1 / factor), order=1)
    drift, _, _ = phase_cross_correlation(below, scaled, normalization=None, upsample_factor=10)
    moved = ndimage.shift(scaled, drift, order=1, cval=np.nan)
    jump = moved - below
    jump[:RIM], jump[-RIM:], jump[:, :RIM], jump[:, -RIM:] = np.nan, np.nan, np.nan, np.nan
    return jump, np.asarray(drift)


def _masked(jump: np.ndarray) -> tuple[np.ndarray, float]:
    threshold = float(threshold_otsu(jump[np.isfinite(jump)]))
    return np.nan_to_num(jump, nan=-np.inf) > threshold, threshold


def intersection_over_union(one: np.ndarray, other: np.ndarray) -> float:
    """Of two masks, without the rim that one of them cannot know."""
    inner = (slice(RIM, -RIM), slice(RIM, -RIM))
    return float(np.sum(one[inner] & other[inner]) / np.sum(one[inner] | other[inner]))


def write_picture(path: Path, jump: np.ndarray, mask: np.ndarray, other: np.ndarray) -> None:
    """Jump map, its mask, the plain mask, and where they differ, side by side at half size."""
    from PIL import Image

    low, high = np.nanpercentile(jump, [1, 99])
    grey = np.clip((np.nan_to_num(jump, nan=low) - low) / (high - low), 0, 1)
    panels = [grey, mask.astype(float), other.astype(float), (mask ^ other).astype(float)]
    gap = np.ones((jump.shape[0], 16))
    wide = np.concatenate([p for panel in panels for p in (panel, gap)][:-1], axis=1)[::2, ::2]
    Image.fromarray(np.round(255 * wide).astype(np.uint8)).save(path, optimize=True)


def _iron() -> list[tuple[str, ...]]:
    folder = TXM / "als_stxm_fe_71214078"
    counts = np.load(folder / "71214078_aligned_counts.npz")["counts"]
    energy, i0 = np.loadtxt(folder / "Energy.txt"), np.loadtxt(folder / "i0.xsp")[:, 1]
    depth = np.moveaxis(-np.log(counts / i0[:, None, None]), 0, -1)
    letters = np.array([list(row.ljust(125))[:125] for row in (folder / "mask_file.msk").read_text().splitlines()]) == "O"
    targets = {name: np.loadtxt(folder / f"{name}.t") for name in ("oxidized", "reduced")}
    known = SPECTRA.conform(
        xr.Dataset(
            {
                "mu": (("spectrum", "energy"), np.stack([t[:, 1] for t in targets.values()]), {"units": "1"}),
                "name": ("spectrum", np.array(list(targets)), {"units": ""}),
            },
            {"energy": ("energy", targets["oxidized"][:, 0], {"units": "eV"})},
        )
    )
    axis = {"energy": ("energy", energy, {"units": "eV"})}
    stack = registry().reader("xanes.numpy").schema.conform(xr.Dataset({"mu": (("y", "x", "energy"), depth, {"units": "1"})}, axis))
    mask = MASK.conform(xr.Dataset({"mask": (("y", "x"), letters.astype(int), {"units": "1"})}))
    found = fractions(stack=stack, references=(known,), params=LcfParams(normalise=False, sum_to_one=False), mask=mask)
    inside = found["flags"].values == 0
    parts = np.stack([np.interp(energy, t[:, 0], t[:, 1]) for t in targets.values()], axis=1)
    alone = np.array([nnls(parts, y)[0] for y in depth[inside].astype(float)])
    off = float(np.abs(found["weight"].values[:, inside].T - alone).max())
    return [(folder.name, f"weights of {inside.sum():,} spectra against SciPy's NNLS", "≤ 1e-6", f"{off:.1e}")]


def _nickel() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, half, white in (("NiO", 8340.05, 8347.76), ("LiNiO2", 8341.82, 8349.74)):
        ds = taken([XAS / "refs_ni" / f"ref_{name}.txt"])
        energy, mu = ds["energy"].values, ds["mu"].values[0]
        fine = np.arange(8330.0, 8360.0, 0.005)
        curve = CubicSpline(energy, mu)(fine)
        near = slice((top := int(np.argmax(mu))) - TOP_POINTS // 2, top + TOP_POINTS // 2 + 1)
        bent, linear, _ = np.polyfit(energy[near] - energy[top], mu[near], 2)
        found = fine[np.flatnonzero(curve[: int(np.argmax(curve))] < 0.5)[-1]], energy[top] - 0.5 * linear / bent
        for what, expected, value in (("half height", half, found[0]), ("white line", white, found[1])):
            rows.append((f"ref_{name}.txt", what, f"{expected} ± 0.05 eV", f"{value:.2f} eV"))
    return rows
