/*
 * How one sample is judged: the only place where the rules are written.
 *
 * A header, because every level compiles it again with its own instruction set; it holds no state.
 */
#ifndef GW_JUDGE_H
#define GW_JUDGE_H

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "kernel.h"

/* Where a time came from says nothing about the measurement: a change of it is no news. */
#define GW_NEWS ((uint16_t) ~(GW_CLOCK_NOT_SYNCHRONISED | GW_DEVICE_TIME))

static inline int gw_is_invalid(unsigned quality)
{
    return (quality & GW_VALIDITY) == GW_INVALID;
}

/* Whoever says questionable and oldData of no value means the last one. */
static inline int gw_is_doubted(unsigned quality)
{
    return (quality & (GW_VALIDITY | GW_OLD_DATA)) == (GW_QUESTIONABLE | GW_OLD_DATA);
}

/* The validity is a number, and the worse one wins: OR-ing GOOD..QUESTIONABLE into it would not. */
static inline uint16_t gw_invalid(unsigned quality, unsigned detail)
{
    return (uint16_t)((quality & ~(unsigned)GW_VALIDITY) | GW_INVALID | detail);
}

static inline uint16_t gw_questionable(unsigned quality, unsigned detail)
{
    unsigned validity = (quality & GW_VALIDITY) == GW_GOOD ? GW_QUESTIONABLE : GW_GOOD;
    return (uint16_t)(quality | validity | detail);
}

/* Seconds since an earlier time, or 0 where there is none or the clock went back. */
static inline double gw_elapsed(int64_t then, int64_t now)
{
    if (then == 0 || now <= then)
        return 0.0;
    return (double)((uint64_t)now - (uint64_t)then) / 1e9; /* unsigned: the difference may not fit */
}

/* Does the deadband count an area?  One of zero or below counts what an absolute one does. */
static inline int gw_is_integrated(const gw_points *points, int64_t id)
{
    return points->deadband_kind[id] == GW_INTEGRATED && points->deadband[id] > 0.0;
}

/*
 * Rate of change and integrated deadband need the sample before this one.
 * Returns the quality with what the rate adds, and moves the history on.
 */
static inline uint16_t gw_history(const gw_points *points, int64_t id, double v, uint16_t quality,
                                  int64_t time)
{
    double rate = points->rate[id];
    int integrated = gw_is_integrated(points, id);
    if (!(rate < (double)INFINITY) && !integrated)
        return quality;
    double elapsed = gw_elapsed(points->previous_time[id], time);
    double last = points->value[id];
    int finite = fabs(v) <= DBL_MAX;
    if (elapsed > 0.0) {
        if (finite && fabs(v - points->previous[id]) / elapsed > rate)
            quality = gw_questionable(quality, GW_INCONSISTENT);
        if (integrated && v == v && v != last)
            points->area[id] += fabs(v - last) * elapsed;
    }
    points->previous[id] = finite && !gw_is_invalid(quality) ? v : (double)NAN;
    points->previous_time[id] = time;
    return quality;
}

/* Judge a scaled sample whose history is done: range, change, report. */
static inline void gw_settle(gw_points *points, int64_t id, double v, uint16_t quality,
                             int64_t time, int every, gw_rows *rows)
{
    double last = points->value[id];
    if (v != v) {
        /* NaN is no value: the last one stands, and the quality says not to believe it. */
        v = last;
        if (!gw_is_invalid(quality) && !(gw_is_doubted(quality) && last == last))
            quality = gw_invalid(quality, GW_FAILURE);
    } else if (fabs(v) > DBL_MAX) {
        quality = gw_invalid(quality, GW_OVERFLOW);
    } else if (!(points->low[id] <= v && v <= points->high[id])) {
        quality = gw_questionable(quality, GW_OUT_OF_RANGE);
    }

    double band = points->deadband[id];
    int integrated = gw_is_integrated(points, id);
    int same = v == last || (v != v && last != last);
    int moved = integrated ? !(points->area[id] < band) : !same && !(fabs(v - last) <= band);
    if (every || moved || !(band >= 0.0) || points->time[id] == 0 ||
        ((quality ^ points->quality[id]) & GW_NEWS) != 0) {
        int64_t row = rows->count++;
        rows->point[row] = (int32_t)id;
        rows->value[row] = points->value[id] = v;
        rows->quality[row] = points->quality[id] = quality;
        rows->time[row] = points->time[id] = time;
        if (integrated)
            points->area[id] = 0.0;
    }
}

#endif
