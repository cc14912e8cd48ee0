"""Time and memory against the number of rows."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import places, synthetic_rows
from benchmarks.measure import watched
from benchmarks.report import Section, Table, count, mebibytes, seconds

SIZES, QUICK_SIZES = (1_000, 100_000, 1_000_000, 10_000_000), (1_000, 100_000, 1_000_000)
FORMATS = ("csv", "parquet")
STAGES = ("import", "summary", "trace")
JUDGED_FROM, GROWTH = 1_000_000, 1.5  # from here on, ten times the rows may take at most so much more memory
LIMIT_S = 900.0


@dataclass(frozen=True)
class Taken:
    """One file, imported and analysed in a process of its own."""

    rows: int
    cycles: int
    file_bytes: int
    seconds: dict[str, float]
    peak_bytes: int
    anonymous_bytes: int

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def run(*, quick: bool) -> Section:
    sizes = QUICK_SIZES if quick else SIZES
    intro = (
        f"Battery Data Format tables of {synthetic_rows.ROWS_A_CYCLE:,} rows a cycle, eight columns, made on the spot. A fresh process "
        "each, which takes a small file first: import (hash, copy, read, store, catalog), `cycling.summary`, `cycling.trace`. Memory: "
        "largest proportional set size of the process tree, sampled every 50 ms, and its part that lies in no file (mapped files are "
        "taken back by the system when memory is short); the smallest file shows what the program itself takes."
    )
    tables = tuple(_table(kind, [_taken(kind, rows) for rows in sizes]) for kind in FORMATS)
    return Section("rows", "Time and memory against rows", intro, tables)


def _taken(kind: str, rows: int) -> Taken:
    with places.folder() as folder:
        file = folder / f"rows.bdf.{kind}"
        small = file.with_name(f"small.bdf.{kind}")
        synthetic_rows.write(small, SIZES[0])
        synthetic_rows.write(file, rows)
        command = [sys.executable, "-m", "benchmarks.rows_child", str(folder), str(small), str(file)]
        child = subprocess.Popen(command, cwd=places.ROOT, stdout=subprocess.PIPE, text=True)
        with watched(child.pid) as peak:
            text, _ = child.communicate(timeout=LIMIT_S)
        if child.returncode:
            raise RuntimeError(f"{kind} of {rows} rows: the process ended with {child.returncode}")
        found = json.loads(text)
        taken = Taken(found["rows"], found["cycles"], _size(file), {s: found[s] for s in STAGES}, peak.bytes, peak.anonymous)
    print(f"{kind} {rows}: {seconds(taken.total)}, {mebibytes(taken.peak_bytes)}", file=sys.stderr, flush=True)
    return taken


def _size(file: Path) -> int:
    return file.stat().st_size


def _table(kind: str, taken: list[Taken]) -> Table:
    rows = []
    for before, t in zip([None, *taken], taken, strict=False):
        growth = f"× {t.total / before.total:.3g} for × {t.rows // before.rows}" if before is not None and before.rows >= 10_000 else "–"
        each = tuple(seconds(t.seconds[s]) for s in STAGES)
        rows.append(
            (
                count(t.rows),
                count(t.cycles),
                f"{t.file_bytes / 1e6:.1f} MB",
                *each,
                growth,
                mebibytes(t.peak_bytes),
                mebibytes(t.anonymous_bytes),
            )
        )
    return Table(
        f"BDF {kind}", ("rows", "cycles", "file", *STAGES, "time grows", "peak memory", "of it in no file"), tuple(rows), (_memory(taken),)
    )


def _memory(taken: list[Taken]) -> str:
    """How memory grows over the last decade, and whether it stays within the limit."""
    constant, last, largest = taken[0].peak_bytes, taken[-2], taken[-1]
    limit = GROWTH * last.peak_bytes + constant
    text = (
        f"From {count(last.rows)} to {count(largest.rows)} rows the peak grows × {largest.peak_bytes / last.peak_bytes:.2f}, "
        f"{(largest.peak_bytes - last.peak_bytes) / (largest.rows - last.rows):.0f} bytes a row"
    )
    if last.rows >= JUDGED_FROM:
        verdict = "bounded" if largest.peak_bytes <= limit else "NOT bounded"
        text += f": {verdict} (limit: × {GROWTH} and the {mebibytes(constant)} of the program itself)"
    return f"{text}."
