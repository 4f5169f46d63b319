/* At a sixth of a cycle: sums up to it, and the rms of each lane whose zero crossing it is. */
#include <math.h>
#include <string.h>

#include "meter.h"

const int32_t *gw_row_at(const gw_meter *meter, int64_t row)
{
    return meter->rows + (row - meter->oldest) * GW_ROW;
}

void gw_row_sums(const int32_t *rows, int64_t n, uint64_t *high, uint64_t *low)
{
    gw_loops_now()->sums(rows, n, high, low);
}

/* The products of a row, as sums() has them. */
static void products(const int32_t *row, double *product)
{
    static const int next[4] = {1, 2, 0, 3};
    for (int l = 0; l < 4; l++) {
        double u = row[l], i = row[4 + l];
        product[l] = u * u;
        product[4 + l] = i * i;
        product[8 + l] = u * i;
        product[12 + l] = u * row[next[l]];
    }
}

/* The sum takes whole rows; the trapezoid rule takes half of the last one back, and goes on to
 * the mark along the line to the next row. */
static void fill_rest(const gw_meter *meter, gw_crossing *crossing)
{
    const int32_t *row = gw_row_at(meter, crossing->row);
    double here[GW_PRODUCTS], there[GW_PRODUCTS], part = crossing->part;
    products(row, here);
    products(row + GW_ROW, there);
    for (int p = 0; p < GW_PRODUCTS; p++)
        crossing->rest[p] = (part - 0.5) * here[p] + 0.5 * part * part * (there[p] - here[p]);
}

/* The qualities of rows first .. last, merged. */
static uint16_t quality_of(const gw_meter *meter, int64_t first, int64_t last)
{
    if (meter->last_bad < first)
        return GW_GOOD;
    return gw_worst(meter->qualities + (first - meter->oldest), last - first + 1);
}

/* The zero crossings of a are at sixths 0 and 3 of a cycle, those of b a third later, of c two
 * thirds, or the other way round; neutral goes with a. */
static int crosses(const gw_meter *meter, int lane, int64_t sixth)
{
    static const int offset[2][4] = {{0, 2, 1, 0}, {0, 1, 2, 0}};
    return sixth % 3 == offset[meter->tracker.reversed][lane];
}

/* Energy of the cycle that ends here [Wh], by its sign, of each phase and of all. */
static void count_energy(gw_meter *meter, const gw_crossing *from, const gw_crossing *to)
{
    double all = 0.0, hours = 1.0 / ((double)meter->setup.stream.rate * 3600.0);
    for (int l = 0; l <= GW_WATCHED; l++) {
        double energy = all;
        if (l < GW_WATCHED) {
            energy = gw_between(from, to, 8 + l) * meter->product_scale[8 + l] * hours;
            all += energy;
        }
        meter->energy[l + (energy < 0.0 ? 4 : 0)] += fabs(energy);
    }
}

/* A cycle has ended: the rms values of the lanes that began it at their zero crossing. */
static void end_cycle(gw_meter *meter, const gw_crossing *from, const gw_crossing *to)
{
    uint16_t quality = GW_GOOD;
    int doubt = 0;
    for (int64_t sixth = from->sixth + 1; sixth <= to->sixth; sixth++) {
        quality = gw_worse(quality, meter->crossing[sixth % GW_CROSSINGS].quality);
        doubt |= meter->crossing[sixth % GW_CROSSINGS].doubt;
    }
    double length = gw_length(from, to);
    int64_t start = gw_time_of(meter, from->row, from->part);
    int64_t end = gw_time_of(meter, to->row, to->part);
    for (int l = 0; l < GW_ROW; l++) {
        int lane = l % 4;
        if (!crosses(meter, lane, to->sixth) || meter->scale[l] == 0.0)
            continue;
        double square = gw_between(from, to, l) / length;
        double rms = meter->scale[l] * sqrt(square > 0.0 ? square : 0.0);
        gw_give(meter, meter->first[GW_HALF_CYCLE] + l, rms, quality, end);
        if (l < GW_WATCHED)
            gw_watch_take(meter, lane, rms, quality, start, end);
    }
    if (to->sixth % GW_SIXTHS != 0)
        return;
    if ((quality & GW_VALIDITY) != GW_INVALID)
        count_energy(meter, from, to);
    gw_seconds_step(meter, to, doubt ? gw_partly(quality) : quality);
}

void gw_crossing_set(gw_meter *meter, int64_t row, double part, int64_t sixth, int doubt)
{
    gw_crossing *to = &meter->crossing[sixth % GW_CROSSINGS];
    const gw_crossing *last = &meter->crossing[(sixth + GW_CROSSINGS - 1) % GW_CROSSINGS];
    memset(to, 0, sizeof *to);
    to->row = row;
    to->part = part;
    to->sixth = sixth;
    to->doubt = doubt;
    fill_rest(meter, to);
    if (meter->crossings++ > 0) {
        int64_t rows = row - last->row;
        gw_row_sums(gw_row_at(meter, last->row + 1), rows, to->high, to->low);
        for (int p = 0; p < GW_PRODUCTS; p++) {
            to->high[p] += last->high[p];
            to->low[p] += last->low[p];
            to->high[p] += to->low[p] >> 32;
            to->low[p] &= 0xffffffff;
        }
        /* The line to the next row takes part of that one. */
        to->quality = quality_of(meter, last->row, row + 1);
    }
    if (meter->crossings > GW_SIXTHS)
        end_cycle(meter, &meter->crossing[(sixth - GW_SIXTHS) % GW_CROSSINGS], to);
    gw_window_step(meter, to);
}
