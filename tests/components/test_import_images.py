"""Images and spectra on the import page: frames of a scan together, lists beside their stacks, what a file asks for, where it leads."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from analysis.core.errors import ParamError
from analysis.formats.png import grey_png
from components import import_actions, import_detail, import_options, import_rows, import_work
from components.import_work import Lot

ENERGY = np.concatenate([np.arange(8200.0, 8320.0, 20.0), np.arange(8325.0, 8376.0, 3.0), np.arange(8400.0, 8700.0, 40.0)])
STEP = 0.5 + np.arctan((ENERGY - 8343.0) / 1.5) / np.pi
MU = (0.2 + 0.4 * STEP[:, None, None] + 0.004 * np.random.default_rng(3).standard_normal((ENERGY.size, 6, 7))).astype(np.float32)
TRUNCATED = "rep02_000072_ref_20161456_ssrl-test-data_08348.0_eV_002of010.xrm"


def lots(turns: int = 3) -> list[Lot]:
    """The list after the page has looked at every file, and at every series."""
    for _ in range(turns):
        import_work.look([s.sid for s in import_work.staging().entries()])
    return import_work.lots()


def tiff(images: np.ndarray) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, images)
    return out.getvalue()


def listed(values: np.ndarray = ENERGY) -> bytes:
    return "\n".join(f"{v:g}" for v in values).encode()


def frames(served: Any, name: str = "p1_{:.1f}eV.tif") -> None:
    for i in reversed(range(ENERGY.size)):  # uploads overtake one another
        served.waiting(name.format(ENERGY[i]), tiff(MU[i]))


def test_images_of_one_scan_are_one_lot_and_one_measurement(served: Any) -> None:
    frames(served)
    (lot,) = lots(60)
    found = lot.found[0]
    assert found is not None
    assert (lot.state, lot.is_series, len(lot.parts), found.reader) == ("ready", True, ENERGY.size, "xanes.tiff")
    assert lot.parts[0].name == "p1_8200.0eV.tif"
    assert found.facts["Energies"] == f"{ENERGY.size} energies, 8200.0 … 8680.0 eV"
    assert lot.judged.missing == ("voxel size", "group", "particle", "state", "cycle")
    (name, x, y), title = found.curves[0], found.axes[1]
    assert (name, title) == ("mean of the strongest quarter", "Optical depth")
    assert x == ENERGY.tolist()
    assert y[-1] - y[0] == pytest.approx(0.4 * (STEP[-1] - STEP[0]), abs=0.02)  # type: ignore[operator]
    assert str(import_rows.row(lot)).count("import-open") == 1, "one line for all of them"
    import_actions.keep(lot.sid, {"cell.name": "A", "particle.name": "p1", "measurement.state": "charged"})
    import_actions.act("import", "", (), {})
    (lot,) = import_work.lots()
    (made,) = served.workspace.catalog.measurements()
    assert (lot.state, made.cell, made.particle, made.state, made.modality) == ("done", "A", "p1", "charged", "xanes")
    assert (len(made.dataset_keys), len(made.files)) == (1, ENERGY.size)
    assert served.workspace.store.open(made.dataset_keys[0])["energy"].values == pytest.approx(ENERGY)
    assert f"/particle?particle={made.id}" in str(import_rows.state(lot))
    assert served.workspace.check() == []


def test_a_scan_can_be_taken_apart_and_a_file_left_out(served: Any) -> None:
    frames(served)
    (lot,) = lots(60)
    import_actions.act("leave", lot.parts[-1].sid, (), {})
    (lot,) = lots()
    assert len(lot.parts) == ENERGY.size - 1
    assert lot.state == "ready"
    import_actions.act("split", lot.sid, (), {})
    assert len(lots(60)) == ENERGY.size - 1


def test_two_particles_are_two_lots(served: Any) -> None:
    for particle in ("p1", "p2"):
        for i in range(3):
            served.waiting(f"{particle}_{ENERGY[i]:.0f}eV.tif", tiff(MU[i] + (particle == "p2")))
    assert [len(lot.parts) for lot in lots(10)] == [3, 3]


def test_what_was_said_stays_when_an_earlier_frame_comes(served: Any) -> None:
    for i in (3, 4):
        served.waiting(f"p1_{ENERGY[i]:.0f}eV.tif", tiff(MU[i]))
    (lot,) = lots()
    import_actions.keep(lot.sid, {"cell.name": "A"})
    served.waiting(f"p1_{ENERGY[0]:.0f}eV.tif", tiff(MU[0]))
    (lot,) = lots(5)
    assert (lot.parts[0].name, len(lot.parts)) == ("p1_8200eV.tif", 3)
    assert import_work.said(lot.parts[0])["cell.name"] == "A"


def test_inspections_leave_no_notes(served: Any) -> None:
    frames(served)
    lots(60)
    assert served.jobs.recent() == []


def test_a_list_beside_a_stack_goes_with_it(served: Any) -> None:
    served.waiting("energies.txt", listed())
    served.waiting("s.tif", tiff(MU))
    stack, beside = lots()
    assert (stack.state, beside.state, beside.sentence) == ("ready", "claimed", "goes with s.tif")
    import_actions.act("import", "", (), {})
    (lot,) = import_work.lots()
    (made,) = served.workspace.catalog.measurements()
    assert lot.state == "done"
    assert [(f.original_name, f.role) for f in made.files] == [("s.tif", "data"), ("energies.txt", "side")]


def test_a_stack_asks_for_its_energies_and_takes_them(served: Any) -> None:
    """By numbers, or by the name of a waiting file; a path on the server is not opened."""
    sid = served.waiting("s.tif", tiff(MU))
    (lot,) = lots()
    assert (lot.state, lot.found[0] and lot.found[0].wanted) == ("problem", ("energies",))
    assert "Open it and say under “How it is read”: Energies." in str(import_rows.words(lot))
    assert "what is it?" in str(import_rows.state(lot))
    with pytest.raises(ParamError, match="no list of numbers"):
        import_actions.keep(sid, {"option.energies": "/etc/passwd"})
    import_actions.keep(sid, {"option.energies": ", ".join(f"{e:g}" for e in ENERGY)})
    assert lots()[0].state == "ready"
    served.waiting("mine.txt", listed())
    import_actions.keep(sid, {"option.energies": ""})
    assert [lot.state for lot in lots()] == ["problem", "list"]
    import_actions.keep(sid, {"option.energies": "mine.txt"})
    assert [(lot.state, lot.sentence) for lot in lots()] == [("ready", ""), ("claimed", "goes with s.tif")]


def test_bare_numbers_ask_for_shape_and_type(served: Any) -> None:
    sid = served.waiting("s.raw", MU.astype(">u2").tobytes() + b"")
    (lot,) = lots()
    assert lot.found[0] is not None
    assert set(lot.found[0].wanted) >= {"shape", "dtype", "byte_order"}
    noise = np.random.default_rng(0).integers(1, 900, MU.shape)
    import_actions.act("remove", sid, (), {})
    sid = served.waiting("s.raw", noise.astype(">u2").tobytes())
    lots()
    for field, value in (("shape", f"{ENERGY.size} x 6 x 7"), ("dtype", "uint16"), ("byte_order", "big")):
        import_actions.keep(sid, {f"option.{field}": value})
        lots()
    import_actions.keep(sid, {"option.energies": listed().decode()})
    (lot,) = lots()
    assert lot.state == "ready", lot.sentence
    import_actions.act("import", "", (), {})
    (made,) = served.workspace.catalog.measurements()
    assert np.array_equal(np.moveaxis(served.workspace.store.open(made.dataset_keys[0])["mu"].values, -1, 0), noise)


def test_datasets_of_a_file_are_offered_and_the_choice_is_remembered(served: Any, tmp_path: Path) -> None:
    def content(add: float) -> bytes:
        with h5py.File(tmp_path / "x.h5", "w") as f:
            f["scan/aligned"], f["scan/raw"], f["scan/energy"] = MU + add, MU * 2, ENERGY
        return (tmp_path / "x.h5").read_bytes()

    sid = served.waiting("one.h5", content(0))
    (lot,) = lots()
    assert (lot.state, lot.found[0] and lot.found[0].wanted) == ("problem", ("dataset",))
    assert lot.found[0] is not None
    assert lot.found[0].choices["dataset"][0] == ("/scan/aligned", f"/scan/aligned ({ENERGY.size} × 6 × 7, float32)")
    assert "/scan/raw" in str(import_detail.detail(lot))
    import_actions.keep(sid, {"option.dataset": "/scan/aligned"})
    assert lots()[0].state == "ready"
    import_actions.act("import", "", (), {})
    served.waiting("two.h5", content(1))
    lot = lots()[-1]
    assert lot.found[0] is not None
    assert (lot.state, lot.found[0].options) == ("ready", {"dataset": "/scan/aligned"})
    assert lot.found[0].note == "Read like the last file that was laid out alike: dataset /scan/aligned."


def test_an_image_can_be_read_as_something_else(served: Any) -> None:
    sid = served.waiting("v.tif", tiff(MU))
    (lot,) = lots()
    offered = [i for i, _ in lot.found[0].candidates]  # type: ignore[union-attr]
    assert offered[0] == "xanes.tiff"
    assert {"xanes.volume", "xanes.finished_map"} <= set(offered)
    import_actions.keep(sid, {"reader": "xanes.volume"})
    (lot,) = lots()
    assert (lot.state, lot.found[0] and lot.found[0].image) == ("ready", "Middle slice")
    answer = served.client.get(f"/uploads/{sid}/picture.png")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert served.client.get("/uploads/0/picture.png").status_code == 404


def test_a_picture_is_what_its_values_are() -> None:
    values = np.arange(200.0).reshape(10, 20)
    values[0, 0] = np.nan
    from PIL import Image

    with Image.open(io.BytesIO(grey_png(values, low=0, high=100))) as image:
        seen = np.asarray(image)
    assert seen.shape == (10, 20)
    assert seen[0, 0] == 0
    assert seen[-1, -1] == 255
    assert np.abs(seen.astype(float)[values > 1] - 255 * (values[values > 1] - 1) / 198).max() <= 0.51


def test_spectra_lead_to_their_page(served: Any, small_data: Path) -> None:
    sid = served.waiting("S.xdi", (small_data / "xas" / "S_elemental_rt_01.xdi").read_bytes())
    (lot,) = lots()
    assert lot.found[0] is not None
    assert lot.found[0].facts["Edge"] == "S K"
    assert lot.judged.missing == ("group", "state", "cycle")
    import_actions.keep(sid, {"cell.group": "coated"})
    lots()
    import_actions.act("import", "", (), {})
    assert "/spectra?ref=coated" in str(import_rows.state(import_work.lots()[0]))


def test_a_manifest_takes_a_pattern(served: Any) -> None:
    served.waiting("study.csv", b"file,cell,particle,state\nscan/p1_*.tif,A,p1,charged\n")
    frames(served)
    assert {lot.state for lot in lots(60)} == {"ready", "claimed"}
    import_actions.act("import", "", (), {})
    assert [lot.state for lot in import_work.lots()] == ["done"]
    (made,) = served.workspace.catalog.measurements()
    assert (made.particle, len(made.files)) == ("p1", ENERGY.size)


def test_the_unit_of_capacities_has_an_input(served: Any) -> None:
    table = "cycle,charge capacity,discharge capacity\n" + "".join(f"{i},{1.1 - 0.01 * i:.3f},{1.0 - 0.01 * i:.3f}\n" for i in range(1, 9))
    served.waiting("cycles.csv", table.encode())
    (lot,) = lots()
    reader = import_options.reader_of(lot)
    assert reader is not None
    assert "option.capacity_unit" in str(import_options.panel(lot, reader))
