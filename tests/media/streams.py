"""Publications and Subscriptions for tests, without any transport."""

from __future__ import annotations

from media.answer import ChosenCodec
from media.encoding import Encoding
from media.interface import Kind, PublicationInfo, Source
from media.publication import Publication
from media.rtp import header
from media.subscription import Subscription

SSRC, RTX_SSRC = 100, 101
LAYER_SSRCS = (200, 210, 220)
VP8 = ChosenCodec("VP8", 96, 90000, 1, {}, ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"), 97)
OPUS = ChosenCodec("opus", 111, 48000, 2, {}, ("transport-cc",))
VIEWERS_VP8 = ChosenCodec("VP8", 120, 90000, 1, {}, ("nack", "nack pli"), 121)
VIEWERS_OPUS = ChosenCodec("opus", 63, 48000, 2, {}, ())


def publication(codec: ChosenCodec = VP8, name: str = "p") -> Publication:
    """A camera, or with opus a microphone, whose SSRCs are known."""
    video = codec.name != "opus"
    info = PublicationInfo(
        name,
        "r",
        "a",
        Kind.VIDEO if video else Kind.AUDIO,
        Source.CAMERA if video else Source.MICROPHONE,
        codec.name,
    )
    made = Publication(info, codec, feedback_ssrc=9)
    made.encodings[0].bind(SSRC, RTX_SSRC if codec.rtx_payload_type is not None else None)
    return made


def simulcast(codec: ChosenCodec = VP8) -> Publication:
    """A camera in three sizes, whose SSRCs are known; the one for RTX is the next of each."""
    info = PublicationInfo("s", "r", "a", Kind.VIDEO, Source.CAMERA, codec.name)
    made = Publication(info, codec, feedback_ssrc=9, rids=("q", "h", "f"))
    for each, ssrc in zip(made.encodings, LAYER_SSRCS, strict=True):
        each.bind(ssrc, ssrc + 1)
    return made


def simulcast_vp8(
    encoding: Encoding,
    sequence: int,
    picture: int,
    *,
    key: bool = False,
    size: tuple[int, int] = (320, 240),
    temporal: int = 0,
) -> bytes:
    """A frame of one of the sizes in one packet; each has picture ids and timestamps of its own."""
    ssrc = LAYER_SSRCS[encoding.index]
    picture += 1000 * encoding.index
    made = vp8(sequence, picture, key=key, tl0=picture & 0xFF, ssrc=ssrc, temporal=temporal)
    return made.replace(b"\x40\x01\xf0\x00", size[0].to_bytes(2, "little") + size[1].to_bytes(2, "little"))


def encoding(codec: ChosenCodec = VP8) -> Encoding:
    """The only one of such a Publication."""
    return publication(codec).encodings[0]


def subscription(
    source: Publication, codec: ChosenCodec | None = None, first_sequence: int = 1000
) -> Subscription:
    """An active Subscription with a mid."""
    chosen = codec or (VIEWERS_VP8 if source.is_video else VIEWERS_OPUS)
    made = Subscription(
        source,
        chosen,
        ssrc=500,
        rtx_ssrc=501 if chosen.rtx_payload_type is not None else None,
        extensions=[(4, b"0")],
        first_sequence=first_sequence,
        first_timestamp=77,
    )
    made.activate(0.0)
    return made


def vp8(
    sequence: int,
    picture: int,
    *,
    key: bool = False,
    marker: bool = True,
    tl0: int = 0,
    ssrc: int = SSRC,
    temporal: int = 0,
    sync: bool = False,
    starts: bool = True,
) -> bytes:
    """A frame in one packet, 30 a second; starts: the packet is the first of its frame."""
    payload = vp8_payload(picture, tl0, key=key, temporal=temporal, sync=sync, starts=starts)
    return header(96, sequence, 3000 * picture, ssrc, marker) + payload


def vp8_payload(
    picture: int,
    tl0: int = 0,
    *,
    key: bool = False,
    temporal: int = 0,
    sync: bool = False,
    starts: bool = True,
) -> bytes:
    """What vp8() carries."""
    descriptor = bytes((0x90 if starts else 0x80, 0xE0)) + (0x8000 | picture & 0x7FFF).to_bytes(2, "big")
    descriptor += bytes((tl0 & 0xFF, temporal << 6 | sync << 5))
    frame = b"\x00\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00" if key else b"\x01"
    return descriptor + frame + picture.to_bytes(4, "big")


def opus(sequence: int) -> bytes:
    """20 ms of sound."""
    return header(111, sequence, 960 * sequence, SSRC, False) + b"sound" + sequence.to_bytes(4, "big")


def rtx(number: int, original: bytes) -> bytes:
    """An RTX packet that carries another one."""
    head = header(97, number, int.from_bytes(original[4:8], "big"), RTX_SSRC, original[1] > 127)
    return head + original[2:4] + original[12:]
