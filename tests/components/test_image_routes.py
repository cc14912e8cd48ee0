"""Slices by HTTP: their bytes and headers, and what does not exist."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from analysis.core.jobs import Inline, Jobs
from analysis.viewform import make_view
from analysis.workspace import Workspace
from components import slabs as slab_module
from components.context import CONFIG, Context
from components.image_routes import images
from components.image_view import region, shown, view_of
from components.slabs import Slabs
from tests import volumes

Z, Y, X = volumes.SHAPE


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FlaskClient, dict[str, str], Flask]]:
    """A client, the keys of the view forms of a volume, and the app."""
    workspace = Workspace(tmp_path_factory.mktemp("images") / "study")
    source = volumes.put(workspace.store)
    keys = {v: make_view(workspace.store, {"source": source, "variable": v}) for v in ("address", "edge_energy", "labels", "mu", "picture")}
    app = Flask("test")
    app.config[CONFIG] = Context(workspace, Jobs(workspace.store, Inline()), ())
    app.register_blueprint(images)
    yield app.test_client(), keys, app
    workspace.catalog.close()


def read(answer: Any) -> np.ndarray:
    """The values of a slice as its headers say."""
    bits = len(answer.data) // int(np.prod([int(n) for n in answer.headers["X-Slice-Shape"].split(",")])) * 8
    codes = np.frombuffer(answer.data, "<u2" if bits == 16 else "u1").reshape([int(n) for n in answer.headers["X-Slice-Shape"].split(",")])
    scale, offset = (float(answer.headers[f"X-Slice-{n}"]) for n in ("Scale", "Offset"))
    return np.where(codes == 0, np.nan, offset + scale * codes.astype(float))


@pytest.mark.parametrize(("axis", "index"), [("z", 0), ("z", Z - 1), ("y", 7), ("x", X - 1)])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_slice_is_the_volume_cut_there(pictured: Any, axis: str, index: int, bits: int) -> None:
    client, keys, _ = pictured
    answer = client.get(f"/slice/{keys['address']}/address/0/{axis}/{index}?bits={bits}")
    assert answer.status_code == 200
    want = np.take(volumes.ramp(), index, "zyx".index(axis))
    assert answer.headers["X-Slice-Shape"] == f"{want.shape[0]},{want.shape[1]}"
    assert len(answer.data) == want.size * bits // 8
    assert np.abs(read(answer) - want).max() <= volumes.ramp().max() / (254 if bits == 8 else 65534)
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.mimetype == "application/octet-stream"


def test_8_bits_spread_over_a_range_are_sharper_in_it(pictured: Any) -> None:
    client, keys, _ = pictured
    at = f"/slice/{keys['edge_energy']}/edge_energy/0/z/20?bits=8"
    want = read(client.get(at.replace("bits=8", "bits=16")))
    whole, part = read(client.get(at)), read(client.get(f"{at}&low=30001&high=36000"))
    assert (np.isnan(whole) == np.isnan(want)).all() and (np.isnan(part) == np.isnan(want)).all() and np.isnan(want).any()
    known = (want > np.nanmin(part) + 0.02) & (want < np.nanmax(part) - 0.02)
    assert np.abs(part - want)[known].max() < np.nanmax(np.abs(whole - want)[known]) / 5


def test_levels_layers_and_pictures(pictured: Any) -> None:
    client, keys, _ = pictured
    assert read(client.get(f"/slice/{keys['mu']}/mu/0/z/3?energy=2"))[4, 5] == pytest.approx(2 + 0.030405, abs=1e-4)
    flat = client.get(f"/slice/{keys['picture']}/picture/0/z/0")
    assert np.abs(read(flat) - volumes.ramp()[0]).max() <= 0.5
    said = client.get(f"/slice/{keys['mu']}/mu/meta")
    assert said.get_json()["layers"]["values"] == list(volumes.ENERGIES)
    assert said.get_json()["key"] == keys["mu"]
    assert "immutable" in said.headers["Cache-Control"]
    labels = client.get(f"/slice/{keys['labels']}/labels/0/z/20?bits=8&low=1&high=255")
    assert set(np.unique(read(labels))) == {0.0, 1.0, 2.0}


@pytest.mark.parametrize(
    "address",
    [
        "/slice/r-00000000000000000000000000000000/address/0/z/0",  # not there
        "/slice/d-volume/address/0/z/0",  # a dataset
        "/slice/../address/0/z/0",
        "/slice/r-..%2F..%2F..%2Fetc/address/0/z/0",
        "/slice/{key}/other/0/z/0",
        "/slice/{key}/..%2Faddress/0/z/0",
        "/slice/{key}/address/1/z/0",
        "/slice/{key}/address/-1/z/0",
        "/slice/{key}/address/0/w/0",
        "/slice/{key}/address/0/zy/0",
        f"/slice/{{key}}/address/0/z/{Z}",
        "/slice/{key}/address/0/z/99999999999999999999999",
        "/slice/{key}/address/0/z/0?energy=1",
        "/slice/{key}/address/0/z/0?energy=-1",
        "/slice/{key}/address/0/z/0?energy=8333.1",
        "/slice/{key}/address/0/z/0?bits=32",
        "/slice/{key}/address/0/z/0?bits=8&low=9&high=9",
        "/slice/{key}/address/0/z/0?bits=8&high=70000",
        "/slice/{key}/address/0/z/0?bits=8&low=٣",
        "/slice/{flat}/picture/0/y/0",
        "/slice/{key}/other/meta",
    ],
)
def test_what_does_not_exist_is_404(pictured: Any, address: str) -> None:
    client, keys, _ = pictured
    answer = client.get(address.format(key=keys["address"], flat=keys["picture"]))
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_a_sentence_stays_text(pictured: Any) -> None:
    client, keys, _ = pictured
    answer = client.get(f"/slice/{keys['address']}/<b>x/0/z/0")
    assert answer.mimetype == "text/plain" and b"<b>" not in answer.data


def test_slices_are_packed_only_where_they_travel(pictured: Any) -> None:
    client, keys, _ = pictured
    at = f"/slice/{keys['edge_energy']}/edge_energy/0/z/1"
    here = client.get(at, headers={"Accept-Encoding": "gzip", "Host": "127.0.0.1:8050"})
    away = client.get(at, headers={"Accept-Encoding": "gzip", "Host": "lab.example:8050"})
    assert "Content-Encoding" not in here.headers
    assert away.headers["Content-Encoding"] == "gzip" and gzip.decompress(away.data) == here.data
    assert "Content-Encoding" not in client.get(at, headers={"Accept-Encoding": "", "Host": "lab.example"}).headers
    assert away.headers["Vary"] == "Accept-Encoding"


def test_the_policy_of_the_server_is_unchanged(tmp_path: Path) -> None:
    from app import create_app

    app = create_app(tmp_path / "study", pool=False)
    source = volumes.put(app.server.config[CONFIG].workspace.store)
    key = make_view(app.server.config[CONFIG].workspace.store, {"source": source, "variable": "labels"})
    client = app.server.test_client()
    page, answer = client.get("/"), client.get(f"/slice/{key}/labels/0/z/0")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == page.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "vtk" not in page.text
    app.server.config[CONFIG].jobs.close()


def test_slabs_keep_within_their_limit_and_are_unpacked_once(pictured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, keys, app = pictured
    folder = app.config[CONFIG].workspace.store.path(keys["mu"])
    unpacked: list[Any] = []
    real = slab_module._unpacked
    monkeypatch.setattr(slab_module, "_unpacked", lambda slab: (unpacked.append(slab), real(slab))[1])
    one = Z * Y * X * 2
    kept = Slabs(2 * one)
    threads = [threading.Thread(target=kept.plane, args=(folder, 0, 0, 0, i)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(unpacked) == 1
    for layer in (1, 2, 3):
        kept.plane(folder, 0, layer, 0, 0)
    assert kept.held <= 2 * one and len(unpacked) == 4
    kept.plane(folder, 0, 3, 0, 9)
    kept.plane(folder, 0, 0, 0, 9)
    assert len(unpacked) == 5


def test_the_next_slab_is_unpacked_when_the_middle_of_one_was_passed(tmp_path: Path) -> None:
    from analysis.core.store import Store

    store = Store(tmp_path / "study")
    volumes.put(store, shape=(150, 20, 20))
    folder = store.path(make_view(store, {"source": "d-volume", "variable": "address"}))
    kept = Slabs(1 << 30)
    first = slab_module.Slab(str(folder), 0, 0, 0, 0)
    for index in (30, 20):
        kept.plane(folder, 0, 0, 0, index)
    kept._ahead.shutdown(wait=True)
    assert list(kept._kept) == [first]  # there is none before the first
    kept = Slabs(1 << 30)
    for index in (31, 33):
        kept.plane(folder, 0, 0, 0, index)
    kept._ahead.shutdown(wait=True)
    assert list(kept._kept) == [first, first._replace(number=1)]


def test_a_surface_comes_as_one_block_of_numbers(pictured: Any) -> None:
    from analysis.surface import make_surface, plan_surface

    client, keys, app = pictured
    store = app.config[CONFIG].workspace.store
    key = make_surface(store, plan_surface(store, keys["labels"], keys["edge_energy"]).payload)
    answer = client.get(f"/mesh/{key}/surface")
    vertices, faces = map(int, answer.headers["X-Mesh"].split(","))
    assert len(answer.data) == 28 * vertices + 12 * faces
    points = np.frombuffer(answer.data, "<f4", 3 * vertices).reshape(-1, 3)
    triangles = np.frombuffer(answer.data, "<u4", 3 * faces, 28 * vertices)
    assert (points == store.open(key)["point"].to_numpy()).all()
    assert triangles.max() == vertices - 1
    assert "immutable" in answer.headers["Cache-Control"]
    said = client.get(f"/mesh/{key}/meta").get_json()
    assert (said["faces"], said["key"], said["colour_key"]) == (faces, key, keys["edge_energy"])
    for missing in ("r-" + "0" * 32, "d-volume", "..", keys["labels"], "r-..%2F..%2Fetc"):
        assert [client.get(f"/mesh/{missing}/{part}").status_code for part in ("meta", "surface")] == [404, 404]
    assert client.get(f"/slice/{key}/point/0/z/0").status_code == 404


def test_surfaces_are_made_at_once_or_as_a_job(pictured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis import surface
    from components.volume_view import surface_for

    _, keys, app = pictured
    with app.app_context():
        key, status = surface_for(keys["labels"])
        assert key is not None and status is None
        monkeypatch.setattr(surface, "INLINE_VOXELS", 10)
        again, _ = surface_for(keys["labels"], faces=500)
        assert again is not None and again != key
        assert surface.surface_of(app.config[CONFIG].workspace.store, again)["faces"] <= 520


def test_view_forms_of_small_variables_are_there_at_once(pictured: Any) -> None:
    _, keys, app = pictured
    with app.app_context():
        made, status = view_of("d-volume", "address")
        assert (made, status) == ({"key": keys["address"], "variable": "address"}, None)


def test_large_ones_are_a_job(pictured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis import viewform

    _, _, app = pictured
    monkeypatch.setattr(viewform, "INLINE_VOXELS", 10)
    with app.app_context():
        made, status = view_of("d-volume", "address", kind="labels")  # the inline executor has run it when this returns
        assert made is not None and status is None
        assert app.config[CONFIG].workspace.store.has(made["key"])


def test_a_lasso_from_a_browser_is_checked() -> None:
    from analysis.core.errors import DataError

    good = {"rows": "z", "columns": "x", "polygon": [[0, 0], [0, 4], [4, 4], [4, 0]]}
    assert region(good, {"z": 10, "y": 5, "x": 8}).sum() == 16
    for bad in ({}, {**good, "rows": "q"}, {**good, "polygon": [["a", 1]]}, {**good, "polygon": "no"}, {**good, "polygon": [[1, 2]]}):
        with pytest.raises(DataError):
            region(bad, {"z": 10, "y": 5, "x": 8})
    with pytest.raises(DataError):
        shown({"key": "r-1", "variable": "a"}, axes=("q",))
