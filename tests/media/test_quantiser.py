"""Quantisers of real encoders' frames, where they are forced; the mean; and bytes that nobody would write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bits import BitReader, BoolReader, EndOfBits
from media.quantiser import H264QuantiserReader, QuantiserMeter, vp8_quantiser, vp9_quantiser
from tests.media.coded import encode, moving_frames, payloads, quantised
from tests.media.streams import publication, vp8

# libvpx's scale of 0 to 63 in the bitstream's terms, at some of its points.
VP8_INDEX = {0: 0, 4: 4, 20: 25, 40: 59, 56: 106, 63: 127}
VP9_INDEX = {0: 0, 4: 16, 20: 80, 40: 160, 56: 224, 63: 255}
FRAME = payloads("VP8", encode(quantised("VP8", 64, 48, 40), moving_frames(1, 64, 48))[0], 0)[0]


def read(
    codec: str, quantiser: int, sizes: tuple[int, int] = (160, 120), options: dict[str, str] | None = None
) -> list[int | None]:
    """What is read of each picture of a real encoder that is held to a quantiser."""
    context = quantised(codec, *sizes, quantiser, options)
    reader = {"VP8": vp8_quantiser, "VP9": vp9_quantiser}.get(codec) or H264QuantiserReader().read
    found: list[int | None] = []
    for index, picture in enumerate(encode(context, moving_frames(8, *sizes), keyframes=(0, 5))):
        parts = payloads(codec, picture, index)
        values = [reader(b"head" + part + b"tail", 4, 4 + len(part)) for part in parts]
        (value,) = [value for value in values if value is not None]
        found.append(value)
    return found


@pytest.mark.parametrize("quantiser", VP8_INDEX)
def test_vp8_at_a_forced_quantiser(quantiser: int) -> None:
    assert read("VP8", quantiser) == [VP8_INDEX[quantiser]] * 8


@pytest.mark.parametrize("options", [{"error-resilient": "1"}, {"noise-sensitivity": "3"}, {"slices": "4"}])
def test_vp8_with_segments_partitions_and_without_memory(options: dict[str, str]) -> None:
    assert read("VP8", 40, (320, 240), options) == [59] * 8


@pytest.mark.parametrize("quantiser", VP9_INDEX)
def test_vp9_at_a_forced_quantiser(quantiser: int) -> None:
    assert read("VP9", quantiser) == [VP9_INDEX[quantiser]] * 8


@pytest.mark.parametrize("options", [{"error-resilient": "default"}, {"aq-mode": "3"}, {"row-mt": "1"}])
def test_vp9_with_segments_and_without_memory(options: dict[str, str]) -> None:
    assert read("VP9", 40, (320, 240), options) == [160] * 8


@pytest.mark.parametrize("quantiser", [1, 18, 26, 37, 51])
def test_h264_at_a_forced_quantiser(quantiser: int) -> None:
    assert read("H264", quantiser) == [quantiser] * 8


@pytest.mark.parametrize(
    "parameters",
    [
        "cabac=1:weightp=0:bframes=0",
        "ref=4:weightp=0:bframes=0",
        "interlaced=1:weightp=0:bframes=0",
        "slices=3:weightp=0:bframes=0",
    ],
)
def test_h264_with_other_slice_headers(parameters: str) -> None:
    options = {"profile": "main", "x264-params": parameters, "preset": "medium"}
    assert read("H264", 30, (320, 240), options) == [30] * 8


def test_h264_of_a_high_profile_is_read_too() -> None:
    options = {"profile": "high", "preset": "medium", "x264-params": "weightp=0:bframes=0"}
    assert read("H264", 30, options=options) == [30] * 8


def test_h264_before_its_parameter_sets_is_unknown() -> None:
    pictures = encode(quantised("H264", 160, 120, 30), moving_frames(2))
    reader = H264QuantiserReader()
    first = payloads("H264", pictures[1], 1)[0]
    assert reader.read(first, 0, len(first)) is None


def test_the_mean_is_of_the_last_second() -> None:
    meter = QuantiserMeter("H264")
    assert meter.mean(0.0) is None
    for quantiser, begun_s in ((20, 10.0), (40, 11.0)):
        pictures = encode(quantised("H264", 160, 120, quantiser), moving_frames(8))
        for index, picture in enumerate(pictures):
            for part in payloads("H264", picture, index):
                meter.packet(part, 0, len(part), index, begun_s + index / 10)
    assert meter.mean(11.7) == pytest.approx((40 * 8 + 0) / 8)
    assert meter.mean(12.65) == 40.0
    assert meter.mean(12.71) is None


def test_of_many_frames_some_of_every_temporal_layer_are_read() -> None:
    pictures = {
        quantiser: payloads("VP8", encode(quantised("VP8", 160, 120, quantiser), moving_frames(1))[0], 0)[0]
        for quantiser in (4, 20, 40)
    }
    meter = QuantiserMeter("VP8")
    for number in range(90):
        payload = pictures[(4, 40, 20, 40)[number % 4]]
        meter.packet(payload, 0, len(payload), number, number / 30)
    mean = (VP8_INDEX[4] + VP8_INDEX[20] + 2 * VP8_INDEX[40]) / 4
    assert meter.mean(89 / 30) == pytest.approx(mean, abs=8)


def test_parameter_sets_are_read_however_many_frames_there_are() -> None:
    meter = QuantiserMeter("H264")
    now = 0.0
    for quantiser in (20, 40):
        pictures = encode(quantised("H264", 160, 120, quantiser), moving_frames(2))
        for number in range(40):
            now += 1 / 30
            for part in payloads("H264", pictures[number > 0], number):
                meter.packet(part, 0, len(part), int(now * 90000), now)
    assert meter.mean(now) == 40.0


def test_frames_without_end_take_no_memory() -> None:
    meter = QuantiserMeter("VP8")
    picture = encode(quantised("VP8", 160, 120, 40), moving_frames(1))[0]
    payload = payloads("VP8", picture, 0)[0]
    for number in range(100_000):
        meter.packet(payload, 0, len(payload), number, 5.0)
    assert meter.mean(5.0) == 59.0


def test_a_publication_says_it_on_both_scales() -> None:
    made = publication()
    assert made.stats().quantiser is None
    picture = encode(quantised("VP8", 160, 120, 40), moving_frames(1))[0]
    for number in range(3):
        packet = vp8(number, number)[:12] + payloads("VP8", picture, number)[0]
        made.encodings[0].receive(packet, 1.0 + number / 30)
    made.measure(1.5)
    assert made.stats().native_quantiser == 59.0
    assert made.stats().quantiser == pytest.approx(59 / 127)
    made.measure(3.0)
    assert made.stats().quantiser is None


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 3), st.booleans()), max_size=60))
def test_frames_of_any_time_leave_a_mean_or_nothing(frames: list[tuple[int, float, bool]]) -> None:
    meter, now = QuantiserMeter("VP8"), 0.0
    for timestamp, later_s, good in frames:
        now += later_s / 10
        payload = FRAME if good else FRAME[:12]
        meter.packet(payload, 0, len(payload), timestamp, now)
    assert meter.mean(now) in (None, 59.0)


@given(st.binary(max_size=80), st.integers(0, 5))
def test_any_payload_is_read_without_harm(payload: bytes, start: int) -> None:
    start = min(start, len(payload))
    for codec in ("VP8", "VP9", "H264", "AV1", "opus"):
        meter = QuantiserMeter(codec)
        meter.packet(payload, start, len(payload), 1, 0.0)
        mean = meter.mean(0.0)
        assert mean is None or 0 <= mean <= meter.maximum


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264"])
def test_a_frame_that_is_cut_anywhere_is_unknown_or_right(codec: str) -> None:
    pictures = encode(quantised(codec, 160, 120, 40), moving_frames(2))
    for index, picture in enumerate(pictures):
        for cut in range(60):
            reader = H264QuantiserReader()
            for whole in payloads("H264", pictures[0], 0) if codec == "H264" else []:
                reader.read(whole, 0, len(whole))
            read_one = {"VP8": vp8_quantiser, "VP9": vp9_quantiser}.get(codec) or reader.read
            part = payloads(codec, picture, index)[-1 if codec == "H264" and index == 0 else 0]
            assert read_one(part[:cut], 0, min(cut, len(part))) in (
                None,
                {"VP8": 59, "VP9": 160, "H264": 40}[codec],
            )


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 4095)), max_size=40))
def test_the_boolean_decoder_reads_what_rfc_6386s_encoder_wrote(fields: list[tuple[int, int]]) -> None:
    values = [(size, value & ((1 << size) - 1)) for size, value in fields]
    reader = BoolReader(bool_encoded(values) + bytes(2))
    assert [reader.literal(size) for size, _ in values] == [value for _, value in values]


def bool_encoded(values: list[tuple[int, int]]) -> bytes:
    """Literals as RFC 6386, 7.3 encodes them, by exact arithmetic on a number that grows without bound."""
    bottom, range_, shift = 0, 255, 0
    for size, value in values:
        for at in reversed(range(size)):
            split = 1 + ((range_ - 1) * 128 >> 8)
            if value >> at & 1:
                bottom += split
                range_ -= split
            else:
                range_ = split
            while range_ < 128:
                range_ *= 2
                bottom *= 2
                shift += 1
    padding = -shift % 8
    return (bottom << padding).to_bytes((8 + shift + padding) // 8, "big")


@given(st.binary(max_size=12), st.lists(st.integers(0, 20), max_size=20))
def test_readers_end_where_the_data_ends(data: bytes, sizes: list[int]) -> None:
    for reader in (BitReader(data).unsigned, BoolReader(data).literal):
        try:
            for size in sizes:
                assert 0 <= reader(size) < 1 << size
        except EndOfBits:
            assert sum(sizes) > 8 * len(data) - 9


def test_exp_golomb_codes() -> None:
    # ITU-T H.264, tables 9-2 and 9-3.
    bits = BitReader(bytes([0b10100110, 0b01000010, 0b10011000]))
    assert [bits.exp_golomb() for _ in range(5)] == [0, 1, 2, 3, 4]
    bits = BitReader(bytes([0b10100110, 0b01000010, 0b10011000]))
    assert [bits.signed_exp_golomb() for _ in range(5)] == [0, 1, -1, 2, -2]
    with pytest.raises(EndOfBits):
        BitReader(bytes(8)).exp_golomb()
