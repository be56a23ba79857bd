"""How fast the patient record answers and keeps, at 1,000, 10,000 and 100,000 snapshots, on both databases.

The whole store is measured, seals, audit line and durable commit included, on SQLite and on a PostgreSQL of
its own. timeline: a page of 50 of a patient's history over everything. search: words in English and Chinese,
a name, a code, a body site, a date, alone and together, over all patients of one specialist. commit: a small
picture from bytes to durable row, `add_snapshot`, by 16 writers at once, each at a new one as soon as its
last is kept. Figures are the p95 at the largest size; rows hold every size, and what the disk holds for it.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text

from bench.harness import Options, Report, machine, parse, percentile
from bench.record_fill import BEGIN, FAMILY, GIVEN, SNAPSHOTS_EACH, Clinic, Filler, found_clinic
from records.history import CareScope, SearchQuery
from records.interface import Actor, CaptureMethod, NewUpload, RecordsConfig, Role, UploadPurpose
from records.schema import consultations
from records.store import RecordStore
from tests.support.postgres import PrivatePostgres
from tests.support.record import jpeg

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (200, 2_000)
ASKED, QUICK_ASKED = 300, 60
COMMITS, QUICK_COMMITS = 640, 96
WRITERS = 16
WARM_UP = 10
FIGURES = ("timeline", "search", "commit")


async def measure(options: Options) -> Report:
    """Fill and measure both databases, one after the other."""
    report = Report("record")
    sizes = QUICK_SIZES if options.quick else SIZES
    report.conditions = {
        **machine("sqlalchemy", "aiosqlite", "asyncpg"),
        "snapshots": sizes[-1],
        "patients": sizes[-1] // SNAPSHOTS_EACH,
        "asked": QUICK_ASKED if options.quick else ASKED,
        "writers": WRITERS,
    }
    with tempfile.TemporaryDirectory() as folder, PrivatePostgres(fsync=True) as postgres:
        postgres.create("bench")
        for prefix, url in (("", f"sqlite+aiosqlite:///{folder}/record.db"), ("pg_", postgres.url("bench"))):
            async with opened(url, f"{folder}/{prefix}blobs") as store:
                await measure_store(options, report, store, prefix, sizes)
    return report


@asynccontextmanager
async def opened(url: str, blob_dir: str) -> AsyncIterator[RecordStore]:
    """A new record."""
    store = await RecordStore.open(RecordsConfig(url, blob_dir, bytes(range(32))))
    try:
        yield store
    finally:
        await store.close()


async def measure_store(
    options: Options, report: Report, store: RecordStore, prefix: str, sizes: tuple[int, ...]
) -> None:
    """Grow a record from size to size, and ask it at each."""
    filler = Filler(store, await found_clinic(store))
    asked = QUICK_ASKED if options.quick else ASKED
    commits = QUICK_COMMITS if options.quick else COMMITS
    for size in sizes:
        began = time.perf_counter()
        await filler.grow_to(size // SNAPSHOTS_EACH)
        filled_s = time.perf_counter() - began
        await analyze(store)
        times_ms = {
            "timeline": await timelines(store, filler, asked),
            "search": await searches(store, filler, asked),
            "commit": await commit_all(store, filler.clinic, filler.patient_ids, commits),
        }
        kept = {f"{what}_p50_ms": percentile(times, 50) for what, times in times_ms.items()}
        kept |= {f"{what}_p95_ms": percentile(times, 95) for what, times in times_ms.items()}
        report.row(
            database="postgresql" if prefix else "sqlite",
            snapshots=size,
            filled_s=round(filled_s, 1),
            database_mb=round(await database_bytes(store) / 1e6, 1),
            **kept,
        )
        print(report.rows[-1], flush=True)
    for what in FIGURES:
        report.figure(f"{prefix}{what}_p95_ms", float(str(report.rows[-1][f"{what}_p95_ms"])))


async def analyze(store: RecordStore) -> None:
    """Let the database count its rows, as it does by itself in the long run."""
    async with store._write() as tx:
        await tx.conn.execute(text("ANALYZE"))


async def database_bytes(store: RecordStore) -> int:
    """How much the database holds on disk."""
    asked = "SELECT pg_database_size(current_database())"
    if store._database.is_sqlite:
        asked = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    async with store._read() as tx:
        return int((await tx.conn.execute(text(asked))).scalar_one())


async def timed(asked: int, ask: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each question, one at a time, after some that warm up."""
    times = []
    for number in range(WARM_UP + asked):
        began = time.perf_counter()
        await ask()
        if number >= WARM_UP:
            times.append((time.perf_counter() - began) * 1000)
    return times


def doctor(clinic: Clinic) -> Actor:
    """Who asks."""
    return Actor(clinic.specialist_id, Role.SPECIALIST, "bench")


async def timelines(store: RecordStore, filler: Filler, asked: int) -> list[float]:
    """Histories of patients by chance."""
    pick = random.Random(2)

    async def ask() -> None:
        page = await store.history(
            doctor(filler.clinic), pick.choice(filler.patient_ids), datetime.now(UTC), most=50
        )
        assert len(page.items) == 50

    return await timed(asked, ask)


async def searches(store: RecordStore, filler: Filler, asked: int) -> list[float]:
    """Questions of every kind by chance; most find something."""
    pick = random.Random(3)
    scope = CareScope(specialist_id=filler.clinic.specialist_id)
    found = 0

    def query() -> SearchQuery:
        since = BEGIN + timedelta(days=pick.randrange(1500))
        return pick.choice(
            (
                SearchQuery("naevus"),
                SearchQuery("cream crust"),
                SearchQuery("naevus bleeding growing"),
                SearchQuery("色素痣"),
                SearchQuery("痣"),
                SearchQuery("激素软膏 无变化"),
                SearchQuery(pick.choice(FAMILY) + pick.choice(GIVEN)),
                SearchQuery(code="L20"),
                SearchQuery("湿疹", code="L30.9"),
                SearchQuery(site="face"),
                SearchQuery("papule", site="back"),
                SearchQuery("macule", since=since, until=since + timedelta(days=30)),
                SearchQuery(since=since, until=since + timedelta(days=7)),
                SearchQuery("naevus", patient_id=pick.choice(filler.patient_ids)),
                SearchQuery("melanoma"),
            )
        )

    async def ask() -> None:
        nonlocal found
        page = await store.search(doctor(filler.clinic), scope, query(), datetime.now(UTC), most=50)
        found += len(page.hits)

    times = await timed(asked, ask)
    assert found > asked
    return times


async def commit_all(store: RecordStore, clinic: Clinic, patient_ids: list[str], commits: int) -> list[float]:
    """New pictures of patients by chance, by WRITERS at once."""
    async with store._read() as tx:
        some = random.Random(4).sample(patient_ids, min(len(patient_ids), 50))
        rows = await tx.all(select(consultations).where(consultations.c.patient_id.in_(some)))
    meetings = [row["consultation_id"] for row in rows]
    numbers = iter(range(commits + WRITERS))
    times: list[float] = []
    pictures = [jpeg(seed) for seed in range(commits + WRITERS)]

    async def write() -> None:
        for number in numbers:
            new = NewUpload(
                UploadPurpose.SNAPSHOT,
                meetings[number % len(meetings)],
                clinic.specialist_id,
                None,
                len(pictures[number]),
                None,
                "image/jpeg",
                CaptureMethod.TAKE_PHOTO,
                None,
                "Phone",
                {},
            )
            began = time.perf_counter()
            await store.add_snapshot(doctor(clinic), new, pictures[number], datetime.now(UTC))
            if number >= WRITERS:
                times.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    return times


def main() -> None:
    """`./dev bench record`."""
    options = parse("record", __doc__ or "")
    asyncio.run(measure(options)).finish(options)


if __name__ == "__main__":
    main()
