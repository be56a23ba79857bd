"""A publisher's path that becomes narrow, told from a camera that is late."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable

import pytest

from media.uplink import HOLD_S, USABLE, VIDEO_CLOCK, Uplink
from tests.support.netem import Conditions, Path

TICK_S, CALM_TICK_S = 0.02, 0.102
"""As media.worker."""
PACKET_BYTES = 1100
HEADERS = 68
PACING = 2.5
SHARES = (1.6, 0.8, 0.8, 0.8)
"""Of a mean picture's bits, in a pattern of three temporal layers."""


class Publisher:
    """A camera at an even rate over a path. late_s: how long a picture that was taken at a time is being
    encoded."""

    def __init__(
        self,
        schedule: list[tuple[float, Conditions]],
        *,
        seed: int = 1,
        bitrate_bps: float = 1.6e6,
        frames_per_s: float = 20.0,
        late_s: Callable[[float], float] = lambda _: 0.005,
    ) -> None:
        self.path = Path(schedule, seed)
        self.arrivals: list[tuple[float, int, int]] = []
        self.uplink = Uplink()
        self.looks = 0
        self._bitrate_bps = bitrate_bps
        seeded = random.Random(seed)
        encoded_s = 0.0
        for n in range(int(20 * frames_per_s)):
            taken_s = n / frames_per_s
            encoded_s = max(encoded_s, taken_s + late_s(taken_s))
            left = int(bitrate_bps / 8 / frames_per_s * SHARES[n % 4] * max(0.3, seeded.gauss(1.0, 0.15)))
            while left > 0:
                size = min(PACKET_BYTES, left)
                left -= size
                delivery = self.path.send(size + HEADERS, encoded_s)
                if delivery is not None and delivery.arrived_s is not None:
                    timestamp = int(taken_s * VIDEO_CLOCK) + (1 << 32) - 5 * VIDEO_CLOCK & 0xFFFFFFFF
                    self.arrivals.append((delivery.arrived_s, timestamp, size))
                encoded_s += 8 * size / (PACING * bitrate_bps)
        self.arrivals.sort()

    def told(self) -> list[tuple[float, float]]:
        """(when, cap) of all that the publisher is told."""
        found = []
        total = 0
        newest = (0, 0.0, 0)
        waiting = self.arrivals[::-1]
        now = 0.0
        while now < 20:
            now += TICK_S if self.uplink.suspect else CALM_TICK_S
            self.looks += 1
            while waiting and waiting[-1][0] <= now:
                heard_s, timestamp, size = waiting.pop()
                total += size
                newest = (timestamp, heard_s, total)
            if total and self.uplink.look(*newest, self._bitrate_bps, now):
                assert self.uplink.cap_bps is not None
                found.append((now, self.uplink.cap_bps))
        return found


@pytest.mark.parametrize("frames_per_s", [15.0, 30.0])
def test_a_drop_is_told_before_a_browser_sees_it(frames_per_s: float) -> None:
    after_s = []
    for seed in range(1, 9):
        at_s = 10.0 + 0.017 * seed
        schedule = [(0.0, Conditions(2e6, 0.05)), (at_s, Conditions(5e5, 0.05))]
        when_s, cap_bps = Publisher(schedule, seed=seed, frames_per_s=frames_per_s).told()[0]
        assert cap_bps == pytest.approx(USABLE * 5e5, rel=0.25)
        after_s.append(when_s - at_s)
    assert min(after_s) > 0.05
    assert statistics.median(after_s) < 0.3
    assert max(after_s) < 0.5


def test_it_is_held_for_a_time() -> None:
    wide, narrow = Conditions(2e6, 0.05), Conditions(5e5, 0.05)
    publisher = Publisher([(0.0, wide), (10.0, narrow), (10.3, wide)])
    (at_s, _), *_ = publisher.told()
    assert at_s + HOLD_S < 20
    assert publisher.uplink.cap_bps is None


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(4e6, 0.05),
        Conditions(4e6, 0.05, loss=0.1),
        Conditions(4e6, 0.05, jitter_s=0.01),
        Conditions(2e6, 0.05, reordering=0.05),
    ],
)
def test_a_path_that_stays_as_it_is_is_left_alone(seed: int, conditions: Conditions) -> None:
    publisher = Publisher([(0.0, conditions)], seed=seed)
    assert publisher.told() == []


@pytest.mark.parametrize(
    "late_s",
    [
        pytest.param(lambda at_s: 0.3 if 10.0 <= at_s < 10.1 else 0.005, id="once"),
        pytest.param(lambda at_s: 0.005 if at_s < 10.0 else 0.2, id="from a time on"),
    ],
)
def test_a_camera_that_is_late_is_no_narrow_path(late_s: Callable[[float], float]) -> None:
    assert Publisher([(0.0, Conditions(4e6, 0.05))], late_s=late_s).told() == []


def test_another_clock_begins_anew() -> None:
    uplink = Uplink()
    for n in range(100):
        now = n / 20
        timestamp = n * 4500 if n < 50 else 1_000_000 + n * 4500
        assert not uplink.look(timestamp, now + 0.05, 5000 * (n + 1), 8e5, now + 0.06)
