"""Search in both databases: by words, name, code, site, date and patient, among one's own patients only."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text

from records.body_map import Laterality
from records.clinical import Condition, Lesion, Note, Tied
from records.engine import Database
from records.errors import InvalidEntry
from records.history import CareScope, SearchQuery, SubjectKind
from records.interface import NewPatient, Phase, RecordsConfig, Role, Urgency
from records.schema import search_tokens
from records.search_index import SearchKey
from records.store import RecordStore
from tests.support.record import NOW, Clinic, OpenStore, at


async def fill(store: RecordStore, clinic: Clinic) -> None:
    doctor, patient_id = clinic.doctor, clinic.referral.patient.patient_id
    consultation_id = clinic.consultation.consultation_id
    lesion = Lesion("pigmented naevus", "forearm", Laterality.LEFT)
    mole = await store.add_entry(doctor, patient_id, lesion, Tied(), at(100))
    eczema = Condition("特应性皮炎", "icd-10", "L20.9")
    await store.add_entry(doctor, patient_id, eczema, Tied(mole.entry_id), at(200))
    await store.add_entry(
        doctor, patient_id, Note("左前臂色素痣，随访"), Tied(consultation_id=consultation_id), at(300)
    )
    await store.write_note(doctor, consultation_id, "Naevus: come back in three months", 0, at(400))


def mine(clinic: Clinic) -> CareScope:
    return CareScope(specialist_id=clinic.specialist.staff_id)


async def found(
    store: RecordStore, clinic: Clinic, query: SearchQuery, scope: CareScope | None = None
) -> list[SubjectKind]:
    page = await store.search(clinic.doctor, scope or mine(clinic), query, NOW)
    assert all(hit.patient.patient_id for hit in page.hits)
    return [hit.kind for hit in page.hits]


ENTRY, CONSULTATION = SubjectKind.ENTRY, SubjectKind.CONSULTATION


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        (SearchQuery("naevus"), [CONSULTATION, ENTRY]),
        (SearchQuery("naevus months"), [CONSULTATION]),
        (SearchQuery("痣"), [ENTRY]),
        (SearchQuery("色素痣"), [ENTRY]),
        (SearchQuery("皮炎"), [ENTRY]),
        (SearchQuery("素色"), []),
        (SearchQuery("melanoma"), []),
        (SearchQuery("wang"), [SubjectKind.PATIENT]),
        (SearchQuery("王芳"), [SubjectKind.PATIENT]),
        (SearchQuery("mole grew"), [SubjectKind.REFERRAL]),
        (SearchQuery(code="L20"), [ENTRY]),
        (SearchQuery(code="L21"), []),
        (SearchQuery(site="upper_limb"), [ENTRY]),
        (SearchQuery("naevus", site="forearm"), [ENTRY]),
        (SearchQuery("naevus", code="L20"), []),
        (SearchQuery(since=at(150), until=at(300)), [ENTRY]),
        (SearchQuery("naevus", until=at(150)), [ENTRY]),
        (SearchQuery("naevus", patient_id="somebody else"), []),
    ],
)
async def test_what_is_found(
    store: RecordStore, clinic: Clinic, query: SearchQuery, kinds: list[SubjectKind]
) -> None:
    await fill(store, clinic)
    assert await found(store, clinic, query) == kinds


async def test_by_patient(store: RecordStore, clinic: Clinic) -> None:
    await fill(store, clinic)
    everything = SearchQuery(patient_id=clinic.referral.patient.patient_id)
    kinds = await found(store, clinic, everything)
    assert len(kinds) == 6
    assert set(kinds) == set(SubjectKind)


async def test_only_ones_own_patients_are_found(store: RecordStore, clinic: Clinic) -> None:
    await fill(store, clinic)
    site = await store.add_site("Elsewhere")
    other = await store.add_staff(site.site_id, "b@example.org", "Dr. B", Role.SPECIALIST, "en", "hash")
    assert await found(store, clinic, SearchQuery("naevus"), CareScope(other.staff_id)) == []
    assert await found(store, clinic, SearchQuery("naevus"), CareScope(site_id=site.site_id)) == []
    with pytest.raises(InvalidEntry):
        await store.search(clinic.doctor, CareScope(), SearchQuery("naevus"), NOW)


async def test_a_site_finds_no_draft(store: RecordStore, clinic: Clinic) -> None:
    await fill(store, clinic)
    scope = CareScope(site_id=clinic.site.site_id)
    assert await found(store, clinic, SearchQuery("naevus"), scope) == [ENTRY]
    assert await found(store, clinic, SearchQuery("色素痣"), scope) == []
    await store.set_phase(clinic.doctor, clinic.consultation.consultation_id, Phase.ENDED, NOW)
    assert await found(store, clinic, SearchQuery("naevus"), scope) == [CONSULTATION, ENTRY]
    assert await found(store, clinic, SearchQuery("色素痣"), scope) == [ENTRY]


async def test_the_index_follows_what_is_written(store: RecordStore, clinic: Clinic) -> None:
    patient_id = clinic.referral.patient.patient_id
    note = await store.add_entry(clinic.doctor, patient_id, Note("urticaria"), Tied(), NOW)
    assert await found(store, clinic, SearchQuery("urticaria")) == [ENTRY]
    await store.change_entry(clinic.doctor, note.entry_id, Note("prurigo"), 1, NOW)
    assert await found(store, clinic, SearchQuery("urticaria")) == []
    assert await found(store, clinic, SearchQuery("prurigo")) == [ENTRY]
    await store.delete_entry(clinic.doctor, note.entry_id, 2, NOW)
    assert await found(store, clinic, SearchQuery("prurigo")) == []
    await store.restore_entry(clinic.doctor, note.entry_id, NOW)
    assert await found(store, clinic, SearchQuery("prurigo")) == [ENTRY]
    consultation_id = clinic.consultation.consultation_id
    await store.write_note(clinic.doctor, consultation_id, "scabies", 0, NOW)
    await store.write_note(clinic.doctor, consultation_id, "", 1, NOW)
    assert await found(store, clinic, SearchQuery("scabies")) == []


async def test_pages_hold_everything_once(store: RecordStore, clinic: Clinic) -> None:
    patient_id = clinic.referral.patient.patient_id
    written = [
        await store.add_entry(
            clinic.doctor, patient_id, Note(f"色素 素痣 {n}" if n % 3 else "色素痣"), Tied(), at(n // 2)
        )
        for n in range(20)
    ]
    wanted = [one.entry_id for n, one in enumerate(written) if n % 3 == 0][::-1]
    got: list[str] = []
    before = None
    while True:
        page = await store.search(
            clinic.doctor, mine(clinic), SearchQuery("色素痣"), NOW, most=2, before=before
        )
        got += [hit.subject_id for hit in page.hits]
        before = page.next
        if before is None:
            break
    assert sorted(got) == sorted(wanted)
    assert len(set(got)) == len(got)


async def test_the_index_tells_no_word(store: RecordStore, clinic: Clinic, settings: RecordsConfig) -> None:
    await fill(store, clinic)
    database = Database(settings.database_url)
    async with database.read() as conn:
        rows = (await conn.execute(select(search_tokens))).mappings().all()
    await database.close()
    assert len(rows) > 20
    for row in rows:
        assert set(row) == {"token", "at", "subject_id", "subject_kind", "patient_id"}
        assert isinstance(row["token"], int)


async def test_the_index_is_built_where_it_is_missing(
    open_store: OpenStore, store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    await fill(store, clinic)
    queries = [SearchQuery("naevus"), SearchQuery("王芳"), SearchQuery(code="L20"), SearchQuery("mole")]
    before = [await found(store, clinic, query) for query in queries]
    assert all(before)
    await store.close()
    database = Database(settings.database_url)
    async with database.write() as conn:
        await conn.execute(text("DELETE FROM search_tokens"))
        await conn.execute(text("UPDATE search_index SET key_id = 'other'"))
    await database.close()
    again = await open_store()
    assert [await found(again, clinic, query) for query in queries] == before


def test_another_master_key_makes_other_tokens() -> None:
    one, other = SearchKey(bytes(range(32))), SearchKey(bytes(32))
    assert one.token("w:naevus") == SearchKey(bytes(range(32))).token("w:naevus")
    assert other.key_id != one.key_id
    assert other.token("w:naevus") != one.token("w:naevus")


async def test_a_search_is_audited_without_its_words(store: RecordStore, clinic: Clinic) -> None:
    await fill(store, clinic)
    before = await store.verify_audit()
    await found(store, clinic, SearchQuery("naevus"))
    assert await store.verify_audit() == before + 1
    [line] = await store.audit_events(1)
    assert line.action == "search"
    assert "naevus" not in repr(line)


async def test_a_patient_of_another_doctor_of_the_same_name(store: RecordStore, clinic: Clinic) -> None:
    namesake = NewPatient("王芳", date(1990, 1, 1), "female", "zh", None)
    await store.create_referral(clinic.gp, clinic.site.site_id, namesake, "?", Urgency.SOON, NOW)
    assert await found(store, clinic, SearchQuery("王芳")) == [SubjectKind.PATIENT]
    site = CareScope(site_id=clinic.site.site_id)
    assert await found(store, clinic, SearchQuery("王芳"), site) == [SubjectKind.PATIENT] * 2
