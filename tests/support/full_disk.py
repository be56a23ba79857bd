"""A record on a disk that fills up: run as a program, in a folder on a disk of one or two megabytes.

`python -m tests.support.full_disk blobs|database SMALL LARGE`: SMALL lies on the small disk, LARGE elsewhere.
Ends with a failed assertion where something acknowledged was lost, or a full disk was not said to be one.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from io import FileIO
from pathlib import Path

import numpy as np
import pytest

from records.interface import Referral, StorageFull, Urgency, Variant
from records.store import RecordStore
from tests.support.pictures import encoded
from tests.support.record import NOW, PATIENT, config, files_under, furnish, jpeg

SMALL_DISK = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'


def with_small_disk(size: str, small: Path) -> list[str]:
    """The start of a command; its rest runs in a mount namespace of its own, with a small disk at `small`."""
    own_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *own_root, "--mount", "sh", "-c", SMALL_DISK, "sh", size, str(small)]


def run_on_small_disk(what: str, size: str, small: Path, large: Path) -> None:
    """Run this program with a small disk at `small`; raises RuntimeError."""
    program = [sys.executable, "-m", "tests.support.full_disk", what, str(small), str(large)]
    command = [*with_small_disk(size, small), *program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"on a small disk (needs the right to mount one):\n{done.stdout}{done.stderr}")


def fill(folder: Path) -> Path:
    """A file that takes every byte that is left."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            with pytest.raises(OSError, match="No space left"):
                write_for_ever(file, bytes(size))
    return filler


def write_for_ever(file: FileIO, data: bytes) -> None:
    """Write until the disk refuses."""
    while True:
        file.write(data)


async def blobs(small: Path, large: Path) -> None:
    """Uploads and pictures on a full disk; the database lies elsewhere."""
    store = await RecordStore.open(config(f"sqlite+aiosqlite:///{large}/record.db", str(small / "blobs")))
    clinic = await furnish(store)
    kept = await store.add_snapshot(clinic.person, clinic.still(jpeg(1)), jpeg(1), NOW)
    noise = np.random.default_rng(5).integers(0, 256, (330, 330, 3), dtype=np.uint8)
    still = encoded(noise, "PNG")
    upload = await store.open_upload(clinic.still(still), NOW)
    upload = await store.append_upload(upload.upload_id, 0, still[:50_000], NOW)
    filler = fill(small)

    for _ in range(3):
        with pytest.raises(StorageFull, match="full"):
            await store.append_upload(upload.upload_id, 50_000, still[50_000:], NOW)
    assert await store.upload(upload.upload_id) == upload
    before = files_under(small / "blobs")
    with pytest.raises(StorageFull, match="full"):
        await store.add_snapshot(clinic.person, clinic.still(still), still, NOW)
    assert files_under(small / "blobs") == before
    data, _ = await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)
    assert data == jpeg(1)

    filler.unlink()
    upload = await store.append_upload(upload.upload_id, 50_000, still[50_000:], NOW)
    snapshot = await store.commit_upload(clinic.person, upload.upload_id, NOW)
    data, _ = await store.snapshot_bytes(clinic.doctor, snapshot.snapshot_id, Variant.ORIGINAL, NOW)
    assert data == still
    assert await store.verify_audit() > 0
    await store.close()


async def database(small: Path, large: Path) -> None:
    """Rows on a full disk; the blobs lie elsewhere."""
    store = await RecordStore.open(config(f"sqlite+aiosqlite:///{small}/record.db", str(large / "blobs")))
    clinic = await furnish(store)
    filler = small / "filler"
    filler.write_bytes(bytes(600_000))
    sent: list[Referral] = []

    async def send_for_ever() -> None:
        while True:
            sent.append(
                await store.create_referral(
                    clinic.gp, clinic.site.site_id, PATIENT, "x" * 2000, Urgency.SOON, NOW
                )
            )

    with pytest.raises(StorageFull, match="full"):
        await send_for_ever()
    with pytest.raises(StorageFull, match="full"):
        await send_for_ever()
    assert len(sent) > 10
    filler.unlink()
    for made in sent:
        assert await store.referral(clinic.gp, made.referral_id, NOW) == made
    assert await store.consultation(clinic.doctor, clinic.consultation.consultation_id, NOW) == (
        clinic.consultation
    )
    assert len(await store.referrals(clinic.gp, NOW)) == len(sent) + 1
    assert await store.verify_audit() > 0
    await store.close()


if __name__ == "__main__":
    name, small_disk, elsewhere = sys.argv[1:]
    asyncio.run({"blobs": blobs, "database": database}[name](Path(small_disk), Path(elsewhere)))
