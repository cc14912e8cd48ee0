r"""Athena project files (``.prj``) of the programs Athena, Demeter and Larch: text, usually compressed with gzip.

The Perl flavour (Athena 0.8 to Demeter 0.9.26) holds, for each spectrum::

    $old_group = 'naqow';
    @args = ('label','NiO.000','bkg_eshift','1.252',…);      key, value, key, value …; a value may be a list in [ ]
    @x = ('8133.0','8142.9',…);     energy as measured, eV (Demeter shows x + bkg_eshift)
    @y = ('0.5499',…);              absorption; @i0, @signal, @stddev of the same length may follow
    [record]

The JSON flavour has one object: keys that begin with ``_____`` describe the file (``_____order`` the order of spectra), every
other one is a spectrum with ``args`` (an object, or the list of keys and values), ``x``, ``y`` …

Seen: Athena 0.8.035 (2005), Demeter 0.9.21, 0.9.25, 0.9.26 and Larch. Labels need not be unique. ``referencegroup`` names the
spectrum of the reference foil measured with a sample, and the sample in the foil's record. Strings are in single or double
quotes, with ``\'`` for a quote; ``undef`` and ``@&^^null^^&@`` mean "nothing". Journals, LCF and peak-fit settings are ignored.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.deflate import DAMAGED
from analysis.formats.text_lines import MAX_BYTES, decoded

GZIP = b"\x1f\x8b"
_PACKED_BADLY: tuple[type[Exception], ...] = (OSError, EOFError, *DAMAGED)
_ARRAY = re.compile(r"@(\w+)\s*=\s*\((.*)\)\s*;\s*$", re.DOTALL)
_TOKEN = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([\[\]])|([^,\s\[\]'"]+)""", re.DOTALL)
_NUMBERS = ("x", "y", "i0", "signal", "stddev")
_NOTHING = {"undef", "@&^^null^^&@", "None"}


@dataclass(frozen=True)
class AthenaRecord:
    """One spectrum as it is stored: energies not shifted, in the unit of the file (eV, or keV where ``is_kev`` says so).

    Arrays have shape (N,); ``i0``, ``signal`` and ``stddev`` are None where they are missing or of another length.
    """

    id: str
    label: str
    x: np.ndarray
    y: np.ndarray
    args: Mapping[str, Any] = field(default_factory=dict)
    i0: np.ndarray | None = None
    signal: np.ndarray | None = None
    stddev: np.ndarray | None = None

    @property
    def energy_shift(self) -> float:
        """Stored shift to be added to the energies, eV."""
        return as_number(self.args.get("bkg_eshift"), 0.0)

    @property
    def e0(self) -> float:
        """Stored edge energy, eV; NaN where there is none. Programs differ in whether the shift is already in it."""
        return as_number(self.args.get("bkg_e0"), np.nan)

    @property
    def reference(self) -> str:
        """Id of the spectrum measured with this one (the foil, or the sample of a foil); "" for none."""
        return said(self.args.get("referencegroup"))


@dataclass(frozen=True)
class AthenaProject:
    """Every spectrum of a project in the order of the file, and the header lines that name the program."""

    header: tuple[str, ...]
    records: tuple[AthenaRecord, ...]
    warnings: tuple[str, ...] = ()


def as_number(value: Any, default: float) -> float:
    """A stored value as a number; ``default`` where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return default


def said(value: Any) -> str:
    """A stored value as text; "" where it means nothing."""
    text = "" if value is None else str(value)
    return "" if text in _NOTHING else text


def is_athena(head: bytes) -> bool:
    """Whether the head of a file, compressed or not, is that of an Athena project."""
    text = decoded(_inflated_head(head) if head.startswith(GZIP) else head)
    if text.lstrip().startswith("{"):
        return '"_____header1"' in text and "Athena project" in text
    return "# Athena project file" in text[:200]


def _inflated_head(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 4096)
    except DAMAGED:
        return b""


def read_athena(path: Path) -> AthenaProject:
    """All spectra of a project.

    Raises
    ------
    ReadError
        The file is damaged, is no Athena project, or holds no spectrum.
    """
    text = decoded(_content(path))
    if text.lstrip().startswith("{"):
        header, found = _from_json(path.name, text)
    elif "# Athena project file" in text[:200]:
        header = tuple(line.lstrip("# ") for line in text.splitlines()[:4] if line.startswith("#"))
        found = list(_from_perl(text.splitlines()))
    else:
        raise ReadError(f"{path.name} is not an Athena project.", hint="Read it as columns of text instead.")
    records = [r for raw in found if (r := _record(raw)) is not None]
    if not records:
        raise ReadError(f"{path.name} holds no spectrum.", hint="Save the project again in Athena or Larch.")
    damaged = len(found) - len(records)
    left = f"{damaged} record{'s are' if damaged > 1 else ' is'} damaged or cut off and {'were' if damaged > 1 else 'was'} left out."
    return AthenaProject(header, tuple(records), (left,) if damaged else ())


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as err:
        raise ReadError(f"{path.name} cannot be opened: {err.strerror or err}.", hint="Check the path and its permissions.") from err
    if not content.startswith(GZIP):
        return content
    try:
        with gzip.open(path) as file:
            text = file.read(MAX_BYTES + 1)
    except _PACKED_BADLY as err:
        raise ReadError(f"{path.name} is damaged or cut off: it cannot be uncompressed.", hint="Copy it again.") from err
    if len(text) > MAX_BYTES:
        raise ReadError(f"{path.name} is too large for an Athena project.", hint="Save its spectra in several projects.")
    return text


def _from_perl(lines: list[str]) -> Iterator[dict[str, Any]]:
    """Raw records; the last one also where its end mark was cut off."""
    current: dict[str, Any] | None = None
    for line in lines:
        if line.startswith("$old_group"):
            if current is not None:
                yield current
            current = {"id": "".join(re.findall(r"['\"](.*)['\"]", line))}
        elif current is not None and line.startswith("@"):
            if (array := _ARRAY.match(line)) is not None:
                current[array[1]] = perl_list(array[2])
        elif current is not None and line.startswith("[record]"):
            yield current
            current = None
    if current is not None:
        yield current


def perl_list(text: str) -> list[Any]:
    """The values of a Perl list; an inner ``[ … ]`` is one value, a list."""
    out: list[Any] = []
    open_lists = [out]
    for single, double, bracket, word in _TOKEN.findall(text):
        if bracket == "[":
            inner: list[Any] = []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        elif bracket == "]":
            if len(open_lists) > 1:
                open_lists.pop()
        else:
            open_lists[-1].append(re.sub(r"\\(.)", r"\1", single or double) or word)
    return out


def _from_json(name: str, text: str) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as err:
        raise ReadError(f"{name} is damaged or cut off: its JSON cannot be read.", hint="Copy it again.") from err
    header = tuple(str(v).lstrip("# ") for k, v in whole.items() if k.startswith("_____header"))
    spectra = {k: v for k, v in whole.items() if not k.startswith("_") and isinstance(v, dict)}
    if not header and not any("args" in v for v in spectra.values()):
        raise ReadError(f"{name} is not an Athena project.", hint="Choose the reader of the program that wrote it.")
    stated = whole.get("_____order")
    order = [k for k in stated if k in spectra] if isinstance(stated, list) else []
    return header, [{"id": k, **spectra[k]} for k in dict.fromkeys([*order, *spectra])]


def _record(raw: Mapping[str, Any]) -> AthenaRecord | None:
    """A checked record; None where energies or absorption are missing or do not belong together."""
    args = raw.get("args", {})
    if isinstance(args, list):
        args = dict(zip(map(str, args[::2]), args[1::2], strict=False))
    arrays = {name: _numbers(raw.get(name)) for name in _NUMBERS}
    x, y = arrays["x"], arrays["y"]
    if not isinstance(args, dict) or x is None or y is None or x.size != y.size:
        return None
    same = {name: a if a is not None and a.size == x.size else None for name, a in arrays.items() if name not in ("x", "y")}
    group = str(raw["id"])
    return AthenaRecord(group, said(args.get("label")) or group, x, y, args, **same)


def _numbers(values: Any) -> np.ndarray | None:
    if not isinstance(values, list) or not values:
        return None
    try:
        return np.array(values, dtype=float)
    except (ValueError, TypeError):
        return None
