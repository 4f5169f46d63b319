/* A publisher and a subscriber of sampled values, in memory of just the size that they need. */
#ifndef GW_TEST_SAMPLED_H
#define GW_TEST_SAMPLED_H

#include "check.h"

enum { COLUMNS = 8, MOST = 64, SECOND = 1700000000 };

static const double ones[GW_COLUMNS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static inline gw_stream stream_of(int64_t rate)
{
    return (gw_stream){.rate = rate, .nominal = 50, .columns = COLUMNS, .scale = ones};
}

static inline gw_sv_publisher usual_publisher(int64_t rate, int64_t asdus)
{
    return (gw_sv_publisher){.stream = stream_of(rate),
                             .destination = {0x01, 0x0c, 0xcd, 0x04, 0x00, 0x01},
                             .source = {0x00, 0x30, 0xa7, 0x00, 0x00, 0x01},
                             .vlan = 0x8000,
                             .appid = 0x4000,
                             .asdus = asdus,
                             .revision = 1,
                             .mode = -1,
                             .id = (const uint8_t *)"MU0101",
                             .id_length = 6};
}

static inline gw_sv_setup usual_subscriber(int64_t rate, int64_t asdus)
{
    return (gw_sv_setup){.stream = stream_of(rate),
                         .asdus = asdus,
                         .appid = 0x4000,
                         .revision = 1,
                         .synch = 1,
                         .watched = 0xff,
                         .id = (const uint8_t *)"MU0101",
                         .id_length = 6};
}

static inline gw_sv *made(const gw_sv_setup *setup)
{
    gw_sv *sv = column(gw_sv_size(), 1);
    CHECK(gw_sv_init(sv, gw_sv_size(), setup) == GW_OK);
    return sv;
}

static inline gw_sv_state look(const gw_sv *sv)
{
    gw_sv_state state;
    gw_sv_look(sv, &state);
    return state;
}

static inline gw_sample_rows rows_of(int64_t capacity)
{
    return (gw_sample_rows){.capacity = capacity,
                            .columns = COLUMNS,
                            .samples = column(capacity * COLUMNS, sizeof(int32_t)),
                            .quality = column(capacity, sizeof(uint16_t)),
                            .each = column(capacity * COLUMNS, sizeof(uint16_t)),
                            .run_first = column(capacity, sizeof(int64_t)),
                            .run_index = column(capacity, sizeof(int64_t))};
}

static inline void leave(gw_sv *sv, gw_sample_rows *rows)
{
    free(sv), free(rows->samples), free(rows->quality), free(rows->each);
    free(rows->run_first), free(rows->run_index);
}

/* The sample of a row and column. */
static inline int32_t sample_of(int64_t index, int64_t c)
{
    return (int32_t)(uint32_t)((uint64_t)index * 2654435761u + (uint64_t)c * 40503u);
}

/* One frame from this index on; its octets, to be freed. */
static inline uint8_t *frame_at(const gw_sv_publisher *publisher, int64_t index, uint8_t synch,
                                const uint16_t *quality)
{
    int32_t samples[GW_SV_ASDUS * COLUMNS];
    for (int64_t i = 0; i < publisher->asdus * COLUMNS; i++)
        samples[i] = sample_of(index + i / COLUMNS, i % COLUMNS);
    int64_t size = gw_sv_frame_size(publisher);
    CHECK(size > 0);
    uint8_t *frame = column(size, 1);
    CHECK(gw_sv_encode(publisher, index, samples, publisher->asdus, COLUMNS, quality, synch, frame,
                       size) == size);
    return frame;
}

/* Append rows to others, a run of its own where the first does not follow the last. */
static inline void append(gw_sample_rows *to, const gw_sample_rows *from)
{
    size_t row = COLUMNS * (size_t)from->count, at = (size_t)(to->count * COLUMNS);
    int64_t last = to->runs - 1;
    if (from->count == 0)
        return;
    memcpy(to->samples + at, from->samples, row * sizeof *to->samples);
    memcpy(to->quality + to->count, from->quality, (size_t)from->count * sizeof *to->quality);
    if (to->each)
        memcpy(to->each + at, from->each, row * sizeof *to->each);
    if (last < 0 ||
        from->run_index[0] - to->run_index[last] != to->count - to->run_first[last]) {
        to->run_first[to->runs] = to->count;
        to->run_index[to->runs++] = from->run_index[0];
    }
    to->count += from->count;
    to->marks |= from->marks;
}

/* Take one frame, from memory of its own, into rows that are appended. */
static inline int64_t feed(gw_sv *sv, const uint8_t *frame, int64_t size, int64_t time,
                           gw_sample_rows *rows)
{
    gw_sample_rows own = rows_of(GW_SV_ASDUS);
    uint8_t *alone = malloc((size_t)(size > 0 ? size : 1));
    CHECK(alone != NULL);
    memcpy(alone, frame, (size_t)size);
    const int64_t zero = 0;
    gw_frames frames = {1, alone, size, &zero, &size, &time};
    if (!rows->each)
        free(own.each), own.each = NULL;
    int64_t made = gw_sv_decode(sv, &frames, &own);
    CHECK(made == own.count && own.runs <= made && (own.runs > 0) == (made > 0));
    append(rows, &own);
    free(alone), leave(NULL, &own);
    return made;
}

#endif
