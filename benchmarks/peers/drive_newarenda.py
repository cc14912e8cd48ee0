"""NewareNDA: reads .nda and .ndax into a table with the cycler's counters of each step.

The sum over a cycle's steps is left to its user, and done here.
"""

import NewareNDA
from protocol import cycles, serve


def summary(path: str) -> dict[str, object]:
    table = NewareNDA.read(path, log_level="ERROR")
    columns = ["Charge_Capacity(mAh)", "Discharge_Capacity(mAh)"]
    steps = table.groupby(["Cycle", "Step"], observed=True)[columns].max()
    found = steps.groupby("Cycle").sum()
    return cycles(found[columns[0]], found[columns[1]], len(table))


if __name__ == "__main__":
    serve(NewareNDA.__version__, {"summary": summary})
