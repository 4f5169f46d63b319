/* The two doors into the points table: a raw block, and columns. */
#include "judge.h"
#include "level.h"

/* Bytes of a field, by type; a bit stands in one. */
static const int64_t width[GW_TYPES] = {
    [GW_BIT] = 1,    [GW_INT8] = 1,  [GW_UINT8] = 1,   [GW_INT16] = 2, [GW_UINT16] = 2,
    [GW_BCD16] = 2,  [GW_INT32] = 4, [GW_UINT32] = 4,  [GW_FLOAT32] = 4, [GW_BCD32] = 4,
    [GW_INT64] = 8,  [GW_UINT64] = 8, [GW_FLOAT64] = 8,
};

/* Is position, of a field of this type, inside the block?  Positions of bits count bits. */
static int check_position(int type, int64_t position, int64_t length)
{
    if (position < 0)
        return GW_BAD_PLAN;
    int64_t byte = type == GW_BIT ? position / 8 : position;
    return byte <= length - width[type] ? GW_OK : GW_SHORT_BLOCK;
}

/* Positions of a constant stride lie between the first and the last. */
static int check_stride(const gw_points *points, const gw_run *run, int64_t length)
{
    if (run->first < 0 || run->first > points->n - run->count)
        return GW_NO_POINT;
    int64_t last;
    if (__builtin_mul_overflow(run->count - 1, run->stride, &last) ||
        __builtin_add_overflow(last, run->offset, &last))
        return GW_BAD_PLAN;
    int code = check_position(run->type, run->offset, length);
    return code != GW_OK ? code : check_position(run->type, last, length);
}

static int check_list(const gw_points *points, const gw_plan *plan, const gw_run *run,
                      int64_t length)
{
    if (run->list > plan->list_count - run->count)
        return GW_BAD_PLAN;
    const int32_t *ids = plan->points + run->list;
    const int64_t *offsets = plan->offsets + run->list;
    int64_t low = offsets[0], high = offsets[0];
    for (int64_t i = 0; i < run->count; i++) {
        if (ids[i] < 0 || ids[i] >= points->n)
            return GW_NO_POINT;
        low = offsets[i] < low ? offsets[i] : low;
        high = offsets[i] > high ? offsets[i] : high;
    }
    int code = check_position(run->type, low, length);
    return code != GW_OK ? code : check_position(run->type, high, length);
}

/* Do all fields of a run lie in the table and in the block? */
static int check_run(const gw_points *points, const gw_plan *plan, const gw_run *run,
                     int64_t length)
{
    if (run->type < 0 || run->type >= GW_TYPES || run->order < 0 || run->order >= GW_ORDERS ||
        run->count < 1)
        return GW_BAD_PLAN;
    return run->list < 0 ? check_stride(points, run, length)
                         : check_list(points, plan, run, length);
}

int64_t gw_points_decode(gw_points *points, const gw_plan *plan, const uint8_t *data,
                         int64_t length, int64_t time, uint16_t quality, gw_rows *rows)
{
    if (plan->table != points)
        return GW_BAD_PLAN;
    int64_t fields = 0;
    for (int64_t r = 0; r < plan->run_count; r++) {
        int code = check_run(points, plan, &plan->runs[r], length);
        if (code != GW_OK)
            return code;
        fields += plan->runs[r].count;
    }
    if (fields > rows->capacity - rows->count)
        return GW_ROWS_FULL;
    return gw_pass_now()(points, plan, data, time, quality, rows);
}

int64_t gw_points_judge(gw_points *points, int64_t n, const int32_t *point, const double *value,
                        const uint16_t *quality, const int64_t *time, int every, gw_rows *rows)
{
    if (n > rows->capacity - rows->count)
        return GW_ROWS_FULL;
    for (int64_t i = 0; i < n; i++)
        if (point[i] < 0 || point[i] >= points->n)
            return GW_NO_POINT;
    int64_t before = rows->count;
    for (int64_t i = 0; i < n; i++) {
        int64_t id = point[i];
        double v = value[i] * points->scale[id] + points->offset[id];
        gw_settle(points, id, v, gw_history(points, id, v, quality[i], time[i]), time[i], every,
                  rows);
    }
    return rows->count - before;
}
