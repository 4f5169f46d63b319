/*
 * Mutated frames of C37.118: whatever comes, nothing is read or written beyond its memory, what is
 * accepted is written again to the same octets, and what is refused changes nothing.
 *
 * `test_c37_fuzz SECONDS SEED` goes on for longer than the moment that it takes among the tests.
 */
#include <time.h>

#include "check.h"

enum { CAPACITY = 70000, ROWS = 4, MOMENT = 20000 };

static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth, MMIX */
    return (uint32_t)((state >> 33) % below);
}

typedef struct {
    gw_c37_config c;
    void *columns[10];
} columns;

/* Of exactly this size, so that the sanitizers see their ends. */
static columns columns_for(const gw_c37_counts *n)
{
    columns of = {.c = {.counts = *n}};
    of.columns[0] = of.c.pmu = column(n->pmus, sizeof *of.c.pmu);
    of.columns[1] = of.c.phasor_unit = column(n->phasors, 4);
    of.columns[2] = of.c.phasor_scale = column(n->phasors, 4);
    of.columns[3] = of.c.phasor_turn = column(n->phasors, 4);
    of.columns[4] = of.c.analog_unit = column(n->analogs, 4);
    of.columns[5] = of.c.analog_scale = column(n->analogs, 4);
    of.columns[6] = of.c.analog_offset = column(n->analogs, 4);
    of.columns[7] = of.c.digital_unit = column(n->digitals, 4);
    of.columns[8] = of.c.name_end = column(n->names, 4);
    of.columns[9] = of.c.text = column(n->text, 1);
    return of;
}

static void drop_columns(columns *of)
{
    for (int i = 0; i < 10; i++)
        free(of->columns[i]);
}

/* A configuration of a few PMUs, of any of the three kinds. */
static int64_t seed_config(uint8_t *octets)
{
    static const int kinds[] = {GW_C37_CONFIG_1, GW_C37_CONFIG_2, GW_C37_CONFIG_3};
    gw_c37_counts n = {.pmus = 1 + chance(3)};
    gw_c37_block blocks[3];
    for (int p = 0; p < n.pmus; p++) {
        blocks[p] = (gw_c37_block){(int32_t)chance(16), (int32_t)chance(4), (int32_t)chance(3),
                                   (int32_t)chance(2), chance(2) ? 50 : 60};
        n.phasors += blocks[p].phasors;
        n.analogs += blocks[p].analogs;
        n.digitals += blocks[p].digitals;
        n.names += 1 + blocks[p].phasors + blocks[p].analogs + 16 * blocks[p].digitals;
    }
    n.text = 3 * n.names;
    columns of = columns_for(&n);
    of.c.time_base = 1 + (int32_t)chance(0xffffff);
    of.c.rate = (int32_t)chance(100) - 50;
    for (int p = 0; p < n.pmus; p++)
        of.c.pmu[p] = (gw_c37_pmu){.idcode = p, .block = blocks[p], .service = 'M'};
    for (int64_t k = 0; k < n.phasors; k++) {
        of.c.phasor_unit[k] = chance(1 << 30);
        of.c.phasor_scale[k] = (float)chance(5);
        of.c.phasor_turn[k] = (float)chance(2);
    }
    for (int32_t k = 0; k < n.names; k++)
        of.c.name_end[k] = 3 * (k + 1);
    memset(of.c.text, 'x', (size_t)n.text);
    gw_c37_header h = {.kind = kinds[chance(3)], .version = 2, .idcode = (int32_t)chance(65536)};
    int64_t made = gw_c37_config_pack(&h, &of.c, octets, CAPACITY);
    CHECK(made > 0);
    drop_columns(&of);
    return made;
}

static void seal_again(uint8_t *octets, int64_t length)
{
    if (length < GW_C37_LEAST)
        return;
    octets[2] = (uint8_t)(length >> 8);
    octets[3] = (uint8_t)length;
    uint16_t crc = gw_c37_crc(octets, length - 2);
    octets[length - 2] = (uint8_t)(crc >> 8);
    octets[length - 1] = (uint8_t)crc;
}

/* A few octets changed, some left out or put in; with a good check mostly, or nothing is reached. */
static int64_t mutated(uint8_t *octets, int64_t length)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
    for (uint32_t n = chance(4); n > 0; n--)
        octets[chance((uint32_t)length)] = chance(2) ? (uint8_t)chance(256) : edges[chance(5)];
    if (chance(4) == 0)
        length = 1 + chance((uint32_t)length);
    else if (chance(8) == 0) {
        uint32_t more = 1 + chance(40);
        for (uint32_t i = 0; i < more; i++)
            octets[length++] = (uint8_t)chance(256);
    }
    if (chance(16))
        seal_again(octets, length);
    return length;
}

/* A layout from what was read, and data frames of it, mutated too. */
static void data_of(const gw_c37_config *c, int32_t idcode)
{
    const gw_c37_counts *n = &c->counts;
    gw_c37_block *blocks = column(n->pmus, sizeof *blocks);
    double *scale = doubles(n->phasors, 1), *turn = doubles(n->phasors, 0);
    double *gain = doubles(n->analogs, 1), *offset = doubles(n->analogs, 0);
    for (int64_t p = 0; p < n->pmus; p++)
        blocks[p] = c->pmu[p].block;
    for (int64_t k = 0; k < n->phasors; k++) {
        scale[k] = (double)c->phasor_scale[k];
        turn[k] = (double)c->phasor_turn[k];
    }
    gw_c37_stream stream = {idcode, 2,    c->time_base, (int32_t)n->pmus, blocks, scale,
                            turn,   gain, offset};
    int64_t size = gw_c37_layout_size(&stream);
    if (size > 0) {
        gw_c37_layout *layout = column(size, 1);
        int64_t frame = gw_c37_layout_init(layout, size, &stream);
        CHECK(frame >= GW_C37_LEAST && frame <= GW_C37_MOST);
        gw_c37_rows rows = {.capacity = ROWS,
                            .time = column(ROWS, 8),
                            .time_quality = column(ROWS, 1),
                            .stat = column(ROWS * n->pmus, 2),
                            .quality = column(ROWS * n->pmus, 2),
                            .frequency = column(ROWS * n->pmus, 8),
                            .rocof = column(ROWS * n->pmus, 8),
                            .phasor = column(ROWS * n->phasors * 2, 8),
                            .analog = column(ROWS * n->analogs, 8),
                            .digital = column(ROWS * n->digitals, 2)};
        int64_t total = 2 * frame;
        uint8_t *octets = column(total, 1);
        for (int64_t i = 0; i < total; i++)
            octets[i] = (uint8_t)chance(256);
        for (int i = 0; i < 2; i++) {
            uint8_t *at = octets + i * frame;
            at[0] = 0xaa, at[1] = 0x02;
            at[4] = (uint8_t)(idcode >> 8), at[5] = (uint8_t)idcode;
            seal_again(at, frame);
        }
        if (chance(2))
            octets[chance((uint32_t)total)] = (uint8_t)chance(256);
        int64_t length = chance(3) ? total : (int64_t)chance((uint32_t)total), used, unfit;
        uint8_t *exact = column(length, 1);
        memcpy(exact, octets, (size_t)length);
        int64_t count = gw_c37_unpack(layout, exact, length, &rows, &used);
        CHECK(count <= 2 && used <= length && rows.count == (count > 0 ? count : 0));
        CHECK(used == rows.count * frame);
        uint8_t *again = column(used, 1);
        int64_t made = gw_c37_pack(layout, &rows, 0, rows.count, again, used, &unfit);
        CHECK(made == used || made == GW_BAD_TIME); /* FRACSEC may be beyond TIME_BASE */
        free(again), free(exact), free(octets), free(layout);
        void *memory[] = {rows.time,  rows.time_quality, rows.stat,   rows.quality, rows.frequency,
                          rows.rocof, rows.phasor,       rows.analog, rows.digital};
        for (int i = 0; i < 9; i++)
            free(memory[i]);
    }
    free(blocks), free(scale), free(turn), free(gain), free(offset);
}

static int one(uint8_t *seed)
{
    int64_t length = mutated(seed, seed_config(seed));
    uint8_t *octets = column(length, 1);
    memcpy(octets, seed, (size_t)length);
    gw_c37_header h;
    int64_t size = gw_c37_open(octets, length, &h), next = gw_c37_find(octets, length);
    CHECK(next >= 0 && next <= length && size <= length);
    gw_c37_counts n;
    int code = gw_c37_config_counts(octets, length, &n), read = 0;
    CHECK(code == GW_OK || (code <= GW_BAD_FRAME && code > GW_BAD_TIME) || code == GW_BAD_CHECK);
    if (code == GW_OK) {
        columns of = columns_for(&n);
        CHECK(gw_c37_config_unpack(octets, length, &of.c) == GW_OK);
        CHECK(memcmp(&of.c.counts, &n, sizeof n) == 0);
        uint8_t *again = column(size, 1);
        CHECK(gw_c37_config_pack(&h, &of.c, again, size) == size);
        /* But for the bits that are reserved: of TIME_BASE and of FNOM. */
        gw_c37_counts twice;
        CHECK(gw_c37_config_counts(again, size, &twice) == GW_OK);
        CHECK(memcmp(&twice, &n, sizeof n) == 0);
        data_of(&of.c, h.idcode);
        free(again);
        drop_columns(&of);
        read = 1;
    }
    free(octets);
    return read;
}

int main(int count, char **words)
{
    double seconds = count > 1 ? atof(words[1]) : 0;
    state = count > 2 ? strtoull(words[2], NULL, 10) : 118;
    uint8_t *seed = column(CAPACITY, 1);
    time_t began = time(NULL);
    int64_t frames = 0, read = 0;
    while (seconds > 0 ? difftime(time(NULL), began) < seconds : frames < MOMENT) {
        read += one(seed);
        frames++;
    }
    CHECK(read > frames / 20 && read < frames);
    if (seconds > 0)
        printf("%lld frames, %lld of them read\n", (long long)frames, (long long)read);
    free(seed);
    return 0;
}
