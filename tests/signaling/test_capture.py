"""A capture from request to record, on every way that it can go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from signaling import capture as machine
from signaling.capture import FRAME_WAIT, SILENCE, Capture, CaptureState
from signaling.errors import ERRORS, Refusal

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)


def asked() -> Capture:
    return machine.request(None, "c1", "p", NOW)


def uploading() -> Capture:
    return machine.progress(asked(), "c1", "p", "uploading", 100, 400, NOW)


def test_the_device_takes_and_sends() -> None:
    capture = machine.progress(asked(), "c1", "p", "taking", 0, None, NOW)
    assert (capture.state, capture.with_device) == ("taking", True)
    capture = machine.progress(capture, "c1", "p", "uploading", 100, 400, NOW)
    capture = machine.stored(capture, "s1")
    assert (capture.state, capture.snapshot_id, capture.sent_bytes) == ("stored", "s1", 400)
    assert capture.error_id is None


def test_progress_never_goes_back() -> None:
    capture = machine.progress(uploading(), "c1", "p", "taking", 50, None, NOW)
    assert (capture.state, capture.sent_bytes, capture.size_bytes) == ("uploading", 100, 400)


def test_one_at_a_time() -> None:
    with pytest.raises(Refusal) as raised:
        machine.request(uploading(), "c2", "p", NOW)
    assert raised.value.error_id == "capture.busy"
    assert machine.request(machine.stored(uploading(), "s1"), "c2", "p", NOW).capture_id == "c2"
    assert machine.request(machine.failed(uploading(), "upload.storage_full"), "c2", "p", NOW)


@pytest.mark.parametrize("reason", ["no_camera", "refused", "not_supported", "upload_failed"])
def test_a_device_that_cannot_leads_to_a_frame_that_says_so(reason: str) -> None:
    capture = machine.device_failed(asked(), "c1", "p", reason, False, NOW)
    assert capture.wants_frame
    assert capture.error_id in ERRORS
    capture = machine.frame_kept(capture, "frame")
    assert (capture.state, capture.error_id) == ("stored", f"capture.{reason}")


@pytest.mark.parametrize("state", ["requested", "taking", "uploading"])
def test_silence_leads_to_a_frame(state: CaptureState) -> None:
    capture = replace(asked(), state=state)
    almost = machine.tick(capture, NOW + SILENCE - timedelta(milliseconds=1))
    assert almost == capture
    silent = machine.tick(capture, NOW + SILENCE)
    assert (silent.wants_frame, silent.error_id) == (True, "capture.silent")


def test_whoever_is_heard_is_not_silent() -> None:
    later = NOW + SILENCE - timedelta(seconds=1)
    capture = machine.progress(uploading(), "c1", "p", "uploading", 200, 400, later)
    assert machine.tick(capture, NOW + SILENCE).state == "uploading"


def test_no_frame_in_time_is_failure() -> None:
    capture = machine.device_failed(asked(), "c1", "p", "no_camera", False, NOW)
    assert machine.tick(capture, NOW + FRAME_WAIT / 2).wants_frame
    failed = machine.tick(capture, NOW + FRAME_WAIT)
    assert (failed.state, failed.error_id) == ("failed", "capture.no_frame")
    assert machine.tick(failed, NOW + 2 * SILENCE) == failed


def test_too_late_changes_nothing() -> None:
    for capture in (machine.stored(uploading(), "s1"), machine.failed(uploading(), "record.error")):
        assert machine.device_failed(capture, "c1", "p", "refused", False, NOW) == capture
        assert machine.progress(capture, "c1", "p", "uploading", 400, 400, NOW) == capture
    stored = machine.stored(uploading(), "s1")
    assert machine.frame_kept(stored, "frame") == stored
    assert machine.failed(stored, "record.error") == stored


def test_a_still_that_comes_in_the_end_takes_the_place_of_what_went_wrong() -> None:
    wanted = machine.device_failed(uploading(), "c1", "p", "upload_failed", True, NOW)
    for before in (
        wanted,
        machine.frame_kept(wanted, "frame"),
        machine.failed(wanted, "upload.storage_full"),
        machine.tick(wanted, NOW + FRAME_WAIT),
    ):
        late = machine.stored(before, "still")
        assert (late.state, late.snapshot_id, late.error_id) == ("stored", "still", None)
        assert before.held
        assert not late.held


def test_a_device_found_silent_may_still_say_that_it_holds_the_still() -> None:
    failed = machine.tick(machine.tick(uploading(), NOW + SILENCE), NOW + SILENCE + FRAME_WAIT)
    told = machine.device_failed(failed, "c1", "p", "upload_failed", True, NOW)
    assert told == replace(failed, held=True)


@pytest.mark.parametrize(("capture_id", "participant_id"), [("c2", "p"), ("c1", "somebody else")])
def test_only_the_device_that_was_asked_answers(capture_id: str, participant_id: str) -> None:
    with pytest.raises(Refusal) as raised:
        machine.progress(asked(), capture_id, participant_id, "taking", 0, None, NOW)
    assert raised.value.error_id == "capture.unknown"
    with pytest.raises(Refusal):
        machine.device_failed(None, capture_id, participant_id, "refused", False, NOW)
