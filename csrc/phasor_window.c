/*
 * The windows of the estimator, after annex D of IEC/IEEE 60255-118-1:2018, and their gains.
 *
 * Class P: a triangle of two cycles.  Where reports are twice as many as cycles, that window alone
 * would make them later than the standard lets them be (2 reports), and it is two rectangles laid over
 * each other, of a cycle and of a part of one.
 * Class M: a sinc under a Hamming window, by reporting rate.
 */
#include <math.h>
#include <stddef.h>

#include "phasor.h"

/* Annex D, class M: reference frequency of the filter [Hz] and its order at 16 samples per cycle. */
static const struct {
    int nominal, reporting;
    double reference, order;
} filters[] = {
    {50, 10, 1.779, 806}, {50, 25, 4.355, 338}, {50, 50, 7.75, 142}, {50, 100, 14.1, 66},
    {60, 10, 1.780, 968}, {60, 12, 2.125, 816}, {60, 15, 2.64, 662}, {60, 20, 3.5, 502},
    {60, 30, 5.02, 306},  {60, 60, 8.19, 164},  {60, 120, 16.25, 70},
};
enum { FILTERS = sizeof filters / sizeof *filters, ORDER_RATE = 16 };

static const double short_cycle = 0.25;  /* the second rectangle of the short window [cycles] */
static const double short_quarter = 0.15; /* between the instants of the short window [cycles] */
static const double range_p = 10.0; /* where gains are corrected [Hz] */
static const double range_m = 0.22; /* of the reporting rate, as the standard's range is a fifth */
static const double most_range_m = 5.5;

static int find(const gw_phasor *p)
{
    for (int i = 0; i < FILTERS; i++)
        if (filters[i].nominal == p->nominal && filters[i].reporting == p->reporting)
            return i;
    return FILTERS;
}

static int is_short(const gw_phasor *p)
{
    return p->reporting > p->nominal;
}

/* Rows from the middle of the window to where it ends, between rows. */
static double extent(const gw_phasor *p)
{
    double cycle = (double)p->rate / (double)p->nominal;
    if (p->performance == GW_CLASS_M)
        return filters[find(p)].order / 2 * cycle / ORDER_RATE;
    return (1 + (is_short(p) ? short_cycle : 1.0)) * cycle / 2 + 1; /* and the rounding of a row */
}

int64_t gw_phasor_window_measure(gw_phasor *p)
{
    if (find(p) == FILTERS)
        return GW_BAD_SETUP;
    p->cycle = 0;
    p->quarter = (2 * p->rate + 4 * p->nominal) / (8 * p->nominal); /* rounded */
    p->half = (int64_t)extent(p);
    if (p->performance == GW_CLASS_P && is_short(p))
        p->quarter = llround(short_quarter * (double)p->rate / (double)p->nominal);
    else if (p->performance == GW_CLASS_P && p->rate % p->nominal == 0) {
        p->cycle = p->rate / p->nominal;
        p->half = p->cycle - 1;
    }
    p->reach = p->half + p->quarter;
    return GW_OK;
}

/*
 * Rectangles of these lengths laid over each other, at a distance from the middle: the third power
 * of what each corner has left.  The last two are one row long: they stand for what lies between two
 * rows, and keep aliases of harmonics away where a cycle is not a whole number of rows.
 */
static double spline(double at, const double length[4])
{
    double sum = 0;
    for (int corner = 0; corner < 16; corner++) {
        double left = at, sign = 1;
        for (int i = 0; i < 4; i++) {
            double side = corner >> i & 1 ? -1 : 1;
            left += side * length[i] / 2;
            sign *= side;
        }
        sum += left > 0 ? sign * left * left * left : 0;
    }
    return sum;
}

/* The weight at `at` rows from the middle, of any size. */
static double weight(const gw_phasor *p, int64_t at)
{
    double k = (double)at, cycle = (double)p->rate / (double)p->nominal;
    if (p->performance == GW_CLASS_P) {
        const double length[4] = {cycle, is_short(p) ? short_cycle * cycle : cycle, 1, 1};
        return spline(k, length);
    }
    double a = 4 * GW_PI * filters[find(p)].reference / (double)p->rate * k;
    double hamming = 0.54 + 0.46 * cos(GW_PI * k / extent(p));
    return (at == 0 ? 1 : sin(a) / a) * hamming;
}

/* The weights stand in the taps until they are turned. */
static double made_weight(const gw_phasor *p, int64_t at)
{
    if (p->cycle != 0)
        return (double)(p->cycle - at);
    return p->taps[2 * (p->half + at)];
}

/* The window's gain at a frequency [Hz]. */
static double response(const gw_phasor *p, double frequency)
{
    double step = 2 * GW_PI * frequency / (double)p->rate, sum = made_weight(p, 0), whole = sum;
    double c = 1, s = 0, turn_c = cos(step), turn_s = sin(step);
    for (int64_t k = 1; k <= p->half; k++) {
        double was = c, w = 2 * made_weight(p, k);
        c = c * turn_c - s * turn_s;
        s = s * turn_c + was * turn_s;
        sum += w * c;
        whole += w;
    }
    return sum / whole;
}

static void make_gains(gw_phasor *p)
{
    double gain[GW_TERMS], leak[GW_TERMS];
    p->range = range_p;
    if (p->performance == GW_CLASS_M)
        p->range = fmin(range_m * (double)p->reporting, most_range_m);
    for (int i = 0; i < GW_TERMS; i++) {
        double away = p->range * cos(GW_PI * (i + 0.5) / GW_TERMS);
        gain[i] = response(p, away);
        leak[i] = response(p, 2 * (double)p->nominal + away);
    }
    for (int term = 0; term < GW_TERMS; term++) {
        p->gain[term] = p->leak[term] = 0;
        for (int i = 0; i < GW_TERMS; i++) {
            double c = (term == 0 ? 1 : 2) * cos(GW_PI * term * (i + 0.5) / GW_TERMS) / GW_TERMS;
            p->gain[term] += c * gain[i];
            p->leak[term] += c * leak[i];
        }
    }
    p->terms = GW_TERMS;
    while (fabs(p->gain[p->terms - 1]) < 1e-9 && fabs(p->leak[p->terms - 1]) < 1e-9)
        p->terms--;
}

/* The largest table with which no sum of two cycles exceeds 62 bits, whatever the samples. */
static void make_table(gw_phasor *p)
{
    p->bits = 62 - 31;
    for (int64_t square = 1; square < p->cycle * p->cycle; square *= 2)
        p->bits--;
    double amplitude = ldexp(1, p->bits), gain = 0;
    for (int64_t k = 0; k < 2 * p->cycle; k++) {
        double angle = 2 * GW_PI * (double)(k % p->cycle) / (double)p->cycle;
        p->table[2 * k] = (int32_t)lround(amplitude * cos(angle));
        p->table[2 * k + 1] = -(int32_t)lround(amplitude * sin(angle));
        gain += (p->table[2 * k] * cos(angle) - p->table[2 * k + 1] * sin(angle)) / 2;
    }
    p->sum_gain = 1 / (gain * (double)p->cycle);
}

static void make_weights(gw_phasor *p)
{
    double sum = 0;
    for (int64_t k = -p->half; k <= p->half; k++)
        sum += p->taps[2 * (k + p->half)] = weight(p, k);
    for (int64_t k = 0; k <= 2 * p->half; k++)
        p->taps[2 * k] /= sum;
}

static void turn_taps(gw_phasor *p)
{
    for (int64_t k = -p->half; k <= p->half; k++) {
        double angle = 2 * GW_PI * (double)(k * p->nominal % p->rate) / (double)p->rate;
        double *tap = p->taps + 2 * (k + p->half), size = tap[0];
        tap[0] = size * cos(angle);
        tap[1] = -size * sin(angle);
    }
}

void gw_phasor_window_make(gw_phasor *p)
{
    if (p->cycle != 0) {
        make_table(p);
        make_gains(p);
    } else {
        make_weights(p);
        make_gains(p);
        turn_taps(p);
    }
}
