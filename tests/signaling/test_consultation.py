"""The state machine of admission: every command from every place, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from records.interface import Admission, Phase, Role
from signaling.consultation import (
    AllMediaClosed,
    Command,
    ConsultationState,
    MediaClosed,
    PhaseChanged,
    Place,
    PlaceChanged,
    decide,
)
from signaling.errors import Refusal

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
A, C = Admission, Command

# command, from -> to, or the refusal
TABLE: dict[tuple[Command, Admission], Admission | str] = {
    (C.KNOCK, A.INVITED): A.WAITING,
    (C.KNOCK, A.WAITING): A.WAITING,
    (C.KNOCK, A.ADMITTED): A.ADMITTED,
    (C.KNOCK, A.SENT_BACK): A.WAITING,
    (C.KNOCK, A.REFUSED): "admission.refused",
    (C.KNOCK, A.LEFT): A.WAITING,
    (C.ADMIT, A.INVITED): "admission.not_waiting",
    (C.ADMIT, A.WAITING): A.ADMITTED,
    (C.ADMIT, A.ADMITTED): A.ADMITTED,
    (C.ADMIT, A.SENT_BACK): A.ADMITTED,
    (C.ADMIT, A.REFUSED): "admission.not_waiting",
    (C.ADMIT, A.LEFT): "admission.not_waiting",
    (C.REFUSE, A.INVITED): "admission.not_waiting",
    (C.REFUSE, A.WAITING): A.REFUSED,
    (C.REFUSE, A.ADMITTED): A.REFUSED,
    (C.REFUSE, A.SENT_BACK): A.REFUSED,
    (C.REFUSE, A.REFUSED): A.REFUSED,
    (C.REFUSE, A.LEFT): "admission.not_waiting",
    (C.SEND_BACK, A.INVITED): "admission.not_admitted",
    (C.SEND_BACK, A.WAITING): "admission.not_admitted",
    (C.SEND_BACK, A.ADMITTED): A.SENT_BACK,
    (C.SEND_BACK, A.SENT_BACK): A.SENT_BACK,
    (C.SEND_BACK, A.REFUSED): "admission.not_admitted",
    (C.SEND_BACK, A.LEFT): "admission.not_admitted",
    (C.LEAVE, A.INVITED): A.INVITED,
    (C.LEAVE, A.WAITING): A.LEFT,
    (C.LEAVE, A.ADMITTED): A.LEFT,
    (C.LEAVE, A.SENT_BACK): A.LEFT,
    (C.LEAVE, A.REFUSED): A.REFUSED,
    (C.LEAVE, A.LEFT): A.LEFT,
}


def state(
    admission: Admission, role: Role = Role.PATIENT, phase: Phase = Phase.IN_CALL, consent: bool = True
) -> ConsultationState:
    return ConsultationState(phase, {"p": Place(role, admission, consent)})


def test_the_table_is_whole() -> None:
    assert set(TABLE) == {(c, a) for c in C for a in A if c not in (C.ENTER, C.END)}


@pytest.mark.parametrize(("command", "before"), list(TABLE))
def test_every_command_from_every_place(command: Command, before: Admission) -> None:
    outcome = TABLE[command, before]
    if not isinstance(outcome, Admission):
        with pytest.raises(Refusal) as raised:
            decide(state(before), command, "p", "words", NOW)
        assert raised.value.error_id == outcome
        return
    after, actions = decide(state(before), command, "p", "words", NOW)
    assert after.places["p"].admission is outcome
    assert bool(actions) == (outcome is not before)
    assert (MediaClosed("p") in actions) == (before is A.ADMITTED and outcome is not A.ADMITTED)
    waiting = after.places["p"].waiting_since
    assert waiting == (NOW if actions and outcome in (A.WAITING, A.SENT_BACK) else None)


@pytest.mark.parametrize("command", list(C))
def test_nothing_moves_after_the_end(command: Command) -> None:
    with pytest.raises(Refusal) as raised:
        decide(state(A.ADMITTED, phase=Phase.ENDED), command, "p", None, NOW)
    assert raised.value.error_id == "consultation.ended"


def test_words_are_kept_for_the_one_turned_away_only() -> None:
    _, actions = decide(state(A.WAITING), C.REFUSE, "p", "come tomorrow", NOW)
    assert actions == (PlaceChanged("p", A.REFUSED, "come tomorrow"),)
    _, actions = decide(state(A.ADMITTED), C.SEND_BACK, "p", "one moment", NOW)
    assert actions == (PlaceChanged("p", A.SENT_BACK, "one moment"), MediaClosed("p"))
    _, actions = decide(state(A.WAITING), C.ADMIT, "p", "ignored", NOW)
    assert actions == (PlaceChanged("p", A.ADMITTED, None),)


def test_the_first_admission_begins_the_call() -> None:
    before = state(A.WAITING, phase=Phase.SCHEDULED)
    after, actions = decide(before, C.ADMIT, "p", None, NOW)
    assert actions == (PlaceChanged("p", A.ADMITTED, None), PhaseChanged(Phase.IN_CALL))
    assert after.phase is Phase.IN_CALL
    assert before.phase is Phase.SCHEDULED


def test_the_specialist_entering_does_not_begin_it() -> None:
    before = state(A.LEFT, Role.SPECIALIST, Phase.SCHEDULED)
    after, actions = decide(before, C.ENTER, "p", None, NOW)
    assert (after.phase, actions) == (Phase.SCHEDULED, (PlaceChanged("p", A.ADMITTED, None),))


def test_a_patient_knocks_only_with_consent_others_without() -> None:
    with pytest.raises(Refusal) as raised:
        decide(state(A.INVITED, consent=False), C.KNOCK, "p", None, NOW)
    assert raised.value.error_id == "consent.needed"
    for role in (Role.INTERPRETER, Role.REFERRER):
        after, _ = decide(state(A.INVITED, role, consent=False), C.KNOCK, "p", None, NOW)
        assert after.places["p"].admission is A.WAITING


@pytest.mark.parametrize("command", [C.REFUSE, C.SEND_BACK])
def test_the_specialists_own_place_is_theirs(command: Command) -> None:
    with pytest.raises(Refusal) as raised:
        decide(state(A.ADMITTED, Role.SPECIALIST), command, "p", None, NOW)
    assert raised.value.error_id == "access.denied"


@pytest.mark.parametrize("role", [Role.PATIENT, Role.REFERRER, Role.INTERPRETER])
def test_nobody_else_enters_without_knocking(role: Role) -> None:
    with pytest.raises(Refusal):
        decide(state(A.INVITED, role), C.ENTER, "p", None, NOW)


def test_the_end_closes_everything() -> None:
    after, actions = decide(state(A.ADMITTED), C.END, "", None, NOW)
    assert after.phase is Phase.ENDED
    assert actions == (PhaseChanged(Phase.ENDED), AllMediaClosed())


def test_an_unknown_participant() -> None:
    with pytest.raises(Refusal) as raised:
        decide(state(A.WAITING), C.ADMIT, "somebody else", None, NOW)
    assert raised.value.error_id == "admission.unknown_participant"
