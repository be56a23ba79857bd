/* What is kept of a stream that comes: its last packets, and what it was counted. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

Stream *stream_new(int32_t id, int capacity)
{
    Stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->id = id;
    stream->mask = capacity - 1;
    stream->slots = malloc((size_t)capacity * sizeof *stream->slots);
    if (!stream->slots) {
        free(stream);
        return NULL;
    }
    stream_clear(stream);
    return stream;
}

void stream_free(Stream *stream)
{
    free(stream->slots);
    free(stream);
}

void stream_clear(Stream *stream)
{
    for (int64_t i = 0; i <= stream->mask; i++)
        stream->slots[i].sequence = -1;
}

bool stream_put(Stream *stream, int64_t sequence, const uint8_t *data, int size, int start, int end,
                uint32_t timestamp, bool marker, bool starts_keyframe)
{
    Slot *slot = &stream->slots[sequence & stream->mask];
    if (size > PACKET || start > end || end > size || slot->sequence >= sequence)
        return false;
    slot->sequence = sequence;
    slot->timestamp = timestamp;
    slot->size = (uint16_t)size;
    slot->start = (uint16_t)start;
    slot->end = (uint16_t)end;
    slot->marker = marker;
    slot->starts_keyframe = starts_keyframe;
    memcpy(slot->data, data, (size_t)size);
    return true;
}

Slot *stream_get(Stream *stream, int64_t sequence)
{
    Slot *slot = &stream->slots[sequence & stream->mask];
    return sequence >= 0 && slot->sequence == sequence ? slot : NULL;
}

/* Whether what has to be noted of the next packet finds room. Where not, the packet is Python's, which reads the
   notes first: nothing is lost, neither a note nor, in the history, the frame that one is about. */
static bool has_room(const Peer *peer, const Stream *stream)
{
    uint32_t frames = stream->frames_head - stream->frames_tail;
    return peer->arrivals_head - peer->arrivals_tail < ARRIVALS && frames < FRAMES &&
           (!frames || stream->highest - stream->frames_ring[stream->frames_tail % FRAMES].sequence < stream->mask);
}

bool is_ordinary(const Peer *peer, const Stream *stream, const uint8_t *data, const Rtp *rtp)
{
    return stream->ordinary && has_room(peer, stream) && rtp->payload_type == stream->payload_type &&
           stream->highest >= 0 && rtp->sequence == (uint16_t)(stream->highest + 1) && stream->base >= 0 &&
           (!stream->asks_nack || stream->missing_highest == stream->highest) &&
           !may_start_keyframe(stream->codec, data + rtp->start, rtp->end - rtp->start);
}


Slot *accept_packet(Stream *stream, const uint8_t *data, int size, const Rtp *rtp, double arrived_s)
{
    int64_t sequence = stream->highest + 1;
    if (!stream_put(stream, sequence, data, size, rtp->start, rtp->end, rtp->timestamp, rtp->marker, false))
        return NULL;
    stream->highest = stream->reception_highest = sequence;
    if (stream->asks_nack)
        stream->missing_highest = sequence;
    stream->received++;
    /* RFC 3550, A.8, in units of the RTP clock modulo 2^32; see Reception.packet. */
    uint32_t transit = (uint32_t)(uint64_t)(int64_t)(arrived_s * stream->clock_rate) - rtp->timestamp;
    if (stream->last_transit >= 0) {
        uint32_t change = transit - (uint32_t)stream->last_transit;
        double distance = change > 0x7FFFFFFF ? 4294967296.0 - change : change;
        stream->jitter += (distance - stream->jitter) / 16;
    }
    stream->last_transit = transit;
    stream->heard_at_s = arrived_s;
    stream->bytes += rtp->end - rtp->start;
    if (may_open_frame(stream->codec, data + rtp->start, rtp->end - rtp->start))
        stream->frames_ring[stream->frames_head++ % FRAMES] = (Frame){arrived_s, sequence};
    if (stream->last_timestamp != rtp->timestamp && rtp->end > rtp->start) {
        stream->last_timestamp = rtp->timestamp;
        stream->frames++;
    }
    return stream_get(stream, sequence);
}
