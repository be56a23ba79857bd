"""Values: who there is: roles, sites, staff accounts, patients."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person is in the clinic or in a consultation."""

    PATIENT = "patient"
    SPECIALIST = "specialist"
    REFERRER = "referrer"
    INTERPRETER = "interpreter"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who reads or writes patient data, and why: written to the audit at every call that takes one."""

    actor_id: str
    role: Role
    reason: str
    """The consultation or referral that gives the reason, as "consultation/ID" or "referral/ID"."""
    origin: str = field(default="", repr=False)
    """From where: the device's address, sealed in the audit and kept nowhere else. Empty: this server."""


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
