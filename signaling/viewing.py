"""What a viewer's own decoder shows of the chart: when its page is asked, and what is believed of it; pure.

The question is asked about a chart that is held still, and the answer counts when the chart was still as long
as the answer took: so it does not matter which frame exactly a page was showing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colorcal.interface import DecoderDifference, PatchSamples
from signaling.messages import ChartEvent, DecoderName, PatchReading

STILL_PITCHES = 0.12
"""A chart that moved by less, in distances of its patches, is still: samples stay on their patches."""
STEADY_LIGHT = 0.015
"""Encoded units that the patches' median may change between two frames of a steady camera."""
READINGS = 4
DECIDING_READINGS = 2
"""So many must tell the same: one alone may have been measured while something moved."""
ANSWER_WITHIN_S = 2.0
ASK_AGAIN_S = 10.0
FRUITLESS = 8
"""Questions that told nothing, after which a page is asked more rarely: it may show the picture nowhere."""
CONTRADICTIONS = 6
"""Readings that no difference of decoders explains, after which that is said."""
MEANINGFUL = 0.01
"""Change of a difference's numbers, on encoded values 0 to 1, that is worth a new LUT."""

Reading = tuple[PatchSamples, PatchSamples]
"""The reference's samples and the viewer's."""


@dataclass(frozen=True, slots=True)
class SeenChart:
    """A chart in a tapped frame. centers: float64 [24, 2] in px; size: width and height in px."""

    centers: NDArray[np.float64]
    pitch_px: float
    size: tuple[int, int]
    samples: PatchSamples
    at_s: float

    def event(self, publication_id: str, question: int) -> ChartEvent:
        """The question for a page; of any size, so in shares of the picture."""
        shares = (self.centers + 0.5) / self.size
        return ChartEvent(publication_id, question, [(float(x), float(y)) for x, y in shares])


def is_still(before: SeenChart | None, now: SeenChart) -> bool:
    """Whether the chart stayed where it was, in the same light."""
    if before is None or before.size != now.size:
        return False
    moved = float(np.hypot(*(now.centers - before.centers).T).max())
    changed = float(np.abs(np.median(now.samples.mean - before.samples.mean, axis=0)).max())
    return moved <= STILL_PITCHES * now.pitch_px and changed <= STEADY_LIGHT


def samples_of(readings: list[PatchReading]) -> PatchSamples:
    """What a page measured, as colorcal has it."""
    return PatchSamples(
        np.array([one.mean for one in readings], np.float64),
        np.array([one.spread for one in readings], np.float64),
        np.array([one.clipped for one in readings], np.bool_),
        np.array([one.visible for one in readings], np.bool_),
    )


@dataclass(slots=True)
class Viewer:
    """One page that may show a Publication's picture."""

    standing: DecoderName = "unmeasured"
    difference: DecoderDifference | None = None
    """None also where its decoder agrees."""
    readings: tuple[Reading, ...] = ()
    fitting: bool = False
    """Its readings are being compared."""
    _question: int = 0
    _asked: SeenChart | None = None
    _answer: PatchSamples | None = None
    _last_asked_s: float | None = None
    _fruitless: int = 0
    _contradictions: int = 0

    def look(self, before: SeenChart | None, chart: SeenChart) -> bool:
        """The tap's next frame with a chart: whether there is a new reading, and so something to compare."""
        if self._asked is None:
            return False
        if not is_still(before, chart) or not is_still(self._asked, chart):
            self._asked = self._answer = None
            return False
        if self._answer is None:
            if chart.at_s - self._asked.at_s > ANSWER_WITHIN_S:
                self._asked = None
                self._fruitless += 1
            return False
        self.readings = (*self.readings, (self._asked.samples, self._answer))[-READINGS:]
        self._asked = self._answer = None
        return len(self.readings) >= DECIDING_READINGS

    def lost(self) -> None:
        """A frame without a chart: what was asked is not known to have been still."""
        self._asked = self._answer = None

    def ask(self, before: SeenChart | None, chart: SeenChart) -> int | None:
        """The number of a question about this chart, or None where none is due."""
        if self._asked is not None or self.fitting or not is_still(before, chart):
            return None
        unsettled = self._contradictions > 0 or len(self.readings) < DECIDING_READINGS
        urgent = unsettled and self._contradictions < CONTRADICTIONS and self._fruitless < FRUITLESS
        wait_s = 0.0 if urgent else ASK_AGAIN_S
        if self._last_asked_s is not None and chart.at_s - self._last_asked_s < wait_s:
            return None
        self._question += 1
        self._asked, self._last_asked_s = chart, chart.at_s
        return self._question

    def answer(self, question: int, samples: PatchSamples) -> bool:
        """Take what the page measured; False where it was not asked for, or no longer is."""
        if self._asked is None or self._answer is not None or question != self._question:
            return False
        self._answer = samples
        return True

    def conclude(self, difference: DecoderDifference | None) -> bool:
        """Take what its readings tell together: whether it needs another LUT than it has.

        None: they show too little of the chart. Readings that nothing explains together are dropped but for
        the newest.
        """
        had = self.difference
        if difference is None:
            self._fruitless += 1
            self.readings = ()
            return False
        self._fruitless = 0
        if not difference.explained:
            self._contradictions += 1
            self.readings = self.readings[-1:]
            if self._contradictions >= CONTRADICTIONS:
                self.standing, self.difference = "unexplained", None
        else:
            self._contradictions = 0
            self.standing = "agrees" if difference.agrees else "corrected"
            self.difference = None if difference.agrees else difference
        if had is None or self.difference is None:
            return had is not self.difference
        if _distance(had, self.difference) > MEANINGFUL:
            return True
        self.difference = had  # small steps add up to one that is worth it
        return False


def _distance(one: DecoderDifference, other: DecoderDifference) -> float:
    matrix, offset = np.abs(one.matrix - other.matrix), np.abs(one.offset - other.offset)
    return float(max(matrix.max(), offset.max()))
