"""The catalog's service: what it keeps, what it refuses, and in which words."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.catalog import Catalog, CellFields, FileFields, HarvestFields, MeasurementFields, ParticleFields
from analysis.core.errors import ParamError, StoreError, UserError

SHA = "0123456789abcdef" * 4


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path) as opened:
        yield opened


def a_file(name: str = "C1.mpr", sha256: str = SHA) -> FileFields:
    return FileFields(original_name=name, sha256=sha256, size_bytes=10, mtime_ns=5, stored_path=f"raw/{sha256[:8]}/{name}")


def test_a_fresh_workspace_has_uncoated_then_coated(catalog: Catalog) -> None:
    assert [(g.name, g.colour_slot, g.n_cells) for g in catalog.groups()] == [("uncoated", 0, 0), ("coated", 1, 0)]


def test_active_mass_is_as_given_else_composite_times_fraction(catalog: Catalog) -> None:
    # 5 mg composite at 60 % active material, as in the paper's cells
    cell = catalog.upsert_cell("C1", composite_mass_mg=5, active_fraction=0.6)
    assert cell.effective_active_mass_mg == pytest.approx(3.0)
    assert catalog.update_cell("C1", active_mass_mg=2.9).effective_active_mass_mg == 2.9
    assert catalog.update_cell("C1", active_mass_mg=None, active_fraction=None).effective_active_mass_mg is None


def test_loading_is_as_given_else_active_mass_per_area(catalog: Catalog) -> None:
    cell = catalog.upsert_cell("C1", active_mass_mg=3, electrode_area_cm2=0.5)
    assert cell.effective_loading_mg_cm2 == pytest.approx(6.0)
    assert catalog.update_cell("C1", areal_loading_mg_cm2=5.5).effective_loading_mg_cm2 == 5.5


def test_upsert_changes_only_what_is_given(catalog: Catalog) -> None:
    first = catalog.upsert_cell("C1", group="coated", coating="LiNbO3", coating_thickness_nm=10, origin="synthetic")
    again = catalog.upsert_cell("C1", temperature_degC=60)
    assert again == first.model_copy(update={"temperature_degC": 60.0})
    # A form sends every field; what was left blank there says nothing about a cell that is known.
    assert catalog.upsert_cell("C1", group="", coating=None, notes=" ") == again
    assert catalog.update_cell("C1", coating=None).coating is None
    assert len(catalog.cells()) == 1


def test_records_are_what_was_stored(catalog: Catalog) -> None:
    made = catalog.upsert_cell("C1", date="2026-05-31", coating="None", voltage_reference="Li–In", notes=" µ \r\n two ")
    assert (made.date.isoformat(), made.coating, made.voltage_reference, made.notes) == ("2026-05-31", "none", "Li-In", "µ \n two")
    assert catalog.cell("C1") == catalog.cell(made.id) == made
    with pytest.raises(ValueError, match="frozen"):
        made.name = "other"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"composite_mass_mg": 0}, r"Composite mass of cell 'C1' \[composite_mass_mg\] must be greater than 0 mg \(given: 0\)\."),
        ({"active_mass_mg": -1}, r"Active mass .* must be greater than 0 mg \(given: -1\)"),
        ({"active_mass_mg": "abc"}, r"must be a number in mg \(given: 'abc'\)\. Write numbers without their unit"),
        ({"active_mass_mg": float("nan")}, "must be a finite number in mg"),
        ({"active_fraction": 1.2}, r"Active fraction .* must be at most 1 \(given: 1\.2\)"),
        ({"formation_cycles": 2.5}, "must be a whole number"),
        ({"formation_cycles": 10**30}, "must be"),
        ({"origin": "guessed"}, "must be 'measured' or 'synthetic'"),
        ({"date": "31.5.2026"}, "must be a date such as 2026-05-31"),
        ({"name": "  "}, "is missing"),
        ({"operator": "a\x00b"}, "control characters"),
        ({"operator": "\ud800"}, "Operator"),
        ({"operator": "a\nb"}, "one line"),
        (
            {"voltage_lower_V": 4.0, "voltage_upper_V": 3.0},
            r"Cell 'C1': the lower voltage limit \(4 V\) is not below the upper one \(3 V\)\.",
        ),
        ({"active_mass_mg": 5.0, "composite_mass_mg": 3.0}, r"the active mass \(5 mg\) is more than the composite mass \(3 mg\)"),
        ({"mass": 3}, r"A cell has no field 'mass'\. Known fields: name, group"),
        ({"group": "nowhere"}, r"There is no group 'nowhere'\. Known groups: uncoated, coated\."),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence_and_changes_nothing(catalog: Catalog, fields: dict[str, object], sentence: str) -> None:
    before = catalog.upsert_cell("C1")
    with pytest.raises(UserError, match=sentence):
        catalog.update_cell("C1", **fields)
    assert catalog.cell("C1") == before


def test_limits_are_checked_against_what_is_already_stored(catalog: Catalog) -> None:
    catalog.upsert_cell("C1", voltage_upper_V=3.7)
    with pytest.raises(ParamError, match="not below"):
        catalog.update_cell("C1", voltage_lower_V=3.7)


def test_names_are_unique(catalog: Catalog) -> None:
    catalog.upsert_cell("C1")
    catalog.upsert_cell("C2")
    with pytest.raises(ParamError, match="already a cell 'C1'"):
        catalog.update_cell("C2", name="C1")
    with pytest.raises(ParamError, match="already a group 'Coated'"):
        catalog.add_group("Coated")


def test_what_is_not_there_is_said(catalog: Catalog) -> None:
    for call in (lambda: catalog.cell("X"), lambda: catalog.cell(7), lambda: catalog.measurement(7), lambda: catalog.group("X")):
        with pytest.raises(StoreError, match="There is no"):
            call()


def test_groups_are_found_in_any_capitals_and_new_ones_get_the_next_colour(catalog: Catalog) -> None:
    assert catalog.upsert_cell("C1", group="Coated").group == "coated"
    assert catalog.upsert_cell("C2", group="LPO").group == "LPO"
    assert [(g.name, g.colour_slot, g.position, g.n_cells) for g in catalog.groups()][1:] == [("coated", 1, 1, 1), ("LPO", 2, 2, 1)]
    catalog.update_group("uncoated", position=9, title="Bare")
    assert [g.title for g in catalog.groups()] == ["Coated", "LPO", "Bare"]
    assert [c.name for c in catalog.cells("coated")] == ["C1"]


def test_a_group_with_cells_stays(catalog: Catalog) -> None:
    catalog.upsert_cell("C1", group="coated")
    with pytest.raises(ParamError, match="still holds cells"):
        catalog.delete_group("coated")
    catalog.update_cell("C1", group=None)
    catalog.delete_group("coated")
    assert [g.name for g in catalog.groups()] == ["uncoated"]
    assert catalog.add_group("second").colour_slot == 1


def test_one_call_takes_a_measurement_with_its_cell_harvest_and_particle(catalog: Catalog) -> None:
    made = catalog.add_measurement(
        MeasurementFields(modality="xanes", dimensionality="3D", dataset_keys=("d-1", "d-2"), reader_options={"voxel_um": 0.035}),
        cell=CellFields(name="C1", group="coated"),
        harvest=HarvestFields(cycle_number=6, state="discharged"),
        particle=ParticleFields(name="P1", location="edge"),
        files=[a_file("a.xrm"), a_file("b.xrm", "f" * 64)],
    )
    assert (made.cell, made.group, made.particle, made.cycle_number, made.state) == ("C1", "coated", "P1", 6, "discharged")
    assert [f.original_name for f in made.files] == ["a.xrm", "b.xrm"]
    assert made.dataset_keys == ("d-1", "d-2")
    assert made.reader_options == {"voxel_um": 0.035}
    assert catalog.measurement(made.id) == made
    assert catalog.measurements("xanes", "C1") == (made,)
    assert catalog.measurements("cycling") == ()


def test_the_same_harvest_and_particle_are_not_made_twice(catalog: Catalog) -> None:
    for modality in ("xanes", "cracks"):
        catalog.add_measurement(
            MeasurementFields(modality=modality),
            cell=CellFields(name="C1"),
            harvest=HarvestFields(cycle_number=6),
            particle=ParticleFields(name="P1"),
        )
    assert len(catalog.harvests()) == len(catalog.particles("C1")) == 1


def test_a_measurement_that_fails_leaves_nothing(catalog: Catalog) -> None:
    with pytest.raises(ParamError, match=r"The measurement says cycle 7, its harvest 6\."):
        catalog.add_measurement(
            MeasurementFields(modality="xanes", cycle_number=7),
            cell=CellFields(name="C1", group="new"),
            harvest=HarvestFields(cycle_number=6),
            files=[a_file()],
        )
    with pytest.raises(ParamError, match="Modality"):
        catalog.add_measurement(MeasurementFields(), cell=CellFields(name="C1"))
    assert (catalog.cells(), catalog.harvests(), len(catalog.groups()), catalog.find_file(SHA)) == ((), (), 2, ())


def test_a_sample_of_another_cell_is_refused(catalog: Catalog) -> None:
    catalog.upsert_cell("C1")
    catalog.upsert_cell("C2")
    harvest = catalog.add_harvest("C1", cycle_number=6)
    particle = catalog.add_particle("C1", "P1", harvest=harvest.id)
    other = catalog.add_harvest("C1", cycle_number=100)
    xanes = MeasurementFields(modality="xanes")
    with pytest.raises(ParamError, match="another cell than 'C2'"):
        catalog.add_measurement(xanes, cell="C2", particle=particle.id)
    with pytest.raises(ParamError, match="not of cell 'C2'"):
        catalog.add_particle("C2", "P1", harvest=harvest.id)
    with pytest.raises(ParamError, match="not from this harvest"):
        catalog.add_measurement(xanes, cell="C1", harvest=other.id, particle=particle.id)
    assert catalog.add_measurement(xanes, cell="C1", particle=particle.id).harvest_id == harvest.id


def test_measurements_follow_their_harvest(catalog: Catalog) -> None:
    made = catalog.add_measurement(MeasurementFields(modality="xanes"), cell=CellFields(name="C1"), harvest=HarvestFields(cycle_number=6))
    catalog.update_harvest(made.harvest_id, cycle_number=7, state="charged")
    assert (catalog.measurement(made.id).cycle_number, catalog.measurement(made.id).state) == (7, "charged")
    with pytest.raises(ParamError, match="its harvest 7"):
        catalog.update_measurement(made.id, cycle_number=8)
    catalog.add_harvest("C1", cycle_number=8)
    with pytest.raises(ParamError, match="already has a harvest"):
        catalog.update_harvest(made.harvest_id, cycle_number=8, state=None)


def test_exclusion_needs_a_reason_and_reaches_down(catalog: Catalog) -> None:
    made = catalog.add_measurement(MeasurementFields(modality="xanes"), cell=CellFields(name="C1"), particle=ParticleFields(name="P1"))
    with pytest.raises(ParamError, match="Say why"):
        catalog.exclude("cell", made.cell_id, " ")
    for kind, row_id, because in (
        ("measurement", made.id, "drift"),
        ("particle", made.particle_id, "particle: drift"),
        ("cell", made.cell_id, "cell: drift"),
    ):
        catalog.exclude(kind, row_id, "drift")
        assert catalog.measurement(made.id).excluded_because == because
        assert catalog.measurements(include_excluded=False) == ()
        catalog.include(kind, row_id)
        assert not catalog.measurement(made.id).excluded
    catalog.exclude("cell", made.cell_id, "short")
    assert catalog.cells(include_excluded=False) == ()
    assert catalog.cells()[0].excluded_reason == "short"
    with pytest.raises(ParamError, match="A group cannot be excluded"):
        catalog.exclude("group", 1, "no")


def test_the_same_content_is_found_again(catalog: Catalog) -> None:
    made = catalog.add_measurement(MeasurementFields(modality="cycling"), cell=CellFields(name="C1"), files=[a_file("first name.mpr")])
    (place,) = catalog.find_file(SHA)
    assert (place.measurement_id, place.cell, place.modality, place.original_name) == (made.id, "C1", "cycling", "first name.mpr")
    assert catalog.find_file("0" * 64) == ()


@pytest.mark.parametrize(
    ("path", "referenced", "sentence"),
    [("/data/a.mpr", False, "absolute path"), ("raw/a.mpr", True, "absolute path"), ("raw/../../a.mpr", False, "leaves the workspace")],
)
def test_a_stored_file_lies_in_the_workspace(path: str, referenced: bool, sentence: str) -> None:
    with pytest.raises(ParamError, match=sentence):
        FileFields.check({"original_name": "a", "sha256": SHA, "size_bytes": 1, "stored_path": path, "referenced": referenced})


def test_deleting_a_cell_takes_all_of_it(catalog: Catalog, tmp_path: Path) -> None:
    made = catalog.add_measurement(
        MeasurementFields(modality="xanes"),
        cell=CellFields(name="C1"),
        harvest=HarvestFields(cycle_number=6),
        particle=ParticleFields(name="P1"),
        files=[a_file()],
    )
    assert catalog.delete_cell("C1") == (made,)
    with sqlite3.connect(tmp_path / "catalog.sqlite") as raw:
        counts = [
            raw.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("cells", "harvests", "particles", "measurements", "files")
        ]
    raw.close()
    assert counts == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(("kind", "left"), [("harvest", (1, 0, 0, 1)), ("particle", (1, 1, 0, 1))])
def test_deleting_a_harvest_or_a_particle_takes_what_was_measured_on_it(catalog: Catalog, kind: str, left: tuple[int, ...]) -> None:
    bulk = catalog.add_measurement(MeasurementFields(modality="cycling"), cell=CellFields(name="C1"))
    made = catalog.add_measurement(
        MeasurementFields(modality="xanes"),
        cell=CellFields(name="C1"),
        harvest=HarvestFields(cycle_number=6),
        particle=ParticleFields(name="P1"),
        files=[a_file()],
    )
    delete = {"harvest": lambda: catalog.delete_harvest(made.harvest_id), "particle": lambda: catalog.delete_particle(made.particle_id)}
    assert delete[kind]() == (made,)
    assert tuple(map(len, (catalog.cells(), catalog.harvests(), catalog.particles(), catalog.measurements()))) == left
    assert catalog.measurements() == (bulk,)
    with pytest.raises(StoreError, match=f"There is no {kind} with the number"):
        delete[kind]()


def test_deleting_a_measurement_leaves_its_cell(catalog: Catalog) -> None:
    made = catalog.add_measurement(MeasurementFields(modality="cycling"), cell=CellFields(name="C1"), files=[a_file()])
    assert catalog.delete_measurement(made.id) == made
    assert catalog.measurements() == catalog.find_file(SHA) == ()
    assert len(catalog.cells()) == 1


def test_mappings_and_settings_are_remembered(catalog: Catalog, tmp_path: Path) -> None:
    assert catalog.mapping_for("t;U;I") is None
    catalog.remember_mapping("t;U;I", {"time": "t"}, name="our potentiostat")
    catalog.remember_mapping("t;U;I", {"time": "t", "voltage": "U"}, name="our potentiostat")
    catalog.set_setting("theme", {"dark": True})
    with Catalog(tmp_path) as again:
        assert again.mapping_for("t;U;I") == {"time": "t", "voltage": "U"}
        assert [m.name for m in again.mappings()] == ["our potentiostat"]
        assert (again.setting("theme"), again.setting("other")) == ({"dark": True}, None)
        again.forget_mapping("t;U;I")
    assert catalog.mapping_for("t;U;I") is None
