"""The comparability guard: which differences are said, and in which words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.catalog import Catalog, CellFields, CellRecord, MeasurementFields, MeasurementRecord
from analysis.catalog.comparability import Difference, c_rate, guard

SAME = {
    "active_material": "NMC811",
    "electrolyte": "Li6PS5Cl",
    "anode": "Li-In",
    "areal_loading_mg_cm2": 10.0,
    "stack_pressure_MPa": 50.0,
    "temperature_degC": 25.0,
    "one_c_mA_per_g": 200.0,
    "formation_cycles": 3,
    "rate": "C/10",
    "voltage_lower_V": 1.98,
    "voltage_upper_V": 3.68,
    "voltage_reference": "Li-In",
}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path) as opened:
        yield opened


def sides(catalog: Catalog, a: list[dict[str, Any]], b: list[dict[str, Any]]) -> tuple[tuple[CellRecord, ...], tuple[CellRecord, ...]]:
    """Cells U1, U2 … and C1, C2 …, alike but for what is given."""
    for letter, group, cells in (("U", "uncoated", a), ("C", "coated", b)):
        for i, fields in enumerate(cells, start=1):
            catalog.upsert_cell(f"{letter}{i}", group=group, **{**SAME, **fields})
    return catalog.cells("uncoated"), catalog.cells("coated")


def test_alike_cells_raise_nothing_whatever_their_coating(catalog: Catalog) -> None:
    a, b = sides(catalog, [{"coating": "none"}] * 2, [{"coating": "LiNbO3", "coating_thickness_nm": 10}] * 2)
    assert guard(a, b) == ()
    assert guard(a, ()) == guard((), b) == ()


@pytest.mark.parametrize(
    ("a", "b", "field", "sentence"),
    [
        (
            {"temperature_degC": 60},
            {"temperature_degC": 25},
            "temperature_degC",
            "Temperature differs by more than 1 °C: 60 °C for uncoated U1; 25 °C for coated C1.",
        ),
        ({"stack_pressure_MPa": 50}, {"stack_pressure_MPa": 100}, "stack_pressure_MPa", "Stack pressure differs by more than 5 %: 50 MPa"),
        ({"rate": "C/10"}, {"rate": "1C"}, "rate", "C-rate differs: C/10 for uncoated U1; 1C for coated C1."),
        ({"one_c_mA_per_g": 200}, {"one_c_mA_per_g": 180}, "one_c_mA_per_g", "Current of 1C differs by more than 1 %: 200 mA/g"),
        ({"electrolyte": "Li6PS5Cl"}, {"electrolyte": "Li3InCl6"}, "electrolyte", "Electrolyte differs: Li6PS5Cl for uncoated U1"),
        ({"active_material": "NMC811"}, {"active_material": "NCA"}, "active_material", "Active material differs: NMC811"),
        (
            {"formation_cycles": 3},
            {"formation_cycles": 2},
            "formation_cycles",
            "Number of formation cycles differs: 3 for uncoated U1; 2",
        ),
        (
            {"voltage_upper_V": 3.68},
            {"voltage_upper_V": 3.78},
            "voltage_upper_V",
            "Upper voltage limit differs by more than 0.005 V: 3.68 V",
        ),
        ({"origin": "measured"}, {"origin": "synthetic"}, "origin", "Origin differs: measured for uncoated U1; synthetic for coated C1."),
        (
            {"areal_loading_mg_cm2": 10},
            {"areal_loading_mg_cm2": 12},
            "areal_loading_mg_cm2",
            "Areal loading differs (medians 10 and 12 mg/cm², more than 5 % apart): 10 mg/cm² for uncoated U1; 12 mg/cm² for coated C1.",
        ),
        (
            {"temperature_degC": None},
            {"temperature_degC": 60},
            "temperature_degC",
            "Temperature: 60 °C for coated C1; not recorded for uncoated U1.",
        ),
    ],
)
def test_a_difference_is_said_with_both_values_and_the_cells(
    catalog: Catalog, a: dict[str, Any], b: dict[str, Any], field: str, sentence: str
) -> None:
    (found,) = guard(*sides(catalog, [a], [b]))
    assert found.field == field
    assert found.sentence.startswith(sentence)
    assert found.kind == ("not recorded" if "not recorded" in sentence else "differs")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"temperature_degC": 25}, {"temperature_degC": 26}),
        ({"stack_pressure_MPa": 100}, {"stack_pressure_MPa": 95}),
        ({"voltage_upper_V": 3.68}, {"voltage_upper_V": 3.684}),
        ({"rate": "C/10"}, {"rate": "0.1 C"}),
        ({"electrolyte": "Li6PS5Cl"}, {"electrolyte": " li6ps5cl "}),
        ({"stack_pressure_MPa": None}, {"stack_pressure_MPa": None}),
    ],
)
def test_within_the_tolerance_is_alike(catalog: Catalog, a: dict[str, Any], b: dict[str, Any]) -> None:
    assert guard(*sides(catalog, [a], [b])) == ()


def test_one_deviating_cell_is_enough_for_a_set_point(catalog: Catalog) -> None:
    (found,) = guard(*sides(catalog, [{}, {}], [{}, {"temperature_degC": 60}, {"temperature_degC": None}]))
    assert found.sentence == (
        "Temperature differs by more than 1 °C: 25 °C for uncoated U1, U2 and coated C1; 60 °C for coated C2; not recorded for coated C3."
    )
    assert found.cells == ("U1", "U2", "C1", "C2", "C3")


def test_loading_is_compared_by_medians(catalog: Catalog) -> None:
    scatter = [{"areal_loading_mg_cm2": v} for v in (9.0, 10.0, 11.0)]
    assert guard(*sides(catalog, scatter, scatter)) == ()


def test_loading_may_follow_from_mass_and_area(catalog: Catalog) -> None:
    built = {"areal_loading_mg_cm2": None, "composite_mass_mg": 5, "active_fraction": 0.6, "electrode_area_cm2": 0.3}
    assert guard(*sides(catalog, [built], [{}])) == ()  # 3 mg on 0.3 cm² are 10 mg/cm²


def test_limits_on_two_scales_are_compared_on_one(catalog: Catalog) -> None:
    # V vs Li = V vs Li-In + 0.62 V
    a, b = sides(catalog, [{}], [{"voltage_lower_V": 2.6, "voltage_upper_V": 4.4, "voltage_reference": "Li"}])
    scale, upper = guard(a, b)
    assert scale.sentence == "Voltage scale differs: Li-In for uncoated U1; Li for coated C1."
    assert upper.field == "voltage_upper_V"
    assert "3.68 V vs Li-In for uncoated U1; 4.4 V vs Li for coated C1" in upper.sentence
    assert "0.62 V" in upper.sentence


def test_long_lists_are_cut_but_the_cells_are_all_there(catalog: Catalog) -> None:
    (found,) = guard(*sides(catalog, [{"temperature_degC": 60}] * 9, [{}]))
    assert "60 °C for uncoated U1, U2, U3, U4, U5, U6 and 3 more; 25 °C for coated C1" in found.sentence
    assert len(found.cells) == 10


def measured(catalog: Catalog, cell: str, **fields: Any) -> MeasurementRecord:
    return catalog.add_measurement(MeasurementFields.check({"modality": "xanes", **fields}), cell=CellFields(name=cell))


def about(found: tuple[Difference, ...]) -> dict[str, str]:
    return {d.field: d.sentence for d in found}


def test_measurements_are_compared_within_their_modality(catalog: Catalog) -> None:
    a, b = sides(catalog, [{}], [{}])
    used = [
        measured(catalog, "U1", cycle_number=6, state="charged", dimensionality="3D", definition="e_half", calibration="Ni 8333.0 eV"),
        measured(catalog, "C1", cycle_number=100, state="charged", dimensionality="2D", definition="white_line"),
        measured(catalog, "U1", modality="cycling", dimensionality="1D"),
    ]
    assert about(guard(a, b, used)) == {
        "cycle_number": "Cycle of xanes measurements differs: 6 for uncoated U1; 100 for coated C1.",
        "dimensionality": "Dimensionality of xanes measurements differs: 3D for uncoated U1; 2D for coated C1.",
        "definition": "Definition of xanes measurements differs: e_half for uncoated U1; white_line for coated C1.",
        "calibration": "Calibration of xanes measurements: Ni 8333.0 eV for uncoated U1; not recorded for coated C1.",
    }


def test_the_same_states_on_both_sides_are_alike(catalog: Catalog) -> None:
    a, b = sides(catalog, [{}], [{}])
    both = [measured(catalog, cell, state=state) for cell in ("U1", "C1") for state in ("charged", "discharged")]
    assert guard(a, b, both) == ()
    assert set(about(guard(a, b, both[:3]))) == {"state"}


def test_two_definitions_are_said_even_within_both_groups(catalog: Catalog) -> None:
    a, b = sides(catalog, [{}], [{}])
    both = [measured(catalog, cell, definition=d) for cell in ("U1", "C1") for d in ("e_half", "white_line")]
    assert set(about(guard(a, b, both))) == {"definition"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("C/10", 0.1), ("0.1C", 0.1), ("0,1 C", 0.1), ("c/3", 1 / 3), ("1C", 1.0), ("C", 1.0), ("2 C", 2.0), ("1/10 C", 0.1), ("0.5", 0.5)],
)
def test_rates_are_understood(text: str, value: float) -> None:
    assert c_rate(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "C/0", "1 mA", "C/10 then C/3", "D/10", "/10", "1/2C/3"])
def test_other_words_are_no_rate(text: str) -> None:
    assert c_rate(text) is None
