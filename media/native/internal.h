/* What the loop's files share among themselves; loop.h is what they share with Python. */
#ifndef TRUEHUE_INTERNAL_H
#define TRUEHUE_INTERNAL_H
#define _GNU_SOURCE
#include "loop.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

enum {
    BATCH = 128,
    SEND_BATCH = 128,
    DATAGRAM = 2048,
    PACKET = 1500, /* in the clear: aiortc_private.MAX_PACKET */
    HEADER = 12,
    TAG = 16,
    CONTROL = 256,
    BUCKETS = 4096,
    MAX_SUBSCRIPTIONS = 64,
    ARRIVALS = 2048,
    DEPARTURES = 2048,
    FRAMES = 256,
    MAX_HELD = 8,
    MAX_WAITING = 512,
};

/* A length check with a number: `./dev fuzz --self-test` leaves out one at a time, and its fuzz target must tell. */
#ifdef FUZZING
extern int left_out;
#else
enum { left_out = 0 };
#endif
#define FITS(number, truth) ((number) == left_out || (truth))

static inline uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static inline uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
static inline void put16(uint8_t *at, uint16_t value) { at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value; }
static inline void put32(uint8_t *at, uint32_t value)
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

static inline double seconds(struct timespec at) { return (double)at.tv_sec + (double)at.tv_nsec * 1e-9; }

/* --- rtp.c */

/* Where the payload begins, or -1: CSRCs and extension counted (RFC 3550, 5.3.1). */
int header_size(const uint8_t *data, int size);
/* rtp.payload_bounds and the fixed fields; false: malformed. */
bool parse(const uint8_t *data, int size, Rtp *rtp);
/* rtp.extension: where the value of one header extension is, and its size; -1: not there (RFC 8285). */
int find_extension(const uint8_t *data, const Rtp *rtp, int wanted, int *size);

/* --- payload.c */

/* Whether a payload may be the first of a keyframe; Python, which is asked then, looks more closely. */
bool may_start_keyframe(int codec, const uint8_t *payload, int size);
/* Whether a payload may open a frame; Python, which reads its quantiser later, looks more closely. */
bool may_open_frame(int codec, const uint8_t *payload, int size);
/* vp8.offset_picture, in place. */
void offset_picture(uint8_t *payload, int size, int64_t picture_offset, int64_t tl0_offset);

/* --- stream.c */

/* Whether the next packet of a stream needs nobody but the loop. */
bool is_ordinary(const Peer *peer, const Stream *stream, const uint8_t *data, const Rtp *rtp);
/* Encoding.receive for an ordinary packet; NULL: it has no place in the history. */
Slot *accept_packet(Stream *stream, const uint8_t *data, int size, const Rtp *rtp, double arrived_s);

/* --- addresses.c */

typedef struct Mapping Mapping;
typedef struct Addresses {
    Mapping *buckets[BUCKETS];
} Addresses;

/* Whose validated address this is from now on; NULL: nobody's. False: no memory. */
bool set_address(Addresses *addresses, const void *address, size_t size, Peer *peer);
Peer *find_peer(Addresses *addresses, const void *address, size_t size);
void clear_addresses(Addresses *addresses);

/* --- sockets.c */

/* A packet that waits for sendmmsg. */
typedef struct Outgoing {
    Stream *stream; /* whose counters tell what became of it */
    uint8_t data[PACKET + sizeof(((Subscription *)0)->extensions) + TAG];
} Outgoing;

typedef struct Sockets {
    int fd;
    int queued;
    double now_s, wall_to_monotonic_s;
    struct mmsghdr incoming[BATCH], outgoing[SEND_BATCH];
    struct iovec incoming_part[BATCH], outgoing_part[SEND_BATCH];
    struct sockaddr_storage sender[BATCH];
    uint8_t ancillary[BATCH][CONTROL];
    uint8_t source[SEND_BATCH][CMSG_SPACE(sizeof(((Peer *)0)->control))];
    uint8_t datagram[BATCH][DATAGRAM];
    Outgoing packet[SEND_BATCH];
    Addresses addresses;
} Sockets;

void open_sockets(Sockets *sockets, int fd);
/* Take what waits, with these flags of recvmmsg; how many datagrams; below 0: there is no socket any more.
   Needs no lock: nobody else reads there. */
int receive(Sockets *sockets, int flags);
void read_clock(Sockets *sockets);
/* The kernel's arrival time of a datagram on the monotonic clock, unless the wall clock was set; fills in the local
   address of `up`. */
double read_ancillary(Sockets *sockets, struct msghdr *message, Upcall *up);
/* The place of the next packet to send; `queue` sends it there, with the others, at the latest when they are many. */
static inline uint8_t *next_packet(Sockets *sockets) { return sockets->packet[sockets->queued].data; }
void queue(Sockets *sockets, Stream *stream, const Peer *viewer, int size);
void flush(Sockets *sockets);

/* --- waiting.c */

/* What waits for Python: a queue that is bounded. */
typedef struct Waiting Waiting;
Waiting *new_waiting(void);
/* Keep a copy of what `up` describes; false: there was no room. */
bool put_waiting(Waiting *waiting, int kind, const Upcall *up);
/* Describe the next in `up`, until the next call; UP_NOTHING after the last. */
int take_waiting(Waiting *waiting, Upcall *up);
/* So many that nobody should wait for something urgent any more. */
bool is_crowded(const Waiting *waiting);

/* --- thread.c */

typedef struct Thread Thread;
Thread *new_thread(void);
void free_thread(Thread *thread);

/* --- loop.c */

/* Handle so many datagrams that `receive` has brought, and wake Python if it must be. */
void handle_received(Loop *loop, int received);
/* Python looks now. */
void clear_wake(Loop *loop);

/* --- forward.c */

/* Subscription.forward for one that gets this stream. HANDED_UP: this one is Python's; QUEUED_UP: so it is, but Python
   has a timer for what already waits there. */
enum { DONE, HANDED_UP, QUEUED_UP };
int forward(Sockets *sockets, Stream *stream, Subscription *to, const Slot *slot, double arrived_s);
#endif
