"""A whole call towards one viewer in simulated time, frame by frame: a publisher with temporal layers that
follows what it is told, the relay's own Viewer with its Subscriptions, an emulated path, and a viewer that
asks for what it misses and shows what it can decode."""

from __future__ import annotations

import functools
import itertools
import random
from dataclasses import dataclass, replace

from media import rtcp, rtp, vp8
from media.adaptation import HEADERS, best
from media.answer import ChosenCodec
from media.congestion.allocation import Purpose
from media.fanout import Fanout
from media.interface import AdaptationLevel
from media.layers import FRAME, KEYFRAME, SYNC, TEMPORAL_SHIFT
from media.subscription import Subscription
from media.twcc import ArrivalRecorder
from media.viewer import Receiving, Viewer
from media.viewer_path import OVERHEAD_BYTES
from tests.media import streams
from tests.media.congestion.call import Simulation
from tests.support.netem import Conditions, Path

MOST_BPS = 2_500_000
TICK_S = 0.02
BUDGETS_S = 0.1
"""As media.worker."""
FEEDBACK_S = 0.05
"""How often a browser reports arrivals where there is enough to report (libwebrtc remote_estimator_proxy)."""
REACTION_S = 0.15
"""A REMB on its way, and the encoder that takes it in (measured, Chromium: 0.1 to 0.2 s)."""
PACING_FACTOR = 2.5
"""A browser lets a frame out so much faster than its rate (libwebrtc's pacing factor)."""
PATTERN = ((0, False), (2, True), (1, True), (2, False))
"""Temporal id, and whether a picture refers to the base layer only, as libvpx has it with three layers."""
SHARES = {0: 0.4, 1: 0.2, 2: 0.2}
"""Of a pattern's bits, in a picture of each layer (libwebrtc's default allocation)."""
KEYFRAME_SHARE = 1.5
"""A keyframe's bits, in those of a pattern (measured, Chromium)."""
NOISE = 0.15
MAX_PAYLOAD = 1100
SOUND_BYTES = 80
NUMBERED = [(3, b"\0\0"), (4, b"0")]
PICTURE_SSRC, RTX_SSRC, SOUND_SSRC = 500, 501, 502
BUSY_LATE_S = 0.15
"""A busy machine is late by this at most."""
STALL_S = 3.0
"""Without a decodable frame for so long, a browser asks for a keyframe."""


@dataclass(slots=True)
class Frame:
    """A picture that is coming in; numbers are extended ones of the viewer's stream."""

    picture: int
    tl0: int
    layer: int
    first: int
    last: int = -1


class Screen:
    """What a browser makes of the packets: frames in order, each once all that it refers to is decoded."""

    def __init__(self) -> None:
        self.shown: list[float] = []
        self.missing: dict[int, float] = {}
        """Sequence number, and when it was last asked for."""
        self._packets: dict[int, tuple[int, int, int, bool]] = {}
        self._unwrap = rtp.SequenceUnwrapper()
        self._highest = -1
        self._played = -1
        self._base: int | None = None
        self._decoded: dict[int, list[int]] = {}

    def receive(self, sequence: int, data: bytes, start: int, *, marker: bool, now: float) -> None:
        """A packet of the picture, or one that was sent again."""
        number = self._unwrap.unwrap(sequence)
        self.missing.pop(number, None)
        if number <= self._played or number in self._packets:
            return
        if self._highest >= 0:
            self.missing.update(dict.fromkeys(range(self._highest + 1, number), -1.0))
        self._highest = max(self._highest, number)
        if start == len(data):
            return  # left out on the way
        picture, tl0 = vp8.picture_numbers(data, start, len(data))
        layer = vp8.describe(data, start, len(data))
        self._packets[number] = (picture, tl0, layer, marker)
        while self._play(now):
            pass

    def asks(self, now: float, rtt_s: float) -> tuple[int, ...]:
        """What to ask for now."""
        due = [number for number, asked_s in self.missing.items() if now - asked_s >= rtt_s]
        self.missing.update(dict.fromkeys(due, now))
        return tuple(number & 0xFFFF for number in due)

    def _play(self, now: float) -> bool:
        """Show the first frame that can be; True when there was one."""
        for first in sorted(n for n, packet in self._packets.items() if packet[2] & FRAME):
            last = self._whole(first)
            if last is None:
                continue
            picture, tl0, layer, _ = self._packets[first]
            if not self._decodable(picture, tl0, layer):
                continue
            if layer >> TEMPORAL_SHIFT == 0:
                self._base = tl0
                self._decoded = {tl0: [picture]}
            else:
                self._decoded[tl0].append(picture)
            self._played = last
            self._packets = {n: packet for n, packet in self._packets.items() if n > last}
            self.missing = {n: at for n, at in self.missing.items() if n > last}
            self.shown.append(now)
            return True
        return False

    def _whole(self, first: int) -> int | None:
        """The last packet of a frame that is all there."""
        for number in itertools.count(first):
            packet = self._packets.get(number)
            if packet is None:
                return None
            if packet[3]:
                return number
        raise AssertionError

    def _decodable(self, picture: int, tl0: int, layer: int) -> bool:
        if layer & KEYFRAME:
            return True
        if layer >> TEMPORAL_SHIFT == 0:
            return self._base is not None and tl0 == (self._base + 1) & 0xFF
        group = self._decoded.get(tl0)
        if group is None:
            return False
        return bool(layer & SYNC) or picture == (group[-1] + 1) & 0x7FFF


class PictureCall:
    """The patient's picture and sound over a path. schedule: towards the viewer. busy_s: for so long all
    timers and arrivals are late, as on machines that have other things to do."""

    def __init__(
        self,
        schedule: list[tuple[float, Conditions]],
        seed: int,
        *,
        most_bps: float = MOST_BPS,
        busy_s: float = 0.0,
    ) -> None:
        self.simulation = run = Simulation()
        self.network = Path(schedule, seed)
        self.back_s = schedule[0][1].delay_s
        self.screen = Screen()
        self.encoder_bps = 1_000_000.0
        self.frames_per_s = 30.0
        self.levels: list[tuple[float, AdaptationLevel]] = []
        self.waits: list[tuple[float, float]] = []
        """(sent at, wait at the bottleneck) of each packet; one that was dropped there waited for ever."""
        self.delivered: list[tuple[float, int]] = []
        self._most_bps = most_bps
        self._busy_s = busy_s
        self._noticed_s = 0.0
        self._random = random.Random(seed + 1)
        self._recorder = ArrivalRecorder()
        self._sound_sequence = self._picture_sequence = self._picture = self._tl0 = self._turn = 0
        self._keyframe = True
        self._asked_keyframe_s = 0.0
        self.viewer = Viewer(
            MOST_BPS, lambda delay_s, wake: run.at(run.now + delay_s + self._late_s(), wake), lambda: run.now
        )
        self._receiving = [
            self._receive("sound", streams.OPUS, streams.VIEWERS_OPUS, SOUND_SSRC, None),
            self._receive("picture", streams.VP8, streams.VIEWERS_VP8, PICTURE_SSRC, RTX_SSRC),
        ]
        self.picture = self._receiving[1].subscription
        self.viewer.route()
        self.viewer.follow(connected=True, now=0.0)
        run.every(0.02, self._speak)
        run.at(0.0, self._frame)
        run.every(TICK_S, self._tick, 0.001)
        run.every(BUDGETS_S, self._tell, 0.002)
        run.every(1.0, self._measure)
        run.every(FEEDBACK_S, self._report, 0.011)
        run.every(TICK_S, self._ask, 0.013)

    def run(self, until_s: float) -> PictureCall:
        """Let time pass."""
        self.simulation.run(until_s)
        return self

    def _late_s(self) -> float:
        return self._random.uniform(0.0, BUSY_LATE_S) if self.simulation.now < self._busy_s else 0.0

    # The publisher.

    def _speak(self) -> None:
        self._sound_sequence += 1
        self._publish(0, streams.opus(self._sound_sequence) + bytes(SOUND_BYTES))

    def _frame(self) -> None:
        run = self.simulation
        self._picture += 1
        layer, sync = PATTERN[self._turn % len(PATTERN)]
        keyframe, self._keyframe = self._keyframe, False
        if keyframe:
            layer, sync, self._turn = 0, False, 0
        self._turn += 1
        share = KEYFRAME_SHARE if keyframe else SHARES[layer]
        pattern_bits = self.encoder_bps * len(PATTERN) / self.frames_per_s
        left = max(200, int(pattern_bits / 8 * share * max(0.3, self._random.gauss(1.0, NOISE))))
        if not layer:
            self._tl0 += 1
        at_s, begins = run.now, True
        while left > 0:
            size = min(MAX_PAYLOAD, left)
            left -= size
            self._picture_sequence += 1
            data = streams.vp8(
                self._picture_sequence,
                self._picture,
                key=keyframe,
                marker=left <= 0,
                tl0=self._tl0,
                temporal=layer,
                sync=sync,
                starts=begins,
            )
            begins = False
            run.at(at_s, functools.partial(self._publish, 1, data + bytes(size)))
            at_s += 8 * size / (PACING_FACTOR * self.encoder_bps)
        run.at(run.now + 1 / self.frames_per_s, self._frame)

    def _publish(self, index: int, data: bytes) -> None:
        fanout, now = self._receiving[index].fanout, self.simulation.now
        packet = fanout.publication.encodings[0].receive(data, now)
        assert packet is not None
        fanout.deliver(packet, now)

    def _tell(self) -> None:
        """What media.rooms tells the publisher."""
        run, publication = self.simulation, self._receiving[1].fanout.publication
        budgets = [b for b in self.viewer.path.allocation.budgets if b.purpose is Purpose.PATIENT_PICTURE]
        if publication.set_budget(best(budgets)) and budgets:
            run.at(run.now + REACTION_S, functools.partial(self._follow, *best(budgets)))
        if publication.encodings[0].keyframes.due(run.now):
            run.at(run.now + REACTION_S, self._begin_anew)

    def _follow(self, bitrate_bps: float, frames_per_s: float) -> None:
        self.encoder_bps = max(30_000.0, min(self._most_bps, bitrate_bps) / HEADERS)
        self.frames_per_s = max(1.0, frames_per_s)

    def _begin_anew(self) -> None:
        self._keyframe = True

    # The relay.

    def _receive(
        self, name: str, codec: ChosenCodec, viewers: ChosenCodec, ssrc: int, rtx: int | None
    ) -> Receiving:
        source = streams.publication(codec, name)
        source.info = replace(source.info, is_patient=True)
        subscription = Subscription(source, viewers, ssrc, rtx, NUMBERED, 1000, 77, numbered=True)
        fanout = Fanout(source)
        fanout.add(subscription, self.viewer.sender(subscription, self._leave), lambda _: True)
        made = self.viewer.receiving[name] = Receiving(subscription, fanout)
        return made

    def _tick(self) -> None:
        self.viewer.tick(self.simulation.now)
        if self.viewer.budget_fell:
            self.viewer.budget_fell = False
            self._tell()
        self.levels.append((self.simulation.now, self.viewer.path.stats().level))

    def _measure(self) -> None:
        for receiving in self._receiving:
            receiving.fanout.publication.measure(self.simulation.now)

    def _leave(self, data: bytes) -> bool:
        now, size = self.simulation.now, len(data) + OVERHEAD_BYTES
        delivery = self.network.send(size, now)
        self.waits.append((now, float("inf") if delivery is None else delivery.waited_s))
        if delivery is not None and delivery.arrived_s is not None:
            self.delivered.append((delivery.arrived_s, size))
            self.simulation.at(delivery.arrived_s, functools.partial(self._notice, data))
        return True

    # The viewer.

    def _notice(self, data: bytes) -> None:
        """In order, however late."""
        run = self.simulation
        self._noticed_s = max(self._noticed_s, run.now + self._late_s())
        run.at(self._noticed_s, functools.partial(self._arrive, data))

    def _arrive(self, data: bytes) -> None:
        now = self.simulation.now
        number = rtp.extension(data, NUMBERED[0][0])
        assert number is not None
        self._recorder.received(int.from_bytes(number, "big"), int((now + 500.0) * 1e6))
        ssrc, sequence = int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big")
        start, end = rtp.payload_bounds(data)
        if ssrc == RTX_SSRC:
            if end == start:
                return  # padding alone
            sequence, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        if ssrc != SOUND_SSRC:
            self.screen.receive(sequence, data, start, marker=data[1] > 127, now=now)
            self._ask()

    def _ask(self) -> None:
        now = self.simulation.now
        wanted = self.screen.asks(now, 2 * self.back_s)
        if wanted:
            self._say(rtcp.Nack(1, PICTURE_SSRC, wanted))
        since_s = max(self._asked_keyframe_s, self.screen.shown[-1] if self.screen.shown else 0.0)
        if now - since_s > STALL_S:
            self._asked_keyframe_s = now
            self._say(rtcp.PictureLoss(1, PICTURE_SSRC))

    def _report(self) -> None:
        for message in self._recorder.feedback(1, 2):
            for packet in rtcp.parse(message):
                self._say(packet)

    def _say(self, packet: rtcp.Rtcp) -> None:
        run = self.simulation
        run.at(run.now + self.back_s, lambda: self.viewer.receive(packet, run.now, self._leave))

    # What is measured.

    def longest_freeze_s(self, begin_s: float, end_s: float) -> float:
        """Longest time without a newly shown frame."""
        inside = [at_s for at_s in self.screen.shown if begin_s <= at_s <= end_s]
        return max(b - a for a, b in itertools.pairwise([begin_s, *inside, end_s]))

    def followed_after_s(self, at_s: float, queue_s: float = 0.1, hold_s: float = 0.5) -> float:
        """Seconds from a time until packets wait less than queue_s, and go on so for hold_s."""
        since_s = None
        for sent_s, waited_s in self.waits:
            if sent_s < at_s:
                continue
            if waited_s < queue_s:
                since_s = sent_s if since_s is None else since_s
                if sent_s - since_s >= hold_s:
                    return since_s - at_s
            else:
                since_s = None
        return float("inf")

    def lost(self, begin_s: float, end_s: float) -> int:
        """Packets that found the bottleneck's queue full."""
        return sum(begin_s <= at_s < end_s and waited_s == float("inf") for at_s, waited_s in self.waits)

    def utilisation(self, begin_s: float, end_s: float) -> float:
        """Delivered bits against what the bottleneck could pass on."""
        bits = sum(8 * size for at_s, size in self.delivered if begin_s <= at_s < end_s)
        return bits / self.network.capacity_bits(begin_s, end_s)
