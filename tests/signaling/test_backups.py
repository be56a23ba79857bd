"""The nightly backup: due once a day, made up for after a night off, told to whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from records.interface import BackedUp, BackupRunning, StorageUnavailable
from signaling import compose
from signaling.backups import LOOK_EVERY_S, Backups, is_due, is_late, last_due
from signaling.doctor import examine
from tests.signaling.clinic import Clinic as RunningClinic
from tests.signaling.test_upkeep import Days
from tests.support.ports import free_port
from tests.support.record import NOW
from tests.support.settings import loopback_settings

AT = time(2, 30)


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("03-04T02:30", "03-04T02:30"),
        ("03-04T02:29:59", "03-03T02:30"),
        ("03-04T23:59", "03-04T02:30"),
        ("01-01T00:00", "2025"),
    ],
)
def test_the_latest_time_of_day_that_has_passed(now: str, due: str) -> None:
    expected = datetime(2025, 12, 31, 2, 30, tzinfo=UTC) if due == "2025" else day(due)
    assert last_due(day(now), AT) == expected


def test_due_once_a_day_and_after_a_night_off() -> None:
    assert is_due(day("03-04T12:00"), None, AT)
    assert not is_due(day("03-04T12:00"), day("03-04T02:31"), AT)
    assert not is_due(day("03-05T02:29"), day("03-04T02:31"), AT)
    assert is_due(day("03-05T02:30"), day("03-04T02:31"), AT)
    assert is_due(day("03-09T12:00"), day("03-04T02:31"), AT)


def test_late_after_a_missed_night() -> None:
    assert is_late(day("03-04T12:00"), None)
    assert not is_late(day("03-05T14:00"), day("03-04T02:31"))
    assert is_late(day("03-05T14:32"), day("03-04T02:31"))


@dataclass
class Place:
    """A second place that answers as it is told."""

    made: list[datetime] = field(default_factory=list)
    latest: datetime | None = None
    error: Exception | None = None

    async def back_up(self, now: datetime) -> BackedUp:
        if self.error is not None:
            raise self.error
        self.made.append(now)
        return BackedUp("id", 1, 1, 1, 0, 0)

    async def when(self) -> datetime | None:
        return self.latest


@asynccontextmanager
async def kept(place: Place, days: Days) -> AsyncIterator[Backups]:
    backups = Backups(place.back_up, place.when, lambda: days.now, AT, days.wait)
    assert await days.asleep() == LOOK_EVERY_S
    yield backups
    days.stop()
    await backups.stop()


async def test_one_at_the_start_then_one_a_night() -> None:
    place, days = Place(), Days()
    async with kept(place, days) as backups:
        assert place.made == [NOW]
        for _ in range(int(48 * 3600 / LOOK_EVERY_S)):
            days.next_day(LOOK_EVERY_S)
            await days.asleep()
        assert len(place.made) == 3
        assert all(last_due(made, AT) >= made - timedelta(seconds=LOOK_EVERY_S) for made in place.made[1:])
        assert backups.last_success == place.made[-1]
        assert not backups.late


async def test_what_another_made_counts() -> None:
    place, days = Place(latest=NOW - timedelta(minutes=5)), Days()
    async with kept(place, days) as backups:
        assert place.made == []
        assert backups.last_success == NOW - timedelta(minutes=5)


@pytest.mark.parametrize("error", [StorageUnavailable("away"), BackupRunning("another")])
async def test_a_failure_is_tried_again_and_told(error: Exception) -> None:
    place, days = Place(error=error), Days()
    async with kept(place, days) as backups:
        assert backups.late
        place.error = None
        days.next_day(LOOK_EVERY_S)
        await days.asleep()
        assert place.made == [days.now]
        assert not backups.late


async def test_a_running_server_backs_up_and_says_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "second place")
    looked = asyncio.Event()
    look = Backups._look

    async def look_and_say(self: Backups) -> None:
        await look(self)
        looked.set()

    monkeypatch.setattr(Backups, "_look", look_and_say)
    async with RunningClinic.open(tmp_path, backup_to=place) as clinic:
        browser = clinic.browser()
        await asyncio.wait_for(looked.wait(), 20)
        told = (await browser.get("/healthz")).json["backup"]
        assert told["late"] is False
        last = datetime.fromisoformat(str(told["last_success"]))
        for line in (await browser.get("/metrics")).body.decode().splitlines():
            if line.startswith("truehue_backup_last_success_timestamp_seconds "):
                assert float(line.split()[1]) == pytest.approx(last.timestamp(), abs=1e-3)
                break
        else:
            raise AssertionError("there is no such metric")
    assert len(await compose.backups_at(place)) == 1


async def test_the_doctor_looks_at_the_second_place(tmp_path: Path) -> None:
    place = tmp_path / "second place"
    settings = loopback_settings(
        tmp_path / "data", backup_to=str(place), http_port=free_port(), media_port=free_port()
    )

    async def found() -> tuple[bool, str]:
        [finding] = [one async for one in examine(settings) if one.what == "backup"]
        return finding.fine, finding.words

    assert (await found())[0]
    await (await compose.open_records(settings)).close()
    assert await found() == (False, "none yet: truehue backup makes one")
    await compose.make_backup(settings, str(place), compose.utc_now() - timedelta(hours=40))
    assert await found() == (False, "the last one is 40 hours old")
    await compose.make_backup(settings, str(place), compose.utc_now())
    assert await found() == (True, "the last one is 0 hours old")
