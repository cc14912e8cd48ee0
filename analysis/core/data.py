"""What a dataset must contain, and in which units."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from tokenize import TokenError
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.errors import DataError


@dataclass(frozen=True)
class Var:
    """One named array: its dimensions, in order, and its canonical unit.

    ``units`` is one unit or several alternatives (``("mA h", "mA h/g")``); data whose unit converts to
    none of them is refused. ``"1"`` is dimensionless; ``""`` marks labels and text, which have no unit.
    """

    dims: tuple[str, ...]
    units: str | tuple[str, ...]
    optional: bool = False
    title: str = ""

    @property
    def alternatives(self) -> tuple[str, ...]:
        return (self.units,) if isinstance(self.units, str) else self.units


@dataclass(frozen=True)
class Schema:
    """The contract between readers, recipes and figures."""

    name: str
    variables: Mapping[str, Var]
    version: int = 1

    def conform(self, ds: xr.Dataset) -> xr.Dataset:
        """Return ``ds`` with every declared variable in its canonical unit, or raise ``DataError``.

        Lazy arrays stay lazy. Variables that the schema does not name are kept: they need a unit too.
        ``<name>_std`` shares dimensions and unit of ``<name>`` without being declared.
        """
        out = ds
        for name, want in self._wanted(ds).items():
            if name not in ds.variables:
                if want.optional:
                    continue
                raise DataError(f"{self.name}: '{name}' is missing.", hint=f"It holds: {', '.join(map(str, ds.variables))}.")
            out = self._conform_one(out, name, want)
        for key, var in out.variables.items():
            if "/" in str(key):
                raise DataError(f"{self.name}: '{key}' is not a name that can be stored: it has a slash.")
            if "units" not in var.attrs:
                raise DataError(f"{self.name}: '{key}' has no unit.", hint="State one; '1' if it is dimensionless, '' for text.")
        return out.assign_attrs(schema=self.name, schema_version=self.version)

    def _wanted(self, ds: xr.Dataset) -> dict[str, Var]:
        wanted = dict(self.variables)
        for name, var in self.variables.items():
            if f"{name}_std" in ds.variables:
                wanted.setdefault(f"{name}_std", var)
        return wanted

    def _conform_one(self, ds: xr.Dataset, name: str, want: Var) -> xr.Dataset:
        have = ds.variables[name]
        if have.dims != want.dims:
            raise DataError(f"{self.name}: '{name}' has dimensions {have.dims}, expected {want.dims}.")
        given = have.attrs.get("units")
        if given is None:
            raise DataError(f"{self.name}: '{name}' has no unit.", hint=f"Expected {_either(want.alternatives)}.")
        if "" not in want.alternatives and have.dtype.kind not in "biufc":
            raise DataError(f"{self.name}: '{name}' does not hold numbers.", hint="Dates are seconds since 1970; text cannot be analysed.")
        if given in want.alternatives:
            return ds
        factor, offset, units = _to_one_of(given, want.alternatives, f"{self.name}: '{name}'")
        moved = ds[name] * factor
        converted = moved if offset == 0 or name.endswith("_std") else moved + offset
        converted = converted.assign_attrs({**have.attrs, "units": units})
        return ds.assign_coords({name: converted}) if name in ds.coords else ds.assign({name: converted})


def _to_one_of(given: str, alternatives: tuple[str, ...], where: str) -> tuple[float, float, str]:
    for units in alternatives:
        found = conversion(given, units)
        if found is not None:
            return *found, units
    raise DataError(f"{where} is in '{given}', which does not convert to {_either(alternatives)}.")


def _either(units: tuple[str, ...]) -> str:
    return " or ".join(f"'{u}'" for u in units)


# Units come from people's files. Names, products, quotients and small powers reach the parser, which computes whatever else
# it is given, and fails on what it cannot read with any of these.
_UNIT = re.compile(r"(?:[^\W\d]+\d?|1|[%°]|[()*/·. ]|(?:\*\*|\^)\s?-?\d(?:\.\d+)?(?!\s*(?:\*\*|\^|\d)))+")
_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, AssertionError, ArithmeticError, SyntaxError, TokenError, RecursionError)


@cache
def _units() -> Any:
    import pint  # half a second to import, and needed only where units differ

    return pint.UnitRegistry()


def unit_factor(given: str, wanted: str) -> float | None:
    """Factor that turns ``given`` into ``wanted``; None where a factor alone does not."""
    found = conversion(given, wanted)
    return found[0] if found is not None and found[1] == 0 else None


@cache
def conversion(given: str, wanted: str) -> tuple[float, float] | None:
    """Factor and offset that turn ``given`` into ``wanted``; None where they measure different things or are no units."""
    if given == wanted:
        return 1.0, 0.0
    if not (_UNIT.fullmatch(given) and _UNIT.fullmatch(wanted)):
        return None
    import pint

    try:
        # Three points, because temperatures have an offset, and decibels are not even linear.
        zero, one, two = (float(_units().Quantity(x, given).to(wanted).magnitude) for x in (0.0, 1.0, 2.0))
    except (pint.PintError, *_UNREADABLE):
        return None
    return (one - zero, zero) if math.isclose(two - one, one - zero, rel_tol=1e-9) else None


@dataclass(frozen=True)
class Scalar:
    """One number of a result, with what is needed to print it honestly.

    ``low`` and ``high`` bound the interval whose confidence ``level`` states; ``n`` counts what ``of`` names.
    Unknown parts are None.
    """

    value: float | int | str | None
    unit: str = "1"
    std: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    level: float | None = None
    of: str = ""
    title: str = ""

    def to_json(self) -> dict[str, Any]:
        return {k: _plain(v) for k, v in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None  # JSON has no NaN
    return value


def scalars(ds: xr.Dataset) -> dict[str, Scalar]:
    """The scalars that a stored result carries, by name."""
    return {name: Scalar(**parts) for name, parts in ds.attrs.get("scalars", {}).items()}


def with_scalars(ds: xr.Dataset, values: Mapping[str, Scalar]) -> xr.Dataset:
    return ds.assign_attrs(scalars={**ds.attrs.get("scalars", {}), **{k: v.to_json() for k, v in values.items()}})


def scalar_variables(ds: xr.Dataset) -> xr.Dataset:
    """The scalars as 0-D variables with unit, std, low, high, n as attributes, as files carry them."""
    made = {}
    for name, s in scalars(ds).items():
        rest = {k: v for k, v in s.to_json().items() if k not in ("value", "unit") and v not in (None, "")}
        made[name] = ((), np.nan if s.value is None else s.value, {"units": s.unit, **rest})
    return xr.Dataset(made)


def warnings_of(ds: xr.Dataset) -> tuple[str, ...]:
    """Sentences that a reader or recipe wants beside the data."""
    return tuple(ds.attrs.get("warnings", ()))


def warn(ds: xr.Dataset, *sentences: str) -> xr.Dataset:
    """Return ``ds`` with more warnings, each said once."""
    return ds.assign_attrs(warnings=list(dict.fromkeys([*warnings_of(ds), *sentences])))


def table(columns: Mapping[str, tuple[Any, str]], *, dim: str, attrs: Mapping[str, Any] | None = None) -> xr.Dataset:
    """A one-dimensional Dataset from ``{name: (values, units)}``."""
    made = {name: (dim, np.asarray(values), {"units": units}) for name, (values, units) in columns.items()}
    return xr.Dataset(made, attrs=dict(attrs or {}))
