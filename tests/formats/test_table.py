"""The shared table of text and binary formats."""

import numpy as np
import pytest

from analysis.formats.table import Table


def test_table_knows_its_length() -> None:
    assert Table({"time": np.arange(3.0), "voltage": np.zeros(3)}, {"time": "s", "voltage": "V"}).n_rows == 3
    assert Table({}, {}).n_rows == 0


@pytest.mark.parametrize("columns", [{"a": np.zeros(3), "b": np.zeros(2)}, {"a": np.zeros((2, 2))}])
def test_columns_must_fit_each_other(columns: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        Table(columns, {})
