/*
 * The kernel: raw blocks and columns in, the rows of what changed out; streams of samples in, what
 * is measured of them out; and the checks of frames.
 *
 * The caller owns all memory, a pointer stands beside its length, and nothing is changed when a
 * call returns an error.  What has a state has one owner at a time: the functions take no locks.
 *
 * Everything between the two markers is read by build_kernel.py as the cdef of the Python wrapper,
 * so declarations live only here.
 */
#ifndef GW_KERNEL_H
#define GW_KERNEL_H

#include <stdint.h>

/* cdef begin */

/* Return codes below zero; gw_strerror() has the sentence of each. */
enum {
    GW_OK = 0,
    GW_NO_POINT = -1,
    GW_SHORT_BLOCK = -2,
    GW_ROWS_FULL = -3,
    GW_BAD_PLAN = -4,
    GW_BAD_LEVEL = -5,
    GW_BAD_LENGTH = -6,
    GW_NO_ROOM = -7,
    GW_BAD_CHECK = -8,
    GW_BAD_STREAM = -20,
    GW_BAD_INDEX = -21,
    GW_BAD_BLOCK = -22,
    GW_BAD_SETUP = -23,
    GW_BAD_QUANTITY = -24,
    GW_EVENTS_FULL = -25,
    GW_NO_SUMS = -26,
    GW_BAD_FILE = -40,
    GW_BAD_RING = -41,
    GW_LINK_DOWN = -42,
    GW_NO_RING = -43
};

/* Quality of a sample, IEC 61850-7-3 clause 6.2.1; the two lowest bits are one number. */
enum {
    GW_GOOD = 0,
    GW_INVALID = 0x0001,
    GW_QUESTIONABLE = 0x0003,
    GW_VALIDITY = 0x0003,
    GW_OVERFLOW = 0x0004,
    GW_OUT_OF_RANGE = 0x0008,
    GW_FAILURE = 0x0040,
    GW_OLD_DATA = 0x0080,
    GW_INCONSISTENT = 0x0100,
    GW_INACCURATE = 0x0200,
    GW_SUBSTITUTED = 0x0400,
    GW_TEST = 0x0800,
    GW_OPERATOR_BLOCKED = 0x1000,
    GW_CLOCK_NOT_SYNCHRONISED = 0x2000,
    GW_DEVICE_TIME = 0x4000
};

/*
 * Marks: what the gateway itself says of a point, whatever its device says, as bits of quality.
 * A point with a mark of GW_HELD does not show what its device says.
 */
enum {
    GW_HELD = 0x1400,  /* GW_SUBSTITUTED, GW_OPERATOR_BLOCKED, or both */
    GW_MARKS = 0x1c00  /* GW_HELD and GW_TEST */
};

enum gw_deadband { GW_ABSOLUTE = 0, GW_INTEGRATED = 1 };

enum gw_type {
    GW_BIT = 0, /* positions and strides count bits, from the least significant of byte 0 */
    GW_INT8,
    GW_UINT8,
    GW_INT16,
    GW_UINT16,
    GW_BCD16, /* four decimal digits, one in each half byte */
    GW_INT32,
    GW_UINT32,
    GW_FLOAT32,
    GW_BCD32, /* eight decimal digits */
    GW_INT64,
    GW_UINT64,
    GW_FLOAT64,
    GW_TYPES
};

/*
 * Order of the bytes on the wire, A the most significant byte of a 32-bit value:
 * big-endian; little-endian; bytes swapped in each 16-bit word; words reversed.
 * 16-bit values take the order of one word, 64-bit values extend the pattern to four words.
 */
enum gw_order { GW_ABCD = 0, GW_DCBA, GW_BADC, GW_CDAB, GW_ORDERS };

/*
 * Points: columns of length n; the index is the point's id.
 *
 * Parameters: v = raw * scale + offset; low and high [unit], -inf and +inf for none;
 * rate [unit/s], +inf for none; deadband [unit], or [unit*s] where its kind is GW_INTEGRATED;
 * a deadband below zero (or NaN) reports every sample.
 *
 * The image: value [unit], quality and time [ns since the Unix epoch, UTC] of the last *reported*
 * sample of each point.  time == 0 means never reported; set up as NaN, GW_INVALID|GW_OLD_DATA, 0.
 *
 * History, the kernel's own: the last sample seen and when (set up as NaN, 0), and the area
 * between the samples and the image since the last report [unit*s] (set up as 0).
 * It is kept for points with a rate limit or an integrated deadband.
 *
 * Marks: 0, or bits of GW_MARKS, which the image's quality then carries, too: by that a marked
 * point is found at no cost to the others.  said_* are what the device of a marked point said,
 * set up as the image is when the mark comes.  A marked point is judged against them instead of
 * the image, and what is to be reported goes into them; then, where the point is held, it is
 * counted as withheld and goes nowhere, and else it is reported with its marks.
 */
typedef struct {
    int64_t n;
    const double *scale;
    const double *offset;
    const double *low;
    const double *high;
    const double *rate;
    const double *deadband;
    const uint8_t *deadband_kind;
    double *value;
    uint16_t *quality;
    int64_t *time;
    double *previous;
    int64_t *previous_time;
    double *area;
    const uint16_t *mark;
    double *said_value;
    uint16_t *said_quality;
    int64_t *said_time;
    int64_t *withheld;
} gw_points;

/* Rows: what is reported is appended at count, 0 <= count <= capacity. */
typedef struct {
    int64_t capacity;
    int64_t count;
    int32_t *point;
    double *value;
    uint16_t *quality;
    int64_t *time;
} gw_rows;

/*
 * A run: fields of one type and order.  Where list < 0, field i is point first+i at position
 * offset + i*stride; else points[list+i] at offsets[list+i] of the plan.
 * Positions are bytes from the start of the block, or bits where the type is GW_BIT.
 * history != 0 where a point of the run has a rate limit or an integrated deadband.
 */
typedef struct {
    int32_t type;
    int32_t order;
    int32_t history;
    int32_t list;
    int64_t count;
    int64_t first;
    int64_t offset;
    int64_t stride;
} gw_run;

/*
 * Plan: the compiled fields of one raw block, for one points table.
 * A point appears at most once.  That is not checked here: a second field of a point would be
 * judged against the image before the first one or after it.
 */
typedef struct {
    const gw_points *table;
    int64_t run_count;
    int64_t list_count;
    const gw_run *runs;
    const int32_t *points;
    const int64_t *offsets;
} gw_plan;

/*
 * Decode a raw block by its plan, judge each field as a sample of this time, and append what is
 * to be reported.  quality: flags of the whole block, merged into each sample's.
 * Needs as many free rows as the plan has fields.  Returns the number of rows appended, or a code below zero.
 */
int64_t gw_points_decode(gw_points *points, const gw_plan *plan, const uint8_t *data,
                         int64_t length, int64_t time, uint16_t quality, gw_rows *rows);

/*
 * Judge n samples given as columns, in their order, and append what is to be reported:
 * all of them where every != 0, else what changed.  A point may have several samples.
 * Needs n free rows.  Returns the number of rows appended, or a code below zero.
 */
int64_t gw_points_judge(gw_points *points, int64_t n, const int32_t *point, const double *value,
                        const uint16_t *quality, const int64_t *time, int every, gw_rows *rows);

/*
 * The check of DNP3, CRC-16/DNP (IEEE 1815-2012 clause 9.2): as a number, and over a whole frame,
 * the header of 8 octets and blocks of 16 or, the last one, fewer, each followed by its check.
 *
 * gw_dnp_seal() puts the checks in, gw_dnp_open() verifies them and takes them out; a header alone
 * is a frame, too.  Both return the octets written, or GW_BAD_LENGTH where there is no frame of
 * that length, GW_NO_ROOM where capacity is below what is to be written, and for a check that is
 * not that of its block GW_BAD_CHECK, with part of the blocks written.
 */
enum { GW_DNP_OPEN = 258, GW_DNP_SEALED = 292 }; /* octets of the longest frame, without and with */
uint16_t gw_crc_dnp(const uint8_t *data, int64_t length);
int64_t gw_dnp_seal(const uint8_t *data, int64_t length, uint8_t *frame, int64_t capacity);
int64_t gw_dnp_open(const uint8_t *frame, int64_t length, uint8_t *data, int64_t capacity);

/*
 * Waveforms: a stream of samples, and what is measured of it.
 *
 * Samples are rows of int32: column c of row i is samples[i * stride + c].  A row's index counts from
 * the Unix epoch, second * rate + number within the second, UTC; all time comes from it.
 *
 * Each row has a quality, or NULL stands for rows that are all good; a result's quality is that of
 * the rows that it is made of: all details, and the worst validity.
 *
 * Missing rows, up to `hold` of them, are filled with the last one, whose quality then is, besides,
 * questionable and inaccurate.  After a longer gap all begins anew, and no result spans it but as
 * invalid, or as what remains of a longer time.
 * A row before the index that is expected is refused.
 *
 * rate:    samples per second, 1000..32768.
 * nominal: 50 or 60 Hz.
 * hold:    0..rate.
 * columns: 1..GW_COLUMNS; a row may have more, which are nobody's.
 * scale:   what a count of each column is worth [unit].
 */
enum { GW_COLUMNS = 32 };

typedef struct {
    int64_t rate;
    int64_t nominal;
    int64_t hold;
    int64_t columns;
    const double *scale;
} gw_stream;

/* Where a stream stands: the index expected, 0 before the first row; rows filled; gaps that were
 * not, and their rows. */
typedef struct {
    int64_t next;
    int64_t held;
    int64_t gaps;
    int64_t lost;
} gw_stream_state;

/*
 * Synchrophasors, frequency and rate of change of frequency of one stream of samples, class P or M:
 * designed to the limits of IEC/IEEE 60255-118-1:2018.
 *
 * Reports belong to instants: second + k/reporting.  After a gap that is not filled, reports whose
 * window is not full are invalid, and their values are NaN; instants more than a second before the
 * row that ended the gap have no report.
 */
enum gw_performance { GW_CLASS_P = 0, GW_CLASS_M = 1 };

enum { GW_PHASOR_SETS = 16 }; /* most of them */

/*
 * reporting:   reports per second: 10, 25, 50 or 100 at 50 Hz; 10, 12, 15, 20, 30, 60 or 120 at 60 Hz.
 * performance: gw_performance.
 * set:         the columns of three phases in their order, for each set; or one column, -1, -1.
 *              Frequency and its rate of change are those of the first set.
 * turn:        added to the angle of each column [rad]: the correction of a transformer's error.
 * least:       below this magnitude of the first set's phasor (of its positive sequence, where it
 *              has three phases) there is no frequency, [unit] rms; NaN is reported.
 */
typedef struct {
    gw_stream stream;
    int32_t reporting;
    int32_t performance;
    int32_t sets;
    const int32_t *set;
    const double *turn;
    double least;
} gw_phasor_setup;

typedef struct gw_phasor gw_phasor;

/*
 * Reports, appended at count, 0 <= count <= capacity:
 * time [ns since the Unix epoch, UTC], quality, frequency [Hz], rocof [Hz/s];
 * magnitude [unit, rms] and angle [rad, -pi..pi, of a cosine at the nominal frequency whose peak is
 * at the second] of column c at report * columns + c, and then of the positive, negative and zero
 * sequence of set s, phase a, at (report * sets + s) * 3 + 0, 1, 2; of a set of one phase the
 * sequences are NaN.
 */
typedef struct {
    int64_t capacity;
    int64_t count;
    int64_t *time;
    uint16_t *quality;
    double *frequency;
    double *rocof;
    double *magnitude;
    double *angle;
    double *sequence_magnitude;
    double *sequence_angle;
} gw_phasor_rows;

/* The bytes that the state takes, or GW_BAD_STREAM or GW_BAD_SETUP. */
int64_t gw_phasor_size(const gw_phasor_setup *setup);

/*
 * Set the state up in memory of at least that size, aligned as for a double.  It points into itself,
 * so it stays where it is; the setup is copied.
 */
int64_t gw_phasor_init(gw_phasor *phasor, int64_t size, const gw_phasor_setup *setup);

/*
 * Take n rows, of which the first has this index, and append the reports that they complete.
 * Returns the number of reports, or GW_BAD_BLOCK, GW_BAD_INDEX or GW_ROWS_FULL.
 */
int64_t gw_phasor_push(gw_phasor *phasor, int64_t index, const int32_t *samples, int64_t n,
                       int64_t stride, const uint16_t *quality, gw_phasor_rows *out);

/* The reports that a push of n rows would append, or a code below zero. */
int64_t gw_phasor_reports(const gw_phasor *phasor, int64_t index, int64_t n);

/* Rows after a report's own that complete it. */
int64_t gw_phasor_delay(const gw_phasor *phasor);

void gw_phasor_look(const gw_phasor *phasor, gw_stream_state *state);

/*
 * Class P with whole samples per cycle and not more reports than cycles: the exact sums after the
 * last row, real and imaginary part of each column, with a cosine of 2^bits and minus a sine;
 * modulo 2^64, which no sum exceeds.  Returns the index of the row in the middle of their window of two cycles,
 * or GW_NO_SUMS where they are not made, or nothing was pushed.
 */
int64_t gw_phasor_sums(const gw_phasor *phasor, int64_t *sums, int32_t *bits);

/*
 * Power quality and power of one three-phase circuit out of a stream of samples.
 *
 * A circuit has two groups of four lanes, voltages and currents: a, b, c and neutral.
 *
 * A spectrum holds the coefficients and the scratch of the harmonics of a window; meters that are
 * pushed by one thread can share it.
 */
enum { GW_LANES = 4 };

typedef struct gw_spectrum gw_spectrum;
int64_t gw_spectrum_size(int64_t points); /* bytes, or GW_BAD_LENGTH: a power of 2, 64..8192 */
int64_t gw_spectrum_init(gw_spectrum *spectrum, int64_t size, int64_t points);

/*
 * Squares of the rms of lines 1 .. n-1 of a window, for 8 lanes each, in counts; line 0 is none.
 * rows: count rows of 8 lanes; the window of `length` rows begins at `start`, and needs 16 rows
 * before and after it.  Line k has k periods in the window (IEC 61000-4-7 clause 3.2).
 */
int64_t gw_spectrum_lines(gw_spectrum *spectrum, const int32_t *rows, int64_t count, double start,
                          double length, int64_t n, double *squares);

/* Exact sums over rows of 8 lanes, high * 2^32 + low: 4 lanes each of u*u, i*i, u*i, and of
 * u times the u of the next phase (a*b, b*c, c*a; neutral's own square).  n < 2^31. */
void gw_row_sums(const int32_t *rows, int64_t n, uint64_t *high, uint64_t *low);

/* Spans of time that results are given for; all but the first and the last two have all kinds. */
enum gw_span {
    GW_HALF_CYCLE = 0, /* Urms(1/2): one cycle, each half cycle (IEC 61000-4-30 clause 5.4.1) */
    GW_CYCLES,         /* 10 cycles at 50 Hz, 12 at 60 Hz (clause 4.4) */
    GW_3_SECONDS,      /* 150 or 180 cycles (clause 4.5.3) */
    GW_10_MINUTES,     /* clause 4.5.4 */
    GW_2_HOURS,        /* clause 4.5.5 */
    GW_10_SECONDS,     /* frequency (clause 5.1.1) */
    GW_FOREVER,        /* energy */
    GW_SPANS
};

/* Kinds of results, with the items of each.  Item "8 lanes": voltages a, b, c, neutral, currents;
 * "phases": a, b, c and all of them together. */
enum gw_kind {
    GW_RMS = 0,      /* 8 lanes [V, A] */
    GW_LINE,         /* a-b, b-c, c-a [V] */
    GW_FUNDAMENTAL,  /* 8 lanes [V, A], rms */
    GW_SEQUENCE,     /* positive, negative, zero of voltages, then of currents [V, A] */
    GW_UNBALANCE,    /* u2, u0, i2, i0 [%] (clause 5.7.1) */
    GW_ACTIVE,       /* phases: P [W], into the load above 0 */
    GW_REACTIVE,     /* phases: Q1 [var], of the fundamental (IEEE 1459-2010 clause 3.1.2.5) */
    GW_APPARENT,     /* phases: S [VA]; together the effective one (clause 3.2.3) */
    GW_FACTOR,       /* phases: P/S */
    GW_ACTIVE_1,     /* phases: P1 [W], of the fundamental */
    GW_APPARENT_1,   /* phases: S1 [VA] */
    GW_FACTOR_1,     /* phases: P1/S1; together that of the positive sequence */
    GW_DISTORTION,   /* phases: SN [VA], what S has besides S1 */
    GW_POSITIVE,     /* P1+ [W], Q1+ [var], S1+ [VA] of the positive sequence */
    GW_UNBALANCED,   /* SU1 [VA], what effective S1 has besides S1+ */
    GW_FREQUENCY,    /* [Hz] */
    GW_FLAG,         /* 1 where a dip, a swell or an interruption falls into it (4-30 clause 4.7) */
    GW_THD,          /* 8 lanes [%], by sub-groups (4-7 clause 3.3.2) */
    GW_HARMONIC,     /* 8 lanes, orders 1.. [V, A], sub-groups (4-7 clause 3.2.4) */
    GW_INTERHARMONIC, /* 8 lanes, the centred sub-group above orders 0.. (4-7 clause 3.4.4) */
    GW_ENERGY,       /* phases: P > 0, P < 0 [Wh], then Q1 > 0, Q1 < 0 [varh]; GW_FOREVER only */
    GW_KINDS
};

/*
 * What a meter measures.
 *
 * stream: its scale in V and A.
 * voltage, current: the columns of a, b, c, neutral; below 0 for none.
 * orders: of harmonics, 0 for none; no order may be above 0.44 of the rate.
 * declared: the voltage Udin [V] that limits are parts of; with `sliding`, until the sliding
 * reference has taken over (clause 5.4.4).
 * floor: the rms of the fundamental [V, or A without voltages] below which there is no phase.
 * dip, swell, interruption, hysteresis, change: parts of the reference; 0 (swell: INFINITY) for
 * none.  change: the threshold of rapid voltage changes; change_hysteresis is a part of it.
 */
typedef struct {
    gw_stream stream;
    int32_t voltage[4];
    int32_t current[4];
    int64_t orders;
    double declared;
    double floor;
    double dip;
    double swell;
    double interruption;
    double hysteresis;
    double change;
    double change_hysteresis;
    int32_t sliding;
} gw_meter_setup;

enum gw_event_kind { GW_DIP = 0, GW_SWELL, GW_INTERRUPTION, GW_CHANGE };

/*
 * Events: appended at count, when one begins and again when it has ended; a rapid voltage change
 * only when it has ended.
 * phase: 0..2, or -1 for the circuit: any phase of a dip or swell, all phases of an interruption.
 * start and end [ns]; end is 0 where it has only begun.
 * value [V]: the lowest Urms(1/2) of a dip or interruption, the highest of a swell, the largest
 * change dUmax of a rapid voltage change, whose steady-state change dUss is `more`, else 0.
 */
typedef struct {
    int64_t capacity;
    int64_t count;
    uint8_t *kind;
    int8_t *phase;
    int64_t *start;
    int64_t *end;
    double *value;
    double *more;
    uint16_t *quality;
} gw_events;

/*
 * A meter: state over the caller's memory, of gw_meter_size() bytes.
 *
 * spectrum: NULL where there are no orders, else of at least gw_meter_points() points.
 * select: for each of gw_meter_quantities() the point that its rows are for, below 0 for no rows;
 * NULL for rows that carry the quantity itself.  It is copied.
 */
typedef struct gw_meter gw_meter;
int64_t gw_meter_quantities(const gw_meter_setup *setup);
int64_t gw_meter_points(const gw_meter_setup *setup);
int64_t gw_meter_size(const gw_meter_setup *setup);
int64_t gw_meter_init(gw_meter *meter, int64_t size, const gw_meter_setup *setup,
                      gw_spectrum *spectrum, const int32_t *select);

/* The number of a quantity; order is 0 where the kind has none. */
int64_t gw_meter_quantity(const gw_meter_setup *setup, int span, int kind, int64_t item,
                          int64_t order);

/*
 * Take n rows, of which the first has this index, and append what comes out of them.
 *
 * After a gap that is not filled, spans up to 3 seconds get invalid rows, and the longer ones in
 * which it lies are questionable and inaccurate.
 * Needs the free rows and events that
 * gw_meter_rows() and gw_meter_events() say.  Returns the number of rows appended.
 */
int64_t gw_meter_push(gw_meter *meter, int64_t index, const int32_t *samples, int64_t n,
                      int64_t stride, const uint16_t *quality, gw_rows *rows, gw_events *events);
int64_t gw_meter_rows(const gw_meter *meter, int64_t n);
int64_t gw_meter_events(const gw_meter *meter, int64_t n);

/* frequency [Hz] and locked: of the phase that the windows follow; reversed: the phases come in the
 * order a, c, b, which their wires should not. */
typedef struct {
    gw_stream_state stream;
    double frequency;
    int32_t locked;
    int32_t reversed;
} gw_meter_state;
void gw_meter_look(const gw_meter *meter, gw_meter_state *state);

/* The registers of GW_ENERGY, 16 of them, to read and to restore. */
double *gw_meter_energy(gw_meter *meter);

/*
 * Sampled values: IEC 61850-9-2 in its profiles 9-2LE (80 or 256 samples per cycle, one ASDU in a
 * frame) and IEC 61869-9 (4800 samples/s, 2 ASDUs; 14400 samples/s, 6 ASDUs).  A data set is pairs of
 * a value, 32 bits with a sign, and a quality, 32 bits (IEC 61869-9 clause 6.903.9).
 *
 * Frames are Ethernet frames from the first octet of the destination, without their check.
 * Frame i has size[i] octets at data + offset[i], and came at time[i] [ns since the Unix epoch].
 */
typedef struct {
    int64_t n;
    const uint8_t *data;
    int64_t length;
    const int64_t *offset;
    const int64_t *size;
    const int64_t *time;
} gw_frames;

/*
 * Rows of samples, `columns` in each; what fills them begins anew.
 * A run is rows whose indices follow each other: from row run_first on, whose index is run_index;
 * there is room for as many runs as rows.
 * quality: of each row.  each: NULL, or that of each column, at row * columns + column.
 * marks: 0 where all rows are good; details of any that are not are merged into it.
 */
typedef struct {
    int64_t capacity;
    int64_t columns;
    int64_t count;
    int32_t *samples;
    uint16_t *quality;
    uint16_t *each;
    int64_t runs;
    int64_t *run_first;
    int64_t *run_index;
    uint32_t marks;
} gw_sample_rows;

enum {
    GW_SV_ASDUS = 16, /* most in a frame */
    GW_SV_ID = 129    /* octets of the longest name of a stream or data set */
};

/*
 * Which frames are a stream's, and what its rows are worth.
 *
 * stream:    smpCnt counts from 0 at each second to rate - 1; the data set has `columns` pairs.
 * asdus:     most ASDUs of a frame, 1..GW_SV_ASDUS.
 * appid:     below 0 for any.
 * revision:  confRev, below 0 for any.
 * synch:     the least smpSynch at which the clock is synchronised: 1 local, 2 global.  Values from
 *            5 on are the identity of a local grandmaster, and count as 1.
 * simulated: 0 leaves frames with the simulation bit; 1 takes them, as a test, and once there was
 *            one, leaves those without (IEC 61850-7-1 clause 7.8.2).
 * watched:   bit c where the quality of column c counts for the quality of the row.
 * id:        svID, of id_length octets; 0 of them for any.
 */
typedef struct {
    gw_stream stream;
    int64_t asdus;
    int32_t appid;
    int64_t revision;
    int32_t synch;
    int32_t simulated;
    uint32_t watched;
    const uint8_t *id;
    int64_t id_length;
} gw_sv_setup;

/*
 * Counters.
 * stream:    next, and as gaps and lost those in the numbers of samples; held stays 0.
 * frames:    that rows came of; rows: of them.
 * late:      rows that came after they had been counted as lost by the last gap; they are left.
 * duplicate: other rows from before the one expected.
 * foreign:   frames of something else; aside: left for their simulation bit.
 * malformed: frames that break the rules of their encoding.
 * unfit:     frames or ASDUs of the stream that do not fit the setup: ASDUs, confRev, columns, rate.
 * learned:   frames that had to be parsed because they were not as the one before.
 * away:      the time that the last frame came less the time of its last row [ns].
 */
typedef struct {
    gw_stream_state stream;
    int64_t frames;
    int64_t rows;
    int64_t late;
    int64_t duplicate;
    int64_t foreign;
    int64_t aside;
    int64_t malformed;
    int64_t unfit;
    int64_t learned;
    int64_t away;
} gw_sv_state;

typedef struct gw_sv gw_sv;
int64_t gw_sv_size(void);
int64_t gw_sv_init(gw_sv *sv, int64_t size, const gw_sv_setup *setup);

/*
 * Take frames and fill the rows with those that are the stream's.
 *
 * The first row's second is the one that brings it nearest to the time its frame came; then the
 * numbers of samples count on, and where no frame came for more than half a second, the time that
 * passed says how many seconds went by.
 * Needs room for `asdus` rows of each frame.  Returns the number of rows, or GW_BAD_BLOCK
 * where the rows have other columns, GW_SHORT_BLOCK where a frame lies outside the data, GW_BAD_INDEX
 * where its time is none, GW_ROWS_FULL.
 */
int64_t gw_sv_decode(gw_sv *sv, const gw_frames *frames, gw_sample_rows *out);
void gw_sv_look(const gw_sv *sv, gw_sv_state *state);

/* What rows of samples go to, and where its results are appended; NULL for neither. */
typedef struct {
    gw_phasor *phasor;
    gw_phasor_rows *reports;
    gw_meter *meter;
    gw_rows *values;
    gw_events *events;
} gw_measured;

/*
 * Push all runs of the rows.  Returns the number of results appended, or a code of gw_phasor_push()
 * or gw_meter_push() at the first run that is refused: the ones before it were taken, and where room
 * was missing, another call goes on with it.
 */
int64_t gw_measure(const gw_sample_rows *rows, const gw_measured *to);

/* Take frames, and measure their rows.  Where the code is that room for results is missing, the
 * frames were taken, and gw_measure() goes on. */
int64_t gw_sv_measure(gw_sv *sv, const gw_frames *frames, gw_sample_rows *rows,
                      const gw_measured *to);

/*
 * What a publisher sends.
 *
 * stream, appid, revision, id: as above; asdus: of each frame.
 * set:     the name of the data set, of set_length octets; 0 of them for none.
 * vlan:    the tag's priority, DEI and id, 0..65535; below 0 for no tag.
 * mode:    below 0, or smpMod, and with it smpRate: 0 per nominal cycle, 1 per second.
 * clock:   1 for refrTm in each ASDU.
 */
typedef struct {
    gw_stream stream;
    uint8_t destination[6];
    uint8_t source[6];
    int32_t vlan;
    int32_t appid;
    int32_t simulated;
    int64_t asdus;
    int64_t revision;
    int32_t mode;
    int32_t clock;
    const uint8_t *id;
    int64_t id_length;
    const uint8_t *set;
    int64_t set_length;
} gw_sv_publisher;

/* The octets of each of a publisher's frames, or GW_BAD_STREAM or GW_BAD_SETUP. */
int64_t gw_sv_frame_size(const gw_sv_publisher *publisher);

/*
 * Frames of n rows, a multiple of asdus, one after the other.
 * quality: of each value, at row * columns + column, or NULL for good; bits of GW_DEVICE_TIME and
 * GW_CLOCK_NOT_SYNCHRONISED are not sent.
 * Returns the octets written, or GW_BAD_BLOCK, GW_BAD_INDEX or GW_NO_ROOM.
 */
int64_t gw_sv_encode(const gw_sv_publisher *publisher, int64_t index, const int32_t *samples,
                     int64_t n, int64_t stride, const uint16_t *quality, uint8_t synch,
                     uint8_t *out, int64_t capacity);

/*
 * Files of frames: libpcap's, of Ethernet, with times in us or ns, of either order of bytes.
 * Finds up to `capacity` frames that are in the file's octets whole; offset, size and time are as of
 * gw_frames.  *at: 0 before the first; then where the next call goes on.
 * Returns how many, or GW_BAD_FILE.
 */
int64_t gw_pcap_frames(const uint8_t *data, int64_t length, int64_t *at, int64_t capacity,
                       int64_t *offset, int64_t *size, int64_t *time);

/*
 * Ethernet of Linux: a ring that the system fills with what an interface receives (packet(7),
 * TPACKET_V3), and frames that are sent when it is their time.
 *
 * These four wait and do I/O, as nothing else here does, on a socket that the caller has set up and
 * keeps open; the caller mapped the ring's memory, too.  On other systems they return GW_NO_RING.
 *
 * memory: of `blocks` blocks of `block` octets each.
 * next:   the block that is opened next; held: how many before it were opened and not handed back.
 * left:   frames of the last one opened that were not taken, of which the first is at memory + at.
 */
typedef struct {
    int32_t fd;
    uint8_t *memory;
    int64_t block;
    int64_t blocks;
    int64_t next;
    int64_t held;
    int64_t left;
    int64_t at;
} gw_ring;

/*
 * Where no block is ready, wait up to `wait` ms for one; then take up to `capacity` frames of all
 * blocks that are.  Columns are as of gw_frames whose data is the ring's memory; they hold until
 * gw_ring_release().  A tag that the system took off a frame is not in it.
 * Returns how many, or GW_LINK_DOWN where the socket reports an error, or GW_BAD_RING.
 */
int64_t gw_ring_take(gw_ring *ring, int32_t wait, int64_t capacity, int64_t *offset, int64_t *size,
                     int64_t *time);

/* Hand the blocks whose frames were all taken back to the system; returns how many. */
int64_t gw_ring_release(gw_ring *ring);

/* Take, gw_sv_decode() and release in one call; returns as gw_sv_decode() or gw_ring_take() do. */
int64_t gw_ring_decode(gw_ring *ring, int32_t wait, int64_t capacity, int64_t *offset,
                       int64_t *size, int64_t *time, gw_sv *sv, gw_sample_rows *out);

/*
 * Send frames, each when the system's clock is at its time [ns since the Unix epoch], in the order of
 * the columns, or at once where that has passed; ends before one that is more than a second away.
 * Returns how many: fewer where the interface took no more; GW_SHORT_BLOCK where the first of them
 * lies outside the data, GW_LINK_DOWN where it could not be sent at all.
 */
int64_t gw_frames_send(int32_t fd, const gw_frames *frames);

/*
 * Frames of IEEE C37.118.2-2011: the octets of synchrophasors.  All of them begin with SYNC,
 * FRAMESIZE, IDCODE, SOC and FRACSEC and end with a check (clause 6.2, table 2).
 *
 * GW_BAD_FRAME:  no frame begins there.
 * GW_OTHER_FRAME: a frame, of another kind or stream.
 * GW_OTHER_SIZE: data of this stream, of another length than its configuration says.
 * GW_BAD_CONFIG: a configuration contradicts itself or its length.
 * GW_FRAGMENT:   a configuration 3 in several frames (CONT_IDX is not 0).
 * GW_BAD_TIME:   a time, or a field, that a frame cannot say.
 */
enum {
    GW_BAD_FRAME = -30,
    GW_OTHER_FRAME = -31,
    GW_OTHER_SIZE = -32,
    GW_BAD_CONFIG = -33,
    GW_FRAGMENT = -34,
    GW_BAD_TIME = -35
};

/* The kind of a frame: bits 6-4 of SYNC (table 2). */
enum gw_c37_kind {
    GW_C37_DATA = 0,
    GW_C37_HEADER,
    GW_C37_CONFIG_1,
    GW_C37_CONFIG_2,
    GW_C37_COMMAND,
    GW_C37_CONFIG_3,
    GW_C37_KINDS
};

enum {
    GW_C37_LEAST = 16,  /* octets of a frame without a body: 14 before it and the check */
    GW_C37_BODY = 14,
    GW_C37_MOST = 65535 /* octets of the longest frame */
};

/* FORMAT (table 9): what is not an integer of 16 bits, and phasors as magnitude and angle. */
enum {
    GW_C37_POLAR = 1,
    GW_C37_FLOAT_PHASORS = 2,
    GW_C37_FLOAT_ANALOGS = 4,
    GW_C37_FLOAT_FREQUENCY = 8
};

/*
 * What all frames say.  version: 1 of 2005, 2 of 2011.  time_quality: the highest octet of FRACSEC
 * (table 3), leap seconds and how far the clock may be off; fraction: the rest, in 1/TIME_BASE s.
 */
typedef struct {
    int32_t kind;
    int32_t version;
    int32_t idcode;
    int32_t size;
    uint32_t second; /* SOC, s since the Unix epoch, UTC */
    int32_t fraction;
    int32_t time_quality;
} gw_c37_header;

/* CRC-CCITT: x^16 + x^12 + x^5 + 1, from 0xffff (annex B); the high octet is sent first. */
uint16_t gw_c37_crc(const uint8_t *data, int64_t length);

/*
 * The frame at the start of these octets: its length, with its header, where all of it is there and
 * its check holds; 0 where more octets are needed; else GW_BAD_FRAME or GW_BAD_CHECK.
 */
int64_t gw_c37_open(const uint8_t *octets, int64_t length, gw_c37_header *header);

/* The position after the first octet where the next frame might begin; length where none does. */
int64_t gw_c37_find(const uint8_t *octets, int64_t length);

/*
 * Make a frame around a body: a text (GW_C37_HEADER), or CMD and what belongs to it.  The size in
 * the header is not read.  Returns its octets, or GW_NO_ROOM, GW_BAD_LENGTH, GW_BAD_TIME.
 */
int64_t gw_c37_seal(const gw_c37_header *header, const uint8_t *body, int64_t length,
                    uint8_t *octets, int64_t capacity);

/* One PMU of a stream: what its block of data frames holds. nominal: 50 or 60 Hz. */
typedef struct {
    int32_t format;
    int32_t phasors;
    int32_t analogs;
    int32_t digitals; /* words of 16 */
    int32_t nominal;
} gw_c37_block;

/*
 * A stream, from its configuration.  Columns of all PMUs, one after the other:
 * phasor_scale:  [unit per count], or for floats usually 1; turn: [rad] subtracted from the angle
 *                of what is received (PHSCALE of configuration 3), added to what is sent.
 * analog_scale:  [unit per count], analog_offset: [unit] added after it.
 */
typedef struct {
    int32_t idcode;
    int32_t version;
    int32_t time_base; /* 1..2^24-1, parts of a second */
    int32_t pmus;
    const gw_c37_block *block;
    const double *phasor_scale;
    const double *phasor_turn;
    const double *analog_scale;
    const double *analog_offset;
} gw_c37_stream;

typedef struct gw_c37_layout gw_c37_layout;

/* The bytes that the layout of a stream's data frames takes, or GW_BAD_CONFIG. */
int64_t gw_c37_layout_size(const gw_c37_stream *stream);

/* Set it up in memory of at least that size, aligned as for a double; what it needs is copied.
 * Returns the octets of a frame, or GW_BAD_CONFIG, GW_NO_ROOM. */
int64_t gw_c37_layout_init(void *memory, int64_t size, const gw_c37_stream *stream);

/*
 * Data frames as rows, one row each, 0 <= count <= capacity, `pmus`, `phasors` ... those of the
 * whole stream:
 * time [ns since the Unix epoch, UTC], time_quality (table 3);
 * stat (table 7), quality, frequency [Hz] and rocof [Hz/s] of PMU p at row * pmus + p;
 * phasor k at (row * phasors + k) * 2: real and imaginary part [unit], or magnitude [unit] and
 * angle [rad], as the PMU's format has it; analog and digital k at row * analogs + k, ...
 * What is absent is NaN: integers of 0x8000 (clause 6.3).
 * quality is made from stat and time_quality when frames are unpacked, and not read when packed.
 */
typedef struct {
    int64_t capacity;
    int64_t count;
    int64_t *time;
    uint8_t *time_quality;
    uint16_t *stat;
    uint16_t *quality;
    double *frequency;
    double *rocof;
    double *phasor;
    double *analog;
    uint16_t *digital;
} gw_c37_rows;

/*
 * Unpack the data frames at the start of these octets, and append their rows; used is set to their
 * octets.  Stops before the first frame that is not all there, is not data of this stream, or does
 * not fit; where that is the very first one, returns why: 0 where octets are missing, or
 * GW_BAD_FRAME, GW_BAD_CHECK, GW_OTHER_FRAME, GW_OTHER_SIZE, GW_ROWS_FULL.  Else the number of rows.
 */
int64_t gw_c37_unpack(const gw_c37_layout *layout, const uint8_t *octets, int64_t length,
                      gw_c37_rows *rows, int64_t *used);

/*
 * Pack rows first..first+n-1 as data frames, one after the other.  A value that an integer of the
 * format cannot say is sent as absent; unfit is set to the number of those that were not NaN.
 * Returns the octets, or GW_NO_ROOM, GW_BAD_TIME, GW_BAD_LENGTH where the rows are not there.
 */
int64_t gw_c37_pack(const gw_c37_layout *layout, const gw_c37_rows *rows, int64_t first, int64_t n,
                    uint8_t *octets, int64_t capacity, int64_t *unfit);

/*
 * Between STAT with the time quality of a message (tables 7 and 3) and quality, for n of each.
 * A clock that may be off by 100 us or more makes inaccurate: 31.8 us are 1 % TVE at 50 Hz.
 */
void gw_c37_quality(int64_t n, const uint16_t *stat, const uint8_t *time_quality,
                    uint16_t *quality);
void gw_c37_stat(int64_t n, const uint16_t *quality, uint16_t *stat);

/* What a configuration has of each thing. names: of stations, phasors, analogs and the 16 bits of
 * digitals, PMU by PMU; text: the octets of all names. */
typedef struct {
    int64_t pmus;
    int64_t phasors;
    int64_t analogs;
    int64_t digitals;
    int64_t names;
    int64_t text;
} gw_c37_counts;

/* A PMU (tables 9 and 11); all after `changes` only of configuration 3. */
typedef struct {
    int32_t idcode;
    gw_c37_block block;
    int32_t changes;      /* CFGCNT */
    int32_t service;      /* class, 'M' or 'P' */
    int32_t window;       /* us, for information */
    int32_t delay;        /* us, for information */
    float latitude;       /* degrees, infinity where nobody says */
    float longitude;
    float elevation;      /* m */
    uint8_t global_id[16];
} gw_c37_pmu;

/*
 * A configuration in columns of the caller's; counts: what they have room for, and then what is
 * in them.  Of configurations 1 and 2 phasor_unit is PHUNIT and analog_unit is ANUNIT (table 9), and
 * scales and offsets are 0; of configuration 3 phasor_unit is the flags of PHSCALE (table 11),
 * analog_unit is 0.  digital_unit: normal state in the upper half, valid inputs in the lower.
 * name_end: where each name ends in the text.
 */
typedef struct {
    gw_c37_counts counts;
    int32_t time_base;
    int32_t rate; /* DATA_RATE: frames per second, or below zero seconds per frame */
    gw_c37_pmu *pmu;
    uint32_t *phasor_unit;
    float *phasor_scale;
    float *phasor_turn;
    uint32_t *analog_unit;
    float *analog_scale;
    float *analog_offset;
    uint32_t *digital_unit;
    int32_t *name_end;
    uint8_t *text;
} gw_c37_config;

/* What the configuration in a whole frame has: GW_OK, or GW_BAD_FRAME, GW_BAD_CHECK,
 * GW_OTHER_FRAME, GW_BAD_CONFIG, GW_FRAGMENT. */
int gw_c37_config_counts(const uint8_t *frame, int64_t length, gw_c37_counts *counts);

/* Read it; besides, GW_NO_ROOM where the columns are too short. */
int gw_c37_config_unpack(const uint8_t *frame, int64_t length, gw_c37_config *config);

/* Write it, as the kind that the header says; names of 16 octets or fewer in configurations 1 and
 * 2, of 255 in 3.  Returns the octets, or GW_BAD_CONFIG, GW_NO_ROOM, GW_BAD_TIME. */
int64_t gw_c37_config_pack(const gw_c37_header *header, const gw_c37_config *config,
                           uint8_t *octets, int64_t capacity);

/* The sentence of a return code. */
const char *gw_strerror(int64_t code);

/*
 * Levels: the same code compiled for more than one instruction set; results are bit-identical.
 * 0 is plain C, 1 is x86-64-v3.  The best that the processor supports is chosen on first use.
 */
enum { GW_PLAIN = 0, GW_X86_64_V3 = 1, GW_LEVELS = 2 };
int gw_level(void);
int gw_level_supported(int level); /* 1 where this processor has the level, else 0 */
int gw_level_force(int level); /* GW_OK, or GW_BAD_LEVEL where this processor has no such level */
const char *gw_level_name(int level);

/* cdef end */

#endif
