"""Arbin results files, ``.res``, of MITS Pro: Microsoft Access databases with one table of records.

Tables used: ``Channel_Normal_Table`` (the records; rows may stand in any order, ``Data_Point`` counts them) and ``Global_Table`` (one row
a test: name, channel, start, mass, software). Seen: "Results File 5.26", MITS Pro 4.32 (2016).

``Test_Time`` and ``Step_Time`` are in s, ``DateTime`` in days since 1899-12-30 in the local time of the computer, ``Current`` in A
(positive charges), ``Voltage`` in V, the counters in A h and W h. ``Cycle_Index`` and ``Step_Index`` count from 1; ``Step_Index`` is the
line of the schedule, it repeats. The schedule decides when the counters go back to zero: here, with each new cycle. ``MASS`` is in g.

A file may hold several tests (``Test_ID``). Auxiliary channels (``Auxiliary_Table``) and impedance are not read: no file that has them
was seen.

The database is read by ``jet.py``; ``mdb-export`` gives the same numbers (single precision rounded to eight digits).
"""

import datetime
from pathlib import Path
from typing import Any

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats import jet
from analysis.formats.table import Table

RECORDS, TESTS, AUXILIARY = "Channel_Normal_Table", "Global_Table", "Auxiliary_Table"
OLE_EPOCH = datetime.datetime(1899, 12, 30)
# Seconds from the epoch of the file's dates to 1970-01-01.
OLE_TO_UNIX = (datetime.datetime(1970, 1, 1) - OLE_EPOCH).total_seconds()
DAY = 86400.0  # s
# Column of the file: name here, unit.
_COLUMNS = {
    "Test_Time": ("time", "s"),
    "Voltage": ("voltage", "V"),
    "Current": ("current", "A"),
    "Cycle_Index": ("cycle", "1"),
    "Step_Index": ("step", "1"),
    "Charge_Capacity": ("charge_capacity", "A h"),
    "Discharge_Capacity": ("discharge_capacity", "A h"),
    "Charge_Energy": ("charge_energy", "W h"),
    "Discharge_Energy": ("discharge_energy", "W h"),
}
_NEEDED = ("Test_ID", "Data_Point", "DateTime", "Test_Time", "Voltage", "Current")
_TEXTS = ("Test_Name", "Creator", "Comments", "Schedule_File_Name", "Software_Version", "Serial_Number", "Schedule_Version", "Item_ID")


def read_res(path: Path, *, test: int | None = None) -> Table:
    """Records of one test in a ``.res`` file, in the order of ``Data_Point``.

    Parameters
    ----------
    path
        The file.
    test
        ``Test_ID`` to read; None is the only test of the file, or its first.

    Returns
    -------
    Table
        ``time`` (s), ``voltage`` (V), ``current`` (A), ``clock`` (s since 1970, local time read as UTC), and what else the file has of
        ``cycle``, ``step``, the charge (A h) and energy (W h) counters.

    Raises
    ------
    ReadError
        Where the file is no Arbin database, is damaged, or has no records of the test.
    """
    try:
        database = jet.Database(path.read_bytes())
        rows = database.rows(RECORDS)
        raw = {name: rows.numbers(name) for name in (*_NEEDED, *_COLUMNS) if name in _NEEDED or name in rows.columns}
        metadata, auxiliary = _tests(database), AUXILIARY in database.tables and len(database.rows(AUXILIARY))
    except jet.JetError as err:
        raise ReadError(
            f"{path.name} cannot be read as an Arbin database: {err}.", hint="Copy it again from the cycler's computer."
        ) from err
    except OSError as err:
        raise ReadError(f"{path.name} cannot be read: {err.strerror or err}.", hint="Check the path and its permissions.") from err
    warnings = _row_warnings(path.name, database, rows, int(auxiliary))
    chosen, more = _choose(path.name, raw["Test_ID"], test)
    order = np.flatnonzero(raw["Test_ID"] == chosen)
    order = order[np.argsort(raw["Data_Point"][order], kind="stable")]
    columns = {here: raw[name][order] for name, (here, _) in _COLUMNS.items() if name in raw}
    columns["clock"] = raw["DateTime"][order] * DAY - OLE_TO_UNIX
    units = {here: unit for here, unit in _COLUMNS.values() if here in columns} | {"clock": "s"}
    return Table(columns, units, metadata.get(chosen, {}), (*warnings, *more))


def _choose(name: str, ids: np.ndarray, test: int | None) -> tuple[int, list[str]]:
    """The test to read, and what to say about the others."""
    there = [int(i) for i in np.unique(ids)]
    if not there:
        raise ReadError(f"{name} holds no records: the test stored no points.", hint="Check that the right file was exported.")
    if test is not None and test not in there:
        raise ReadError(f"{name} has no test {test}.", hint=f"It holds {', '.join(map(str, there))}.")
    chosen = there[0] if test is None else test
    if test is None and len(there) > 1:
        return chosen, [
            f"{name} holds {len(there)} tests ({', '.join(map(str, there))}); test {chosen} was read, the option 'test' chooses another."
        ]
    return chosen, []


def _row_warnings(name: str, database: jet.Database, rows: jet.Rows, auxiliary: int) -> list[str]:
    warnings = []
    if database.is_cut_off:
        warnings.append(f"{name} is cut off in the middle of a page: records may be missing at its end.")
    if rows.n_left_out:
        warnings.append(f"{name}: {rows.n_left_out} damaged or moved records are left out.")
    if auxiliary:
        warnings.append(f"{name} has {auxiliary} values of auxiliary channels, which are not read.")
    return warnings


def _tests(database: jet.Database) -> dict[int, dict[str, Any]]:
    """What the file says of each test, by its number."""
    if TESTS not in database.tables:
        return {}
    rows = database.rows(TESTS)
    texts = {name: rows.text(name) for name in _TEXTS if name in rows.columns}
    numbers = {
        name: rows.numbers(name) for name in ("Test_ID", "Channel_Index", "Start_DateTime", "MASS", "Capacity") if name in rows.columns
    }
    said: dict[int, dict[str, Any]] = {}
    for k, test in enumerate(numbers.get("Test_ID", ())):
        entry: dict[str, Any] = {name.lower(): values[k].strip() for name, values in texts.items() if values[k].strip()}
        entry |= _numbers_of({name: float(values[k]) for name, values in numbers.items()})
        said[int(test)] = entry
    return said


def _numbers_of(one: dict[str, float]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if "Channel_Index" in one:
        entry["channel"] = int(one["Channel_Index"])
    if 0 < one.get("Start_DateTime", 0) < (datetime.datetime.max - OLE_EPOCH).days:
        started = OLE_EPOCH + datetime.timedelta(seconds=round(one["Start_DateTime"] * DAY))
        entry["start_time"] = started.isoformat()
    if 0 < one.get("MASS", 0) < np.inf:
        entry["active_mass_mg"] = one["MASS"] * 1e3
    if 0 < one.get("Capacity", 0) < np.inf:
        entry["nominal_capacity_ah"] = one["Capacity"]
    return entry
