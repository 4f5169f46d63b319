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
