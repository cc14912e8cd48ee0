"""Readers of the text that cyclers export.

=================== ==============================================================================================
cycling.biologic_text  EC-Lab and BT-Lab ASCII: "Nb header lines : N", tabs, latin-1, decimal comma in some locales; without
                       header; time as seconds or as date and time. The current is positive when the working electrode is oxidised.
cycling.neware_text    BTSDA CSV, layered (``analysis.formats.layered``) or flat with one record a row; counters start with each step.
cycling.arbin_csv      Arbin CSV: ``Test_Time(s)`` or ``Test Time (s)``, ``Data_Point``; counters run over the test or the cycle.
cycling.maccor         Maccor text: a line of "Today's Date", then ``Rec#  Cyc#  Step  TestTime …``. Amps carry a sign only in some
                       versions; the state tells (C, D, R rest, P pause, S suspended, O end). Amp-hr starts with each step.
cycling.landt_csv      Landt CSV: key lines, ``test_time_s … step_name``; rows may end in one delimiter more than the header.
cycling.novonix        UHPC files: [Summary], [Protocol], [Data]; hours; one capacity, charge minus discharge.
cycling.basytec        "~Resultfile from Basytec", header in the last line that begins with "~"; dates day first.
cycling.pec            LifeTester CSV: key lines, #RESULTS CHECK block, milli units; not seen as a file here, only as headers.
=================== ==============================================================================================
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xarray as xr

from analysis.core.errors import ReadError
from analysis.core.registry import Probe, Reader
from analysis.cycling.aliases import Source, resolve
from analysis.cycling.assemble import Assembler, CyclerOptions, Dialect
from analysis.cycling.gather import each, gather, read_delimited, seen
from analysis.cycling.schemas import RECORD
from analysis.formats.cells import dates
from analysis.formats.delimited import Layout, detect, head_of
from analysis.formats.headers import slug, split_header
from analysis.formats.layered import LayeredRows, layers_of

BIOLOGIC = Dialect(
    "BioLogic",
    single="increments",
    counter="cumulative",
    modes={"1": 1, "2": 2, "3": 3},
    day_first=False,
)
NEWARE = Dialect("Neware", counter="step")
ARBIN = Dialect("Arbin", counter="cycle")
MACCOR = Dialect("Maccor", current="unsigned", counter="step", states={"C": 1, "D": -1}, state_modes={"R": 3, "P": 3, "S": 3})
LANDT = Dialect("Landt", counter="step", day_first=False)
NOVONIX = Dialect("Novonix", single="net", convention=("The capacity is charge minus discharge: its rises and falls were summed apart.",))
BASYTEC = Dialect("Basytec", counter="cycle", day_first=True)
PEC = Dialect("PEC", counter="step", day_first=False)

_UNSET_MASS = {"0.001 mg", "1.000 g"}  # what EC-Lab and UHPC write where nobody entered a mass
_MILLIGRAMS = {"mg": 1.0, "g": 1e3, "kg": 1e6, "ug": 1e-3, "µg": 1e-3}


def _headers(probe: Probe) -> set[str]:
    """Names (without units) of the columns of a text table."""
    layout = seen(probe)
    return {slug(split_header(column.lstrip("~"))[0]) for column in layout.columns} if layout is not None else set()


def _found(preamble: str, label: str) -> str:
    """What follows ``label`` in the header block, up to the end of its cell."""
    match = re.search(
        rf"(?im)(?:^|\t|\s\s|~|,){re.escape(label)}\s*[:=]?[,\t ]*([^\t\r\n]*?)(?:\s{{2,}}|,?\s*$|\t|(?=,\w+:)|(?= Procedure:))", preamble
    )
    return match[1].strip().strip(",").strip() if match else ""


def _header(preamble: str, *, start: str, channel: str, keep: Mapping[str, str], day_first: bool | None = None) -> dict[str, Any]:
    """Start, channel and notes from the header block; ``keep`` maps our names to its labels."""
    stated = _found(preamble, start)
    seconds = dates(pa.array([stated]), day_first=day_first).seconds[0] if stated else np.nan
    notes = {ours: value for ours, label in keep.items() if (value := _found(preamble, label))}
    begun = str(np.datetime64(round(seconds * 1e3), "ms")).removesuffix(".000") if np.isfinite(seconds) else ""
    return {"channel": _found(preamble, channel), "start_time": begun, "metadata": notes}


def _active_mass(metadata: dict[str, Any], stated: str) -> None:
    found = re.fullmatch(r"([\d.,]+)\s*(\S*g)", stated)
    if found and stated not in _UNSET_MASS and (mass := float(found[1].replace(",", "."))) > 0 and found[2] in _MILLIGRAMS:
        metadata["active_mass_mg"] = mass * _MILLIGRAMS[found[2]]


# BioLogic -------------------------------------------------------------------------------------------------------------


def _sniff_biologic(probe: Probe) -> float:
    if re.match(r"(?:EC|BT)-Lab ASCII FILE", probe.text):
        return 1.0
    layout = seen(probe)
    if layout is None:
        return 0.0
    names = {column.strip() for column in layout.columns}
    return 0.95 if "time/s" in names and names & {"Ewe/V", "Ecell/V", "<Ewe>/V"} else 0.0


def _read_biologic(path: Path, options: CyclerOptions) -> xr.Dataset:
    stated = re.search(rb"Nb header lines\s*:\s*(\d+)", head_of(path))
    layout = detect(path, delimiter="\t" if stated else "", skip_rows=int(stated[1]) - 1 if stated else None)
    preamble = "\n".join(layout.preamble)
    keep = {"device": "Device", "comments": "Comments", "electrolyte": "Electrolyte", "electrode": "Electrode material"}
    header = _header(preamble, start="Acquisition started on", channel="Run on channel", keep=keep, day_first=False)
    if len(filled := [line.strip() for line in layout.preamble if line.strip()]) > 2:
        header["metadata"]["technique"] = filled[2]
    _active_mass(header["metadata"], _found(preamble, "Mass of active material"))
    sources = resolve(layout.columns, layout.units)
    sources.pop("state", None)
    if "charge_step" in sources:
        sources = {k: v for k, v in sources.items() if k not in ("charge_capacity", "discharge_capacity", "capacity", "energy")}
    dialect = BIOLOGIC
    if "charge_step" not in sources and "capacity" in sources:
        net = "q qo" in slug(sources["capacity"].column)
        dialect = replace(BIOLOGIC, single="net" if net else "signed", counter="cumulative" if net else "step")
    software = re.search(r"(EC-L[Aa][Bb]|BT-Lab) for windows v([\d.]+)", preamble)
    if software:
        dialect = replace(dialect, instrument=f"BioLogic {software[1]} {software[2]}")
    read = read_delimited(path, dialect, options, layout=layout, sources=_with_dates(sources, layout), header=header)
    is_mean = "current" in sources and sources["current"].column.strip().startswith("<I>")
    return read.assign_attrs(current_is="interval mean") if is_mean else read


def _with_dates(sources: dict[str, Source], layout: Layout) -> dict[str, Source]:
    """Date of each row as well, where the time column holds dates."""
    time = sources.get("time")
    if time is None or "timestamp" in sources or not layout.sample:
        return sources
    place = layout.columns.index(time.column)
    cell = layout.sample[0][place] if place < len(layout.sample[0]) else ""
    return {**sources, "timestamp": Source(time.column)} if re.match(r"\d+[-/.]\d+[-/.]\d+", cell) else sources


# Neware ---------------------------------------------------------------------------------------------------------------


def _sniff_neware(probe: Probe) -> float:
    if layers_of(probe.head) is not None:
        return 1.0
    names = _headers(probe)
    marks = names & {"datapoint", "record id", "record index", "data serial no", "record number"}
    if not marks or not names & {"step type", "capacitance chg", "chg cap", "realtime", "status", "step id"}:
        return 0.0
    return 0.95


def neware_sources(columns: tuple[str, ...], units: tuple[str, ...] = ()) -> dict[str, Source]:
    """Sources of a Neware table, whose plain ``Time`` counts from the start of the step."""
    sources = resolve(columns, units)
    time = sources.get("time")
    if time is not None and slug(split_header(time.column)[0]) == "time":
        sources["step_time"] = sources.pop("time")
    return sources


def _read_neware(path: Path, options: CyclerOptions) -> xr.Dataset:
    layers = layers_of(head_of(path))
    if layers is None:
        layout = detect(path)
        return read_delimited(path, NEWARE, options, layout=layout, sources=neware_sources(layout.columns, layout.units))
    assembler = Assembler(path.name, neware_sources(layers.columns), NEWARE, options)
    rows = LayeredRows(path, layers, assembler.columns_needed())
    columns = gather(assembler, rows)
    assembler.warnings.extend(rows.warnings)
    return assembler.finish(columns)


# Arbin, Maccor, Landt -------------------------------------------------------------------------------------------------


def _sniff_arbin(probe: Probe) -> float:
    names = _headers(probe)
    wanted = {"test time", "step index", "cycle index", "voltage", "current"}
    return 0.95 if wanted <= names and names & {"data point", "step time", "date time"} else 0.0


def _read_arbin(path: Path, options: CyclerOptions) -> xr.Dataset:
    return read_delimited(path, ARBIN, options)


def _sniff_maccor(probe: Probe) -> float:
    names = _headers(probe)
    if not (names & {"rec", "record"} and names & {"amps", "current"} and names & {"volts", "voltage"} and names & {"state", "md"}):
        return 0.0
    return 1.0 if "Today's Date" in probe.text[:400] or {"amp hr", "es"} <= names else 0.9


def _read_maccor(path: Path, options: CyclerOptions) -> xr.Dataset:
    layout = detect(path)
    keep = {"procedure": "Procedure", "file": "Filename", "comment": "Comment/Barcode", "description": "Description"}
    header = _header("\n".join(layout.preamble), start="Date of Test", channel="Tester Channel", keep=keep, day_first=False)
    dialect = MACCOR if "state" in resolve(layout.columns) else replace(MACCOR, current="signed")
    return read_delimited(path, dialect, options, layout=layout, header=header)


def _sniff_landt(probe: Probe) -> float:
    names = _headers(probe)
    if {"date time iso string", "channel index"} <= names:
        return 1.0
    return 0.9 if {"testtime", "steptime", "cycle index", "step index"} <= names else 0.0


def _read_landt(path: Path, options: CyclerOptions) -> xr.Dataset:
    layout = detect(path)
    keep = {"cell_model": "cell model", "cell_id": "cell id", "test": "test"}
    header = _header("\n".join(layout.preamble), start="start time", channel="channel", keep=keep)
    return read_delimited(path, LANDT, options, layout=layout, header=header)


# Novonix, Basytec, PEC ------------------------------------------------------------------------------------------------


def _sniff_novonix(probe: Probe) -> float:
    if "Novonix" in probe.text[:2000] and "[Summary]" in probe.text[:2000]:
        return 1.0
    return 0.9 if {"run time", "potential", "current", "cycle number", "step number"} <= _headers(probe) else 0.0


def _read_novonix(path: Path, options: CyclerOptions) -> xr.Dataset:
    layout = detect(path)
    preamble = "\n".join(line for line in layout.preamble if not line.startswith("{"))
    keep = {"cell": "Cell", "description": "Description", "version": "Version", "capacity_ah": "Capacity (Ah)", "area_cm2": "Area (cm2)"}
    header = _header(preamble, start="Started", channel="Channel", keep=keep)
    _active_mass(header["metadata"], f"{_found(preamble, 'Mass (g)')} g")
    sources = resolve(layout.columns, layout.units)
    sources.pop("mode", None)  # numbers whose meaning UHPC does not state
    return read_delimited(path, NOVONIX, options, layout=layout, sources=sources, header=header)


def _sniff_basytec(probe: Probe) -> float:
    if probe.text.startswith("~Resultfile from Basytec"):
        return 1.0
    return 0.95 if re.search(r"(?m)^~Time\[", probe.text) else 0.0


def _read_basytec(path: Path, options: CyclerOptions) -> xr.Dataset:
    layout = detect(path)
    keep = {"test": "Name of Test", "cell": "Battery", "plan": "Testplan"}
    header = _header("\n".join(layout.preamble), start="Start of Test", channel="Testchannel", keep=keep, day_first=True)
    sources = resolve(layout.columns, layout.units)
    sources.pop("state", None)
    return read_delimited(path, BASYTEC, options, layout=layout, sources=sources, header=header)


def _sniff_pec(probe: Probe) -> float:
    if "#RESULTS CHECK" in probe.text or "TestRegime Name" in probe.text[:2000]:
        return 1.0
    names = _headers(probe)
    return 0.95 if {"total time", "real time", "rack", "shelf", "position"} <= names else 0.0


def _read_pec(path: Path, options: CyclerOptions) -> xr.Dataset:
    layout = detect(path, delimiter=",")
    keep = {"regime": "TestRegime Name", "product": "Product ID", "operator_instructions": "Operator Instructions"}
    header = _header("\n".join(layout.preamble), start="Start Time", channel="Channel", keep=keep, day_first=False)
    return read_delimited(path, PEC, options, layout=layout, header=header)


def _reader(
    name: str, title: str, suffixes: tuple[str, ...], sniff: Callable[[Probe], float], read: Callable[[Path, Any], xr.Dataset]
) -> Reader:
    def text_only(probe: Probe) -> float:
        # A zip archive, spreadsheet or other binary file is none of these, whatever letters it happens to hold.
        if probe.head.startswith((b"PK", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x89HDF")):
            return 0.0
        try:
            return sniff(probe)
        except ReadError:
            return 0.0

    return Reader(f"cycling.{name}", title, RECORD, suffixes, text_only, each(read), CyclerOptions)


READERS: tuple[Reader, ...] = (
    _reader("biologic_text", "BioLogic text (EC-Lab, BT-Lab)", (".mpt", ".txt"), _sniff_biologic, _read_biologic),
    _reader("neware_text", "Neware CSV", (".csv", ".txt"), _sniff_neware, _read_neware),
    _reader("arbin_csv", "Arbin CSV", (".csv",), _sniff_arbin, _read_arbin),
    _reader("maccor", "Maccor text", (".txt", ".csv"), _sniff_maccor, _read_maccor),
    _reader("landt_csv", "Landt CSV", (".csv", ".txt"), _sniff_landt, _read_landt),
    _reader("novonix", "Novonix UHPC", (".csv",), _sniff_novonix, _read_novonix),
    _reader("basytec", "Basytec", (".txt", ".csv"), _sniff_basytec, _read_basytec),
    _reader("pec", "PEC LifeTester CSV", (".csv",), _sniff_pec, _read_pec),
)
