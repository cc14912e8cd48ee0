"""Files to datasets: detectors, units, order, records, and what a user is told."""

from pathlib import Path

import numpy as np
import pytest
from spectra_makers import REGISTRY, columns, edge, read

from analysis.core.data import warnings_of
from analysis.core.errors import ParamError, ReadError
from analysis.core.run import ingest
from analysis.core.store import Store

E = np.arange(2440.0, 2520.0, 0.5)
MU = 0.2 + edge(E, 2472.0)


def test_every_file_of_the_collection_is_recognised(shared_data: Path) -> None:
    xas = shared_data / "xas"
    expected = {".xdi": "spectra.xdi", ".xxdi": "spectra.xdi", ".prj": "spectra.athena", ".h5": "spectra.nxxas"}
    files = [p for p in xas.rglob("*") if p.is_file() and p.suffix != ".json" and p.name != "Ni_eng_list.txt"]
    assert len(files) == 36
    for path in files:
        assert REGISTRY.recognise(path).id == expected.get(path.suffix, "spectra.columns"), path.name or path


def test_fluorescence_over_i0(small_data: Path) -> None:
    ds = read(small_data / "xas" / "S_elemental_rt_01.xdi")
    assert (ds.attrs["mode"], ds.attrs["element"], ds.attrs["edge"]) == ("fluorescence", "S", "K")
    assert ds["mu"].dims == ("spectrum", "energy")
    assert float(ds["mu"][0, 0]) == pytest.approx(6865.4573 / 230463.0, rel=1e-12)
    assert str(ds["name"].values[0]) == "elemental sulfur"


def test_transmission_is_a_logarithm(small_data: Path) -> None:
    ds = read(small_data / "xas" / "Ni_metal_rt_01.xdi")
    assert ds.attrs["mode"] == "transmission"
    last = float(ds["mu"][0, -1])
    assert last == pytest.approx(np.log(119512.7 / 114748.099978), rel=1e-9)


def test_ssrl_channels_are_summed_and_dead_time_corrected(small_data: Path) -> None:
    path = small_data / "xas" / "SSRLmicro_2008.dat"
    plain, corrected = read(path), read(path, dead_time_us=1.0)
    assert (plain.attrs["mode"], plain.attrs["element"]) == ("fluorescence", "Ge")
    assert any("ICR" in w for w in warnings_of(plain))
    assert not any("ICR" in w for w in warnings_of(corrected))
    one = read(path, signal=["SCA1.4", "SCA1.5"], mode="fluorescence")
    first = [23.0 + 40.0]
    assert float(one["mu"][0, 0]) == pytest.approx(first[0] / 3229.0, rel=1e-12)
    # A channel of 53,006 counts a second and 1 us loses 5.4 %.
    single, fixed = read(path, signal=["SCA1.4"]), read(path, signal=["SCA1.4"], dead_time_us=1.0)
    assert float(fixed["mu"][0, 0] / single["mu"][0, 0]) == pytest.approx(np.exp(53006e-6), rel=1e-9)
    assert read(path, mode="transmission", i0="I0", signal=["SCA1.4"]).attrs["mode"] == "transmission"


def test_beamline_columns_need_a_choice_and_take_it(shared_data: Path) -> None:
    path = shared_data / "xas" / "columns" / "SLS_PHOENIX_2023.dat"
    with pytest.raises(ReadError, match="several kinds of fluorescence channels"):
        read(path)
    chosen = read(path, mode="fluorescence", signal=["AlKa_sum_cps_c3"])
    assert (chosen.attrs["element"], chosen.sizes["energy"]) == ("Al", 301)
    guessed = read(path, signal=["AlKa_sum_cps_c3"])
    assert guessed["mu"].values == pytest.approx(chosen["mu"].values)
    assert "AlKa_sum_cps_c3 was read as fluorescence (option mode)." in warnings_of(guessed)
    with pytest.raises(ReadError, match="yield from KEITHLEY4_TEY_c10 is negative everywhere"):
        read(path, mode="yield")
    bare = shared_data / "xas" / "columns" / "generic_columns_no_header.dat"
    with pytest.raises(ReadError, match="no column is the energy"):
        read(bare)
    assert read(bare, energy="1", mode="mu", signal=["4"]).sizes["energy"] == 198


def test_kev_unsorted_and_repeated_energies(tmp_path: Path, shared_data: Path) -> None:
    refs = read(shared_data / "xas" / "refs_ni" / "ref_LiNiO2.txt")
    assert (float(refs["energy"][0]), refs.attrs["element"]) == (8200.0, "Ni")
    order = np.random.default_rng(0).permutation(E.size)
    energy, mu = np.append(E[order], E[10]), np.append(MU[order], MU[10] + 0.2)
    ds = read(columns(tmp_path / "a.dat", energy=energy, mu=mu))
    assert ds["energy"].values.tolist() == E.tolist()
    assert float(ds["mu"][0, 10]) == pytest.approx(MU[10] + 0.1, abs=1e-6)
    assert {"The energies of 'a' were not in order and have been sorted.", "1 repeated energies of 'a' were averaged."} <= set(
        warnings_of(ds)
    )


def test_descending_scans_need_no_remark(tmp_path: Path) -> None:
    ds = read(columns(tmp_path / "a.dat", energy=E[::-1], mu=MU[::-1]), mode="mu")
    assert np.all(np.diff(ds["energy"].values) > 0)
    assert warnings_of(ds) == ()


def test_wild_ends_are_left_out_and_said(tmp_path: Path) -> None:
    wild = MU.copy()
    wild[-2:] = 0.0, 9.0
    path = columns(tmp_path / "a.dat", energy=E, mu=wild)
    ds = read(path)
    assert ds.sizes["energy"] == E.size - 2
    assert warnings_of(ds) == ("2 wild points at the ends of 'a' were left out (option ends=keep keeps them).",)
    assert read(path, ends="keep").sizes["energy"] == E.size


def test_a_fading_beam_is_said(small_data: Path) -> None:
    ds = read(small_data / "xas" / "pentlandite_rt_01.xdi")
    assert warnings_of(ds) == ("From 2658 eV on, I0 of 'pentlandite' falls to 8% of its median: the signal is unreliable there.",)
    assert float(read(small_data / "xas" / "pentlandite_rt_01.xdi", energy_max=2550.0)["energy"][-1]) <= 2550.0


def test_records_of_a_project(small_data: Path) -> None:
    path = small_data / "xas" / "S_CAMD.prj"
    whole = read(path)
    assert whole.sizes["spectrum"] == 22
    assert float(whole["energy_shift"][1]) == 0.329
    one, same = read(path, record="Sulfur flower (+0)"), read(path, record="6")
    assert one.sizes == same.sizes == {"energy": 366, "spectrum": 1}
    shifted, raw = read(path, record="2"), read(path, record="2", apply_shift=False)
    assert float(shifted["energy"][0] - raw["energy"][0]) == pytest.approx(0.329, abs=1e-9)
    with pytest.raises(ReadError, match="has no record 'gold'"):
        read(path, record="gold")


def test_spectra_of_other_grids_have_no_points_there(small_data: Path) -> None:
    ds = read(small_data / "xas" / "S_CAMD.prj")
    points = np.isfinite(ds["mu"].values).sum(axis=1)
    assert points[[0, 1, 4]].tolist() == [364, 343, 549]
    assert np.all(np.diff(ds["energy"].values) > 0)


def test_foils_are_partners(shared_data: Path) -> None:
    ds = read(shared_data / "xas" / "athena" / "NiO.prj")
    assert ds["partner"].values.tolist() == [k + 1 if k % 2 == 0 else -1 for k in range(24)]


def test_nxxas_counts_and_records(small_data: Path) -> None:
    path = small_data / "xas" / "Fe_XDIFiles.h5"
    ds = read(path)
    assert (ds.sizes["spectrum"], ds.attrs["element"], ds.attrs["mode"]) == (3, "Fe", "transmission")
    assert ds["name"].values.astype(str).tolist()[0] == "Fe2O3"
    assert read(path, record="feo").sizes == {"energy": 412, "spectrum": 1}


def test_several_files_are_one_dataset(tmp_path: Path) -> None:
    paths = [columns(tmp_path / f"{n}.dat", energy=E, mu=MU) for n in "ab"]
    store = Store(tmp_path / "store")
    key = ingest(paths, REGISTRY, store)
    assert store.open(key)["name"].values.astype(str).tolist() == ["a", "b"]


def test_wrong_columns(tmp_path: Path) -> None:
    path = columns(tmp_path / "a.dat", energy=E, i0=np.full(E.size, 1e5), i1=1e5 * np.exp(-MU))
    assert read(path)["mu"].values[0] == pytest.approx(MU, abs=1e-5)
    with pytest.raises(ReadError, match="is not a photon energy"):
        read(path, energy="i1", energy_unit="keV")
    with pytest.raises(ReadError, match="has no column 'fluo'"):
        read(path, signal=["fluo"])
    with pytest.raises(ReadError, match="no column is known to hold fluorescence"):
        read(path, mode="fluorescence")
    with pytest.raises(ParamError, match="Detector"):
        read(path, mode="guess")


def test_too_few_points_and_all_negative(tmp_path: Path) -> None:
    few = columns(tmp_path / "few.dat", energy=E[:9], mu=MU[:9])
    with pytest.raises(ReadError, match="9 usable points"):
        REGISTRY.reader("spectra.columns").read((few,), REGISTRY.reader("spectra.columns").options())
    negative = columns(tmp_path / "neg.dat", energy=E, i0=np.full(E.size, 1e5), fluo=-1e3 * MU)
    with pytest.raises(ReadError, match="is negative everywhere"):
        read(negative)


def test_cut_off_files_are_told(tmp_path: Path, small_data: Path) -> None:
    whole = (small_data / "xas" / "S_CAMD.prj").read_bytes()
    (tmp_path / "cut.prj").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match="damaged or cut off"):
        read(tmp_path / "cut.prj")
    text = (small_data / "xas" / "S_elemental_rt_01.xdi").read_text()
    (tmp_path / "cut.xdi").write_text(text[: len(text) // 2])
    ds = read(tmp_path / "cut.xdi")
    assert any("cut off" in w for w in warnings_of(ds))


@pytest.mark.parametrize(
    "text", ["time,voltage,current\n0,3.0,1\n1,3.1,1\n2,3.2,1\n3,3.3,1\n", "cycle;energy(Wh);cumulative\n1;2;3\n2;3;4\n3;4;5\n"]
)
def test_tables_of_other_measurements_are_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ReadError, match="No reader recognises"):
        REGISTRY.recognise(tmp_path / "a.csv")
