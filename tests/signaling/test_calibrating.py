"""What a measured frame changes, and when viewers are sent a LUT."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from colorcal.interface import CalibrationReport, Grade
from signaling.calibrating import (
    MEANINGFUL_CODES,
    RESEND_AFTER,
    SOONEST_RESEND,
    LiveCalibration,
    measured,
    other_camera,
    sent,
    to_send,
)
from signaling.color_jobs import Measured
from signaling.views import report_values

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)


def report(grade: Grade = Grade.GOOD) -> CalibrationReport:
    return CalibrationReport(
        grade, "classic", 1.0, 8.0, 1.5, 1.0, 2.0, (), (3,), (0.31, 0.32), 6500.0, None, "good", "好"
    )


def outcome(lut: bytes | None = bytes(24), grade: Grade = Grade.GOOD) -> Measured:
    return Measured(report_values(report(grade)), lut, 2)


def known(lut: bytes = bytes(24)) -> LiveCalibration:
    first = measured(None, "pub", outcome(lut), NOW)
    assert first is not None
    return first


def test_a_first_measurement() -> None:
    first = known()
    assert (first.publication_id, first.measured_at, first.in_view) == ("pub", NOW, True)
    assert to_send(first, NOW)
    event = first.event()
    assert event is not None
    assert (event.lut, event.size) == (bytes(24), 2)
    assert msgspec.to_builtins(first.view())["report"]["dropped_patches"] == [3]


def test_a_viewer_with_a_decoder_of_its_own_gets_its_own() -> None:
    own = Measured(report_values(replace(report(), words_en="in your picture")), bytes(range(24)), 2)
    event = known().event("corrected", own)
    assert event is not None
    assert (event.lut, event.calibration.decoder) == (bytes(range(24)), "corrected")
    assert event.calibration.report.words_en == "in your picture"
    shared = known().event("agrees")
    assert shared is not None
    assert (shared.lut, shared.calibration.decoder) == (bytes(24), "agrees")
    assert known().view("corrected", own.report).report.words_en == "in your picture"


def test_without_a_chart_nothing_is_known() -> None:
    assert measured(None, "pub", None, NOW) is None


def test_a_chart_that_leaves_keeps_its_age() -> None:
    gone = measured(known(), "pub", None, LATER)
    assert gone is not None
    assert (gone.in_view, gone.measured_at) == (False, NOW)


def test_a_bad_chart_does_not_replace_a_good_calibration() -> None:
    kept = measured(known(), "pub", outcome(None, Grade.REFUSE), LATER)
    assert kept is not None
    assert (kept.measured_at, kept.lut, kept.in_view) == (NOW, bytes(24), True)


def test_a_bad_chart_alone_is_told_without_a_lut() -> None:
    bad = measured(None, "pub", outcome(None, Grade.REFUSE), NOW)
    assert bad is not None
    assert bad.view().report.grade == "refuse"
    assert bad.event() is None
    assert not to_send(bad, NOW)


def test_another_camera_starts_from_nothing() -> None:
    assert measured(known(), "other", None, LATER) is None
    other = measured(sent(known(), NOW), "other", outcome(), LATER)
    assert other is not None
    assert other.sent_lut is None


def test_what_a_frame_says_has_changed_makes_it_outdated_as_long_as_it_says_so() -> None:
    drifted = measured(known(), "pub", None, LATER, "color")
    assert drifted is not None
    assert (drifted.outdated, drifted.lut, drifted.view().outdated) == ("color", bytes(24), "color")
    badly_seen = measured(drifted, "pub", outcome(None, Grade.REFUSE), LATER, "exposure")
    assert badly_seen is not None
    assert badly_seen.outdated == "exposure"
    back = measured(badly_seen, "pub", None, LATER)
    assert back is not None
    assert back.outdated is None


def test_another_camera_stays_outdated_until_its_own_calibration() -> None:
    switched = other_camera(known())
    assert (switched.outdated, switched.in_view) == ("camera", False)
    unseen = measured(switched, "pub", None, LATER)
    assert unseen is not None
    assert unseen.outdated == "camera"
    anew = measured(unseen, "pub", outcome(), LATER)
    assert anew is not None
    assert anew.outdated is None


def changed(codes: int) -> bytes:
    return bytes([codes, *bytes(23)])


def test_a_meaningful_change_goes_out_soon_a_small_one_late() -> None:
    base = sent(known(), NOW)
    assert not to_send(base, LATER)
    meaningful = replace(base, lut=changed(MEANINGFUL_CODES + 1))
    assert not to_send(meaningful, NOW + SOONEST_RESEND / 2)
    assert to_send(meaningful, NOW + SOONEST_RESEND)
    small = replace(base, lut=changed(MEANINGFUL_CODES))
    assert not to_send(small, NOW + SOONEST_RESEND)
    assert to_send(small, NOW + RESEND_AFTER)
