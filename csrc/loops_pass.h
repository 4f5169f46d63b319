/*
 * The loops themselves.
 *
 * A header, because every level compiles it again with its own lanes: the includer defines
 * GW_LOOPS, the name of the table.  Each lane sees the same operations in the same order on every
 * level, so results are the same bits.
 */
#include <math.h>

#include "loops.h"
#include "phasor_loops.h"

static void sums(const int32_t *rows, int64_t n, uint64_t *high, uint64_t *low)
{
    gw_words all[4], upper[4];
    for (int p = 0; p < 4; p++)
        all[p] = upper[p] = gw_no_words();
    for (int64_t i = 0; i < n; i++, rows += GW_ROW) {
        gw_words u = gw_load_words(rows), c = gw_load_words(rows + 4);
        gw_words product[4] = {gw_mul_words(u, u), gw_mul_words(c, c), gw_mul_words(u, c),
                               gw_mul_words(u, gw_turn_words(u))};
        for (int p = 0; p < 4; p++) {
            all[p] = gw_add_words(all[p], product[p]);
            upper[p] = gw_add_words(upper[p], gw_upper_words(product[p]));
        }
    }
    for (int p = 0; p < 4; p++) {
        uint64_t sum[4];
        gw_store_words(sum, all[p]);
        gw_store_words(high + 4 * p, upper[p]);
        for (int l = 0; l < 4; l++) {
            uint64_t *h = &high[4 * p + l];
            *h -= (uint64_t)n << 31;
            /* What the upper halves leave of a sum that is known modulo 2^64. */
            low[4 * p + l] = sum[l] - (*h << 32);
        }
    }
}

static void blocks(const int32_t *rows, int64_t count, int64_t length, const double *real,
                   const double *imaginary, double *before, double *re, double *im)
{
    gw_lanes rising = gw_load(before), wr = gw_load(real), wi = gw_load(imaginary);
    gw_lanes more = gw_all((double)(length + 1));
    for (int64_t b = 0; b < count; b++) {
        gw_lanes sum = gw_all(0.0), falling = gw_all(0.0);
        for (int64_t i = 0; i < length; i++, rows += GW_ROW) {
            sum = gw_add(sum, gw_load_samples(rows));
            falling = gw_add(falling, sum);
        }
        /* Whole numbers below 2^53, so exact: what rises is what does not fall. */
        gw_lanes point = gw_add(rising, falling);
        rising = gw_sub(gw_mul(sum, more), falling);
        double r[4], j[4];
        gw_store(r, gw_mul(point, wr));
        gw_store(j, gw_mul(point, wi));
        re[b] = (r[0] + r[1]) + (r[2] + r[3]);
        im[b] = (j[0] + j[1]) + (j[2] + j[3]);
    }
    gw_store(before, rising);
}

static void filter(const double *re, const double *im, const double *tap_re, const double *tap_im,
                   int64_t n, double *ahead, double *back)
{
    gw_lanes rr = gw_all(0.0), ii = rr, ri = rr, ir = rr;
    for (int64_t i = 0; i < n; i += 4) {
        gw_lanes x = gw_load(re + i), y = gw_load(im + i);
        gw_lanes a = gw_load(tap_re + i), b = gw_load(tap_im + i);
        rr = gw_add(rr, gw_mul(x, a));
        ii = gw_add(ii, gw_mul(y, b));
        ri = gw_add(ri, gw_mul(x, b));
        ir = gw_add(ir, gw_mul(y, a));
    }
    gw_lanes sums[4] = {gw_sub(rr, ii), gw_add(ri, ir), gw_add(rr, ii), gw_sub(ri, ir)};
    for (int s = 0; s < 4; s++) {
        double part[4];
        gw_store(part, sums[s]);
        (s < 2 ? ahead : back)[s % 2] = (part[0] + part[1]) + (part[2] + part[3]);
    }
}

/* Two vectors take turns: a product waits for the one before it, and there is time between. */
static void rotate(const int32_t *rows, int64_t n, const double *w, const double *step,
                   double *re, double *im)
{
    double even[2] = {w[0], w[1]};
    double odd[2] = {w[0] * step[0] - w[1] * step[1], w[0] * step[1] + w[1] * step[0]};
    double twice[2] = {step[0] * step[0] - step[1] * step[1], 2.0 * step[0] * step[1]};
    gw_lanes r[2] = {gw_all(0.0), gw_all(0.0)}, j[2] = {gw_all(0.0), gw_all(0.0)};
    for (int64_t i = 0; i < n; i++, rows += GW_ROW) {
        double *now = i & 1 ? odd : even;
        gw_lanes c = gw_all(now[0]), s = gw_all(now[1]);
        for (int g = 0; g < 2; g++) {
            gw_lanes x = gw_load_samples(rows + 4 * g);
            r[g] = gw_add(r[g], gw_mul(x, c));
            j[g] = gw_add(j[g], gw_mul(x, s));
        }
        double turned = now[0] * twice[0] - now[1] * twice[1];
        now[1] = now[0] * twice[1] + now[1] * twice[0];
        now[0] = turned;
    }
    for (int g = 0; g < 2; g++) {
        gw_store(re + 4 * g, r[g]);
        gw_store(im + 4 * g, j[g]);
    }
}

/* The taps for a point at `at`, between the two sets that surround its phase; the row of the
 * first one is returned. */
static inline int64_t taps_at(const gw_spectrum *spectrum, double at, float *taps)
{
    int64_t n = (int64_t)at; /* at is not negative */
    double phase = (at - (double)n) * GW_PHASES;
    int64_t whole = (int64_t)phase;
    gw_eight part = gw_all_eight((float)(phase - (double)whole));
    const float *tap = spectrum->taps + whole * GW_TAPS;
    for (int t = 0; t < GW_TAPS; t += 8) {
        gw_eight a = gw_load_eight(tap + t), b = gw_load_eight(tap + GW_TAPS + t);
        gw_store_eight(taps + t, gw_add_eight(a, gw_mul_eight(part, gw_sub_eight(b, a))));
    }
    return n - (GW_TAPS / 2 - 1);
}

static inline gw_eight sum_of_rows(const int32_t *row, const float *taps)
{
    gw_eight sum[4];
    for (int k = 0; k < 4; k++)
        sum[k] = gw_all_eight(0.0f);
    for (int t = 0; t < GW_TAPS; t += 4)
        for (int k = 0; k < 4; k++, row += GW_ROW)
            sum[k] = gw_add_eight(sum[k],
                                  gw_mul_eight(gw_all_eight(taps[t + k]), gw_load_row(row)));
    return gw_add_eight(gw_add_eight(sum[0], sum[1]), gw_add_eight(sum[2], sum[3]));
}

/* Taps are made for some points before they are used: left in registers, they are shuffled out of
 * them one by one, which takes a third longer. */
static void resample(const gw_spectrum *spectrum, const int32_t *rows, double start, double step)
{
    enum { BATCH = 8 };
    float taps[BATCH][GW_TAPS];
    int64_t first[BATCH];
    for (int64_t i = 0; i < spectrum->points; i += BATCH) {
        for (int b = 0; b < BATCH; b++)
            first[b] = taps_at(spectrum, start + (double)(i + b) * step, taps[b]);
        for (int b = 0; b < BATCH; b++) {
            int64_t to = 2 * (int64_t)spectrum->place[(i + b) / 2] + b % 2;
            gw_store_eight(spectrum->work + GW_ROW * to,
                           sum_of_rows(rows + first[b] * GW_ROW, taps[b]));
        }
    }
}

/* A complex point: its real lanes, then its imaginary ones. */
typedef struct {
    gw_eight re, im;
} gw_point;

static inline gw_point point_at(const float *work, int64_t k)
{
    const float *from = work + 2 * GW_ROW * k;
    return (gw_point){gw_load_eight(from), gw_load_eight(from + GW_ROW)};
}

static inline gw_point point_turned(const float *work, int64_t k, const float *turn)
{
    gw_point x = point_at(work, k);
    gw_eight c = gw_all_eight(turn[0]), s = gw_all_eight(turn[1]);
    return (gw_point){gw_sub_eight(gw_mul_eight(x.re, c), gw_mul_eight(x.im, s)),
                      gw_add_eight(gw_mul_eight(x.re, s), gw_mul_eight(x.im, c))};
}

static inline gw_point point_add(gw_point a, gw_point b)
{
    return (gw_point){gw_add_eight(a.re, b.re), gw_add_eight(a.im, b.im)};
}

static inline gw_point point_sub(gw_point a, gw_point b)
{
    return (gw_point){gw_sub_eight(a.re, b.re), gw_sub_eight(a.im, b.im)};
}

static inline void point_to(float *work, int64_t k, gw_eight re, gw_eight im)
{
    float *to = work + 2 * GW_ROW * k;
    gw_store_eight(to, re);
    gw_store_eight(to + GW_ROW, im);
}

/* Decimation in time, from points in bit-reversed places: two stages at once, after one where
 * their number is odd. */
static void transform(const gw_spectrum *spectrum)
{
    int64_t points = spectrum->points, half = points / 2, quarter = 1;
    float *work = spectrum->work;
    if (__builtin_ctzll((uint64_t)half) % 2) {
        for (int64_t k = 0; k < half; k += 2) {
            gw_point a = point_at(work, k), b = point_at(work, k + 1);
            gw_point sum = point_add(a, b), difference = point_sub(a, b);
            point_to(work, k, sum.re, sum.im);
            point_to(work, k + 1, difference.re, difference.im);
        }
        quarter = 2;
    }
    for (; quarter < half; quarter *= 4) {
        int64_t stride = points / (4 * quarter);
        for (int64_t j = 0; j < quarter; j++) {
            const float *w1 = spectrum->turn + 2 * j * stride;
            const float *w2 = spectrum->turn + 4 * j * stride;
            const float *w3 = spectrum->turn + 6 * j * stride;
            for (int64_t k = j; k < half; k += 4 * quarter) {
                gw_point a = point_at(work, k), b = point_turned(work, k + quarter, w2);
                gw_point c = point_turned(work, k + 2 * quarter, w1);
                gw_point d = point_turned(work, k + 3 * quarter, w3);
                gw_point p = point_add(a, b), q = point_sub(a, b);
                gw_point r = point_add(c, d), s = point_sub(c, d);
                gw_point even = point_add(p, r), odd = point_sub(p, r);
                point_to(work, k, even.re, even.im);
                point_to(work, k + quarter, gw_add_eight(q.re, s.im), gw_sub_eight(q.im, s.re));
                point_to(work, k + 2 * quarter, odd.re, odd.im);
                point_to(work, k + 3 * quarter, gw_sub_eight(q.re, s.im),
                         gw_add_eight(q.im, s.re));
            }
        }
    }
}

/* The transform of real points from that of pairs of them, then squares: rms^2 = 2 |X|^2 / N^2.
 * The sums here are twice those of the transform. */
static void lines(const gw_spectrum *spectrum, int64_t n)
{
    int64_t points = spectrum->points, half = points / 2;
    const float *work = spectrum->work;
    gw_eight scale = gw_all_eight((float)(sqrt(0.5) / (double)points));
    for (int64_t k = 0; k < n; k++) {
        gw_point z = point_at(work, k), y = point_at(work, (half - k) % half);
        gw_eight even_re = gw_add_eight(z.re, y.re), even_im = gw_sub_eight(z.im, y.im);
        gw_eight odd_re = gw_add_eight(z.im, y.im), odd_im = gw_sub_eight(y.re, z.re);
        gw_eight c = gw_all_eight(spectrum->turn[2 * k]);
        gw_eight s = gw_all_eight(spectrum->turn[2 * k + 1]);
        gw_eight re = gw_sub_eight(gw_mul_eight(odd_re, c), gw_mul_eight(odd_im, s));
        gw_eight im = gw_add_eight(gw_mul_eight(odd_re, s), gw_mul_eight(odd_im, c));
        re = gw_mul_eight(gw_add_eight(even_re, re), scale);
        im = gw_mul_eight(gw_add_eight(even_im, im), scale);
        gw_store_eight(spectrum->lines + GW_ROW * k,
                       gw_add_eight(gw_mul_eight(re, re), gw_mul_eight(im, im)));
    }
}

const gw_loops GW_LOOPS = {sums, blocks, filter, rotate, resample, transform, lines, carry, instants, pairs};
