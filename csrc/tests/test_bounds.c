/* What is refused, and that a refused call changes nothing. */
#include "check.h"

enum { N = 4 };

static fixture f;
static const uint8_t block[16] = {0};
static const int32_t ids[2] = {1, 2};
static const int64_t at[2] = {0, 8};

static int64_t decode(gw_run run, int64_t length, int64_t capacity)
{
    const gw_plan plan = {&f.points, 1, 2, &run, ids, at};
    f.rows.capacity = capacity;
    f.rows.count = 0;
    int64_t code = gw_points_decode(&f.points, &plan, block, length, 9, 0, &f.rows);
    if (code < 0) {
        CHECK(f.rows.count == 0);
        for (int i = 0; i < N; i++)
            CHECK(f.points.time[i] == 0 && f.points.value[i] != f.points.value[i]);
    }
    return code;
}

static void runs_are_checked(void)
{
    gw_run good = {GW_INT16, 0, 0, -1, N, 0, 0, 2};
    gw_run run = good;
    run.type = -1;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run.type = GW_TYPES;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run = good;
    run.order = -1;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run.order = GW_ORDERS;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run = good;
    run.count = 0;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run.count = INT64_MAX;
    CHECK(decode(run, 16, N) == GW_NO_POINT);
    run = good;
    run.first = 1;
    CHECK(decode(run, 16, N) == GW_NO_POINT);
    run.first = -1;
    CHECK(decode(run, 16, N) == GW_NO_POINT);
    run = good;
    run.stride = INT64_MAX;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run.stride = INT64_MAX / (N - 1);
    run.offset = INT64_MAX;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run = good;
    run.offset = -1;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run = good;
    run.stride = -2;
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    CHECK(decode(good, 7, N) == GW_SHORT_BLOCK);
    CHECK(decode(good, 0, N) == GW_SHORT_BLOCK);
    CHECK(decode(good, -1, N) == GW_SHORT_BLOCK);
    CHECK(decode(good, 8, N - 1) == GW_ROWS_FULL);
    gw_run bits = {GW_BIT, 0, 0, -1, N, 0, 5, 1};
    CHECK(decode(bits, 1, N) == GW_SHORT_BLOCK);
}

static void lists_are_checked(void)
{
    gw_run run = {GW_INT64, 0, 0, 0, 3, 0, 0, 0};
    CHECK(decode(run, 16, N) == GW_BAD_PLAN);
    run.count = 2;
    CHECK(decode(run, 15, N) == GW_SHORT_BLOCK);
    CHECK(decode(run, 7, N) == GW_SHORT_BLOCK);
    f.points.n = 2;
    CHECK(decode(run, 16, N) == GW_NO_POINT);
    f.points.n = N;
    const int32_t below[2] = {-1, 0};
    const int64_t before[2] = {0, -1};
    gw_plan plan = {&f.points, 1, 2, &run, below, at};
    CHECK(gw_points_decode(&f.points, &plan, block, 16, 9, 0, &f.rows) == GW_NO_POINT);
    plan.points = ids;
    plan.offsets = before;
    CHECK(gw_points_decode(&f.points, &plan, block, 16, 9, 0, &f.rows) == GW_BAD_PLAN);
}

static void plans_belong_to_a_table(void)
{
    fixture other = make(N, N);
    gw_run run = {GW_INT16, 0, 0, -1, N, 0, 0, 2};
    const gw_plan plan = {&other.points, 1, 0, &run, NULL, NULL};
    CHECK(gw_points_decode(&f.points, &plan, block, 16, 9, 0, &f.rows) == GW_BAD_PLAN);
    drop(&other);
}

static void columns_are_checked(void)
{
    const int32_t wrong[2][2] = {{0, N}, {0, -1}};
    const double value[2] = {1.0, 2.0};
    const uint16_t quality[2] = {0, 0};
    const int64_t time[2] = {1, 1};
    for (int i = 0; i < 2; i++)
        CHECK(gw_points_judge(&f.points, 2, wrong[i], value, quality, time, 1, &f.rows) ==
              GW_NO_POINT);
    f.rows.capacity = 1;
    CHECK(gw_points_judge(&f.points, 2, ids, value, quality, time, 1, &f.rows) == GW_ROWS_FULL);
    CHECK(f.points.time[0] == 0 && f.points.time[1] == 0 && f.rows.count == 0);
}

static void what_fits_exactly_is_accepted(void)
{
    gw_run run = {GW_INT16, 0, 0, -1, N, 0, 6, -2}; /* backwards through the block */
    CHECK(decode(run, 8, N) == N);
    gw_run bits = {GW_BIT, 0, 0, -1, N, 0, 4, 1};
    CHECK(decode(bits, 1, N) == 0); /* all were zero before */
}

static void every_code_has_a_sentence(void)
{
    for (int code = GW_BAD_CHECK; code < GW_OK; code++) {
        CHECK(strlen(gw_strerror(code)) > 20);
        for (int other = GW_BAD_CHECK; other < code; other++)
            CHECK(strcmp(gw_strerror(code), gw_strerror(other)) != 0);
    }
    CHECK(strcmp(gw_strerror(GW_OK), "no error") == 0);
    CHECK(strcmp(gw_strerror(12), "no error") == 0);
    CHECK(strcmp(gw_strerror(-99), "unknown error") == 0);
}

int main(void)
{
    f = make(N, N);
    runs_are_checked();
    lists_are_checked();
    plans_belong_to_a_table();
    columns_are_checked();
    what_fits_exactly_is_accepted();
    every_code_has_a_sentence();
    drop(&f);
    return 0;
}
