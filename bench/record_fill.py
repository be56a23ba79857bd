"""Fill a record in bulk: the rows and seals that the store writes, many at a time, an audit line a patient.

A patient has one referral and one consultation that ended, with a note; 20 snapshots, each with a display
picture; 3 lesions, 10 outlines and 10 measurements of them, 2 conditions, 4 notes, a medication. Every
snapshot of a patient names the same small blob, which is there: the same bytes have the same name.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from records.body_map import SITES, Laterality
from records.clinical import (
    Annotation,
    Basis,
    Condition,
    Content,
    Form,
    Lesion,
    Measurement,
    Medication,
    Note,
    Quantity,
    Size,
    Tied,
    kind_of,
    retention_of,
)
from records.entry_rows import seal_content
from records.history import SubjectKind
from records.ids import new_id
from records.interface import SYSTEM_ACTOR, CaptureMethod, Phase, ReferralState, Role, Urgency, Variant
from records.keys import PatientKeys
from records.rows import seal_facts
from records.schema import (
    consultations,
    derived_images,
    entries,
    entry_versions,
    lesion_snapshots,
    patient_keys,
    patients,
    referrals,
    search_tokens,
    snapshots,
)
from records.search_terms import Findable, findable
from records.store import RecordStore
from records.transaction import Tx
from tests.support.record import jpeg

SNAPSHOTS_EACH = 20
BEGIN = datetime(2021, 1, 1, tzinfo=UTC)
FAMILY, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗", "芳敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂"
WORDS_EN = [
    "naevus",
    "macule",
    "papule",
    "plaque",
    "scale",
    "erythema",
    "border",
    "irregular",
    "pigmented",
    "itching",
    "months",
    "sun",
    "exposed",
    "excision",
    "biopsy",
    "dermoscopy",
    "network",
    "globules",
    "regression",
    "follow",
    "stable",
    "growing",
    "bleeding",
    "crust",
    "cream",
]
WORDS_ZH = [
    "色素痣",
    "红斑",
    "丘疹",
    "斑块",
    "鳞屑",
    "瘙痒",
    "边界清楚",
    "皮肤镜",
    "网状结构",
    "随访三月",
    "手术切除",
    "激素软膏",
    "复诊",
    "无变化",
]
CONDITIONS = (
    ("特应性皮炎", "L20.9"),
    ("Psoriasis vulgaris", "L40.0"),
    ("色素痣", "D22.9"),
    ("Basal cell carcinoma", "C44.9"),
    ("Acne vulgaris", "L70.0"),
    ("湿疹", "L30.9"),
    ("Seborrhoeic keratosis", "L82"),
    ("荨麻疹", "L50.9"),
)
TABLES = (
    patients,
    patient_keys,
    referrals,
    consultations,
    snapshots,
    derived_images,
    entries,
    entry_versions,
    lesion_snapshots,
    search_tokens,
)


@dataclass(frozen=True, slots=True)
class Clinic:
    """Who works in the record that is filled."""

    site_id: str
    referrer_id: str
    specialist_id: str


async def found_clinic(store: RecordStore) -> Clinic:
    """One site with two accounts."""
    site = await store.add_site("Clinic")
    referrer = await store.add_staff(site.site_id, "gp@example.org", "Dr. A", Role.REFERRER, "en", "!")
    doctor = await store.add_staff(site.site_id, "skin@example.org", "Dr. B", Role.SPECIALIST, "en", "!")
    return Clinic(site.site_id, referrer.staff_id, doctor.staff_id)


class Filler:
    """Adds patients to a record, the same ones for the same seed."""

    def __init__(self, store: RecordStore, clinic: Clinic, seed: int = 1) -> None:
        self.store = store
        self.clinic = clinic
        self.patient_ids: list[str] = []
        self._random = random.Random(seed)
        self._picture = jpeg()
        self._sha256 = hashlib.sha256(self._picture).hexdigest()

    async def grow_to(self, patients_wanted: int) -> None:
        """Add patients until there are so many."""
        while len(self.patient_ids) < patients_wanted:
            rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in TABLES}
            async with self.store._write() as tx:
                some = min(100, patients_wanted - len(self.patient_ids))
                added = [self._patient(tx, rows) for _ in range(some)]
                for table in TABLES:
                    await tx.insert_all(table, rows[table.name])
                for patient_id in added:
                    await tx.audit(SYSTEM_ACTOR, "patient.import", f"patient/{patient_id}", BEGIN)
            self.patient_ids += added

    def _patient(self, tx: Tx, rows: dict[str, list[dict[str, Any]]]) -> str:
        pick = self._random
        began = BEGIN + timedelta(minutes=pick.randrange(60 * 24 * 1500))
        patient_id, referral_id, consultation_id = new_id(began), new_id(began), new_id(began)
        keys, key_row = tx.create_keys(patient_id, new_id(began))
        name = pick.choice(FAMILY) + pick.choice(GIVEN) + pick.choice(GIVEN)
        born = date(pick.randrange(1930, 2015), 1 + pick.randrange(12), 1 + pick.randrange(28))
        rows["patients"].append(
            {
                "patient_id": patient_id,
                "name": keys.seal("patients", "name", patient_id, name),
                "birth_date": keys.seal("patients", "birth_date", patient_id, born.isoformat()),
                "sex": "unknown",
                "language": "zh",
                "email": None,
                "created_at": began,
            }
        )
        rows["patient_keys"].append(key_row)
        question, note = self._words(12), self._words(30)
        rows["referrals"].append(
            {
                "referral_id": referral_id,
                "patient_id": patient_id,
                "referrer_id": self.clinic.referrer_id,
                "site_id": self.clinic.site_id,
                "question": keys.seal("referrals", "question", referral_id, question),
                "urgency": Urgency.ROUTINE,
                "state": ReferralState.ANSWERED,
                "created_at": began,
            }
        )
        rows["consultations"].append(
            {
                "consultation_id": consultation_id,
                "referral_id": referral_id,
                "patient_id": patient_id,
                "specialist_id": self.clinic.specialist_id,
                "scheduled_at": began + timedelta(days=3),
                "phase": Phase.ENDED,
                "started_at": began + timedelta(days=3),
                "ended_at": began + timedelta(days=3, minutes=20),
                "note": keys.seal("consultations", "note", consultation_id, note),
                "note_version": 1,
            }
        )
        tokens = rows["search_tokens"]
        of = self.store._search_key.rows
        tokens += of(SubjectKind.PATIENT, patient_id, patient_id, began, Findable(names=(name,)))
        tokens += of(SubjectKind.REFERRAL, referral_id, patient_id, began, Findable((question,)))
        met = began + timedelta(days=3)
        tokens += of(SubjectKind.CONSULTATION, consultation_id, patient_id, met, Findable((note,)))
        pictures = self._pictures(keys, consultation_id, met, rows)
        self._writings(keys, consultation_id, pictures, met, rows)
        return patient_id

    def _pictures(
        self, keys: PatientKeys, consultation_id: str, met: datetime, rows: dict[str, list[dict[str, Any]]]
    ) -> list[str]:
        ids = []
        blob_name = keys.blob_name(self._sha256)
        self.store._blobs.put(keys.blobs, blob_name, self._picture)
        for number in range(SNAPSHOTS_EACH):
            at = met + timedelta(days=30 * number)
            snapshot_id, derived_id = new_id(at), new_id(at)
            ids.append(snapshot_id)
            sealed = {"sha256": self._sha256, "device": "Phone", "settings": {"iso": 100}}
            size = {"size_bytes": len(self._picture), "width_px": 4032, "height_px": 3024}
            both = {"media_type": "image/jpeg", "blob_name": blob_name, **size}
            rows["snapshots"].append(
                {
                    "snapshot_id": snapshot_id,
                    "patient_id": keys.patient_id,
                    "consultation_id": consultation_id,
                    "uploader_id": self.clinic.specialist_id,
                    "method": CaptureMethod.TAKE_PHOTO,
                    "taken_at": at,
                    "stored_at": at,
                    "has_location": False,
                    "facts": seal_facts(keys, "snapshots", snapshot_id, sealed),
                    **both,
                }
            )
            rows["derived_images"].append(
                {
                    "derived_id": derived_id,
                    "snapshot_id": snapshot_id,
                    "variant": Variant.DISPLAY,
                    "version": 1,
                    "facts": seal_facts(keys, "derived_images", derived_id, {"sha256": self._sha256}),
                    "report": None,
                    "software": "truehue",
                    "created_at": at,
                    **both,
                }
            )
        return ids

    def _writings(
        self,
        keys: PatientKeys,
        consultation_id: str,
        pictures: list[str],
        met: datetime,
        rows: dict[str, list[dict[str, Any]]],
    ) -> None:
        pick = self._random

        def write(content: Content, tied: Tied, days: int) -> str:
            at = met + timedelta(days=days, seconds=pick.randrange(3600))
            return self._entry(keys, content, tied, at, rows)

        unpaired = [site.code for site in SITES.values() if not site.paired]
        lesions = [
            write(Lesion(self._words(2), pick.choice(unpaired), Laterality.NONE), Tied(), 0) for _ in range(3)
        ]
        for number in range(10):
            lesion_id, snapshot_id = lesions[number % 3], pictures[number * 2]
            tied = Tied(lesion_id, snapshot_id, consultation_id)
            corners = tuple((1000.0 + 200 * pick.random(), 900.0 + 200 * pick.random()) for _ in range(24))
            drawn = write(Annotation(Form.POLYGON, corners), tied, 60 * number)
            basis = Basis(drawn, 1, Quantity(0.05, 0.001), "chart", None, None, "truehue")
            size = Size(Quantity(6, 0.1), Quantity(4, 0.1), Quantity(20, 1))
            about = Tied(lesion_id, snapshot_id, consultation_id, drawn)
            write(Measurement(basis, size, None), about, 60 * number)
            rows["lesion_snapshots"].append(
                {
                    "lesion_id": lesion_id,
                    "snapshot_id": snapshot_id,
                    "linked_by": self.clinic.specialist_id,
                    "linked_at": met,
                }
            )
        for number in range(2):
            words, code = pick.choice(CONDITIONS)
            write(Condition(words, "icd-10", code), Tied(lesions[number]), 0)
        for number in range(4):
            write(Note(self._words(25)), Tied(consultation_id=consultation_id), 150 * number)
        write(Medication(self._words(2), "twice a day"), Tied(), 1)

    def _entry(
        self,
        keys: PatientKeys,
        content: Content,
        tied: Tied,
        at: datetime,
        rows: dict[str, list[dict[str, Any]]],
    ) -> str:
        entry_id = new_id(at)
        rows["entries"].append(
            {
                "entry_id": entry_id,
                "kind": kind_of(content),
                "patient_id": keys.patient_id,
                "lesion_id": tied.lesion_id,
                "snapshot_id": tied.snapshot_id,
                "consultation_id": tied.consultation_id,
                "annotation_id": tied.annotation_id,
                "at": at,
                "version": 1,
                "changed_at": at,
                "retention": retention_of(content),
            }
        )
        rows["entry_versions"].append(
            {
                "entry_id": entry_id,
                "version": 1,
                "content": seal_content(keys, entry_id, 1, content),
                "author_id": self.clinic.specialist_id,
                "written_at": at,
            }
        )
        what = findable(content)
        if what is not None:
            of = self.store._search_key.rows
            rows["search_tokens"] += of(SubjectKind.ENTRY, entry_id, keys.patient_id, at, what)
        return entry_id

    def _words(self, count: int) -> str:
        """Words of both languages, the first of each list far more frequent than the last."""
        chosen = []
        for _ in range(count):
            of = WORDS_EN if self._random.random() < 0.5 else WORDS_ZH
            chosen.append(of[int(len(of) * self._random.random() ** 2)])
        return " ".join(chosen)
