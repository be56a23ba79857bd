"""Rooms of the load in motion: every publisher sends the trace, each from another place of it, and every
viewer accounts for what arrives. One event loop, one timer, the wall clock."""

from __future__ import annotations

import asyncio
import heapq
import secrets
import time
from dataclasses import dataclass, field

from bench.load.peer import Peer
from bench.load.trace import LENGTH_S, Chunk, Trace

TICK_S = 0.001
READ_S = 0.004
PEER_TICK_S = 0.02
KEYFRAME_AGAIN_S = 0.3
"""An encoder that was asked for a keyframe does not make another one sooner."""
AUDIO_TICKS = 960


@dataclass(slots=True)
class Counts:
    """What a stretch of time brought. delays_us: of the packets that were decrypted and recognised."""

    elapsed_s: float = 0.0
    sent: int = 0
    expected: int = 0
    delivered: int = 0
    retransmitted: int = 0
    lost: int = 0
    refused: int = 0
    unrecognised: int = 0
    keyframes_asked: int = 0
    late_p99_ms: float = 0.0
    delays_us: list[float] = field(default_factory=list)


class _Stream:
    """One stream's place in the trace."""

    def __init__(self, chunks: tuple[Chunk, ...], phase_s: float) -> None:
        self.chunks = chunks
        self.base_s = -phase_s
        self.next = next((n for n, chunk in enumerate(chunks) if chunk.at_s >= phase_s), 0)
        if chunks[self.next].at_s < phase_s:
            self.base_s += LENGTH_S

    @property
    def due_s(self) -> float:
        """When the next chunk is to be sent."""
        return self.base_s + self.chunks[self.next].at_s

    def advance(self) -> None:
        """Go on to the next chunk, around the end."""
        self.next += 1
        if self.next == len(self.chunks):
            self.next = 0
            self.base_s += LENGTH_S


class Room:
    """A publisher and its viewers. slots: see Trace.slots."""

    def __init__(self, host: str, trace: Trace, slots: dict[bytes, int], viewers: int) -> None:
        self.trace = trace
        self.delays_us: list[float] = []
        self.unrecognised = 0
        self.alters_media = False
        self._slots = slots
        self._sent_ns = [0] * (len(trace.video) + len(trace.audio))
        self.publisher = Peer(host)
        self.viewers = [Peer(host, self._sample) for _ in range(viewers)]
        self._picture = secrets.randbits(14)
        self._timestamps = {"audio": secrets.randbits(31), "video": secrets.randbits(31)}
        self._asked = 0
        self._keyframe_at_s = 0.0
        self.video: _Stream
        self.audio: _Stream

    def begin(self, now: float, phase_s: float) -> None:
        """Start at the trace's keyframe; audio lies phase_s off, so that rooms do not march in step."""
        self.video = _Stream(self.trace.video, 0.0)
        self.video.base_s += now
        self.audio = _Stream(self.trace.audio, 0.0)
        self.audio.base_s += now + phase_s % 0.02
        self._started_s = now

    def _sample(self, tail: bytes, arrived_ns: int) -> None:
        slot = self._slots.get(tail)
        if slot is None:
            self.unrecognised += 1
            return
        self.delays_us.append((arrived_ns - self._sent_ns[slot]) / 1000)

    @property
    def due_s(self) -> float:
        """When the room's next packet is to be sent."""
        return min(self.video.due_s, self.audio.due_s)

    def send_next(self, now: float) -> None:
        """Send the packet that is due first."""
        if self.audio.due_s <= self.video.due_s:
            number, chunk, stream = self.audio.next, self.audio.chunks[self.audio.next], self.audio
            timestamp = self._timestamps["audio"] + round((stream.due_s - self._started_s) * 50) * AUDIO_TICKS
            at_ns = self.publisher.send_payload("audio", chunk.data, False, timestamp & 0xFFFFFFFF)
            self._sent_ns[len(self.trace.video) + number] = at_ns
            stream.advance()
            return
        stream = self.video
        asked = self.publisher.keyframe_asked != self._asked
        if asked and stream.chunks[stream.next].first and now - self._keyframe_at_s > KEYFRAME_AGAIN_S:
            self._asked = self.publisher.keyframe_asked
            self._keyframe_at_s = now
            stream.base_s, stream.next = stream.due_s, 0
        number = stream.next
        chunk = stream.chunks[number]
        if chunk.first:
            self._picture = (self._picture + 1) & 0x7FFF
        first = 0x90 if chunk.first else 0x80
        descriptor = bytes((first, 0x80, 0x80 | self._picture >> 8, self._picture & 0xFF))
        taken_s = stream.base_s + chunk.frame_s - self._started_s
        timestamp = (self._timestamps["video"] + round(taken_s * 90_000)) & 0xFFFFFFFF
        at_ns = self.publisher.send_payload("video", descriptor + chunk.data, chunk.last, timestamp)
        self._sent_ns[number] = at_ns
        stream.advance()

    def another_viewer(self) -> Peer:
        """One more peer, not among the viewers yet."""
        return Peer(self.publisher.identity.host, self._sample)

    def peers(self) -> list[Peer]:
        """Everybody in the room."""
        return [self.publisher, *self.viewers]


class Traffic:
    """The load of all rooms. `measure` counts a stretch of it; it runs until `stop`."""

    def __init__(self, rooms: list[Room]) -> None:
        self.rooms = rooms
        self._loop = asyncio.get_running_loop()
        self._queue: list[tuple[float, int]] = []
        self._late_s: list[float] = []
        self._read_at_s = self._peers_at_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to send: rooms one after the other within a frame's time, always in the same order."""
        now = time.time()
        for index, room in enumerate(self.rooms):
            room.begin(now + (index * 0.618034 % 1.0) / 30, index * 0.0071)
            self._queue.append((room.due_s, index))
        heapq.heapify(self._queue)
        self._tick()

    def stop(self) -> None:
        """Send no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK_S, self._tick)
        queue, rooms = self._queue, self.rooms
        now = time.time()
        while queue and queue[0][0] <= now:
            due_s, index = queue[0]
            rooms[index].send_next(now)
            self._late_s.append(now - due_s)
            heapq.heapreplace(queue, (rooms[index].due_s, index))
        if now - self._read_at_s >= READ_S:
            self._read_at_s = now
            for room in rooms:
                for peer in room.peers():
                    peer.drain()
        if now - self._peers_at_s >= PEER_TICK_S:
            self._peers_at_s = now
            for room in rooms:
                for peer in room.peers():
                    peer.tick(now)

    def _totals(self) -> Counts:
        viewers = [viewer for room in self.rooms for viewer in room.viewers]
        return Counts(
            elapsed_s=time.time(),
            sent=sum(room.publisher.sent for room in self.rooms),
            expected=sum(room.publisher.sent * len(room.viewers) for room in self.rooms),
            delivered=sum(viewer.received for viewer in viewers),
            retransmitted=sum(viewer.retransmitted for viewer in viewers),
            lost=sum(receiver.lost for viewer in viewers for receiver in viewer.receivers.values()),
            refused=sum(peer.refused for room in self.rooms for peer in room.peers()),
            unrecognised=sum(room.unrecognised for room in self.rooms),
            keyframes_asked=sum(room.publisher.keyframe_asked for room in self.rooms),
        )

    def settle(self) -> None:
        """Everybody has joined: no socket wakes this process any more."""
        for room in self.rooms:
            for peer in room.peers():
                peer.read_by_timer()

    async def measure(self, seconds: float) -> Counts:
        """Count what happens from now on for a while."""
        before = self._totals()
        self._late_s.clear()
        for room in self.rooms:
            room.delays_us.clear()
        await asyncio.sleep(seconds)
        after = self._totals()
        late = sorted(self._late_s)
        return Counts(
            elapsed_s=after.elapsed_s - before.elapsed_s,
            sent=after.sent - before.sent,
            expected=after.expected - before.expected,
            delivered=after.delivered - before.delivered,
            retransmitted=after.retransmitted - before.retransmitted,
            lost=after.lost - before.lost,
            refused=after.refused - before.refused,
            unrecognised=after.unrecognised - before.unrecognised,
            keyframes_asked=after.keyframes_asked - before.keyframes_asked,
            late_p99_ms=1000 * late[int(0.99 * len(late))] if late else 0.0,
            delays_us=[delay for room in self.rooms for delay in room.delays_us],
        )

    async def close(self) -> None:
        """Say goodbye for everybody."""
        self.stop()
        for room in self.rooms:
            for peer in room.peers():
                await peer.close()
