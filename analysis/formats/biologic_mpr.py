"""BioLogic EC-Lab and BT-Lab data, ``.mpr``, decoded with the column table of galvani.

Origin: not published; found by the galvani project, places in the settings and the log also by the yadg project. Little-endian.

The file begins with ``BIO-LOGIC MODULAR FILE``, 0x1a, blanks and four zero bytes (52 in all). Then come modules: ``MODULE``, a short
name of 10 and a long one of 25 bytes, ``u4`` length, ``u4`` version, a date of 8 bytes (``mm/dd/yy``), content. Since EC-Lab 11.50
``u4`` ff ff ff ff stands before the length, and an unknown ``u4`` before the date.

* ``VMP Set``: byte 0 the technique; ``f4`` at 0x107 mass of the active material and at 0x24c characteristic mass (mg), at 0x25c
  battery capacity (mA h); texts, their length in the first byte, at 0x007 (comments), 0x11e (electrode material), 0x1c0 (electrolyte).
* ``VMP data``: ``u4`` number of points, ``u1`` number of columns, column numbers, from a place that the version fixes the points.
* ``VMP LOG``: byte 9 the channel from 0, at 465, 469, 473 or 585 the start in days since 1899-12-30 (``f8``, local time), a text at
  0x3b7 the version of the software.
* ``VMP loop``: where loops start; not read.

Columns keep the names that EC-Lab gives them (``time/s``, ``Ewe/V``, ``dq/mA.h``). The flags are split: ``mode`` (1 current, 2
potential, 3 rest), ``ox/red`` (1 oxidation), ``error``, ``control changes``, ``Ns changes``, ``counter inc.``.

Seen: data versions 0, 2 and 3, EC-Lab 11.10 to 11.61, BT-Lab 1.79; techniques GCPL and MB. A file that was cut off is read as far
as it goes.
"""

import datetime
import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.library_messages import captured_messages
from analysis.formats.table import Table

MAGIC = b"BIO-LOGIC MODULAR FILE"
_HEAD = MAGIC + b"\x1a" + b" " * 25 + b"\0" * 4
_MODULE = b"MODULE"
_SETTINGS, _DATA, _LOG = b"VMP Set", b"VMP data", b"VMP LOG"
_NEW_HEADER = b"\xff\xff\xff\xff"

# Byte 0 of the settings, as the yadg project lists it; 4 and 127 were seen here.
TECHNIQUES = {
    0x04: "GCPL",
    0x06: "CV",
    0x0B: "OCV",
    0x16: "MP",
    0x18: "CA",
    0x19: "CP",
    0x1C: "WAIT",
    0x1D: "PEIS",
    0x1E: "GEIS",
    0x30: "CV",
    0x32: "ZIR",
    0x33: "CVA",
    0x6C: "LSV",
    0x75: "coV",
    0x76: "coC",
    0x77: "GCPL",
    0x7F: "MB",
}
_LOG_START = (465, 469, 473, 585)
OLE_EPOCH = datetime.datetime(1899, 12, 30)
_PLAUSIBLE_DAYS = (30000, 80000)  # 1982 to 2119
# EC-Lab fills in these masses where the user states none.
_DEFAULT_MASSES = (0.001,)  # mg

# What damaged bytes raise in galvani (checks, assertions, unknown columns) and where its header is looked at before.
GALVANI_ERRORS = (ValueError, AssertionError, RuntimeError, IndexError, struct.error)


@dataclass(frozen=True)
class _Module:
    header: bytes
    name: bytes
    version: int
    content: bytes
    missing: int = 0  # bytes that the header announces and the file lacks

    def packed(self) -> bytes:
        """The module as it would stand in a file, its length made true."""
        at = 39 if self.header[35:39] == _NEW_HEADER else 35
        return _MODULE + self.header[:at] + struct.pack("<I", len(self.content)) + self.header[at + 4 :] + self.content


def read_mpr(path: Path) -> Table:
    """All points of one ``.mpr`` file.

    Returns
    -------
    Table
        The file's columns under EC-Lab's names. Metadata: ``technique``, and what the file says of ``start_time``, ``channel``,
        ``software``, ``active_mass_mg`` and others.

    Raises
    ------
    ReadError
        Where the file is damaged or holds no points.
    """
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise ReadError(f"{path.name} cannot be read: {err.strerror or err}.", hint="Check the path and its permissions.") from err
    modules = {m.name: m for m in _modules(path.name, raw)}
    for name, what in ((_SETTINGS, "settings"), (_DATA, "data")):
        if name not in modules:
            raise ReadError(f"{path.name} is cut off or damaged: it has no {what}.", hint="Copy it again from EC-Lab's folder.")
    points, flags, warnings = _decode(path.name, modules)
    if not points.size:
        raise ReadError(f"{path.name} holds no points: the technique recorded nothing.", hint="Check that the right file was exported.")
    columns = {name: points[name] for name in points.dtype.names or () if name != "flags"}
    columns |= {name: _flag(points["flags"], mask) for name, mask in flags.items()}
    return Table(columns, {name: _unit(name) for name in columns}, _metadata(modules), tuple(warnings))


def _modules(name: str, raw: bytes) -> Iterator[_Module]:
    if not raw.startswith(MAGIC):
        raise ReadError(f"{name} does not begin like a BioLogic file.", hint="Choose a file that EC-Lab wrote, with the suffix .mpr.")
    at = len(_HEAD)
    while raw[at : at + len(_MODULE)] == _MODULE:
        at += len(_MODULE)
        is_new = raw[at + 35 : at + 39] == _NEW_HEADER
        header = raw[at : at + (59 if is_new else 51)]
        if len(header) < (59 if is_new else 51):
            return
        length, version = struct.unpack_from("<II", header, 39 if is_new else 35)
        at += len(header)
        content = raw[at : at + length]
        yield _Module(header, header[:10].strip(), version, content, length - len(content))
        at += length


def _decode(name: str, modules: dict[bytes, _Module]) -> tuple[np.ndarray, dict[str, int], list[str]]:
    """Points, bit masks of the flags, and sentences about what is missing."""
    from galvani.BioLogic import MPRfile  # only where such a file is read

    try:
        with captured_messages("galvani") as messages:
            data, warnings = _fitted(name, modules[_DATA])
            # The log and the loops are left out: galvani refuses whole files for their sake.
            file = MPRfile(io.BytesIO(_HEAD + modules[_SETTINGS].packed() + data.packed()))
            flags = {flag: int(mask) for flag, (mask, _) in file.flags_dict.items()}
    except GALVANI_ERRORS as err:
        raise ReadError(
            f"{name} is damaged or of an unknown kind: {_reason(err)}.", hint="Copy it again, or export it as .mpt text."
        ) from err
    unknown = sorted(set(messages))
    if unknown:
        warnings.append(f"{name} has columns of unknown meaning, which are guessed: {'; '.join(unknown)}.")
    return file.data, flags, warnings


def _reason(err: BaseException) -> str:
    text = str(err).strip().splitlines()
    return text[0].rstrip(".")[:200] if text else "its header does not fit its content"


def _fitted(name: str, data: _Module) -> tuple[_Module, list[str]]:
    """The data module with the whole points that are there, where the file ends before its announced number of points."""
    from galvani.BioLogic import VMPdata_dtype_from_colIDs

    ids, start = _column_ids(data)
    types, _ = VMPdata_dtype_from_colIDs(ids, error_on_unknown_column=bool(data.missing))
    if any(column.startswith("unknown") for column, _ in types):
        return data, []
    size = np.dtype(types).itemsize
    announced = struct.unpack_from("<I", data.content)[0]
    there = max(0, len(data.content) - start) // size
    if not data.missing and there >= announced:
        return data, []
    n = min(there, announced)
    content = struct.pack("<I", n) + data.content[4 : start + n * size]
    return replace(data, content=content), [f"{name} is cut off: {n} of {announced} points are there."]


def _column_ids(data: _Module) -> tuple[list[int], int]:
    """Numbers of the columns, and where the points start."""
    n = data.content[4]
    if data.version == 0 and data.content[5]:
        return list(data.content[5 : 5 + n]), 100
    first, start = {0: (6, 1007), 2: (5, 405), 3: (5, 406)}.get(data.version, (0, 0))
    if not start:
        raise ValueError(f"version {data.version} of its data is unknown")
    return list(struct.unpack_from(f"<{n}H", data.content, first)), start


def _flag(flags: np.ndarray, mask: int) -> np.ndarray:
    return (flags & mask) // (mask & -mask)


def _unit(name: str) -> str:
    if name in ("control/V/mA", "ox/red"):  # volts or milliamperes, as the mode is; a flag
        return "1"
    unit = name.rpartition("/")[2] if "/" in name else "1"
    return {"mA.h": "mA h", "A.h": "A h", "W.h": "W h", "°C": "degC", "Ohm": "ohm"}.get(unit, unit)


def _metadata(modules: dict[bytes, _Module]) -> dict[str, Any]:
    settings = modules[_SETTINGS].content
    said: dict[str, Any] = {"technique": TECHNIQUES.get(settings[0], f"number {settings[0]}") if settings else "unknown"}
    texts = {"comments": 0x007, "electrode_material": 0x11E, "electrolyte": 0x1C0}
    said |= {key: text for key, at in texts.items() if (text := _text(settings, at))}
    masses = {"active_mass_mg": 0x107, "characteristic_mass_mg": 0x24C, "battery_capacity_mah": 0x25C}
    said |= {key: value for key, at in masses.items() if (value := _positive(settings, at)) is not None}
    if _LOG in modules:
        said |= _log(modules[_LOG].content)
    return said


def _log(log: bytes) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if len(log) > 9:
        said["channel"] = str(log[9] + 1)
    software = _text(log, 0x3B7)
    if re.fullmatch(r"\d+\.\d+", software):
        said["software"] = software
    for at in _LOG_START:
        days = struct.unpack_from("<d", log, at)[0] if len(log) >= at + 8 else 0.0
        if _PLAUSIBLE_DAYS[0] < days < _PLAUSIBLE_DAYS[1]:
            started = OLE_EPOCH + datetime.timedelta(milliseconds=round(days * 86_400_000))
            return said | {"start_time": started.isoformat()}
    return said


def _text(raw: bytes, at: int) -> str:
    """Text after a byte that holds its length."""
    size = raw[at] if at < len(raw) else 0
    return raw[at + 1 : at + 1 + size].decode("cp1252", errors="replace").strip()


def _positive(raw: bytes, at: int) -> float | None:
    if len(raw) < at + 4:
        return None
    value = struct.unpack_from("<f", raw, at)[0]
    # The shortest decimal that gives the stored single precision: what the user typed.
    typed = float(str(np.float32(value)))
    return typed if 0 < typed < np.inf and typed not in _DEFAULT_MASSES else None
