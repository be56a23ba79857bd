"""How media flow, in numbers: of a Publication, of a viewer's path, of the whole worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class AdaptationLevel(IntEnum):
    """How far a viewer's path made the relay give way; each level includes those before it."""

    FULL = 0
    OWN_PICTURE_SMALLER = 1
    """A screen, or a picture that is not the patient's, gets less than it could use, or is paused."""
    FEWER_FRAMES = 2
    """The patient's picture moves less; it keeps its resolution."""
    STILL_PROMPT = 3
    """The patient's picture gets less than its least: a still shows more."""
    AUDIO_ONLY = 4
    """The patient's picture is paused; where none is wanted, every picture is."""


@dataclass(frozen=True, slots=True)
class EncodingStats:
    """Counters of one encoding of a Publication; the fields are those of PublicationStats."""

    rid: str
    """Its name in the offer, or "" where it is the only one."""
    packets_received: int
    bytes_received: int
    packets_lost: int
    frames_received: int
    keyframes_received: int
    width_px: int
    height_px: int
    bitrate_bps: float
    frame_rate: float
    quantiser: float | None
    native_quantiser: float | None


@dataclass(frozen=True, slots=True)
class PublicationStats:
    """Counters of one Publication since it began; packet loss is seen by the relay, not by viewers.

    Of several encodings (simulcast) packets, bytes and bitrate are summed; the rest is the largest one's.
    """

    publication_id: str
    packets_received: int
    bytes_received: int
    packets_lost: int
    frames_received: int
    keyframes_received: int
    width_px: int
    height_px: int
    bitrate_bps: float
    frame_rate: float
    quantiser: float | None
    """Mean of the last second, 0 (finest) to 1 (coarsest of the codec); None where it is not read."""
    native_quantiser: float | None
    """The same on the codec's own scale: VP8 0 to 127, VP9 0 to 255, H.264 0 to 51."""
    encodings: tuple[EncodingStats, ...]


@dataclass(frozen=True, slots=True)
class SubscriptionStats:
    """What one viewer is given of one Publication, since its m-line began.

    bitrate_bps, frame_rate: of the last second; payload, retransmissions aside. width_px, height_px: of the
    encoding it gets. spatial: its rank, 0 the smallest of so many `encodings`; None before its keyframe,
    while paused, and of sound. max_temporal: highest temporal layer it gets; None where none is left out.
    loss: share of the last interval, 0 to 1; it, packets_lost and jitter_ms are of the viewer's own last
    report (RFC 3550, 6.4.1). freeze_count, frozen_s: how often, and how long in all, a camera's picture
    that was not paused stood still: nothing of it went out for longer than 0.5 s and three of its frames
    (media/delivery.py).
    """

    publication_id: str
    bitrate_bps: float
    frame_rate: float
    width_px: int
    height_px: int
    spatial: int | None
    encodings: int
    max_temporal: int | None
    paused: bool
    loss: float
    packets_lost: int
    jitter_ms: float
    freeze_count: int
    frozen_s: float


@dataclass(frozen=True, slots=True)
class PathStats:
    """A viewer's path as the relay estimates it.

    estimate_bps: what it carries, IP and UDP headers included. sent_bps: what it is sent, likewise. loss:
    share of the packets, 0 to 1. rtt_ms: 0 while unknown. queue_delay_ms: mean wait in the path's queues.
    packets_dropped: found no place in the relay's own queue towards it.
    """

    estimate_bps: int
    sent_bps: int
    loss: float
    rtt_ms: float
    queue_delay_ms: float
    packets_dropped: int
    level: AdaptationLevel


@dataclass(frozen=True, slots=True)
class RelayStats:
    """Counters of the whole worker."""

    transports: int
    packets_received: int
    packets_sent: int
    packets_dropped: Mapping[str, int] = field(default_factory=dict)
    """By reason: "unvalidated_address", "not_authenticated", "malformed", "queue_full" and so on."""
    viewer_packets_lost: int = 0
    """By the reports of all viewers, past ones included; retransmission may have mended it."""
    viewer_frozen_s: float = 0.0
    """How long cameras' pictures stood still for all viewers together, past ones included."""
