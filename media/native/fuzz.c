/* Invariant: whatever bytes come, from strangers or from participants with keys, the loop reads and writes inside its
   memory only, counts a packet exactly when it does not hand it up undone, and what it sends is the viewer's own RTP.

   `./dev fuzz` builds this with AddressSanitizer and UndefinedBehaviorSanitizer: with libFuzzer where clang has it,
   else with the seeded driver at the end. The linker gives its recvmmsg and sendmmsg to the loop. An input is a list of records: one byte that says how the bytes come in,
   one for their length in units of four, then the bytes, of which up to three at the end are left out. */
#include "internal.h"

#include <arpa/inet.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

#define REQUIRE(truth) ((truth) ? (void)0 : (fprintf(stderr, "fuzz: %s does not hold\n", #truth), abort()))

int left_out; /* the number of a FITS, by the environment; 0: none */

enum { SSRC = 0x11223344, VIEWER_SSRC = 0x55667788, TRANSPORT_CC = 3 };
static const uint8_t KEY[32] = "a key of thirty-two bytes.......", SALT[12] = "twelve bytes";
static const uint8_t EXTENSIONS[8] = {0xBE, 0xDE, 0, 1, 0x31, 0, 0, 0};

static Loop *loop;
static Peer *publisher, *viewer;
static Stream *stream;
static Subscription subscriptions[2];
static Srtp *client, *check;
static struct sockaddr_in known, stranger;
static uint8_t coming[DATAGRAM];
static size_t coming_size;
static struct sockaddr_in *coming_from;
static uint32_t noise = 1;
static int64_t sent;

static uint32_t dice(void)
{
    noise ^= noise << 13;
    noise ^= noise >> 17;
    return noise ^= noise << 5;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    (void)fd, (void)flags, (void)timeout;
    REQUIRE(count == BATCH);
    struct msghdr *message = &messages[0].msg_hdr;
    /* What lies behind the datagram is nobody's business. */
    ASAN_UNPOISON_MEMORY_REGION(message->msg_iov->iov_base, DATAGRAM);
    memcpy(message->msg_iov->iov_base, coming, coming_size);
    ASAN_POISON_MEMORY_REGION((uint8_t *)message->msg_iov->iov_base + coming_size, DATAGRAM - coming_size);
    memcpy(message->msg_name, coming_from, sizeof *coming_from);
    message->msg_namelen = sizeof *coming_from;
    messages[0].msg_len = (unsigned)coming_size;
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    message->msg_controllen = CMSG_SPACE(sizeof at);
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SO_TIMESTAMPNS;
    part->cmsg_len = CMSG_LEN(sizeof at);
    memcpy(CMSG_DATA(part), &at, sizeof at);
    return 1;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    (void)fd, (void)flags;
    uint8_t data[sizeof(((Outgoing *)0)->data)];
    for (unsigned i = 0; i < count; i++) {
        struct iovec *part = messages[i].msg_hdr.msg_iov;
        REQUIRE(part->iov_len <= sizeof data);
        memcpy(data, part->iov_base, part->iov_len);
        int size = srtp_unprotect(check, data, (int)part->iov_len);
        Rtp rtp;
        REQUIRE(size >= HEADER && parse(data, size, &rtp));
        REQUIRE(rtp.ssrc - VIEWER_SSRC < 2 && rtp.payload_type == 120);
        REQUIRE(rtp.start == HEADER + (int)sizeof EXTENSIONS && rtp.end == size);
        sent++;
    }
    return (int)count;
}

static void set_up(uint8_t codec)
{
    loop = loop ? loop : loop_new(-1);
    publisher = peer_new(1);
    viewer = peer_new(2);
    publisher->receiving = srtp_new(KEY, 32, SALT, false, 8);
    viewer->sending = srtp_new(KEY, 32, SALT, true, 8);
    client = srtp_new(KEY, 32, SALT, true, 1024);
    check = srtp_new(KEY, 32, SALT, false, 8);
    viewer->address_size = sizeof known;
    memcpy(viewer->address, &known, sizeof known);
    viewer->control_level = IPPROTO_IP, viewer->control_type = IP_PKTINFO, viewer->control_size = 12;
    publisher->transport_cc_extension = TRANSPORT_CC;
    publisher->policer_bytes_per_s = 1e12;
    viewer->seconds_per_byte = 1e-5;
    stream = stream_new(3, 128);
    stream->codec = codec;
    stream->payload_type = 96;
    stream->clock_rate = 90000;
    stream->ordinary = stream->asks_nack = true;
    stream->highest = stream->missing_highest = stream->reception_highest = stream->base = 0x1FFFF;
    stream->last_transit = stream->last_timestamp = -1;
    publisher->route_count = 1;
    publisher->routes[0] = (Route){SSRC, stream};
    for (int i = 0; i < 2; i++) {
        Subscription *to = &subscriptions[i];
        *to = (Subscription){.viewer = viewer, .active = true, .source = stream, .ordinary = true, .is_video = true,
                             .payload_type = 120, .ssrc = VIEWER_SSRC + (uint32_t)i,
                             .extensions_size = sizeof EXTENSIONS, .number_at = i ? 17 : 0,
                             .picture_offset = i * 77, .tl0_offset = i * 3,
                             .next_sequence = 40000, .sequence_offset = 40000 - 0x20000};
        memcpy(to->extensions, EXTENSIONS, sizeof EXTENSIONS);
        stream->subscriptions[stream->subscription_count++] = to;
    }
    REQUIRE(loop_map(loop, (uint8_t *)&known, sizeof known, publisher));
}

static void tear_down(void)
{
    REQUIRE(loop_map(loop, (uint8_t *)&known, sizeof known, NULL));
    peer_free(publisher);
    peer_free(viewer);
    srtp_free(client);
    srtp_free(check);
    stream_free(stream);
}

/* In a block that ends where they end; malloc(0) would give a byte. */
static uint8_t *exact_copy(const uint8_t *data, size_t size)
{
    uint8_t *block = malloc(1 + size);
    REQUIRE(block);
    memcpy(block + 1, data, size);
    return block + 1;
}

static void free_copy(uint8_t *copy)
{
    free(copy ? copy - 1 : NULL);
}

/* What is read of a packet, each part from memory of its own size: inside a datagram a read too far meets the next
   part, or the tag, and would not be seen. */
static void read_parts(const uint8_t *data, size_t size)
{
    uint8_t *plain = exact_copy(data, size);
    Rtp rtp;
    if (parse(plain, (int)size, &rtp)) {
        int value_size = 0, at = find_extension(plain, &rtp, TRANSPORT_CC, &value_size);
        if (at >= 0)
            free_copy(exact_copy(plain + at, (size_t)value_size));
        size_t payload_size = (size_t)(rtp.end - rtp.start);
        for (int codec = STREAM_OTHER; codec <= STREAM_H264; codec++) {
            uint8_t *payload = exact_copy(plain + rtp.start, payload_size);
            may_start_keyframe(codec, payload, (int)payload_size);
            may_open_frame(codec, payload, (int)payload_size);
            offset_picture(payload, (int)payload_size, 77, 3);
            free_copy(payload);
        }
    }
    free_copy(plain);
}

/* One packet; how: bit 0, from a stranger; bit 1, protected with the participant's key; bit 2, as the next of the
   stream; bit 3, in memory of its own size and not by the socket; bits 4 and 5, see above; bit 6, the second viewer's
   path is narrow. */
static void run(uint8_t how, const uint8_t *data, size_t size)
{
    if (size > sizeof coming - TAG)
        size = sizeof coming - TAG;
    memcpy(coming, data, size);
    coming_size = size;
    if ((how & 4) && size >= HEADER) {
        coming[0] = (uint8_t)((coming[0] & 0x3F) | 0x80);
        coming[1] = (uint8_t)((coming[1] & 0x80) | 96);
        put16(coming + 2, (uint16_t)(stream->highest + 1));
        put32(coming + 8, SSRC);
    }
    read_parts(coming, coming_size);
    viewer->direct = !(how & 0x40);
    int64_t received = stream->received, before = sent, next = subscriptions[0].next_sequence;
    int64_t counted = loop->datagrams, refused = loop->not_authenticated, total = stream->sent + stream->refused;
    int kind;
    uint8_t *exact = NULL;
    if ((how & 2) && size <= PACKET) {
        int protected_size = srtp_protect(client, coming, (int)size);
        coming_size = protected_size < 0 ? size : (size_t)protected_size;
    }
    coming_from = how & 1 ? &stranger : &known;
    if (how & 8) {
        exact = exact_copy(coming, coming_size);
        loop_datagram(loop, exact, (int)coming_size, (uint8_t *)coming_from, sizeof *coming_from, 5.0);
    } else {
        REQUIRE(loop_step(loop) == 1);
    }
    kind = loop_take(loop);
    REQUIRE(loop_take(loop) == UP_NOTHING && !loop->overflowed);
    REQUIRE(loop->datagrams == counted + 1);
    bool done = kind == UP_DELIVER || (kind == UP_NOTHING && loop->not_authenticated == refused);
    REQUIRE(stream->received == received + done);
    REQUIRE(stream->highest == 0x1FFFF + stream->received && stream->highest == stream->missing_highest);
    bool waits = done && kind == UP_DELIVER && loop->up.unserved;
    REQUIRE(!waits || (loop->up.unserved == 2 && viewer->waits && !viewer->direct));
    REQUIRE(sent - before == (done ? 2 - waits : 0) && stream->sent + stream->refused - total == sent - before);
    REQUIRE(subscriptions[0].next_sequence == next + done);
    REQUIRE(viewer->departures_head - viewer->departures_tail <= DEPARTURES);
    REQUIRE(publisher->arrivals_head - publisher->arrivals_tail <= ARRIVALS);
    if (done) {
        Slot *slot = stream_get(stream, stream->highest);
        REQUIRE(slot && slot->start <= slot->end && slot->end <= slot->size && slot->size <= PACKET);
    } else if (kind != UP_NOTHING) {
        REQUIRE(loop->up.size >= 0 && loop->up.size <= DATAGRAM && loop->up.data);
    }
    free_copy(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *reason = "";
    if (reason && (reason = loop_open_crypto())) {
        fprintf(stderr, "fuzz: %s\n", reason);
        abort();
    }
    const char *word = getenv("LEFT_OUT");
    left_out = word ? atoi(word) : 0;
    known = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(4000), .sin_addr = {htonl(0x7F000001)}};
    stranger = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(4001), .sin_addr = {htonl(0x7F000001)}};
    if (size < 1)
        return 0;
    set_up(data[0] % (STREAM_H264 + 1));
    for (size_t at = 1; at + 2 <= size;) {
        uint8_t how = data[at];
        size_t length = 4 * (size_t)data[at + 1];
        at += 2;
        length = length < size - at ? length : size - at;
        size_t left_out_bytes = how >> 4 & 3;
        run(how, data + at, length - (left_out_bytes < length ? left_out_bytes : length));
        at += length;
    }
    tear_down();
    return 0;
}

#ifdef SEEDED_DRIVER
/* A packet that is close to a good one: header, now and then CSRCs, extensions of either form, a payload of any
   codec, padding; then, more often than not, some bytes changed. */
static size_t make_packet(uint8_t *data)
{
    static const uint8_t firsts[] = {0x90, 0x10, 0x08, 0x7C, 0xB0};
    size_t size = HEADER + dice() % (dice() % 2 ? 200 : 8);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)dice();
    data[0] = (uint8_t)(0x80 | (dice() % 4 ? 0 : dice() % 64));
    data[1] = (uint8_t)(96 | (dice() & 0x80));
    if (dice() % 2) {
        data[0] = 0x90;
        size_t words = dice() % 4;
        put16(data + 12, dice() % 3 ? 0xBEDE : 0x1000);
        put16(data + 14, (uint16_t)words);
        data[16] = dice() % 2 ? TRANSPORT_CC << 4 | 1 : TRANSPORT_CC;
        size_t payload = 16 + 4 * words;
        if (payload < size)
            data[payload] = (uint8_t)(dice() % 2 ? 0x90 : dice());
    }
    if (dice() % 2 && size > HEADER && !(data[0] & 0x1F))
        data[HEADER] = firsts[dice() % sizeof firsts];
    for (uint32_t changes = dice() % 4; changes; changes--)
        data[dice() % size] = (uint8_t)dice();
    return dice() % 16 ? size : dice() % (size + 1);
}

int main(int count, char **words)
{
    double limit_s = count > 1 ? atof(words[1]) : 10;
    uint32_t seed = count > 2 ? (uint32_t)strtoul(words[2], NULL, 0) : 1;
    static uint8_t input[1 << 16];
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    long inputs = 0;
    do {
        noise = seed * 2654435761u + 1;
        size_t size = 0;
        input[size++] = (uint8_t)dice();
        for (uint32_t records = 1 + dice() % 40; records; records--) {
            uint8_t packet[HEADER + 256] = {0};
            size_t length = (make_packet(packet) + 3) / 4;
            input[size++] = (uint8_t)(dice() % 3 ? 4 | 2 | (dice() & 0x78) : dice());
            input[size++] = (uint8_t)length;
            memcpy(input + size, packet, 4 * length);
            size += 4 * length;
        }
        /* In memory of its own size, so that a read past its end is seen. */
        uint8_t *exact = malloc(size);
        memcpy(exact, input, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        inputs++;
        seed++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (seconds(now) - seconds(began) < limit_s);
    printf("%ld inputs, seeds up to %u, %lld packets forwarded: nothing found\n", inputs, seed, (long long)sent);
    return 0;
}
#endif
