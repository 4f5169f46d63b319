/* The door for rows: into the buffer, across gaps, and on to the tracker. */
#include <math.h>
#include <string.h>

#include "meter.h"

/* Copy rows of the stream into rows of lanes. */
static void gather(const gw_meter *meter, const int32_t *from, int64_t n, int64_t stride,
                   int32_t *to)
{
    const int32_t *column = meter->column;
    if (meter->run[0] && meter->run[1]) {
        for (int64_t i = 0; i < n; i++, from += stride, to += GW_ROW) {
            memcpy(to, from + column[0], 4 * sizeof *to);
            memcpy(to + 4, from + column[4], 4 * sizeof *to);
        }
        return;
    }
    for (int64_t i = 0; i < n; i++, from += stride, to += GW_ROW)
        for (int l = 0; l < GW_ROW; l++)
            to[l] = column[l] < 0 ? 0 : from[column[l]];
}

/* Make room for at least one row, and return for how many there is. */
static int64_t make_room(gw_meter *meter)
{
    if (meter->filled == meter->capacity) {
        int64_t gone = meter->filled - meter->kept;
        memmove(meter->rows, meter->rows + gone * GW_ROW,
                (size_t)(meter->kept * GW_ROW) * sizeof *meter->rows);
        memmove(meter->qualities, meter->qualities + gone,
                (size_t)meter->kept * sizeof *meter->qualities);
        meter->oldest += gone;
        meter->filled = meter->kept;
    }
    return meter->capacity - meter->filled;
}

/* Take rows that follow the last one. */
static void take(gw_meter *meter, const int32_t *samples, int64_t n, int64_t stride,
                 const uint16_t *quality)
{
    while (n > 0) {
        int64_t room = make_room(meter), part = n < room ? n : room;
        gather(meter, samples, part, stride, meter->rows + meter->filled * GW_ROW);
        uint16_t *to = meter->qualities + meter->filled;
        memset(to, 0, (size_t)part * sizeof *to);
        for (int64_t i = 0; quality && i < part; i++) {
            to[i] = quality[i];
            if (quality[i] != GW_GOOD)
                meter->last_bad = meter->oldest + meter->filled + i;
        }
        meter->filled += part;
        meter->at.next += part;
        gw_tracker_take(meter);
        samples += part * stride;
        quality = quality ? quality + part : NULL;
        n -= part;
    }
}

/* Repeat the last row. */
static void hold(gw_meter *meter, int64_t n)
{
    int32_t row[GW_ROW];
    uint16_t held = gw_partly(meter->qualities[meter->filled - 1]);
    memcpy(row, gw_row_at(meter, meter->oldest + meter->filled - 1), sizeof row);
    for (int64_t i = 0; i < n; i++) {
        make_room(meter);
        memcpy(meter->rows + meter->filled * GW_ROW, row, sizeof row);
        meter->qualities[meter->filled] = held;
        meter->last_bad = meter->oldest + meter->filled;
        meter->filled++;
        meter->at.next++;
        gw_tracker_take(meter);
    }
}

/* A gap that is too long: all begins anew. */
static void break_off(gw_meter *meter, int64_t index)
{
    int64_t time = gw_time_of(meter, meter->at.next - meter->origin, 0.0);
    for (int l = 0; l < GW_ROW; l++)
        if (meter->scale[l] != 0.0)
            gw_give(meter, meter->first[GW_HALF_CYCLE] + l, (double)NAN, GW_INVALID, time);
    gw_aggregate_break(meter, time);
    gw_seconds_break(meter);
    gw_watch_break(meter, time);
    gw_meter_begin(meter, index);
}

int64_t gw_meter_push(gw_meter *meter, int64_t index, const int32_t *samples, int64_t n,
                      int64_t stride, const uint16_t *quality, gw_rows *rows, gw_events *events)
{
    const gw_stream *stream = &meter->setup.stream;
    int64_t code = gw_stream_accepts(stream, &meter->at, index, n, stride);
    if (code < 0 || n == 0)
        return code;
    if (gw_meter_rows(meter, n) > rows->capacity - rows->count)
        return GW_ROWS_FULL;
    if (gw_meter_events(meter, n) > events->capacity - events->count)
        return GW_EVENTS_FULL;
    int64_t before = rows->count, missing = index - meter->at.next;
    meter->out = rows;
    meter->happened = events;
    int first = meter->at.next == 0, breaks = gw_stream_breaks(stream, &meter->at, index);
    gw_stream_count(stream, &meter->at, index);
    if (first)
        gw_meter_begin(meter, index);
    else if (breaks)
        break_off(meter, index);
    else if (missing > 0)
        hold(meter, missing);
    take(meter, samples, n, stride, quality);
    return rows->count - before;
}
