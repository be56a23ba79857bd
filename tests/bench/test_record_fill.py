"""What the bench fills a record with is what the store would have written: it reads back, and is found."""

from __future__ import annotations

from pathlib import Path

from bench.record import doctor
from bench.record_fill import BEGIN, SNAPSHOTS_EACH, Filler, found_clinic
from records.history import CareScope, HistoryKind, SearchQuery
from records.interface import Snapshot, Variant
from records.store import RecordStore
from tests.support.record import config, jpeg


async def test_a_filled_record_reads_back(tmp_path: Path) -> None:
    store = await RecordStore.open(
        config(f"sqlite+aiosqlite:///{tmp_path}/record.db", str(tmp_path / "blobs"))
    )
    clinic = await found_clinic(store)
    filler = Filler(store, clinic)
    await filler.grow_to(3)
    who = doctor(clinic)
    found = 0
    for patient_id in filler.patient_ids:
        page = await store.history(who, patient_id, BEGIN, most=200)
        kinds = [item.kind for item in page.items]
        counts = {kind: kinds.count(kind) for kind in HistoryKind}
        assert counts == {
            HistoryKind.REFERRAL: 1,
            HistoryKind.CONSULTATION: 1,
            HistoryKind.SNAPSHOT: SNAPSHOTS_EACH,
            HistoryKind.ENTRY: 30,
            HistoryKind.SATISFACTION: 0,
        }
        for snapshot in [item.value for item in page.items if isinstance(item.value, Snapshot)][:2]:
            for variant in (Variant.ORIGINAL, Variant.DISPLAY):
                data, _ = await store.snapshot_bytes(who, snapshot.snapshot_id, variant, BEGIN)
                assert data == jpeg()
        query = SearchQuery("naevus", patient_id=patient_id)
        found += len((await store.search(who, CareScope(clinic.specialist_id), query, BEGIN)).hits)
    assert found > 3
    assert await store.verify_audit() > 3
    assert (await store.sweep(BEGIN)).blobs == 0
    await store.close()
