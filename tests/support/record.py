"""A small clinic in a real record, for tests: accounts, a referral, a consultation, pictures, uploads."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from records import images
from records.interface import (
    Actor,
    Admission,
    CaptureMethod,
    Consultation,
    NewPatient,
    NewUpload,
    Participant,
    Records,
    RecordsConfig,
    Referral,
    Role,
    Site,
    Staff,
    UploadPurpose,
    Urgency,
)
from records.store import RecordStore

OpenStore = Callable[..., Awaitable[RecordStore]]
MASTER_KEY = bytes(range(32))
NOW = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
NAME = "王芳 Wáng-Fāng"
QUESTION = "A mole on the left forearm that grew"
PATIENT = NewPatient(NAME, date(1980, 1, 31), "female", "zh", "wang.fang@example.org")


def at(seconds: float) -> datetime:
    """A moment after NOW."""
    return NOW + timedelta(seconds=seconds)


def jpeg(seed: int = 0, width: int = 64, height: int = 48) -> bytes:
    """A small noisy picture, another one for each seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return images.encode_derived(noise)


def files_under(folder: str | Path) -> list[Path]:
    """Every file below a folder."""
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


def make_file(path: Path) -> datetime:
    """A file that nobody asked for; returns when it was made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left by a crash")
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def flip_bit(path: Path, byte: int) -> None:
    """Damage one bit of a file."""
    stored = bytearray(path.read_bytes())
    stored[byte] ^= 1
    path.write_bytes(stored)


@dataclass(frozen=True, slots=True)
class Clinic:
    """Two accounts and one patient with a referral, a consultation and a place in it."""

    site: Site
    referrer: Staff
    specialist: Staff
    referral: Referral
    consultation: Consultation
    patient: Participant

    @property
    def gp(self) -> Actor:
        """The referrer at work."""
        return Actor(self.referrer.staff_id, Role.REFERRER, f"referral/{self.referral.referral_id}")

    @property
    def doctor(self) -> Actor:
        """The specialist at work."""
        reason = f"consultation/{self.consultation.consultation_id}"
        return Actor(self.specialist.staff_id, Role.SPECIALIST, reason)

    @property
    def person(self) -> Actor:
        """The patient in the consultation."""
        reason = f"consultation/{self.consultation.consultation_id}"
        return Actor(self.patient.participant_id, Role.PATIENT, reason)

    def still(self, data: bytes, sha256: str | None = None, size_bytes: int | None = None) -> NewUpload:
        """A still of the consultation as a phone announces it."""
        return NewUpload(
            purpose=UploadPurpose.SNAPSHOT,
            owner_id=self.consultation.consultation_id,
            uploader_id=self.patient.participant_id,
            capture_id="capture-1",
            size_bytes=len(data) if size_bytes is None else size_bytes,
            sha256=hashlib.sha256(data).hexdigest() if sha256 is None else sha256,
            media_type="image/jpeg",
            method=CaptureMethod.TAKE_PHOTO,
            taken_at=at(30),
            device="Examplephone 9",
            settings={"iso": 100, "zoom": 1.5, "torch": False, "lens": None},
        )

    def photo(self, data: bytes) -> NewUpload:
        """A photo that comes with the referral."""
        return NewUpload(
            purpose=UploadPurpose.REFERRAL_PHOTO,
            owner_id=self.referral.referral_id,
            uploader_id=self.referrer.staff_id,
            capture_id=None,
            size_bytes=len(data),
            sha256=None,
            media_type="application/octet-stream",
            method=CaptureMethod.FILE,
            taken_at=None,
            device="",
            settings={},
        )


async def furnish(store: Records) -> Clinic:
    """Put a clinic with one accepted referral into an empty record."""
    site = await store.add_site("Village practice")
    referrer = await store.add_staff(site.site_id, "gp@example.org", "Dr. Gray", Role.REFERRER, "en", "hash")
    specialist = await store.add_staff(
        site.site_id, "skin@example.org", "Dr. Skinner", Role.SPECIALIST, "en", "hash"
    )
    gp = Actor(referrer.staff_id, Role.REFERRER, "referral/new")
    doctor = Actor(specialist.staff_id, Role.SPECIALIST, "worklist")
    sent = await store.create_referral(gp, site.site_id, PATIENT, QUESTION, Urgency.SOON, NOW)
    consultation = await store.accept_referral(
        doctor, sent.referral_id, specialist.staff_id, at(3600), at(10)
    )
    patient = await store.add_participant(
        doctor, consultation.consultation_id, Role.PATIENT, NAME, None, Admission.INVITED, at(20)
    )
    referral = await store.referral(gp, sent.referral_id, at(21))
    return Clinic(site, referrer, specialist, referral, consultation, patient)


def config(database_url: str, blob_dir: str, **changes: float) -> RecordsConfig:
    """Settings of a record for a test."""
    kept = {"max_upload_bytes": 8 << 20, "max_pixels": 4_000_000, "orphan_grace_s": 0.0} | changes
    return RecordsConfig(
        database_url,
        blob_dir,
        MASTER_KEY,
        max_upload_bytes=int(kept["max_upload_bytes"]),
        max_pixels=int(kept["max_pixels"]),
        orphan_grace_s=kept["orphan_grace_s"],
    )
