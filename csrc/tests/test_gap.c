/* Gaps, bad samples, and the loss of the voltage. */
#include "stream.h"

static int64_t number(int span, int kind, int64_t item)
{
    gw_meter_setup setup = usual_setup();
    return gw_meter_quantity(&setup, span, kind, item, 0);
}

static gw_meter_state look(const stream *s)
{
    gw_meter_state state;
    gw_meter_look(s->meter, &state);
    return state;
}

/* Rows of a point in the last flow, and those of them with these bits of quality. */
static void count(const stream *s, int64_t point, unsigned bits, int *all, int *with)
{
    *all = *with = 0;
    for (int64_t i = 0; i < s->rows.count; i++)
        if (s->rows.point[i] == point) {
            ++*all;
            *with += (s->rows.quality[i] & bits) == bits;
        }
}

static void a_short_gap_is_filled(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    flow(&s, 1000);
    s.index += 3;
    s.turns += 3 * 0.05;
    flow(&s, 1000);
    CHECK(look(&s).stream.held == 3 && look(&s).stream.gaps == 0 && look(&s).stream.next == 2003);
    int all, with;
    count(&s, number(GW_CYCLES, GW_RMS, 0), GW_QUESTIONABLE | GW_INACCURATE, &all, &with);
    CHECK(all == 5 && with >= 1 && with <= 2);
    count(&s, number(GW_HALF_CYCLE, GW_RMS, 0), GW_INACCURATE, &all, &with);
    CHECK(all == 100 && with >= 2 && with <= 4);
    close_stream(&s);
}

static void a_long_gap_begins_anew(void)
{
    gw_meter_setup setup = usual_setup();
    setup.stream.hold = 3;
    stream s = open_stream(&setup, NULL);
    s.index = 10 * RATE;
    flow(&s, 1000);
    s.index += 4;
    flow(&s, 1000);
    CHECK(look(&s).stream.held == 0 && look(&s).stream.gaps == 1 && look(&s).stream.lost == 4);
    CHECK(look(&s).stream.next == 12 * RATE + 4);
    int all, with;
    count(&s, number(GW_CYCLES, GW_RMS, 0), GW_INVALID, &all, &with);
    CHECK(all == 5 && with == 1);
    CHECK(s.rows.quality[0] == GW_INVALID && s.rows.time[0] == 11000000000);
    CHECK(s.rows.value[0] != s.rows.value[0]);
    count(&s, number(GW_3_SECONDS, GW_RMS, 0), GW_INVALID, &all, &with);
    CHECK(all == 1 && with == 1);
    for (int second = 0; second < 9; second++)
        flow(&s, 1000);
    count(&s, number(GW_10_SECONDS, GW_FREQUENCY, 0), GW_QUESTIONABLE | GW_INACCURATE, &all, &with);
    CHECK(all == 1 && with == 1);
    for (int second = 0; second < 10; second++)
        flow(&s, 1000);
    count(&s, number(GW_10_SECONDS, GW_FREQUENCY, 0), GW_INACCURATE, &all, &with);
    CHECK(all == 1 && with == 0);
    close_stream(&s);
}

/* What fills a gap is as bad as the row that it repeats, and worse. */
static void a_bad_row_is_held(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    flow(&s, 989);
    s.quality = GW_TEST;
    flow(&s, 1);
    s.quality = GW_GOOD;
    s.index += 3;
    s.turns += 3 * 0.05;
    flow(&s, 1000);
    int all, with;
    count(&s, number(GW_HALF_CYCLE, GW_RMS, 0), GW_TEST | GW_QUESTIONABLE | GW_INACCURATE, &all,
          &with);
    CHECK(with >= 2 && with <= 4);
    close_stream(&s);
}

static void bad_rows_are_seen_in_what_they_touch(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    flow(&s, 1000);
    double energy = gw_meter_energy(s.meter)[3], reactive = gw_meter_energy(s.meter)[11];
    s.quality = GW_INVALID | GW_FAILURE;
    flow(&s, 1);
    s.quality = GW_TEST;
    flow(&s, 1);
    s.quality = GW_GOOD;
    flow(&s, 998);
    int all, with;
    count(&s, number(GW_CYCLES, GW_RMS, 0), GW_INVALID | GW_FAILURE | GW_TEST, &all, &with);
    CHECK(all == 5 && with == 1);
    count(&s, number(GW_HALF_CYCLE, GW_RMS, 0), GW_FAILURE, &all, &with);
    CHECK(all == 100 && with >= 2 && with <= 3);
    /* 50 cycles at 2988 W, less one or two; 5 windows of 0.2 s at 1725 var, less one */
    double more = gw_meter_energy(s.meter)[3] - energy;
    CHECK(more < 2988.0 / 3600 * 0.99 && more > 2988.0 / 3600 * 0.95);
    more = gw_meter_energy(s.meter)[11] - reactive;
    CHECK(close_to(more, 1725.0 / 3600 * 0.8, 0.001));
    close_stream(&s);
}

static void set_volts(stream *s, double volts)
{
    for (int p = 0; p < 3; p++)
        s->volts[p] = volts;
}

/* Without a voltage the windows go on at the last speed; with it they come back to its phase. */
static void the_phase_runs_on_and_comes_back(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    s.hertz = 49.0;
    flow(&s, 1000);
    set_volts(&s, 0.0);
    flow(&s, 1000);
    CHECK(!look(&s).locked && close_to(look(&s).frequency, 49.0, 0.2));
    int all, with;
    count(&s, number(GW_HALF_CYCLE, GW_RMS, 1), GW_INACCURATE, &all, &with);
    CHECK(all >= 97 && with == 0);
    CHECK(s.rows.value[last_of(&s, number(GW_CYCLES, GW_RMS, 1))] == 0.0);
    count(&s, number(GW_CYCLES, GW_FREQUENCY, 0), GW_QUESTIONABLE | GW_INACCURATE, &all, &with);
    CHECK(with >= 4);
    set_volts(&s, 230.0);
    s.turns += 0.4;
    flow(&s, 1000);
    CHECK(look(&s).locked && close_to(look(&s).frequency, 49.0, 0.01));
    count(&s, number(GW_CYCLES, GW_RMS, 1), GW_QUESTIONABLE | GW_INACCURATE, &all, &with);
    CHECK(with >= 1 && with <= 2);
    flow(&s, 1000);
    int64_t i = last_of(&s, number(GW_CYCLES, GW_RMS, 1));
    CHECK(close_to(s.rows.value[i], 230.0, 0.05) && s.rows.quality[i] == GW_GOOD);
    close_stream(&s);
}

/* A stream that begins without a voltage has its nominal frequency; one that loses it before
 * the filter has settled, too. */
static void a_dead_line_has_windows_too(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    set_volts(&s, 0.0);
    flow(&s, 1000);
    CHECK(!look(&s).locked && look(&s).frequency == 50.0);
    int64_t i = last_of(&s, number(GW_CYCLES, GW_ACTIVE, 3));
    CHECK(s.rows.value[i] == 0.0 && s.rows.quality[i] == GW_GOOD);
    i = last_of(&s, number(GW_CYCLES, GW_FACTOR, 3));
    CHECK(s.rows.quality[i] == GW_INVALID);
    set_volts(&s, 230.0);
    s.hertz = 52.0;
    flow(&s, 20);
    set_volts(&s, 0.0);
    flow(&s, 500);
    CHECK(!look(&s).locked && look(&s).frequency == 50.0);
    close_stream(&s);
}

/* A frequency out of reach: the windows stay within a quarter of nominal, and say so. */
static void a_frequency_out_of_reach_is_doubted(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    s.hertz = 70.0;
    flow(&s, 1000);
    CHECK(look(&s).locked && look(&s).frequency <= 62.5001);
    int all, with;
    count(&s, number(GW_CYCLES, GW_RMS, 0), GW_QUESTIONABLE | GW_INACCURATE, &all, &with);
    CHECK(all >= 4 && with >= 3);
    s.hertz = 33.0;
    flow(&s, 1000);
    CHECK(look(&s).frequency >= 37.4999);
    close_stream(&s);
}

int main(void)
{
    on_every_level(a_short_gap_is_filled);
    on_every_level(a_long_gap_begins_anew);
    a_bad_row_is_held();
    bad_rows_are_seen_in_what_they_touch();
    the_phase_runs_on_and_comes_back();
    a_dead_line_has_windows_too();
    a_frequency_out_of_reach_is_doubted();
    return 0;
}
