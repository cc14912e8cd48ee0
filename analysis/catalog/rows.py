"""Steps inside one catalog transaction: finding, writing and reading out rows.

Every function takes the session that ``Database.read`` or ``write`` gave; none begins or ends a transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from analysis.catalog.models import Base, Cell, File, Group, Harvest, Measurement, Particle
from analysis.catalog.records import (
    CellFields,
    CellRecord,
    Fields,
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
)
from analysis.core.errors import ParamError, StoreError

Row = TypeVar("Row", bound=Base)
Record = TypeVar("Record", bound=Fields)


def by_id(session: Session, table: type[Row], row_id: int, kind: str) -> Row:
    row = session.get(table, row_id)
    if row is None:
        raise StoreError(f"There is no {kind} with the number {row_id}.", hint="It may have been deleted meanwhile.")
    return row


def delete_owner(session: Session, owner: Cell | Harvest | Particle, of: InstrumentedAttribute[Any]) -> tuple[MeasurementRecord, ...]:
    """Delete a row with all that hangs on it; the measurements among that, whose column ``of`` names it."""
    gone = tuple(measurement_record(m) for m in session.scalars(select(Measurement).where(of == owner.id)))
    session.delete(owner)
    return gone


def find_group(session: Session, ref: int | str) -> Group:
    if isinstance(ref, int):
        return by_id(session, Group, ref, "group")
    found = _group_named(session, ref)
    if found is None:
        names = session.scalars(select(Group.name).order_by(Group.position))
        raise StoreError(f"There is no group '{ref}'.", hint=f"Known groups: {', '.join(names) or 'none'}.")
    return found


def find_cell(session: Session, ref: int | str) -> Cell:
    if isinstance(ref, int):
        return by_id(session, Cell, ref, "cell")
    found = session.scalar(select(Cell).where(Cell.name == ref))
    if found is None:
        raise StoreError(f"There is no cell '{ref}'.", hint="Look it up in the catalog, or add it first.")
    return found


def add_group(session: Session, fields: GroupFields) -> Group:
    if _group_named(session, fields.name) is not None:
        raise ParamError(f"There is already a group '{fields.name}'.", hint="Choose another name.")
    row = Group(
        name=fields.name,
        title=fields.title or fields.name,
        colour_slot=_free_slot(session) if fields.colour_slot is None else fields.colour_slot,
        position=_last_position(session) + 1 if fields.position is None else fields.position,
        description=fields.description,
    )
    session.add(row)
    session.flush()
    return row


def put_group(session: Session, fields: GroupFields) -> Group:
    """The group of that name, made or changed by the fields that are given."""
    row = _group_named(session, fields.name)
    return add_group(session, fields) if row is None else change_group(session, row, fields.given())


def change_group(session: Session, row: Group, changes: Mapping[str, Any]) -> Group:
    fields = GroupFields.check({**_values(row, GroupFields), **changes}, subject=f"group '{row.name}'")
    other = _group_named(session, fields.name)
    if other is not None and other.id != row.id:
        raise ParamError(f"There is already a group '{other.name}'.", hint="Choose another name.")
    row.name, row.title, row.description = fields.name, fields.title or fields.name, fields.description
    row.colour_slot = row.colour_slot if fields.colour_slot is None else fields.colour_slot
    row.position = row.position if fields.position is None else fields.position
    session.flush()
    return row


def put_cell(session: Session, fields: CellFields) -> Cell:
    """The cell of that name, made or changed by the fields that are given; its group is made where it is new."""
    if fields.group is not None and _group_named(session, fields.group) is None:
        add_group(session, GroupFields(name=fields.group))
    row = session.scalar(select(Cell).where(Cell.name == fields.name))
    if row is not None:
        return change_cell(session, row, fields.given())
    group_id = None if fields.group is None else find_group(session, fields.group).id
    row = Cell(group_id=group_id, **fields.model_dump(exclude={"group"}))
    session.add(row)
    session.flush()
    return row


def change_cell(session: Session, row: Cell, changes: Mapping[str, Any]) -> Cell:
    current = {**_values(row, CellFields, "group"), "group": row.group.name if row.group else None}
    fields = CellFields.check({**current, **changes}, subject=f"cell '{row.name}'")
    other = session.scalar(select(Cell).where(Cell.name == fields.name, Cell.id != row.id))
    if other is not None:
        raise ParamError(f"There is already a cell '{other.name}'.", hint="Choose another name.")
    row.group = None if fields.group is None else find_group(session, fields.group)
    _assign(row, fields.model_dump(exclude={"group"}))
    session.flush()
    return row


def put_harvest(session: Session, cell: Cell, fields: HarvestFields) -> Harvest:
    """The cell's harvest at that cycle and state, made or changed by the fields that are given."""
    same = (Harvest.cell_id == cell.id, _is(Harvest.cycle_number, fields.cycle_number), _is(Harvest.state, fields.state))
    row = session.scalar(select(Harvest).where(*same))
    if row is None:
        row = Harvest(cell_id=cell.id, **fields.model_dump())
        session.add(row)
    else:
        _assign(row, fields.given())
    session.flush()
    return row


def change_harvest(session: Session, row: Harvest, changes: Mapping[str, Any]) -> Harvest:
    fields = HarvestFields.check({**_values(row, HarvestFields), **changes}, subject=f"cell '{row.cell.name}'")
    same = (Harvest.cell_id == row.cell_id, _is(Harvest.cycle_number, fields.cycle_number), _is(Harvest.state, fields.state))
    if session.scalar(select(Harvest.id).where(*same, Harvest.id != row.id)) is not None:
        raise ParamError(f"Cell '{row.cell.name}' already has a harvest at that cycle and state.", hint="Use that one.")
    _assign(row, fields.model_dump())
    for measurement in session.scalars(select(Measurement).where(Measurement.harvest_id == row.id)):
        measurement.cycle_number, measurement.state = row.cycle_number, row.state
    session.flush()
    return row


def put_particle(session: Session, cell: Cell, harvest: Harvest | None, fields: ParticleFields) -> Particle:
    """The particle of that name from that harvest (or cell), made or changed by the fields that are given."""
    harvest_id = None if harvest is None else harvest.id
    row = _particle_named(session, cell.id, harvest_id, fields.name)
    if row is None:
        row = Particle(cell_id=cell.id, harvest_id=harvest_id, **fields.model_dump())
        session.add(row)
    else:
        _assign(row, fields.given())
    session.flush()
    return row


def change_particle(session: Session, row: Particle, changes: Mapping[str, Any]) -> Particle:
    fields = ParticleFields.check({**_values(row, ParticleFields), **changes}, subject=f"particle '{row.name}'")
    other = _particle_named(session, row.cell_id, row.harvest_id, fields.name)
    if other is not None and other.id != row.id:
        raise ParamError(f"There is already a particle '{other.name}' there.", hint="Choose another name.")
    _assign(row, fields.model_dump())
    session.flush()
    return row


def add_measurement(
    session: Session, cell: Cell, harvest: Harvest | None, particle: Particle | None, fields: MeasurementFields, files: Sequence[FileFields]
) -> Measurement:
    if particle is not None and harvest is None and particle.harvest_id is not None:
        harvest = particle.harvest
    if {cell.id} != {cell.id, *(part.cell_id for part in (harvest, particle) if part is not None)}:
        raise ParamError(f"The harvest or particle belongs to another cell than '{cell.name}'.", hint="Choose one of this cell.")
    if particle is not None and harvest is not None and particle.harvest_id != harvest.id:
        raise ParamError(f"Particle '{particle.name}' is not from this harvest.", hint="Choose a particle of this harvest.")
    values = fields.model_dump(exclude={"dataset_keys"})
    row = Measurement(cell=cell, harvest_id=harvest and harvest.id, particle=particle, **{**values, **_of_harvest(harvest, fields)})
    row.dataset_keys = list(fields.dataset_keys)
    row.files = [File(position=i, **f.model_dump()) for i, f in enumerate(files)]
    _needs_modality(fields)
    session.add(row)
    session.flush()
    return row


def change_measurement(session: Session, row: Measurement, changes: Mapping[str, Any]) -> Measurement:
    fields = MeasurementFields.check({**_values(row, MeasurementFields), **changes}, subject=f"measurement {row.id}")
    _needs_modality(fields)
    harvest = None if row.harvest_id is None else session.get(Harvest, row.harvest_id)
    _assign(row, {**fields.model_dump(exclude={"dataset_keys"}), **_of_harvest(harvest, fields)})
    row.dataset_keys = list(fields.dataset_keys)
    session.flush()
    return row


def group_record(session: Session, row: Group) -> GroupRecord:
    n_cells = session.scalar(select(func.count()).select_from(Cell).where(Cell.group_id == row.id))
    return _record(GroupRecord, row, n_cells=n_cells)


def cell_record(row: Cell) -> CellRecord:
    return _record(CellRecord, row, group=row.group.name if row.group else None)


def harvest_record(row: Harvest) -> HarvestRecord:
    return _record(HarvestRecord, row, cell=row.cell.name)


def particle_record(row: Particle) -> ParticleRecord:
    return _record(ParticleRecord, row, cell=row.cell.name)


def measurement_record(row: Measurement) -> MeasurementRecord:
    cell, particle = row.cell, row.particle
    reasons = [row.excluded_reason, f"cell: {cell.excluded_reason}" if cell.excluded_reason else None]
    if particle is not None and particle.excluded_reason:
        reasons.append(f"particle: {particle.excluded_reason}")
    return _record(
        MeasurementRecord,
        row,
        cell=cell.name,
        group=cell.group.name if cell.group else None,
        particle=None if particle is None else particle.name,
        excluded_because="; ".join(r for r in reasons if r) or None,
        dataset_keys=tuple(row.dataset_keys),
        files=tuple(_record(FileRecord, f) for f in row.files),
    )


def _record(cls: type[Record], row: Base, **derived: Any) -> Record:
    # Not validated again: what somebody else wrote into the file must still be shown, and `integrity.check` names it.
    stored = {name: getattr(row, name) for name in cls.model_fields if name not in derived}
    return cast(Record, cls.model_construct(**stored, **derived))


def _values(row: Base, cls: type[Fields], *without: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in cls.model_fields if name not in without}


def _assign(row: Base, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _is(column: Any, value: object) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def _of_harvest(harvest: Harvest | None, fields: MeasurementFields) -> dict[str, Any]:
    """Cycle and state of a harvested sample are its harvest's; a different one is refused."""
    if harvest is None:
        return {}
    for title, own, theirs in (("cycle", fields.cycle_number, harvest.cycle_number), ("state", fields.state, harvest.state)):
        if own is not None and own != theirs:
            raise ParamError(
                f"The measurement says {title} {own}, its harvest {theirs if theirs is not None else 'none'}.",
                hint=f"Leave the {title} empty, or choose another harvest.",
            )
    return {"cycle_number": harvest.cycle_number, "state": harvest.state}


def _needs_modality(fields: MeasurementFields) -> None:
    if fields.modality is None:
        raise ParamError("Modality [modality] is missing.", hint="Name one, such as cycling.")


def _group_named(session: Session, name: str) -> Group | None:
    """By its name, else by the same name in other capitals: 'Coated' is not meant as a second group."""
    groups = session.scalars(select(Group)).all()
    same = [g for g in groups if g.name == name] or [g for g in groups if g.name.casefold() == name.casefold()]
    return same[0] if same else None


def _particle_named(session: Session, cell_id: int, harvest_id: int | None, name: str) -> Particle | None:
    return session.scalar(select(Particle).where(Particle.cell_id == cell_id, _is(Particle.harvest_id, harvest_id), Particle.name == name))


def _free_slot(session: Session) -> int:
    used = set(session.scalars(select(Group.colour_slot)))
    return next(slot for slot in range(len(used) + 1) if slot not in used)


def _last_position(session: Session) -> int:
    last = session.scalar(select(func.max(Group.position)))
    return -1 if last is None else last
