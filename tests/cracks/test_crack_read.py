"""Masks made elsewhere, in every format, and the whole way from a file through the store."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from crack_makers import SPACE, ball, scalar

from analysis.core.data import scalars, warnings_of
from analysis.core.errors import DataError, ReadError
from analysis.core.registry import Registry, load
from analysis.core.run import Request, explain, ingest, run
from analysis.core.store import Store
from analysis.cracks.strokes import strokes_of
from analysis.demo import crack_phantoms

ENVELOPE = ball(40, 15)
Z = np.arange(40)[:, None, None] * np.ones((1, 40, 40))
CRACK = ENVELOPE & (np.abs(Z - 19.5) < 2) & ball(40, 12)
LABELS = (ENVELOPE.astype(np.uint8) + CRACK).astype(np.uint8)
RATIO = CRACK.sum() / ENVELOPE.sum()
HEAD = 'NRRD0004\ntype: uint8\ndimension: 3\nsizes: 40 40 40\nencoding: raw\nspacings: 0.5 0.5 0.5\nunits: "um" "um" "um"\n\n'
MHA = "NDims = 3\nDimSize = 40 40 40\nElementSpacing = 0.0005 0.0005 0.0005\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"


@pytest.fixture
def registry() -> Registry:
    return load(("analysis.cracks", "analysis.xanes"))


def written(folder: Path, kind: str, values: np.ndarray = LABELS) -> Path:
    path = folder / f"mask.{kind}"
    if kind == "tif":
        tifffile.imwrite(path, values)
    elif kind == "npy":
        np.save(path, values)
    elif kind == "h5":
        with h5py.File(path, "w") as f:
            f["entry/labels"] = values
    else:
        path.write_bytes((HEAD if kind == "nrrd" else MHA).encode() + values.tobytes())
    return path


@pytest.mark.parametrize("kind", ["tif", "npy", "h5", "nrrd", "mha"])
def test_a_mask_of_three_numbers_in_every_format(kind: str, tmp_path: Path, registry: Registry) -> None:
    store = Store(tmp_path / "workspace")
    options = {} if kind in ("nrrd", "mha") else {"voxel_um": 0.5}
    key = ingest([written(tmp_path, kind)], registry, store, reader_id="cracks.mask", options=options)
    found = store.open(key)
    np.testing.assert_array_equal(found["crack"].values, CRACK)
    np.testing.assert_array_equal(found["envelope"].values, ENVELOPE)
    told = scalars(store.open(run(Request(recipe="cracks.measure", inputs={"segmentation": key}), registry, store)))
    assert told["crack_volume_ratio"].value == pytest.approx(RATIO)
    assert told["envelope_volume"].value == pytest.approx(ENVELOPE.sum() * 0.125)
    assert told["detection_limit"].value is None


def test_nrrd_and_metaimage_are_recognised(tmp_path: Path, registry: Registry) -> None:
    for kind in ("nrrd", "mha"):
        assert registry.recognise(written(tmp_path, kind)).id == "cracks.mask"


def test_a_mask_of_the_solid_has_its_envelope_closed(tmp_path: Path, registry: Registry) -> None:
    store = Store(tmp_path / "workspace")
    path = written(tmp_path, "npy", (ENVELOPE & ~CRACK).astype(np.uint8) * 7)
    key = ingest([path], registry, store, reader_id="cracks.mask", options={"solid": 7, "closing": 4})
    found = store.open(key)
    np.testing.assert_array_equal(found["crack"].values[ball(40, 13)], CRACK[ball(40, 13)])
    assert any("closed with 4 voxels" in w for w in warnings_of(found))


def test_what_is_no_mask(tmp_path: Path, registry: Registry) -> None:
    reader = registry.reader("cracks.mask")

    def read(values: np.ndarray, **options):
        return reader.read((written(tmp_path, "npy", values),), reader.options.check(options))

    with pytest.raises(DataError, match="holds grey values"):
        read(np.random.default_rng(0).random((20, 20, 20)))
    with pytest.raises(DataError, match=r"No voxel of mask\.npy is solid \(5\): its numbers are 0, 1, 2"):
        read(LABELS, solid=5)
    with pytest.raises(ReadError, match="2 dimensions where a mask has three"):
        read(LABELS[0])
    (tmp_path / "mask.txt").write_text("nothing", encoding="ascii")
    with pytest.raises(ReadError, match="no mask of a known format"):
        reader.read((tmp_path / "mask.txt",), reader.options.check({}))


def test_from_a_tomogram_to_every_result(tmp_path: Path, registry: Registry) -> None:
    """Through the store, with an edit of the brush and its undoing; every step is explained down to the file."""
    store = Store(tmp_path / "workspace")
    phantom = crack_phantoms.islands(56, width=4, enclosed=1, seed=3)
    path = tmp_path / "tomogram.npy"
    np.save(path, phantom.density(blur=0.8, snr=8, seed=3))
    volume = ingest([path], registry, store, reader_id="xanes.volume", options={"voxel_um": 0.05, "unit": "1/um"})
    energy = np.where(phantom.envelope, 8340.0 + (phantom.domain > 0), 0).astype(np.float32)
    np.save(tmp_path / "energy.npy", energy)
    edges = ingest(
        [tmp_path / "energy.npy"], registry, store, reader_id="xanes.finished_map", options={"definition": "e_half", "voxel_um": 0.05}
    )
    params = {"blanks": 0}
    plain = run(Request(recipe="cracks.segment", inputs={"volume": volume}, params=params), registry, store)
    edit = store.put_edit(strokes_of(np.array([[28.0, 28.0, 28.0]]), radius=2, add=True))
    painted = run(Request(recipe="cracks.segment", inputs={"volume": volume, "strokes": edit}, params=params), registry, store)
    assert painted != plain
    assert store.open(painted)["crack"].values.sum() > store.open(plain)["crack"].values.sum()
    for recipe, inputs, chosen in (
        ("cracks.measure", {"segmentation": plain}, {}),
        ("cracks.domains", {"segmentation": plain, "edges": edges}, {"smallest": 100}),
        ("cracks.distance_profile", {"segmentation": plain, "edges": edges}, {}),
    ):
        key = run(Request(recipe=recipe, inputs=inputs, params=chosen), registry, store)
        found = store.open(key)
        assert all("units" in v.attrs for v in found.variables.values())
        assert explain(key, store)["inputs"]["segmentation"][0]["inputs"]["volume"][0]["files"][0]["name"] == "tomogram.npy"
        if recipe == "cracks.domains":
            assert scalar(found, "n_domains")["value"] == 2
            np.testing.assert_allclose(found["difference"].values, 1.0, atol=0.05)  # voxels at the walls
            assert found["label"].dims == SPACE
