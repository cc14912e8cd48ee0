import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.core.errors import ReadError
from analysis.formats import delimited_body
from analysis.formats.delimited import detect
from analysis.formats.delimited_body import Rows, read_table

TIME, VOLT = [0.0, 10.0, 20.5, 30.0, 40.25], [3.5, 3.6125, -0.25, 12.75, 1234.5]


def number(value: float, decimal: str) -> str:
    return repr(value).replace(".", decimal)


def written(
    path: Path, *, encoding: str = "utf-8", delimiter: str = ",", decimal: str = ".", end: str = "\n", above: tuple[str, ...] = ()
) -> Path:
    lines = [*above, delimiter.join(["Time(s)", "Voltage(V)", "Note"])]
    lines += [delimiter.join([number(t, decimal), number(v, decimal), "ok"]) for t, v in zip(TIME, VOLT, strict=True)]
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


CASES = [
    (encoding, delimiter, decimal, end)
    for encoding, delimiter, decimal, end in itertools.product(
        ("utf-8", "utf-8-sig", "utf-16", "latin-1"), ("\t", ";", ",", " "), (".", ","), ("\n", "\r\n", "\r")
    )
    if not (delimiter == "," and decimal == ",")
]


@pytest.mark.parametrize(("encoding", "delimiter", "decimal", "end"), CASES)
def test_every_way_of_writing_gives_the_same_numbers(tmp_path: Path, encoding: str, delimiter: str, decimal: str, end: str) -> None:
    above = ("Prüfling: Zelle 7", "", "Temperatur 25 °C")
    path = written(tmp_path / "t.csv", encoding=encoding, delimiter=delimiter, decimal=decimal, end=end, above=above)
    layout = detect(path)
    assert (layout.delimiter, layout.decimal, layout.columns) == (delimiter, decimal, ("Time(s)", "Voltage(V)", "Note"))
    found = read_table(path, layout)
    np.testing.assert_array_equal(found.columns["Time(s)"], TIME)
    np.testing.assert_array_equal(found.columns["Voltage(V)"], VOLT)
    assert list(found.columns["Note"]) == ["ok"] * 5
    assert found.warnings == ()


def test_decimal_commas_in_quotes_between_commas(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('Time(s),Voltage(V)\n"0,5","3,25"\n"1,5","3,5"\n')
    found = read_table(path, detect(path))
    np.testing.assert_array_equal(found.columns["Voltage(V)"], [3.25, 3.5])


def test_thousands_separators(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Time(s);Q(mAh)\n0;999,5\n10;1.000,25\n20;12.345.678,5\n")
    np.testing.assert_array_equal(read_table(path, detect(path)).columns["Q(mAh)"], [999.5, 1000.25, 12345678.5])
    path.write_text('Time(s),Q(mAh)\n0,999.5\n10,"1,000.25"\n')
    np.testing.assert_array_equal(read_table(path, detect(path)).columns["Q(mAh)"], [999.5, 1000.25])


def test_a_row_of_units_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("time\tvoltage\tcurrent\ns\tV\tmA\n0\t3.5\t1\n10\t3.6\t1\n")
    found = read_table(path, detect(path))
    assert dict(found.units) == {"time": "s", "voltage": "V", "current": "mA"}
    np.testing.assert_array_equal(found.columns["voltage"], [3.5, 3.6])


def test_a_row_that_is_cut_off_is_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,2,3\n4,5,6\n7,8")
    found = read_table(path, detect(path))
    np.testing.assert_array_equal(found.columns["a"], [1, 4])
    assert found.warnings == ("t.csv: row 3, the last, is cut off in the middle and was left out.",)


def test_a_last_number_that_is_cut_off_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i},3.4{i}00\n" for i in range(6)) + "6,3.4")
    found = read_table(path, detect(path))
    assert found.n_rows == 6
    assert "row 7" in found.warnings[0]


def test_a_missing_last_line_end_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,4")
    assert read_table(path, detect(path)).n_rows == 2


def test_ragged_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,2,3\n4,5,6\n7,8\n9,10,11,12\n13,14,15,,\n16,17,18\n")
    found = read_table(path, detect(path))
    np.testing.assert_array_equal(found.columns["a"], [1, 4, 7, 13, 16])
    np.testing.assert_array_equal(found.columns["c"], [3, 6, np.nan, 15, 18])
    assert found.warnings == (
        "t.csv: 1 rows (4) have more cells than the header and were left out.",
        "t.csv: 1 rows (3) have fewer cells than the header; what is missing counts as empty.",
    )


def test_rows_that_all_end_in_one_delimiter_more(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2,\n3,4,\n")
    found = read_table(path, detect(path))
    np.testing.assert_array_equal(found.columns["b"], [2, 4])
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "t.csv is empty."),
        (b"\n \n", "t.csv is empty."),
        (b"\x00\x01\x02\x03" * 100, "t.csv is not a text file."),
        (b"just a few words\nand some more\n", "t.csv holds no table of numbers."),
    ],
)
def test_what_is_no_table_is_said_in_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(ReadError) as err:
        detect(path)
    assert err.value.message == said


def test_header_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Time(s),Voltage(V),Current(A)\n")
    layout = detect(path)
    assert layout.columns == ("Time(s)", "Voltage(V)", "Current(A)")
    assert read_table(path, layout).n_rows == 0


@pytest.mark.parametrize("delimiter", [",", " "])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_large_file_comes_in_blocks_with_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delimiter: str, encoding: str
) -> None:
    rows = 5000
    values = np.random.default_rng(1).normal(size=rows)
    path = tmp_path / "t.csv"
    body = "\n".join(delimiter.join([str(i), repr(float(v))]) for i, v in enumerate(values))
    path.write_bytes(("top\n\ntime" + delimiter + "voltage\n" + body + "\n").encode(encoding))
    monkeypatch.setattr(delimited_body, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(delimited_body, "BLOCK_BYTES", 20_000)
    layout = detect(path)
    batches = list(Rows(path, layout, layout.columns))
    assert len(batches) > 3
    np.testing.assert_array_equal(np.concatenate([batch.column("voltage").to_numpy() for batch in batches]), values)


def test_a_cut_row_at_the_end_of_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n" + "".join(f"{i},2,3\n" for i in range(2000)) + "2000,2")
    monkeypatch.setattr(delimited_body, "WHOLE_BYTES", 1000)
    layout = detect(path)
    rows = Rows(path, layout, layout.columns)
    assert sum(batch.num_rows for batch in rows) == 2000
    assert rows.warnings == ["t.csv: row 2001, the last, is cut off in the middle and was left out."]


finite = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(finite, finite, finite), min_size=2, max_size=30),
    delimiter=st.sampled_from("\t;, "),
    decimal=st.sampled_from(".,"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_numbers_survive_any_locale(
    tmp_path: Path, rows: list[tuple[float, float, float]], delimiter: str, decimal: str, encoding: str, end: str
) -> None:
    if delimiter == "," and decimal == ",":
        return
    path = tmp_path / "t.csv"
    lines = [delimiter.join(["Time(s)", "Voltage(V)", "Current(A)"])]
    lines += [delimiter.join(number(value, decimal) for value in row) for row in rows]
    path.write_bytes((end.join(lines) + end).encode(encoding))
    found = read_table(path, detect(path, decimal=decimal))
    np.testing.assert_array_equal(np.stack(list(found.columns.values()), axis=1), np.array(rows))
