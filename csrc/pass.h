/*
 * One pass over a raw block: decode, filter, judge, run by run.
 *
 * A header, because every level compiles it again with its own instruction set: the includer
 * defines GW_PASS, the name of the function.
 */
#include "decode.h"
#include "filter.h"
#include "judge.h"
#include "level.h"

/* Doubles in the machine's own order need no decoding: they are judged where they lie. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define GW_NATIVE GW_ABCD
#else
#define GW_NATIVE GW_DCBA
#endif

/*
 * The optional pass, for runs with rate limits or integrated deadbands.
 * Fills the quality of each sample, and the band for the filter: where the deadband is an area,
 * any distance is quiet until the area is reached, and none from then on.
 */
static void gw_history_pass(gw_points *points, int64_t id, const uint8_t *raw, int64_t time,
                            int n, gw_chunk *chunk)
{
    for (int i = 0; i < n; i++, id++) {
        double v = gw_raw(raw, i) * points->scale[id] + points->offset[id];
        chunk->quality[i] = gw_history(points, id, v, chunk->quality[i], time);
        double band = points->deadband[id];
        if (gw_is_integrated(points, id))
            band = points->area[id] < band ? (double)INFINITY : -1.0;
        chunk->band[i] = band;
    }
}

/* Judge what the filter finds among n samples of neighbouring points. */
GW_INLINE void gw_select(gw_points *points, int64_t id, const uint8_t *raw, const double *band,
                         const uint16_t *qualities, uint16_t quality, int64_t time, int n,
                         gw_rows *rows)
{
    int claims_marks = (quality & GW_MARKS) != 0;
    for (int start = 0; start < n; start += GW_GROUP) {
        const uint8_t *group = raw + 8 * (size_t)start;
        const uint16_t *own = qualities ? qualities + start : NULL;
        int64_t first = id + start;
        uint64_t mask;
        if (claims_marks)
            mask = UINT64_MAX >> (n - start >= GW_GROUP ? 0 : GW_GROUP - (n - start));
        else if (n - start >= GW_GROUP)
            mask = gw_filter(points, first, group, band + start, own, quality, GW_GROUP);
        else
            mask = gw_filter(points, first, group, band + start, own, quality, n - start);
        if (mask == UINT64_MAX && !own && gw_all_move(points, first, group, band + start)) {
            gw_report_all(points, first, group, quality, time, rows);
            continue;
        }
        for (; mask != 0; mask &= mask - 1) {
            int i = __builtin_ctzll(mask);
            double v = gw_raw(group, i) * points->scale[first + i] + points->offset[first + i];
            gw_settle(points, first + i, v, own ? own[i] : quality, time, 0, rows);
        }
    }
}

/* Points that stand alone meet the rules one by one. */
static void gw_judge_listed(gw_points *points, const int32_t *ids, int64_t time, int n,
                            const gw_chunk *chunk, gw_rows *rows)
{
    for (int i = 0; i < n; i++) {
        double v = chunk->raw[i] * points->scale[ids[i]] + points->offset[ids[i]];
        uint16_t quality = gw_history(points, ids[i], v, chunk->quality[i], time);
        gw_settle(points, ids[i], v, quality, time, 0, rows);
    }
}

int64_t GW_PASS(gw_points *points, const gw_plan *plan, const uint8_t *data, int64_t time,
                uint16_t quality, gw_rows *rows)
{
    gw_chunk chunk;
    /* Copies whose address stays here: storing a sample cannot change a column's pointer. */
    gw_points table = *points;
    gw_rows out = *rows;
    uint16_t inexact = gw_questionable(quality, GW_INACCURATE);
    for (int64_t r = 0; r < plan->run_count; r++) {
        const gw_run *run = &plan->runs[r];
        int listed = run->list >= 0;
        int own = listed || run->history || run->type == GW_INT64 || run->type == GW_UINT64;
        int decoded = run->type == GW_FLOAT64 && run->order == GW_NATIVE && run->stride == 8;
        for (int64_t start = 0; start < run->count; start += GW_CHUNK) {
            int64_t left = run->count - start, id = run->first + start;
            int n = left < GW_CHUNK ? (int)left : GW_CHUNK;
            const uint8_t *raw = (const uint8_t *)chunk.raw;
            const double *band = table.deadband + id;
            for (int i = 0; own && i < n; i++)
                chunk.quality[i] = quality;
            if (decoded && !listed)
                raw = data + run->offset + 8 * start;
            else
                gw_decode(plan, run, data, start, n, inexact, &chunk);
            if (listed) {
                gw_judge_listed(&table, plan->points + run->list + start, time, n, &chunk, &out);
                continue;
            }
            if (run->history) {
                gw_history_pass(&table, id, raw, time, n, &chunk);
                band = chunk.band;
            }
            if (own)
                gw_select(&table, id, raw, band, chunk.quality, quality, time, n, &out);
            else
                gw_select(&table, id, raw, band, NULL, quality, time, n, &out);
        }
    }
    int64_t appended = out.count - rows->count;
    rows->count = out.count;
    return appended;
}
