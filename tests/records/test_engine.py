"""The engine: the migrated schema is the one in the code, on both databases; SQLite's settings; refusals."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from records.engine import Database, migration_config, use_write_ahead_log
from records.interface import RecordError
from records.schema import metadata
from tests.support.ports import free_port
from tests.support.postgres import PrivatePostgres
from tests.support.record import make_file

HEAD = "0005"


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def _checks(connection: Connection) -> set[str | None]:
    inspector = inspect(connection)
    return {
        check["name"]
        for table in inspector.get_table_names()
        for check in inspector.get_check_constraints(table)
    }


async def test_the_migrated_schema_is_the_schema_of_the_code(database_url: str) -> None:
    database = Database(database_url)
    await database.migrate()
    async with database.read() as conn:
        assert await conn.run_sync(_differences) == []
        assert await conn.run_sync(_checks) == {
            "ck_satisfactions_score",
            "ck_audit_head_one_row",
            "ck_search_index_one_row",
        }
    await database.close()


async def test_migrating_again_and_at_once_is_fine(tmp_path: Path, postgres: PrivatePostgres) -> None:
    postgres.create("migrating")
    for url in (f"sqlite+aiosqlite:///{tmp_path}/deep/er/record.db", postgres.url("migrating")):
        databases = [Database(url) for _ in range(3)]
        await asyncio.gather(*(database.migrate() for database in databases))
        async with databases[0].read() as conn:
            assert (await conn.execute(text("SELECT version_num FROM alembic_version"))).all() == [(HEAD,)]
        for database in databases:
            await database.close()
    postgres.drop("migrating")


async def test_there_is_one_line_of_migrations(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/record.db")
    async with database.read() as conn:
        heads = await conn.run_sync(
            lambda connection: ScriptDirectory.from_config(migration_config(connection)).get_heads()
        )
    assert heads == [HEAD]
    await database.close()


async def test_a_write_is_on_disk_when_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[bytes] = []

    def watched(log: int) -> None:
        forced.append(os.pread(log, os.fstat(log).st_size, 0))

    monkeypatch.setattr("records.engine.os.fdatasync", watched)
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/record.db")
    await database.migrate()
    for number in range(3):
        before = len(forced)
        async with database.write() as conn:
            await conn.execute(text(f"INSERT INTO sites VALUES ('{number}', 'acknowledged {number}')"))
        assert any(f"acknowledged {number}".encode() in log for log in forced[before:])
    await database.close()


async def test_what_postgresql_flushes_holds_every_commit_before(postgres: PrivatePostgres) -> None:
    postgres.create("flushed")
    database = Database(postgres.url("flushed"))
    await database.migrate()
    for number in range(20):
        async with database.write() as conn:
            await conn.execute(text(f"INSERT INTO sites VALUES ('{number}', 'x')"))
            written = (await conn.execute(text("SELECT pg_current_wal_insert_lsn()"))).scalar_one()
        async with database.read() as conn:
            asked = text("SELECT pg_current_wal_flush_lsn() >= CAST(:lsn AS pg_lsn)")
            assert (await conn.execute(asked, {"lsn": written})).scalar_one()
    await database.close()
    postgres.drop("flushed")


async def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/record.db")
    await database.migrate()
    async with database.read() as conn:
        found = {
            pragma: (await conn.execute(text(f"PRAGMA {pragma}"))).scalar_one()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    await database.close()
    assert found == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}


async def test_a_failed_block_keeps_nothing(database_url: str) -> None:
    database = Database(database_url)
    await database.migrate()

    async def write_and_fail() -> None:
        async with database.write() as conn:
            await conn.execute(text("INSERT INTO sites VALUES ('1', 'x')"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()
    async with database.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM sites"))).scalar_one() == 0
    await database.close()


async def test_errors_never_show_what_was_written(database_url: str) -> None:
    database = Database(database_url)
    await database.migrate()
    with pytest.raises(DBAPIError) as failed:
        async with database.write() as conn:
            await conn.execute(
                text("INSERT INTO sites (site_id, name) VALUES (:id, :name)"), {"id": "1", "name": None}
            )
    assert "INSERT INTO sites" in str(failed.value)
    assert "{'id'" not in str(failed.value)
    assert "('1'" not in str(failed.value)
    await database.close()


async def test_a_record_of_a_newer_version_is_left_alone(database_url: str) -> None:
    database = Database(database_url)
    await database.migrate()
    async with database.write() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordError, match="newer"):
        await database.migrate()
    await database.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    make_file(tmp_path / "letter.txt")
    for url in (
        f"sqlite+aiosqlite:///{tmp_path}/letter.txt",
        f"postgresql+asyncpg://app@127.0.0.1:{free_port()}/nothing",
    ):
        database = Database(url)
        with pytest.raises(RecordError, match="database"):
            await database.migrate()
        await database.close()


@pytest.mark.parametrize(
    "url",
    [
        "no address at all",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite:///x.db",
        "mysql://localhost/x",
    ],
)
async def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(RecordError):
        Database(url)


def test_word_columns_are_wide_enough() -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            words = getattr(column.type, "words", ())
            assert all(len(word) <= 16 for word in words), column


def test_those_who_start_together_on_a_new_file_all_get_its_journal(tmp_path: Path) -> None:
    starters = 4
    for round_number in range(25):
        path = tmp_path / f"{round_number}.db"
        path.touch()
        together = threading.Barrier(starters)

        def start(path: Path = path, together: threading.Barrier = together) -> None:
            together.wait()
            use_write_ahead_log(path)

        with ThreadPoolExecutor(starters) as pool:
            for started in [pool.submit(start) for _ in range(starters)]:
                started.result()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
