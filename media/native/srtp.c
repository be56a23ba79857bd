/* SRTP with AES-GCM: RFC 3711 for indices and replay, RFC 7714 for the rest. */
#include "internal.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 1024 }; /* bits of SrtpStream.seen */

/* libcrypto, by its documented interface (EVP_EncryptInit(3)); found at run time, so that no headers are needed. */
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
