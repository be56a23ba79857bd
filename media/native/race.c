/* Invariant: while the loop's thread carries packets, whoever holds the lock may read and change all that is shared, is
   woken for what is urgent, and finds every datagram counted and everything noted once; the thread ends when told.

   `./dev fuzz` builds this with ThreadSanitizer. One thread sends as a participant does, with gaps, and as a stranger;
   the main thread does what Python does, and looks when it is woken only. */
#include "internal.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUIRE(truth) ((truth) ? (void)0 : (fprintf(stderr, "race: %s does not hold\n", #truth), abort()))

enum { SSRC = 0x11223344, VIEWER_SSRC = 0x55667788, TRANSPORT_CC = 3, ROUNDS = 20, PACKETS = 400, PATIENCE_MS = 20000 };
static const uint8_t KEY[32] = "a key of thirty-two bytes.......", SALT[12] = "twelve bytes";
static const uint8_t EXTENSIONS[8] = {0xBE, 0xDE, 0, 1, 0x31, 0, 0, 0};
static struct sockaddr_in port, known;
static int sender, stranger, receiver;
static Srtp *client;
static uint16_t sequence, number;
static atomic_long sent;

static int bound_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 4 << 20;
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)address, sizeof *address) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)address, &length) == 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

/* A part of a frame each; every fiftieth is left out, and every seventieth datagram is a stranger's. */
static void *send_all(void *nothing)
{
    for (int i = 1; i <= PACKETS; i++) {
        uint8_t data[200 + TAG] = {0x90, 96, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xBE, 0xDE, 0, 1, TRANSPORT_CC << 4 | 1};
        put16(data + 2, ++sequence);
        put32(data + 8, SSRC);
        put16(data + 17, ++number);
        data[20] = i % 3 ? 0x00 : 0x10;
        data[21] = 1;
        int size = srtp_protect(client, data, 200);
        REQUIRE(size == 200 + TAG);
        if (i % 50 && sendto(sender, data, (size_t)size, 0, (struct sockaddr *)&port, sizeof port) == size)
            sent++;
        if (i % 70 == 0 && sendto(stranger, "a stranger says so", 18, 0, (struct sockaddr *)&port, sizeof port) == 18)
            sent++;
        if (i % 8 == 0)
            usleep(500);
    }
    return nothing;
}

typedef struct Seen {
    long datagrams, strangers, handed, arrivals, departures, frames;
} Seen;

/* What waits: the packet behind a gap becomes the newest, as Python would have it. */
static void take_up(Loop *loop, Stream *stream, Seen *seen)
{
    int kind;
    while ((kind = loop_take(loop)) != UP_NOTHING) {
        Rtp rtp;
        if (kind == UP_DATAGRAM) {
            REQUIRE(loop->up.size == 18 && !memcmp(loop->up.data, "a stranger says so", 18));
            seen->strangers++;
        } else if (kind == UP_RTP) {
            REQUIRE(parse(loop->up.data, loop->up.size, &rtp));
            int64_t newest = stream->highest + (uint16_t)(rtp.sequence - (uint16_t)stream->highest);
            REQUIRE(stream_put(stream, newest, loop->up.data, loop->up.size, rtp.start, rtp.end, rtp.timestamp, false,
                               false));
            stream->highest = stream->missing_highest = newest;
            seen->handed++;
        } else {
            REQUIRE(kind == UP_DELIVER && loop->up.unserved <= 1);
        }
    }
    seen->datagrams += loop->datagrams;
    REQUIRE(!loop->overflowed && !loop->not_authenticated);
    loop->datagrams = 0;
}

static void read_notes(Peer *publisher, Peer *viewer, Stream *stream, Seen *seen)
{
    seen->arrivals += publisher->arrivals_head - publisher->arrivals_tail;
    seen->departures += viewer->departures_head - viewer->departures_tail;
    seen->frames += stream->frames_head - stream->frames_tail;
    publisher->arrivals_tail = publisher->arrivals_head;
    viewer->departures_tail = viewer->departures_head;
    stream->frames_tail = stream->frames_head;
}

static void run_round(int round)
{
    int fd = bound_socket(&port);
    Loop *loop = loop_new(fd);
    Peer *publisher = peer_new(1), *viewer = peer_new(2);
    Stream *stream = stream_new(3, 128);
    REQUIRE(loop && publisher && viewer && stream);
    client = srtp_new(KEY, 32, SALT, true, 8);
    publisher->receiving = srtp_new(KEY, 32, SALT, false, 8);
    viewer->sending = srtp_new(KEY, 32, SALT, true, 8);
    REQUIRE(client && publisher->receiving && viewer->sending);
    struct sockaddr_in to;
    receiver = bound_socket(&to);
    viewer->address_size = sizeof to;
    memcpy(viewer->address, &to, sizeof to);
    publisher->transport_cc_extension = TRANSPORT_CC;
    publisher->policer_bytes_per_s = publisher->policer_bytes = 1e12;
    viewer->direct = true;
    viewer->seconds_per_byte = 1e-9;
    stream->codec = STREAM_AUDIO; /* no keyframes to be asked for */
    stream->payload_type = 96, stream->clock_rate = 90000;
    stream->ordinary = stream->asks_nack = true;
    sequence = 100;
    stream->highest = stream->missing_highest = stream->reception_highest = stream->base = sequence;
    stream->last_transit = stream->last_timestamp = -1;
    publisher->route_count = 1;
    publisher->routes[0] = (Route){SSRC, stream};
    Subscription subscription = {.viewer = viewer, .active = true, .source = stream, .ordinary = true,
                                 .payload_type = 120, .ssrc = VIEWER_SSRC, .extensions_size = sizeof EXTENSIONS,
                                 .number_at = 17, .last_sequence = -1};
    memcpy(subscription.extensions, EXTENSIONS, sizeof EXTENSIONS);
    stream->subscriptions[stream->subscription_count++] = &subscription;
    REQUIRE(loop_map(loop, (uint8_t *)&known, sizeof known, publisher));
    REQUIRE(loop_start(loop));

    pthread_t sending;
    Seen seen = {0};
    long before = sent, strangers = PACKETS / 70;
    REQUIRE(pthread_create(&sending, NULL, send_all, NULL) == 0);
    struct pollfd wake = {.fd = loop->wake_fd, .events = POLLIN};
    for (int looks = 0; seen.strangers < strangers; looks++) {
        REQUIRE(poll(&wake, 1, PATIENCE_MS) == 1); /* the last datagram but a few is urgent */
        loop_lock(loop);
        take_up(loop, stream, &seen);
        read_notes(publisher, viewer, stream, &seen);
        viewer->direct = looks % 2;
        subscription.active = looks % 5;
        subscription.ordinary = looks % 7;
        stream->watched = looks % 3 == 0;
        struct sockaddr_in other = known;
        other.sin_port = htons((uint16_t)(1 + looks % 1000));
        REQUIRE(loop_map(loop, (uint8_t *)&other, sizeof other, viewer));
        REQUIRE(loop_map(loop, (uint8_t *)&other, sizeof other, NULL));
        loop_unlock(loop);
    }
    pthread_join(sending, NULL);
    while (seen.datagrams < sent - before) { /* what came after the last that was urgent */
        loop_lock(loop);
        stream->watched = false;
        take_up(loop, stream, &seen);
        loop_unlock(loop);
        usleep(1000);
    }
    loop_lock(loop);
    read_notes(publisher, viewer, stream, &seen);
    loop_unlock(loop);
    REQUIRE(seen.datagrams == sent - before);
    REQUIRE(stream->received + seen.handed + seen.strangers == seen.datagrams);
    REQUIRE(seen.arrivals == stream->received);
    REQUIRE(seen.departures == subscription.packets && seen.departures == stream->sent + stream->refused);
    if (round % 2)
        loop_stop(loop); /* else loop_free does it */
    loop_free(loop);
    peer_free(publisher);
    peer_free(viewer);
    stream_free(stream);
    srtp_free(client);
    close(receiver);
    close(fd);
}

int main(void)
{
    const char *reason = loop_open_crypto();
    if (reason) {
        fprintf(stderr, "race: %s\n", reason);
        return 1;
    }
    struct sockaddr_in nowhere;
    sender = bound_socket(&known);
    stranger = bound_socket(&nowhere);
    for (int round = 0; round < ROUNDS; round++)
        run_round(round);
    printf("%d rounds, %ld datagrams: nothing found\n", ROUNDS, (long)sent);
    return 0;
}
