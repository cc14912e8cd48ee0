"""Neware's layered text export: cycles, their steps and their records in one file, told apart by leading delimiters.

::

    Cycle Index,Chg. Cap.(Ah),…            header of the cycles
    ,Step Index,Step Number,Step Type,…    header of the steps
    ,,DataPoint,Time,Total Time,…          header of the records
    1,0.02256,…,00:41:50,1,1,Rest,…        cycle 1; its first step may follow in the same line
    ,,1,00:00:00,00:00:00,0.00000,4.3185,… a record of that step
    ,2,2,CC Chg,00:02:51,…                 the next step

Older versions say ``Cycle ID``, ``Step ID``, ``Record ID`` and separate by tabs. Seen: BTSDA exports of 2024 to 2026.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from analysis.core.errors import ReadError
from analysis.formats.delimited import encoding_of, split_lines, split_row
from analysis.formats.headers import slug

CYCLE, STEP, STEP_TYPE = "Cycle Index", "Step Index", "Step Type"
_BATCH_ROWS = 1 << 18
_NULLS = ["", "-", "--", "nan", "NaN"]


@dataclass(frozen=True)
class Layers:
    """Headers of the three layers and what separates their cells."""

    delimiter: str
    encoding: str
    cycle: tuple[str, ...]
    step: tuple[str, ...]
    record: tuple[str, ...]
    first_row: int

    @property
    def columns(self) -> tuple[str, ...]:
        return (CYCLE, STEP, STEP_TYPE, *(name for name in self.record if name not in (CYCLE, STEP, STEP_TYPE)))


def layers_of(head: bytes) -> Layers | None:
    """The layers, where the head of a file is one of this kind."""
    encoding = encoding_of(head)
    lines = split_lines(head.decode(encoding, errors="replace"))
    filled = [i for i, line in enumerate(lines[:40]) if line.strip()]
    for first, second, third in zip(filled, filled[1:], filled[2:], strict=False):
        for mark in (",", "\t", ";"):
            if lines[third].startswith(mark * 2) and lines[second].startswith(mark) and not lines[second].startswith(mark * 2):
                rows = [split_row(lines[i], mark) for i in (first, second, third)]
                if slug(rows[0][0]).startswith("cycle") and slug(rows[1][1]).startswith("step"):
                    names = [tuple(c for c in row[k:] if c) for k, row in enumerate(rows)]
                    return Layers(mark, encoding, names[0], names[1], tuple(rows[2][2:]), third + 1)
    return None


@dataclass
class LayeredRows:
    """Records with the cycle and step they belong to; iterate once, then see ``warnings``."""

    path: Path
    layers: Layers
    columns: Sequence[str]
    warnings: list[str] = field(default_factory=list)
    _count: int = 0
    _cycle: float = np.nan
    _step: float = np.nan
    _kind: str = ""

    def __iter__(self) -> Iterator[pa.Table]:
        mark = self.layers.delimiter
        pending: list[str] = []
        places: list[tuple[float, float, str]] = []
        runs: list[int] = []
        last = ""
        with open(self.path, encoding=self.layers.encoding, errors="replace", newline=None) as lines:
            for number, line in enumerate(lines):
                last = line
                if number < self.layers.first_row or not line.strip():
                    continue
                if line.startswith(mark * 2):
                    pending.append(line[2:])
                    runs[-1:] = [runs[-1] + 1] if runs else []
                    continue
                self._enter(split_row(line.rstrip("\r\n"), mark))
                places.append((self._cycle, self._step, self._kind))
                runs.append(0)
                if len(pending) >= _BATCH_ROWS:
                    yield self._batch(pending, places[:-1], runs[:-1])
                    pending, places, runs = [], places[-1:], [0]
        self._cut_end(pending, runs, last)
        if pending:
            yield self._batch(pending, places, runs)

    def _enter(self, cells: Sequence[str]) -> None:
        """Take the cycle and step that a line above the records begins."""
        if cells[0]:
            self._cycle = _number(cells[0])
            cells = ["", *cells[len(self.layers.cycle) :]]
        if len(cells) > 1 and cells[1]:
            self._step = _number(cells[1])
            kind = next((i for i, name in enumerate(self.layers.step) if slug(name) in ("step type", "step name")), None)
            self._kind = cells[kind + 1] if kind is not None and kind + 1 < len(cells) else ""

    def _cut_end(self, pending: list[str], runs: list[int], last: str) -> None:
        if pending and runs and not last.endswith("\n") and last.startswith(self.layers.delimiter * 2):
            before = pending[-2] if len(pending) > 1 else ""
            if last[2:].count(self.layers.delimiter) < before.count(self.layers.delimiter):
                pending.pop()
                runs[-1] -= 1
                self.warnings.append(
                    f"{self.path.name}: row {self._count + len(pending) + 1}, the last, is cut off in the middle and was left out."
                )

    def _batch(self, pending: Sequence[str], places: Sequence[tuple[float, float, str]], runs: Sequence[int]) -> pa.Table:
        if not runs or sum(runs) != len(pending):
            raise ReadError(f"{self.path.name} has records before its first cycle.", hint="Export it again.")
        names = [*self.layers.record, *(f"extra {i}" for i in range(64))]
        width = pending[0].rstrip("\r\n").count(self.layers.delimiter) + 1
        rows, good = _even(pending, width, self.layers.delimiter)
        if len(rows) < len(pending):
            self.warnings.append(f"{self.path.name}: {len(pending) - len(rows)} rows with a wrong number of cells were left out.")
        wanted = [c for c in self.columns if c in self.layers.record]
        try:
            table = pc.read_csv(
                pa.BufferReader("".join(rows).encode()),
                read_options=pc.ReadOptions(column_names=names[:width]),
                parse_options=pc.ParseOptions(delimiter=self.layers.delimiter, quote_char=False),
                convert_options=pc.ConvertOptions(
                    include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), null_values=_NULLS
                ),
            )
        except (pa.ArrowInvalid, pa.ArrowKeyError) as err:
            raise ReadError(f"The records of {self.path.name} do not fit their header.", hint="Export it again.") from err
        self._count += table.num_rows
        owner = np.repeat(np.arange(len(runs)), runs)[good]
        own = {CYCLE: [p[0] for p in places], STEP: [p[1] for p in places]}
        for name, values in own.items():
            if name not in table.column_names:
                table = table.append_column(name, pa.array(np.asarray(values, dtype=np.float64)[owner]))
        kinds = pa.DictionaryArray.from_arrays(pa.array(owner.astype(np.int32)), pa.array([p[2] for p in places], pa.string()))
        return table if STEP_TYPE in table.column_names else table.append_column(STEP_TYPE, kinds)


def _even(rows: Sequence[str], width: int, mark: str) -> tuple[list[str], np.ndarray]:
    """Rows of ``width`` cells, and which they are."""
    good = np.fromiter((row.count(mark) == width - 1 for row in rows), bool, len(rows))
    return [row for row, is_good in zip(rows, good, strict=True) if is_good], np.flatnonzero(good)


def _number(cell: str) -> float:
    return float(cell) if re.fullmatch(r"\d+(?:\.\d*)?", cell) else np.nan
