"""Steps of consultations and participants."""

from __future__ import annotations

import pytest

from records.interface import Admission, Conflict, Phase
from records.lifecycle import check_admission, check_phase, waiting_since
from tests.support.record import NOW, at

A = Admission


def _allowed(current: Admission, wanted: Admission, phase: Phase = Phase.IN_CALL) -> bool:
    try:
        check_admission(current, wanted, phase)
    except Conflict:
        return False
    return True


def test_phases_go_forward_only() -> None:
    for step in (
        (Phase.SCHEDULED, Phase.IN_CALL),
        (Phase.SCHEDULED, Phase.ENDED),
        (Phase.IN_CALL, Phase.ENDED),
    ):
        check_phase(*step)
        with pytest.raises(Conflict):
            check_phase(step[1], step[0])


@pytest.mark.parametrize("phase", list(Phase))
def test_staying_is_no_step(phase: Phase) -> None:
    check_phase(phase, phase)
    for admission in Admission:
        check_admission(admission, admission, phase)


def test_nobody_is_let_in_after_a_refusal_without_knocking() -> None:
    assert not _allowed(A.REFUSED, A.ADMITTED)
    assert _allowed(A.REFUSED, A.WAITING)
    assert _allowed(A.WAITING, A.ADMITTED)


def test_nobody_becomes_invited_again() -> None:
    assert not any(_allowed(state, A.INVITED) for state in Admission if state is not A.INVITED)


def test_only_who_was_let_in_or_waits_is_sent_back() -> None:
    assert {state for state in Admission if _allowed(state, A.SENT_BACK)} == {
        A.WAITING,
        A.ADMITTED,
        A.SENT_BACK,
    }


def test_after_the_end_people_only_go() -> None:
    assert not _allowed(A.WAITING, A.ADMITTED, Phase.ENDED)
    assert not _allowed(A.LEFT, A.WAITING, Phase.ENDED)
    assert _allowed(A.ADMITTED, A.LEFT, Phase.ENDED)
    assert _allowed(A.WAITING, A.REFUSED, Phase.ENDED)


def test_knocking_again_keeps_the_place_in_the_queue() -> None:
    assert waiting_since(None, A.WAITING, NOW) == NOW
    assert waiting_since(NOW, A.WAITING, at(60)) == NOW
    assert waiting_since(NOW, A.SENT_BACK, at(60)) == NOW
    assert waiting_since(NOW, A.ADMITTED, at(60)) is None
