"""What is put into a workspace comes out again, whole or not at all."""

import itertools
import json
import math
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.core import store as store_module
from analysis.core.data import Scalar, scalars
from analysis.core.errors import ReadError, StoreError
from analysis.core.store import MEMORY_BYTES, SMALL_BYTES, Store, _divided


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "ws")


def small(value: float = 1.0) -> xr.Dataset:
    return xr.Dataset({"x": ("row", np.arange(4) * value, {"units": "V"})}, attrs={"schema": "test.x"})


def large() -> xr.Dataset:
    return xr.Dataset({"x": ("row", np.zeros(SMALL_BYTES // 8 + 1), {"units": "V"})})


def leftovers(store: Store) -> list[str]:
    return sorted(p.name for p in (store.root / "temp").iterdir())


# -- round trips -------------------------------------------------------------------------------------------------------------


def test_put_open_has_keys_provenance_remove(store: Store) -> None:
    record = {"kind": "result", "recipe": "a.b", "params": {"x": 1.5, "name": "µ"}}
    store.put("r-1", small(), record)
    store.put("d-2", small(2), {"kind": "dataset"})
    assert store.has("r-1")
    assert not store.has("r-2")
    assert store.keys() == ["d-2", "r-1"]
    assert store.keys("r") == ["r-1"]
    assert store.provenance("r-1") == record
    assert store.nbytes("r-1") > 0
    xr.testing.assert_identical(Store(store.root).open("r-1"), small())
    store.remove("r-1")
    assert not store.has("r-1")
    assert store.keys() == ["d-2"]
    with pytest.raises(StoreError, match="has no 'r-1'"):
        store.open("r-1")
    with pytest.raises(StoreError, match="has no 'r-1'"):
        store.provenance("r-1")
    store.remove("r-1")
    assert leftovers(store) == []


@pytest.mark.parametrize("key", ["", "x-1", "r1", "r-", "r-../../etc", "r-a/b", "../r-1", "r-a.b"])
def test_what_is_not_a_key_never_becomes_a_path(store: Store, key: str) -> None:
    with pytest.raises(StoreError, match="is not a key"):
        store.path(key)


def test_a_key_is_written_once(store: Store) -> None:
    store.put("r-1", small(), {"n": 1})
    store.put("r-1", small(5), {"n": 2})
    assert store.provenance("r-1") == {"n": 1}
    assert store.open("r-1")["x"].values.tolist() == [0, 1, 2, 3]


names = st.sampled_from(["voltage", "q", "mu_std", "a b", "µ"])
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
arrays = st.one_of(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, min_side=0, max_side=5)),
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=2, max_side=5), elements=st.floats(width=32)),
    hnp.arrays(st.sampled_from([np.int64, np.uint8, np.int16, np.bool_]), hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=5)),
    st.lists(text, max_size=5).map(lambda words: np.array(words, dtype=str)),
    st.lists(text, min_size=1, max_size=5).map(lambda words: np.array(words, dtype=object)),
)
attributes = st.dictionaries(
    st.sampled_from(["note", "channel", "list"]),
    st.one_of(text, st.integers(-(2**53), 2**53), st.floats(allow_nan=False), st.lists(st.integers(0, 9)), st.booleans(), st.none()),
)


@st.composite
def datasets(draw: st.DrawFn) -> xr.Dataset:
    variables = {}
    for name, values in draw(st.dictionaries(names, arrays, max_size=4)).items():
        dims = tuple(f"{name.replace(' ', '_')}_{i}_{size}" for i, size in enumerate(values.shape))
        variables[name] = (dims, values, {"units": draw(st.sampled_from(["V", "1", "days", "seconds since 1970-01-01", ""]))})
    return xr.Dataset(variables, attrs=draw(attributes))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(datasets())
def test_any_dataset_comes_back_the_same_from_disk_and_from_memory(tmp_path: Path, ds: xr.Dataset) -> None:
    root = tmp_path / "any"
    store = Store(root)
    store.put("r-1", ds, {"kind": "result"})
    from_memory, from_disk = store.open("r-1"), Store(root).open("r-1")
    xr.testing.assert_identical(from_memory, from_disk)
    wanted = ds.assign({n: v.astype(str) for n, v in ds.variables.items() if v.dtype.kind == "O"})
    xr.testing.assert_identical(from_disk, wanted)
    for name, v in wanted.variables.items():
        assert from_disk[name].dtype.kind == v.dtype.kind
    assert store.check("r-1") == []
    shutil.rmtree(root)


def test_coordinates_and_attributes_that_json_does_not_know(store: Store) -> None:
    ds = xr.Dataset(
        {"mu": (("y", "energy"), np.ones((2, 3)), {"units": "1", "window": np.array([1, 2])})},
        coords={"energy": ("energy", [8.0, 9.0, 10.0], {"units": "eV"}), "label": ("y", ["a", "b"], {"units": ""})},
        attrs={"limits": (1, 2), "mean": np.float32(0.5), "nested": {"n": np.int64(3)}},
    )
    store.put("r-1", ds, {})
    for opened in (store.open("r-1"), Store(store.root).open("r-1")):
        assert opened.attrs == {"limits": [1, 2], "mean": 0.5, "nested": {"n": 3}}
        assert opened["mu"].attrs == {"units": "1", "window": [1, 2]}
        assert set(opened.coords) == {"energy", "label"}
        assert opened.sel(energy=9.0)["mu"].values.tolist() == [1, 1]
    assert ds.attrs["limits"] == (1, 2)


# -- lazy arrays and memory ----------------------------------------------------------------------------------------------------


def test_large_arrays_stay_lazy_even_after_somebody_looked_at_them(store: Store) -> None:
    store.put("r-big", large(), {})
    again = Store(store.root)
    first = again.open("r-big")
    assert not first["x"].variable._in_memory
    assert float(first["x"][5]) == 0.0
    assert first["x"].values.size == SMALL_BYTES // 8 + 1
    first.load()
    assert not again.open("r-big")["x"].variable._in_memory
    assert isinstance(again.open("r-big", chunked=True)["x"].data, da.Array)


def test_what_a_caller_does_to_an_entry_is_not_seen_by_the_next(store: Store) -> None:
    store.put("r-1", small(), {})
    opened = store.open("r-1")
    opened["more"] = opened["x"] * 2
    opened.attrs["schema"] = "other"
    del opened["x"]
    xr.testing.assert_identical(store.open("r-1"), small())


def test_memory_is_bounded_and_the_oldest_goes_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MEMORY_BYTES", 10 * small().nbytes)
    for i in range(15):
        store.put(f"r-{i}", small(i), {})
        store.open("r-0")
    kept = store._memory
    assert sum(n for _, n in kept.values()) <= 10 * small().nbytes
    assert len(kept) == 10
    assert {"r-0", "r-14"} <= set(kept)
    assert store.open("r-3")["x"].values.tolist() == [0, 3, 6, 9]
    store.put("r-big", xr.Dataset({"x": ("row", np.zeros(1000), {"units": "V"})}), {})
    assert "r-big" not in store._memory
    assert MEMORY_BYTES >= 2 * SMALL_BYTES


def test_lazy_results_are_computed_once_then_summarised(store: Store) -> None:
    calls = []

    def count(block: np.ndarray) -> np.ndarray:
        calls.append(block.shape)
        return block + 1

    lazy = da.from_array(np.arange(10.0), chunks=((3, 5, 2),)).map_blocks(count, dtype=float, meta=np.array([]))
    ds = xr.Dataset({"x": ("row", lazy, {"units": "V"})}, attrs={"schema": "s"})
    store.put("r-1", ds, {}, summarise=lambda stored: {"top": Scalar(float(stored["x"].max()), "V")})
    assert len(calls) == 3
    opened = Store(store.root).open("r-1")
    assert opened["x"].values.tolist() == list(range(1, 11))
    assert scalars(opened)["top"] == Scalar(10.0, "V")
    assert opened.attrs["schema"] == "s"
    assert store.check("r-1") == []


def test_scalars_of_results_in_memory(store: Store) -> None:
    store.put("r-1", small(), {}, summarise=lambda stored: {"n": Scalar(stored.sizes["row"], of="rows")})
    for opened in (store.open("r-1"), Store(store.root).open("r-1")):
        assert scalars(opened)["n"].value == 4


# -- nothing half-written --------------------------------------------------------------------------------------------------------


class Explosion(Exception):
    pass


def explode(_stored: xr.Dataset) -> dict[str, Scalar]:
    raise Explosion


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    with pytest.raises(Explosion):
        store.put("r-1", small(), {}, summarise=explode)
    lazy = xr.Dataset({"x": ("row", da.arange(4, chunks=2).astype(float), {"units": "V"})})
    with pytest.raises(Explosion):
        store.put("r-2", lazy, {}, summarise=explode)
    assert store.keys() == []
    assert leftovers(store) == []
    assert "r-1" not in store._memory


def test_a_full_disk_is_said_to_the_user(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module, "_sync", full)
    with pytest.raises(StoreError, match="disk of the workspace is full"):
        store.put("r-1", small(), {})
    assert leftovers(store) == []


def test_a_lost_race_is_success(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store_module._publish

    def late(made: Path, target: Path) -> None:
        shutil.copytree(made, target)  # the other writer was there first
        real(made, target)

    monkeypatch.setattr(store_module, "_publish", late)
    store.put("r-1", small(), {})
    assert store.check("r-1") == []
    assert leftovers(store) == []


def test_a_rename_that_fails_otherwise_is_not_success(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_a: Path, _b: Path) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(PermissionError):
        store.put("r-1", small(), {})


def test_many_threads_write_the_same_and_different_keys(store: Store) -> None:
    def work(i: int) -> None:
        Store(store.root).put(f"r-{i % 3}", small(i % 3), {})

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert store.keys() == ["r-0", "r-1", "r-2"]
    assert [p for k in store.keys() for p in store.check(k)] == []  # noqa: SIM118
    assert leftovers(store) == []


def test_two_locks_on_one_file_exclude_each_other_in_one_process_too(tmp_path: Path) -> None:
    """What scratch folders and job claims rest on: flock belongs to an open file, not to a process."""
    first, second = FileLock(tmp_path / "x.lock", thread_local=False), FileLock(tmp_path / "x.lock", thread_local=False)
    first.acquire(timeout=0)
    with pytest.raises(TimeoutError):
        second.acquire(timeout=0)
    first.release()
    second.acquire(timeout=0)
    second.release()


@pytest.fixture
def abandoned(store: Store) -> Iterator[Store]:
    """A store with a living writer, and with what killed ones leave: with and without the lock's file."""
    for name, has_lock in (("a" * 32, True), ("b" * 32, False)):
        (store.root / "temp" / name).mkdir()
        (store.root / "temp" / name / "half").write_bytes(b"x")
        if has_lock:
            (store.root / "temp" / f"{name}.lock").touch()
    (store.root / "temp" / f"{'c' * 32}.lock").touch()
    with store.scratch() as living:
        (living / "mine").write_bytes(b"y")
        yield store


def test_sweep_removes_what_killed_writers_left_and_nothing_else(abandoned: Store) -> None:
    assert abandoned.sweep() == 2
    (folder,) = [p for p in (abandoned.root / "temp").iterdir() if p.is_dir()]
    assert (folder / "mine").read_bytes() == b"y"
    assert leftovers(abandoned) == [folder.name, f"{folder.name}.lock"]
    assert Store(abandoned.root).sweep() == 0


# -- damage ------------------------------------------------------------------------------------------------------------------


def test_check_finds_a_flipped_byte_a_missing_and_an_added_file(store: Store) -> None:
    store.put("r-1", small(), {"kind": "result"})
    folder = store.path("r-1")
    chunk = next(p for p in (folder / "x" / "c").rglob("*") if p.is_file())
    assert store.check("r-1") == []
    whole = chunk.read_bytes()
    chunk.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert store.check("r-1") == [f"r-1: {chunk.relative_to(folder).as_posix()} was changed after it was written."]
    chunk.unlink()
    assert store.check("r-1") == [f"r-1: {chunk.relative_to(folder).as_posix()} is missing."]
    chunk.write_bytes(whole)
    (folder / "x" / "c" / "7").write_bytes(b"")
    assert store.check("r-1") == ["r-1: x/c/7 was added after it was written."]


def test_check_of_a_damaged_manifest_and_of_nothing(store: Store) -> None:
    store.put("r-1", small(), {})
    (store.path("r-1") / "manifest.json").write_text("{", encoding="ascii")
    assert store.check("r-1") == ["r-1: its manifest is missing or unreadable."]
    assert store.check("r-2") == ["r-2: the workspace does not have it."]


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "format").write_text("99\n", encoding="ascii")
    with pytest.raises(StoreError, match="format 99; this program knows up to") as caught:
        Store(tmp_path / "ws")
    assert caught.value.hint == "Update the program."
    assert [p.name for p in (tmp_path / "ws").iterdir()] == ["format"]


def test_a_folder_that_is_no_workspace_and_one_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "format").write_text("docx", encoding="ascii")
    with pytest.raises(StoreError, match="does not hold a version number"):
        Store(tmp_path / "ws")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "file" / "below")


def test_many_programs_may_start_on_a_new_folder_at_once(tmp_path: Path) -> None:
    failed = []

    def start() -> None:
        try:
            Store(tmp_path / "ws")
        except StoreError as err:
            failed.append(err)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failed == []
    assert not list((tmp_path / "ws").glob("format.*"))


# -- edits and originals -------------------------------------------------------------------------------------------------------


def lasso(*labels: str, note: str = "") -> xr.Dataset:
    ds = xr.Dataset({"inside": ("point", np.arange(len(labels)), {"units": "1"})}, attrs={"schema": "test.lasso", "tool": note})
    return ds.assign(label=("point", np.array(labels, dtype=object), {"units": ""}))


def test_an_edit_lies_under_its_content(store: Store) -> None:
    key = store.put_edit(lasso("a", "b"), author="N. N.", note="first")
    assert key.startswith("e-")
    assert store.put_edit(lasso(*(x for x in "ab")), author="another") == key
    others = [
        store.put_edit(lasso("a", "c")),
        store.put_edit(lasso("a", "b", note="brush")),
        store.put_edit(lasso("a", "b"), previous=key),
        store.put_edit(lasso("a", "b").rename(label="text")),
        store.put_edit(lasso("a", "b").assign_attrs(schema="test.other")),
        store.put_edit(lasso("a", "b").set_coords("label")),
    ]
    assert len({key, *others}) == 7
    record = store.provenance(key)
    assert (record["kind"], record["author"], record["note"], record["previous"]) == ("edit", "N. N.", "first", "")
    assert store.provenance(others[2])["previous"] == key
    assert Store(store.root).open(key)["label"].values.tolist() == ["a", "b"]
    assert all(store.check(k) == [] for k in (key, *others))


def test_the_key_of_an_edit_does_not_depend_on_where_its_text_lies_in_memory(store: Store) -> None:
    once, again = ("".join(["not", "ched"]) for _ in range(2))
    assert once is not again
    assert store.put_edit(lasso(once)) == store.put_edit(lasso(again))


def test_an_edit_does_not_load_the_callers_lazy_arrays(store: Store) -> None:
    ds = xr.Dataset({"x": ("p", da.arange(3, chunks=2), {"units": "1"})}, attrs={"schema": "s"})
    store.put_edit(ds)
    assert isinstance(ds["x"].data, da.Array)


def test_an_original_is_kept_once_under_its_hash(store: Store, tmp_path: Path) -> None:
    (tmp_path / "cell 1.mpr").write_bytes(b"BIO-LOGIC")
    (tmp_path / "copy.mpr").write_bytes(b"BIO-LOGIC")
    sha256, place = store.keep_original(tmp_path / "cell 1.mpr")
    assert place.read_bytes() == b"BIO-LOGIC"
    assert place.name == "cell 1.mpr"
    assert store.keep_original(tmp_path / "copy.mpr") == (sha256, place)
    assert leftovers(store) == []


def test_a_file_that_grows_while_it_is_imported(store: Store, tmp_path: Path) -> None:
    (tmp_path / "running.csv").write_bytes(b"1,2\n")
    with pytest.raises(ReadError, match=r"running\.csv changed while it was imported"):
        store.keep_original(tmp_path / "running.csv", sha256="0" * 64)
    assert list((store.root / "raw").rglob("*.csv")) == []
    assert leftovers(store) == []


def test_the_entry_is_readable_json_and_zarr(store: Store) -> None:
    """Other programs read a workspace: zarr 3 with consolidated metadata, and two JSON files."""
    store.put("r-1", small(), {"kind": "result", "recipe": "a.b"})
    folder = store.path("r-1")
    meta = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
    assert meta["zarr_format"] == 3
    assert "x" in meta["consolidated_metadata"]["metadata"]
    assert set(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))) >= {"zarr.json", "x/zarr.json", "interplay.json"}


@pytest.mark.parametrize(
    ("chunk", "blocks", "stored"),
    [
        ((24, 512, 512), (11, 1, 1), (24, 64, 128)),
        ((25, 512, 512), (11, 1, 1), (25, 64, 128)),
        ((16, 513, 2000), (4, 1, 1), (16, 129, 125)),
        ((3, 2001, 2001), (1, 2, 2), (1, 2001, 2001)),  # odd sizes with a neighbour stay whole
    ],
)
def test_large_chunks_are_cut_evenly(chunk: tuple[int, ...], blocks: tuple[int, ...], stored: tuple[int, ...]) -> None:
    assert _divided(chunk, blocks) == stored
    assert all(b == 1 or c % s == 0 for c, s, b in zip(chunk, stored, blocks, strict=True))


def test_a_map_of_large_chunks_is_stored_in_small_ones(store: Store) -> None:
    values = np.random.default_rng(0).random((40, 300, 600), dtype=np.float32)
    ds = xr.Dataset({"v": (("z", "y", "x"), da.from_array(values, chunks=(24, 300, 600)))})
    store.put("r-large", ds, {})
    stored = store.open("r-large", chunked=True)["v"]
    assert max(map(math.prod, itertools.product(*stored.chunks))) <= 1 << 18
    assert np.array_equal(stored.values, values)
