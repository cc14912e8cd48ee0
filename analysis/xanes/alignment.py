"""Images of one region at different energies laid over one another: magnification first, then drift, one interpolation for both.

A zone plate's focal length is proportional to the energy, and so is the size of a pixel in the sample: at the energy E a feature
is ``scale`` = E_ref/E times as large, in pixels, as at the reference energy. The sample drifts besides. An image is brought to the grid
of the reference by

    out(r) = in(c + scale · (r − c − shift)),    c the centre of the image, shift in pixels of the reference.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import ndimage, signal

FINE_PX = 1.5  # smaller structures are noise
UPSAMPLE = 20  # shifts to 1/20 px
SCALES_TRIED = 11
TAPER = 0.2  # part of an image that is faded out


def magnification(energy: np.ndarray, reference_energy: float) -> np.ndarray:
    """Size of features, in pixels, relative to the reference energy: E_ref/E."""
    return reference_energy / np.asarray(energy, float)


def transformed(image: np.ndarray, *, scale: float, shift: tuple[float, float], order: int = 1) -> np.ndarray:
    """An image on the grid of the reference, interpolated once; NaN where it does not reach.

    Parameters
    ----------
    image
        Shape (y, x). NaN pixels spread to the pixels that are interpolated from them.
    order
        1 linear, 3 cubic spline (keeps edges sharper and noise as it is; linear smooths both a little, differently from place to place).
    """
    centre = (np.array(image.shape) - 1) / 2
    offset = centre - scale * (centre + np.asarray(shift))
    holes = ~np.isfinite(image)
    filled = np.where(holes, 0.0, image)
    where = (np.full(2, scale), offset)
    moved = ndimage.affine_transform(filled, *where, order=order, mode="constant", cval=np.nan)
    if holes.any():
        touched = ndimage.affine_transform(holes.astype(float), *where, order=1, mode="constant", cval=1.0)
        moved[touched > 1e-6] = np.nan
    return moved.astype(np.float32)


def structures(image: np.ndarray, *, coarse_px: float) -> np.ndarray:
    """What shifts are found from: structures between ``FINE_PX`` and ``coarse_px``; holes filled with the median."""
    known = np.isfinite(image)
    filled = np.where(known, image, np.median(image[known]) if known.any() else 0.0)
    return ndimage.gaussian_filter(filled, FINE_PX) - ndimage.gaussian_filter(filled, coarse_px)


def drift(reference: np.ndarray, moving: np.ndarray, *, coarse_px: float = 20.0) -> tuple[float, float]:
    """Shift (y, x) in pixels that brings ``moving`` onto ``reference``.

    Cross correlation of the band-passed images, to 1/20 pixel. Its spectrum is not whitened: with ``normalization="phase"`` the
    fixed pattern of optics and camera, which does not move, wins over the sample. What is left after whole pixels is found where the
    images overlap.

    References
    ----------
    .. [1] Guizar-Sicairos, Thurman & Fienup, Opt. Lett. 33, 156 (2008), doi 10.1364/OL.33.000156.
    """
    first, second = (structures(a, coarse_px=coarse_px) for a in (reference, moving))
    whole = np.rint(_correlated(first, second)).astype(int)
    fine = _correlated(*(_tapered(a) for a in _overlap(first, second, whole)))
    return float(whole[0] + fine[0]), float(whole[1] + fine[1])


def _correlated(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    from skimage.registration import phase_cross_correlation

    return np.asarray(phase_cross_correlation(first, second, upsample_factor=UPSAMPLE, normalization=None)[0])


def _overlap(first: np.ndarray, second: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parts of two images that show the same after ``second`` is moved by whole pixels."""
    here = tuple(slice(max(0, d), n + min(0, d)) for d, n in zip(whole, first.shape, strict=True))
    there = tuple(slice(max(0, -d), n + min(0, -d)) for d, n in zip(whole, first.shape, strict=True))
    return first[here], second[there]


def _tapered(image: np.ndarray) -> np.ndarray:
    """Faded out towards the rims, which would hold the correlation at zero shift."""
    rows, columns = (signal.windows.tukey(n, TAPER) for n in image.shape)
    return np.asarray(image * rows[:, None] * columns)


def measured_scale(
    reference: np.ndarray, moving: np.ndarray, *, around: float = 1.0, within: float = 0.01, coarse_px: float = 20.0
) -> float:
    """The scale at which two images are most alike: a check of ``magnification``, good to about 5e-4.

    Parameters
    ----------
    around, within
        Scales from ``around − within`` to ``around + within`` are tried.

    Notes
    -----
    The vertex of a parabola through the correlation coefficients of the band-passed images, each laid over the reference at its own
    best shift, away from the rims that the shift leaves empty.
    """
    first, second = (structures(a, coarse_px=coarse_px) for a in (reference, moving))
    tried = np.linspace(around - within, around + within, SCALES_TRIED)
    found = np.empty(tried.size)
    for k, scale in enumerate(tried):
        sized = transformed(second, scale=float(scale), shift=(0.0, 0.0))
        y, x = _correlated(first, np.nan_to_num(sized))
        laid = transformed(second, scale=float(scale), shift=(float(y), float(x)))
        rim = int(np.ceil(max(abs(y), abs(x)) + within * max(first.shape) / 2 + coarse_px))
        inner = (slice(rim, -rim), slice(rim, -rim))
        found[k] = np.corrcoef(first[inner].ravel(), laid[inner].ravel())[0, 1]
    best = int(np.clip(found.argmax(), 2, tried.size - 3))
    near = slice(best - 2, best + 3)
    curve = np.polyfit(tried[near] - tried[best], found[near], 2)
    return float(tried[best] - curve[1] / (2 * curve[0])) if curve[0] < 0 else float(tried[found.argmax()])


def drifts(
    image: Callable[[int], np.ndarray],
    scale: np.ndarray,
    *,
    reference: int,
    against: Literal["reference", "previous"] = "reference",
    coarse_px: float = 20.0,
    said: Callable[[float], None] = lambda _: None,
) -> np.ndarray:
    """Shifts (n, 2) of all images of a scan, zero for the reference.

    Parameters
    ----------
    image
        Gives image i, shape (y, x).
    against
        ``"reference"``: each with the reference image; ``"previous"``: each with its neighbour towards the reference, added up. The
        first does not add up errors, the second bears contrast that changes over the edge.
    said
        Told the fraction that is done.
    """
    found = np.zeros((scale.size, 2))
    target = transformed(image(reference), scale=float(scale[reference]), shift=(0.0, 0.0))
    ways = (range(reference + 1, scale.size), range(reference - 1, -1, -1))
    done = 0
    for way in ways:
        before, total = target, np.zeros(2)
        for i in way:
            sized = transformed(image(i), scale=float(scale[i]), shift=(0.0, 0.0))
            step = np.array(drift(before if against == "previous" else target, sized, coarse_px=coarse_px))
            total = total + step if against == "previous" else step
            found[i], before = total, sized
            done += 1
            said(done / scale.size)
    return found
