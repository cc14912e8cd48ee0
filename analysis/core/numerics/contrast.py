"""The difference of two differences over four independent sets of replicates."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from analysis.core.numerics.statistics import FEW, Effect


def contrast(first: Sequence[np.ndarray], second: Sequence[np.ndarray], *, level: float = 0.95) -> Effect:
    """(mean of first[0] − mean of first[1]) − (mean of second[0] − mean of second[1]), with Welch–Satterthwaite's interval.

    For differences of states that were measured on different cells, so that no cell has both. Fewer than three in a set: the range that
    single replicates allow, without a level. ``n_a`` and ``n_b`` count the smaller set of each difference.

    References
    ----------
    .. [1] F. E. Satterthwaite, Biometrics Bulletin 2, 110 (1946), doi 10.2307/3002019.
    """
    a, b, c, d = (np.asarray(s, float) for s in (*first, *second))
    n_a, n_b = min(a.size, b.size), min(c.size, d.size)
    if min(n_a, n_b) == 0:
        return Effect(np.nan, np.nan, np.nan, None, "range", n_a, n_b)
    value = float((a.mean() - b.mean()) - (c.mean() - d.mean()))
    if min(n_a, n_b) < FEW:
        low = (a.min() - b.max()) - (c.max() - d.min())
        high = (a.max() - b.min()) - (c.min() - d.max())
        return Effect(value, float(low), float(high), None, "range", n_a, n_b)
    parts = [float(np.var(s, ddof=1)) / s.size for s in (a, b, c, d)]
    total = sum(parts)
    if total == 0:
        return Effect(value, value, value, level, "welch", n_a, n_b)
    freedom = total**2 / sum(p**2 / (s.size - 1) for p, s in zip(parts, (a, b, c, d), strict=True))
    half = float(stats.t.ppf(0.5 + level / 2, freedom) * np.sqrt(total))
    return Effect(value, value - half, value + half, level, "welch", n_a, n_b)
