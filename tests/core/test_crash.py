"""Kill -9 at random moments: the workspace is whole each time."""

import multiprocessing
import random
import sys
import time
from pathlib import Path

import crash
import psutil
import pytest

from analysis.core.store import Store

ROUNDS = 6


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork server")
def test_a_workspace_survives_the_death_of_its_writer_at_any_moment(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    chance = random.Random(20)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["crash", "zarr", "dask.array"])  # imports once, not in every round
    before: set[str] = set()
    for round_ in range(ROUNDS):
        ready = tmp_path / f"ready{round_}"
        writer = forks.Process(target=crash.write_for_ever, args=(root, ready, round_), daemon=True)
        writer.start()
        assert crash.kill_after(writer, ready=ready, delay_s=chance.uniform(0.0, 0.4))
        assert crash.damage(root) == []
        kept = set(Store(root).keys())
        assert before < kept, "what was whole stays, and every round finished something"
        before = kept


def _is_gone(pid: int) -> bool:
    """Whether a killed process ends; the kernel may take a moment to say so."""
    for _ in range(100):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_a_program_is_killed_with_its_children(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    sleep = "import time; time.sleep(60)"
    code = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", {sleep!r}])
open({str(ready)!r}, "w").write(str(child.pid))
child.wait()
"""
    assert crash.kill_after(crash.start(["-S", "-c", code]), ready=ready, delay_s=0.1)
    child = int(ready.read_text(encoding="ascii"))
    assert _is_gone(child)
    assert not crash.kill_after(crash.start(["-S", "-c", "pass"]), ready=tmp_path / "never", delay_s=0.0)


def test_damage_is_found_where_there_is_some(tmp_path: Path) -> None:
    """The judge of the test above must be able to say no."""
    import numpy as np
    import xarray as xr

    store = Store(tmp_path)
    for key in ("r-1", "r-2"):
        store.put(key, xr.Dataset({"x": ("row", np.arange(3.0), {"units": "V"})}), {"kind": "result"})
    assert crash.damage(tmp_path) == []
    (store.path("r-1") / "manifest.json").unlink()
    (tmp_path / "results" / "half").mkdir()
    (tmp_path / "raw" / "ab" / "abcd").mkdir(parents=True)
    assert crash.damage(tmp_path) == [
        "results/half is no entry.",
        "r-1 lacks manifest.json.",
        "r-1: its manifest is missing or unreadable.",
        "raw/abcd is not one file.",
    ]
