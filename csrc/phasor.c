/* Synchrophasors: what is asked for, the samples that come, and when a report is due. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "level.h"
#include "phasor.h"

enum {
    LEAST_RATE = 1000, /* samples per second */
    MOST_RATE = 32768,
    LINE = 64,     /* bytes of a cache line */
    SPARE = 512    /* rows that fit behind those that are kept, at the least */
};

/* The time in ns of everything before this second has room in its type. */
static const int64_t most_second = 9000000000;

/*
 * Qualities as they can be OR-ed: the validity as steps, each with the bits of the lower ones, the
 * highest in the bit that quality leaves free.
 */
enum { STEP_QUESTIONABLE = 0x0001, STEP_RESERVED = 0x0003, STEP_INVALID = 0x8003 };

static uint16_t mark_of(unsigned quality)
{
    static const unsigned steps[4] = {0, STEP_INVALID, STEP_RESERVED, STEP_QUESTIONABLE};
    return (uint16_t)((quality & 0x7ffc) | steps[quality & GW_VALIDITY]);
}

static uint16_t quality_of(unsigned marks)
{
    unsigned validity = GW_GOOD;
    if ((marks & STEP_INVALID) == STEP_INVALID)
        validity = GW_INVALID;
    else if ((marks & STEP_RESERVED) == STEP_RESERVED)
        validity = GW_VALIDITY & ~GW_INVALID;
    else if (marks & STEP_QUESTIONABLE)
        validity = GW_QUESTIONABLE;
    return (uint16_t)((marks & 0x7ffc) | validity);
}

static int check_sets(const gw_phasor_config *config)
{
    for (int32_t s = 0; s < config->sets; s++) {
        const int32_t *set = config->set + 3 * s;
        int three = set[1] >= 0 && set[2] >= 0, one = set[1] == -1 && set[2] == -1;
        if (set[0] < 0 || !(three || one))
            return GW_BAD_STREAM;
        for (int i = 0; i < 3; i++)
            if (set[i] >= config->channels)
                return GW_BAD_STREAM;
    }
    return GW_OK;
}

/* Fill in all but what stands behind the state; GW_OK or GW_BAD_STREAM. */
static int measure(gw_phasor *p, const gw_phasor_config *config)
{
    if (config->rate < LEAST_RATE || config->rate > MOST_RATE || config->hold < 0 ||
        config->hold > config->rate || config->channels < 1 ||
        config->channels > GW_PHASOR_CHANNELS || config->sets < 1 ||
        config->sets > GW_PHASOR_SETS || check_sets(config) != GW_OK ||
        (config->performance != GW_CLASS_P && config->performance != GW_CLASS_M))
        return GW_BAD_STREAM;
    memset(p, 0, sizeof *p);
    p->rate = config->rate;
    p->nominal = config->nominal;
    p->reporting = config->reporting;
    p->performance = config->performance;
    p->hold = config->hold;
    p->channels = config->channels;
    p->sets = config->sets;
    p->least = config->least;
    memcpy(p->set, config->set, (size_t)p->sets * sizeof *p->set);
    for (int64_t c = 0; c < p->channels; c++) {
        double size = config->scale[c] * sqrt(2.0); /* the window leaves half the peak */
        p->factor[c][0] = size * cos(config->turn[c]);
        p->factor[c][1] = size * sin(config->turn[c]);
    }
    p->lanes = (p->channels + 3) / 4 * 4;
    int code = gw_window_measure(p);
    p->keep = 2 * p->reach > 2 * p->cycle ? 2 * p->reach : 2 * p->cycle;
    p->capacity = 2 * p->keep + SPARE;
    return code;
}

/* The next place in memory for so many bytes; `at` becomes the end of them. */
static size_t place(size_t *at, int64_t count, size_t width)
{
    size_t from = (*at + LINE - 1) / LINE * LINE;
    *at = from + (size_t)count * width;
    return from;
}

typedef struct {
    size_t history, marks, weights, end;
} places;

static places lay_out(const gw_phasor *p)
{
    places all;
    size_t at = sizeof *p;
    all.history = place(&at, p->capacity * p->lanes, sizeof *p->history);
    all.marks = place(&at, p->capacity, sizeof *p->marks);
    if (p->cycle != 0)
        all.weights = place(&at, 4 * p->cycle, sizeof *p->table);
    else
        all.weights = place(&at, 4 * p->half + 2, sizeof *p->taps);
    all.end = at;
    return all;
}

int64_t gw_phasor_size(const gw_phasor_config *config)
{
    gw_phasor shape;
    int code = measure(&shape, config);
    return code != GW_OK ? code : (int64_t)lay_out(&shape).end;
}

int gw_phasor_init(void *memory, int64_t size, const gw_phasor_config *config)
{
    gw_phasor shape, *p = memory;
    int code = measure(&shape, config);
    if (code != GW_OK)
        return code;
    places all = lay_out(&shape);
    if (size < (int64_t)all.end)
        return GW_NO_ROOM;
    memset(memory, 0, all.end);
    *p = shape;
    char *base = memory;
    p->history = (void *)(base + all.history);
    p->marks = (void *)(base + all.marks);
    p->table = (void *)(base + all.weights);
    p->taps = (void *)(base + all.weights);
    gw_window_make(p);
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

/* Is there a gap before this index that cannot be filled, or nothing at all? */
static int starts_anew(const gw_phasor *p, int64_t index)
{
    return !p->started || index - p->end > p->hold;
}

/* The first report that is still to come once a gap before this index was seen. */
static int64_t first_report(const gw_phasor *p, int64_t index)
{
    if (!p->started)
        return report_from(p, index);
    int64_t recent = report_from(p, index < p->rate ? 0 : index - p->rate);
    return p->next > recent ? p->next : recent;
}

int64_t gw_phasor_reports(const gw_phasor *p, int64_t rows, int64_t index)
{
    int64_t most = most_second * p->rate;
    if (rows < 0 || rows > most || index < 0 || index > most - rows ||
        (p->started && index < p->end))
        return GW_BAD_INDEX;
    if (rows == 0)
        return 0;
    int64_t first = starts_anew(p, index) ? first_report(p, index) : p->next;
    int64_t after = report_after(p, index + rows);
    if (starts_anew(p, index)) { /* those before the index are over, whatever comes */
        int64_t over = report_from(p, index);
        after = after > over ? after : over;
    }
    return after > first ? after - first : 0;
}

int64_t gw_phasor_delay(const gw_phasor *p)
{
    return p->reach;
}

int64_t gw_phasor_held(const gw_phasor *p)
{
    return p->held;
}

int64_t gw_phasor_sums(const gw_phasor *p, int64_t *sums, int32_t *bits)
{
    if (p->cycle == 0 || !p->started)
        return GW_NO_SUMS;
    for (int64_t c = 0; c < p->channels; c++)
        for (int part = 0; part < 2; part++)
            sums[2 * c + part] = (int64_t)p->sums.twice[part][c];
    *bits = p->bits;
    return p->end - p->cycle;
}

/* Marks of the rows that a report needs. */
static uint16_t window_marks(const gw_phasor *p, int64_t row)
{
    unsigned marks = 0;
    if (p->bad < row - p->reach)
        return 0;
    const uint16_t *mark = p->marks + (p->used - (p->end - (row - p->reach)));
    for (int64_t i = 0; i <= 2 * p->reach; i++)
        marks |= mark[i];
    return (uint16_t)marks;
}

/* Report, as valid as the window is full. */
static void report(gw_phasor *p, int64_t row, gw_phasor_rows *out)
{
    if (row - p->reach >= p->begin)
        gw_phasor_report(p, p->next, quality_of(window_marks(p, row)), out);
    else
        gw_phasor_nothing(p, p->next, GW_INVALID, out);
    p->next++;
}

/* The sums as vectors, in the frame of the row in the middle of their window. */
static void take_sums(gw_phasor *p, int64_t row)
{
    double angle = 2 * GW_PI * (double)(row % p->cycle) / (double)p->cycle;
    double re = cos(angle) * p->sum_gain, im = sin(angle) * p->sum_gain;
    for (int64_t c = 0; c < p->channels; c++) {
        double x = (double)(int64_t)p->sums.twice[0][c];
        double y = (double)(int64_t)p->sums.twice[1][c];
        p->vectors[p->step][0][c] = x * re - y * im;
        p->vectors[p->step][1][c] = x * im + y * re;
    }
}

/* Carry the sums over rows that are in the history already, from `end` on, and report on the way. */
static void sum_rows(gw_phasor *p, int64_t count, gw_phasor_rows *out)
{
    gw_sum_loop *sum = gw_sum_plain;
#if GW_HAS_V3
    sum = gw_level() == GW_X86_64_V3 ? gw_sum_v3 : sum;
#endif
    for (int64_t last = p->end + count; p->end < last;) {
        double later;
        int64_t row = gw_phasor_row(p, p->next, &later);
        int64_t middle = row + (p->step - 1) * p->quarter, due = middle + p->cycle;
        int64_t phase = p->end % p->cycle, stop = p->end - phase + 2 * p->cycle;
        stop = stop < last ? stop : last;
        stop = stop < due ? stop : due;
        const int32_t *from = p->history + p->used * p->lanes;
        int small = p->large < p->end - 2 * p->cycle;
        sum(from, stop - p->end, p->lanes, p->cycle, p->table + 2 * phase, small, &p->sums);
        p->used += stop - p->end;
        p->end = stop;
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
    gw_filter_loop *filter = gw_filter_plain;
#if GW_HAS_V3
    filter = gw_level() == GW_X86_64_V3 ? gw_filter_v3 : filter;
#endif
    p->used += count;
    p->end += count;
    for (;;) {
        double later;
        int64_t row = gw_phasor_row(p, p->next, &later);
        if (row + p->reach >= p->end)
            return;
        if (row - p->reach >= p->begin) {
            int64_t from = p->used - (p->end - (row - p->reach));
            filter(p->history + from * p->lanes, 2 * p->half + 1, p->lanes, p->quarter, p->taps,
                   p->vectors);
        }
        report(p, row, out);
    }
}

/* Copy rows into the history, and note whether one is so large that four of it exceed 32 bits. */
static void copy_rows(gw_phasor *p, const int32_t *samples, int64_t rows, int64_t stride)
{
    int32_t *to = p->history + p->used * p->lanes;
    if (stride == p->lanes && p->channels == p->lanes)
        memcpy(to, samples, (size_t)(rows * stride) * sizeof *to);
    else
        for (int64_t i = 0; i < rows; i++)
            for (int64_t c = 0; c < p->channels; c++)
                to[i * p->lanes + c] = samples[i * stride + c];
    int32_t bits = 0;
    for (int64_t i = 0; i < rows * p->lanes; i++)
        bits |= to[i] ^ (to[i] < 0 ? -1 : 0);
    p->large = bits >> 29 != 0 ? p->end + rows - 1 : p->large;
}

static void copy_marks(gw_phasor *p, const uint16_t *quality, int64_t rows, unsigned mark)
{
    uint16_t *to = p->marks + p->used;
    if (!quality && mark == 0) {
        memset(to, 0, (size_t)rows * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < rows; i++) {
        unsigned marks = mark | (quality ? mark_of(quality[i]) : 0u);
        to[i] = (uint16_t)marks;
        p->bad = marks != 0 ? p->end + i : p->bad;
    }
}

/* Take rows that follow each other; stride 0 repeats one.  mark: of all, besides quality. */
static void take(gw_phasor *p, const int32_t *samples, int64_t rows, int64_t stride,
                 const uint16_t *quality, unsigned mark, gw_phasor_rows *out)
{
    while (rows > 0) {
        if (p->used == p->capacity) {
            int64_t old = p->used - p->keep;
            memmove(p->history, p->history + old * p->lanes,
                    (size_t)(p->keep * p->lanes) * sizeof *p->history);
            memmove(p->marks, p->marks + old, (size_t)p->keep * sizeof *p->marks);
            p->used = p->keep;
        }
        int64_t room = p->capacity - p->used, n = rows < room ? rows : room;
        copy_rows(p, samples, n, stride);
        copy_marks(p, quality, n, mark);
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
    p->begin = p->end = index;
    p->bad = p->large = INT64_MIN / 2;
    p->step = 0;
    p->started = 1;
}

int64_t gw_phasor_push(gw_phasor *p, const int32_t *samples, int64_t rows, int64_t stride,
                       int64_t index, const uint16_t *quality, gw_phasor_rows *out)
{
    int64_t before = out->count, reports = gw_phasor_reports(p, rows, index);
    if (reports < 0)
        return reports;
    if (stride < p->channels)
        return GW_BAD_STREAM;
    if (reports > out->capacity - out->count)
        return GW_ROWS_FULL;
    if (rows == 0)
        return 0;
    if (starts_anew(p, index)) {
        start(p, index, out);
    } else if (index > p->end) {
        int32_t last[GW_LANES];
        unsigned mark = p->marks[p->used - 1] | mark_of(GW_QUESTIONABLE | GW_INACCURATE);
        memcpy(last, p->history + (p->used - 1) * p->lanes, (size_t)p->lanes * sizeof *last);
        p->held += index - p->end;
        take(p, last, index - p->end, 0, NULL, mark, out);
    }
    take(p, samples, rows, stride, quality, 0, out);
    return out->count - before;
}
