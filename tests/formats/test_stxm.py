"""STXM scans: a real header of the ALS, images made after its description."""

from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats import stxm
from analysis.formats.blocks import whole
from tests.damage import damaged_copies, outcome

HEADER = """ScanDefinition = {{ Label = "{stem}.hdr"; Type = "NEXAFS Image Scan"; Flags = "Image Stack"; Dwell = 1;
\tRegions = (1,
{{
\t\t\tPAxis = {{ Name = "Sample X"; Unit = "um"; Min = 0; Max = 0.3; Dir = 1;
\t\t\t\tPoints = (4, 0.000, 0.100, 0.200, 0.300);
}};
\t\t\tQAxis = {{ Name = "Sample Y"; Unit = "um"; Min = 0; Max = 0.1; Dir = 1;
\t\t\t\tPoints = (3, 0.000, 0.050, 0.100);
}};
}});
\tStackAxis = {{ Name = "Energy"; Unit = "eV"; Min = 700; Max = 702; Dir = 1;
\t\tPoints = (2, 700.000, 702.000);
}};
\tChannels = (1,
{{ Name = "counter1"; Unit = "counts";}});
}};
 Time = "2007 December 14 18:52:00";
"""
IMAGES = np.arange(24).reshape(2, 3, 4)


def scan(folder: Path, stem: str = "51") -> Path:
    path = folder / f"{stem}.hdr"
    path.write_text(HEADER.format(stem=stem))
    for k, image in enumerate(IMAGES):
        (folder / f"{stem}_a{k:03d}.xim").write_text("\n".join("\t".join(map(str, row)) + "\t" for row in image) + "\n")
    return path


def test_a_real_header(shared_data: Path) -> None:
    found = stxm.read_header(shared_data / "txm/als_stxm_fe_71214078/71214078.hdr")
    listed = np.loadtxt(shared_data / "txm/als_stxm_fe_71214078/Energy.txt")
    assert found.energy == pytest.approx(listed, abs=1e-3)
    assert found.energy[[0, -1]] == pytest.approx([700.0, 730.35], abs=0.01)
    assert found.shape == (125, 125)
    assert found.step_um == pytest.approx((0.08, 0.08), abs=1e-4)
    assert found.kind == "NEXAFS Image Scan"
    assert found.dwell_s == pytest.approx(0.433e-3)
    assert found.time == "2007 December 14 18:52:00"


def test_images_beside_the_header(tmp_path: Path) -> None:
    found = stxm.images(stxm.read_header(scan(tmp_path)))
    assert np.array_equal(whole(found), IMAGES)
    assert np.array_equal(found[slice(1, 2), slice(1, 2), slice(0, 4, 2)], IMAGES[1:2, 1:2, ::2])


def test_missing_and_cut_images_are_named(tmp_path: Path) -> None:
    path = scan(tmp_path)
    (tmp_path / "51_a001.xim").unlink()
    with pytest.raises(ReadError, match=r"51\.hdr lists 2 energies, but 1 images"):
        stxm.images(stxm.read_header(path))
    scan(tmp_path)
    (tmp_path / "51_a000.xim").write_text("1\t2\t3\t4\n5\t6\n")
    with pytest.raises(ReadError, match=r"51_a000\.xim has rows of different length: it is cut off"):
        stxm.images(stxm.read_header(path))


def test_damaged_headers_are_read_or_refused(tmp_path: Path, shared_data: Path) -> None:
    path = tmp_path / "a.hdr"
    for copy in damaged_copies((shared_data / "txm/als_stxm_fe_71214078/71214078.hdr").read_bytes(), 50, seed=3):
        path.write_bytes(copy)
        try:
            found, sentence = outcome(lambda: stxm.read_header(path))
        except ValueError as err:  # the energies mix units or are not positive
            found, sentence = None, str(err)
        assert sentence or found is not None
