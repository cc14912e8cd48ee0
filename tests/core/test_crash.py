"""Kill -9 at random moments: the workspace is whole each time."""

import random
import signal
import sys
from pathlib import Path

import crash
import pytest

from analysis.core.store import Store

ROUNDS = 6


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
def test_a_workspace_survives_the_death_of_its_writer_at_any_moment(tmp_path: Path) -> None:
    root, ready = tmp_path / "ws", tmp_path / "ready"
    chance = random.Random(20)
    before: set[str] = set()
    for round_ in range(ROUNDS):
        command = [crash.__file__, str(root), str(ready), str(round_)]
        assert crash.kill_after(command, ready=ready, delay_s=chance.uniform(0.0, 0.4)) == -signal.SIGKILL
        assert crash.damage(root) == []
        kept = set(Store(root).keys())
        assert before < kept, "what was whole stays, and every round finished something"
        before = kept


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
