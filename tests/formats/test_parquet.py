from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.core.errors import ReadError
from analysis.formats import parquet


def test_head_and_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    values = np.arange(1000.0)
    table = pa.table({"a": values, "b": -values}).replace_schema_metadata({"note": '{"x": 1}', "plain": "text"})
    pq.write_table(table, path, row_group_size=100)
    head = parquet.head(path)
    assert (head.columns, head.rows, head.metadata) == (("a", "b"), 1000, {"note": {"x": 1}, "plain": "text"})
    assert [batch.num_rows for batch in parquet.batches(path, ["b"])] == [1000]
    monkeypatch.setattr(parquet, "WHOLE_ROWS", 10)
    monkeypatch.setattr(parquet, "_BATCH_ROWS", 300)
    parts = list(parquet.batches(path, ["b"]))
    assert len(parts) > 3
    np.testing.assert_array_equal(np.concatenate([part.column("b").to_numpy() for part in parts]), -values)


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "cycling/bdf/legacy.bdf.parquet").read_bytes()
    path = tmp_path / "t.parquet"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match=r"t.parquet is no readable parquet file: it is damaged or cut off"):
        parquet.head(path)


def test_a_column_name_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"Voltage / Volt": [1.0]}), path)
    path.write_bytes(path.read_bytes().replace(b"Voltage / Volt", b"Voltage / \xe9olt"))
    with pytest.raises(ReadError, match="damaged or cut off"):
        parquet.head(path)
