/* A ring in memory that a test fills as the system would, and frames that go through a socket pair. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sampled.h"

enum { BLOCK = 4096, BLOCKS = 3, TAKEN = 8 };

typedef struct {
    gw_ring ring;
    int ends[2];
    int64_t offset[TAKEN], size[TAKEN], time[TAKEN];
} fake;

static fake with_ring(void)
{
    fake f = {.ring = {.memory = column(BLOCK * BLOCKS, 1), .block = BLOCK, .blocks = BLOCKS}};
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, f.ends) == 0);
    f.ring.fd = f.ends[0];
    return f;
}

static void without_ring(fake *f)
{
    free(f->ring.memory), close(f->ends[0]), close(f->ends[1]);
}

static struct tpacket_block_desc *block_of(const fake *f, int64_t number)
{
    return (struct tpacket_block_desc *)(void *)(f->ring.memory + number * BLOCK);
}

/* Fill a block with so many frames, of as many octets as their number in the block plus 1. */
static void fill(const fake *f, int64_t number, uint32_t frames)
{
    struct tpacket_block_desc *block = block_of(f, number);
    uint32_t at = sizeof *block;
    block->hdr.bh1.num_pkts = frames;
    block->hdr.bh1.offset_to_first_pkt = at;
    for (uint32_t i = 0; i < frames; i++, at += 256) {
        struct tpacket3_hdr *head = (struct tpacket3_hdr *)(void *)((uint8_t *)block + at);
        *head = (struct tpacket3_hdr){.tp_next_offset = i + 1 < frames ? 256 : 0,
                                      .tp_sec = SECOND + i,
                                      .tp_nsec = 7,
                                      .tp_snaplen = i + 1,
                                      .tp_mac = 82};
        memset((uint8_t *)head + 82, (int)(16 * number + i), i + 1);
    }
    block->hdr.bh1.block_status = TP_STATUS_USER | TP_STATUS_BLK_TMO;
}

static int64_t take(fake *f, int64_t most)
{
    return gw_ring_take(&f->ring, 0, most, f->offset, f->size, f->time);
}

static void frames_come_in_order(void)
{
    fake f = with_ring();
    CHECK(take(&f, TAKEN) == 0 && gw_ring_release(&f.ring) == 0);
    fill(&f, 0, 3);
    fill(&f, 1, 2);
    CHECK(take(&f, TAKEN) == 5);
    for (int64_t i = 0; i < 5; i++) {
        int64_t within = i < 3 ? i : i - 3;
        CHECK(f.size[i] == within + 1);
        CHECK(f.ring.memory[f.offset[i]] == (i < 3 ? 0 : 16) + within);
        CHECK(f.time[i] == (SECOND + within) * INT64_C(1000000000) + 7);
    }
    CHECK(block_of(&f, 0)->hdr.bh1.block_status & TP_STATUS_USER);
    CHECK(gw_ring_release(&f.ring) == 2);
    CHECK(block_of(&f, 0)->hdr.bh1.block_status == TP_STATUS_KERNEL);
    CHECK(block_of(&f, 1)->hdr.bh1.block_status == TP_STATUS_KERNEL);
    without_ring(&f);
}

/* A block of which a part was taken stays; the ring goes round, and all of it may be held. */
static void parts_of_blocks_and_all_of_them(void)
{
    fake f = with_ring();
    for (int64_t turn = 0; turn < 4; turn++) {
        for (int64_t b = 0; b < BLOCKS; b++)
            fill(&f, b, 2);
        CHECK(take(&f, 3) == 3);
        CHECK(gw_ring_release(&f.ring) == 1);
        CHECK(take(&f, 1) == 1 && f.size[0] == 2);
        CHECK(take(&f, TAKEN) == 2);
        fill(&f, 0, 2);
        CHECK(take(&f, TAKEN) == 2 && f.ring.held == BLOCKS);
        fill(&f, 1, 2);
        CHECK(take(&f, TAKEN) == 0);
        CHECK(gw_ring_release(&f.ring) == BLOCKS && f.ring.held == 0 && f.ring.next == 1);
        fill(&f, 1, 0);
        fill(&f, 2, 1);
        CHECK(take(&f, TAKEN) == 1 && gw_ring_release(&f.ring) == 2);
    }
    without_ring(&f);
}

static void what_no_system_writes_is_refused(void)
{
    fake f = with_ring();
    fill(&f, 0, 2);
    struct tpacket_block_desc *block = block_of(&f, 0);
    block->hdr.bh1.offset_to_first_pkt = BLOCK - 8;
    CHECK(take(&f, TAKEN) == GW_BAD_RING);
    f.ring.next = f.ring.held = f.ring.left = 0;
    fill(&f, 0, 2);
    ((struct tpacket3_hdr *)(void *)(f.ring.memory + sizeof *block))->tp_snaplen = BLOCK;
    CHECK(take(&f, TAKEN) == GW_BAD_RING);
    f.ring.next = f.ring.held = f.ring.left = 0;
    fill(&f, 0, 2);
    ((struct tpacket3_hdr *)(void *)(f.ring.memory + sizeof *block))->tp_next_offset = 1u << 31;
    CHECK(take(&f, TAKEN) == GW_BAD_RING);
    without_ring(&f);
}

/* Waiting ends with the time, or with what the socket reports. */
static void waiting(void)
{
    fake f = with_ring();
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK(gw_ring_take(&f.ring, 20, TAKEN, f.offset, f.size, f.time) == 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec > 19000000);
    f.ring.fd = -1;
    CHECK(take(&f, TAKEN) == 0);
    f.ring.fd = 1 << 20;
    CHECK(take(&f, TAKEN) == GW_LINK_DOWN);
    gw_sample_rows rows = rows_of(TAKEN);
    CHECK(gw_ring_decode(&f.ring, 0, TAKEN, f.offset, f.size, f.time, NULL, &rows) ==
          GW_LINK_DOWN);
    leave(NULL, &rows);
    without_ring(&f);
}

static void rows_come_of_a_ring(void)
{
    fake f = with_ring();
    gw_sv_publisher publisher = usual_publisher(4000, 1);
    gw_sv_setup setup = usual_subscriber(4000, 1);
    gw_sv *sv = made(&setup);
    gw_sample_rows rows = rows_of(TAKEN);
    int64_t index = INT64_C(4000) * SECOND, size = gw_sv_frame_size(&publisher);
    uint8_t *frame = frame_at(&publisher, index, 2, NULL);
    fill(&f, 0, 1);
    struct tpacket3_hdr *head =
        (struct tpacket3_hdr *)(void *)(f.ring.memory + sizeof(struct tpacket_block_desc));
    head->tp_snaplen = (uint32_t)size;
    memcpy((uint8_t *)head + 82, frame, (size_t)size);
    CHECK(gw_ring_decode(&f.ring, 0, TAKEN, f.offset, f.size, f.time, sv, &rows) == 1);
    CHECK(rows.run_index[0] == index && rows.samples[3] == sample_of(index, 3));
    CHECK(block_of(&f, 0)->hdr.bh1.block_status == TP_STATUS_KERNEL);
    CHECK(gw_ring_decode(&f.ring, 0, TAKEN, f.offset, f.size, f.time, sv, &rows) == 0);
    CHECK(rows.count == 0);
    free(frame), leave(sv, &rows);
    without_ring(&f);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Each at its time, and no sooner. */
static void frames_are_sent_in_time(void)
{
    fake f = with_ring();
    static const uint8_t data[] = {1, 2, 3, 4, 5};
    const int64_t begin = now();
    const int64_t offset[] = {0, 1, 3, 0}, size[] = {1, 2, 2, 1};
    const int64_t time[] = {0, begin + 3000000, begin + 9000000, begin + 3000000000};
    gw_frames frames = {4, data, sizeof data, offset, size, time};
    CHECK(gw_frames_send(f.ends[0], &frames) == 3);
    CHECK(now() - begin >= 9000000 && now() - begin < 2000000000);
    for (int i = 0; i < 3; i++) {
        uint8_t got[8];
        CHECK(recv(f.ends[1], got, sizeof got, 0) == size[i]);
        CHECK(memcmp(got, data + offset[i], (size_t)size[i]) == 0);
    }
    without_ring(&f);
}

static void what_cannot_be_sent(void)
{
    fake f = with_ring();
    static const uint8_t data[4] = {0};
    const int64_t none[] = {0, 0}, offset[] = {0, 3}, size[] = {4, 2}, before[] = {-1, 0};
    gw_frames frames = {2, data, sizeof data, offset, size, none};
    CHECK(gw_frames_send(f.ends[0], &frames) == 1);
    frames.offset = before;
    CHECK(gw_frames_send(f.ends[0], &frames) == GW_SHORT_BLOCK);
    frames.offset = none;
    CHECK(gw_frames_send(-1, &frames) == GW_LINK_DOWN);
    int64_t sent = 0;
    frames.n = 1;
    CHECK(fcntl(f.ends[0], F_SETFL, O_NONBLOCK) == 0);
    while (sent < 100000 && gw_frames_send(f.ends[0], &frames) == 1)
        sent++;
    CHECK(sent < 100000 && gw_frames_send(f.ends[0], &frames) == 0);
    without_ring(&f);
}

int main(void)
{
    frames_come_in_order();
    parts_of_blocks_and_all_of_them();
    what_no_system_writes_is_refused();
    waiting();
    rows_come_of_a_ring();
    frames_are_sent_in_time();
    what_cannot_be_sent();
    return 0;
}
