/* A meter at a stream that is made up: three phases, currents 30 degrees behind the voltages. */
#ifndef GW_TEST_STREAM_H
#define GW_TEST_STREAM_H

#include "check.h"

static const double pi = 3.14159265358979323846;

enum { RATE = 1000, COLUMNS = 8 }; /* currents in 0..2, voltages in 4..6; 3 and 7 are nobody's */

static const double scales[COLUMNS] = {0.001, 0.001, 0.001, 0.0, 0.01, 0.01, 0.01, 0.0};

typedef struct {
    gw_meter *meter;
    gw_spectrum *spectrum;
    gw_rows rows;
    gw_events events;
    int64_t index;
    double hertz, turns; /* of the fundamental, and where it is */
    double volts[3], amperes;
    uint16_t quality;
} stream;

static inline gw_meter_setup usual_setup(void)
{
    return (gw_meter_setup){
        .stream = {.rate = RATE, .nominal = 50, .hold = 3, .columns = COLUMNS, .scale = scales},
        .voltage = {4, 5, 6, -1},
        .current = {0, 1, 2, -1},
        .orders = 5,
        .declared = 230.0,
        .floor = 4.6,
        .dip = 0.9,
        .swell = 1.1,
        .interruption = 0.05,
        .hysteresis = 0.02,
        .change = 0.03,
        .change_hysteresis = 0.5,
    };
}

static inline stream open_stream(const gw_meter_setup *setup, const int32_t *select)
{
    stream s = {.hertz = 50.0, .volts = {230.0, 230.0, 230.0}, .amperes = 5.0};
    int64_t size = gw_meter_size(setup), points = gw_meter_points(setup);
    CHECK(size > 0 && points > 0);
    s.spectrum = column(gw_spectrum_size(points), 1);
    CHECK(gw_spectrum_init(s.spectrum, gw_spectrum_size(points), points) == GW_OK);
    s.meter = column(size, 1);
    CHECK(gw_meter_init(s.meter, size, setup, s.spectrum, select) == GW_OK);
    s.rows.capacity = gw_meter_rows(s.meter, RATE);
    s.rows.point = column(s.rows.capacity, sizeof(int32_t));
    s.rows.value = doubles(s.rows.capacity, 0.0);
    s.rows.quality = column(s.rows.capacity, sizeof(uint16_t));
    s.rows.time = column(s.rows.capacity, sizeof(int64_t));
    s.events.capacity = gw_meter_events(s.meter, RATE);
    s.events.kind = column(s.events.capacity, 1);
    s.events.phase = column(s.events.capacity, 1);
    s.events.start = column(s.events.capacity, sizeof(int64_t));
    s.events.end = column(s.events.capacity, sizeof(int64_t));
    s.events.value = doubles(s.events.capacity, 0.0);
    s.events.more = doubles(s.events.capacity, 0.0);
    s.events.quality = column(s.events.capacity, sizeof(uint16_t));
    return s;
}

static inline void close_stream(stream *s)
{
    void *memory[] = {s->meter,       s->spectrum,     s->rows.point,    s->rows.value,
                      s->rows.quality, s->rows.time,   s->events.kind,   s->events.phase,
                      s->events.start, s->events.end,  s->events.value,  s->events.more,
                      s->events.quality};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        free(memory[i]);
}

/* Rows from the stream, no more than a second; what they give is in rows and events. */
static inline int64_t flow(stream *s, int64_t n)
{
    int32_t *samples = column(n * COLUMNS, sizeof(int32_t));
    uint16_t *quality = column(n, sizeof(uint16_t));
    for (int64_t i = 0; i < n; i++) {
        for (int p = 0; p < 3; p++) {
            double angle = 2.0 * pi * (s->turns - p / 3.0), root2 = sqrt(2.0);
            samples[i * COLUMNS + 4 + p] = (int32_t)lrint(100 * root2 * s->volts[p] * cos(angle));
            samples[i * COLUMNS + p] =
                (int32_t)lrint(1000 * root2 * s->amperes * cos(angle - pi / 6));
        }
        samples[i * COLUMNS + 3] = samples[i * COLUMNS + 7] = INT32_MIN;
        quality[i] = s->quality;
        s->turns += s->hertz / RATE;
        s->turns -= floor(s->turns);
    }
    s->rows.count = s->events.count = 0;
    int64_t made = gw_meter_push(s->meter, s->index, samples, n, COLUMNS,
                                 s->quality ? quality : NULL, &s->rows, &s->events);
    if (made >= 0)
        s->index += n;
    free(samples), free(quality);
    return made;
}

/* The last row of a point in what the last flow gave, or -1. */
static inline int64_t last_of(const stream *s, int64_t point)
{
    for (int64_t i = s->rows.count - 1; i >= 0; i--)
        if (s->rows.point[i] == point)
            return i;
    return -1;
}

static inline int close_to(double a, double b, double by)
{
    return fabs(a - b) <= by;
}

#endif
