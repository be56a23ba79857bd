"""Cancelled at any place where it waits, a task leaves no transaction half open and no database locked."""

from __future__ import annotations

import asyncio
import sqlite3
from itertools import count

import pytest
from sqlalchemy import text

from records.engine import Database
from records.interface import Urgency
from records.store import RecordStore
from tests.support.cancelling import cancelled_at
from tests.support.record import NOW, PATIENT, QUESTION, Clinic


async def _insert(database: Database, site_id: str) -> None:
    async with database.write() as conn:
        await conn.execute(text("INSERT INTO sites VALUES (:id, 'first')"), {"id": site_id})
        await conn.execute(text("UPDATE sites SET name = 'second' WHERE site_id = :id"), {"id": site_id})


async def _names(database: Database) -> list[str]:
    async with database.read() as conn:
        return list((await conn.execute(text("SELECT name FROM sites"))).scalars())


async def _assert_free(database: Database) -> None:
    """Somebody else writes at once, and nobody sits in a transaction."""
    if database.is_sqlite:
        path = database.engine.url.database
        assert path is not None
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        finally:
            other.close()
        return
    async with database.read() as conn:
        sitting = await conn.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'"
            )
        )
        assert sitting.scalar_one() == 0


@pytest.mark.parametrize("again_after", [None, 1, 2])
async def test_a_write_cancelled_anywhere_is_whole_or_absent(
    database_url: str, again_after: int | None
) -> None:
    """again_after: cancelled a second time so many suspensions later, while it clears up."""
    database = Database(database_url)
    await database.migrate()
    kept = 0
    for step in count():
        places = (step,) if again_after is None else (step, step + again_after)
        if not await cancelled_at(_insert(database, str(step)), *places):
            break
        await _assert_free(database)
        names = await _names(database)
        assert set(names) <= {"second"}
        assert kept <= len(names) <= kept + 1
        kept = len(names)
    assert step > 4
    assert (await _names(database)).count("second") == kept + 1
    await database.close()


async def test_a_read_cancelled_anywhere_leaves_nothing_open(database_url: str) -> None:
    database = Database(database_url)
    await database.migrate()
    for step in count():
        if not await cancelled_at(_names(database), step):
            break
        await _assert_free(database)
    await database.close()


async def test_a_writer_who_waits_for_its_turn_may_be_cancelled(database_url: str) -> None:
    database = Database(database_url)
    await database.migrate()
    async with database.write() as conn:
        await conn.execute(text("INSERT INTO sites VALUES ('held', 'held')"))
        if database.is_sqlite:
            waiting = asyncio.create_task(_insert(database, "waiting"))
            await asyncio.wait([waiting], timeout=0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
    await _insert(database, "next")
    assert sorted(await _names(database)) == ["held", "second"]
    await database.close()


async def test_a_referral_cancelled_anywhere_leaves_an_audit_that_holds(
    store: RecordStore, clinic: Clinic
) -> None:
    async def refer() -> None:
        await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, QUESTION, Urgency.SOON, NOW)

    steps = 0
    while await cancelled_at(refer(), steps):
        steps += 1
    assert steps > 10
    lines = await store.audit_events()
    created = sum(event.action == "referral.create" for event in lines)
    listed = await store.referrals(clinic.gp, NOW, site_id=clinic.site.site_id)
    assert len(listed) == created
    assert await store.verify_audit() == len(lines) + 1
