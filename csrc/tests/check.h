/* Checks, and a points table in memory of its own, so that the sanitizers see its edges. */
#ifndef GW_CHECK_H
#define GW_CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#define CHECK(truth)                                                                    \
    do {                                                                                \
        if (!(truth)) {                                                                 \
            fprintf(stderr, "%s:%d: on level %s: %s\n", __FILE__, __LINE__,             \
                    gw_level_name(gw_level()), #truth);                                 \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

/* Equal as a master sees it: NaN is NaN. */
static inline int same(double a, double b)
{
    return a == b || (a != a && b != b);
}

static inline void *column(int64_t n, size_t width)
{
    void *memory = calloc(n > 0 ? (size_t)n : 1, width);
    CHECK(memory != NULL);
    return memory;
}

static inline double *doubles(int64_t n, double start)
{
    double *memory = column(n, sizeof *memory);
    for (int64_t i = 0; i < n; i++)
        memory[i] = start;
    return memory;
}

/* The parameters can be written here; gw_points itself promises not to. */
typedef struct {
    gw_points points;
    double *scale, *offset, *low, *high, *rate, *deadband;
    uint8_t *kind;
    uint16_t *mark;
    gw_rows rows;
} fixture;

static inline fixture make(int64_t n, int64_t capacity)
{
    fixture f = {
        .scale = doubles(n, 1.0),
        .offset = doubles(n, 0.0),
        .low = doubles(n, -(double)INFINITY),
        .high = doubles(n, (double)INFINITY),
        .rate = doubles(n, (double)INFINITY),
        .deadband = doubles(n, 0.0),
        .kind = column(n, 1),
        .mark = column(n, sizeof(uint16_t)),
    };
    f.points = (gw_points){
        .n = n,
        .scale = f.scale,
        .offset = f.offset,
        .low = f.low,
        .high = f.high,
        .rate = f.rate,
        .deadband = f.deadband,
        .deadband_kind = f.kind,
        .value = doubles(n, (double)NAN),
        .quality = column(n, sizeof(uint16_t)),
        .time = column(n, sizeof(int64_t)),
        .previous = doubles(n, (double)NAN),
        .previous_time = column(n, sizeof(int64_t)),
        .area = doubles(n, 0.0),
        .mark = f.mark,
        .said_value = doubles(n, (double)NAN),
        .said_quality = column(n, sizeof(uint16_t)),
        .said_time = column(n, sizeof(int64_t)),
        .withheld = column(n, sizeof(int64_t)),
    };
    for (int64_t i = 0; i < n; i++)
        f.points.quality[i] = GW_INVALID | GW_OLD_DATA;
    f.rows = (gw_rows){
        .capacity = capacity,
        .point = column(capacity, sizeof(int32_t)),
        .value = doubles(capacity, 0.0),
        .quality = column(capacity, sizeof(uint16_t)),
        .time = column(capacity, sizeof(int64_t)),
    };
    return f;
}

static inline void drop(fixture *f)
{
    void *columns[] = {f->scale,
                       f->offset,
                       f->low,
                       f->high,
                       f->rate,
                       f->deadband,
                       f->kind,
                       f->mark,
                       f->points.value,
                       f->points.quality,
                       f->points.time,
                       f->points.previous,
                       f->points.previous_time,
                       f->points.area,
                       f->points.said_value,
                       f->points.said_quality,
                       f->points.said_time,
                       f->points.withheld,
                       f->rows.point,
                       f->rows.value,
                       f->rows.quality,
                       f->rows.time};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        free(columns[i]);
}

/* Put marks on a point that shows this value from now on, or give it back to its device (0). */
static inline void put_mark(fixture *f, int64_t id, unsigned mark, double shown)
{
    gw_points *p = &f->points;
    if (f->mark[id] == 0) {
        p->said_value[id] = p->value[id];
        p->said_quality[id] = p->quality[id];
        p->said_time[id] = p->time[id];
    }
    p->value[id] = mark & GW_HELD ? shown : p->said_value[id];
    p->quality[id] = mark & GW_HELD ? (uint16_t)mark : (uint16_t)(p->said_quality[id] | mark);
    if (mark & GW_HELD && p->time[id] == 0)
        p->time[id] = 1;
    f->mark[id] = (uint16_t)mark;
}

/* Judge one sample of point 0; 1 where it is reported, in the last row. */
static inline int64_t judge(fixture *f, double value, unsigned quality, int64_t time, int every)
{
    int32_t point = 0;
    uint16_t flags = (uint16_t)quality;
    f->rows.count = 0;
    return gw_points_judge(&f->points, 1, &point, &value, &flags, &time, every, &f->rows);
}

/* Run a test on every level that this processor has. */
static inline void on_every_level(void (*test)(void))
{
    for (int level = 0; level < GW_LEVELS; level++)
        if (gw_level_force(level) == GW_OK)
            test();
}

#endif
