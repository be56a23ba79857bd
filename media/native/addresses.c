/* Validated addresses, and whose they are. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct Mapping {
    uint8_t key[24]; /* IPv6 or mapped IPv4 address, port, scope */
    Peer *peer;
    Mapping *next;
};

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
static Mapping **find_bucket(Addresses *addresses, const uint8_t key[24])
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 24; i++)
        hash = (hash ^ key[i]) * 16777619u;
    return &addresses->buckets[(hash ^ hash >> 16) % BUCKETS];
}

bool set_address(Addresses *addresses, const void *address, size_t size, Peer *peer)
{
    uint8_t key[24];
    if (!make_key(address, size, key))
        return false;
    Mapping **link = find_bucket(addresses, key);
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

Peer *find_peer(Addresses *addresses, const void *address, size_t size)
{
    uint8_t key[24];
    if (!make_key(address, size, key))
        return NULL;
    for (Mapping *entry = *find_bucket(addresses, key); entry; entry = entry->next)
        if (!memcmp(entry->key, key, sizeof key))
            return entry->peer;
    return NULL;
}

void clear_addresses(Addresses *addresses)
{
    for (int i = 0; i < BUCKETS; i++)
        for (Mapping *entry = addresses->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            free(entry);
        }
}
