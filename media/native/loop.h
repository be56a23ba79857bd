/* What Python sees of the packet loop: included by the files in C, and read by cffi without the preprocessor's lines.

   The structs that are spelled out are shared memory: Python's Publication and Subscription keep these very
   fields here (media/native/shared.py), so that neither side ever has to be told what the other has done. One
   lock holds all of it together: the loop has a thread of its own, and whoever reads or writes here has the lock. */
#ifndef TRUEHUE_LOOP_H
#define TRUEHUE_LOOP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A packet of a history: RTP in the clear, its payload at data[start] to data[end]. */
typedef struct Slot {
    int64_t sequence; /* extended; below 0: the slot is empty */
    uint32_t timestamp;
    uint16_t size, start, end;
    bool marker, starts_keyframe;
    uint8_t data[1500];
} Slot;

/* Sliding window over the 48-bit packet indices of one SSRC (RFC 3711, 3.3). */
typedef struct SrtpStream {
    uint32_t ssrc;
    int64_t highest; /* below 0: no packet yet */
    uint64_t used_at;
    uint64_t seen[16];
    uint64_t *tags; /* sending only: the beginning of each tag in the window */
} SrtpStream;

/* One direction of one participant's keys: AEAD_AES_128_GCM or AEAD_AES_256_GCM (RFC 7714). */
typedef struct Srtp {
    void *cipher;
    bool sending;
    uint8_t salt[12];
    int count, limit;
    uint64_t uses;
    SrtpStream *streams;
} Srtp;

/* When a packet with this transport-wide number came, until Python reads it. */
typedef struct Arrival {
    double arrived_s;
    uint16_t number;
} Arrival;

/* A packet that left with this transport-wide number, until Python reads it. */
typedef struct Departure {
    double sent_s;
    int64_t number;
    int32_t size; /* of the plain packet */
} Departure;

/* A packet that opens a frame, until Python reads it. */
typedef struct Frame {
    double arrived_s;
    int64_t sequence;
} Frame;

/* An SRTCP datagram that holds nothing but transport-cc feedback, as it came. */
typedef struct Held {
    double arrived_s;
    int size;
    uint8_t data[512];
} Held;

struct Stream;

/* One SSRC that a participant may send. */
typedef struct Route {
    uint32_t ssrc;
    struct Stream *stream;
} Route;

/* A participant: where it is, its keys, what it sends. */
typedef struct Peer {
    int32_t id;
    Srtp *receiving, *sending; /* NULL: Python's, or none yet */
    uint8_t address[28];       /* a sockaddr_in or sockaddr_in6 */
    int address_size;          /* 0: nowhere */
    int control_level, control_type, control_size; /* the ancillary data that chooses the local address */
    uint8_t control[24];
    double last_media_s;
    int transport_cc_extension; /* id of what it sends; 0: none */
    uint32_t arrivals_head, arrivals_tail;
    Arrival arrivals[2048];
    double policer_bytes, policer_bytes_per_s, policer_refilled_s; /* policer.Policer */
    bool direct;    /* viewer_path.ViewerPath: nothing waits and nothing has to */
    bool waits;     /* congestion.pacer.Pacer: something waits there, or for Python: what comes is Python's too */
    double empty_at_s, seconds_per_byte; /* the same: its bucket */
    bool unhurried; /* viewer_path.ViewerPath: transport-cc feedback waits in `held` until Python reads it */
    bool reduced_size; /* packet_path.PeerPath */
    int held_count;
    Held held[8];
    int64_t number; /* the last transport-wide number towards it */
    uint32_t departures_head, departures_tail;
    Departure departures[2048];
    int route_count;
    Route routes[64];
} Peer;

/* What an Encoding keeps of its RTP stream. */
typedef struct Stream {
    int32_t id;
    uint8_t payload_type;
    uint8_t codec; /* one of STREAM_* below */
    uint32_t clock_rate;
    bool ordinary; /* false: every packet is Python's */
    bool asks_nack, watched;
    double heard_at_s;
    uint32_t frames_head, frames_tail;
    Frame frames_ring[256];
    int64_t highest, missing_highest;            /* rtp.SequenceUnwrapper, nack.MissingPackets */
    int64_t base, reception_highest, received;   /* reception.Reception */
    int64_t last_transit;                        /* below 0: none */
    double jitter;
    int64_t bytes, frames, last_timestamp;       /* encoding.Encoding */
    int64_t sent, refused;                       /* fanout.Fanout */
    int subscription_count;
    struct Subscription *subscriptions[64];
    int64_t mask;
    Slot *slots;
} Stream;

enum { STREAM_OTHER, STREAM_AUDIO, STREAM_VP8, STREAM_VP9, STREAM_H264 };

/* What a Subscription keeps. */
typedef struct Subscription {
    Peer *viewer;
    bool active;
    Stream *source; /* what it gets; NULL: it has not begun */
    bool ordinary;  /* false: its packets are Python's */
    bool is_video;
    uint8_t payload_type;
    uint32_t ssrc;
    uint8_t extensions_size;
    uint8_t extensions[64]; /* a whole header-extension block */
    uint8_t number_at;      /* where in a packet the transport-wide number stands; 0: it has none */
    int64_t start, live_from, next_sequence, sequence_offset, timestamp_offset;
    int64_t picture_offset, tl0_offset;
    int64_t packets, octets;
    double last_sent_s;
    int64_t last_sequence; /* the newest packet that was forwarded; below 0: none */
    uint32_t last_timestamp;
    uint8_t last_head_size;
    uint8_t last_head[8]; /* its payload's first bytes, where VP8 keeps its picture numbers */
} Subscription;

enum { UP_NOTHING, UP_DATAGRAM, UP_RTP, UP_DELIVER };

/* A packet for Python. UP_DATAGRAM: as it came. UP_RTP: decrypted, and nothing else done. UP_DELIVER: in the
   history and counted; the Subscriptions whose bits are set in `unserved` still wait for it, and the tap. */
typedef struct Upcall {
    uint8_t *data;
    int size;
    double arrived_s;
    int32_t peer, stream;
    int64_t sequence;
    uint64_t unserved;
    uint8_t *address;
    int address_size;
    int control_level, control_type, control_size; /* IP_PKTINFO or IPV6_PKTINFO; size 0: none came */
    uint8_t control[20];
} Upcall;

typedef struct Loop {
    int64_t datagrams, not_authenticated, overflowed; /* counted, until Python takes them */
    Upcall up;
    bool urgent, woken; /* something should not wait for Python to look by itself; it was told */
    int wake_fd; /* readable when something that waits for Python is urgent, until `loop_lock` */
    struct Sockets *sockets;
    struct Waiting *waiting;
    struct Thread *thread;
} Loop;

/* NULL when libcrypto was found and has what is needed, else the reason. To be called first. */
const char *loop_open_crypto(void);

/* NULL: no memory, or no more files. */
Loop *loop_new(int fd);
void loop_free(Loop *loop);
/* Let a thread handle what comes, until loop_stop, which waits for its end (50 ms at most). The
   socket waits for what comes from then on: who sends says MSG_DONTWAIT. False: there is none to be had. */
bool loop_start(Loop *loop);
void loop_stop(Loop *loop);
/* Keep the thread out of all that is shared. Whoever has come before hands over in turn. */
void loop_lock(Loop *loop);
void loop_unlock(Loop *loop);
/* Handle up to 128 datagrams that wait at the socket; how many. As the thread does. */
int loop_step(Loop *loop);
/* Handle one datagram that did not come by the socket; it is decrypted in place. Wakes nobody. */
void loop_datagram(Loop *loop, uint8_t *data, int size, uint8_t *address, int address_size, double arrived_s);
/* The next that waits for Python: UP_*, described in loop->up until the next call; UP_NOTHING after the last. */
int loop_take(Loop *loop);
/* Whose validated address this is from now on; NULL: nobody's. False: no memory. */
bool loop_map(Loop *loop, const uint8_t *address, int address_size, Peer *peer);

Peer *peer_new(int32_t id);
void peer_free(Peer *peer);

/* session_key: 16 or 32 bytes; salt: 12. limit: how many SSRCs are kept. NULL when it cannot be had. */
Srtp *srtp_new(const uint8_t *session_key, int key_size, const uint8_t *salt, bool sending, int limit);
void srtp_free(Srtp *srtp);
/* In place; the new size, or -1. protect needs 16 bytes more than `size`. */
int srtp_unprotect(Srtp *srtp, uint8_t *data, int size);
int srtp_protect(Srtp *srtp, uint8_t *data, int size);

/* capacity: a power of two. NULL: no memory. */
Stream *stream_new(int32_t id, int capacity);
void stream_free(Stream *stream);
void stream_clear(Stream *stream);
/* See media/history.py. */
bool stream_put(Stream *stream, int64_t sequence, const uint8_t *data, int size, int start, int end,
                uint32_t timestamp, bool marker, bool starts_keyframe);
Slot *stream_get(Stream *stream, int64_t sequence);
#endif
