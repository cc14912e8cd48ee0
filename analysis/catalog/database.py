"""The catalog's SQLite file: opened, migrated, and handed out as short transactions."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session

from analysis.catalog.migrations import FOLDER, HEAD, REVISIONS
from analysis.core.errors import StoreError

FILE_NAME = "catalog.sqlite"
BUSY_SECONDS = 15.0  # others' transactions last milliseconds; a network drive may be slower
RETRY_SECONDS = 0.02
# Alembic's environment is one per process.
_migrating = threading.Lock()


class Database:
    """Transactions on ``root/catalog.sqlite``. Safe to share between threads; each process opens its own."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise StoreError(f"There is no folder {root}.", hint="Create the workspace first.")
        self.path = root / FILE_NAME
        engine = create_engine(f"sqlite:///{self.path}", connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        self._engine = engine
        # Taking the write lock first means that no transaction fails half-way because another one wrote meanwhile.
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        try:
            self._prepare()
        except BaseException:
            engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent view of the catalog."""
        with self._readable(), Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: all of it is kept, or on any error nothing."""
        with self._readable(), Session(self._writer) as session, session.begin():
            yield session

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file itself, and rows that refer to rows that are not there."""
        with self._readable(), self._engine.connect() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        problems = [f"{self.path.name}: {text}." for text in found if text != "ok"]
        return problems + [
            f"{self.path.name}: row {row} of {table} refers to a row of {parent} that is not there." for table, row, parent, _ in orphans
        ]

    def close(self) -> None:
        self._engine.dispose()

    def revision(self) -> str | None:
        with self._readable(), self._engine.connect() as connection:
            return _revision(connection)

    def _prepare(self) -> None:
        with self._readable():
            _use_wal(self._engine)
            with self._engine.connect() as connection:
                found = _revision(connection)
            if found == HEAD:
                return
            if found is not None and found not in REVISIONS:
                raise StoreError(
                    f"The catalog {self.path} is of a newer version ('{found}') than this program knows ('{HEAD}').",
                    hint="Update the program, or open another workspace.",
                )
            with _migrating:
                self._migrate()

    def _migrate(self) -> None:
        with self._writer.connect() as connection:
            driver = connection.connection.dbapi_connection
            if driver is None:
                raise StoreError(f"The catalog {self.path} was closed while it was brought up to date.")
            # A table is altered by replacing it, which must not delete what refers to it. Only possible outside a transaction.
            _foreign_keys(driver, on=False)
            try:
                with connection.begin():
                    # Another process may have been faster.
                    if _revision(connection) != HEAD:
                        _upgrade(connection)
            finally:
                _foreign_keys(driver, on=True)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as err:
            if _is_busy(err):
                raise StoreError(
                    f"The catalog {self.path} has been busy for {BUSY_SECONDS:g} s.", hint="Try again; is another program writing?"
                ) from err
            raise StoreError(
                f"The catalog {self.path} cannot be used: {err.orig}.", hint="Check the disk and the file's permissions."
            ) from err
        except DatabaseError as err:
            if isinstance(err.orig, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise  # a bug of ours, not of the file
            raise StoreError(f"{self.path} is damaged or not a catalog: {err.orig}.", hint="Restore it from a copy.") from err


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    _foreign_keys(connection, on=True)
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def _foreign_keys(connection: Any, *, on: bool) -> None:
    connection.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _is_busy(err: OperationalError) -> bool:
    code = getattr(err.orig, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _use_wal(engine: Engine) -> None:
    """Readers and a writer at the same time. The mode stays with the file."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        raw = engine.raw_connection()
        try:
            if raw.cursor().execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                raw.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as err:
            # SQLite does not always wait by itself while the mode changes.
            if err.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise OperationalError("PRAGMA journal_mode", None, err) from err
        except sqlite3.DatabaseError as err:
            raise DatabaseError("PRAGMA journal_mode", None, err) from err
        finally:
            raw.close()
        time.sleep(RETRY_SECONDS)


def _revision(connection: Connection) -> str | None:
    known = connection.execute(text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")).first()
    if known is None:
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def _upgrade(connection: Connection) -> None:
    # Not needed for a catalog that is up to date, and slow to import.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
