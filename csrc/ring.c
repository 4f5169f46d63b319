/*
 * Ethernet of Linux: received frames in a ring, and frames sent in time.
 *
 * The only file of the kernel that waits and does I/O: a thread that sits in here holds nothing of
 * the interpreter, and comes back with rows.
 */
#ifdef __linux__
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "kernel.h"

/* A block and a frame in it as the system writes them (packet(7), linux/if_packet.h); written down
 * here because not every libc comes with that header. */
typedef struct {
    uint32_t version, private;
    uint32_t status; /* bit 0 where it is ours */
    uint32_t frames, first, length;
} block_head;

typedef struct {
    uint32_t next; /* from this one to the next */
    uint32_t second, nanosecond;
    uint32_t captured, length, status;
    uint16_t mac, net; /* from this one to the frame and what it carries */
} frame_head;

enum { OURS = 1, SECOND_NS = 1000000000 };

static block_head *block_at(const gw_ring *ring, int64_t number)
{
    return (block_head *)(void *)(ring->memory + number * ring->block);
}

static int is_ready(const gw_ring *ring)
{
    return ring->held < ring->blocks &&
           (__atomic_load_n(&block_at(ring, ring->next)->status, __ATOMIC_ACQUIRE) & OURS);
}

/* Wait for a block; GW_LINK_DOWN where there will be none. */
static int64_t wait_for(const gw_ring *ring, int32_t wait)
{
    struct pollfd one = {ring->fd, POLLIN | POLLERR, 0};
    int found = poll(&one, 1, wait);
    return found > 0 && (one.revents & (POLLERR | POLLHUP | POLLNVAL)) ? GW_LINK_DOWN : GW_OK;
}

static void open_next(gw_ring *ring)
{
    const block_head *head = block_at(ring, ring->next);
    ring->left = head->frames;
    ring->at = ring->next * ring->block + head->first;
    ring->next = (ring->next + 1) % ring->blocks;
    ring->held++;
}

/* Read the frame at `at`; 0 where it does not lie in its block. */
static int read_frame(gw_ring *ring, int64_t *offset, int64_t *size, int64_t *time)
{
    int64_t end = ((ring->next + ring->blocks - 1) % ring->blocks + 1) * ring->block;
    frame_head head;
    if (ring->at > end - (int64_t)sizeof head)
        return 0;
    memcpy(&head, ring->memory + ring->at, sizeof head);
    *offset = ring->at + head.mac;
    *size = head.captured;
    *time = head.second * (int64_t)SECOND_NS + head.nanosecond;
    ring->at += head.next;
    ring->left--;
    return *offset + *size <= end;
}

int64_t gw_ring_take(gw_ring *ring, int32_t wait, int64_t capacity, int64_t *offset, int64_t *size,
                     int64_t *time)
{
    if (ring->left == 0 && !is_ready(ring)) {
        int64_t code = wait_for(ring, wait);
        if (code < 0)
            return code;
    }
    int64_t n = 0;
    while (n < capacity) {
        if (ring->left > 0) {
            if (!read_frame(ring, offset + n, size + n, time + n))
                return GW_BAD_RING;
            n++;
        } else if (is_ready(ring))
            open_next(ring);
        else
            break;
    }
    return n;
}

int64_t gw_ring_release(gw_ring *ring)
{
    int64_t open = ring->left > 0, done = ring->held - open;
    int64_t first = ring->next - ring->held + ring->blocks;
    for (int64_t b = 0; b < done; b++)
        __atomic_store_n(&block_at(ring, (first + b) % ring->blocks)->status, 0, __ATOMIC_RELEASE);
    ring->held = open;
    return done;
}

int64_t gw_ring_decode(gw_ring *ring, int32_t wait, int64_t capacity, int64_t *offset,
                       int64_t *size, int64_t *time, gw_sv *sv, gw_sample_rows *out)
{
    int64_t n = gw_ring_take(ring, wait, capacity, offset, size, time);
    if (n < 0)
        return n;
    gw_frames frames = {n, ring->memory, ring->block * ring->blocks, offset, size, time};
    int64_t made = gw_sv_decode(sv, &frames, out);
    gw_ring_release(ring);
    return made;
}

/* Wait until it is time; 0 where that is more than a second away. */
static int wait_until(int64_t time)
{
    struct timespec now, then = {(time_t)(time / SECOND_NS), (long)(time % SECOND_NS)};
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t away = (then.tv_sec - now.tv_sec) * (int64_t)SECOND_NS + then.tv_nsec - now.tv_nsec;
    if (away > SECOND_NS)
        return 0;
    if (away > 0)
        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &then, NULL);
    return 1;
}

int64_t gw_frames_send(int32_t fd, const gw_frames *frames)
{
    for (int64_t f = 0; f < frames->n; f++) {
        int64_t offset = frames->offset[f], size = frames->size[f];
        if (offset < 0 || size < 0 || offset > frames->length || size > frames->length - offset)
            return f > 0 ? f : GW_SHORT_BLOCK;
        if (!wait_until(frames->time[f]))
            return f;
        if (send(fd, frames->data + offset, (size_t)size, MSG_NOSIGNAL) != size)
            return f > 0 || errno == ENOBUFS || errno == EAGAIN ? f : GW_LINK_DOWN;
    }
    return frames->n;
}

#else

#include "kernel.h"

int64_t gw_ring_take(gw_ring *ring, int32_t wait, int64_t capacity, int64_t *offset, int64_t *size,
                     int64_t *time)
{
    (void)ring, (void)wait, (void)capacity, (void)offset, (void)size, (void)time;
    return GW_NO_RING;
}

int64_t gw_ring_release(gw_ring *ring)
{
    (void)ring;
    return GW_NO_RING;
}

int64_t gw_ring_decode(gw_ring *ring, int32_t wait, int64_t capacity, int64_t *offset,
                       int64_t *size, int64_t *time, gw_sv *sv, gw_sample_rows *out)
{
    (void)ring, (void)wait, (void)capacity, (void)offset, (void)size, (void)time;
    (void)sv, (void)out;
    return GW_NO_RING;
}

int64_t gw_frames_send(int32_t fd, const gw_frames *frames)
{
    (void)fd, (void)frames;
    return GW_NO_RING;
}

#endif
