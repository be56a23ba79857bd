"""The daily sweep: runs by the time that it is given, goes on after a failure, ends with the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from records.interface import NotFound, RecordError, Swept
from records.store import RecordStore
from signaling import upkeep
from signaling.upkeep import EVERY_S, Upkeep
from tests.signaling.clinic import Clinic as RunningClinic
from tests.support.record import NOW, config, furnish, jpeg


class Days:
    """A clock that goes on by what somebody waits for, when the test says so."""

    def __init__(self) -> None:
        self.now = NOW
        self._asked: asyncio.Queue[float] = asyncio.Queue()
        self._answers: asyncio.Queue[bool] = asyncio.Queue()

    async def wait(self, seconds: float) -> bool:
        self._asked.put_nowait(seconds)
        return await self._answers.get()

    async def asleep(self) -> float:
        """Wait until somebody waits; returns for how long."""
        return await self._asked.get()

    def next_day(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._answers.put_nowait(False)

    def stop(self) -> None:
        self._answers.put_nowait(True)


@asynccontextmanager
async def kept(store: RecordStore, days: Days) -> AsyncIterator[None]:
    keeper = Upkeep(store, lambda: days.now, days.wait)
    yield
    days.stop()
    await keeper.stop()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RecordStore]:
    opened = await RecordStore.open(config(f"sqlite+aiosqlite:///{tmp_path}/record.db", str(tmp_path / "b")))
    yield opened
    await opened.close()


async def test_an_upload_is_forgotten_on_its_eighth_day(store: RecordStore) -> None:
    clinic = await furnish(store)
    upload = await store.open_upload(clinic.still(jpeg()), NOW)
    days = Days()
    async with kept(store, days):
        for _ in range(7):
            assert await days.asleep() == EVERY_S
            assert (await store.upload(upload.upload_id)).offset_bytes == 0
            days.next_day(EVERY_S)
        await days.asleep()
        assert (await store.upload(upload.upload_id)).offset_bytes == 0
        days.next_day(EVERY_S)
        await days.asleep()
        with pytest.raises(NotFound):
            await store.upload(upload.upload_id)


async def test_a_sweep_that_fails_is_tried_again_the_next_day(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[datetime] = []

    async def sweep(self: RecordStore, now: datetime) -> Swept:
        times.append(now)
        raise RecordError("the disk is away")

    monkeypatch.setattr(RecordStore, "sweep", sweep)
    days = Days()
    async with kept(store, days):
        for _ in range(2):
            await days.asleep()
            days.next_day(EVERY_S)
        await days.asleep()
    assert times == [NOW + timedelta(days=1), NOW + timedelta(days=2)]


async def test_a_running_server_sweeps_and_stops_in_the_middle_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "EVERY_S", 0.0)
    begun = asyncio.Event()
    whole = RecordStore.sweep
    opened = False

    async def sweep(self: RecordStore, now: datetime) -> Swept:
        nonlocal opened
        if opened:
            begun.set()
        opened = True
        return await whole(self, now)

    monkeypatch.setattr(RecordStore, "sweep", sweep)
    async with RunningClinic.open(tmp_path):
        await asyncio.wait_for(begun.wait(), 20)
