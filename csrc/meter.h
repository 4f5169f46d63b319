/* The parts of a meter, and what they do for each other. */
#ifndef GW_METER_H
#define GW_METER_H

#include <math.h>

#include "loops.h"
#include "quality.h"
#include "stream.h"

enum {
    GW_SIXTHS = 6,        /* marks in a cycle: each lane's zero crossings are among them */
    GW_CROSSINGS = 8,    /* more than a cycle of them */
    GW_OPEN = 4,          /* windows at a time: one, its successor, and those of a new beginning */
    GW_WATCHED = 3,
    GW_REGISTERS = 16,    /* of energy */
    GW_CHANGES = 120,     /* Urms(1/2) in the second that a change is judged by (clause 5.11) */
    GW_SPEEDS = 32        /* of the phase, remembered for when there is none */
};

/* What is doubtful about the phase between two marks. */
enum { GW_UNLOCKED = 1, GW_SLEWING = 2 };

/* The phase of the fundamental: tracker.c. */
typedef struct {
    int64_t block;    /* rows in a point */
    int64_t every;    /* points from one look at the phase to the next */
    int64_t taps;     /* a multiple of 4 */
    int64_t delay;    /* half rows from the middle of the filter to the middle of its last point */
    double nominal;   /* sixths from one look to the next */
    double real[4], imaginary[4]; /* weights of the lanes */
    double *tap_re, *tap_im;
    double *re, *im;  /* [2 * taps] points */
    int64_t points;   /* in re and im */
    int64_t taken;    /* points since the start */
    double before[4]; /* rising weights of the last block */
    int64_t at;       /* where the last look was, in half rows */
    int64_t sixth;    /* the last mark, and how far the phase is past it */
    double past;
    int started;
    int locked;
    int reversed; /* the phases are in the order a, c, b */
    double speed[GW_SPEEDS]; /* sixths from look to look while locked */
    int64_t speeds;
} gw_tracker;

/* A place between rows, with all that is summed up to it. */
typedef struct {
    int64_t row;   /* the row before it */
    double part;   /* of the way to the next row */
    int64_t sixth;
    uint64_t high[GW_PRODUCTS], low[GW_PRODUCTS]; /* up to and with the row */
    double rest[GW_PRODUCTS];                     /* what the trapezoid rule adds */
    uint16_t quality; /* of the rows since the mark before */
    int doubt;
} gw_crossing;

/* A window of 10 or 12 cycles that is not yet reported. */
typedef struct {
    int used;
    gw_crossing start;
    int64_t end; /* sixth */
    int64_t interval; /* number of the 10 minutes that it starts in */
    int whole;        /* it follows the one before, or begins the 10 minutes */
    uint16_t quality;
    int doubt;
    int flagged;
} gw_window;

/* Sums over windows, for one value each: aggregate.c. */
typedef struct {
    double *sum;
    int32_t *n;
    int64_t windows;
    int64_t interval;
    uint16_t quality;
    int flagged;
} gw_sum;

/* 10 s of whole cycles, between indices. */
typedef struct {
    int64_t interval; /* below 0 for none */
    int64_t cycles;
    int64_t first, last;
    double first_part, last_part;
    int broken; /* a gap lies in it: what comes after does not count */
    uint16_t quality;
} gw_seconds;

typedef struct {
    int active;
    int64_t start;
    double extreme;
    uint16_t quality;
} gw_passage;

/* Rapid voltage changes of one phase: the last second of Urms(1/2). */
typedef struct {
    double value[GW_CHANGES];
    int64_t start[GW_CHANGES];
    int64_t count;
    int steady;
    double mean;    /* while steady; then of the last steady second */
    double largest; /* change from it */
} gw_second;

typedef struct {
    gw_passage of[GW_CHANGE][GW_WATCHED + 1]; /* the last one is the circuit's */
    double reference[GW_WATCHED];
    double latest[GW_WATCHED];
    gw_second second[GW_WATCHED];
    int steady;         /* all phases are */
    int changing;       /* a change is under way */
    int spoiled;        /* it is a dip or a swell */
    int64_t change_start;
    uint16_t change_quality;
} gw_watch;

struct gw_meter {
    gw_meter_setup setup;
    gw_spectrum *spectrum;
    int32_t *select;
    int64_t first[GW_SPANS];    /* quantity of each span */
    int64_t selected[GW_SPANS]; /* rows that each span gives */
    int64_t base[GW_KINDS];     /* of each kind within a span */
    int64_t values;             /* in a span that has all kinds */
    int64_t cycles;             /* in a window */
    int three[2];               /* voltages, currents of all of a, b and c */

    int reference;              /* 0: voltages have the phase; 1: currents */
    int32_t column[GW_ROW];     /* of a row of the stream, below 0 for none */
    int run[2];                 /* the columns of a group follow one another */
    double scale[GW_ROW], product_scale[GW_PRODUCTS];

    gw_stream_state at;
    int64_t origin; /* index of row 0: of the first one since all began anew */
    int fresh;      /* no cycle has ended since all began anew */
    double frequency;

    int64_t capacity, kept; /* rows in the buffer, and those that windows may still need */
    int32_t *rows;          /* [capacity][GW_ROW] */
    uint16_t *qualities;    /* [capacity] */
    int64_t oldest;         /* row number of the first in the buffer */
    int64_t filled;         /* rows in the buffer */
    int64_t blocked;        /* rows that went into points */
    int64_t last_bad;       /* the last row that is not good */

    gw_tracker tracker;
    gw_crossing crossing[GW_CROSSINGS];
    int64_t crossings; /* since all began anew */
    gw_window window[GW_OPEN];
    int64_t chain;          /* sixth at which the next window starts, below 0 for the next cycle */
    int64_t chain_interval; /* the 10 minutes that the running windows are for */
    int64_t counted;        /* sixth up to which reactive energy is counted */
    double *value;          /* [values] of the window at hand */
    double *squares;        /* of its lines */
    double re[GW_ROW], im[GW_ROW]; /* its fundamental phasors, rms */
    gw_sum sum[GW_2_HOURS + 1]; /* by span; that of the 10/12 cycles is of an older 3 seconds */
    gw_seconds seconds;
    gw_watch watch;
    double energy[GW_REGISTERS];
    gw_rows *out;       /* while a push runs */
    gw_events *happened;
};

/* The index of a row since the Unix epoch. */
static inline int64_t gw_index(const gw_meter *meter, int64_t row)
{
    return meter->origin + row;
}

/* The time [ns] of a place between rows. */
static inline int64_t gw_time_of(const gw_meter *meter, int64_t row, double part)
{
    int64_t rate = meter->setup.stream.rate, index = gw_index(meter, row);
    double number = (double)(index % rate) + part;
    return index / rate * 1000000000 + llround(number * 1e9 / (double)rate);
}

/* Integral of a product from one mark to another, in squared counts times rows. */
static inline double gw_between(const gw_crossing *from, const gw_crossing *to, int product)
{
    int64_t high = (int64_t)(to->high[product] - from->high[product]);
    int64_t low = (int64_t)(to->low[product] - from->low[product]);
    return (double)high * 4294967296.0 + (double)low + (to->rest[product] - from->rest[product]);
}

/* Rows from one mark to another. */
static inline double gw_length(const gw_crossing *from, const gw_crossing *to)
{
    return (double)(to->row - from->row) + (to->part - from->part);
}

/* meter.c */
void gw_meter_begin(gw_meter *meter, int64_t index);

/* quantity.c */
int64_t gw_check_setup(const gw_meter_setup *setup);
int64_t gw_items_of(int kind, int64_t orders);
int64_t gw_base_of(int kind, int64_t orders);
void gw_give(gw_meter *meter, int64_t quantity, double value, uint16_t quality, int64_t time);
void gw_give_values(gw_meter *meter, int span, const double *values, uint16_t quality,
                    uint16_t frequency_quality, int64_t time);

/* tracker.c */
int64_t gw_tracker_taps(const gw_meter_setup *setup);
int64_t gw_tracker_block(const gw_meter_setup *setup);
void gw_tracker_init(gw_meter *meter);
void gw_tracker_reset(gw_tracker *tracker);
void gw_tracker_take(gw_meter *meter);

/* crossing.c: at a sixth of a cycle */
void gw_crossing_set(gw_meter *meter, int64_t row, double part, int64_t sixth, int doubt);
const int32_t *gw_row_at(const gw_meter *meter, int64_t row);

/* window.c */
void gw_window_step(gw_meter *meter, const gw_crossing *crossing);
void gw_window_break(gw_meter *meter);
void gw_window_measure(gw_meter *meter, const gw_crossing *from, const gw_crossing *to);

/* power.c: from the rms values and phasors of a window, in place */
void gw_powers(const gw_meter *meter, double *value, const double *mean);
void gw_factors(const gw_meter *meter, double *value);

/* aggregate.c */
void gw_aggregate(gw_meter *meter, const gw_window *window, int64_t end);
void gw_aggregate_break(gw_meter *meter, int64_t time);

/* seconds.c */
void gw_seconds_step(gw_meter *meter, const gw_crossing *crossing, uint16_t quality);
void gw_seconds_break(gw_meter *meter);

/* event.c */
void gw_watch_init(gw_meter *meter);
void gw_watch_take(gw_meter *meter, int phase, double value, uint16_t quality, int64_t start,
                   int64_t end);
int gw_watch_active(const gw_meter *meter);
void gw_watch_slide(gw_meter *meter, const double *rms, int flagged);
void gw_watch_break(gw_meter *meter, int64_t time);

#endif
