/*
 * Frames with octets changed, cut and grown, each in memory of its own, so that the sanitizers see
 * every edge: nothing outside of a frame is read, every frame is counted once, and rows are appended
 * as they are said to be.
 *
 * GW_FUZZ [frames] in the environment makes it longer than the second that it takes without.
 */
#include "sampled.h"

static uint64_t state = 88172645463325252u;

static uint64_t dice(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

/* Change some octets; most of them in the parts that say how long others are. */
static int64_t mutate(uint8_t *frame, int64_t size, int64_t capacity)
{
    for (uint64_t changes = dice(4); changes > 0; changes--) {
        static const uint8_t likely[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x87, 0xff};
        int64_t at = (int64_t)dice(dice(2) ? (uint64_t)size : 80) % size;
        frame[at] = dice(2) ? likely[dice(sizeof likely)] : (uint8_t)dice(256);
    }
    if (!dice(4))
        return 1 + (int64_t)dice((uint64_t)size);
    if (!dice(6)) {
        int64_t at = (int64_t)dice((uint64_t)size), more = 1 + (int64_t)dice(8);
        if (size + more <= capacity) {
            memmove(frame + at + more, frame + at, (size_t)(size - at));
            return size + more;
        }
    }
    return size;
}

int main(void)
{
    const char *asked = getenv("GW_FUZZ");
    int64_t frames = asked ? atoll(asked) : 200000, taken = 0;
    static const int64_t asdus[] = {1, 2, 6}, rates[] = {4000, 4800, 14400};
    uint8_t *seeds[6];
    int64_t sizes[6];
    for (int i = 0; i < 6; i++) {
        gw_sv_publisher publisher = usual_publisher(rates[i % 3], asdus[i % 3]);
        publisher.mode = i < 3 ? -1 : 1;
        publisher.clock = i >= 3;
        publisher.vlan = i < 3 ? 0x8000 : -1;
        publisher.set = (const uint8_t *)"MU0101/LLN0$PhsMeas1";
        publisher.set_length = i < 3 ? 0 : 20;
        seeds[i] = frame_at(&publisher, SECOND * rates[i % 3] + 5, 2, NULL);
        sizes[i] = gw_sv_frame_size(&publisher);
    }
    gw_sv *sv[6];
    for (int i = 0; i < 6; i++) {
        gw_sv_setup setup = usual_subscriber(rates[i % 3], asdus[i % 3]);
        setup.simulated = i & 1;
        setup.appid = i & 1 ? -1 : 0x4000;
        setup.revision = i & 1 ? -1 : 1;
        sv[i] = made(&setup);
    }
    gw_sample_rows rows = rows_of(GW_SV_ASDUS);
    for (int64_t f = 0; f < frames; f++) {
        int i = (int)dice(6);
        uint8_t frame[2048];
        memcpy(frame, seeds[i], (size_t)sizes[i]);
        int64_t size = mutate(frame, sizes[i], sizeof frame);
        gw_sv_state before, after;
        gw_sv_look(sv[i], &before);
        rows.count = rows.runs = 0;
        int64_t time = (SECOND + f) * INT64_C(1000000000);
        int64_t made = feed(sv[i], frame, size, time, &rows);
        gw_sv_look(sv[i], &after);
        CHECK(made == rows.count && made >= 0 && made <= asdus[i % 3] && rows.runs <= made);
        CHECK(after.rows - before.rows == made && after.frames - before.frames == (made > 0));
        int64_t counted = after.foreign + after.malformed + after.unfit + after.aside + after.late +
                          after.duplicate + after.rows -
                          (before.foreign + before.malformed + before.unfit + before.aside +
                           before.late + before.duplicate + before.rows);
        CHECK(counted == 1 || counted == asdus[i % 3]);
        taken += made > 0;
    }
    CHECK(taken > frames / 20);
    for (int i = 0; i < 6; i++)
        free(seeds[i]), free(sv[i]);
    leave(NULL, &rows);
    return 0;
}
