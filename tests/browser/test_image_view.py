"""Slices in a real browser: what is drawn, scrubbed, clicked, brushed and drawn around."""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
import numpy as np
import pytest
from dash import Input, Output, callback, html
from PIL import Image
from playwright.sync_api import expect

from analysis.viewform import make_view
from components.context import theme
from components.image_view import event_id, image_view, seen_id, shown
from tests import volumes

VIEW, OTHER = "one", "two"
Z, Y, X = volumes.SHAPE
WAIT_MS = 20_000
ACCENT = (255, 51, 102)
GROUNDS = {"light": (244, 246, 248), "dark": (12, 14, 18)}


@callback(Output("test-event", "children"), Input(event_id(VIEW), "data"))
def heard(event: dict[str, Any] | None) -> str:
    return json.dumps(event)


@callback(Output("test-seen", "children"), Input(seen_id(VIEW), "data"))
def looked(seen: dict[str, Any] | None) -> str:
    return json.dumps(seen)


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, empty_server: Any) -> Iterator[Callable[..., Any]]:
    """``serve(make)`` gives a server whose only page is what ``make(sources)`` lays out."""
    server = type(empty_server)(tmp_path_factory.mktemp("images") / "study")
    store = server.context.workspace.store
    source = volumes.put(store)
    names = ("address", "edge_energy", "labels", "mu", "picture")
    sources = {n: {"key": make_view(store, {"source": source, "variable": n}), "variable": n} for n in names}

    def serving(make: Callable[[dict[str, Any]], list[Any]]) -> Any:
        def layout() -> Any:
            texts = [html.Pre(id="test-event"), html.Pre(id="test-seen")]
            return dmc.MantineProvider([html.H1("Images"), *make(sources), html.Div(texts, hidden=True)], forceColorScheme=theme())

        server.app.layout = layout
        return server

    yield serving
    server.close()


def box(*children: Any) -> Any:
    return html.Div(list(children), style={"height": 460})


def one(base: str, **options: Any) -> Callable[[dict[str, Any]], list[Any]]:
    """A page of one view; ``overlay`` and ``mask`` by name."""

    def make(sources: dict[str, Any]) -> list[Any]:
        named = {k: sources[v] if k in ("overlay", "mask") else v for k, v in options.items()}
        return [box(image_view(VIEW, shown(sources[base], **named)))]

    return make


def ready(page: Any, view: str = VIEW) -> None:
    """Wait until every pane of a view shows its slice in its final bits."""
    script = """async ([id, limit]) => { const end = performance.now() + limit;
      const frame = () => new Promise(r => requestAnimationFrame(r));
      for (;;) { const v = window.imageViews?.get(id);
        const panes = v?.meta && v.state.zoom > 0 ? v.panes : [];
        const wanted = (p, r) => v.slots.wanted(p, r, window.imageParts.data.bits(v.metas[r], false), p.level(v.metas[r].levels));
        const done = p => Object.keys(v.metas).every(r => v.slots.of(p, r).slice?.address === wanted(p, r));
        if (panes.length && !v.scrubbing && panes.every(done)) { await frame(); await frame(); return true; }
        if (performance.now() > end) return false;
        await frame(); } }"""
    assert page.evaluate(script, [view, WAIT_MS])


def opened(open_page: Any, server: Any, **options: Any) -> Any:
    page = open_page(server.url, **options)
    expect(page.locator(".image-pane").first).to_be_visible(timeout=WAIT_MS)
    ready(page)
    return page


def idle(page: Any) -> None:
    """Wait until the neighbours are here too."""
    script = """async limit => { const end = performance.now() + limit; const s = window.imageParts.slices;
      while (s.early || s.urgent || [...s.next.values()].some(l => l.length)) {
        if (performance.now() > end) return false;
        await new Promise(r => setTimeout(r, 20)); }
      return true; }"""
    assert page.evaluate(script, WAIT_MS)


def order(page: Any, **changes: Any) -> None:
    """What a page's callback would write into the view's order."""
    script = "([view, data]) => dash_clientside.set_props({part: 'image-order', view}, {data})"
    page.evaluate(script, [VIEW, changes])
    page.wait_for_timeout(60)
    ready(page)


def pane(page: Any, axis: str, view: str = VIEW) -> Any:
    script = "([id, axis]) => window.imageViews.get(id).panes.findIndex(p => p.axis === axis)"
    return page.locator(f'[data-view="{view}"] .image-pane').nth(page.evaluate(script, [view, axis]))


def state(page: Any, view: str = VIEW) -> dict[str, Any]:
    return dict(page.evaluate("id => window.imageViews.get(id).state", view))


def place(page: Any, axis: str, col: float, row: float) -> tuple[float, float]:
    """Where a voxel coordinate is in the window."""
    script = """([id, axis, at]) => { const p = window.imageViews.get(id).panes.find(p => p.axis === axis);
      const b = p.element.getBoundingClientRect(); const [x, y] = p.screen(at); return [b.left + x, b.top + y]; }"""
    x, y = page.evaluate(script, [VIEW, axis, [col, row]])
    return x, y


def voxel(page: Any, axis: str, x: float, y: float) -> tuple[float, float]:
    """Column and row in voxels of a place in the window."""
    script = """([id, axis, x, y]) => { const p = window.imageViews.get(id).panes.find(p => p.axis === axis);
      const b = p.element.getBoundingClientRect(); return p.voxel(x - b.left, y - b.top); }"""
    col, row = page.evaluate(script, [VIEW, axis, x, y])
    return col, row


def colour(page: Any, axis: str, col: int, row: int) -> tuple[int, ...]:
    """The drawn colour of the middle of a voxel."""
    x, y = place(page, axis, col + 0.5, row + 0.5)
    script = """([id, x, y]) => { const v = window.imageViews.get(id); const b = v.canvas.getBoundingClientRect(); const gl = v.painter.gl;
      const out = new Uint8Array(4); const k = window.devicePixelRatio;
      gl.readPixels(Math.floor((x - b.left) * k), v.canvas.height - 1 - Math.floor((y - b.top) * k), 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, out);
      return [...out].slice(0, 3); }"""
    return tuple(page.evaluate(script, [VIEW, x, y]))


def value(page: Any, axis: str, col: int, row: int, role: str = "base") -> float:
    """What the view says of the middle of a voxel."""
    script = """([id, axis, role, at]) => { const v = window.imageViews.get(id);
      return v.slots.value(v.panes.find(p => p.axis === axis), role, at); }"""
    return float(page.evaluate(script, [VIEW, axis, role, [col + 0.5, row + 0.5]]))


def event(page: Any, kind: str) -> dict[str, Any]:
    """The last event, as the server heard it."""
    text = page.locator("#test-event")
    expect(text).to_contain_text(f'"type": "{kind}"', timeout=WAIT_MS)
    return dict(json.loads(text.text_content()))


def viridis(t: float) -> np.ndarray:
    from plotly.colors import sample_colorscale

    return np.array([int(v) for v in sample_colorscale("Viridis", [t])[0][4:-1].split(",")])


def test_three_slices_show_the_values_of_their_voxels(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("address")))
    assert state(page)["index"] == {"z": Z // 2, "y": Y // 2, "x": X // 2}
    step = (10000 * (Z - 1) + 100 * (Y - 1) + X - 1) / 65534
    for axis, col, row, address in (("z", 3, 5, (20, 5, 3)), ("y", 50, 7, (7, 24, 50)), ("x", 40, 39, (39, 40, 28))):
        want = 10000 * address[0] + 100 * address[1] + address[2]
        assert abs(value(page, axis, col, row) - want) <= step
    low, high = (page.evaluate(f"window.imageViews.get('{VIEW}').looks.base.{e}") for e in ("low", "high"))
    for row in (2, 20, 37):
        t = np.clip((10000 * row + 2400 + 10 - low) / (high - low), 0, 1)
        assert np.abs(np.array(colour(page, "y", 10, row)) - viridis(t)).max() <= 4
    assert page.evaluate("document.querySelectorAll('.image-bar').length") == 3


def test_a_click_moves_the_crosshair_of_all_and_tells_the_voxel(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("address")))
    page.mouse.click(*place(page, "z", 12.5, 33.5))
    told = event(page, "voxel")
    assert (told["z"], told["y"], told["x"]) == (20, 33, 12)
    assert abs(told["value"] - (10000 * 20 + 3300 + 12)) < 10000  # 8 bits may still be on the screen
    assert told["variable"] == "address"
    ready(page)
    assert state(page)["index"] == {"z": 20, "y": 33, "x": 12}
    expect(pane(page, "y")).to_have_attribute("aria-label", f"Address, slice y 33 (0–{Y - 1})")
    expect(pane(page, "x")).to_have_attribute("aria-label", f"Address, slice x 12 (0–{X - 1})")
    assert round(value(page, "x", 4, 6), -1) == 10000 * 6 + 400 + 10  # its column 4, row 6 is y 4, z 6


@pytest.mark.long
def test_the_crosshair_can_be_dragged(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("address")))
    page.mouse.move(*place(page, "z", X // 2 + 0.5, Y // 2 + 0.5))
    page.mouse.down()
    page.mouse.move(*place(page, "z", 10.5, 8.5), steps=6)
    page.mouse.up()
    ready(page)
    assert state(page)["index"] == {"z": 20, "y": 8, "x": 10}


def test_scrubbing_asks_for_bytes_and_rest_for_words(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("address")))
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/slice/" in r.url else None)
    pane(page, "z").focus()
    for _ in range(6):
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(20)
    ready(page)
    assert state(page)["index"]["z"] == Z // 2 + 6
    along = [u for u in asked if "/z/" in u]
    assert sum("bits=16" in u for u in along) == 1  # the last one, at rest
    assert sum("bits=8" in u for u in along) >= 6
    assert [u for u in asked if "bits=16" in u and "/z/" not in u] == []  # the others did not move
    page.keyboard.press("End")
    ready(page)
    assert state(page)["index"]["z"] == Z - 1
    page.get_by_label("Slice along z").fill("4")
    ready(page)
    assert round(value(page, "z", 0, 0), -2) == 40000


@pytest.mark.long
def test_window_by_percentiles_by_hand_and_by_drag(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("edge_energy", axes=("z",))))
    looks = lambda: page.evaluate(f"window.imageViews.get('{VIEW}').looks.base")  # noqa: E731
    page.get_by_label("Edge energy: range").select_option(label="5–95 %")
    inside = 8340 + 10 * np.broadcast_to(np.arange(X), volumes.SHAPE)[volumes.ball()] / X
    low, high = np.percentile(inside, [5, 95])
    assert abs(looks()["low"] - low) < 0.01 and abs(looks()["high"] - high) < 0.01
    page.get_by_label("Edge energy: low end of the colours").fill("8344")
    page.keyboard.press("Enter")
    assert looks()["low"] == 8344 and looks()["percents"] is None
    requests: list[str] = []
    page.on("request", lambda r: requests.append(r.url) if "/slice/" in r.url else None)
    page.get_by_role("button", name="Range").click()
    x, y = place(page, "z", X / 2, Y / 2)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=4)
    page.mouse.up()
    assert looks()["high"] - looks()["low"] > high - 8344 + 0.1
    assert requests == []  # a redraw, not a request
    assert colour(page, "z", 0, 0) == GROUNDS["light"]  # no value there


@pytest.mark.long
def test_zoom_keeps_what_is_under_the_pointer_and_the_scale_bar_tells(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("address", axes=("z",))))
    before = state(page)["zoom"]
    x, y = map(round, place(page, "z", 10.0, 40.0))
    under = voxel(page, "z", x, y)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(100)
    assert state(page)["zoom"] > 1.5 * before
    assert voxel(page, "z", x, y) == pytest.approx(under, abs=1e-6)
    bar = page.locator(".image-bar").first
    um, width = float(bar.get_attribute("data-um")), float(bar.get_attribute("width"))
    left, right = place(page, "z", 0, 0)[0], place(page, "z", 20, 0)[0]  # 20 voxels of 0.05 µm
    assert width / um == pytest.approx(right - left, rel=1e-6)
    expect(page.locator(".image-bar-text").first).to_have_text(f"{um:g} µm" if um >= 1 else f"{round(um * 1000)} nm")
    page.mouse.move(*place(page, "z", 12.0, 38.0))
    start = state(page)["centre"]["x"]
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=3)
    page.mouse.up()
    assert state(page)["centre"]["x"] != start
    page.get_by_role("button", name="Fit").click()
    page.wait_for_timeout(100)
    assert state(page)["zoom"] == pytest.approx(before)


@pytest.mark.long
def test_overlay_opacity_is_a_mixture(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("address", overlay="edge_energy", opacity=0.0, axes=("z",))))
    base = np.array(colour(page, "z", 30, 24), float)
    assert base[0] == base[1] == base[2]  # grey below a map
    order(page, opacity=1.0)
    over = np.array(colour(page, "z", 30, 24), float)
    assert abs(over[0] - over[2]) > 20
    outside = np.array(colour(page, "z", 1, 1))
    order(page, opacity=0.5)
    assert np.abs(np.array(colour(page, "z", 30, 24)) - (base + over) / 2).max() <= 1
    assert (np.array(colour(page, "z", 1, 1)) == outside).all()  # the overlay has no value there
    page.get_by_label("Edge energy: opacity").fill("0")
    page.wait_for_timeout(100)
    assert np.abs(np.array(colour(page, "z", 30, 24)) - base).max() <= 1
    page.mouse.move(*place(page, "z", 30.5, 24.5))
    expect(page.locator(".image-read")).to_contain_text("Edge energy: 8345.3")


def test_brush_and_labels_light_up_without_a_request(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("edge_energy", mask="labels", axes=("z",))))
    idle(page)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/slice/" in r.url else None)
    plain = np.array(colour(page, "z", 20, 24))
    order(page, brush={"on": "base", "low": 8345.0, "high": 8350.0})
    lit, dim = (np.array(colour(page, "z", x, 24)) for x in (36, 20))
    assert np.abs(lit - ACCENT).sum() < np.abs(dim - ACCENT).sum()
    assert np.ptp(dim) < np.ptp(plain)  # greyed
    order(page, brush=None, label=1)
    halves = [np.array(colour(page, "z", x, 24), float) for x in (20, 36)]
    order(page, label=None)
    bare = [np.array(colour(page, "z", x, 24), float) for x in (20, 36)]
    assert np.abs(halves[0] - (bare[0] + ACCENT) / 2).max() <= 1  # label 1
    assert (halves[1] == bare[1]).all()  # label 2
    assert asked == []


def test_a_lasso_and_a_line_come_in_voxels(serve: Any, open_page: Any) -> None:
    from components.image_view import region

    page = opened(open_page, serve(one("address", axes=("z", "y"))))
    page.get_by_role("button", name="Lasso").click()
    corners = [(10.0, 4.0), (30.0, 4.0), (30.0, 20.0), (10.0, 20.0)]
    page.mouse.move(*place(page, "y", *corners[0]))
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        page.mouse.move(*place(page, "y", *corner), steps=8)
    page.mouse.up()
    lasso = event(page, "lasso")
    assert (lasso["axis"], lasso["index"], lasso["rows"], lasso["columns"]) == ("y", Y // 2, "z", "x")
    mask = region(lasso, {"z": Z, "y": Y, "x": X})
    assert mask.shape == (Z, X)
    assert abs(int(mask.sum()) - 16 * 20) <= 20 and mask[12, 20] and not mask[2, 20]
    page.get_by_role("button", name="Profile").click()
    page.mouse.move(*place(page, "z", 5.5, 10.5))
    page.mouse.down()
    page.mouse.move(*place(page, "z", 45.5, 30.5), steps=5)
    page.mouse.up()
    line = event(page, "profile")
    assert line["from"] == pytest.approx({"z": Z // 2 + 0.5, "y": 10.5, "x": 5.5}, abs=0.2)
    assert line["to"] == pytest.approx({"z": Z // 2 + 0.5, "y": 30.5, "x": 45.5}, abs=0.2)


@pytest.mark.long
def test_layers_have_a_slider_in_their_unit(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("mu")))
    expect(page.locator(".image-layers output")).to_contain_text("8330")
    page.get_by_label("energy", exact=True).fill("2")
    ready(page)
    expect(page.locator(".image-layers output")).to_have_text("8350.00 eV")
    assert value(page, "z", 0, 0) == pytest.approx(2 + 0.2, abs=1e-3)
    pane(page, "z").focus()
    page.keyboard.press("]")
    ready(page)
    page.mouse.click(*place(page, "z", 3.5, 4.5))
    told = event(page, "voxel")
    assert (told["energy"], told["energy_value"]) == (3, volumes.ENERGIES[3])


@pytest.mark.long
def test_linked_views_move_together_and_a_picture_has_one_pane(serve: Any, open_page: Any) -> None:
    def two(sources: dict[str, Any]) -> list[Any]:
        views = [image_view(v, shown(sources[n], link="particle")) for v, n in ((VIEW, "address"), (OTHER, "edge_energy"))]
        return [box(v) for v in views] + [box(image_view("flat", shown(sources["picture"])))]

    page = opened(open_page, serve(two), height=1500)
    ready(page, OTHER)
    page.mouse.click(*place(page, "z", 12.5, 33.5))
    ready(page, OTHER)
    assert state(page, OTHER)["index"] == {"z": 20, "y": 33, "x": 12}
    ready(page, "flat")
    assert page.locator('[data-view="flat"] .image-pane').count() == 1
    assert state(page, "flat")["index"]["y"] == Y // 2


def test_what_is_seen_is_told_and_kept_points_are_drawn(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("edge_energy", axes=("z",))))
    corner = {"axis": "z", "index": 20, "polygon": [[5, 5], [5, 9], [9, 9]], "colour": "#ff0000", "name": "R1"}
    order(
        page,
        index={"z": 20, "y": 5, "x": 6},
        marks={"points": [{"name": "P1", "z": 21, "y": 5, "x": 6, "colour": "#0f0"}], "regions": [corner]},
    )
    expect(page.locator(".image-marks text", has_text="P1")).to_have_attribute("opacity", "0.45")  # one slice further
    assert page.locator(".image-region").count() == 2
    page.get_by_label("Edge energy: colours").select_option("cividis")
    expect(page.locator("#test-seen")).to_contain_text('"colours": "cividis"', timeout=WAIT_MS)
    seen = json.loads(page.locator("#test-seen").text_content())
    assert seen["index"] == {"z": 20, "y": 5, "x": 6}
    expect(page.locator(".image-bar-box figcaption")).to_have_text("Edge energy / eV")


@pytest.mark.long
def test_dark_ground(serve: Any, open_page: Any) -> None:
    page = opened(open_page, serve(one("edge_energy", axes=("z",))), theme="dark")
    assert colour(page, "z", 0, 0) == GROUNDS["dark"]
    picture = Image.open(BytesIO(page.locator(".image-canvas").screenshot()))
    assert np.asarray(picture.convert("RGB")).std() > 5


@pytest.mark.long
def test_without_webgl_it_says_so(serve: Any, chromium: Any) -> None:
    server = serve(one("address"))
    context = chromium.new_context()
    page = context.new_page()
    script = """const real = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext =
      function (kind, ...more) { return kind.startsWith('webgl') ? null : real.call(this, kind, ...more); };"""
    page.add_init_script(script)
    page.goto(server.url)
    expect(page.locator(".image-message")).to_contain_text("WebGL 2 is missing", timeout=WAIT_MS)
    context.close()


@pytest.mark.long
def test_a_view_form_that_is_gone_is_said(serve: Any, chromium: Any, tmp_path: Path) -> None:
    gone = {"key": "r-" + "0" * 32, "variable": "address"}
    server = serve(lambda _: [box(image_view(VIEW, shown(gone)))])
    context = chromium.new_context()
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator(".image-message")).to_contain_text("no such view form", timeout=WAIT_MS)
    context.close()
