"""What the record offers to whoever composes it: its values, its errors and the Records Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Role(StrEnum):
    """What a person is in the clinic or in a consultation."""

    PATIENT = "patient"
    SPECIALIST = "specialist"
    REFERRER = "referrer"
    INTERPRETER = "interpreter"
    SYSTEM = "system"


class Urgency(StrEnum):
    """FHIR request priority, in the three steps that a primary-care site chooses from."""

    ROUTINE = "routine"
    SOON = "soon"
    URGENT = "urgent"


class ReferralState(StrEnum):
    """Life of a referral as its sender sees it."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    IN_CALL = "in_call"
    ANSWERED = "answered"


class Phase(StrEnum):
    """Life of a consultation."""

    SCHEDULED = "scheduled"
    IN_CALL = "in_call"
    ENDED = "ended"


class Admission(StrEnum):
    """Where a participant stands at the door of a consultation."""

    INVITED = "invited"
    WAITING = "waiting"
    ADMITTED = "admitted"
    SENT_BACK = "sent_back"
    REFUSED = "refused"
    LEFT = "left"


class CaptureMethod(StrEnum):
    """How a still came about; RELAY_FRAME is a video frame, not a still of the device."""

    TAKE_PHOTO = "take_photo"
    CANVAS = "canvas"
    FILE = "file"
    RELAY_FRAME = "relay_frame"


class Variant(StrEnum):
    """Which picture of a snapshot: the unaltered bytes, or one derived from them."""

    ORIGINAL = "original"
    DISPLAY = "display"
    CORRECTED = "corrected"
    THUMBNAIL = "thumbnail"


class Gamut(StrEnum):
    """The widest color space that a display says it shows (CSS media feature color-gamut)."""

    REC2020 = "rec2020"
    P3 = "p3"
    SRGB = "srgb"
    LESS = "less"


class UploadPurpose(StrEnum):
    """What an upload becomes when it is whole."""

    SNAPSHOT = "snapshot"
    REFERRAL_PHOTO = "referral_photo"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who reads or writes patient data, and why: written to the audit at every call that takes one."""

    actor_id: str
    role: Role
    reason: str
    """The consultation or referral that gives the reason, as "consultation/ID" or "referral/ID"."""


SYSTEM_ACTOR = Actor("system", Role.SYSTEM, "system")


@dataclass(frozen=True, slots=True)
class Site:
    """A clinic or primary-care practice."""

    site_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Staff:
    """A person with an account: specialist or referrer of one site."""

    staff_id: str
    site_id: str
    email: str
    name: str
    role: Role
    language: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient of the record. Names and contact are sealed under the patient's data key at rest."""

    patient_id: str
    name: str
    birth_date: date | None
    sex: str
    """FHIR administrative gender: male, female, other, unknown."""
    language: str
    email: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewPatient:
    """What a referrer tells about a patient."""

    name: str
    birth_date: date | None
    sex: str
    language: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Referral:
    """A primary-care site's question to a specialist."""

    referral_id: str
    patient: Patient
    referrer_id: str
    site_id: str
    question: str
    urgency: Urgency
    state: ReferralState
    created_at: datetime
    consultation_id: str | None
    decline_reason: str | None
    photo_ids: tuple[str, ...]
    """snapshot_id of each photo that came with it."""


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """A consent as it was given: which text, in which language, for which purposes, when."""

    version: str
    language: str
    text_sha256: str
    purposes: tuple[str, ...]
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Participant:
    """A person's place in a consultation; patient and interpreter come by a personal link."""

    participant_id: str
    consultation_id: str
    role: Role
    name: str
    staff_id: str | None
    admission: Admission
    waiting_since: datetime | None
    words: str | None
    """What the specialist said when refusing or sending back."""
    consent: ConsentGiven | None
    satisfaction_given: bool


@dataclass(frozen=True, slots=True)
class DisplayCheck:
    """What the specialist found of the display that a consultation was judged on."""

    staff_id: str
    gamut: Gamut
    steps_apart: bool
    """Every step of the grey ramp could be told from its neighbors."""
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Consultation:
    """One video consultation (a FHIR Encounter of class VR)."""

    consultation_id: str
    referral_id: str
    patient: Patient
    specialist_id: str
    scheduled_at: datetime
    phase: Phase
    started_at: datetime | None
    ended_at: datetime | None
    note: str
    note_version: int
    display_check: DisplayCheck | None
    """The latest; earlier ones stay in the record."""


class CareSubject(StrEnum):
    """What somebody may have a tie of care to."""

    PATIENT = "patient"
    REFERRAL = "referral"
    CONSULTATION = "consultation"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class ConsultationLink:
    """A consultation as access is decided on it."""

    consultation_id: str
    specialist_id: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class CareLink:
    """Who cares for a patient through one referral: ids and states; nothing that tells who the patient is."""

    referral_id: str
    patient_id: str
    site_id: str
    state: ReferralState
    consultation: ConsultationLink | None


@dataclass(frozen=True, slots=True)
class AgendaEntry:
    """A consultation of a specialist's agenda by its times; nothing that tells who the patient is."""

    consultation_id: str
    phase: Phase
    scheduled_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    waiting_since: datetime | None
    """When the first of its participants who wait began to."""


@dataclass(frozen=True, slots=True)
class NewUpload:
    """An announced upload. sha256 is lower-case hex, or None where the device cannot hash."""

    purpose: UploadPurpose
    owner_id: str
    """consultation_id for a snapshot, referral_id for a referral photo."""
    uploader_id: str
    capture_id: str | None
    size_bytes: int
    sha256: str | None
    media_type: str
    method: CaptureMethod
    taken_at: datetime | None
    device: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way; its bytes lie encrypted and survive a restart."""

    upload_id: str
    new: NewUpload
    offset_bytes: int
    created_at: datetime
    snapshot_id: str | None
    """Set once the whole became a snapshot."""


@dataclass(frozen=True, slots=True)
class DerivedImage:
    """A picture made from an original, with what made it."""

    variant: Variant
    media_type: str
    width_px: int
    height_px: int
    sha256: str
    report: Mapping[str, Any] | None
    """The CalibrationReport behind a corrected picture, as JSON values."""
    software: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A still or frame in the patient's record: its original is unaltered and addressed by hash."""

    snapshot_id: str
    patient_id: str
    consultation_id: str | None
    referral_id: str | None
    method: CaptureMethod
    taken_at: datetime
    stored_at: datetime
    media_type: str
    size_bytes: int
    sha256: str
    width_px: int
    height_px: int
    device: str
    settings: Mapping[str, Any]
    has_location: bool
    """The original carries a GPS position; no derived picture does."""
    derived: tuple[DerivedImage, ...]
    calibration: Mapping[str, Any] | None
    """CalibrationReport as JSON values, or None: uncalibrated."""


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One line of a consultation's text chat."""

    line_id: str
    consultation_id: str
    participant_id: str
    name: str
    role: Role
    text: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """The patient's answer after the consultation: 1 (poor) to 5 (very good), with words if any."""

    consultation_id: str
    score: int
    words: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Timeline:
    """A patient's record in time, newest first."""

    patient: Patient
    referrals: tuple[Referral, ...]
    consultations: tuple[Consultation, ...]
    snapshots: tuple[Snapshot, ...]
    satisfactions: tuple[Satisfaction, ...]


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the bytes of a picture say about themselves."""

    media_type: str
    width_px: int
    height_px: int
    has_location: bool
    has_icc_profile: bool


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the append-only audit; hash covers the line and the hash before it."""

    sequence: int
    at: datetime
    actor_id: str
    role: Role
    action: str
    resource: str
    reason: str
    hash: str


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep cleared away."""

    sessions: int
    uploads: int
    upload_files: int
    temporary_files: int
    blobs: int


class RecordError(Exception):
    """A refused request to the record; `error_id` is stable and goes over the wire."""

    error_id = "record.error"


class NotFound(RecordError):
    """No such thing in the record."""

    error_id = "record.not_found"


class Conflict(RecordError):
    """Somebody else changed it first: read again."""

    error_id = "record.conflict"


class UploadOffsetMismatch(RecordError):
    """The chunk does not continue where the stored bytes end; `offset_bytes` says where that is."""

    error_id = "upload.offset_mismatch"

    def __init__(self, offset_bytes: int) -> None:
        super().__init__(f"upload continues at byte {offset_bytes}")
        self.offset_bytes = offset_bytes


class UploadTooLarge(RecordError):
    """More bytes than announced, or more than allowed."""

    error_id = "upload.too_large"


class HashMismatch(RecordError):
    """The bytes that arrived are not the bytes that were announced."""

    error_id = "upload.hash_mismatch"


class NotAnImage(RecordError):
    """The bytes are no picture that this record keeps (JPEG, PNG, WebP, HEIC), or are hostile."""

    error_id = "upload.not_an_image"


class StorageFull(RecordError):
    """The disk is full; what was acknowledged before is safe."""

    error_id = "upload.storage_full"


class SealBroken(RecordError):
    """Sealed bytes are damaged, cut short, or moved from where they were sealed."""

    error_id = "record.seal_broken"


class WrongMasterKey(RecordError):
    """The master key given is not the one this record was sealed under."""

    error_id = "record.wrong_master_key"


class Images(Protocol):
    """Pure functions over picture bytes (records.images); CPU-bound: call in a thread."""

    def inspect(self, data: bytes) -> ImageFacts:
        """Facts about a picture; raises NotAnImage."""

    def to_srgb(self, data: bytes) -> NDArray[np.uint8]:
        """Decode to sRGB, upright, uint8 [H, W, 3], the embedded ICC profile honoured."""

    def encode_derived(self, rgb: NDArray[np.uint8], longest_side_px: int | None = None) -> bytes:
        """A JPEG 4:4:4 of rgb with an sRGB profile and no other metadata."""


class Records(Protocol):
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
        without an audit line: for decisions on access. A patient may have several, anything else has one."""

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
    async def audit_events(self, limit: int = 1000) -> Sequence[AuditEvent]: ...
    async def verify_audit(self) -> int:
        """Walk the hash chain; returns the number of events, raises Conflict where it breaks."""

    async def sweep(self, now: datetime) -> Swept:
        """Clear expired sessions and uploads, half-written files, and blobs that no row names."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class RecordsConfig:
    """Where the record lies. database_url: "sqlite+aiosqlite:///..." or "postgresql+asyncpg://..."."""

    database_url: str
    blob_dir: str
    master_key: bytes = field(repr=False)
    """32 bytes, kept outside the database."""
    max_upload_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 120_000_000
    orphan_grace_s: float = 3600.0
    """How old a blob without a row must be before a start clears it: another process may be adding it."""
