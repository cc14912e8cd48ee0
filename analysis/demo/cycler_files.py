"""Rows of a test as files that cyclers and exchange formats use, each marked as synthetic.

Written here: Battery Data Format as CSV and as parquet (preferred labels; counters run through the whole file, as that
format asks) and the flat CSV of Arbin's exports (counters restart in each cycle). In parquet the mark stands in the schema's
metadata; in CSV, which has no place for it, a column of ones says it. The name of every file says it too.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from analysis.demo.protocol import Rows

SYNTHETIC_NOTE = "synthetic: computed by a forward model, not measured"


def write_bdf_csv(path: Path, rows: Rows, *, start_unix_s: float, temperature_degC: np.ndarray) -> None:
    """Battery Data Format, text."""
    _write_csv(path, _bdf_columns(rows, start_unix_s, temperature_degC))


def write_bdf_parquet(path: Path, rows: Rows, *, start_unix_s: float, temperature_degC: np.ndarray) -> None:
    """Battery Data Format, parquet; the schema's metadata hold ``origin`` and ``comment``."""
    table = pa.table(_bdf_columns(rows, start_unix_s, temperature_degC))
    pq.write_table(table.replace_schema_metadata({"origin": "synthetic", "comment": SYNTHETIC_NOTE}), path)


def write_arbin_csv(path: Path, rows: Rows, *, start_unix_s: float, temperature_degC: np.ndarray) -> None:
    """Flat CSV with the columns of an Arbin export."""
    first = np.concatenate([[True], np.diff(rows.step_count) != 0])
    step_start = np.maximum.accumulate(np.where(first, np.concatenate([[0.0], rows.time_s[:-1]]), 0.0))
    wall = np.round((start_unix_s + rows.time_s) * 1e3).astype("datetime64[ms]")
    _write_csv(
        path,
        {
            "Data_Point": np.arange(1, rows.n_rows + 1),
            "Test_Time(s)": rows.time_s,
            "Date_Time": np.char.replace(np.datetime_as_string(wall, unit="s"), "T", " "),
            "Step_Time(s)": np.round(rows.time_s - step_start, 3),
            "Step_Index": rows.step_index,
            "Cycle_Index": rows.cycle,
            "Current(A)": _thousandth(rows.current_mA),
            "Voltage(V)": rows.voltage_V,
            "Charge_Capacity(Ah)": _thousandth(rows.charge_mAh),
            "Discharge_Capacity(Ah)": _thousandth(rows.discharge_mAh),
            "Aux_Temperature_1(C)": temperature_degC,
            "Is_Synthetic": np.ones(rows.n_rows, dtype=np.int64),
        },
    )


Writer = Callable[..., None]
WRITERS: Mapping[str, Writer] = {".bdf.csv": write_bdf_csv, ".bdf.parquet": write_bdf_parquet, "_arbin.csv": write_arbin_csv}


def _bdf_columns(rows: Rows, start_unix_s: float, temperature_degC: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "Test Time / s": rows.time_s,
        "Voltage / V": rows.voltage_V,
        "Current / A": _thousandth(rows.current_mA),
        "Unix Time / s": np.round(start_unix_s + rows.time_s, 3),
        "Cycle Count / 1": rows.cycle,
        "Step Count / 1": rows.step_count,
        "Step Index / 1": rows.step_index,
        "Ambient Temperature / degC": temperature_degC,
        "Charging Capacity / Ah": _thousandth(_running_total(rows.charge_mAh, rows.cycle)),
        "Discharging Capacity / Ah": _thousandth(_running_total(rows.discharge_mAh, rows.cycle)),
        "Synthetic / 1": np.ones(rows.n_rows, dtype=np.int64),
    }


def _running_total(counter: np.ndarray, cycle: np.ndarray) -> np.ndarray:
    """A counter that restarts in each cycle, made to run on."""
    restarts = np.concatenate([[0.0], np.where(np.diff(cycle) != 0, counter[:-1], 0.0)])
    return counter + np.cumsum(restarts)


def _thousandth(values: np.ndarray) -> np.ndarray:
    return np.round(values * 1e-3, 12)


def _write_csv(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    with open(path, "wb") as file:
        file.write((",".join(columns) + "\n").encode())
        pyarrow.csv.write_csv(pa.table(dict(columns)), file, pyarrow.csv.WriteOptions(include_header=False, quoting_style="none"))
