/* Voltages, currents and powers of a window: IEC 61000-4-30 clause 5.7, IEEE 1459-2010. */
#include <math.h>

#include "meter.h"

static double root(double square)
{
    return square > 0.0 ? sqrt(square) : 0.0;
}

/* What a has besides b, of two apparent powers. */
static double besides(double a, double b)
{
    return root(a * a - b * b);
}

typedef struct {
    double re, im;
} phasor;

static phasor phasor_of(const gw_meter *meter, int lane)
{
    return (phasor){meter->re[lane], meter->im[lane]};
}

static double size(phasor a)
{
    return sqrt(a.re * a.re + a.im * a.im);
}

/* A third of a + b turned by `turn` thirds + c turned back: symmetrical components. */
static phasor component(const gw_meter *meter, int group, int turn)
{
    static const double half_root_3 = 0.86602540378443864676;
    phasor sum = phasor_of(meter, 4 * group);
    for (int l = 1; l < 3; l++) {
        phasor x = phasor_of(meter, 4 * group + l);
        double c = turn ? -0.5 : 1.0, s = half_root_3 * turn * (l == 1 ? 1.0 : -1.0);
        sum.re += x.re * c - x.im * s;
        sum.im += x.re * s + x.im * c;
    }
    return (phasor){sum.re / 3.0, sum.im / 3.0};
}

static void fill_sequences(const gw_meter *meter, double *value)
{
    static const int turn[3] = {1, -1, 0}; /* positive, negative, zero */
    double *sequence = value + meter->base[GW_SEQUENCE];
    double *unbalance = value + meter->base[GW_UNBALANCE];
    for (int g = 0; g < 2; g++) {
        for (int s = 0; s < 3; s++)
            sequence[3 * g + s] =
                meter->three[g] ? size(component(meter, g, turn[s])) : (double)NAN;
        for (int s = 1; s < 3; s++)
            unbalance[2 * g + s - 1] = 100.0 * sequence[3 * g + s] / sequence[3 * g];
    }
    double *positive = value + meter->base[GW_POSITIVE];
    positive[0] = positive[1] = positive[2] = (double)NAN;
    if (!meter->three[0] || !meter->three[1])
        return;
    phasor u = component(meter, 0, 1), i = component(meter, 1, 1);
    positive[0] = 3.0 * (u.re * i.re + u.im * i.im);
    positive[1] = 3.0 * (u.im * i.re - u.re * i.im);
    positive[2] = 3.0 * size(u) * size(i);
}

void gw_factors(const gw_meter *meter, double *value)
{
    int three = meter->three[0] && meter->three[1];
    for (int p = 0; p <= GW_WATCHED; p++) {
        value[meter->base[GW_FACTOR] + p] =
            value[meter->base[GW_ACTIVE] + p] / value[meter->base[GW_APPARENT] + p];
        value[meter->base[GW_FACTOR_1] + p] =
            value[meter->base[GW_ACTIVE_1] + p] / value[meter->base[GW_APPARENT_1] + p];
    }
    if (three)
        value[meter->base[GW_FACTOR_1] + GW_WATCHED] =
            value[meter->base[GW_POSITIVE]] / value[meter->base[GW_POSITIVE] + 2];
}

/*
 * Effective apparent power of three phases (IEEE 1459-2010 clause 3.2.3, with the ratios rho and
 * xi of clause 3.2.2.2 at 1): squares of four voltages, of the three between them, and of four
 * currents, the neutral one being 0 where it is not measured.
 */
static double effective(const double *u, const double *line, const double *i)
{
    double volts = (3.0 * (u[0] + u[1] + u[2]) + line[0] + line[1] + line[2]) / 18.0;
    double amperes = (i[0] + i[1] + i[2] + i[3]) / 3.0;
    return 3.0 * root(volts * amperes);
}

/* Apparent powers together: effective ones of three phases, else what the phases add up to. */
static void fill_together(const gw_meter *meter, double *value, const double *mean,
                          const double *line)
{
    double *s = value + meter->base[GW_APPARENT], *s1 = value + meter->base[GW_APPARENT_1];
    double *unbalanced = value + meter->base[GW_UNBALANCED];
    *unbalanced = (double)NAN;
    s[3] = s[0] + s[1] + s[2];
    s1[3] = s1[0] + s1[1] + s1[2];
    if (!meter->three[0] || !meter->three[1])
        return;
    double square[GW_ROW], between[3];
    for (int l = 0; l < GW_ROW; l++)
        square[l] = meter->re[l] * meter->re[l] + meter->im[l] * meter->im[l];
    for (int l = 0; l < 3; l++) {
        phasor a = phasor_of(meter, l), b = phasor_of(meter, (l + 1) % 3);
        phasor ab = {a.re - b.re, a.im - b.im};
        between[l] = size(ab) * size(ab);
    }
    s[3] = effective(mean, line, mean + 4);
    s1[3] = effective(square, between, square + 4);
    *unbalanced = besides(s1[3], value[meter->base[GW_POSITIVE] + 2]);
}

void gw_powers(const gw_meter *meter, double *value, const double *mean)
{
    double *rms = value + meter->base[GW_RMS], line[3];
    for (int l = 0; l < GW_ROW; l++) {
        rms[l] = root(mean[l]);
        value[meter->base[GW_FUNDAMENTAL] + l] = size(phasor_of(meter, l));
    }
    for (int l = 0; l < 3; l++) {
        line[l] = mean[l] + mean[(l + 1) % 3] - 2.0 * mean[12 + l];
        value[meter->base[GW_LINE] + l] = root(line[l]);
    }
    fill_sequences(meter, value);
    double *p = value + meter->base[GW_ACTIVE], *q = value + meter->base[GW_REACTIVE];
    double *p1 = value + meter->base[GW_ACTIVE_1], *s1 = value + meter->base[GW_APPARENT_1];
    double *s = value + meter->base[GW_APPARENT];
    p[3] = q[3] = p1[3] = 0.0;
    for (int l = 0; l < 3; l++) {
        phasor u = phasor_of(meter, l), i = phasor_of(meter, 4 + l);
        p[l] = mean[8 + l];
        q[l] = u.im * i.re - u.re * i.im;
        p1[l] = u.re * i.re + u.im * i.im;
        s[l] = rms[l] * rms[4 + l];
        s1[l] = size(u) * size(i);
        p[3] += p[l];
        q[3] += q[l];
        p1[3] += p1[l];
    }
    fill_together(meter, value, mean, line);
    for (int l = 0; l <= GW_WATCHED; l++)
        value[meter->base[GW_DISTORTION] + l] = besides(s[l], s1[l]);
    gw_factors(meter, value);
}
