"""Scripts that the page loads in place of Dash's own."""

import json
import re
from pathlib import Path

from plotly.offline import get_plotlyjs_version

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "assets" / "vendor"


def test_plotly_js_is_that_of_the_package() -> None:
    (bundle,) = VENDOR.glob("plotly-*.min.js")
    assert bundle.name == f"plotly-{get_plotlyjs_version()}.min.js"
    wanted = json.loads((ROOT / "scripts/bundles/package.json").read_text(encoding="utf-8"))["devDependencies"]["plotly.js"]
    assert wanted == get_plotlyjs_version()


def test_every_kind_of_trace_is_in_the_bundle() -> None:
    bundled = {"scatter", *re.findall(r'plotly\.js/lib/(\w+)"', (ROOT / "scripts/bundles/plotly.cjs").read_text(encoding="utf-8"))}
    sources = [p.read_text(encoding="utf-8") for folder in ("analysis", "components") for p in (ROOT / folder).rglob("*.py")]
    known = (
        "scatter|scattergl|bar|box|violin|heatmap|contour|histogram|histogram2d|image|pie|table|surface|mesh3d|scatter3d|scatterpolar|splom"
    )
    drawn = {kind for text in sources for kind in re.findall(rf'"type": "({known})"', text)}
    assert "bar" in drawn and drawn <= bundled


def test_every_bundle_comes_with_its_licence() -> None:
    scripts = [*VENDOR.glob("*.js"), *VENDOR.glob("*.mjs")]
    assert len(scripts) == 3
    for script in scripts:
        name = script.name.removesuffix(".mjs").removesuffix(".js").removesuffix(".min")
        assert len((VENDOR / f"{name}.LICENSE.txt").read_text(encoding="utf-8")) > 500, f"{name} has no licence beside it"


def test_the_page_asks_for_them_and_for_nothing_twice(tmp_path: Path) -> None:
    from app import create_app

    page = create_app(tmp_path / "study", pool=False).server.test_client().get("/").text
    scripts = [m.split("?")[0] for m in re.findall(r'<script[^>]* src="([^"]+)"', page)]
    assert len(scripts) == len(set(scripts))
    assert sum("plotly" in s for s in scripts) == 1 and not any("polyfill" in s for s in scripts)
    assert page.index("renderer") < page.index("plotly-")
