"""What the media part offers to whoever composes it: values, events, errors and the relay's Protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from media.layers import LayerTarget


class Source(StrEnum):
    """Where a Publication's media comes from."""

    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN = "screen"


class Kind(StrEnum):
    """Media type of an m-line."""

    AUDIO = "audio"
    VIDEO = "video"


class TransportState(StrEnum):
    """Life of one participant's transport: ICE validated and DTLS done means connected."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    SILENT = "silent"
    CLOSED = "closed"


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
class MediaConfig:
    """Where the worker listens and what it announces.

    announced_addresses: IP addresses put into ICE candidates; empty means every address of this host,
    loopback last. max_publication_bps caps what one camera may send (told to it as REMB).
    """

    bind_host: str = "::"
    port: int = 0
    announced_addresses: tuple[str, ...] = ()
    max_publication_bps: int = 2_500_000
    start_publication_bps: int = 1_000_000
    silent_after_s: float = 8.0
    tap_interval_s: float = 0.5
    native: bool = False
    """Take ordinary packets through C where it was built."""


@dataclass(frozen=True, slots=True)
class ChromaEmphasis:
    """How a publisher stretched chroma before its encoder; see media/emphasis.py for the function.

    center_u, center_v: the codes of Cb and Cr around which it is steepest. softness: how far from there it
    has lost a third of that, in codes.
    """

    version: int
    center_u: int
    center_v: int
    softness: int


@dataclass(frozen=True, slots=True)
class PublicationInfo:
    """What a participant sends: one audio or video source, known to the whole room."""

    publication_id: str
    room_id: str
    participant_id: str
    kind: Kind
    source: Source
    codec: str
    """RTP encoding name in SDP's spelling: "VP8", "VP9", "H264", "AV1", "opus"."""
    emphasis: ChromaEmphasis | None = None
    """What every viewer of this Publication must undo, from its first frame to its last."""
    is_patient: bool = False
    """Its participant is the patient: a camera then shows the skin that the consultation is about."""


@dataclass(frozen=True, slots=True)
class Negotiation:
    """The answer to one offer, with the Publications that it established, in the order asked for."""

    sdp: str
    publications: tuple[PublicationInfo, ...]


@dataclass(frozen=True, slots=True)
class TappedFrame:
    """One decoded frame of a room's camera, off the forwarding path.

    rgb: uint8, H x W x 3, sRGB-encoded, converted with the matrix and range that the stream states
    (BT.601 limited for VP8 when it states none).
    """

    publication_id: str
    rgb: NDArray[np.uint8]
    rtp_timestamp: int
    received_at_s: float
    """Monotonic clock of the worker, in seconds."""
    sharpness: float
    """Variance of the Laplacian of luma; comparable only between frames of one Publication."""


@dataclass(frozen=True, slots=True)
class PublicationAdded:
    """A Publication has begun: a first packet of it, or of its participant's others, was authenticated."""

    publication: PublicationInfo


@dataclass(frozen=True, slots=True)
class PublicationEnded:
    """A Publication is gone: its participant left, or its m-line was stopped."""

    publication: PublicationInfo


@dataclass(frozen=True, slots=True)
class TransportChanged:
    """A participant's transport has a new state."""

    room_id: str
    participant_id: str
    state: TransportState


@dataclass(frozen=True, slots=True)
class BudgetChanged:
    """What the best of a Publication's viewers can take has changed: its publisher is to send so much.

    bitrate_bps: IP and UDP headers included; the same as is told to it by REMB. max_framerate: frames per
    second at which full resolution fits; 0: nobody can take it now.
    """

    room_id: str
    participant_id: str
    publication_id: str
    bitrate_bps: int
    max_framerate: float


MediaEvent = PublicationAdded | PublicationEnded | TransportChanged | BudgetChanged


class MediaError(Exception):
    """A refused request to the media part; `error_id` is stable and goes over the wire."""

    error_id = "media.error"


class SdpRefused(MediaError):
    """The offer is malformed, or asks for what this relay does not do (remote's fault)."""

    error_id = "media.sdp_refused"


class EmphasisRefused(MediaError):
    """Chroma is announced as stretched in a way that this relay cannot undo (remote's fault)."""

    error_id = "media.emphasis_refused"


class UnknownPublication(MediaError):
    """A subscription names a Publication that is not in this room (remote's fault)."""

    error_id = "media.unknown_publication"


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


class Purpose(StrEnum):
    """What a live picture is fit for."""

    DIAGNOSTIC = "diagnostic"
    CONVERSATION = "conversation"


class FidelityReason(StrEnum):
    """Why a picture is for conversation only, the most serious first."""

    NO_PICTURE = "no_picture"
    SMALL = "small"
    COARSE = "coarse"
    LOSSY = "lossy"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How far a live picture may be trusted, its color apart.

    contrast_kept: expected share of a small lesion's a* contrast that encoding has left; None where unknown.
    """

    purpose: Purpose
    reasons: tuple[FidelityReason, ...] = ()
    contrast_kept: float | None = None


class Relay(Protocol):
    """A media worker: one UDP port, any number of rooms. Not thread-safe; lives on one event loop."""

    @property
    def port(self) -> int:
        """The UDP port in use."""

    def subscribe_events(self, listener: Callable[[MediaEvent], None]) -> None:
        """Call listener, on the loop's thread, at every event from now on."""

    async def negotiate(
        self,
        room_id: str,
        participant_id: str,
        sdp: str,
        publications: Mapping[str, Source],
        subscriptions: Mapping[str, str],
        remote_hint: str | None = None,
        emphasis: Mapping[str, ChromaEmphasis] = MappingProxyType({}),
        *,
        is_patient: bool = False,
    ) -> Negotiation:
        """Answer a participant's offer.

        publications: mid of each sendonly m-line -> what it is. subscriptions: mid of each recvonly m-line
        -> publication_id of the same room (a mid left out is answered inactive). emphasis: mid of each
        sendonly video m-line whose chroma is stretched -> how; another one than before ends the Publication
        and begins a new one. The participant always
        offers, so negotiations of one participant never meet. The same DTLS fingerprint with new ICE
        credentials is an ICE restart; another fingerprint replaces the old connection. remote_hint: the
        address the request came from, used only to announce loopback to a participant on this host.
        is_patient: the participant's camera shows the patient, and is the last picture to give way on a
        viewer's path. Raises SdpRefused, UnknownPublication, EmphasisRefused; nothing has changed then.
        """

    async def leave(self, room_id: str, participant_id: str) -> None:
        """End a participant's transport, Publications and Subscriptions. Unknown ones are ignored."""

    async def close_room(self, room_id: str) -> None:
        """End every transport of a room."""

    def publications(self, room_id: str) -> tuple[PublicationInfo, ...]:
        """Publications of a room that have begun."""

    def set_cap(self, publication_id: str, bitrate_bps: int | None) -> None:
        """Cap what a publisher may send from now on (REMB); None lifts the cap to the configured one."""

    def set_layer(self, room_id: str, participant_id: str, publication_id: str, target: LayerTarget) -> None:
        """What one viewer should get of a Publication from now on, at most.

        Raises UnknownPublication where the participant receives no such one.
        """

    def watch(self, publication_id: str, listener: Callable[[TappedFrame], None]) -> Callable[[], None]:
        """Tap a video Publication: decode it at a low rate and call listener on the loop's thread.

        One decode per Publication, however many watch. Returns the function that ends the watch.
        """

    def best_frame(self, publication_id: str) -> TappedFrame | None:
        """The sharpest frame tapped in the last two seconds, or None when nothing watches."""

    def publication_stats(self, publication_id: str) -> PublicationStats | None:
        """Counters of one Publication, or None."""

    def path_stats(self, room_id: str, participant_id: str) -> PathStats | None:
        """A participant's path towards it, or None when there is no such participant."""

    def fidelity(self, publication_id: str) -> Fidelity | None:
        """How far a video Publication's picture may be trusted now, or None; to be asked twice a second."""

    def stats(self) -> RelayStats:
        """Counters of the worker."""

    async def stop(self) -> None:
        """Close the port and everything on it."""
