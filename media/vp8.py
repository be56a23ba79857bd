"""VP8's payload descriptor and frame header as a relay needs them (RFC 7741, 4.2 and 4.3; RFC 6386, 9.1)."""

from __future__ import annotations

from media.layers import FRAME, KEYFRAME, SYNC, TEMPORAL_SHIFT


def describe(packet: bytes, start: int, end: int) -> int:
    """Temporal id and flags of media.layers of a payload; 0 where it is malformed or says nothing."""
    if start >= end:
        return 0
    first, at, layer = packet[start], start + 1, 0
    if first & 0x80:
        if at >= end:
            return 0
        extensions = packet[at]
        at += 1
        if extensions & 0x80:
            if at >= end:
                return 0
            at += 2 if packet[at] & 0x80 else 1
        if extensions & 0x40:
            at += 1
        if extensions & 0x30:
            if extensions & 0x20:
                if at >= end:
                    return 0
                layer = packet[at] >> 6 << TEMPORAL_SHIFT
                if packet[at] & 0x20:
                    layer |= SYNC
            at += 1
    # S set and partition index 0: the payload opens a frame.
    if first & 0x17 == 0x10 and at < end:
        layer |= FRAME if packet[at] & 0x01 else FRAME | KEYFRAME
    return layer


def frame_start(packet: bytes, start: int, end: int) -> int:
    """Offset of the frame's bytes behind the descriptor, or end."""
    if start >= end:
        return end
    at = start + 1
    if packet[start] & 0x80:
        if at >= end:
            return end
        extensions = packet[at]
        at += 1
        if extensions & 0x80:
            if at >= end:
                return end
            at += 2 if packet[at] & 0x80 else 1
        if extensions & 0x40:
            at += 1
        if extensions & 0x30:
            at += 1
    return min(at, end)


def keyframe_size(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """(width, height) in pixels of the keyframe that this payload opens, or None."""
    at = packet.find(b"\x9d\x01\x2a", start, min(end, start + 16))
    if at < 0 or at + 7 > end:
        return None
    width = (packet[at + 3] | packet[at + 4] << 8) & 0x3FFF
    height = (packet[at + 5] | packet[at + 6] << 8) & 0x3FFF
    return width, height


def picture_numbers(packet: bytes, start: int, end: int) -> tuple[int, int]:
    """(PictureID, TL0PICIDX) of a payload, -1 for what it does not carry."""
    picture_id = tl0 = -1
    if start + 1 >= end or not packet[start] & 0x80:
        return picture_id, tl0
    extensions = packet[start + 1]
    at = start + 2
    if extensions & 0x80:
        if at >= end:
            return picture_id, tl0
        if packet[at] & 0x80:
            if at + 1 >= end:
                return picture_id, tl0
            picture_id = (packet[at] & 0x7F) << 8 | packet[at + 1]
            at += 2
        else:
            picture_id = packet[at]
            at += 1
    if extensions & 0x40 and at < end:
        tl0 = packet[at]
    return picture_id, tl0


def offset_picture(payload: bytes, picture_offset: int, tl0_offset: int) -> bytes:
    """The payload with PictureID (modulo its 7 or 15 bits) and TL0PICIDX moved by the offsets."""
    if len(payload) < 3 or not payload[0] & 0x80:
        return payload
    moved = bytearray(payload)
    extensions = payload[1]
    at = 2
    if extensions & 0x80:
        if payload[at] & 0x80:
            if len(payload) < at + 2:
                return payload
            picture_id = (((payload[at] & 0x7F) << 8 | payload[at + 1]) + picture_offset) & 0x7FFF
            moved[at] = 0x80 | picture_id >> 8
            moved[at + 1] = picture_id & 0xFF
            at += 2
        else:
            moved[at] = (payload[at] + picture_offset) & 0x7F
            at += 1
    if extensions & 0x40 and at < len(payload):
        moved[at] = (payload[at] + tl0_offset) & 0xFF
    return bytes(moved)
