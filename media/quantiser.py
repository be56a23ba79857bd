"""How coarsely a frame was quantised, read from the encoder's own headers as packets pass: VP8's y_ac_qi
(RFC 6386, 9.6), VP9's base_q_idx (VP9 bitstream, 6.2), H.264's pic_init_qp and slice_qp_delta (7.3.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from media import h264, vp8, vp9
from media.bits import BitReader, BoolReader, EndOfBits

WINDOW_S = 1.0
MAX_FRAMES = 240
"""More frames than this in a second are no camera's."""
ENOUGH_FRAMES, TAKEN = 10, 3
"""With so many frames in the window one of three is read: that is a number without common divisor with any
cycle of temporal layers, whose quantisers differ."""
VP8_MAX, VP9_MAX, H264_MAX = 127, 255, 51
_HEADER_BYTES = 32


class QuantiserMeter:
    """The quantisers of one stream's frames, and their mean over the last second."""

    __slots__ = ("_count", "_frames", "_is_h264", "_read", "_skips", "_sum", "_timestamp", "maximum")

    def __init__(self, codec: str) -> None:
        """codec: RTP encoding name; of one that is not read nothing is ever known."""
        self.maximum = {"VP8": VP8_MAX, "VP9": VP9_MAX, "H264": H264_MAX}.get(codec, 0)
        """The coarsest quantiser of the codec's own scale; 0 is the finest."""
        readers: dict[str, Callable[[bytes, int, int], int | None]] = {
            "VP8": vp8_quantiser,
            "VP9": vp9_quantiser,
        }
        self._is_h264 = codec == "H264"
        self._read = H264QuantiserReader().read if self._is_h264 else readers.get(codec)
        self._frames: deque[tuple[float, int, int]] = deque()
        self._sum = 0
        self._timestamp = -1
        self._count = 0
        self._skips = False

    def passes_over(self, timestamp: int, now: float) -> bool:
        """Whether a frame is one of those that are not read, except for H.264's parameter sets."""
        frames = self._frames
        if timestamp != self._timestamp:
            self._timestamp = timestamp
            self._count += 1
            if frames and frames[0][0] <= now - WINDOW_S:
                self._forget(now)
            self._skips = len(frames) >= ENOUGH_FRAMES and self._count % TAKEN != 0
        return self._skips

    def packet(self, data: bytes, start: int, end: int, timestamp: int, now: float) -> None:
        """Look at a payload that opens a frame; of several spatial layers the last one counts."""
        if self._read is None:
            return
        if self.passes_over(timestamp, now) and not (
            self._is_h264 and h264.holds_parameters(data, start, end)
        ):
            return
        frames = self._frames
        value = self._read(data, start, end)
        if value is None or self._skips:
            return
        if frames and frames[-1][2] == timestamp:
            self._sum -= frames.pop()[1]
        frames.append((now, value, timestamp))
        self._sum += value
        if len(frames) > MAX_FRAMES:
            self._forget(now)

    def _forget(self, now: float) -> None:
        frames = self._frames
        while frames and (len(frames) > MAX_FRAMES or frames[0][0] <= now - WINDOW_S):
            self._sum -= frames.popleft()[1]

    def mean(self, now: float) -> float | None:
        """Mean over the last second on the codec's own scale, or None when no frame of it was read."""
        self._forget(now)
        return self._sum / len(self._frames) if self._frames else None


def vp8_quantiser(packet: bytes, start: int, end: int) -> int | None:
    """y_ac_qi, 0 to 127, of the frame that this payload opens, or None where it opens none."""
    if start >= end or packet[start] & 0x17 != 0x10:
        return None
    at = vp8.frame_start(packet, start, end)
    if at + 3 > end:
        return None
    keyframe = not packet[at] & 0x01
    at += 10 if keyframe else 3
    try:
        return _vp8_index(BoolReader(packet[at : min(end, at + _HEADER_BYTES)]), keyframe)
    except EndOfBits:
        return None


def _vp8_index(bits: BoolReader, keyframe: bool) -> int:
    literal = bits.literal
    if keyframe:
        literal(2)  # color_space, clamping_type
    if literal(1):  # segmentation_enabled
        update_map, update_data = literal(1), literal(1)
        if update_data:
            literal(1)
            _skip_optional(bits, 4, 8)  # quantiser and sign
            _skip_optional(bits, 4, 7)  # loop filter level and sign
        if update_map:
            _skip_optional(bits, 3, 8)
    literal(10)  # filter_type, loop_filter_level, sharpness_level
    if literal(1) and literal(1):  # mode_ref_lf_delta: enabled, updated
        _skip_optional(bits, 8, 7)
    literal(2)  # log2_nbr_of_dct_partitions
    return literal(7)


def _skip_optional(bits: BoolReader | BitReader, count: int, size: int) -> None:
    """Pass over count fields of size bits, each behind a flag that says whether it is there."""
    take = bits.literal if isinstance(bits, BoolReader) else bits.unsigned
    for _ in range(count):
        if take(1):
            take(size)


def vp9_quantiser(packet: bytes, start: int, end: int) -> int | None:
    """base_q_idx, 0 to 255, of the frame or spatial layer that this payload opens (profile 0), or None."""
    if start >= end or not packet[start] & 0x08:
        return None
    at = vp9.frame_start(packet, start, end)
    try:
        return _vp9_index(BitReader(packet[at : min(end, at + _HEADER_BYTES)]))
    except EndOfBits:
        return None


def _vp9_index(bits: BitReader) -> int | None:
    take = bits.unsigned
    if take(4) != 0b1000 or take(1):  # frame_marker, profile 0; show_existing_frame
        return None
    inter, shown, resilient = take(1), take(1), take(1)
    intra_only = 0
    if inter:
        intra_only = 0 if shown else take(1)
        if not resilient:
            take(2)  # reset_frame_context
    if not inter or intra_only:
        if take(24) != 0x498342:
            return None
        if intra_only:
            take(8)  # refresh_frame_flags
        elif take(3) == 7:
            return None  # sRGB, which profile 0 has not
        else:
            take(1)  # color_range
        take(32)  # frame_size
        if take(1):
            take(32)  # render_size
    else:
        take(8 + 12)  # refresh_frame_flags, ref_frame_idx and sign bias
        if not (take(1) or take(1) or take(1)):  # found_ref
            take(32)
        if take(1):
            take(32)
        take(1)  # allow_high_precision_mv
        if not take(1):  # is_filter_switchable
            take(2)
    if not resilient:
        take(2)  # refresh_frame_context, frame_parallel_decoding_mode
    take(2 + 6 + 3)  # frame_context_idx, loop_filter_level, sharpness
    if take(1) and take(1):  # mode_ref_delta: enabled, updated
        _skip_optional(bits, 6, 7)
    return take(8)


class H264QuantiserReader:
    """Reads slice headers (7.3.3) by the parameter sets before them, as constrained baseline writes them."""

    def __init__(self) -> None:
        self._sequences: dict[int, h264.SequenceParameters] = {}
        self._pictures: dict[int, h264.PictureParameters] = {}

    def read(self, packet: bytes, start: int, end: int) -> int | None:
        """QP, 0 to 51, of the first slice that this payload opens a picture with, or None."""
        for kind, reference, first, last in h264.units(packet, start, end):
            if kind == h264.SPS:
                sps = h264.sequence_parameters(packet, first, last)
                if sps is not None:
                    self._sequences[sps.identity] = sps
            elif kind == h264.PPS:
                pps = h264.picture_parameters(packet, first, last)
                if pps is not None:
                    self._pictures[pps.identity] = pps
            elif kind in (h264.SLICE, h264.IDR_SLICE) and first < last and packet[first] & 0x80:
                # A leading 1 is first_mb_in_slice 0.
                try:
                    return self._slice(
                        h264.raw_bits(packet, first, last, _HEADER_BYTES), kind == h264.IDR_SLICE, reference
                    )
                except EndOfBits:
                    return None
        return None

    def _slice(self, bits: BitReader, idr: bool, reference: int) -> int | None:
        bits.exp_golomb()
        kind = bits.exp_golomb() % 5
        pps = self._pictures.get(bits.exp_golomb())
        sps = self._sequences.get(pps.sequence_identity) if pps is not None else None
        if pps is None or sps is None or kind not in (0, 2) or (pps.weighted and kind == 0):
            return None  # neither P nor I, or with weights: not of a profile that is negotiated
        if sps.separate_planes:
            bits.unsigned(2)
        bits.unsigned(sps.frame_number_bits)
        field = not sps.frames_only and bits.unsigned(1)
        if field:
            bits.unsigned(1)
        if idr:
            bits.exp_golomb()
        if sps.order_type == 0:
            bits.unsigned(sps.order_bits)
            if pps.order_in_frame and not field:
                bits.signed_exp_golomb()
        elif sps.order_type == 1 and not sps.order_always_zero:
            bits.signed_exp_golomb()
            if pps.order_in_frame and not field:
                bits.signed_exp_golomb()
        if pps.redundant_pictures:
            bits.exp_golomb()
        if kind == 0:
            if bits.unsigned(1):  # num_ref_idx_active_override
                bits.exp_golomb()
            if bits.unsigned(1):  # ref_pic_list_modification
                while bits.exp_golomb() != 3:
                    bits.exp_golomb()
        if reference:
            self._skip_marking(bits, idr)
        if pps.arithmetic_coding and kind == 0:
            bits.exp_golomb()
        quantiser = pps.initial_quantiser + bits.signed_exp_golomb()
        return quantiser if 0 <= quantiser <= H264_MAX else None

    @staticmethod
    def _skip_marking(bits: BitReader, idr: bool) -> None:
        """dec_ref_pic_marking (7.3.3.3)."""
        if idr:
            bits.unsigned(2)
        elif bits.unsigned(1):
            while operation := bits.exp_golomb():
                if operation != 5:
                    bits.exp_golomb()
                if operation == 3:
                    bits.exp_golomb()
