/* Datagrams in and out, many at a time. */
#include "internal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const double MAX_CLOCK_ERROR_S = 1.0;

void open_sockets(Sockets *sockets, int fd)
{
    sockets->fd = fd;
    for (int i = 0; i < BATCH; i++) {
        sockets->incoming_part[i] = (struct iovec){sockets->datagram[i], DATAGRAM};
        sockets->incoming[i].msg_hdr.msg_iov = &sockets->incoming_part[i];
        sockets->incoming[i].msg_hdr.msg_iovlen = 1;
    }
}

int receive(Sockets *sockets, int flags)
{
    for (int i = 0; i < BATCH; i++) {
        struct msghdr *message = &sockets->incoming[i].msg_hdr;
        message->msg_name = &sockets->sender[i];
        message->msg_namelen = sizeof sockets->sender[i];
        message->msg_control = sockets->ancillary[i];
        message->msg_controllen = CONTROL;
    }
    int received = recvmmsg(sockets->fd, sockets->incoming, BATCH, flags, NULL);
    if (received < 0 && (errno == EBADF || errno == ENOTSOCK))
        return -1;
    return received > 0 ? received : 0; /* nothing came, or an ICMP error about an earlier datagram */
}

void read_clock(Sockets *sockets)
{
    struct timespec wall, monotonic;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    sockets->now_s = seconds(monotonic);
    sockets->wall_to_monotonic_s = sockets->now_s - seconds(wall);
}

double read_ancillary(Sockets *sockets, struct msghdr *message, Upcall *up)
{
    double arrived_s = sockets->now_s;
    up->control_size = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        size_t size = part->cmsg_len - CMSG_LEN(0);
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec at;
            if (size < sizeof at)
                continue;
            memcpy(&at, CMSG_DATA(part), sizeof at);
            double stamped_s = seconds(at) + sockets->wall_to_monotonic_s;
            if (fabs(stamped_s - sockets->now_s) < MAX_CLOCK_ERROR_S)
                arrived_s = stamped_s;
        } else if (((part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) ||
                    (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)) &&
                   size <= sizeof up->control) {
            up->control_level = part->cmsg_level;
            up->control_type = part->cmsg_type;
            up->control_size = (int)size;
            memcpy(up->control, CMSG_DATA(part), size);
        }
    }
    return arrived_s;
}

void flush(Sockets *sockets)
{
    int done = 0;
    while (done < sockets->queued) {
        int sent = sendmmsg(sockets->fd, sockets->outgoing + done, (unsigned)(sockets->queued - done), MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        for (int i = 0; i < sent; i++)
            sockets->packet[done + i].stream->sent++;
        done += sent > 0 ? sent : 0;
        if (sent <= 0) { /* the system does not take this one; a full queue takes none: dropped, as Python does */
            bool full = sent == 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
            int last = full ? sockets->queued : done + 1;
            for (; done < last; done++)
                sockets->packet[done].stream->refused++;
        }
    }
    sockets->queued = 0;
}

void queue(Sockets *sockets, Stream *stream, const Peer *viewer, int size)
{
    int at = sockets->queued++;
    struct msghdr *message = &sockets->outgoing[at].msg_hdr;
    sockets->packet[at].stream = stream;
    sockets->outgoing_part[at] = (struct iovec){sockets->packet[at].data, (size_t)size};
    *message = (struct msghdr){
        .msg_name = (void *)viewer->address,
        .msg_namelen = (socklen_t)viewer->address_size,
        .msg_iov = &sockets->outgoing_part[at],
        .msg_iovlen = 1,
    };
    if (viewer->control_size) {
        size_t control = (size_t)viewer->control_size;
        memset(sockets->source[at], 0, sizeof sockets->source[at]);
        message->msg_control = sockets->source[at];
        message->msg_controllen = CMSG_SPACE(control);
        struct cmsghdr *part = CMSG_FIRSTHDR(message);
        part->cmsg_level = viewer->control_level;
        part->cmsg_type = viewer->control_type;
        part->cmsg_len = CMSG_LEN(control);
        memcpy(CMSG_DATA(part), viewer->control, control);
    }
    if (sockets->queued == SEND_BATCH)
        flush(sockets);
}
