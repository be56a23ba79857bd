"""The live calibration of one room: what a measurement changes, and when viewers get a LUT; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from signaling.color_jobs import Measured
from signaling.messages import CalibrationView, DecoderName, LutEvent, OutdatedName
from signaling.views import report_view

RESEND_AFTER = timedelta(seconds=10)
SOONEST_RESEND = timedelta(seconds=1)
MEANINGFUL_CODES = 3
"""A LUT that moves a color by more than so many 8-bit codes is sent at once."""


@dataclass(frozen=True, slots=True)
class SeenDecoder:
    """How a viewer's page shows the camera. report: of the LUT that undoes a difference, if there is one."""

    standing: DecoderName
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class LiveCalibration:
    """The last calibration of a Publication, and the LUT that viewers have.

    A report that refuses, with no LUT, stands only until there is one to trust.
    """

    publication_id: str
    report: Mapping[str, Any]
    measured_at: datetime
    in_view: bool
    size: int
    lut: bytes | None
    sent_lut: bytes | None = None
    sent_at: datetime | None = None
    outdated: OutdatedName | None = None
    """What has changed since, so that it no longer holds."""

    def view(
        self, decoder: DecoderName = "unmeasured", report: Mapping[str, Any] | None = None
    ) -> CalibrationView:
        """Without the LUT, for one viewer: what is known of its decoder, and the report of its own LUT."""
        known = report_view(self.report if report is None else report)
        return CalibrationView(
            self.publication_id, known, self.measured_at, self.in_view, decoder, self.outdated
        )

    def event(self, decoder: DecoderName = "unmeasured", own: Measured | None = None) -> LutEvent | None:
        """With the LUT, for one viewer: their own where they have one; None when there is none."""
        if own is not None and own.lut is not None:
            return LutEvent(self.view(decoder, own.report), own.size, own.lut)
        return LutEvent(self.view(decoder), self.size, self.lut) if self.lut is not None else None


def measured(
    current: LiveCalibration | None,
    publication_id: str,
    outcome: Measured | None,
    now: datetime,
    changed: OutdatedName | None = None,
) -> LiveCalibration | None:
    """What is known after a frame was looked at.

    No chart: the last calibration stays, with its age and no longer in view. A chart too bad to trust does
    not replace a calibration that is. Another Publication starts from nothing. changed: what the frame says
    is no longer as it was; that another camera took over stays until there is a new calibration.
    """
    if current is not None and current.publication_id != publication_id:
        current = None
    if outcome is None and current is None:
        return None
    if current is not None and (outcome is None or (outcome.lut is None and current.lut is not None)):
        outdated = current.outdated if current.outdated == "camera" else changed
        return replace(current, in_view=outcome is not None, outdated=outdated)
    assert outcome is not None
    return LiveCalibration(
        publication_id=publication_id,
        report=outcome.report,
        measured_at=now,
        in_view=True,
        size=outcome.size,
        lut=outcome.lut,
        sent_lut=current.sent_lut if current is not None else None,
        sent_at=current.sent_at if current is not None else None,
    )


def other_camera(calibration: LiveCalibration) -> LiveCalibration:
    """Another camera is behind the Publication from now on."""
    return replace(calibration, in_view=False, outdated="camera")


def to_send(calibration: LiveCalibration, now: datetime) -> bool:
    """Whether viewers should get the LUT now: it changed meaningfully, or a little and long ago."""
    if calibration.lut is None or calibration.lut == calibration.sent_lut:
        return False
    if calibration.sent_lut is None or calibration.sent_at is None:
        return True
    since = now - calibration.sent_at
    if since >= RESEND_AFTER:
        return True
    new = np.frombuffer(calibration.lut, np.uint8).astype(np.int16)
    old = np.frombuffer(calibration.sent_lut, np.uint8)
    return since >= SOONEST_RESEND and int(np.abs(new - old).max()) > MEANINGFUL_CODES


def sent(calibration: LiveCalibration, now: datetime) -> LiveCalibration:
    """Viewers have this LUT."""
    return replace(calibration, sent_lut=calibration.lut, sent_at=now)
