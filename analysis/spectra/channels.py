"""Which column is what, and the absorption that follows from the chosen detector.

==============  ===================================================================================
transmission    ln(I0 / I1)
fluorescence    (sum of the detector's channels) / I0
yield           (drain current or electron yield) / I0
reference       ln(I1 / I2), the foil behind the sample
mu              a column that already holds absorption, raw or normalised
==============  ===================================================================================
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.core.errors import ReadError

Mode = Literal["mu", "transmission", "fluorescence", "yield", "reference"]
HC = 12398.419843  # eV angstrom, CODATA 2018
KEV_BELOW = 40.0  # no edge that is measured lies below 40 eV, hardly one above 40 keV
EV_RANGE = (30.0, 150e3)
MIN_POINTS = 10

_ROLES: tuple[tuple[str, str], ...] = (
    ("energy", r"(achieved |real |mono(chromator)? |photon )?energy\b.*|e|ev|kev"),
    ("requested", r"(requested|nominal) energy\b.*"),
    ("angle", r"(bragg )?angle\b.*|bragg|theta"),
    ("i0", r"i_?0\b.*|io|i0[ _].*|monitor"),
    ("transmission", r"i_?1\b.*|i1[ _].*|it|itr|itrans(m)?|i ?trans.*"),
    ("reference", r"i_?2\b.*|ir|iref|irefer(ence)?"),
    ("fluorescence", r"if|iff|ifluor|fluo.*|sca1\.\d+|sca1|vortex.*|sdd.*|.*_corr"),
    ("yield", r"iy|tey|drain.*|.*[ _]tey|.*yield"),
    ("murefer", r"mu_?ref(er(ence)?)?"),
    ("mu", r"x?mu|mux|mu\(e\)|mu_?(trans|fluor|norm)\w*|norm\w*|flat|absor\w*|xanes|intensity"),
    ("icr", r"icr[._]?\d*"),
    ("time", r"real time clock|int(egration)? ?time|dwell( time)?|seconds"),
)


@dataclass(frozen=True)
class ColumnMap:
    """What a user says about the columns; "" and () where the names should tell."""

    mode: str = "auto"
    energy: str = ""
    signal: tuple[str, ...] = ()
    i0: str = ""
    unit: str = "auto"
    dead_time_us: float = 0.0


@dataclass(frozen=True)
class Measured:
    """Absorption against energy (eV) as measured: not sorted, not cleaned. Arrays have shape (N,)."""

    energy: np.ndarray
    mu: np.ndarray
    reference: np.ndarray | None
    i0: np.ndarray | None
    mode: str
    used: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Columns by name, in order; units as far as the file states them; ``d_spacing`` of the monochromator in angstrom."""

    file: str
    columns: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    d_spacing: float = np.nan

    def roles(self) -> dict[str, list[str]]:
        """Names of the columns by what they are."""
        found: dict[str, list[str]] = {}
        for name in self.columns:
            plain = re.sub(r"_c\d+$", "", name.strip().lower())
            plain = re.sub(r"\s*[\[(/].*", "", plain) if not plain.startswith("mu(e)") else plain
            role = next((r for r, pattern in _ROLES if re.fullmatch(pattern, plain)), "")
            found.setdefault(role, []).append(name)
        return found

    def column(self, said: str) -> str:
        """The column that a user means by name or by number, counted from 1."""
        names = list(self.columns)
        if said in self.columns:
            return said
        alike = [n for n in names if n.lower().strip() == said.lower().strip()]
        if alike:
            return alike[0]
        if said.isdigit() and 1 <= int(said) <= len(names):
            return names[int(said) - 1]
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        raise ReadError(f"{self.file} has no column '{said}'.", hint=f"It has {shown}; numbers count from 1.")


def measured(table: Table, said: ColumnMap) -> Measured:
    """Energy and absorption by the names of the columns and what a user says of them.

    Raises
    ------
    ReadError
        No column or several could be meant, or the chosen ones cannot be what they are said to be.
    """
    roles = completed(table, table.roles())
    energy = energies(table, roles, said)
    mode, warnings = _mode(table, roles, said)
    signal = _signal(table, roles, said, mode)
    i0_name = table.column(said.i0) if said.i0 else _first(roles, "transmission" if mode == "reference" else "i0")
    if mode != "mu" and not i0_name:
        raise ReadError(f"{table.file}: no column is the incident intensity.", hint="Name it with i0=…, or choose mode=mu.")
    i0 = table.columns[i0_name] if i0_name else None
    total = _total(table, roles, signal, said.dead_time_us) if mode == "fluorescence" else sum(table.columns[s] for s in signal)
    mu = absorption(np.asarray(total, dtype=float), i0, mode)
    if mu.size < MIN_POINTS:
        raise ReadError(f"{table.file} has {mu.size} usable points; a spectrum needs {MIN_POINTS}.", hint="Choose a complete scan.")
    if np.isfinite(mu).sum() < MIN_POINTS:
        raise ReadError(
            f"{table.file}: {mode} from {_listed(signal)} over {i0_name} gives {np.isfinite(mu).sum()} usable points of {mu.size}.",
            hint="Choose other columns or another mode.",
        )
    if mode in ("fluorescence", "yield") and not (mu[np.isfinite(mu)] > 0).any():
        raise ReadError(f"{table.file}: {mode} from {_listed(signal)} is negative everywhere.", hint="Choose other columns.")
    used = _listed(signal) + (f" over {i0_name}" if mode != "mu" else "")
    return Measured(energy, mu, _foil(table, roles), i0 if mode != "mu" else None, mode, used, warnings)


def completed(table: Table, roles: dict[str, list[str]]) -> dict[str, list[str]]:
    """Two nameless columns are energy and absorption; of several energies the achieved one counts."""
    if len(table.columns) == 2 and "energy" not in roles and "mu" not in roles:
        first, second = table.columns
        return {"energy": [first], "mu": [second]}
    if "energy" not in roles and "requested" in roles:
        return {**roles, "energy": roles["requested"]}
    return roles


def energies(table: Table, roles: Mapping[str, Sequence[str]], said: ColumnMap) -> np.ndarray:
    """Photon energies in eV; shape (N,)."""
    name = table.column(said.energy) if said.energy else _first(roles, "energy")
    if not name and "angle" in roles and table.d_spacing > 0:
        return HC / (2 * table.d_spacing * np.sin(np.radians(table.columns[roles["angle"][0]])))
    if not name:
        shown = ", ".join(list(table.columns)[:12])
        raise ReadError(f"{table.file}: no column is the energy.", hint=f"Name it with energy=…; there are {shown}.")
    values = table.columns[name]
    unit = said.unit if said.unit != "auto" else _unit(table.units.get(name, ""), name)
    middle = float(np.nanmedian(values))
    if unit == "keV" or (not unit and middle < KEV_BELOW):
        values, middle = values * 1e3, middle * 1e3
    steps = np.sign(np.diff(values[np.isfinite(values)]))
    ordered = max((steps >= 0).mean(), (steps <= 0).mean()) if steps.size else 0.0
    if not EV_RANGE[0] < middle < EV_RANGE[1] or np.nanmax(values) - np.nanmin(values) < 1.0 or (ordered < 0.5 and said.energy):
        raise ReadError(
            f"{table.file}: the column '{name}' ({np.nanmin(values):g} … {np.nanmax(values):g}) is not a photon energy in eV.",
            hint="Name another one with energy=…, or state its unit.",
        )
    return values


def _unit(stated: str, name: str) -> str:
    text = f"{stated} {name}".lower()
    return "keV" if "kev" in text else "eV" if re.search(r"\bev\b", text) else ""


def _mode(table: Table, roles: Mapping[str, Sequence[str]], said: ColumnMap) -> tuple[str, tuple[str, ...]]:
    """The detector, and a sentence where the file offers another one too."""
    if said.mode != "auto":
        return said.mode, ()
    if said.signal:
        by_role = {n: r for r, names in roles.items() for n in names}
        role = by_role[table.column(said.signal[0])]
        if role == "mu" or not (said.i0 or roles.get("i0")):
            return "mu", ()
        mode = role if role in ("transmission", "yield", "reference") else "fluorescence"
        return mode, (f"{_listed(said.signal)} was read as {mode} (option mode).",)
    order = ("mu", "fluorescence", "transmission", "yield")
    present = [m for m in order if roles.get(m) and (m == "mu" or roles.get("i0"))]
    if not present:
        shown = ", ".join(list(table.columns)[:12])
        raise ReadError(
            f"{table.file}: no column is known to be absorption or a detector.", hint=f"Say mode, signal and i0; there are {shown}."
        )
    others = present[1:]
    if not others or present[0] == "mu":
        return present[0], ()
    return present[0], (f"{present[0].title()} was read; the file also has {' and '.join(others)} (option mode).",)


def _signal(table: Table, roles: Mapping[str, Sequence[str]], said: ColumnMap, mode: str) -> tuple[str, ...]:
    if said.signal:
        return tuple(table.column(s) for s in said.signal)
    names = tuple(roles.get(mode, ()))
    if not names:
        raise ReadError(f"{table.file}: no column is known to hold {mode}.", hint="Name it with signal=….")
    kinds = {re.sub(r"\d+", "", re.sub(r"_c\d+$", "", n.lower())) for n in names}
    if mode == "fluorescence" and len(kinds) > 1:
        raise ReadError(
            f"{table.file} has several kinds of fluorescence channels: {', '.join(sorted(kinds))}.",
            hint="Name those to be summed with signal=….",
        )
    return names if mode == "fluorescence" else names[:1]


def _total(table: Table, roles: Mapping[str, Sequence[str]], signal: Sequence[str], dead_time_us: float) -> np.ndarray:
    """Sum of fluorescence channels, each corrected for dead time where its count rate is in the file.

    Notes
    -----
    Paralysable shaping: counts = true · exp(-rate · tau), with the input count rate ``ICR`` of the channel.
    """
    if not dead_time_us:
        return np.sum([table.columns[s] for s in signal], axis=0)
    rates = {_number(n): table.columns[n] for n in roles.get("icr", ())}
    seconds = table.columns[roles["time"][0]] if roles.get("time") else np.ones_like(table.columns[signal[0]])
    if not all(_number(s) in rates for s in signal):
        raise ReadError(f"{table.file} has no input count rates (ICR) for its channels.", hint="Leave the dead time at 0.")
    factors = [np.exp(rates[_number(s)] / seconds * dead_time_us * 1e-6) for s in signal]
    return np.sum([table.columns[s] * f for s, f in zip(signal, factors, strict=True)], axis=0)


def _number(name: str) -> int:
    found = re.findall(r"(\d+)\s*$", name)
    return int(found[0]) if found else 0


def absorption(signal: np.ndarray, i0: np.ndarray | None, mode: str) -> np.ndarray:
    """Absorption by mode, shape (N,); NaN where counts are missing."""
    if mode == "mu" or i0 is None:
        return signal
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = signal / i0
        found = -np.log(ratio) if mode in ("transmission", "reference") else ratio
    return np.where(np.isfinite(found), found, np.nan)


def _foil(table: Table, roles: Mapping[str, Sequence[str]]) -> np.ndarray | None:
    """Absorption of a reference foil behind the sample, where it was measured."""
    if roles.get("murefer"):
        return table.columns[roles["murefer"][0]]
    if not (roles.get("transmission") and roles.get("reference")):
        return None
    foil = absorption(table.columns[roles["reference"][0]], table.columns[roles["transmission"][0]], "reference")
    return foil if np.isfinite(foil).mean() > 0.9 and np.nanstd(foil) > 0 else None


def _first(roles: Mapping[str, Sequence[str]], role: str) -> str:
    return roles[role][0] if roles.get(role) else ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)} channels)"
