"""A call on two relays, one that carries packets in C and one in Python: every step is given to both, and
what leaves, is counted and is kept is compared."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pylibsrtp import Error

from media import rtcp, rtp
from media.aiortc_private import SrtpSession
from media.encoding import Encoding
from media.interface import Source, TransportState
from media.layers import EVERYTHING
from media.native.shared_peer import SharedPeer, SharedViewerPath
from media.subscription import Subscription
from media.twcc import ArrivalRecorder
from tests.media.keyed_relay import KeyedRelay, keyed_end
from tests.media.raw_peer import AUDIO_LINES, VIDEO_LINES

VIDEO, VIDEO_RTX, SOUND, MOVED = 0x1111, 0x2222, 0x3333, 0x4444
VIEWERS = ("plain", "numbered", "once")
"""By transport-cc and RTX: without either, with both, with the former only."""
INTERFRAMES = {
    "VP8": (
        b"\x90\xe0\x81\x05\x07\x40\x01",
        b"\x10\x01",
        b"\x80\x80\x11",
        b"\x90\x80\x7f\x01",
        b"\x80\xc0\xff",
    ),
    "VP9": (b"\xc8\x81\x05", b"\x84\x05", b"\x40", b"\xe8\x81\x05\x20\x00"),
    "H264": (b"\x41\x9a", b"\x7c\x81\x9a", b"\x7c\x01\x9a", b"\x06\x05", b"\x78\x00\x02\x41\x9a"),
    "AV1": (b"\x10\x32\x01\x30", b"\x80"),
}
KEYFRAMES = {
    "VP8": b"\x90\x80\x81\x07\x00\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00",
    "VP9": b"\x88\x81\x07\x80\x49\x83\x42\x00\x27\xf0\x1d",
    "H264": b"\x67\x42\xe0\x1f",
    "AV1": b"\x18\x0a\x0b\x00\x00\x00\x24\xcf\x7f\x0d\xbf\xff\x30\x08",
}
FIRST_BYTES = {
    "VP8": [0x00, 0x10, 0x80, 0x90, 0x11, 0x30],
    "VP9": [0x08, 0x48, 0x88, 0xA8, 0xE8, 0x00],
    "H264": [0x65, 0x67, 0x68, 0x78, 0x7C, 0x41, 0x06],
    "AV1": [0x18, 0x10, 0x88],
}


def offer(name: str, codec: str, direction: str) -> str:
    """Video and sound both ways alike; the viewers' names say what they lack."""
    video = VIDEO_LINES.replace("VP8", codec)
    if codec == "H264":
        video += "\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f"
    sound = AUDIO_LINES
    if name == "plain":
        video, sound = (lines.replace("a=extmap:3", "a=x-extmap:3") for lines in (video, sound))
    formats = "96 97"
    if name in ("plain", "once"):
        formats, video = "96", video.replace("a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n", "")
    if direction == "sendonly":
        video += f"\na=ssrc-group:FID {VIDEO} {VIDEO_RTX}\na=ssrc:{VIDEO} cname:c\na=ssrc:{VIDEO_RTX} cname:c"
        sound += f"\na=ssrc:{SOUND} cname:c"
    common = (
        f"c=IN IP4 0.0.0.0\na={direction}\na=ice-ufrag:{name}\na=ice-pwd:{'p' * 24}\na=setup:actpass\n"
        f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}\na=rtcp-mux\na=rtcp-rsize\n"
    )
    lines = (
        f"v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE 0 1\n"
        f"m=video 9 UDP/TLS/RTP/SAVPF {formats}\na=mid:0\n{video}\n{common}"
        f"m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:1\n{sound}\n{common}"
    )
    return lines.replace("\n", "\r\n")


class Call:
    """One publisher and three viewers, on a relay of each way; every step is given to both and compared."""

    def __init__(self, codec: str, key_length: int, first_sequence: int, seed: int) -> None:
        self.codec = codec
        self.relays = [KeyedRelay(native=way, key_length=key_length, seed=seed) for way in (False, True)]
        self._key_length = key_length
        self._dice = random.Random(seed)
        self.ssrc = VIDEO
        self.sequence = first_sequence
        self.sound = first_sequence
        self.number = 65_500
        self.repair = 0
        self.lost: list[bytes] = []
        self.kept: list[bytes] = []
        self.pictures: list[bytes] = []
        self.datagrams: list[bytes] = []
        self.arrived = {name: ArrivalRecorder() for name in VIEWERS}
        self.seen: dict[str, set[bytes]] = {name: set() for name in VIEWERS}
        _, self.sending = keyed_end("publisher", key_length).other().srtp()
        self.ends: dict[str, tuple[SrtpSession, SrtpSession]] = {}
        sources = {"0": Source.CAMERA, "1": Source.MICROPHONE}
        for relay in self.relays:
            relay.negotiate("publisher", offer("publisher", codec, "sendonly"), sources, {})
        self.publications = tuple(self.relays[0].rooms.fanouts)
        assert tuple(self.relays[1].rooms.fanouts) == self.publications
        for name in VIEWERS:
            self.join(name)

    def close(self) -> None:
        for relay in self.relays:
            relay.close()

    # What the publisher sends.

    def video(self, payload: bytes, *, marker: bool = True, extra: bytes = b"", bare: bool = False) -> bytes:
        """The next packet of the camera; bare: without header extensions."""
        self.sequence += 1
        self.number += 1
        values = [(3, (self.number & 0xFFFF).to_bytes(2, "big")), (4, b"0")]
        extensions = rtp.extension_block([] if bare else values)
        stamp = self.sequence // 3 * 3000
        return rtp.header(96, self.sequence, stamp, self.ssrc, marker, extensions) + payload + extra

    def interframe(self, size: int = 200) -> bytes:
        start = self._dice.choice(INTERFRAMES[self.codec])
        payload = start + self._dice.randbytes(size)
        marker, bare = self._dice.random() < 0.3, self._dice.random() < 0.1
        self.pictures.append(self.video(payload, marker=marker, bare=bare))
        return self.pictures[-1]

    def send(self, packet: bytes) -> None:
        self.kept.append(packet)
        self.give("publisher", self.protected(packet))

    def protected(self, packet: bytes) -> bytes:
        """As it is on the wire; what libsrtp refuses to encrypt comes as it is."""
        try:
            return self.sending.protect(packet)
        except (Error, ValueError):
            return packet

    def flow(self, count: int, size: int) -> None:
        """A part of a picture that comes as it should."""
        for _ in range(count):
            self.pass_time(5)
            self.send(self.interframe(size))

    def keyframe(self) -> None:
        self.send(self.video(KEYFRAMES[self.codec] + self._dice.randbytes(300), marker=False))
        self.flow(3, 800)

    def sounds(self, count: int) -> None:
        for _ in range(count):
            self.sound += 1
            self.send(rtp.header(111, self.sound, 960 * self.sound, SOUND, False) + self._dice.randbytes(80))

    def lose(self, count: int) -> None:
        self.lost += [self.interframe() for _ in range(count)]

    def come_late(self, count: int) -> None:
        for _ in range(min(count, len(self.lost))):
            self.send(self.lost.pop(self._dice.randrange(len(self.lost))))

    def repair_lost(self, count: int) -> None:
        """RTX of what was lost, or of what came long ago."""
        for _ in range(count):
            original = self.lost.pop(0) if self.lost else self._dice.choice(self.pictures[-200:])
            start, _ = rtp.payload_bounds(original)
            self.repair += 1
            head = rtp.header(97, self.repair, int.from_bytes(original[4:8], "big"), VIDEO_RTX, True)
            self.send(head + original[2:4] + original[start:])

    def reorder(self, count: int) -> None:
        packets = [self.interframe() for _ in range(count)]
        self._dice.shuffle(packets)
        for packet in packets:
            self.send(packet)

    def repeat(self, back: int) -> None:
        """The same datagram again."""
        if self.datagrams:
            self.give("publisher", self.datagrams[-min(back, len(self.datagrams))])

    def send_again(self, back: int) -> None:
        """The same packet again, encrypted anew where libsrtp does that."""
        if self.kept:
            self.send(self.kept[-min(back, len(self.kept))])

    def move(self) -> None:
        """The publisher goes on from another address, where its packets authenticate it."""
        datagram = self.protected(self.interframe())
        for relay in self.relays:
            relay.move("publisher", datagram)

    def forge(self) -> None:
        packet = self.interframe()
        _, forging = keyed_end("somebody", self._key_length).other().srtp()
        self.give("publisher", forging.protect(packet))

    def cut(self, size: int) -> None:
        self.give("publisher", self.protected(self.interframe())[:size])

    def say(self, first: int, rest: bytes) -> None:
        """The next packet, with a payload of any bytes."""
        firsts = FIRST_BYTES[self.codec]
        self.send(self.video(bytes([firsts[first % len(firsts)]]) + rest))

    def jump(self, distance: int) -> None:
        """The sequence numbers go on somewhere else."""
        self.sequence += distance

    def be_hostile(self, changes: list[tuple[int, int]], block: bytes, sound: bool) -> None:
        """The next packet with bytes of its header changed, and a header extension of any bytes."""
        packet = bytearray(self.interframe(20))
        if sound:
            self.sound += 1
            packet = bytearray(rtp.header(111, self.sound, 960 * self.sound, SOUND, False) + bytes(20))
        if block:
            packet = packet[:12] + block + bytes(-len(block) % 4) + bytes(20)
            packet[0] |= 0x10
        for at, value in changes:
            packet[at % len(packet)] = value
        self.send(bytes(packet))

    def pad(self, size: int) -> None:
        """A packet of padding behind, or instead of, a payload."""
        packet = bytearray(
            self.video(b"\x10\x01" if size % 2 else b"", extra=bytes(size) + bytes([size + 1]))
        )
        packet[0] |= 0x20
        self.send(bytes(packet))

    def flood(self, count: int) -> None:
        """Ten times the budget and more, at one instant."""
        for _ in range(100 * count):
            self.send(self.interframe(1300))

    def begin_anew(self) -> None:
        """The camera goes on under another SSRC, which its mid tells."""
        self.ssrc = MOVED if self.ssrc == VIDEO else VIDEO
        self.keyframe()

    def report(self) -> None:
        report = rtcp.SenderReport(self.ssrc, int(self.relays[0].now * (1 << 32)), 5_000, 1, 1)
        self.give("publisher", self.sending.protect_rtcp(rtcp.sender_report(report)))

    # What viewers do.

    def join(self, name: str) -> None:
        self.ends[name] = keyed_end(name, self._key_length).other().srtp()
        self.arrived[name] = ArrivalRecorder()
        wanted = dict(zip("01", self.publications, strict=True))
        for relay in self.relays:
            relay.negotiate(name, offer(name, self.codec, "recvonly"), {}, wanted)

    def come_back(self, name: str) -> None:
        """A viewer leaves and joins again."""
        self.compare()
        for relay in self.relays:
            relay.leave(name)
        self.flow(2, 100)
        self.join(name)

    def intrude(self, name: str) -> None:
        """A viewer sends under the publisher's SSRC."""
        self.give(name, self.ends[name][1].protect(rtp.header(96, 1, 0, VIDEO, True) + b"\x10\x01"))

    def nack(self, viewer: str, back: int, count: int, sound: bool) -> None:
        subscription = self.subscriptions(viewer)[0][sound]
        highest = subscription._next_sequence - back
        message = rtcp.nack(1, subscription.ssrc, [(highest + n) & 0xFFFF for n in range(count)])
        self.give(viewer, self.ends[viewer][1].protect_rtcp(message))

    def want_keyframe(self, viewer: str) -> None:
        message = rtcp.picture_loss(1, self.subscriptions(viewer)[0][0].ssrc)
        self.give(viewer, self.ends[viewer][1].protect_rtcp(message))

    def choose(self, viewer: str, temporal: int | None, paused: bool) -> None:
        target = EVERYTHING._replace(max_temporal=temporal, paused=paused)
        for relay in self.relays:
            assert relay.participant(viewer).viewer.set_layer(self.publications[0], target)

    def pace(self, viewer: str) -> None:
        """The viewer's path is not ample any more."""
        for relay in self.relays:
            relay.participant(viewer).viewer.path.direct = False

    def unhurry(self, viewer: str) -> None:
        """The viewer's path carries much more than is sent: its feedback may wait."""
        for relay in self.relays:
            relay.participant(viewer).viewer.path.unhurried = True

    def acknowledge(self, viewer: str, count: int, every: int) -> None:
        """Transport-cc feedback alone: of the last `count` packets so many have come, every so many."""
        path = self.relays[0].participant(viewer).viewer.path
        self.compare()
        for number in range(max(0, path._number - count), path._number + 1, every):
            self.arrived[viewer].received(number & 0xFFFF, int(self.relays[0].now * 1e6) + 100 * number)
        for message in self.arrived[viewer].feedback(1, 2):
            self.give(viewer, self.ends[viewer][1].protect_rtcp(message))

    def fall_silent(self, viewer: str) -> None:
        """The viewer is gone, and back."""
        for state in (TransportState.SILENT, TransportState.CONNECTED):
            for relay in self.relays:
                relay.participant(viewer).transport.state = state
                relay.participant(viewer).follow_transport(relay.now)
            self.flow(2, 100)

    # Both relays.

    def pass_time(self, milliseconds: int) -> None:
        for relay in self.relays:
            relay.now += milliseconds / 1e3

    def tick(self, milliseconds: int) -> None:
        self.pass_time(milliseconds)
        for relay in self.relays:
            relay.tick()
        self.compare()

    def give(self, name: str, datagram: bytes) -> None:
        """A datagram from a participant, to both."""
        if name == "publisher":
            self.datagrams.append(datagram)
        for relay in self.relays:
            relay.receive(name, datagram)

    def subscriptions(self, viewer: str) -> list[list[Subscription]]:
        """On either relay: of the camera and of the microphone."""
        return [
            [receiving.subscription for receiving in relay.participant(viewer).receiving.values()]
            for relay in self.relays
        ]

    def compare(self) -> None:
        """What has left since the last time, and what is known now, is the same."""
        python, native_ = (relay.sent() for relay in self.relays)
        assert python == native_
        for name in VIEWERS:
            receiving = self.ends[name][0]
            for datagram in python[name]:
                if datagram in self.seen[name]:
                    continue  # without RTX it goes out again as it was
                self.seen[name].add(datagram)
                control = rtp.is_rtcp(datagram)
                plain = receiving.unprotect_rtcp(datagram) if control else receiving.unprotect(datagram)
                assert not rtp.is_rtcp(plain) or control
        first, second = (known(relay) for relay in self.relays)
        for kind, numbers in first.items():
            assert numbers == second[kind], kind

    def compare_histories(self) -> None:
        """What may be asked for again is the same."""
        for python, native_ in zip(*(encodings(relay) for relay in self.relays), strict=True):
            for sequence in range(python.highest - 1030, python.highest + 2):
                assert python.history.get(sequence) == native_.history.get(sequence)


def encodings(relay: KeyedRelay) -> list[Encoding]:
    return [e for fanout in relay.rooms.fanouts.values() for e in fanout.publication.encodings]


def known(relay: KeyedRelay) -> dict[str, Any]:
    """Everything that is counted or decided upon."""
    participants = relay.rooms.participants.values()
    subscriptions = [r.subscription for p in participants for r in p.receiving.values()]
    for participant in participants:
        if isinstance(participant.viewer.path, SharedViewerPath):
            participant.viewer.path._take()
    return {
        "datagrams": (relay.incoming.received, dict(relay.incoming.dropped), relay.rooms.packets()),
        "events": relay.events,
        "publications": [fanout.publication.stats() for fanout in relay.rooms.fanouts.values()],
        "encodings": [
            (
                e.begun,
                e.heard_at_s,
                e.highest,
                e._missing._highest,
                e._missing._missing,
                e._reception._jitter,
                e._reception._last_transit,
                e.keyframes.wanted,
            )
            for e in encodings(relay)
        ],
        "subscriptions": [
            (
                s.started,
                s.active,
                s._start,
                s._floor,
                s._live_from,
                s._next_sequence,
                s._sequence_offset,
                s._timestamp_offset,
                s._picture_offset,
                s._tl0_offset,
                s._packets,
                s.octets_sent,
                s.last_sent_s,
                s._rtx_sequence,
                s.target,
                None if s._last is None else (s._last.sequence, s._last.timestamp),
            )
            for s in subscriptions
        ],
        "participants": [
            (
                p.path.last_media_s,
                p.path.policer._bytes,
                p.path.policer._refilled_s,
                len(p.path.arrivals),
                sorted(p.routes),
                p.viewer.path.direct,
                p.viewer.path.unhurried,
                p.viewer.path.estimate,
                p.viewer.path._pacer._empty_at_s,
                p.viewer.path._pacer.is_idle,
                p.path.memory.held_count if isinstance(p.path, SharedPeer) else len(p.path._held),
                p.viewer.path._number,
                p.viewer.path.dropped,
                p.viewer.path.estimator.sent_bytes,
            )
            for p in participants
        ],
    }


@contextmanager
def calling(codec: str, key_length: int = 32, first_sequence: int = 1, seed: int = 1) -> Iterator[Call]:
    call = Call(codec, key_length, first_sequence, seed)
    try:
        yield call
        call.compare()
        call.compare_histories()
    finally:
        call.close()
