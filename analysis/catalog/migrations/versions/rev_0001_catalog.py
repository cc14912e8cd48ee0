"""The first tables, with the groups that every new workspace has."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _groups()
    _cells()
    _harvests()
    _particles()
    _measurements()
    _files()
    _memory()


def _text(name: str, *, required: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=not required)


def _whole(name: str, *, required: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=not required)


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=True)


def _date() -> sa.Column[object]:
    return sa.Column("date", sa.Date(), nullable=True)


def _created() -> sa.Column[object]:
    return sa.Column("created_at", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP"), nullable=False)


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def _refers(table: str, column: str, to: str, *, cascade: bool = True) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE" if cascade else None)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])


def _groups() -> None:
    groups = op.create_table(
        "groups",
        _whole("id", required=True),
        _text("name", required=True),
        _text("title", required=True),
        _whole("colour_slot", required=True),
        _whole("position", required=True),
        _text("description"),
        _key("groups"),
        sa.UniqueConstraint("name", name="uq_groups_name"),
    )
    first = [
        {"name": "uncoated", "title": "Uncoated", "colour_slot": 0, "position": 0, "description": None},
        {"name": "coated", "title": "Coated", "colour_slot": 1, "position": 1, "description": None},
    ]
    op.bulk_insert(groups, first)


def _cells() -> None:
    op.create_table(
        "cells",
        _whole("id", required=True),
        _text("name", required=True),
        _whole("group_id"),
        _text("active_material"),
        _text("coating"),
        _number("coating_thickness_nm"),
        _text("electrolyte"),
        _text("anode"),
        _number("composite_mass_mg"),
        _number("active_fraction"),
        _number("active_mass_mg"),
        _number("areal_loading_mg_cm2"),
        _number("electrode_area_cm2"),
        _number("stack_pressure_MPa"),
        _number("temperature_degC"),
        _number("one_c_mA_per_g"),
        _whole("formation_cycles"),
        _text("rate"),
        _number("voltage_lower_V"),
        _number("voltage_upper_V"),
        _text("voltage_reference"),
        _text("notes"),
        _text("operator"),
        _date(),
        _text("origin", required=True),
        _text("excluded_reason"),
        _created(),
        _key("cells"),
        _refers("cells", "group_id", "groups", cascade=False),
        sa.UniqueConstraint("name", name="uq_cells_name"),
    )
    _index("cells", "group_id")


def _harvests() -> None:
    op.create_table(
        "harvests",
        _whole("id", required=True),
        _whole("cell_id", required=True),
        _whole("cycle_number"),
        _text("state"),
        _date(),
        _text("notes"),
        _key("harvests"),
        _refers("harvests", "cell_id", "cells"),
        sa.UniqueConstraint("cell_id", "cycle_number", "state", name="uq_harvests_cell_id_cycle_number_state"),
    )
    _index("harvests", "cell_id")


def _particles() -> None:
    op.create_table(
        "particles",
        _whole("id", required=True),
        _whole("cell_id", required=True),
        _whole("harvest_id"),
        _text("name", required=True),
        _text("location"),
        _text("notes"),
        _text("excluded_reason"),
        _key("particles"),
        _refers("particles", "cell_id", "cells"),
        _refers("particles", "harvest_id", "harvests"),
        sa.UniqueConstraint("cell_id", "harvest_id", "name", name="uq_particles_cell_id_harvest_id_name"),
    )
    _index("particles", "cell_id", "harvest_id")


def _measurements() -> None:
    op.create_table(
        "measurements",
        _whole("id", required=True),
        _whole("cell_id", required=True),
        _whole("harvest_id"),
        _whole("particle_id"),
        _text("modality", required=True),
        _text("part_of"),
        _text("instrument"),
        _text("state"),
        _whole("cycle_number"),
        _text("dimensionality"),
        _text("definition"),
        _text("calibration"),
        _date(),
        _text("operator"),
        _text("notes"),
        _text("origin", required=True),
        _text("reader_id"),
        sa.Column("reader_options", sa.JSON(), nullable=False),
        sa.Column("dataset_keys", sa.JSON(), nullable=False),
        _text("excluded_reason"),
        _created(),
        _key("measurements"),
        _refers("measurements", "cell_id", "cells"),
        _refers("measurements", "harvest_id", "harvests"),
        _refers("measurements", "particle_id", "particles"),
    )
    _index("measurements", "cell_id", "harvest_id", "particle_id", "modality")


def _files() -> None:
    op.create_table(
        "files",
        _whole("id", required=True),
        _whole("measurement_id", required=True),
        _whole("position", required=True),
        _text("role", required=True),
        _text("original_name", required=True),
        _text("sha256", required=True),
        _whole("size_bytes", required=True),
        _whole("mtime_ns", required=True),
        _text("stored_path", required=True),
        sa.Column("referenced", sa.Boolean(), nullable=False),
        _key("files"),
        _refers("files", "measurement_id", "measurements"),
    )
    _index("files", "measurement_id", "sha256")


def _memory() -> None:
    op.create_table(
        "column_mappings",
        _text("signature", required=True),
        _text("name", required=True),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("signature", name="pk_column_mappings"),
    )
    op.create_table(
        "settings",
        _text("key", required=True),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_settings"),
    )


def downgrade() -> None:
    for table in ("settings", "column_mappings", "files", "measurements", "particles", "harvests", "cells", "groups"):
        op.drop_table(table)
