/* What waits for Python, in order: bounded, so that nobody who sends much can make it grow. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    int kind;
    Upcall up;
    struct sockaddr_storage address;
    uint8_t data[DATAGRAM];
} Entry;

struct Waiting {
    unsigned head, tail;
    Entry entries[MAX_WAITING];
};

Waiting *new_waiting(void) { return calloc(1, sizeof(Waiting)); }

bool is_crowded(const Waiting *waiting) { return waiting->head - waiting->tail >= MAX_WAITING / 2; }

bool put_waiting(Waiting *waiting, int kind, const Upcall *up)
{
    if (waiting->head == waiting->tail)
        waiting->head = waiting->tail = 0; /* the same few entries again and again stay in the processor's caches */
    size_t size = up->size < 0 ? 0 : (size_t)up->size, address_size = (size_t)up->address_size;
    if (waiting->head - waiting->tail >= MAX_WAITING || size > DATAGRAM || address_size > sizeof waiting->entries->address)
        return false;
    Entry *entry = &waiting->entries[waiting->head++ % MAX_WAITING];
    entry->kind = kind;
    entry->up = *up;
    entry->up.data = entry->data;
    entry->up.address = (uint8_t *)&entry->address;
    if (kind == UP_DELIVER) {
        entry->up.size = 0; /* it is in the history */
        return true;
    }
    memcpy(entry->data, up->data, size);
    memcpy(&entry->address, up->address, address_size);
    return true;
}

int take_waiting(Waiting *waiting, Upcall *up)
{
    if (waiting->head == waiting->tail)
        return UP_NOTHING;
    const Entry *entry = &waiting->entries[waiting->tail++ % MAX_WAITING];
    *up = entry->up;
    return entry->kind;
}
