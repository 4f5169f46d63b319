/* Dips, swells, interruptions and rapid voltage changes, and the flags that they leave. */
#include "stream.h"

typedef struct {
    int kind, phase;
    int64_t start, end;
    double value, more;
    unsigned quality;
} happening;

static happening told[64];
static int tells;

/* Flow for a number of rows, and keep what happened. */
static void pass(stream *s, int64_t n)
{
    for (; n > 0; n -= RATE) {
        flow(s, n < RATE ? n : RATE);
        for (int64_t i = 0; i < s->events.count; i++, tells++) {
            CHECK(tells < 64);
            const gw_events *e = &s->events;
            told[tells] = (happening){e->kind[i],  e->phase[i], e->start[i],  e->end[i],
                                      e->value[i], e->more[i],  e->quality[i]};
        }
    }
}

/* The event of a kind and phase that has ended, or only begun; exactly one. */
static happening only(int kind, int phase, int ended)
{
    happening found = {0};
    int n = 0;
    for (int i = 0; i < tells; i++)
        if (told[i].kind == kind && told[i].phase == phase && (told[i].end != 0) == ended) {
            found = told[i];
            n++;
        }
    CHECK(n == 1);
    return found;
}

static int total(int kind)
{
    int n = 0;
    for (int i = 0; i < tells; i++)
        n += told[i].kind == kind;
    return n;
}

static stream steady_stream(int sliding)
{
    gw_meter_setup setup = usual_setup();
    setup.sliding = sliding;
    stream s = open_stream(&setup, NULL);
    tells = 0;
    pass(&s, 2 * RATE);
    CHECK(tells == 0);
    return s;
}

static int64_t flag_number(int span)
{
    gw_meter_setup setup = usual_setup();
    return gw_meter_quantity(&setup, span, GW_FLAG, 0, 0);
}

static void a_dip_of_one_phase(void)
{
    stream s = steady_stream(0);
    s.volts[1] = 115.0;
    pass(&s, 100);
    s.volts[1] = 230.0;
    pass(&s, 400);
    int flags = 0;
    for (int64_t i = 0; i < s.rows.count; i++)
        flags += s.rows.point[i] == flag_number(GW_CYCLES) && s.rows.value[i] == 1.0;
    CHECK(flags >= 1);
    happening begun = only(GW_DIP, 1, 0), dip = only(GW_DIP, 1, 1), all = only(GW_DIP, -1, 1);
    CHECK(begun.start == dip.start && dip.start == all.start && dip.end == all.end);
    CHECK(close_to(dip.value, 115.0, 0.2) && dip.quality == GW_GOOD && dip.more == 0.0);
    CHECK(close_to((double)dip.start, 1.99e9, 10e6) && close_to((double)dip.end, 2.115e9, 15e6));
    CHECK(total(GW_DIP) == 4 && total(GW_SWELL) == 0 && total(GW_INTERRUPTION) == 0);
    CHECK(total(GW_CHANGE) == 0);
    pass(&s, 2 * RATE);
    CHECK(total(GW_CHANGE) == 0); /* a dip is no rapid voltage change */
    close_stream(&s);
}

static void a_swell_has_a_hysteresis(void)
{
    stream s = steady_stream(0);
    s.volts[0] = 260.0;
    pass(&s, 200);
    s.volts[0] = 250.0; /* 108.7 %: below the threshold, above the hysteresis */
    pass(&s, 200);
    CHECK(total(GW_SWELL) == 2);
    s.volts[0] = 240.0;
    pass(&s, 200);
    happening swell = only(GW_SWELL, 0, 1);
    CHECK(close_to(swell.value, 260.0, 0.3));
    CHECK(close_to((double)(swell.end - swell.start), 0.4e9, 30e6));
    close_stream(&s);
}

static void an_interruption_is_of_all_phases(void)
{
    stream s = steady_stream(0);
    s.volts[0] = s.volts[1] = 1.0;
    pass(&s, 200);
    CHECK(total(GW_INTERRUPTION) == 2); /* of a, of b; not of the circuit */
    s.volts[2] = 0.5;
    pass(&s, 200);
    s.volts[2] = 230.0;
    pass(&s, 200);
    happening all = only(GW_INTERRUPTION, -1, 1), c = only(GW_INTERRUPTION, 2, 1);
    CHECK(all.start == c.start && all.end == c.end);
    CHECK(all.value <= c.value && close_to(c.value, 0.5, 0.1));
    s.volts[0] = s.volts[1] = 230.0;
    pass(&s, 200);
    CHECK(close_to(only(GW_INTERRUPTION, 0, 1).value, 1.0, 0.1));
    CHECK(only(GW_DIP, -1, 1).value <= c.value);
    close_stream(&s);
}

static void a_rapid_change(void)
{
    stream s = steady_stream(0);
    for (int p = 0; p < 3; p++)
        s.volts[p] = 217.0; /* 5.7 % down, no dip */
    pass(&s, 300);
    for (int p = 0; p < 3; p++)
        s.volts[p] = 221.0;
    pass(&s, 1500);
    happening change = only(GW_CHANGE, -1, 1);
    CHECK(tells == 1);
    CHECK(close_to(change.value, 13.0, 0.1));
    /* steady again while 0.3 of the second are at 217 V: 230 - (0.3 * 217 + 0.7 * 221) */
    CHECK(close_to(change.more, 10.2, 0.2));
    CHECK(close_to((double)change.start, 2e9, 20e6));
    CHECK(close_to((double)change.end, 2e9, 20e6));
    close_stream(&s);
}

static void a_gap_ends_events(void)
{
    stream s = steady_stream(0);
    s.volts[2] = 100.0;
    pass(&s, 300);
    s.volts[2] = 230.0;
    s.index += 500;
    pass(&s, 500);
    happening dip = only(GW_DIP, 2, 1);
    CHECK(dip.quality == (GW_QUESTIONABLE | GW_INACCURATE) && dip.end == 2300000000);
    CHECK(only(GW_DIP, -1, 1).end == dip.end);
    close_stream(&s);
}

static void invalid_rows_are_no_event(void)
{
    stream s = steady_stream(0);
    s.volts[2] = 0.0;
    s.quality = GW_INVALID;
    pass(&s, 100);
    s.volts[2] = 230.0;
    pass(&s, 100);
    s.quality = GW_GOOD;
    pass(&s, 300);
    CHECK(tells == 0);
    close_stream(&s);
}

/* A reference that follows the voltage: 8 % down for minutes is no dip any more. */
static void a_sliding_reference(void)
{
    stream s = steady_stream(1);
    for (int p = 0; p < 3; p++)
        s.volts[p] = 212.0;
    pass(&s, 300 * RATE);
    CHECK(total(GW_DIP) == 0);
    s.volts[0] = 200.0; /* 87 % of 230, 94 % of 212 */
    pass(&s, 500);
    CHECK(total(GW_DIP) == 0);
    s.volts[0] = 185.0;
    pass(&s, 500);
    CHECK(total(GW_DIP) == 2);
    close_stream(&s);
}

int main(void)
{
    on_every_level(a_dip_of_one_phase);
    a_swell_has_a_hysteresis();
    an_interruption_is_of_all_phases();
    a_rapid_change();
    a_gap_ends_events();
    invalid_rows_are_no_event();
    a_sliding_reference();
    return 0;
}
