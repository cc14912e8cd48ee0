"""Photon energies as names and lists give them.

File names of scans carry the energy with its unit (``scan_08324.0_eV_001of003.xrm``, ``img_8.350keV.tif``, ``E8350.tif``). Lists are
text with one number a line, or a table whose first column is the energy; ``#``, ``%``, ``;`` and ``!`` begin comments, a line of words
at the top is a heading. Units are rarely written down: values that are all below 100 are keV (no absorption edge of interest lies
below 100 eV except Li K at 55 eV and Al L at 73 eV: state the unit for those), other values are eV.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from analysis.core.errors import DataError, ReadError

Unit = Literal["auto", "eV", "keV"]
KEV_BELOW = 100.0  # values that are all below this are keV
MAX_LIST_BYTES = 4 << 20
_COMMENT = tuple("#%;!")
_NUMBER = r"(\d{1,6}(?:\.\d+)?)"
_WITH_UNIT = re.compile(rf"(?<![\d.]){_NUMBER}[ _-]?(k?eV)(?![a-z])", re.IGNORECASE)
_WITH_LETTER = re.compile(rf"(?:^|[_\-. ])(?:E|energy)[_\-= ]?{_NUMBER}(?=[_\-. ]|$)", re.IGNORECASE)


def energy_of_name(name: str) -> float | None:
    """Energy in eV that a file name states; None where it states none. The last one counts where there are several."""
    stem = Path(name).stem
    if found := _WITH_UNIT.findall(stem):
        value, unit = found[-1]
        return float(value) * (1000.0 if unit.lower() == "kev" else 1.0)
    if found := _WITH_LETTER.findall(stem):
        value = float(found[-1])
        return value * (1000.0 if value < KEV_BELOW else 1.0)
    return None


def without_energy(stem: str) -> str:
    """A name without the energy that it states."""
    bare = _WITH_UNIT.sub("", stem)
    return bare if bare != stem else _WITH_LETTER.sub("_", stem)


def read_list(path: Path) -> np.ndarray:
    """The numbers of a text file: shape (n, columns); energies are the first column."""
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise ReadError(f"{path.name} is too long for a list of energies.", hint="Give a text file with one energy a line.")
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as err:
        raise ReadError(f"The list {path.name} cannot be read: {err.strerror or err}.", hint="Check the path.") from err
    return parse_list(text, path.name)


def parse_list(text: str, name: str) -> np.ndarray:
    """The numbers of a list: shape (n, columns). ``ReadError`` tells the first line that is no number."""
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = re.split(r"[,;\s]+", line.strip().strip(","))
        if not line.strip() or line.strip().startswith(_COMMENT):
            continue
        try:
            rows.append([float(w) for w in words if w])
        except ValueError as err:
            if not rows:  # a heading
                continue
            raise ReadError(f"Line {number} of {name} is no number: '{line.strip()[:40]}'.", hint="Give one energy a line.") from err
    if len(rows) == 1:  # all in one line
        rows = [[v] for v in rows[0]]
    if not rows:
        raise ReadError(f"{name} holds no numbers.", hint="Give a text file with one energy a line, in eV or keV.")
    columns = min(map(len, rows))
    return np.array([r[:columns] for r in rows])


def in_ev(values: Sequence[float] | np.ndarray, unit: Unit = "auto", *, where: str) -> tuple[np.ndarray, str]:
    """Energies in eV, and the unit that they were found in.

    Raises
    ------
    DataError
        A value is no number or not positive, or eV and keV are mixed.
    """
    energy = np.asarray(values, float)
    bad = np.flatnonzero(~np.isfinite(energy) | (energy <= 0))
    if bad.size:
        raise DataError(f"Energy {bad[0] + 1} of {where} is {energy[bad[0]]:g}.", hint="Give positive energies in eV or keV.")
    below = energy < KEV_BELOW
    if unit == "auto" and below.any() and not below.all():
        first, other = energy[below][0], energy[~below][0]
        raise DataError(
            f"The energies of {where} mix keV and eV: {first:g} stands beside {other:g}.",
            hint="Write all of them in one unit, or state the unit with energy_unit.",
        )
    found = ("keV" if below.all() else "eV") if unit == "auto" else unit
    return (np.round(energy * 1000.0, 6), "keV") if found == "keV" else (energy, "eV")
