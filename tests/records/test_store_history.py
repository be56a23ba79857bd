"""A patient's history over everything: one order, page by page, nothing twice and nothing left out."""

from __future__ import annotations

import pytest

from records.clinical import Note, Tied
from records.errors import InvalidEntry, NotFound
from records.history import HistoryItem, HistoryKind
from records.interface import Phase, Urgency
from records.store import RecordStore
from tests.records.test_store_entries import snapshot_of
from tests.support.record import NOW, PATIENT, Clinic, at, jpeg


async def fill(store: RecordStore, clinic: Clinic) -> str:
    patient_id = clinic.referral.patient.patient_id
    for seed in range(4):
        await snapshot_of(store, clinic, seed)
    await store.add_snapshot(clinic.gp, clinic.photo(jpeg(9)), jpeg(9), at(5))
    for number in range(5):
        await store.add_entry(clinic.doctor, patient_id, Note(f"note {number}"), Tied(), at(40 + number // 2))
    await store.set_phase(clinic.doctor, clinic.consultation.consultation_id, Phase.ENDED, at(60))
    await store.give_satisfaction(clinic.person, clinic.patient.participant_id, 4, "", at(70))
    await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    return patient_id


async def pages(store: RecordStore, clinic: Clinic, patient_id: str, most: int) -> list[HistoryItem]:
    items: list[HistoryItem] = []
    before = None
    while True:
        page = await store.history(clinic.doctor, patient_id, NOW, most=most, before=before)
        assert len(page.items) <= most
        items += page.items
        before = page.next
        if before is None:
            return items


async def test_everything_is_there_once_and_newest_first(store: RecordStore, clinic: Clinic) -> None:
    patient_id = await fill(store, clinic)
    whole = await store.history(clinic.doctor, patient_id, NOW, most=200)
    assert whole.next is None
    kinds = [item.kind for item in whole.items]
    assert {kind: kinds.count(kind) for kind in HistoryKind} == {
        HistoryKind.REFERRAL: 1,
        HistoryKind.CONSULTATION: 1,
        HistoryKind.SNAPSHOT: 5,
        HistoryKind.ENTRY: 5,
        HistoryKind.SATISFACTION: 1,
    }
    order = [(item.at, item.item_id) for item in whole.items]
    assert order == sorted(order, reverse=True)
    for most in (1, 3, 13):
        assert await pages(store, clinic, patient_id, most) == list(whole.items)


async def test_some_kinds_and_what_was_deleted(store: RecordStore, clinic: Clinic) -> None:
    patient_id = await fill(store, clinic)
    notes = await store.history(clinic.doctor, patient_id, NOW, kinds=[HistoryKind.ENTRY])
    assert {item.kind for item in notes.items} == {HistoryKind.ENTRY}
    await store.delete_entry(clinic.doctor, notes.items[0].item_id, 1, NOW)
    left = await store.history(clinic.doctor, patient_id, NOW, kinds=[HistoryKind.ENTRY])
    assert left.items == notes.items[1:]


async def test_what_is_not_there_or_makes_no_sense(store: RecordStore, clinic: Clinic) -> None:
    with pytest.raises(NotFound):
        await store.history(clinic.doctor, "nobody", NOW)
    for most in (0, 201):
        with pytest.raises(InvalidEntry):
            await store.history(clinic.doctor, clinic.referral.patient.patient_id, NOW, most=most)
