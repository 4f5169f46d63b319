/* The rules for one sample, each with a value worked out by hand. */
#include "check.h"

enum { S = 1000000000 };

static void first_sample_is_reported(void)
{
    fixture f = make(1, 4);
    CHECK(judge(&f, 7.0, GW_INVALID | GW_OLD_DATA, 5, 0) == 1);
    CHECK(f.rows.point[0] == 0 && f.rows.value[0] == 7.0 && f.rows.time[0] == 5);
    CHECK(f.points.value[0] == 7.0 && f.points.time[0] == 5);
    drop(&f);
    f = make(1, 4);
    CHECK(judge(&f, (double)NAN, GW_INVALID | GW_OLD_DATA, 5, 0) == 1); /* as the image stands */
    CHECK(judge(&f, (double)NAN, GW_INVALID | GW_OLD_DATA, 6, 0) == 0);
    drop(&f);
}

static void scale_and_offset(void)
{
    fixture f = make(1, 4);
    f.scale[0] = 0.5;
    f.offset[0] = -1.0;
    CHECK(judge(&f, 10.0, 0, 1, 0) == 1);
    CHECK(f.rows.value[0] == 4.0 && f.rows.quality[0] == GW_GOOD);
    drop(&f);
}

static void deadband_is_left_when_exceeded(void)
{
    fixture f = make(1, 4);
    f.deadband[0] = 2.0;
    CHECK(judge(&f, 10.0, 0, 1, 0) == 1);
    CHECK(judge(&f, 12.0, 0, 2, 0) == 0); /* exactly the band */
    CHECK(judge(&f, 8.0, 0, 3, 0) == 0);
    CHECK(f.points.value[0] == 10.0 && f.points.time[0] == 1);
    CHECK(judge(&f, 12.5, 0, 4, 0) == 1);
    CHECK(judge(&f, 12.5, 0, 5, 1) == 1); /* every */
    f.deadband[0] = -1.0;
    CHECK(judge(&f, 12.5, 0, 6, 0) == 1);
    f.deadband[0] = (double)NAN;
    CHECK(judge(&f, 12.5, 0, 7, 0) == 1);
    f.deadband[0] = 0.0;
    CHECK(judge(&f, 12.5, 0, 8, 0) == 0);
    CHECK(judge(&f, nextafter(12.5, 13.0), 0, 9, 0) == 1);
    drop(&f);
}

static void quality_is_news_and_its_clock_is_not(void)
{
    fixture f = make(1, 4);
    CHECK(judge(&f, 1.0, 0, 1, 0) == 1);
    CHECK(judge(&f, 1.0, GW_DEVICE_TIME | GW_CLOCK_NOT_SYNCHRONISED, 2, 0) == 0);
    CHECK(judge(&f, 1.0, GW_TEST, 3, 0) == 1); /* test */
    CHECK(f.rows.quality[0] == GW_TEST);
    drop(&f);
}

static void not_a_number_keeps_the_last_value(void)
{
    fixture f = make(1, 4);
    CHECK(judge(&f, 42.0, 0, 1, 0) == 1);
    CHECK(judge(&f, (double)NAN, 0, 2, 0) == 1);
    CHECK(f.rows.value[0] == 42.0 && f.rows.quality[0] == (GW_INVALID | GW_FAILURE));
    CHECK(judge(&f, (double)NAN, 0, 3, 0) == 0);
    CHECK(judge(&f, (double)NAN, GW_INVALID | GW_OLD_DATA, 4, 0) == 1); /* came invalid */
    CHECK(f.rows.value[0] == 42.0 && f.rows.quality[0] == (GW_INVALID | GW_OLD_DATA));
    CHECK(judge(&f, 42.0, 0, 5, 0) == 1);
    CHECK(judge(&f, (double)NAN, GW_QUESTIONABLE | GW_OLD_DATA, 6, 0) == 1); /* the last, doubted */
    CHECK(f.rows.value[0] == 42.0 && f.rows.quality[0] == (GW_QUESTIONABLE | GW_OLD_DATA));
    drop(&f);
}

static void infinity_is_overflow(void)
{
    fixture f = make(1, 4);
    f.deadband[0] = (double)INFINITY;
    CHECK(judge(&f, 1.0, 0, 1, 0) == 1);
    CHECK(judge(&f, (double)INFINITY, 0, 2, 0) == 1);
    CHECK(f.rows.quality[0] == (GW_INVALID | GW_OVERFLOW));
    f.deadband[0] = 0.0;
    CHECK(judge(&f, (double)INFINITY, 0, 3, 0) == 0);
    CHECK(judge(&f, -(double)INFINITY, GW_QUESTIONABLE, 4, 0) == 1);
    CHECK(f.rows.quality[0] == (GW_INVALID | GW_OVERFLOW));
    drop(&f);
}

static void range_includes_its_limits(void)
{
    fixture f = make(1, 4);
    f.low[0] = -1.0;
    f.high[0] = 1.0;
    CHECK(judge(&f, 1.0, 0, 1, 0) == 1 && f.rows.quality[0] == GW_GOOD);
    CHECK(judge(&f, -1.0, 0, 2, 0) == 1 && f.rows.quality[0] == GW_GOOD);
    CHECK(judge(&f, 1.5, 0, 3, 0) == 1);
    CHECK(f.rows.quality[0] == (GW_QUESTIONABLE | GW_OUT_OF_RANGE));
    CHECK(judge(&f, -1.5, GW_INVALID, 4, 0) == 1); /* 1 stays 1: OR-ing 3 would make it 3 */
    CHECK(f.rows.quality[0] == (GW_INVALID | GW_OUT_OF_RANGE));
    CHECK(judge(&f, -1.5, 2, 5, 0) == 1); /* reserved is worse than questionable */
    CHECK(f.rows.quality[0] == (2 | GW_OUT_OF_RANGE));
    drop(&f);
}

static void rate_is_judged_between_valid_samples(void)
{
    const unsigned inconsistent = GW_QUESTIONABLE | GW_INCONSISTENT;
    fixture f = make(1, 4);
    f.rate[0] = 10.0;
    CHECK(judge(&f, 0.0, 0, 1 * S, 0) == 1 && f.rows.quality[0] == GW_GOOD);
    CHECK(judge(&f, 10.0, 0, 2 * S, 0) == 1 && f.rows.quality[0] == GW_GOOD); /* exactly */
    CHECK(judge(&f, 21.0, 0, 3 * (int64_t)S, 0) == 1 && f.rows.quality[0] == inconsistent);
    CHECK(judge(&f, 99.0, 0, 3 * (int64_t)S, 0) == 1 && f.rows.quality[0] == GW_GOOD); /* no time */
    CHECK(judge(&f, 0.0, 0, 2 * S, 0) == 1 && f.rows.quality[0] == GW_GOOD); /* clock went back */
    CHECK(judge(&f, 50.0, GW_INVALID, 3 * (int64_t)S, 0) == 1);
    CHECK(judge(&f, 0.0, 0, 4 * (int64_t)S, 0) == 1 && f.rows.quality[0] == GW_GOOD);
    CHECK(judge(&f, (double)NAN, 0, 5 * (int64_t)S, 0) == 1);
    CHECK(judge(&f, 50.0, 0, 6 * (int64_t)S, 0) == 1 && f.rows.quality[0] == GW_GOOD);
    CHECK(judge(&f, -(double)INFINITY, 0, 7 * (int64_t)S, 0) == 1);
    CHECK(f.rows.quality[0] == (GW_INVALID | GW_OVERFLOW));
    drop(&f);
}

static void rate_compares_with_the_sample_before_not_the_image(void)
{
    fixture f = make(1, 4);
    f.rate[0] = 1.0;
    f.deadband[0] = 5.0;
    CHECK(judge(&f, 0.0, 0, 1 * S, 0) == 1);
    CHECK(judge(&f, 1.0, 0, 2 * S, 0) == 0);
    CHECK(judge(&f, 2.0, 0, 3 * (int64_t)S, 0) == 0); /* 2 from the image, 1 from the sample */
    CHECK(f.points.value[0] == 0.0);
    drop(&f);
}

static void area_is_reported_when_reached(void)
{
    fixture f = make(1, 4);
    f.kind[0] = GW_INTEGRATED;
    f.deadband[0] = 3.0; /* unit * s */
    CHECK(judge(&f, 10.0, 0, 1 * S, 0) == 1);
    CHECK(judge(&f, 11.0, 0, 2 * S, 0) == 0);              /* 1 */
    CHECK(judge(&f, 11.0, 0, 3 * (int64_t)S, 0) == 0);     /* 2 */
    CHECK(judge(&f, 10.0, 0, 9 * (int64_t)S, 0) == 0);     /* still 2 */
    CHECK(judge(&f, 9.5, 0, 10 * (int64_t)S, 0) == 0);     /* 2.5: either side counts */
    CHECK(judge(&f, 9.5, 0, 11 * (int64_t)S, 0) == 1);     /* 3 */
    CHECK(f.points.value[0] == 9.5 && f.points.area[0] == 0.0);
    CHECK(judge(&f, 12.0, 0, 12 * (int64_t)S, 0) == 0);    /* 2.5 */
    CHECK(judge(&f, 12.0, GW_TEST, 12 * (int64_t)S, 0) == 1); /* any report starts anew */
    CHECK(f.points.area[0] == 0.0);
    CHECK(judge(&f, (double)NAN, GW_TEST, 13 * (int64_t)S, 0) == 1);
    CHECK(judge(&f, (double)NAN, GW_TEST, 99 * (int64_t)S, 0) == 0); /* NaN has no area */
    CHECK(judge(&f, (double)INFINITY, 0, 99 * (int64_t)S, 0) == 1);
    CHECK(judge(&f, (double)INFINITY, 0, 100 * (int64_t)S, 0) == 0); /* nor has no distance */
    f.deadband[0] = 0.0; /* an area of nothing is a band of nothing */
    CHECK(judge(&f, 12.0, 0, 99 * (int64_t)S, 0) == 1);
    CHECK(judge(&f, 12.0, 0, 100 * (int64_t)S, 0) == 0);
    CHECK(judge(&f, 13.0, 0, 100 * (int64_t)S, 0) == 1);
    drop(&f);
}

static void area_of_a_restored_image_starts_with_the_first_sample(void)
{
    fixture f = make(1, 4);
    f.kind[0] = GW_INTEGRATED;
    f.deadband[0] = 3.0;
    f.points.value[0] = 10.0;
    f.points.quality[0] = GW_GOOD;
    f.points.time[0] = 1 * S;
    CHECK(judge(&f, 11.0, 0, 90 * (int64_t)S, 0) == 0); /* how long it was so is not known */
    CHECK(judge(&f, 11.0, 0, 92 * (int64_t)S, 0) == 0); /* 2 */
    CHECK(judge(&f, 11.0, 0, 93 * (int64_t)S, 0) == 1); /* 3 */
    drop(&f);
}

static void extreme_times_do_not_overflow(void)
{
    fixture f = make(1, 4);
    f.rate[0] = 1.0;
    CHECK(judge(&f, 0.0, 0, INT64_MIN, 0) == 1);
    CHECK(judge(&f, 1.0, 0, INT64_MAX, 0) == 1 && f.rows.quality[0] == GW_GOOD);
    drop(&f);
}

static void a_test_is_marked_in_what_is_reported(void)
{
    fixture f = make(1, 4);
    CHECK(judge(&f, 1.0, 0, 1, 0) == 1);
    put_mark(&f, 0, GW_TEST, 0.0);
    CHECK(judge(&f, 1.0, 0, 2, 0) == 0); /* the mark is no news of the device's */
    CHECK(judge(&f, 2.0, GW_QUESTIONABLE, 3, 0) == 1);
    CHECK(f.rows.value[0] == 2.0 && f.rows.quality[0] == (GW_QUESTIONABLE | GW_TEST));
    CHECK(f.points.value[0] == 2.0 && f.points.quality[0] == (GW_QUESTIONABLE | GW_TEST));
    CHECK(f.points.said_quality[0] == GW_QUESTIONABLE && f.points.withheld[0] == 0);
    CHECK(judge(&f, (double)NAN, GW_INVALID, 4, 0) == 1);
    CHECK(f.rows.value[0] == 2.0 && f.rows.quality[0] == (GW_INVALID | GW_TEST));
    put_mark(&f, 0, 0, 0.0);
    CHECK(f.points.quality[0] == GW_INVALID);
    CHECK(judge(&f, 2.0, 0, 5, 0) == 1 && f.rows.quality[0] == GW_GOOD);
    drop(&f);
}

static void what_a_held_point_says_is_kept_and_counted(void)
{
    fixture f = make(1, 4);
    f.deadband[0] = 1.0;
    CHECK(judge(&f, 10.0, 0, 1, 0) == 1);
    put_mark(&f, 0, GW_SUBSTITUTED, 99.0);
    CHECK(judge(&f, 10.5, 0, 2, 0) == 0 && f.points.withheld[0] == 0); /* quiet anyway */
    CHECK(judge(&f, 99.0, 0, 3, 0) == 0 && f.points.withheld[0] == 1); /* as what is shown */
    CHECK(judge(&f, 12.0, 0, 4, 0) == 0 && f.points.withheld[0] == 2);
    CHECK(judge(&f, 12.0, 0, 5, 1) == 0 && f.points.withheld[0] == 3); /* every */
    CHECK(judge(&f, (double)NAN, GW_INVALID, 6, 0) == 0 && f.points.withheld[0] == 4);
    CHECK(judge(&f, (double)NAN, GW_INVALID, 7, 0) == 0 && f.points.withheld[0] == 4);
    CHECK(f.points.said_value[0] == 12.0 && f.points.said_quality[0] == GW_INVALID);
    CHECK(f.points.said_time[0] == 6);
    CHECK(f.points.value[0] == 99.0 && f.points.quality[0] == GW_SUBSTITUTED);
    CHECK(f.points.time[0] == 1);
    put_mark(&f, 0, 0, 0.0);
    CHECK(f.points.value[0] == 12.0 && f.points.quality[0] == GW_INVALID);
    CHECK(judge(&f, 12.0, 0, 8, 0) == 1); /* the first good one */
    drop(&f);
}

static void a_held_point_that_never_spoke_has_its_first_sample_kept(void)
{
    fixture f = make(1, 4);
    put_mark(&f, 0, GW_OPERATOR_BLOCKED | GW_TEST, 5.0);
    CHECK(judge(&f, (double)NAN, GW_INVALID | GW_OLD_DATA, 1, 0) == 0);
    CHECK(f.points.withheld[0] == 1 && f.points.said_time[0] == 1);
    CHECK(f.points.said_value[0] != f.points.said_value[0]);
    CHECK(f.points.value[0] == 5.0);
    drop(&f);
}

static void history_of_a_held_point_is_its_devices(void)
{
    fixture f = make(1, 4);
    f.kind[0] = GW_INTEGRATED;
    f.deadband[0] = 3.0;
    f.rate[0] = 5.0;
    CHECK(judge(&f, 10.0, 0, 1 * S, 0) == 1);
    put_mark(&f, 0, GW_SUBSTITUTED, 99.0);
    CHECK(judge(&f, 11.0, 0, 2 * S, 0) == 0);              /* 1 from what it said, not from 99 */
    CHECK(judge(&f, 11.0, 0, 3 * (int64_t)S, 0) == 0);     /* 2 */
    CHECK(f.points.area[0] == 2.0 && f.points.withheld[0] == 0);
    CHECK(judge(&f, 11.0, 0, 4 * (int64_t)S, 0) == 0);     /* 3 */
    CHECK(f.points.area[0] == 0.0 && f.points.withheld[0] == 1);
    CHECK(judge(&f, 17.0, 0, 5 * (int64_t)S, 0) == 0);     /* 6 in a second */
    CHECK(f.points.said_quality[0] == (GW_QUESTIONABLE | GW_INCONSISTENT));
    drop(&f);
}

static void a_devices_own_words_are_no_mark(void)
{
    fixture f = make(1, 4);
    CHECK(judge(&f, 1.0, GW_SUBSTITUTED, 1, 0) == 1);
    CHECK(judge(&f, 1.0, GW_SUBSTITUTED, 2, 0) == 0);
    CHECK(judge(&f, 2.0, GW_SUBSTITUTED | GW_OPERATOR_BLOCKED, 3, 0) == 1);
    CHECK(f.points.withheld[0] == 0);
    drop(&f);
}

int main(void)
{
    first_sample_is_reported();
    scale_and_offset();
    deadband_is_left_when_exceeded();
    quality_is_news_and_its_clock_is_not();
    not_a_number_keeps_the_last_value();
    infinity_is_overflow();
    range_includes_its_limits();
    rate_is_judged_between_valid_samples();
    rate_compares_with_the_sample_before_not_the_image();
    area_is_reported_when_reached();
    area_of_a_restored_image_starts_with_the_first_sample();
    extreme_times_do_not_overflow();
    a_test_is_marked_in_what_is_reported();
    what_a_held_point_says_is_kept_and_counted();
    a_held_point_that_never_spoke_has_its_first_sample_kept();
    history_of_a_held_point_is_its_devices();
    a_devices_own_words_are_no_mark();
    return 0;
}
