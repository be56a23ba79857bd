"""What the media part is configured with and speaks of: sources and what became of them, frames, verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


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
class StatedMatrix:
    """How a stream says that its Y'CbCr was made: weights of red and blue in luma, and the range
    (ITU-T H.273 section 8.3). Streams are wrong about it now and then."""

    kr: float
    kb: float
    full_range: bool


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
    stated: StatedMatrix | None = None
    """What the stream states, and rgb was converted with; None where it states no matrix."""


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
