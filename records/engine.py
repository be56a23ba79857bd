"""The database behind the store: one engine for SQLite and PostgreSQL, transactions and migrations."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, CursorResult, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Executable

from records.flushing import GroupFlush
from records.foreign_keys import deferred_foreign_keys
from records.interface import BackupRunning, RecordError, StorageFull
from records.uncancelled import uncancelled

BUSY_TIMEOUT_MS = 30_000
POOLED = 20
"""Connections that stay open: one beyond them costs its opening each time."""
_WRITES = "truehue_writes"
_MIGRATION_LOCK = 0x54727565_6D696772
_AUDIT_LOCK = 0x54727565_61756469
_BACKUP_LOCK = 0x54727565_6261636B
T = TypeVar("T")


class Transaction:
    """A transaction under way on one connection.

    Each statement runs to its end though its task be cancelled: a driver that is left in the middle of one
    can neither roll back nor let go of its locks. The cancellation comes after it, and rolls back.
    """

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        """Run a statement, once for each of several parameters; its rows are here when it returns."""
        return await uncancelled(self._conn.execute(statement, parameters))

    async def run_sync(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run work that knows synchronous connections only."""
        return await uncancelled(self._conn.run_sync(work, *arguments))


class Database:
    """Transactions over one database URL.

    SQLite has one writer: writers queue here, in order, and begin at once as writers (BEGIN IMMEDIATE), so
    that a transaction never fails for having read first. PostgreSQL's writers run side by side until the
    audit line, which each appends last (`serialize`).

    A commit is seen by others before it is on disk, and acknowledged after: writers that queue for the audit
    do not wait for each other's flush, and those that end together share one (`records.flushing`). What is
    on disk is always a beginning of what was committed, in its order, so nobody's acknowledged write can
    stand on one that is lost.
    """

    def __init__(self, url: str, *, raw_json: bool = False) -> None:
        """raw_json: JSON columns come and go as the text that they are kept as, for copies."""
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
        # PostgreSQL's commits do not wait for the disk: write() does, after them.
        later = {} if self.is_sqlite else {"server_settings": {"synchronous_commit": "off"}}
        # Parameters hold patients' data, sealed or not: they have no place in an error's text.
        raw = {"json_serializer": _as_it_is, "json_deserializer": _as_it_is} if raw_json else {}
        self.engine: AsyncEngine = create_async_engine(
            parsed,
            pool_pre_ping=not self.is_sqlite,
            pool_size=POOLED,
            hide_parameters=True,
            connect_args=later,
            **raw,
        )
        self._writer = asyncio.Lock()
        self._flushed = GroupFlush(self._flush_sqlite if self.is_sqlite else self._flush_postgresql)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """A transaction that reads one consistent state."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        async with self._transaction(options) as transaction:
            yield transaction

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """A transaction that writes: committed, and durable, when the block ends without an error.

        Cancelled at whatever place, it is kept whole or rolled back before the cancellation goes on.
        """
        try:
            async with AsyncExitStack() as stack:
                if self.is_sqlite:
                    await stack.enter_async_context(self._writer)
                options = {_WRITES: True} if self.is_sqlite else {}
                yield await stack.enter_async_context(self._transaction(options))
            await self.flush()
        except DBAPIError as error:
            if _says_full(error):
                raise StorageFull("the disk of the record's database is full") from error
            raise

    async def flush(self) -> None:
        """Return once everything that was committed before this call is on disk."""
        await self._flushed.wait()

    async def _flush_sqlite(self) -> None:
        """Force the write-ahead log to disk, as SQLite itself does within a commit when synchronous=FULL."""
        await asyncio.to_thread(_force_log, Path(f"{self.engine.url.database}-wal"))

    async def _flush_postgresql(self) -> None:
        """Commit once with a flush: it takes everything with it that was committed before.

        A commit that wrote nothing flushes nothing, whatever synchronous_commit says: so it writes a message
        that nobody reads.
        """
        async with self.engine.begin() as conn:
            await conn.execute(
                text(
                    "SELECT set_config('synchronous_commit', 'on', true), "
                    "pg_logical_emit_message(true, 'truehue', '')"
                )
            )

    @asynccontextmanager
    async def _transaction(self, options: Mapping[str, Any]) -> AsyncIterator[Transaction]:
        conn = self.engine.connect()
        try:
            await uncancelled(_begin(conn, options))
            yield Transaction(conn)
            await uncancelled(conn.commit())
        finally:
            if conn.sync_connection is not None:  # it was reached at all
                await uncancelled(conn.close())  # which rolls back what was not committed

    async def serialize(self, conn: Transaction) -> None:
        """Wait until this is the only transaction that may append to the audit; held until its end.

        Nothing after it in a transaction may wait for a row: whoever holds it must never wait for another.
        """
        if not self.is_sqlite:
            await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _AUDIT_LOCK})

    async def migrate(self) -> None:
        """Bring the schema to this version; processes that start together do it one after the other.

        Raises RecordError where no database answers, or where it is ahead of this version.
        """
        async with self._migrating() as conn:
            await conn.run_sync(_upgrade)

    async def fill(self, revision: str, put_rows: Callable[[Transaction], Awaitable[None]]) -> None:
        """Make the schema of a revision, let rows be put in, bring it to this version: all, or nothing.

        Rows may come in any order: foreign keys are looked at when all are in. Raises as `migrate`,
        and IntegrityError.
        """
        async with self._migrating() as conn:
            await conn.run_sync(_upgrade, revision)
            async with deferred_foreign_keys(conn, is_sqlite=self.is_sqlite):
                await put_rows(conn)
            await conn.run_sync(_upgrade)

    @asynccontextmanager
    async def only_backup(self) -> AsyncIterator[None]:
        """Be the only backup of this record, in any process; raises BackupRunning."""
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                stack.enter_context(_only_holder(Path(f"{self.engine.url.database}.backup")))
            else:
                conn = await stack.enter_async_context(self._transaction({}))
                held = await conn.execute(
                    text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _BACKUP_LOCK}
                )
                if not held.scalar_one():
                    raise BackupRunning("another backup of this record is under way")
            yield

    @asynccontextmanager
    async def _migrating(self) -> AsyncIterator[Transaction]:
        try:
            if self.is_sqlite:
                await asyncio.to_thread(use_write_ahead_log, Path(str(self.engine.url.database)))
            async with self.write() as conn:
                if not self.is_sqlite:
                    await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                yield conn
        except IntegrityError:
            raise  # the rows of a `fill` are wrong, not the database
        except (OSError, sqlite3.Error, DBAPIError) as error:
            raise RecordError("the record's database does not answer, or is no database") from error
        except CommandError as error:
            raise RecordError("the record was written by a newer version of this program") from error

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def _begin(conn: AsyncConnection, options: Mapping[str, Any]) -> None:
    await conn.start()
    await conn.execution_options(**options)
    await conn.begin()


def migration_config(connection: Connection) -> Config:
    """Alembic's configuration for the migrations that this package carries."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, revision: str = "head") -> None:
    command.upgrade(migration_config(connection), revision)


def newest_revision() -> str:
    """The revision that `migrate` brings a schema to."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return str(ScriptDirectory.from_config(config).get_current_head())


def _as_it_is(value: Any) -> Any:
    return value


@contextmanager
def _only_holder(path: Path) -> Iterator[None]:
    """Hold a lock on a file that stays: one that was removed could be held twice."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRunning("another backup of this record is under way") from None
        yield
    finally:
        os.close(fd)


def _make_private_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def use_write_ahead_log(path: Path) -> None:
    """Set the journal mode, which the file keeps. Raises OSError, sqlite3.Error.

    Two connections that change it at once fail at once: SQLite waits for no lock that could be a deadlock.
    So processes that start together take turns, by a lock on the folder.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with closing(
            sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    finally:
        os.close(folder)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = (
        None  # transactions begin where _begin_sqlite says, not where the driver guesses
    )
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    # In WAL mode NORMAL may lose the last transactions to a power cut, so Database.write forces the log to
    # disk after each commit, before anything is acknowledged: a phone then forgets its picture. It is FULL
    # but for where the waiting is done: not within the one write transaction that there can be.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _force_log(path: Path) -> None:
    """Raises StorageFull, OSError. Without a log everything is in the database, forced to disk."""
    try:
        log = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fdatasync(log)
    finally:
        os.close(log)


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
