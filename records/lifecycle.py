"""Which steps a consultation and its participants may take; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from records.interface import Admission, Conflict, ConsentGiven, Phase, ReferralState

_PHASES = {
    Phase.SCHEDULED: {Phase.IN_CALL, Phase.ENDED},
    Phase.IN_CALL: {Phase.ENDED},
    Phase.ENDED: set[Phase](),
}
_ADMISSIONS = {
    Admission.INVITED: {Admission.WAITING, Admission.ADMITTED, Admission.REFUSED, Admission.LEFT},
    Admission.WAITING: {Admission.ADMITTED, Admission.REFUSED, Admission.SENT_BACK, Admission.LEFT},
    Admission.ADMITTED: {Admission.SENT_BACK, Admission.REFUSED, Admission.LEFT},
    Admission.SENT_BACK: {Admission.WAITING, Admission.ADMITTED, Admission.REFUSED, Admission.LEFT},
    Admission.REFUSED: {Admission.WAITING, Admission.LEFT},
    Admission.LEFT: {Admission.WAITING, Admission.ADMITTED, Admission.REFUSED},
}
_IN_WAITING_ROOM = {Admission.WAITING, Admission.SENT_BACK}

REFERRAL_AT = {Phase.IN_CALL: ReferralState.IN_CALL, Phase.ENDED: ReferralState.ANSWERED}
"""What a referral becomes when its consultation enters a phase."""


def check_phase(current: Phase, wanted: Phase) -> None:
    """Raise Conflict for a step that no consultation takes; staying is no step."""
    if wanted is not current and wanted not in _PHASES[current]:
        raise Conflict(f"a consultation that is {current.value} does not become {wanted.value}")


def check_admission(current: Admission, wanted: Admission, phase: Phase) -> None:
    """Raise Conflict for a step that no participant takes; staying is no step."""
    if wanted is current:
        return
    if wanted not in _ADMISSIONS[current]:
        raise Conflict(f"a participant who is {current.value} does not become {wanted.value}")
    if phase is Phase.ENDED and (wanted is Admission.ADMITTED or wanted in _IN_WAITING_ROOM):
        raise Conflict("the consultation is over")


def waiting_since(waited_since: datetime | None, wanted: Admission, now: datetime) -> datetime | None:
    """Since when a participant waits: knocking again, or being sent back while waiting, loses no place."""
    return (waited_since or now) if wanted in _IN_WAITING_ROOM else None


def purposes_now(consents: Sequence[ConsentGiven]) -> frozenset[str]:
    """What a patient agrees to today: the latest consent counts, and what it leaves out is withdrawn."""
    if not consents:
        return frozenset()
    return frozenset(max(consents, key=lambda consent: consent.given_at).purposes)
