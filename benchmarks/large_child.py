"""One step over a large stack, in a process of its own: ``python -m benchmarks.large_child FOLDER STEP``."""

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from analysis import cluster
from analysis.core.run import Request, ingest, run
from analysis.core.store import Store
from analysis.modalities import registry
from benchmarks.truth import truth

WORKERS = 2


def main(folder: Path, step: str) -> None:
    import dask

    store = Store(folder / "workspace")
    dask.config.set(num_workers=WORKERS)
    with ExitStack() as stack:
        address = _cluster(stack) if step == "cluster" else ""
        started = time.perf_counter()
        key = ingest([folder / "stack.npy"], registry(), store)
        chunks: dict[str, str] = {}
        if step != "ingest":
            started = time.perf_counter()
            with cluster.computing(address, store):
                made = run(Request(recipe="xanes.edge_map", inputs={"stack": key}, params={"e0": truth().E0}), registry(), store)
            chunks = {n: d for n, d in json.loads((store.path(made) / "manifest.json").read_text()).items() if n != "interplay.json"}
        took = time.perf_counter() - started
        print(json.dumps({"seconds": took, "chunks": chunks}))
    if chunks:
        store.remove(made)  # the next step makes it again


def _cluster(stack: ExitStack) -> str:
    from distributed import LocalCluster

    made = LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1")
    return str(stack.enter_context(made).scheduler_address)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
