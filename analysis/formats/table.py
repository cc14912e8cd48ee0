"""What every reader of tabular files returns: columns, their units, and what the header says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Table:
    """Columns of equal length as a file holds them, before any modality gives them a meaning.

    ``columns`` are one-dimensional arrays by name; ``units`` gives the unit of each column that has one, in the
    notation of ``Schema``; ``metadata`` is JSON-able; ``warnings`` are sentences for the user.
    """

    columns: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {name: column.shape for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
            raise ValueError(f"columns of one table differ in shape: {lengths}")

    @property
    def n_rows(self) -> int:
        return next((column.size for column in self.columns.values()), 0)
