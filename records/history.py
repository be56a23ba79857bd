"""Values: a patient's record in time, and what a search over patients finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from records.care import Consultation, Referral, Satisfaction
from records.clinical import Entry
from records.people import Patient
from records.pictures import Snapshot


@dataclass(frozen=True, slots=True)
class Timeline:
    """A patient's record in time, newest first."""

    patient: Patient
    referrals: tuple[Referral, ...]
    consultations: tuple[Consultation, ...]
    snapshots: tuple[Snapshot, ...]
    satisfactions: tuple[Satisfaction, ...]


class HistoryKind(StrEnum):
    """What a line of a patient's history is."""

    REFERRAL = "referral"
    CONSULTATION = "consultation"
    SNAPSHOT = "snapshot"
    ENTRY = "entry"
    SATISFACTION = "satisfaction"


HistoryValue: TypeAlias = Referral | Consultation | Snapshot | Entry | Satisfaction


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: the next one begins with what is older, or as old with a smaller id."""

    at: datetime
    item_id: str


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One line of a patient's history."""

    kind: HistoryKind
    item_id: str
    at: datetime
    value: HistoryValue


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of a patient's history, newest first; next is None on the last one."""

    items: tuple[HistoryItem, ...]
    next: Cursor | None


class SubjectKind(StrEnum):
    """What a search finds."""

    PATIENT = "patient"
    REFERRAL = "referral"
    CONSULTATION = "consultation"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class CareScope:
    """Whose patients are searched: those of a specialist's consultations, or of a site's referrals.

    A site finds nothing that was written in a consultation which has not ended: it is a draft until then.
    """

    specialist_id: str | None = None
    site_id: str | None = None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is looked for; everything given has to fit. Times as [since, until)."""

    words: str = ""
    code: str = ""
    """A code, or the beginning of one: from three characters on."""
    site: str = ""
    """A body site, with every site in it."""
    patient_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """Something that fits: the patient, the referral, the consultation or the entry itself."""

    kind: SubjectKind
    subject_id: str
    at: datetime
    patient: Patient
    value: Patient | Referral | Consultation | Entry


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of hits, newest first; next is None on the last one."""

    hits: tuple[SearchHit, ...]
    next: Cursor | None
