"""A filter that answers to thin dark sheets whatever their direction."""

import numpy as np
from numba import njit

from analysis.core.numerics.blur import blurred
from analysis.core.numerics.parallel import in_parts


def sheetness(missing: np.ndarray, scale: float) -> np.ndarray:
    """How much a voxel lies on a sheet where much is missing.

    Parameters
    ----------
    missing
        Shape (z, y, x): 0 in the solid, 1 in the void.
    scale
        Standard deviation in voxels of the Gaussian under which second derivatives are taken.

    Returns
    -------
    np.ndarray
        Same shape, float32: scale**2 (-l1 - max(0, -l2)), l1 <= l2 <= l3 the eigenvalues of the Hessian, 0 where that is
        negative. A sheet answers, a ball or a tube answers little.

    References
    ----------
    .. [1] Y. Sato et al., IEEE Trans. Vis. Comput. Graph. 6, 160 (2000), doi 10.1109/2945.856997.
    """
    smooth = blurred(missing, scale)
    out = np.empty_like(smooth)
    in_parts(lambda a, b: _sheetness(smooth, a, b, np.float32(scale**2), out), smooth.shape[0])
    return out


@njit(nogil=True, cache=True)
def _sheetness(values, begin, end, factor, out):  # type: ignore[no-untyped-def]
    depth, height, width = values.shape
    for z in range(begin, end):
        up, down = max(z - 1, 0), min(z + 1, depth - 1)
        for y in range(height):
            back, front = max(y - 1, 0), min(y + 1, height - 1)
            for x in range(width):
                left, right = max(x - 1, 0), min(x + 1, width - 1)
                twice = 2 * values[z, y, x]
                zz = values[up, y, x] + values[down, y, x] - twice
                yy = values[z, back, x] + values[z, front, x] - twice
                xx = values[z, y, left] + values[z, y, right] - twice
                zy = (values[down, front, x] - values[down, back, x] - values[up, front, x] + values[up, back, x]) / 4
                zx = (values[down, y, right] - values[down, y, left] - values[up, y, right] + values[up, y, left]) / 4
                yx = (values[z, front, right] - values[z, front, left] - values[z, back, right] + values[z, back, left]) / 4
                low, middle = _two_lowest(zz, yy, xx, zy, zx, yx)
                out[z, y, x] = factor * max(0.0, -low - max(0.0, -middle))


@njit(nogil=True, cache=True)
def _two_lowest(a, b, c, ab, ac, bc):  # type: ignore[no-untyped-def]
    """The two lowest eigenvalues of a symmetric matrix with the diagonal a, b, c.

    By the trigonometric formula: O. K. Smith, Commun. ACM 4, 168 (1961), doi 10.1145/355578.366316.
    """
    mean = (a + b + c) / 3
    off = ab * ab + ac * ac + bc * bc
    spread = (a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2 + 2 * off
    if spread <= 1e-20:
        return mean, mean
    p = np.sqrt(spread / 6)
    a, b, c, ab, ac, bc = (a - mean) / p, (b - mean) / p, (c - mean) / p, ab / p, ac / p, bc / p
    half = (a * (b * c - bc * bc) - ab * (ab * c - bc * ac) + ac * (ab * bc - b * ac)) / 2
    angle = np.arccos(min(max(half, -1.0), 1.0)) / 3
    high = mean + 2 * p * np.cos(angle)
    low = mean + 2 * p * np.cos(angle + 2 * np.pi / 3)
    return low, 3 * mean - high - low
