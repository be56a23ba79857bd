"""The access rule over every role, act, resource and tie: what this list does not name is denied."""

from __future__ import annotations

from itertools import product

import pytest

from records.interface import Role
from signaling.access import Act, Resource, Tie, allowed

# act: role@resource/tie, one entry a permission. p s r i: patient, specialist, referrer, interpreter.
EXPECTED = {
    Act.READ_WORKLIST: "s@clinic/none",
    Act.LIST_REFERRALS: "s@clinic/none r@clinic/none",
    Act.CREATE_REFERRAL: "r@clinic/none",
    Act.READ_REFERRAL: (
        "s@referral/not_yet_accepted s@referral/accepting_specialist r@referral/referring_site"
    ),
    Act.DECIDE_REFERRAL: "s@referral/not_yet_accepted",
    Act.READ_CONSULTATION: (
        "s@open_consultation/accepting_specialist s@ended_consultation/accepting_specialist "
        "r@open_consultation/referring_site r@ended_consultation/referring_site"
    ),
    Act.MAKE_LINK: "s@open_consultation/accepting_specialist r@open_consultation/referring_site",
    Act.WRITE_NOTE: ("s@open_consultation/accepting_specialist s@ended_consultation/accepting_specialist"),
    Act.CHECK_DISPLAY: "s@open_consultation/accepting_specialist s@ended_consultation/accepting_specialist",
    Act.READ_TIMELINE: "s@patient/accepting_specialist r@patient/referring_site",
    Act.READ_PICTURE: (
        "s@snapshot/not_yet_accepted s@snapshot/accepting_specialist r@snapshot/referring_site"
    ),
    Act.READ_ENTRY: "s@patient/accepting_specialist r@patient/referring_site",
    Act.WRITE_ENTRY: "s@patient/accepting_specialist",
    Act.SEARCH: "s@clinic/none r@clinic/none",
    Act.READ_JOIN: (
        "p@open_consultation/at_the_door p@open_consultation/admitted "
        "p@ended_consultation/at_the_door p@ended_consultation/admitted "
        "i@open_consultation/at_the_door i@open_consultation/admitted "
        "i@ended_consultation/at_the_door i@ended_consultation/admitted"
    ),
    Act.CONSENT: "p@open_consultation/at_the_door p@open_consultation/admitted",
    Act.READ_ACCESSES: (
        "p@open_consultation/at_the_door p@open_consultation/admitted "
        "p@ended_consultation/at_the_door p@ended_consultation/admitted"
    ),
    Act.SATISFY: "p@ended_consultation/at_the_door p@ended_consultation/admitted",
    Act.READ_ICE: (
        "s@clinic/none r@clinic/none p@open_consultation/at_the_door p@open_consultation/admitted "
        "i@open_consultation/at_the_door i@open_consultation/admitted"
    ),
    Act.ENTER: " ".join(
        [
            *(
                f"{r}@{c}/{t}"
                for r in "psri"
                for c in ("open_consultation", "ended_consultation")
                for t in ("at_the_door", "admitted")
            ),
            "s@open_consultation/accepting_specialist s@ended_consultation/accepting_specialist",
            "r@open_consultation/referring_site r@ended_consultation/referring_site",
        ]
    ),
    Act.KNOCK: " ".join(f"{r}@open_consultation/{t}" for r in "psri" for t in ("at_the_door", "admitted")),
    Act.LEAVE: " ".join(f"{r}@open_consultation/{t}" for r in "psri" for t in ("at_the_door", "admitted")),
    Act.DECIDE_ADMISSION: "s@open_consultation/at_the_door s@open_consultation/admitted",
    Act.END: "s@open_consultation/at_the_door s@open_consultation/admitted",
    Act.NEGOTIATE: " ".join(f"{r}@open_consultation/admitted" for r in "psri"),
    Act.SHARE_SCREEN: "s@open_consultation/admitted",
    Act.MUTE: " ".join(f"{r}@open_consultation/admitted" for r in "psri"),
    Act.CHAT: " ".join(f"{r}@open_consultation/admitted" for r in "psri"),
    Act.READ_CHAT: " ".join(f"{r}@open_consultation/admitted" for r in "psri"),
    Act.MEASURE_PICTURE: " ".join(f"{r}@open_consultation/admitted" for r in "psri"),
    Act.READ_STATISTICS: "s@open_consultation/admitted r@open_consultation/admitted",
    Act.CAPTURE: "s@open_consultation/admitted",
    Act.ANSWER_CAPTURE: "p@open_consultation/admitted r@open_consultation/admitted",
    Act.OPEN_UPLOAD: (
        "p@open_consultation/admitted s@open_consultation/admitted r@open_consultation/admitted "
        "r@referral/referring_site"
    ),
    Act.CONTINUE_UPLOAD: "p@upload/uploader s@upload/uploader r@upload/uploader",
}
LETTERS = {"p": Role.PATIENT, "s": Role.SPECIALIST, "r": Role.REFERRER, "i": Role.INTERPRETER}


def expected(act: Act) -> set[tuple[Role, Resource, Tie]]:
    rows = set()
    for entry in EXPECTED[act].split():
        letter, _, rest = entry.partition("@")
        resource, _, tie = rest.partition("/")
        rows.add((LETTERS[letter], Resource(resource), Tie(tie)))
    return rows


@pytest.mark.parametrize("act", list(Act))
def test_every_combination(act: Act) -> None:
    rows = expected(act)
    for role, resource, tie in product(Role, Resource, Tie):
        decision = allowed(role, act, resource, (tie,))
        assert decision.allowed == ((role, resource, tie) in rows), (role, act, resource, tie)
        assert decision.reason


def test_nobody_may_anything() -> None:
    for act, resource in product(Act, Resource):
        assert not allowed(None, act, resource, tuple(Tie)).allowed


def test_without_a_tie_nothing() -> None:
    for role, act, resource in product(Role, Act, Resource):
        assert not allowed(role, act, resource, ()).allowed


def test_whoever_waits_reaches_no_media_and_no_record() -> None:
    media = {Act.NEGOTIATE, Act.SHARE_SCREEN, Act.MUTE, Act.CHAT, Act.CAPTURE, Act.ANSWER_CAPTURE}
    record = {
        Act.READ_CHAT,
        Act.READ_REFERRAL,
        Act.READ_CONSULTATION,
        Act.READ_TIMELINE,
        Act.READ_PICTURE,
        Act.READ_ENTRY,
        Act.WRITE_ENTRY,
        Act.SEARCH,
        Act.WRITE_NOTE,
        Act.OPEN_UPLOAD,
    }
    for role, act, resource in product(Role, media | record, Resource):
        assert not allowed(role, act, resource, (Tie.AT_THE_DOOR,)).allowed


def test_one_of_several_ties_is_enough() -> None:
    ties = (Tie.NONE, Tie.REFERRING_SITE)
    assert allowed(Role.REFERRER, Act.READ_REFERRAL, Resource.REFERRAL, ties).allowed
