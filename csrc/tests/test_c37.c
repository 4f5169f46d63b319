/* Frames of C37.118: the check, where frames begin and end, layouts, rows and quality. */
#include "check.h"

#include "../c37_table.h"

/* Annex D.3: data of a PMU with four phasors in integers, three analogs in floats, a digital. */
static const uint8_t annex_d[] = {
    0xaa, 0x01, 0x00, 0x34, 0x1e, 0x36, 0x44, 0x85, 0x36, 0x00, 0x00, 0x00, 0x41,
    0xb1, 0x00, 0x00, 0x39, 0x2b, 0x00, 0x00, 0xe3, 0x6a, 0xce, 0x7c, 0xe3, 0x6a,
    0x31, 0x83, 0x04, 0x44, 0x00, 0x00, 0x09, 0xc4, 0x00, 0x00, 0x42, 0xc8, 0x00,
    0x00, 0x44, 0x7a, 0x00, 0x00, 0x46, 0x1c, 0x40, 0x00, 0x3c, 0x12, 0xd4, 0x3f};
enum { SIZE = sizeof annex_d };

static const gw_c37_block annex_block = {
    .format = GW_C37_FLOAT_ANALOGS, .phasors = 4, .analogs = 3, .digitals = 1, .nominal = 60};
static const double annex_scale[] = {9.15527, 9.15527, 9.15527, 0.45776}, nothing[4] = {0};
static const double ones[] = {1, 1, 1, 1};

static gw_c37_stream annex_stream(void)
{
    return (gw_c37_stream){.idcode = 7734,
                           .version = 1,
                           .time_base = 1000000,
                           .pmus = 1,
                           .block = &annex_block,
                           .phasor_scale = annex_scale,
                           .phasor_turn = nothing,
                           .analog_scale = ones,
                           .analog_offset = nothing};
}

/* A copy in memory of its own length, so that the sanitizers see its end. */
static uint8_t *copy(const uint8_t *data, int64_t length)
{
    uint8_t *memory = column(length, 1);
    memcpy(memory, data, (size_t)length);
    return memory;
}

static gw_c37_layout *laid(const gw_c37_stream *stream)
{
    int64_t size = gw_c37_layout_size(stream);
    CHECK(size > 0);
    gw_c37_layout *layout = column(size, 1);
    CHECK(gw_c37_layout_init(layout, size - 1, stream) == GW_NO_ROOM);
    CHECK(gw_c37_layout_init(layout, size, stream) > 0);
    return layout;
}

static gw_c37_rows rows_for(const gw_c37_stream *stream, int64_t capacity)
{
    int64_t phasors = 0, analogs = 0, digitals = 0, pmus = stream->pmus;
    for (int64_t p = 0; p < pmus; p++) {
        phasors += stream->block[p].phasors;
        analogs += stream->block[p].analogs;
        digitals += stream->block[p].digitals;
    }
    return (gw_c37_rows){.capacity = capacity,
                         .time = column(capacity, 8),
                         .time_quality = column(capacity, 1),
                         .stat = column(capacity * pmus, 2),
                         .quality = column(capacity * pmus, 2),
                         .frequency = column(capacity * pmus, 8),
                         .rocof = column(capacity * pmus, 8),
                         .phasor = column(capacity * phasors * 2, 8),
                         .analog = column(capacity * analogs, 8),
                         .digital = column(capacity * digitals, 2)};
}

static void drop_rows(gw_c37_rows *rows)
{
    void *columns[] = {rows->time,   rows->time_quality, rows->stat,
                       rows->quality, rows->frequency,    rows->rocof,
                       rows->phasor,  rows->analog,       rows->digital};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        free(columns[i]);
}

/* Bit by bit, from the polynomial of annex B. */
static unsigned slow_crc(unsigned crc, const uint8_t *data, int64_t length)
{
    for (int64_t i = 0; i < length; i++) {
        crc ^= (unsigned)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return crc;
}

static void the_crc_is_that_of_annex_b(void)
{
    CHECK(gw_c37_crc((const uint8_t *)"123456789", 9) == 0x29b1); /* reveng: CRC-16/IBM-3740 */
    CHECK(gw_c37_crc((const uint8_t *)"Arnold", 6) == slow_crc(0xffff, (const uint8_t *)"Arnold", 6));
    CHECK(gw_c37_crc(annex_d, SIZE - 2) == 0xd43f);
    uint8_t data[8] = {0};
    for (int after = 0; after < 8; after++)
        for (int octet = 0; octet < 256; octet++) { /* every row of the table */
            data[0] = (uint8_t)octet;
            CHECK(remainder_after[after][octet] == slow_crc(0, data, 1 + after));
        }
    for (int length = 0; length <= 200; length++) {
        uint8_t *many = column(length, 1);
        for (int i = 0; i < length; i++)
            many[i] = (uint8_t)(i * i * 37 + 11);
        CHECK(gw_c37_crc(many, length) == slow_crc(0xffff, many, length));
        for (int bit = 0; bit < length * 8; bit++) { /* each on its own, too */
            memset(many, 0, (size_t)length);
            many[bit / 8] = (uint8_t)(1 << bit % 8);
            CHECK(gw_c37_crc(many, length) == slow_crc(0xffff, many, length));
        }
        free(many);
    }
}

static void frames_open_and_seal(void)
{
    gw_c37_header h = {.kind = GW_C37_COMMAND,
                       .version = 1,
                       .idcode = 7734,
                       .second = 1149591600,
                       .fraction = 770000,
                       .time_quality = 0x0f};
    const uint8_t start[] = {0, 2};
    /* Annex D.4: turn on transmission. */
    const uint8_t command[] = {0xaa, 0x41, 0x00, 0x12, 0x1e, 0x36, 0x44, 0x85, 0x60,
                               0x30, 0x0f, 0x0b, 0xbf, 0xd0, 0x00, 0x02, 0xce, 0x00};
    uint8_t *out = column(18, 1);
    CHECK(gw_c37_seal(&h, start, 2, out, 17) == GW_NO_ROOM);
    CHECK(gw_c37_seal(&h, start, -1, out, 18) == GW_BAD_LENGTH);
    CHECK(gw_c37_seal(&h, start, GW_C37_MOST - GW_C37_LEAST + 1, out, 18) == GW_BAD_LENGTH);
    CHECK(gw_c37_seal(&h, start, 2, out, 18) == 18 && memcmp(out, command, 18) == 0);
    gw_c37_header found = {0};
    for (int64_t length = 0; length < 18; length++) {
        uint8_t *part = copy(command, length);
        CHECK(gw_c37_open(part, length, &found) == 0);
        free(part);
    }
    CHECK(gw_c37_open(out, 18, &found) == 18);
    h.size = 18;
    CHECK(memcmp(&h, &found, sizeof h) == 0);
    for (int bit = 32; bit < 18 * 8; bit++) {
        out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(gw_c37_open(out, 18, &found) == GW_BAD_CHECK);
        out[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(gw_c37_seal(&h, NULL, 0, out, 18) == 16 && gw_c37_open(out, 16, &found) == 16);
    out[3] = 15;
    CHECK(gw_c37_open(out, 16, &found) == GW_BAD_FRAME);
    out[1] = 0x61; /* there is no such kind */
    CHECK(gw_c37_open(out, 16, &found) == GW_BAD_FRAME);
    out[0] = 0xab;
    CHECK(gw_c37_open(out, 1, &found) == GW_BAD_FRAME);
    free(out);
    int32_t *fields[] = {&h.kind, &h.version, &h.idcode, &h.fraction, &h.time_quality};
    const int32_t beyond[] = {6, 16, 65536, 1 << 24, 256};
    uint8_t frame[18];
    for (int i = 0; i < 5; i++)
        for (int below = 0; below < 2; below++) {
            int32_t was = *fields[i];
            *fields[i] = below ? -1 : beyond[i];
            CHECK(gw_c37_seal(&h, start, 2, frame, 18) == GW_BAD_TIME);
            *fields[i] = was;
        }
}

static void the_next_frame_is_found(void)
{
    const uint8_t noise[] = {0xaa, 0x01, 0xaa, 0x7f, 0xaa, 0xaa, 0x31, 0x00, 0xaa};
    CHECK(gw_c37_find(noise, 9) == 5);
    CHECK(gw_c37_find(noise + 5, 4) == 3); /* may be the start of one */
    CHECK(gw_c37_find(noise + 8, 1) == 1);
    CHECK(gw_c37_find(noise, 0) == 0 && gw_c37_find(noise, -1) == 0);
}

static void the_data_of_annex_d(void)
{
    gw_c37_stream stream = annex_stream();
    gw_c37_layout *layout = laid(&stream);
    gw_c37_rows rows = rows_for(&stream, 2);
    uint8_t *octets = column(3 * SIZE, 1), *again = column(2 * SIZE, 1);
    for (int i = 0; i < 3; i++)
        memcpy(octets + i * SIZE, annex_d, SIZE);
    int64_t used, unfit;
    CHECK(gw_c37_unpack(layout, octets, SIZE - 1, &rows, &used) == 0 && used == 0);
    CHECK(gw_c37_unpack(layout, octets, 3 * SIZE, &rows, &used) == 2 && used == 2 * SIZE);
    CHECK(gw_c37_unpack(layout, octets, 3 * SIZE, &rows, &used) == GW_ROWS_FULL && used == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(rows.time[i] == 1149580800016817000 && rows.time_quality[i] == 0);
        CHECK(rows.stat[i] == 0 && rows.quality[i] == GW_DEVICE_TIME);
        const double *p = rows.phasor + 8 * i;
        const double counts[] = {14635, 0, -7318, -12676, -7318, 12675, 1092, 0};
        for (int k = 0; k < 8; k++)
            CHECK(p[k] == counts[k] * annex_scale[k / 2]);
        CHECK(rows.frequency[i] == 62.5 && rows.rocof[i] == 0);
        CHECK(rows.analog[3 * i] == 100 && rows.analog[3 * i + 1] == 1000);
        CHECK(rows.analog[3 * i + 2] == 10000 && rows.digital[i] == 0x3c12);
    }
    CHECK(gw_c37_pack(layout, &rows, 0, 2, again, 2 * SIZE - 1, &unfit) == GW_NO_ROOM);
    CHECK(gw_c37_pack(layout, &rows, 0, 3, again, 2 * SIZE, &unfit) == GW_BAD_LENGTH);
    CHECK(gw_c37_pack(layout, &rows, -1, 1, again, 2 * SIZE, &unfit) == GW_BAD_LENGTH);
    CHECK(gw_c37_pack(layout, &rows, 0, -1, again, 2 * SIZE, &unfit) == GW_BAD_LENGTH);
    CHECK(gw_c37_pack(layout, &rows, 0, 2, again, 2 * SIZE, &unfit) == 2 * SIZE && unfit == 0);
    CHECK(memcmp(again, octets, 2 * SIZE) == 0);
    for (int i = 0; i < 2; i++) {
        rows.time[1] = i ? -1 : 4294967295 * 1000000000 + 1;
        CHECK(gw_c37_pack(layout, &rows, 0, 2, again, 2 * SIZE, &unfit) == GW_BAD_TIME);
    }
    free(layout), free(octets), free(again), drop_rows(&rows);
}

static void what_is_not_data_of_this_stream(void)
{
    gw_c37_stream stream = annex_stream();
    gw_c37_layout *layout = laid(&stream);
    gw_c37_rows rows = rows_for(&stream, 4);
    uint8_t frames[2 * SIZE + 18];
    int64_t used;
    gw_c37_header h = {.kind = GW_C37_DATA, .version = 2, .idcode = 7734};
    memcpy(frames, annex_d, SIZE);
    CHECK(gw_c37_seal(&h, frames, 2, frames + SIZE, 18) == 18);
    memcpy(frames + SIZE + 18, annex_d, SIZE);
    CHECK(gw_c37_unpack(layout, frames, sizeof frames, &rows, &used) == 1 && used == SIZE);
    CHECK(gw_c37_unpack(layout, frames + SIZE, 18, &rows, &used) == GW_OTHER_SIZE && used == 0);
    h.idcode = 7735;
    CHECK(gw_c37_seal(&h, frames, 2, frames + SIZE, 18) == 18);
    CHECK(gw_c37_unpack(layout, frames + SIZE, 18, &rows, &used) == GW_OTHER_FRAME);
    h = (gw_c37_header){.kind = GW_C37_COMMAND, .idcode = 7734};
    CHECK(gw_c37_seal(&h, frames, 2, frames + SIZE, 18) == 18);
    CHECK(gw_c37_unpack(layout, frames + SIZE, 18, &rows, &used) == GW_OTHER_FRAME);
    frames[SIZE + 17] ^= 1;
    CHECK(gw_c37_unpack(layout, frames + SIZE, 18, &rows, &used) == GW_BAD_CHECK);
    CHECK(gw_c37_unpack(layout, frames + 1, 18, &rows, &used) == GW_BAD_FRAME);
    CHECK(rows.count == 1);
    free(layout), drop_rows(&rows);
}

static void streams_that_cannot_be(void)
{
    const gw_c37_stream good = annex_stream();
    gw_c37_block block = annex_block;
    uint64_t memory[512];
    gw_c37_stream bad[] = {good, good, good, good, good, good, good, good, good};
    const double zero[] = {1, 1, 0, 1}, infinite[] = {1, (double)INFINITY, 1, 1};
    bad[0].pmus = 0;
    bad[1].time_base = 0;
    bad[2].time_base = 1 << 24;
    bad[3].idcode = 65536;
    bad[4].phasor_scale = zero;
    bad[5].phasor_turn = infinite;
    bad[6].analog_scale = zero;
    bad[7].analog_offset = infinite;
    bad[8].phasor_scale = infinite;
    for (int i = 0; i < 9; i++) {
        CHECK(gw_c37_layout_size(&bad[i]) == GW_BAD_CONFIG);
        CHECK(gw_c37_layout_init(memory, sizeof memory, &bad[i]) == GW_BAD_CONFIG);
    }
    gw_c37_stream stream = good;
    stream.block = &block;
    int32_t *fields[] = {&block.phasors, &block.analogs, &block.digitals, &block.nominal};
    for (int i = 0; i < 4; i++) {
        int32_t was = *fields[i];
        *fields[i] = -1;
        CHECK(gw_c37_layout_size(&stream) == GW_BAD_CONFIG);
        *fields[i] = INT32_MAX; /* longer than a frame can be */
        CHECK(gw_c37_layout_size(&stream) == GW_BAD_CONFIG);
        *fields[i] = was;
    }
    CHECK(gw_c37_layout_size(&stream) > 0);
}

/* Two PMUs with 20 phasors each, of two formats; every value comes back as near as its format. */
static void every_format_comes_back(int first, int second, double turn)
{
    enum { PHASORS = 20, ANALOGS = 2, ROWS = 3 };
    gw_c37_block blocks[2];
    double scale[2 * PHASORS], turns[2 * PHASORS], gain[2 * ANALOGS], offset[2 * ANALOGS];
    for (int p = 0; p < 2; p++)
        blocks[p] = (gw_c37_block){.format = p ? second : first,
                                   .phasors = PHASORS,
                                   .analogs = ANALOGS,
                                   .digitals = p,
                                   .nominal = p ? 50 : 60};
    for (int k = 0; k < 2 * PHASORS; k++) {
        scale[k] = k % 3 ? 0.5 : 1;
        turns[k] = turn * k;
    }
    for (int k = 0; k < 2 * ANALOGS; k++)
        gain[k] = 2, offset[k] = -5;
    gw_c37_stream stream = {2, 2, 999, 2, blocks, scale, turns, gain, offset};
    gw_c37_layout *layout = laid(&stream);
    gw_c37_rows in = rows_for(&stream, ROWS), out = rows_for(&stream, ROWS);
    in.count = ROWS;
    for (int i = 0; i < ROWS; i++) {
        in.time[i] = 1700000000000000000 + i * 333333333;
        in.time_quality[i] = (uint8_t)(i == 1 ? 0x27 : 0);
        for (int p = 0; p < 2; p++) {
            int at = 2 * i + p;
            in.stat[at] = (uint16_t)(0x1234 * at);
            in.frequency[at] = blocks[p].nominal + 0.5 * i;
            in.rocof[at] = -0.25 * i;
            for (int k = 0; k < PHASORS; k++) {
                double *v = in.phasor + (at * PHASORS + k) * 2;
                v[0] = 1000 + 10 * k + i;
                v[1] = blocks[p].format & GW_C37_POLAR ? 0.15 * k : -500 - k;
            }
            for (int k = 0; k < ANALOGS; k++)
                in.analog[at * ANALOGS + k] = 2 * k + 2 * i - 5;
        }
        in.digital[i] = (uint16_t)(0xff00 + i);
    }
    int64_t capacity = ROWS * 2000, unfit, used;
    uint8_t *octets = column(capacity, 1);
    int64_t made = gw_c37_pack(layout, &in, 0, ROWS, octets, capacity, &unfit);
    CHECK(made > 0 && unfit == 0);
    uint8_t *exact = copy(octets, made);
    CHECK(gw_c37_unpack(layout, exact, made, &out, &used) == ROWS && used == made);
    for (int i = 0; i < ROWS; i++) {
        int64_t off = out.time[i] - in.time[i];
        CHECK(off > -500501 && off < 500501 && out.time_quality[i] == in.time_quality[i]);
        CHECK(out.digital[i] == in.digital[i]);
    }
    for (int at = 0; at < 2 * ROWS; at++) {
        CHECK(out.stat[at] == in.stat[at]);
        CHECK(fabs(out.frequency[at] - in.frequency[at]) < 1e-9);
        CHECK(fabs(out.rocof[at] - in.rocof[at]) < 1e-9);
        for (int k = 0; k < ANALOGS; k++)
            CHECK(out.analog[at * ANALOGS + k] == in.analog[at * ANALOGS + k]);
        for (int k = 0; k < 2 * PHASORS; k++) {
            int polar = blocks[at % 2].format & GW_C37_POLAR;
            double tolerance = polar && k % 2 ? 0.51e-4 : 0.71; /* turned: the diagonal */
            CHECK(fabs(out.phasor[at * 2 * PHASORS + k] - in.phasor[at * 2 * PHASORS + k]) <
                  tolerance);
        }
    }
    free(layout), free(octets), free(exact), drop_rows(&in), drop_rows(&out);
}

static void formats(void)
{
    for (int first = 0; first < 16; first++)
        for (int turned = 0; turned < 2; turned++)
            every_format_comes_back(first, 15 - first, turned ? 0.4 : 0);
}

/* The carry into the next second, and parts that are no whole nanoseconds. */
static void times_are_rounded(void)
{
    gw_c37_block block = {.nominal = 50};
    gw_c37_stream stream = {1, 2, 3, 1, &block, NULL, NULL, NULL, NULL};
    gw_c37_layout *layout = laid(&stream);
    gw_c37_rows rows = rows_for(&stream, 3);
    const int64_t sent[] = {5000000000, 5333333333, 5900000000};
    const int64_t shown[] = {5000000000, 5333333333, 6000000000};
    memcpy(rows.time, sent, sizeof sent);
    rows.count = 3;
    uint8_t octets[66];
    int64_t unfit, used;
    CHECK(gw_c37_pack(layout, &rows, 0, 3, octets, 66, &unfit) == 66);
    rows.count = 0;
    CHECK(gw_c37_unpack(layout, octets, 66, &rows, &used) == 3);
    CHECK(memcmp(rows.time, shown, sizeof shown) == 0);
    free(layout), drop_rows(&rows);
}

static void absent_and_unfit(int format)
{
    gw_c37_block block = {.format = format, .phasors = 3, .analogs = 3, .nominal = 50};
    gw_c37_stream stream = {1, 2, 1000, 1, &block, ones, nothing, ones, nothing};
    gw_c37_layout *layout = laid(&stream);
    gw_c37_rows rows = rows_for(&stream, 1);
    double nan = (double)NAN, beyond = 1e300;
    const double phasor[] = {nan, 1, beyond, 1, 1, -beyond}, analog[] = {nan, beyond, -32768};
    memcpy(rows.phasor, phasor, sizeof phasor);
    memcpy(rows.analog, analog, sizeof analog);
    rows.frequency[0] = nan;
    rows.rocof[0] = beyond;
    rows.count = 1;
    uint8_t octets[100];
    int64_t unfit, used;
    int64_t made = gw_c37_pack(layout, &rows, 0, 1, octets, 100, &unfit);
    CHECK(made > 0 && unfit == (format & GW_C37_FLOAT_ANALOGS ? 4 : 5));
    rows.count = 0;
    CHECK(gw_c37_unpack(layout, octets, made, &rows, &used) == 1);
    for (int k = 0; k < 6; k++) {
        int other = k == 1 || k == 3 || k == 4; /* a float has only one of a pair absent */
        double left = other && format & GW_C37_FLOAT_PHASORS ? 1 : nan;
        CHECK(same(rows.phasor[k], left));
    }
    CHECK(same(rows.analog[0], nan) && same(rows.analog[1], nan));
    CHECK(same(rows.analog[2], format & GW_C37_FLOAT_ANALOGS ? -32768.0 : nan));
    CHECK(same(rows.frequency[0], nan) && same(rows.rocof[0], nan));
    free(layout), drop_rows(&rows);
}

static void quality_and_stat(void)
{
    enum { BAD = GW_QUESTIONABLE | GW_INACCURATE, CLOCK = GW_CLOCK_NOT_SYNCHRONISED };
    const struct { unsigned stat, time_quality, quality; } table[] = {
        {0x0000, 0x00, 0},
        {0x0c0f, 0x75, 0}, /* trigger, changed configuration, leap seconds, 10 us */
        {0x4000, 0x00, GW_QUESTIONABLE | GW_FAILURE},
        {0x8000, 0x00, GW_INVALID},
        {0xc000, 0x00, GW_INVALID | GW_FAILURE},
        {0x2000, 0x00, CLOCK},
        {0x1000, 0x00, CLOCK},
        {0x0010, 0x00, CLOCK},
        {0x0020, 0x00, CLOCK},
        {0x0200, 0x00, BAD},
        {0x00c0, 0x00, 0},   /* 10 us */
        {0x0100, 0x00, BAD}, /* 100 us */
        {0x01c0, 0x00, BAD | CLOCK},
        {0x0000, 0x06, BAD},
        {0x0000, 0x0f, BAD | CLOCK},
        {0x8200, 0x00, GW_INVALID | GW_INACCURATE},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint16_t stat = (uint16_t)table[i].stat, quality = 0;
        uint8_t time_quality = (uint8_t)table[i].time_quality;
        gw_c37_quality(1, &stat, &time_quality, &quality);
        CHECK(quality == (table[i].quality | GW_DEVICE_TIME));
    }
    const struct { unsigned quality, stat; } back[] = {
        {GW_GOOD, 0},
        {GW_DEVICE_TIME, 0},
        {GW_INVALID, 0x8000},
        {2, 0x8000},
        {GW_INVALID | GW_FAILURE, 0xc000},
        {GW_TEST, 0x8000},
        {GW_QUESTIONABLE, 0x4000},
        {GW_QUESTIONABLE | GW_FAILURE, 0x4000},
        {BAD, 0x0200},
        {GW_QUESTIONABLE | CLOCK, 0x2000},
        {CLOCK, 0x2000},
        {GW_OLD_DATA | GW_OPERATOR_BLOCKED, 0x4000},
        {BAD | GW_FAILURE, 0x4200},
        {GW_SUBSTITUTED, 0x0200},
        {GW_INVALID | GW_SUBSTITUTED, 0x8200},
    };
    for (size_t i = 0; i < sizeof back / sizeof *back; i++) {
        uint16_t quality = (uint16_t)back[i].quality, stat = 0;
        gw_c37_stat(1, &quality, &stat);
        CHECK(stat == back[i].stat);
    }
}

static void every_code_has_a_sentence(void)
{
    for (int code = GW_BAD_TIME; code <= GW_BAD_FRAME; code++)
        CHECK(strcmp(gw_strerror(code), "unknown error") != 0);
}

int main(void)
{
    on_every_level(the_crc_is_that_of_annex_b);
    frames_open_and_seal();
    the_next_frame_is_found();
    on_every_level(the_data_of_annex_d);
    what_is_not_data_of_this_stream();
    streams_that_cannot_be();
    formats();
    times_are_rounded();
    for (int format = 0; format < 16; format++)
        absent_and_unfit(format);
    quality_and_stat();
    every_code_has_a_sentence();
    return 0;
}
