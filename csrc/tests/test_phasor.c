/* Synchrophasors: sinusoids whose phasors are known, exact sums, gaps, quality, and what is refused. */
#include "check.h"

#define PI 3.14159265358979323846

enum { CHANNELS = 5, SETS = 2, ROOM = 400, SECOND = 1700000000 };

/* Three phases, another channel, and one that is not used as a phase. */
static const int32_t sets[SETS][3] = {{0, 1, 2}, {3, -1, -1}};
static const double scales[CHANNELS] = {1e-5, 1e-5, 1e-5, 1e-6, 1.0};
static const double turns[CHANNELS] = {0.0, 0.0, 0.0, 0.1, 0.0};

static gw_phasor_setup asked(int32_t rate, int32_t nominal, int32_t reporting, int32_t performance)
{
    return (gw_phasor_setup){.stream = {.rate = rate,
                                        .nominal = nominal,
                                        .hold = 2,
                                        .columns = CHANNELS,
                                        .scale = scales},
                             .reporting = reporting,
                             .performance = performance,
                             .sets = SETS,
                             .set = sets[0],
                             .turn = turns,
                             .least = 1.0};
}

/* Memory of exactly the size that is asked for, and nothing but noise in it. */
static gw_phasor *made(gw_phasor_setup setup)
{
    int64_t size = gw_phasor_size(&setup);
    CHECK(size > 0);
    void *memory = column(size, 1);
    memset(memory, 0xa5, (size_t)size);
    CHECK(gw_phasor_init(memory, size - 1, &setup) == GW_NO_ROOM);
    CHECK(gw_phasor_init(memory, size, &setup) == GW_OK);
    return memory;
}

static int64_t held(const gw_phasor *phasor)
{
    gw_stream_state state;
    gw_phasor_look(phasor, &state);
    return state.held;
}

static gw_phasor_rows room(int64_t capacity)
{
    return (gw_phasor_rows){.capacity = capacity,
                            .time = column(capacity, sizeof(int64_t)),
                            .quality = column(capacity, sizeof(uint16_t)),
                            .frequency = doubles(capacity, 0),
                            .rocof = doubles(capacity, 0),
                            .magnitude = doubles(capacity * CHANNELS, 0),
                            .angle = doubles(capacity * CHANNELS, 0),
                            .sequence_magnitude = doubles(capacity * SETS * 3, 0),
                            .sequence_angle = doubles(capacity * SETS * 3, 0)};
}

static void leave(gw_phasor *phasor, gw_phasor_rows *rows)
{
    free(phasor), free(rows->time), free(rows->quality), free(rows->frequency), free(rows->rocof);
    free(rows->magnitude), free(rows->angle);
    free(rows->sequence_magnitude), free(rows->sequence_angle);
}

/* A wave of 100 and 10 units rms whose frequency is `away` from nominal; phase 0.5 at the second. */
static int32_t *wave(int64_t rows, int32_t rate, int32_t nominal, double away)
{
    int32_t *samples = column(rows * CHANNELS, sizeof *samples);
    for (int64_t i = 0; i < rows; i++)
        for (int c = 0; c < CHANNELS; c++) {
            double angle = 2 * PI * (nominal + away) * (double)i / rate + 0.5 - c % 3 * 2 * PI / 3;
            double size = c < 3 ? 100 / scales[c] : c == 3 ? 10 / scales[c] : 0;
            samples[i * CHANNELS + c] = (int32_t)lround(size * sqrt(2) * cos(angle));
        }
    return samples;
}

/* The distance of two angles. */
static double apart(double a, double b)
{
    return fabs(remainder(a - b, 2 * PI));
}

static void is_the_wave(const gw_phasor_rows *rows, int64_t at, double nominal, double away)
{
    double t = (double)(rows->time[at] - SECOND * INT64_C(1000000000)) / 1e9;
    double angle = 0.5 + 2 * PI * away * t;
    CHECK(fabs(rows->frequency[at] - nominal - away) < 1e-4);
    CHECK(fabs(rows->rocof[at]) < 0.02);
    for (int c = 0; c < 3; c++) {
        CHECK(fabs(rows->magnitude[at * CHANNELS + c] - 100) < 0.01);
        CHECK(apart(rows->angle[at * CHANNELS + c], angle - c * 2 * PI / 3) < 1e-4);
    }
    CHECK(fabs(rows->magnitude[at * CHANNELS + 3] - 10) < 0.01);
    CHECK(apart(rows->angle[at * CHANNELS + 3], angle + 0.1) < 1e-3);
    const double *sequence = rows->sequence_magnitude + at * SETS * 3;
    CHECK(fabs(sequence[0] - 100) < 0.01 && sequence[1] < 0.01 && sequence[2] < 0.01);
    CHECK(apart(rows->sequence_angle[at * SETS * 3], angle) < 1e-4);
    CHECK(isnan(sequence[3]) && isnan(sequence[4]) && isnan(sequence[5]));
}

static const struct {
    int32_t rate, nominal, reporting, performance;
} streams[] = {
    {4800, 50, 50, GW_CLASS_P},  {4800, 50, 50, GW_CLASS_M},   {4000, 60, 60, GW_CLASS_P},
    {4000, 60, 12, GW_CLASS_M},  {15360, 50, 100, GW_CLASS_P}, {12800, 60, 120, GW_CLASS_M},
    {1000, 50, 100, GW_CLASS_P}, {1001, 60, 15, GW_CLASS_M},   {4800, 50, 10, GW_CLASS_M},
};

/* In blocks of many sizes, and with the exact number of free rows. */
static void sinusoids_are_measured(void)
{
    for (size_t s = 0; s < sizeof streams / sizeof *streams; s++)
        for (double away = -1.3; away < 2; away += 1.3) {
            int32_t rate = streams[s].rate, nominal = streams[s].nominal;
            gw_phasor *p =
                made(asked(rate, nominal, streams[s].reporting, streams[s].performance));
            int64_t rows = 3 * rate / 2, before = 0, index = (int64_t)SECOND * rate, valid = 0;
            int32_t *samples = wave(rows, rate, nominal, away);
            gw_phasor_rows out = room(ROOM);
            for (int64_t i = 0, n = 0; i < rows; i += n) {
                n = (i * 7 + 1) % 301;
                n = n < rows - i ? n : rows - i;
                out.capacity = before + gw_phasor_reports(p, index + i, n);
                before += gw_phasor_push(p, index + i, samples + i * CHANNELS, n, CHANNELS, NULL, &out);
                CHECK(out.count == before && out.capacity == before);
            }
            for (int64_t i = 0; i < out.count; i++) {
                int64_t instant = i * INT64_C(1000000000) * 2 / streams[s].reporting;
                CHECK(out.time[i] == SECOND * INT64_C(1000000000) + (instant + 1) / 2);
                if (out.quality[i] == GW_INVALID) {
                    CHECK(valid == 0 && isnan(out.frequency[i]) && isnan(out.rocof[i]));
                    CHECK(isnan(out.magnitude[i * CHANNELS]) && isnan(out.angle[i * CHANNELS]));
                    CHECK(isnan(out.sequence_angle[i * SETS * 3]));
                } else {
                    CHECK(out.quality[i] == GW_GOOD && ++valid);
                    is_the_wave(&out, i, nominal, away);
                }
            }
            int64_t late = 2 * gw_phasor_delay(p) * streams[s].reporting / rate;
            CHECK(valid >= 3 * streams[s].reporting / 2 - late - 2);
            CHECK(held(p) == 0);
            leave(p, &out), free(samples);
        }
}

/* Products one by one, from the definition of the window. */
static void sums_are_exact(void)
{
    enum { RATE = 1000, CYCLE = 20, ROWS = 220 };
    gw_phasor *p = made(asked(RATE, 50, 10, GW_CLASS_P));
    gw_phasor_rows out = room(ROOM);
    int64_t sums[2 * CHANNELS], index = (int64_t)SECOND * RATE + 3;
    int32_t samples[ROWS][CHANNELS], bits = 0;
    CHECK(gw_phasor_sums(p, sums, &bits) == GW_NO_SUMS);
    uint32_t noise = 1;
    for (int i = 0; i < ROWS; i++)
        for (int c = 0; c < CHANNELS; c++) {
            /* From here on the second differences just fit 32 bits. */
            int small = i >= 60, odd = i / CYCLE % 2;
            int32_t most = small ? (1 << 29) - 1 : INT32_MAX;
            noise = noise * 1664525u + 1013904223u;
            samples[i][c] = c == 4 ? (odd ? most : -most - 1) : (int32_t)noise >> 2 * small;
        }
    for (int i = 0; i < ROWS; i++) {
        CHECK(gw_phasor_push(p, index + i, samples[i], 1, CHANNELS, NULL, &out) >= 0);
        CHECK(gw_phasor_sums(p, sums, &bits) == index + i - CYCLE + 1 && bits == 22);
        for (int c = 0; c < CHANNELS; c++) {
            int64_t re = 0, im = 0;
            for (int k = 0; k <= i && k < 2 * CYCLE - 1; k++) {
                int64_t weight = k < CYCLE ? k + 1 : 2 * CYCLE - 1 - k;
                double angle = 2 * PI * (double)((index + i - k) % CYCLE) / CYCLE;
                re += weight * samples[i - k][c] * lround(ldexp(cos(angle), bits));
                im -= weight * samples[i - k][c] * lround(ldexp(sin(angle), bits));
            }
            CHECK(sums[2 * c] == re && sums[2 * c + 1] == im);
        }
    }
    leave(p, &out);
    p = made(asked(RATE, 60, 10, GW_CLASS_P));
    CHECK(gw_phasor_sums(p, sums, &bits) == GW_NO_SUMS);
    free(p);
}

/* The same bits on every level: what differs is the instruction set, not the order of a sum. */
static void levels_agree(void)
{
    for (size_t s = 0; s < sizeof streams / sizeof *streams; s++) {
        int32_t rate = streams[s].rate;
        int32_t *samples = wave(rate, rate, streams[s].nominal, 0.7);
        gw_phasor_rows out[GW_LEVELS];
        for (int level = 0; level < GW_LEVELS; level++) {
            if (gw_level_force(level) != GW_OK)
                gw_level_force(GW_PLAIN);
            gw_phasor *p = made(
                asked(rate, streams[s].nominal, streams[s].reporting, streams[s].performance));
            out[level] = room(ROOM);
            CHECK(gw_phasor_push(p, 0, samples, rate, CHANNELS, NULL, &out[level]) > 0);
            CHECK(out[level].count == out[0].count);
            size_t reports = (size_t)out[0].count, width = sizeof(double);
            CHECK(memcmp(out[level].frequency, out[0].frequency, reports * width) == 0);
            CHECK(memcmp(out[level].rocof, out[0].rocof, reports * width) == 0);
            CHECK(memcmp(out[level].angle, out[0].angle, reports * CHANNELS * width) == 0);
            free(p);
        }
        for (int level = 0; level < GW_LEVELS; level++)
            leave(NULL, &out[level]);
        free(samples);
    }
}

/* Push a part of the wave with a gap before it; the number of reports. */
static int64_t after_gap(gw_phasor *p, const int32_t *samples, int64_t from, int64_t rows,
                         gw_phasor_rows *out)
{
    int64_t expected = gw_phasor_reports(p, from, rows);
    int64_t made = gw_phasor_push(p, from, samples + from % 9600 * CHANNELS, rows, CHANNELS, NULL, out);
    CHECK(made == expected);
    return made;
}

static void gaps_are_held_or_start_anew(void)
{
    enum { RATE = 4800, ROWS = 9600, EVERY = 96 };
    for (int performance = GW_CLASS_P; performance <= GW_CLASS_M; performance++) {
        gw_phasor *p = made(asked(RATE, 50, 50, performance));
        int32_t *samples = wave(ROWS, RATE, 50, 0);
        gw_phasor_rows out = room(ROOM);
        int64_t delay = gw_phasor_delay(p), at = 2000;
        after_gap(p, samples, 0, at, &out);
        int64_t before = out.count;
        CHECK(before == (at - 1 - delay) / EVERY + 1);

        /* Two rows are filled: reports go on, those that see them with doubt. */
        after_gap(p, samples, at + 2, 2000, &out);
        CHECK(held(p) == 2);
        for (int64_t i = before; i < out.count; i++) {
            int64_t row = out.time[i] / 1000 * RATE / 1000000;
            int sees = row - delay <= at + 1 && row + delay >= at;
            CHECK(out.quality[i] == (sees ? GW_QUESTIONABLE | GW_INACCURATE : GW_GOOD));
            CHECK(fabs(out.magnitude[i * CHANNELS] - 100) < (sees ? 5 : 0.01));
        }

        /* Three are not: what waited is invalid, and so is all until the window is full. */
        at += 2002;
        before = out.count;
        after_gap(p, samples, at + 3, 2000, &out);
        CHECK(held(p) == 2);
        int64_t invalid = 0;
        for (int64_t i = before; i < out.count; i++) {
            int64_t row = out.time[i] / 1000 * RATE / 1000000;
            CHECK(out.time[i] == out.time[i - 1] + 20000000);
            CHECK(out.quality[i] == (row - delay < at + 3 ? GW_INVALID : GW_GOOD));
            invalid += out.quality[i] == GW_INVALID;
        }
        CHECK(invalid >= 2 * delay / EVERY && invalid <= 2 * delay / EVERY + 1);

        /* Instants more than a second before what ends a gap have no report. */
        at += 2003 + INT64_C(100) * RATE;
        before = out.count;
        after_gap(p, samples, at, 1, &out);
        CHECK(out.count == before + 50);
        for (int64_t i = before; i < out.count; i++)
            CHECK(out.quality[i] == GW_INVALID && isnan(out.frequency[i]));
        CHECK(out.time[before] >= (at - RATE) * 1000000 / RATE * 1000);
        leave(p, &out), free(samples);
    }
    /* Even where the index is within the first second. */
    gw_phasor *p = made(asked(RATE, 50, 50, GW_CLASS_P));
    int32_t row[CHANNELS] = {0};
    gw_phasor_rows out = room(ROOM);
    CHECK(gw_phasor_push(p, 0, row, 1, CHANNELS, NULL, &out) == 0);
    CHECK(gw_phasor_push(p, 1000, row, 1, CHANNELS, NULL, &out) == 11 && out.time[0] == 0);
    leave(p, &out);
}

/* Whatever comes: as many reports as were promised, in the order of time, and no value that is not
 * said to be invalid is missing. */
static void anything_may_come(void)
{
    enum { RATE = 4000, ROWS = 8000 };
    int32_t *samples = wave(ROWS, RATE, 60, 0);
    uint16_t *quality = column(ROWS, sizeof *quality);
    uint32_t noise = 7;
    for (int i = 0; i < ROWS; i++)
        quality[i] = i % 97 == 0 ? (uint16_t)i : 0;
    for (size_t s = 0; s < sizeof streams / sizeof *streams; s++) {
        gw_phasor *p = made(asked(streams[s].rate, streams[s].nominal, streams[s].reporting,
                                  streams[s].performance));
        gw_phasor_rows out = room(ROOM * 2);
        int64_t index = 0, last = -1;
        for (int push = 0; push < 300; push++) {
            noise = noise * 1664525u + 1013904223u;
            int64_t rows = noise >> 16 & 0x7ff, gap = noise >> 4 & 0xff;
            index += gap < 240 ? 0 : gap < 248 ? gap - 239 : gap < 254 ? gap * 7 : gap * 100000;
            int64_t promised = gw_phasor_reports(p, index, rows);
            CHECK(promised >= 0);
            out.count = 0;
            out.capacity = promised;
            CHECK(gw_phasor_push(p, index, samples + index % 3000 * CHANNELS, rows, CHANNELS, noise & 8 ? quality : NULL, &out) == promised);
            CHECK(out.count == promised);
            for (int64_t i = 0; i < promised; i++) {
                int full = out.magnitude[i * CHANNELS] >= 0, good = out.quality[i] == GW_GOOD;
                CHECK(out.time[i] > last && (full || (out.quality[i] & GW_VALIDITY) == GW_INVALID));
                int little = out.sequence_magnitude[i * SETS * 3] < 2;
                CHECK(!good || out.frequency[i] > 0 || little);
                last = out.time[i];
            }
            index += rows;
        }
        out.capacity = ROOM * 2;
        leave(p, &out);
    }
    free(samples), free(quality);
}

/* All details of the window, and the worst validity. */
static void quality_is_that_of_the_window(void)
{
    enum { RATE = 4800, ROWS = 2400, EVERY = 96, RESERVED = 2 };
    static const struct {
        uint16_t first, second, both;
    } cases[] = {
        {0, 0, 0},
        {0, GW_TEST, GW_TEST},
        {GW_QUESTIONABLE | GW_OLD_DATA, 0, GW_QUESTIONABLE | GW_OLD_DATA},
        {GW_QUESTIONABLE | GW_OLD_DATA, GW_INVALID | GW_FAILURE,
         GW_INVALID | GW_FAILURE | GW_OLD_DATA},
        {GW_INVALID, RESERVED, GW_INVALID},
        {GW_QUESTIONABLE, RESERVED, RESERVED},
        {GW_CLOCK_NOT_SYNCHRONISED, GW_DEVICE_TIME, GW_CLOCK_NOT_SYNCHRONISED | GW_DEVICE_TIME},
    };
    int32_t *samples = wave(ROWS, RATE, 50, 0);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        gw_phasor *p = made(asked(RATE, 50, 50, GW_CLASS_P));
        uint16_t *quality = column(ROWS, sizeof *quality);
        gw_phasor_rows out = room(ROOM);
        int64_t at = 1000, delay = gw_phasor_delay(p);
        quality[at] = cases[k].first;
        quality[at + 1] = cases[k].second;
        CHECK(gw_phasor_push(p, 0, samples, ROWS, CHANNELS, quality, &out) > 0);
        for (int64_t i = 4; i < out.count; i++) {
            int first = llabs(i * EVERY - at) <= delay, second = llabs(i * EVERY - at - 1) <= delay;
            if (first == second)
                CHECK(out.quality[i] == (first ? cases[k].both : 0));
            CHECK(fabs(out.magnitude[i * CHANNELS] - 100) < 0.01);
        }
        free(quality), leave(p, &out);
    }
    free(samples);
}

/* A dead line has no frequency; its phasors are what they are. */
static void too_little_has_no_frequency(void)
{
    enum { RATE = 4800, ROWS = 2400 };
    int32_t *samples = column(ROWS * CHANNELS, sizeof *samples);
    for (int three = 0; three < 2; three++) {
        gw_phasor_setup setup = asked(RATE, 50, 50, GW_CLASS_P);
        const int32_t one[2][3] = {{3, -1, -1}, {0, 1, 2}};
        setup.set = three ? setup.set : one[0];
        gw_phasor *p = made(setup);
        gw_phasor_rows out = room(ROOM);
        CHECK(gw_phasor_push(p, 0, samples, ROWS, CHANNELS, NULL, &out) > 0);
        int64_t last = out.count - 1;
        CHECK(isnan(out.frequency[last]) && isnan(out.rocof[last]));
        CHECK(out.quality[last] == GW_GOOD && same(out.magnitude[last * CHANNELS], 0));
        leave(p, &out);
    }
    free(samples);
}

/* One phase alone, which the leak of minus its frequency makes the harder case. */
static void one_phase_is_enough(void)
{
    for (size_t s = 0; s < sizeof streams / sizeof *streams; s++) {
        int32_t rate = streams[s].rate, nominal = streams[s].nominal;
        gw_phasor_setup setup =
            asked(rate, nominal, streams[s].reporting, streams[s].performance);
        const int32_t one[2][3] = {{0, -1, -1}, {1, -1, -1}};
        setup.set = one[0];
        gw_phasor *p = made(setup);
        int32_t *samples = wave(3 * rate / 2, rate, nominal, 1.9);
        gw_phasor_rows out = room(ROOM);
        CHECK(gw_phasor_push(p, 0, samples, 3 * rate / 2, CHANNELS, NULL, &out) > 0);
        int64_t last = out.count - 1;
        CHECK(fabs(out.frequency[last] - nominal - 1.9) < 1e-3);
        CHECK(fabs(out.rocof[last]) < 0.05);
        CHECK(fabs(out.magnitude[last * CHANNELS] - 100) < 0.01);
        leave(p, &out), free(samples);
    }
}

/* Rows that need no padding are copied at once: the same bits come of them. */
static void whole_vectors_are_the_same(void)
{
    enum { RATE = 4800, WHOLE = 4 };
    gw_phasor_setup setup = asked(RATE, 50, 50, GW_CLASS_M);
    gw_phasor *p = made(setup);
    setup.stream.columns = WHOLE;
    gw_phasor *whole = made(setup);
    int32_t *samples = wave(RATE, RATE, 50, 0.4), *packed = column(RATE * WHOLE, sizeof *packed);
    for (int i = 0; i < RATE * WHOLE; i++)
        packed[i] = samples[i / WHOLE * CHANNELS + i % WHOLE];
    gw_phasor_rows out = room(ROOM), same_out = room(ROOM);
    CHECK(gw_phasor_push(p, 0, samples, RATE, CHANNELS, NULL, &out) == 46);
    CHECK(gw_phasor_push(whole, 0, packed, RATE, WHOLE, NULL, &same_out) == 46);
    for (int i = 0; i < 46; i++)
        for (int c = 0; c < WHOLE; c++)
            CHECK(same(out.angle[i * CHANNELS + c], same_out.angle[i * WHOLE + c]));
    leave(p, &out), leave(whole, &same_out), free(samples), free(packed);
}

static void refuses(gw_phasor_setup setup, int64_t code)
{
    static double memory[1 << 17];
    CHECK(gw_phasor_size(&setup) == code);
    CHECK(gw_phasor_init((gw_phasor *)memory, sizeof memory, &setup) == code);
}

static void what_cannot_be_is_refused(void)
{
    const gw_phasor_setup good = asked(4800, 50, 50, GW_CLASS_P);
    CHECK(gw_phasor_size(&good) > 0);
    gw_phasor_setup bad = good;
    int64_t *const wide[] = {&bad.stream.rate, &bad.stream.rate,    &bad.stream.nominal,
                             &bad.stream.hold, &bad.stream.hold,    &bad.stream.columns,
                             &bad.stream.columns};
    const int64_t wides[] = {999, 32769, 55, -1, 4801, 0, GW_COLUMNS + 1};
    for (size_t i = 0; i < sizeof wides / sizeof *wides; i++) {
        bad = good;
        *wide[i] = wides[i];
        refuses(bad, GW_BAD_STREAM);
    }
    const double endless[CHANNELS] = {1.0, 1.0, INFINITY, 1.0, 1.0};
    bad = good;
    bad.stream.scale = endless;
    refuses(bad, GW_BAD_STREAM);
    int32_t *const fields[] = {&bad.reporting, &bad.reporting, &bad.sets, &bad.sets,
                               &bad.performance};
    const int32_t values[] = {60, 0, 0, 17, 2};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        bad = good;
        *fields[i] = values[i];
        refuses(bad, GW_BAD_SETUP);
    }
    const int32_t wrong[][3] = {{-1, 1, 2}, {0, 1, -1}, {0, -1, 2}, {0, 1, 5}, {5, -1, -1}, {0, -2, -2}};
    bad = good;
    bad.sets = 1;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bad.set = wrong[i];
        refuses(bad, GW_BAD_SETUP);
    }
}

/* A refused push changes nothing. */
static void refused_rows_change_nothing(void)
{
    enum { RATE = 4800, ROWS = 960 };
    gw_phasor *p = made(asked(RATE, 50, 50, GW_CLASS_P));
    int32_t *samples = wave(ROWS, RATE, 50, 0);
    gw_phasor_rows out = room(ROOM);
    int64_t most = INT64_C(9000000000) * RATE;
    CHECK(gw_phasor_push(p, -1, samples, 1, CHANNELS, NULL, &out) == GW_BAD_INDEX);
    CHECK(gw_phasor_push(p, most, samples, 1, CHANNELS, NULL, &out) == GW_BAD_INDEX);
    CHECK(gw_phasor_push(p, 0, samples, -1, CHANNELS, NULL, &out) == GW_BAD_BLOCK);
    CHECK(gw_phasor_reports(p, 0, INT64_MAX) == GW_BAD_BLOCK);
    CHECK(gw_phasor_push(p, 0, samples, 1, CHANNELS - 1, NULL, &out) == GW_BAD_BLOCK);
    out.capacity = 7;
    CHECK(gw_phasor_push(p, 0, samples, ROWS, CHANNELS, NULL, &out) == GW_ROWS_FULL);
    CHECK(out.count == 0);
    out.capacity = ROOM;
    CHECK(gw_phasor_push(p, 7, samples, 0, CHANNELS, NULL, &out) == 0);
    CHECK(gw_phasor_push(p, 0, samples, ROWS, CHANNELS, NULL, &out) == 9);
    CHECK(gw_phasor_push(p, ROWS - 1, samples, 1, CHANNELS, NULL, &out) == GW_BAD_INDEX);
    CHECK(gw_phasor_push(p, ROWS, samples, 1, CHANNELS, NULL, &out) == 0);
    CHECK(gw_phasor_push(p, most - 1, samples, 1, CHANNELS, NULL, &out) == 50);
    leave(p, &out), free(samples);
}

int main(void)
{
    on_every_level(sinusoids_are_measured);
    on_every_level(sums_are_exact);
    on_every_level(gaps_are_held_or_start_anew);
    on_every_level(anything_may_come);
    levels_agree();
    quality_is_that_of_the_window();
    too_little_has_no_frequency();
    one_phase_is_enough();
    whole_vectors_are_the_same();
    what_cannot_be_is_refused();
    refused_rows_change_nothing();
    return 0;
}
