/* The ordinary packet's way through the relay: read, decrypt, look up, note, rewrite, encrypt, send.

   Ordinary is an RTP packet that authenticates, comes from a validated address, is the next of a known stream and
   begins no keyframe. Everything else goes up to Python, which is the one truth of it; the functions that mirror
   Python's say which. Strangers write these bytes: every length is checked before it is used. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SHORTEST_DATAGRAM = 13 };

Loop *loop_new(int fd)
{
    Loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->sockets = calloc(1, sizeof *loop->sockets);
    loop->waiting = new_waiting();
    loop->thread = new_thread();
    if (loop->wake_fd < 0 || !loop->sockets || !loop->waiting || !loop->thread) {
        loop_free(loop);
        return NULL;
    }
    open_sockets(loop->sockets, fd);
    return loop;
}

void loop_free(Loop *loop)
{
    if (loop->thread)
        loop_stop(loop);
    if (loop->sockets)
        clear_addresses(&loop->sockets->addresses);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    free_thread(loop->thread);
    free(loop->waiting);
    free(loop->sockets);
    free(loop);
}

bool loop_map(Loop *loop, const uint8_t *address, int address_size, Peer *peer)
{
    return address_size >= 0 && set_address(&loop->sockets->addresses, address, (size_t)address_size, peer);
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
    for (int i = 0; i < stream->subscription_count; i++) {
        int found = forward(loop->sockets, stream, stream->subscriptions[i], slot, arrived_s);
        if (found != DONE)
            up->unserved |= 1ULL << i;
        loop->urgent |= found == HANDED_UP;
    }
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
    if (!FITS(17, size >= SHORTEST_DATAGRAM) || data[0] < 128 || data[0] > 191) {
        loop->urgent = true;
        return UP_DATAGRAM;
    }
    bool control = data[1] >= 192 && data[1] <= 223;
    Peer *peer = find_peer(&loop->sockets->addresses, address, address_size);
    if (peer && control && hold(peer, data, size, arrived_s))
        return UP_NOTHING;
    if (!peer || !peer->receiving || control) {
        /* What is urgent comes alone from those who may send it alone (RFC 5506). */
        loop->urgent |= !(peer && control && peer->reduced_size && (data[1] == 200 || data[1] == 201));
        return UP_DATAGRAM;
    }
    int plain = size <= PACKET + TAG ? srtp_unprotect(peer->receiving, data, size) : -1;
    if (plain < 0) {
        loop->not_authenticated++;
        return UP_NOTHING;
    }
    return handle_packet(loop, peer, data, plain, arrived_s);
}

/* One datagram; what is Python's waits for it. A packet for the tap alone is no reason to wake it. */
static void handle(Loop *loop, uint8_t *data, int size, void *address, size_t address_size, double arrived_s)
{
    loop->datagrams++;
    int kind = handle_datagram(loop, data, size, address, address_size, arrived_s);
    if (kind == UP_NOTHING)
        return;
    if (!put_waiting(loop->waiting, kind, &loop->up))
        loop->overflowed++;
    loop->urgent |= kind == UP_RTP || is_crowded(loop->waiting);
}

void clear_wake(Loop *loop)
{
    eventfd_t count;
    if (loop->woken)
        eventfd_read(loop->wake_fd, &count);
    loop->urgent = loop->woken = false;
}

void handle_received(Loop *loop, int received)
{
    Sockets *sockets = loop->sockets;
    read_clock(sockets);
    for (int i = 0; i < received; i++) {
        struct msghdr *message = &sockets->incoming[i].msg_hdr;
        double arrived_s = read_ancillary(sockets, message, &loop->up);
        int size = (int)sockets->incoming[i].msg_len;
        handle(loop, sockets->datagram[i], size, message->msg_name, message->msg_namelen, arrived_s);
    }
    flush(sockets);
    if (loop->urgent && !loop->woken)
        loop->woken = eventfd_write(loop->wake_fd, 1) == 0;
}

int loop_step(Loop *loop)
{
    int received = receive(loop->sockets, MSG_DONTWAIT);
    handle_received(loop, received);
    return received;
}

void loop_datagram(Loop *loop, uint8_t *data, int size, uint8_t *address, int address_size, double arrived_s)
{
    loop->up.control_size = 0;
    loop->sockets->now_s = arrived_s;
    handle(loop, data, size, address, (size_t)address_size, arrived_s);
    flush(loop->sockets);
}

int loop_take(Loop *loop) { return take_waiting(loop->waiting, &loop->up); }
