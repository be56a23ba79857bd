"""Rows put in by the thousand, in any order: their foreign keys are looked at when all of them are in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from records.engine import Transaction

_FOREIGN_KEYS = text(
    "SELECT conrelid::regclass::text AS of_table, quote_ident(conname) AS name FROM pg_constraint "
    "WHERE contype = 'f' AND NOT condeferrable AND connamespace = current_schema()::regnamespace"
)


@asynccontextmanager
async def deferred_foreign_keys(conn: Transaction, *, is_sqlite: bool) -> AsyncIterator[None]:
    """While the block runs, a row may name one that comes later; raises the driver's error at its end."""
    if is_sqlite:
        # Until the end of the transaction, and looked at by its commit.
        await conn.execute(text("PRAGMA defer_foreign_keys=ON"))
        yield
        return
    found = [(row.of_table, row.name) for row in await conn.execute(_FOREIGN_KEYS)]
    for of_table, name in found:
        await conn.execute(
            text(f"ALTER TABLE {of_table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED")
        )
    yield
    await conn.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for of_table, name in found:
        await conn.execute(text(f"ALTER TABLE {of_table} ALTER CONSTRAINT {name} NOT DEFERRABLE"))
