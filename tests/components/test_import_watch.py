"""What a page shows of the catalog follows every write, of this process or another, at whatever moment it is asked."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from analysis.workspace import Workspace

WRITE = """
import sys
from pathlib import Path
from analysis.catalog import Catalog
with Catalog(Path(sys.argv[1])) as catalog:
    for i in range(int(sys.argv[2])):
        catalog.upsert_cell(f"C{i}")
"""
ROOT = Path(__file__).parents[2]


def test_a_write_of_another_process_is_seen(served: Any) -> None:
    before = served.workspace.stamp()
    assert served.workspace.stamp() == before, "nothing was written"
    assert served.workspace.snapshot() is served.workspace.snapshot()
    subprocess.run([sys.executable, "-c", WRITE, str(served.workspace.root), "1"], check=True, cwd=ROOT)
    assert served.workspace.stamp() != before
    assert [c.name for c in served.workspace.snapshot().cells] == ["C0"]


def test_no_write_is_missed_by_a_reader_that_looks_all_the_time(tmp_path: Path) -> None:
    workspace, stop = Workspace(tmp_path / "study"), threading.Event()

    def look() -> None:
        while not stop.is_set():
            workspace.snapshot()

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for i in range(60):
            workspace.catalog.upsert_cell(f"C{i}")
            assert len(workspace.snapshot().cells) == i + 1
    finally:
        stop.set()
        reader.join()
        workspace.catalog.close()
