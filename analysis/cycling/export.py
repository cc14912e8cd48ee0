"""Records → Battery Data Format 1.2 tables, CSV or parquet.

Labels are the preferred labels of https://w3id.org/battery-data-alliance/ontology/battery-data-format. What the table has no
place for (instrument, channel, warnings, metadata) goes into ``NAME.metadata.json`` beside a CSV and into the schema of a
parquet file, so that reading gives back what was written.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import xarray as xr

from analysis.core.errors import ParamError
from analysis.cycling.read_tables import metadata_file
from analysis.cycling.schemas import MODES, RECORD

LABELS = {
    "time": "Test Time / s",
    "voltage": "Voltage / V",
    "current": "Current / A",
    "timestamp": "Unix Time / s",
    "cycle": "Cycle Count / 1",
    "step": "Step ID / 1",
    "mode": "Step Type / 1",
    "temperature": "Surface Temperature / degC",
}
# What counters count is part of their label: since the start of the test, of the cycle, or of the step.
COUNTER_LABELS = {"cumulative": "", "cycle": "Cycle ", "step": "Step "}
_COUNTERS = {
    "charge_capacity": "Charging Capacity / Ah",
    "discharge_capacity": "Discharging Capacity / Ah",
    "charge_energy": "Charging Energy / Wh",
    "discharge_energy": "Discharging Energy / Wh",
}
KEPT = ("instrument", "channel", "start_time", "counter", "convention", "warnings", "metadata")
_BATCH_ROWS = 1 << 20


def labels(ds: xr.Dataset) -> dict[str, str]:
    """Variable → label of its column, for the variables that ``ds`` has."""
    scope = COUNTER_LABELS.get(str(ds.attrs.get("counter", "")), "")
    named = LABELS | {name: scope + label for name, label in _COUNTERS.items()}
    return {name: named[name] for name in RECORD.variables if name in ds}


def to_bdf(ds: xr.Dataset) -> pa.Table:
    """The record as an Arrow table with preferred labels; the attributes stand in its schema under ``interplay``."""
    columns = {label: _column(name, ds[name].values) for name, label in labels(ds).items()}
    return pa.table(columns).replace_schema_metadata({"interplay": json.dumps(notes(ds))})


def notes(ds: xr.Dataset) -> dict[str, Any]:
    """What the table itself cannot say, JSON-able."""
    return {name: ds.attrs[name] for name in KEPT if ds.attrs.get(name) not in (None, "", [], {})}


def write_bdf(ds: xr.Dataset, path: Path) -> Path:
    """Write the record as CSV (with its side file) or parquet, by the suffix of ``path``; a large one in batches.

    Raises
    ------
    ParamError
        The suffix is neither ``.csv`` nor ``.parquet``.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ParamError(f"'{path.name}' names no format of the Battery Data Format.", hint="End it in .bdf.csv or .bdf.parquet.")
    batches = _batches(ds)
    first = next(batches)
    if suffix == ".parquet":
        with pq.ParquetWriter(path, first.schema) as writer:
            writer.write_table(first)
            for batch in batches:
                writer.write_table(batch)
        return path
    with pcsv.CSVWriter(path, first.schema, write_options=pcsv.WriteOptions(quoting_style="none", quoting_header="none")) as writer:
        writer.write_table(first)
        for batch in batches:
            writer.write_table(batch)
    side = metadata_file(path)
    side.write_text(json.dumps(notes(ds), indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _batches(ds: xr.Dataset) -> Iterator[pa.Table]:
    rows = ds.sizes["row"]
    for start in range(0, max(rows, 1), _BATCH_ROWS):
        yield to_bdf(ds.isel(row=slice(start, start + _BATCH_ROWS)))


def _column(name: str, values: np.ndarray) -> pa.Array:
    if name == "mode":
        words = pa.array([title for _, title in sorted(MODES.items())])
        codes = np.where(np.isin(values, list(MODES)), values, 0).astype(np.int32)
        return words.take(pa.array(codes))
    if np.issubdtype(values.dtype, np.floating):
        return pa.array(values, mask=np.isnan(values))
    return pa.array(values)
