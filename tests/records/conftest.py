"""Fixtures of the record's tests: each that asks for a store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from records.engine import Database
from records.interface import RecordsConfig
from records.store import RecordStore
from tests.support.postgres import PrivatePostgres
from tests.support.record import Clinic, OpenStore, config, furnish
from tests.support.s3 import S3Server, start_s3

TEMPLATE = "record_template"
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """A private PostgreSQL cluster for the whole run."""
    with PrivatePostgres() as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def postgres_template(postgres: PrivatePostgres) -> PrivatePostgres:
    """The cluster with a migrated database to copy."""
    postgres.create(TEMPLATE)
    database = Database(postgres.url(TEMPLATE))
    await database.migrate()
    await database.close()
    return postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/record.db"
        return
    server: PrivatePostgres = request.getfixturevalue("postgres_template")
    name = f"record_{next(_numbers)}"
    server.create(name, TEMPLATE)
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that refuses to write an object twice."""
    with start_s3("moto", tmp_path_factory.mktemp("moto") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def nanio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that checks signatures."""
    with start_s3("nanio", tmp_path_factory.mktemp("nanio") / "data") as server:
        yield server


@pytest.fixture(params=["files", "moto", "nanio"])
def blob_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for blobs or backups of each kind."""
    if request.param == "files":
        return str(tmp_path / "place")
    server: S3Server = request.getfixturevalue(request.param)
    return server.url()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> RecordsConfig:
    """Settings of an empty record."""
    return config(database_url, str(tmp_path / "blobs"))


@pytest_asyncio.fixture
async def open_store(settings: RecordsConfig) -> AsyncIterator[OpenStore]:
    """A function that opens stores; they are closed after the test, and closing twice is fine."""
    async with AsyncExitStack() as opened:

        async def open_one(changed: RecordsConfig | None = None) -> RecordStore:
            store = await RecordStore.open(changed or settings)
            opened.push_async_callback(store.close)
            return store

        yield open_one


@pytest_asyncio.fixture
async def store(open_store: OpenStore) -> RecordStore:
    """An empty record."""
    return await open_store()


@pytest_asyncio.fixture
async def clinic(store: RecordStore) -> Clinic:
    """A record with one patient, one referral and one consultation."""
    return await furnish(store)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordsConfig]:
    """Settings of an installation that nobody started yet."""
    if request.param == "sqlite":
        yield config(f"sqlite+aiosqlite:///{tmp_path}/new/record.db", str(tmp_path / "new" / "blobs"))
        return
    server: PrivatePostgres = request.getfixturevalue("postgres")
    name = f"restored_{next(_numbers)}"
    server.create(name)
    yield config(server.url(name), str(tmp_path / "new" / "blobs"))
    server.drop(name)


@pytest.fixture
def fresh(tmp_path: Path) -> RecordsConfig:
    """The same with embedded defaults, where it does not matter into which database."""
    return config(f"sqlite+aiosqlite:///{tmp_path}/fresh/record.db", str(tmp_path / "fresh" / "blobs"))


@pytest.fixture
def place(tmp_path: Path) -> str:
    """A folder for backups that is not there yet."""
    return str(tmp_path / "second place")
