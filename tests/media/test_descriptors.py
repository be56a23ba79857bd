"""VP8, VP9, H.264 and AV1 as real encoders write them, and as nobody would."""

from __future__ import annotations

import aiortc.codecs.vpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import av1, h264, vp8, vp9
from media.layers import FRAME, KEYFRAME, SWITCH, SYNC, TEMPORAL_SHIFT
from tests.media.coded import encode, encoder, moving_frames, payloads

CODECS = {"VP8": vp8, "VP9": vp9, "H264": h264, "AV1": av1}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("width", "height"), [(160, 120), (322, 242), (1280, 720)])
def test_a_real_keyframe_is_seen_once_with_its_size(codec: str, width: int, height: int) -> None:
    module = CODECS[codec]
    pictures = encode(encoder(codec, width, height), moving_frames(5, width, height), keyframes=(0, 3))
    assert len(pictures) == 5
    for index, picture in enumerate(pictures):
        parts = payloads(codec, picture, index)
        described = [module.describe(b"head" + part, 4, 4 + len(part)) for part in parts]
        starts = [bool(layer & KEYFRAME) for layer in described]
        assert described[0] & FRAME or codec == "AV1"
        assert starts == [index in (0, 3) and position == 0 for position in range(len(parts))]
        if starts[0]:
            assert module.keyframe_size(b"head" + parts[0], 4, 4 + len(parts[0])) == (width, height)


@given(st.binary(max_size=40), st.integers(0, 5))
def test_any_payload_is_looked_at_without_harm(payload: bytes, start: int) -> None:
    start = min(start, len(payload))
    for module in CODECS.values():
        assert 0 <= module.describe(payload, start, len(payload)) >> TEMPORAL_SHIFT <= 7
        if start < len(payload):
            module.keyframe_size(payload, start, len(payload))
    vp8.picture_numbers(payload, start, len(payload))
    assert len(vp8.offset_picture(payload, 5, 5)) == len(payload)


@given(st.binary(max_size=40))
def test_any_parameter_set_is_read_without_harm(body: bytes) -> None:
    h264.keyframe_size(b"\x67" + body, 0, 1 + len(body))
    high = b"\x67\x64" + body
    h264.keyframe_size(high, 0, len(high))


@given(st.integers(0, 0x7FFF), st.integers(0, 255), st.integers(0, 0x7FFF), st.integers(0, 255))
def test_picture_numbers_move_and_nothing_else(picture: int, tl0: int, offset: int, tl0_offset: int) -> None:
    descriptor = b"\x90\xe0" + (0x8000 | picture).to_bytes(2, "big") + bytes([tl0, 0x40]) + b"frame"
    assert vp8.picture_numbers(descriptor, 0, len(descriptor)) == (picture, tl0)
    moved = vp8.offset_picture(descriptor, offset, tl0_offset)
    expected = ((picture + offset) & 0x7FFF, (tl0 + tl0_offset) & 0xFF)
    assert vp8.picture_numbers(moved, 0, len(moved)) == expected
    assert moved[5:] == descriptor[5:]
    parsed, rest = aiortc.codecs.vpx.VpxPayloadDescriptor.parse(moved)
    assert (parsed.picture_id, parsed.tl0picidx, rest) == (*expected, b"frame")


def test_short_picture_numbers_keep_their_seven_bits() -> None:
    descriptor = b"\x90\x80\x7fframe"
    assert vp8.picture_numbers(descriptor, 0, len(descriptor)) == (127, -1)
    assert vp8.offset_picture(descriptor, 2, 0) == b"\x90\x80\x01frame"


def test_without_picture_numbers_nothing_moves() -> None:
    assert vp8.offset_picture(b"\x10frame", 2, 2) == b"\x10frame"
    assert vp8.picture_numbers(b"\x10frame", 0, 6) == (-1, -1)


def test_vp9_layers_above_the_lowest_start_nothing() -> None:
    assert vp9.describe(b"\xa8\x05\x00\x00", 0, 4) == FRAME | KEYFRAME
    assert vp9.describe(b"\xa8\x05\x02\x00", 0, 4) == FRAME
    assert vp9.describe(b"\xe8\x05\x00\x00", 0, 4) == FRAME
    assert vp9.describe(b"\x08\x82", 0, 2) == FRAME | KEYFRAME


def test_temporal_layers_are_described() -> None:
    layer_2_up = 2 << TEMPORAL_SHIFT
    vp8_sync = b"\x90\xe0\x80\x01\x05\xa0\x01"
    assert vp8.describe(vp8_sync, 0, 7) == layer_2_up | SYNC | FRAME
    assert vp8.describe(b"\x80" + vp8_sync[1:5] + b"\x80\x01", 0, 7) == layer_2_up
    # Without the T bit the same octet holds only a key index.
    assert vp8.describe(b"\x90\x10\xbf\x01", 0, 4) == FRAME
    # Short and long picture ids, flexible mode and not, in the middle of a frame.
    assert vp9.describe(b"\xe8\x85\x01\x50\x09\x00", 0, 6) == layer_2_up | SWITCH | FRAME
    assert vp9.describe(b"\xf0\x05\x42\x02\x00", 0, 5) == layer_2_up


def test_a_vp9_frame_begins_behind_references_and_structure() -> None:
    assert vp9.frame_start(b"\xf8\x05\x40\x03\x02\x80", 0, 6) == 5
    assert vp9.frame_start(b"\xe8\x05\x40\x09\x80", 0, 5) == 4
    structure = b"\x18\x01\x40\x00\xf0\x01\x04\x01"
    assert vp9.frame_start(b"\x8a\x05" + structure + b"\x82", 0, 11) == 10


def test_h264_with_cropping_and_interlace_is_sized() -> None:
    # ITU-T H.264, 7.3.2.1.1 by hand: baseline, order type 0, 11 x 9 macroblocks, frames only, no cropping.
    bits = "01000010" + "0" * 16 + "1" + "1" + "1" + "1" + "1" + "0" + "0001011" + "0001001" + "1" + "0" + "0"
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    payload = b"\x67" + data
    assert h264.keyframe_size(payload, 0, len(payload)) == (176, 144)
