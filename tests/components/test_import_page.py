"""The page around the list: what it draws, which ids it uses, what an inspected file looks like."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from analysis.core.data import table
from analysis.core.style import Style
from analysis.inspection import PICTURE_POINTS, Found, _outline, inspect
from components import import_detail, import_rows, import_work
from components.import_form import ALL_FIELDS, KINDS, spec_of
from components.import_inputs import entry, field_id, titled

NAN = float("nan")


def found(small_data: Path, registry: Any) -> Found:
    return inspect(small_data / "biologic" / "250116_kigr_gen6_01_02_GCPL_CD8.mpr", registry)


def test_inspection_says_what_the_page_shows(served: Any, small_data: Path) -> None:
    seen = found(small_data, served.workspace.registry)
    assert (seen.kind, seen.rows, seen.title) == ("data", 3791, "BioLogic EC-Lab (.mpr)")
    assert seen.start_time.startswith("2025-01-16T14:05:54")
    assert seen.stated == {"active_mass_mg": pytest.approx(17.233)}
    assert len(seen.picture["voltage"]["x"]) <= PICTURE_POINTS
    assert Found.model_validate(seen.model_dump(mode="json")) == seen


def test_pieces_give_the_same_outline_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    n = 10_000
    voltage = np.cumsum(rng.normal(size=n))
    voltage[17] = NAN
    ds = table({"time": (np.arange(n), "s"), "voltage": (voltage, "V")}, dim="row")
    whole, _ = _outline(ds, ["time", "voltage"])
    monkeypatch.setattr("analysis.inspection.PIECE_ROWS", 777)
    ranges, picture = _outline(ds, ["time", "voltage"])
    assert ranges == whole == {"time": (0, n - 1), "voltage": (np.nanmin(voltage), np.nanmax(voltage))}
    y = np.array([v for v in picture["voltage"]["y"] if v is not None])
    assert y.size <= PICTURE_POINTS
    assert y.max() == pytest.approx(np.nanmax(voltage), rel=1e-5)
    assert y.min() == pytest.approx(np.nanmin(voltage), rel=1e-5)
    assert picture["voltage"]["x"] == sorted(picture["voltage"]["x"], key=float)


def test_the_picture_has_units_on_its_axes(served: Any, small_data: Path) -> None:
    figure = import_detail.picture(found(small_data, served.workspace.registry), Style())
    titles = {figure["layout"][a]["title"]["text"] for a in ("xaxis", "yaxis", "yaxis2")}
    assert titles == {"Time / h", "Voltage / V", "Current / mA"}
    assert max(figure["data"][0]["y"]) == pytest.approx(4.9, abs=0.01)


@pytest.mark.parametrize("field", ALL_FIELDS)
def test_every_field_has_an_input_with_a_name(field: str) -> None:
    made = entry(field_id("x", field), field, None)
    assert made.label == titled(field)
    hidden = entry(field_id("x", field), field, None, label=False)
    assert getattr(hidden, "aria-label") == titled(field)
    kind, _, name = field.partition(".")
    unit = (KINDS[kind].model_fields[name].json_schema_extra or {}).get("unit", "")  # type: ignore[union-attr]
    assert titled(field).endswith(f" / {unit}" if unit else str(KINDS[kind].model_fields[name].title))
    assert "type" in spec_of(field) or "enum" in spec_of(field)


def test_a_row_names_every_control(served: Any) -> None:
    lines = "".join(f"{i},3.{i:02d},0.5\n" for i in range(50))
    served.waiting("a <b>.csv", ("Test Time (s),Voltage (V),Current (mA)\n" + lines).encode())
    import_work.look([s.sid for s in served.staging.entries()])
    (lot,) = import_work.lots()
    drawn = str(import_rows.table([lot]))
    for name in (
        "Tick a _b_.csv",
        "Show a _b_.csv",
        "Take a _b_.csv off the list",
        "Active mass / mg",
        "50\\xa0rows",
        "3.000\\xa0…\\xa03.490\\xa0V",
    ):
        assert name in drawn
    assert "Not said: group, active mass, area" in drawn


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (90, "90 s"), (150, "2.5 min"), (7200, "2 h"), (692_640, "8.02 d")])
def test_durations_are_printed_as_people_say_them(seconds: float, words: str) -> None:
    assert import_rows.printed_duration(seconds) == words


def test_datasets_without_a_record_have_no_picture() -> None:
    from analysis.inspection import _facts

    ds = xr.Dataset({"mu": (("y", "x"), np.zeros((2, 3)), {"units": "1"})})
    assert _facts(ds, "a")["picture"] == {}
    assert _facts(ds, "a")["rows"] == 3
