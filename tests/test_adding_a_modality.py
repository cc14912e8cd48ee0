"""The guide to adding a modality is right: what it shows, and nothing else, makes one that works."""

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.core.data import scalars
from analysis.core.registry import Labelled, Registry, Style, load
from analysis.core.run import Request, command, explain, ingest, run
from analysis.core.store import Store

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "adding-a-modality.md"
SHOWN, OUTSIDE = "analysis.rest", "rest_from_the_guide"
LOG = "REST LOG 1\ntime/h;voltage/mV\n0;2999\n1;3000\n2;2997\n3;2996\n"


def shown_files() -> dict[str, str]:
    """Path and text of every file that the guide shows whole."""
    return dict(re.findall(r"^```python (\S+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE))


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The guide's files in a package outside the tree."""
    for path, text in shown_files().items():
        place = tmp_path / path.replace("analysis/rest", OUTSIDE)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text.replace(SHOWN, OUTSIDE), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [m for m in sys.modules if m.partition(".")[0] == OUTSIDE]:
        del sys.modules[name]


@pytest.fixture
def registry(built: Path) -> Registry:
    found = load((OUTSIDE,))
    assert found.broken == {}
    return found


def test_the_guide_shows_exactly_what_it_says_a_modality_is() -> None:
    folder = {f"analysis/rest/{name}.py" for name in ("__init__", "read", "compute", "figures")}
    assert set(shown_files()) == folder | {"tests/rest/test_rest.py"}
    line = re.findall(r"^PACKAGES = \(.*\)$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert line == ['PACKAGES = ("analysis.cycling", "analysis.rest")']
    assert re.search(r"^PACKAGES = \(", (ROOT / "analysis" / "modalities.py").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_a_file_is_recognised_and_stored_in_the_schemas_units(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "cell.dat").write_text(LOG, encoding="utf-8")
    assert registry.recognise(tmp_path / "cell.dat").id == "rest.log"
    store = Store(tmp_path / "ws")
    ds = store.open(ingest([tmp_path / "cell.dat"], registry, store))
    assert ds["time"].values.tolist() == [0, 3600, 7200, 10800]
    assert ds["voltage"].values == pytest.approx([2.999, 3.0, 2.997, 2.996], rel=1e-15)
    assert (ds["time"].attrs["units"], ds["voltage"].attrs["units"]) == ("s", "V")


def test_its_recipe_runs_and_its_figure_is_drawn(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "cell.rest").write_text(LOG, encoding="utf-8")
    store = Store(tmp_path / "ws")
    log = ingest([tmp_path / "cell.rest"], registry, store)
    key = run(Request(recipe="rest.drift", inputs={"log": log}), registry, store)
    found = scalars(store.open(key))["drift"]
    # By hand: slope = -6/5 mV/h; residuals -0.8, 1.4, -0.4, -0.2; s = sqrt(2.8/2/5).
    assert (found.unit, found.n, found.of) == ("mV/h", 4, "readings")
    assert found.value == pytest.approx(-1.2, rel=1e-9)
    assert found.std == pytest.approx((2.8 / 2 / 5) ** 0.5, rel=1e-6)
    assert explain(key, store)["inputs"]["log"][0]["reader"] == "rest.log"
    assert f"run rest.drift {log} -p settle=0.0" in command(key, store)
    (figure,) = registry.figures("rest.drift")
    item = Labelled(store.open(key), label="cell", group="coated", origin="synthetic", key=key)
    drawn = figure.build((item,), Style(groups=("uncoated", "coated")), figure.params())
    assert [t.mode for t in drawn.data] == ["markers", "lines"]
    assert list(drawn.data[0].x) == [0, 1, 2, 3]
    assert drawn.data[0].name == "cell (synthetic)"
    assert (drawn.layout.xaxis.title.text, drawn.layout.yaxis.title.text) == ("Time / h", "Voltage / V")


def test_the_test_that_the_guide_shows_passes(built: Path) -> None:
    spec = importlib.util.spec_from_file_location("the_guides_own_test", built / "tests" / "rest" / "test_rest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.test_the_drift_of_a_known_line(built)


def test_the_code_of_the_guide_keeps_the_rules(built: Path) -> None:
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(built / OUTSIDE)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
