"""How often 90 % intervals hold the truth: peak areas and mixtures of synthetic spectra, set by set."""

import numpy as np

from analysis.demo.spectra_recovery import area_coverage, fraction_coverage
from benchmarks.report import Section, Table

LEVEL = 0.9
SETS, SETS_QUICK = 200, 10
WANTED = (0.85, 0.95)


def run(*, quick: bool) -> Section:
    sets = SETS_QUICK if quick else SETS
    areas = area_coverage(sets, first=1000, level=LEVEL)
    fractions = {
        "fractions, energies exact": fraction_coverage(sets, first=1000, level=LEVEL),
        "fractions, energies 0.2 eV off, shift fitted": fraction_coverage(sets, first=1000, offset_ev=0.2, level=LEVEL),
    }
    rows = [_row(f"area of {name}", share, 6 * sets) for name, share in areas.items()]
    rows += [_row(name, share, 3 * sets) for name, share in fractions.items()]
    note = (
        f"{sets} synthetic sets of both groups in three states, with counting noise, scatter from cell to cell and, in coated samples, "
        "the step of Nb L2. ± is the standard error of the share itself."
    )
    columns = ("interval of", "holds the truth", "intervals", f"within {WANTED[0]:.0%} to {WANTED[1]:.0%}")
    table = Table(f"Share of {LEVEL:.0%} intervals that hold the truth", columns, tuple(rows), (note,))
    return Section("coverage", "Known truth: spectra", "Files as a reader gives them, through the same recipes as measured ones.", (table,))


def _row(name: str, share: float, count: int) -> tuple[str, ...]:
    error = float(np.sqrt(share * (1 - share) / count))
    return name, f"{100 * share:.1f} ± {100 * error:.1f} %", str(count), "yes" if WANTED[0] <= share <= WANTED[1] else "no"
