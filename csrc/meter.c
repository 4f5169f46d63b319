/* The meter: its memory, its setup, and what a push may need. */
#include "meter.h"

#include <string.h>

#include "memory.h"

/* Rows that an open window and the filter can look back to: 13 cycles, the phase running at 3/4 of
 * its nominal speed, and 4 more for the filter. */
static int64_t rows_kept(const gw_meter_setup *setup)
{
    return 22 * setup->stream.rate / setup->stream.nominal + 8 * GW_TAPS;
}

static int64_t cycles_of(const gw_meter_setup *setup)
{
    return setup->stream.nominal / 5;
}

int64_t gw_meter_points(const gw_meter_setup *setup)
{
    int64_t code = gw_check_setup(setup);
    if (code < 0)
        return code;
    /* Room for the orders, and for what lies above half of the sampling rate to fold past them. */
    int64_t wanted = cycles_of(setup) * setup->orders +
                     cycles_of(setup) * setup->stream.rate / (2 * setup->stream.nominal);
    int64_t points = 64;
    while (points < wanted)
        points *= 2;
    return points;
}

/* Lay the parts out in memory from `at`, or count only where it is NULL. */
static int64_t lay_out(gw_meter *meter, uint8_t *at, const gw_meter_setup *setup)
{
    gw_meter none, *m = at ? meter : &none;
    gw_memory memory = {at, 0};
    int64_t values = gw_base_of(GW_ENERGY, setup->orders);
    size_t taps = (size_t)gw_tracker_taps(setup);
    gw_part(&memory, sizeof *m);
    m->values = values;
    m->kept = rows_kept(setup);
    m->capacity = m->kept + m->kept / 2;
    m->select = gw_part(&memory, (size_t)gw_meter_quantities(setup) * sizeof *m->select);
    m->rows = gw_part(&memory, (size_t)(m->capacity * GW_ROW) * sizeof *m->rows);
    m->qualities = gw_part(&memory, (size_t)m->capacity * sizeof *m->qualities);
    m->tracker.tap_re = gw_part(&memory, taps * sizeof(double));
    m->tracker.tap_im = gw_part(&memory, taps * sizeof(double));
    m->tracker.re = gw_part(&memory, 2 * taps * sizeof(double));
    m->tracker.im = gw_part(&memory, 2 * taps * sizeof(double));
    m->value = gw_part(&memory, (size_t)values * sizeof(double));
    int64_t lines = (setup->orders + 1) * cycles_of(setup) * GW_ROW;
    m->squares = gw_part(&memory, (size_t)(setup->orders > 0 ? lines : 0) * sizeof(double));
    for (int span = GW_CYCLES; span <= GW_2_HOURS; span++) {
        m->sum[span].sum = gw_part(&memory, (size_t)values * sizeof(double));
        m->sum[span].n = gw_part(&memory, (size_t)values * sizeof(int32_t));
    }
    return memory.used;
}

int64_t gw_meter_size(const gw_meter_setup *setup)
{
    int64_t code = gw_check_setup(setup);
    return code < 0 ? code : lay_out(NULL, NULL, setup);
}

/* The lanes: where they come from and what a count of them is worth. */
static void set_lanes(gw_meter *m)
{
    static const int next[4] = {1, 2, 0, 3};
    const gw_meter_setup *setup = &m->setup;
    m->three[0] = m->three[1] = 1;
    m->run[0] = m->run[1] = 1;
    for (int l = 0; l < GW_ROW; l++) {
        int g = l / 4, lane = l % 4;
        int32_t column = g ? setup->current[lane] : setup->voltage[lane];
        m->column[l] = column;
        m->scale[l] = column < 0 ? 0.0 : setup->stream.scale[column];
        m->three[g] &= column >= 0 || lane == 3;
        m->run[g] &= column >= 0 && column == m->column[4 * g] + lane;
    }
    for (int l = 0; l < 4; l++) {
        double u = m->scale[l], i = m->scale[4 + l];
        m->product_scale[l] = u * u;
        m->product_scale[4 + l] = i * i;
        m->product_scale[8 + l] = u * i;
        m->product_scale[12 + l] = u * m->scale[next[l]];
    }
    m->reference = m->column[0] < 0;
}

void gw_meter_begin(gw_meter *m, int64_t index)
{
    m->origin = m->at.next = index;
    m->fresh = 1;
    m->oldest = m->filled = m->blocked = 0;
    m->last_bad = -1;
    m->crossings = 0;
    gw_tracker_reset(&m->tracker);
    gw_window_break(m);
}

int64_t gw_meter_init(gw_meter *meter, int64_t size, const gw_meter_setup *setup,
                      gw_spectrum *spectrum, const int32_t *select)
{
    int64_t needed = gw_meter_size(setup);
    if (needed < 0)
        return needed;
    if (!gw_fits(meter, size, needed))
        return GW_NO_ROOM;
    if (setup->orders > 0 && (!spectrum || spectrum->points < gw_meter_points(setup)))
        return GW_BAD_SETUP;
    memset(meter, 0, (size_t)needed);
    lay_out(meter, (uint8_t *)meter, setup);
    meter->setup = *setup;
    meter->spectrum = spectrum;
    meter->cycles = cycles_of(setup);
    for (int kind = 0; kind < GW_KINDS; kind++)
        meter->base[kind] = gw_base_of(kind, setup->orders);
    static const int kind_of[GW_SPANS] = {[GW_10_SECONDS] = GW_FREQUENCY,
                                          [GW_FOREVER] = GW_ENERGY};
    int64_t quantities = gw_meter_quantities(setup);
    for (int span = 0; span < GW_SPANS; span++)
        meter->first[span] = gw_meter_quantity(setup, span, kind_of[span], 0, 0);
    for (int64_t q = 0, span = 0; q < quantities; q++) {
        span += span + 1 < GW_SPANS && q == meter->first[span + 1];
        meter->select[q] = select ? select[q] : (int32_t)q;
        meter->selected[span] += meter->select[q] >= 0;
    }
    set_lanes(meter);
    meter->setup.stream.scale = NULL; /* the caller's */
    gw_tracker_init(meter);
    gw_watch_init(meter);
    meter->seconds.interval = -1;
    gw_meter_begin(meter, 0);
    return GW_OK;
}

/* More crossings than rows can have, the phase running at 5/4 of its nominal speed. */
static int64_t most_crossings(const gw_meter *meter, int64_t n)
{
    return (n + meter->setup.stream.hold) * 8 * meter->setup.stream.nominal / meter->setup.stream.rate + 16;
}

int64_t gw_meter_rows(const gw_meter *meter, int64_t n)
{
    const int64_t *s = meter->selected;
    int64_t crossings = most_crossings(meter, n), rate = meter->setup.stream.rate;
    int64_t tens = n / (10 * rate) + 3, intervals = n / (600 * rate) + 3;
    int64_t windows = crossings / (GW_SIXTHS * meter->cycles) + 1 + intervals;
    /* A lane has every third crossing, or two of three while the order of the phases turns; a gap
     * gives each span a row more. */
    return s[GW_HALF_CYCLE] * (2 * crossings / 3 + 2) +
           (s[GW_CYCLES] + s[GW_FOREVER]) * (windows + 1) +
           s[GW_3_SECONDS] * (windows / 7 + 3) + s[GW_10_SECONDS] * tens +
           (s[GW_10_MINUTES] + s[GW_2_HOURS]) * intervals;
}

int64_t gw_meter_events(const gw_meter *meter, int64_t n)
{
    /* Of one Urms(1/2): three kinds, of a phase and of the circuit, and a change. */
    int64_t each = 2 * GW_CHANGE + 1;
    return each * GW_WATCHED * (2 * most_crossings(meter, n) / 3 + 3);
}

void gw_meter_look(const gw_meter *meter, gw_meter_state *state)
{
    *state = (gw_meter_state){.stream = meter->at,
                              .frequency = meter->frequency,
                              .locked = meter->tracker.locked,
                              .reversed = meter->tracker.reversed};
}

double *gw_meter_energy(gw_meter *meter)
{
    return meter->energy;
}
