"""Readers of tables without an instrument's own mark: Battery Data Format, Arbin and Neware workbooks, and any other table.

Battery Data Format: one row a sample, headers ``Quantity / unit`` or machine-readable ``quantity_unit``, positive current
charges (https://w3id.org/battery-data-alliance/ontology/battery-data-format, version 1.2; earlier headers are read too).
CSV, gzip of it is not seen in practice; parquet. A side file ``NAME.metadata.json`` may hold what the table cannot.

Arbin .xlsx: sheets ``Global_Info``, ``Channel_<n>_<part>`` (the record, continued over sheets), statistics; headers such as
``Test_Time(s)``. Neware .xlsx: sheets ``record`` (BTSDA) or ``Detail_*`` (older), the latter continued over sheets.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import xarray as xr
from pydantic import Field

from analysis.core.errors import ReadError
from analysis.core.registry import Probe, Reader
from analysis.cycling.aliases import BASES, Source, resolve, unit_named
from analysis.cycling.assemble import Assembler, CyclerOptions, Dialect
from analysis.cycling.gather import each, gather, read_delimited, seen
from analysis.cycling.read_text import NEWARE, neware_sources
from analysis.cycling.schemas import RECORD
from analysis.formats import excel, parquet
from analysis.formats.delimited import detect
from analysis.formats.headers import slug

BDF = Dialect("Battery Data Format", convention=("Current as in the Battery Data Format: positive charges.",))
ARBIN = Dialect("Arbin", counter="cycle")
_LABEL = re.compile(r"^[A-Z][\w ]+ / \S+$")
_NOTATION = re.compile(r"^(?:test_time|voltage|current)_(?:second|millisecond|volt|ampere)$")


class TableOptions(CyclerOptions):
    """How a table without an instrument's mark is read."""

    columns: dict[str, str] = Field(default_factory=dict, title="Columns", description="Variable of the record → header of its column.")
    units: dict[str, str] = Field(default_factory=dict, title="Units", description="Variable → unit, where the header does not say.")
    current_sign: Literal["positive charges", "positive discharges", "by state"] = Field("positive charges", title="Sign of the current")
    sheet: str = Field("", title="Sheet", description="Empty: the first that holds a record.")
    delimiter: str = Field("", title="Delimiter", max_length=1)
    decimal: Literal["", ".", ","] = Field("", title="Decimal sign")
    skip_rows: int | None = Field(None, ge=0, title="Lines above the header")


def is_excel(probe: Probe) -> bool:
    return "xl/workbook.xml" in probe.members or "content.xml" in probe.members or probe.head.startswith(excel.OLE_MARK)


def metadata_file(path: Path) -> Path:
    """Where the metadata of a table are kept beside it."""
    return path.with_name(re.sub(r"(?i)(?:\.bdf)?(?:\.csv|\.parquet|\.bdf)?$", "", path.name) + ".metadata.json")


def side_files(path: Path) -> tuple[Path, ...]:
    side = metadata_file(path)
    return (side,) if side.is_file() else ()


def _notes(path: Path) -> dict[str, Any]:
    """What the side file says, where there is a readable one."""
    side = metadata_file(path)
    try:
        found = json.loads(side.read_text(encoding="utf-8")) if side.is_file() else {}
    except (OSError, ValueError) as err:
        raise ReadError(f"{side.name} is not readable as JSON.", hint="Repair it, or move it away.") from err
    return found if isinstance(found, dict) else {}


def is_bdf(columns: Sequence[str]) -> bool:
    """Whether headers are labels or notations of the Battery Data Format."""
    marked = [c for c in columns if _LABEL.match(c) or _NOTATION.match(c)]
    return {"time", "voltage", "current"} <= resolve(marked).keys()


def _sniff_bdf(probe: Probe) -> float:
    if probe.head.startswith(parquet.MARK):
        try:
            return 1.0 if is_bdf(parquet.head(probe.path).columns) else 0.0
        except ReadError:
            return 0.0
    layout = seen(probe)
    return 1.0 if layout is not None and is_bdf(layout.columns) else 0.0


def _read_bdf(path: Path, options: CyclerOptions) -> xr.Dataset:
    with open(path, "rb") as raw:
        is_parquet = raw.read(4) == parquet.MARK
    head = parquet.head(path) if is_parquet else None
    own = head.metadata.get("interplay", {}) if head is not None else {}
    notes = own if isinstance(own, dict) and own else _notes(path)
    # Notes in our words come from our export, whose sign needs no second look.
    dialect = replace(BDF, current="stated", convention=()) if isinstance(notes.get("instrument"), str) else BDF
    if head is not None:
        return _with_notes(_from_parquet(path, head, resolve(head.columns), dialect, options), notes)
    return _with_notes(read_delimited(path, dialect, options), notes)


def _with_notes(ds: xr.Dataset, notes: Mapping[str, Any]) -> xr.Dataset:
    kept = {k: notes[k] for k in ("instrument", "channel", "start_time", "counter", "convention") if isinstance(notes.get(k), str)}
    if isinstance(notes.get("metadata"), dict):
        kept["metadata"] = {**ds.attrs["metadata"], **notes["metadata"]}
    if isinstance(notes.get("warnings"), list):
        kept["warnings"] = list(dict.fromkeys([*map(str, notes["warnings"]), *ds.attrs["warnings"]]))
    return ds.assign_attrs(kept)


def _from_parquet(
    path: Path, head: parquet.ParquetHead, sources: Mapping[str, Source], dialect: Dialect, options: CyclerOptions
) -> xr.Dataset:
    assembler = Assembler(path.name, sources, dialect, options)
    return assembler.finish(gather(assembler, parquet.batches(path, assembler.columns_needed())))


def _sniff_arbin_excel(probe: Probe) -> float:
    return 1.0 if is_excel(probe) and _arbin_records(excel.sheet_names(probe.path)) else 0.0


def _arbin_records(names: Sequence[str]) -> list[str]:
    return [name for name in names if re.match(r"Channel[_-]\d", name)]


def _sniff_neware_excel(probe: Probe) -> float:
    if not is_excel(probe):
        return 0.0
    names = {name.lower() for name in excel.sheet_names(probe.path)}
    if "record" in names and names & {"step", "cycle", "unit", "test", "log"}:
        return 1.0
    return 0.95 if any(name.startswith("detail_") for name in names) else 0.0


def is_record_workbook(probe: Probe) -> bool:
    """Whether the names of the sheets are those that an instrument gives the workbook of a record."""
    return max(_sniff_arbin_excel(probe), _sniff_neware_excel(probe)) > 0


def _read_arbin_excel(path: Path, options: CyclerOptions) -> xr.Dataset:
    record = _arbin_records(excel.sheet_names(path))
    whole = excel.read_sheets(path, [*record, "Global_Info"] if record else None)
    info = [sheet for sheet in whole if sheet.name == "Global_Info"][:1]
    sheets = [sheet for sheet in whole if sheet.name in record or not record]
    channel = re.sub(r"^Channel[_-]|[_-]\d+$", "", record[0]) if record else ""
    return _read_sheets(path, sheets, ARBIN, options, channel=channel, metadata=_info(info))


def _info(sheets: Sequence[excel.Sheet]) -> dict[str, Any]:
    """Name and value from a sheet whose header stands above one line of values."""
    if not sheets or not sheets[0].layout.sample:
        return {}
    pairs = zip(sheets[0].layout.columns, sheets[0].layout.sample[-1], strict=False)
    return {name: value for name, value in pairs if value and not name.startswith("column ")}


def _read_neware_excel(path: Path, options: CyclerOptions) -> xr.Dataset:
    record = [name for name in excel.sheet_names(path) if re.match(r"record|detail_", name.lower())]
    sheets = excel.read_sheets(path, record or None)
    sources = neware_sources(sheets[0].layout.columns, sheets[0].layout.units) if sheets else None
    return _read_sheets(path, sheets, NEWARE, options, sources=sources)


def _read_sheets(
    path: Path,
    sheets: Sequence[excel.Sheet],
    dialect: Dialect,
    options: CyclerOptions,
    *,
    sources: Mapping[str, Source] | None = None,
    channel: str = "",
    metadata: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """The record over all sheets whose headers are those of the first that holds one."""
    first = next((s for s in sheets if sources or {"voltage", "current"} <= resolve(s.layout.columns, s.layout.units).keys()), None)
    if first is None:
        if not sheets:
            raise ReadError(f"{path.name} holds no table of numbers.", hint="It needs a line of column names and rows below it.")
        first = sheets[0]
    found = sources or resolve(first.layout.columns, first.layout.units)
    assembler = Assembler(path.name, found, dialect, options)
    alike = [s for s in sheets if s.layout.columns == first.layout.columns]

    def batches() -> Iterator[pa.Table]:
        for sheet in alike:
            yield excel.columns_of(sheet, assembler.columns_needed())

    return assembler.finish(gather(assembler, batches()), channel=channel, metadata=metadata)


def _sniff_generic(probe: Probe) -> float:
    if is_excel(probe):
        return 0.2
    if probe.head.startswith(parquet.MARK):
        return _sniff_parquet(probe.path)
    layout = seen(probe)
    if layout is None:
        return 0.0
    return 0.3 if _recognised(layout.columns, layout.units) else 0.1


def _sniff_parquet(path: Path) -> float:
    try:
        return 0.3 if _recognised(parquet.head(path).columns) else 0.1
    except ReadError:
        return 0.1  # its reading says what is wrong


def _recognised(columns: Sequence[str], units: Sequence[str] = ()) -> bool:
    return {"time", "voltage", "current"} <= resolve(columns, units).keys()


def _read_generic(path: Path, options: TableOptions) -> xr.Dataset:
    sign = {"positive charges": "signed", "positive discharges": "reversed", "by state": "unsigned"}[options.current_sign]
    dialect = Dialect("table", current=sign, convention=(f"Current: {options.current_sign}.",))
    with open(path, "rb") as raw:
        mark = raw.read(8)
    if mark.startswith(parquet.MARK):
        head = parquet.head(path)
        return _from_parquet(path, head, mapped(head.columns, (), options, path.name), dialect, options)
    if mark.startswith(b"PK") or mark == excel.OLE_MARK:
        sheets = excel.read_sheets(path, [options.sheet] if options.sheet else None)
        if not (sheets and options.columns):
            return _read_sheets(path, sheets, dialect, options)
        wanted = set(options.columns.values())
        first = next((sheet for sheet in sheets if wanted <= set(sheet.layout.columns)), sheets[0])
        sources = mapped(first.layout.columns, first.layout.units, options, path.name)
        return _read_sheets(path, [first, *(s for s in sheets if s is not first)], dialect, options, sources=sources)
    layout = detect(path, delimiter=options.delimiter, decimal=options.decimal, skip_rows=options.skip_rows)
    return read_delimited(path, dialect, options, layout=layout, sources=mapped(layout.columns, layout.units, options, path.name))


def mapped(columns: Sequence[str], units: Sequence[str], options: TableOptions, name: str) -> dict[str, Source]:
    """Sources by the options' columns; by the alias table for variables that they leave open."""
    by_slug = {slug(column): column for column in columns}
    found = resolve([c for c in columns if c not in options.columns.values()], units)
    if options.columns:
        found = {target: source for target, source in found.items() if target not in options.columns}
    for target, wanted in options.columns.items():
        column = wanted if wanted in columns else by_slug.get(slug(wanted))
        if target not in RECORD.variables and target not in BASES:
            raise ReadError(f"'{target}' is no variable of a cycling record.", hint=f"Known: {', '.join(RECORD.variables)}.")
        if column is None:
            raise ReadError(f"{name} has no column '{wanted}'.", hint=f"It has: {', '.join(columns[:20])}.")
        found[target] = resolve([column]).get(target, Source(column))
    return {target: _with_unit(target, source, options, name) for target, source in found.items()}


def _with_unit(target: str, source: Source, options: TableOptions, name: str) -> Source:
    stated = options.units.get(target)
    if not stated:
        return source
    unit = unit_named(stated, target)
    if unit is None:
        raise ReadError(f"{name}: '{stated}' is no unit of the {target}.", hint=f"It needs a unit that converts to {BASES[target]}.")
    return Source(source.column, unit)


READERS: tuple[Reader, ...] = (
    Reader(
        "cycling.bdf", "Battery Data Format", RECORD, (".csv", ".parquet", ".bdf"), _sniff_bdf, each(_read_bdf), CyclerOptions, side_files
    ),
    Reader("cycling.arbin_excel", "Arbin workbook", RECORD, (".xlsx", ".xls"), _sniff_arbin_excel, each(_read_arbin_excel), CyclerOptions),
    Reader(
        "cycling.neware_excel", "Neware workbook", RECORD, (".xlsx", ".xls"), _sniff_neware_excel, each(_read_neware_excel), CyclerOptions
    ),
    Reader(
        "cycling.generic",
        "Table (CSV, Excel, parquet)",
        RECORD,
        (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".parquet"),
        _sniff_generic,
        each(_read_generic),
        TableOptions,
    ),
)
