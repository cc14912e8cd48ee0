"""Raw frames of one particle as a full-field microscope takes them: counts with and without the sample, energy by energy.

The particle is seen along z, on a field of view 1.5 times as wide. A zone plate's pixels grow with the energy, so the image shrinks
by E_ref/E; the stage drifts; the lamp's profile is uneven; photons are counted. Sample and reference are exposed for different times,
each energy ``REPEATS`` times. Files are those of Zeiss/Xradia (``analysis.formats.xrm``): one series of the sample, one of references.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from analysis.demo.compound_file import compound_file
from analysis.demo.particle_model import Material
from analysis.demo.particle_spectra import end_members, energies

REPEATS = 2
EXPOSURE_S, REFERENCE_EXPOSURE_S = 0.5, 0.3
RATE = 40_000.0  # photons a pixel and second in the middle of the lamp
FIELD = 1.5  # width of the image over the width of the particle's cube
DRIFT_PX = 0.5  # standard deviation of a step of the drift
CAMERA = "synthetic: forward model with known truth"
IMAGES_A_FOLDER = 100


@dataclass(frozen=True)
class Frames:
    """A scan: counts of shape (E, repeats, y, x), what was moved, and what an analysis has to find.

    shift
        Pixels (E, 2) that bring each image back to the grid of ``reference_energy``.
    scale
        Size of the particle in pixels relative to that energy.
    depth
        Noise-free optical depth on that grid, (E, y, x).
    """

    energy: np.ndarray
    sample: np.ndarray
    reference: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    depth: np.ndarray
    pixel_um: float
    reference_energy: float


def take_frames(material: Material, rng: np.random.Generator) -> Frames:
    """The frames of a scan over ``energies()``; the middle energy does not drift."""
    energy = energies()
    at = (energy.size - 1) // 2
    scale = energy[at] / energy
    steps = np.cumsum(rng.normal(0, DRIFT_PX, (energy.size, 2)), axis=0)
    shift = np.round(ndimage.gaussian_filter1d(steps, 2, axis=0), 3)
    shift -= shift[at]
    depth = projected(material)
    lamp = illumination(depth.shape[1:], rng)
    sample, reference = [], []
    for i in range(energy.size):
        seen = np.exp(-moved(depth[i], scale=float(scale[i]), shift=shift[i]))
        beam = lamp * (1 + 0.02 * np.sin(i / 7))
        sample.append(rng.poisson(beam * seen * EXPOSURE_S, (REPEATS, *seen.shape)))
        reference.append(rng.poisson(beam * REFERENCE_EXPOSURE_S, (REPEATS, *seen.shape)))
    return Frames(energy, _counted(sample), _counted(reference), shift, scale, depth, material.voxel_um, float(energy[at]))


def _counted(images: list[np.ndarray]) -> np.ndarray:
    return np.minimum(np.stack(images), np.iinfo(np.uint16).max).astype(np.uint16)


def projected(material: Material) -> np.ndarray:
    """Optical depth along z at every energy, in the middle of the field of view; shape (E, y, x), float32."""
    low, high = end_members()
    held = material.amount * np.nan_to_num(material.delithiated)
    through, out = (a.sum(axis=0) * material.voxel_um for a in (material.amount, held))
    rim = round((FIELD - 1) / 2 * through.shape[0])
    through, out = np.pad(through, rim), np.pad(out, rim)
    return np.asarray(low[:, None, None] * through + (high - low)[:, None, None] * out, np.float32)


def moved(image: np.ndarray, *, scale: float, shift: np.ndarray) -> np.ndarray:
    """What the camera sees of an image of the reference grid: ``scale`` times as large, and ``shift`` pixels off."""
    centre = (np.array(image.shape) - 1) / 2
    offset = centre + shift - centre / scale
    return np.asarray(ndimage.affine_transform(image, np.full(2, 1 / scale), offset, order=3, mode="constant"))


def illumination(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Photons a second of an uneven lamp with dust on its window, shape (y, x)."""
    y, x = (np.linspace(-1, 1, n) for n in shape)
    profile = np.exp(-0.25 * (y[:, None] ** 2 + (x - 0.15) ** 2))
    dust = ndimage.gaussian_filter(rng.standard_normal(shape), 2)
    return np.asarray(RATE * profile * (1 - 0.05 * np.abs(dust) / np.abs(dust).max()))


def write_frames(folder: Path, stem: str, frames: Frames) -> tuple[str, str]:
    """The series of the sample and of the references; the names of both files."""
    names = (f"{stem}_scan.txrm", f"{stem}_ref_scan.txrm")
    for name, images, exposure in zip(names, (frames.sample, frames.reference), (EXPOSURE_S, REFERENCE_EXPOSURE_S), strict=True):
        (folder / name).write_bytes(series(images, frames.energy, exposure, frames.pixel_um))
    return names


def series(images: np.ndarray, energy: np.ndarray, exposure: float, pixel_um: float) -> bytes:
    """A ``.txrm`` file of frames (E, repeats, y, x)."""
    flat = images.reshape(-1, *images.shape[2:])
    n, height, width = flat.shape

    def ints(*values: int) -> bytes:
        return np.array(values, "<i4").tobytes()

    def floats(values: np.ndarray | list[float]) -> bytes:
        return np.asarray(values, "<f4").tobytes()

    info = {
        "ImageWidth": ints(width),
        "ImageHeight": ints(height),
        "NoOfImages": ints(n),
        "ImagesTaken": ints(n),
        "DataType": ints(5),
        "Energy": floats(np.repeat(energy, images.shape[1])),
        "ExpTimes": floats([exposure] * n),
        "Angles": floats([0.0] * n),
        "PixelSize": floats([pixel_um]),
        "HorizontalBin": ints(1),
        "Date": b"04/14/2025 09:00:00".ljust(23, b"\0"),
        "CameraName": CAMERA.encode().ljust(64, b"\0"),
    }
    streams = {f"ImageInfo/{name}": content for name, content in info.items()}
    stored = {f"ImageData{i // IMAGES_A_FOLDER + 1}/Image{i + 1}": image.astype("<u2").tobytes() for i, image in enumerate(flat)}
    return compound_file(streams | stored)
