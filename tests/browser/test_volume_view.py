"""3D views in a real browser: surface, cut plane, shell, linked cameras, the saved picture."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
import numpy as np
import pytest
import xarray as xr
from conftest import box_of
from dash import html
from PIL import Image
from playwright.sync_api import expect

from analysis.surface import make_surface, plan_surface
from analysis.viewform import make_view
from components.context import theme
from components.volume_view import solid, volume_view
from tests import volumes

VIEW, OTHER = "solid", "other"
Z, Y, X = volumes.SHAPE
WAIT_MS = 30_000
GROUNDS = {"light": (244, 246, 248), "dark": (12, 14, 18)}


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, empty_server: Any) -> Iterator[Callable[..., Any]]:
    """``serve(make)`` gives a server whose only page is what ``make(keys)`` lays out."""
    server = type(empty_server)(tmp_path_factory.mktemp("volumes") / "study")
    store = server.context.workspace.store
    address = np.where(volumes.ball(radius=15), volumes.ramp(), np.nan)
    space = ("z", "y", "x")
    ds = xr.Dataset(
        {"address": (space, address, {"units": "1", "title": "Address"}), "mask": (space, volumes.ball(radius=18), {"units": "1"})},
        attrs={"voxel_um": 0.05},
    )
    store.put("d-solid", ds, {"kind": "dataset"})
    forms = {v: make_view(store, {"source": "d-solid", "variable": v}) for v in ("address", "mask")}
    keys = {
        "inner": make_surface(store, plan_surface(store, forms["address"], forms["address"]).payload),
        "outer": make_surface(store, plan_surface(store, forms["mask"], faces=2000).payload),
    }

    def serving(make: Callable[[dict[str, str]], list[Any]]) -> Any:
        server.app.layout = lambda: dmc.MantineProvider([html.H1("3D"), *make(keys)], forceColorScheme=theme())
        return server

    yield serving
    server.close()


def box(*children: Any) -> Any:
    return html.Div(list(children), style={"height": 420})


def one(**options: Any) -> Callable[[dict[str, str]], list[Any]]:
    return lambda keys: [
        box(volume_view(VIEW, solid(keys["inner"], **{k: keys.get(v, v) if k == "shell" else v for k, v in options.items()})))
    ]


def ready(page: Any, view: str = VIEW) -> None:
    script = """async ([id, limit]) => { const end = performance.now() + limit;
      const frame = () => new Promise(r => requestAnimationFrame(r));
      for (;;) { const v = window.volumeViews?.get(id);
        const drawn = () => v?.scene && v.meta && !v.frame && Boolean(v.cut) === Boolean(v.scene.cutting);
        if (drawn()) { await frame(); await frame(); if (drawn()) return true; }
        if (performance.now() > end) return false;
        await frame(); } }"""
    assert page.evaluate(script, [view, WAIT_MS])


def opened(open_page: Any, server: Any, **options: Any) -> Any:
    page = open_page(server.url, **options)
    expect(page.locator(".volume-stage").first).to_be_visible(timeout=WAIT_MS)
    ready(page)
    return page


def order(page: Any, **changes: Any) -> None:
    page.evaluate("([view, data]) => dash_clientside.set_props({part: 'volume-order', view}, {data})", [VIEW, changes])
    page.wait_for_timeout(300)
    ready(page)


def picture(page: Any, view: str = VIEW) -> np.ndarray:
    """What is drawn, shape (rows, columns, 3), from the middle of the stage outward."""
    from io import BytesIO

    shot = page.locator(f'[data-view="{view}"] .volume-stage canvas').screenshot()
    return np.asarray(Image.open(BytesIO(shot)).convert("RGB")).astype(int)


def pixels_a_um(page: Any) -> float:
    script = "id => { const v = window.volumeViews.get(id); return v.stage.clientHeight / (2 * v.scene.camera.getParallelScale()); }"
    return float(page.evaluate(script, VIEW))


def camera(page: Any, view: str = VIEW) -> list[float]:
    return list(page.evaluate("id => { const p = window.volumeViews.get(id).scene.pose(); return [...p.position, p.scale]; }", view))


def viridis(t: float) -> np.ndarray:
    from plotly.colors import sample_colorscale

    return np.array([int(v) for v in sample_colorscale("Viridis", [t])[0][4:-1].split(",")])


def test_a_cut_shows_the_slice_where_its_voxels_are(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one(cut={"axis": "z", "index": Z // 2})))
    low, high = 10000.0 * 20 + 100 * 10, 10000.0 * 20 + 100 * 38
    order(page, side="xy", low=low, high=high)
    found = picture(page)
    scale = pixels_a_um(page)
    middle = np.array(found.shape[:2]) / 2
    for row, col in ((14, 28), (34, 28), (24, 18), (24, 38)):
        at = (middle + (np.array([row, col]) + 0.5 - np.array([Y, X]) / 2) * 0.05 * scale).astype(int)
        want = viridis(np.clip((200000 + 100 * row + col - low) / (high - low), 0, 1))
        assert np.abs(found[at[0], at[1]] - want).max() <= 12, (row, col)
    assert tuple(found[4, 4]) == GROUNDS["light"]


@pytest.mark.long
@pytest.mark.parametrize(("axis", "side", "rows"), [("y", "xz", "z"), ("x", "yz", "z")])
def test_cuts_along_the_other_axes_face_their_side(serve: Any, open_page: Any, axis: str, side: str, rows: str) -> None:
    """Along z, which both have as rows downward, the address grows by 10000 a voxel: the top is low, the bottom high."""
    page = opened(open_page, serve(one(cut={"axis": axis, "index": 24 if axis == "y" else 28})))
    order(page, side=side, low=60_000.0, high=340_000.0)
    found = picture(page)
    middle = np.array(found.shape[:2]) // 2
    scale = pixels_a_um(page)
    for z in (10, 20, 30):
        at = int(middle[0] + (z + 0.5 - Z / 2) * 0.05 * scale)
        want = viridis((10000 * z + 2428 - 60_000) / 280_000)
        assert np.abs(found[at, middle[1] + 3] - want).max() <= 12, z


@pytest.mark.long
def test_the_brush_lights_up_a_range(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one(cut={"axis": "z", "index": 20})))
    order(page, side="xy", brush={"low": 200_000 + 2800, "high": 400_000})
    found = picture(page)
    middle = np.array(found.shape[:2]) // 2
    assert np.abs(found[middle[0] + 40, middle[1]] - (255, 51, 102)).max() <= 12
    assert np.ptp(found[middle[0] - 40, middle[1]]) < 60  # greyed
    order(page, brush=None)
    assert np.ptp(picture(page)[middle[0] - 40, middle[1]]) > 60


@pytest.mark.long
def test_shell_controls_and_note(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one(shell="outer", caption="coated-1 (synthetic)")), theme="dark")
    ground = np.array(GROUNDS["dark"])
    seen = (np.abs(picture(page) - ground).max(axis=2) > 6).sum()
    page.get_by_role("button", name="shell").click()
    page.wait_for_timeout(300)
    bare = (np.abs(picture(page) - ground).max(axis=2) > 6).sum()
    assert seen > 1.2 * bare > 0
    expect(page.locator(".volume-stage .image-title")).to_have_text("coated-1 (synthetic)")
    expect(page.locator(".volume-view .image-read")).to_contain_text("triangles")
    page.get_by_label("Cut plane").select_option("y")
    ready(page)
    assert page.evaluate(f"window.volumeViews.get('{VIEW}').cut") == {"axis": "y", "index": Y // 2, "flip": False}
    page.get_by_label("Place of the cut").fill("30")
    page.get_by_role("button", name="other side").click()
    ready(page)
    assert page.evaluate(f"window.volumeViews.get('{VIEW}').cut") == {"axis": "y", "index": 30, "flip": True}


def test_linked_cameras_turn_together_and_keys_turn_them(serve: Any, open_page: Any) -> None:
    page = opened(
        open_page, serve(lambda keys: [box(volume_view(v, solid(keys["inner"], link="pair"))) for v in (VIEW, OTHER)]), height=1000
    )
    ready(page, OTHER)
    assert camera(page) == pytest.approx(camera(page, OTHER))
    start = camera(page)
    stage = box_of(page.locator(f'[data-view="{OTHER}"] .volume-stage'))
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 20, steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)
    turned = camera(page)
    assert np.abs(np.array(turned) - start).max() > 0.3
    assert turned == pytest.approx(camera(page, OTHER))
    page.locator(f'[data-view="{VIEW}"] .volume-stage').focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    page.wait_for_timeout(300)
    assert camera(page)[3] < turned[3]
    assert camera(page) == pytest.approx(camera(page, OTHER))


def test_the_picture_is_saved_with_its_colour_bar(serve: Any, open_page: Any, tmp_path: Path) -> None:
    page = opened(open_page, serve(one()))
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    download.value.save_as(tmp_path / "solid.png")
    saved = np.asarray(Image.open(tmp_path / "solid.png").convert("RGB")).astype(int)
    wide = page.evaluate(f"window.volumeViews.get('{VIEW}').stage.clientWidth")
    assert saved.shape[1] > wide + 60
    bar = saved[72 + 1 : 72 + saved.shape[0] // 2 - 2, wide + 24 + 8]
    assert np.abs(bar[0] - viridis(1.0)).max() <= 6 and np.abs(bar[-1] - viridis(0.0)).max() <= 6
    assert saved[:, :wide].std() > 10


@pytest.mark.long
def test_follow_takes_range_and_crosshair(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one()))
    seen = {"index": {"z": 12, "y": 1, "x": 2}, "energy": 0, "base": {"low": 1, "high": 2, "colours": "grey"}, "overlay": None}
    made = page.evaluate("seen => dash_clientside.volume.follow(seen)", seen)
    assert made == {"low": 1, "high": 2, "colours": "grey", "cut": {"axis": "z", "index": 12}}


@pytest.mark.long
def test_without_webgl_and_without_a_surface_it_says_so(serve: Any, chromium: Any) -> None:
    gone = solid("r-" + "0" * 32)
    for script, sentence in (
        ("HTMLCanvasElement.prototype.getContext = () => null;", "WebGL 2 is missing"),
        ("", "no such surface"),
    ):
        server = serve(one() if script else (lambda _: [box(volume_view(VIEW, gone))]))
        context = chromium.new_context()
        page = context.new_page()
        page.add_init_script(script)
        page.goto(server.url)
        expect(page.locator(".volume-view .image-message")).to_contain_text(sentence, timeout=WAIT_MS)
        context.close()
