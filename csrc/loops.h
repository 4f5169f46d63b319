/*
 * The loops over samples, compiled once per level: loops_plain.c and loops_v3.c.
 *
 * Those of the meter take rows of two groups of four lanes: voltages a, b, c, neutral, then currents;
 * those of synchrophasors rows of as many lanes as the stream has columns, or up to 3 more.
 */
#ifndef GW_LOOPS_H
#define GW_LOOPS_H

#include "kernel.h"

enum {
    GW_ROW = 8,      /* samples in a row */
    GW_PRODUCTS = 16 /* u^2, i^2, u*i, and u times the next u: four lanes each */
};

/* The coefficients of an interpolator and of a transform: spectrum.c.
 * Single precision is 140 dB below the fundamental in a line, and takes all lanes at once. */
struct gw_spectrum {
    int64_t points;         /* of a window, a power of two */
    float *taps;            /* [GW_PHASES + 1][GW_TAPS] of the sinc */
    double *gain;           /* [GW_GAINS + 1] of the interpolator, by frequency */
    float *turn;            /* [points][2] cos and -sin of k/points turns */
    int32_t *place;         /* [points / 2] where a complex point goes before the transform */
    float *work;            /* [points][GW_ROW] of the window, then their transform */
    float *lines;           /* [points / 2][GW_ROW] squares of the rms of each line */
};

enum {
    GW_TAPS = 32,
    GW_PHASES = 256, /* between two samples; linear between these */
    GW_GAINS = 512   /* from 0 to half the sampling rate */
};

/* Of synchrophasors, phasor.h: re and im of every column, at each of three instants. */
enum { GW_INSTANTS = 3 };
typedef double gw_vectors[GW_INSTANTS][2][GW_COLUMNS];

/* Sums of sums, and the sums: re and im of every column. */
typedef struct {
    uint64_t once[2][GW_COLUMNS];
    uint64_t twice[2][GW_COLUMNS];
} gw_sums;

typedef struct {
    /* Exact sums of n rows of products, as high * 2^32 + low. */
    void (*sums)(const int32_t *rows, int64_t n, uint64_t *high, uint64_t *low);
    /*
     * Blocks of `length` rows, each to one complex point: the rows of the block before with rising
     * weights and its own with falling ones, the lanes weighed and added.
     * `before` [4] holds the former from one call to the next.
     */
    void (*blocks)(const int32_t *rows, int64_t count, int64_t length, const double *real,
                   const double *imaginary, double *before, double *re, double *im);
    /* Sums of complex points times complex taps, and of their conjugates; n a multiple of 4. */
    void (*filter)(const double *re, const double *im, const double *tap_re,
                   const double *tap_im, int64_t n, double *ahead, double *back);
    /* Sums of n rows times a rotating vector that starts at w and is turned by step each row. */
    void (*rotate)(const int32_t *rows, int64_t n, const double *w, const double *step,
                   double *re, double *im);
    /* Fill the work of the spectrum with points from row `start` on, step rows apart. */
    void (*resample)(const gw_spectrum *spectrum, const int32_t *rows, double start, double step);
    /* Transform it in place. */
    void (*transform)(const gw_spectrum *spectrum);
    /* Squares of the rms of lines 0 .. n-1 out of it; of line 0 it is no square of anything. */
    void (*lines)(const gw_spectrum *spectrum, int64_t n);
    /* Carry the sums on over n rows, with as many of the table; small: no sample of them, nor of
     * two cycles before, is large. */
    void (*carry)(const int32_t *rows, int64_t n, int64_t lanes, int64_t cycle,
                  const int32_t *table, int small, gw_sums *sums);
    /* The vectors of three windows of n taps; the first begins at rows, the others `apart` and
     * twice `apart` rows later. */
    void (*instants)(const int32_t *rows, int64_t n, int64_t lanes, int64_t apart,
                     const double *taps, gw_vectors vectors);
    /* Of sampled values, sv.c: n pairs of a value and a quality, as they are sent, to the values;
     * returns the qualities, one over the other. */
    uint32_t (*pairs)(const uint8_t *from, int64_t n, int32_t *to);
} gw_loops;

extern const gw_loops gw_loops_plain;
extern const gw_loops gw_loops_v3;

/* The loops of the level that is in force. */
const gw_loops *gw_loops_now(void);

#endif
