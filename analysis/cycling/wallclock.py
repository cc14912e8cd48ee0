"""Wall clocks as files hold them → seconds since 1970 UTC."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.core.errors import ReadError
from analysis.formats.headers import Unit

_DATENUM_1970 = 719529.0  # days of MATLAB's count at 1970-01-01
_EXCEL_1970 = 25569.0  # days of the spreadsheet count at 1970-01-01
_DAY = 86400.0  # s


def from_serial(values: np.ndarray, unit: Unit | None) -> np.ndarray:
    """Seconds since 1970 from a count: of seconds, milliseconds, spreadsheet or MATLAB days, by its size where no unit is stated."""
    size = float(np.nanmedian(np.abs(values))) if np.isfinite(values).any() else 0.0
    if 20000 < size < 80000:
        return (values - _EXCEL_1970) * _DAY
    if 650000 < size < 800000:
        return (values - _DATENUM_1970) * _DAY
    if unit is not None and unit.base == "s":
        return values * unit.factor
    scale = next((s for limit, s in ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3)) if size > limit), 1.0)
    return values * scale


def to_utc(seconds: np.ndarray, timezone: str) -> np.ndarray:
    """Seconds since 1970 UTC from what a clock on a wall of ``timezone`` showed; the earlier one where an hour occurs twice."""
    if timezone.upper() in ("", "UTC"):
        return seconds
    good = np.isfinite(seconds)
    stamps = pa.array(np.where(good, seconds * 1e6, 0).astype("int64"), pa.timestamp("us"))
    try:
        utc = pc.assume_timezone(stamps, timezone, ambiguous="earliest", nonexistent="latest")
    except pa.ArrowInvalid as err:
        raise ReadError(f"'{timezone}' is not a known time zone.", hint="Use a name such as Europe/Berlin or UTC.") from err
    return np.where(good, utc.cast(pa.int64()).to_numpy(zero_copy_only=False) / 1e6, np.nan)
