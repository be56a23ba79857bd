"""What the record offers to whoever composes it: the Records Protocol, and all that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from records.body_map import SITES, BodySite, Laterality, MapView
from records.care import (
    Admission,
    AgendaEntry,
    CareLink,
    CareSubject,
    ChatLine,
    ConsentGiven,
    Consultation,
    ConsultationLink,
    DisplayCheck,
    Gamut,
    Participant,
    Phase,
    Referral,
    ReferralState,
    Satisfaction,
    Urgency,
)
from records.change import Change, Difference, Verdict, compare
from records.clinical import (
    Annotation,
    Basis,
    ClinicalStatus,
    Condition,
    Content,
    Document,
    DocumentKind,
    Entry,
    EntryChanged,
    EntryKind,
    Form,
    Lesion,
    LesionColor,
    LesionRecord,
    LesionState,
    Measurement,
    Medication,
    MedicationStatus,
    Note,
    Quantity,
    RegionColor,
    RetentionClass,
    Section,
    Size,
    Tied,
)
from records.clinical_records import ClinicalRecords
from records.errors import (
    BackupBroken,
    BackupRunning,
    Conflict,
    HashMismatch,
    InvalidEntry,
    NoScale,
    NotADocument,
    NotAnImage,
    NotEmpty,
    NotFound,
    RecordError,
    SealBroken,
    StorageFull,
    StorageUnavailable,
    UploadOffsetMismatch,
    UploadTooLarge,
    WrongMasterKey,
)
from records.history import (
    CareScope,
    Cursor,
    HistoryItem,
    HistoryKind,
    HistoryPage,
    SearchHit,
    SearchPage,
    SearchQuery,
    SubjectKind,
    Timeline,
)
from records.measuring import Plane, measure, outline_of
from records.people import SYSTEM_ACTOR, Actor, NewPatient, Patient, Role, Site, Staff
from records.pictures import (
    CaptureMethod,
    DerivedImage,
    ImageFacts,
    Images,
    NewUpload,
    Snapshot,
    Upload,
    UploadPurpose,
    Variant,
)
from records.safekeeping import (
    Access,
    AuditEvent,
    BackedUp,
    BackupFacts,
    RecordsConfig,
    Restored,
    RetentionPolicy,
    Swept,
)

__all__ = [
    "SITES",
    "SYSTEM_ACTOR",
    "Access",
    "Actor",
    "Admission",
    "AgendaEntry",
    "Annotation",
    "AuditEvent",
    "BackedUp",
    "BackupBroken",
    "BackupFacts",
    "BackupRunning",
    "Basis",
    "BodySite",
    "CaptureMethod",
    "CareLink",
    "CareScope",
    "CareSubject",
    "Change",
    "ChatLine",
    "ClinicalStatus",
    "Condition",
    "Conflict",
    "ConsentGiven",
    "Consultation",
    "ConsultationLink",
    "Content",
    "Cursor",
    "DerivedImage",
    "Difference",
    "DisplayCheck",
    "Document",
    "DocumentKind",
    "Entry",
    "EntryChanged",
    "EntryKind",
    "Form",
    "Gamut",
    "HashMismatch",
    "HistoryItem",
    "HistoryKind",
    "HistoryPage",
    "ImageFacts",
    "Images",
    "InvalidEntry",
    "Laterality",
    "Lesion",
    "LesionColor",
    "LesionRecord",
    "LesionState",
    "MapView",
    "Measurement",
    "Medication",
    "MedicationStatus",
    "NewPatient",
    "NewUpload",
    "NoScale",
    "NotADocument",
    "NotAnImage",
    "NotEmpty",
    "NotFound",
    "Note",
    "Participant",
    "Patient",
    "Phase",
    "Plane",
    "Quantity",
    "RecordError",
    "Records",
    "RecordsConfig",
    "Referral",
    "ReferralState",
    "RegionColor",
    "Restored",
    "RetentionClass",
    "RetentionPolicy",
    "Role",
    "Satisfaction",
    "SealBroken",
    "SearchHit",
    "SearchPage",
    "SearchQuery",
    "Section",
    "Site",
    "Size",
    "Snapshot",
    "Staff",
    "StorageFull",
    "StorageUnavailable",
    "SubjectKind",
    "Swept",
    "Tied",
    "Timeline",
    "Upload",
    "UploadOffsetMismatch",
    "UploadPurpose",
    "UploadTooLarge",
    "Urgency",
    "Variant",
    "Verdict",
    "WrongMasterKey",
    "compare",
    "measure",
    "outline_of",
]


class Records(ClinicalRecords, Protocol):
    """The store of the patient record. Every method that takes an Actor writes an audit line.

    `now` is an aware UTC datetime. Ids are opaque strings. Raises the RecordErrors above.
    """

    async def add_site(self, name: str) -> Site: ...
    async def add_staff(
        self, site_id: str, email: str, name: str, role: Role, language: str, password_hash: str
    ) -> Staff: ...
    async def staff_by_email(self, email: str) -> Staff | None: ...
    async def staff(self, staff_id: str) -> Staff | None: ...
    async def staff_with_role(self, role: Role) -> Sequence[Staff]: ...
    async def site(self, site_id: str) -> Site | None: ...

    async def open_session(self, token_sha256: str, staff_id: str, expires_at: datetime) -> None: ...
    async def session_staff(self, token_sha256: str, now: datetime) -> Staff | None: ...
    async def close_session(self, token_sha256: str) -> None: ...

    async def care_links(self, subject: CareSubject, subject_id: str) -> Sequence[CareLink]:
        """Ties of care to a subject, newest first, never none; raises NotFound. Without patient data, so
        without an audit line: for decisions on access. A patient, and an
        entry about one, may have several, anything else has one."""

    async def agenda(self, specialist_id: str, now: datetime) -> Sequence[AgendaEntry]:
        """The consultations that `consultations_of` lists, without patient data and without an audit line."""

    async def create_referral(
        self, actor: Actor, site_id: str, patient: NewPatient, question: str, urgency: Urgency, now: datetime
    ) -> Referral: ...
    async def referral(self, actor: Actor, referral_id: str, now: datetime) -> Referral: ...
    async def referrals(
        self, actor: Actor, now: datetime, site_id: str | None = None, states: Sequence[ReferralState] = ()
    ) -> Sequence[Referral]: ...
    async def decline_referral(
        self, actor: Actor, referral_id: str, reason: str, now: datetime
    ) -> Referral: ...

    async def accept_referral(
        self, actor: Actor, referral_id: str, specialist_id: str, scheduled_at: datetime, now: datetime
    ) -> Consultation: ...
    async def consultation(self, actor: Actor, consultation_id: str, now: datetime) -> Consultation: ...
    async def consultations_of(
        self, actor: Actor, specialist_id: str, now: datetime
    ) -> Sequence[Consultation]:
        """Consultations of a specialist that have not ended, and those that ended within a day."""

    async def set_phase(
        self, actor: Actor, consultation_id: str, phase: Phase, now: datetime
    ) -> Consultation: ...
    async def write_note(
        self, actor: Actor, consultation_id: str, text: str, expected_version: int, now: datetime
    ) -> Consultation: ...

    async def add_display_check(
        self,
        actor: Actor,
        consultation_id: str,
        gamut: Gamut,
        steps_apart: bool,
        checked_at: datetime,
        now: datetime,
    ) -> Consultation:
        """Keep what the actor, who has an account, found of their display."""

    async def add_participant(
        self,
        actor: Actor,
        consultation_id: str,
        role: Role,
        name: str,
        staff_id: str | None,
        admission: Admission,
        now: datetime,
    ) -> Participant: ...
    async def participants(self, consultation_id: str) -> Sequence[Participant]: ...
    async def participant(self, participant_id: str) -> Participant | None: ...
    async def set_admission(
        self, actor: Actor, participant_id: str, admission: Admission, words: str | None, now: datetime
    ) -> Participant: ...
    async def set_link(self, participant_id: str, token_sha256: str, expires_at: datetime) -> None:
        """Give a participant a personal link; an earlier one stops working."""

    async def participant_by_link(self, token_sha256: str, now: datetime) -> Participant | None: ...
    async def give_consent(
        self, actor: Actor, participant_id: str, consent: ConsentGiven, now: datetime
    ) -> Participant:
        """Append a consent; an earlier one stays in the record."""

    async def patient_consents(self, actor: Actor, patient_id: str, now: datetime) -> Sequence[ConsentGiven]:
        """Every consent of a patient, newest first; records.lifecycle.purposes_now tells what holds today."""

    async def give_satisfaction(
        self, actor: Actor, participant_id: str, score: int, words: str, now: datetime
    ) -> Satisfaction: ...
    async def add_chat_line(
        self, actor: Actor, participant_id: str, text: str, now: datetime
    ) -> ChatLine: ...
    async def chat_lines(self, actor: Actor, consultation_id: str, now: datetime) -> Sequence[ChatLine]: ...
    async def chat_lines_heard(
        self, actor: Actor, participant_id: str, most: int, now: datetime
    ) -> Sequence[ChatLine]:
        """The latest lines said while a participant was inside, in the order they were said."""

    async def open_upload(self, new: NewUpload, now: datetime) -> Upload: ...
    async def upload(self, upload_id: str) -> Upload: ...
    async def append_upload(self, upload_id: str, offset_bytes: int, chunk: bytes, now: datetime) -> Upload:
        """Keep the next bytes, encrypted; durable when this returns."""

    async def discard_upload(self, upload_id: str) -> None: ...
    async def commit_upload(self, actor: Actor, upload_id: str, now: datetime) -> Snapshot:
        """Make a whole upload a snapshot: hash and image are checked first. Idempotent.

        One that is refused (HashMismatch, NotAnImage) is forgotten with its bytes.
        """

    async def add_snapshot(self, actor: Actor, new: NewUpload, data: bytes, now: datetime) -> Snapshot:
        """Keep bytes that are already here (a relay frame) as a snapshot."""

    async def add_derived(
        self,
        actor: Actor,
        snapshot_id: str,
        variant: Variant,
        data: bytes,
        report: Mapping[str, Any] | None,
        software: str,
        now: datetime,
    ) -> Snapshot: ...
    async def snapshot(self, actor: Actor, snapshot_id: str, now: datetime) -> Snapshot: ...
    async def snapshots_of_consultation(
        self, actor: Actor, consultation_id: str, now: datetime
    ) -> Sequence[Snapshot]: ...
    async def snapshot_bytes(
        self, actor: Actor, snapshot_id: str, variant: Variant, now: datetime
    ) -> tuple[bytes, str]:
        """Bytes and media type of one picture of a snapshot; raises NotFound."""

    async def timeline(self, actor: Actor, patient_id: str, now: datetime) -> Timeline: ...
    async def accesses(self, actor: Actor, patient_id: str, most: int, now: datetime) -> Sequence[Access]:
        """The latest lines about one patient by anybody but them and this server, newest first."""

    async def audit_events(self, limit: int = 1000) -> Sequence[AuditEvent]: ...
    async def verify_audit(self) -> int:
        """Walk the hash chain; returns the number of events, raises Conflict where it breaks."""

    async def sweep(self, now: datetime) -> Swept:
        """Clear expired sessions and uploads, half-written files, and blobs that no row names."""

    async def close(self) -> None: ...
