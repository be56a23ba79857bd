"""Snapshots: originals byte for byte, derived pictures beside them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from records.interface import (
    Admission,
    CaptureMethod,
    Conflict,
    HashMismatch,
    NotAnImage,
    NotFound,
    Phase,
    RecordError,
    RecordsConfig,
    SealBroken,
    UploadPurpose,
    Variant,
)
from records.store import RecordStore
from tests.support.record import NOW, Clinic, OpenStore, at, files_under, flip_bit, jpeg, make_file

STILL = jpeg(3, 320, 240)
REPORT = {"grade": "good", "raw_de00": 8.25, "words_zh": "好", "dropped_patches": [3], "cct": None}


async def test_a_snapshot_keeps_what_is_known_of_it(store: RecordStore, clinic: Clinic) -> None:
    new = clinic.still(STILL)
    kept = await store.add_snapshot(clinic.person, new, STILL, at(50))
    assert kept.patient_id == clinic.referral.patient.patient_id
    assert (kept.consultation_id, kept.referral_id) == (clinic.consultation.consultation_id, None)
    assert (kept.sha256, kept.size_bytes) == (new.sha256, len(STILL))
    assert (kept.width_px, kept.height_px, kept.media_type) == (320, 240, "image/jpeg")
    assert (kept.taken_at, kept.stored_at) == (at(30), at(50))
    assert (kept.method, kept.device, kept.settings) == (new.method, new.device, new.settings)
    assert (kept.has_location, kept.derived, kept.calibration) == (False, (), None)
    assert await store.snapshot(clinic.doctor, kept.snapshot_id, NOW) == kept
    original = await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)
    assert original == (STILL, "image/jpeg")


async def test_a_relay_frame_says_that_it_is_one(store: RecordStore, clinic: Clinic) -> None:
    new = replace(clinic.still(STILL), method=CaptureMethod.RELAY_FRAME, sha256=None, taken_at=None)
    kept = await store.add_snapshot(clinic.person, new, STILL, at(50))
    assert kept.method is CaptureMethod.RELAY_FRAME
    assert kept.taken_at == at(50)


async def test_only_the_announced_picture_is_kept(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    with pytest.raises(HashMismatch):
        await store.add_snapshot(clinic.person, clinic.still(STILL), jpeg(4), NOW)
    with pytest.raises(NotAnImage):
        await store.add_snapshot(clinic.person, clinic.still(b"GIF89a"), b"GIF89a", NOW)
    assert files_under(settings.blob_dir) == []


async def test_derived_pictures_stand_beside_the_original(store: RecordStore, clinic: Clinic) -> None:
    kept = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, NOW)

    async def derive(variant: Variant, data: bytes, report: dict[str, object] | None) -> None:
        await store.add_derived(clinic.doctor, kept.snapshot_id, variant, data, report, "truehue 1", NOW)

    await derive(Variant.DISPLAY, jpeg(5), None)
    await derive(Variant.CORRECTED, jpeg(6), REPORT)
    found = await store.snapshot(clinic.doctor, kept.snapshot_id, NOW)
    assert {image.variant for image in found.derived} == {Variant.DISPLAY, Variant.CORRECTED}
    assert found.calibration == REPORT
    corrected = next(image for image in found.derived if image.variant is Variant.CORRECTED)
    assert (corrected.width_px, corrected.height_px, corrected.software) == (64, 48, "truehue 1")
    assert await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.CORRECTED, NOW) == (
        jpeg(6),
        "image/jpeg",
    )
    await derive(Variant.CORRECTED, jpeg(8), {"grade": "usable"})
    later = await store.snapshot(clinic.doctor, kept.snapshot_id, NOW)
    assert later.calibration == {"grade": "usable"}
    assert len(later.derived) == 2
    shown = await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.CORRECTED, NOW)
    assert shown[0] == jpeg(8)
    original = await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)
    assert original[0] == STILL


async def test_an_original_is_never_replaced(store: RecordStore, clinic: Clinic) -> None:
    kept = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, NOW)
    with pytest.raises(Conflict):
        await store.add_derived(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, jpeg(5), None, "s", NOW)
    with pytest.raises(NotAnImage):
        await store.add_derived(clinic.doctor, kept.snapshot_id, Variant.DISPLAY, b"<svg/>", None, "s", NOW)


async def test_a_report_holds_json_only(store: RecordStore, clinic: Clinic) -> None:
    kept = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, NOW)
    for value in (float("nan"), object()):
        with pytest.raises(RecordError):
            await store.add_derived(
                clinic.doctor, kept.snapshot_id, Variant.CORRECTED, jpeg(5), {"raw_de00": value}, "s", NOW
            )


async def test_a_busy_consultation_never_locks_itself_up(store: RecordStore, clinic: Clinic) -> None:
    """Pictures, phases, the door and derived pictures at once touch the same rows in every order."""
    kept = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, NOW)
    consultation_id, participant_id = clinic.consultation.consultation_id, clinic.patient.participant_id
    pictures = [jpeg(20 + n) for n in range(10)]
    await asyncio.gather(
        *(store.add_snapshot(clinic.person, clinic.still(data), data, NOW) for data in pictures),
        *(
            store.add_derived(clinic.doctor, kept.snapshot_id, Variant.DISPLAY, data, None, "s", NOW)
            for data in pictures[:1]
        ),
        *(store.set_phase(clinic.doctor, consultation_id, Phase.IN_CALL, at(n)) for n in range(10)),
        *(
            store.set_admission(clinic.doctor, participant_id, Admission.WAITING, None, at(n))
            for n in range(10)
        ),
        *(store.add_chat_line(clinic.person, participant_id, f"{n}", at(n)) for n in range(10)),
    )
    found = await store.snapshots_of_consultation(clinic.doctor, consultation_id, NOW)
    assert len(found) == 11
    await store.verify_audit()


async def test_unknown_pictures_are_not_found(store: RecordStore, clinic: Clinic) -> None:
    kept = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, NOW)
    for call in (
        store.snapshot(clinic.doctor, "nothing", NOW),
        store.snapshot_bytes(clinic.doctor, "nothing", Variant.ORIGINAL, NOW),
        store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.THUMBNAIL, NOW),
        store.add_derived(clinic.doctor, "nothing", Variant.DISPLAY, STILL, None, "s", NOW),
    ):
        with pytest.raises(NotFound):
            await call


async def test_the_same_bytes_twice_are_two_snapshots_of_one_blob(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    first = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, at(1))
    second = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, at(2))
    assert first.snapshot_id != second.snapshot_id
    assert len(files_under(settings.blob_dir)) == 1
    for snapshot in (first, second):
        data, _ = await store.snapshot_bytes(clinic.doctor, snapshot.snapshot_id, Variant.ORIGINAL, NOW)
        assert data == STILL


async def test_a_sweep_clears_orphans_and_nothing_else(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    kept = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, NOW)
    upload = await store.open_upload(clinic.still(STILL), NOW)
    await store.append_upload(upload.upload_id, 0, STILL[:100], NOW)
    before = files_under(settings.blob_dir)
    blobs = Path(settings.blob_dir)
    orphans = [blobs / "blobs" / "ab" / ("ab" * 32), blobs / "temporary" / "half", blobs / "uploads" / "gone"]
    for orphan in orphans:
        make_file(orphan)
    swept = await store.sweep(at(86400 * 365))
    assert (swept.blobs, swept.temporary_files, swept.upload_files) == (1, 1, 2)  # the upload expired as well
    assert files_under(settings.blob_dir) == [path for path in before if "uploads" not in path.parts]
    data, _ = await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)
    assert data == STILL


async def test_a_young_orphan_is_left_for_its_writer(open_store: OpenStore, settings: RecordsConfig) -> None:
    store = await open_store(replace(settings, orphan_grace_s=3600.0))
    young = Path(settings.blob_dir, "temporary", "half")
    moment = make_file(young)
    assert (await store.sweep(moment + timedelta(seconds=3599))).temporary_files == 0
    assert (await store.sweep(moment + timedelta(seconds=3601))).temporary_files == 1


async def test_damage_on_disk_is_found(store: RecordStore, clinic: Clinic, settings: RecordsConfig) -> None:
    kept = await store.add_snapshot(clinic.person, clinic.still(STILL), STILL, NOW)
    [path] = files_under(settings.blob_dir)
    flip_bit(path, 1234)
    with pytest.raises(SealBroken):
        await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)
    path.unlink()
    with pytest.raises(NotFound):
        await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)


async def test_a_photo_of_a_referral_is_no_still_of_a_consultation(
    store: RecordStore, clinic: Clinic
) -> None:
    wrong = replace(clinic.still(STILL), purpose=UploadPurpose.REFERRAL_PHOTO)
    with pytest.raises(NotFound):
        await store.open_upload(wrong, NOW)
