/* The thread that carries packets while Python does something else, or nothing, and the lock between the two. */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* turn: who comes next holds it while it waits for `world`. So neither side can take `world` twice while the other
   waits. */
struct Thread {
    pthread_mutex_t turn, world;
    pthread_t id;
    bool runs;
    int stop_fd; /* readable: the thread is to end */
};

Thread *new_thread(void)
{
    Thread *thread = calloc(1, sizeof *thread);
    if (!thread)
        return NULL;
    thread->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (thread->stop_fd < 0) {
        free(thread);
        return NULL;
    }
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
    close(thread->stop_fd);
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
    struct pollfd events[] = {{.fd = loop->sockets->fd, .events = POLLIN}, {.fd = thread->stop_fd, .events = POLLIN}};
    for (;;) {
        if (poll(events, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (events[1].revents || events[0].revents & POLLNVAL)
            return NULL;
        lock(thread);
        loop_step(loop);
        unlock(thread);
    }
}

bool loop_start(Loop *loop)
{
    Thread *thread = loop->thread;
    sigset_t all, before;
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
    eventfd_write(thread->stop_fd, 1);
    pthread_join(thread->id, NULL);
    thread->runs = false;
}
