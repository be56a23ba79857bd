"""VP9's payload descriptor and frame header as a relay needs them (RFC 9628, 4.2; VP9 bitstream, 6.2)."""

from __future__ import annotations


def starts_keyframe(packet: bytes, start: int, end: int) -> bool:
    """Whether this payload is the first of a frame that depends on no other, of the lowest spatial layer."""
    if start >= end:
        return False
    first = packet[start]
    # B (begins a frame) set, P (inter-picture predicted) clear.
    if first & 0x48 != 0x08:
        return False
    if not first & 0x20:
        return True
    at = start + 1
    if first & 0x80:
        if at >= end:
            return False
        at += 2 if packet[at] & 0x80 else 1
    return at < end and not packet[at] & 0x0E


def frame_start(packet: bytes, start: int, end: int) -> int:
    """Offset of the frame's bytes behind the descriptor, or end."""
    first = packet[start]
    at = start + 1
    if first & 0x80:
        if at >= end:
            return end
        at += 2 if packet[at] & 0x80 else 1
    if first & 0x20:
        at += 1 if first & 0x10 else 2
    if first & 0x50 == 0x50:
        # Flexible mode: up to three reference indices, each of which says whether another follows.
        for _ in range(3):
            if at >= end:
                return end
            at += 1
            if not packet[at - 1] & 0x01:
                break
    if first & 0x02:
        if at >= end:
            return end
        structure = packet[at]
        at += 1
        if structure & 0x10:
            at += 4 * ((structure >> 5) + 1)
        if structure & 0x08:
            if at >= end:
                return end
            pictures = packet[at]
            at += 1
            for _ in range(pictures):
                if at >= end:
                    return end
                at += 1 + (packet[at] >> 2 & 0x03)
    return min(at, end)


def keyframe_size(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """(width, height) in pixels that the frame header of a keyframe's first payload states, or None.

    Profile 0 only: frame_marker, profile and flags fill the first byte.
    """
    if start >= end:
        return None
    at = frame_start(packet, start, end)
    if end - at < 10 or packet[at] & 0xF4 != 0x80 or packet[at + 1 : at + 4] != b"\x49\x83\x42":
        return None
    bits = int.from_bytes(packet[at + 4 : at + 10], "big")
    # color_space (3), color_range (1), then two 16-bit sizes less one; sRGB has no color_range in profile 0.
    width = (bits >> (48 - 4 - 16)) & 0xFFFF
    height = (bits >> (48 - 4 - 32)) & 0xFFFF
    return width + 1, height + 1
