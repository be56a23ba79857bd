/* A packet of a stream becomes a viewer's own: header, numbers, encryption. */
#include "internal.h"

#include <string.h>

/* congestion.pacer.BURST_S, viewer_path.OVERHEAD_BYTES */
static const double BURST_S = 0.005;
enum { OVERHEAD = 44 };

/* Pacer.admit, where ViewerPath asks for it: sound fills the bucket and never waits. What has to wait is Python's, and
   nothing overtakes it there. */
static int leave(Peer *viewer, bool is_video, int size, double now_s)
{
    if (viewer->direct)
        return DONE;
    if (is_video && viewer->waits)
        return QUEUED_UP;
    if (is_video && viewer->empty_at_s > now_s) {
        viewer->waits = true;
        return HANDED_UP;
    }
    double since_s = now_s - BURST_S;
    viewer->empty_at_s = (viewer->empty_at_s > since_s ? viewer->empty_at_s : since_s) +
                         (size + OVERHEAD) * viewer->seconds_per_byte;
    return DONE;
}

/* ViewerPath._numbered. */
static void put_number(Peer *viewer, uint8_t *at, int size, double now_s)
{
    put16(at, (uint16_t)++viewer->number);
    viewer->departures[viewer->departures_head++ % DEPARTURES] = (Departure){now_s, viewer->number, size};
}

int forward(Sockets *sockets, Stream *stream, Subscription *to, const Slot *slot, double arrived_s)
{
    if (!to->active)
        return DONE;
    if (to->source != stream)
        return to->is_video ? DONE : HANDED_UP; /* sound begins with any packet, a picture at what is Python's anyway */
    Peer *viewer = to->viewer;
    if (!to->ordinary || !viewer || !viewer->sending || slot->sequence < to->live_from)
        return HANDED_UP;
    if (to->number_at && viewer->departures_head - viewer->departures_tail >= DEPARTURES)
        return HANDED_UP;
    if (slot->sequence < to->start)
        return DONE;
    int64_t sequence = slot->sequence + to->sequence_offset;
    int payload_size = slot->end - slot->start, size = HEADER + to->extensions_size + payload_size;
    int found = to->number_at ? leave(viewer, to->is_video, size, sockets->now_s) : DONE;
    if (found != DONE)
        return found;
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
    return DONE;
}
