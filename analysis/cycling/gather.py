"""Batches of columns → one record, in memory or, where it is large, in scratch files behind lazy arrays."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xarray as xr

from analysis.core.errors import ReadError
from analysis.core.registry import Probe
from analysis.cycling.aliases import Source, resolve
from analysis.cycling.assemble import Assembler, CyclerOptions, Dialect
from analysis.cycling.stitch import stitch
from analysis.formats.delimited import Layout, detect, head_of, layout_at_head
from analysis.formats.delimited_body import MixedCellsError, Rows
from analysis.formats.spill import Spill

SPILL_ROWS = 1 << 20  # records up to here stay in memory


def gather(assembler: Assembler, batches: Iterable[pa.Table]) -> dict[str, Any]:
    """Variables of all batches joined: NumPy arrays, or dask arrays over scratch files above ``SPILL_ROWS`` rows."""
    parts: list[dict[str, np.ndarray]] = []
    rows = 0
    spill: Spill | None = None
    for batch in batches:
        made = assembler.add(batch)
        rows += made["time"].size
        if spill is None and rows > SPILL_ROWS and parts:
            spill = Spill(tuple(made))
            for part in parts:
                spill.append(part)
            parts.clear()
        if spill is None:
            parts.append(made)
        else:
            spill.append(made)
    if spill is not None:
        return spill.arrays()
    if len(parts) == 1:
        return dict(parts[0])
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else {})}


def read_delimited(
    path: Path,
    dialect: Dialect,
    options: CyclerOptions,
    *,
    layout: Layout | None = None,
    sources: Mapping[str, Source] | None = None,
    header: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """The record of a text table; ``header`` gives what stands above it: channel, start_time, metadata."""
    layout = layout or detect(path)
    sources = sources or resolve(layout.columns, layout.units)
    said = dict(header or {})
    begun = str(said.pop("start_time", ""))
    for as_text in (False, True):
        assembler = Assembler(path.name, sources, dialect, options, layout.decimal, start_time=begun)
        rows = Rows(path, layout, assembler.columns_needed(), as_text=as_text)
        try:
            columns = gather(assembler, rows)
        except MixedCellsError:
            continue
        assembler.warnings.extend(rows.warnings)
        return assembler.finish(columns, **said)
    raise ReadError(f"The columns of {path.name} hold no numbers.", hint="Check decimal sign and delimiter.")


Parts = Callable[[Path, Any], xr.Dataset]


def each(read_one: Parts) -> Callable[[tuple[Path, ...], Any], xr.Dataset]:
    """A reader's ``read``: every path by ``read_one``, several stitched in order of time."""

    def read(paths: tuple[Path, ...], options: Any) -> xr.Dataset:
        parts: Sequence[xr.Dataset] = [read_one(path, options) for path in paths]
        return parts[0] if len(parts) == 1 else stitch(parts)

    return read


def seen(probe: Probe) -> Layout | None:
    """Layout of the table at the head of a text file; None where there is none."""
    return _layout(probe.path, probe.head, probe.size)


@lru_cache(maxsize=4)
def _layout(path: Path, head: bytes, size: int) -> Layout | None:
    if b"\x00" in head[:4096] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    try:
        return layout_at_head(head if size <= len(head) else head_of(path), path.name, "", "", None)
    except ReadError:
        return None
