"""The catalog's file: made by revisions, kept between versions, shared between threads and processes."""

import importlib.util
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from analysis.catalog import Catalog, CellFields, MeasurementFields
from analysis.catalog import database as database_module
from analysis.catalog.migrations import FOLDER, HEAD, REVISIONS
from analysis.catalog.models import Base
from analysis.core.errors import StoreError

ROOT = Path(__file__).parents[2]


def test_the_revisions_make_exactly_the_models(tmp_path: Path) -> None:
    Catalog(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, Base.metadata) == []
        foreign = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE name = 'measurements'").one().sql
    engine.dispose()
    assert foreign.count("ON DELETE CASCADE") == 3


def test_the_listed_revisions_are_the_files() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    assert tuple(s.revision for s in scripts.walk_revisions())[::-1] == REVISIONS


def test_the_first_revision_can_be_taken_back() -> None:
    path = FOLDER / "versions" / "rev_0001_catalog.py"
    spec = importlib.util.spec_from_file_location("first_revision", path)
    first = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(first)
    from alembic.operations import Operations

    engine = create_engine("sqlite://")
    with engine.connect() as connection, Operations.context(MigrationContext.configure(connection)):
        first.upgrade()
        first.downgrade()
        assert connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").all() == []
    engine.dispose()


def test_connections_have_wal_foreign_keys_and_patience(tmp_path: Path) -> None:
    with Catalog(tmp_path) as catalog, catalog._db.write() as session:
        pragmas = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 15000}


def test_reopening_does_not_need_alembic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalog(tmp_path) as catalog:
        catalog.upsert_cell("C1")
    monkeypatch.setattr(database_module, "_upgrade", None)
    with Catalog(tmp_path) as catalog:
        assert [c.name for c in catalog.cells()] == ["C1"]


def test_a_newer_catalog_is_refused_and_left_alone(tmp_path: Path) -> None:
    Catalog(tmp_path).close()
    with sqlite3.connect(tmp_path / "catalog.sqlite") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreError, match=r"is of a newer version \('9999'\) than this program knows"):
        Catalog(tmp_path)


def test_a_failed_upgrade_leaves_an_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = database_module._upgrade

    def interrupted(connection: object) -> None:
        real(connection)
        raise KeyboardInterrupt

    monkeypatch.setattr(database_module, "_upgrade", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Catalog(tmp_path)
    monkeypatch.undo()
    with Catalog(tmp_path) as catalog:
        assert len(catalog.groups()) == 2


def test_what_is_no_catalog_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no folder"):
        Catalog(tmp_path / "missing")
    (tmp_path / "catalog.sqlite").write_bytes(b"Not a database, but long enough for its header." * 100)
    with pytest.raises(StoreError, match=r"damaged or not a catalog: file is not a database\."):
        Catalog(tmp_path)


def test_a_locked_catalog_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    with Catalog(tmp_path) as catalog:
        other = sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="has been busy"):
            catalog.upsert_cell("C1")
        assert catalog.cells() == ()  # readers do not wait
        other.execute("ROLLBACK")
        other.close()
        assert catalog.upsert_cell("C1").name == "C1"


WRITER = """
import sys
from pathlib import Path
from analysis.catalog import Catalog, CellFields, MeasurementFields
with Catalog(Path(sys.argv[1])) as catalog:
    for i in range(8):
        catalog.add_measurement(MeasurementFields(modality="cycling"), cell=CellFields(name=f"{sys.argv[2]}-{i}", group="shared"))
        catalog.upsert_cell("common", notes=f"{sys.argv[2]} {i}")
"""


def test_threads_and_processes_write_into_a_fresh_workspace_together(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), f"p{p}"], cwd=ROOT, stderr=subprocess.PIPE) for p in range(2)
    ]
    failures: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            with Catalog(tmp_path) as catalog:
                for i in range(8):
                    catalog.add_measurement(MeasurementFields(modality="cycling"), cell=CellFields(name=f"t{thread}-{i}", group="shared"))
                    catalog.upsert_cell("common", notes=f"t{thread} {i}")
        except BaseException as err:
            failures.append(err)

    threads = [threading.Thread(target=write, args=(t,)) for t in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    errors = [p.communicate()[1].decode() for p in processes]
    assert failures == []
    assert errors == ["", ""]
    with Catalog(tmp_path) as catalog:
        assert len(catalog.measurements()) == 6 * 8
        assert {c.name for c in catalog.cells()} == {
            "common",
            *(f"{w}-{i}" for w in ("t0", "t1", "t2", "t3", "p0", "p1") for i in range(8)),
        }
        assert [g.name for g in catalog.groups()] == ["uncoated", "coated", "shared"]
        assert catalog.damage() == []


def test_one_catalog_serves_several_threads(tmp_path: Path) -> None:
    with Catalog(tmp_path) as catalog:
        threads = [threading.Thread(target=catalog.upsert_cell, args=(f"C{i}",)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(catalog.cells()) == 8
