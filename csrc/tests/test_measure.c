/* Frames measured in one call: the same as step by step, whatever was lost, and however little room. */
#include "sampled.h"

enum { RATE = 4800, FRAMES = 480, SETS = 2 };

static const int32_t sets[SETS][3] = {{0, 1, 2}, {4, 5, 6}};
static const double none[COLUMNS] = {0};

typedef struct {
    gw_sv *sv;
    gw_phasor *phasor;
    gw_phasor_rows reports;
    gw_meter *meter;
    gw_rows values;
    gw_events events;
} chain;

static chain open_chain(void)
{
    gw_sv_setup subscriber = usual_subscriber(RATE, 1);
    chain c = {.sv = made(&subscriber)};
    gw_stream stream = stream_of(RATE);
    stream.hold = 1;
    gw_phasor_setup p = {.stream = stream, .reporting = 100, .sets = SETS, .set = sets[0],
                         .turn = none};
    c.phasor = column(gw_phasor_size(&p), 1);
    CHECK(gw_phasor_init(c.phasor, gw_phasor_size(&p), &p) == GW_OK);
    gw_meter_setup m = {.stream = stream, .voltage = {0, 1, 2, 3}, .current = {4, 5, 6, 7},
                        .declared = 1e6, .swell = INFINITY};
    c.meter = column(gw_meter_size(&m), 1);
    CHECK(gw_meter_init(c.meter, gw_meter_size(&m), &m, NULL, NULL) == GW_OK);
    enum { ROOM = 20000 };
    c.reports = (gw_phasor_rows){ROOM, 0, column(ROOM, 8), column(ROOM, 2), doubles(ROOM, 0),
                                 doubles(ROOM, 0), doubles(ROOM * COLUMNS, 0),
                                 doubles(ROOM * COLUMNS, 0), doubles(ROOM * SETS * 3, 0),
                                 doubles(ROOM * SETS * 3, 0)};
    c.values = (gw_rows){ROOM, 0, column(ROOM, 4), doubles(ROOM, 0), column(ROOM, 2),
                         column(ROOM, 8)};
    c.events = (gw_events){ROOM, 0, column(ROOM, 1), column(ROOM, 1), column(ROOM, 8),
                           column(ROOM, 8), doubles(ROOM, 0), doubles(ROOM, 0), column(ROOM, 2)};
    return c;
}

static gw_measured all_of(chain *c)
{
    return (gw_measured){c->phasor, &c->reports, c->meter, &c->values, &c->events};
}

static void close_chain(chain *c)
{
    void *memory[] = {c->sv, c->phasor, c->meter, c->reports.time, c->reports.quality,
                      c->reports.frequency, c->reports.rocof, c->reports.magnitude,
                      c->reports.angle, c->reports.sequence_magnitude, c->reports.sequence_angle,
                      c->values.point, c->values.value, c->values.quality, c->values.time,
                      c->events.kind, c->events.phase, c->events.start, c->events.end,
                      c->events.value, c->events.more, c->events.quality};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        free(memory[i]);
}

static void same_results(const chain *a, const chain *b)
{
    CHECK(a->reports.count == b->reports.count && a->reports.count > 0);
    CHECK(a->values.count == b->values.count && a->values.count > 0);
    for (int64_t i = 0; i < a->reports.count; i++) {
        CHECK(a->reports.time[i] == b->reports.time[i]);
        CHECK(a->reports.quality[i] == b->reports.quality[i]);
        CHECK(same(a->reports.frequency[i], b->reports.frequency[i]));
    }
    for (int64_t i = 0; i < a->values.count; i++) {
        CHECK(same(a->values.value[i], b->values.value[i]));
        CHECK(a->values.quality[i] == b->values.quality[i]);
        CHECK(a->values.time[i] == b->values.time[i]);
    }
}

/* The frames of a tenth of a second, with some lost and some rows bad; one column of each frame. */
static gw_frames made_frames(int64_t from)
{
    gw_sv_publisher publisher = usual_publisher(RATE, 1);
    int64_t size = gw_sv_frame_size(&publisher), n = 0;
    uint8_t *data = column(FRAMES * size, 1);
    int64_t *offset = column(FRAMES, 8), *sizes = column(FRAMES, 8), *time = column(FRAMES, 8);
    for (int64_t i = 0; i < FRAMES; i++) {
        int64_t index = from + i;
        if (i == 100 || i == 200 || i == 201 || i == 479)
            continue;
        int32_t row[COLUMNS];
        uint16_t quality[COLUMNS] = {0};
        quality[2] = i == 300 ? GW_QUESTIONABLE : GW_GOOD;
        for (int c = 0; c < COLUMNS; c++)
            row[c] = (int32_t)lrint(1e6 * cos(2 * 3.14159265358979 *
                                              ((double)(index % RATE) / 96 - c % 4 / 3.0)));
        CHECK(gw_sv_encode(&publisher, index, row, 1, COLUMNS, quality, 2, data + n * size, size) ==
              size);
        offset[n] = n * size;
        sizes[n] = size;
        time[n++] = index / RATE * 1000000000 + index % RATE * 1000000000 / RATE;
    }
    return (gw_frames){n, data, FRAMES * size, offset, sizes, time};
}

static void leave_frames(gw_frames *frames)
{
    free((void *)frames->data), free((void *)frames->offset);
    free((void *)frames->size), free((void *)frames->time);
}

static void one_call_is_all_of_them(void)
{
    chain once = open_chain(), steps = open_chain(), little = open_chain();
    gw_sample_rows rows = rows_of(FRAMES);
    gw_measured to = all_of(&once), few = all_of(&little);
    for (int block = 0; block < 10; block++) {
        gw_frames frames = made_frames((int64_t)SECOND * RATE + block * FRAMES);
        int64_t before = once.reports.count + once.values.count;
        int64_t results = gw_sv_measure(once.sv, &frames, &rows, &to);
        CHECK(results == once.reports.count + once.values.count - before);
        CHECK(rows.count == FRAMES - 4 && rows.runs == 3);
        CHECK(gw_measure(&rows, &to) == 0); /* all of them were taken */

        CHECK(gw_sv_decode(steps.sv, &frames, &rows) == FRAMES - 4);
        for (int64_t r = 0; r < rows.runs; r++) {
            int64_t first = rows.run_first[r];
            int64_t n = (r + 1 < rows.runs ? rows.run_first[r + 1] : rows.count) - first;
            const int32_t *samples = rows.samples + first * COLUMNS;
            CHECK(gw_phasor_push(steps.phasor, rows.run_index[r], samples, n, COLUMNS,
                                 rows.quality + first, &steps.reports) >= 0);
            CHECK(gw_meter_push(steps.meter, rows.run_index[r], samples, n, COLUMNS,
                                rows.quality + first, &steps.values, &steps.events) >= 0);
        }

        /* Room for nothing of the phasors, then of the meter: another call goes on. */
        little.reports.capacity = little.reports.count;
        CHECK(gw_sv_measure(little.sv, &frames, &rows, &few) == GW_ROWS_FULL);
        little.reports.capacity = once.reports.capacity;
        little.events.capacity = 0;
        CHECK(gw_measure(&rows, &few) == GW_EVENTS_FULL);
        little.events.capacity = once.events.capacity;
        CHECK(gw_measure(&rows, &few) >= 0);
        leave_frames(&frames);
    }
    same_results(&once, &steps);
    same_results(&once, &little);
    int64_t bad[1] = {-1};
    gw_frames none_such = {1, (const uint8_t *)"", 0, bad, bad, bad};
    CHECK(gw_sv_measure(once.sv, &none_such, &rows, &to) == GW_SHORT_BLOCK);
    const gw_measured nothing = {0};
    CHECK(gw_measure(&rows, &nothing) == 0);
    close_chain(&once), close_chain(&steps), close_chain(&little), leave(NULL, &rows);
}

int main(void)
{
    on_every_level(one_call_is_all_of_them);
    return 0;
}
