"""Manifests: what is read, which row and column an error names, and that export and import are inverse."""

import datetime as dt
import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.catalog import Catalog, FileFields
from analysis.catalog.manifest import entries, read_manifest, take, write_manifest
from analysis.core.errors import UserError


def workspace(root: Path) -> Catalog:
    root.mkdir()
    return Catalog(root)


def imported(catalog: Catalog, manifest: Path) -> Catalog:
    """Import as the program does, but for reading: originals are kept by their hash, a dataset key stands for each."""
    for entry in entries(read_manifest(manifest)):
        files, keys = [], []
        for path, name in zip(entry.files, entry.original_names, strict=True):
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            kept = Path("raw") / sha256
            (catalog.root / "raw").mkdir(exist_ok=True)
            (catalog.root / kept).write_bytes(path.read_bytes())
            files.append(FileFields(original_name=name, sha256=sha256, size_bytes=path.stat().st_size, stored_path=kept.as_posix()))
            keys.append(f"d-{sha256[:8]}")
        given = entry.measurement
        complete = given.model_copy(update={"modality": given.modality or "cycling", "dataset_keys": tuple(keys)})
        take(catalog, entry, measurement=complete, files=files)
    return catalog


def content(catalog: Catalog) -> list[object]:
    """All that a catalog says, without numbers and times of entry, which are another workspace's own."""
    own = {"id", "created_at", "group_id", "cell_id", "harvest_id", "particle_id", "measurement_id"}
    harvests = {h.id: (h.cell, h.cycle_number, h.state) for h in catalog.harvests()}
    files = [
        (m.model_dump(exclude={*own, "files"}), harvests.get(m.harvest_id), [f.model_dump(exclude=own) for f in m.files])
        for m in catalog.measurements()
    ]
    particles = [(p.model_dump(exclude=own), harvests.get(p.harvest_id)) for p in catalog.particles()]
    return [
        [g.model_dump(exclude=own) for g in catalog.groups()],
        [c.model_dump(exclude=own) for c in catalog.cells()],
        sorted(map(str, (h.model_dump(exclude=own) for h in catalog.harvests()))),
        sorted(map(str, particles)),
        files,
    ]


def files_in(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(f"content of {name}")


CSV = '''file,cell,group,modality,part_of,state,cycle,particle,active_mass_mg,composite_mass_mg,dimensionality,notes,reader_options
a1.mpr,U1,uncoated,cycling,long test,,,,,5,,,
a2.mpr,U1,,cycling,long test,,,,3,,,,
p.xrm,U1,,xanes,,discharged,6,P1,,,3D,"two, lines\nof ""text""","{""voxel_um"": 0.035}"
,C1,coated,,,,,,2.9,,,,
,C1,,,,charged,100,P7,,,,,
b.mpr,C2,coated,,,,,,,,,,
'''


@pytest.fixture
def study(tmp_path: Path) -> Path:
    files_in(tmp_path, "a1.mpr", "a2.mpr", "p.xrm", "b.mpr")
    (tmp_path / "study.csv").write_text(CSV)
    return tmp_path / "study.csv"


def test_rows_say_which_file_is_what(study: Path) -> None:
    rows = read_manifest(study)
    assert [r.where for r in rows] == ["row 2", "row 3", "row 4", "row 5", "row 6", "row 7"]
    # What any row says of a cell, all rows of that cell know.
    assert {(r.cell.composite_mass_mg, r.cell.active_mass_mg) for r in rows[:3]} == {(5.0, 3.0)}
    xanes = rows[2]
    assert xanes.file == study.parent / "p.xrm"
    assert (xanes.particle.name, xanes.harvest.cycle_number, xanes.harvest.state) == ("P1", 6, "discharged")
    assert xanes.measurement.reader_options == {"voxel_um": 0.035}
    assert xanes.measurement.notes == 'two, lines\nof "text"'
    assert rows[5].measurement.modality is None


def test_parts_of_a_test_come_together_in_order(study: Path) -> None:
    found = entries(read_manifest(study))
    assert [tuple(f.name for f in e.files) for e in found] == [("a1.mpr", "a2.mpr"), ("p.xrm",), (), (), ("b.mpr",)]


@pytest.mark.parametrize("suffix", [".csv", ".toml"])
def test_import_export_import_gives_the_same_catalog(study: Path, tmp_path: Path, suffix: str) -> None:
    with workspace(tmp_path / "one") as one, workspace(tmp_path / "two") as two:
        imported(one, study)
        one.update_group("coated", title="LiNbO₃ on NMC811", colour_slot=5, description="10 nm")
        one.upsert_cell("alone", group="third group", coating_thickness_nm=1e-7, date=dt.date(2026, 5, 31), excluded_reason="short\u2026")
        harvest = one.add_harvest("U1", cycle_number=6, state="discharged", date=dt.date(2026, 6, 1), notes="=SUM(1)\n'\\")
        one.add_harvest("alone")
        one.add_particle("U1", "P2", harvest=harvest.id, location="12 µm, 3 µm")
        one.add_particle("U1", "P2", excluded_reason="touched")
        assert len(one.measurements()) == 3
        write_manifest(one, tmp_path / f"export{suffix}")
        imported(two, tmp_path / f"export{suffix}")
        assert content(two) == content(one)
        write_manifest(two, tmp_path / f"again{suffix}")
        assert imported(two, tmp_path / f"again{suffix}").cells() == two.cells()


WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=12).filter(lambda s: s.strip())
LINES = st.none() | WORDS
MASSES = st.none() | st.floats(min_value=1e-9, max_value=1e9, allow_subnormal=False)
CELLS = st.fixed_dictionaries(
    {
        "group": LINES,
        "notes": LINES,
        "operator": LINES,
        "electrolyte": LINES,
        "active_mass_mg": MASSES,
        "temperature_degC": st.none() | st.floats(min_value=-273, max_value=1e6),
        "formation_cycles": st.none() | st.integers(0, 2**60),
        "date": st.none() | st.dates(),
        "origin": st.sampled_from(["measured", "synthetic"]),
        "excluded_reason": LINES,
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cells=st.dictionaries(WORDS.map(str.strip), CELLS, min_size=1, max_size=4), suffix=st.sampled_from([".csv", ".toml"]))
def test_any_cells_survive_the_round_trip(tmp_path_factory: pytest.TempPathFactory, cells: dict[str, dict], suffix: str) -> None:
    folder = tmp_path_factory.mktemp("round")
    with workspace(folder / "one") as one, workspace(folder / "two") as two:
        for name, fields in cells.items():
            one.upsert_cell(name, **fields)
        write_manifest(one, folder / f"m{suffix}")
        imported(two, folder / f"m{suffix}")
        assert content(two) == content(one)


def test_unnamed_parts_and_repeated_tests_stay_apart(tmp_path: Path) -> None:
    files_in(tmp_path, "a.mpr", "b.mpr", "c.mpr")
    (tmp_path / "m.csv").write_text("file,cell,modality,part_of\na.mpr,U1,cycling,test\nb.mpr,U1,cycling,test\n")
    with workspace(tmp_path / "one") as one, workspace(tmp_path / "two") as two:
        imported(one, tmp_path / "m.csv")
        imported(one, tmp_path / "m.csv")
        one.update_measurement(2, part_of=None)
        imported(one, tmp_path / "m.csv")
        write_manifest(one, tmp_path / "out.toml")
        imported(two, tmp_path / "out.toml")
        assert [(m.part_of, len(m.files)) for m in two.measurements()] == [("test", 2), ("test 2", 2), ("test (2)", 2)]


def test_referenced_files_keep_their_absolute_path(tmp_path: Path) -> None:
    files_in(tmp_path, "big.h5")
    with workspace(tmp_path / "one") as one:
        (tmp_path / "m.csv").write_text("file,cell,modality\nbig.h5,U1,xanes\n")
        (entry,) = entries(read_manifest(tmp_path / "m.csv"))
        big = FileFields(original_name="big.h5", sha256="0" * 64, size_bytes=9, stored_path=str(tmp_path / "big.h5"), referenced=True)
        take(one, entry, files=[big])
        write_manifest(one, tmp_path / "one" / "out.csv")
        assert read_manifest(tmp_path / "one" / "out.csv")[-1].file == tmp_path / "big.h5"


TOML = """
[[group]]
name = "coated"
title = "With LNO"

[[cell]]
name = "C1"
group = "coated"
composite_mass_mg = 5
active_fraction = 0.6
date = 2026-05-31
notes = "in words"

[[file]]
file = "a.mpr"
cell = "C1"
part_of = "rate"
reader_options = { encoding = "cp1252" }
"""


def test_toml_has_groups_cells_and_files(tmp_path: Path) -> None:
    files_in(tmp_path, "a.mpr")
    (tmp_path / "m.toml").write_text(TOML)
    with workspace(tmp_path / "one") as one:
        imported(one, tmp_path / "m.toml")
        (made,) = one.measurements()
        cell = one.cell("C1")
        assert one.group("coated").title == "With LNO"
    assert (cell.effective_active_mass_mg, cell.date, cell.notes) == (3.0, dt.date(2026, 5, 31), "in words")
    assert (made.group, made.part_of, made.reader_options) == ("coated", "rate", {"encoding": "cp1252"})


def test_spreadsheets_of_other_countries_are_read(tmp_path: Path) -> None:
    files_in(tmp_path, "a.mpr")
    text = "File;Cell;Active Mass mg;stack_pressure_mpa;cell_notes\r\na.mpr;C1;2,95;50;für später, „ja“\r\n\r\n"
    for encoding in ("cp1252", "utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "m.csv").write_bytes(text.encode(encoding))
        (row,) = read_manifest(tmp_path / "m.csv")
        assert (row.cell.active_mass_mg, row.cell.stack_pressure_MPa, row.cell.notes) == (2.95, 50.0, "für später, „ja“")


def test_paths_may_be_written_as_on_windows(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    files_in(tmp_path / "sub", "a.mpr")
    (tmp_path / "m.csv").write_text("file,cell\nsub\\a.mpr,C1\n")
    assert read_manifest(tmp_path / "m.csv")[0].file.samefile(tmp_path / "sub" / "a.mpr")


@pytest.mark.parametrize(
    ("harvest", "particle", "expected"), [("", "P1", True), ("no", "P1", False), ("yes", "", True), ("", "", False), ("FALSE", "P1", False)]
)
def test_whether_a_sample_was_harvested(tmp_path: Path, harvest: str, particle: str, expected: bool) -> None:
    files_in(tmp_path, "a.xrm")
    (tmp_path / "m.csv").write_text(f"file,cell,state,cycle,particle,harvest\na.xrm,C1,charged,6,{particle},{harvest}\n")
    (row,) = read_manifest(tmp_path / "m.csv")
    assert (row.harvest is not None) is expected
    assert (row.measurement.cycle_number, row.measurement.state) == (6, "charged")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,cell,active_mass_mg\na.mpr,C1,3\na.mpr,C2,0\n", r"m\.csv, row 3, column active_mass_mg: .*greater than 0 mg \(given: '0'\)"),
        ("file,cell,active_mass_mg\na.mpr,C1,3 mg\n", r"row 2, column active_mass_mg: .* must be a number in mg"),
        ("file,cell,cell_date\na.mpr,C1,5/31/26\n", "row 2, column cell_date: .* must be a date such as"),
        ("file,cell,cycle\na.mpr,C1,six\n", "row 2, column cycle: .* whole number"),
        ("file,cell,state\na.mpr,C1,full\n", "row 2, column state: .* must be 'pristine', 'charged' or 'discharged'"),
        ("file,cell\nb.mpr,C1\n", r"row 2, column file: there is no file 'b\.mpr'"),
        ("file,cell\na.mpr,\n", "row 2, column cell: the cell of this file is missing"),
        ("file,cell,harvest\na.mpr,C1,maybe\n", "row 2, column harvest: this is neither yes nor no"),
        ("file,cell,reader_options\na.mpr,C1,{x}\n", "row 2, column reader_options: this is not a JSON object"),
        ("file,cell,reader_options\na.mpr,C1,[1]\n", "row 2, column reader_options:"),
        ("file,cell,activ_mass\na.mpr,C1,3\n", r"row 1: there is no column 'activ_mass'\. Is 'active_mass_mg' meant\?"),
        ("file,cell,Cell\na.mpr,C1,C2\n", "row 1: column 'cell' is there twice"),
        ("file,cell\na.mpr,C1,,x\n", "row 2: there are more values than columns"),
        ('file,cell\n"a.mpr,C1\n', "not a readable CSV"),
        ("file,cell\n", "has no rows"),
        ("", "has no rows"),
        ("file,cell,anode\na.mpr,C1,Li\na.mpr,C1,In\n", "row 3, column anode: 'In' contradicts 'Li' in row 2"),
        ("file,cell,part_of,cycle\na.mpr,C1,t,1\na.mpr,C1,t,2\n", "row 3, column cycle: '2' contradicts '1' in row 2"),
        ("file,cell,voltage_lower_V,voltage_upper_V\na.mpr,C1,3,\na.mpr,C1,,2\n", r"Cell in row 3: the lower voltage limit \(3 V\)"),
    ],
)
def test_errors_name_row_and_column(tmp_path: Path, text: str, sentence: str) -> None:
    files_in(tmp_path, "a.mpr")
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_manifest(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[cell]\n", "not valid TOML"),
        ("", "has no rows"),
        ("[[cells]]\nname = 'C1'\n", "there is no table 'cells'"),
        ("cell = 'C1'\n", r"'cell' is not a list of tables. Write each as \[\[cell\]\]"),
        ("[[cell]]\nname = 'C1'\nmass = 3\n", r"\[\[cell\]\] 1: there is no field 'mass'"),
        ("[[cell]]\nname = 'C1'\n[[cell]]\nanode = 'Li'\n", r"\[\[cell\]\] 2: the name is missing"),
        ("[[cell]]\nname = 'C1'\nactive_mass_mg = -1\n", r"\[\[cell\]\] 1, column active_mass_mg: .* greater than 0 mg"),
        ("[[cell]]\nname = 7\n", "must be text"),
        ("[[file]]\nfile = 'x.mpr'\ncell = 'C1'\n", r"\[\[file\]\] 1, column file: there is no file 'x.mpr'"),
    ],
)
def test_toml_errors_name_the_table(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_manifest(tmp_path / "m.toml")


def test_what_cannot_be_opened_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv cannot be opened: No such file"):
        read_manifest(tmp_path / "none.csv")
    with workspace(tmp_path / "one") as one, pytest.raises(UserError, match="cannot be written"):
        write_manifest(one, tmp_path / "nowhere" / "m.csv")
