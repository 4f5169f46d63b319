/* What a meter is, what it refuses, and what it makes of a stream. */
#include "stream.h"

static int64_t number(int span, int kind, int64_t item, int64_t order)
{
    gw_meter_setup setup = usual_setup();
    return gw_meter_quantity(&setup, span, kind, item, order);
}

static void setups_are_checked(void)
{
    const gw_meter_setup good = usual_setup();
    gw_meter_setup bad[20];
    for (int i = 0; i < 20; i++)
        bad[i] = good;
    bad[0].stream.rate = 999;
    bad[1].stream.rate = 32769;
    bad[2].stream.nominal = 55;
    bad[3].stream.hold = -1;
    bad[4].stream.hold = RATE + 1;
    bad[5].orders = -1;
    bad[6].orders = 9; /* 450 Hz of 1000 */
    bad[7].declared = 0.0;
    bad[8].floor = (double)NAN;
    bad[9].dip = 1.1;
    bad[10].swell = 0.9;
    bad[11].interruption = -0.1;
    bad[12].hysteresis = 0.6;
    bad[13].change = 2.0;
    bad[14].change_hysteresis = -1.0;
    bad[15].voltage[3] = COLUMNS;
    bad[16].current[3] = COLUMNS;
    bad[17].voltage[0] = -1;
    for (int l = 0; l < 4; l++)
        bad[18].voltage[l] = bad[18].current[l] = -1;
    bad[19].voltage[0] = bad[19].voltage[1] = bad[19].voltage[2] = bad[19].current[0] = -1;
    for (int i = 0; i < 20; i++) {
        int64_t code = i < 5 ? GW_BAD_STREAM : GW_BAD_SETUP;
        CHECK(gw_meter_size(&bad[i]) == code);
        CHECK(gw_meter_points(&bad[i]) == code);
        CHECK(gw_meter_quantities(&bad[i]) == code);
        CHECK(gw_meter_quantity(&bad[i], GW_CYCLES, GW_RMS, 0, 0) == code);
        CHECK(gw_meter_init(NULL, 0, &bad[i], NULL, NULL) == code);
    }
    int64_t size = gw_meter_size(&good);
    gw_meter *meter = column(size, 1);
    CHECK(gw_meter_init(meter, size - 1, &good, NULL, NULL) == GW_NO_ROOM);
    CHECK(gw_meter_init(NULL, size, &good, NULL, NULL) == GW_NO_ROOM);
    CHECK(gw_meter_init(meter, size, &good, NULL, NULL) == GW_BAD_SETUP);
    free(meter);
}

static void quantities_have_numbers(void)
{
    gw_meter_setup setup = usual_setup();
    int64_t all = gw_meter_quantities(&setup), seen = 0;
    uint8_t *taken = column(all, 1);
    for (int span = 0; span < GW_SPANS; span++)
        for (int kind = 0; kind < GW_KINDS; kind++)
            for (int64_t item = 0; item < 16; item++)
                for (int64_t order = 0; order <= setup.orders; order++) {
                    int64_t q = number(span, kind, item, order);
                    CHECK(q == GW_BAD_QUANTITY || (q >= 0 && q < all && !taken[q]));
                    if (q >= 0)
                        seen += taken[q] = 1;
                }
    CHECK(seen == all);
    free(taken);
    CHECK(number(-1, 0, 0, 0) == GW_BAD_QUANTITY && number(GW_SPANS, 0, 0, 0) == GW_BAD_QUANTITY);
    CHECK(number(1, -1, 0, 0) == GW_BAD_QUANTITY && number(1, GW_KINDS, 0, 0) == GW_BAD_QUANTITY);
    CHECK(number(1, 0, -1, 0) == GW_BAD_QUANTITY && number(1, 0, 0, -1) == GW_BAD_QUANTITY);
    setup.orders = 0;
    CHECK(gw_meter_quantity(&setup, GW_CYCLES, GW_THD, 0, 0) == GW_BAD_QUANTITY);
}

static void a_refused_push_changes_nothing(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    s.index = RATE;
    CHECK(flow(&s, 100) == 0);
    const int32_t samples[2 * COLUMNS] = {0};
    int64_t next = RATE + 100;
    CHECK(gw_meter_push(s.meter, next, samples, 0, COLUMNS, NULL, &s.rows, &s.events) == 0);
    CHECK(gw_meter_push(s.meter, next + 9, samples, 0, COLUMNS, NULL, &s.rows, &s.events) == 0);
    CHECK(gw_meter_push(s.meter, next, samples, -1, COLUMNS, NULL, &s.rows, &s.events) ==
          GW_BAD_BLOCK);
    CHECK(gw_meter_push(s.meter, next, samples, INT64_MAX, COLUMNS, NULL, &s.rows, &s.events) ==
          GW_BAD_BLOCK);
    CHECK(gw_meter_push(s.meter, next, samples, 2, COLUMNS - 1, NULL, &s.rows, &s.events) == GW_BAD_BLOCK);
    CHECK(gw_meter_push(s.meter, next - 1, samples, 2, COLUMNS, NULL, &s.rows, &s.events) ==
          GW_BAD_INDEX);
    CHECK(gw_meter_push(s.meter, INT64_MAX, samples, 2, COLUMNS, NULL, &s.rows, &s.events) ==
          GW_BAD_INDEX);
    s.rows.count = s.rows.capacity - gw_meter_rows(s.meter, 2) + 1;
    CHECK(gw_meter_push(s.meter, next, samples, 2, COLUMNS, NULL, &s.rows, &s.events) ==
          GW_ROWS_FULL);
    s.rows.count = 0;
    s.events.count = s.events.capacity - gw_meter_events(s.meter, 2) + 1;
    CHECK(gw_meter_push(s.meter, next, samples, 2, COLUMNS, NULL, &s.rows, &s.events) ==
          GW_EVENTS_FULL);
    gw_meter_state state;
    gw_meter_look(s.meter, &state);
    CHECK(state.stream.next == next && state.stream.held == 0 && state.stream.gaps == 0);
    close_stream(&s);
}

static void values_are_those_of_the_stream(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    s.hertz = 51.0;
    CHECK(flow(&s, 600) > 0 && flow(&s, 600) > 0);
    int64_t i = last_of(&s, number(GW_CYCLES, GW_RMS, 0, 0));
    CHECK(i >= 0 && close_to(s.rows.value[i], 230.0, 0.05) && s.rows.quality[i] == GW_GOOD);
    i = last_of(&s, number(GW_CYCLES, GW_ACTIVE, 3, 0));
    CHECK(close_to(s.rows.value[i], 3 * 230 * 5 * cos(pi / 6), 1.0));
    i = last_of(&s, number(GW_CYCLES, GW_REACTIVE, 3, 0));
    CHECK(close_to(s.rows.value[i], 3 * 230 * 5 * 0.5, 1.0));
    i = last_of(&s, number(GW_CYCLES, GW_FREQUENCY, 0, 0));
    CHECK(close_to(s.rows.value[i], 51.0, 0.001));
    i = last_of(&s, number(GW_CYCLES, GW_HARMONIC, 1, 1));
    CHECK(close_to(s.rows.value[i], 230.0, 0.05));
    i = last_of(&s, number(GW_HALF_CYCLE, GW_RMS, 6, 0));
    CHECK(close_to(s.rows.value[i], 5.0, 0.005));
    i = last_of(&s, number(GW_FOREVER, GW_ENERGY, 3, 0));
    CHECK(s.rows.value[i] > 0.0 && gw_meter_energy(s.meter)[3] >= s.rows.value[i]);
    i = last_of(&s, number(GW_CYCLES, GW_THD, 3, 0)); /* of nothing */
    CHECK(s.rows.value[i] != s.rows.value[i] && s.rows.quality[i] == GW_INVALID);
    gw_meter_state state;
    gw_meter_look(s.meter, &state);
    CHECK(state.locked && close_to(state.frequency, 51.0, 0.01));
    close_stream(&s);
}

static void power_out_of_the_load_is_negative(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    s.amperes = -5.0;
    flow(&s, 1000);
    int64_t i = last_of(&s, number(GW_CYCLES, GW_ACTIVE, 3, 0));
    CHECK(s.rows.value[i] < -2900.0);
    const double *energy = gw_meter_energy(s.meter);
    CHECK(energy[3] == 0.0 && energy[7] > 0.0 && energy[11] == 0.0 && energy[15] > 0.0);
    close_stream(&s);
}

static void rows_are_for_the_points_selected(void)
{
    gw_meter_setup setup = usual_setup();
    int64_t all = gw_meter_quantities(&setup);
    int32_t *select = column(all, sizeof *select);
    for (int64_t q = 0; q < all; q++)
        select[q] = -1;
    select[number(GW_CYCLES, GW_RMS, 2, 0)] = 77;
    stream s = open_stream(&setup, select);
    CHECK(flow(&s, 1000) == 4);
    for (int i = 0; i < 4; i++)
        CHECK(s.rows.point[i] == 77);
    for (int i = 0; i < 4; i++)
        CHECK(flow(&s, 1000) == 5);
    free(select);
    close_stream(&s);
}

/* One phase: its apparent power is the circuit's, and there are no sequences. */
static void one_phase_is_enough(void)
{
    gw_meter_setup setup = usual_setup();
    for (int l = 1; l < 3; l++)
        setup.voltage[l] = setup.current[l] = -1;
    stream s = open_stream(&setup, NULL);
    flow(&s, 1000);
    int64_t i = last_of(&s, number(GW_CYCLES, GW_APPARENT, 3, 0));
    CHECK(close_to(s.rows.value[i], 1150.0, 0.5) && s.rows.quality[i] == GW_GOOD);
    i = last_of(&s, number(GW_CYCLES, GW_FACTOR_1, 3, 0));
    CHECK(close_to(s.rows.value[i], cos(pi / 6), 0.001));
    i = last_of(&s, number(GW_CYCLES, GW_UNBALANCE, 0, 0));
    CHECK(s.rows.quality[i] == GW_INVALID);
    flow(&s, 500);
    s.volts[0] = 220.0;
    flow(&s, 1000);
    flow(&s, 1000);
    CHECK(s.events.count == 1 && s.events.kind[0] == GW_CHANGE);
    close_stream(&s);
}

/* Currents alone: the phase is theirs. */
static void currents_are_enough(void)
{
    gw_meter_setup setup = usual_setup();
    for (int l = 0; l < 3; l++)
        setup.voltage[l] = -1;
    setup.floor = 0.1;
    stream s = open_stream(&setup, NULL);
    s.hertz = 48.0;
    flow(&s, 1000);
    int64_t i = last_of(&s, number(GW_CYCLES, GW_SEQUENCE, 3, 0));
    CHECK(close_to(s.rows.value[i], 5.0, 0.001));
    i = last_of(&s, number(GW_CYCLES, GW_FREQUENCY, 0, 0));
    CHECK(close_to(s.rows.value[i], 48.0, 0.001) && s.events.count == 0);
    close_stream(&s);
}

/* Wires in the wrong order: windows are right all the same, and the sequences tell. */
static void phases_in_the_other_order(void)
{
    gw_meter_setup setup = usual_setup();
    setup.voltage[1] = 6;
    setup.voltage[2] = 5;
    stream s = open_stream(&setup, NULL);
    s.hertz = 48.3;
    flow(&s, 1000);
    gw_meter_state state;
    gw_meter_look(s.meter, &state);
    CHECK(state.locked && state.reversed && close_to(state.frequency, 48.3, 0.001));
    int64_t i = last_of(&s, number(GW_CYCLES, GW_SEQUENCE, 1, 0));
    CHECK(close_to(s.rows.value[i], 230.0, 0.05));
    for (int l = 0; l < 3; l++) {
        i = last_of(&s, number(GW_HALF_CYCLE, GW_RMS, l, 0));
        CHECK(close_to(s.rows.value[i], 230.0, 0.05) && s.rows.quality[i] == GW_GOOD);
    }
    close_stream(&s);
}

static void codes_have_sentences(void)
{
    for (int code = GW_NO_SUMS; code <= GW_BAD_STREAM; code++) {
        CHECK(strlen(gw_strerror(code)) > 20 && strcmp(gw_strerror(code), "unknown error") != 0);
        for (int other = GW_NO_SUMS; other < code; other++)
            CHECK(strcmp(gw_strerror(code), gw_strerror(other)) != 0);
    }
}

/* Blocks of any length, on any level, with columns side by side or not: the same rows. */
static void blocks_and_levels_do_not_matter(void)
{
    gw_meter_setup setup = usual_setup();
    uint64_t first = 0;
    int runs = 0;
    for (int level = 0; level < GW_LEVELS; level++)
        for (int64_t length = 1; length < 700; length += 1 + length * 5) {
            if (gw_level_force(level) != GW_OK)
                continue;
            stream s = open_stream(&setup, NULL);
            uint64_t sum = 14695981039346656037u;
            for (int64_t done = 0; done < 4000; done += length) {
                flow(&s, length < 4000 - done ? length : 4000 - done);
                for (int64_t i = 0; i < s.rows.count; i++) {
                    uint64_t bits;
                    memcpy(&bits, &s.rows.value[i], 8);
                    bits = s.rows.value[i] != s.rows.value[i] ? 0 : bits;
                    sum = (sum ^ bits) * 1099511628211u;
                    sum = (sum ^ (uint64_t)s.rows.time[i]) * 1099511628211u;
                }
            }
            first = runs++ == 0 ? sum : first;
            CHECK(sum == first);
            close_stream(&s);
        }
    CHECK(runs >= 4);
}

/* Four lanes of each group side by side in the row are copied at once. */
static void neighbouring_columns_are_the_same(void)
{
    gw_meter_setup setup = usual_setup();
    stream s = open_stream(&setup, NULL);
    setup.voltage[3] = 7;
    setup.current[3] = 3;
    stream t = open_stream(&setup, NULL);
    CHECK(flow(&s, 1000) == flow(&t, 1000));
    for (int64_t i = 0; i < s.rows.count; i++) {
        int64_t q = s.rows.point[i];
        CHECK(q == t.rows.point[i]);
        if (q != number(GW_CYCLES, GW_THD, 3, 0) && q != number(GW_CYCLES, GW_THD, 7, 0))
            CHECK(same(s.rows.value[i], t.rows.value[i]));
    }
    close_stream(&s);
    close_stream(&t);
}

int main(void)
{
    setups_are_checked();
    quantities_have_numbers();
    a_refused_push_changes_nothing();
    on_every_level(values_are_those_of_the_stream);
    on_every_level(power_out_of_the_load_is_negative);
    rows_are_for_the_points_selected();
    one_phase_is_enough();
    currents_are_enough();
    phases_in_the_other_order();
    codes_have_sentences();
    blocks_and_levels_do_not_matter();
    neighbouring_columns_are_the_same();
    return 0;
}
