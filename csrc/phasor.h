/*
 * The state of a synchrophasor estimator, and the parts that it is made of.
 *
 * A window of weights, symmetric about its middle, is laid over the samples at three instants: the
 * report's and `quarter` rows, a quarter of a cycle, before and after it.  Where the weights are a
 * triangle of whole samples, running sums of integers have it at every row; elsewhere it is a filter
 * whose products are summed when a report is due.
 */
#ifndef GW_PHASOR_H
#define GW_PHASOR_H

#include "kernel.h"

enum {
    GW_INSTANTS = 3, /* before, at and after the report */
    GW_LANES = GW_PHASOR_CHANNELS,
    GW_TERMS = 32 /* most terms of a gain's polynomial */
};

#define GW_PI 3.14159265358979323846

/* Re and im of every channel, for each instant. */
typedef double gw_vectors[GW_INSTANTS][2][GW_LANES];

/* Sums of the sums, and below them the sums: re and im of every channel. */
typedef struct {
    uint64_t once[2][GW_LANES];
    uint64_t twice[2][GW_LANES];
} gw_sums;

struct gw_phasor {
    /* What was asked for. */
    int64_t rate, nominal, reporting, performance, hold, channels, sets;
    int32_t set[GW_PHASOR_SETS][3];
    double factor[GW_LANES][2]; /* scale and turn as one complex number, peak to rms in it */
    double least;

    /* What follows from it; lengths in rows. */
    int64_t lanes;   /* channels, rounded up to whole vectors */
    int64_t cycle;   /* rows per cycle where the sums are made, else 0 */
    int64_t half;    /* the window reaches so far from its middle */
    int64_t quarter; /* between the instants */
    int64_t reach;   /* from a report's row to the last one that it needs: half + quarter */
    int64_t keep;    /* rows before the newest that are still needed */
    int64_t capacity;
    int32_t bits; /* the table's amplitude is 2^bits */
    double sum_gain;

    /* The window's gain at a distance from nominal, and at that from minus nominal, by which a
     * frequency of the first leaks into the phasor: Chebyshev series over -range..range [Hz]. */
    int64_t terms;
    double range;
    double gain[GW_TERMS], leak[GW_TERMS];

    /* Where it stands.  Row `end` - 1 is the newest, and the last of `used` rows of the history. */
    int64_t started, begin, end, next, held;
    int64_t bad;   /* the last row with a mark */
    int64_t large; /* a row after which none is large */
    int64_t used;
    int64_t step; /* the instants that the next report already has, of sums */
    gw_sums sums;
    gw_vectors vectors;

    /* Memory behind this. */
    int32_t *history;
    uint16_t *marks;
    double *taps;   /* cosine and minus sine, weighted; gain 1 */
    int32_t *table; /* cosine and minus sine of two cycles */
};

/* phasor_window.c: lengths of the window, GW_OK or GW_BAD_STREAM; then its numbers. */
int gw_window_measure(gw_phasor *phasor);
void gw_window_make(gw_phasor *phasor);

/* phasor_report.c: the row of report `number` since the epoch, from the vectors of its instants. */
void gw_phasor_report(const gw_phasor *phasor, int64_t number, uint16_t quality, gw_phasor_rows *out);
void gw_phasor_nothing(const gw_phasor *phasor, int64_t number, uint16_t quality,
                       gw_phasor_rows *out);

/* The row of a report, and by how much its instant is later, -1/2..1/2 row. */
int64_t gw_phasor_row(const gw_phasor *phasor, int64_t number, double *later);

/*
 * phasor_loops.h, once for each level.
 * gw_sum: carry the sums on over count rows, with as many of the table; small: no sample of them,
 * nor of two cycles before, is large.
 * gw_filter: the vectors of three windows of count taps; the first begins at rows, the others
 * `apart` and twice `apart` rows later.
 */
typedef void gw_sum_loop(const int32_t *rows, int64_t count, int64_t lanes, int64_t cycle,
                         const int32_t *table, int small, gw_sums *sums);
typedef void gw_filter_loop(const int32_t *rows, int64_t count, int64_t lanes, int64_t apart,
                            const double *taps, gw_vectors vectors);

gw_sum_loop gw_sum_plain, gw_sum_v3;
gw_filter_loop gw_filter_plain, gw_filter_v3;

#endif
