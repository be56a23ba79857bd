"""H.264's RTP payload and parameter set as a relay needs them (RFC 6184, 5; ITU-T H.264, 7.3.2.1.1)."""

from __future__ import annotations

_SPS = 7
_STAP_A = 24
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class _EndOfBits(Exception):
    pass


def _find_sps(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """(start, end) of a sequence parameter set in a single-NAL or STAP-A payload, or None."""
    if start >= end:
        return None
    kind = packet[start] & 0x1F
    if kind == _SPS:
        return start, end
    if kind == _STAP_A:
        at = start + 1
        while at + 2 < end:
            size = packet[at] << 8 | packet[at + 1]
            at += 2
            if size == 0 or at + size > end:
                return None
            if packet[at] & 0x1F == _SPS:
                return at, at + size
            at += size
    return None


def starts_keyframe(packet: bytes, start: int, end: int) -> bool:
    """Whether a decoder can begin here: the payload holds a sequence parameter set, which opens an IDR."""
    return _find_sps(packet, start, end) is not None


def keyframe_size(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """(width, height) in pixels by the sequence parameter set in this payload, or None."""
    found = _find_sps(packet, start, end)
    if found is None:
        return None
    try:
        return _sps_size(packet[found[0] + 1 : found[1]].replace(b"\x00\x00\x03", b"\x00\x00"))
    except _EndOfBits:
        return None


class _Bits:
    """Reads unsigned numbers and Exp-Golomb codes (ITU-T H.264, 9.1) from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def unsigned(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise _EndOfBits
        return self._value >> self._left & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        zeros = 0
        while not self.unsigned(1):
            zeros += 1
            if zeros > 32:
                raise _EndOfBits
        return (1 << zeros) - 1 + self.unsigned(zeros)


def _sps_size(sps: bytes) -> tuple[int, int] | None:
    bits = _Bits(sps[:256])
    profile = bits.unsigned(8)
    bits.unsigned(16)
    bits.exp_golomb()
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = bits.exp_golomb()
        if chroma == 3:
            bits.unsigned(1)
        bits.exp_golomb()
        bits.exp_golomb()
        bits.unsigned(1)
        if bits.unsigned(1):
            return None  # scaling lists: no WebRTC encoder writes them
    bits.exp_golomb()
    order = bits.exp_golomb()
    if order == 0:
        bits.exp_golomb()
    elif order == 1:
        bits.unsigned(1)
        bits.exp_golomb()
        bits.exp_golomb()
        for _ in range(min(bits.exp_golomb(), 255)):
            bits.exp_golomb()
    bits.exp_golomb()
    bits.unsigned(1)
    width_mbs = bits.exp_golomb() + 1
    height_units = bits.exp_golomb() + 1
    frame_only = bits.unsigned(1)
    if not frame_only:
        bits.unsigned(1)
    bits.unsigned(1)
    width, height = 16 * width_mbs, 16 * height_units * (2 - frame_only)
    if bits.unsigned(1):
        left, right, top, bottom = (bits.exp_golomb() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (2 - frame_only) * (top + bottom)
    return (width, height) if 0 < width <= 16384 and 0 < height <= 16384 else None
