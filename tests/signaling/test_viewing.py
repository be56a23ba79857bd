"""When a page is asked what it shows of the chart, which answers count, and what follows from them."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from colorcal.interface import DecoderDifference, PatchSamples
from signaling import messages as m
from signaling.viewing import (
    ANSWER_WITHIN_S,
    ASK_AGAIN_S,
    CONTRADICTIONS,
    FRUITLESS,
    READINGS,
    SeenChart,
    Viewer,
    is_still,
    samples_of,
)

GRID = np.array([(x, y) for y in range(4) for x in range(6)], float)


def samples(level: float = 0.5) -> PatchSamples:
    yes = np.ones(24, bool)
    return PatchSamples(np.full((24, 3), level), np.zeros((24, 3)), ~yes, yes)


def chart(at_s: float, left_px: float = 100.0, level: float = 0.5) -> SeenChart:
    return SeenChart(GRID * 40 + (left_px, 80), 40.0, (640, 360), samples(level), at_s)


def difference(de00: float = 3.0, residual: float = 0.2, offset: float = 0.05) -> DecoderDifference:
    return DecoderDifference(np.eye(3), np.full(3, offset), de00, residual)


class Call:
    """A viewer beside a tap of two frames a second."""

    def __init__(self) -> None:
        self.viewer = Viewer()
        self.last: SeenChart | None = None
        self.now_s = 0.0
        self.asked: list[float] = []

    def frame(self, left_px: float = 100.0, level: float = 0.5, answers: bool = True) -> bool:
        """One tapped frame, and the page's answer; whether readings are to be compared."""
        now = chart(self.now_s, left_px, level)
        ready = self.viewer.look(self.last, now)
        if not ready:
            self.ask(now, answers)
        self.last = now
        self.now_s += 0.5
        return ready

    def ask(self, now: SeenChart, answers: bool = True) -> None:
        question = self.viewer.ask(self.last, now)
        if question is not None:
            self.asked.append(now.at_s)
            if answers:
                assert self.viewer.answer(question, samples(0.4))

    def readings(self) -> None:
        """As many frames as it takes until there is something to compare."""
        for _ in range(60):
            if self.frame():
                return
        raise AssertionError("there was never something to compare")


def test_a_question_has_the_places_in_shares_of_the_picture() -> None:
    event = chart(0.0).event("camera", 7)
    assert (event.publication_id, event.question, len(event.centers)) == ("camera", 7, 24)
    assert event.centers[0] == pytest.approx((100.5 / 640, 80.5 / 360))


def test_still_is_the_same_place_in_the_same_light() -> None:
    before = chart(0.0)
    assert not is_still(None, before)
    assert is_still(before, chart(0.5, 104.0))
    assert not is_still(before, chart(0.5, 106.0))
    assert not is_still(before, chart(0.5, level=0.53))
    assert not is_still(before, replace(before, size=(1280, 720)))


def test_two_readings_of_a_still_chart_decide() -> None:
    call = Call()
    assert not call.frame()  # nothing is known yet of how still it is
    assert call.asked == []
    assert not call.frame()
    assert not call.frame()
    assert call.frame()
    assert len(call.viewer.readings) == 2
    assert call.viewer.conclude(difference())
    assert call.viewer.standing == "corrected"
    reference, seen = call.viewer.readings[0]
    assert (reference.mean[0, 0], seen.mean[0, 0]) == (0.5, 0.4)


def test_nothing_is_asked_of_a_chart_that_moves() -> None:
    call = Call()
    for step in range(10):
        assert not call.frame(left_px=100 + 8.0 * step)
    assert call.asked == []


def test_an_answer_does_not_count_when_the_chart_moved_meanwhile() -> None:
    for left_px, level in ((120.0, 0.5), (100.0, 0.6)):
        call = Call()
        call.frame()
        call.frame()
        assert len(call.asked) == 1
        assert not call.frame(left_px, level)
        assert call.viewer.readings == ()


def test_a_slow_drift_is_noticed_over_the_time_that_the_answer_takes() -> None:
    call = Call()
    call.frame(100.0)
    call.frame(100.0, answers=False)
    assert not call.frame(104.0)
    assert not call.viewer.answer(1, samples()) or not call.frame(108.0)
    assert call.viewer.readings == ()


def test_a_chart_that_was_gone_is_not_known_to_have_been_still() -> None:
    call = Call()
    call.frame()
    call.frame()
    call.viewer.lost()
    assert not call.frame()
    assert call.viewer.readings == ()


def test_only_the_answer_that_is_waited_for_is_taken_and_once() -> None:
    viewer = Viewer()
    assert not viewer.answer(1, samples())
    question = viewer.ask(chart(0.0), chart(0.5))
    assert question == 1
    assert viewer.ask(chart(0.0), chart(0.5)) is None
    assert not viewer.answer(2, samples())
    assert viewer.answer(1, samples())
    assert not viewer.answer(1, samples())


def test_a_page_that_does_not_answer_is_asked_rarely() -> None:
    call = Call()
    for _ in range(400):
        call.frame(answers=False)
    gaps = np.diff(call.asked)
    assert gaps[: FRUITLESS - 1].min() >= ANSWER_WITHIN_S
    assert gaps[FRUITLESS:].min() >= ASK_AGAIN_S


def test_a_settled_page_is_asked_again_now_and_then() -> None:
    call = Call()
    call.readings()
    call.viewer.conclude(difference(de00=0.1))
    assert call.viewer.standing == "agrees"
    call.asked.clear()
    since_s = call.now_s
    call.readings()
    assert call.now_s - since_s >= ASK_AGAIN_S - 2
    for _ in range(5):
        call.viewer.conclude(difference(de00=0.1))
        call.readings()
    assert len(call.viewer.readings) == READINGS


def test_nothing_is_asked_while_readings_are_compared() -> None:
    viewer = Viewer(fitting=True)
    assert viewer.ask(chart(0.0), chart(0.5)) is None


def test_a_lut_is_due_when_the_difference_changed_by_much() -> None:
    viewer = Viewer()
    assert not viewer.conclude(difference(de00=0.1))
    assert viewer.conclude(difference(offset=0.05))
    assert not viewer.conclude(difference(offset=0.055))
    assert viewer.conclude(difference(offset=0.061)), "small steps add up"
    assert viewer.conclude(difference(de00=0.2))
    assert viewer.difference is None


def test_contradictions_are_said_after_a_while_and_the_newest_reading_is_tried_again() -> None:
    call = Call()
    call.readings()
    call.viewer.conclude(difference())
    for number in range(1, CONTRADICTIONS):
        call.readings()
        assert not call.viewer.conclude(difference(residual=4.0))
        assert len(call.viewer.readings) == 1
        assert call.viewer.standing == "corrected", number
    call.readings()
    assert call.viewer.conclude(difference(residual=4.0))
    assert (call.viewer.standing, call.viewer.difference) == ("unexplained", None)
    call.asked.clear()
    call.readings()
    call.viewer.conclude(difference())
    assert call.viewer.standing == "corrected", "another decoder, another try"


def test_readings_that_show_too_little_change_nothing() -> None:
    call = Call()
    call.readings()
    assert not call.viewer.conclude(None)
    assert (call.viewer.standing, call.viewer.readings) == ("unmeasured", ())


def reading(**changed: object) -> dict[str, object]:
    return {"mean": [0.1, 0.2, 0.3], "spread": [0, 0, 0], "clipped": False, "visible": True, **changed}


def request(**changed: object) -> dict[str, object]:
    return {"publication_id": "camera", "question": 1, "patches": [reading()] * 24, **changed}


def test_what_a_page_says_is_read_as_colorcal_has_it() -> None:
    said = msgspec.convert(request(), m.PatchesRequest)
    read = samples_of(said.patches)
    assert read.mean.shape == (24, 3)
    assert read.mean[23].tolist() == [0.1, 0.2, 0.3]
    assert read.visible.all()
    assert not read.clipped.any()


@pytest.mark.parametrize(
    "wrong",
    [
        request(patches=[reading()] * 23),
        request(patches=[reading()] * 25),
        request(patches=[reading(mean=[0.1, 0.2])] * 24),
        request(patches=[reading(mean=[0.1, 0.2, 1.01])] * 24),
        request(patches=[reading(mean=[0.1, 0.2, float("nan")])] * 24),
        request(patches=[reading(spread=[0, 0, float("inf")])] * 24),
        request(patches=[reading(clipped=1)] * 24),
        request(question=0),
        request(publication_id=""),
        request(more=1),
    ],
)
def test_anything_else_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, m.PatchesRequest)
