"""Readers of absorption spectra: XDI, Athena projects, columns of text, NXxas.

A file becomes one dataset of schema ``xas.spectra`` with a dimension ``spectrum``: one for a scan, all records of a project
(``record`` picks one by label, id or number). Spectra with energies of their own stand on the union of the energies, NaN
where they have no point; nothing is interpolated. Several files read together are the spectra of one measurement, such as repeats.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import warn
from analysis.core.errors import ReadError
from analysis.core.params import Options
from analysis.core.registry import Probe, Reader
from analysis.formats.ascii_columns import columns_in, is_data_collector, read_columns
from analysis.formats.athena import AthenaRecord, as_number, is_athena, read_athena, said
from analysis.formats.nxxas import MAGIC, NxxasEntry, is_nxxas, read_nxxas
from analysis.formats.xdi import is_xdi, read_xdi
from analysis.schemas import SPECTRA
from analysis.spectra.channels import KEV_BELOW, ColumnMap, Measured, Table, absorption, completed, energies, measured
from analysis.spectra.cleaning import Limits, cleaned
from analysis.spectra.curves import Curve, assemble, common_attrs, gathered
from analysis.spectra.edge_energy import edge_seen

BINARY = (b"PK", b"\xd0\xcf\x11\xe0", b"PAR1", MAGIC[:4], b"\x1f\x8b")


class SpectrumOptions(Options):
    """What every reader of spectra can be asked."""

    energy_min: float | None = Field(None, title="First energy to be kept", json_schema_extra={"unit": "eV"})
    energy_max: float | None = Field(None, title="Last energy to be kept", json_schema_extra={"unit": "eV"})
    ends: Literal["trim", "keep"] = Field("trim", title="Wild points at the ends")

    @property
    def limits(self) -> Limits:
        return Limits(self.energy_min, self.energy_max, self.ends == "trim")


class ColumnOptions(SpectrumOptions):
    """Which columns hold what; blank where their names tell."""

    mode: Literal["auto", "mu", "transmission", "fluorescence", "yield", "reference"] = Field("auto", title="Detector")
    energy: str = Field("", title="Column of the energy (name, or number from 1)")
    signal: tuple[str, ...] = Field((), title="Columns of the signal, summed")
    i0: str = Field("", title="Column of the incident intensity")
    energy_unit: Literal["auto", "eV", "keV"] = Field("auto", title="Unit of the energy")
    dead_time_us: float = Field(0.0, ge=0, le=100, title="Dead time of the detector", json_schema_extra={"unit": "us"})
    name: str = Field("", title="Name of the spectrum")

    @property
    def columns(self) -> ColumnMap:
        return ColumnMap(self.mode, self.energy, self.signal, self.i0, self.energy_unit, self.dead_time_us)


class AthenaOptions(SpectrumOptions):
    record: str = Field("", title="Record: label, id or number from 1 (all if empty)")
    apply_shift: bool = Field(True, title="Apply the stored energy shifts")


class NxxasOptions(SpectrumOptions):
    record: str = Field("", title="Entry: name or number from 1 (all if empty)")


# one file after the other ---------------------------------------------------------------------------------------------------------


def _together(read: Callable[[Path, Any], xr.Dataset]) -> Callable[[tuple[Path, ...], Any], xr.Dataset]:
    """A reader of several files from a reader of one: their spectra become one dataset."""

    def read_all(paths: tuple[Path, ...], options: Any) -> xr.Dataset:
        parts = [read(p, options) for p in paths]
        if len(parts) == 1:
            return parts[0]
        joined = assemble(gathered(parts), attrs=common_attrs(parts))
        return warn(joined, *(w for p in parts for w in p.attrs.get("warnings", ())))

    return read_all


def _dataset(found: Sequence[Curve], warnings: Sequence[str], **attrs: Any) -> xr.Dataset:
    """The dataset of some spectra with element and edge, said or seen from the energies."""
    kept = {k: v for k, v in attrs.items() if v}
    if "element" not in kept:
        edges = {edge_seen(c.energy, c.mu) for c in found}
        if len(edges) == 1 and (edge := edges.pop()) is not None:
            kept |= {"element": edge.element, "edge": edge.shell}
    return warn(assemble(found, attrs=kept), *warnings)


def _chosen(wanted: str, ids: Sequence[Sequence[str]], file: str) -> list[int]:
    """Places of the records that a user means: a label may be that of several."""
    if not wanted:
        return list(range(len(ids)))
    hit = [k for k, names in enumerate(ids) if wanted.strip() in [n.strip() for n in names]]
    if hit:
        return hit
    if wanted.isdigit() and 1 <= int(wanted) <= len(ids):
        return [int(wanted) - 1]
    shown = ", ".join(names[0].strip() for names in ids[:12]) + (" …" if len(ids) > 12 else "")
    raise ReadError(f"{file} has no record '{wanted}'.", hint=f"It has {shown}; numbers count from 1.")


# XDI ------------------------------------------------------------------------------------------------------------------------------


def _read_xdi(path: Path, options: ColumnOptions) -> xr.Dataset:
    file = read_xdi(path)
    columns = dict(zip(file.names, file.values.T, strict=True))
    spacing = as_number(file.fields.get("mono.d_spacing"), np.nan)
    table = Table(path.name, columns, dict(zip(file.names, file.units, strict=True)), spacing)
    found = measured(table, options.columns)
    name = options.name or file.fields.get("sample.name") or path.stem
    curve, warnings = cleaned(name, found, options.limits)
    element, edge = file.fields.get("element.symbol", ""), file.fields.get("element.edge", "")
    notes = {**file.fields, "columns": found.used}
    return _dataset([curve], [*file.warnings, *warnings], element=element, edge=edge, mode=found.mode, metadata=notes)


# Athena -----------------------------------------------------------------------------------------------------------------------


def _read_athena(path: Path, options: AthenaOptions) -> xr.Dataset:
    project = read_athena(path)
    places = _chosen(options.record, [(r.label, r.id) for r in project.records], path.name)
    records = [project.records[k] for k in places]
    found: list[Curve] = []
    warnings = list(project.warnings)
    for record in records:
        curve, said_here = cleaned(record.label.strip(), _measured_record(record), options.limits)
        warnings += said_here
        shift = record.energy_shift if options.apply_shift else 0.0
        found.append(_with_partner(curve.shifted(shift), record, records))
    shifted = sum(r.energy_shift != 0 for r in records)
    if shifted and not options.apply_shift:
        warnings.append(f"{shifted} stored energy shifts were not applied.")
    notes = {"project": list(project.header), "records": [_notes(r) for r in records]}
    return _dataset(found, warnings, mode="mu", metadata=notes)


def _measured_record(record: AthenaRecord) -> Measured:
    in_kev = said(record.args.get("is_kev")) == "1" or np.median(record.x) < KEV_BELOW
    return Measured(record.x * (1e3 if in_kev else 1.0), record.y, None, None, "mu", "stored absorption", ())


def _with_partner(curve: Curve, record: AthenaRecord, records: Sequence[AthenaRecord]) -> Curve:
    """The spectrum with the place of the foil that was measured with it; foils themselves have none."""
    ids = [r.id for r in records]
    if record.reference not in ids or record.label.strip().startswith("Ref"):
        return curve
    return replace(curve, partner=ids.index(record.reference))


def _notes(record: AthenaRecord) -> dict[str, Any]:
    kept = ("bkg_e0", "bkg_pre1", "bkg_pre2", "bkg_nor1", "bkg_nor2", "bkg_nnorm", "bkg_stan", "recordtype", "source")
    return {"id": record.id, "label": record.label, "energy_shift": record.energy_shift} | {
        k: said(record.args[k]) for k in kept if said(record.args.get(k))
    }


# columns of text ----------------------------------------------------------------------------------------------------------------


def _read_columns(path: Path, options: ColumnOptions) -> xr.Dataset:
    file = read_columns(path)
    table = Table(path.name, dict(zip(file.names, file.values.T, strict=True)), {})
    found = measured(table, options.columns)
    curve, warnings = cleaned(options.name or path.stem, found, options.limits)
    unheard = file.origin == "SSRL" and found.mode == "fluorescence" and not options.dead_time_us
    if unheard and "icr" in table.roles():
        warnings = (*warnings, "Count rates (ICR) are in the file, but no dead time is corrected: state it with dead_time_us.")
    notes = {"columns": found.used, "header": [line for line in file.header[:40] if line.strip()]}
    return _dataset([curve], [*file.warnings, *warnings], mode=found.mode, metadata=notes)


# NXxas --------------------------------------------------------------------------------------------------------------------------


def _read_nxxas(path: Path, options: NxxasOptions) -> xr.Dataset:
    entries, bad = read_nxxas(path)
    places = _chosen(options.record, [(e.name, e.text.get("title", "")) for e in entries], path.name)
    warnings = list(bad)
    found: list[Curve] = []
    for entry in (entries[k] for k in places):
        curve, said_here = cleaned(entry.text.get("sample") or entry.name, _measured_entry(entry), options.limits)
        warnings += said_here
        found.append(curve)
    chosen = [entries[k] for k in places]
    same = {key: {e.text.get(key, "") for e in chosen} for key in ("element", "edge")}
    stated = {key: next(iter(v)) for key, v in same.items() if len(v) == 1}
    mode = {e.mode for e in chosen}
    notes = {"entries": [{"name": e.name, "mode": e.mode, **e.text} for e in chosen]}
    return _dataset(found, warnings, mode=mode.pop() if len(mode) == 1 else "", metadata=notes, **stated)


def _measured_entry(entry: NxxasEntry) -> Measured:
    """The entry's absorption: from the counts where both are there (stored intensities may be normalised), else as stored."""
    counts = {"transmission": "itrans", "fluorescence": "ifluor"}.get(entry.mode, "")
    factor = 1e3 if entry.energy_units.lower() == "kev" or np.median(entry.energy) < KEV_BELOW else 1.0
    if "i0" in entry.channels and counts in entry.channels:
        i0 = entry.channels["i0"]
        return Measured(entry.energy * factor, absorption(entry.channels[counts], i0, entry.mode), None, i0, entry.mode, counts, ())
    return Measured(entry.energy * factor, entry.intensity, None, None, entry.mode or "mu", "intensity", ())


# recognition --------------------------------------------------------------------------------------------------------------------


def _sniff_xdi(probe: Probe) -> float:
    return float(is_xdi(probe.text))


def _sniff_athena(probe: Probe) -> float:
    return float(is_athena(probe.head))


def _sniff_columns(probe: Probe) -> float:
    """Sure of SSRL's files; of others where names and values are those of a spectrum; weak where only the values are."""
    if not probe.is_text or probe.head.startswith(BINARY) or is_xdi(probe.text):
        return 0.0
    if is_data_collector(probe.text):
        return 1.0
    head = columns_in(probe.text)
    if head is None:
        return 0.0
    table = Table(probe.path.name, dict(zip(head.names, head.values.T, strict=True)), {})
    roles = completed(table, table.roles())
    if all(n == f"c{k}" for k, n in enumerate(head.names, start=1)):  # without titles: weak, and asks what the columns are
        roles = {"energy": [head.names[0]], "mu": [head.names[1]]}
    if "energy" not in roles or not any(roles.get(r) for r in ("mu", "transmission", "fluorescence", "yield")):
        return 0.0
    try:
        found = energies(table, roles, ColumnMap())
    except ReadError:
        return 0.0
    named = table.roles().get("energy") is not None
    if np.ptp(found) < (NAMED_SPAN if named else MIN_SPAN):
        return 0.0
    if named:
        return 0.6
    rising = (np.diff(found) > 0).mean()
    return 0.3 if rising in (0.0, 1.0) else 0.0


def _sniff_nxxas(probe: Probe) -> float:
    return float(probe.head.startswith(MAGIC) and is_nxxas(probe.path))


MIN_SPAN = 10.0  # eV; a spectrum covers more
NAMED_SPAN = 1.0  # eV; where a column is called energy, a fragment of a scan is told to be one
TEXT_SUFFIXES = (".dat", ".xmu", ".nor", ".txt", ".csv", ".asc")

READERS = (
    Reader("spectra.xdi", "XDI", SPECTRA, (".xdi", ".xxdi"), _sniff_xdi, _together(_read_xdi), ColumnOptions),
    Reader("spectra.athena", "Athena project", SPECTRA, (".prj",), _sniff_athena, _together(_read_athena), AthenaOptions),
    Reader(
        "spectra.columns", "Spectrum as columns of text", SPECTRA, TEXT_SUFFIXES, _sniff_columns, _together(_read_columns), ColumnOptions
    ),
    Reader("spectra.nxxas", "NXxas (HDF5)", SPECTRA, (".h5", ".hdf5", ".nxs"), _sniff_nxxas, _together(_read_nxxas), NxxasOptions),
)
