"""Who asks: nobody, signed-in staff or a participant with a personal link; and their ties of care."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from records.interface import (
    Actor,
    Admission,
    CareLink,
    CareSubject,
    ConsultationLink,
    NotFound,
    Participant,
    Phase,
    Records,
    ReferralState,
    Role,
    Staff,
)
from signaling.access import Act, Resource, Tie, allowed
from signaling.errors import Refusal


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
    origin: str = field(default="", repr=False)
    """The address they come from, for the audit."""

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
        return Actor(self.id, role, reason, self.origin)


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


def care_ties(who: Identity, links: Iterable[CareLink]) -> frozenset[Tie]:
    """Ties of care through any of these referrals and their consultations."""
    ties = set()
    if who.staff is not None:
        for link in links:
            if who.staff.role is Role.REFERRER and link.site_id == who.staff.site_id:
                ties.add(Tie.REFERRING_SITE)
            if link.state is ReferralState.SENT:
                ties.add(Tie.NOT_YET_ACCEPTED)
            if link.consultation is not None and link.consultation.specialist_id == who.staff.staff_id:
                ties.add(Tie.ACCEPTING_SPECIALIST)
    return frozenset(ties)


async def care_of(records: Records, subject: CareSubject, subject_id: str) -> CareLink:
    """The one tie of care to a referral, consultation or snapshot; writes no audit line. Raises NotFound."""
    [link] = await records.care_links(subject, subject_id)
    return link


async def care_of_consultation(records: Records, consultation_id: str) -> tuple[CareLink, ConsultationLink]:
    """`care_of`, and the consultation that it leads to. Raises NotFound."""
    link = await care_of(records, CareSubject.CONSULTATION, consultation_id)
    if link.consultation is None:
        raise NotFound("no such consultation")
    return link, link.consultation
