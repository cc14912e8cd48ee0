"""Neware cycler data: ``.nda`` (one binary file) and ``.ndax`` (a zip archive of binary tables), decoded by fastnda.

``.nda`` begins with ``NEWARE``; the byte at 14 is its version (8, 29 and 130 are common; fastnda names all that it knows).
``.ndax`` holds ``data.ndc`` (voltage and current, or everything in one), ``data_runInfo.ndc`` (times, counters), ``data_step.ndc``
(steps), ``data_AUX_*.ndc`` (temperatures, further voltages) and ``VersionInfo.xml``, ``Step.xml``, ``TestInfo.xml``. Either may come
inside a ``.zip``.

What the columns mean:

* ``time`` is the test time, summed over steps. The wall clock is set by the server and may jump back (seen: 17 times, up to 2.2 s).
* ``capacity`` and ``energy`` count from zero in each step, with the sign of its direction (charge positive).
* ``cycle``: the instrument's software counts by a rule, and the file does not say which. ``chg``: a new cycle starts where a charge
  step follows a discharge step; ``dchg`` the other way round; ``auto``: as the first step is; ``raw``: the schedule's loop counter.
* ``step`` counts steps as they ran, from 1; ``step_type`` is one of ``STEP_TYPES``.
* Numbers are single precision, as stored; the wall clock is in s since 1970 UTC.

Unknown: the unit of the mass in ``Step.xml`` (``SCQ`` 591 and ``SCQ_F`` 5.91E-06 in a file whose 1.05 mAh would suit 5.91 mg), so it is
handed on as it stands. Seen here: BTS 8.0 (ndc 11 to 17) and nda version 8.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.deflate import DAMAGED
from analysis.formats.library_messages import captured_messages
from analysis.formats.table import Table

if TYPE_CHECKING:
    import polars as pl

CycleRule = Literal["chg", "dchg", "auto", "raw"]

NDA_MAGIC = b"NEWARE"
NDAX_MEMBERS = ("data.ndc", "VersionInfo.xml", "TestInfo.xml", "Step.xml")
# Limits for what an archive may unpack to: real ones expand 2 to 40 times and stay below 1 GB.
MAX_UNPACKED = 8 * 2**30  # bytes
MAX_RATIO = 200
_SMALL = 64 * 2**20  # bytes; below this the ratio does not matter


# What unpacking a damaged archive raises: bad structure, bad stream, early end, unknown compression, password.
ARCHIVE_ERRORS: tuple[type[Exception], ...] = (
    BadZipFile,
    *DAMAGED,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)

# fastnda's column: name here, unit.
_COLUMNS = {
    "total_time_s": ("time", "s"),
    "voltage_V": ("voltage", "V"),
    "current_mA": ("current", "mA"),
    "cycle_count": ("cycle", "1"),
    "step_count": ("step", "1"),
    "step_type": ("step_type", "1"),
    "capacity_mAh": ("capacity", "mA h"),
    "energy_mWh": ("energy", "mW h"),
    "unix_time_s": ("clock", "s"),
}
_NEEDED = ("total_time_s", "voltage_V", "current_mA")
STEP_TYPES = {
    1: "CC charge",
    2: "CC discharge",
    3: "CV charge",
    4: "rest",
    7: "CCCV charge",
    12: "internal resistance",
    13: "pause",
    16: "pulse",
    19: "CV discharge",
    20: "CCCV discharge",
    22: "open circuit",
}


def is_ndax(members: tuple[str, ...], head: bytes) -> bool:
    """Whether these are the names, or at least the first bytes, of an ``.ndax`` archive."""
    if members:
        return "data.ndc" in members or sum(name in members for name in NDAX_MEMBERS) >= 2
    return head.startswith(b"PK\x03\x04") and any(name.encode() in head for name in NDAX_MEMBERS)


def recordings(members: tuple[str, ...]) -> tuple[str, ...]:
    """The members of a zip archive that are Neware files."""
    return tuple(m for m in members if m.lower().endswith((".nda", ".ndax")) and not m.startswith("__MACOSX/"))


def read_neware(path: Path, *, cycle_rule: CycleRule = "chg") -> Table:
    """Records of one ``.nda`` or ``.ndax`` file, or of the only one inside a ``.zip``.

    Parameters
    ----------
    path
        The file; it is recognised by its content, whatever its suffix.
    cycle_rule
        How cycles are counted, see the module's description.

    Returns
    -------
    Table
        ``time`` (s), ``voltage`` (V), ``current`` (mA), and where the file has them ``cycle``, ``step``, ``step_type``,
        ``capacity`` (mA h), ``energy`` (mW h), ``clock`` (s), ``temperature`` (degC).

    Raises
    ------
    ReadError
        Where the file is damaged, holds no records, or would unpack to more than the limits above.
    """
    with _unpacked(path) as file:
        frame, messages = _frame(path.name, file, cycle_rule)
        metadata, more = _metadata(path.name, file)
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise ReadError(f"{path.name} is damaged: it lacks {', '.join(missing)}.", hint="Export it again with the cycler's software.")
    if not len(frame):
        raise ReadError(f"{path.name} holds no records: the test stored no points.", hint="Check that the right test was exported.")
    columns = {here: frame[name].to_numpy() for name, (here, _) in _COLUMNS.items() if name in frame.columns}
    units = {here: unit for here, unit in _COLUMNS.values() if here in columns}
    temperature = next((name for name in frame.columns if name.startswith("aux") and name.endswith("temperature_degC")), None)
    if temperature is not None:
        columns["temperature"], units["temperature"] = frame[temperature].to_numpy(), "degC"
    return Table(columns, units, metadata, (*messages, *more))


def _frame(name: str, file: Path, cycle_rule: CycleRule) -> "tuple[pl.DataFrame, list[str]]":
    import fastnda  # half a second with polars, and needed for these files only
    import polars as pl

    # What fastnda lets through from damaged bytes: numpy's complaints (ValueError), missing tables (KeyError) and columns (polars).
    damaged: tuple[type[Exception], ...] = (*ARCHIVE_ERRORS, LookupError, pl.exceptions.PolarsError)
    try:
        with captured_messages("fastnda") as messages:
            frame = fastnda.read(file, cycle_mode=cycle_rule, raw_categories=True)
    except NotImplementedError as err:
        raise ReadError(f"{name} is of a kind that cannot be read: {err}.", hint="Export it with a newer version of the software.") from err
    except damaged as err:
        raise ReadError(f"{name} is damaged: {_reason(err)}.", hint="Copy or export it again with the cycler's software.") from err
    return frame, [f"{name}: {_sentence(text)}" for text in messages if "negative jumps" not in text]


def _reason(err: BaseException) -> str:
    text = str(err).strip().splitlines()
    return (text[0] if text else type(err).__name__).rstrip(".!")[:200]


# What fastnda logs, in words for the user.
_MESSAGES = {
    "could not read TestInfo.xml": "its TestInfo.xml cannot be read, so channels of temperature and further voltages are unknown.",
    "different number of aux channels": "its temperatures and further voltages are left out: TestInfo.xml does not say what they are.",
    "Pulse, SIM, or Ramp": "it has pulse, simulation or ramp steps; cycles may be counted differently than by the instrument.",
}


def _sentence(message: str) -> str:
    return next((said for part, said in _MESSAGES.items() if part in message), message.splitlines()[0])


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """A path that fastnda accepts: the file itself, or a copy with the right suffix or from inside an archive."""
    try:
        with open(path, "rb") as f:
            head = f.read(len(NDA_MAGIC))
    except OSError as err:
        raise ReadError(f"{path.name} cannot be read: {err.strerror or err}.", hint="Check the path and its permissions.") from err
    if head.startswith(b"PK"):
        members = _members(path)
        inside = recordings(members)
        if inside and "data.ndc" not in members:
            with _extracted(path, inside) as file, _unpacked(file) as inner:
                yield inner
            return
    suffix = ".nda" if head == NDA_MAGIC else ".ndax"
    if path.suffix.lower() == suffix:
        yield path
        return
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(shutil.copyfile(path, Path(folder) / f"copy{suffix}"))


def _members(path: Path) -> tuple[str, ...]:
    """Names in a zip archive, after a look at what it would unpack to."""
    try:
        with ZipFile(path) as archive:
            infos = archive.infolist()
    except ARCHIVE_ERRORS as err:
        raise ReadError(f"{path.name} is damaged: {_reason(err)}.", hint="Copy or export it again with the cycler's software.") from err
    unpacked, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
    if unpacked > MAX_UNPACKED or (unpacked > _SMALL and unpacked > MAX_RATIO * max(packed, 1)):
        raise ReadError(
            f"{path.name} was not unpacked: its {packed / 2**20:.1f} MB would grow to {unpacked / 2**20:.0f} MB.",
            hint="It does not look like cycler data; if it is, unpack it yourself.",
        )
    return tuple(i.filename for i in infos)


@contextmanager
def _extracted(path: Path, inside: tuple[str, ...]) -> Iterator[Path]:
    """The only recording in an archive, unpacked into a folder that is removed afterwards."""
    if len(inside) > 1:
        raise ReadError(
            f"{path.name} holds {len(inside)} recordings: {', '.join(inside[:5])}.", hint="Unpack it and import them one by one."
        )
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        target = Path(folder) / f"inside{Path(inside[0]).suffix.lower()}"
        try:
            with ZipFile(path) as archive, archive.open(inside[0]) as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out)
        except ARCHIVE_ERRORS as err:
            raise ReadError(f"{path.name} is damaged: {_reason(err)}.", hint="Copy or export it again.") from err
        yield target


def _metadata(name: str, file: Path) -> tuple[dict[str, Any], list[str]]:
    """What the file says of the test; nothing but a warning where that part is damaged."""
    import fastnda
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    damaged: tuple[type[Exception], ...] = (
        *ARCHIVE_ERRORS,
        LookupError,
        AttributeError,
        ElementTree.ParseError,
        ExpatError,
        DefusedXmlException,
    )
    try:
        with captured_messages("fastnda"):
            said = fastnda.read_metadata(file)
    except damaged as err:
        return {}, [f"{name}: what it says of the test cannot be read ({_reason(err)})."]
    return (_ndax_facts(said) if "nda_version" not in said else _nda_facts(said)), []


def _nda_facts(said: Mapping[str, Any]) -> dict[str, Any]:
    facts = {key: value for key, value in said.items() if isinstance(value, (str, int, float)) and value not in ("", 0, 0.0)}
    if "active_mass_mg" in facts and not 0 < float(facts["active_mass_mg"]) < np.inf:
        del facts["active_mass_mg"]
    return facts


def _ndax_facts(said: Mapping[str, Any]) -> dict[str, Any]:
    """The few entries of the three xml files that a user knows, flat."""
    test, head = _part(said, "TestInfo", "TestInfo"), _part(said, "Step", "Head_Info")
    version = _part(said, "VersionInfo", "ZwjVersion")
    facts = {
        "start_time": test.get("StartTime"),
        "end_time": test.get("EndTime"),
        "barcode": test.get("Barcode"),
        "remark": test.get("Remark") or _value(head, "Remark"),
        "schedule": test.get("StepName"),
        "creator": _value(head, "Creator"),
        "server_version": version.get("SvrVer"),
        "client_version": version.get("CurrClientVer"),
        "scq": _value(head, "SCQ"),
        "scq_f": _value(head, "SCQ_F"),
        "test_id": test.get("TestID"),
        "channel": _channel(test),
    }
    return {key: str(value) for key, value in facts.items() if value}


def _channel(test: Mapping[str, Any]) -> str:
    """Device, unit and channel as the software numbers them: eight channels a unit, counted through in the file."""
    device, channel = str(test.get("DevID", "")), str(test.get("ChlID", ""))
    if not channel.isdigit() or channel == "0":
        return device
    unit, place = divmod(int(channel) - 1, 8)
    return f"{device}-{unit + 1}-{place + 1}"


def _part(said: Mapping[str, Any], file: str, name: str) -> Mapping[str, Any]:
    part = said.get(file)
    inner = part.get(name) if isinstance(part, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _value(part: Mapping[str, Any], name: str) -> str:
    inner = part.get(name)
    return str(inner.get("Value") or "") if isinstance(inner, Mapping) else ""
