"""Files that are one dataset: told by their names and contents, joined by every way in."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from analysis.catalog import CellFields
from analysis.cli import main
from analysis.core.data import warnings_of
from analysis.core.errors import ParamError, ReadError
from analysis.formats.file_names import natural, series_name
from analysis.modalities import registry
from analysis.series import bundles, companions, expanded
from analysis.workspace import Workspace

ENERGY = np.concatenate([np.arange(8200.0, 8320.0, 20.0), np.arange(8325.0, 8376.0, 3.0), np.arange(8400.0, 8700.0, 40.0)])
STEP = 0.5 + np.arctan((ENERGY - 8343.0) / 1.5) / np.pi
MU = (0.2 + 0.4 * STEP + 0.004 * np.random.default_rng(3).standard_normal((6, 7, ENERGY.size))).astype(np.float32)  # (y, x, energy)


def frames(folder: Path, name: str = "p1_{:.1f}eV.tif") -> list[Path]:
    """One TIFF an energy."""
    folder.mkdir(exist_ok=True)
    paths = [folder / name.format(e, i=i + 1) for i, e in enumerate(ENERGY)]
    for path, image in zip(paths, np.moveaxis(MU, -1, 0), strict=True):
        tifffile.imwrite(path, image)
    return paths


@pytest.mark.parametrize(
    ("names", "series"),
    [
        (("p1_8350.0eV.tif", "p1_8351.5eV.tif"), {"p1"}),
        (("p1_8350eV.tif", "p2_8350eV.tif"), {"p1", "p2"}),
        (("f1.tif", "f10.tif"), {"f"}),
        (("NCA_2_E8350.tif", "NCA_2_E8360.tif"), {"NCA_2"}),
        (("slice_0001.tif", "slice_0002.tif"), {"slice"}),
        (("rep01_000051_ref_77_scan_08324.0_eV_001of010.xrm", "rep02_77_scan_08354.0_eV_003of003.xrm"), {"77_scan"}),
        (("8350eV.tif", "8351eV.tif"), {"series"}),
    ],
)
def test_names_tell_which_files_belong_together(names: tuple[str, ...], series: set[str]) -> None:
    assert {series_name(n, words=("ref",)) for n in names} == series


def test_numbers_sort_as_numbers() -> None:
    assert sorted(["f10.tif", "f9.tif", "f1.tif"], key=natural) == ["f1.tif", "f9.tif", "f10.tif"]


def test_a_glob_is_put_in_natural_order_and_an_order_that_was_chosen_stays(tmp_path: Path) -> None:
    paths = frames(tmp_path, "f{i}.tif")
    assert expanded(sorted(paths), registry()) == tuple(paths)
    assert expanded(paths[::-1], registry()) == tuple(paths[::-1])
    with pytest.raises(ParamError, match=r"There is no file gone\.tif"):
        expanded([Path("gone.tif")], registry())


def test_one_image_an_energy_makes_one_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By names with energies, and by a list; the same as the stack in one file."""
    named, numbered = frames(tmp_path / "named"), frames(tmp_path / "numbered", "f{i}.tif")
    listed = tmp_path / "list.txt"
    np.savetxt(listed, ENERGY)
    tifffile.imwrite(tmp_path / "all.tif", np.moveaxis(MU, -1, 0))
    medians = []
    for words in (
        [str(p) for p in named],
        [str(tmp_path / "named")],
        [*map(str, sorted(numbered)), "-r", f"energies={listed}"],
        [str(tmp_path / "all.tif"), "-r", f"energies={listed}"],
    ):
        assert main(["run", "xanes.edge_map", *words, "-p", "e0=8343", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["outputs"]["edge_energy"]["shape"] == [6, 7]
        medians.append(found["scalars"]["median"]["value"])
    assert medians == [medians[0]] * 4
    assert medians[0] == pytest.approx(8343.0, abs=0.3)


def test_two_whole_stacks_are_not_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, np.moveaxis(MU, -1, 0))
    np.savetxt(tmp_path / "energies.txt", ENERGY)
    assert main(["run", "xanes.edge_map", str(tmp_path / "a.tif"), str(tmp_path / "b.tif")]) == 2
    assert "xanes.edge_map takes one 'stack', 2 were given" in capsys.readouterr().err


def test_the_recipe_decides_what_an_ambiguous_file_is(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.moveaxis(MU, -1, 0))
    ids = {schema: bundles([path], registry(), schema=schema)[0].reader.id for schema in ("txm.stack", "txm.volume", "txm.edge_map", "")}
    assert ids == {"txm.stack": "xanes.tiff", "txm.volume": "xanes.volume", "txm.edge_map": "xanes.finished_map", "": "xanes.tiff"}


def test_what_only_helps_is_not_read_by_itself() -> None:
    names = ["s.tif", "s_energies.txt", "energies.txt", "a.hdr", "a_a000.xim", "a_a001.xim", "b_a000.xim", "notes.txt"]
    assert companions(names, registry()) == {
        "s_energies.txt": ("s.tif",),
        "energies.txt": ("s.tif",),
        "a_a000.xim": ("a.hdr",),
        "a_a001.xim": ("a.hdr",),
    }


def test_a_folder_is_its_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Notes beside the frames do not matter; a folder of several things is refused."""
    frames(tmp_path / "scan")
    (tmp_path / "scan" / "notes.txt").write_text("Dear diary,\nthe beam was good.\n")
    assert main(["inspect", str(tmp_path / "scan"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["reader"], found["files"], found["dims"]["energy"]) == ("xanes.tiff", ENERGY.size, ENERGY.size)
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, MU)
    (tmp_path / "c.csv").write_text("Test Time (s),Voltage (V),Current (mA)\n" + "".join(f"{i},3.{i},0.5\n" for i in range(9)))
    with pytest.raises(ReadError, match="holds files of several kinds"):
        expanded([tmp_path], registry())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError, match="The folder empty holds no file that can be read here"):
        expanded([tmp_path / "empty"], registry())


def test_a_pattern_in_a_manifest_is_one_measurement(tmp_path: Path) -> None:
    frames(tmp_path / "p1")
    (tmp_path / "p1" / "p1_9000.0eV.txt").write_text("not an image")
    (tmp_path / "study.csv").write_text("file,cell,particle,state\np1/*.tif,A,p1,charged\n")
    workspace = Workspace(tmp_path / "ws")
    (made,) = workspace.import_manifest(tmp_path / "study.csv")
    assert (made.cell, made.particle, made.modality, len(made.files), len(made.dataset_keys)) == ("A", "p1", "xanes", ENERGY.size, 1)
    assert [f.original_name for f in made.files][:2] == ["p1_8200.0eV.tif", "p1_8220.0eV.tif"]
    (tmp_path / "bad.csv").write_text("file,cell\np2/*.tif,A\n")
    with pytest.raises(ParamError, match=r"there is no file 'p2/\*.tif'"):
        workspace.import_manifest(tmp_path / "bad.csv")
    workspace.catalog.close()


def test_lists_beside_a_stack_are_kept_with_it(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "s.tif", np.moveaxis(MU, -1, 0))
    np.savetxt(tmp_path / "s_energies.txt", ENERGY)
    workspace = Workspace(tmp_path / "ws")
    made = workspace.import_files([tmp_path / "s.tif", tmp_path / "s_energies.txt"], cell=CellFields(name="A"))
    assert [(f.original_name, f.role) for f in made.files] == [("s.tif", "data"), ("s_energies.txt", "side")]
    assert workspace.check() == []
    workspace.catalog.close()


def test_the_dataset_that_was_meant_is_remembered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k, name in enumerate(("one.h5", "two.h5")):
        with h5py.File(tmp_path / name, "w") as f:
            f["scan/aligned"] = np.moveaxis(MU, -1, 0) + k
            f["scan/raw"] = np.moveaxis(MU, -1, 0) * 2
            f["scan/energy"] = ENERGY
    words, said = ["import", str(tmp_path / "ws")], ["--cell", "A"]
    assert main([*words, str(tmp_path / "one.h5"), *said]) == 2
    assert "Name one with dataset=" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "one.h5"), *said, "-r", "dataset=/scan/aligned"]) == 0
    assert main([*words, str(tmp_path / "two.h5"), *said]) == 0
    assert "read as the last file that was laid out like this: dataset=/scan/aligned" in capsys.readouterr().out
    workspace = Workspace(tmp_path / "ws")
    means = [float(workspace.store.open(m.dataset_keys[0])["mu"].mean()) for m in workspace.snapshot().measurements]
    assert sorted(means) == pytest.approx([MU.mean(), MU.mean() + 1], rel=1e-5)
    assert all(not warnings_of(workspace.store.open(m.dataset_keys[0])) for m in workspace.snapshot().measurements)
    workspace.catalog.close()
