"""Records from the binary files of cyclers: known capacities, units, clocks, recognition, speed."""

import json
import struct
import time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest
import xarray as xr

from analysis.core.errors import ParamError, ReadError
from analysis.core.registry import Modality, Probe, Reader, Registry
from analysis.cycling.read_binary import READERS, BiologicOptions
from analysis.cycling.schemas import MODES, RECORD
from analysis.cycling.soundness import counter_kind, record, sound, unrolled
from analysis.formats.table import Table
from tests.damage import damaged_copies, outcome
from tests.formats.test_biologic_mpr import POINT, four_points, mpr

REGISTRY = Registry({"cycling": Modality("cycling", "Cycling", READERS)})
FILES = {
    "biologic/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr": ("cycling.biologic_mpr", 46_102),
    "biologic/jdb11-1_e1_s3_squidTest_data_C15.mpr": ("cycling.biologic_mpr", 32_917),
    "biologic/gcpl.issue_211.mpr": ("cycling.biologic_mpr", 2_767),
    "biologic/biol.mpr": ("cycling.biologic_mpr", 23_561),
    "biologic/250116_kigr_gen6_01_02_GCPL_CD8.mpr": ("cycling.biologic_mpr", 3_791),
    "neware/BTS85-36-6-5-110-20240424.ndax": ("cycling.neware", 699_677),
    "neware/TESTCELL0001-Test_Data_Collection_Ndc17.ndax": ("cycling.neware", 80),
    "neware/nw4-120-1-6-53.ndax": ("cycling.neware", 18_700),
    "neware/nda8.nda.zip": ("cycling.neware", 46_805),
    "neware/Unit27_Example_Corrupt.ndax": ("cycling.neware", 301),
    "arbin/20160805_test001_45_cc_01.res": ("cycling.arbin_res", 10_261),
    "landt/LANHE_GPCL.ccs": ("cycling.lanhe_ccs", 170_577),
}


def read(path: Path, **options: Any) -> xr.Dataset:
    reader = REGISTRY.recognise(path)
    return reader.read((path,), reader.options.check(options))


def reader(reader_id: str) -> Reader:
    return REGISTRY.reader(reader_id)


def half_cycles(ds: xr.Dataset, *, least: float) -> np.ndarray:
    """Signed charge in mA h between changes of the current's sign; below ``least`` mA h it is no half cycle."""
    charge = np.diff((ds["charge_capacity"] - ds["discharge_capacity"]).values, prepend=0.0) * 1e3
    flowing = charge != 0
    sign, charge = np.sign(charge[flowing]), charge[flowing]
    runs = np.cumsum(np.diff(sign, prepend=sign[:1]) != 0)
    summed = np.bincount(runs, charge)
    return summed[np.abs(summed) > least]


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_recognised_and_gives_a_sound_record(shared_data: Path, name: str) -> None:
    expected, rows = FILES[name]
    path = shared_data / "cycling" / name
    assert [r.id for r, sure in REGISTRY.candidates(path) if sure >= 0.9] == [expected]
    ds = read(path)
    assert ds.sizes == {"row": rows}
    assert RECORD.conform(ds).identical(ds)
    assert (np.diff(ds["time"]) >= 0).all()
    assert all(np.isfinite(ds[v]).all() for v in ds)
    assert "mode" not in ds or set(np.unique(ds["mode"])) <= set(MODES)
    assert ds.attrs["counter"] in ("step", "cycle", "cumulative")
    assert ds["voltage"].dtype == ds["current"].dtype == np.float64
    json.dumps(ds.attrs["metadata"])
    assert all(path.name in said for said in ds.attrs["warnings"])


@pytest.mark.parametrize(
    ("name", "n", "first"),
    [
        ("jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr", 13, [-0.2065, 0.9868, -0.8529, 0.9371, -0.8763, 0.9419]),
        ("jdb11-1_e1_s3_squidTest_data_C15.mpr", 13, [-0.0055, 0.1004, -0.0619]),
        ("gcpl.issue_211.mpr", 10, [0.0575, -0.0534, 0.0538, -0.0539]),
        ("250116_kigr_gen6_01_02_GCPL_CD8.mpr", 4, [2.3501, -1.7896, 1.8816, -1.8496]),
    ],
)
def test_half_cycles_of_biologic_files(shared_data: Path, name: str, n: int, first: list[float]) -> None:
    found = half_cycles(read(shared_data / "cycling/biologic" / name), least=1e-3)
    assert found.size == n or name.startswith("250116")  # this one goes on with a short charge
    np.testing.assert_allclose(found[: len(first)], first, atol=6e-5)


def test_biologic_current_is_that_of_the_text_export(shared_data: Path) -> None:
    folder = shared_data / "cycling/biologic"
    lines = (folder / "gcpl.issue_211.mpt").read_text("latin-1").splitlines()
    n = int(lines[1].split(":")[1])
    names = lines[n - 1].split("\t")
    rows = np.array([line.split("\t")[:41] for line in lines[n:]]).astype(float)
    text = {name: rows[:, k] for k, name in enumerate(names[:41])}
    ds = read(folder / "gcpl.issue_211.mpr")
    np.testing.assert_allclose(ds["current"] * 1e3, text["<I>/mA"], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(ds["voltage"], text["Ewe/V"], rtol=1e-7)
    np.testing.assert_allclose(ds["time"], text["time/s"], rtol=1e-14)
    cell = read(folder / "gcpl.issue_211.mpr", voltage="cell")
    np.testing.assert_allclose(cell["voltage"], text["Ewe-Ece/V"], rtol=1e-6, atol=1e-7)


def test_energy_of_biologic_files_runs_on_over_the_cycles(shared_data: Path) -> None:
    ds = read(shared_data / "cycling/biologic/gcpl.issue_211.mpr")
    power = np.abs(ds["voltage"] * ds["current"]).values
    for name, sign in (("charge_energy", 1), ("discharge_energy", -1)):
        flowing = np.where(np.sign(ds["current"].values) == sign, power, 0.0)
        # Rectangles of the interval's last voltage against the instrument's own sum; the voltage passes zero.
        assert ds[name].values[-1] == pytest.approx((flowing[1:] * np.diff(ds["time"])).sum() / 3600, rel=0.15)
        assert (np.diff(ds[name]) >= 0).all()


def test_impedance_rows_of_a_biologic_file_are_marked(shared_data: Path) -> None:
    ds = read(shared_data / "cycling/biologic/biol.mpr")
    assert set(np.unique(ds["mode"])) <= {1, 3, 4}
    assert "current_is" not in ds.attrs  # this file has currents, the one below their means only
    assert read(shared_data / "cycling/biologic/gcpl.issue_211.mpr").attrs["current_is"] == "interval mean"
    assert (ds["mode"] == 4).any()


def test_cycles_of_the_large_neware_file(shared_data: Path) -> None:
    ds = read(shared_data / "cycling/neware/BTS85-36-6-5-110-20240424.ndax")
    of_steps = {
        name: ds[name].groupby(ds["step"]).max().groupby(ds["cycle"].groupby(ds["step"]).first()).sum() * 1e3
        for name in ("charge_capacity", "discharge_capacity")
    }
    np.testing.assert_allclose(of_steps["charge_capacity"][:2], [1.057, 1.049], atol=6e-4)
    np.testing.assert_allclose(of_steps["discharge_capacity"][:2], [1.026, 1.031], atol=6e-4)
    assert ds["cycle"].max() == 22
    assert ds.attrs["start_time"] == "2024-05-06T08:58:57"
    assert ds.attrs["instrument"] == "Neware BTS 8.0"
    (said,) = ds.attrs["warnings"]
    assert "the wall clock jumps back 17 times, first in row 68 by 0.959 s, farthest in row 54197 by 2.16 s" in said


def test_neware_counters_are_those_of_their_origin(shared_data: Path) -> None:
    file = shared_data / "cycling/neware/nw4-120-1-6-53.ndax"
    ds, reference = read(file, cycle_rule="raw"), pl.read_parquet(file.with_suffix(".parquet"))
    counted = (ds["charge_capacity"] + ds["discharge_capacity"]) * 3.6e6
    np.testing.assert_allclose(counted, reference["Capacity(mAs)"].to_numpy(), rtol=1e-4, atol=1.0)
    assert (ds["cycle"].values == reference["Cycle Index"].to_numpy()).all()
    assert read(file)["cycle"].max() == 160  # a new one with each charge after a discharge
    # charge where the current is positive, discharge where it is negative
    assert float(ds["charge_capacity"].where(ds["current"] < 0).max()) == 0
    assert float(ds["discharge_capacity"].where(ds["current"] > 0).max()) == 0
    assert ds.attrs["metadata"]["cycle_rule"] == "raw"


def test_arbin_counts_by_cycle(shared_data: Path) -> None:
    ds = read(shared_data / "cycling/arbin/20160805_test001_45_cc_01.res")
    assert ds.attrs["counter"] == "cycle"
    assert float(ds["discharge_capacity"].max()) == pytest.approx(0.001755, abs=5e-7)
    assert int(ds["cycle"].max()) == 18
    assert ds.attrs["metadata"]["active_mass_mg"] == pytest.approx(0.852838)


def test_lanhe_charge_and_rest(shared_data: Path) -> None:
    ds = read(shared_data / "cycling/landt/LANHE_GPCL.ccs")
    assert float(ds["discharge_capacity"][-1]) * 1e3 == pytest.approx(0.288115, abs=1e-6)
    assert float(ds["charge_capacity"][-1]) == 0
    assert float(ds["time"].where(ds["mode"] == 3).max()) == 7200.0
    assert ds.attrs["start_time"] == "2023-03-29T09:29:00+00:00"


def test_an_open_circuit_file_is_a_rest(tmp_path: Path) -> None:
    file = tmp_path / "ocv.mpr"
    file.write_bytes(mpr(np.array([(0.0, 3.0), (1.0, 3.1)], np.dtype([("t", "<f8"), ("e", "<f4")])), ids=(4, 6), technique=0x0B))
    ds = read(file)
    np.testing.assert_array_equal(ds["mode"], [3, 3])
    np.testing.assert_array_equal(ds["current"], [0, 0])


def test_other_techniques_are_named(tmp_path: Path) -> None:
    spectrum = np.array([(0.0, 3.0, 1e5, 0.1)], np.dtype([("t", "<f8"), ("e", "<f4"), ("f", "<f4"), ("i", "<f4")]))
    file = tmp_path / "eis.mpr"
    file.write_bytes(mpr(spectrum, ids=(4, 6, 32, 8), technique=0x1D))
    with pytest.raises(ReadError, match=r"eis\.mpr holds impedance spectra \(technique PEIS\)"):
        read(file)
    file.write_bytes(mpr(np.array([(0.0, 3.0)], np.dtype([("t", "<f8"), ("e", "<f4")])), ids=(4, 6), technique=0x18))
    with pytest.raises(ReadError, match="the technique CA recorded no I"):
        read(file)


def test_no_counter_electrode_no_cell_voltage(tmp_path: Path) -> None:
    file = tmp_path / "two.mpr"
    file.write_bytes(mpr(four_points()))
    with pytest.raises(ParamError, match="has no counter electrode"):
        reader("cycling.biologic_mpr").read((file,), BiologicOptions(voltage="cell"))


def test_a_time_that_jumps_back_goes_on_and_is_said(tmp_path: Path) -> None:
    points = np.concatenate([four_points(), four_points()])
    file = tmp_path / "twice.mpr"
    file.write_bytes(mpr(points))
    ds = read(file)
    np.testing.assert_allclose(ds["time"], [0, 1, 2.5, 4, 4, 5, 6.5, 8])
    assert ds.attrs["warnings"] == ["twice.mpr: the test time jumps back once, first in row 5 by 4 s; what follows was moved on."]


def test_rows_that_cannot_be_true_are_left_out(tmp_path: Path) -> None:
    points = np.concatenate([four_points(), np.zeros(1, POINT)])
    points["time"] = [0, 1e300, 2, np.nan, 4]
    points["ewe"][2] = np.inf
    file = tmp_path / "damaged.mpr"
    file.write_bytes(mpr(points))
    ds = read(file)
    np.testing.assert_array_equal(ds["time"], [0, 4])
    assert ds.attrs["warnings"] == ["damaged.mpr: 3 of 5 rows are damaged and left out, the first is row 2."]
    points["time"] = np.nan
    file.write_bytes(mpr(points))
    with pytest.raises(ReadError, match="no row has a time, voltage and current"):
        read(file)


def test_wall_clock_jumps_are_counted() -> None:
    columns = {name: (np.arange(5.0), "s") for name in ("time", "timestamp")}
    columns["timestamp"] = (np.array([0.0, 1, 0.5, 4, 1]), "s")
    said = record("x", columns, {}).attrs["warnings"]
    assert said == ["x: the wall clock jumps back 2 times, first in row 3 by 0.5 s, farthest in row 5 by 3 s; the test time is used."]


def test_counters() -> None:
    np.testing.assert_allclose(unrolled(np.array([0, 1, 3, 0.5, 2])), [0, 1, 3, 3.5, 5])

    def kind(counter: list[float], cycle: list[int]) -> str:
        return counter_kind({"time": (np.arange(4.0), "s"), "charge_capacity": (np.array(counter), "A h"), "cycle": (np.array(cycle), "1")})

    assert kind([0, 1, 2, 3], [1, 1, 2, 2]) == "cumulative"
    assert kind([0, 1, 0, 1], [1, 1, 2, 2]) == "cycle"
    assert kind([0, 1, 0, 1], [1, 1, 1, 2]) == "step"


def test_a_sound_table_is_not_touched() -> None:
    table = Table({"time": np.arange(3.0), "voltage": np.array([3.0, np.nan, 4.0])}, {"time": "s", "voltage": "V"})
    assert sound("x", table) is table


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"BIO-LOGIC MODULAR FILE\x1a", "x.txt", {"cycling.biologic_mpr": 1.0}),
        (b"NEWARE" + bytes(100), "x.bin", {"cycling.neware": 1.0}),
        (b"\x00\x01\x00\x00Standard Jet DB\x00", "x.res", {"cycling.arbin_res": 1.0}),
        (b"\x00\x01\x00\x00Standard ACE DB\x00", "x.accdb", {"cycling.arbin_res": 0.6}),
        (b"Time,Voltage\n1,2\n" * 500, "x.ccs", {}),
        (b"PK\x03\x04", "x.ndax", {}),
        (bytes(100_000), "x.ccs", {}),
    ],
)
def test_recognition_is_by_content(tmp_path: Path, content: bytes, name: str, expected: dict[str, float]) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert {r.id: sure for r in READERS if (sure := r.sniff(Probe.of(file)))} == expected


def test_archives_are_recognised_by_what_they_hold(tmp_path: Path, small_data: Path) -> None:
    testcell = small_data / "neware/TESTCELL0001-Test_Data_Collection_Ndc17.ndax"
    with ZipFile(tmp_path / "cell.zip", "w") as archive:
        archive.write(testcell, "cell.ndax")
    with ZipFile(tmp_path / "book.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert read(tmp_path / "cell.zip").sizes["row"] == 80
    assert [r.sniff(Probe.of(tmp_path / "book.xlsx")) for r in READERS] == [0, 0, 0, 0]
    cut = tmp_path / "cut.bin"
    cut.write_bytes(testcell.read_bytes()[:5000])
    with pytest.raises(ReadError, match=r"cut\.bin is damaged"):
        read(cut)


def test_parts_of_one_test_are_stitched(tmp_path: Path) -> None:
    pytest.importorskip("analysis.cycling.stitch")
    log = bytearray(1200)
    paths = []
    for k in range(2):
        struct.pack_into("<d", log, 585, 45_000.0 + k)
        paths.append(tmp_path / f"part{k}.mpr")
        points = four_points()
        points["ewe"] += k
        paths[-1].write_bytes(mpr(points, log=bytes(log)))
    ds = reader("cycling.biologic_mpr").read(tuple(reversed(paths)), BiologicOptions())
    assert ds.sizes["row"] == 8
    assert (np.diff(ds["time"]) >= 0).all()
    np.testing.assert_allclose(ds["voltage"], np.concatenate([four_points()["ewe"], four_points()["ewe"] + 1]))


@pytest.mark.parametrize("kind", ["mpr", "ndax"])
def test_damage_gives_a_record_or_a_sentence(tmp_path: Path, small_data: Path, kind: str) -> None:
    whole = {"mpr": "biologic/250116_kigr_gen6_01_02_GCPL_CD8.mpr", "ndax": "neware/TESTCELL0001-Test_Data_Collection_Ndc17.ndax"}[kind]
    chosen = reader({"mpr": "cycling.biologic_mpr", "ndax": "cycling.neware"}[kind])
    file = tmp_path / f"damaged.{kind}"
    for content in damaged_copies((small_data / whole).read_bytes(), 20, seed=5):
        file.write_bytes(content)
        assert all(0 <= r.sniff(Probe.of(file)) <= 1 for r in READERS)
        found, sentence = outcome(lambda: chosen.read((file,), chosen.options()))
        assert sentence.startswith("damaged.") if found is None else (np.diff(found["time"]) >= 0).all()


@pytest.mark.slow
def test_a_large_neware_file_costs_little_more_than_its_decoding(shared_data: Path) -> None:
    """In processor time: other tests may run beside this one."""
    import fastnda

    file = shared_data / "cycling/neware/BTS85-36-6-5-110-20240424.ndax"
    ours, theirs = [], []
    for _ in range(5):
        start = time.process_time()
        read(file)
        ours.append(time.process_time() - start)
        start = time.process_time()
        fastnda.read(file)
        theirs.append(time.process_time() - start)
    assert min(ours) < 1.4 * min(theirs)
