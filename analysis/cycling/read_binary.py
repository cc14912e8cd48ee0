"""Readers of the files that cyclers write themselves: BioLogic ``.mpr``, Neware ``.nda``/``.ndax``, Arbin ``.res``, LANHE ``.ccs``.

Each turns the columns of its format (``analysis.formats``) into a ``RECORD``: test time in s that does not decrease, voltage in V,
current in A (positive charges), counters in A h and W h. ``counter`` among the attributes says where the counters go back to zero:

========== ============= ==================================================================================================
reader     ``counter``   what is counted
========== ============= ==================================================================================================
BioLogic   cumulative    EC-Lab's own charge increments, summed by sign over the file (the file resets at every half cycle)
Neware     step          charge and discharge of the step so far, as the instrument counts
Arbin      cycle         as the instrument counts; ``cumulative`` where it never goes back to zero, ``step`` where it does within cycles
LANHE      cumulative    the instrument's charge of each interval, summed by sign over the file
========== ============= ==================================================================================================

Several files are parts of one test and are stitched in the order of time. Rows whose time, voltage, current or charge cannot be true
(``soundness.LIMITS``) are left out with a warning: damaged bytes are numbers too.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.errors import ParamError, ReadError
from analysis.core.params import Options
from analysis.core.registry import Probe, Reader
from analysis.cycling.schemas import RECORD
from analysis.cycling.soundness import Columns, by_sign, counter_kind, record, sound, unrolled
from analysis.cycling.stitch import stitch
from analysis.formats import arbin_res, biologic_mpr, jet, lanhe_ccs, neware_binary
from analysis.formats.table import Table

# Codes of schemas.MODES.
_UNKNOWN, _CC, _CV, _REST, _IMPEDANCE, _PULSE = range(6)
_NEWARE_MODES = {1: _CC, 2: _CC, 3: _CV, 4: _REST, 12: _PULSE, 13: _REST, 16: _PULSE, 19: _CV, 22: _REST}


class BiologicOptions(Options):
    """How a BioLogic file becomes a record."""

    voltage: Literal["working", "cell"] = Field(
        "working", title="Voltage", description="Working electrode against the reference, or against the counter electrode"
    )


class NewareOptions(Options):
    """How a Neware file becomes a record."""

    cycle_rule: neware_binary.CycleRule = Field(
        "chg",
        title="New cycle at",
        description="chg: a charge after a discharge; dchg: a discharge after a charge; auto: as the test begins; raw: the schedule's loop",
    )


class ArbinOptions(Options):
    """Which test of an Arbin file becomes a record."""

    test: int | None = Field(None, ge=0, title="Test number in the file")


def _attrs(instrument: str, found: Table, counter: str) -> dict[str, Any]:
    said = dict(found.metadata)
    return {
        "instrument": instrument,
        "channel": str(said.pop("channel", "")),
        "start_time": str(said.pop("start_time", "")),
        "counter": counter,
        "metadata": said,
    }


def _float(values: np.ndarray, factor: float = 1.0) -> np.ndarray:
    wide = values.astype(np.float64)
    return wide if factor == 1.0 else wide * factor


# BioLogic -------------------------------------------------------------------------------------------------------------------


def _read_mpr(path: Path, options: BiologicOptions) -> xr.Dataset:
    found = sound(path.name, biologic_mpr.read_mpr(path))
    given, technique = found.columns, found.metadata["technique"]
    mode = _mpr_mode(path.name, given, technique)
    time = _float(_first(path.name, given, ("time/s",), technique))
    columns: Columns = {"time": (time, "s"), "voltage": (_mpr_voltage(path.name, given, technique, options), "V")}
    increments = _mpr_increments(given)
    columns["current"] = (_mpr_current(path.name, given, time, increments, technique), "A")
    if increments is not None:
        charge, discharge = by_sign(increments, 1e-3)
        columns |= {"charge_capacity": (charge, "A h"), "discharge_capacity": (discharge, "A h")}
    columns |= {"mode": (mode, "1")} if mode is not None else {}
    for name, ours, unit in (
        ("Ns", "step", "1"),
        ("cycle number", "cycle", "1"),
        ("z cycle", "cycle", "1"),
        ("Temperature/°C", "temperature", "degC"),
    ):
        if name in given and ours not in columns:
            columns[ours] = (_float(given[name]) if unit != "1" else _whole(given[name]), unit)
    for name, ours in (("Energy charge/W.h", "charge_energy"), ("Energy discharge/W.h", "discharge_energy")):
        if name in given:
            columns[ours] = (unrolled(_float(given[name])), "W h")
    if found.metadata.get("start_time"):
        columns["timestamp"] = (_unix(found.metadata["start_time"]) + time, "s")
    software = found.metadata.get("software", "")  # of EC-Lab, or of BT-Lab below 10
    attrs = _attrs(f"BioLogic {software}" if software else "BioLogic", found, "cumulative")
    if "<I>/mA" in given or ("I/mA" not in given and increments is not None):  # a mean, or charge over time
        attrs["current_is"] = "interval mean"
    return record(path.name, columns, attrs, found.warnings)


def _first(name: str, given: Mapping[str, np.ndarray], wanted: tuple[str, ...], technique: str) -> np.ndarray:
    for column in wanted:
        if column in given:
            return given[column]
    raise ReadError(
        f"{name} holds no cycling data: the technique {technique} recorded no {wanted[0].partition('/')[0]}.",
        hint=f"Its columns are {', '.join(list(given)[:12])}.",
    )


def _mpr_voltage(name: str, given: Mapping[str, np.ndarray], technique: str, options: BiologicOptions) -> np.ndarray:
    if options.voltage == "cell" and "Ewe-Ece/V" in given:
        return _float(given["Ewe-Ece/V"])
    working = _first(name, given, ("Ewe/V", "<Ewe>/V", "Ewe-Ece/V"), technique)
    if options.voltage == "working":
        return _float(working)
    counter = given.get("Ece/V", given.get("<Ece>/V"))
    if counter is None:
        raise ParamError(f"{name} has no counter electrode: its voltage is the cell's already.", hint="Use voltage=working.")
    return _float(working) - _float(counter)


def _mpr_increments(given: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Charge since the row before, in mA h, as EC-Lab counted it."""
    for name, factor in (("dq/mA.h", 1.0), ("dQ/mA.h", 1.0), ("dQ/C", 1 / 3.6)):
        if name in given:
            return _float(given[name], factor)
    for name, factor in (("(Q-Qo)/mA.h", 1.0), ("(Q-Qo)/C", 1 / 3.6)):
        if name in given:
            return np.diff(_float(given[name], factor), prepend=0.0)
    return None


def _mpr_current(name: str, given: Mapping[str, np.ndarray], time: np.ndarray, increments: np.ndarray | None, technique: str) -> np.ndarray:
    """Current in A; where the file has none, the mean since the row before, as EC-Lab's own export has it."""
    for column in ("<I>/mA", "I/mA"):
        if column in given:
            return _float(given[column], 1e-3)
    if increments is not None:
        interval = np.diff(time, prepend=time[:1])
        return np.divide(increments * 3.6, interval, out=np.zeros_like(time), where=interval > 0)
    if technique == "OCV":
        return np.zeros_like(time)
    return _first(name, given, ("I/mA",), technique)


def _mpr_mode(name: str, given: Mapping[str, np.ndarray], technique: str) -> np.ndarray | None:
    frequency = given.get("freq/Hz")
    sweeps = None if frequency is None else frequency > 0
    if sweeps is not None and sweeps.all():
        raise ReadError(f"{name} holds impedance spectra (technique {technique}), no cycling.", hint="Import it as impedance data.")
    if "mode" in given:
        mode = given["mode"].astype(np.int8)  # 1 current, 2 potential, 3 rest: the codes of MODES
    elif technique == "OCV":
        mode = np.full(given["time/s"].size if "time/s" in given else 0, _REST, np.int8)
    else:
        return None
    return mode if sweeps is None else np.where(sweeps, np.int8(_IMPEDANCE), mode)


def _whole(values: np.ndarray) -> np.ndarray:
    return (
        np.nan_to_num(values.astype(np.float64)).clip(-(2**31), 2**31 - 1).astype(np.int32)
        if values.dtype.kind == "f"
        else values.astype(np.int32)
    )


def _unix(iso: str) -> float:
    """Seconds since 1970 of a local time without zone, read as UTC."""
    return datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp()


# Neware ---------------------------------------------------------------------------------------------------------------------


def _read_neware(path: Path, options: NewareOptions) -> xr.Dataset:
    found = sound(path.name, neware_binary.read_neware(path, cycle_rule=options.cycle_rule))
    given = found.columns
    columns: Columns = {
        "time": (_float(given["time"]), "s"),
        "voltage": (_float(given["voltage"]), "V"),
        "current": (_float(given["current"], 1e-3), "A"),
    }
    for name in ("cycle", "step"):
        if name in given:
            columns[name] = (_whole(given[name]), "1")
    for name, unit in (("capacity", "A h"), ("energy", "W h")):
        if name in given:
            signed = _float(given[name], 1e-3)
            columns[f"charge_{name}"] = (np.maximum(signed, 0.0), unit)
            columns[f"discharge_{name}"] = (np.maximum(-signed, 0.0), unit)
    if "step_type" in given:
        codes = np.array([_NEWARE_MODES.get(code, _UNKNOWN) for code in range(256)], np.int8)
        columns["mode"] = (codes[np.nan_to_num(given["step_type"]).astype(np.uint8)], "1")
    if "temperature" in given:
        columns["temperature"] = (_float(given["temperature"]), "degC")
    if "clock" in given:
        columns["timestamp"] = (_float(given["clock"]), "s")
    attrs = _attrs(_neware_name(found.metadata), found, "step")
    attrs["start_time"] = attrs["start_time"].replace(".", "-").replace(" ", "T")
    attrs["metadata"]["cycle_rule"] = options.cycle_rule
    return record(path.name, columns, attrs, found.warnings)


def _neware_name(said: Mapping[str, Any]) -> str:
    """``Neware BTS 8.0`` from what the file says of its software."""
    text = str(said.get("client_version") or said.get("server_version") or "")
    numbers = [word for word in text.replace("_", " ").replace("(", " ").split() if word[:1].isdigit() and "." in word]
    return f"Neware BTS {'.'.join(numbers[0].split('.')[:2])}" if numbers else "Neware"


# Arbin ----------------------------------------------------------------------------------------------------------------------


def _read_res(path: Path, options: ArbinOptions) -> xr.Dataset:
    found = sound(path.name, arbin_res.read_res(path, test=options.test))
    columns: Columns = {}
    for name, values in found.columns.items():
        ours = "timestamp" if name == "clock" else name
        columns[ours] = (_whole(values) if name in ("cycle", "step") else _float(values), found.units[name])
    software = str(found.metadata.get("software_version", "")).partition(" ")[0]
    attrs = _attrs(f"Arbin MITS {software}" if software else "Arbin", found, counter_kind(columns))
    return record(path.name, columns, attrs, found.warnings)


# LANHE ----------------------------------------------------------------------------------------------------------------------


def _read_ccs(path: Path, _: Options) -> xr.Dataset:
    found = sound(path.name, lanhe_ccs.read_ccs(path))
    given = found.columns
    charge, discharge = by_sign(np.copysign(given["charge"], given["current"]), 1.0)
    energy_in, energy_out = by_sign(given["energy"], 1.0)
    columns: Columns = {
        "time": (given["time"], "s"),
        "voltage": (given["voltage"], "V"),
        "current": (given["current"], "A"),
        "step": (given["step"], "1"),
        "charge_capacity": (charge, "A h"),
        "discharge_capacity": (discharge, "A h"),
        "charge_energy": (energy_in, "W h"),
        "discharge_energy": (energy_out, "W h"),
        "mode": (_rest_steps(given["step"], given["current"]), "1"),
    }
    if "clock" in given:
        columns["timestamp"] = (given["clock"], "s")
    attrs = _attrs(f"LANHE {found.metadata.get('software', '')}".strip(), found, "cumulative")
    if "start_clock" in found.metadata:
        attrs["start_time"] = datetime.fromtimestamp(attrs["metadata"].pop("start_clock"), UTC).isoformat(timespec="seconds")
    return record(path.name, columns, attrs, found.warnings)


def _rest_steps(step: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Mode: rest in steps without any current, unknown in the others (the file's step codes are not known)."""
    carries = np.zeros(int(step.max()) + 1, bool)
    np.logical_or.at(carries, step, current != 0)
    return np.where(carries[step], np.int8(_UNKNOWN), np.int8(_REST))


# Readers --------------------------------------------------------------------------------------------------------------------


def _sniff_mpr(probe: Probe) -> float:
    return float(probe.head.startswith(biologic_mpr.MAGIC))


def _sniff_neware(probe: Probe) -> float:
    if probe.head.startswith(neware_binary.NDA_MAGIC) or neware_binary.is_ndax(probe.members, probe.head):
        return 1.0
    return 0.9 if neware_binary.recordings(probe.members) else 0.0


def _sniff_res(probe: Probe) -> float:
    """An Access database; other programs write these too, but no other reader takes them."""
    return (1.0 if probe.suffix == ".res" else 0.6) if probe.head.startswith(jet.MAGIC) else 0.0


def _sniff_ccs(probe: Probe) -> float:
    return lanhe_ccs.looks_like_ccs(probe.head)


def _parts(read_one: Callable[[Path, Any], xr.Dataset]) -> Callable[[tuple[Path, ...], Any], xr.Dataset]:
    """A reader of one file as a reader of the parts of one test."""

    def read(paths: tuple[Path, ...], options: Any) -> xr.Dataset:
        with np.errstate(all="ignore"):  # what overflows in damaged files is left out by its size
            records = [RECORD.conform(read_one(path, options)) for path in paths]
        return stitch(records)

    return read


READERS: tuple[Reader, ...] = (
    Reader("cycling.biologic_mpr", "BioLogic EC-Lab (.mpr)", RECORD, (".mpr",), _sniff_mpr, _parts(_read_mpr), BiologicOptions),
    Reader("cycling.neware", "Neware (.nda, .ndax)", RECORD, (".ndax", ".nda", ".zip"), _sniff_neware, _parts(_read_neware), NewareOptions),
    Reader("cycling.arbin_res", "Arbin (.res)", RECORD, (".res",), _sniff_res, _parts(_read_res), ArbinOptions),
    Reader("cycling.lanhe_ccs", "LANHE / LAND (.ccs)", RECORD, (".ccs",), _sniff_ccs, _parts(_read_ccs)),
)
