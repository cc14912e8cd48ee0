"""LANHE/LAND cycler data, ``.ccs``, as the instruments of Wuhan LAND (also sold as LANHE) store them.

No description of the format is public: this one was found by looking at one real file (software 4.3.3, 2023, one rest and
one discharge). All numbers are little-endian.

Header, 0x000-0x9ff: zero-terminated texts at fixed places (``_TEXTS``), among them the maker (``WuHan LAND``), the test's name
and the names of the program and its steps; 0x0a0 and 0x0a8 are times in ms since 1970, probably of the program and of the last
change. The first 16 bytes are ``00 00 00 02 28 95 27 95 04 00 00 70 00 00 00 00``; their meaning is unknown.

Blocks of 128 bytes from 0xa00 to the end. Byte 0 is the kind, byte 1 the number of records, byte 5 a code that is the same for
all blocks of a step (0 first, 10 in the rest, 71 in the discharge), then 120 bytes of payload from byte 8:

* kind 3, data: up to six records of 20 bytes: ``u4`` time since the previous record (ms), ``f4`` voltage (V), ``f4`` current (A,
  negative discharges), ``f4`` charge of this interval (A h, never negative), ``f4`` energy of this interval (W h, with the sign of
  the current). Both are integrated between the records: abs(current) * time is met to 4e-4 in one record, to 2e-6 in the sum.
* kind 2, step boundary: one at the start of the test and one at the end of each step. Payload: ``u4`` at 0 unknown (1, 68, 97 seen),
  ``u4`` at 8 the number of steps that ended, ``u4`` at 16 the test time (ms), ``u8`` at 48 the wall clock (ms since 1970),
  4 bytes at 64 unknown, ``f4`` at 68 the recording interval of the next step (ms).

What a block does not use holds left-over bytes of the blocks before it, also of earlier tests.

Unknown: everything that one file with two steps cannot show: kinds other than 2 and 3, auxiliary channels, loops, step codes other
than the two above. There is no cycle number. The wall clock is taken as UTC; whether it is local time is not known.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.table import Table

FIRST_BLOCK = 0xA00  # bytes
BLOCK = 128  # bytes
RECORDS = 6  # per block, at most
MAKER = b"LAND"
_MAKER_AT = slice(0x494, 0x4D4)
_DATA, _BOUNDARY = 3, 2
_RECORD = np.dtype([("dt", "<u4"), ("voltage", "<f4"), ("current", "<f4"), ("charge", "<f4"), ("energy", "<f4")])
_TEXTS = {
    "group": (0x010, 64),
    "computer": (0x058, 32),
    "test_name": (0x0B0, 64),
    "remark": (0x0F0, 64),
    "software": (0x2D0, 32),
    "device": (0x360, 32),
    "firmware": (0x474, 16),
    "maker": (0x494, 64),
    "serial_number": (0x4E4, 32),
    "program": (0x734, 64),
    "program_note": (0x774, 64),
}
_MASS = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s*mg(?![a-zA-Z])")
# Largest difference between the sum of the records' times and the test time at a boundary that rounding explains.
_TIME_TOLERANCE = 0.01  # s
# A boundary whose clock is outside the years 2000 to 2100 is damaged.
_PLAUSIBLE_CLOCK = (946_684_800.0, 4_102_444_800.0)  # s since 1970


@dataclass(frozen=True)
class _Boundaries:
    """Step boundaries in the order of the file: the block each stands in, test time (s), wall clock (s since 1970)."""

    block: np.ndarray
    elapsed: np.ndarray
    clock: np.ndarray


def looks_like_ccs(head: bytes) -> float:
    """How surely the first bytes of a file are of this format, 0 to 1."""
    blocks = _blocks(head)
    if blocks.shape[0] == 0 or len(head) <= FIRST_BLOCK:
        return 0.0
    share = float(_is_block(blocks).mean())
    if MAKER in head[_MAKER_AT] and share > 0.5:
        return 1.0
    return 0.6 if share == 1.0 and blocks[0, 0] == _BOUNDARY else 0.0


def read_ccs(path: Path) -> Table:
    """Records of one ``.ccs`` file.

    Returns
    -------
    Table
        ``time`` (s, from 0 at the start of the test), ``voltage`` (V), ``current`` (A), ``charge`` (A h) and ``energy`` (W h) of each
        interval as the file has them, ``step`` (from 1), ``clock`` (s since 1970) where the file holds a step boundary.

    Raises
    ------
    ReadError
        Where there is no block of records.
    """
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise ReadError(f"{path.name} cannot be read: {err.strerror or err}.", hint="Check the path and its permissions.") from err
    blocks = _blocks(raw)
    good = _is_block(blocks)
    warnings = _block_warnings(path.name, raw, good)
    blocks = blocks[good]
    is_data = blocks[:, 0] == _DATA
    if not is_data.any():
        raise ReadError(f"{path.name} holds no records of a LANHE cycler.", hint="Export or copy it again.")
    columns, at = _records(blocks, is_data)
    boundaries = _boundaries(blocks)
    columns["step"] = (np.cumsum(~is_data)[at] + (0 if blocks[0, 0] == _BOUNDARY else 1)).astype(np.int32)
    if boundaries.block.size:
        columns["clock"] = columns["time"] + _clock_offset(boundaries, at)
        warnings += _time_warnings(path.name, columns["time"], boundaries, at)
    units = {"time": "s", "voltage": "V", "current": "A", "charge": "A h", "energy": "W h", "step": "1", "clock": "s"}
    return Table(columns, {name: units[name] for name in columns}, _metadata(raw, boundaries), tuple(warnings))


def _blocks(raw: bytes) -> np.ndarray:
    """Shape (blocks, 128), bytes; a part of a block at the end is left out."""
    n = max(0, len(raw) - FIRST_BLOCK) // BLOCK
    return np.frombuffer(raw, np.uint8, n * BLOCK, FIRST_BLOCK if n else 0).reshape(n, BLOCK)


def _is_block(blocks: np.ndarray) -> np.ndarray:
    kind, count = blocks[:, 0], blocks[:, 1]
    return ((kind == _DATA) & (count >= 1) & (count <= RECORDS)) | ((kind == _BOUNDARY) & (count == 0))


def _records(blocks: np.ndarray, is_data: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns of all records, and for each record the block that holds it."""
    payload = np.ascontiguousarray(blocks[:, 8:]).view(_RECORD)
    used = is_data[:, None] & (np.arange(RECORDS) < blocks[:, 1:2])
    records = payload[used]
    with np.errstate(invalid="ignore"):  # damaged bytes may be signalling NaN
        columns = {name: records[name].astype(np.float64) for name in ("voltage", "current", "charge", "energy")}
    # Whole milliseconds are summed, so that the time carries no rounding.
    columns["time"] = np.cumsum(records["dt"], dtype=np.int64) / 1e3
    return columns, np.nonzero(used)[0]


def _boundaries(blocks: np.ndarray) -> _Boundaries:
    at = np.flatnonzero(blocks[:, 0] == _BOUNDARY)
    payload = np.ascontiguousarray(blocks[at, 8:])
    elapsed = np.ascontiguousarray(payload[:, 16:20]).view("<u4")[:, 0] / 1e3
    clock = np.ascontiguousarray(payload[:, 48:56]).view("<u8")[:, 0] / 1e3
    sane = (clock > _PLAUSIBLE_CLOCK[0]) & (clock < _PLAUSIBLE_CLOCK[1])
    return _Boundaries(at[sane], elapsed[sane], clock[sane])


def _clock_offset(boundaries: _Boundaries, at: np.ndarray) -> np.ndarray:
    """Wall clock minus test time at the last boundary before each record (the first boundary for those before any)."""
    last = np.searchsorted(boundaries.block, at, side="right") - 1
    return (boundaries.clock - boundaries.elapsed)[np.maximum(last, 0)]


def _block_warnings(name: str, raw: bytes, good: np.ndarray) -> list[str]:
    warnings = []
    bad = np.flatnonzero(~good)
    if bad.size:
        warnings.append(f"{name}: {bad.size} of {good.size} blocks are damaged and left out, the first is block {bad[0] + 1}.")
    rest = (len(raw) - FIRST_BLOCK) % BLOCK
    if rest:
        warnings.append(f"{name} is cut off: its last {rest} bytes are part of a block and left out.")
    return warnings


def _time_warnings(name: str, time: np.ndarray, boundaries: _Boundaries, at: np.ndarray) -> list[str]:
    """Where the records' times do not add up to the test time that the step boundaries state."""
    rows = np.searchsorted(at, boundaries.block)
    summed = np.concatenate([[0.0], time])[rows]
    off = np.abs(summed - boundaries.elapsed)
    wrong = np.flatnonzero(off > _TIME_TOLERANCE)
    if not wrong.size:
        return []
    k = wrong[0]
    return [
        f"{name}: before row {rows[k] + 1} the records last {summed[k]:.3f} s, but the step boundary there says"
        f" {boundaries.elapsed[k]:.3f} s: records are missing or damaged."
    ]


def _metadata(raw: bytes, boundaries: _Boundaries) -> dict[str, Any]:
    said: dict[str, Any] = {name: _text(raw[start : start + size]) for name, (start, size) in _TEXTS.items()}
    said = {name: text for name, text in said.items() if text}
    mass = _MASS.search(said.get("test_name", ""))
    if mass:
        said["mass_in_test_name_mg"] = float(mass[1])
    if boundaries.block.size and boundaries.elapsed[0] == 0:
        said["start_clock"] = float(boundaries.clock[0])
    return said


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("gb18030", errors="replace").strip()
