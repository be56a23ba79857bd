"""VP9's payload descriptor and frame header as a relay needs them (RFC 9628, 4.2; VP9 bitstream, 6.2)."""

from __future__ import annotations

from media.layers import FRAME, KEYFRAME, SWITCH, TEMPORAL_SHIFT


def describe(packet: bytes, start: int, end: int) -> int:
    """Temporal id and flags of media.layers of a payload; 0 where it is malformed or says nothing.

    Only the lowest spatial layer of a picture begins a keyframe.
    """
    if start >= end:
        return 0
    first, at, layer, spatial = packet[start], start + 1, 0, 0
    if first & 0x20:
        if first & 0x80:
            if at >= end:
                return 0
            at += 2 if packet[at] & 0x80 else 1
        if at >= end:
            return 0
        layers = packet[at]
        layer, spatial = layers >> 5 << TEMPORAL_SHIFT, layers & 0x0E
        if layers & 0x10:
            layer |= SWITCH
    # B (begins a frame) set, P (inter-picture predicted) clear.
    if first & 0x08:
        layer |= FRAME if first & 0x40 or spatial else FRAME | KEYFRAME
    return layer


def frame_start(packet: bytes, start: int, end: int) -> int:
    """Offset of the frame's bytes behind the descriptor, or end."""
    if start >= end:
        return end
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
