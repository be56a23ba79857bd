"""Publications, Subscriptions and their parts with numbers that lie in the C structs of loop.h: the very same
classes, a few of whose attributes are kept where the packet loop reads and writes them too."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from media import rtp
from media.answer import ChosenCodec
from media.encoding import AUDIO_HISTORY, VIDEO_HISTORY, Encoding
from media.fanout import Fanout, Send
from media.history import History
from media.interface import PublicationInfo
from media.layers import FRAME, KEYFRAME
from media.nack import MissingPackets
from media.native import library
from media.native.memory import Ring, allocated, shared
from media.native.shared_peer import SharedPeer
from media.publication import Publication
from media.reception import Reception
from media.subscription import Subscription
from media.thinning import Thinner
from media.viewer_path import NUMBER_AT, ONE_BYTE_FORM
from media.watch import Watch

MAX_EXTENSIONS = 64
MAX_SUBSCRIPTIONS = 64
_FRAME = struct.Struct("@dq")
_CODECS = {"VP8": "STREAM_VP8", "VP9": "STREAM_VP9", "H264": "STREAM_H264"}
Describe = Callable[[bytes, int, int], int]


class SharedHistory(History):
    """A ring of slots in the struct's memory. What a payload is, is looked up when it is asked for."""

    __slots__ = ("_describe", "_ffi", "_index", "_lib", "memory")

    def __init__(self, capacity: int, memory: Any, describe: Describe | None, index: int) -> None:
        super().__init__(1)
        self._lib, self._ffi = library()
        self._mask = capacity - 1
        self._describe = describe
        self._index = index
        self.memory = memory

    def put(self, packet: rtp.Packet) -> bool:
        """See History."""
        sequence, data, start, end, timestamp, marker, starts, *_ = packet
        stored: bool = self._lib.stream_put(
            self.memory, sequence, data, len(data), start, end, timestamp, marker, starts
        )
        return stored

    def get(self, sequence: int) -> rtp.Packet | None:
        """See History."""
        slot = self._lib.stream_get(self.memory, sequence)
        if not slot:
            return None
        data: bytes = self._ffi.unpack(self._ffi.cast("char *", slot.data), slot.size)
        start, end = slot.start, slot.end
        layer = self._describe(data, start, end) if self._describe is not None else 0
        starts = bool(layer & KEYFRAME)
        return rtp.Packet(sequence, data, start, end, slot.timestamp, slot.marker, starts, layer, self._index)

    def timestamp(self, sequence: int) -> int | None:
        """The RTP timestamp of a packet that is kept, without the rest."""
        slot = self._lib.stream_get(self.memory, sequence)
        return slot.timestamp if slot else None

    def clear(self) -> None:
        """See History."""
        self._lib.stream_clear(self.memory)


class SharedSequences(rtp.SequenceUnwrapper):
    """The stream's highest number."""

    __slots__ = ("memory",)
    highest = shared("highest")

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        super().__init__()


class SharedMissing(MissingPackets):
    """The gaps are Python's; up to where there are none is shared."""

    _highest = shared("missing_highest")

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        super().__init__()


class SharedReception(Reception):
    """The statistics of a stream."""

    __slots__ = ("memory",)
    _base = shared("base")
    highest = shared("reception_highest")
    received = shared("received")
    _jitter = shared("jitter")

    def __init__(self, clock_rate: int, memory: Any) -> None:
        self.memory = memory
        super().__init__(clock_rate)

    @property
    def _last_transit(self) -> int | None:
        transit: int = self.memory.last_transit
        return transit if transit >= 0 else None

    @_last_transit.setter
    def _last_transit(self, transit: int | None) -> None:
        self.memory.last_transit = -1 if transit is None else transit


class SharedEncoding(Encoding):
    """One RTP stream's counters and history."""

    heard_at_s = shared("heard_at_s")
    _bytes = shared("bytes")
    _frames = shared("frames")
    _last_timestamp = shared("last_timestamp")

    def __init__(self, identity: int, codec: ChosenCodec, feedback_ssrc: int, **named: Any) -> None:
        lib, ffi = library()
        capacity = VIDEO_HISTORY if named["is_video"] else AUDIO_HISTORY
        self.memory = ffi.gc(allocated(lib.stream_new(identity, capacity)), lib.stream_free)
        super().__init__(codec, feedback_ssrc, **named)
        self.history: SharedHistory = SharedHistory(capacity, self.memory, self._describe, self.index)
        self._ring = Ring(self.memory.frames_ring, _FRAME)
        kind = _CODECS.get(codec.name, "STREAM_OTHER") if self.is_video else "STREAM_AUDIO"
        self.memory.codec = getattr(lib, kind)
        self.memory.payload_type = codec.payload_type
        self.memory.clock_rate = codec.clock_rate
        self.memory.asks_nack = self._asks_nack
        self.memory.ordinary = True

    def measure(self, now: float) -> None:
        """See Encoding."""
        self._read_frames()
        super().measure(now)

    def _restart(self) -> None:
        super()._restart()
        self._sequences = SharedSequences(self.memory)
        self._missing = SharedMissing(self.memory)
        self._reception = SharedReception(self.codec.clock_rate, self.memory)
        self.memory.frames_tail = self.memory.frames_head

    def _accept(self, sequence: int, *packet: Any, **named: Any) -> rtp.Packet | None:
        self._read_frames()
        return super()._accept(sequence, *packet, **named)

    def _read_frames(self) -> None:
        """Read the quantisers of frames whose first packets the loop has noted."""
        memory, quantiser, history = self.memory, self._quantiser, self.history
        tail, head = memory.frames_tail, memory.frames_head
        if tail == head:
            return
        memory.frames_tail = head
        all_wanted = self.codec.name == "H264"  # for its parameter sets
        for arrived_s, sequence in self._ring.between(tail, head):
            timestamp = history.timestamp(sequence)
            if timestamp is None or (not all_wanted and quantiser.passes_over(timestamp, arrived_s)):
                continue
            packet = history.get(sequence)
            if packet is not None and packet.layer & FRAME:
                quantiser.packet(packet.data, packet.start, packet.end, timestamp, arrived_s)


class SharedPublication(Publication):
    """One source, whose encodings are shared."""

    def __init__(
        self,
        identities: Iterator[int],
        info: PublicationInfo,
        codec: ChosenCodec,
        feedback_ssrc: int,
        rids: tuple[str, ...] = (),
    ) -> None:
        super().__init__(info, codec, feedback_ssrc, rids)
        self.shared = tuple(
            SharedEncoding(
                next(identities), codec, feedback_ssrc, is_video=self.is_video, index=index, rid=rid
            )
            for index, rid in enumerate(rids or ("",))
        )
        self.encodings = self.shared
        self.largest = self.shared[-1]


class SharedSubscription(Subscription):
    """Numbers, offsets and counters of a forwarded stream."""

    active = shared("active")
    ssrc = shared("ssrc")
    _start = shared("start")
    _sequence_offset = shared("sequence_offset")
    _timestamp_offset = shared("timestamp_offset")
    _live_from = shared("live_from")
    _next_sequence = shared("next_sequence")
    _picture_offset = shared("picture_offset")
    _tl0_offset = shared("tl0_offset")
    last_sent_s = shared("last_sent_s")
    _packets = shared("packets")
    octets_sent = shared("octets")

    def __init__(
        self, viewer: SharedPeer, publication: Publication, codec: ChosenCodec, *rest: Any, **named: Any
    ) -> None:
        _, self._ffi = library()
        self.memory = memory = self._ffi.new("Subscription *")
        self.viewer = viewer
        super().__init__(publication, codec, *rest, **named)
        extensions = self._extensions
        memory.viewer = viewer.memory
        memory.is_video = publication.is_video
        memory.payload_type = codec.payload_type
        memory.extensions_size = min(len(extensions), MAX_EXTENSIONS)
        memory.extensions[0 : memory.extensions_size] = extensions[:MAX_EXTENSIONS]
        if self.numbered:
            memory.number_at = NUMBER_AT if extensions[0] == ONE_BYTE_FORM else NUMBER_AT + 1
        self._plain = len(extensions) <= MAX_EXTENSIONS and not self._dependency_extension
        memory.ordinary = self._plain

    @property
    def source(self) -> Encoding | None:
        """See Subscription."""
        return self._source

    @source.setter
    def source(self, encoding: Encoding | None) -> None:
        self._source = encoding
        assert encoding is None or isinstance(encoding, SharedEncoding)
        self.memory.source = self._ffi.NULL if encoding is None else encoding.memory

    @property
    def _thinner(self) -> Thinner | None:
        return self._thinning

    @_thinner.setter
    def _thinner(self, thinner: Thinner | None) -> None:
        self._thinning = thinner
        self.memory.ordinary = thinner is None and getattr(self, "_plain", False)

    @property
    def _last(self) -> rtp.Packet | None:
        """The newest packet that was forwarded, of which its first bytes are kept."""
        memory = self.memory
        if memory.last_sequence < 0:
            return None
        head = bytes(memory.last_head[0 : memory.last_head_size])
        timestamp = memory.last_timestamp
        return rtp.Packet(memory.last_sequence, head, 0, len(head), timestamp, False, False, 0, 0)

    @_last.setter
    def _last(self, packet: rtp.Packet | None) -> None:
        memory = self.memory
        if packet is None:
            memory.last_sequence = -1
            return
        head = packet.data[packet.start : min(packet.end, packet.start + len(memory.last_head))]
        memory.last_sequence, memory.last_timestamp = packet.sequence, packet.timestamp
        memory.last_head_size = len(head)
        memory.last_head[0 : len(head)] = head


class SharedFanout(Fanout):
    """Who receives a Publication, as the loop knows them."""

    def __init__(self, publication: SharedPublication) -> None:
        self.encodings = publication.shared
        self._watch: Watch | None = None
        super().__init__(publication)

    @property
    def packets_sent(self) -> int:
        """Of all encodings."""
        return sum(encoding.memory.sent for encoding in self.encodings)

    @packets_sent.setter
    def packets_sent(self, count: int) -> None:
        self.encodings[0].memory.sent += count - self.packets_sent

    @property
    def packets_refused(self) -> int:
        """Of all encodings."""
        return sum(encoding.memory.refused for encoding in self.encodings)

    @packets_refused.setter
    def packets_refused(self, count: int) -> None:
        self.encodings[0].memory.refused += count - self.packets_refused

    @property
    def watch(self) -> Watch | None:
        """The tap."""
        return self._watch

    @watch.setter
    def watch(self, watch: Watch | None) -> None:
        self._watch = watch
        for encoding in self.encodings:
            encoding.memory.watched = watch is not None

    def add(self, subscription: Subscription, send_rtp: Send, send_rtcp: Send) -> None:
        """See Fanout."""
        super().add(subscription, send_rtp, send_rtcp)
        self._share()

    def remove(self, subscription: Subscription) -> None:
        """See Fanout."""
        super().remove(subscription)
        self._share()

    def _share(self) -> None:
        """Tell the loop who receives, in the order of `unserved`; more than it has room for are Python's."""
        receivers = self._receivers
        few = len(receivers) <= MAX_SUBSCRIPTIONS
        for encoding in self.encodings:
            memory = encoding.memory
            memory.ordinary = few
            memory.subscription_count = len(receivers) if few else 0
            for index in range(memory.subscription_count):
                subscription = receivers[index][0]
                assert isinstance(subscription, SharedSubscription)
                memory.subscriptions[index] = subscription.memory

    def deliver_rest(self, identity: int, sequence: int, unserved: int, now: float) -> None:
        """Give a packet that the loop has accepted to those whose bits are set, and to the tap. identity: of
        its encoding. It may have left the history meanwhile."""
        encoding = next(each for each in self.encodings if each.memory.id == identity)
        packet = encoding.history.get(sequence)
        if packet is None:
            return
        for index, receiver in enumerate(self._receivers):
            if unserved >> index & 1:
                self._give(receiver, packet, now)
                subscription = receiver[0]
                assert isinstance(subscription, SharedSubscription)
                subscription.viewer.viewer.tell_waits()  # it may have needed no place there
        if self._watch is not None:
            self._watch.feed(packet, now)
