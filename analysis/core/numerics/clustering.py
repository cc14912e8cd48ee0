"""Groups of like vectors."""

from dataclasses import dataclass

import numpy as np

ROUNDS = 200


@dataclass(frozen=True)
class Groups:
    """Centres (k, d), the group of every vector (N,), and the sum of squared distances to the centres."""

    centers: np.ndarray
    label: np.ndarray
    inertia: float


def kmeans(vectors: np.ndarray, k: int, *, seed: int, starts: int = 4) -> Groups:
    """The best of several k-means partitions, each started from vectors far apart.

    Parameters
    ----------
    vectors
        Shape (N, d), N >= k.

    References
    ----------
    .. [1] S. P. Lloyd, IEEE Trans. Inf. Theory 28, 129 (1982), doi 10.1109/TIT.1982.1056489.
    .. [2] D. Arthur, S. Vassilvitskii, Proc. 18th ACM-SIAM Symp. Discrete Algorithms, 1027 (2007): the choice of starts.
    """
    rng = np.random.default_rng(seed)
    return min((_lloyd(vectors, _apart(vectors, k, rng)) for _ in range(starts)), key=lambda g: g.inertia)


def _apart(vectors: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    centers = [vectors[rng.integers(len(vectors))]]
    nearest = np.sum((vectors - centers[0]) ** 2, axis=1)
    for _ in range(1, k):
        total = nearest.sum()
        chosen = rng.choice(len(vectors), p=nearest / total) if total > 0 else rng.integers(len(vectors))
        centers.append(vectors[chosen])
        nearest = np.minimum(nearest, np.sum((vectors - centers[-1]) ** 2, axis=1))
    return np.stack(centers)


def _lloyd(vectors: np.ndarray, centers: np.ndarray) -> Groups:
    label = np.full(len(vectors), -1)
    for _ in range(ROUNDS):
        distance = np.stack([np.sum((vectors - c) ** 2, axis=1) for c in centers])
        now = np.argmin(distance, axis=0)
        if np.array_equal(now, label):
            break
        label = now
        # A centre that nothing is nearest to stays where it is.
        centers = np.stack([vectors[label == i].mean(axis=0) if (label == i).any() else c for i, c in enumerate(centers)])
    return Groups(centers, label, float(np.sum((vectors - centers[label]) ** 2)))
