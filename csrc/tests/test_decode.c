/* Every type in every order, as one run side by side, as one with gaps, and as a list. */
#include "check.h"

typedef struct {
    int32_t type, order;
    int width;
    uint8_t bytes[8];
    double value;
    unsigned quality;
} example;

#define INEXACT (GW_QUESTIONABLE | GW_INACCURATE)
#define BROKEN (GW_INVALID | GW_FAILURE)

static const example examples[] = {
    {GW_BIT, 0, 1, {0x01}, 1.0, 0},
    {GW_BIT, 0, 1, {0xFE}, 0.0, 0},
    {GW_INT8, 0, 1, {0x80}, -128.0, 0},
    {GW_UINT8, 0, 1, {0x80}, 128.0, 0},
    {GW_INT16, GW_ABCD, 2, {0xFF, 0xFE}, -2.0, 0},
    {GW_INT16, GW_DCBA, 2, {0xFE, 0xFF}, -2.0, 0},
    {GW_INT16, GW_BADC, 2, {0xFE, 0xFF}, -2.0, 0},
    {GW_INT16, GW_CDAB, 2, {0xFF, 0xFE}, -2.0, 0},
    {GW_UINT16, GW_ABCD, 2, {0xFF, 0xFE}, 65534.0, 0},
    {GW_BCD16, GW_ABCD, 2, {0x98, 0x07}, 9807.0, 0},
    {GW_BCD16, GW_ABCD, 2, {0x9A, 0x07}, (double)NAN, BROKEN},
    {GW_INT32, GW_ABCD, 4, {0xFF, 0xFF, 0xFF, 0xFD}, -3.0, 0},
    {GW_UINT32, GW_ABCD, 4, {1, 2, 3, 4}, 16909060.0, 0},
    {GW_UINT32, GW_DCBA, 4, {4, 3, 2, 1}, 16909060.0, 0},
    {GW_UINT32, GW_BADC, 4, {2, 1, 4, 3}, 16909060.0, 0},
    {GW_UINT32, GW_CDAB, 4, {3, 4, 1, 2}, 16909060.0, 0},
    {GW_UINT32, GW_ABCD, 4, {0xFF, 0xFF, 0xFF, 0xFF}, 4294967295.0, 0},
    {GW_FLOAT32, GW_ABCD, 4, {0x40, 0x60, 0, 0}, 3.5, 0},
    {GW_FLOAT32, GW_CDAB, 4, {0, 0, 0xC0, 0x60}, -3.5, 0},
    {GW_FLOAT32, GW_ABCD, 4, {0x7F, 0xC0, 0, 0}, (double)NAN, BROKEN},
    {GW_FLOAT32, GW_ABCD, 4, {0x7F, 0x80, 0, 0}, (double)INFINITY, GW_INVALID | GW_OVERFLOW},
    {GW_BCD32, GW_ABCD, 4, {0x12, 0x34, 0x56, 0x78}, 12345678.0, 0},
    {GW_BCD32, GW_ABCD, 4, {0x12, 0x34, 0x56, 0xF8}, (double)NAN, BROKEN},
    {GW_INT64, GW_ABCD, 8, {255, 255, 255, 255, 255, 255, 255, 0}, -256.0, 0},
    {GW_UINT64, GW_ABCD, 8, {0, 1, 2, 3, 4, 5, 6, 7}, 283686952306183.0, 0},
    {GW_UINT64, GW_DCBA, 8, {7, 6, 5, 4, 3, 2, 1, 0}, 283686952306183.0, 0},
    {GW_UINT64, GW_BADC, 8, {1, 0, 3, 2, 5, 4, 7, 6}, 283686952306183.0, 0},
    {GW_UINT64, GW_CDAB, 8, {6, 7, 4, 5, 2, 3, 0, 1}, 283686952306183.0, 0},
    /* 2^53 is exact, the next whole number is not a double any more */
    {GW_UINT64, GW_ABCD, 8, {0, 0x20, 0, 0, 0, 0, 0, 0}, 0x1p53, 0},
    {GW_UINT64, GW_ABCD, 8, {0, 0x20, 0, 0, 0, 0, 0, 1}, 0x1p53, INEXACT},
    {GW_UINT64, GW_ABCD, 8, {255, 255, 255, 255, 255, 255, 255, 255}, 0x1p64, INEXACT},
    {GW_INT64, GW_ABCD, 8, {0, 0x20, 0, 0, 0, 0, 0, 1}, 0x1p53, INEXACT},
    {GW_INT64, GW_ABCD, 8, {255, 0xE0, 0, 0, 0, 0, 0, 0}, -0x1p53, 0},
    {GW_INT64, GW_ABCD, 8, {255, 0xDF, 255, 255, 255, 255, 255, 255}, -0x1p53, INEXACT},
    {GW_INT64, GW_ABCD, 8, {0x80, 0, 0, 0, 0, 0, 0, 0}, -0x1p63, INEXACT},
    {GW_FLOAT64, GW_ABCD, 8, {0x40, 9, 0x21, 0xFB, 0x54, 0x44, 0x2D, 0x18}, 3.141592653589793, 0},
    {GW_FLOAT64, GW_DCBA, 8, {0x18, 0x2D, 0x44, 0x54, 0xFB, 0x21, 9, 0x40}, 3.141592653589793, 0},
};
enum { EXAMPLES = sizeof examples / sizeof *examples, MANY = 600, GAP = 3 };

static void decode_one_way(const example *e, int64_t count, int64_t stride, int list)
{
    fixture f = make(count, count);
    int64_t length = (count - 1) * stride + e->width, unit = e->type == GW_BIT ? 8 : 1;
    uint8_t *block = column(length, 1);
    int32_t *points = column(count, sizeof *points);
    int64_t *offsets = column(count, sizeof *offsets);
    for (int64_t i = 0; i < count; i++) {
        memcpy(block + i * stride, e->bytes, (size_t)e->width);
        points[i] = (int32_t)(count - 1 - i);
        offsets[i] = i * stride * unit;
    }
    gw_run run = {e->type, e->order, 0, list ? 0 : -1, count, 0, 0, stride * unit};
    gw_plan plan = {&f.points, 1, list ? count : 0, &run, points, offsets};
    CHECK(gw_points_decode(&f.points, &plan, block, length, 77, 0x0800, &f.rows) == count);
    for (int64_t i = 0; i < count; i++) {
        int64_t id = list ? count - 1 - i : i;
        CHECK(f.rows.point[i] == id);
        CHECK(same(f.rows.value[i], e->value) && same(f.points.value[id], e->value));
        CHECK(f.rows.quality[i] == (e->quality | 0x0800));
        CHECK(f.rows.time[i] == 77);
    }
    CHECK(gw_points_decode(&f.points, &plan, block, length, 78, 0x0800, &f.rows) ==
          GW_ROWS_FULL);
    f.rows.count = 0;
    CHECK(gw_points_decode(&f.points, &plan, block, length, 78, 0x0800, &f.rows) == 0);
    free(block);
    free(points);
    free(offsets);
    drop(&f);
}

static void every_example_every_way(void)
{
    for (int i = 0; i < EXAMPLES; i++) {
        const example *e = &examples[i];
        decode_one_way(e, 1, e->width, 0);
        decode_one_way(e, MANY, e->width, 0);
        decode_one_way(e, MANY, e->width + GAP, 0);
        decode_one_way(e, MANY, e->width + GAP, 1);
    }
}

static void bits_stand_side_by_side(void)
{
    fixture f = make(16, 16);
    const uint8_t block[] = {0xCD, 0x6B}; /* the coils of the Modbus specification's example */
    const double expected[] = {1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0};
    gw_run run = {GW_BIT, 0, 0, -1, 16, 0, 0, 1};
    gw_plan plan = {&f.points, 1, 0, &run, NULL, NULL};
    CHECK(gw_points_decode(&f.points, &plan, block, 2, 1, 0, &f.rows) == 16);
    CHECK(memcmp(f.points.value, expected, sizeof expected) == 0);
    drop(&f);
}

static void every_field_of_a_long_list_has_its_place(void)
{
    fixture f = make(MANY, MANY);
    uint8_t *block = column(2 * MANY, 1);
    int32_t points[MANY];
    int64_t offsets[MANY];
    for (int i = 0; i < MANY; i++) {
        int place = i * 7 % MANY; /* 7 and 600 have no common divisor */
        points[i] = i;
        offsets[i] = 2 * place;
        block[2 * place] = (uint8_t)(i >> 8);
        block[2 * place + 1] = (uint8_t)i;
    }
    gw_run run = {GW_UINT16, GW_ABCD, 0, 0, MANY, 0, 0, 0};
    gw_plan plan = {&f.points, 1, MANY, &run, points, offsets};
    CHECK(gw_points_decode(&f.points, &plan, block, 2 * MANY, 1, 0, &f.rows) == MANY);
    for (int i = 0; i < MANY; i++)
        CHECK(f.points.value[i] == i);
    free(block);
    drop(&f);
}

static void all(void)
{
    every_example_every_way();
    every_field_of_a_long_list_has_its_place();
    bits_stand_side_by_side();
}

int main(void)
{
    on_every_level(all);
    return 0;
}
