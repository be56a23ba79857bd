/* A packet of a stream becomes a viewer's own: header, numbers, encryption. */
#include "internal.h"

#include <string.h>

/* congestion.pacer.BURST_S, viewer_path.OVERHEAD_BYTES */
static const double BURST_S = 0.005;
enum { OVERHEAD = 44 };

/* Pacer.admit, where ViewerPath asks for it: sound fills the bucket and never waits. */
static bool leaves_now(Peer *viewer, bool is_video, int size, double now_s)
{
    if (viewer->direct)
        return true;
    if (is_video && (viewer->waits || viewer->empty_at_s > now_s)) {
        viewer->waits = true; /* nothing overtakes it */
        return false;
    }
    double since_s = now_s - BURST_S;
    viewer->empty_at_s = (viewer->empty_at_s > since_s ? viewer->empty_at_s : since_s) +
                         (size + OVERHEAD) * viewer->seconds_per_byte;
    return true;
}

/* ViewerPath._numbered. */
static void put_number(Peer *viewer, uint8_t *at, int size, double now_s)
{
    put16(at, (uint16_t)++viewer->number);
    viewer->departures[viewer->departures_head++ % DEPARTURES] = (Departure){now_s, viewer->number, size};
}

bool forward(Sockets *sockets, Stream *stream, Subscription *to, const Slot *slot, double arrived_s)
{
    if (!to->active)
        return true;
    if (to->source != stream)
        return to->is_video; /* a video begins at a keyframe, which is Python's; sound with any packet */
    Peer *viewer = to->viewer;
    if (!to->ordinary || !viewer || !viewer->sending || slot->sequence < to->live_from)
        return false;
    if (to->number_at && viewer->departures_head - viewer->departures_tail >= DEPARTURES)
        return false;
    if (slot->sequence < to->start)
        return true;
    int64_t sequence = slot->sequence + to->sequence_offset;
    int payload_size = slot->end - slot->start, size = HEADER + to->extensions_size + payload_size;
    if (to->number_at && !leaves_now(viewer, to->is_video, size, sockets->now_s))
        return false;
    if (sequence >= to->next_sequence) {
        to->next_sequence = sequence + 1;
        to->last_sequence = slot->sequence;
        to->last_timestamp = slot->timestamp;
        to->last_head_size = (uint8_t)(payload_size < 8 ? payload_size : 8);
        memcpy(to->last_head, slot->data + slot->start, to->last_head_size);
        to->last_sent_s = arrived_s;
    }
    to->packets++;
    to->octets += payload_size;
    uint8_t *data = next_packet(sockets), *payload = data + HEADER + to->extensions_size;
    data[0] = to->extensions_size ? 0x90 : 0x80;
    data[1] = (uint8_t)(to->payload_type | (slot->marker ? 0x80 : 0));
    put16(data + 2, (uint16_t)sequence);
    put32(data + 4, (uint32_t)(slot->timestamp + (uint64_t)to->timestamp_offset));
    put32(data + 8, to->ssrc);
    memcpy(data + HEADER, to->extensions, to->extensions_size);
    memcpy(payload, slot->data + slot->start, (size_t)payload_size);
    if (to->picture_offset || to->tl0_offset)
        offset_picture(payload, payload_size, to->picture_offset, to->tl0_offset);
    if (to->number_at)
        put_number(viewer, data + to->number_at, size, sockets->now_s);
    size = size <= PACKET ? srtp_protect(viewer->sending, data, size) : -1;
    if (size < 0 || !viewer->address_size)
        stream->refused++;
    else
        queue(sockets, stream, viewer, size);
    return true;
}
