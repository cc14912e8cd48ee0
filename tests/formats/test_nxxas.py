"""NXxas entries of HDF5 files."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats.nxxas import is_nxxas, read_nxxas


def test_three_iron_spectra(small_data: Path) -> None:
    entries, warnings = read_nxxas(small_data / "xas" / "Fe_XDIFiles.h5")
    assert [(e.name, e.energy.size, e.mode) for e in entries] == [
        ("fe2o3", 348, "transmission"),
        ("fe_metal", 348, "transmission"),
        ("feo", 412, "transmission"),
    ]
    assert entries[0].text["element"] == "Fe"
    assert set(entries[0].channels) == {"i0", "itrans"}
    assert entries[0].energy_units == "eV"
    assert warnings == ()
    assert is_nxxas(small_data / "xas" / "Fe_XDIFiles.h5")


def test_entries_without_element_or_edge(shared_data: Path) -> None:
    entries, _ = read_nxxas(shared_data / "xas" / "nxxas" / "generic.h5")
    assert len(entries) == 10
    assert "element" not in {e.name: e for e in entries}["dataset08"].text


def written(path: Path, **arrays: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("one")
        group["definition"] = "NXxas"
        for name, values in arrays.items():
            group[name] = values
    return path


def test_what_a_user_is_told(tmp_path: Path, small_data: Path) -> None:
    unequal = written(tmp_path / "a.h5", energy=np.arange(5.0), intensity=np.arange(4.0))
    with pytest.raises(ReadError, match="'one' has 5 energies but 4 intensities"):
        read_nxxas(unequal)
    with pytest.raises(ReadError, match="has no energy or no intensity"):
        read_nxxas(written(tmp_path / "b.h5", energy=np.arange(5.0)))
    other = tmp_path / "c.h5"
    h5py.File(other, "w").close()
    assert not is_nxxas(other)
    with pytest.raises(ReadError, match="has no NXxas entry"):
        read_nxxas(other)
    cut = tmp_path / "d.h5"
    cut.write_bytes((small_data / "xas" / "Fe_XDIFiles.h5").read_bytes()[:50_000])
    assert not is_nxxas(cut)
    with pytest.raises(ReadError, match="damaged or cut off"):
        read_nxxas(cut)
