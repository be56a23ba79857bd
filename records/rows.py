"""From rows to values of the record: opens seals, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, select

from records.interface import (
    Consultation,
    DerivedImage,
    DisplayCheck,
    NewUpload,
    Patient,
    Referral,
    Snapshot,
    Staff,
    Upload,
    Variant,
)
from records.keys import PatientKeys
from records.schema import (
    consultations,
    derived_images,
    display_checks,
    patients,
    referrals,
    snapshots,
)
from records.transaction import Tx


def staff_from(row: RowMapping) -> Staff:
    """A row of staff."""
    return Staff(
        staff_id=row["staff_id"],
        site_id=row["site_id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        language=row["language"],
        password_hash=row["password_hash"],
    )


def _unseal_maybe(
    keys: PatientKeys, table: str, column: str, row_id: str, sealed: bytes | None
) -> str | None:
    return None if sealed is None else keys.unseal(table, column, row_id, sealed)


def _patient_from(row: RowMapping, keys: PatientKeys) -> Patient:
    patient_id = row["patient_id"]
    born = _unseal_maybe(keys, "patients", "birth_date", patient_id, row["birth_date"])
    return Patient(
        patient_id=patient_id,
        name=keys.unseal("patients", "name", patient_id, row["name"]),
        birth_date=None if born is None else date.fromisoformat(born),
        sex=row["sex"],
        language=row["language"],
        email=_unseal_maybe(keys, "patients", "email", patient_id, row["email"]),
        created_at=row["created_at"],
    )


async def load_patients(tx: Tx, patient_ids: Sequence[str]) -> dict[str, Patient]:
    """Patients by id."""
    ids = list(dict.fromkeys(patient_ids))
    keys = await tx.keys_of_all(ids)
    found: dict[str, Patient] = {}
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        for row in await tx.all(select(patients).where(patients.c.patient_id.in_(part))):
            found[row["patient_id"]] = _patient_from(row, keys[row["patient_id"]])
    return found


async def load_referrals(tx: Tx, *where: ColumnElement[bool]) -> list[Referral]:
    """Referrals that fulfil conditions, newest first, with their patients and photos."""
    query: Select[Any] = (
        select(referrals, consultations.c.consultation_id)
        .outerjoin(consultations, consultations.c.referral_id == referrals.c.referral_id)
        .where(*where)
        .order_by(referrals.c.created_at.desc(), referrals.c.referral_id.desc())
    )
    rows = await tx.all(query)
    people = await load_patients(tx, [row["patient_id"] for row in rows])
    keys = await tx.keys_of_all(people)
    photos: dict[str, list[str]] = {}
    photo_query = (
        select(snapshots.c.referral_id, snapshots.c.snapshot_id)
        .where(snapshots.c.referral_id.in_(select(referrals.c.referral_id).where(*where)))
        .order_by(snapshots.c.stored_at, snapshots.c.snapshot_id)
    )
    for row in await tx.all(photo_query):
        photos.setdefault(row["referral_id"], []).append(row["snapshot_id"])
    found = []
    for row in rows:
        referral_id, key = row["referral_id"], keys[row["patient_id"]]
        reason = _unseal_maybe(key, "referrals", "decline_reason", referral_id, row["decline_reason"])
        found.append(
            Referral(
                referral_id=referral_id,
                patient=people[row["patient_id"]],
                referrer_id=row["referrer_id"],
                site_id=row["site_id"],
                question=key.unseal("referrals", "question", referral_id, row["question"]),
                urgency=row["urgency"],
                state=row["state"],
                created_at=row["created_at"],
                consultation_id=row["consultation_id"],
                decline_reason=reason,
                photo_ids=tuple(photos.get(referral_id, ())),
            )
        )
    return found


async def load_consultations(tx: Tx, *where: ColumnElement[bool]) -> list[Consultation]:
    """Consultations that fulfil conditions, earliest scheduled first."""
    rows = await tx.all(
        select(consultations)
        .where(*where)
        .order_by(consultations.c.scheduled_at, consultations.c.consultation_id)
    )
    people = await load_patients(tx, [row["patient_id"] for row in rows])
    keys = await tx.keys_of_all(people)
    checks = {
        row["consultation_id"]: DisplayCheck(
            row["staff_id"], row["gamut"], row["steps_apart"], row["checked_at"]
        )
        for row in await tx.all(
            select(display_checks)
            .where(
                display_checks.c.consultation_id.in_(select(consultations.c.consultation_id).where(*where))
            )
            .order_by(display_checks.c.sequence)
        )
    }
    return [
        Consultation(
            consultation_id=row["consultation_id"],
            referral_id=row["referral_id"],
            patient=people[row["patient_id"]],
            specialist_id=row["specialist_id"],
            scheduled_at=row["scheduled_at"],
            phase=row["phase"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            note=keys[row["patient_id"]].unseal("consultations", "note", row["consultation_id"], row["note"]),
            note_version=row["note_version"],
            display_check=checks.get(row["consultation_id"]),
        )
        for row in rows
    ]


async def load_snapshots(tx: Tx, *where: ColumnElement[bool]) -> list[Snapshot]:
    """Snapshots that fulfil conditions, newest first; of each derived variant the latest."""
    rows = await tx.all(
        select(snapshots).where(*where).order_by(snapshots.c.taken_at.desc(), snapshots.c.snapshot_id.desc())
    )
    keys = await tx.keys_of_all(row["patient_id"] for row in rows)
    derived: dict[str, dict[Variant, RowMapping]] = {}
    for image in await tx.all(
        select(derived_images)
        .where(derived_images.c.snapshot_id.in_(select(snapshots.c.snapshot_id).where(*where)))
        .order_by(derived_images.c.version)
    ):
        derived.setdefault(image["snapshot_id"], {})[image["variant"]] = image
    found = []
    for row in rows:
        snapshot_id, key = row["snapshot_id"], keys[row["patient_id"]]
        facts = open_facts(key, "snapshots", snapshot_id, row["facts"])
        images = tuple(_derived_from(key, image) for image in derived.get(snapshot_id, {}).values())
        reports = [image.report for image in images if image.variant is Variant.CORRECTED]
        found.append(
            Snapshot(
                snapshot_id=snapshot_id,
                patient_id=row["patient_id"],
                consultation_id=row["consultation_id"],
                referral_id=row["referral_id"],
                method=row["method"],
                taken_at=row["taken_at"],
                stored_at=row["stored_at"],
                media_type=row["media_type"],
                size_bytes=row["size_bytes"],
                sha256=facts["sha256"],
                width_px=row["width_px"],
                height_px=row["height_px"],
                device=facts["device"],
                settings=facts["settings"],
                has_location=row["has_location"],
                derived=images,
                calibration=reports[0] if reports else None,
            )
        )
    return found


def _derived_from(keys: PatientKeys, row: RowMapping) -> DerivedImage:
    return DerivedImage(
        variant=row["variant"],
        media_type=row["media_type"],
        width_px=row["width_px"],
        height_px=row["height_px"],
        sha256=open_facts(keys, "derived_images", row["derived_id"], row["facts"])["sha256"],
        report=row["report"],
        software=row["software"],
    )


def upload_from(row: RowMapping, keys: PatientKeys) -> Upload:
    """A row of uploads."""
    facts = open_facts(keys, "uploads", row["upload_id"], row["facts"])
    new = NewUpload(
        purpose=row["purpose"],
        owner_id=row["owner_id"],
        uploader_id=row["uploader_id"],
        capture_id=row["capture_id"],
        size_bytes=row["size_bytes"],
        sha256=facts["sha256"],
        media_type=facts["media_type"],
        method=row["method"],
        taken_at=row["taken_at"],
        device=facts["device"],
        settings=facts["settings"],
    )
    return Upload(row["upload_id"], new, row["offset_bytes"], row["created_at"], row["snapshot_id"])


def seal_facts(keys: PatientKeys, table: str, row_id: str, facts: Mapping[str, Any]) -> bytes:
    """Facts that could tell a picture or a device again, sealed together as JSON."""
    return keys.seal(table, "facts", row_id, json.dumps(facts, separators=(",", ":")))


def open_facts(keys: PatientKeys, table: str, row_id: str, sealed: bytes) -> dict[str, Any]:
    """Undo `seal_facts`."""
    opened: dict[str, Any] = json.loads(keys.unseal(table, "facts", row_id, sealed))
    return opened
