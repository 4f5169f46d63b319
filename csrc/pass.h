/*
 * One pass over a raw block: decode, judge, select.
 *
 * Most samples of a poll are quiet: valid, in range, within their deadband, of the quality they
 * had.  A filter without branches finds the others, and only those meet the rules of judge.h.
 * The filter may let a quiet sample through (the rules then say so) but may never hold back
 * one that is to be reported.
 *
 * A header, because every level compiles it again with its own instruction set: the includer
 * defines GW_PASS, the name of the function.
 */
#include "decode.h"
#include "judge.h"
#include "pass_table.h"

/* quiet[i] = 0 where sample i has to be judged.  All columns start at the first point. */
GW_INLINE void gw_filter(const uint8_t *restrict raw, const double *restrict scale,
                         const double *restrict offset, const double *restrict low,
                         const double *restrict high, const double *restrict band,
                         const double *restrict last, const uint16_t *restrict had,
                         const int64_t *restrict time, const uint16_t *restrict qualities,
                         uint16_t quality, int n, uint8_t *restrict quiet)
{
    for (int i = 0; i < n; i++) {
        double x;
        memcpy(&x, raw + 8 * i, sizeof x);
        double v = x * scale[i] + offset[i];
        uint16_t q = qualities ? qualities[i] : quality;
        quiet[i] = (fabs(v - last[i]) <= band[i]) & (low[i] <= v) & (v <= high[i]) &
                   (fabs(v) <= DBL_MAX) & (time[i] != 0) & (((q ^ had[i]) & GW_NEWS) == 0);
    }
}

/* The indices of the samples that are not quiet; returns how many. */
static int gw_compact(const uint8_t *restrict quiet, int n, uint16_t *restrict index)
{
    int found = 0;
    for (int i = 0; i < n; i++) {
        index[found] = (uint16_t)i;
        found += !quiet[i];
    }
    return found;
}

/* A sample whose point stands alone: the rules, one after the other. */
static void gw_single(gw_points *points, int64_t id, double raw, uint16_t quality, int64_t time,
                      gw_rows *rows)
{
    double v = raw * points->scale[id] + points->offset[id];
    gw_settle(points, id, v, gw_history(points, id, v, quality, time), time, 0, rows);
}

int64_t GW_PASS(gw_points *points, const gw_plan *plan, const uint8_t *data, int64_t time,
                uint16_t quality, gw_rows *rows)
{
    gw_chunk chunk;
    int64_t before = rows->count;
    uint16_t inexact = gw_questionable(quality, GW_INACCURATE);
    for (int64_t r = 0; r < plan->run_count; r++) {
        const gw_run *run = &plan->runs[r];
        int whole64 = run->type == GW_INT64 || run->type == GW_UINT64;
        int own = run->history || whole64; /* samples have a quality of their own */
        for (int64_t start = 0; start < run->count; start += GW_CHUNK) {
            int64_t left = run->count - start;
            int n = left < GW_CHUNK ? (int)left : GW_CHUNK;
            for (int i = 0; i < n && (own || run->list >= 0); i++)
                chunk.quality[i] = quality;
            gw_decode(plan, run, data, start, n, inexact, &chunk);
            if (run->list >= 0) {
                const int32_t *ids = plan->points + run->list + start;
                for (int i = 0; i < n; i++)
                    gw_single(points, ids[i], chunk.raw[i], chunk.quality[i], time, rows);
                continue;
            }
            int64_t id = run->first + start;
            if (run->history) {
                for (int i = 0; i < n; i++)
                    gw_single(points, id + i, chunk.raw[i], chunk.quality[i], time, rows);
                continue;
            }
            const uint8_t *raw = (const uint8_t *)chunk.raw;
            if (own)
                gw_filter(raw, points->scale + id, points->offset + id, points->low + id,
                          points->high + id, points->deadband + id, points->value + id,
                          points->quality + id, points->time + id, chunk.quality, quality, n,
                          chunk.quiet);
            else
                gw_filter(raw, points->scale + id, points->offset + id, points->low + id,
                          points->high + id, points->deadband + id, points->value + id,
                          points->quality + id, points->time + id, NULL, quality, n, chunk.quiet);
            int found = gw_compact(chunk.quiet, n, chunk.index);
            for (int k = 0; k < found; k++) {
                int i = chunk.index[k];
                double v = chunk.raw[i] * points->scale[id + i] + points->offset[id + i];
                gw_settle(points, id + i, v, own ? chunk.quality[i] : quality, time, 0, rows);
            }
        }
    }
    return rows->count - before;
}
