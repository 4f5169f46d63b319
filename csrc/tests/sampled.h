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

/* Take one frame, from memory of its own. */
static inline int64_t feed(gw_sv *sv, const uint8_t *frame, int64_t size, int64_t time,
                           gw_sample_rows *rows)
{
    uint8_t *alone = malloc((size_t)(size > 0 ? size : 1));
    CHECK(alone != NULL);
    memcpy(alone, frame, (size_t)size);
    const int64_t zero = 0;
    gw_frames frames = {1, alone, size, &zero, &size, &time};
    int64_t made = gw_sv_decode(sv, &frames, rows);
    free(alone);
    return made;
}

#endif
