"""Who asks: nobody, signed-in staff or a participant with a personal link; and their ties of care."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from records.interface import (
    Actor,
    Admission,
    Consultation,
    Participant,
    Patient,
    Phase,
    Records,
    Referral,
    ReferralState,
    Role,
    Snapshot,
    Staff,
    Timeline,
)
from signaling.access import Act, Resource, Tie, allowed
from signaling.errors import Refusal

ACCESS_CHECK = Actor("system", Role.SYSTEM, "access")
"""Reads the record to work out a relationship; nobody sees what it read."""


def new_token() -> str:
    """A random 256-bit token for a URL fragment or a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: staff or participant, or neither."""

    staff: Staff | None = None
    participant: Participant | None = None

    @property
    def role(self) -> Role | None:
        """The role that access is decided for."""
        if self.staff is not None:
            return self.staff.role
        return self.participant.role if self.participant is not None else None

    @property
    def id(self) -> str:
        """staff_id or participant_id: pseudonymous, fit for audit and log."""
        if self.staff is not None:
            return self.staff.staff_id
        return self.participant.participant_id if self.participant is not None else "nobody"

    def actor(self, reason: str) -> Actor:
        """Who, for the audit."""
        role = self.role
        if role is None:
            raise Refusal("access.sign_in")
        return Actor(self.id, role, reason)


def require(who: Identity, act: Act, resource: Resource, ties: frozenset[Tie]) -> None:
    """Raise Refusal unless access.allowed."""
    if who.role is None:
        raise Refusal("access.sign_in")
    if not allowed(who.role, act, resource, ties).allowed:
        raise Refusal("access.denied")


def place_tie(participant: Participant) -> frozenset[Tie]:
    """Where a participant stands in their own consultation."""
    return frozenset({Tie.ADMITTED if participant.admission is Admission.ADMITTED else Tie.AT_THE_DOOR})


def consultation_resource(phase: Phase) -> Resource:
    """Open or ended."""
    return Resource.ENDED_CONSULTATION if phase is Phase.ENDED else Resource.OPEN_CONSULTATION


def referral_ties(who: Identity, referral: Referral, consultation: Consultation | None) -> frozenset[Tie]:
    """Ties of care to a referral, and so to its consultation and pictures."""
    ties = set()
    if who.staff is not None:
        if who.staff.role is Role.REFERRER and referral.site_id == who.staff.site_id:
            ties.add(Tie.REFERRING_SITE)
        if referral.state is ReferralState.SENT:
            ties.add(Tie.NOT_YET_ACCEPTED)
        if consultation is not None and consultation.specialist_id == who.staff.staff_id:
            ties.add(Tie.ACCEPTING_SPECIALIST)
    return frozenset(ties)


def timeline_ties(who: Identity, timeline: Timeline) -> frozenset[Tie]:
    """Ties of care to a patient: through any referral or consultation."""
    ties = set()
    if who.staff is not None:
        if any(consultation.specialist_id == who.staff.staff_id for consultation in timeline.consultations):
            ties.add(Tie.ACCEPTING_SPECIALIST)
        if who.staff.role is Role.REFERRER and any(
            referral.site_id == who.staff.site_id for referral in timeline.referrals
        ):
            ties.add(Tie.REFERRING_SITE)
    return frozenset(ties)


@dataclass(frozen=True, slots=True)
class CareFacts:
    """A consultation or referral as access and the room need it, read before anybody is shown anything."""

    referral: Referral
    consultation: Consultation | None

    @property
    def patient(self) -> Patient:
        """Whose care it is."""
        return self.referral.patient


class Care:
    """Looks up relationships in the record."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def of_referral(self, referral_id: str, now: datetime) -> CareFacts:
        """Raises NotFound."""
        referral = await self._records.referral(ACCESS_CHECK, referral_id, now)
        if referral.consultation_id is None:
            return CareFacts(referral, None)
        return CareFacts(
            referral, await self._records.consultation(ACCESS_CHECK, referral.consultation_id, now)
        )

    async def of_consultation(self, consultation_id: str, now: datetime) -> tuple[CareFacts, Consultation]:
        """Raises NotFound."""
        consultation = await self._records.consultation(ACCESS_CHECK, consultation_id, now)
        referral = await self._records.referral(ACCESS_CHECK, consultation.referral_id, now)
        return CareFacts(referral, consultation), consultation

    async def of_snapshot(self, snapshot: Snapshot, now: datetime) -> CareFacts:
        """Raises NotFound."""
        if snapshot.consultation_id is not None:
            facts, _ = await self.of_consultation(snapshot.consultation_id, now)
            return facts
        assert snapshot.referral_id is not None
        return await self.of_referral(snapshot.referral_id, now)
