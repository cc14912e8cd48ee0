"""Clocks and scales: medians, the memory of a process tree, the machine."""

import os
import platform
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

NAMED = ("numpy", "pandas", "xarray", "zarr", "pyarrow", "polars", "fastnda", "dash")
SAMPLE_S = 0.05


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


def timed(act: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def machine() -> str:
    """The machine and the versions, in a sentence."""
    memory = psutil.virtual_memory().total / 2**30
    libraries = ", ".join(f"{n} {version(n)}" for n in NAMED)
    where = f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}"
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {where}, Python {platform.python_version()}; {libraries}; "
        f"commit {_commit()}; load before the run {load:.1f}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


class Peak:
    """The largest proportional set size of a process tree that was seen, and of the part that no file holds."""

    def __init__(self) -> None:
        self.bytes = 0
        self.anonymous = 0


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Sample the memory of ``pid`` and its children while the body runs (Linux: ``smaps_rollup``, shared pages counted once)."""
    peak, stop = Peak(), threading.Event()

    def sample() -> None:
        while not stop.is_set():
            whole, anonymous = tree_bytes(pid)
            peak.bytes, peak.anonymous = max(peak.bytes, whole), max(peak.anonymous, anonymous)
            stop.wait(SAMPLE_S)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def tree_bytes(pid: int) -> tuple[int, int]:
    """Proportional set size of a process and all its children, and its anonymous part, in bytes; 0 when it is gone.

    The rest are pages of mapped files, which the kernel takes back when memory is short.
    """
    try:
        root = psutil.Process(pid)
        members = [pid, *(p.pid for p in root.children(recursive=True))]
    except psutil.NoSuchProcess:
        return 0, 0
    found = [_pss(m) for m in members]
    return sum(f.get("Pss:", 0) for f in found), sum(f.get("Pss_Anon:", 0) for f in found)


def _pss(pid: int) -> dict[str, int]:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:  # it ended meanwhile
        return {}
    return {words[0]: int(words[1]) * 1024 for line in text.splitlines() if (words := line.split())[0] in ("Pss:", "Pss_Anon:")}
