/* 3 seconds, 10 minutes and 2 hours, and where they begin anew. */
#include "stream.h"

static int64_t number(int span, int kind, int64_t item)
{
    gw_meter_setup setup = usual_setup();
    return gw_meter_quantity(&setup, span, kind, item, 0);
}

static const int64_t second = 1000000000;

typedef struct {
    int64_t n, time, older;
    double value;
    unsigned quality;
} found;

/* Flow for a number of seconds, and return the last row of a quantity. */
static found pass(stream *s, int seconds, int span, int kind)
{
    found f = {0};
    for (; seconds > 0; seconds--) {
        CHECK(flow(s, RATE) >= 0);
        for (int64_t i = 0; i < s->rows.count; i++)
            if (s->rows.point[i] == number(span, kind, 0))
                f = (found){f.n + 1, s->rows.time[i], f.time, s->rows.value[i],
                            s->rows.quality[i]};
    }
    return f;
}

static void fifteen_windows_are_three_seconds(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    s.index = 100 * RATE;
    found f = pass(&s, 2, GW_3_SECONDS, GW_RMS);
    CHECK(f.n == 0);
    s.volts[0] = 115.0; /* root of the mean of squares: some at 230, the rest at 115 */
    f = pass(&s, 2, GW_3_SECONDS, GW_RMS);
    CHECK(f.n == 1 && f.value > 190.0 && f.value < 210.0 && f.quality == GW_GOOD);
    f = pass(&s, 3, GW_3_SECONDS, GW_RMS);
    CHECK(f.n == 1 && close_to(f.value, 115.0, 0.1));
    CHECK(pass(&s, 3, GW_3_SECONDS, GW_FLAG).value == 1.0);
    close_stream(&s);
}

/* Across the beginning of 10 minutes and 2 hours that were begun late. */
static void ten_minutes_begin_anew(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    int64_t tick = 7200 * 3;
    s.index = (tick - 5) * RATE;
    found f = pass(&s, 6, GW_10_MINUTES, GW_RMS);
    CHECK(f.n == 1 && f.time == tick * second && close_to(f.value, 230.0, 0.05));
    CHECK(f.quality == (GW_QUESTIONABLE | GW_INACCURATE)); /* 595 s are missing */
    /* The 3 seconds under way end as they would have, 15 windows on; the new ones overlap. */
    f = pass(&s, 4, GW_3_SECONDS, GW_RMS);
    CHECK(f.n == 2);
    CHECK(f.time - f.older < 3 * second && f.time > (tick + 3) * second);
    CHECK(f.time < (tick + 3) * second + second / 10 && f.quality == GW_GOOD);
    f = pass(&s, 596, GW_10_MINUTES, GW_RMS);
    CHECK(f.n == 1 && f.time == (tick + 600) * second && f.quality == GW_GOOD);
    CHECK(pass(&s, 1, GW_10_MINUTES, GW_RMS).n == 0);
    close_stream(&s);
}

static void two_hours_of_parts(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    int64_t tick = 7200 * 3;
    s.index = (tick - 605) * RATE;
    found f = pass(&s, 607, GW_2_HOURS, GW_RMS);
    CHECK(f.n == 1 && f.time == tick * second && close_to(f.value, 230.0, 0.05));
    CHECK(f.quality == (GW_QUESTIONABLE | GW_INACCURATE));
    /* A gap over the end of 2 hours: they end when the next ones have a part. */
    s.index = (tick + 7300) * RATE;
    CHECK(pass(&s, 1, GW_10_MINUTES, GW_RMS).time == (tick + 600) * second);
    s.index = (tick + 7798) * RATE;
    f = pass(&s, 4, GW_2_HOURS, GW_RMS);
    CHECK(f.n == 1 && f.time == (tick + 7200) * second);
    close_stream(&s);
}

static void what_is_invalid_is_missing(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    int64_t tick = 600 * 5;
    s.index = (tick - 4) * RATE;
    s.quality = GW_INVALID;
    found f = pass(&s, 4, GW_3_SECONDS, GW_RMS);
    CHECK(f.n == 1 && f.value != f.value);
    CHECK(f.quality == (GW_INVALID | GW_INACCURATE));
    f = pass(&s, 1, GW_10_MINUTES, GW_RMS);
    CHECK(f.n == 1 && f.value != f.value && (f.quality & GW_VALIDITY) == GW_INVALID);
    s.quality = GW_GOOD;
    f = pass(&s, 600, GW_10_MINUTES, GW_RMS);
    CHECK(f.n == 1 && close_to(f.value, 230.0, 0.05));
    CHECK(f.quality == (GW_QUESTIONABLE | GW_INACCURATE));
    close_stream(&s);
}

/* Frequency: cycles of 10 s, and none. */
static void ten_seconds_of_cycles(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    s.index = 5 * RATE;
    s.hertz = 49.7;
    found f = pass(&s, 6, GW_10_SECONDS, GW_FREQUENCY);
    CHECK(f.n == 1 && close_to(f.value, 49.7, 0.001) && f.time == 10 * second);
    CHECK(f.quality == (GW_QUESTIONABLE | GW_INACCURATE));
    f = pass(&s, 10, GW_10_SECONDS, GW_FREQUENCY);
    CHECK(f.n == 1 && close_to(f.value, 49.7, 0.001) && f.time == 20 * second);
    CHECK(f.quality == GW_GOOD);
    close_stream(&s);
}

int main(void)
{
    on_every_level(fifteen_windows_are_three_seconds);
    ten_minutes_begin_anew();
    two_hours_of_parts();
    what_is_invalid_is_missing();
    ten_seconds_of_cycles();
    return 0;
}
