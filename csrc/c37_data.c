/*
 * Data frames of C37.118 (clause 6.3) and rows, in batches.
 *
 * A layout is made once for each configuration; after that a frame is its check, a few loops over
 * equal numbers and nothing that needs to be looked up.
 */
#include <float.h>
#include <math.h>

#include "c37.h"

enum {
    STRAIGHT = 31416, /* pi in 1e-4 rad, the most that an angle can be (table 5) */
    FEW = 16,         /* phasors that are turned at a time, frames that are sealed */
    NANOSECONDS = 1000000000
};

#define ABSENT 0x8000u /* an integer that is not there (clause 6.3) */
#define NONE 0x10000u  /* none of 16 bits */

#define PER_RADIAN 1e4 /* table 5 */
#define PER_HZ 1e3
#define PER_HZ_S 1e2
#define TURN 6.283185307179586476925 /* 2 pi */
#define LAST_SECOND 4294967295

typedef struct {
    int64_t format, phasors, analogs, digitals;
    double nominal;
    int plain, turned; /* phasors: all scales 1 and no turns; some turn */
} part;

struct gw_c37_layout {
    int64_t pmus, phasors, analogs, digitals;
    int64_t size;      /* octets of a frame */
    int64_t time_base;
    int64_t step;      /* ns in a part of a second, where that is whole; else 0 */
    gw_c37_header header;
    part *parts;
    double *phasor_scale, *phasor_counts, *phasor_turn; /* counts: 1 / scale */
    double *phasor_cosine, *phasor_sine; /* of the turn */
    double *analog_scale, *analog_offset;
};

/* Octets of a PMU's block. */
static int64_t octets_of(const gw_c37_block *b)
{
    int64_t phasor = b->format & GW_C37_FLOAT_PHASORS ? 8 : 4;
    int64_t analog = b->format & GW_C37_FLOAT_ANALOGS ? 4 : 2;
    int64_t frequency = b->format & GW_C37_FLOAT_FREQUENCY ? 8 : 4;
    return 2 + b->phasors * phasor + frequency + b->analogs * analog + (int64_t)b->digitals * 2;
}

/* What the PMUs have together; 0 where that is no stream. */
static int totals(const gw_c37_stream *stream, gw_c37_layout *sum)
{
    if (stream->pmus < 1 || stream->time_base < 1 || stream->time_base > 0xffffff)
        return 0;
    sum->header = (gw_c37_header){
        .kind = GW_C37_DATA, .version = stream->version, .idcode = stream->idcode};
    if (gw_c37_header_fits(&sum->header) != GW_OK)
        return 0;
    sum->pmus = stream->pmus;
    sum->size = GW_C37_LEAST;
    for (int64_t p = 0; p < stream->pmus; p++) {
        const gw_c37_block *b = &stream->block[p];
        if (b->phasors < 0 || b->analogs < 0 || b->digitals < 0 ||
            (b->nominal != 50 && b->nominal != 60))
            return 0;
        sum->size += octets_of(b);
        if (sum->size > GW_C37_MOST)
            return 0;
        sum->phasors += b->phasors;
        sum->analogs += b->analogs;
        sum->digitals += b->digitals;
    }
    int usable = 1;
    for (int64_t k = 0; k < sum->phasors; k++)
        usable &= isfinite(stream->phasor_scale[k]) && stream->phasor_scale[k] != 0 &&
                  isfinite(stream->phasor_turn[k]);
    for (int64_t k = 0; k < sum->analogs; k++)
        usable &= isfinite(stream->analog_scale[k]) && stream->analog_scale[k] != 0 &&
                  isfinite(stream->analog_offset[k]);
    return usable;
}

static int64_t bytes_of(const gw_c37_layout *sum)
{
    return (int64_t)sizeof(gw_c37_layout) + sum->pmus * (int64_t)sizeof(part) +
           (sum->phasors * 5 + sum->analogs * 2) * (int64_t)sizeof(double);
}

int64_t gw_c37_layout_size(const gw_c37_stream *stream)
{
    gw_c37_layout sum = {0};
    return totals(stream, &sum) ? bytes_of(&sum) : GW_BAD_CONFIG;
}

static double *kept(double **free, const double *column, int64_t n)
{
    double *copy = *free;
    for (int64_t k = 0; k < n; k++)
        copy[k] = column[k];
    *free += n;
    return copy;
}

int64_t gw_c37_layout_init(void *memory, int64_t size, const gw_c37_stream *stream)
{
    gw_c37_layout made = {0};
    if (!totals(stream, &made))
        return GW_BAD_CONFIG;
    if (size < bytes_of(&made))
        return GW_NO_ROOM;
    made.time_base = stream->time_base;
    made.step = NANOSECONDS % stream->time_base == 0 ? NANOSECONDS / stream->time_base : 0;
    made.parts = (part *)((gw_c37_layout *)memory + 1);
    double *free = (double *)(made.parts + made.pmus);
    made.phasor_scale = kept(&free, stream->phasor_scale, made.phasors);
    made.phasor_counts = kept(&free, stream->phasor_scale, made.phasors);
    made.phasor_turn = kept(&free, stream->phasor_turn, made.phasors);
    made.phasor_cosine = kept(&free, stream->phasor_turn, made.phasors);
    made.phasor_sine = kept(&free, stream->phasor_turn, made.phasors);
    made.analog_scale = kept(&free, stream->analog_scale, made.analogs);
    made.analog_offset = kept(&free, stream->analog_offset, made.analogs);
    int64_t k = 0;
    for (int64_t p = 0; p < made.pmus; p++) {
        const gw_c37_block *b = &stream->block[p];
        part *to = &made.parts[p];
        *to = (part){.format = b->format,
                     .phasors = b->phasors,
                     .analogs = b->analogs,
                     .digitals = b->digitals,
                     .nominal = b->nominal,
                     .plain = 1};
        for (int64_t end = k + b->phasors; k < end; k++) {
            made.phasor_counts[k] = 1 / made.phasor_scale[k];
            made.phasor_cosine[k] = cos(made.phasor_turn[k]);
            made.phasor_sine[k] = sin(made.phasor_turn[k]);
            to->turned |= made.phasor_turn[k] != 0;
            to->plain &= made.phasor_scale[k] == 1 && made.phasor_turn[k] == 0;
        }
    }
    memcpy(memory, &made, sizeof made);
    return made.size;
}

/* An angle in -pi..pi. */
static double wrapped(double angle)
{
    return angle - TURN * rint(angle / TURN);
}

/* ---- from octets ---- */

static void floats(const uint8_t *restrict p, int64_t n, double *restrict out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (double)gw_be_float(p + 4 * i);
}

static double number(const uint8_t *p)
{
    int16_t x = (int16_t)gw_be16(p);
    return x == INT16_MIN ? (double)NAN : (double)x;
}

/* Where one half of a pair is absent, both are. */
static void rectangular(const uint8_t *restrict p, int64_t n, const double *restrict scale,
                        double *restrict out)
{
    for (int64_t k = 0; k < n; k++) {
        uint32_t pair = gw_be32(p + 4 * k);
        int16_t re = (int16_t)(pair >> 16), im = (int16_t)pair;
        double unit = re == INT16_MIN || im == INT16_MIN ? (double)NAN : scale[k];
        out[2 * k] = re * unit;
        out[2 * k + 1] = im * unit;
    }
}

static void polar(const uint8_t *restrict p, int64_t n, const double *restrict scale,
                  double *restrict out)
{
    for (int64_t k = 0; k < n; k++) {
        uint32_t pair = gw_be32(p + 4 * k);
        int16_t angle = (int16_t)pair;
        double there = angle == INT16_MIN ? (double)NAN : 1;
        out[2 * k] = (pair >> 16) * scale[k] * there;
        out[2 * k + 1] = angle / PER_RADIAN * there;
    }
}

static void scaled(int64_t n, int with_angle, const double *scale, double *out)
{
    for (int64_t k = 0; k < n; k++) {
        out[2 * k] *= scale[k];
        out[2 * k + 1] *= with_angle ? 1 : scale[k];
    }
}

/* Back by the turn; k is the first of the PMU's phasors. */
static void turn_back(const gw_c37_layout *layout, const part *of, int64_t k, double *out)
{
    for (int64_t end = k + of->phasors; k < end; k++, out += 2) {
        if (of->format & GW_C37_POLAR) {
            out[1] = wrapped(out[1] - layout->phasor_turn[k]);
            continue;
        }
        double re = out[0], im = out[1];
        double c = layout->phasor_cosine[k], s = layout->phasor_sine[k];
        out[0] = re * c + im * s;
        out[1] = im * c - re * s;
    }
}

static const uint8_t *take_phasors(const gw_c37_layout *layout, const part *of, int64_t k,
                                   const uint8_t *p, double *out)
{
    const double *scale = layout->phasor_scale + k;
    int with_angle = of->format & GW_C37_POLAR ? 1 : 0;
    int64_t n = of->phasors, width = 4;
    if (of->format & GW_C37_FLOAT_PHASORS) {
        floats(p, 2 * n, out);
        width = 8;
        if (!of->plain)
            scaled(n, with_angle, scale, out);
    } else if (with_angle)
        polar(p, n, scale, out);
    else
        rectangular(p, n, scale, out);
    if (of->turned)
        turn_back(layout, of, k, out);
    return p + width * n;
}

/* The worse of validity; what is invalid is never made questionable. */
static inline unsigned quality_of(unsigned stat, unsigned time_quality)
{
    static const uint16_t of_error[4] = {GW_GOOD, GW_QUESTIONABLE | GW_FAILURE, GW_INVALID,
                                         GW_INVALID | GW_FAILURE}; /* bits 15-14 */
    unsigned quality = of_error[stat >> 14] | GW_DEVICE_TIME;
    unsigned pmu = stat >> 6 & 7, message = time_quality & 0xf;
    /* From 100 us on, and data that somebody made up (bit 9). */
    if (pmu >= 4 || message >= 6 || stat & 0x0200)
        quality |= (quality & GW_VALIDITY) == GW_INVALID ? GW_INACCURATE
                                                         : GW_INACCURATE | GW_QUESTIONABLE;
    /* Not in sync, sorted by arrival, unlocked for 10 s or more; or nobody knows. */
    if (stat & 0x3030 || pmu == 7 || message == 0xf)
        quality |= GW_CLOCK_NOT_SYNCHRONISED;
    return quality;
}

static int64_t nanoseconds(const gw_c37_layout *layout, const uint8_t *octets)
{
    int64_t second = gw_be32(octets + 6), fraction = gw_be32(octets + 10) & 0xffffff;
    int64_t base = layout->time_base;
    int64_t part_of = layout->step ? fraction * layout->step
                                   : (2 * fraction * NANOSECONDS + base) / (2 * base);
    return second * NANOSECONDS + part_of;
}

static void take(const gw_c37_layout *layout, const uint8_t *octets, gw_c37_rows *rows)
{
    int64_t row = rows->count++;
    unsigned time_quality = octets[10];
    rows->time[row] = nanoseconds(layout, octets);
    rows->time_quality[row] = (uint8_t)time_quality;
    const uint8_t *p = octets + GW_C37_BODY;
    double *phasor = rows->phasor + row * layout->phasors * 2;
    double *analog = rows->analog + row * layout->analogs;
    uint16_t *digital = rows->digital + row * layout->digitals;
    int64_t first_phasor = 0, first_analog = 0;
    for (int64_t i = 0; i < layout->pmus; i++) {
        const part *of = &layout->parts[i];
        int64_t at = row * layout->pmus + i;
        unsigned stat = gw_be16(p);
        rows->stat[at] = (uint16_t)stat;
        rows->quality[at] = (uint16_t)quality_of(stat, time_quality);
        p += 2;
        p = take_phasors(layout, of, first_phasor, p, phasor);
        if (of->format & GW_C37_FLOAT_FREQUENCY) {
            rows->frequency[at] = (double)gw_be_float(p);
            rows->rocof[at] = (double)gw_be_float(p + 4);
            p += 8;
        } else {
            rows->frequency[at] = of->nominal + number(p) / PER_HZ;
            rows->rocof[at] = number(p + 2) / PER_HZ_S;
            p += 4;
        }
        if (of->format & GW_C37_FLOAT_ANALOGS) {
            floats(p, of->analogs, analog);
            p += 4 * of->analogs;
        } else
            for (int64_t k = 0; k < of->analogs; k++, p += 2)
                analog[k] = number(p);
        for (int64_t k = 0; k < of->analogs; k++)
            analog[k] = analog[k] * layout->analog_scale[first_analog + k] +
                        layout->analog_offset[first_analog + k];
        for (int64_t k = 0; k < of->digitals; k++, p += 2)
            digital[k] = gw_be16(p);
        phasor += 2 * of->phasors;
        analog += of->analogs;
        digital += of->digitals;
        first_phasor += of->phasors;
        first_analog += of->analogs;
    }
}

int64_t gw_c37_unpack(const gw_c37_layout *layout, const uint8_t *octets, int64_t length,
                      gw_c37_rows *rows, int64_t *used)
{
    int64_t before = rows->count, why = 0;
    *used = 0;
    for (;;) {
        gw_c37_header header;
        why = gw_c37_open(octets + *used, length - *used, &header);
        if (why <= 0)
            break;
        if (header.kind != GW_C37_DATA || header.idcode != layout->header.idcode)
            why = GW_OTHER_FRAME;
        else if (why != layout->size)
            why = GW_OTHER_SIZE;
        else if (rows->count >= rows->capacity)
            why = GW_ROWS_FULL;
        if (why < 0)
            break;
        take(layout, octets + *used, rows);
        *used += why;
    }
    return rows->count > before ? rows->count - before : why;
}

void gw_c37_quality(int64_t n, const uint16_t *stat, const uint8_t *time_quality,
                    uint16_t *quality)
{
    for (int64_t i = 0; i < n; i++)
        quality[i] = (uint16_t)quality_of(stat[i], time_quality[i]);
}

/* ---- to octets ---- */

/* A whole number between two, 16 bits of it; NONE where it is neither that nor NaN, and counted. */
static inline uint32_t whole(double value, double low, double high, int64_t *unfit)
{
    if (value > low - 0.5 && value < high + 0.5)
        return (uint32_t)lrint(value) & 0xffff;
    *unfit += value == value;
    return NONE;
}

static int64_t put_number(uint8_t *p, double value)
{
    int64_t unfit = 0;
    uint32_t count = whole(value, -INT16_MAX, INT16_MAX, &unfit);
    gw_put16(p, count == NONE ? ABSENT : count);
    return unfit;
}

/* NaN where a float cannot say it. */
static int64_t put_floats(uint8_t *restrict p, int64_t n, const double *restrict value)
{
    int64_t unfit = 0;
    for (int64_t i = 0; i < n; i++) {
        int fits = fabs(value[i]) <= (double)FLT_MAX;
        unfit += !fits && value[i] == value[i];
        gw_put_float(p + 4 * i, fits ? (float)value[i] : NAN);
    }
    return unfit;
}

static int64_t put_rectangular(uint8_t *restrict p, int64_t n, const double *restrict counts,
                               const double *restrict value)
{
    int64_t unfit = 0;
    for (int64_t k = 0; k < n; k++) {
        uint32_t re = whole(value[2 * k] * counts[k], -INT16_MAX, INT16_MAX, &unfit);
        uint32_t im = whole(value[2 * k + 1] * counts[k], -INT16_MAX, INT16_MAX, &unfit);
        gw_put32(p + 4 * k, re == NONE || im == NONE ? ABSENT << 16 | ABSENT : re << 16 | im);
    }
    return unfit;
}

static int64_t put_polar(uint8_t *restrict p, int64_t n, const double *restrict counts,
                         const double *restrict value)
{
    int64_t unfit = 0;
    for (int64_t k = 0; k < n; k++) {
        uint32_t magnitude = whole(value[2 * k] * counts[k], 0, UINT16_MAX, &unfit);
        uint32_t angle = whole(value[2 * k + 1] * PER_RADIAN, -STRAIGHT, STRAIGHT, &unfit);
        gw_put32(p + 4 * k, magnitude == NONE || angle == NONE ? ABSENT << 16 | ABSENT
                                                               : magnitude << 16 | angle);
    }
    return unfit;
}

/* Forward by the turn, a few phasors at a time. */
static void turn_on(const gw_c37_layout *layout, int with_angle, int64_t k, int64_t n,
                    const double *value, double *out)
{
    for (int64_t i = 0; i < n; i++, k++, value += 2, out += 2) {
        double c = layout->phasor_cosine[k], s = layout->phasor_sine[k];
        out[0] = with_angle ? value[0] : value[0] * c - value[1] * s;
        out[1] = with_angle ? wrapped(value[1] + layout->phasor_turn[k])
                            : value[1] * c + value[0] * s;
    }
}

static int64_t put_phasors(const gw_c37_layout *layout, const part *of, int64_t k,
                           const double *value, uint8_t *p)
{
    int with_angle = of->format & GW_C37_POLAR ? 1 : 0;
    int64_t width = of->format & GW_C37_FLOAT_PHASORS ? 8 : 4, unfit = 0, n;
    double made[2 * FEW];
    for (int64_t left = of->phasors; left > 0; left -= n, k += n, value += 2 * n, p += width * n) {
        const double *from = value;
        n = left;
        if (of->turned || (width == 8 && !of->plain)) {
            n = left < FEW ? left : FEW;
            turn_on(layout, with_angle, k, n, value, made);
            if (width == 8)
                scaled(n, with_angle, layout->phasor_counts + k, made);
            from = made;
        }
        if (width == 8)
            unfit += put_floats(p, 2 * n, from);
        else if (with_angle)
            unfit += put_polar(p, n, layout->phasor_counts + k, from);
        else
            unfit += put_rectangular(p, n, layout->phasor_counts + k, from);
    }
    return unfit;
}

/* All but the check; returns the values that did not fit. */
static int64_t put(const gw_c37_layout *layout, const gw_c37_rows *rows, int64_t row,
                   uint8_t *octets)
{
    int64_t second = rows->time[row] / NANOSECONDS, rest = rows->time[row] % NANOSECONDS;
    int64_t fraction = (2 * rest * layout->time_base + NANOSECONDS) / (2 * (int64_t)NANOSECONDS);
    int carry = fraction == layout->time_base;
    gw_c37_header header = layout->header;
    header.second = (uint32_t)(second + carry);
    header.fraction = carry ? 0 : (int32_t)fraction;
    header.time_quality = rows->time_quality[row];
    gw_c37_begin(octets, &header, layout->size);
    uint8_t *p = octets + GW_C37_BODY;
    const double *phasor = rows->phasor + row * layout->phasors * 2;
    const double *analog = rows->analog + row * layout->analogs;
    const uint16_t *digital = rows->digital + row * layout->digitals;
    int64_t first_phasor = 0, first_analog = 0, unfit = 0;
    for (int64_t i = 0; i < layout->pmus; i++) {
        const part *of = &layout->parts[i];
        int64_t at = row * layout->pmus + i;
        gw_put16(p, rows->stat[at]);
        p += 2;
        unfit += put_phasors(layout, of, first_phasor, phasor, p);
        p += of->phasors * (of->format & GW_C37_FLOAT_PHASORS ? 8 : 4);
        if (of->format & GW_C37_FLOAT_FREQUENCY) {
            unfit += put_floats(p, 1, &rows->frequency[at]);
            unfit += put_floats(p + 4, 1, &rows->rocof[at]);
            p += 8;
        } else {
            unfit += put_number(p, (rows->frequency[at] - of->nominal) * PER_HZ);
            unfit += put_number(p + 2, rows->rocof[at] * PER_HZ_S);
            p += 4;
        }
        for (int64_t k = 0; k < of->analogs; k++) {
            double value = (analog[k] - layout->analog_offset[first_analog + k]) /
                           layout->analog_scale[first_analog + k];
            if (of->format & GW_C37_FLOAT_ANALOGS) {
                unfit += put_floats(p, 1, &value);
                p += 4;
            } else {
                unfit += put_number(p, value);
                p += 2;
            }
        }
        for (int64_t k = 0; k < of->digitals; k++, p += 2)
            gw_put16(p, digital[k]);
        phasor += 2 * of->phasors;
        analog += of->analogs;
        digital += of->digitals;
        first_phasor += of->phasors;
        first_analog += of->analogs;
    }
    return unfit;
}

int64_t gw_c37_pack(const gw_c37_layout *layout, const gw_c37_rows *rows, int64_t first, int64_t n,
                    uint8_t *octets, int64_t capacity, int64_t *unfit)
{
    *unfit = 0;
    if (first < 0 || n < 0 || n > rows->count - first)
        return GW_BAD_LENGTH;
    if (n > capacity / layout->size)
        return GW_NO_ROOM;
    for (int64_t row = first; row < first + n; row++)
        if (rows->time[row] < 0 || rows->time[row] > LAST_SECOND * NANOSECONDS)
            return GW_BAD_TIME;
    /* The checks a few frames later: what was just stored in small parts is slow to load as one. */
    for (int64_t i = 0, sealed = 0; i < n; i++) {
        *unfit += put(layout, rows, first + i, octets + i * layout->size);
        if (i - sealed == FEW || i == n - 1)
            for (; sealed <= i; sealed++)
                gw_c37_end(octets + sealed * layout->size, layout->size);
    }
    return n * layout->size;
}

void gw_c37_stat(int64_t n, const uint16_t *quality, uint16_t *stat)
{
    for (int64_t i = 0; i < n; i++) {
        unsigned q = quality[i], validity = q & GW_VALIDITY;
        unsigned error = 0; /* bits 15-14 */
        if ((validity != GW_GOOD && validity != GW_QUESTIONABLE) || q & GW_TEST)
            error = q & GW_FAILURE ? 3 : 2;
        else if (q & (GW_FAILURE | GW_OLD_DATA))
            error = 1;
        else if (validity == GW_QUESTIONABLE)
            /* Nothing is known of the data, unless it is that they are inaccurate, or their time. */
            error = q & GW_INACCURATE || q & GW_CLOCK_NOT_SYNCHRONISED ? 0 : 1;
        unsigned modified = q & (GW_INACCURATE | GW_SUBSTITUTED);
        stat[i] = (uint16_t)(error << 14 | (q & GW_CLOCK_NOT_SYNCHRONISED ? 0x2000 : 0) |
                             (modified ? 0x0200 : 0));
    }
}
