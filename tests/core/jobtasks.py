"""Tasks that the tests hand to job executors, by name."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.errors import DataError
from analysis.core.progress import report
from analysis.core.store import Store


def store_square(store: Store, payload: Mapping[str, Any]) -> str:
    """Store the square of a number; return the key."""
    key = f"r-square{payload['number']}"
    store.put(key, xr.Dataset({"x": ((), payload["number"] ** 2, {"units": "1"})}, attrs={"schema": "test"}), {"kind": "result"})
    return key


def wait(store: Store, payload: Mapping[str, Any]) -> str:
    """Leave a mark with this process's number, then wait until told to go on; report if asked to."""
    mark = Path(payload["mark"])
    mark.write_text(str(os.getpid()), encoding="ascii")
    until = time.monotonic() + 60
    while not Path(payload["go"]).exists() and time.monotonic() < until:
        if payload.get("report"):
            report(0.25, "waiting")
        time.sleep(0.02)
    return "waited"


def wait_in_temp(store: Store, payload: Mapping[str, Any]) -> str:
    """The same, inside a half-written entry."""
    with store.scratch() as temp:
        (temp / "half").write_bytes(b"x" * 1000)
        return wait(store, payload)


def spin_in_kernel(store: Store, payload: Mapping[str, Any]) -> str:
    """Leave a mark inside a half-written entry, then work in a way that returns to the interpreter only after many seconds."""
    big = np.random.default_rng(0).random((5000, 5000))
    with store.scratch() as temp:
        (temp / "half").write_bytes(b"x" * 1000)
        Path(payload["mark"]).write_text(str(os.getpid()), encoding="ascii")
        np.linalg.svd(big)
    return "span"


def complain(store: Store, payload: Mapping[str, Any]) -> str:
    raise DataError("The cell has no cycles.", hint="Choose another file.")


def break_down(store: Store, payload: Mapping[str, Any]) -> str:
    return str(1 / payload["zero"])


def take_too_much(store: Store, payload: Mapping[str, Any]) -> str:
    return str(np.ones(payload["bytes"] // 8).sum())


def environment(store: Store, payload: Mapping[str, Any]) -> str:
    """What a worker finds: threads, and whether arrays can be stored under its limits."""
    import numba

    store.put("r-env", xr.Dataset({"x": ("row", np.arange(1e6), {"units": "1"})}), {"kind": "result"})
    return f"{os.environ['OPENBLAS_NUM_THREADS']} {numba.config.NUMBA_NUM_THREADS}"


def submit_another(store: Store, payload: Mapping[str, Any]) -> str:
    """Run a second job from within the first."""
    from analysis.core.jobs import Inline, Jobs

    return Jobs(store, Inline()).submit("j-inner", "jobtasks:store_square", {"number": 4}).result
