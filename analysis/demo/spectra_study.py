"""The synthetic S K-edge study: coated and uncoated, pristine, charged and discharged after 100 cycles; files, manifest, truth.

Cells bear the names of the cycling study; what is measured are twin pellets of them. Cells of equal number are measured in one
session, whose energies are off by 0.1 to 0.3 eV and whose standard (sodium thiosulfate) is off by as much. Odd sessions write
XDI, even ones the columns of SSRL's Data Collector.
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from analysis.core.params import Params
from analysis.demo.spectra_model import AREAS, ASSIGNED_EV, SPREAD, Counts, edge_step, energies, niobium, scan, standard, sulfur, true_areas

Report = Callable[[float], None]
CYCLE = 100
NB_STEP = {"coated": 0.12, "uncoated": 0.0}  # of the S K step
COATING = {"coated": ("LiNbO3", 10.0), "uncoated": ("none", None)}
TITLES = {"coated": "LiNbO3-coated", "uncoated": "Uncoated", "standards": "Standards"}
STANDARD_CELL = "sodium thiosulfate"
SSRL_HEAD = "SSRL   MicroEXAFS Data Collector 1.0"


class SpectraSize(Params):
    """How large the set is."""

    cells_per_group: int = Field(4, ge=1, le=50, title="Cells in each group")
    seed: int = Field(2025, ge=0, title="Seed")
    counts: float = Field(40_000.0, ge=100, le=1e8, title="Fluorescence photons at the edge step")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SpectrumTruth(_Frozen):
    """One file. Areas (eV) are in units of the edge step as the S K preset defines it, without niobium."""

    file: str
    cell: str
    group: str
    state: str
    session: int
    energy_offset_eV: float
    areas_eV: dict[str, float]
    edge_step: float  # on a step of one
    niobium_step: float  # in units of the edge step


class SpectraTruth(_Frozen):
    """The whole set; ``standards`` are files by session."""

    seed: int
    assigned_eV: float
    spectra: tuple[SpectrumTruth, ...]
    standards: dict[int, str]

    def save(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


def write_spectra(
    folder: Path, *, seed: int = 2025, cells_per_group: int = 4, counts: float = 40_000.0, report: Report | None = None
) -> SpectraTruth:
    """Write the spectra, ``spectra_manifest.csv`` and ``spectra_truth.json`` into ``folder``; the truth is returned too.

    Parameters
    ----------
    folder
        Made if it is missing. Files of the same names are replaced.
    counts
        Fluorescence photons at the edge step: 40,000 give 0.5 % noise a point.
    report
        Called with the fraction that is done.

    Raises
    ------
    ParamError
        If a number is out of bounds.
    """
    size = SpectraSize.check({"seed": seed, "cells_per_group": cells_per_group, "counts": counts})
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, object]] = []
    known: list[SpectrumTruth] = []
    standards: dict[int, str] = {}
    for session, seeds in enumerate(np.random.SeedSequence(size.seed).spawn(size.cells_per_group), start=1):
        rng = np.random.default_rng(seeds)
        offset = session_offset(session, rng)
        standards[session] = _write(folder, f"synthetic_standard_session{session}", standard(energies()), offset, session, rng, size)
        lines.append(_standard_line(standards[session], session))
        for group in AREAS:
            for state in AREAS[group]:
                one = _spectrum(folder, group, state, session, offset, rng, size)
                known.append(one)
                lines.append(manifest_line(one))
        if report:
            report(session / size.cells_per_group)
    write_manifest(folder / "spectra_manifest.csv", lines)
    truth = SpectraTruth(seed=size.seed, assigned_eV=ASSIGNED_EV, spectra=tuple(known), standards=standards)
    truth.save(folder / "spectra_truth.json")
    return truth


def session_offset(session: int, rng: np.random.Generator) -> float:
    """How far (eV) a session's energies are off: 0.1 to 0.3, up and down in turn."""
    return round(float(rng.uniform(0.1, 0.3)) * (1 if session % 2 else -1), 3)


def drawn_areas(group: str, state: str, rng: np.random.Generator) -> dict[str, float]:
    """Peak areas (eV) of one pellet: those of its group and state, scattered from cell to cell."""
    return {name: area * float(np.exp(rng.normal(0, SPREAD))) for name, area in AREAS[group][state].items()}


def _spectrum(
    folder: Path, group: str, state: str, session: int, offset: float, rng: np.random.Generator, size: SpectraSize
) -> SpectrumTruth:
    areas = drawn_areas(group, state, rng)
    unit = edge_step(areas)
    mu = sulfur(energies(), areas) + niobium(energies(), NB_STEP[group] * unit)
    stem = f"synthetic_{group}-{session}_S-K_{state}"
    return SpectrumTruth(
        file=_write(folder, stem, mu, offset, session, rng, size),
        cell=f"{group}-{session}",
        group=group,
        state=state,
        session=session,
        energy_offset_eV=offset,
        areas_eV=true_areas(areas),
        edge_step=unit,
        niobium_step=NB_STEP[group],
    )


def _write(folder: Path, stem: str, mu: np.ndarray, offset: float, session: int, rng: np.random.Generator, size: SpectraSize) -> str:
    counted = scan(mu, offset_ev=offset, rng=rng, counts=size.counts)
    name = f"{stem}.xdi" if session % 2 else f"{stem}.dat"
    (write_xdi if session % 2 else write_data_collector)(folder / name, counted, stem.removeprefix("synthetic_"))
    return name


def write_xdi(path: Path, counted: Counts, sample: str) -> None:
    """A scan as XDI with the sum of its fluorescence channels."""
    header = [
        "# XDI/1.0 Interplay/demo",
        "# Column.1: energy eV",
        "# Column.2: i0",
        "# Column.3: ifluor",
        "# Element.symbol: S",
        "# Element.edge: K",
        "# Mono.d_spacing: 3.1354",
        f"# Sample.name: {sample}",
        "# Facility.name: none, forward model",
        "#///",
        "# synthetic spectrum with known peak areas",
        "#---",
        "# energy i0 ifluor",
    ]
    total = np.sum(counted.channels, axis=0)
    rows = [f"{e:10.3f} {a:10d} {b:10d}" for e, a, b in zip(counted.energy, counted.i0, total, strict=True)]
    path.write_text("\n".join([*header, *rows, ""]), encoding="utf-8")


def write_data_collector(path: Path, counted: Counts, sample: str) -> None:
    """A scan in the layout of SSRL's Data Collector, each fluorescence channel by itself."""
    titles = ["Real Time Clock", "Requested Energy", "I0", *(f"SCA1.{k}" for k in range(1, len(counted.channels) + 1))]
    points, width = counted.energy.size, len(titles)
    blanks = ["COMMENTS", f"synthetic: {sample}", "", ""]
    sevens = "\t".join(["1.000"] * width)
    head = [
        SSRL_HEAD,
        "Mon Mar 03 09:00:00 2025",
        f"PTS:\t{points}\tCOLS:\t{width}",
        *blanks,
        "Weights:",
        sevens,
        "Offsets:",
        "\t".join(["0"] * width),
    ]
    columns = [np.ones(points), counted.energy, counted.i0, *counted.channels]
    rows = ["\t".join(f"{v:.3f}" if k == 1 else f"{v:.1f}" for k, v in enumerate(row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([*head, "Data:", *titles, "", *rows, ""]), encoding="utf-8")


def manifest_line(one: SpectrumTruth) -> dict[str, object]:
    """A line of the manifest, in the catalog's columns."""
    coating, thickness = COATING[one.group]
    is_cycled = one.state != "pristine"
    return {
        "file": one.file,
        "cell": one.cell,
        "group": one.group,
        "group_title": TITLES[one.group],
        "modality": "spectra",
        "state": one.state,
        "cycle": CYCLE if is_cycled else 0,
        "harvest": "yes" if is_cycled else "no",
        "origin": "synthetic",
        "cell_origin": "synthetic",
        "active_material": "NMC811",
        "coating": coating,
        "coating_thickness_nm": thickness,
        "electrolyte": "Li6PS5Cl",
        "anode": "Li-In",
        "instrument": "forward model",
        "calibration": f"session {one.session}, not calibrated",
        "date": f"2025-06-{one.session:02d}" if one.session < 31 else "2025-06-30",
        "notes": f"Synthetic. Twin pellet of this cell, session {one.session}.",
    }


def _standard_line(file: str, session: int) -> dict[str, object]:
    return {
        "file": file,
        "cell": STANDARD_CELL,
        "group": "standards",
        "group_title": TITLES["standards"],
        "modality": "spectra",
        "harvest": "no",
        "origin": "synthetic",
        "cell_origin": "synthetic",
        "instrument": "forward model",
        "calibration": f"session {session}, standard at {ASSIGNED_EV} eV",
        "date": f"2025-06-{session:02d}" if session < 31 else "2025-06-30",
        "notes": f"Synthetic. Standard of session {session}.",
    }


def write_manifest(path: Path, lines: Iterable[Mapping[str, object]]) -> None:
    """Lines as CSV; what a line does not say is blank."""
    rows = list(lines)
    fields = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=fields, restval="")
        writer.writeheader()
        writer.writerows(rows)
