"""navani: reads into a table with half cycles and capacities, and summarises it by full cycle; its own dQ/dV."""

import time
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
from navani import echem
from protocol import cycles, serve


def summary(path: str) -> dict[str, object]:
    warnings.simplefilter("ignore")
    table = echem.echem_file_loader(path)
    found = echem.cycle_summary(table).fillna(0.0)
    return cycles(found["Charge Capacity"], found["Discharge Capacity"], len(table))


def dqdv(path: str) -> dict[str, object]:
    warnings.simplefilter("ignore")
    half = pd.read_csv(path)
    capacity, voltage = half["capacity_mAh"].to_numpy(), half["voltage_V"].to_numpy()
    started = time.perf_counter()
    found = echem.dqdv_single_cycle(capacity, voltage)
    return {"seconds": time.perf_counter() - started, "points": len(half), "values": int(np.isfinite(found[1]).sum())}


if __name__ == "__main__":
    serve(version("navani"), {"summary": summary, "dqdv": dqdv})
