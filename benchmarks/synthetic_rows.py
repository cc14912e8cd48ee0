"""Long records as Battery Data Format tables, written block by block: any number of rows in the memory of one block."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

ROWS_A_CYCLE = 10_000
REST_ROWS = 100  # at the end of each half cycle
STEP_S = 5.0
CURRENT_A = 1e-3
NOISE_V = 2e-4
BLOCK_CYCLES = 10


def write(path: Path, rows: int, *, seed: int = 1) -> None:
    """A record of ``rows`` rows: constant-current cycles with rests, counters that start with each cycle, a noisy voltage."""
    blocks = _blocks(rows, np.random.default_rng(seed))
    first = next(blocks)
    opened = pq.ParquetWriter(path, first.schema) if path.suffix == ".parquet" else pcsv.CSVWriter(path, first.schema)
    with opened as writer:
        writer.write_table(first)
        for block in blocks:
            writer.write_table(block)


def _blocks(rows: int, rng: np.random.Generator) -> Iterator[pa.Table]:
    for first in range(0, rows, BLOCK_CYCLES * ROWS_A_CYCLE):
        yield _block(np.arange(first, min(rows, first + BLOCK_CYCLES * ROWS_A_CYCLE)), rng)


def _block(row: np.ndarray, rng: np.random.Generator) -> pa.Table:
    half_rows = ROWS_A_CYCLE // 2
    half, place = np.divmod(row, half_rows)
    active = np.minimum(place, half_rows - REST_ROWS)
    fraction = active / (half_rows - REST_ROWS)
    charging, resting = half % 2 == 0, place > half_rows - REST_ROWS
    moved = CURRENT_A * STEP_S / 3600 * active
    full = CURRENT_A * STEP_S / 3600 * (half_rows - REST_ROWS)
    soc = np.where(charging, fraction, 1 - fraction)
    voltage = 3.4 + 0.5 * soc + 0.08 * np.tanh((soc - 0.4) / 0.05) + np.where(charging, 0.03, -0.03) * ~resting
    return pa.table(
        {
            "Test Time / s": row * STEP_S,
            "Voltage / V": np.round(voltage + rng.normal(0, NOISE_V, row.size), 6),
            "Current / A": np.where(resting, 0.0, np.where(charging, CURRENT_A, -CURRENT_A)),
            "Cycle Count / 1": half // 2 + 1,
            "Step ID / 1": 1 + (half % 2) * 2 + resting,
            "Cycle Charging Capacity / Ah": np.where(charging, moved, full),
            "Cycle Discharging Capacity / Ah": np.where(charging, 0.0, moved),
            "Ambient Temperature / degC": np.round(25 + 0.2 * np.sin(row / 17_280), 2),
        }
    )
