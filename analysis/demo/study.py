"""The synthetic study: coated and uncoated cells, their tests as cycler files, a manifest, and the truth.

``write_study`` puts everything into one folder. Nothing else has to be known about the files: they are read by the same
readers as measured ones. One uncoated cell gets a soft short, one coated cell is stopped early within a discharge, one
coated cell was interrupted by a restart of the cycler and has two files, and the first two cells of each group have a
rate test, run on a twin pellet of the same build.
"""

import csv
import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from analysis.demo.cells import (
    ACTIVE_FRACTION,
    COATING,
    LAWS,
    STACK_PRESSURE_MPA,
    CellPlan,
    StudySize,
    cycling_protocol,
    plan_study,
    run_cycling,
    run_rate_test,
)
from analysis.demo.cycler_files import WRITERS
from analysis.demo.instrument import Instrument, measure
from analysis.demo.ocv import LI_IN_V, peak_voltages
from analysis.demo.protocol import Rows
from analysis.demo.truth import CellTruth, RateTruth, Truth, cell_truth, ocv_peaks_vs_li_in, rate_truth

Report = Callable[[float], None]

START = dt.datetime(2025, 3, 3, 9, 0, tzinfo=dt.UTC)
RESTART_GAP_S = 2520.0
GROUP_TITLES = {"coated": "LiNbO3-coated", "uncoated": "Uncoated"}
ROOM_SWING_DEGC = 0.3  # daily, around the set temperature


def write_study(
    folder: Path,
    *,
    seed: int = 2025,
    cells_per_group: int = 4,
    cycles: int = 200,
    formation: int = 3,
    report: Report | None = None,
) -> Truth:
    """Write cycler files, ``manifest.csv`` and ``truth.json`` into ``folder``; the truth is returned too.

    Parameters
    ----------
    folder
        Made if it is missing. Files of the same names are replaced.
    report
        Called with the fraction that is done.

    Raises
    ------
    ParamError
        If a number is out of bounds.
    """
    size = StudySize.check({"seed": seed, "cells_per_group": cells_per_group, "cycles": cycles, "formation": formation})
    folder.mkdir(parents=True, exist_ok=True)
    plans = plan_study(size)
    lines: list[dict[str, object]] = []
    cell_truths: list[CellTruth] = []
    rate_truths: list[RateTruth] = []
    for done, plan in enumerate(plans):
        known = _write_cycling(folder, plan, size)
        cell_truths.append(known)
        lines += manifest_lines(plan, size, test="cycling", files=known.files)
        if plan.has_rate_test:
            rated = _write_rate_test(folder, plan)
            rate_truths.append(rated)
            lines += manifest_lines(plan, size, test="rate", files=rated.files)
        if report:
            report((done + 1) / len(plans))
    _write_manifest(folder / "manifest.csv", lines)
    truth = study_truth(size, tuple(cell_truths), tuple(rate_truths))
    truth.save(folder / "truth.json")
    return truth


def study_truth(size: StudySize, cells: tuple[CellTruth, ...], rate_tests: tuple[RateTruth, ...]) -> Truth:
    protocol, instrument = cycling_protocol(size), Instrument()
    return Truth(
        seed=size.seed,
        formation=size.formation,
        lower_voltage_V=protocol.lower_V,
        upper_voltage_V=protocol.upper_V,
        li_in_V=LI_IN_V,
        one_c_mA_per_g=protocol.one_c_mA_per_g,
        voltage_noise_V=instrument.voltage_noise_V,
        current_noise=instrument.current_noise,
        ocv_peaks_vs_Li_V=peak_voltages(),
        ocv_peaks_vs_Li_In_V=ocv_peaks_vs_li_in(),
        group_parameters={group: asdict(law) for group, law in LAWS.items()},
        cells=cells,
        rate_tests=rate_tests,
    )


def manifest_lines(plan: CellPlan, size: StudySize, *, test: str, files: tuple[str, ...]) -> list[dict[str, object]]:
    """Lines of the manifest, in the catalog's columns: one for each file of a test, in time order."""
    protocol = cycling_protocol(size)
    coating, thickness = COATING[plan.group]
    line: dict[str, object] = {
        "cell": plan.name,
        "group": plan.group,
        "group_title": GROUP_TITLES[plan.group],
        "modality": "cycling",
        "part_of": test,
        "origin": "synthetic",
        "active_material": "NMC811",
        "coating": coating,
        "coating_thickness_nm": thickness,
        "electrolyte": "Li6PS5Cl",
        "anode": "Li-In",
        "composite_mass_mg": plan.composite_mass_mg,
        "active_fraction": ACTIVE_FRACTION,
        "active_mass_mg": plan.build.active_mass_mg,
        "electrode_area_cm2": plan.build.area_cm2,
        "stack_pressure_MPa": STACK_PRESSURE_MPA,
        "temperature_degC": plan.build.temperature_degC,
        "one_c_mA_per_g": protocol.one_c_mA_per_g,
        "formation_cycles": size.formation,
        "rate": "C/10",
        "voltage_lower_V": protocol.lower_V,
        "voltage_upper_V": protocol.upper_V,
        "voltage_reference": "Li-In",
        "cell_origin": "synthetic",
        "cell_date": START.date().isoformat(),
        "instrument": "forward model",
        "date": START.date().isoformat(),
        "notes": _notes(plan, test),
    }
    return [{"file": file, **line} for file in files]


def _write_cycling(folder: Path, plan: CellPlan, size: StudySize) -> CellTruth:
    run = run_cycling(plan, size)
    rng = np.random.default_rng(plan.noise_seeds["cycling"])
    rows = measure(run.rows, Instrument(), rng, short=plan.short)
    parts = _parts(rows, plan.restart_after_cycle)
    names = tuple(f"synthetic_{plan.name}_cycling{_part_mark(k, len(parts))}{plan.extension}" for k in range(len(parts)))
    begin = START.timestamp() + plan.start_delay_s
    for name, (delay, part) in zip(names, parts, strict=True):
        _write(folder / name, plan, part, begin + delay, rng)
    counts = tuple(part.n_rows for _, part in parts)
    return cell_truth(run, cell=plan.name, group=plan.group, files=names, rows=counts, formation=size.formation)


def _write_rate_test(folder: Path, plan: CellPlan) -> RateTruth:
    run = run_rate_test(plan)
    rng = np.random.default_rng(plan.noise_seeds["rate"])
    rows = measure(run.rows, Instrument(), rng)
    name = f"synthetic_{plan.name}_rate{plan.extension}"
    _write(folder / name, plan, rows, START.timestamp() + plan.start_delay_s, rng)
    return rate_truth(run, cell=plan.name, group=plan.group, files=(name,), rows=(rows.n_rows,))


def _write(path: Path, plan: CellPlan, rows: Rows, start_unix_s: float, rng: np.random.Generator) -> None:
    day = 2 * np.pi * (start_unix_s + rows.time_s) / 86400
    room = plan.build.temperature_degC + ROOM_SWING_DEGC * np.sin(day) + rng.normal(0, 0.05, rows.n_rows)
    WRITERS[plan.extension](path, rows, start_unix_s=start_unix_s, temperature_degC=np.round(room, 1))


def _parts(rows: Rows, restart_after_cycle: int | None) -> list[tuple[float, Rows]]:
    """Rows of each file with its delay (s): after a restart, clock, cycles and steps count from their start again."""
    if restart_after_cycle is None:
        return [(0.0, rows)]
    before, after = rows.where(rows.cycle <= restart_after_cycle), rows.where(rows.cycle > restart_after_cycle)
    stopped = float(before.time_s[-1])
    renumbered = replace(
        after,
        time_s=np.round(after.time_s - stopped, 3),
        cycle=after.cycle - restart_after_cycle,
        step_count=after.step_count - before.step_count[-1],
    )
    return [(0.0, before), (stopped + RESTART_GAP_S, renumbered)]


def _part_mark(place: int, count: int) -> str:
    return f"_part{place + 1}" if count > 1 else ""


def _notes(plan: CellPlan, test: str) -> str:
    if test == "rate":
        return "Synthetic. Rate test of a twin pellet of this cell."
    told = {
        "Soft short.": plan.short is not None,
        "Stopped early, within a discharge.": plan.stop is not None,
        "Restart of the cycler: two files.": plan.restart_after_cycle is not None,
    }
    return " ".join(["Synthetic.", *(sentence for sentence, applies in told.items() if applies)])


def _write_manifest(path: Path, lines: list[dict[str, object]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
