"""Who may do what: a pure function over who, action, resource and relationship. What no row allows is denied.

Roles are those of an account or a personal link. The relationship is worked out by the caller from the
record: the referral's site and the specialist who accepted it have a relationship of care; a referral that
nobody accepted yet is open to every specialist; a participant stands at the door or is admitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from records.interface import Role


class Act(StrEnum):
    """Everything that can be asked for, at whatever door."""

    READ_WORKLIST = "read_worklist"
    LIST_REFERRALS = "list_referrals"
    CREATE_REFERRAL = "create_referral"
    READ_REFERRAL = "read_referral"
    DECIDE_REFERRAL = "decide_referral"
    READ_CONSULTATION = "read_consultation"
    MAKE_LINK = "make_link"
    WRITE_NOTE = "write_note"
    CHECK_DISPLAY = "check_display"
    READ_TIMELINE = "read_timeline"
    READ_PICTURE = "read_picture"
    READ_ENTRY = "read_entry"
    WRITE_ENTRY = "write_entry"
    SEARCH = "search"
    READ_JOIN = "read_join"
    READ_ACCESSES = "read_accesses"
    CONSENT = "consent"
    SATISFY = "satisfy"
    READ_ICE = "read_ice"
    ENTER = "enter"
    KNOCK = "knock"
    LEAVE = "leave"
    DECIDE_ADMISSION = "decide_admission"
    END = "end"
    NEGOTIATE = "negotiate"
    SHARE_SCREEN = "share_screen"
    MUTE = "mute"
    CHAT = "chat"
    READ_CHAT = "read_chat"
    READ_STATISTICS = "read_statistics"
    MEASURE_PICTURE = "measure_picture"
    CAPTURE = "capture"
    ANSWER_CAPTURE = "answer_capture"
    OPEN_UPLOAD = "open_upload"
    CONTINUE_UPLOAD = "continue_upload"


class Resource(StrEnum):
    """What is asked about, with the state that matters."""

    CLINIC = "clinic"
    REFERRAL = "referral"
    OPEN_CONSULTATION = "open_consultation"
    ENDED_CONSULTATION = "ended_consultation"
    PATIENT = "patient"
    SNAPSHOT = "snapshot"
    UPLOAD = "upload"


class Tie(StrEnum):
    """The relationship between who asks and what is asked about."""

    NONE = "none"
    REFERRING_SITE = "referring_site"
    ACCEPTING_SPECIALIST = "accepting_specialist"
    NOT_YET_ACCEPTED = "not_yet_accepted"
    AT_THE_DOOR = "at_the_door"
    ADMITTED = "admitted"
    UPLOADER = "uploader"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether, and why: the reason is for logs and tests, and holds no data."""

    allowed: bool
    reason: str


_P, _S, _R, _I = Role.PATIENT, Role.SPECIALIST, Role.REFERRER, Role.INTERPRETER
_EVERYBODY = (_P, _S, _R, _I)
_PLACES = (Tie.AT_THE_DOOR, Tie.ADMITTED)
_CONSULTATIONS = (Resource.OPEN_CONSULTATION, Resource.ENDED_CONSULTATION)
_OPEN = (Resource.OPEN_CONSULTATION,)

_Row = tuple[Act, Iterable[Role], Iterable[Resource], Iterable[Tie]]

_ROWS: tuple[_Row, ...] = (
    (Act.READ_WORKLIST, (_S,), (Resource.CLINIC,), (Tie.NONE,)),
    (Act.LIST_REFERRALS, (_S, _R), (Resource.CLINIC,), (Tie.NONE,)),
    (Act.CREATE_REFERRAL, (_R,), (Resource.CLINIC,), (Tie.NONE,)),
    (Act.READ_REFERRAL, (_S,), (Resource.REFERRAL,), (Tie.NOT_YET_ACCEPTED, Tie.ACCEPTING_SPECIALIST)),
    (Act.READ_REFERRAL, (_R,), (Resource.REFERRAL,), (Tie.REFERRING_SITE,)),
    (Act.DECIDE_REFERRAL, (_S,), (Resource.REFERRAL,), (Tie.NOT_YET_ACCEPTED,)),
    (Act.READ_CONSULTATION, (_S,), _CONSULTATIONS, (Tie.ACCEPTING_SPECIALIST,)),
    (Act.READ_CONSULTATION, (_R,), _CONSULTATIONS, (Tie.REFERRING_SITE,)),
    (Act.MAKE_LINK, (_S,), _OPEN, (Tie.ACCEPTING_SPECIALIST,)),
    (Act.MAKE_LINK, (_R,), _OPEN, (Tie.REFERRING_SITE,)),
    (Act.WRITE_NOTE, (_S,), _CONSULTATIONS, (Tie.ACCEPTING_SPECIALIST,)),
    (Act.CHECK_DISPLAY, (_S,), _CONSULTATIONS, (Tie.ACCEPTING_SPECIALIST,)),
    (Act.READ_TIMELINE, (_S,), (Resource.PATIENT,), (Tie.ACCEPTING_SPECIALIST,)),
    (Act.READ_TIMELINE, (_R,), (Resource.PATIENT,), (Tie.REFERRING_SITE,)),
    (Act.READ_PICTURE, (_S,), (Resource.SNAPSHOT,), (Tie.NOT_YET_ACCEPTED, Tie.ACCEPTING_SPECIALIST)),
    (Act.READ_PICTURE, (_R,), (Resource.SNAPSHOT,), (Tie.REFERRING_SITE,)),
    (Act.READ_ENTRY, (_S,), (Resource.PATIENT,), (Tie.ACCEPTING_SPECIALIST,)),
    (Act.READ_ENTRY, (_R,), (Resource.PATIENT,), (Tie.REFERRING_SITE,)),
    (Act.WRITE_ENTRY, (_S,), (Resource.PATIENT,), (Tie.ACCEPTING_SPECIALIST,)),
    (Act.SEARCH, (_S, _R), (Resource.CLINIC,), (Tie.NONE,)),
    (Act.READ_JOIN, (_P, _I), _CONSULTATIONS, _PLACES),
    (Act.READ_ACCESSES, (_P,), _CONSULTATIONS, _PLACES),
    (Act.CONSENT, (_P,), _OPEN, _PLACES),
    (Act.SATISFY, (_P,), (Resource.ENDED_CONSULTATION,), _PLACES),
    (Act.READ_ICE, (_S, _R), (Resource.CLINIC,), (Tie.NONE,)),
    (Act.READ_ICE, (_P, _I), _OPEN, _PLACES),
    (Act.ENTER, _EVERYBODY, _CONSULTATIONS, _PLACES),
    (Act.ENTER, (_S,), _CONSULTATIONS, (Tie.ACCEPTING_SPECIALIST,)),
    (Act.ENTER, (_R,), _CONSULTATIONS, (Tie.REFERRING_SITE,)),
    (Act.KNOCK, _EVERYBODY, _OPEN, _PLACES),
    (Act.LEAVE, _EVERYBODY, _OPEN, _PLACES),
    (Act.DECIDE_ADMISSION, (_S,), _OPEN, _PLACES),
    (Act.END, (_S,), _OPEN, _PLACES),
    (Act.NEGOTIATE, _EVERYBODY, _OPEN, (Tie.ADMITTED,)),
    (Act.SHARE_SCREEN, (_S,), _OPEN, (Tie.ADMITTED,)),
    (Act.MUTE, _EVERYBODY, _OPEN, (Tie.ADMITTED,)),
    (Act.CHAT, _EVERYBODY, _OPEN, (Tie.ADMITTED,)),
    (Act.READ_CHAT, _EVERYBODY, _OPEN, (Tie.ADMITTED,)),
    (Act.READ_STATISTICS, (_S, _R), _OPEN, (Tie.ADMITTED,)),
    (Act.MEASURE_PICTURE, _EVERYBODY, _OPEN, (Tie.ADMITTED,)),
    (Act.CAPTURE, (_S,), _OPEN, (Tie.ADMITTED,)),
    (Act.ANSWER_CAPTURE, (_P, _R), _OPEN, (Tie.ADMITTED,)),
    (Act.OPEN_UPLOAD, (_P, _S, _R), _OPEN, (Tie.ADMITTED,)),
    (Act.OPEN_UPLOAD, (_R,), (Resource.REFERRAL,), (Tie.REFERRING_SITE,)),
    (Act.CONTINUE_UPLOAD, (_P, _S, _R), (Resource.UPLOAD,), (Tie.UPLOADER,)),
)

_ALLOWED = frozenset(
    (act, role, resource, tie)
    for act, roles, resources, ties in _ROWS
    for role in roles
    for resource in resources
    for tie in ties
)


def allowed(role: Role | None, act: Act, resource: Resource, ties: Iterable[Tie]) -> Decision:
    """Whether somebody of this role may do this, by any of the ties given. role None: nobody is signed in."""
    if role is None:
        return Decision(False, "nobody")
    for tie in ties:
        if (act, role, resource, tie) in _ALLOWED:
            return Decision(True, f"{role.value} may {act.value} {resource.value} as {tie.value}")
    return Decision(False, f"no rule lets {role.value} {act.value} {resource.value}")
