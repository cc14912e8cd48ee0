"""Chunked recipes on a Dask cluster: the same bits, progress, an end that is taken back, and sentences where it cannot be used."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest

from analysis import cluster
from analysis.cli import main
from analysis.core.errors import ParamError, UserError
from analysis.core.progress import reporting
from analysis.core.run import Request, ingest, run
from analysis.core.store import Store
from analysis.modalities import registry

ENERGY = np.concatenate([np.arange(8200.0, 8320.0, 20.0), np.arange(8325.0, 8376.0, 2.0), np.arange(8400.0, 8700.0, 40.0)])
SIZE = 120  # 120 × 120 spectra of 40 energies: several blocks
RECIPES: dict[str, dict[str, Any]] = {"xanes.edge_map": {"e0": 8343.0}, "xanes.cluster": {"e0": 8343.0, "clusters": 2}}


class Stopped(Exception):
    """Somebody ended the job."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1") as made:
        yield made.scheduler_address


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Edges that move over the image, with noise."""
    rng = np.random.default_rng(5)
    center = 8343.0 + np.linspace(-1, 1, SIZE)[:, None] + 0.2 * rng.standard_normal((SIZE, SIZE))
    mu = 0.2 + 0.4 * (0.5 + np.arctan((ENERGY - center[..., None]) / 1.5) / np.pi) + 0.004 * rng.standard_normal((SIZE, SIZE, ENERGY.size))
    folder = tmp_path_factory.mktemp("stack")
    np.save(folder / "s.npy", mu.astype(np.float32))
    np.savetxt(folder / "s_energies.txt", ENERGY)
    return folder / "s.npy"


def made(store: Store, stack: Path, recipe: str, address: str) -> str:
    key = ingest([stack], registry(), store)
    with cluster.computing(address, store):
        return run(Request(recipe=recipe, inputs={"stack": key}, params=RECIPES[recipe]), registry(), store)


@pytest.mark.parametrize("recipe", RECIPES)
def test_workers_make_the_same_bits(recipe: str, address: str, stack: Path, tmp_path: Path) -> None:
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    own, theirs = made(here, stack, recipe, ""), made(there, stack, recipe, address)
    assert own == theirs
    one, two = here.open(own).load(), there.open(theirs).load()
    assert one.identical(two)
    assert there.check(theirs) == []
    assert dask.base.get_scheduler() is None  # what comes later does not wait for this cluster


def test_chunks_that_are_stored_are_reported(address: str, stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LOOK_S", 0.01)
    heard: list[tuple[float, str]] = []
    with reporting(lambda fraction, message: heard.append((fraction, message))):
        made(Store(tmp_path), stack, "xanes.edge_map", address)
    fractions = [f for f, words in heard if words == cluster.STORING]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0


def test_a_job_that_is_ended_leaves_nothing(address: str, stack: Path, tmp_path: Path) -> None:
    def stop(_fraction: float, words: str) -> None:
        if words == cluster.STORING:
            raise Stopped

    store = Store(tmp_path)
    with pytest.raises(Stopped), reporting(stop):
        made(store, stack, "xanes.edge_map", address)
    assert store.keys("r") == []
    assert list((tmp_path / "temp").glob("*")) == []
    assert made(store, stack, "xanes.edge_map", address), "the cluster serves the next one"


def test_a_task_in_this_process_reports_too(stack: Path, tmp_path: Path) -> None:
    heard: list[float] = []
    with reporting(lambda fraction, message: heard.append(fraction) if message == "computing" else None):
        made(Store(tmp_path), stack, "xanes.edge_map", "")
    assert len(heard) > 5
    assert max(heard) == 1.0


def test_the_command_line_takes_a_scheduler(address: str, stack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "xanes.edge_map", str(stack), "-p", "e0=8343", "--json", "--workspace"]
    assert main([*words, str(tmp_path / "a"), "--scheduler", address]) == 0
    spread = json.loads(capsys.readouterr().out)
    assert main([*words, str(tmp_path / "b")]) == 0
    own = json.loads(capsys.readouterr().out)
    assert (spread["key"], spread["scalars"]) == (own["key"], own["scalars"])


def test_a_scheduler_that_is_not_there(stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    with pytest.raises(UserError, match=r"The Dask scheduler at tcp://127\.0\.0\.1:9 cannot be reached"):
        made(Store(tmp_path), stack, "xanes.edge_map", "tcp://127.0.0.1:9")
    with pytest.raises(ParamError, match="is not the address of a scheduler"):
        made(Store(tmp_path), stack, "xanes.edge_map", "gopher://x")


def test_without_the_package_a_sentence_says_so(stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r"dask\.distributed is not installed"):
        made(Store(tmp_path), stack, "xanes.edge_map", "tcp://127.0.0.1:9")


class Fleet:
    """A client of workers that answer as they are told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": self.answers.pop(0)}

    def run(self, _ask: Any, *_args: Any) -> Any:
        return self.answers.pop(0)


def test_workers_that_would_make_something_else_are_refused(tmp_path: Path) -> None:
    own = cluster.library_versions()
    for answers, words in (
        (({},), "has no workers"),
        (({"a": 1}, {"a": False}), "The worker a does not see the workspace"),
        (({"a": 1}, {"a": True}, {"a": {**own, "numpy": "1.0"}}), "The worker a has numpy 1.0, this process"),
    ):
        with pytest.raises(UserError, match=words):
            cluster._check_workers(Fleet(*answers), tmp_path)
    assert cluster._check_workers(Fleet({"a": 1}, {"a": True}, {"a": own}), tmp_path) == 1
