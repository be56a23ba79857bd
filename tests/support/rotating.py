"""Rotations that are killed at every point, one after the other; run as a program that forks.

`python -m tests.support.rotating DATABASE_URL FOLDER` rotates the key of a small clinic again and again, is
killed in each rotation at another point, goes on, and looks whether everything is there.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from records import images, rotation
from records.interface import Variant
from records.store import RecordStore
from signaling import compose
from signaling.keys import load_or_make_master_key
from signaling.record_commands import rotate_master_key
from signaling.settings import Settings
from tests.support.crashing import Here, picture
from tests.support.fault_points import killed_at
from tests.support.record import PATIENT, Clinic, furnish

PATIENTS = 2


async def _prepare(settings: Settings) -> tuple[Clinic, str]:
    store = await compose.open_records(settings)
    clinic = await furnish(store)
    for _ in range(PATIENTS - 1):
        await furnish_patient(store, clinic)
    kept = await store.add_snapshot(clinic.person, clinic.still(picture(1)), picture(1), datetime.now(UTC))
    await store.close()
    return clinic, kept.snapshot_id


async def furnish_patient(store: RecordStore, clinic: Clinic) -> None:
    """One more patient, with a data key of their own."""
    now = datetime.now(UTC)
    await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", clinic.referral.urgency, now)


async def _look(settings: Settings, clinic: Clinic, snapshot_id: str) -> None:
    """Everything is there, and can be written to, with the keys that lie there now."""
    store = await compose.open_records(settings)
    await store.verify_audit()
    now = datetime.now(UTC)
    for referral in await store.referrals(clinic.gp, now):
        assert referral.patient.name == PATIENT.name
    kept, _ = await store.snapshot_bytes(clinic.doctor, snapshot_id, Variant.ORIGINAL, now)
    assert kept == picture(1)
    await store.verify_audit()
    await store.close()


def main(url: str, folder: Path) -> None:
    """Prints at how many points a rotation was killed."""
    images.DECODERS = Here()  # type: ignore[assignment, attr-defined]
    rotation.AT_ONCE = 1
    settings = Settings(data=str(folder / "data"), database_url=url)
    load_or_make_master_key(settings.master_key_path, may_make=True)
    clinic, snapshot_id = asyncio.run(_prepare(settings))
    ends = folder / "points"

    def rotate() -> None:
        asyncio.run(rotate_master_key(settings))

    def told(points: int) -> None:
        ends.write_text(str(points))

    point = 1
    while killed_at(point, rotate, told):
        asyncio.run(_look(settings, clinic, snapshot_id))
        rotate()
        assert settings.old_master_key_path is None
        point += 1
        for old in settings.master_key_path.parent.glob("retired-*"):
            shutil.move(old, folder / "retired")
    asyncio.run(_look(settings, clinic, snapshot_id))
    print(f"killed at {point - 1} points")
    assert point > 20


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
