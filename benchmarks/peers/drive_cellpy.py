"""cellpy: loads, finds steps and makes its summary by cycle in one call (mass 1 mg, so that capacities stay as they are)."""

import warnings
from pathlib import Path

import cellpy
from protocol import cycles, serve

INSTRUMENTS = {
    ".ndax": "neware_nda",
    ".nda": "neware_nda",
    ".mpr": "biologics_mpr",
    ".res": "arbin_res",
    ".txt": "maccor_txt",
    ".csv": "batmo_bdf",
    ".xlsx": "neware_xlsx",
}


def summary(path: str) -> dict[str, object]:
    warnings.simplefilter("ignore")
    cell = cellpy.get(path, instrument=INSTRUMENTS[Path(path).suffix], mass=1.0)
    found = cell.data.summary.fillna(0.0)
    return cycles(found["charge_capacity"], found["discharge_capacity"], len(cell.data.raw))


if __name__ == "__main__":
    serve(cellpy.__version__, {"summary": summary})
