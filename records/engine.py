"""The database behind the store: one engine for SQLite and PostgreSQL, transactions and migrations."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from records.interface import RecordError, StorageFull

BUSY_TIMEOUT_MS = 30_000
_WRITES = "truehue_writes"
_MIGRATION_LOCK = 0x54727565_6D696772
_AUDIT_LOCK = 0x54727565_61756469


class Database:
    """Transactions over one database URL.

    SQLite has one writer: writers queue here, in order, and begin at once as writers (BEGIN IMMEDIATE), so
    that a transaction never fails for having read first. PostgreSQL's writers run side by side until the
    audit line, which each appends last (`serialize`).
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise RecordError("the record's database_url cannot be read") from None
        if parsed.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
            raise RecordError(f"the record knows no database driver {parsed.drivername!r}")
        self.is_sqlite = parsed.drivername == "sqlite+aiosqlite"
        if self.is_sqlite:
            if not parsed.database or parsed.database == ":memory:":
                raise RecordError("the record needs a database file")
            _make_private_file(Path(parsed.database))
        # Parameters hold patients' data, sealed or not: they have no place in an error's text.
        self.engine: AsyncEngine = create_async_engine(
            parsed, pool_pre_ping=not self.is_sqlite, hide_parameters=True
        )
        self._writer = asyncio.Lock()
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads one consistent state."""
        async with self.engine.connect() as conn:
            if not self.is_sqlite:
                conn = await conn.execution_options(isolation_level="REPEATABLE READ")
            yield conn

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: committed, and durable, when the block ends without an error."""
        try:
            if self.is_sqlite:
                async with self._writer, self.engine.connect() as conn:
                    conn = await conn.execution_options(**{_WRITES: True})
                    async with conn.begin():
                        yield conn
            else:
                async with self.engine.begin() as conn:
                    yield conn
        except DBAPIError as error:
            if _says_full(error):
                raise StorageFull("the disk of the record's database is full") from error
            raise

    async def serialize(self, conn: AsyncConnection) -> None:
        """Wait until this is the only transaction that may append to the audit; held until its end.

        Nothing after it in a transaction may wait for a row: whoever holds it must never wait for another.
        """
        if not self.is_sqlite:
            await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _AUDIT_LOCK})

    async def migrate(self) -> None:
        """Bring the schema to this version; processes that start together do it one after the other.

        Raises RecordError where no database answers, or where it is ahead of this version.
        """
        try:
            async with self.write() as conn:
                if not self.is_sqlite:
                    await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                await conn.run_sync(_upgrade)
        except (OSError, DBAPIError) as error:
            raise RecordError("the record's database does not answer, or is no database") from error
        except CommandError as error:
            raise RecordError("the record was written by a newer version of this program") from error

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def migration_config(connection: Connection) -> Config:
    """Alembic's configuration for the migrations that this package carries."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(migration_config(connection), "head")


def _make_private_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = (
        None  # transactions begin where _begin_sqlite says, not where the driver guesses
    )
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL, because an acknowledged upload lets the phone forget its picture: in WAL mode NORMAL may lose the
    # last transactions to a power cut. The price is one fsync a transaction.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _says_full(error: DBAPIError) -> bool:
    cause: BaseException | None = error.orig
    while cause is not None:
        # SQLite says IOERR_WRITE for a quota that is used up.
        if getattr(cause, "sqlite_errorname", "") in ("SQLITE_FULL", "SQLITE_IOERR_WRITE"):
            return True
        if getattr(cause, "sqlstate", "") == "53100":  # disk_full
            return True
        cause = cause.__cause__
    return False
