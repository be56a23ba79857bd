"""Values: a patient's record in time."""

from __future__ import annotations

from dataclasses import dataclass

from records.care import Consultation, Referral, Satisfaction
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
