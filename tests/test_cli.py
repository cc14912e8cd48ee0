"""The command line: its words, its JSON, its exit codes, and one sentence for each kind of bad input."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from analysis.cli import main

ROOT = Path(__file__).parent.parent
HEADER = "Test Time / s,Voltage / V,Current / A,Cycle Count / 1\n"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Three cycles at 1 mA for an hour each way: 1 mAh in, 0.9 mAh out."""
    path = tmp_path / "cell.bdf.csv"
    rows, t = [], 0.0
    for cycle in (1, 2, 3):
        for current, minutes in ((1e-3, 60), (-1e-3, 54)):
            for k in range(minutes + 1):
                rows.append(f"{t + 60 * k:.1f},{3.0 + 0.01 * k if current > 0 else 3.6 - 0.01 * k:.4f},{current},{cycle}")
            t += 60 * minutes + 60
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def run_json(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, object]:
    assert main([*argv, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_run_prints_what_scripts_rely_on(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = run_json(capsys, "run", "cycling.summary", str(record), "-p", "active_mass_mg=2.0", "-p", "formation_cycles=0")
    assert set(made) >= {"recipe", "key", "params", "inputs", "scalars", "outputs", "warnings", "seconds"}
    assert made["recipe"] == "cycling.summary" and str(made["key"]).startswith("r-")
    scalars = made["scalars"]
    assert set(scalars["retention"]) >= {"value", "unit", "std", "low", "high", "n"}  # type: ignore[index]
    # 0.9 mA h from 2 mg: 450 mA h/g, the same in every cycle.
    assert scalars["initial_discharge_capacity"]["value"] == pytest.approx(450.0, rel=1e-9)  # type: ignore[index]
    assert scalars["initial_discharge_capacity"]["unit"] == "mA h/g"  # type: ignore[index]
    assert scalars["mean_coulombic_efficiency"]["value"] == pytest.approx(0.9, rel=1e-9)  # type: ignore[index]
    assert made["outputs"]["cycle"] == {"dims": ["cycle"], "shape": [3], "unit": "1"}  # type: ignore[index]


def test_the_same_request_has_the_same_key_and_keys_are_inputs(record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "ws")
    first = run_json(capsys, "run", "cycling.summary", str(record), "--workspace", folder)
    dataset = first["inputs"]["records"][0]  # type: ignore[index]
    again = run_json(capsys, "run", "cycling.summary", dataset, "--workspace", folder)
    assert again["key"] == first["key"]
    assert main(["explain", str(first["key"]), "--workspace", folder]) == 0
    told = capsys.readouterr().out
    assert record.name in told and "cycling.bdf" in told and "python -m analysis run cycling.summary" in told


@pytest.mark.parametrize("suffix", [".nc", ".zarr", ".csv", ".parquet"])
def test_results_are_written_with_units(record: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    assert main(["run", "cycling.summary", str(record), "--out", str(out)]) == 0
    if suffix in (".nc", ".zarr"):
        ds = xr.open_dataset(out) if suffix == ".nc" else xr.open_zarr(out, consolidated=False)
        assert ds["discharge_capacity"].attrs["units"] == "mA h"
        assert float(ds["mean_coulombic_efficiency"]) == pytest.approx(0.9)
        ds.close()
    else:
        table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
        assert np.allclose(table["discharge_capacity / mA h"], 0.9)


def test_figures_are_written(record: Path, tmp_path: Path) -> None:
    out = tmp_path / "figure.html"
    assert main(["run", "cycling.summary", str(record), "--figure", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    assert "Discharge capacity" in page and 'src="http' not in page


def test_import_status_check_and_prune(record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ws = str(tmp_path / "ws")
    assert main(["import", ws, str(record), "--cell", "A1", "--group", "uncoated", "--active-mass-mg", "3.0"]) == 0
    assert main(["import", ws, str(record), "--cell", "A2"]) == 2
    assert "already here" in capsys.readouterr().err
    status = run_json(capsys, "workspace", "status", ws)
    assert status["cells"] == 1 and status["measurements"] == {"cycling": 1}
    assert main(["workspace", "check", ws]) == 0
    assert "whole" in capsys.readouterr().out
    dataset = next((tmp_path / "ws" / "data").glob("*.zarr"))
    damaged = next(p for p in dataset.rglob("c/*") if p.is_file())
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert main(["workspace", "check", ws]) == 2
    assert dataset.stem in capsys.readouterr().out


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    ids = {r["id"] for r in run_json(capsys, "readers")["entries"]}  # type: ignore[union-attr]
    assert {"cycling.biologic_mpr", "cycling.neware", "cycling.arbin_res", "cycling.bdf", "cycling.generic"} <= ids
    ids = {r["id"] for r in run_json(capsys, "recipes")["entries"]}  # type: ignore[union-attr]
    assert {"cycling.summary", "cycling.profile", "cycling.dqdv"} <= ids


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Name → file and a word that the sentence must hold."""
    made: dict[str, tuple[bytes, str, str]] = {
        "empty": (b"", "a.csv", "empty"),
        "garbage": (bytes(range(256)) * 40, "a.mpr", "recognises"),
        "no rows": (HEADER.encode(), "a.bdf.csv", "a.bdf.csv"),
        "all NaN": ((HEADER + "nan,nan,nan,1\n" * 30).encode(), "nan.bdf.csv", "nan.bdf.csv"),
        "truncated zip": (b"PK\x03\x04" + bytes(200), "a.ndax", "a.ndax"),
        "truncated mpr": (b"BIO-LOGIC MODULAR FILE\x1a" + b" " * 25 + bytes(20), "cut.mpr", "cut.mpr"),
    }
    files = {}
    for i, (name, (content, file, word)) in enumerate(made.items()):
        home = folder / str(i)
        home.mkdir()
        (home / file).write_bytes(content)
        files[name] = (home / file, word)
    bomb = folder / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        z.writestr("xl/workbook.xml", "<workbook/>")
        z.writestr("xl/worksheets/sheet1.xml", b"0" * (400 << 20))
    files["zip bomb"] = (bomb, "bomb.xlsx")
    return files


def test_bad_files_give_one_sentence_and_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ws = tmp_path / "ws"
    for name, (path, word) in bad_files(tmp_path).items():
        assert main(["import", str(ws), str(path), "--cell", "A1"]) == 2, name
        said = capsys.readouterr().err.strip()
        assert word in said and said.count("\n") == 0 and "Traceback" not in said, (name, said)
    assert main(["workspace", "status", str(ws), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["measurements"] == {} and status["datasets"] == 0 and status["cells"] == 0


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["run", "cycling.summary", "missing.csv"], "no file"),
        (["run", "cycling.nothing", "missing.csv"], "no recipe"),
        (["run", "cycling.summary", "RECORD", "-p", "active_mass_mg=0"], "active_mass_mg"),
        (["run", "cycling.summary", "RECORD", "-p", "colour=red"], "colour"),
        (["run", "cycling.summary", "RECORD", "-p", "pairing"], "name=value"),
        (["run", "cycling.summary", "RECORD", "--out", "x.docx"], ".docx"),
        (["run", "cycling.summary", "r-00000000000000000000000000000000"], "no 'r-"),
        (["import", "ws", "RECORD", "--cell", "A1", "--active-mass-mg", "0"], "greater than 0 mg"),
        (["import", "ws", "RECORD"], "--cell"),
        (["workspace", "check", "nowhere"], "not a workspace"),
        (["explain", "r-1", "--workspace", "ws"], "has no"),
    ],
)
def test_what_the_user_can_fix_is_one_sentence_and_exit_2(
    argv: list[str], word: str, record: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(record.parent)
    assert main([str(record) if a == "RECORD" else a for a in argv]) == 2
    said = capsys.readouterr().err.strip()
    assert word in said and said.count("\n") == 0


def test_a_wrong_suffix_is_recognised_by_content(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = record.rename(record.with_name("cell.mpr"))
    assert run_json(capsys, "inspect", str(wrong))["reader"] == "cycling.bdf"


def test_the_program_runs_without_dash() -> None:
    script = "import sys, analysis.cli, analysis.modalities as m; m.registry(); sys.exit('dash' in sys.modules or 'flask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
