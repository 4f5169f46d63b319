/* The quantities that a meter gives: their numbers, and the rows that they become. */
#include <math.h>

#include "meter.h"

/* Items of each kind; kinds with orders have so many for each order. */
static const int64_t items[GW_KINDS] = {
    [GW_RMS] = 8,        [GW_LINE] = 3,        [GW_FUNDAMENTAL] = 8, [GW_SEQUENCE] = 6,
    [GW_UNBALANCE] = 4,  [GW_ACTIVE] = 4,      [GW_REACTIVE] = 4,    [GW_APPARENT] = 4,
    [GW_FACTOR] = 4,     [GW_ACTIVE_1] = 4,    [GW_APPARENT_1] = 4,  [GW_FACTOR_1] = 4,
    [GW_DISTORTION] = 4, [GW_POSITIVE] = 3,    [GW_UNBALANCED] = 1,  [GW_FREQUENCY] = 1,
    [GW_FLAG] = 1,       [GW_THD] = 8,         [GW_HARMONIC] = 8,    [GW_INTERHARMONIC] = 8,
    [GW_ENERGY] = GW_REGISTERS,
};

static int has_orders(int kind)
{
    return kind == GW_HARMONIC || kind == GW_INTERHARMONIC;
}

int64_t gw_items_of(int kind, int64_t orders)
{
    if (kind == GW_THD)
        return orders > 0 ? items[kind] : 0;
    return items[kind] * (has_orders(kind) ? orders : 1);
}

/* Kinds stand one after the other in a span that has all of them: all but energy. */
int64_t gw_base_of(int kind, int64_t orders)
{
    int64_t base = 0;
    for (int before = 0; before < kind; before++)
        base += gw_items_of(before, orders);
    return base;
}

/* The number of the first quantity of a span. */
static int64_t first_of(int span, int64_t orders)
{
    static const int64_t whole[GW_SPANS + 1] = {0, 0, 1, 2, 3, 4, 4, 4};
    static const int64_t more[GW_SPANS + 1] = {0, 8, 8, 8, 8, 8, 9, 9 + GW_REGISTERS};
    return whole[span] * gw_base_of(GW_ENERGY, orders) + more[span];
}

int64_t gw_meter_quantities(const gw_meter_setup *setup)
{
    int64_t code = gw_check_setup(setup);
    return code < 0 ? code : first_of(GW_SPANS, setup->orders);
}

int64_t gw_meter_quantity(const gw_meter_setup *setup, int span, int kind, int64_t item,
                          int64_t order)
{
    int64_t code = gw_check_setup(setup);
    if (code < 0)
        return code;
    if (span < 0 || span >= GW_SPANS || kind < 0 || kind >= GW_KINDS || item < 0 ||
        item >= items[kind])
        return GW_BAD_QUANTITY;
    int64_t lowest = kind == GW_HARMONIC ? 1 : 0;
    int64_t highest = has_orders(kind) ? lowest + setup->orders - 1 : 0;
    if (order < lowest || order > highest || gw_items_of(kind, setup->orders) == 0)
        return GW_BAD_QUANTITY;
    int64_t first = first_of(span, setup->orders);
    int alone = span == GW_HALF_CYCLE   ? GW_RMS
                : span == GW_10_SECONDS ? GW_FREQUENCY
                : span == GW_FOREVER    ? GW_ENERGY
                                        : GW_KINDS;
    if (alone != GW_KINDS)
        return kind == alone ? first + item : GW_BAD_QUANTITY;
    if (kind == GW_ENERGY)
        return GW_BAD_QUANTITY;
    return first + gw_base_of(kind, setup->orders) + (order - lowest) * items[kind] + item;
}

void gw_give(gw_meter *meter, int64_t quantity, double value, uint16_t quality, int64_t time)
{
    int32_t point = meter->select[quantity];
    if (point < 0)
        return;
    gw_rows *rows = meter->out;
    int64_t i = rows->count++;
    rows->point[i] = point;
    rows->value[i] = value;
    /* A ratio to nothing, or what a gap has left of a span. */
    rows->quality[i] = value == value ? quality : gw_void(quality);
    rows->time[i] = time;
}

void gw_give_values(gw_meter *meter, int span, const double *values, uint16_t quality,
                    uint16_t frequency_quality, int64_t time)
{
    if (meter->selected[span] == 0)
        return;
    int64_t first = meter->first[span], frequency = meter->base[GW_FREQUENCY];
    for (int64_t v = 0; v < meter->values; v++)
        gw_give(meter, first + v, values ? values[v] : (double)NAN,
                v == frequency ? frequency_quality : quality, time);
}

/* Is the value a number from low to high? */
static int within(double value, double low, double high)
{
    return value >= low && value <= high;
}

static int check_lanes(const gw_meter_setup *setup)
{
    int lanes = 0;
    for (int l = 0; l < GW_LANES; l++) {
        if (setup->voltage[l] >= setup->stream.columns ||
            setup->current[l] >= setup->stream.columns)
            return 0;
        lanes += l < GW_WATCHED && (setup->voltage[l] >= 0 || setup->current[l] >= 0);
    }
    /* The phase is that of a, or of a, b and c; a group without a has none. */
    int any = setup->voltage[0] >= 0 || setup->voltage[1] >= 0 || setup->voltage[2] >= 0;
    return lanes > 0 && (any ? setup->voltage[0] >= 0 : setup->current[0] >= 0);
}

int64_t gw_check_setup(const gw_meter_setup *setup)
{
    const gw_meter_setup *s = setup;
    int limits = within(s->declared, 1e-9, 1e9) && within(s->floor, 0.0, 1e9) &&
                 within(s->dip, 0.0, 1.0) && s->swell >= 1.0 &&
                 within(s->interruption, 0.0, 1.0) && within(s->hysteresis, 0.0, 0.5) &&
                 within(s->change, 0.0, 1.0) && within(s->change_hysteresis, 0.0, 1.0);
    int64_t code = gw_stream_check(&s->stream);
    if (code < 0)
        return code;
    if (s->orders < 0 || s->orders > 50 || !limits || !check_lanes(s) ||
        (double)(s->orders * s->stream.nominal) > 0.44 * (double)s->stream.rate)
        return GW_BAD_SETUP;
    return GW_OK;
}
