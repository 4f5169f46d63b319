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

#include "loops.h"
#include "quality.h"
#include "stream.h"

enum {
    GW_TERMS = 32 /* most terms of a gain's polynomial */
};

#define GW_PI 3.14159265358979323846

struct gw_phasor {
    /* What was asked for. */
    gw_stream stream;
    int64_t rate, nominal, columns; /* of the stream */
    int64_t reporting, performance, sets;
    int32_t set[GW_PHASOR_SETS][3];
    double factor[GW_COLUMNS][2]; /* scale and turn as one complex number, peak to rms in it */
    double least;

    /* What follows from it; lengths in rows. */
    int64_t lanes;   /* columns, rounded up to whole vectors */
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

    /* Where it stands: at a row, the last of `used` rows of the history, and before a report. */
    gw_stream_state at;
    int64_t begin, next;
    int64_t bad;   /* the last row that is not good */
    int64_t large; /* a row after which none is large */
    int64_t used;
    int64_t step; /* the instants that the next report already has, of sums */
    gw_sums sums;
    gw_vectors vectors;

    /* Memory behind this. */
    int32_t *history;
    uint16_t *quality;
    double *taps;   /* cosine and minus sine, weighted; gain 1 */
    int32_t *table; /* cosine and minus sine of two cycles */
};

/* phasor_window.c: lengths of the window, GW_OK or GW_BAD_SETUP; then its numbers. */
int64_t gw_phasor_window_measure(gw_phasor *phasor);
void gw_phasor_window_make(gw_phasor *phasor);

/* phasor_report.c: the row of report `number` since the epoch, from the vectors of its instants. */
void gw_phasor_report(const gw_phasor *phasor, int64_t number, uint16_t quality, gw_phasor_rows *out);
void gw_phasor_nothing(const gw_phasor *phasor, int64_t number, uint16_t quality,
                       gw_phasor_rows *out);

/* The row of a report, and by how much its instant is later, -1/2..1/2 row. */
int64_t gw_phasor_row(const gw_phasor *phasor, int64_t number, double *later);

#endif
