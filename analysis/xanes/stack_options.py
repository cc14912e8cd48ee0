"""What people add to files that do not say everything: energies, axes, what the values are, voxel size.

Lists are given as a file or as numbers. The numbers themselves become part of the dataset's key, so that a list which is changed
later does not change what was read.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from analysis.core.errors import ReadError
from analysis.core.params import Options
from analysis.formats import raw, stxm
from analysis.formats.energies import Unit, parse_list, read_list

AbsorptionUnit = Literal["1", "1/um", "1/cm"]


def _columns(given: Any) -> np.ndarray:
    """The numbers of a list that is given as a file's name, as text, or as numbers: shape (n, columns)."""
    while isinstance(given, list | tuple) and len(given) == 1 and isinstance(given[0], list | tuple):
        (given,) = given
    if isinstance(given, list | tuple) and given and all(isinstance(v, str) for v in given):
        given = ",".join(given)
    if not isinstance(given, str):
        return np.array(given, float).reshape(len(given), -1) if len(given) else np.empty((0, 1))
    try:
        if not any(c.isalpha() for c in given.replace("e", "").replace("E", "")):
            return parse_list(given.replace(",", "\n").replace(" ", "\n"), "the list")
        path = Path(given).expanduser()
        if not path.is_file():
            raise ValueError(f"there is no file {given}")
        if path.suffix.lower() == ".hdr":
            return stxm.read_header(path).energy.reshape(-1, 1)
        return read_list(path)
    except ReadError as err:
        raise ValueError(err.message) from err


class ImageOptions(Options):
    """What most files of images do not say."""

    voxel_um: float | None = Field(None, gt=0, title="Edge length of a voxel", json_schema_extra={"unit": "um"})


class RawFields(ImageOptions):
    """Bare numbers say nothing of themselves."""

    shape: tuple[int, ...] = Field((), title="Shape of raw numbers", description="Slowest axis first, such as 80,1024,1024")
    dtype: raw.Type | None = Field(None, title="Type of raw numbers")
    byte_order: raw.Order = Field("little", title="Byte order of raw numbers")
    header_bytes: int = Field(0, ge=0, title="Header before raw numbers", json_schema_extra={"unit": "byte"})

    @field_validator("shape")
    @classmethod
    def _positive(cls, shape: tuple[int, ...]) -> tuple[int, ...]:
        if any(n < 1 for n in shape):
            raise ValueError("every length is at least 1")
        return shape


class StackOptions(ImageOptions):
    """How a stack of images at several energies is read."""

    energies: tuple[float, ...] = Field((), title="Energies", description="Text file with one energy a line, or the numbers")
    energy_unit: Unit = Field(
        "auto", title="Unit of the energies", description="auto: as stated, else keV where all are below 100, else eV"
    )
    energy_axis: Literal["auto", "first", "last"] = Field("auto", title="Axis of the energies in the file")
    values: Literal["auto", "absorption", "transmission", "counts"] = Field(
        "auto", title="Values are", description="auto: what the format says, else absorption (optical depth)"
    )
    i0: tuple[tuple[float, float], ...] = Field((), title="Incident intensity", description="Text file with two columns, energy and counts")
    unit: AbsorptionUnit = Field("1", title="Unit of the absorption", description="1: optical depth")
    drop: tuple[int, ...] = Field((), title="Frames to leave out", description="Counted from 1 in the order of the file")

    @field_validator("energies", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        return tuple(_columns(given)[:, 0].tolist()) if given else ()

    @field_validator("i0", mode="before")
    @classmethod
    def _paired(cls, given: Any) -> Any:
        if not given:
            return ()
        columns = _columns(given)
        if columns.shape[1] < 2:
            raise ValueError("two columns are needed, energy and counts")
        return tuple((float(e), float(v)) for e, v in columns[:, :2])


class DatasetOptions(StackOptions):
    """Files that may hold several datasets."""

    dataset: str = Field("", title="Dataset", description="Such as /entry/data; empty: the only one that can be meant")


class Hdf5Options(DatasetOptions):
    energy_dataset: str = Field("", title="Dataset of the energies", description="Such as /entry/energy; empty: found by its name")


class StxmOptions(StackOptions):
    channel: str = Field("a", pattern="^[a-z]$", title="Channel", description="The letter in the names of the images")


class RawOptions(StackOptions, RawFields):
    """How a stack of bare numbers is read."""
