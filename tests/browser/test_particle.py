"""The particle page in a real browser: scrub, click, lasso, brush, profile, 3D, two particles, and the address that keeps it."""

import math
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import box_of
from playwright.sync_api import expect

from analysis.core.jobs import Inline
from tests import particles

WAIT_MS = 60_000
A, B = "particle-a", "particle-b"
MIDDLE = particles.SIDE // 2


@pytest.fixture(scope="module")
def particle_server(tmp_path_factory: pytest.TempPathFactory, empty_server: Any) -> Iterator[Any]:
    """A server over two small particles; what takes long elsewhere is computed at once here."""
    root = tmp_path_factory.mktemp("particles") / "study"
    workspace, _ = particles.put(root)
    workspace.catalog.close()
    server = type(empty_server)(root)
    server.context.jobs._executor.close()
    server.context.jobs._executor = Inline()
    yield server
    server.close()


def until(page: Any, script: str, *, what: str = "") -> Any:
    """Wait until a script of the page answers with something."""
    for _ in range(WAIT_MS // 100):
        found = page.evaluate(script)
        if found:
            return found
        page.wait_for_timeout(100)
    return pytest.fail(f"never came: {what or script}")


def pictured(page: Any, view: str = A) -> None:
    """Wait until every pane of a picture holds its slice."""
    script = f"""(() => {{ const v = window.imageViews?.get('{view}');
      return Boolean(v?.meta && v.state.zoom > 0 && !v.scrubbing && v.panes.every(p => Object.keys(v.metas).every(r => v.slots.of(p, r).slice))); }})()"""
    until(page, script, what=f"slices of {view}")


def query(page: Any) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).query).items()}


def asked(page: Any, name: str) -> str:
    """Wait until a part of the address is there."""
    for _ in range(WAIT_MS // 100):
        if name in query(page):
            return query(page)[name]
        page.wait_for_timeout(100)
    return str(pytest.fail(f"{name} never came into the address"))


def traces(page: Any, card: str) -> list[dict[str, Any]]:
    script = f"""(() => {{ const g = document.querySelector('[aria-label="{card}"] .js-plotly-plot');
      return (g?.data ?? []).filter(t => t.showlegend !== false && t.name).map(t => ({{name: t.name, id: t.meta?.id}})); }})()"""
    return list(page.evaluate(script))


def place(page: Any, z: int, y: float, x: float) -> tuple[float, float]:
    """Where a voxel of the slice across z is on the screen, after going to that slice."""
    page.evaluate(f"window.imageViews.get('{A}').change({{index: {{z: {z}}}}})")
    page.wait_for_timeout(400)
    box = box_of(page.locator(f'[data-view="{A}"] .image-pane').first)
    px, py = page.evaluate(f"window.imageViews.get('{A}').panes[0].screen([{x} + 0.5, {y} + 0.5])")
    return box["x"] + px, box["y"] + py


def lit(page: Any) -> int:
    """Pixels of the slices in the colour that a brush gives."""
    script = f"""(() => {{ const v = window.imageViews.get('{A}'); v.draw(); const gl = v.painter.gl; const [w, h] = [v.canvas.width, v.canvas.height];
      const p = new Uint8Array(4 * w * h); gl.readPixels(0, 0, w, h, gl.RGBA, gl.UNSIGNED_BYTE, p);
      let n = 0; for (let i = 0; i < p.length; i += 4) n += p[i] > 150 && p[i + 1] < 110 && p[i + 2] < 160; return n; }})()"""
    return int(page.evaluate(script))


def test_from_a_click_to_its_spectrum_from_a_range_to_its_voxels_and_back(particle_server: Any, open_page: Any) -> None:
    page = open_page(particle_server.url + "/particle")
    expect(page.locator("h1")).to_have_text("Particle", timeout=WAIT_MS)
    pictured(page)
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight"), "one screen at 1440 × 900"
    page.mouse.click(*place(page, 7, 10, 8))
    assert asked(page, "points") == "1.7.10.8~0~P1"
    until(page, _named("Spectra", "P1"), what="the spectrum of the point")
    expect(page.locator(".marks li")).to_contain_text("eV")
    page.get_by_role("button", name="Lasso", exact=True).click()
    around = [place(page, 7, 9 + 3 * math.sin(k / 3), 13 + 3 * math.cos(k / 3)) for k in range(20)]
    page.mouse.move(*around[0])
    page.mouse.down()
    for at in around[1:]:
        page.mouse.move(*at)
    page.mouse.up()
    until(page, _named("Values of the map", "R1"), what="the histogram of the region")
    until(page, _named("Spectra", "R1"), what="the spectrum of the region")
    assert [t["name"].split(":")[0] for t in traces(page, "Spectra")] == ["whole particle", "P1", "R1"]
    assert page.evaluate(f"window.imageViews.get('{A}').marks.regions.length") == 1
    reach = page.get_by_label("Slices of R1")
    assert reach.input_value() == "7"
    reach.fill("6-8")
    reach.press("Enter")
    until(
        page, f"(r => r && r.index === 6 && r.last === 8)(window.imageViews.get('{A}').marks.regions[0])", what="the region in three slices"
    )
    expect(page.get_by_label("Slices of R1")).to_have_value("6–8")
    name = page.get_by_label("Name of the mark").first
    name.fill("core")
    name.press("Enter")
    until(page, _named("Spectra", "core"), what="the new name in the figure")
    assert lit(page) == 0
    plot = box_of(page.locator('[aria-label="Values of the map"] .nsewdrag').first)
    page.mouse.move(plot["x"] + 0.55 * plot["width"], plot["y"] + 0.7 * plot["height"])
    page.mouse.down()
    page.mouse.move(plot["x"] + 0.85 * plot["width"], plot["y"] + 0.72 * plot["height"], steps=6)
    page.mouse.up()
    low, high = map(float, asked(page, "brush").split(","))
    assert 8340 < low < high < 8346
    until(page, f"window.imageViews.get('{A}').brush !== null", what="the brush in the slices")
    assert lit(page) > 200
    page.reload()
    pictured(page)
    until(page, _named("Spectra", "core"), what="the points after a reload")
    assert page.evaluate(f"window.imageViews.get('{A}').state.index.z") == 7
    until(page, f"window.imageViews.get('{A}').brush !== null", what="the brush after a reload")
    page.get_by_label("Remove core").click()
    expect(page.locator(".marks li")).to_have_count(1)


def _named(card: str, name: str) -> str:
    return f"""[...(document.querySelector('[aria-label="{card}"] .js-plotly-plot')?.data ?? [])].some(t => String(t.name ?? '').startsWith('{name}'))"""


def test_maps_profile_energies_and_downloads(particle_server: Any, open_page: Any) -> None:
    page = open_page(particle_server.url + f"/particle?map=mu&at={MIDDLE}.9.10", theme="dark")
    pictured(page)
    page.locator(".image-layers input").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert asked(page, "layer") == "4"
    expect(page.locator(".image-layers output")).to_contain_text(f"{particles.ENERGY[4]:.0f}")
    page.get_by_label("Map", exact=True).first.click()
    page.get_by_role("option", name="Edge jump").click()
    until(page, f"window.imageViews.get('{A}').metas.base?.variable === 'edge_jump'", what="the other map")
    pictured(page)
    page.get_by_role("button", name="Profile", exact=True).click()
    page.mouse.move(*place(page, 7, 10, 2))
    page.mouse.down()
    page.mouse.move(*place(page, 7, 10, 18))
    page.mouse.up()
    until(page, _named("Along the line", "uncoated-1 P1"), what="the map along the line")
    title = '[...document.querySelectorAll(\'[aria-label="Along the line"] .ytitle\')].map(t => t.textContent).join("")'
    assert page.evaluate(title) == "Edge jump / 1"
    for action, suffix in (("Download PNG", "png"), ("Download these slices (CSV)", "csv")):
        page.get_by_label("Slices: download and more").first.click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name=action).click()
        assert saved.value.suggested_filename.endswith(suffix)
        assert saved.value.path().stat().st_size > 1000


def test_two_particles_turn_together_and_share_their_scale(particle_server: Any, open_page: Any) -> None:
    page = open_page(particle_server.url + "/particle?tab=solid&beside=2")
    drawn = "['solid-a', 'solid-b'].every(v => { const s = window.volumeViews?.get(v); return s?.scene && s.meta && s.drawings > 0; })"
    until(page, drawn, what="both surfaces")
    looks = "['solid-a', 'solid-b'].map(v => { const l = window.volumeViews.get(v).looks.base; return [l.low, l.high]; })"
    until(page, f"(l => l[0][0] === l[1][0] && l[0][1] === l[1][1])({looks})", what="one scale")
    pose = "v => JSON.stringify(window.volumeViews.get(v).scene.pose())"
    before = page.evaluate(pose, "solid-b")
    page.locator('[data-view="solid-a"] .volume-stage').focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    after = page.evaluate(pose, "solid-b")
    assert after != before and after == page.evaluate(pose, "solid-a")
    colours = """async v => { const s = window.volumeViews.get(v).scene; const i = new Image(); i.src = await s.picture(); await i.decode();
      const c = document.createElement('canvas'); c.width = i.width; c.height = i.height; const x = c.getContext('2d'); x.drawImage(i, 0, 0);
      return new Set(new Uint32Array(x.getImageData(0, 0, i.width, i.height).data.buffer)).size; }"""
    assert page.evaluate(colours, "solid-a") > 200, "a shaded, coloured surface, not an empty canvas"
    page.get_by_text("Slices", exact=True).click()
    pictured(page, A)
    pictured(page, B)
    expect(page).to_have_url(re.compile("beside=2"))
    ranges = f"['{A}', '{B}'].map(v => {{ const l = window.imageViews.get(v).looks.base; return [l.low, l.high]; }})"
    until(page, f"(l => l[0][0] === l[1][0] && l[0][1] === l[1][1])({ranges})", what="one scale of the slices")
