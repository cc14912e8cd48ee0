"""yadg: reads EC-Lab's .mpr and .mpt into a data tree; capacities are summed here from the charge increments by EC-Lab's half cycles."""

from importlib.metadata import version

import numpy as np
import yadg.extractors
from protocol import cycles, serve


def summary(path: str) -> dict[str, object]:
    kind = "eclab.mpr" if path.endswith(".mpr") else "eclab.mpt"
    table = yadg.extractors.extract(kind, path).to_dataset()
    increments = table["dq" if "dq" in table else "dQ"]
    per_unit = {"mA·h": 1.0, "mAh": 1.0, "C": 1 / 3.6}[increments.attrs["units"]]
    number = (
        table["half cycle"].values.astype(int) if "half cycle" in table else np.cumsum(np.diff(table["ox or red"].values, prepend=0) != 0)
    )
    sums = np.bincount(number, increments.values * per_unit)
    return cycles(sums[sums > 0], -sums[sums < 0], table.sizes["uts"])


if __name__ == "__main__":
    serve(version("yadg"), {"summary": summary})
