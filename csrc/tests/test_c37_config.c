/* Configuration frames of C37.118: that of annex D, all kinds, and those that contradict themselves. */
#include "check.h"

enum { PMUS = 4, CHANNELS = 16, NAMES = 200, TEXT = 4000 };

typedef struct {
    gw_c37_pmu pmu[PMUS];
    uint32_t phasor_unit[CHANNELS], analog_unit[CHANNELS], digital_unit[CHANNELS];
    float phasor_scale[CHANNELS], phasor_turn[CHANNELS];
    float analog_scale[CHANNELS], analog_offset[CHANNELS];
    int32_t name_end[NAMES];
    uint8_t text[TEXT];
} memory;

static gw_c37_config over(memory *m)
{
    return (gw_c37_config){.counts = {PMUS, CHANNELS, CHANNELS, CHANNELS, NAMES, TEXT},
                           .pmu = m->pmu,
                           .phasor_unit = m->phasor_unit,
                           .phasor_scale = m->phasor_scale,
                           .phasor_turn = m->phasor_turn,
                           .analog_unit = m->analog_unit,
                           .analog_scale = m->analog_scale,
                           .analog_offset = m->analog_offset,
                           .digital_unit = m->digital_unit,
                           .name_end = m->name_end,
                           .text = m->text};
}

static void named(gw_c37_config *c, const char *name)
{
    size_t length = strlen(name);
    memcpy(c->text + c->counts.text, name, length);
    c->counts.text += (int64_t)length;
    c->name_end[c->counts.names++] = (int32_t)c->counts.text;
}

/* The PMU of annex D.2 (without its tail), so many times. */
static gw_c37_config annex(memory *m, int pmus)
{
    static const char *const channels[] = {"VA", "VB", "VC", "I1", "ANALOG1", "ANALOG2", "ANALOG3"};
    static const uint32_t units[] = {0x000df847, 0x000df847, 0x000df847, 0x0100b2d0};
    memset(m, 0, sizeof *m);
    gw_c37_config c = over(m);
    c.counts = (gw_c37_counts){0};
    c.time_base = 1000000;
    c.rate = 30;
    for (int p = 0; p < pmus; p++) {
        m->pmu[c.counts.pmus++] = (gw_c37_pmu){
            .idcode = 7734,
            .block = {GW_C37_FLOAT_ANALOGS, 4, 3, 1, 60},
            .changes = 22,
            .service = 'P',
            .window = 40000,
            .delay = -20000,
            .latitude = 46.5f,
            .longitude = -6.25f,
            .elevation = 400,
            .global_id = {1, 2, 3},
        };
        named(&c, "Station A");
        for (int i = 0; i < 7; i++)
            named(&c, channels[i]);
        for (int bit = 1; bit <= 16; bit++) {
            char name[17];
            snprintf(name, sizeof name, "BREAKER %c STATUS", "0123456789ABCDEFG"[bit]);
            named(&c, name);
        }
        for (int i = 0; i < 4; i++) {
            m->phasor_unit[c.counts.phasors] = units[i];
            m->phasor_scale[c.counts.phasors] = 0.5f;
            m->phasor_turn[c.counts.phasors++] = 0.25f;
        }
        for (int i = 0; i < 3; i++) {
            m->analog_unit[c.counts.analogs] = (uint32_t)i << 24 | 1;
            m->analog_scale[c.counts.analogs] = 2;
            m->analog_offset[c.counts.analogs++] = -1;
        }
        m->digital_unit[c.counts.digitals++] = 0x0000ffff;
    }
    return c;
}

static const gw_c37_header config_2 = {.kind = GW_C37_CONFIG_2,
                                       .version = 1,
                                       .idcode = 7734,
                                       .second = 1149577200,
                                       .fraction = 463000,
                                       .time_quality = 0x56};

static void the_configuration_of_annex_d(void)
{
    memory m, found_m;
    gw_c37_config c = annex(&m, 1), found = over(&found_m);
    uint8_t *octets = column(454, 1);
    CHECK(gw_c37_config_pack(&config_2, &c, octets, 453) == GW_NO_ROOM);
    CHECK(gw_c37_config_pack(&config_2, &c, octets, 454) == 454);
    CHECK(octets[0] == 0xaa && octets[1] == 0x31 && octets[2] == 0x01 && octets[3] == 0xc6);
    CHECK(octets[452] == 0xd5 && octets[453] == 0xd1); /* the check that annex D prints */
    gw_c37_counts counts;
    CHECK(gw_c37_config_counts(octets, 454, &counts) == GW_OK);
    CHECK(counts.pmus == 1 && counts.phasors == 4 && counts.analogs == 3 && counts.digitals == 1);
    CHECK(counts.names == 24 && counts.text == 24 * 16);
    CHECK(gw_c37_config_unpack(octets, 454, &found) == GW_OK);
    CHECK(memcmp(&found.counts, &counts, sizeof counts) == 0);
    CHECK(found.time_base == 1000000 && found.rate == 30);
    CHECK(memcmp(found_m.phasor_unit, m.phasor_unit, 16) == 0);
    CHECK(memcmp(found_m.analog_unit, m.analog_unit, 12) == 0);
    CHECK(found_m.digital_unit[0] == 0xffff && found_m.phasor_scale[0] == 0.0f);
    CHECK(memcmp(found_m.text, "Station A       VA    ", 22) == 0);
    CHECK(found_m.pmu[0].changes == 22 && found_m.pmu[0].block.nominal == 60);
    CHECK(isinf(found_m.pmu[0].latitude));
    int64_t *rooms[] = {&found.counts.pmus,     &found.counts.phasors, &found.counts.analogs,
                        &found.counts.digitals, &found.counts.names,   &found.counts.text};
    for (int i = 0; i < 6; i++) {
        found = over(&found_m);
        *rooms[i] = ((int64_t *)&counts)[i] - 1;
        CHECK(gw_c37_config_unpack(octets, 454, &found) == GW_NO_ROOM);
    }
    /* Two of them, as published in the tests of pyPMU. */
    gw_c37_config two = annex(&m, 2);
    uint8_t more[884];
    CHECK(gw_c37_config_pack(&config_2, &two, more, 884) == 884);
    CHECK(more[882] == 0x20 && more[883] == 0xe8);
    free(octets);
}

static void configuration_3_comes_back(void)
{
    memory m, found_m;
    gw_c37_config c = annex(&m, 3), found = over(&found_m);
    gw_c37_header h = config_2;
    h.kind = GW_C37_CONFIG_3;
    uint8_t octets[4000], again[4000];
    m.pmu[1].block.nominal = 50;
    c.rate = -5;
    int64_t size = gw_c37_config_pack(&h, &c, octets, sizeof octets);
    CHECK(size > 0);
    CHECK(gw_c37_config_unpack(octets, size, &found) == GW_OK);
    CHECK(found.rate == -5 && memcmp(&found.counts, &c.counts, sizeof c.counts) == 0);
    CHECK(memcmp(found_m.pmu, m.pmu, 3 * sizeof *m.pmu) == 0);
    CHECK(memcmp(found_m.text, m.text, (size_t)c.counts.text) == 0);
    CHECK(memcmp(found_m.name_end, m.name_end, (size_t)c.counts.names * 4) == 0);
    CHECK(memcmp(found_m.phasor_unit, m.phasor_unit, 48) == 0);
    CHECK(memcmp(found_m.phasor_scale, m.phasor_scale, 48) == 0);
    CHECK(memcmp(found_m.phasor_turn, m.phasor_turn, 48) == 0);
    CHECK(memcmp(found_m.analog_scale, m.analog_scale, 36) == 0);
    CHECK(memcmp(found_m.analog_offset, m.analog_offset, 36) == 0);
    CHECK(gw_c37_config_pack(&h, &found, again, sizeof again) == size);
    CHECK(memcmp(octets, again, (size_t)size) == 0);
}

/* A frame of this body. */
static int read_body(int kind, const uint8_t *body, int64_t length)
{
    gw_c37_header h = {.kind = kind, .version = 2, .idcode = 1};
    memory m;
    gw_c37_config c = over(&m);
    uint8_t *octets = column(length + 16, 1);
    CHECK(gw_c37_seal(&h, body, length, octets, length + 16) == length + 16);
    int code = gw_c37_config_unpack(octets, length + 16, &c);
    free(octets);
    return code;
}

static void contradictions_are_refused(void)
{
    for (int kind = GW_C37_CONFIG_1; kind <= GW_C37_CONFIG_3; kind++) {
        if (kind == GW_C37_COMMAND)
            continue;
        memory m;
        gw_c37_config c = annex(&m, 2);
        gw_c37_header h = {.kind = kind};
        uint8_t octets[2000];
        int64_t size = gw_c37_config_pack(&h, &c, octets, sizeof octets);
        uint8_t *body = octets + GW_C37_BODY;
        CHECK(read_body(kind, body, size - 16) == GW_OK);
        for (int64_t length = kind == GW_C37_CONFIG_3 ? 2 : 0; length < size - 16; length++)
            CHECK(read_body(kind, body, length) == GW_BAD_CONFIG);
        CHECK(read_body(kind, octets + GW_C37_BODY, size - 15) == GW_BAD_CONFIG); /* one more */
    }
    const uint8_t nobody[] = {0, 0, 0, 1, 0, 0, 0, 30}, timeless[] = {0, 0, 0, 0, 0, 0, 0, 30};
    CHECK(read_body(GW_C37_CONFIG_2, nobody, 8) == GW_BAD_CONFIG);
    CHECK(read_body(GW_C37_CONFIG_2, timeless, 8) == GW_BAD_CONFIG);
    const uint8_t part[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 30};
    CHECK(read_body(GW_C37_CONFIG_3, part, 10) == GW_FRAGMENT);
    CHECK(read_body(GW_C37_COMMAND, part, 2) == GW_OTHER_FRAME);
    gw_c37_counts counts;
    uint8_t octets[16] = {0xaa, 0x31, 0, 16};
    CHECK(gw_c37_config_counts(octets, 16, &counts) == GW_BAD_CHECK);
    CHECK(gw_c37_config_counts(octets, 15, &counts) == GW_BAD_FRAME);
    CHECK(gw_c37_config_counts(octets + 1, 15, &counts) == GW_BAD_FRAME);
}

static void what_cannot_be_said_is_refused(void)
{
    memory m;
    gw_c37_config c = annex(&m, 1);
    uint8_t octets[2000];
    gw_c37_pmu was = m.pmu[0];
    int32_t *fields[] = {&m.pmu[0].idcode,         &m.pmu[0].block.format,
                         &m.pmu[0].block.phasors,  &m.pmu[0].block.analogs,
                         &m.pmu[0].block.digitals, &m.pmu[0].block.nominal,
                         &m.pmu[0].changes,        &m.pmu[0].service};
    for (int i = 0; i < 8; i++)
        for (int below = 0; below < 2; below++) {
            *fields[i] = below ? -1 : 65536;
            CHECK(gw_c37_config_pack(&config_2, &c, octets, 2000) == GW_BAD_CONFIG);
            m.pmu[0] = was;
        }
    for (int i = 2; i < 5; i++) { /* fewer than there are */
        --*fields[i];
        CHECK(gw_c37_config_pack(&config_2, &c, octets, 2000) == GW_BAD_CONFIG);
        m.pmu[0] = was;
    }
    const gw_c37_config good = c;
    gw_c37_config bad[] = {good, good, good, good, good, good, good, good, good};
    bad[0].time_base = 0;
    bad[1].time_base = 1 << 24;
    bad[2].rate = 32768;
    bad[3].rate = -32769;
    bad[4].counts.pmus = 0;
    bad[5].counts.pmus = 65536;
    bad[6].counts.names--;
    bad[7].counts.text--;
    bad[8].counts.names = 0;
    for (int i = 0; i < 9; i++)
        CHECK(gw_c37_config_pack(&config_2, &bad[i], octets, 2000) == GW_BAD_CONFIG);
    m.name_end[0] = 17; /* too long for configuration 2 */
    CHECK(gw_c37_config_pack(&config_2, &c, octets, 2000) == GW_BAD_CONFIG);
    m.name_end[0] = -1;
    CHECK(gw_c37_config_pack(&config_2, &c, octets, 2000) == GW_BAD_CONFIG);
    gw_c37_header h = config_2;
    h.kind = GW_C37_DATA;
    CHECK(gw_c37_config_pack(&h, &good, octets, 2000) == GW_BAD_CONFIG);
    h.idcode = -1;
    CHECK(gw_c37_config_pack(&h, &good, octets, 2000) == GW_BAD_TIME);
}

/* More than FRAMESIZE can say. */
static void a_long_configuration_is_refused(void)
{
    enum { MANY = 2200 };
    gw_c37_pmu *pmus = column(MANY, sizeof *pmus);
    int32_t *ends = column(MANY, sizeof *ends);
    for (int i = 0; i < MANY; i++)
        pmus[i].block.nominal = 50;
    gw_c37_config c = {.counts = {.pmus = MANY, .names = MANY}, .time_base = 1, .pmu = pmus,
                       .name_end = ends};
    uint8_t *octets = column(70000, 1);
    CHECK(gw_c37_config_pack(&config_2, &c, octets, 70000) == GW_BAD_CONFIG);
    c.counts.pmus = c.counts.names = 2000;
    CHECK(gw_c37_config_pack(&config_2, &c, octets, 70000) == 2000 * 30 + 24);
    free(pmus), free(ends), free(octets);
}

int main(void)
{
    the_configuration_of_annex_d();
    configuration_3_comes_back();
    contradictions_are_refused();
    what_cannot_be_said_is_refused();
    a_long_configuration_is_refused();
    return 0;
}
