"""Thousands of damaged files a format: a clear error or a sound record, and never a hang."""

import json
import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import places
from benchmarks.damage_sources import SOURCES
from benchmarks.report import Section, Table, count

COPIES, QUICK_COPIES = 5_000, 200
PROCESSES = 2
BATCH = 500
HANG_S, START_S = 10.0, 120.0
KEPT_FAILURES = 20
STATE = Path(__file__).parent / ".work"
OUTCOMES = ("refused", "same", "warned", "other", "invalid", "failed", "hung")


@dataclass
class Tally:
    """What damaged copies of one format led to; kept on disk, so that an interrupted run goes on where it was."""

    name: str
    next: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)
    slowest_s: float = 0.0

    def add(self, number: int, found: dict[str, Any], took_s: float) -> None:
        self.next = number + 1
        self.counts[found["outcome"]] = self.counts.get(found["outcome"], 0) + 1
        self.slowest_s = max(self.slowest_s, took_s)
        if found["outcome"] in ("invalid", "failed", "hung") and len(self.failures) < KEPT_FAILURES:
            self.failures.append({"number": number, **found})


def run(*, quick: bool) -> Section:
    copies = QUICK_COPIES if quick else COPIES
    tallies = [_begun(s.name, copies) for s in SOURCES]
    waiting: queue.Queue[Tally] = queue.Queue()
    for tally in tallies:
        waiting.put(tally)
    stop = threading.Event()
    with ThreadPoolExecutor(PROCESSES) as threads:
        working = [threads.submit(_work, waiting, copies, stop) for _ in range(PROCESSES)]
        try:
            for work in working:
                work.result()
        except KeyboardInterrupt:
            print("interrupted: what there is so far is written; run it again to go on", file=sys.stderr)
            stop.set()
        except BaseException:
            stop.set()
            raise
    if not stop.is_set():
        for tally in tallies:
            _kept(tally.name, copies).unlink(missing_ok=True)
    return _section(tallies, copies)


def _work(waiting: "queue.Queue[Tally]", copies: int, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            tally = waiting.get_nowait()
        except queue.Empty:
            return
        while tally.next < copies and not stop.is_set():
            _batch(tally, min(BATCH, copies - tally.next))
            _kept(tally.name, copies).write_text(json.dumps(asdict(tally)), encoding="utf-8")
        print(f"{tally.name}: {tally.counts}", file=sys.stderr, flush=True)


def _batch(tally: Tally, size: int) -> None:
    """Some copies in one process; what makes it hang or die is noted, and the next batch begins after it."""
    end = tally.next + size
    with places.folder() as folder, _reading(tally.name, tally.next, size, folder) as child:
        if _line(child, START_S) is None:
            raise RuntimeError(f"the undamaged file of {tally.name} is not read")
        while tally.next < end:
            started = time.perf_counter()
            found = _line(child, HANG_S)
            took = time.perf_counter() - started
            if found is not None:
                tally.add(found["number"], found, took)
                continue
            died = child.poll() is not None
            sentence = f"the process ended with {child.returncode}" if died else f"no answer within {HANG_S:.0f} s"
            tally.add(tally.next, {"outcome": "failed" if died else "hung", "sentence": sentence, "place": ""}, took)
            return


@contextmanager
def _reading(name: str, first: int, size: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "benchmarks.mutated_child", name, str(first), str(size), str(folder)]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    child = subprocess.Popen(command, cwd=places.ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def _line(child: subprocess.Popen[bytes], limit_s: float) -> dict[str, Any] | None:
    """The next line of JSON; None after the limit, or when the process has ended."""
    if child.stdout is None:
        raise RuntimeError("the process was started without a pipe")
    until, text = time.monotonic() + limit_s, b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([child.stdout], [], [], max(0.0, until - time.monotonic()))
        part = child.stdout.read(1) if ready else b""
        if not part:
            if ready:
                child.wait()
            return None
        text += part
    return dict(json.loads(text))


# -- what is kept, and the tables ------------------------------------------------------------------------------------------


def _kept(name: str, copies: int) -> Path:
    STATE.mkdir(exist_ok=True)
    return STATE / f"mutations-{copies}-{name}-{_version()}.json"


@cache
def _version() -> str:
    """Of the readers, the summary and the kinds of damage: what was counted before a change does not count after it."""
    from analysis.core.versions import code_version
    from analysis.modalities import registry
    from benchmarks.damage_kinds import damaged
    from benchmarks.damage_sources import Source

    return code_version(*(r.read for r in registry().readers), registry().recipe("cycling.summary").compute, damaged, Source.whole)


def _begun(name: str, copies: int) -> Tally:
    kept = _kept(name, copies)
    return Tally(**json.loads(kept.read_text(encoding="utf-8"))) if kept.is_file() else Tally(name)


def _section(tallies: list[Tally], copies: int) -> Section:
    rows = [(t.name, count(t.next), *(count(t.counts.get(o, 0)) for o in OUTCOMES), f"{t.slowest_s:.1f} s") for t in tallies]
    total: Counter[str] = Counter()
    for t in tallies:
        total.update(t.counts)
    rows.append(("**all**", count(total.total()), *(count(total[o]) for o in OUTCOMES), f"{max(t.slowest_s for t in tallies):.1f} s"))
    columns = (
        "format",
        "copies",
        "refused with a sentence",
        "same numbers",
        "other numbers, warned",
        "other numbers",
        *OUTCOMES[4:],
        "slowest",
    )
    notes = (
        "Same: rows and total charge and discharge as in the undamaged file, to 0.1 %. Other numbers without a warning are what "
        "the damaged bytes say: most formats have no checksum. Invalid: time that goes backwards or is no number."
        " A process has 12 GiB of addresses.",
    )
    tables = [Table("Outcomes", columns, tuple(rows), notes)]
    failures = tuple((t.name, str(f["number"]), f["sentence"], f.get("place", "")) for t in tallies for f in t.failures)
    if failures:
        replay = "Again, with traceback: `python -m benchmarks.mutated_child FORMAT NUMBER --keep FILE`."
        tables.append(Table(f"Failures (the first {KEPT_FAILURES} a format)", ("format", "number", "what", "where"), failures, (replay,)))
    intro = (
        f"{count(copies)} copies of a small real file of each format: flipped bits, cuts, fills, swapped and inserted bytes, numbers "
        "at the edge of their type; in text, repeated, lost and swapped lines and columns, other marks and encodings; in archives, "
        f"members damaged under a right checksum. Each is recognised, read and summarised; no answer within {HANG_S:.0f} s is a hang. "
        "A copy is determined by its format and number. There is no real file of PEC and no readable Neware workbook to damage."
    )
    return Section("mutations", "Damaged files", intro, tuple(tables))
