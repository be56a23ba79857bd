"""Who gets what of a viewer's path, in the order that keeps the skin: sound; the patient's picture at full
resolution and few frames per second; its frame rate; a shared screen; the participants' own pictures.

Under pressure, therefore: the own pictures shrink and pause, then there are fewer frames, then a still is
asked for, then there is only sound. The patient's picture never loses a pixel. Pure: what was decided before
goes in, so that nothing flutters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from media.interface import AdaptationLevel

RISE = 1.15
"""To go up a step takes this much more than to stay on it: the estimate saws by 10 % (emulator)."""
HOLD_S = 3.0
"""After a step down none goes up for so long: a drain or a test of loss is over by then (emulator)."""
PATIENCE_S = 0.75
"""A step is only taken down when it was too much for so long: a drain of the path's queue halves the target
for 0.5 s (estimator.DRAIN_S), and bits follow it anyway."""
STILL_SHARE = 0.4
"""Below this share of its floor a patient's picture is of no use and is paused: under 120 kbit/s for a 720p
skin view of which 300 kbit/s at 8 frames per second keep half of a lesion's contrast (measured)."""
FULL_FPS = 30.0
FRAME_RATES = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 24.0)
"""Steps of the frame rate below the full one."""
SCALES = (0.25, 0.5, 1.0)
"""Steps of an own picture's width and height: browsers halve from one simulcast encoding to the next."""


class Purpose(IntEnum):
    """What a stream is for; lower ones are served first."""

    AUDIO = 0
    PATIENT_PICTURE = 1
    SCREEN = 2
    OWN_PICTURE = 3


@dataclass(frozen=True, slots=True)
class Demand:
    """What a stream would take, headers included; rates in bit/s.

    full_bps: at full resolution and full_fps. floor_bps: the least of use: of a patient's picture and a
    screen at full resolution and floor_fps, of an own picture at its smallest size. usable_bps: what its
    publisher can make use of now; the rest of what it may have goes to those behind it. Sound takes full_bps.
    """

    stream_id: str
    purpose: Purpose
    full_bps: float
    floor_bps: float = 0.0
    usable_bps: float = math.inf
    full_fps: float = FULL_FPS
    floor_fps: float = 8.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What a stream may have. bitrate_bps 0: paused. scale: of width and height; always 1 but for an own
    picture."""

    stream_id: str
    purpose: Purpose
    bitrate_bps: int
    frames_per_s: float = 0.0
    scale: float = 1.0
    short_since_s: float = math.inf
    """Since when it has less than its step takes."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """Budgets in the order of the demands. unused_bps: left when everybody has all that it can use."""

    level: AdaptationLevel
    budgets: tuple[Budget, ...]
    unused_bps: int
    lowered_s: float = -math.inf
    """When a step down was last taken."""

    def budget(self, stream_id: str) -> Budget | None:
        """The budget of a stream, or None."""
        return next((budget for budget in self.budgets if budget.stream_id == stream_id), None)


def allocate(
    target_bps: float, demands: Sequence[Demand], now: float, previous: Allocation | None = None
) -> Allocation:
    """Divide what a path carries. Sound gets what it takes even from a path that carries less."""
    division = _Division(target_bps, now, previous)
    of = {purpose: [d for d in demands if d.purpose is purpose] for purpose in Purpose}
    for demand in of[Purpose.AUDIO]:
        division.left_bps -= demand.full_bps
    division.left_bps = max(0.0, division.left_bps)
    # A screen's least is a still page: it does not wait for the last frame per second of the picture.
    for demand in of[Purpose.PATIENT_PICTURE]:
        division.floor(demand)
    if not all(division.has_any(demand) for demand in of[Purpose.PATIENT_PICTURE]):
        division.left_bps = 0.0  # nobody overtakes the patient
    for demand in of[Purpose.SCREEN]:
        division.floor(demand)
    for demand in of[Purpose.PATIENT_PICTURE] + of[Purpose.SCREEN]:
        division.rest(demand, division.left_bps)
    for demand in of[Purpose.OWN_PICTURE]:
        division.floor(demand)
    own = [demand for demand in of[Purpose.OWN_PICTURE] if division.has_any(demand)]
    for index, demand in enumerate(own):
        division.rest(demand, division.left_bps / (len(own) - index))
    budgets = tuple(division.budget(demand) for demand in demands)
    lowered_s = now if division.lowered else division.lowered_s
    return Allocation(_level(demands, budgets), budgets, int(division.left_bps), lowered_s)


def first_picture_bps(demands: Sequence[Demand]) -> float:
    """What a path has to carry for sound and the first of the pictures when all were paused; 0 where there is
    none."""
    pictures = [demand for demand in demands if demand.purpose is not Purpose.AUDIO]
    if not pictures:
        return 0.0
    first = min(pictures, key=lambda demand: demand.purpose)
    return sum(d.full_bps for d in demands if d.purpose is Purpose.AUDIO) + RISE * first.floor_bps


class _Division:
    """One allocation in the making."""

    def __init__(self, target_bps: float, now: float, previous: Allocation | None) -> None:
        self.left_bps = target_bps
        self.lowered = False
        self.lowered_s = -math.inf if previous is None else previous.lowered_s
        self._now = now
        self._may_rise = now - self.lowered_s >= HOLD_S
        self._before = {} if previous is None else {b.stream_id: b for b in previous.budgets}
        self._granted: dict[str, float] = {}
        self._offered: dict[str, float] = {}
        self._short: dict[str, float] = {}

    def floor(self, demand: Demand) -> None:
        """Give a stream its least, or pause it."""
        last = self._before.get(demand.stream_id)
        least_bps = demand.floor_bps * (STILL_SHARE if demand.purpose is Purpose.PATIENT_PICTURE else 1.0)
        granted_bps = min(self.left_bps, demand.floor_bps)
        if last is not None and not last.bitrate_bps:
            if not self._may_rise or self.left_bps < max(1.0, RISE * least_bps):
                granted_bps = 0.0
        elif granted_bps < max(1.0, least_bps):
            if last is None or self._is_short(last):
                self.lowered |= last is not None
                granted_bps = 0.0
            else:
                granted_bps = max(1.0, granted_bps)
        self._granted[demand.stream_id] = self._offered[demand.stream_id] = granted_bps
        self.left_bps = max(0.0, self.left_bps - granted_bps)

    def has_any(self, demand: Demand) -> bool:
        """Whether a stream has its least."""
        return self._granted[demand.stream_id] > 0

    def rest(self, demand: Demand, share_bps: float) -> None:
        """Let a stream that has its least have more; what it cannot use now, others may."""
        granted_bps = self._granted[demand.stream_id]
        if granted_bps < demand.floor_bps:
            return
        self._offered[demand.stream_id] = granted_bps + share_bps
        self._granted[demand.stream_id] = min(demand.full_bps, granted_bps + share_bps)
        used_bps = min(self._granted[demand.stream_id], demand.usable_bps)
        self.left_bps = max(0.0, self.left_bps - max(0.0, used_bps - granted_bps))

    def budget(self, demand: Demand) -> Budget:
        """What came of it, with the step that it pays for."""
        stream_id, purpose = demand.stream_id, demand.purpose
        if purpose is Purpose.AUDIO:
            return Budget(stream_id, purpose, int(demand.full_bps))
        granted_bps = self._granted[stream_id]
        last = self._before.get(stream_id)
        if not granted_bps:
            return Budget(stream_id, purpose, 0, scale=0.0 if purpose is Purpose.OWN_PICTURE else 1.0)
        if purpose is Purpose.OWN_PICTURE:
            scale = self._step(
                SCALES, lambda s: demand.full_bps * s * s, granted_bps, last, last.scale if last else 0.0
            )
            fps = demand.full_fps
        else:
            rates = (*(rate for rate in FRAME_RATES if rate < demand.full_fps), demand.full_fps)
            scale = 1.0
            fps = self._step(
                rates, lambda r: _cost_bps(demand, r), granted_bps, last, last.frames_per_s if last else 0.0
            )
        short_since_s = self._short.get(stream_id, math.inf)
        return Budget(stream_id, purpose, int(granted_bps), fps, scale, short_since_s)

    def _step(
        self,
        steps: Sequence[float],
        cost_bps: Callable[[float], float],
        granted_bps: float,
        last: Budget | None,
        current: float,
    ) -> float:
        """The highest step that is paid for, moved from the current one without haste."""
        affordable = max((step for step in steps if cost_bps(step) <= granted_bps), default=steps[0])
        if last is None or not current or affordable == current:
            return affordable
        if affordable < current:
            if not self._is_short(last):
                return current
            self.lowered = True
            return affordable
        if not self._may_rise:
            return current
        offered_bps = self._offered[last.stream_id]
        return max(current, *(step for step in steps if RISE * cost_bps(step) <= offered_bps), steps[0])

    def _is_short(self, last: Budget) -> bool:
        """Whether it has been too little for long enough; notes since when."""
        since_s = min(self._now, last.short_since_s)
        self._short[last.stream_id] = since_s
        return self._now - since_s >= PATIENCE_S


def _cost_bps(demand: Demand, frames_per_s: float) -> float:
    """At full resolution: in proportion below the floor, and above it on the line from the floor to the full
    rate."""
    if frames_per_s <= demand.floor_fps or demand.full_fps <= demand.floor_fps:
        return demand.floor_bps * frames_per_s / demand.floor_fps
    share = (frames_per_s - demand.floor_fps) / (demand.full_fps - demand.floor_fps)
    return demand.floor_bps + share * (demand.full_bps - demand.floor_bps)


def _level(demands: Sequence[Demand], budgets: Sequence[Budget]) -> AdaptationLevel:
    pictures = [(d, b) for d, b in zip(demands, budgets, strict=True) if d.purpose is not Purpose.AUDIO]
    patients = [(d, b) for d, b in pictures if d.purpose is Purpose.PATIENT_PICTURE]
    if pictures and not any(b.bitrate_bps for _, b in patients or pictures):
        return AdaptationLevel.AUDIO_ONLY
    if any(b.frames_per_s < d.floor_fps for d, b in patients):
        return AdaptationLevel.STILL_PROMPT
    if any(b.frames_per_s < d.full_fps for d, b in patients):
        return AdaptationLevel.FEWER_FRAMES
    others = [(d, b) for d, b in pictures if d.purpose is not Purpose.PATIENT_PICTURE]
    if any(not b.bitrate_bps or b.scale < 1 or b.frames_per_s < d.full_fps for d, b in others):
        return AdaptationLevel.OWN_PICTURE_SMALLER
    return AdaptationLevel.FULL
