"""batterydf, the reference implementation of the Battery Data Format: reads and normalises a table; charge is integrated here by cycle."""

import warnings
from importlib.metadata import version

import bdf
from protocol import cycles, serve
from summing import by_cycle

TIME, CURRENT, CYCLE = "Test Time / s", "Current / A", "Cycle Count / 1"


def summary(path: str) -> dict[str, object]:
    warnings.simplefilter("ignore")
    table = bdf.read(path, validate=False)
    cycle = table[CYCLE].to_numpy(float) if CYCLE in table else None
    charge, discharge = by_cycle(table[TIME].to_numpy(float), table[CURRENT].to_numpy(float), cycle)
    return cycles(charge, discharge, len(table))


if __name__ == "__main__":
    serve(version("batterydf"), {"summary": summary})
