import gc
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from analysis.formats import spill


@pytest.fixture
def scratch_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_columns_come_back_as_they_were(scratch_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "CHUNK_ROWS", 7)
    values = np.random.default_rng(0).normal(size=50)
    made = spill.Spill(("a", "b"))
    for part in np.split(values, [3, 20, 21]):
        made.append({"a": part, "b": -part})
    arrays = made.arrays()
    assert arrays["a"].chunks == ((7,) * 7 + (1,),)
    np.testing.assert_array_equal(arrays["a"].compute(), values)
    np.testing.assert_array_equal(arrays["b"][10:30].compute(), -values[10:30])


def test_files_go_with_the_last_array(scratch_root: Path) -> None:
    made = spill.Spill(("a",))
    made.append({"a": np.ones(3)})
    arrays = made.arrays()
    del made
    gc.collect()
    assert list(scratch_root.iterdir())
    del arrays
    gc.collect()
    assert not list(scratch_root.iterdir())


def test_a_copy_for_another_process_reads_but_does_not_remove(scratch_root: Path) -> None:
    made = spill.Spill(("a",))
    made.append({"a": np.arange(4.0)})
    made.close()
    copy = pickle.loads(pickle.dumps(made.scratch))  # noqa: S301 - own bytes
    np.testing.assert_array_equal(spill.read_chunk(copy, "0.f64", 1, 2), [1.0, 2.0])
    del copy
    gc.collect()
    assert made.scratch.folder.is_dir()


def test_what_a_dead_process_left_is_swept(scratch_root: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    left = scratch_root / f"interplay-spill-{ended.stdout.strip()}-x"
    kept = scratch_root / f"interplay-spill-{os.getppid()}-y"
    left.mkdir()
    kept.mkdir()
    spill.Scratch()
    assert not left.exists()
    assert kept.exists()


def test_unequal_columns_are_a_bug(scratch_root: Path) -> None:
    made = spill.Spill(("a", "b"))
    with pytest.raises(ValueError, match="differ in length"):
        made.append({"a": np.ones(2), "b": np.ones(3)})
    made.close()
