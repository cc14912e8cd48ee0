"""ampworks: reads tables into seconds, amperes, volts and cycle; charge is integrated here by cycle (by sign where there is no cycle).

Its derivative is ``DqdvSpline``, a smoothing spline of voltage over state of charge; the record is read before the clock starts.
"""

import time
import warnings

import ampworks
import numpy as np
import pandas as pd
from protocol import cycles, serve
from summing import by_cycle

POINTS = 500
SMOOTHING = 1e-3


def summary(path: str) -> dict[str, object]:
    warnings.simplefilter("ignore")
    if path.endswith("xlsx"):
        table = ampworks.read_excel(path)
    else:
        table = ampworks.read_csv(path)
        table = table if len(table) else ampworks.read_table(path)
    seconds, amps = table["Seconds"].to_numpy(float), table["Amps"].to_numpy(float)
    charge, discharge = by_cycle(seconds, amps, table["Cycle"].to_numpy(float) if "Cycle" in table else None)
    return cycles(charge, discharge, len(table))


def dqdv(path: str) -> dict[str, object]:
    half = pd.read_csv(path)
    data = ampworks.Dataset({"Ah": (half["capacity_mAh"] - half["capacity_mAh"][0]) / 1e3, "Volts": half["voltage_V"]})
    started = time.perf_counter()
    spline = ampworks.dqdv.DqdvSpline().fit(data, s=SMOOTHING)
    found = spline.dqdv_(np.linspace(0.01, 0.99, POINTS))
    return {"seconds": time.perf_counter() - started, "points": len(half), "values": int(np.isfinite(found).sum())}


if __name__ == "__main__":
    serve(ampworks.__version__, {"summary": summary, "dqdv": dqdv})
