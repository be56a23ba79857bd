"""Who saw my record: the audit as the person it is about may read it."""

from __future__ import annotations

import pytest

from records.body_map import Laterality
from records.clinical import Lesion, Tied
from records.interface import Admission, NotFound, Role, Urgency, Variant
from records.store import RecordStore
from tests.support.record import NOW, PATIENT, Clinic, at, jpeg


async def test_everybody_else_who_saw_or_changed_it_is_named(store: RecordStore, clinic: Clinic) -> None:
    patient_id, consultation_id = clinic.referral.patient.patient_id, clinic.consultation.consultation_id
    kept = await store.add_snapshot(clinic.person, clinic.still(jpeg()), jpeg(), at(100))
    await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, at(101))
    await store.set_admission(clinic.doctor, clinic.patient.participant_id, Admission.WAITING, None, at(102))
    await store.write_note(clinic.doctor, consultation_id, "x", 0, at(103))
    await store.timeline(clinic.gp, patient_id, at(104))
    found = await store.accesses(clinic.person, patient_id, 100, at(105))
    assert [(one.action, one.name, one.site_name, one.at) for one in found[:4]] == [
        ("timeline.read", "Dr. Gray", "Village practice", at(104)),
        ("note.write", "Dr. Skinner", "Village practice", at(103)),
        ("participant.waiting", "Dr. Skinner", "Village practice", at(102)),
        ("snapshot.view.original", "Dr. Skinner", "Village practice", at(101)),
    ]
    lesion = await store.add_entry(
        clinic.doctor, patient_id, Lesion("mole", "nose", Laterality.NONE), Tied(), at(110)
    )
    await store.entries(clinic.doctor, patient_id, at(111))
    await store.entry(clinic.doctor, lesion.entry_id, at(112))
    latest = await store.accesses(clinic.person, patient_id, 3, at(113))
    assert [one.action for one in latest] == ["lesion.read", "entry.list", "lesion.create"]
    assert {one.role for one in found} == {Role.SPECIALIST, Role.REFERRER}
    assert found[-1].action == "referral.create"
    assert len(await store.accesses(clinic.person, patient_id, 2, at(106))) == 2
    assert (await store.audit_events(limit=1))[0].action == "access.read"
    await store.verify_audit()


async def test_others_records_and_names_are_not_told(store: RecordStore, clinic: Clinic) -> None:
    other = await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    interpreter = await store.add_participant(
        clinic.doctor,
        clinic.consultation.consultation_id,
        Role.INTERPRETER,
        "Ignatia",
        None,
        Admission.WAITING,
        NOW,
    )
    before = await store.accesses(clinic.person, clinic.referral.patient.patient_id, 100, NOW)
    await store.referral(clinic.gp, other.referral_id, at(1))
    assert await store.accesses(clinic.person, clinic.referral.patient.patient_id, 100, NOW) == before
    assert [one.action for one in await store.accesses(clinic.person, other.patient.patient_id, 9, NOW)] == [
        "referral.read",
        "referral.create",
    ]
    assert "Ignatia" not in repr(before)
    assert interpreter.participant_id not in repr(before)
    with pytest.raises(NotFound):
        await store.accesses(clinic.person, "nobody", 9, NOW)
