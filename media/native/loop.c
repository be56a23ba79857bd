/* The ordinary packet's way through the relay: read, decrypt, look up, note, rewrite, encrypt, send.

   Ordinary is an RTP packet that authenticates, comes from a validated address, is the next of a known stream and
   begins no keyframe. Everything else goes up to Python, which is the one truth of it; the functions below that
   mirror Python's say which. Strangers write these bytes: every length is checked before it is used. */
#define _GNU_SOURCE
#include "loop.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    BATCH = 128,
    SEND_BATCH = 128,
    DATAGRAM = 2048,
    PACKET = 1500, /* in the clear: aiortc_private.MAX_PACKET */
    HEADER = 12,
    TAG = 16,
    SHORTEST_DATAGRAM = 13,
    WINDOW = 1024, /* bits of SrtpStream.seen */
    BUCKETS = 4096,
    CONTROL = 256,
    MAX_SUBSCRIPTIONS = 64,
    ARRIVALS = 2048,
    DEPARTURES = 2048,
    FRAMES = 256,
    MAX_HELD = 8,
};
static const double MAX_CLOCK_ERROR_S = 1.0;

/* A length check with a number: `./dev fuzz --self-test` leaves out one at a time, and its fuzz target must tell. */
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif
#define FITS(number, truth) ((number) == LEFT_OUT || (truth))

/* --- libcrypto, by its documented interface (EVP_EncryptInit(3)); found at run time, so no headers needed ----- */

static struct {
    void *(*context_new)(void);
    void (*context_free)(void *);
    const void *(*aes_128_gcm)(void);
    const void *(*aes_256_gcm)(void);
    int (*init)(void *, const void *, void *, const uint8_t *, const uint8_t *, int);
    int (*update)(void *, uint8_t *, int *, const uint8_t *, int);
    int (*final)(void *, uint8_t *, int *);
    int (*control)(void *, int, int, void *);
} evp;
enum { EVP_CTRL_AEAD_GET_TAG = 0x10, EVP_CTRL_AEAD_SET_TAG = 0x11 };

const char *loop_open_crypto(void)
{
    static void *library;
    if (!library && !(library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL)))
        return "libcrypto.so.3 is not there";
    const struct {
        const char *name;
        void *where;
    } wanted[] = {
        {"EVP_CIPHER_CTX_new", &evp.context_new}, {"EVP_CIPHER_CTX_free", &evp.context_free},
        {"EVP_aes_128_gcm", &evp.aes_128_gcm},    {"EVP_aes_256_gcm", &evp.aes_256_gcm},
        {"EVP_CipherInit_ex", &evp.init},         {"EVP_CipherUpdate", &evp.update},
        {"EVP_CipherFinal_ex", &evp.final},       {"EVP_CIPHER_CTX_ctrl", &evp.control},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        void *symbol = dlsym(library, wanted[i].name);
        if (!symbol)
            return "libcrypto.so.3 lacks a function";
        memcpy(wanted[i].where, &symbol, sizeof symbol);
    }
    return NULL;
}

/* --- bytes ---------------------------------------------------------------------------------------------------- */

static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
static void put16(uint8_t *at, uint16_t value) { at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value; }
static void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

/* An RTP packet's parts (RFC 3550, 5.1). */
typedef struct Rtp {
    uint32_t ssrc, timestamp;
    uint16_t sequence;
    uint8_t payload_type;
    bool marker;
    int extension, extension_end; /* of the elements, behind profile and length; both 0: none */
    uint16_t extension_profile;
    int start, end;
} Rtp;

/* Where the payload begins, or -1: CSRCs and extension counted (RFC 3550, 5.3.1). */
static int header_size(const uint8_t *data, int size)
{
    if (size < HEADER || data[0] >> 6 != 2)
        return -1;
    int start = HEADER + 4 * (data[0] & 0x0F);
    if (data[0] & 0x10) {
        if (start + 4 > size)
            return -1;
        start += 4 + 4 * get16(data + start + 2);
    }
    return FITS(1, start <= size) ? start : -1;
}

/* rtp.payload_bounds and the fixed fields; false: malformed. */
static bool parse(const uint8_t *data, int size, Rtp *rtp)
{
    int start = header_size(data, size), end = size;
    if (start < 0)
        return false;
    if (data[0] & 0x20) {
        if (data[size - 1] == 0)
            return false;
        end -= data[size - 1];
    }
    if (start > end)
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

/* rtp.extension: where the value of one header extension is, and its size; -1: not there (RFC 8285). */
static int find_extension(const uint8_t *data, const Rtp *rtp, int wanted, int *size)
{
    int at = rtp->extension, end = rtp->extension_end;
    bool short_form = rtp->extension_profile == 0xBEDE;
    if (!short_form && rtp->extension_profile >> 4 != 0x100)
        return -1;
    int head = short_form ? 1 : 2;
    while (at + head <= end) {
        if (data[at] == 0) {
            at++;
            continue;
        }
        int kind = short_form ? data[at] >> 4 : data[at];
        int length = short_form ? (data[at] & 0x0F) + 1 : data[at + 1];
        if ((short_form && kind == 15) || at + head + length > end)
            return -1;
        if (kind == wanted) {
            *size = length;
            return at + head;
        }
        at += head + length;
    }
    return -1;
}

/* --- SRTP with AES-GCM (RFC 3711 for indices and replay, RFC 7714 for the rest) ------------------------------- */

Srtp *srtp_new(const uint8_t *session_key, int key_size, const uint8_t *salt, bool sending, int limit)
{
    const void *(*kind)(void) = key_size == 32 ? evp.aes_256_gcm : key_size == 16 ? evp.aes_128_gcm : NULL;
    Srtp *srtp = kind ? calloc(1, sizeof *srtp) : NULL;
    if (!srtp)
        return NULL;
    srtp->sending = sending;
    srtp->limit = limit;
    memcpy(srtp->salt, salt, sizeof srtp->salt);
    srtp->streams = calloc((size_t)limit, sizeof *srtp->streams);
    srtp->cipher = evp.context_new();
    if (!srtp->streams || !srtp->cipher || evp.init(srtp->cipher, kind(), NULL, session_key, NULL, sending) != 1) {
        srtp_free(srtp);
        return NULL;
    }
    return srtp;
}

void srtp_free(Srtp *srtp)
{
    if (!srtp)
        return;
    if (srtp->cipher)
        evp.context_free(srtp->cipher);
    for (int i = 0; i < srtp->count; i++)
        free(srtp->streams[i].tags);
    free(srtp->streams);
    explicit_bzero(srtp, sizeof *srtp);
    free(srtp);
}

static SrtpStream *find_stream(Srtp *srtp, uint32_t ssrc)
{
    for (int i = 0; i < srtp->count; i++)
        if (srtp->streams[i].ssrc == ssrc)
            return &srtp->streams[i];
    return NULL;
}

/* A place for another SSRC. Receiving, the one unused for longest gives way: only the participant itself can open
   them. Sending, none may, since its indices and so its nonces would begin again: NULL. */
static SrtpStream *add_stream(Srtp *srtp, uint32_t ssrc)
{
    SrtpStream *added;
    uint64_t *tags = NULL;
    if (srtp->count < srtp->limit) {
        if (srtp->sending && !(tags = calloc(WINDOW, sizeof *tags)))
            return NULL;
        added = &srtp->streams[srtp->count++];
    } else {
        if (srtp->sending)
            return NULL;
        added = srtp->streams;
        for (int i = 1; i < srtp->count; i++)
            if (srtp->streams[i].used_at < added->used_at)
                added = &srtp->streams[i];
    }
    *added = (SrtpStream){.ssrc = ssrc, .highest = -1, .tags = tags};
    return added;
}

/* The index that a sequence number most likely means (RFC 3711, 3.3.1); the first packet has rollover count 0. */
static int64_t guess_index(int64_t highest, uint16_t sequence)
{
    if (highest < 0)
        return sequence;
    int64_t local = highest & 0xFFFF, index = highest - local + sequence;
    if (local < 0x8000)
        index -= sequence - local > 0x8000 ? 0x10000 : 0;
    else
        index += local - 0x8000 > sequence ? 0x10000 : 0;
    return index < 0 ? sequence : index;
}

static bool is_seen(const SrtpStream *stream, int64_t index)
{
    return stream->seen[index % WINDOW / 64] >> (index % 64) & 1;
}

static void mark_seen(SrtpStream *stream, int64_t index)
{
    if (index > stream->highest) {
        int64_t from = index - stream->highest >= WINDOW ? index - WINDOW + 1 : stream->highest + 1;
        for (int64_t i = from; i <= index; i++)
            stream->seen[i % WINDOW / 64] &= ~(1ULL << (i % 64));
        stream->highest = index;
    }
    stream->seen[index % WINDOW / 64] |= 1ULL << (index % 64);
}

/* RFC 7714, 8.1 */
static void make_nonce(const Srtp *srtp, uint32_t ssrc, int64_t index, uint8_t nonce[12])
{
    put16(nonce, 0);
    put32(nonce + 2, ssrc);
    put32(nonce + 6, (uint32_t)(index >> 16));
    put16(nonce + 10, (uint16_t)index);
    for (int i = 0; i < 12; i++)
        nonce[i] ^= srtp->salt[i];
}

int srtp_unprotect(Srtp *srtp, uint8_t *data, int size)
{
    int start = header_size(data, size - TAG), out = 0;
    if (start < 0)
        return -1;
    uint32_t ssrc = get32(data + 8);
    SrtpStream *stream = find_stream(srtp, ssrc);
    int64_t highest = stream ? stream->highest : -1, index = guess_index(highest, get16(data + 2));
    if (index >> 48 || (stream && (index <= highest - WINDOW || (index <= highest && is_seen(stream, index)))))
        return -1;
    uint8_t nonce[12];
    make_nonce(srtp, ssrc, index, nonce);
    uint8_t *payload = data + start, *tag = data + size - TAG;
    if (evp.init(srtp->cipher, NULL, NULL, NULL, nonce, -1) != 1 ||
        evp.control(srtp->cipher, EVP_CTRL_AEAD_SET_TAG, TAG, tag) != 1 ||
        evp.update(srtp->cipher, NULL, &out, data, start) != 1 ||
        evp.update(srtp->cipher, payload, &out, payload, (int)(tag - payload)) != 1 ||
        evp.final(srtp->cipher, tag, &out) != 1)
        return -1;
    /* Nothing is remembered of an SSRC before a packet of it has authenticated. */
    if (!stream && !(stream = add_stream(srtp, ssrc)))
        return -1;
    stream->used_at = ++srtp->uses;
    mark_seen(stream, index);
    return size - TAG;
}

int srtp_protect(Srtp *srtp, uint8_t *data, int size)
{
    int start = header_size(data, size), out = 0;
    if (start < 0)
        return -1;
    uint32_t ssrc = get32(data + 8);
    SrtpStream *stream = find_stream(srtp, ssrc);
    if (!stream && !(stream = add_stream(srtp, ssrc)))
        return -1;
    int64_t index = guess_index(stream->highest, get16(data + 2));
    if (index >> 48 || index <= stream->highest - WINDOW)
        return -1;
    uint8_t nonce[12];
    make_nonce(srtp, ssrc, index, nonce);
    uint8_t *payload = data + start, *tag = data + size;
    if (evp.init(srtp->cipher, NULL, NULL, NULL, nonce, -1) != 1 ||
        evp.update(srtp->cipher, NULL, &out, data, start) != 1 ||
        evp.update(srtp->cipher, payload, &out, payload, size - start) != 1 ||
        evp.final(srtp->cipher, tag, &out) != 1 || evp.control(srtp->cipher, EVP_CTRL_AEAD_GET_TAG, TAG, tag) != 1)
        return -1;
    /* The same packet may go out again (a retransmission without RTX), but never another one with its nonce. */
    uint64_t beginning, *sent = &stream->tags[index % WINDOW];
    memcpy(&beginning, tag, sizeof beginning);
    if (index <= stream->highest && is_seen(stream, index) && *sent != beginning)
        return -1;
    *sent = beginning;
    mark_seen(stream, index);
    return size + TAG;
}

/* --- streams and their history -------------------------------------------------------------------------------- */

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

/* Whether a payload may be the first of a keyframe; Python, which is asked then, looks more closely. */
static bool may_start_keyframe(int codec, const uint8_t *payload, int size)
{
    switch (codec) {
    case STREAM_AUDIO:
        return false;
    case STREAM_VP8: { /* S set, partition 0, and the frame header's P clear (RFC 7741, 4.2; RFC 6386, 9.1) */
        if (size < 1 || (payload[0] & 0x17) != 0x10)
            return false;
        int at = 1;
        if (payload[0] & 0x80) {
            if (at >= size)
                return false;
            uint8_t flags = payload[at++];
            if (flags & 0x80) {
                if (at >= size)
                    return false;
                at += payload[at] & 0x80 ? 2 : 1;
            }
            at += (flags & 0x40 ? 1 : 0) + (flags & 0x30 ? 1 : 0);
        }
        return at < size && !(payload[at] & 0x01);
    }
    case STREAM_VP9: /* begins a frame that no other predicts (RFC 9628, 4.2) */
        return size >= 1 && (payload[0] & 0x48) == 0x08;
    case STREAM_H264: { /* parameter sets, or an aggregate that may hold them (RFC 6184, 5) */
        int kind = size >= 1 ? payload[0] & 0x1F : 0;
        return kind == 5 || kind == 7 || kind == 8 || kind == 24;
    }
    default:
        return true;
    }
}

/* Whether what has to be noted of the next packet finds room. Where not, the packet is Python's, which reads the
   notes first: nothing is lost, neither a note nor, in the history, the frame that one is about. */
static bool has_room(const Peer *peer, const Stream *stream)
{
    uint32_t frames = stream->frames_head - stream->frames_tail;
    return peer->arrivals_head - peer->arrivals_tail < ARRIVALS && frames < FRAMES &&
           (!frames || stream->highest - stream->frames_ring[stream->frames_tail % FRAMES].sequence < stream->mask);
}

static bool is_ordinary(const Peer *peer, const Stream *stream, const uint8_t *data, const Rtp *rtp)
{
    return stream->ordinary && has_room(peer, stream) && rtp->payload_type == stream->payload_type &&
           stream->highest >= 0 && rtp->sequence == (uint16_t)(stream->highest + 1) && stream->base >= 0 &&
           (!stream->asks_nack || stream->missing_highest == stream->highest) &&
           !may_start_keyframe(stream->codec, data + rtp->start, rtp->end - rtp->start);
}

/* Whether a payload may open a frame; Python, which reads its quantiser later, looks more closely. */
static bool may_open_frame(int codec, const uint8_t *payload, int size)
{
    if (size < 2)
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

/* Policer.admit. */
static bool admit(Peer *peer, int size, double now_s)
{
    double room = peer->policer_bytes + (now_s - peer->policer_refilled_s) * peer->policer_bytes_per_s;
    peer->policer_refilled_s = now_s;
    peer->policer_bytes = room < peer->policer_bytes_per_s ? room : peer->policer_bytes_per_s;
    if (peer->policer_bytes < size)
        return false;
    peer->policer_bytes -= size;
    return true;
}

/* Encoding.receive for an ordinary packet. */
static Slot *accept_packet(Stream *stream, const uint8_t *data, int size, const Rtp *rtp, double arrived_s)
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

/* --- sockets -------------------------------------------------------------------------------------------------- */

typedef struct Mapping {
    uint8_t key[24]; /* IPv6 or mapped IPv4 address, port, scope */
    Peer *peer;
    struct Mapping *next;
} Mapping;

typedef struct Outgoing {
    Stream *stream;
    int size;
    uint8_t data[PACKET + sizeof(((Subscription *)0)->extensions) + TAG];
} Outgoing;

typedef struct Sockets {
    int fd;
    int received, next, queued;
    double now_s, wall_to_monotonic_s;
    struct mmsghdr incoming[BATCH], outgoing[SEND_BATCH];
    struct iovec incoming_part[BATCH], outgoing_part[SEND_BATCH];
    struct sockaddr_storage sender[BATCH];
    uint8_t ancillary[BATCH][CONTROL];
    uint8_t source[SEND_BATCH][CMSG_SPACE(sizeof(((Peer *)0)->control))];
    uint8_t datagram[BATCH][DATAGRAM];
    Outgoing packet[SEND_BATCH];
    Mapping *buckets[BUCKETS];
} Sockets;

static double seconds(struct timespec at) { return (double)at.tv_sec + (double)at.tv_nsec * 1e-9; }

Loop *loop_new(int fd)
{
    Loop *loop = calloc(1, sizeof *loop);
    Sockets *sockets = calloc(1, sizeof *sockets);
    if (!loop || !sockets) {
        free(loop);
        free(sockets);
        return NULL;
    }
    loop->sockets = sockets;
    sockets->fd = fd;
    for (int i = 0; i < BATCH; i++) {
        sockets->incoming_part[i] = (struct iovec){sockets->datagram[i], DATAGRAM};
        sockets->incoming[i].msg_hdr.msg_iov = &sockets->incoming_part[i];
        sockets->incoming[i].msg_hdr.msg_iovlen = 1;
    }
    return loop;
}

void loop_free(Loop *loop)
{
    for (int i = 0; i < BUCKETS; i++)
        for (Mapping *entry = loop->sockets->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            free(entry);
        }
    free(loop->sockets);
    free(loop);
}

static bool make_key(const void *address, size_t size, uint8_t key[24])
{
    sa_family_t family;
    memset(key, 0, 24);
    if (size < sizeof family)
        return false;
    memcpy(&family, address, sizeof family);
    if (family == AF_INET && size >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        key[10] = key[11] = 0xFF;
        memcpy(key + 12, &v4.sin_addr, 4);
        memcpy(key + 16, &v4.sin_port, 2);
        return true;
    }
    if (family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(key, &v6.sin6_addr, 16);
        memcpy(key + 16, &v6.sin6_port, 2);
        memcpy(key + 20, &v6.sin6_scope_id, 4);
        return true;
    }
    return false;
}

/* FNV-1a. Only who passed ICE gets an entry, eight at most, so nobody can lengthen a chain. */
static Mapping **find_bucket(Sockets *sockets, const uint8_t key[24])
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 24; i++)
        hash = (hash ^ key[i]) * 16777619u;
    return &sockets->buckets[(hash ^ hash >> 16) % BUCKETS];
}

bool loop_map(Loop *loop, const uint8_t *address, int address_size, Peer *peer)
{
    uint8_t key[24];
    if (address_size < 0 || !make_key(address, (size_t)address_size, key))
        return false;
    Mapping **link = find_bucket(loop->sockets, key);
    while (*link && memcmp((*link)->key, key, sizeof key))
        link = &(*link)->next;
    if (!peer) {
        Mapping *gone = *link;
        if (gone)
            *link = gone->next;
        free(gone);
        return true;
    }
    if (!*link && !(*link = calloc(1, sizeof **link)))
        return false;
    memcpy((*link)->key, key, sizeof key);
    (*link)->peer = peer;
    return true;
}

static Peer *find_peer(Sockets *sockets, const void *address, size_t size)
{
    uint8_t key[24];
    if (!make_key(address, size, key))
        return NULL;
    for (Mapping *entry = *find_bucket(sockets, key); entry; entry = entry->next)
        if (!memcmp(entry->key, key, sizeof key))
            return entry->peer;
    return NULL;
}

Peer *peer_new(int32_t id)
{
    Peer *peer = calloc(1, sizeof *peer);
    if (peer)
        peer->id = id;
    return peer;
}

void peer_free(Peer *peer)
{
    srtp_free(peer->receiving);
    srtp_free(peer->sending);
    free(peer);
}

int loop_receive(Loop *loop)
{
    Sockets *sockets = loop->sockets;
    struct timespec wall, monotonic;
    for (int i = 0; i < BATCH; i++) {
        struct msghdr *message = &sockets->incoming[i].msg_hdr;
        message->msg_name = &sockets->sender[i];
        message->msg_namelen = sizeof sockets->sender[i];
        message->msg_control = sockets->ancillary[i];
        message->msg_controllen = CONTROL;
    }
    sockets->next = sockets->received = 0;
    int received = recvmmsg(sockets->fd, sockets->incoming, BATCH, MSG_DONTWAIT, NULL);
    if (received <= 0)
        return 0; /* nothing waits, or an ICMP error about an earlier datagram */
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    sockets->now_s = seconds(monotonic);
    sockets->wall_to_monotonic_s = sockets->now_s - seconds(wall);
    sockets->received = received;
    loop->datagrams += received;
    return received;
}

/* The kernel's arrival time on the monotonic clock, unless the wall clock was set; also fills in `up`. */
static double read_ancillary(Sockets *sockets, struct msghdr *message, Upcall *up)
{
    double arrived_s = sockets->now_s;
    up->control_size = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        size_t size = part->cmsg_len - CMSG_LEN(0);
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec at;
            if (size < sizeof at)
                continue;
            memcpy(&at, CMSG_DATA(part), sizeof at);
            double stamped_s = seconds(at) + sockets->wall_to_monotonic_s;
            if (fabs(stamped_s - sockets->now_s) < MAX_CLOCK_ERROR_S)
                arrived_s = stamped_s;
        } else if (((part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) ||
                    (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)) &&
                   size <= sizeof up->control) {
            up->control_level = part->cmsg_level;
            up->control_type = part->cmsg_type;
            up->control_size = (int)size;
            memcpy(up->control, CMSG_DATA(part), size);
        }
    }
    return arrived_s;
}

/* --- sending -------------------------------------------------------------------------------------------------- */

static void flush(Sockets *sockets)
{
    int done = 0;
    while (done < sockets->queued) {
        int sent = sendmmsg(sockets->fd, sockets->outgoing + done, (unsigned)(sockets->queued - done), MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        for (int i = 0; i < sent; i++)
            sockets->packet[done + i].stream->sent++;
        done += sent > 0 ? sent : 0;
        if (sent <= 0) { /* the system does not take this one; a full queue takes none: dropped, as Python does */
            bool full = sent == 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
            int last = full ? sockets->queued : done + 1;
            for (; done < last; done++)
                sockets->packet[done].stream->refused++;
        }
    }
    sockets->queued = 0;
}

static void queue(Sockets *sockets, Stream *stream, const Peer *viewer, int size)
{
    int at = sockets->queued++;
    struct msghdr *message = &sockets->outgoing[at].msg_hdr;
    sockets->packet[at].stream = stream;
    sockets->outgoing_part[at] = (struct iovec){sockets->packet[at].data, (size_t)size};
    *message = (struct msghdr){
        .msg_name = (void *)viewer->address,
        .msg_namelen = (socklen_t)viewer->address_size,
        .msg_iov = &sockets->outgoing_part[at],
        .msg_iovlen = 1,
    };
    if (viewer->control_size) {
        size_t control = (size_t)viewer->control_size;
        memset(sockets->source[at], 0, sizeof sockets->source[at]);
        message->msg_control = sockets->source[at];
        message->msg_controllen = CMSG_SPACE(control);
        struct cmsghdr *part = CMSG_FIRSTHDR(message);
        part->cmsg_level = viewer->control_level;
        part->cmsg_type = viewer->control_type;
        part->cmsg_len = CMSG_LEN(control);
        memcpy(CMSG_DATA(part), viewer->control, control);
    }
    if (sockets->queued == SEND_BATCH)
        flush(sockets);
}

/* vp8.offset_picture, in place. */
static void offset_picture(uint8_t *payload, int size, int64_t picture_offset, int64_t tl0_offset)
{
    if (size < 3 || !(payload[0] & 0x80))
        return;
    int at = 2;
    if (payload[1] & 0x80) {
        if (payload[at] & 0x80) {
            if (size < at + 2)
                return;
            uint16_t picture = (uint16_t)((get16(payload + at) & 0x7FFF) + picture_offset);
            put16(payload + at, picture | 0x8000);
            at += 2;
        } else {
            payload[at] = (uint8_t)((payload[at] + picture_offset) & 0x7F);
            at++;
        }
    }
    if ((payload[1] & 0x40) && at < size)
        payload[at] = (uint8_t)(payload[at] + tl0_offset);
}

/* ViewerPath._numbered. */
static void put_number(Peer *viewer, uint8_t *at, int size)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    put16(at, (uint16_t)++viewer->number);
    viewer->departures[viewer->departures_head++ % DEPARTURES] = (Departure){seconds(now), viewer->number, size};
}

/* Subscription.forward for one that gets this stream; false: this one is Python's. */
static bool forward(Sockets *sockets, Stream *stream, Subscription *to, const Slot *slot, double now_s)
{
    if (!to->active)
        return true;
    if (to->source != stream)
        return to->is_video; /* a video begins at a keyframe, which is Python's; sound with any packet */
    const Peer *viewer = to->viewer;
    if (!to->ordinary || !viewer || !viewer->sending || slot->sequence < to->live_from)
        return false;
    if (to->number_at && (!viewer->direct || viewer->departures_head - viewer->departures_tail >= DEPARTURES))
        return false;
    if (slot->sequence < to->start)
        return true;
    int64_t sequence = slot->sequence + to->sequence_offset;
    int payload_size = slot->end - slot->start;
    if (sequence >= to->next_sequence) {
        to->next_sequence = sequence + 1;
        to->last_sequence = slot->sequence;
        to->last_timestamp = slot->timestamp;
        to->last_head_size = (uint8_t)(payload_size < 8 ? payload_size : 8);
        memcpy(to->last_head, slot->data + slot->start, to->last_head_size);
        to->last_sent_s = now_s;
    }
    to->packets++;
    to->octets += payload_size;
    uint8_t *data = sockets->packet[sockets->queued].data, *payload = data + HEADER + to->extensions_size;
    data[0] = to->extensions_size ? 0x90 : 0x80;
    data[1] = (uint8_t)(to->payload_type | (slot->marker ? 0x80 : 0));
    put16(data + 2, (uint16_t)sequence);
    put32(data + 4, (uint32_t)(slot->timestamp + (uint64_t)to->timestamp_offset));
    put32(data + 8, to->ssrc);
    memcpy(data + HEADER, to->extensions, to->extensions_size);
    memcpy(payload, slot->data + slot->start, (size_t)payload_size);
    if (to->picture_offset || to->tl0_offset)
        offset_picture(payload, payload_size, to->picture_offset, to->tl0_offset);
    int size = HEADER + to->extensions_size + payload_size;
    if (to->number_at)
        put_number(to->viewer, data + to->number_at, size);
    size = size <= PACKET ? srtp_protect(to->viewer->sending, data, size) : -1;
    if (size < 0 || !to->viewer->address_size)
        stream->refused++;
    else
        queue(sockets, stream, to->viewer, size);
    return true;
}

/* --- one packet ----------------------------------------------------------------------------------------------- */

static Stream *find_route(const Peer *peer, uint32_t ssrc)
{
    for (int i = 0; i < peer->route_count; i++)
        if (peer->routes[i].ssrc == ssrc)
            return peer->routes[i].stream;
    return NULL;
}

static void note_arrival(Peer *peer, const uint8_t *data, const Rtp *rtp, double arrived_s)
{
    int size = 0;
    int at = peer->transport_cc_extension ? find_extension(data, rtp, peer->transport_cc_extension, &size) : -1;
    if (at < 0 || size != 2)
        return;
    peer->arrivals[peer->arrivals_head++ % ARRIVALS] = (Arrival){arrived_s, get16(data + at)};
}

static int handle_packet(Loop *loop, Peer *peer, uint8_t *data, int size, double arrived_s)
{
    Upcall *up = &loop->up;
    Rtp rtp;
    Stream *stream = parse(data, size, &rtp) ? find_route(peer, rtp.ssrc) : NULL;
    up->peer = peer->id;
    up->data = data;
    up->size = size;
    up->arrived_s = arrived_s;
    if (!stream || !is_ordinary(peer, stream, data, &rtp) || !admit(peer, size, arrived_s))
        return UP_RTP;
    Slot *slot = accept_packet(stream, data, size, &rtp, arrived_s);
    if (!slot)
        return UP_RTP;
    peer->last_media_s = arrived_s;
    note_arrival(peer, data, &rtp, arrived_s);
    up->stream = stream->id;
    up->sequence = slot->sequence;
    up->unserved = 0;
    for (int i = 0; i < stream->subscription_count; i++)
        if (!forward(loop->sockets, stream, stream->subscriptions[i], slot, arrived_s))
            up->unserved |= 1ULL << i;
    return up->unserved || stream->watched ? UP_DELIVER : UP_NOTHING;
}

/* PeerPath.hold, rtcp.is_lone_transport_feedback; size is SHORTEST_DATAGRAM at least. */
static bool hold(Peer *peer, const uint8_t *data, int size, double arrived_s)
{
    int trailer = size - 4 - 4 * get16(data + 2);
    if (!peer->unhurried || peer->held_count >= MAX_HELD || size > (int)sizeof peer->held[0].data ||
        data[0] != 0x8F || data[1] != 205 || (trailer != 14 && trailer != 20))
        return false;
    Held *held = &peer->held[peer->held_count++];
    held->arrived_s = arrived_s;
    held->size = size;
    memcpy(held->data, data, (size_t)size);
    return true;
}

static int handle_datagram(Loop *loop, uint8_t *data, int size, void *address, size_t address_size, double arrived_s)
{
    Upcall *up = &loop->up;
    up->address = address;
    up->address_size = (int)address_size;
    up->data = data;
    up->size = size;
    up->arrived_s = arrived_s;
    /* RFC 7983, 7 and RFC 5761, 4: RTP is what is neither STUN, DTLS nor RTCP. */
    if (!FITS(2, size >= SHORTEST_DATAGRAM) || data[0] < 128 || data[0] > 191)
        return UP_DATAGRAM;
    bool control = data[1] >= 192 && data[1] <= 223;
    Peer *peer = find_peer(loop->sockets, address, address_size);
    if (peer && control && hold(peer, data, size, arrived_s))
        return UP_NOTHING;
    if (!peer || !peer->receiving || control)
        return UP_DATAGRAM;
    int plain = size <= PACKET + TAG ? srtp_unprotect(peer->receiving, data, size) : -1;
    if (plain < 0) {
        loop->not_authenticated++;
        return UP_NOTHING;
    }
    return handle_packet(loop, peer, data, plain, arrived_s);
}

static int handle_received(Loop *loop, int index)
{
    Sockets *sockets = loop->sockets;
    struct msghdr *message = &sockets->incoming[index].msg_hdr;
    double arrived_s = read_ancillary(sockets, message, &loop->up);
    int size = (int)sockets->incoming[index].msg_len;
    return handle_datagram(loop, sockets->datagram[index], size, message->msg_name, message->msg_namelen, arrived_s);
}

int loop_next(Loop *loop)
{
    Sockets *sockets = loop->sockets;
    int kind = UP_NOTHING;
    while (kind == UP_NOTHING && sockets->next < sockets->received)
        kind = handle_received(loop, sockets->next++);
    flush(sockets); /* what went before goes out before Python answers */
    return kind;
}

int loop_datagram(Loop *loop, uint8_t *data, int size, uint8_t *address, int address_size, double arrived_s)
{
    loop->datagrams++;
    loop->up.control_size = 0;
    int kind = handle_datagram(loop, data, size, address, (size_t)address_size, arrived_s);
    flush(loop->sockets);
    return kind;
}
