/*
 * Lanes side by side, in plain C; lanes_v3.h has the same with AVX2.
 * Four of doubles or words are the channels of a group, a, b, c and neutral; eight of floats are
 * those of a row, voltages and currents.
 */
#include <stdint.h>

#include "sv.h"

typedef struct {
    double l[4];
} gw_lanes;

typedef struct {
    uint64_t l[4];
} gw_words;

/* For phasor_loops.h. */
#define GW_PRODUCT(x, t) ((wrapping)((x) * (int64_t)(t)))
#define GW_TIMES(a, b, c, t) GW_PRODUCT(a - b - b + c, t)
#define GW_NARROW 0
#define GW_VECTOR 2

/* Pairs of a value and a quality; loops.h. */
static uint32_t pairs(const uint8_t *from, int64_t n, int32_t *to)
{
    uint32_t any = 0;
    for (int64_t c = 0; c < n; c++, from += GW_PAIR) {
        to[c] = (int32_t)gw_be32(from);
        any |= gw_be32(from + 4);
    }
    return any;
}

#define GW_EACH_LANE for (int l = 0; l < 4; l++)

static inline gw_lanes gw_all(double x)
{
    return (gw_lanes){{x, x, x, x}};
}

static inline gw_lanes gw_load(const double *from)
{
    return (gw_lanes){{from[0], from[1], from[2], from[3]}};
}

static inline gw_lanes gw_load_samples(const int32_t *from)
{
    return (gw_lanes){{from[0], from[1], from[2], from[3]}};
}

static inline void gw_store(double *to, gw_lanes a)
{
    GW_EACH_LANE to[l] = a.l[l];
}

static inline gw_lanes gw_add(gw_lanes a, gw_lanes b)
{
    GW_EACH_LANE a.l[l] += b.l[l];
    return a;
}

static inline gw_lanes gw_sub(gw_lanes a, gw_lanes b)
{
    GW_EACH_LANE a.l[l] -= b.l[l];
    return a;
}

static inline gw_lanes gw_mul(gw_lanes a, gw_lanes b)
{
    GW_EACH_LANE a.l[l] *= b.l[l];
    return a;
}

/* Samples, each in a word with its sign. */
static inline gw_words gw_load_words(const int32_t *from)
{
    return (gw_words){{(uint64_t)(int64_t)from[0], (uint64_t)(int64_t)from[1],
                       (uint64_t)(int64_t)from[2], (uint64_t)(int64_t)from[3]}};
}

static inline void gw_store_words(uint64_t *to, gw_words a)
{
    GW_EACH_LANE to[l] = a.l[l];
}

static inline gw_words gw_no_words(void)
{
    return (gw_words){{0, 0, 0, 0}};
}

static inline gw_words gw_add_words(gw_words a, gw_words b)
{
    GW_EACH_LANE a.l[l] += b.l[l];
    return a;
}

/* Products of what were samples: exact, because neither has more than 32 bits. */
static inline gw_words gw_mul_words(gw_words a, gw_words b)
{
    GW_EACH_LANE a.l[l] *= b.l[l];
    return a;
}

/* The upper halves of signed words, plus 2^31, so that they are never negative. */
static inline gw_words gw_upper_words(gw_words a)
{
    GW_EACH_LANE a.l[l] = (a.l[l] ^ (uint64_t)1 << 63) >> 32;
    return a;
}

/* Lane b, c, a, neutral. */
static inline gw_words gw_turn_words(gw_words a)
{
    return (gw_words){{a.l[1], a.l[2], a.l[0], a.l[3]}};
}

typedef struct {
    float l[8];
} gw_eight;

#define GW_EACH_OF_EIGHT for (int l = 0; l < 8; l++)

static inline gw_eight gw_all_eight(float x)
{
    return (gw_eight){{x, x, x, x, x, x, x, x}};
}

static inline gw_eight gw_load_eight(const float *from)
{
    gw_eight a;
    GW_EACH_OF_EIGHT a.l[l] = from[l];
    return a;
}

static inline gw_eight gw_load_row(const int32_t *from)
{
    gw_eight a;
    GW_EACH_OF_EIGHT a.l[l] = (float)from[l];
    return a;
}

static inline void gw_store_eight(float *to, gw_eight a)
{
    GW_EACH_OF_EIGHT to[l] = a.l[l];
}

static inline gw_eight gw_add_eight(gw_eight a, gw_eight b)
{
    GW_EACH_OF_EIGHT a.l[l] += b.l[l];
    return a;
}

static inline gw_eight gw_sub_eight(gw_eight a, gw_eight b)
{
    GW_EACH_OF_EIGHT a.l[l] -= b.l[l];
    return a;
}

static inline gw_eight gw_mul_eight(gw_eight a, gw_eight b)
{
    GW_EACH_OF_EIGHT a.l[l] *= b.l[l];
    return a;
}
