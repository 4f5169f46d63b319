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

/* The marks of a point; the image's quality, which is at hand, says where there are none. */
static inline uint16_t gw_mark(const gw_points *points, int64_t id)
{
    return (points->quality[id] & GW_MARKS) != 0 ? points->mark[id] : 0;
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
    double last = gw_mark(points, id) ? points->said_value[id] : points->value[id];
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

/*
 * Judge a scaled sample whose history is done against the last one, of value, quality had and
 * time then: fills in value and quality, and returns whether it is to be reported.
 */
static inline int gw_is_news(gw_points *points, int64_t id, double last, uint16_t had,
                             int64_t then, double *value, uint16_t *quality, int every)
{
    double v = *value;
    if (v != v) {
        /* NaN is no value: the last one stands, and the quality says not to believe it. */
        *value = v = last;
        if (!gw_is_invalid(*quality) && !(gw_is_doubted(*quality) && last == last))
            *quality = gw_invalid(*quality, GW_FAILURE);
    } else if (fabs(v) > DBL_MAX) {
        *quality = gw_invalid(*quality, GW_OVERFLOW);
    } else if (!(points->low[id] <= v && v <= points->high[id])) {
        *quality = gw_questionable(*quality, GW_OUT_OF_RANGE);
    }

    double band = points->deadband[id];
    int integrated = gw_is_integrated(points, id);
    int same = v == last || (v != v && last != last);
    int moved = integrated ? !(points->area[id] < band) : !same && !(fabs(v - last) <= band);
    int news = every || moved || !(band >= 0.0) || then == 0 || ((*quality ^ had) & GW_NEWS) != 0;
    if (news && integrated)
        points->area[id] = 0.0;
    return news;
}

/* Report a sample: into the image, and into the rows. */
static inline void gw_report(gw_points *points, int64_t id, double v, uint16_t quality,
                             int64_t time, gw_rows *rows)
{
    int64_t row = rows->count++;
    rows->point[row] = (int32_t)id;
    rows->value[row] = points->value[id] = v;
    rows->quality[row] = points->quality[id] = quality;
    rows->time[row] = points->time[id] = time;
}

/* Settle a sample of a marked point. */
static void gw_settle_marked(gw_points *points, int64_t id, double v, uint16_t quality,
                             int64_t time, int every, gw_rows *rows)
{
    if (!gw_is_news(points, id, points->said_value[id], points->said_quality[id],
                    points->said_time[id], &v, &quality, every))
        return;
    points->said_value[id] = v;
    points->said_quality[id] = quality;
    points->said_time[id] = time;
    if ((points->mark[id] & GW_HELD) != 0)
        points->withheld[id]++;
    else
        gw_report(points, id, v, quality | points->mark[id], time, rows);
}

/* Settle a scaled sample whose history is done: judge it, and report it where it is news. */
static inline void gw_settle(gw_points *points, int64_t id, double v, uint16_t quality,
                             int64_t time, int every, gw_rows *rows)
{
    if (gw_mark(points, id) != 0)
        gw_settle_marked(points, id, v, quality, time, every, rows);
    else if (gw_is_news(points, id, points->value[id], points->quality[id], points->time[id], &v,
                        &quality, every))
        gw_report(points, id, v, quality, time, rows);
}

#endif
