"""NXxas, the NeXus application definition for X-ray absorption spectra, in HDF5 (manual.nexusformat.org, NXxas).

A file holds one or more groups with ``NX_class = "NXentry"`` whose ``definition`` is ``NXxas``, each a spectrum::

    entry/energy (N,) with units      entry/intensity (N,): absorption, raw or normalised
    entry/element/symbol              entry/edge/name              entry/mode or entry/mode/name: transmission, fluorescence …
    entry/title   entry/sample/name   entry/instrument/<detector>/data (N,): counts, such as i0, itrans

Seen: files of pynxxas (2024–2025), of which converted XDI files also have ``rawdata`` (columns, N) with ``array_labels`` in
JSON: energy, intensity and the detectors. Element and edge may be missing. Text is UTF-8. Links out of the file are not
followed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.core.errors import ReadError

if TYPE_CHECKING:
    import h5py

MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_POINTS = 10_000_000
_TEXT = {"title": "title", "sample": "sample/name", "element": "element/symbol", "edge": "edge/name", "start_time": "scan/start_time"}


@dataclass(frozen=True)
class NxxasEntry:
    """One spectrum. Arrays have shape (N,); ``channels`` are the detectors' counts by lower-case name."""

    name: str
    energy: np.ndarray
    energy_units: str
    intensity: np.ndarray
    mode: str = ""
    text: dict[str, str] = field(default_factory=dict)
    channels: dict[str, np.ndarray] = field(default_factory=dict)


def is_nxxas(path: Path) -> bool:
    """Whether an HDF5 file has an entry of this definition. Looks at its first levels only."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return any(True for _ in _entries(file))
    except (OSError, KeyError, RuntimeError, ValueError):
        return False


def read_nxxas(path: Path) -> tuple[tuple[NxxasEntry, ...], tuple[str, ...]]:
    """All spectra in the order of their names, and warnings about entries that cannot be read.

    Raises
    ------
    ReadError
        The file is damaged, has no NXxas entry, or none that holds a spectrum.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            found = [_entry(group) for group in _entries(file)]
    except (OSError, RuntimeError, KeyError, ValueError) as err:
        raise ReadError(f"{path.name} is damaged or cut off: HDF5 cannot read it.", hint="Copy it again.") from err
    if not found:
        raise ReadError(f"{path.name} has no NXxas entry.", hint="Choose another reader for HDF5, or export the spectra as text.")
    good = tuple(e for e in found if isinstance(e, NxxasEntry))
    bad = tuple(e for e in found if isinstance(e, str))
    if not good:
        raise ReadError(f"{path.name}: {bad[0]}", hint="Write energy and intensity of equal length.")
    return good, bad


def _entries(file: "h5py.File") -> Iterator["h5py.Group"]:
    import h5py

    for name in file:
        if file.get(name, getclass=True, getlink=True) is h5py.ExternalLink:
            continue
        group = file[name]
        if isinstance(group, h5py.Group) and _text(group, "definition").startswith("NXxas"):
            yield group


def _entry(group: "h5py.Group") -> "NxxasEntry | str":
    """The spectrum, or why it is none."""
    label = str(group.name).strip("/")
    energy, intensity = _array(group, "energy"), _array(group, "intensity")
    if energy is None or intensity is None:
        return f"The entry '{label}' has no energy or no intensity and was left out."
    if energy.size != intensity.size:
        return f"The entry '{label}' has {energy.size} energies but {intensity.size} intensities and was left out."
    text = {key: found for key, where in _TEXT.items() if (found := _text(group, where))}
    mode = _text(group, "mode/name") or _text(group, "mode")
    units = group["energy"].attrs.get("units", "")
    units = units.decode() if isinstance(units, bytes) else str(units)
    return NxxasEntry(label, energy, units, intensity, mode, text, {**_raw(group, energy.size), **_detectors(group, energy.size)})


def _raw(group: "h5py.Group", points: int) -> dict[str, np.ndarray]:
    """Columns of ``rawdata`` other than energy and intensity."""
    import h5py

    raw = group.get("rawdata")
    if not isinstance(raw, h5py.Dataset) or raw.ndim != 2 or raw.shape[1] != points or raw.size > MAX_POINTS:
        return {}
    try:
        labels = json.loads(raw.attrs.get("array_labels", "[]"))
    except (TypeError, ValueError):
        return {}
    values = np.asarray(raw[()], dtype=float)
    return {str(n).lower(): v for n, v in zip(labels, values, strict=False) if str(n).lower() not in ("energy", "intensity")}


def _detectors(group: "h5py.Group", points: int) -> dict[str, np.ndarray]:
    import h5py

    instrument = group.get("instrument")
    if not isinstance(instrument, h5py.Group):
        return {}
    found = {str(n).lower(): _array(instrument, f"{n}/data") for n in instrument if isinstance(instrument.get(n), h5py.Group)}
    return {n: a for n, a in found.items() if a is not None and a.size == points}


def _array(group: "h5py.Group", name: str) -> np.ndarray | None:
    import h5py

    found = group.get(name)
    if not isinstance(found, h5py.Dataset) or found.ndim != 1 or found.dtype.kind not in "iuf" or not 0 < found.size <= MAX_POINTS:
        return None
    return np.asarray(found[()], dtype=float)


def _text(group: "h5py.Group", name: str) -> str:
    import h5py

    found = group.get(name)
    if not isinstance(found, h5py.Dataset) or found.shape != () or found.dtype.kind not in "OSU":
        return ""
    value = found[()]
    return value.decode("utf-8", errors="replace").strip() if isinstance(value, bytes) else str(value).strip()
