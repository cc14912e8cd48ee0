"""The tables of a workspace's catalog, as SQLAlchemy sees them.

A change here needs a new revision in ``migrations/versions``; a test compares the two.
Values are checked in ``records.py`` before they get here: the database itself keeps what must hold whoever
writes (keys, uniqueness, references).
"""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, MetaData, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    # Named constraints can be altered later; SQLite cannot name them afterwards.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Group(Base):
    """Cells that are compared as one, such as coated ones; ``colour_slot`` is its colour on every page."""

    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    colour_slot: Mapped[int]
    position: Mapped[int]
    description: Mapped[str | None]


class Cell(Base):
    """One cell, as it was built and cycled."""

    __tablename__ = "cells"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"), index=True)
    active_material: Mapped[str | None]
    coating: Mapped[str | None]
    coating_thickness_nm: Mapped[float | None]
    electrolyte: Mapped[str | None]
    anode: Mapped[str | None]
    composite_mass_mg: Mapped[float | None]
    active_fraction: Mapped[float | None]
    active_mass_mg: Mapped[float | None]
    areal_loading_mg_cm2: Mapped[float | None]
    electrode_area_cm2: Mapped[float | None]
    stack_pressure_MPa: Mapped[float | None]
    temperature_degC: Mapped[float | None]
    one_c_mA_per_g: Mapped[float | None]
    formation_cycles: Mapped[int | None]
    rate: Mapped[str | None]
    voltage_lower_V: Mapped[float | None]
    voltage_upper_V: Mapped[float | None]
    voltage_reference: Mapped[str | None]
    notes: Mapped[str | None]
    operator: Mapped[str | None]
    date: Mapped[dt.date | None]
    origin: Mapped[str]
    excluded_reason: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.current_timestamp())  # UTC

    group: Mapped[Group | None] = relationship()


class Harvest(Base):
    """The event of taking particles or pellets from a cell, at a cycle and in a state."""

    __tablename__ = "harvests"
    __table_args__ = (UniqueConstraint("cell_id", "cycle_number", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cell_id: Mapped[int] = mapped_column(ForeignKey("cells.id", ondelete="CASCADE"), index=True)
    cycle_number: Mapped[int | None]
    state: Mapped[str | None]
    date: Mapped[dt.date | None]
    notes: Mapped[str | None]

    cell: Mapped[Cell] = relationship()


class Particle(Base):
    """A particle or pellet of a cell, from a harvest where there was one."""

    __tablename__ = "particles"
    __table_args__ = (UniqueConstraint("cell_id", "harvest_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cell_id: Mapped[int] = mapped_column(ForeignKey("cells.id", ondelete="CASCADE"), index=True)
    harvest_id: Mapped[int | None] = mapped_column(ForeignKey("harvests.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    location: Mapped[str | None]
    notes: Mapped[str | None]
    excluded_reason: Mapped[str | None]

    cell: Mapped[Cell] = relationship()
    harvest: Mapped[Harvest | None] = relationship()


class Measurement(Base):
    """One measurement with the keys of the datasets that were read from its files, in time order."""

    __tablename__ = "measurements"

    id: Mapped[int] = mapped_column(primary_key=True)
    cell_id: Mapped[int] = mapped_column(ForeignKey("cells.id", ondelete="CASCADE"), index=True)
    harvest_id: Mapped[int | None] = mapped_column(ForeignKey("harvests.id", ondelete="CASCADE"), index=True)
    particle_id: Mapped[int | None] = mapped_column(ForeignKey("particles.id", ondelete="CASCADE"), index=True)
    modality: Mapped[str] = mapped_column(index=True)
    part_of: Mapped[str | None]
    instrument: Mapped[str | None]
    state: Mapped[str | None]
    cycle_number: Mapped[int | None]
    dimensionality: Mapped[str | None]
    definition: Mapped[str | None]
    calibration: Mapped[str | None]
    date: Mapped[dt.date | None]
    operator: Mapped[str | None]
    notes: Mapped[str | None]
    origin: Mapped[str]
    reader_id: Mapped[str | None]
    reader_options: Mapped[dict[str, Any]] = mapped_column(JSON)
    dataset_keys: Mapped[list[str]] = mapped_column(JSON)
    excluded_reason: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.current_timestamp())  # UTC

    cell: Mapped[Cell] = relationship()
    particle: Mapped[Particle | None] = relationship()
    files: Mapped[list["File"]] = relationship(order_by="File.position", cascade="all, delete-orphan", passive_deletes=True)


class File(Base):
    """One original file: where it lies and what it was when it was taken."""

    __tablename__ = "files"

    id: Mapped[int] = mapped_column(primary_key=True)
    measurement_id: Mapped[int] = mapped_column(ForeignKey("measurements.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    role: Mapped[str]
    original_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    size_bytes: Mapped[int]
    mtime_ns: Mapped[int]
    stored_path: Mapped[str]
    referenced: Mapped[bool]


class Board(Base):
    """A review board; what stands on it is its newest version."""

    __tablename__ = "boards"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.current_timestamp())  # UTC

    versions: Mapped[list["BoardVersion"]] = relationship(
        order_by="BoardVersion.version", cascade="all, delete-orphan", passive_deletes=True
    )


class BoardVersion(Base):
    """A board as it was saved once; never changed afterwards."""

    __tablename__ = "board_versions"
    __table_args__ = (UniqueConstraint("board_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(ForeignKey("boards.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    change: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[dt.datetime] = mapped_column(server_default=func.current_timestamp())  # UTC


class ColumnMapping(Base):
    """How the columns of files with this header were read the last time."""

    __tablename__ = "column_mappings"

    signature: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)


class Setting(Base):
    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
