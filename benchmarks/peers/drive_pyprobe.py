"""PyProBE: converts a cycler's export into its own parquet file, as it always does, and summarises that by cycle."""

import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pyprobe
from protocol import cycles, serve
from pyprobe.analysis import cycling

CYCLERS = {
    "biologic": "biologic",
    "novonix": "novonix",
    "basytec": "basytec",
    "maccor": "maccor",
    "neware": "neware",
    "arbin": "arbin",
}


def summary(path: str) -> dict[str, object]:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        cell = pyprobe.Cell(info={"Name": "cell"})
        made = str(Path(folder) / "made.parquet")
        cell.import_from_cycler("test", CYCLERS[Path(path).parent.name], path, output_data_path=made)
        procedure = cell.procedure["test"]
        found = cycling.summary(procedure).data.fill_null(0.0)
        rows = pl.scan_parquet(made).select(pl.len()).collect().item()
        return cycles(found["Charge Capacity [Ah]"] * 1e3, found["Discharge Capacity [Ah]"] * 1e3, rows)


if __name__ == "__main__":
    pyprobe.set_log_level("ERROR")
    serve(version("PyProBE-Data"), {"summary": summary})
