/* The thread that carries packets while Python does something else, or nothing, and the lock between the two. */
#include "internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LOOK_MS = 50 };

/* turn: who comes next holds it while it waits for `world`. So neither side can take `world` twice while the other
   waits. */
struct Thread {
    pthread_mutex_t turn, world;
    pthread_t id;
    bool runs;
    atomic_bool ends; /* the thread looks each time that something comes, and every LOOK_MS */
};

Thread *new_thread(void)
{
    Thread *thread = calloc(1, sizeof *thread);
    if (!thread)
        return NULL;
    pthread_mutex_init(&thread->turn, NULL);
    pthread_mutex_init(&thread->world, NULL);
    return thread;
}

void free_thread(Thread *thread)
{
    if (!thread)
        return;
    pthread_mutex_destroy(&thread->turn);
    pthread_mutex_destroy(&thread->world);
    free(thread);
}

#ifndef WITHOUT_LOCK /* as `./dev fuzz --self-test` makes it: that must be noticed */
static void lock(Thread *thread)
{
    pthread_mutex_lock(&thread->turn);
    pthread_mutex_lock(&thread->world);
    pthread_mutex_unlock(&thread->turn);
}

static void unlock(Thread *thread) { pthread_mutex_unlock(&thread->world); }
#else
static void lock(Thread *thread) { (void)thread; }
static void unlock(Thread *thread) { (void)thread; }
#endif

void loop_lock(Loop *loop)
{
    lock(loop->thread);
    clear_wake(loop);
}

void loop_unlock(Loop *loop) { unlock(loop->thread); }

static void *run(void *argument)
{
    Loop *loop = argument;
    Thread *thread = loop->thread;
    while (!atomic_load(&thread->ends)) {
        int received = receive(loop->sockets, MSG_WAITFORONE);
        if (received < 0)
            break;
        if (!received)
            continue; /* LOOK_MS are over, or an error came */
        lock(thread);
        handle_received(loop, received);
        unlock(thread);
    }
    return NULL;
}

/* The thread waits where it reads, which saves a call of the system a packet. Who sends must say that it does not
   wait. */
static bool let_wait(int fd)
{
    struct timeval look = {.tv_usec = LOOK_MS * 1000};
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look) == 0;
}

bool loop_start(Loop *loop)
{
    Thread *thread = loop->thread;
    sigset_t all, before;
    if (!let_wait(loop->sockets->fd))
        return false;
    atomic_store(&thread->ends, false);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are Python's */
    thread->runs = pthread_create(&thread->id, NULL, run, loop) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (thread->runs)
        pthread_setname_np(thread->id, "packets");
    return thread->runs;
}

void loop_stop(Loop *loop)
{
    Thread *thread = loop->thread;
    if (!thread->runs)
        return;
    atomic_store(&thread->ends, true);
    pthread_join(thread->id, NULL);
    thread->runs = false;
}
