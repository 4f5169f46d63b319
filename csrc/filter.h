/*
 * The filter: which samples of a group have to be judged.
 *
 * Most samples of a poll are quiet: finite, in range, within their deadband, of the quality they
 * had.  Finding the others takes no branches; only they meet the rules of judge.h.
 * The filter may let a quiet sample through (the rules then say so) but never holds back one
 * that is to be reported.
 * The image of a marked point has a quality that no sample has: all of its samples get through,
 * unless the block itself comes with a quality of GW_MARKS; whoever calls has to look.
 *
 * A header, because every level compiles it again with its own instruction set.
 */
#ifndef GW_FILTER_H
#define GW_FILTER_H

#include "judge.h"
#include "words.h"

/* Samples per group: one bit each in a 64-bit mask. */
#define GW_GROUP 64

/* Bit i: a load from here costs less than a shift by i, which SSE2 does not even have. */
#define GW_BITS(i) 1ull << (i), 2ull << (i), 4ull << (i), 8ull << (i)
static const uint64_t gw_bit[GW_GROUP] = {
    GW_BITS(0),  GW_BITS(4),  GW_BITS(8),  GW_BITS(12), GW_BITS(16), GW_BITS(20),
    GW_BITS(24), GW_BITS(28), GW_BITS(32), GW_BITS(36), GW_BITS(40), GW_BITS(44),
    GW_BITS(48), GW_BITS(52), GW_BITS(56), GW_BITS(60),
};

/* Number i of an array of native doubles that may stand anywhere, as in a received block. */
GW_INLINE double gw_raw(const uint8_t *raw, int i)
{
    double x;
    memcpy(&x, raw + 8 * (size_t)i, sizeof x);
    return x;
}

/*
 * Bit i is set where sample i, of point id+i, has to be judged; n <= GW_GROUP.
 * band[i] is the point's absolute deadband; each sample has its own of qualities, or all have
 * quality where that is NULL.
 */
GW_INLINE uint64_t gw_filter(const gw_points *points, int64_t id, const uint8_t *raw,
                             const double *band, const uint16_t *qualities, uint16_t quality,
                             int n)
{
    const double *scale = points->scale + id, *offset = points->offset + id;
    const double *low = points->low + id, *high = points->high + id, *last = points->value + id;
    const int64_t *time = points->time + id;
    const uint16_t *had = points->quality + id;
    uint64_t mask = 0;
    for (int i = 0; i < n; i++) {
        double v = gw_raw(raw, i) * scale[i] + offset[i];
        /* Beyond the largest number no distance is quiet: so an infinite v needs no own test.
           Written this way round, a band of NaN stays one, and is no quiet either. */
        double most = DBL_MAX < band[i] ? DBL_MAX : band[i];
        int quiet = (fabs(v - last[i]) <= most) & (low[i] <= v) & (v <= high[i]) & (time[i] != 0);
        mask |= quiet ? 0 : gw_bit[i];
    }
    /* Qualities are a quarter as wide, and rarely change: whole vectors of them are compared
       first, and looked at one by one only where there is any news. */
    unsigned news = 0;
    for (int i = 0; i < n; i++)
        news |= (uint16_t)((qualities ? qualities[i] : quality) ^ had[i]);
    if (news & GW_NEWS)
        for (int i = 0; i < n; i++)
            if (((qualities ? qualities[i] : quality) ^ had[i]) & GW_NEWS)
                mask |= gw_bit[i];
    return mask;
}

/*
 * Does every sample of a full group move out of an absolute deadband, finite and in range, and is
 * no point of it marked?  Then all are reported with the quality they came with, and gw_report_all() does it in vectors.
 */
GW_INLINE int gw_all_move(const gw_points *points, int64_t id, const uint8_t *raw,
                          const double *band)
{
    const double *scale = points->scale + id, *offset = points->offset + id;
    const double *low = points->low + id, *high = points->high + id, *last = points->value + id;
    const uint16_t *had = points->quality + id;
    uint64_t stay = 0;
    unsigned marks = 0;
    for (int i = 0; i < GW_GROUP; i++)
        marks |= had[i] & GW_MARKS;
    for (int i = 0; i < GW_GROUP; i++) {
        double v = gw_raw(raw, i) * scale[i] + offset[i];
        int moves = !(fabs(v - last[i]) <= band[i]) & (fabs(v) <= DBL_MAX) & (low[i] <= v) &
                    (v <= high[i]);
        stay |= moves ? 0 : gw_bit[i];
    }
    return stay == 0 && marks == 0;
}

GW_INLINE void gw_report_all(gw_points *points, int64_t id, const uint8_t *raw, uint16_t quality,
                             int64_t time, gw_rows *rows)
{
    const double *scale = points->scale + id, *offset = points->offset + id;
    double *image = points->value + id, *value = rows->value + rows->count;
    for (int i = 0; i < GW_GROUP; i++)
        value[i] = gw_raw(raw, i) * scale[i] + offset[i];
    memcpy(image, value, GW_GROUP * sizeof *image);
    for (int i = 0; i < GW_GROUP; i++) {
        rows->point[rows->count + i] = (int32_t)(id + i);
        rows->quality[rows->count + i] = quality;
        rows->time[rows->count + i] = time;
        points->quality[id + i] = quality;
        points->time[id + i] = time;
    }
    rows->count += GW_GROUP;
}

#endif
