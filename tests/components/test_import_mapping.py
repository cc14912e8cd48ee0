"""Tables that no reader knows: columns are named once, checked while they are, and known the next time."""

from typing import Any

import pytest

from analysis.inspection import TRIAL_BYTES, trial
from components import import_work
from components.import_mapping import READER, body, keep, options_of, verdict


def table(seed: int = 0, rows: int = 300) -> bytes:
    """Time in minutes, voltage in mV, discharge positive, under headers that no instrument uses."""
    lines = [f"{i};{3000 + i};{'-' if i < rows // 2 else ''}0,{5 + seed}" for i in range(rows)]
    return ("Laufzeit;Klemme;Strom\n" + "\n".join(lines) + "\n").encode()


OPTIONS = {
    "columns": {"time": "Laufzeit", "voltage": "Klemme", "current": "Strom"},
    "units": {"time": "min", "voltage": "mV", "current": "mA"},
    "current_sign": "positive discharges",
}


def lot_of(sid: str) -> import_work.Lot:
    import_work.look([s.sid for s in import_work.staging().entries()])
    return next(lot for lot in import_work.lots() if lot.sid == sid)


def test_an_unknown_table_asks_for_its_columns(served: Any) -> None:
    lot = lot_of(served.waiting("a.csv", table()))
    assert lot.state == "problem"
    assert lot.found[0] is not None
    assert lot.found[0].kind == "table"
    shown = str(body(lot.parts[0]))
    for header in ("Laufzeit", "Klemme", "Strom", "3000"):
        assert header in shown


def test_named_columns_are_read_in_their_units_and_sign(served: Any) -> None:
    sid = served.waiting("a.csv", table())
    keep(sid, OPTIONS)
    lot = lot_of(sid)
    found = lot.found[0]
    assert found is not None
    assert (lot.state, found.reader, found.rows) == ("ready", READER, 300)
    assert found.ranges["time"] == pytest.approx((0, 299 * 60))
    assert found.ranges["voltage"] == pytest.approx((3.0, 3.299))
    assert found.ranges["current"] == pytest.approx((-0.5e-3, 0.5e-3))
    current = [y for y in found.picture["current"]["y"] if y is not None]
    assert current[0] == pytest.approx(0.5e-3), "what discharges is negative in the file's sign, positive charges here"


def test_the_answer_is_remembered_and_said_so(served: Any) -> None:
    first, waiting = served.waiting("a.csv", table(1)), served.waiting("b.csv", table(2))
    assert lot_of(waiting).state == "problem"
    keep(first, OPTIONS)
    assert lot_of(waiting).state == "ready", "those that wait are looked at again"
    later = lot_of(served.waiting("c.csv", table(3)))
    assert later.state == "ready"
    assert later.found[0] is not None
    assert later.found[0].options == OPTIONS
    assert "mapping that was kept" in later.found[0].note
    import_work.start(later)
    (measurement,) = served.workspace.catalog.measurements()
    assert measurement.reader_options == OPTIONS


def test_choices_become_options() -> None:
    ids = [
        {"setting": "columns", "target": "time"},
        {"setting": "units", "target": "time"},
        {"setting": "columns", "target": "voltage"},
        {"setting": "units", "target": "energy"},
        {"setting": "current_sign", "target": ""},
        {"setting": "decimal", "target": ""},
    ]
    made = options_of(ids, ["Laufzeit", "min", None, "Wh", "by state", ","])
    assert made == {"columns": {"time": "Laufzeit"}, "units": {"time": "min"}, "current_sign": "by state", "decimal": ","}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"time": "Laufzeit", "voltage": "Klemme"}, "has no column for current"),
        ({"time": "Laufzeit", "voltage": "Klemme", "current": "Nirgends"}, "has no column 'Nirgends'"),
    ],
)
def test_the_check_says_what_is_wrong(served: Any, columns: dict[str, str], words: str) -> None:
    entry = served.staging.entry(served.waiting("a.csv", table()))
    found = trial(entry.path, served.workspace.registry, reader_id=READER, options={"columns": columns})
    assert found.kind != "data"
    assert words in str(verdict(found))


def test_the_check_of_a_long_file_reads_its_beginning_only(served: Any) -> None:
    entry = served.staging.entry(served.waiting("long.csv", table(rows=200_000)))
    assert entry.size > 2 * TRIAL_BYTES
    found = trial(entry.path, served.workspace.registry, reader_id=READER, options=OPTIONS)
    assert found.kind == "data"
    assert 0 < found.rows < 120_000


def test_a_file_that_is_no_table_says_so_in_the_dialog(served: Any) -> None:
    entry = served.staging.entry(served.waiting("a.mpr", b"\x00\x01" * 500))
    assert "This is not a table" in str(body(entry))
