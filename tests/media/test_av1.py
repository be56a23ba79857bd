"""AV1: where it begins and how large it is, its Dependency Descriptor, and how it is put together again."""

from __future__ import annotations

import aiortc.rtp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import answer, av1, rtp, sdp
from media.answer import ChosenCodec
from media.interface import Kind
from media.layers import FRAME, KEYFRAME
from media.subscription import Subscription
from tests.media import streams
from tests.media.coded import leb128
from tests.media.streams import publication
from tests.media.test_answer import LOCAL, offer

AV1 = ChosenCodec("AV1", 45, 90000, 1, {}, ("nack", "nack pli"), 46)
VIEWERS_AV1 = ChosenCodec("AV1", 39, 90000, 1, {}, ("nack", "nack pli"), 40)
DESCRIPTOR, VIEWERS_DESCRIPTOR = 12, 9
TEMPLATES = bytes((0x80, 0, 1)) + bytes(range(40))
"""As long as that of a keyframe with its template structure."""


class Bits:
    """Writes a sequence header."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, value: int, size: int) -> Bits:
        """An unsigned field."""
        self.text += format(value, f"0{size}b")
        return self

    def data(self) -> bytes:
        """Everything so far, filled up."""
        size = -(-len(self.text) // 8)
        return int(self.text.ljust(8 * size, "0"), 2).to_bytes(size, "big")


def sequence_header(width: int, height: int, *, full: bool = False, reduced: bool = False) -> bytes:
    """sequence_header_obu (AV1 bitstream, 5.5.1) by hand; full: with all that is optional."""
    bits = Bits().put(0, 3).put(reduced, 1).put(reduced, 1)
    if reduced:
        bits.put(8, 5)
    else:
        bits.put(full, 1)
        if full:
            bits.put(1, 32).put(30, 32).put(1, 1).put(0b00101, 5)  # uvlc 4
            bits.put(1, 1).put(9, 5).put(1, 32).put(3, 5).put(4, 5)
        bits.put(full, 1).put(1 if full else 0, 5)
        for level in (9, 5) if full else (5,):
            bits.put(0, 12).put(level, 5)
            if level > 7:
                bits.put(1, 1)
            if full:
                bits.put(1, 1).put(77, 10).put(88, 10).put(1, 1)
                bits.put(1, 1).put(3, 4)
    bits.put(10, 4).put(11, 4).put(width - 1, 11).put(height - 1, 12)
    return b"\x08" + bits.data()


@pytest.mark.parametrize("kind", [{}, {"full": True}, {"reduced": True}])
def test_a_sequence_header_is_sized_with_all_that_may_be_in_it(kind: dict[str, bool]) -> None:
    header = sequence_header(1278, 718, **kind)
    payload = b"\x18" + header
    assert av1.keyframe_size(payload, 0, len(payload)) == (1278, 718)
    assert av1.describe(payload, 0, len(payload)) == FRAME | KEYFRAME


def test_a_sequence_header_is_found_in_every_form_of_aggregation() -> None:
    header = sequence_header(320, 240)
    sized = bytes((header[0] | 0x02,)) + leb128(len(header) - 1) + header[1:]
    extended = bytes((header[0] | 0x04, 0x00)) + header[1:]
    delimiter = b"\x10"
    for payload in (
        b"\x08" + leb128(len(header)) + header + leb128(3) + b"abc",
        b"\x28" + leb128(len(header)) + header + b"abc",
        b"\x18" + sized,
        b"\x18" + extended,
        b"\x08" + leb128(1) + delimiter + leb128(len(header)) + header,
        b"\x28" + leb128(1) + delimiter + header,
    ):
        assert av1.keyframe_size(payload, 0, len(payload)) == (320, 240)


def test_what_does_not_begin_a_sequence_is_no_keyframe() -> None:
    header = sequence_header(320, 240)
    frame = b"\x30abc"
    for payload in (
        b"",
        b"\x10" + header,  # N is not set
        b"\x98" + header,  # Z: goes on with an earlier OBU
        b"\x18" + frame,
        b"\x18\x10",
        b"\x08\x7f" + header,
        b"\x08" + b"\xff" * 9,
    ):
        assert av1.describe(payload, 0, len(payload)) == 0
        assert av1.keyframe_size(payload, 0, len(payload)) is None


@given(st.binary(max_size=40))
def test_any_sequence_header_is_read_without_harm(body: bytes) -> None:
    for start in (b"\x18\x08", b"\x08\x10\x08", b"\x18\x0a"):
        payload = start + body
        size = av1.keyframe_size(payload, 0, len(payload))
        assert size is None or min(size) > 0


def packet(sequence: int, descriptor: bytes, *, key: bool = False, ssrc: int = streams.SSRC) -> bytes:
    """An AV1 packet with a Dependency Descriptor and a mid."""
    block = rtp.extension_block([(4, b"0"), (DESCRIPTOR, descriptor)])
    payload = b"\x18" + sequence_header(320, 240) if key else b"\x10\x30" + sequence.to_bytes(2, "big")
    return rtp.header(45, sequence, 3000 * sequence, ssrc, True, block) + payload


def viewer_and_source() -> tuple[Subscription, list[bytes], list[bytes]]:
    """A viewer, what was sent, and what it got."""
    source = publication(AV1)
    source.dependency_extension = DESCRIPTOR
    viewer = Subscription(source, VIEWERS_AV1, 500, 501, [(4, b"0")], 1000, 77, VIEWERS_DESCRIPTOR)
    viewer.activate(0.0)
    sent = [packet(n, TEMPLATES if n == 1 else bytes((0xC0, 0, n)), key=n == 1) for n in range(1, 4)]
    got = []
    for data in sent:
        taken = source.encodings[0].receive(data, 0.0)
        assert taken is not None
        outgoing = viewer.forward(taken, 0.0)
        assert outgoing is not None
        got.append(outgoing)
    return viewer, sent, got


def test_the_dependency_descriptor_goes_along_untouched_under_the_viewers_id() -> None:
    viewer, sent, got = viewer_and_source()
    for incoming, outgoing in zip(sent, got, strict=True):
        assert rtp.extension(outgoing, VIEWERS_DESCRIPTOR) == rtp.extension(incoming, DESCRIPTOR)
        assert rtp.extension(outgoing, 4) == b"0"
        assert outgoing[rtp.payload_bounds(outgoing)[0] :] == incoming[rtp.payload_bounds(incoming)[0] :]
    (again,) = viewer.retransmit((1000,), 1.0)
    assert rtp.extension(again, VIEWERS_DESCRIPTOR) == TEMPLATES
    start, end = rtp.payload_bounds(again)
    assert again[start + 2 : end] == sent[0][rtp.payload_bounds(sent[0])[0] :]


def test_a_descriptor_that_came_by_retransmission_goes_along_too() -> None:
    source = publication(AV1)
    source.dependency_extension = DESCRIPTOR
    viewer = Subscription(source, VIEWERS_AV1, 500, 501, [(4, b"0")], 1000, 77, VIEWERS_DESCRIPTOR)
    viewer.activate(0.0)
    original = packet(7, TEMPLATES, key=True)
    start, _ = rtp.payload_bounds(original)
    repair = bytearray(original[:start] + original[2:4] + original[start:])
    repair[1] = 46 | 0x80
    repair[2:4] = b"\x00\x63"
    repair[8:12] = streams.RTX_SSRC.to_bytes(4, "big")
    taken = source.encodings[0].receive_rtx(bytes(repair), 0.0)
    assert taken is not None
    assert taken.data == original
    outgoing = viewer.forward(taken, 0.0)
    assert outgoing is not None
    assert rtp.extension(outgoing, VIEWERS_DESCRIPTOR) == TEMPLATES


def test_a_viewer_without_the_extension_gets_none() -> None:
    source = publication(AV1)
    source.dependency_extension = DESCRIPTOR
    viewer = Subscription(source, VIEWERS_AV1, 500, 501, [(4, b"0")], 1000, 77)
    viewer.activate(0.0)
    taken = source.encodings[0].receive(packet(1, TEMPLATES, key=True), 0.0)
    assert taken is not None
    outgoing = viewer.forward(taken, 0.0)
    assert outgoing is not None
    assert aiortc.rtp.RtpPacket.parse(outgoing).payload == taken.data[taken.start :]
    assert outgoing[12:16] == b"\xbe\xde\x00\x01"


LINES = f"""a=rtpmap:45 AV1/90000
a=rtcp-fb:45 nack
a=fmtp:45 level-idx=5;profile=0;tier=0
a=rtpmap:46 rtx/90000
a=fmtp:46 apt=45
a=rtpmap:47 AV1/90000
a=fmtp:47 level-idx=5;profile=1;tier=0
a=extmap:12 {rtp.DEPENDENCY_DESCRIPTOR_URI}
"""


@pytest.mark.parametrize("mixed", [True, False])
def test_av1_of_profile_0_is_answered_with_its_descriptor_where_both_forms_are_allowed(mixed: bool) -> None:
    text = offer("47 45 46 96") + LINES
    if mixed:
        text = text.replace("t=0 0\n", "t=0 0\na=extmap-allow-mixed\n")
    plan = answer.plan(sdp.parse(text), {"1": Kind.VIDEO}, {})
    codec = plan.by_mid("1").codec
    assert codec is not None
    assert (codec.name, codec.payload_type, codec.rtx_payload_type) == ("AV1", 45, 46)
    written = answer.write(plan, {}, LOCAL)
    assert ("a=extmap-allow-mixed" in written) == mixed
    assert (f"a=extmap:12 {rtp.DEPENDENCY_DESCRIPTOR_URI}" in written) == mixed
    viewing = text.replace("a=sendonly", "a=recvonly")
    receiving = answer.plan(sdp.parse(viewing), {}, {"1": codec}).by_mid("1")
    assert (rtp.DEPENDENCY_DESCRIPTOR_URI in receiving.extensions) == mixed


def test_other_codecs_do_without_the_descriptor() -> None:
    text = offer("96 45").replace("t=0 0\n", "t=0 0\na=extmap-allow-mixed\n") + LINES
    plan = answer.plan(sdp.parse(text), {"1": Kind.VIDEO}, {})
    assert rtp.DEPENDENCY_DESCRIPTOR_URI not in plan.by_mid("1").extensions


FRAME_OBU = b"\x30" + bytes(range(50))
"""OBU_FRAME without a size of its own."""


def test_a_temporal_unit_is_put_together_from_any_payloads() -> None:
    sequence = b"\x08" + bytes(200)
    sized = b"\x0a\xc8\x01" + bytes(200)
    whole = b"\x12\x00" + sized + b"\x32\x32" + FRAME_OBU[1:]
    two = b"\x28" + leb128(len(sequence)) + sequence + FRAME_OBU
    counted = b"\x08" + leb128(len(sequence)) + sequence + leb128(len(FRAME_OBU)) + FRAME_OBU
    assert av1.temporal_unit([two]) == av1.temporal_unit([counted]) == whole
    # Sizes and a temporal delimiter of the sender's own change nothing.
    own = b"\x38" + leb128(2) + b"\x12\x00" + leb128(len(sized)) + sized + FRAME_OBU
    assert av1.temporal_unit([own]) == whole
    cut = [
        b"\x58" + sequence[:70],
        b"\xd0" + sequence[70:150],
        b"\xa0" + leb128(51) + sequence[150:] + FRAME_OBU,
    ]
    assert av1.temporal_unit(cut) == whole


def test_payloads_that_do_not_fit_together_give_nothing() -> None:
    for payloads in (
        [],
        [b"\x10"],
        [b"\x90" + FRAME_OBU],  # goes on with what is not there
        [b"\x50" + FRAME_OBU],  # goes on in what is not there
        [b"\x50" + FRAME_OBU, b"\x10" + FRAME_OBU],
        [b"\x20" + leb128(99) + FRAME_OBU],
        [b"\x40", b"\x90" + FRAME_OBU],  # goes on with nothing
        [b"\x10\x32\x7f" + bytes(9)],  # larger by its own size than it is
    ):
        assert av1.temporal_unit(payloads) is None


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_any_payloads_give_a_unit_or_none(payloads: list[bytes]) -> None:
    made = av1.temporal_unit(payloads)
    assert made is None or made.startswith(b"\x12\x00")
    assert all(0 <= av1.temporal_id(payload) <= 7 for payload in payloads)


def test_the_temporal_layer_is_that_of_the_first_obu_that_says_it() -> None:
    layered = bytes((FRAME_OBU[0] | 0x04, 2 << 5)) + FRAME_OBU[1:]
    assert av1.temporal_id(b"\x10" + layered) == 2
    assert av1.temporal_id(b"\x10" + FRAME_OBU) == 0
    assert av1.temporal_id(b"\x90" + layered) == 0
