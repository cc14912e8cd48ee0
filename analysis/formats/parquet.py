"""Parquet tables, by row groups, so that a file larger than memory can be read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.core.errors import ReadError

MARK = b"PAR1"
WHOLE_ROWS = 1 << 20
_BATCH_ROWS = 1 << 18


@dataclass(frozen=True)
class ParquetHead:
    """What a parquet file says of itself."""

    columns: tuple[str, ...]
    rows: int
    metadata: dict[str, Any] = field(default_factory=dict)


def head(path: Path) -> ParquetHead:
    """Names, number of rows and JSON metadata of a parquet file."""
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            return ParquetHead(tuple(schema.names), file.metadata.num_rows, _metadata(schema.metadata))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as err:  # the last: damaged names of columns
        raise _damaged(path) from err


def batches(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The named columns: at once where they are few rows, else in batches of some 2¹⁸ rows."""
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows <= WHOLE_ROWS:
                yield file.read(columns=list(columns))
                return
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns)):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError, UnicodeDecodeError) as err:  # the last: damaged names of columns
        raise _damaged(path) from err


def _metadata(raw: dict[bytes, bytes] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in (raw or {}).items():
        if key in (b"pandas", b"ARROW:schema"):
            continue
        try:
            found[key.decode()] = json.loads(value)
        except ValueError:
            found[key.decode(errors="replace")] = value.decode(errors="replace")
    return found


def _damaged(path: Path) -> ReadError:
    return ReadError(f"{path.name} is no readable parquet file: it is damaged or cut off.", hint="Copy or export it again.")
