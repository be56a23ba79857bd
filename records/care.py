"""Values: referrals, consultations, who takes part in them, and what ties people to a patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from records.people import Patient, Role


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


class Gamut(StrEnum):
    """The widest color space that a display says it shows (CSS media feature color-gamut)."""

    REC2020 = "rec2020"
    P3 = "p3"
    SRGB = "srgb"
    LESS = "less"


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
    ENTRY = "entry"


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
