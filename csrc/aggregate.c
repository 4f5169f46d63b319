/*
 * Longer spans out of windows of 10 or 12 cycles: IEC 61000-4-30 clause 4.5.
 *
 * Magnitudes are aggregated as the root of the mean of their squares, powers and frequency as
 * their mean, factors from what they are ratios of.  With each 10 minutes of UTC a 10-minute span
 * and a 3-second span begin; a 3-second span that is under way then takes windows until it is
 * complete, so that two of them overlap.  2 hours are made of twelve 10-minute spans.
 */
#include <math.h>
#include <string.h>

#include "meter.h"

enum { WINDOWS = 15, PARTS = 12 }; /* in 3 seconds, in 2 hours */

static int is_squared(int kind)
{
    return kind <= GW_UNBALANCE || kind >= GW_THD;
}

static void clear(const gw_meter *meter, gw_sum *sum, int64_t interval)
{
    memset(sum->sum, 0, (size_t)meter->values * sizeof *sum->sum);
    memset(sum->n, 0, (size_t)meter->values * sizeof *sum->n);
    sum->windows = 0;
    sum->interval = interval;
    sum->quality = GW_GOOD;
    sum->flagged = 0;
}

/* Add values; those of an invalid span are missing. */
static void add(const gw_meter *meter, gw_sum *sum, const double *value, uint16_t quality)
{
    sum->windows++;
    if ((quality & GW_VALIDITY) == GW_INVALID) {
        sum->quality = gw_partly(sum->quality);
        return;
    }
    sum->quality = gw_worse(sum->quality, quality);
    sum->flagged |= value[meter->base[GW_FLAG]] > 0.0;
    for (int kind = 0; kind < GW_ENERGY; kind++) {
        int64_t end = meter->base[kind + 1];
        for (int64_t v = meter->base[kind]; v < end; v++) {
            if (value[v] != value[v])
                continue;
            sum->sum[v] += is_squared(kind) ? value[v] * value[v] : value[v];
            sum->n[v]++;
        }
    }
}

/* The values of the span, left in the place of its sums, and their quality. */
static uint16_t finish(const gw_meter *meter, gw_sum *sum)
{
    for (int kind = 0; kind < GW_ENERGY; kind++) {
        int64_t end = meter->base[kind + 1];
        for (int64_t v = meter->base[kind]; v < end; v++) {
            double mean = sum->sum[v] / sum->n[v]; /* 0/0 where there was none */
            sum->sum[v] = is_squared(kind) ? sqrt(mean) : mean;
        }
    }
    gw_factors(meter, sum->sum);
    sum->sum[meter->base[GW_FLAG]] = sum->flagged;
    return sum->n[meter->base[GW_RMS]] > 0 ? sum->quality : gw_void(sum->quality);
}

static uint16_t give(gw_meter *meter, int span, gw_sum *sum, int64_t time)
{
    uint16_t quality = finish(meter, sum);
    gw_give_values(meter, span, sum->sum, quality, quality, time);
    return quality;
}

static void end_2_hours(gw_meter *meter)
{
    gw_sum *sum = &meter->sum[GW_2_HOURS];
    if (sum->windows < PARTS)
        sum->quality = gw_partly(sum->quality);
    give(meter, GW_2_HOURS, sum, (sum->interval + 1) * 7200 * 1000000000);
    sum->windows = 0;
}

static void end_10_minutes(gw_meter *meter)
{
    gw_sum *sum = &meter->sum[GW_10_MINUTES], *hours = &meter->sum[GW_2_HOURS];
    uint16_t quality = give(meter, GW_10_MINUTES, sum, (sum->interval + 1) * 600 * 1000000000);
    int64_t interval = sum->interval / PARTS;
    if (hours->windows > 0 && hours->interval != interval)
        end_2_hours(meter);
    if (hours->windows == 0)
        clear(meter, hours, interval);
    add(meter, hours, sum->sum, quality);
    if (sum->interval % PARTS == PARTS - 1)
        end_2_hours(meter);
    sum->windows = 0;
}

static void add_3_seconds(gw_meter *meter, gw_sum *sum, uint16_t quality, int64_t end)
{
    add(meter, sum, meter->value, quality);
    if (sum->windows == WINDOWS) {
        give(meter, GW_3_SECONDS, sum, end);
        sum->windows = 0;
    }
}

void gw_aggregate(gw_meter *meter, const gw_window *window, int64_t end)
{
    gw_sum *minutes = &meter->sum[GW_10_MINUTES];
    gw_sum *seconds = &meter->sum[GW_3_SECONDS], *older = &meter->sum[GW_CYCLES];
    if (minutes->windows > 0 && minutes->interval != window->interval) {
        end_10_minutes(meter);
        gw_sum none = *older;
        *older = *seconds;
        *seconds = none;
    }
    if (minutes->windows == 0) {
        clear(meter, minutes, window->interval);
        minutes->quality = window->whole ? (uint16_t)GW_GOOD : gw_partly(GW_GOOD);
    }
    if (seconds->windows == 0)
        clear(meter, seconds, window->interval);
    add(meter, minutes, meter->value, window->quality);
    if (older->windows > 0)
        add_3_seconds(meter, older, window->quality, end);
    add_3_seconds(meter, seconds, window->quality, end);
}

void gw_aggregate_break(gw_meter *meter, int64_t time)
{
    meter->sum[GW_CYCLES].windows = meter->sum[GW_3_SECONDS].windows = 0;
    meter->sum[GW_10_MINUTES].quality = gw_partly(meter->sum[GW_10_MINUTES].quality);
    gw_give_values(meter, GW_CYCLES, NULL, GW_INVALID, GW_INVALID, time);
    gw_give_values(meter, GW_3_SECONDS, NULL, GW_INVALID, GW_INVALID, time);
}
