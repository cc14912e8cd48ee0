"""Mixtures: the exact least-squares optimum with weights that are not negative and add to one, of every combination.

All supports (which references have a weight) are solved without the bound, many at a time, on the triangular factor of the
problem; those with a negative weight are not allowed. The bounded optimum of a combination is the best allowed support within it:
taken from its parts, one reference less each, it follows for all combinations by one sweep.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.core.errors import ParamError

MAX_REFERENCES = 14  # 16,384 supports
TOLERANCE = 1e-12  # a weight of minus so much counts as zero
SINGULAR = 1e-10  # relative size of a pivot below which references cannot be told apart


@dataclass(frozen=True)
class Mixtures:
    """Optimum of every combination of at most ``largest`` references; rows are combinations, by size, then in order.

    ``members`` (K, R) is true for the references of a combination, ``weights`` (K, R), ``rss`` (K,) the residual sum of squares.
    """

    members: np.ndarray
    weights: np.ndarray
    rss: np.ndarray


def mixtures(
    y: np.ndarray, references: np.ndarray, *, largest: int | None = None, sum_to_one: bool = True, bounded: bool = True
) -> Mixtures:
    """Least-squares weights of every combination.

    Parameters
    ----------
    y
        Shape (N,).
    references
        Shape (N, R), R up to 14.
    largest
        References in a combination at most; all by default.

    Raises
    ------
    ParamError
        There are more than 14 references.
    """
    count = references.shape[1]
    if count > MAX_REFERENCES:
        raise ParamError(f"{count} references are more than {MAX_REFERENCES}.", hint="Choose those that PCA or chemistry suggest.")
    top = min(largest or count, count)
    # The triangular factor holds all that least squares needs, in R + 1 rows instead of N.
    factor = np.asarray(np.linalg.qr(np.column_stack([references, y]), mode="r"))
    supports = [s for k in range(1, top + 1) for s in combinations(range(count), k)]
    members = np.zeros((len(supports), count), dtype=bool)
    for row, s in enumerate(supports):
        members[row, list(s)] = True
    weights, rss = np.zeros((len(supports), count)), np.full(len(supports), np.inf)
    start = 0
    for k in range(1, top + 1):
        group = np.array([s for s in supports if len(s) == k])
        rows = slice(start, start + len(group))
        found, misfit = _solve(factor[:, :count].T[group].transpose(0, 2, 1), factor[:, count], sum_to_one)
        np.put_along_axis(weights[rows], group, found, axis=1)
        rss[rows] = misfit
        start += len(group)
    if bounded:
        _take_best_parts(members, weights, rss)
    return Mixtures(members, weights, rss)


def _solve(a: np.ndarray, b: np.ndarray, sum_to_one: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weights (K, k) and residual sums of squares (K,) of many problems a (K, M, k); infinite where references coincide."""
    if sum_to_one:
        last = a[:, :, -1]
        if a.shape[2] == 1:
            return np.ones((a.shape[0], 1)), np.sum((b - last) ** 2, axis=1)
        free, rss = _least_squares(a[:, :, :-1] - last[:, :, None], b - last)
        return np.concatenate([free, 1.0 - free.sum(axis=1, keepdims=True)], axis=1), rss
    return _least_squares(a, np.broadcast_to(b, a.shape[:2]))


def _least_squares(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    q, r = np.linalg.qr(a)
    pivots = np.abs(np.einsum("kii->ki", r))
    regular = pivots.min(axis=1) > SINGULAR * pivots.max(axis=1)
    safe = np.where(regular[:, None, None], r, np.eye(r.shape[1]))
    right = np.einsum("kmi,km->ki", q, b)
    weights = np.linalg.solve(safe, right[:, :, None])[:, :, 0]
    rss = np.sum((b - np.einsum("kmi,ki->km", a, weights)) ** 2, axis=1)
    return weights, np.where(regular, rss, np.inf)


def _take_best_parts(members: np.ndarray, weights: np.ndarray, rss: np.ndarray) -> None:
    """Replace what has a negative weight, or is worse than a part of it, by the best of its parts; smaller ones come first."""
    bits = members @ (1 << np.arange(members.shape[1]))
    place = {int(b): k for k, b in enumerate(bits)}
    rss[(weights < -TOLERANCE).any(axis=1)] = np.inf
    np.maximum(weights, 0.0, out=weights)
    for k, own in enumerate(bits):
        for bit in np.flatnonzero(members[k]):
            part = place.get(int(own) & ~(1 << int(bit)))
            if part is not None and rss[part] < rss[k]:
                rss[k], weights[k] = rss[part], weights[part]
