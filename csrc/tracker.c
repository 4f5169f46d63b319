/*
 * The phase of the fundamental, for the windows to follow.
 *
 * Positive sequence of three phases, or the negative one where their order is reversed, or phase
 * a alone.  Blocks of rows become points at about
 * 1600 a second, weighed with a trapezoid: its zeros are doubled where harmonics would fold onto
 * the fundamental.  Four cycles of points under a Blackman window, turned by the nominal
 * frequency, give the phase in their middle.  Its first zero is at 3/4 of the nominal frequency
 * from the fundamental, so that all harmonics, the mirror of a single phase, and a constant are
 * 60 dB and more down from 42.5 to 57.5 Hz (51 to 69 Hz).  With harmonics as EN 50160 allows them
 * a cycle comes out within 6e-5 of its length with one phase, and 4e-5 with three.
 *
 * Without a fundamental the phase runs on at the last good speed, and comes back to a new one at
 * no more than a quarter faster or slower than nominal, so that marks never go back.
 */
#include <math.h>
#include <string.h>

#include "meter.h"

static const double pi = 3.14159265358979323846;

enum {
    POINTS = 1600,   /* aimed at, in a second */
    LOOKS = 200,     /* at the phase, in a second */
    CYCLES = 4,      /* of the filter */
    SETTLED = 20     /* looks back to a speed that the loss of the fundamental did not bend */
};

int64_t gw_tracker_block(const gw_meter_setup *setup)
{
    int64_t block = (2 * setup->stream.rate + POINTS) / (2 * POINTS);
    return block < 1 ? 1 : block;
}

/* An odd number of points. */
static int64_t filter_length(const gw_meter_setup *setup)
{
    return CYCLES * setup->stream.rate / (gw_tracker_block(setup) * setup->stream.nominal) / 2 * 2 + 1;
}

int64_t gw_tracker_taps(const gw_meter_setup *setup)
{
    return (filter_length(setup) + 3) / 4 * 4;
}

/* Weights by which |sum| is the peak of the fundamental, and its angle that of phase a. */
static void weigh(gw_meter *meter, double sum)
{
    gw_tracker *t = &meter->tracker;
    const int32_t *column = meter->reference ? meter->setup.current : meter->setup.voltage;
    int three = column[0] >= 0 && column[1] >= 0 && column[2] >= 0;
    double blocks = (double)(t->block * (t->block + 1)) * sum;
    for (int l = 0; l < 4; l++) {
        double share = three ? (l < 3 ? 2.0 / 3.0 : 0.0) : (l == 0 ? 2.0 : 0.0);
        double weight = share * meter->scale[4 * meter->reference + l] / blocks;
        t->real[l] = weight * cos(2.0 * pi * l / 3.0);
        t->imaginary[l] = weight * sin(2.0 * pi * l / 3.0);
    }
}

void gw_tracker_init(gw_meter *meter)
{
    gw_tracker *t = &meter->tracker;
    const gw_meter_setup *setup = &meter->setup;
    int64_t length = filter_length(setup);
    t->taps = gw_tracker_taps(setup);
    t->block = gw_tracker_block(setup);
    t->every = setup->stream.rate / (t->block * LOOKS);
    t->every = t->every < 1 ? 1 : t->every;
    t->nominal = (double)(GW_SIXTHS * setup->stream.nominal * t->every * t->block) / (double)setup->stream.rate;
    t->delay = (length - 1) * t->block;
    double sum = 0.0;
    memset(t->tap_re, 0, (size_t)t->taps * sizeof(double));
    memset(t->tap_im, 0, (size_t)t->taps * sizeof(double));
    for (int64_t i = 0; i < length; i++) {
        double along = 2.0 * pi * (double)(i + 1) / (double)(length + 1);
        double window = 0.42 - 0.5 * cos(along) + 0.08 * cos(2.0 * along);
        double angle = 2.0 * pi * (double)(setup->stream.nominal * t->block) *
                       ((double)i - (double)(length - 1) / 2.0) / (double)setup->stream.rate;
        int64_t at = t->taps - length + i;
        t->tap_re[at] = window * cos(angle);
        t->tap_im[at] = -window * sin(angle);
        sum += window;
    }
    weigh(meter, sum);
    gw_tracker_reset(t);
}

void gw_tracker_reset(gw_tracker *tracker)
{
    tracker->points = 0;
    tracker->taken = 0;
    tracker->started = 0;
    tracker->locked = 0;
    tracker->speeds = 0;
    memset(tracker->before, 0, sizeof tracker->before);
}

/* Sixths since the last look, and what is doubtful about them. */
static double advance(gw_tracker *t, double sixths, int *doubt)
{
    if (!t->locked) {
        *doubt |= GW_UNLOCKED;
        int64_t back = t->speeds < SETTLED ? t->speeds : SETTLED;
        return back < 1 ? t->nominal : t->speed[(t->speeds - back) % GW_SPEEDS];
    }
    double expected = (double)t->sixth + t->past + t->nominal;
    double speed = t->nominal + remainder(sixths - expected, GW_SIXTHS);
    double slowest = 0.75 * t->nominal, fastest = 1.25 * t->nominal;
    if (speed >= slowest && speed <= fastest) {
        t->speed[t->speeds++ % GW_SPEEDS] = speed;
        return speed;
    }
    *doubt |= GW_SLEWING;
    return speed < slowest ? slowest : fastest;
}

/* The sum of the phases in their order, or in the other one where that is much the larger: no
 * fault makes a negative sequence out of a source's positive one, but wires do. */
static const double *which(gw_meter *meter, double sum[2][2])
{
    gw_tracker *t = &meter->tracker;
    double floor_square = 2.0 * meter->setup.floor * meter->setup.floor;
    double square[2];
    for (int s = 0; s < 2; s++)
        square[s] = sum[s][0] * sum[s][0] + sum[s][1] * sum[s][1];
    if (square[!t->reversed] > fmax(floor_square, 16.0 * square[t->reversed]))
        t->reversed = !t->reversed;
    return sum[t->reversed];
}

/* Look at the phase in the middle of the filter, and set the marks that it has passed. */
static void look(gw_meter *meter, const double *re, const double *im)
{
    gw_tracker *t = &meter->tracker;
    double sum[2][2];
    gw_loops_now()->filter(re, im, t->tap_re, t->tap_im, t->taps, sum[0], sum[1]);
    const double *x = which(meter, sum);
    double rms = sqrt(0.5 * (x[0] * x[0] + x[1] * x[1]));
    /* Sixths from the rising zero crossing of phase a, a quarter before its crest. */
    double sixths = atan2(x[1], x[0]) * (3.0 / pi) + 1.5;
    int locked = rms >= meter->setup.floor && rms > 0.0;
    if (t->started && t->locked && !locked)
        t->speeds = t->speeds < SETTLED ? 0 : t->speeds; /* not enough of them to go by */
    t->locked = locked;
    /* The middle of a point is half a row before the first row of its own block. */
    int64_t at = 2 * (t->taken - 1) * t->block - 1 - t->delay;
    if (!t->started) {
        double whole = floor(sixths);
        t->started = 1;
        t->sixth = ((int64_t)whole + GW_SIXTHS) % GW_SIXTHS;
        t->past = sixths - whole;
        t->at = at;
        meter->frequency = (double)meter->setup.stream.nominal;
        return;
    }
    int doubt = 0;
    double speed = advance(t, sixths, &doubt);
    double rows = (double)(t->every * t->block);
    meter->frequency = speed * (double)meter->setup.stream.rate / (GW_SIXTHS * rows);
    double total = t->past + speed;
    for (double passed = 1.0; passed <= total; passed += 1.0) {
        double place = 0.5 * (double)(t->at & 1) + (passed - t->past) / speed * rows;
        double whole = floor(place);
        t->sixth++;
        gw_crossing_set(meter, (t->at >> 1) + (int64_t)whole, place - whole, t->sixth, doubt);
    }
    t->past = total - floor(total);
    t->at = at;
}

/* Turn the whole blocks among the new rows into points, and look as often as they are enough. */
void gw_tracker_take(gw_meter *meter)
{
    gw_tracker *t = &meter->tracker;
    int64_t end = meter->oldest + meter->filled;
    while (end - meter->blocked >= t->block) {
        /* As many as fit, up to the next look. */
        if (t->points == 2 * t->taps) {
            memmove(t->re, t->re + t->taps, (size_t)t->taps * sizeof(double));
            memmove(t->im, t->im + t->taps, (size_t)t->taps * sizeof(double));
            t->points = t->taps;
        }
        int64_t blocks = (end - meter->blocked) / t->block;
        int64_t due = t->every - t->taken % t->every, room = 2 * t->taps - t->points;
        blocks = blocks < due ? blocks : due;
        blocks = blocks < room ? blocks : room;
        const int32_t *rows = gw_row_at(meter, meter->blocked) + 4 * meter->reference;
        gw_loops_now()->blocks(rows, blocks, t->block, t->real, t->imaginary, t->before,
                               t->re + t->points, t->im + t->points);
        t->points += blocks;
        t->taken += blocks;
        meter->blocked += blocks * t->block;
        /* The first point of all lacks the block before it. */
        if (t->taken % t->every == 0 && t->taken > t->taps)
            look(meter, t->re + t->points - t->taps, t->im + t->points - t->taps);
    }
}
