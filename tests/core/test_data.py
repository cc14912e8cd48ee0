"""Schemas, units, scalars."""

import json
import math

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analysis.core.data import (
    Scalar,
    Schema,
    Var,
    conversion,
    scalar_variables,
    scalars,
    table,
    unit_factor,
    warn,
    warnings_of,
    with_scalars,
)
from analysis.core.errors import DataError

ROW = ("row",)
CURVE = Schema(
    "test.curve",
    {
        "voltage": Var(ROW, "V"),
        "capacity": Var(ROW, ("mA h", "mA h/g")),
        "temperature": Var(ROW, "degC", optional=True),
        "kind": Var(ROW, "", optional=True),
    },
    version=3,
)


def curve(**units: str) -> xr.Dataset:
    columns = {"voltage": ([1.0, 2.0], units.pop("voltage", "V")), "capacity": ([3.0, 4.0], units.pop("capacity", "mA h"))}
    return table({**columns, **{n: ([25.0, 35.0], u) for n, u in units.items()}}, dim="row")


def test_conform_states_schema_and_version_and_keeps_what_is_right() -> None:
    ds = curve()
    out = CURVE.conform(ds)
    assert (out.attrs["schema"], out.attrs["schema_version"]) == ("test.curve", 3)
    assert "schema" not in ds.attrs
    assert out["voltage"].variable._data is ds["voltage"].variable._data


def test_conform_converts_to_the_canonical_unit() -> None:
    out = CURVE.conform(curve(voltage="mV", capacity="A h"))
    assert out["voltage"].values.tolist() == [0.001, 0.002]
    assert out["voltage"].attrs["units"] == "V"
    assert out["capacity"].values.tolist() == [3000.0, 4000.0]


def test_the_alternative_that_the_data_has_is_kept_and_the_first_that_converts_is_taken() -> None:
    assert CURVE.conform(curve(capacity="mA h/g"))["capacity"].attrs["units"] == "mA h/g"
    per_gram = CURVE.conform(curve(capacity="A h/kg"))["capacity"]
    assert per_gram.attrs["units"] == "mA h/g"
    assert per_gram.values == pytest.approx([3.0, 4.0], rel=1e-15)


def test_temperatures_have_an_offset_but_their_uncertainty_has_none() -> None:
    out = CURVE.conform(curve(temperature="K", temperature_std="K"))
    assert out["temperature"].values == pytest.approx([25 - 273.15, 35 - 273.15], abs=1e-12)
    assert out["temperature_std"].values == pytest.approx([25.0, 35.0], abs=1e-12)
    assert out["temperature_std"].attrs["units"] == "degC"


def test_an_undeclared_std_shares_unit_and_dimensions() -> None:
    out = CURVE.conform(curve(voltage_std="mV"))
    assert out["voltage_std"].values.tolist() == [0.025, 0.035]
    with pytest.raises(DataError, match="'voltage_std' has dimensions"):
        CURVE.conform(curve().assign(voltage_std=((), 1.0, {"units": "V"})))


def test_a_coordinate_is_converted_in_place() -> None:
    spectrum = Schema("test.spectrum", {"energy": Var(("energy",), "eV"), "mu": Var(("energy",), "1")})
    ds = xr.Dataset({"mu": ("energy", [1.0, 2.0], {"units": "1"})}, coords={"energy": ("energy", [8.3, 8.4], {"units": "keV"})})
    out = spectrum.conform(ds)
    assert out["energy"].values == pytest.approx([8300, 8400])
    assert out.indexes["energy"][0] == pytest.approx(8300)
    assert "energy" in out.coords


def test_lazy_arrays_stay_lazy_and_integers_become_numbers() -> None:
    ds = curve(voltage="mV")
    ds["voltage"] = ("row", da.from_array(np.array([1, 2]), chunks=1), {"units": "mV"})
    out = CURVE.conform(ds)
    assert isinstance(out["voltage"].data, da.Array)
    assert out["voltage"].compute().values.tolist() == [0.001, 0.002]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (lambda d: d.drop_vars("voltage"), "'voltage' is missing"),
        (lambda d: d.assign(voltage=(("row", "q"), np.ones((2, 1)), {"units": "V"})), r"dimensions \('row', 'q'\), expected \('row',\)"),
        (lambda d: d.assign(voltage=("row", [1.0, 2.0])), "'voltage' has no unit"),
        (lambda d: d.assign(extra=("row", [1.0, 2.0])), "'extra' has no unit"),
        (lambda d: d.assign(voltage=("row", [1.0, 2.0], {"units": "A"})), "in 'A', which does not convert to 'V'"),
        (lambda d: d.assign(capacity=("row", [1.0, 2.0], {"units": "V"})), "does not convert to 'mA h' or 'mA h/g'"),
        (lambda d: d.assign(voltage=("row", ["a", "b"], {"units": "V"})), "'voltage' does not hold numbers"),
        (lambda d: d.assign(voltage=("row", np.array(["2020", "2021"], "M8[ns]"), {"units": "V"})), "does not hold numbers"),
        (lambda d: d.assign(kind=("row", [1.0, 2.0], {"units": "V"})), "does not convert to ''"),
        (lambda d: d.assign({"a/b": ("row", [1.0, 2.0], {"units": "V"})}), "'a/b' is not a name"),
    ],
)
def test_what_breaks_the_schema_is_said_in_a_sentence(broken, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as caught:
        CURVE.conform(broken(curve()))
    assert caught.value.message.startswith("test.curve: ")


@pytest.mark.parametrize(
    ("given_unit", "wanted", "factor"),
    [
        ("mV", "V", 1e-3),
        ("mAh", "A h", 1e-3),
        ("mA.h", "A h", 1e-3),
        ("µm", "um", 1.0),
        ("%", "1", 0.01),
        ("1/Å", "1/angstrom", 1.0),
        ("mW h/g", "W h/kg", 1.0),
        ("m**2", "cm^2", 1e4),
        ("keV", "eV", 1e3),
        ("degree", "rad", math.pi / 180),
        ("s^-1", "Hz", 1.0),
    ],
)
def test_factors_of_units_as_instruments_write_them(given_unit: str, wanted: str, factor: float) -> None:
    assert unit_factor(given_unit, wanted) == pytest.approx(factor, rel=1e-14)


@pytest.mark.parametrize(
    ("given_unit", "wanted", "at_100"),
    [("degC", "K", 373.15), ("K", "degC", -173.15), ("degF", "degC", 37.7777777777), ("°C", "kelvin", 373.15)],
)
def test_temperature_scales(given_unit: str, wanted: str, at_100: float) -> None:
    factor, offset = conversion(given_unit, wanted) or (math.nan, math.nan)
    assert 100 * factor + offset == pytest.approx(at_100, rel=1e-11)
    assert unit_factor(given_unit, wanted) is None


@pytest.mark.parametrize(
    "text", ["1000", "2*m", "nan", "m(", "'", "\x00", "V vs Li/Li+", "m**", "9**9**9**9", "m**9**9**9", "(" * 5000, "1/0", "dBm", " "]
)
def test_text_that_is_no_unit_is_refused_and_nothing_worse(text: str) -> None:
    assert conversion(text, "m") is None
    assert conversion("m", text) is None


@given(st.text(alphabet="mVAhgs/*^()%°µ1290.-+ '\"[]=;,#\\", max_size=12))
def test_no_text_in_a_header_can_raise(text: str) -> None:
    found = conversion(text, "V")
    assert found is None or len(found) == 2


@given(
    st.sampled_from([("mV", "V"), ("A h", "mA h"), ("degC", "K"), ("degF", "degC"), ("min", "s"), ("keV", "eV")]),
    st.floats(-1e6, 1e6),
)
def test_there_and_back_is_the_same(units: tuple[str, str], value: float) -> None:
    (a, b), (c, d) = conversion(*units), conversion(*reversed(units))  # type: ignore[misc]
    assert c * (a * value + b) + d == pytest.approx(value, rel=1e-12, abs=1e-9)


# -- scalars ---------------------------------------------------------------------------------------------------------------


def test_scalars_are_json_without_nan_and_come_back() -> None:
    given_scalars = {
        "retention": Scalar(
            np.float64(0.93), std=float("nan"), low=np.float32(0.5), high=float("inf"), n=np.int64(4), level=0.95, of="cells"
        ),
        "kind": Scalar("cycle", unit=""),
        "unknown": Scalar(float("nan"), unit="mA h"),
    }
    ds = with_scalars(xr.Dataset(), given_scalars)
    json.dumps(ds.attrs["scalars"], allow_nan=False)
    back = scalars(ds)
    assert back["retention"] == Scalar(0.93, std=None, low=0.5, high=None, n=4, level=0.95, of="cells")
    assert back["kind"].value == "cycle"
    assert back["unknown"] == Scalar(None, unit="mA h")


def test_more_scalars_are_added_to_those_there_are() -> None:
    ds = with_scalars(with_scalars(xr.Dataset(), {"a": Scalar(1)}), {"b": Scalar(2)})
    assert {n: s.value for n, s in scalars(ds).items()} == {"a": 1, "b": 2}


def test_scalar_variables_carry_unit_and_interval() -> None:
    ds = scalar_variables(with_scalars(xr.Dataset(), {"fade": Scalar(0.2, "1", std=0.01, n=3, of="cells"), "gone": Scalar(None, "V")}))
    assert ds["fade"].ndim == 0
    assert ds["fade"].attrs == {"units": "1", "std": 0.01, "n": 3, "of": "cells"}
    assert math.isnan(ds["gone"])
    assert ds["gone"].attrs == {"units": "V"}
    Schema("any", {}).conform(ds)


def test_warnings_are_said_once_and_the_dataset_is_not_changed() -> None:
    ds = xr.Dataset()
    more = warn(warn(ds, "A clock jumped.", "Two rows were cut."), "A clock jumped.")
    assert warnings_of(more) == ("A clock jumped.", "Two rows were cut.")
    assert warnings_of(ds) == ()


def test_a_table_is_one_dimensional_with_units() -> None:
    ds = table({"cycle": (range(1, 4), "1"), "kind": (["a", "b", "c"], "")}, dim="cycle_number", attrs={"channel": "3-1"})
    assert dict(ds.sizes) == {"cycle_number": 3}
    assert ds["kind"].attrs["units"] == ""
    assert ds.attrs == {"channel": "3-1"}
