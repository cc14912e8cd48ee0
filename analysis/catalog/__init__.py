"""The catalog of a workspace: what was measured on which cell, in ``catalog.sqlite``.

``Catalog`` opens it; ``records`` has what goes in and comes out; ``manifest`` reads and writes it as CSV or TOML;
``comparability`` warns where groups differ in more than what is compared; ``grid`` serves the editable table;
``integrity`` looks for what is missing or wrong. Tables are in ``models``, their history in ``migrations``.
"""

from analysis.catalog.catalog import Catalog
from analysis.catalog.records import (
    CellFields,
    CellRecord,
    FileFields,
    FileRecord,
    GroupFields,
    GroupRecord,
    HarvestFields,
    HarvestRecord,
    MeasurementFields,
    MeasurementRecord,
    ParticleFields,
    ParticleRecord,
    Place,
)

__all__ = [
    "Catalog",
    "CellFields",
    "CellRecord",
    "FileFields",
    "FileRecord",
    "GroupFields",
    "GroupRecord",
    "HarvestFields",
    "HarvestRecord",
    "MeasurementFields",
    "MeasurementRecord",
    "ParticleFields",
    "ParticleRecord",
    "Place",
]
