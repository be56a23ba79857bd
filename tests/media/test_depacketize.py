"""Coded pictures come whole out of RTP, whatever order, loss or nonsense goes in."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.depacketize import MAX_PICTURE_BYTES, REORDER_PACKETS, CodedPicture, Depacketizer, parse_rtp
from media.fragments import READERS, MalformedPacket, UnsupportedCodec, read_h264, read_vp8, read_vp9
from tests.media.coded import L1T3, encode, encoder, moving_frames, packets, rtp

CODECS = ("VP8", "VP9", "H264", "AV1")


def coded(codec: str, count: int = 12, keyframes: tuple[int, ...] = (0,)) -> list[bytes]:
    return encode(encoder(codec, 160, 120), moving_frames(count), keyframes)


def run(depacketizer: Depacketizer, stream: list[bytes], step_s: float = 0.001) -> list[CodedPicture]:
    return [picture for n, packet in enumerate(stream) for picture in depacketizer.push(packet, n * step_s)]


def flat(pictures: list[list[bytes]]) -> list[bytes]:
    return [packet for picture in pictures for packet in picture]


def without_start_codes(picture: bytes) -> list[bytes]:
    units = picture.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [unit for unit in units if unit and unit[0] & 0x1F != 6]


@pytest.mark.parametrize("codec", CODECS)
def test_pictures_come_out_as_they_were_coded(codec: str) -> None:
    pictures = coded(codec, keyframes=(0, 6))
    out = run(Depacketizer(codec), flat(packets(codec, pictures)))
    assert [p.rtp_timestamp for p in out] == [3000 * n for n in range(12)]
    assert [n for n, p in enumerate(out) if p.keyframe] == [0, 6]
    for given_, got in zip(pictures, out, strict=True):
        assert len(got.parts) == 1
        if codec == "H264":
            assert without_start_codes(got.parts[0]) == without_start_codes(given_)
        else:
            assert got.parts[0] == given_


@pytest.mark.parametrize("codec", CODECS)
def test_a_packet_that_comes_late_is_waited_for(codec: str) -> None:
    stream = flat(packets(codec, coded(codec)))
    shuffled = list(stream)
    rng = random.Random(3)
    for at in range(1, len(shuffled) - 8, 8):
        window = shuffled[at : at + 8]
        rng.shuffle(window)
        shuffled[at : at + 8] = window
    assert [p.parts for p in run(Depacketizer(codec), shuffled)] == [
        p.parts for p in run(Depacketizer(codec), stream)
    ]


@pytest.mark.parametrize("codec", CODECS)
def test_a_loss_ends_the_stream_until_a_keyframe(codec: str) -> None:
    made = packets(codec, coded(codec, keyframes=(0, 8)))
    stream = flat(made)
    stream.remove(made[4][1])
    depacketizer = Depacketizer(codec)
    out = run(depacketizer, stream, step_s=0.05)
    assert [p.rtp_timestamp // 3000 for p in out] == [0, 1, 2, 3, 8, 9, 10, 11]
    assert not depacketizer.wants_keyframe


@pytest.mark.parametrize("codec", CODECS)
def test_nothing_comes_out_before_the_first_keyframe(codec: str) -> None:
    made = packets(codec, coded(codec))
    depacketizer = Depacketizer(codec)
    assert run(depacketizer, flat(made[1:])) == []
    assert depacketizer.wants_keyframe


@pytest.mark.parametrize("codec", CODECS)
def test_a_keyframe_joined_in_its_middle_is_not_one(codec: str) -> None:
    made = packets(codec, coded(codec, count=3))
    depacketizer = Depacketizer(codec)
    assert run(depacketizer, made[0][2:] + flat(made[1:])) == []
    assert depacketizer.wants_keyframe


def test_a_keyframe_under_way_is_not_asked_for() -> None:
    made = packets("VP8", coded("VP8", count=1))
    depacketizer = Depacketizer("VP8")
    assert depacketizer.wants_keyframe
    depacketizer.push(made[0][0], 0.0)
    assert not depacketizer.wants_keyframe


def test_restart_holds_everything_back_until_a_keyframe() -> None:
    made = packets("VP8", coded("VP8", keyframes=(0, 6)))
    depacketizer = Depacketizer("VP8")
    run(depacketizer, flat(made[:3]))
    depacketizer.restart()
    assert [p.rtp_timestamp // 3000 for p in run(depacketizer, flat(made[3:]))] == [6, 7, 8, 9, 10, 11]


class TestTemporalLayers:
    def layered(self) -> list[list[bytes]]:
        pictures = encode(encoder("VP8", 160, 120, layers=True), moving_frames(24))
        return packets("VP8", pictures, layers=L1T3)

    def test_only_the_base_layer_comes_out(self) -> None:
        out = run(Depacketizer("VP8"), flat(self.layered()))
        assert [p.rtp_timestamp // 3000 for p in out] == [0, 4, 8, 12, 16, 20]

    def test_a_loss_in_an_upper_layer_is_none(self) -> None:
        made = self.layered()
        stream = [p for n, picture in enumerate(made) for p in picture if n % 4 == 0 or p is picture[0]]
        out = run(Depacketizer("VP8"), stream, step_s=0.3)
        assert [p.rtp_timestamp // 3000 for p in out] == [0, 4, 8, 12, 16, 20]

    def test_a_loss_in_the_base_layer_is_one(self) -> None:
        made = self.layered()
        stream = flat(made)
        stream.remove(made[8][0])
        depacketizer = Depacketizer("VP8")
        out = run(depacketizer, stream, step_s=0.3)
        assert [p.rtp_timestamp // 3000 for p in out] == [0, 4]
        assert depacketizer.wants_keyframe


class TestSequences:
    def test_another_ssrc_begins_anew(self) -> None:
        first = flat(packets("VP8", coded("VP8", count=2)))
        second = flat(packets("VP8", coded("VP8", count=2), first_sequence=100))
        depacketizer = Depacketizer("VP8")
        out = run(depacketizer, first + [p[:8] + b"\0\0\0\2" + p[12:] for p in second])
        assert [p.rtp_timestamp // 3000 for p in out] == [0, 1, 0, 1]

    @pytest.mark.parametrize("jump", [5000, 40000])
    def test_a_jump_in_numbers_is_survived(self, jump: int) -> None:
        made = packets("VP8", coded("VP8", count=2), first_sequence=0)
        again = packets("VP8", coded("VP8", count=3, keyframes=(0, 1, 2)), first_sequence=jump)
        again = [[p[:4] + struct.pack("!I", 90000) + p[8:] for p in picture] for picture in again]
        depacketizer = Depacketizer("VP8")
        assert run(depacketizer, flat(made) + flat(again * (1 + REORDER_PACKETS // 8)))[-1].keyframe

    def test_padding_is_skipped(self) -> None:
        made = packets("VP8", coded("VP8", count=2), first_sequence=0)
        probe = bytearray(rtp(b"\0" * 99 + b"\x64", len(made[0]), 0, False))
        probe[0] |= 0x20
        after = [p[:2] + struct.pack("!H", int.from_bytes(p[2:4], "big") + 1) + p[4:] for p in made[1]]
        assert len(run(Depacketizer("VP8"), [*made[0], bytes(probe), *after])) == 2

    def test_a_picture_ends_where_the_next_begins(self) -> None:
        made = packets("VP8", coded("VP8", count=3))
        stream = [p[:1] + bytes((p[1] & 0x7F,)) + p[2:] for p in flat(made)]
        assert [p.rtp_timestamp // 3000 for p in run(Depacketizer("VP8"), stream)] == [0, 1]

    def test_a_picture_of_no_end_is_given_up(self) -> None:
        depacketizer = Depacketizer("VP8")
        piece = b"\0" * 60000
        depacketizer.push(rtp(b"\x10" + piece, 0, 0, False), 0.0)
        last = MAX_PICTURE_BYTES // 60000 + 2
        for number in range(1, last):
            depacketizer.push(rtp(b"\0" + piece, number, 0, False), 0.0)
        assert depacketizer.push(rtp(b"\0" + piece, last, 0, True), 0.0) == []
        assert depacketizer.wants_keyframe


class TestDescriptors:
    def test_vp8_extended(self) -> None:
        fragment = read_vp8(bytes((0x90, 0xF0, 0x81, 0x23, 77, 0x40 | 0x05, 0x00, 9)))
        assert fragment.starts_picture
        assert fragment.keyframe
        assert fragment.temporal_id == 1
        assert fragment.base_layer_index == 77
        assert fragment.data == b"\x00\x09"

    def test_vp8_second_partition_starts_nothing(self) -> None:
        assert not read_vp8(b"\x11\x00").starts_picture

    def test_vp9_flexible_with_references(self) -> None:
        fragment = read_vp9(bytes((0xF8, 0x05, 0x20, 0x03, 0x02, 1, 2, 3)))
        assert fragment.starts_picture
        assert not fragment.keyframe
        assert fragment.temporal_id == 1
        assert fragment.data == b"\x01\x02\x03"

    def test_vp9_scalability_structure(self) -> None:
        structure = bytes((0x38, 1, 64, 0, 240, 2, 128, 1, 224, 2, 0x04, 9, 0x08, 8, 7))
        fragment = read_vp9(bytes((0x8A, 0x05)) + structure + b"picture")
        assert fragment.keyframe
        assert fragment.data == b"picture"

    def test_vp9_spatial_layers_stay_apart(self) -> None:
        depacketizer = Depacketizer("VP9")
        packets_ = [
            rtp(bytes((0xA8, 1, 0x00, 5)) + b"low", 0, 0, False),
            rtp(bytes((0xE8, 1, 0x02, 5)) + b"hi", 1, 0, False),
            rtp(bytes((0xE4, 1, 0x02, 5)) + b"gh", 2, 0, True),
        ]
        (picture,) = run(depacketizer, packets_)
        assert picture.parts == (b"low", b"high")
        assert picture.keyframe

    def test_h264_units_get_start_codes(self) -> None:
        stap = b"\x78\x00\x02\x67\x01\x00\x02\x68\x02"
        assert read_h264(stap).data == b"\0\0\0\1\x67\x01\0\0\0\1\x68\x02"
        assert read_h264(b"\x7c\x85\x88\x01").data == b"\0\0\0\1\x65\x88\x01"
        assert read_h264(b"\x7c\x05\x02").data == b"\x02"

    @pytest.mark.parametrize(
        ("codec", "payload"),
        [
            ("VP8", b"\x80"),
            ("VP8", b"\x90\x80"),
            ("VP8", b"\x10"),
            ("VP9", b"\x80"),
            ("VP9", b"\x58\x03\x03\x03"),
            ("VP9", b"\x0a\xf8"),
            ("H264", b"\x78\x00\x09\x67"),
            ("H264", b"\x78"),
            ("H264", b"\x1c"),
            ("H264", b"\x19\x00"),
            ("AV1", b"\x08"),
        ],
    )
    def test_cut_off(self, codec: str, payload: bytes) -> None:
        with pytest.raises(MalformedPacket) as refused:
            READERS[codec](payload)
        assert refused.value.error_id == "media.malformed_packet"


class TestRtp:
    def test_extension_sources_and_padding_are_cut_away(self) -> None:
        packet = bytes((0xB1, 0xE0)) + struct.pack("!HIII", 7, 8, 9, 10)
        packet += struct.pack("!HHI", 0xBEDE, 1, 0) + b"payload" + b"\0\0\3"
        parsed = parse_rtp(memoryview(packet))
        assert parsed.payload == b"payload"
        assert parsed.marker
        assert (parsed.sequence_number, parsed.timestamp, parsed.ssrc) == (7, 8, 9)

    @pytest.mark.parametrize(
        "packet",
        [
            b"",
            b"\x80" * 11,
            b"\x40" + b"\0" * 20,
            b"\x8f" + b"\0" * 20,
            b"\x90" + b"\0" * 11,
            b"\xa0" + b"\0" * 11 + b"\xff",
            b"\xa0" + b"\0" * 12,
        ],
    )
    def test_broken_headers_are_refused(self, packet: bytes) -> None:
        with pytest.raises(MalformedPacket):
            parse_rtp(packet)


def test_a_codec_that_cannot_be_looked_into_is_refused() -> None:
    with pytest.raises(UnsupportedCodec):
        Depacketizer("H265")


@given(codec=st.sampled_from(CODECS), stream=st.lists(st.binary(max_size=64), max_size=40))
def test_any_bytes_give_pictures_or_a_typed_error(codec: str, stream: list[bytes]) -> None:
    depacketizer = Depacketizer(codec)
    for number, packet in enumerate(stream):
        try:
            depacketizer.push(packet, number * 0.01)
        except MalformedPacket:
            continue


@given(
    codec=st.sampled_from(CODECS),
    stream=st.lists(st.tuples(st.binary(max_size=24), st.integers(0, 80), st.integers(0, 3), st.booleans())),
)
def test_any_payloads_give_pictures_or_a_typed_error(
    codec: str, stream: list[tuple[bytes, int, int, bool]]
) -> None:
    depacketizer = Depacketizer(codec)
    for number, (payload, sequence, timestamp, marker) in enumerate(stream):
        try:
            pictures = depacketizer.push(rtp(payload, sequence, timestamp, marker), number * 0.01)
        except MalformedPacket:
            continue
        assert all(picture.parts for picture in pictures)


@given(lost=st.sets(st.integers(0, 200)), seed=st.integers(0, 1000))
def test_what_comes_out_after_loss_is_what_went_in(lost: set[int], seed: int) -> None:
    rng = random.Random(seed)
    pictures = [bytes((0x01 if n % 5 else 0x00, n)) + rng.randbytes(rng.randint(0, 900)) for n in range(40)]
    made = packets("VP8", pictures)
    stream = [packet for n, packet in enumerate(flat(made)) if n not in lost]
    whole = {3000 * n for n, parts in enumerate(made) if all(packet in stream for packet in parts)}
    previous = None
    for picture in run(Depacketizer("VP8"), stream, step_s=0.01):
        index = picture.rtp_timestamp // 3000
        assert picture.rtp_timestamp in whole
        assert picture.parts == (pictures[index],)
        assert picture.keyframe or previous == index - 1
        previous = index


def test_another_stream_begins_at_its_keyframe_even_where_its_numbers_would_follow() -> None:
    pictures = encode(encoder("VP8", 160, 120, layers=True), moving_frames(12))
    stream = packets("VP8", pictures, layers=L1T3)
    other = [[packet[:8] + bytes((0, 0, 0, 2)) + packet[12:] for packet in picture] for picture in stream]
    depacketizer = Depacketizer("VP8")
    assert len(run(depacketizer, flat(stream[:5]))) == 2
    # The base layer's next picture, TL0PICIDX one further, but of another sender.
    assert run(depacketizer, flat(other[8:9])) == []
    assert depacketizer.wants_keyframe
