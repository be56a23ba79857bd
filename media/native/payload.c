/* What the loop must know of payloads: whether a frame begins, and where VP8 keeps its picture numbers. */
#include "internal.h"

bool may_start_keyframe(int codec, const uint8_t *payload, int size)
{
    switch (codec) {
    case STREAM_AUDIO:
        return false;
    case STREAM_VP8: { /* S set, partition 0, and the frame header's P clear (RFC 7741, 4.2; RFC 6386, 9.1) */
        if (!FITS(7, size >= 1) || (payload[0] & 0x17) != 0x10)
            return false;
        int at = 1;
        if (payload[0] & 0x80) {
            if (!FITS(8, at < size))
                return false;
            uint8_t flags = payload[at++];
            if (flags & 0x80) {
                if (!FITS(9, at < size))
                    return false;
                at += payload[at] & 0x80 ? 2 : 1;
            }
            at += (flags & 0x40 ? 1 : 0) + (flags & 0x30 ? 1 : 0);
        }
        return FITS(10, at < size) && !(payload[at] & 0x01);
    }
    case STREAM_VP9: /* begins a frame that no other predicts (RFC 9628, 4.2) */
        return FITS(11, size >= 1) && (payload[0] & 0x48) == 0x08;
    case STREAM_H264: { /* parameter sets, or an aggregate that may hold them (RFC 6184, 5) */
        int kind = FITS(12, size >= 1) ? payload[0] & 0x1F : 0;
        return kind == 5 || kind == 7 || kind == 8 || kind == 24;
    }
    default:
        return true;
    }
}

bool may_open_frame(int codec, const uint8_t *payload, int size)
{
    if (!FITS(13, size >= 2))
        return false;
    switch (codec) {
    case STREAM_VP8:
        return (payload[0] & 0x17) == 0x10;
    case STREAM_VP9:
        return payload[0] & 0x08;
    case STREAM_H264: { /* a whole NAL unit, or the first fragment of one (FU-A) */
        int kind = payload[0] & 0x1F;
        return kind < 24 || (kind == 28 && payload[1] & 0x80);
    }
    default:
        return false;
    }
}

void offset_picture(uint8_t *payload, int size, int64_t picture_offset, int64_t tl0_offset)
{
    if (!FITS(14, size >= 3) || !(payload[0] & 0x80))
        return;
    int at = 2;
    if (payload[1] & 0x80) {
        if (payload[at] & 0x80) {
            if (!FITS(15, at + 2 <= size))
                return;
            uint16_t picture = (uint16_t)((get16(payload + at) & 0x7FFF) + picture_offset);
            put16(payload + at, picture | 0x8000);
            at += 2;
        } else {
            payload[at] = (uint8_t)((payload[at] + picture_offset) & 0x7F);
            at++;
        }
    }
    if ((payload[1] & 0x40) && FITS(16, at < size))
        payload[at] = (uint8_t)(payload[at] + tl0_offset);
}
