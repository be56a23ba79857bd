"""Each migration on a record that the version before it has written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic import command
from sqlalchemy import Connection, text

from records.audit import GENESIS, next_event, seal_head
from records.engine import Database, migration_config
from records.interface import Actor, Role
from records.keys import KeyRing
from records.store import RecordStore
from tests.support.postgres import PrivatePostgres
from tests.support.record import MASTER_KEY, NOW, at, config

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
async def at_version(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of each kind, not migrated yet."""
    if request.param == "sqlite":
        database = Database(f"sqlite+aiosqlite:///{tmp_path}/record.db")
        yield database
        await database.close()
        return
    server: PrivatePostgres = request.getfixturevalue("postgres")
    name = f"older_{next(_numbers)}"
    server.create(name)
    database = Database(server.url(name))
    yield database
    await database.close()
    server.drop(name)


@asynccontextmanager
async def upgraded_from(database: Database, version: str) -> AsyncIterator[None]:
    """At this version while the block runs, at the newest after it."""

    def upgrade(connection: Connection) -> None:
        command.upgrade(migration_config(connection), version)

    async with database.write() as tx:
        await tx.run_sync(upgrade)
    yield
    await database.migrate()


def _time(database: Database, moment: datetime) -> object:
    return moment.replace(tzinfo=None).isoformat(" ") if database.is_sqlite else moment


async def _insert(database: Database, statement: str, *rows: dict[str, object]) -> None:
    async with database.write() as tx:
        for row in rows:
            await tx.execute(text(statement), row)


async def _consultation(database: Database) -> None:
    """What a participant hangs on."""
    now = _time(database, NOW)
    empty = b""
    await _insert(database, "INSERT INTO sites (site_id, name) VALUES ('s', 'Practice')", {})
    await _insert(
        database,
        "INSERT INTO staff (staff_id, site_id, email, name, role, language, password_hash) "
        "VALUES ('d', 's', 'd@x.example', 'Dr.', 'specialist', 'en', '!')",
        {},
    )
    await _insert(
        database,
        "INSERT INTO patients (patient_id, name, sex, language, created_at) "
        "VALUES ('p', :e, 'other', 'en', :now)",
        {"now": now, "e": empty},
    )
    await _insert(
        database,
        "INSERT INTO referrals (referral_id, patient_id, referrer_id, site_id, question, urgency, state, "
        "created_at) VALUES ('r', 'p', 'g', 's', :e, 'soon', 'in_call', :now)",
        {"now": now, "e": empty},
    )
    await _insert(
        database,
        "INSERT INTO consultations (consultation_id, referral_id, patient_id, specialist_id, scheduled_at, "
        "phase, note, note_version) VALUES ('c', 'r', 'p', 'd', :now, 'in_call', :e, 0)",
        {"now": now, "e": empty},
    )


async def _stays(database: Database, participant_id: str) -> Sequence[tuple[str, str | None]]:
    async with database.read() as tx:
        rows = await tx.execute(
            text("SELECT came_at, left_at FROM stays WHERE participant_id = :who ORDER BY sequence"),
            {"who": participant_id},
        )
        return [
            (str(row.came_at)[:19], None if row.left_at is None else str(row.left_at)[:19])
            for row in rows.all()
        ]


async def test_stays_are_told_from_the_audit(at_version: Database) -> None:
    database = at_version
    async with upgraded_from(database, "0001"):
        await _consultation(database)
        await _insert(
            database,
            "INSERT INTO participants (participant_id, consultation_id, role, name, admission, created_at) "
            "VALUES (:who, 'c', :role, :e, :admission, :now)",
            *(
                {"who": who, "role": role, "e": b"", "admission": admission, "now": _time(database, NOW)}
                for who, role, admission in (
                    ("specialist", "specialist", "admitted"),
                    ("patient", "patient", "admitted"),
                    ("invited", "interpreter", "invited"),
                )
            ),
        )
        moves = ("add", "waiting", "admitted", "admitted", "sent_back", "waiting", "admitted")
        await _insert(
            database,
            "INSERT INTO audit (sequence, at, actor_id, role, action, resource, reason, hash) "
            "VALUES (:n, :at, 'd', 'specialist', :action, 'participant/patient', 'x', '0')",
            *(
                {"n": n, "at": _time(database, at(n)), "action": f"participant.{move}"}
                for n, move in enumerate(moves, 1)
            ),
        )

    def second(n: int) -> str:
        return str(at(n))[:19]

    assert await _stays(database, "specialist") == [(second(0), None)]
    assert await _stays(database, "patient") == [(second(3), second(5)), (second(7), None)]
    assert await _stays(database, "invited") == []


async def test_lines_of_before_origins_still_hold_and_new_ones_say_from_where(at_version: Database) -> None:
    """A chain that began before there were origins goes on with them."""
    database = at_version
    ring = KeyRing(MASTER_KEY)
    async with upgraded_from(database, "0003"):
        head = seal_head(ring.audit_key, 0, GENESIS)
        event = next_event(head, NOW, "gp", Role.REFERRER, "referral.list", "referrals", "worklist")
        await _insert(
            database,
            "INSERT INTO audit (sequence, at, actor_id, role, action, resource, reason, hash) "
            "VALUES (1, :at, 'gp', 'referrer', 'referral.list', 'referrals', 'worklist', :hash)",
            {"at": _time(database, NOW), "hash": event.hash},
        )
        sealed = seal_head(ring.audit_key, 1, event.hash)
        await _insert(
            database,
            "INSERT INTO audit_head (head_id, sequence, hash, mac) VALUES (1, 1, :hash, :mac)",
            {"hash": sealed.hash, "mac": sealed.mac},
        )
    url = database.engine.url.render_as_string(hide_password=False)
    with TemporaryDirectory() as blobs:
        store = await RecordStore.open(config(url, blobs))
        assert await store.verify_audit() == 1
        await store.referrals(Actor("gp", Role.REFERRER, "worklist", "192.0.2.1"), at(1))
        assert await store.verify_audit() == 2
        assert await store.origins(await store.audit_events()) == ["", "192.0.2.1"]
        await store.close()
