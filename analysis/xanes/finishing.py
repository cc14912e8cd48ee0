"""Voxel by voxel from raw values and means over neighbours to finished maps: the compiled part of ``analysis.xanes.quality``.

This module imports nothing of the project: compiled code is kept on disk and made anew only when this file changes.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def find_edges(
    jump: np.ndarray,
    gain: np.ndarray,
    refused: np.ndarray,
    around: np.ndarray,
    barred: int,
    factor: float,
    edge: np.ndarray,
    steep: np.ndarray,
) -> None:
    """Which voxels have an edge: flags free of ``barred``, a jump above ``factor`` times the noise about them (or 0, without noise).

    ``steep`` becomes what noise is divided by to give the uncertainty of the edge energy, for unit jump; NaN where it is not known.
    """
    for i in range(jump.size):
        threshold = factor * np.sqrt(around[i]) if factor > 0 else 0.0
        edge[i] = (refused[i] & barred) == 0 and jump[i] > threshold
        steepness = 1 / (np.float64(gain[i]) * jump[i])
        steep[i] = steepness if edge[i] and 0 < steepness < np.inf else np.nan


@njit(nogil=True, cache=True)
def finish_voxels(
    raw: tuple,
    known: tuple,
    around: np.ndarray,
    beside: np.ndarray,
    steep: np.ndarray,
    codes: tuple,
    rims: tuple,
    max_std: float,
    out: np.ndarray,
) -> None:
    """Write the finished maps of every voxel, in the order of ``quality.MAPS``.

    ``raw`` are energy, gain, jump, white line and height, ``known`` flags and where noise is measured, an edge is, the rim is not;
    ``codes`` the flags of voxels that are not looked at, have no edge, have their edge at the rim of the window, are too uncertain.
    """
    energy, gain, jump, white_line, height = raw
    flags, measured, edge, inner = known
    unseen, no_edge, at_rim, uncertain = codes
    low, high = rims
    for i in range(flags.size):
        flag = flags[i]
        noise = np.sqrt(beside[i])
        std = noise / (jump[i] * steep[i]) if np.isfinite(gain[i]) else np.nan
        if not edge[i]:
            std = np.nan
            if flag & unseen == 0:
                flag = no_edge
        if flag == 0 and not low < energy[i] < high:
            flag = at_rim
        if flag == 0 and std > max_std:
            flag = uncertain
        out[0, i] = energy[i] if flag == 0 else np.nan
        out[1, i] = std if flag == 0 else np.nan
        out[2, i] = jump[i]
        out[3, i] = white_line[i] if edge[i] else np.nan
        out[4, i] = height[i] if edge[i] else np.nan
        out[5, i] = np.nan if not measured[i] else noise if edge[i] else np.sqrt(around[i])
        out[6, i] = flag
        out[7, i] = edge[i] and not inner[i]
