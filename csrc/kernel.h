/*
 * The kernel's point pipeline: raw blocks and columns in, the rows of what changed out;
 * and the checks of frames.
 *
 * The caller owns all memory, a pointer stands beside its length, and nothing is changed when a
 * call returns an error.  A points table has one owner at a time: the functions take no locks.
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
    GW_BAD_CHECK = -8
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
 * Synchrophasors, frequency and rate of change of frequency of one stream of samples, class P or M:
 * designed to the limits of IEC/IEEE 60255-118-1:2018.
 *
 * Time is the index of a sample, counted from the Unix epoch: second * rate + number in the second,
 * UTC.  Reports belong to instants: second + k/reporting.  Samples are rows, and channel c of row i is
 * samples[i * stride + c]; row i has the index `index` + i.
 *
 * A gap of up to `hold` rows is filled with the last row, whose reports are then questionable and
 * inaccurate.  A longer gap starts anew: reports whose window is not full are invalid, and their
 * values are NaN; instants more than a second before the row that ended the gap have no report.
 */
enum { GW_BAD_STREAM = -20, GW_BAD_INDEX = -21, GW_NO_SUMS = -22 };

enum gw_performance { GW_CLASS_P = 0, GW_CLASS_M = 1 };

enum { GW_PHASOR_CHANNELS = 32, GW_PHASOR_SETS = 16 }; /* most of each */

/*
 * rate:        samples per second, 1000..32768.
 * nominal:     50 or 60 Hz.
 * reporting:   reports per second: 10, 25, 50 or 100 at 50 Hz; 10, 12, 15, 20, 30, 60 or 120 at 60 Hz.
 * performance: gw_performance.
 * hold:        rows that a gap may have at most to be filled, 0..rate.
 * set:         the channels of three phases in their order, for each set; or one channel, -1, -1.
 *              Frequency and its rate of change are those of the first set.
 * scale, turn: what is multiplied to the counts of each channel [unit per count], and added to its
 *              angle [rad]: the correction of a transformer's error.
 * least:       below this magnitude of the first set's phasor (of its positive sequence, where it
 *              has three channels) there is no frequency, [unit] rms; NaN is reported.
 */
typedef struct {
    int32_t rate;
    int32_t nominal;
    int32_t reporting;
    int32_t performance;
    int32_t hold;
    int32_t channels;
    int32_t sets;
    const int32_t *set;
    const double *scale;
    const double *turn;
    double least;
} gw_phasor_config;

typedef struct gw_phasor gw_phasor;

/*
 * Reports, appended at count, 0 <= count <= capacity:
 * time [ns since the Unix epoch, UTC], quality, frequency [Hz], rocof [Hz/s];
 * magnitude [unit, rms] and angle [rad, -pi..pi, of a cosine at the nominal frequency whose peak is
 * at the second] of channel c at report * channels + c, and then of the positive, negative and zero
 * sequence of set s, phase a, at (report * sets + s) * 3 + 0, 1, 2; of a set of one channel the
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

/* The bytes that the state takes, or GW_BAD_STREAM. */
int64_t gw_phasor_size(const gw_phasor_config *config);

/*
 * Set the state up in memory of at least that size, aligned as for a double.  It points into itself,
 * so it stays where it is; the configuration is copied.  Returns GW_OK, GW_BAD_STREAM or GW_NO_ROOM.
 */
int gw_phasor_init(void *memory, int64_t size, const gw_phasor_config *config);

/*
 * Take rows, and append the reports that they complete.
 * quality: one of each row, or NULL where all are good.  A report's is that of its window: all
 * details, and the worst validity.
 * Returns the number of reports, or GW_BAD_STREAM where stride has no room for the channels,
 * GW_BAD_INDEX where a row was there before or the index cannot be, GW_ROWS_FULL.
 */
int64_t gw_phasor_push(gw_phasor *phasor, const int32_t *samples, int64_t rows, int64_t stride,
                       int64_t index, const uint16_t *quality, gw_phasor_rows *out);

/* The reports that such a push would append, or a code below zero. */
int64_t gw_phasor_reports(const gw_phasor *phasor, int64_t rows, int64_t index);

/* Rows after a report's own that complete it, and rows that were filled so far. */
int64_t gw_phasor_delay(const gw_phasor *phasor);
int64_t gw_phasor_held(const gw_phasor *phasor);

/*
 * Class P with whole samples per cycle and not more reports than cycles: the exact sums after the
 * last row, real and imaginary part of each channel, with a cosine of 2^bits and minus a sine;
 * modulo 2^64, which no sum exceeds.  Returns the index of the row in the middle of their window of two cycles,
 * or GW_NO_SUMS where they are not made, or nothing was pushed.
 */
int64_t gw_phasor_sums(const gw_phasor *phasor, int64_t *sums, int32_t *bits);

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
