"""Two records compared: every cell of every table as the database keeps it, and every file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import inspect, select, text

from records.backup_format import TableShape
from records.engine import Database
from records.interface import RecordsConfig
from records.objects import open_objects
from tests.support.record import files_under

Rows = Mapping[str, list[tuple[Any, ...]]]


async def rows_of(config: RecordsConfig) -> Rows:
    """Every row of every table, in the order of its values, as the driver hands them over."""
    database = Database(config.database_url, raw_json=True)
    found: dict[str, list[tuple[Any, ...]]] = {}
    async with database.read() as conn:
        tables = await conn.run_sync(lambda connection: inspect(connection).get_table_names())
        for table in tables:
            rows = await conn.execute(select(text("*")).select_from(TableShape(table, ()).clause()))
            found[table] = sorted((tuple(row) for row in rows), key=repr)
    await database.close()
    return found


def bytes_of(config: RecordsConfig) -> Mapping[str, bytes]:
    """Every blob and every upload under way, as it is kept."""
    objects = open_objects(config.blobs_url or config.blob_dir)
    found: dict[str, bytes] = {}
    for one in objects.list("blobs"):
        with objects.get(one.name) as source:
            found[one.name] = source.read()
    for path in files_under(config.blob_dir):
        if path.parent.name == "uploads":
            found[f"uploads/{path.name}"] = path.read_bytes()
    return found
