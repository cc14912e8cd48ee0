"""The catalog of a workspace: groups, cells, harvests, particles, measurements and their files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import joinedload, selectinload

from analysis.catalog import rows
from analysis.catalog.boards import Boards
from analysis.catalog.database import Database
from analysis.catalog.models import Cell, ColumnMapping, File, Group, Harvest, Measurement, Particle, Setting
from analysis.catalog.records import (
    CellFields,
    CellRecord,
    FileFields,
    GroupFields,
    GroupRecord,
    HarvestFields,
    HarvestRecord,
    Kind,
    MappingRecord,
    MeasurementFields,
    MeasurementRecord,
    ParticleFields,
    ParticleRecord,
    Place,
)
from analysis.core.errors import ParamError, StoreError


class Catalog:
    """Everything in ``root/catalog.sqlite``; each method is one short transaction and hands out frozen records.

    Made and brought up to date where necessary. Safe between threads and processes: a writer waits for another one.
    Keyword fields (``**fields``) are those of the field classes in ``records.py``, which check them. None or a blank
    clears a field in ``update_…``, and leaves it as it is in ``upsert_…``, ``add_…`` and imports.
    Cells and groups are named by id (int) or name (str).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._db = Database(root)
        self.boards = Boards(self._db)

    def close(self) -> None:
        self._db.close()

    def damage(self) -> list[str]:
        """Sentences about a file that is damaged in itself; ``integrity.check`` looks at the rows too."""
        return self._db.damage()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # groups

    def groups(self) -> tuple[GroupRecord, ...]:
        """In their order, which is the same on every page."""
        with self._db.read() as s:
            return tuple(rows.group_record(s, g) for g in s.scalars(select(Group).order_by(Group.position, Group.id)))

    def group(self, ref: int | str) -> GroupRecord:
        with self._db.read() as s:
            return rows.group_record(s, rows.find_group(s, ref))

    def add_group(self, name: str, **fields: Any) -> GroupRecord:
        checked = GroupFields.check({"name": name, **fields})
        with self._db.write() as s:
            return rows.group_record(s, rows.add_group(s, checked))

    def upsert_group(self, name: str, **fields: Any) -> GroupRecord:
        checked = GroupFields.check({"name": name, **fields})
        with self._db.write() as s:
            return rows.group_record(s, rows.put_group(s, checked))

    def update_group(self, ref: int | str, **fields: Any) -> GroupRecord:
        with self._db.write() as s:
            return rows.group_record(s, rows.change_group(s, rows.find_group(s, ref), fields))

    def delete_group(self, ref: int | str) -> None:
        with self._db.write() as s:
            group = rows.find_group(s, ref)
            n_cells = rows.group_record(s, group).n_cells
            if n_cells:
                raise ParamError(f"Group '{group.name}' still holds cells ({n_cells}).", hint="Move them to another group first.")
            s.delete(group)

    # cells

    def cells(self, group: int | str | None = None, *, include_excluded: bool = True) -> tuple[CellRecord, ...]:
        """By group order, then by name."""
        query = select(Cell).outerjoin(Cell.group).options(joinedload(Cell.group)).order_by(Group.position.nulls_last(), Cell.name)
        with self._db.read() as s:
            if group is not None:
                query = query.where(Cell.group_id == rows.find_group(s, group).id)
            if not include_excluded:
                query = query.where(Cell.excluded_reason.is_(None))
            return tuple(rows.cell_record(c) for c in s.scalars(query))

    def cell(self, ref: int | str) -> CellRecord:
        with self._db.read() as s:
            return rows.cell_record(rows.find_cell(s, ref))

    def upsert_cell(self, name: str, **fields: Any) -> CellRecord:
        """Make the cell, or change the given fields of the one that is there. A new group name makes a group."""
        checked = CellFields.check({"name": name, **fields}, subject=f"cell '{name}'")
        with self._db.write() as s:
            return rows.cell_record(rows.put_cell(s, checked))

    def update_cell(self, ref: int | str, **fields: Any) -> CellRecord:
        """Change an existing cell; an unknown group is refused."""
        with self._db.write() as s:
            return rows.cell_record(rows.change_cell(s, rows.find_cell(s, ref), fields))

    def delete_cell(self, ref: int | str) -> tuple[MeasurementRecord, ...]:
        """Remove the cell with its harvests, particles and measurements; returns the measurements. Files and datasets stay."""
        with self._db.write() as s:
            return rows.delete_owner(s, rows.find_cell(s, ref), Measurement.cell_id)

    # harvests and particles

    def harvests(self, cell: int | str | None = None) -> tuple[HarvestRecord, ...]:
        query = select(Harvest).options(joinedload(Harvest.cell)).order_by(Harvest.cell_id, Harvest.cycle_number, Harvest.id)
        with self._db.read() as s:
            if cell is not None:
                query = query.where(Harvest.cell_id == rows.find_cell(s, cell).id)
            return tuple(rows.harvest_record(h) for h in s.scalars(query))

    def add_harvest(self, cell: int | str, **fields: Any) -> HarvestRecord:
        """The harvest at that cycle and state; one that is already there is returned, with the given fields changed."""
        checked = HarvestFields.check(fields)
        with self._db.write() as s:
            return rows.harvest_record(rows.put_harvest(s, rows.find_cell(s, cell), checked))

    def update_harvest(self, harvest_id: int, **fields: Any) -> HarvestRecord:
        """Change a harvest; its measurements follow its cycle and state."""
        with self._db.write() as s:
            return rows.harvest_record(rows.change_harvest(s, rows.by_id(s, Harvest, harvest_id, "harvest"), fields))

    def particles(self, cell: int | str | None = None) -> tuple[ParticleRecord, ...]:
        query = select(Particle).options(joinedload(Particle.cell)).order_by(Particle.cell_id, Particle.harvest_id, Particle.name)
        with self._db.read() as s:
            if cell is not None:
                query = query.where(Particle.cell_id == rows.find_cell(s, cell).id)
            return tuple(rows.particle_record(p) for p in s.scalars(query))

    def add_particle(self, cell: int | str, name: str, *, harvest: int | None = None, **fields: Any) -> ParticleRecord:
        """The particle of that name; one that is already there is returned, with the given fields changed."""
        checked = ParticleFields.check({"name": name, **fields})
        with self._db.write() as s:
            row = rows.find_cell(s, cell)
            source = None if harvest is None else rows.by_id(s, Harvest, harvest, "harvest")
            if source is not None and source.cell_id != row.id:
                raise ParamError(f"Harvest {harvest} is not of cell '{row.name}'.", hint="Choose a harvest of this cell.")
            return rows.particle_record(rows.put_particle(s, row, source, checked))

    def update_particle(self, particle_id: int, **fields: Any) -> ParticleRecord:
        with self._db.write() as s:
            return rows.particle_record(rows.change_particle(s, rows.by_id(s, Particle, particle_id, "particle"), fields))

    # measurements

    def measurements(
        self, modality: str | None = None, cell: int | str | None = None, *, include_excluded: bool = True
    ) -> tuple[MeasurementRecord, ...]:
        """In the order they were added. Excluded means by itself, by its particle or by its cell."""
        query = select(Measurement).order_by(Measurement.id).options(selectinload(Measurement.files))
        query = query.options(joinedload(Measurement.cell).joinedload(Cell.group), joinedload(Measurement.particle))
        if modality is not None:
            query = query.where(Measurement.modality == modality)
        with self._db.read() as s:
            if cell is not None:
                query = query.where(Measurement.cell_id == rows.find_cell(s, cell).id)
            found = tuple(rows.measurement_record(m) for m in s.scalars(query))
        return found if include_excluded else tuple(m for m in found if not m.excluded)

    def measurement(self, measurement_id: int) -> MeasurementRecord:
        with self._db.read() as s:
            return rows.measurement_record(rows.by_id(s, Measurement, measurement_id, "measurement"))

    def add_measurement(
        self,
        measurement: MeasurementFields,
        *,
        cell: int | str | CellFields,
        harvest: int | HarvestFields | None = None,
        particle: int | ParticleFields | None = None,
        files: Sequence[FileFields] = (),
    ) -> MeasurementRecord:
        """Take one measurement with its files and, where given as fields, its cell, harvest and particle: all or nothing.

        Cell, harvest and particle given as fields are made, or found by name (the harvest by cycle and state) and
        changed by what is given. Write files and datasets first: once this returns, the import is there.
        """
        with self._db.write() as s:
            owner = rows.put_cell(s, cell) if isinstance(cell, CellFields) else rows.find_cell(s, cell)
            source = rows.by_id(s, Harvest, harvest, "harvest") if isinstance(harvest, int) else None
            if isinstance(harvest, HarvestFields):
                source = rows.put_harvest(s, owner, harvest)
            sample = rows.by_id(s, Particle, particle, "particle") if isinstance(particle, int) else None
            if isinstance(particle, ParticleFields):
                sample = rows.put_particle(s, owner, source, particle)
            return rows.measurement_record(rows.add_measurement(s, owner, source, sample, measurement, files))

    def update_measurement(self, measurement_id: int, **fields: Any) -> MeasurementRecord:
        with self._db.write() as s:
            return rows.measurement_record(rows.change_measurement(s, rows.by_id(s, Measurement, measurement_id, "measurement"), fields))

    def delete_harvest(self, harvest_id: int) -> tuple[MeasurementRecord, ...]:
        """Remove a harvest with its particles and measurements; returns the measurements. Files and datasets stay."""
        with self._db.write() as s:
            return rows.delete_owner(s, rows.by_id(s, Harvest, harvest_id, "harvest"), Measurement.harvest_id)

    def delete_particle(self, particle_id: int) -> tuple[MeasurementRecord, ...]:
        """Remove a particle with its measurements; returns the measurements. Files and datasets stay."""
        with self._db.write() as s:
            return rows.delete_owner(s, rows.by_id(s, Particle, particle_id, "particle"), Measurement.particle_id)

    def delete_measurement(self, measurement_id: int) -> MeasurementRecord:
        """Remove it from the catalog and return what it was. Files and datasets stay."""
        with self._db.write() as s:
            row = rows.by_id(s, Measurement, measurement_id, "measurement")
            gone = rows.measurement_record(row)
            s.delete(row)
            return gone

    def find_file(self, sha256: str) -> tuple[Place, ...]:
        """Where the same content is already in."""
        query = (
            select(File, Measurement)
            .join(Measurement, File.measurement_id == Measurement.id)
            .where(File.sha256 == sha256)
            .order_by(File.id)
        )
        with self._db.read() as s:
            return tuple(
                Place(
                    measurement_id=m.id,
                    cell_id=m.cell_id,
                    cell=m.cell.name,
                    modality=m.modality,
                    original_name=f.original_name,
                    stored_path=f.stored_path,
                )
                for f, m in s.execute(query)
            )

    # exclusion

    def exclude(self, kind: Kind, row_id: int, reason: str) -> None:
        """Leave a cell, particle or measurement out of comparisons, and say why."""
        if not reason.strip():
            raise ParamError(f"Say why this {kind} is left out.", hint="The reason is shown wherever it is missing.")
        self._set_reason(kind, row_id, reason)

    def include(self, kind: Kind, row_id: int) -> None:
        """Take it back into comparisons."""
        self._set_reason(kind, row_id, None)

    def _set_reason(self, kind: str, row_id: int, reason: str | None) -> None:
        if kind == "cell":
            self.update_cell(row_id, excluded_reason=reason)
        elif kind == "particle":
            self.update_particle(row_id, excluded_reason=reason)
        elif kind == "measurement":
            self.update_measurement(row_id, excluded_reason=reason)
        else:
            raise ParamError(f"A {kind} cannot be excluded.", hint="Exclude a cell, a particle or a measurement.")

    # memory

    def remember_mapping(self, signature: str, mapping: Mapping[str, Any], *, name: str = "") -> None:
        """Keep how the columns of files with this header signature were read."""
        values = {"name": name, "mapping": dict(mapping)}
        with self._db.write() as s:
            s.execute(
                insert(ColumnMapping).values(signature=signature, **values).on_conflict_do_update(index_elements=["signature"], set_=values)
            )

    def mapping_for(self, signature: str) -> dict[str, Any] | None:
        with self._db.read() as s:
            row = s.get(ColumnMapping, signature)
            return None if row is None else dict(row.mapping)

    def mappings(self) -> tuple[MappingRecord, ...]:
        with self._db.read() as s:
            found = s.scalars(select(ColumnMapping).order_by(ColumnMapping.name, ColumnMapping.signature))
            return tuple(MappingRecord(signature=m.signature, name=m.name, mapping=m.mapping) for m in found)

    def forget_mapping(self, signature: str) -> None:
        with self._db.write() as s:
            row = s.get(ColumnMapping, signature)
            if row is None:
                raise StoreError("There is no remembered mapping for this header.")
            s.delete(row)

    def setting(self, key: str) -> Any:
        """A value kept with the workspace; None where it was never set."""
        with self._db.read() as s:
            row = s.get(Setting, key)
            return None if row is None else row.value

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a value that JSON can hold."""
        with self._db.write() as s:
            s.execute(insert(Setting).values(key=key, value=value).on_conflict_do_update(index_elements=["key"], set_={"value": value}))
