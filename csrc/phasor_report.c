/*
 * From the vectors of three instants to a report: IEC/IEEE 60255-118-1:2018 clause 4 and annex D.
 *
 * A vector is what the window makes of a sinusoid, in a frame that turns with the nominal frequency
 * and stands at its instant: x = v * gain + conj(v) * leak, both real.  So the real part is divided
 * by gain + leak, the imaginary one by gain - leak, and the phasor is exact at any steady frequency,
 * of one phase as of three.  The frequency is first found without that, and then again.
 */
#include <math.h>

#include "phasor.h"

enum { BEFORE, NOW, AFTER };

/* The frequency is found again until it moves by less than this [Hz]; three balanced phases need two
 * passes, one phase under the short window up to ten. */
static const double CLOSE = 1e-7;
enum { MOST_PASSES = 12 };

typedef struct {
    double re, im;
} vector;

static vector product(vector a, vector b)
{
    return (vector){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static vector of_angle(double angle)
{
    return (vector){cos(angle), sin(angle)};
}

/* The rotation from b to a, as a vector. */
static vector against(vector a, vector b)
{
    return (vector){a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im};
}

/* What real and imaginary parts are multiplied by, where the frequency is `away` from nominal. */
static vector correction(const gw_phasor *p, double away)
{
    double x = away / p->range;
    x = x > 1 ? 1 : x > -1 ? x : -1;
    double gain[3] = {0}, leak[3] = {0};
    for (int64_t i = p->terms - 1; i > 0; i--) { /* Clenshaw */
        gain[2] = p->gain[i] + 2 * x * gain[0] - gain[1];
        leak[2] = p->leak[i] + 2 * x * leak[0] - leak[1];
        gain[1] = gain[0], gain[0] = gain[2];
        leak[1] = leak[0], leak[0] = leak[2];
    }
    double g = p->gain[0] + x * gain[0] - gain[1];
    double l = p->leak[0] + x * leak[0] - leak[1];
    return (vector){1 / (g + l), 1 / (g - l)};
}

/* The phasor of a channel in the frame of its instant. */
static vector phasor(const gw_phasor *p, int instant, int64_t channel, vector correct)
{
    vector v = {p->vectors[instant][0][channel] * correct.re,
                p->vectors[instant][1][channel] * correct.im};
    return product(v, (vector){p->factor[channel][0], p->factor[channel][1]});
}

/* Positive, negative and zero sequence of phases a, b, c. */
static void sequences(const vector v[3], vector out[3])
{
    const double half_root = 0.86602540378443864676; /* sin 120 deg */
    double re = v[0].re - (v[1].re + v[2].re) / 2, im = v[0].im - (v[1].im + v[2].im) / 2;
    double across_re = half_root * (v[1].im - v[2].im), across_im = half_root * (v[1].re - v[2].re);
    out[0] = (vector){(re - across_re) / 3, (im + across_im) / 3};
    out[1] = (vector){(re + across_re) / 3, (im - across_im) / 3};
    out[2] = (vector){(v[0].re + v[1].re + v[2].re) / 3, (v[0].im + v[1].im + v[2].im) / 3};
}

/* What the frequency is taken from: the positive sequence of the first set, or its one channel. */
static vector leading(const gw_phasor *p, int instant, vector correct)
{
    const int32_t *set = p->set[0];
    vector v[3] = {phasor(p, instant, set[0], correct)}, out[3];
    if (set[1] < 0)
        return v[0];
    v[1] = phasor(p, instant, set[1], correct);
    v[2] = phasor(p, instant, set[2], correct);
    sequences(v, out);
    return out[0];
}

/* Frequency, less nominal [Hz], and its rate of change [Hz/s]; returns the correction at it. */
static vector find_frequency(const gw_phasor *p, double *away, double *rocof)
{
    double apart = (double)p->quarter / (double)p->rate, found = 0, before;
    vector turn = of_angle(-2 * GW_PI * (double)p->nominal * apart), correct = {1, 1};
    vector twice = product(turn, turn);
    int pass = 0;
    do {
        vector v = product(against(leading(p, AFTER, correct), leading(p, BEFORE, correct)), twice);
        before = found;
        found = atan2(v.im, v.re) / (4 * GW_PI * apart);
        correct = correction(p, found);
    } while (++pass < MOST_PASSES && fabs(found - before) > CLOSE);
    vector now = leading(p, NOW, correct);
    vector later = product(against(leading(p, AFTER, correct), now), turn);
    vector earlier = product(against(now, leading(p, BEFORE, correct)), turn);
    double first = atan2(earlier.im, earlier.re), second = atan2(later.im, later.re);
    *away = (second + first) / (4 * GW_PI * apart);
    *rocof = (second - first) / (2 * GW_PI * apart * apart);
    if (!(sqrt(now.re * now.re + now.im * now.im) >= p->least)) {
        *away = *rocof = (double)NAN;
        return correction(p, 0);
    }
    return correct;
}

int64_t gw_phasor_row(const gw_phasor *p, int64_t number, double *later)
{
    int64_t second = number / p->reporting, part = number % p->reporting * p->rate;
    int64_t row = (2 * part + p->reporting) / (2 * p->reporting); /* rounded */
    *later = (double)(part - row * p->reporting) / (double)p->reporting;
    return second * p->rate + row;
}

static int64_t time_of(const gw_phasor *p, int64_t number)
{
    const int64_t second = 1000000000; /* ns */
    int64_t part = number % p->reporting * second;
    return number / p->reporting * second + (2 * part + p->reporting) / (2 * p->reporting);
}

static void put(vector v, double *magnitude, double *angle)
{
    *magnitude = sqrt(v.re * v.re + v.im * v.im);
    *angle = atan2(v.im, v.re);
}

void gw_phasor_report(const gw_phasor *p, int64_t number, uint16_t quality, gw_phasor_rows *out)
{
    double later, away, rocof;
    int64_t row = gw_phasor_row(p, number, &later), at = out->count++;
    vector correct = find_frequency(p, &away, &rocof);
    out->time[at] = time_of(p, number);
    out->quality[at] = quality;
    out->frequency[at] = (double)p->nominal + away + rocof * later / (double)p->rate;
    out->rocof[at] = rocof;

    /* The frames of the instants, seen from that of the report's row, and that one from the second. */
    double degree = 2 * GW_PI / (double)p->rate;
    vector turn = of_angle(degree * (double)(p->quarter * p->nominal % p->rate));
    vector back = {turn.re, -turn.im};
    vector frame = of_angle(-degree * (double)(row % p->rate * p->nominal % p->rate));
    double u = later / (double)p->quarter; /* of the way from one instant to the next */
    vector all[GW_COLUMNS];
    for (int64_t c = 0; c < p->columns; c++) {
        vector v = phasor(p, NOW, c, correct);
        if (u != 0) { /* a parabola through the three */
            vector b = product(phasor(p, BEFORE, c, correct), turn);
            vector a = product(phasor(p, AFTER, c, correct), back);
            v.re += u / 2 * (a.re - b.re + u * (a.re - 2 * v.re + b.re));
            v.im += u / 2 * (a.im - b.im + u * (a.im - 2 * v.im + b.im));
        }
        all[c] = product(v, frame);
        put(all[c], &out->magnitude[at * p->columns + c], &out->angle[at * p->columns + c]);
    }
    for (int64_t s = 0; s < p->sets; s++) {
        const int32_t *set = p->set[s];
        vector found[3] = {{(double)NAN, (double)NAN}, {(double)NAN, (double)NAN}, {(double)NAN, (double)NAN}};
        if (set[1] >= 0)
            sequences((vector[3]){all[set[0]], all[set[1]], all[set[2]]}, found);
        for (int64_t i = 0; i < 3; i++)
            put(found[i], &out->sequence_magnitude[(at * p->sets + s) * 3 + i],
                &out->sequence_angle[(at * p->sets + s) * 3 + i]);
    }
}

void gw_phasor_nothing(const gw_phasor *p, int64_t number, uint16_t quality, gw_phasor_rows *out)
{
    int64_t at = out->count++;
    out->time[at] = time_of(p, number);
    out->quality[at] = quality;
    out->frequency[at] = out->rocof[at] = (double)NAN;
    for (int64_t c = 0; c < p->columns; c++)
        out->magnitude[at * p->columns + c] = out->angle[at * p->columns + c] = (double)NAN;
    for (int64_t i = 0; i < 3 * p->sets; i++)
        out->sequence_magnitude[at * p->sets * 3 + i] = out->sequence_angle[at * p->sets * 3 + i] = (double)NAN;
}
