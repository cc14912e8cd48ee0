"""Numbers as people print them: no more digits than mean something, a minus that is a minus."""

from math import floor, isfinite, log10

from analysis.core.data import Scalar

PERCENT = ("retention", "mean_coulombic_efficiency", "cumulative_ce_loss")  # ratios, printed in %
MILLIVOLT = ("hysteresis_growth",)  # V a cycle, printed in mV a cycle


def printed(value: float | int | str | None, digits: int = 4, *, zeros: bool = False) -> str:
    """A number with ``digits`` significant digits; whole numbers whole, text as it is, unknown as a dash.

    ``zeros`` keeps those at the end, so that the numbers of a column go equally far.
    """
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return "–"
    if isinstance(value, str | int):
        return str(value)
    text = f"{value:#.{digits}g}" if zeros and value != round(value) else f"{value:.{digits}g}"
    return _minus(text if "e" not in text else f"{value:.2e}")


def with_spread(value: float, spread: float | None) -> str:
    """``118.5 ± 3.1``: the spread to two significant digits, the value to the same place."""
    if spread is None or not isfinite(spread) or spread <= 0:
        return printed(value)
    places = 1 - floor(log10(spread))
    if not 0 <= places <= 6:
        return f"{printed(value)} ± {printed(spread, 2)}"
    return _minus(f"{value:.{places}f}") + f" ± {spread:.{places}f}"


def within(value: float, low: float, high: float) -> str:
    """A value to the digit that its interval makes meaningful."""
    width = high - low
    places = 1 - floor(log10(width)) if isfinite(width) and width > 0 else -1
    return _minus(f"{value:.{places}f}") if 0 <= places <= 6 else printed(value)


def between(low: float, high: float) -> str:
    """``−0.485 … −0.437``: both ends to the digit that their distance makes meaningful."""
    width = high - low
    if not isfinite(width) or width <= 0:
        return f"{printed(low)} … {printed(high)}"
    places = 1 - floor(log10(width))
    if not 0 <= places <= 6:
        return f"{printed(low, 3)} … {printed(high, 3)}"
    return _minus(f"{low:.{places}f}") + " … " + _minus(f"{high:.{places}f}")


def displayed(name: str, scalar: Scalar) -> Scalar:
    """A scalar as people read it: ratios in %, growth of voltages in mV; everything else as it is."""
    if name in PERCENT:
        return _scaled(scalar, 100.0, "%")
    if name in MILLIVOLT:
        return _scaled(scalar, 1000.0, f"m{scalar.unit}")
    return scalar


def _scaled(scalar: Scalar, factor: float, unit: str) -> Scalar:
    if not isinstance(scalar.value, float):
        return scalar
    numbers = {k: None if (v := getattr(scalar, k)) is None else factor * v for k in ("value", "std", "low", "high")}
    return Scalar(**numbers, unit=unit, n=scalar.n, level=scalar.level, of=scalar.of, title=scalar.title)


def _minus(text: str) -> str:
    return text.replace("-", "−") if "e" not in text else text.replace("e-", "e−")
