/*
 * Configuration frames of C37.118: 1 and 2 (clause 6.4, table 8) and 3 (table 10).
 *
 * A field beyond the end reads as zero and marks the cursor, so that every walk ends; whoever
 * walked looks at the mark once.
 */
#include <math.h>

#include "c37.h"

enum { NAME = 16, LONGEST = 255, BITS = 16, GLOBAL = 16, CONTINUED = 2 };

typedef struct {
    const uint8_t *at;
    int64_t left;
    int bad;
} cursor;

static const uint8_t *field(cursor *c, int64_t length)
{
    static const uint8_t nothing[LONGEST];
    if (length > c->left) {
        c->bad = 1;
        c->left = 0;
        return nothing;
    }
    const uint8_t *p = c->at;
    c->at += length;
    c->left -= length;
    return p;
}

static uint16_t word(cursor *c)
{
    return gw_be16(field(c, 2));
}

static uint32_t long_word(cursor *c)
{
    return gw_be32(field(c, 4));
}

static float real(cursor *c)
{
    return gw_be_float(field(c, 4));
}

/* n names; into `to` where that is not NULL. */
static void names(cursor *c, int third, int64_t n, gw_c37_counts *counts, gw_c37_config *to)
{
    for (int64_t i = 0; i < n && !c->bad; i++) {
        int64_t length = third ? *field(c, 1) : NAME;
        const uint8_t *name = field(c, length);
        if (c->bad)
            return;
        if (to) {
            memcpy(to->text + counts->text, name, (size_t)length);
            to->name_end[counts->names] = (int32_t)(counts->text + length);
        }
        counts->names++;
        counts->text += length;
    }
}

static void phasor_units(cursor *c, int third, int64_t n, gw_c37_counts *counts, gw_c37_config *to)
{
    for (int64_t i = 0; i < n && !c->bad; i++) {
        uint32_t unit = long_word(c);
        float scale = third ? real(c) : 0, turn = third ? real(c) : 0;
        if (to && !c->bad) {
            to->phasor_unit[counts->phasors] = unit;
            to->phasor_scale[counts->phasors] = scale;
            to->phasor_turn[counts->phasors] = turn;
        }
        counts->phasors++;
    }
}

static void analog_units(cursor *c, int third, int64_t n, gw_c37_counts *counts, gw_c37_config *to)
{
    for (int64_t i = 0; i < n && !c->bad; i++) {
        uint32_t unit = third ? 0 : long_word(c);
        float scale = third ? real(c) : 0, offset = third ? real(c) : 0;
        if (to && !c->bad) {
            to->analog_unit[counts->analogs] = unit;
            to->analog_scale[counts->analogs] = scale;
            to->analog_offset[counts->analogs] = offset;
        }
        counts->analogs++;
    }
}

static void pmu(cursor *c, int third, gw_c37_counts *counts, gw_c37_config *to)
{
    gw_c37_pmu p = {.latitude = INFINITY, .longitude = INFINITY, .elevation = INFINITY};
    names(c, third, 1, counts, to);
    p.idcode = word(c);
    if (third)
        memcpy(p.global_id, field(c, GLOBAL), GLOBAL);
    p.block.format = word(c);
    p.block.phasors = word(c);
    p.block.analogs = word(c);
    p.block.digitals = word(c);
    names(c, third, p.block.phasors, counts, to);
    names(c, third, p.block.analogs, counts, to);
    names(c, third, (int64_t)p.block.digitals * BITS, counts, to);
    phasor_units(c, third, p.block.phasors, counts, to);
    analog_units(c, third, p.block.analogs, counts, to);
    for (int64_t i = 0; i < p.block.digitals && !c->bad; i++) {
        uint32_t unit = long_word(c);
        if (to && !c->bad)
            to->digital_unit[counts->digitals] = unit;
        counts->digitals++;
    }
    if (third) {
        p.latitude = real(c);
        p.longitude = real(c);
        p.elevation = real(c);
        p.service = *field(c, 1);
        p.window = (int32_t)long_word(c);
        p.delay = (int32_t)long_word(c);
    }
    p.block.nominal = word(c) & 1 ? 50 : 60; /* FNOM */
    p.changes = word(c);
    if (to && !c->bad)
        to->pmu[counts->pmus] = p;
    counts->pmus++;
}

/* Through the whole frame, counting, and storing where there is something to store to. */
static int walk(const uint8_t *frame, int64_t length, gw_c37_counts *counts, gw_c37_config *to)
{
    gw_c37_header header;
    int64_t size = gw_c37_open(frame, length, &header);
    if (size == 0 || size == GW_BAD_FRAME)
        return GW_BAD_FRAME;
    if (size < 0)
        return GW_BAD_CHECK;
    int third = header.kind == GW_C37_CONFIG_3;
    if (!third && header.kind != GW_C37_CONFIG_1 && header.kind != GW_C37_CONFIG_2)
        return GW_OTHER_FRAME;
    cursor c = {frame + GW_C37_BODY, size - GW_C37_LEAST, 0};
    if (third && word(&c) != 0)
        return GW_FRAGMENT;
    *counts = (gw_c37_counts){0};
    int32_t time_base = (int32_t)(long_word(&c) & 0xffffff);
    int64_t pmus = word(&c);
    for (int64_t i = 0; i < pmus && !c.bad; i++)
        pmu(&c, third, counts, to);
    int32_t rate = (int16_t)word(&c);
    if (c.bad || c.left > 0 || pmus == 0 || time_base == 0)
        return GW_BAD_CONFIG;
    if (to) {
        to->time_base = time_base;
        to->rate = rate;
        to->counts = *counts;
    }
    return GW_OK;
}

int gw_c37_config_counts(const uint8_t *frame, int64_t length, gw_c37_counts *counts)
{
    gw_c37_counts found;
    int code = walk(frame, length, &found, NULL);
    if (code == GW_OK)
        *counts = found;
    return code;
}

static int has_room(const gw_c37_counts *room, const gw_c37_counts *counts)
{
    return counts->pmus <= room->pmus && counts->phasors <= room->phasors &&
           counts->analogs <= room->analogs && counts->digitals <= room->digitals &&
           counts->names <= room->names && counts->text <= room->text;
}

int gw_c37_config_unpack(const uint8_t *frame, int64_t length, gw_c37_config *config)
{
    gw_c37_counts counts;
    int code = walk(frame, length, &counts, NULL);
    if (code != GW_OK)
        return code;
    if (!has_room(&config->counts, &counts))
        return GW_NO_ROOM;
    return walk(frame, length, &counts, config);
}

/* ---- to octets ---- */

typedef struct {
    uint8_t *at; /* or NULL, to count */
    int64_t size;
    const gw_c37_config *from;
    gw_c37_counts done;
    int bad;
} writer;

static void put_words(writer *w, uint32_t x, int64_t length)
{
    if (w->at) {
        if (length == 1)
            *w->at = (uint8_t)x;
        else if (length == 2)
            gw_put16(w->at, x);
        else
            gw_put32(w->at, x);
        w->at += length;
    }
    w->size += length;
}

static void put_real(writer *w, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_words(w, bits, 4);
}

static void put_octets(writer *w, const uint8_t *octets, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        put_words(w, octets[i], 1);
}

/* Names of fixed length are filled up with spaces (table 9). */
static void put_names(writer *w, int third, int64_t n)
{
    const gw_c37_config *from = w->from;
    if (n > from->counts.names - w->done.names) {
        w->bad = 1;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t end = from->name_end[w->done.names], length = end - w->done.text;
        if (length < 0 || length > (third ? LONGEST : NAME) || end > from->counts.text) {
            w->bad = 1;
            return;
        }
        if (third)
            put_words(w, (uint32_t)length, 1);
        put_octets(w, from->text + w->done.text, length);
        for (int64_t left = third ? 0 : NAME - length; left > 0; left--)
            put_words(w, ' ', 1);
        w->done.names++;
        w->done.text = end;
    }
}

static void put_pmu(writer *w, int third, const gw_c37_pmu *p)
{
    const gw_c37_config *from = w->from;
    const gw_c37_block *b = &p->block;
    gw_c37_counts *done = &w->done;
    int fits = p->idcode >= 0 && p->idcode <= 0xffff && b->format >= 0 && b->format <= 0xffff &&
               b->phasors >= 0 && b->phasors <= from->counts.phasors - done->phasors &&
               b->analogs >= 0 && b->analogs <= from->counts.analogs - done->analogs &&
               b->digitals >= 0 && b->digitals <= from->counts.digitals - done->digitals &&
               (b->nominal == 50 || b->nominal == 60) && p->changes >= 0 &&
               p->changes <= 0xffff && p->service >= 0 && p->service <= 0xff;
    if (!fits) {
        w->bad = 1;
        return;
    }
    put_names(w, third, 1);
    put_words(w, (uint32_t)p->idcode, 2);
    if (third)
        put_octets(w, p->global_id, GLOBAL);
    put_words(w, (uint32_t)b->format, 2);
    put_words(w, (uint32_t)b->phasors, 2);
    put_words(w, (uint32_t)b->analogs, 2);
    put_words(w, (uint32_t)b->digitals, 2);
    put_names(w, third, (int64_t)b->phasors + b->analogs + (int64_t)b->digitals * BITS);
    for (int64_t end = done->phasors + b->phasors; done->phasors < end; done->phasors++) {
        put_words(w, from->phasor_unit[done->phasors], 4);
        if (third) {
            put_real(w, from->phasor_scale[done->phasors]);
            put_real(w, from->phasor_turn[done->phasors]);
        }
    }
    for (int64_t end = done->analogs + b->analogs; done->analogs < end; done->analogs++) {
        if (third) {
            put_real(w, from->analog_scale[done->analogs]);
            put_real(w, from->analog_offset[done->analogs]);
        } else
            put_words(w, from->analog_unit[done->analogs], 4);
    }
    for (int64_t end = done->digitals + b->digitals; done->digitals < end; done->digitals++)
        put_words(w, from->digital_unit[done->digitals], 4);
    if (third) {
        put_real(w, p->latitude);
        put_real(w, p->longitude);
        put_real(w, p->elevation);
        put_words(w, (uint32_t)p->service, 1);
        put_words(w, (uint32_t)p->window, 4);
        put_words(w, (uint32_t)p->delay, 4);
    }
    put_words(w, b->nominal == 50, 2);
    put_words(w, (uint32_t)p->changes, 2);
}

/* The body; its octets, or GW_BAD_CONFIG. */
static int64_t put_body(int third, const gw_c37_config *config, uint8_t *at)
{
    writer w = {.at = at, .from = config};
    if (third)
        put_words(&w, 0, CONTINUED);
    put_words(&w, (uint32_t)config->time_base, 4);
    put_words(&w, (uint32_t)config->counts.pmus, 2);
    for (int64_t i = 0; i < config->counts.pmus && !w.bad; i++)
        put_pmu(&w, third, &config->pmu[i]);
    put_words(&w, (uint32_t)config->rate, 2);
    int all = w.done.phasors == config->counts.phasors && w.done.analogs == config->counts.analogs &&
              w.done.digitals == config->counts.digitals && w.done.names == config->counts.names &&
              w.done.text == config->counts.text;
    return w.bad || !all ? GW_BAD_CONFIG : w.size;
}

int64_t gw_c37_config_pack(const gw_c37_header *header, const gw_c37_config *config,
                           uint8_t *octets, int64_t capacity)
{
    int third = header->kind == GW_C37_CONFIG_3;
    if (gw_c37_header_fits(header) != GW_OK)
        return GW_BAD_TIME;
    if ((!third && header->kind != GW_C37_CONFIG_1 && header->kind != GW_C37_CONFIG_2) ||
        config->time_base < 1 || config->time_base > 0xffffff || config->rate < INT16_MIN ||
        config->rate > INT16_MAX || config->counts.pmus < 1 || config->counts.pmus > 0xffff)
        return GW_BAD_CONFIG;
    int64_t body = put_body(third, config, NULL);
    if (body < 0 || body > GW_C37_MOST - GW_C37_LEAST)
        return GW_BAD_CONFIG;
    int64_t size = body + GW_C37_LEAST;
    if (capacity < size)
        return GW_NO_ROOM;
    gw_c37_begin(octets, header, size);
    put_body(third, config, octets + GW_C37_BODY);
    gw_c37_end(octets, size);
    return size;
}
