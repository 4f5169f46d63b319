/* Synchrophasors: what is asked for, the samples that come, and when a report is due. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "memory.h"
#include "phasor.h"

enum { SPARE = 512 }; /* rows that fit behind those that are kept, at the least */

static int64_t check_sets(const gw_phasor_setup *setup)
{
    for (int32_t s = 0; s < setup->sets; s++) {
        const int32_t *set = setup->set + 3 * s;
        int three = set[1] >= 0 && set[2] >= 0, one = set[1] == -1 && set[2] == -1;
        if (set[0] < 0 || !(three || one))
            return GW_BAD_SETUP;
        for (int i = 0; i < 3; i++)
            if (set[i] >= setup->stream.columns)
                return GW_BAD_SETUP;
    }
    return GW_OK;
}

/* Fill in all but what stands behind the state; GW_OK or a code below zero. */
static int64_t measure(gw_phasor *p, const gw_phasor_setup *setup)
{
    int64_t code = gw_stream_check(&setup->stream);
    if (code != GW_OK)
        return code;
    if (setup->sets < 1 || setup->sets > GW_PHASOR_SETS || check_sets(setup) != GW_OK ||
        (setup->performance != GW_CLASS_P && setup->performance != GW_CLASS_M))
        return GW_BAD_SETUP;
    memset(p, 0, sizeof *p);
    p->stream = setup->stream;
    p->stream.scale = NULL; /* the caller's */
    p->rate = p->stream.rate;
    p->nominal = p->stream.nominal;
    p->columns = p->stream.columns;
    p->reporting = setup->reporting;
    p->performance = setup->performance;
    p->sets = setup->sets;
    p->least = setup->least;
    memcpy(p->set, setup->set, (size_t)p->sets * sizeof *p->set);
    for (int64_t c = 0; c < p->columns; c++) {
        double size = setup->stream.scale[c] * sqrt(2.0); /* the window leaves half the peak */
        p->factor[c][0] = size * cos(setup->turn[c]);
        p->factor[c][1] = size * sin(setup->turn[c]);
    }
    p->lanes = (p->columns + 3) / 4 * 4;
    code = gw_phasor_window_measure(p);
    p->keep = 2 * p->reach > 2 * p->cycle ? 2 * p->reach : 2 * p->cycle;
    p->capacity = 2 * p->keep + SPARE;
    return code;
}

/* Lay the parts out in memory from `at`, or count only where it is NULL. */
static int64_t lay_out(gw_phasor *p, uint8_t *at)
{
    gw_memory memory = {at, 0};
    gw_part(&memory, sizeof *p);
    p->history = gw_part(&memory, (size_t)(p->capacity * p->lanes) * sizeof *p->history);
    p->quality = gw_part(&memory, (size_t)p->capacity * sizeof *p->quality);
    if (p->cycle != 0)
        p->table = gw_part(&memory, (size_t)(4 * p->cycle) * sizeof *p->table);
    else
        p->taps = gw_part(&memory, (size_t)(4 * p->half + 2) * sizeof *p->taps);
    return memory.used;
}

int64_t gw_phasor_size(const gw_phasor_setup *setup)
{
    gw_phasor shape;
    int64_t code = measure(&shape, setup);
    return code < 0 ? code : lay_out(&shape, NULL);
}

int64_t gw_phasor_init(gw_phasor *p, int64_t size, const gw_phasor_setup *setup)
{
    gw_phasor shape;
    int64_t code = measure(&shape, setup);
    if (code < 0)
        return code;
    int64_t needed = lay_out(&shape, NULL);
    if (!gw_fits(p, size, needed))
        return GW_NO_ROOM;
    memset(p, 0, (size_t)needed);
    *p = shape;
    lay_out(p, (uint8_t *)p);
    gw_phasor_window_make(p);
    return GW_OK;
}

/* The first report whose row is not before this one. */
static int64_t report_from(const gw_phasor *p, int64_t row)
{
    double later;
    int64_t second = row / p->rate, number = row % p->rate * p->reporting / p->rate;
    number += second * p->reporting;
    while (gw_phasor_row(p, number, &later) < row)
        number++;
    return number;
}

/* Reports whose row and those after it are there once row `end` - 1 is: the first that is not. */
static int64_t report_after(const gw_phasor *p, int64_t end)
{
    return report_from(p, end - p->reach < 0 ? 0 : end - p->reach);
}

/* The first report that is still to come once a gap before this index was seen. */
static int64_t first_report(const gw_phasor *p, int64_t index)
{
    if (p->at.next == 0)
        return report_from(p, index);
    int64_t recent = report_from(p, index < p->rate ? 0 : index - p->rate);
    return p->next > recent ? p->next : recent;
}

int64_t gw_phasor_reports(const gw_phasor *p, int64_t index, int64_t n)
{
    int64_t code = gw_stream_accepts(&p->stream, &p->at, index, n, p->columns);
    if (code < 0 || n == 0)
        return code;
    int breaks = gw_stream_breaks(&p->stream, &p->at, index);
    int64_t first = breaks ? first_report(p, index) : p->next;
    int64_t after = report_after(p, index + n);
    if (breaks) { /* those before the index are over, whatever comes */
        int64_t over = report_from(p, index);
        after = after > over ? after : over;
    }
    return after > first ? after - first : 0;
}

int64_t gw_phasor_delay(const gw_phasor *p)
{
    return p->reach;
}

void gw_phasor_look(const gw_phasor *p, gw_stream_state *state)
{
    *state = p->at;
}

int64_t gw_phasor_sums(const gw_phasor *p, int64_t *sums, int32_t *bits)
{
    if (p->cycle == 0 || p->at.next == 0)
        return GW_NO_SUMS;
    for (int64_t c = 0; c < p->columns; c++)
        for (int part = 0; part < 2; part++)
            sums[2 * c + part] = (int64_t)p->sums.twice[part][c];
    *bits = p->bits;
    return p->at.next - p->cycle;
}

/* The quality of the rows that a report needs. */
static uint16_t window_quality(const gw_phasor *p, int64_t row)
{
    int64_t first = row - p->reach;
    if (p->bad < first)
        return GW_GOOD;
    return gw_worst(p->quality + (p->used - (p->at.next - first)), 2 * p->reach + 1);
}

/* Report, as valid as the window is full. */
static void report(gw_phasor *p, int64_t row, gw_phasor_rows *out)
{
    if (row - p->reach >= p->begin)
        gw_phasor_report(p, p->next, window_quality(p, row), out);
    else
        gw_phasor_nothing(p, p->next, GW_INVALID, out);
    p->next++;
}

/* The sums as vectors, in the frame of the row in the middle of their window. */
static void take_sums(gw_phasor *p, int64_t row)
{
    double angle = 2 * GW_PI * (double)(row % p->cycle) / (double)p->cycle;
    double re = cos(angle) * p->sum_gain, im = sin(angle) * p->sum_gain;
    for (int64_t c = 0; c < p->columns; c++) {
        double x = (double)(int64_t)p->sums.twice[0][c];
        double y = (double)(int64_t)p->sums.twice[1][c];
        p->vectors[p->step][0][c] = x * re - y * im;
        p->vectors[p->step][1][c] = x * im + y * re;
    }
}

/* Carry the sums over rows that are in the history already, from `end` on, and report on the way. */
static void sum_rows(gw_phasor *p, int64_t count, gw_phasor_rows *out)
{
    const gw_loops *loops = gw_loops_now();
    for (int64_t last = p->at.next + count; p->at.next < last;) {
        double later;
        int64_t row = gw_phasor_row(p, p->next, &later);
        int64_t middle = row + (p->step - 1) * p->quarter, due = middle + p->cycle;
        int64_t phase = p->at.next % p->cycle, stop = p->at.next - phase + 2 * p->cycle;
        stop = stop < last ? stop : last;
        stop = stop < due ? stop : due;
        const int32_t *from = p->history + p->used * p->lanes;
        int small = p->large < p->at.next - 2 * p->cycle;
        loops->carry(from, stop - p->at.next, p->lanes, p->cycle, p->table + 2 * phase, small, &p->sums);
        p->used += stop - p->at.next;
        p->at.next = stop;
        if (stop < due)
            continue;
        take_sums(p, middle);
        if (++p->step == GW_INSTANTS) {
            p->step = 0;
            report(p, row, out);
        }
    }
}

static void filter_rows(gw_phasor *p, int64_t count, gw_phasor_rows *out)
{
    const gw_loops *loops = gw_loops_now();
    p->used += count;
    p->at.next += count;
    for (;;) {
        double later;
        int64_t row = gw_phasor_row(p, p->next, &later);
        if (row + p->reach >= p->at.next)
            return;
        if (row - p->reach >= p->begin) {
            int64_t from = p->used - (p->at.next - (row - p->reach));
            loops->instants(p->history + from * p->lanes, 2 * p->half + 1, p->lanes, p->quarter,
                            p->taps, p->vectors);
        }
        report(p, row, out);
    }
}

/* Copy rows into the history, and note whether one is so large that four of it exceed 32 bits. */
static void copy_rows(gw_phasor *p, const int32_t *samples, int64_t rows, int64_t stride)
{
    int32_t *to = p->history + p->used * p->lanes;
    if (stride == p->lanes && p->columns == p->lanes)
        memcpy(to, samples, (size_t)(rows * stride) * sizeof *to);
    else
        for (int64_t i = 0; i < rows; i++)
            for (int64_t c = 0; c < p->columns; c++)
                to[i * p->lanes + c] = samples[i * stride + c];
    int32_t bits = 0;
    for (int64_t i = 0; i < rows * p->lanes; i++)
        bits |= to[i] ^ (to[i] < 0 ? -1 : 0);
    p->large = bits >> 29 != 0 ? p->at.next + rows - 1 : p->large;
}

/* quality: of each row, or NULL where all have `every`. */
static void copy_quality(gw_phasor *p, const uint16_t *quality, int64_t n, uint16_t every)
{
    uint16_t *to = p->quality + p->used;
    if (!quality && every == GW_GOOD) {
        memset(to, 0, (size_t)n * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        to[i] = quality ? quality[i] : every;
        p->bad = to[i] != GW_GOOD ? p->at.next + i : p->bad;
    }
}

/* Take rows that follow each other; stride 0 repeats one. */
static void take(gw_phasor *p, const int32_t *samples, int64_t rows, int64_t stride,
                 const uint16_t *quality, uint16_t every, gw_phasor_rows *out)
{
    while (rows > 0) {
        if (p->used == p->capacity) {
            int64_t old = p->used - p->keep;
            memmove(p->history, p->history + old * p->lanes,
                    (size_t)(p->keep * p->lanes) * sizeof *p->history);
            memmove(p->quality, p->quality + old, (size_t)p->keep * sizeof *p->quality);
            p->used = p->keep;
        }
        int64_t room = p->capacity - p->used, n = rows < room ? rows : room;
        copy_rows(p, samples, n, stride);
        copy_quality(p, quality, n, every);
        if (p->cycle != 0)
            sum_rows(p, n, out);
        else
            filter_rows(p, n, out);
        samples += n * stride;
        quality = quality ? quality + n : NULL;
        rows -= n;
    }
}

/* Start at this index as if nothing had been, and report the instants that are over. */
static void start(gw_phasor *p, int64_t index, gw_phasor_rows *out)
{
    int64_t over = report_from(p, index);
    for (p->next = first_report(p, index); p->next < over; p->next++)
        gw_phasor_nothing(p, p->next, GW_INVALID, out);
    memset(p->history, 0, (size_t)(p->keep * p->lanes) * sizeof *p->history);
    memset(&p->sums, 0, sizeof p->sums);
    p->used = p->keep;
    p->begin = p->at.next = index;
    p->bad = p->large = INT64_MIN / 2;
    p->step = 0;
}

int64_t gw_phasor_push(gw_phasor *p, int64_t index, const int32_t *samples, int64_t n,
                       int64_t stride, const uint16_t *quality, gw_phasor_rows *out)
{
    int64_t code = gw_stream_accepts(&p->stream, &p->at, index, n, stride);
    if (code < 0 || n == 0)
        return code;
    if (gw_phasor_reports(p, index, n) > out->capacity - out->count)
        return GW_ROWS_FULL;
    int64_t before = out->count, missing = index - p->at.next;
    int breaks = gw_stream_breaks(&p->stream, &p->at, index);
    gw_stream_count(&p->stream, &p->at, index);
    if (breaks) {
        start(p, index, out);
    } else if (missing > 0) {
        int32_t last[GW_COLUMNS];
        memcpy(last, p->history + (p->used - 1) * p->lanes, (size_t)p->lanes * sizeof *last);
        take(p, last, missing, 0, NULL, gw_partly(p->quality[p->used - 1]), out);
    }
    take(p, samples, n, stride, quality, GW_GOOD, out);
    return out->count - before;
}
