/*
 * The pass over a block against the rules one by one: whatever the filter leaves out,
 * gw_points_judge() would not have reported either.
 * Both doors get the same random samples, full of edges, and the same marks.
 */
#include "check.h"

enum { N = 700, ROUNDS = 300 };

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % below);
}

static double edge(void)
{
    static const double edges[] = {0.0,  -0.0,   1.0,     1.5,     2.0,  -1.0, 3.0,
                                   1e300, -1e300, 1.7e308, 5e-324, 100.0};
    switch (draw(40)) {
    case 0:
        return (double)NAN;
    case 1:
        return draw(2) ? (double)INFINITY : -(double)INFINITY;
    default:
        return edges[draw(sizeof edges / sizeof *edges)];
    }
}

static void set_up(fixture *f, int history)
{
    for (int i = 0; i < N; i++) {
        f->scale[i] = draw(4) ? 1.0 : edge();
        f->offset[i] = draw(4) ? 0.0 : edge();
        f->low[i] = draw(3) ? -(double)INFINITY : edge();
        f->high[i] = draw(3) ? (double)INFINITY : edge();
        f->deadband[i] = draw(2) ? 0.0 : edge();
        f->rate[i] = history && draw(2) ? fabs(edge()) : (double)INFINITY;
        f->kind[i] = history && draw(2) ? GW_INTEGRATED : GW_ABSOLUTE;
    }
}

static void compare(const fixture *a, const fixture *b)
{
    CHECK(a->rows.count == b->rows.count);
    size_t rows = (size_t)a->rows.count;
    CHECK(memcmp(a->rows.point, b->rows.point, rows * sizeof(int32_t)) == 0);
    CHECK(memcmp(a->rows.value, b->rows.value, rows * sizeof(double)) == 0);
    CHECK(memcmp(a->rows.quality, b->rows.quality, rows * sizeof(uint16_t)) == 0);
    CHECK(memcmp(a->rows.time, b->rows.time, rows * sizeof(int64_t)) == 0);
    for (int i = 0; i < N; i++) {
        CHECK(same(a->points.value[i], b->points.value[i]));
        CHECK(a->points.quality[i] == b->points.quality[i]);
        CHECK(a->points.time[i] == b->points.time[i]);
        CHECK(same(a->points.previous[i], b->points.previous[i]));
        CHECK(a->points.previous_time[i] == b->points.previous_time[i]);
        CHECK(same(a->points.area[i], b->points.area[i]));
        CHECK(same(a->points.said_value[i], b->points.said_value[i]));
        CHECK(a->points.said_quality[i] == b->points.said_quality[i]);
        CHECK(a->points.said_time[i] == b->points.said_time[i]);
        CHECK(a->points.withheld[i] == b->points.withheld[i]);
    }
}

/* Big-endian or little-endian, by arithmetic: the machine's own order plays no part. */
static void write_f64(uint8_t *bytes, double value, int order)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int k = 0; k < 8; k++)
        bytes[k] = (uint8_t)(bits >> 8 * (order == GW_ABCD ? 7 - k : k));
}

static void both_doors_agree(int history, int order)
{
    static const unsigned qualities[] = {0, 0,       0,             GW_INVALID, GW_QUESTIONABLE,
                                         2, GW_TEST, GW_SUBSTITUTED, GW_DEVICE_TIME};
    static const unsigned marks[] = {0,       0, GW_TEST, GW_SUBSTITUTED, GW_OPERATOR_BLOCKED,
                                     GW_MARKS};
    state = 20240229;
    fixture block = make(N, N), columns = make(N, N);
    set_up(&block, history);
    state = 20240229;
    set_up(&columns, history);
    double raw[N];
    uint8_t *bytes = column(8 * N, 1);
    int32_t ids[N];
    uint16_t quality[N];
    int64_t time[N], now = 1000000000;
    gw_run run = {GW_FLOAT64, order, history, -1, N, 0, 0, 8};
    gw_plan plan = {&block.points, 1, 0, &run, NULL, NULL};
    for (int i = 0; i < N; i++)
        raw[i] = 0.0;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t some = 1 + draw(40), all = !draw(8);
        unsigned flags = qualities[draw(9)];
        double step = (double)draw(9);
        now += (int64_t)draw(4) * 500000000 - 1; /* sometimes it goes back */
        for (int i = 0; i < N; i++) {
            raw[i] = all ? step + 0.25 * i : draw(some) ? raw[i] : edge();
            ids[i] = i;
            quality[i] = (uint16_t)flags;
            time[i] = now;
            write_f64(bytes + 8 * i, raw[i], order);
        }
        for (uint32_t i = draw(4 * N); i < N; i += 1 + draw(N)) {
            unsigned mark = marks[draw(6)];
            double shown = edge();
            put_mark(&block, i, mark, shown);
            put_mark(&columns, i, mark, shown);
        }
        block.rows.count = columns.rows.count = 0;
        CHECK(gw_points_decode(&block.points, &plan, bytes, 8 * N, time[0], quality[0],
                               &block.rows) == block.rows.count);
        CHECK(gw_points_judge(&columns.points, N, ids, raw, quality, time, 0, &columns.rows) ==
              columns.rows.count);
        compare(&block, &columns);
    }
    free(bytes);
    drop(&block);
    drop(&columns);
}

/* Groups whose samples all move are reported as one, except for what is marked. */
static void marks_are_seen_where_all_move(void)
{
    enum { COUNT = 192, TESTED = 5, HELD = 70 };
    fixture f = make(COUNT, COUNT);
    uint8_t *bytes = column(8 * COUNT, 1);
    gw_run run = {GW_FLOAT64, GW_ABCD, 0, -1, COUNT, 0, 0, 8};
    gw_plan plan = {&f.points, 1, 0, &run, NULL, NULL};
    for (int round = 1; round < 3; round++) {
        for (int i = 0; i < COUNT; i++)
            write_f64(bytes + 8 * i, i + round, GW_ABCD);
        f.rows.count = 0;
        CHECK(gw_points_decode(&f.points, &plan, bytes, 8 * COUNT, round, 0, &f.rows) ==
              (round == 1 ? COUNT : COUNT - 1));
        put_mark(&f, TESTED, GW_TEST, 0.0);
        put_mark(&f, HELD, GW_OPERATOR_BLOCKED, -1.0);
    }
    for (int row = 0; row < COUNT - 1; row++) {
        int id = row + (row >= HELD);
        CHECK(f.rows.point[row] == id && f.rows.value[row] == id + 2);
        CHECK(f.rows.quality[row] == (id == TESTED ? GW_TEST : GW_GOOD));
    }
    CHECK(f.points.value[HELD] == -1.0 && f.points.said_value[HELD] == HELD + 2);
    CHECK(f.points.withheld[HELD] == 1);
    free(bytes);
    drop(&f);
}

static void all(void)
{
    marks_are_seen_where_all_move();
    for (int history = 0; history < 2; history++) {
        both_doors_agree(history, GW_ABCD);
        both_doors_agree(history, GW_DCBA);
    }
}

int main(void)
{
    on_every_level(all);
    return 0;
}
