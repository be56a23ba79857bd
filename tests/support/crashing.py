"""A record whose process is killed: run as a program that forks, kills and looks what is left.

`python -m tests.support.crashing DATABASE_URL FOLDER RUNS SEED` kills a busy record at random lines, RUNS
times; with `points` for the two numbers it kills a quiet one at every step that lasts, one after the other.
It ends with a failed assertion where something acknowledged was lost, an orphan stayed, or the audit broke. A
killed process loses no page that the kernel already took: this proves the order of the steps, not the disk's
own promises.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import select

import records
from records import decoding, images
from records.engine import Database
from records.interface import ImageFacts, UploadPurpose, Variant
from records.schema import derived_images, snapshots, uploads
from records.store import RecordStore
from tests.support.fault_points import killed_at, write
from tests.support.record import Clinic, config, files_under, furnish, jpeg

PACKAGE = str(Path(records.__file__).parent)
Acknowledge = Callable[..., None]


@lru_cache(maxsize=1000)
def picture(number: int) -> bytes:
    """Another picture for each number, so that each is a blob of its own."""
    return jpeg(number, 96, 64)


class Here:
    """Decoders of this process: what is killed here is the store."""

    def inspect(self, data: bytes, max_pixels: int) -> ImageFacts:
        """records.decoding.inspect."""
        return decoding.inspect(data, max_pixels)

    def warm_up(self) -> None:
        """Nothing to start."""


def count_lines(kill_at: int | None) -> Callable[[], int]:
    """Count the lines that the record runs, in every thread, and be killed at one; returns the counter."""
    counter = itertools.count(1)
    last = 0

    def line(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal last
        if event == "line":
            last = next(counter)
            if last == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, _event: str, _argument: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(PACKAGE) else None

    threading.settrace(call)
    sys.settrace(call)
    return lambda: last


async def work(url: str, folder: Path, seed: int, clinic: Clinic, tell: Acknowledge) -> None:
    """What a busy hour does to the record, saying at each step what was acknowledged."""
    store = await RecordStore.open(config(url, str(folder / "blobs")))
    chance = random.Random(seed)
    await asyncio.gather(
        *(_one(store, clinic, random.Random(chance.random()), tell) for _ in range(2)),
        _notes(store, clinic, seed, tell),
    )
    await store.close()


async def _one(store: RecordStore, clinic: Clinic, chance: random.Random, tell: Acknowledge) -> None:
    for _ in range(2):
        number = chance.randrange(1 << 32)
        data, now = picture(number), datetime.now(UTC)
        if chance.random() < 0.3:
            snapshot = await store.add_snapshot(clinic.gp, clinic.photo(data), data, now)
        else:
            upload = await store.open_upload(clinic.still(data), now)
            tell(upload=upload.upload_id, picture=number, offset=0)
            while upload.offset_bytes < len(data):
                end = upload.offset_bytes + chance.randrange(1, len(data))
                chunk = data[upload.offset_bytes : end]
                upload = await store.append_upload(upload.upload_id, upload.offset_bytes, chunk, now)
                tell(upload=upload.upload_id, picture=number, offset=upload.offset_bytes)
            snapshot = await store.commit_upload(clinic.person, upload.upload_id, now)
        tell(snapshot=snapshot.snapshot_id, picture=number, variant=Variant.ORIGINAL)
        other = chance.randrange(1 << 32)
        await store.add_derived(
            clinic.doctor, snapshot.snapshot_id, Variant.DISPLAY, picture(other), None, "test", now
        )
        tell(snapshot=snapshot.snapshot_id, picture=other, variant=Variant.DISPLAY)


async def _notes(store: RecordStore, clinic: Clinic, seed: int, tell: Acknowledge) -> None:
    consultation_id, now = clinic.consultation.consultation_id, datetime.now(UTC)
    for step in range(3):
        found = await store.consultation(clinic.doctor, consultation_id, now)
        text = f"run {seed}, step {step}"
        written = await store.write_note(clinic.doctor, consultation_id, text, found.note_version, now)
        tell(note=text, version=written.note_version)


async def one_of_each(url: str, folder: Path, clinic: Clinic, tell: Acknowledge) -> None:
    """Everything that writes, in the same order each time: picture after picture, a note, a sweep."""
    store = await RecordStore.open(config(url, str(folder / "blobs")))
    chance = random.Random(os.getpid())
    for direct in (False, True):
        number = chance.randrange(1 << 32)
        data, now = picture(number), datetime.now(UTC)
        if direct:
            snapshot = await store.add_snapshot(clinic.gp, clinic.photo(data), data, now)
        else:
            upload = await store.open_upload(clinic.still(data), now)
            tell(upload=upload.upload_id, picture=number, offset=0)
            for begin, end in ((0, 1000), (1000, len(data))):
                upload = await store.append_upload(upload.upload_id, begin, data[begin:end], now)
                tell(upload=upload.upload_id, picture=number, offset=end)
            snapshot = await store.commit_upload(clinic.person, upload.upload_id, now)
        tell(snapshot=snapshot.snapshot_id, picture=number, variant=Variant.ORIGINAL)
    await store.add_derived(
        clinic.doctor, snapshot.snapshot_id, Variant.DISPLAY, picture(number + 1), None, "test", now
    )
    tell(snapshot=snapshot.snapshot_id, picture=number + 1, variant=Variant.DISPLAY)
    given_up = await store.open_upload(clinic.still(data), now)
    await store.append_upload(given_up.upload_id, 0, data[:500], now)
    await store.discard_upload(given_up.upload_id)
    found = await store.consultation(clinic.doctor, clinic.consultation.consultation_id, now)
    written = await store.write_note(
        clinic.doctor, found.consultation_id, f"by {os.getpid()}", found.note_version, now
    )
    tell(note=written.note, version=written.note_version)
    await store.sweep(now)
    await store.close()


async def look(
    url: str, folder: Path, clinic: Clinic, told: list[dict[str, Any]], *, audit: bool = True
) -> None:
    """Open the record again and check every promise that was made before the kill.

    audit: walk all of its lines as well, which grow with each run."""
    store = await RecordStore.open(config(url, str(folder / "blobs")))
    await _no_orphans(url, folder)
    if audit:
        await store.verify_audit()
    consultation = await store.consultation(
        clinic.doctor, clinic.consultation.consultation_id, datetime.now(UTC)
    )
    for promise in told:
        data = picture(promise.get("picture", 0))
        if "snapshot" in promise:
            kept, _ = await store.snapshot_bytes(
                clinic.doctor, promise["snapshot"], Variant(promise["variant"]), datetime.now(UTC)
            )
            assert kept == data, "a picture that was acknowledged has other bytes"
        elif "upload" in promise:
            upload = await store.upload(promise["upload"])
            assert upload.new.purpose is UploadPurpose.SNAPSHOT
            assert upload.offset_bytes >= promise["offset"], "bytes that were acknowledged are gone"
            if upload.offset_bytes < len(data):
                rest = data[upload.offset_bytes :]
                await store.append_upload(upload.upload_id, upload.offset_bytes, rest, datetime.now(UTC))
            snapshot = await store.commit_upload(clinic.person, upload.upload_id, datetime.now(UTC))
            assert snapshot.sha256 == clinic.still(data).sha256
        else:
            assert consultation.note_version >= promise["version"], "a note that was acknowledged is gone"
            if consultation.note_version == promise["version"]:
                assert consultation.note == promise["note"]
    # What nobody was told of is nobody's to finish: the next run begins as this one did.
    for upload_id in await _under_way(url):
        await store.discard_upload(upload_id)
    await store.close()


async def _under_way(url: str) -> set[str]:
    database = Database(url)
    async with database.read() as conn:
        growing = select(uploads.c.upload_id).where(uploads.c.snapshot_id.is_(None))
        found = set((await conn.execute(growing)).scalars())
    await database.close()
    return found


async def _no_orphans(url: str, folder: Path) -> None:
    database = Database(url)
    async with database.read() as conn:
        named = set((await conn.execute(select(snapshots.c.blob_name))).scalars())
        named |= set((await conn.execute(select(derived_images.c.blob_name))).scalars())
    await database.close()
    growing = await _under_way(url)
    assert {path.name for path in files_under(folder / "blobs" / "blobs")} == named
    assert files_under(folder / "blobs" / "temporary") == []
    assert {path.name for path in files_under(folder / "blobs" / "uploads")} <= growing


async def prepare(url: str, folder: Path) -> Clinic:
    """The clinic that all runs share."""
    store = await RecordStore.open(config(url, str(folder / "blobs")))
    clinic = await furnish(store)
    await store.close()
    return clinic


def run_and_be_killed(url: str, folder: Path, seed: int, clinic: Clinic, kill_at: int | None) -> int:
    """Fork, work in the child until it is killed; returns the lines it ran where it lived, else 0."""
    promises = folder / f"told-{seed}"
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return 0
        assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
        return int(json.loads(promises.read_text().splitlines()[-1])["lines"])
    fd = os.open(promises, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(**promise: Any) -> None:
        os.write(fd, json.dumps(promise).encode() + b"\n")

    try:
        lines = count_lines(kill_at)
        asyncio.run(work(url, folder, seed, clinic, tell))
        tell(lines=lines())
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def kill_at_every_point(url: str, folder: Path) -> None:
    """Kill at each point in turn until the work comes to its end; prints how many there were."""
    images.DECODERS = Here()  # type: ignore[assignment, attr-defined]
    clinic = asyncio.run(prepare(url, folder))
    point = 1
    while True:
        told = folder / f"told-{point}"
        fd = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        killed = killed_at(point, partial(_write_each, url, folder, clinic, fd), lambda _: None)
        os.close(fd)
        promises = [json.loads(line) for line in told.read_text().splitlines()]
        asyncio.run(look(url, folder, clinic, promises, audit=not killed or point % 10 == 0))
        if not killed:
            break
        point += 1
    print(f"killed at {point - 1} points")
    assert point > 100


def _write_each(url: str, folder: Path, clinic: Clinic, fd: int) -> None:
    asyncio.run(one_of_each(url, folder, clinic, partial(_tell, fd)))


def _tell(fd: int, **promise: Any) -> None:
    write(fd, json.dumps(promise).encode() + b"\n")


def main(url: str, folder: Path, runs: int, seed: int) -> None:
    """Kill `runs` times; prints how often the work was cut off, and at how many lines."""
    images.DECODERS = Here()  # type: ignore[assignment, attr-defined]
    clinic = asyncio.run(prepare(url, folder))
    lines = run_and_be_killed(url, folder, 0, clinic, None)
    chance = random.Random(seed)
    killed = 0
    for run in range(1, runs + 1):
        kill_at = chance.randrange(1, lines)
        killed += run_and_be_killed(url, folder, run, clinic, kill_at) == 0
        told = folder / f"told-{run}"
        promises = [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else []
        asyncio.run(look(url, folder, clinic, [promise for promise in promises if "lines" not in promise]))
    print(f"killed {killed} of {runs} runs of {lines} lines")
    assert killed >= runs * 0.8


if __name__ == "__main__":
    if sys.argv[3] == "points":
        kill_at_every_point(sys.argv[1], Path(sys.argv[2]))
    else:
        main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
