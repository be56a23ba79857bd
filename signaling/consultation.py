"""Admission and phase of a consultation as a pure state machine.

A consultation is scheduled, then in a call, then ended. A participant stands at its door or inside:

| command   | by              | from                       | to        | words |
|-----------|-----------------|----------------------------|-----------|-------|
| enter     | the specialist  | anything                   | admitted  |       |
| knock     | oneself         | invited, sent_back, left   | waiting   | gone  |
| knock     | oneself         | waiting, admitted          | the same  | stay  |
| admit     | the specialist  | waiting, sent_back         | admitted  | gone  |
| refuse    | the specialist  | waiting, sent_back, admitted | refused | given |
| send_back | the specialist  | admitted                   | sent_back | given |
| leave     | oneself         | waiting, admitted, sent_back | left    |       |
| end       | the specialist  | any                        | the same  | stay  |

The first admission begins the call. A refused participant cannot knock again. The specialist's own place is
never refused nor sent back. Nothing moves once a consultation has ended. A lost connection is no command: an
admitted participant who drops out is still admitted. Who may give which command is decided in access.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from records.interface import Admission, Phase, Role
from signaling.errors import Refusal


class Command(StrEnum):
    """What can be asked of a consultation."""

    ENTER = "enter"
    KNOCK = "knock"
    ADMIT = "admit"
    REFUSE = "refuse"
    SEND_BACK = "send_back"
    LEAVE = "leave"
    END = "end"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one participant stands."""

    role: Role
    admission: Admission
    consent_given: bool
    waiting_since: datetime | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class ConsultationState:
    """Phase, and the place of each participant by participant_id."""

    phase: Phase
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class PlaceChanged:
    """To be recorded: a participant has a new admission."""

    participant_id: str
    admission: Admission
    words: str | None


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """To be recorded: the consultation has a new phase."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class MediaClosed:
    """To be done at once: end this participant's media."""

    participant_id: str


@dataclass(frozen=True, slots=True)
class AllMediaClosed:
    """To be done at once: end everybody's media."""


Action = PlaceChanged | PhaseChanged | MediaClosed | AllMediaClosed

_A = Admission
_ANY = frozenset(Admission)

# command -> (from which admissions, to which, refusal when from another)
_TRANSITIONS: Mapping[Command, tuple[frozenset[Admission], Admission, str]] = {
    Command.ENTER: (_ANY, _A.ADMITTED, ""),
    Command.KNOCK: (frozenset({_A.INVITED, _A.SENT_BACK, _A.LEFT}), _A.WAITING, "admission.refused"),
    Command.ADMIT: (
        frozenset({_A.WAITING, _A.SENT_BACK}),
        _A.ADMITTED,
        "admission.not_waiting",
    ),
    Command.REFUSE: (
        frozenset({_A.WAITING, _A.SENT_BACK, _A.ADMITTED}),
        _A.REFUSED,
        "admission.not_waiting",
    ),
    Command.SEND_BACK: (frozenset({_A.ADMITTED}), _A.SENT_BACK, "admission.not_admitted"),
    Command.LEAVE: (frozenset({_A.WAITING, _A.ADMITTED, _A.SENT_BACK}), _A.LEFT, ""),
}

# Commands that ask for what already is change nothing and are not refused: a tap on a slow phone comes twice.
_ALREADY: Mapping[Command, frozenset[Admission]] = {
    Command.ENTER: frozenset({_A.ADMITTED}),
    Command.KNOCK: frozenset({_A.WAITING, _A.ADMITTED}),
    Command.ADMIT: frozenset({_A.ADMITTED}),
    Command.REFUSE: frozenset({_A.REFUSED}),
    Command.SEND_BACK: frozenset({_A.SENT_BACK}),
    Command.LEAVE: frozenset({_A.INVITED, _A.LEFT, _A.REFUSED}),
}


def decide(
    state: ConsultationState, command: Command, participant_id: str, words: str | None, now: datetime
) -> tuple[ConsultationState, tuple[Action, ...]]:
    """The state after a command about one participant, and what has to be done.

    participant_id: whom the command is about (for knock and leave the one who gives it; ignored by end).
    Raises Refusal; nothing has changed then.
    """
    if state.phase is Phase.ENDED:
        raise Refusal("consultation.ended")
    if command is Command.END:
        return replace(state, phase=Phase.ENDED), (PhaseChanged(Phase.ENDED), AllMediaClosed())
    place = state.places.get(participant_id)
    if place is None:
        raise Refusal("admission.unknown_participant")
    if command is Command.KNOCK and place.role is Role.PATIENT and not place.consent_given:
        raise Refusal("consent.needed")
    if command in (Command.REFUSE, Command.SEND_BACK) and place.role is Role.SPECIALIST:
        raise Refusal("access.denied")
    if command is Command.ENTER and place.role is not Role.SPECIALIST:
        raise Refusal("access.denied")
    if place.admission in _ALREADY[command]:
        return state, ()
    sources, target, refusal = _TRANSITIONS[command]
    if place.admission not in sources:
        raise Refusal(refusal)
    return _moved(state, participant_id, place, target, words, now)


def _moved(
    state: ConsultationState,
    participant_id: str,
    place: Place,
    target: Admission,
    words: str | None,
    now: datetime,
) -> tuple[ConsultationState, tuple[Action, ...]]:
    kept = words if target in (Admission.REFUSED, Admission.SENT_BACK) else None
    moved = replace(
        place, admission=target, words=kept, waiting_since=now if in_waiting_room(target) else None
    )
    actions: list[Action] = [PlaceChanged(participant_id, target, kept)]
    if place.admission is Admission.ADMITTED:
        actions.append(MediaClosed(participant_id))
    phase = state.phase
    if target is Admission.ADMITTED and place.role is not Role.SPECIALIST and phase is Phase.SCHEDULED:
        phase = Phase.IN_CALL
        actions.append(PhaseChanged(phase))
    return ConsultationState(phase, {**state.places, participant_id: moved}), tuple(actions)


def in_waiting_room(admission: Admission) -> bool:
    """Whether somebody with this admission waits to be let in (again)."""
    return admission in (Admission.WAITING, Admission.SENT_BACK)
