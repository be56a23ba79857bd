/* RTP headers: where their parts are. Strangers write these bytes: every length is checked before it is used. */
#include "internal.h"

int header_size(const uint8_t *data, int size)
{
    if (!FITS(1, size >= HEADER) || data[0] >> 6 != 2)
        return -1;
    int start = HEADER + 4 * (data[0] & 0x0F);
    if (data[0] & 0x10) {
        if (!FITS(2, start + 4 <= size))
            return -1;
        start += 4 + 4 * get16(data + start + 2);
    }
    return FITS(3, start <= size) ? start : -1;
}

bool parse(const uint8_t *data, int size, Rtp *rtp)
{
    int start = header_size(data, size), end = size;
    if (start < 0)
        return false;
    if (data[0] & 0x20) {
        if (data[size - 1] == 0)
            return false;
        end -= data[size - 1];
    }
    if (!FITS(4, start <= end))
        return false;
    *rtp = (Rtp){
        .marker = data[1] > 127,
        .payload_type = data[1] & 0x7F,
        .sequence = get16(data + 2),
        .timestamp = get32(data + 4),
        .ssrc = get32(data + 8),
        .start = start,
        .end = end,
    };
    if (data[0] & 0x10) {
        int at = HEADER + 4 * (data[0] & 0x0F);
        rtp->extension_profile = get16(data + at);
        rtp->extension = at + 4;
        rtp->extension_end = start;
    }
    return true;
}

int find_extension(const uint8_t *data, const Rtp *rtp, int wanted, int *size)
{
    int at = rtp->extension, end = rtp->extension_end;
    bool short_form = rtp->extension_profile == 0xBEDE;
    if (!short_form && rtp->extension_profile >> 4 != 0x100)
        return -1;
    int head = short_form ? 1 : 2;
    while (FITS(5, at + head <= end)) {
        if (data[at] == 0) {
            at++;
            continue;
        }
        int kind = short_form ? data[at] >> 4 : data[at];
        int length = short_form ? (data[at] & 0x0F) + 1 : data[at + 1];
        if ((short_form && kind == 15) || !FITS(6, at + head + length <= end))
            return -1;
        if (kind == wanted) {
            *size = length;
            return at + head;
        }
        at += head + length;
    }
    return -1;
}
