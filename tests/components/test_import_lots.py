"""Waiting files: recognised by content, judged, said to be in already, joined to tests, imported, or refused with a sentence."""

import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from analysis.catalog import CellFields
from analysis.core.errors import ParamError
from components import import_actions, import_options, import_rows, import_work
from components.import_form import judge, proposed_cell, typed
from components.import_work import Lot

HEADER = "Test Time (s),Voltage (V),Current (mA)\n"


def record(seed: int = 0, *, start: int = 0, rows: int = 400, header: str = HEADER) -> bytes:
    """Charge and discharge at ±0.5 mA between 2 and 4 V, a row every 10 s; the seed is in the current's last digits."""
    lines = []
    for i in range(rows):
        phase, way = divmod(i, 100)
        up = phase % 2 == 0
        lines.append(
            f"{start + 10 * i},{2 + 0.02 * way if up else 4 - 0.02 * way:.4f},{0.5 + 1e-4 * seed if up else -0.5 - 1e-4 * seed:.4f}"
        )
    return (header + "\n".join(lines) + "\n").encode()


def lots() -> list[Lot]:
    """The list as the page shows it after it has looked at every file."""
    waiting = [s.sid for s in import_work.staging().entries()]
    for _ in waiting:  # a slow machine looks at one file at a time
        import_work.look(waiting)
    return import_work.lots()


def only() -> Lot:
    (lot,) = lots()
    return lot


def act(action: str, sid: str = "", ticked: tuple[str, ...] = (), **bulk: Any) -> None:
    import_actions.act(action, sid, ticked, {f"cell.{k}": v for k, v in bulk.items()})


def bomb() -> bytes:
    """A small archive that looks like a workbook and would unpack to 100 MB."""
    path = Path("bomb.xlsx")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        z.writestr("xl/workbook.xml", "<workbook/>")
        with z.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(100):
                sheet.write(bytes(1 << 20))
    return path.read_bytes()


# -- what is wrong with a file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "empty.csv is empty (0 bytes)."),
        ("empty.ndax", b"", "empty.ndax is empty (0 bytes)."),
        ("garbage.mpr", random.Random(1).randbytes(20_000), "No reader recognises the content of garbage.mpr."),
        ("garbage.csv", random.Random(2).randbytes(20_000), "No reader recognises the content of garbage.csv."),
        ("letter.txt", b"Dear colleagues,\nthe cells are on the bench.\n", "No reader recognises the content of letter.txt."),
        ("rows0.csv", HEADER.encode(), "rows0.csv has column names but no rows of data."),
        ("nan.csv", (HEADER + "".join(f"{i},nan,nan\n" for i in range(50))).encode(), "nan.csv has column names but no rows of data."),
        ("novolt.csv", (HEADER + "".join(f"{i},nan,0.5\n" for i in range(50))).encode(), "novolt.csv: the column 'Voltage (V)'"),
        ("notzip.ndax", b"PK\x03\x04" + random.Random(3).randbytes(5000), "No reader recognises the content of notzip.ndax."),
    ],
)
def test_a_bad_file_gets_one_sentence(served: Any, name: str, content: bytes, words: str) -> None:
    served.waiting(name, content)
    lot = only()
    assert lot.state == "problem"
    assert lot.sentence.startswith(words)
    assert lot.sentence.endswith(".")
    assert import_actions.ready([lot], ()) == []


def test_a_workbook_that_would_unpack_to_a_disk_full_is_not_opened(served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    served.waiting("bomb.xlsx", bomb())
    lot = only()
    assert lot.state == "problem"
    assert "bomb.xlsx" in lot.sentence
    assert "unpack" in lot.sentence


def test_a_file_that_was_cut_off_says_so_and_can_be_taken(served: Any, small_data: Path) -> None:
    whole = (small_data / "biologic" / "250116_kigr_gen6_01_02_GCPL_CD8.mpr").read_bytes()
    served.waiting("cut.mpr", whole[: len(whole) // 2])
    lot = only()
    assert lot.state == "ready"
    assert any("cut off" in w for w in lot.warnings)
    assert "cut off" in str(import_rows.words(lot))


def test_content_counts_not_the_name(served: Any, small_data: Path) -> None:
    served.waiting("wrong.csv", (small_data / "biologic" / "250116_kigr_gen6_01_02_GCPL_CD8.mpr").read_bytes())
    found = only().found[0]
    assert found is not None
    assert found.reader == "cycling.biologic_mpr"
    assert found.rows == 3791
    assert found.ranges["voltage"][1] == pytest.approx(4.9, abs=0.01)
    assert found.note.endswith("although the name ends in .csv.")


# -- what is said about a file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("LNO_03_C10.mpr", "LNO 03 C10"),
        ("SINTEF__LiGrR2032__2024-04-30__25degC__Landt.bdf.csv", "SINTEF LiGrR2032 2024-04-30 25degC Landt"),
        ("xTESLADIAG_000019_CH70.070", "xTESLADIAG 000019 CH70"),
        ("v1.2.csv", "v1.2"),
        ("nda8.nda.zip", "nda8"),
        (" - .csv", "cell"),
    ],
)
def test_a_cell_is_proposed_from_the_name(name: str, cell: str) -> None:
    assert proposed_cell(name) == cell


@pytest.mark.parametrize(
    ("text", "value"),
    [("3.0", 3), ("3,25", 3.25), (" 0 ", 0), ("1e-3", 0.001), ("−2", -2), ("1,234.5", "1,234.5"), ("3 mg", "3 mg"), ("", ""), (None, "")],
)
def test_numbers_may_have_a_decimal_comma(text: str | None, value: Any) -> None:
    assert typed("cell.active_mass_mg", text) == value
    assert typed("cell.name", text) == (text or "").strip().replace("−", "-")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"active_mass_mg": "0"}, "Active mass must be greater than 0 mg (given: 0)."),
        ({"active_mass_mg": "3 mg"}, "Active mass must be a number in mg (given: '3 mg')."),
        ({"active_mass_mg": 5, "composite_mass_mg": 3}, "The active mass (5 mg) is more than the composite mass (3 mg)."),
        ({"active_fraction": "60"}, "Active fraction must be at most 1 (given: 60)."),
        ({"electrode_area_cm2": "-1"}, "Electrode area must be greater than 0 cm² (given: -1)."),
    ],
)
def test_bad_values_are_sentences_and_block(served: Any, fields: dict[str, Any], sentence: str) -> None:
    sid = served.waiting("a.csv", record())
    import_actions.keep(sid, {f"cell.{k}": v for k, v in fields.items()})
    lot = only()
    assert (lot.state, lot.sentence) == ("wrong", sentence)
    with pytest.raises(ParamError):
        CellFields.check({"name": "a", **{k: typed(f"cell.{k}", v) for k, v in fields.items()}})


def test_a_file_without_a_cell_is_not_taken(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    import_actions.keep(sid, {"cell.name": ""})
    assert only().state == "wrong"
    import_actions.keep(sid, {"cell.name": "B"})
    assert only().state == "ready"


def test_what_is_missing_is_shown_before_it_is_taken(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    assert only().judged.missing == ("group", "active mass", "area")
    import_actions.keep(sid, {"cell.group": "coated", "cell.composite_mass_mg": "5"})
    assert only().judged.missing == ("active mass", "area")
    import_actions.keep(sid, {"cell.active_fraction": "0,6", "cell.electrode_area_cm2": 0.785})
    assert only().judged.missing == ()


def test_a_known_cell_lacks_nothing_that_is_recorded(served: Any) -> None:
    served.workspace.catalog.upsert_cell("C1", group=None, active_mass_mg=3.0, electrode_area_cm2=1.0)
    sid = served.waiting("a.csv", record())
    import_actions.keep(sid, {"cell.name": "C1"})
    lot = only()
    assert lot.judged.missing == ("group",)
    assert lot.judged.payload is not None
    assert lot.judged.payload["cell"] == {"name": "C1"}, "what is not said leaves the record as it is"


def test_fields_are_applied_to_all_or_to_the_ticked(served: Any) -> None:
    a, b = served.waiting("a.csv", record(1)), served.waiting("b.csv", record(2))
    act("apply", ticked=(b,), active_mass_mg="3,0")
    act("apply", group="coated")
    said = {lot.sid: lot.parts[0].form["fields"] for lot in lots()}
    assert said == {a: {"cell.group": "coated"}, b: {"cell.group": "coated", "cell.active_mass_mg": 3}}
    with pytest.raises(ParamError):
        act("apply")


def test_typing_does_not_draw_the_row_again_but_applying_does(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    before = only().rev
    import_actions.keep(sid, {"cell.group": "coated"})
    assert only().rev == before
    act("apply", active_mass_mg="3")
    assert only().rev != before


# -- importing -------------------------------------------------------------------------------------------------------------


def test_a_file_is_imported_with_what_was_said(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    import_actions.keep(sid, {"cell.name": "C1", "cell.group": "coated", "cell.active_mass_mg": "3", "measurement.state": "charged"})
    assert import_actions.label(import_actions.ready(lots(), ()), lots(), is_part=False) == "Import 1 ready"
    act("import")
    lot = only()
    assert lot.state == "done"
    measurement = import_work.imported(lot)
    assert measurement is not None
    assert (measurement.cell, measurement.group, measurement.state, measurement.modality) == ("C1", "coated", "charged", "cycling")
    assert served.workspace.snapshot().cell(measurement.cell_id).active_mass_mg == 3
    assert "/cycling?ref=coated" in str(import_rows.state(lot))
    assert not lot.parts[0].path.exists(), "the bytes are kept by the workspace now"
    assert served.workspace.check() == []
    act("clear")
    assert lots() == []


def test_the_same_content_is_noticed_in_the_list_and_in_the_catalog(served: Any) -> None:
    served.waiting("a.csv", record())
    second = served.waiting("copy of a.csv", record())
    first, copy = lots()
    assert (first.state, copy.state) == ("ready", "known")
    assert copy.sentence == "copy of a.csv has the same content as a.csv in this list."
    act("import")
    _, copy = lots()
    assert copy.sentence == "This file is here already: a.csv of cell 'a' (cycling)."
    act("again", second)
    act("import")
    assert [lot.state for lot in lots()] == ["done", "done"]
    assert len(served.workspace.catalog.measurements()) == 2


def test_a_failed_import_says_why_beside_its_file_and_leaves_nothing(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    lot = only()
    lot.parts[0].path.write_bytes(b"")  # the file is damaged between looking and taking
    act("import")
    lot = only()
    assert (lot.state, lot.sentence) == ("ready", "a.csv is empty.")
    assert lot.job is not None
    assert lot.job.state == "failed"
    assert served.workspace.catalog.measurements() == ()
    assert served.workspace.store.keys() == []
    act("remove", sid)
    assert lots() == []


def test_parts_of_one_test_are_put_in_the_order_of_their_start(served: Any) -> None:
    bdf = "Test Time / s,Voltage / V,Current / A,Unix Time / s\n"

    def part(seed: int, day: int) -> bytes:
        return (bdf + "".join(f"{10 * i},{3 + i / 1000},0.001,{1.7e9 + day * 86400 + 10 * i + seed}\n" for i in range(50))).encode()

    late, early = served.waiting("late.csv", part(1, 5)), served.waiting("early.csv", part(2, 1))
    lots()
    act("join", ticked=(late, early))
    lot = only()
    assert [p.name for p in lot.parts] == ["early.csv", "late.csv"]
    act("up", lot.parts[1].sid)
    assert [p.name for p in only().parts] == [lot.parts[1].name, lot.parts[0].name]
    act("split", only().sid)
    assert len(lots()) == 2
    with pytest.raises(ParamError):
        act("join", ticked=(late,))


def test_one_test_of_two_files_becomes_one_measurement(served: Any) -> None:
    a, b = served.waiting("a.csv", record(1)), served.waiting("b.csv", record(2))
    lots()
    import_actions.keep(a, {"cell.name": "C1"})
    act("join", ticked=(a, b))
    act("import")
    (measurement,) = served.workspace.catalog.measurements()
    assert [f.original_name for f in measurement.files] == ["a.csv", "b.csv"]
    assert len(measurement.dataset_keys) == 2
    assert measurement.cell == "C1"
    assert only().state == "done"


def test_parts_of_different_formats_are_no_test(served: Any, small_data: Path) -> None:
    a = served.waiting("a.csv", record())
    b = served.waiting("b.mpr", (small_data / "biologic" / "250116_kigr_gen6_01_02_GCPL_CD8.mpr").read_bytes())
    act("join", ticked=(a, b))
    assert only().sentence == "The parts of one measurement must be of one format, read with the same options."


def test_another_reader_can_be_chosen(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    found = only().found[0]
    assert found is not None
    import_actions.keep(sid, {"reader": "cycling.biologic_mpr"})
    lot = only()
    assert lot.state == "problem"
    assert "a.csv" in lot.sentence
    import_actions.keep(sid, {"reader": found.reader})
    assert only().state == "ready"


# -- manifests -------------------------------------------------------------------------------------------------------------


def test_a_manifest_takes_the_files_that_it_names(served: Any) -> None:
    study = b"file,cell,group,active_mass_mg\nalpha.csv,A1,coated,3.0\nsub/beta.csv,B1,uncoated,3.1\n"
    served.waiting("study.csv", study)
    served.waiting("alpha.csv", record(1))
    manifest, alpha = lots()
    assert (manifest.state, alpha.state) == ("problem", "claimed")
    assert manifest.sentence == "It names files that are not in this list: sub/beta.csv."
    served.waiting("beta.csv", record(2))
    assert [lot.state for lot in lots()] == ["ready", "claimed", "claimed"]
    act("import")
    assert [lot.state for lot in lots()] == ["done"]
    taken = {(m.cell, m.group) for m in served.workspace.catalog.measurements()}
    assert taken == {("A1", "coated"), ("B1", "uncoated")}
    assert served.workspace.check() == []


def test_a_manifest_in_toml_is_recognised(served: Any) -> None:
    served.waiting("study.toml", b'[[cell]]\nname = "A1"\ngroup = "coated"\n[[file]]\nfile = "a.csv"\ncell = "A1"\n')
    served.waiting("a.csv", record())
    act("import") if [lot.state for lot in lots()] == ["ready", "claimed"] else pytest.fail(str(lots()))
    assert [m.cell for m in served.workspace.catalog.measurements()] == ["A1"]


@pytest.mark.parametrize("spelled", ["../secret.csv", "/etc/passwd", "C:\\secret.csv", "a/../../secret.csv"])
def test_a_manifest_reaches_nothing_outside(served: Any, tmp_path: Path, spelled: str) -> None:
    (tmp_path / "secret.csv").write_bytes(record())
    served.waiting("study.csv", f"file,cell\n{spelled},A1\n".encode())
    assert only().state == "problem"
    served.waiting(Path(spelled.replace("\\", "/")).name, record())  # a file of that name waits too
    lot = lots()[0]
    import_work.start(lot)
    (lot, *_) = lots()
    assert lot.job is not None
    assert lot.job.state == "failed"
    assert "not below its own folder" in lot.sentence
    assert served.workspace.catalog.measurements() == ()


def test_a_bad_manifest_names_row_and_column(served: Any) -> None:
    served.waiting("study.csv", b"file,cell,active_mass_mg\na.csv,A1,heavy\n")
    served.waiting("a.csv", record())
    lots()
    act("import")
    lot = lots()[0]
    assert lot.job is not None
    assert lot.job.state == "failed"
    assert "row 2" in lot.sentence
    assert "active_mass_mg" in lot.sentence


def test_judging_needs_no_inspection_to_say_that_it_waits(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    entry = served.staging.entry(sid)
    assert judge([entry], [None], ()).wrong == (("", "a.csv is still being read."),)


def test_options_of_the_reader_can_be_given(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    before = only().found[0]
    assert before is not None
    import_actions.keep(sid, {"option.current_sign": "positive discharges", "option.decimal": None})
    after = only().found[0]
    assert after is not None
    assert after.options == {"current_sign": "positive discharges"}
    currents = [next(y for y in f.picture["current"]["y"] if y is not None) for f in (before, after)]
    assert currents[0] == -currents[1] != 0
    import_actions.keep(sid, {"option.current_sign": "positive charges"})
    assert only().found[0] is not None
    assert only().found[0].options == {}  # type: ignore[union-attr]


def test_an_option_that_makes_no_sense_is_a_sentence(served: Any) -> None:
    sid = served.waiting("a.csv", record())
    lots()
    import_actions.keep(sid, {"option.skip_rows": "many"})
    lot = only()
    assert lot.state == "problem"
    assert "Lines above the header" in lot.sentence
    import_actions.keep(sid, {"option.skip_rows": ""})
    assert only().state == "ready"


def test_every_reader_has_its_options_as_inputs(served: Any) -> None:
    for reader in served.workspace.registry.readers:
        for name, spec in import_options.simple_options(reader.options).items():
            default = reader.options.model_fields[name].default
            assert import_options.with_option({}, reader.options, f"option.{name}", default) == {}
            value = next((c for c in spec.get("enum", ()) if c not in ("", default)), None)
            if value is not None:
                assert import_options.with_option({}, reader.options, f"option.{name}", value) == {name: value}


def test_a_list_of_cells_describes_them_and_leads_to_the_catalog(served: Any) -> None:
    served.waiting("cells.csv", b"Cell;Active mass (mg);Group\nC1;3,1;coated\nC2;2,9;uncoated\n")
    lot = only()
    assert (lot.state, lot.is_manifest) == ("ready", True)
    act("import")
    assert "/catalog" in str(import_rows.state(only()))
    assert {(c.name, c.group, c.active_mass_mg) for c in served.workspace.catalog.cells()} == {
        ("C1", "coated", 3.1),
        ("C2", "uncoated", 2.9),
    }
