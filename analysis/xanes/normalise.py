"""Pre-edge and post-edge lines as fixed weights: what normalises one spectrum normalises all spectra of one energy grid."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field, model_validator
from pydantic.config import JsonDict

from analysis.core.errors import DataError
from analysis.core.params import Params

EV: JsonDict = {"unit": "eV"}
SHORTEST_REACH = 4.0  # eV between the edge and the end of the data for which a range can be proposed
LEAST_ENERGIES = 6  # two a line and two between them


class LineParams(Params):
    """Where the lines before and after the edge are fitted; one set for all particles of a comparison."""

    e0: float | None = Field(None, gt=0, title="Edge position E0 (found in this stack if empty)", json_schema_extra=EV)
    pre1: float = Field(-120.0, title="Pre-edge line from, relative to E0", json_schema_extra=EV)
    pre2: float = Field(-25.0, title="Pre-edge line to, relative to E0", json_schema_extra=EV)
    norm1: float = Field(45.0, title="Post-edge line from, relative to E0", json_schema_extra=EV)
    norm2: float = Field(350.0, title="Post-edge line to, relative to E0", json_schema_extra=EV)
    normalised: bool = Field(False, title="The spectra are normalised already")
    energy_offset: float = Field(0.0, title="Energy correction, added to all energies", json_schema_extra=EV)
    calibrant: str = Field("", max_length=200, title="What the energy correction was found with")

    @model_validator(mode="after")
    def _in_order(self) -> "LineParams":
        if not self.pre1 < self.pre2 < self.norm1 < self.norm2:
            raise ValueError("the ranges must be in order: pre1 < pre2 < norm1 < norm2")
        return self


@dataclass(frozen=True)
class Lines:
    """Weights that turn a spectrum into its pre-edge line and its post-edge value at E0.

    With x = energy - e0, the line before the edge is ``w_pre @ mu[pre] + x * w_slope @ mu[pre]``, the line after it at E0 is
    ``w_post @ mu[post]``. ``pre_pre``, ``pre_slope``, ``slope_slope`` and ``post_post`` are variances and the covariance of
    these numbers for noise of unit variance (the leverages of the fits at E0). Where the spectra are ``normalised`` already the
    lines are 0 and 1, and only the noise is taken from the range before the edge.
    """

    energy: np.ndarray
    e0: float
    pre: slice
    post: slice
    w_pre: np.ndarray
    w_slope: np.ndarray
    w_post: np.ndarray
    normalised: bool
    clipped: tuple[str, ...] = ()

    @property
    def x(self) -> np.ndarray:
        return self.energy - self.e0

    @property
    def freedom(self) -> int:
        """Degrees of freedom that the noise before the edge is estimated with."""
        n = self.w_pre.size
        return n - 2 if n > 2 else 0

    @property
    def pre_pre(self) -> float:
        return 0.0 if self.normalised else float(self.w_pre @ self.w_pre)

    @property
    def pre_slope(self) -> float:
        return 0.0 if self.normalised else float(self.w_pre @ self.w_slope)

    @property
    def slope_slope(self) -> float:
        return 0.0 if self.normalised else float(self.w_slope @ self.w_slope)

    @property
    def post_post(self) -> float:
        return 0.0 if self.normalised else float(self.w_post @ self.w_post)


def check_energies(energy: np.ndarray) -> np.ndarray:
    """The energies as float64, increasing and enough of them; DataError with the place where they are not."""
    e = np.asarray(energy, dtype=np.float64)
    if e.size < LEAST_ENERGIES:
        raise DataError(
            f"{e.size} {'energy is' if e.size == 1 else 'energies are'} too few for an edge.",
            hint="Before and after the edge two each are needed, and some between them.",
        )
    if not np.isfinite(e).all():
        raise DataError(f"Energy {int(np.argmin(np.isfinite(e))) + 1} is not a number.", hint="Check the energy list.")
    wrong = np.flatnonzero(np.diff(e) <= 0)
    if wrong.size:
        i = int(wrong[0])
        what = "comes twice" if e[i + 1] == e[i] else f"comes after {e[i]:g} eV"
        raise DataError(f"Energy {i + 2}, {e[i + 1]:g} eV, {what}.", hint="Energies must increase; sort or average the frames first.")
    return e


def points_between(energy: np.ndarray, low: float, high: float) -> slice:
    """Points of a fit range: from the last one at or below ``low`` up to, not including, the one nearest to ``high``; two at least.

    This is how Larch and Athena choose them, so that equal ranges give equal lines.
    """
    start = max(0, int(np.searchsorted(energy, low, side="right")) - 1)
    stop = max(int(np.abs(energy - high).argmin()), start + 2)
    return slice(start, min(stop, energy.size))


def fit_lines(energy: np.ndarray, e0: float, params: LineParams) -> Lines:
    """Weights of both lines for one energy grid.

    Ranges that reach beyond the data are clipped, which ``clipped`` says. The order of the post-edge polynomial is 1: it is
    fitted to mu - pre, which for a line is the same as fitting mu (Ravel and Newville [1]_).

    References
    ----------
    .. [1] B. Ravel, M. Newville, J. Synchrotron Rad. 12, 537 (2005), doi 10.1107/S0909049505012719.
    """
    if not energy[0] < e0 < energy[-1]:
        raise DataError(
            f"E0 = {e0:g} eV lies outside the energies measured, {energy[0]:g} to {energy[-1]:g} eV.",
            hint="Give an E0 inside, and check whether the energies are in eV or keV.",
        )
    pre = points_between(energy, e0 + params.pre1, e0 + params.pre2)
    post = points_between(energy, e0 + params.norm1, e0 + params.norm2)
    if not params.normalised:
        _enough(energy, e0, pre, post)
    at_pre, slope = _line_weights(energy[pre] - e0)
    at_post, _ = _line_weights(energy[post] - e0)
    said = () if params.normalised else _clipped(energy, e0, params)
    return Lines(energy, e0, pre, post, at_pre, slope, at_post, params.normalised, said)


def _enough(energy: np.ndarray, e0: float, pre: slice, post: slice) -> None:
    if energy[pre].size < 2 or energy[pre][1] >= e0:
        raise DataError(
            f"Fewer than two energies lie before the edge at {e0:g} eV (data begin at {energy[0]:g} eV).",
            hint=f"A line needs two points: choose another E0, or a pre-edge range inside the data{_inside(energy[0] - e0)} (pre1, pre2).",
        )
    if energy[post].size < 2 or energy[post][0] <= e0:
        raise DataError(
            f"Fewer than two energies lie in the post-edge range of the edge at {e0:g} eV (data end at {energy[-1]:g} eV).",
            hint=f"A line needs two points: choose a post-edge range inside the data{_inside(energy[-1] - e0)} (norm1, norm2).",
        )


def _inside(reach: float) -> str:
    """A range on the far half of what was measured on one side of the edge, where that is worth a line."""
    if abs(reach) < SHORTEST_REACH:
        return ""
    low, high = sorted((round(0.5 * reach), round(reach)))
    return f", such as {low} to {high} eV from E0".replace("-", "−")


def _line_weights(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the value at x = 0 and of the slope of the least-squares line through points at ``x``."""
    centre = x.mean()
    slope = (x - centre) / np.sum((x - centre) ** 2)
    return 1.0 / x.size - centre * slope, slope


def _clipped(energy: np.ndarray, e0: float, params: LineParams) -> tuple[str, ...]:
    said = []
    if e0 + params.pre1 < energy[0]:
        said.append(f"The pre-edge range starts at {energy[0]:g} eV, where the data begin, not at {e0 + params.pre1:g} eV.")
    if e0 + params.norm2 > energy[-1]:
        said.append(f"The post-edge range ends at {energy[-1]:g} eV, where the data end, not at {e0 + params.norm2:g} eV.")
    return tuple(said)


@dataclass(frozen=True)
class Normalised:
    """One spectrum with its lines; arrays of shape (E,)."""

    norm: np.ndarray
    pre: np.ndarray
    post: np.ndarray
    jump: float


def normalise(mu: np.ndarray, lines: Lines) -> Normalised:
    """(mu - pre) / jump of one spectrum, with the lines as drawn.

    Parameters
    ----------
    mu
        Shape (E,), on the energies of ``lines``.
    """
    mu = np.asarray(mu, dtype=np.float64)
    if lines.normalised:
        return Normalised(mu, np.zeros_like(mu), np.ones_like(mu), 1.0)
    pre = lines.w_pre @ mu[lines.pre] + lines.x * (lines.w_slope @ mu[lines.pre])
    value = lines.w_post @ mu[lines.post]
    slope = _line_weights(lines.x[lines.post])[1] @ mu[lines.post]
    jump = float(value - (lines.w_pre @ mu[lines.pre]))
    return Normalised((mu - pre) / jump, pre, value + slope * lines.x, jump)
