/*
 * Sampled values to rows.
 *
 * Frames of a stream differ in smpCnt, refrTm, smpSynch and the samples; the rest of them is learned
 * from one that was parsed, and compared, words under a mask, in those that follow.
 */
#include "sv.h"

#include <string.h>

#include "loops.h"
#include "memory.h"
#include "quality.h"
#include "stream.h"

enum {
    NEVER = -1,
    WORDS = GW_SV_OCTETS / 8 + 1,
    SECOND_NS = 1000000000,
    CALM_NS = SECOND_NS / 2 /* without a frame, after which the time that passed counts seconds */
};

static const int64_t most_time = 9000000000000000000; /* ns */

/* What stays the same in the frames of a stream. */
typedef struct {
    int64_t size; /* 0 before one was learned */
    int64_t words;
    int32_t at[WORDS];
    uint64_t value[WORDS], mask[WORDS];
    gw_layout layout;
} template;

struct gw_sv {
    gw_sv_setup setup;
    uint8_t id[GW_SV_ID];
    gw_sv_state state;
    const gw_loops *loops; /* of the level that is in force */
    int64_t count;    /* smpCnt of the row that is expected */
    int64_t gap;      /* the first row of the last gap */
    int64_t since;    /* the first row after it */
    int64_t time;     /* when the last frame came */
    int simulating;   /* there was a frame with the simulation bit */
    template template;
};

int64_t gw_sv_size(void)
{
    return (int64_t)sizeof(gw_sv);
}

int64_t gw_sv_init(gw_sv *sv, int64_t size, const gw_sv_setup *setup)
{
    int64_t code = gw_stream_check(&setup->stream);
    if (code < 0)
        return code;
    if (setup->asdus < 1 || setup->asdus > GW_SV_ASDUS || setup->appid > 0xffff ||
        setup->revision > UINT32_MAX || setup->synch < 1 || setup->synch > 2 ||
        setup->id_length < 0 || setup->id_length > GW_SV_ID)
        return GW_BAD_SETUP;
    if (!gw_fits(sv, size, gw_sv_size()))
        return GW_NO_ROOM;
    memset(sv, 0, sizeof *sv);
    sv->setup = *setup;
    sv->setup.stream.scale = NULL; /* the caller's */
    if (setup->id_length > 0)
        memcpy(sv->id, setup->id, (size_t)setup->id_length);
    sv->setup.id = sv->id;
    return GW_OK;
}

void gw_sv_look(const gw_sv *sv, gw_sv_state *state)
{
    *state = sv->state;
}

static uint64_t word_at(const uint8_t *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static void vary(uint8_t *same, int32_t at, int64_t length)
{
    if (at >= 0)
        memset(same + at, 0, (size_t)length);
}

static void learn(gw_sv *sv, const uint8_t *frame, int64_t size, const gw_layout *layout)
{
    template *t = &sv->template;
    uint8_t same[GW_SV_OCTETS];
    memset(same, 0xff, sizeof same);
    for (int64_t a = 0; a < layout->asdus; a++) {
        const gw_asdu *asdu = &layout->asdu[a];
        vary(same, asdu->count, 2);
        vary(same, asdu->clock, 8);
        vary(same, asdu->synch, 1);
        vary(same, asdu->sample, GW_PAIR * sv->setup.stream.columns);
    }
    t->size = size;
    t->layout = *layout;
    t->words = 0;
    /* The last word ends with the savPdu; one that is all samples is left out. */
    for (int32_t at = 0; at < layout->end; at += 8) {
        int32_t from = at + 8 <= layout->end ? at : layout->end - 8;
        uint64_t mask = word_at(same + from);
        if (mask == 0)
            continue;
        t->at[t->words] = from;
        t->mask[t->words] = mask;
        t->value[t->words++] = word_at(frame + from) & mask;
    }
    sv->state.learned++;
}

static int is_learned(const template *t, const uint8_t *frame, int64_t size)
{
    if (size != t->size)
        return 0;
    uint64_t other = 0;
    for (int64_t w = 0; w < t->words; w++)
        other |= (word_at(frame + t->at[w]) & t->mask[w]) ^ t->value[w];
    return other == 0;
}

/* The quality of all of a row: its clock, and whether it is a test. */
static unsigned common_quality(const gw_sv *sv, unsigned synch, int simulated)
{
    /* 0 none, 1 local, 2 global, 3 and 4 reserved, else the identity of a local grandmaster. */
    int grade = synch <= 2 ? (int)synch : synch <= 4 ? 0 : 1;
    unsigned clock = grade < sv->setup.synch ? GW_CLOCK_NOT_SYNCHRONISED : GW_GOOD;
    return clock | (simulated ? (unsigned)GW_TEST : GW_GOOD);
}

/* The index of a number of samples that is nearest to where it is looked for; below 0 for none. */
static int64_t nearest(int64_t rate, int64_t near, int64_t count)
{
    int64_t ahead = (count - near % rate + rate) % rate; /* 0..rate - 1 after near */
    return near + (ahead > rate / 2 ? ahead - rate : ahead);
}

/* Rows in a time that passed. */
static int64_t rows_in(int64_t rate, int64_t ns)
{
    return ns / SECOND_NS * rate + ns % SECOND_NS * rate / SECOND_NS;
}

/* The index of a row that is not the one expected; below 0 where it is not to be taken. */
static int64_t place(gw_sv *sv, int64_t count, int64_t time)
{
    gw_sv_state *state = &sv->state;
    int64_t rate = sv->setup.stream.rate, next = state->stream.next;
    if (next == 0) {
        int64_t index = nearest(rate, rows_in(rate, time), count);
        state->unfit += index < 0;
        sv->gap = sv->since = index;
        return index;
    }
    int64_t passed = time - sv->time;
    int64_t index = nearest(rate, next + (passed > CALM_NS ? rows_in(rate, passed) : 0), count);
    if (index >= next) {
        if (index > next) {
            state->stream.gaps++;
            state->stream.lost += index - next;
            sv->gap = next;
            sv->since = index;
        }
        return index;
    }
    if (index >= sv->gap && index < sv->since)
        state->late++;
    else
        state->duplicate++;
    return NEVER;
}

/* Values and qualities of a row; the merged quality. */
static inline unsigned take_row(const gw_sv *sv, const uint8_t *from, unsigned common,
                                gw_sample_rows *out)
{
    int64_t columns = out->columns, row = out->count;
    uint32_t any = sv->loops->pairs(from, columns, out->samples + row * columns);
    uint16_t *each = out->each ? out->each + row * columns : NULL;
    for (int64_t c = 0; each && c < columns; c++)
        each[c] = (uint16_t)((gw_be32(from + GW_PAIR * c + 4) & GW_SV_QUALITY) | common);
    if ((any & GW_SV_QUALITY) == 0)
        return common;
    uint16_t watched[GW_COLUMNS];
    int64_t n = 0;
    for (int64_t c = 0; c < columns; c++)
        if (sv->setup.watched >> c & 1)
            watched[n++] = (uint16_t)(gw_be32(from + GW_PAIR * c + 4) & GW_SV_QUALITY);
    return gw_worst(watched, n) | common;
}

static void take_asdu(gw_sv *sv, const uint8_t *frame, const gw_asdu *asdu, int simulated,
                      int64_t time, gw_sample_rows *out)
{
    gw_sv_state *state = &sv->state;
    int64_t count = gw_be16(frame + asdu->count), rate = sv->setup.stream.rate;
    if (count >= rate) {
        state->unfit++;
        return;
    }
    int64_t index = state->stream.next;
    if (count != sv->count || index == 0 || time - sv->time > CALM_NS) {
        index = place(sv, count, time);
        if (index < 0)
            return;
    }
    sv->time = time;
    sv->count = count + 1 == rate ? 0 : count + 1;
    state->stream.next = index + 1;
    int64_t run = out->runs - 1;
    if (run < 0 || index - out->run_index[run] != out->count - out->run_first[run]) {
        out->run_first[out->runs] = out->count;
        out->run_index[out->runs++] = index;
    }
    unsigned common = common_quality(sv, frame[asdu->synch], simulated);
    unsigned quality = take_row(sv, frame + asdu->sample, common, out);
    out->quality[out->count++] = (uint16_t)quality;
    out->marks |= quality;
}

/* Count a frame that no row comes of. */
static void pass_over(gw_sv_state *state, gw_verdict verdict)
{
    state->foreign += verdict == GW_SV_FOREIGN;
    state->malformed += verdict == GW_SV_MALFORMED;
    state->unfit += verdict == GW_SV_UNFIT;
}

static void take_frame(gw_sv *sv, const uint8_t *frame, int64_t size, int64_t time,
                       gw_sample_rows *out)
{
    const gw_layout *layout = &sv->template.layout;
    if (!is_learned(&sv->template, frame, size)) {
        gw_layout found;
        gw_verdict verdict = gw_sv_parse(&sv->setup, frame, size, &found);
        if (verdict != GW_SV_FITS) {
            pass_over(&sv->state, verdict);
            return;
        }
        learn(sv, frame, size, &found);
    }
    sv->simulating |= layout->simulated && sv->setup.simulated;
    if (layout->simulated != sv->simulating) {
        sv->state.aside++;
        return;
    }
    int64_t before = out->count;
    for (int64_t a = 0; a < layout->asdus; a++)
        take_asdu(sv, frame, &layout->asdu[a], layout->simulated, time, out);
    sv->state.rows += out->count - before;
    sv->state.frames += out->count > before;
}

int64_t gw_sv_decode(gw_sv *sv, const gw_frames *frames, gw_sample_rows *out)
{
    int64_t n = frames->n, rate = sv->setup.stream.rate;
    if (n < 0 || out->columns != sv->setup.stream.columns)
        return GW_BAD_BLOCK;
    for (int64_t f = 0; f < n; f++) {
        int64_t offset = frames->offset[f], size = frames->size[f];
        if (offset < 0 || size < 0 || offset > frames->length || size > frames->length - offset)
            return GW_SHORT_BLOCK;
        if (frames->time[f] < 0 || frames->time[f] > most_time)
            return GW_BAD_INDEX;
    }
    if (n > out->capacity / sv->setup.asdus)
        return GW_ROWS_FULL;
    sv->loops = gw_loops_now();
    out->count = out->runs = 0;
    out->marks = GW_GOOD;
    for (int64_t f = 0; f < n; f++)
        take_frame(sv, frames->data + frames->offset[f], frames->size[f], frames->time[f], out);
    int64_t last = sv->state.stream.next - 1;
    if (out->count > 0)
        sv->state.away = sv->time - (last / rate * SECOND_NS + last % rate * SECOND_NS / rate);
    return out->count;
}
