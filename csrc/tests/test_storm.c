/* Anything may come: no bound that a push is given is ever passed, and the sanitizers see all. */
#include "stream.h"

static uint64_t state = 88172645463325252u;

static uint64_t dice(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int64_t below(int64_t n)
{
    return (int64_t)(dice() % (uint64_t)n);
}

/* A push into memory that has exactly the room that it asks for. */
static void push(gw_meter *meter, int64_t index, int64_t n, const int32_t *samples,
                 const uint16_t *quality, int64_t quantities)
{
    int64_t r = gw_meter_rows(meter, n), e = gw_meter_events(meter, n);
    gw_rows rows = {r, 0, column(r, 4), column(r, 8), column(r, 2), column(r, 8)};
    gw_events events = {e, 0, column(e, 1), column(e, 1), column(e, 8), column(e, 8),
                        column(e, 8), column(e, 8), column(e, 2)};
    CHECK(gw_meter_push(meter, index, samples, n, 8, quality, &rows, &events) == rows.count);
    CHECK(rows.count <= r && events.count <= e);
    for (int64_t i = 0; i < rows.count; i++) {
        CHECK(rows.point[i] >= 0 && rows.point[i] < quantities && rows.time[i] >= 0);
        CHECK(rows.value[i] == rows.value[i] || (rows.quality[i] & GW_VALIDITY) == GW_INVALID);
    }
    free(rows.point), free(rows.value), free(rows.quality), free(rows.time);
    free(events.kind), free(events.phase), free(events.start), free(events.end);
    free(events.value), free(events.more), free(events.quality);
}

static void storm(int64_t rate, int64_t nominal, int64_t hold, int pushes)
{
    gw_meter_setup setup = usual_setup();
    setup.stream.rate = rate;
    setup.stream.nominal = nominal;
    setup.stream.hold = hold;
    static const double tiny[8] = {1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6};
    setup.stream.columns = 8;
    setup.stream.scale = tiny;
    setup.orders = (int64_t)(0.44 * (double)rate / (double)nominal);
    setup.orders = setup.orders > 50 ? 50 : setup.orders;
    for (int l = 0; l < 4; l++) {
        setup.voltage[l] = l;
        setup.current[l] = 7 - l;
    }
    int64_t size = gw_meter_size(&setup), points = gw_meter_points(&setup);
    gw_meter *meter = column(size, 1);
    gw_spectrum *spectrum = column(gw_spectrum_size(points), 1);
    CHECK(gw_spectrum_init(spectrum, gw_spectrum_size(points), points) == GW_OK);
    CHECK(gw_meter_init(meter, size, &setup, spectrum, NULL) == GW_OK);
    int64_t index = 599 * rate, quantities = gw_meter_quantities(&setup);
    double hertz = 50.0, turns = 0.0;
    for (int i = 0; i < pushes; i++) {
        int64_t n = 1 + below(below(8) ? 64 : 2 * rate);
        int32_t *samples = column(8 * n, sizeof *samples);
        uint16_t *quality = column(n, sizeof *quality);
        int kind = (int)below(4);
        hertz = below(5) ? hertz : (double)below(120);
        for (int64_t s = 0; s < n; s++) {
            for (int l = 0; l < 8; l++)
                samples[8 * s + l] =
                    kind == 0   ? (int32_t)(uint32_t)dice()
                    : kind == 1 ? (below(2) ? INT32_MIN : INT32_MAX)
                                : (int32_t)lrint(3e8 * cos(2 * pi * (turns - l / 3.0)));
            turns += hertz / (double)rate;
            turns -= floor(turns);
            quality[s] = (uint16_t)(below(50) ? 0 : dice());
        }
        if (!below(6))
            index += below(4) ? below(hold + 2) : below(900 * rate);
        push(meter, index, n, samples, below(2) ? quality : NULL, quantities);
        index += n;
        free(samples), free(quality);
    }
    free(meter), free(spectrum);
}

/* The order of the phases turns with each cycle: lanes have more crossings than ever. */
static void turns_of_the_order(void)
{
    gw_meter_setup setup = usual_setup();
    setup.orders = 0;
    int64_t size = gw_meter_size(&setup);
    gw_meter *meter = column(size, 1);
    CHECK(gw_meter_init(meter, size, &setup, NULL, NULL) == GW_OK);
    int32_t samples[8 * 100];
    for (int64_t i = 0; i < 200; i++) {
        int order = i / 2 % 2 ? 1 : -1;
        for (int s = 0; s < 100; s++)
            for (int l = 0; l < 8; l++)
                samples[8 * s + l] = (int32_t)lrint(3e4 * cos(2 * pi * (s / 20.0 + order * l / 3.0)));
        push(meter, i * 100, 100, samples, NULL, gw_meter_quantities(&setup));
    }
    free(meter);
}

static void storms(void)
{
    turns_of_the_order();
    storm(1000, 50, 20, 200);
    storm(1000, 60, 1000, 100);
    storm(4000, 60, 3, 60);
    storm(14400, 50, 0, 25);
    storm(32768, 60, 8, 12);
}

int main(void)
{
    on_every_level(storms);
    return 0;
}
