"""What a participant sends, one source: an encoding of it, or several of different sizes (simulcast, RFC
8853), and which of them a viewer can have."""

from __future__ import annotations

import math

from media import rtcp
from media.answer import ChosenCodec
from media.encoding import Encoding
from media.interface import Kind, PublicationInfo, PublicationStats
from media.layers import MAX_SPATIAL, best_encoding
from media.uplink import Uplink

BUDGET_CHANGED = 0.05
"""A smaller change of what viewers can take is not told to the publisher at once, but with its next REMB."""
MIN_CAP_BPS = 30_000
"""Below this no browser keeps a picture moving."""
SILENT_AFTER_S = 1.5
"""An encoding of several that sends nothing for so long is off: browsers stop the larger ones when the path
is narrow. Longer than any gap of a camera at the lowest frame rate that is asked for."""


class Publication:
    """One published source. rids: names of its encodings, in the offer's order; empty where there is one."""

    def __init__(
        self, info: PublicationInfo, codec: ChosenCodec, feedback_ssrc: int, rids: tuple[str, ...] = ()
    ) -> None:
        self.info = info
        self.codec = codec
        self.rids = rids
        self.is_video = info.kind is Kind.VIDEO
        self.cap_bps: int | None = None
        self.budget: tuple[int, float] | None = None
        """(bit/s, frames per second) that the best of the viewers can take; None: there is none."""
        self._told: tuple[int, float] | None = None
        self._uplink = Uplink()
        self.dependency_extension = 0
        """Id of the Dependency Descriptor in its packets, or 0."""
        self.encodings = tuple(
            Encoding(codec, feedback_ssrc, is_video=self.is_video, index=index, rid=rid)
            for index, rid in enumerate(rids or ("",))
        )
        self._ranked = tuple(range(len(self.encodings)))
        self._sending: frozenset[int] = frozenset()
        self.largest = self.encodings[-1]
        """The largest encoding that there is."""

    @property
    def begun(self) -> bool:
        """Whether a first packet has come."""
        return any(encoding.begun for encoding in self.encodings)

    def set_cap(self, bitrate_bps: int | None) -> None:
        """What the publisher may send at most; None leaves it to the configuration."""
        self.cap_bps = None if bitrate_bps is None else max(MIN_CAP_BPS, bitrate_bps)

    def set_budget(self, budget: tuple[int, float] | None) -> bool:
        """Take what the best of the viewers can take; False when it is nearly what it was when last True."""
        known, self.budget = self._told, budget
        if known is not None and budget is not None and known[1] == budget[1]:
            if abs(budget[0] - known[0]) <= BUDGET_CHANGED * known[0]:
                return False
        elif known == budget:
            return False
        self._told = budget
        return True

    @property
    def limit_bps(self) -> float:
        """What the publisher may send: no more than its cap, than the best of its viewers can take, and than
        its own path passes where that has just become narrow."""
        limits = (self.cap_bps, self.budget and self.budget[0], self._uplink.cap_bps)
        return max(MIN_CAP_BPS, min((limit for limit in limits if limit is not None), default=math.inf))

    @property
    def hurries(self) -> bool:
        """Whether something is to be asked for, or its uplink to be looked at, with the next tick."""
        return self._uplink.suspect or any(encoding.asks for encoding in self.encodings)

    def look_at_uplink(self, now: float) -> bool:
        """See whether its pictures come late; True when the publisher is to be told less at once."""
        encoding = self.largest
        bitrate_bps = encoding.bitrate_bps
        return encoding.begun and self._uplink.look(*encoding.newest, bitrate_bps, now)

    @property
    def bitrate_bps(self) -> float:
        """Payload of all encodings that came in the last second."""
        return sum(encoding.bitrate_bps for encoding in self.encodings)

    def by_rid(self, rid: str) -> Encoding | None:
        """The encoding of this name."""
        return self.encodings[self.rids.index(rid)] if rid in self.rids else None

    def refresh(self, now: float) -> bool:
        """Look again which of several encodings there are; True when viewers must choose anew."""
        if len(self.encodings) == 1:
            return False
        sending = frozenset(
            e.index for e in self.encodings if e.begun and now - e.heard_at_s < SILENT_AFTER_S
        )
        ranked = self._ranked
        if all(encoding.size[0] for encoding in self.encodings):
            sizes = [encoding.size[0] * encoding.size[1] for encoding in self.encodings]
            ranked = tuple(sorted(range(len(sizes)), key=lambda index: sizes[index]))
        changed = sending != self._sending or ranked != self._ranked
        self._sending, self._ranked = sending, ranked
        self.largest = self.choose(MAX_SPATIAL)
        return changed

    def choose(self, max_spatial: int) -> Encoding:
        """The encoding for one who wants this rank, 0 the smallest, or less."""
        return self.encodings[best_encoding(self._ranked, self._sending, max_spatial)]

    def rank(self, encoding: Encoding) -> int:
        """The place of an encoding among all by size, 0 the smallest."""
        return self._ranked.index(encoding.index)

    def up_to(self, encoding: Encoding) -> list[Encoding]:
        """An encoding and the smaller ones, the largest first."""
        rank = self.rank(encoding)
        return [self.encodings[index] for index in reversed(self._ranked[: rank + 1])]

    def feedback(self, now: float) -> list[bytes]:
        """RTCP packets to send to the publisher now."""
        messages: list[bytes] = []
        for encoding in self.encodings:
            messages += encoding.feedback(now)
        return messages

    def report_blocks(self, now: float) -> list[rtcp.ReportBlock]:
        """The blocks of its streams for the next RR."""
        blocks = (encoding.report_block(now) for encoding in self.encodings)
        return [block for block in blocks if block is not None]

    def measure(self, now: float) -> None:
        """Refresh bitrate, frame rate and quantiser; to be called about once a second."""
        for encoding in self.encodings:
            encoding.measure(now)

    def stats(self) -> PublicationStats:
        """Counters of all encodings; size, frames and quantiser are those of the largest that there is."""
        encodings = tuple(encoding.stats() for encoding in self.encodings)
        largest = encodings[self.largest.index]
        return PublicationStats(
            publication_id=self.info.publication_id,
            packets_received=sum(each.packets_received for each in encodings),
            bytes_received=sum(each.bytes_received for each in encodings),
            packets_lost=sum(each.packets_lost for each in encodings),
            frames_received=largest.frames_received,
            keyframes_received=largest.keyframes_received,
            width_px=largest.width_px,
            height_px=largest.height_px,
            bitrate_bps=sum(each.bitrate_bps for each in encodings),
            frame_rate=largest.frame_rate,
            quantiser=largest.quantiser,
            native_quantiser=largest.native_quantiser,
            encodings=encodings,
        )
