"""A capture as a pure state machine: asked for, taken by the device, uploaded, stored; or a frame kept.

requested -> taking -> uploading -> storing -> stored | failed. A device that says it cannot, or is silent for
SILENCE, leads to storing with the reason as error_id: the best frame of the video is wanted. When none comes
within FRAME_WAIT the capture has failed. A still that comes in the end is stored, whatever happened before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from signaling.errors import Refusal

SILENCE = timedelta(seconds=20)
FRAME_WAIT = timedelta(seconds=5)

CaptureState = Literal["requested", "taking", "uploading", "storing", "stored", "failed"]
DEVICE_STATES = ("requested", "taking", "uploading")
OVER = ("stored", "failed")


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture. error_id says why it is a frame, or why there is nothing."""

    capture_id: str
    participant_id: str
    state: CaptureState
    heard_at: datetime
    """When the device was last heard; once a frame is wanted, since when."""
    sent_bytes: int = 0
    size_bytes: int | None = None
    error_id: str | None = None
    snapshot_id: str | None = None
    held: bool = False
    """The device holds a still that it could not send."""

    @property
    def with_device(self) -> bool:
        """The device still has to do something, and video should yield to it."""
        return self.state in DEVICE_STATES

    @property
    def wants_frame(self) -> bool:
        """The best frame of the video is wanted in place of the device's still."""
        return self.state == "storing" and self.error_id is not None


def request(current: Capture | None, capture_id: str, participant_id: str, now: datetime) -> Capture:
    """A new capture. Raises Refusal capture.busy while another is under way."""
    if current is not None and current.state not in OVER:
        raise Refusal("capture.busy")
    return Capture(capture_id, participant_id, "requested", now)


def _mine(current: Capture | None, capture_id: str, participant_id: str) -> Capture:
    if current is None or (current.capture_id, current.participant_id) != (capture_id, participant_id):
        raise Refusal("capture.unknown")
    return current


def progress(
    current: Capture | None,
    capture_id: str,
    participant_id: str,
    state: Literal["taking", "uploading"],
    sent_bytes: int,
    size_bytes: int | None,
    now: datetime,
) -> Capture:
    """What the device says. It never goes back a state; too late, it changes nothing."""
    capture = _mine(current, capture_id, participant_id)
    if not capture.with_device:
        return capture
    ahead = DEVICE_STATES.index(state) >= DEVICE_STATES.index(capture.state)
    return replace(
        capture,
        state=state if ahead else capture.state,
        sent_bytes=max(sent_bytes, capture.sent_bytes),
        size_bytes=size_bytes if size_bytes is not None else capture.size_bytes,
        heard_at=now,
    )


def device_failed(
    current: Capture | None, capture_id: str, participant_id: str, reason: str, held: bool, now: datetime
) -> Capture:
    """The device cannot: a frame is wanted. Too late, it changes only whether the device holds a still."""
    capture = _mine(current, capture_id, participant_id)
    if capture.state == "stored" and capture.error_id is None:
        return capture
    capture = replace(capture, held=held)
    return _frame_wanted(capture, f"capture.{reason}", now) if capture.with_device else capture


def tick(capture: Capture, now: datetime) -> Capture:
    """Time passes: silence leads to a frame, no frame to failure."""
    if capture.with_device and now - capture.heard_at >= SILENCE:
        return _frame_wanted(capture, "capture.silent", now)
    if capture.wants_frame and now - capture.heard_at >= FRAME_WAIT:
        return replace(capture, state="failed", error_id="capture.no_frame")
    return capture


def _frame_wanted(capture: Capture, error_id: str, now: datetime) -> Capture:
    return replace(capture, state="storing", error_id=error_id, heard_at=now)


def stored(capture: Capture, snapshot_id: str) -> Capture:
    """The device's still is in the record; however late, it takes the place of a frame or a failure."""
    return replace(
        capture,
        state="stored",
        snapshot_id=snapshot_id,
        error_id=None,
        held=False,
        sent_bytes=capture.size_bytes if capture.size_bytes is not None else capture.sent_bytes,
    )


def frame_kept(capture: Capture, snapshot_id: str) -> Capture:
    """A frame is in the record, and error_id says why; a still that has come meanwhile stays."""
    return replace(capture, state="stored", snapshot_id=snapshot_id) if capture.wants_frame else capture


def failed(capture: Capture, error_id: str) -> Capture:
    """Nothing could be kept."""
    return capture if capture.state in OVER else replace(capture, state="failed", error_id=error_id)
