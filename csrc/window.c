/* Windows of 10 or 12 cycles, without gaps, begun anew with each 10 minutes of UTC. */
#include <math.h>
#include <string.h>

#include "meter.h"

static const double pi = 3.14159265358979323846;

/* Above this part of the sampling rate a line is not what it was before sampling. */
static const double highest_line = 0.47;

/* Add a crossing and the row after it to sums of rows times the vector of the fundamental, as the
 * trapezoid rule has it: see fill_rest() in crossing.c. */
static void add_end(gw_meter *meter, const gw_crossing *from, const gw_crossing *end, double turn,
                    double sign)
{
    const int32_t *row = gw_row_at(meter, end->row);
    double later = 0.5 * end->part * end->part;
    double weight[2] = {sign * (end->part - 0.5 - later), sign * later};
    for (int i = 0; i < 2; i++, row += GW_ROW) {
        double angle = turn * ((double)(end->row + i - from->row) - from->part);
        double c = weight[i] * cos(angle), s = -weight[i] * sin(angle);
        for (int l = 0; l < GW_ROW; l++) {
            meter->re[l] += c * row[l];
            meter->im[l] += s * row[l];
        }
    }
}

/* The phasors of the fundamental, rms, as line 10 or 12 of the window. */
static void find_phasors(gw_meter *meter, const gw_crossing *from, const gw_crossing *to)
{
    double length = gw_length(from, to), turn = 2.0 * pi * (double)meter->cycles / length;
    double angle = turn * (1.0 - from->part);
    double w[2] = {cos(angle), -sin(angle)}, step[2] = {cos(turn), -sin(turn)};
    gw_loops_now()->rotate(gw_row_at(meter, from->row + 1), to->row - from->row, w, step,
                           meter->re, meter->im);
    add_end(meter, from, from, turn, -1.0);
    add_end(meter, from, to, turn, 1.0);
    for (int l = 0; l < GW_ROW; l++) {
        double scale = meter->scale[l] * sqrt(2.0) / length;
        meter->re[l] *= scale;
        meter->im[l] *= scale;
    }
}

/* Harmonics, interharmonics and THD: IEC 61000-4-7 clause 3.2.4, 3.4.4 and 3.3.2. */
static void measure_lines(gw_meter *meter, const gw_crossing *from, const gw_crossing *to)
{
    int64_t orders = meter->setup.orders, cycles = meter->cycles;
    double length = gw_length(from, to);
    double start = (double)(from->row - meter->oldest) + from->part;
    gw_spectrum_lines(meter->spectrum, meter->rows, meter->filled, start, length,
                      cycles * (orders + 1), meter->squares);
    double *value = meter->value, first[GW_ROW], rest[GW_ROW] = {0};
    double *harmonic = value + meter->base[GW_HARMONIC];
    double *inter = value + meter->base[GW_INTERHARMONIC];
    for (int64_t h = 0; h <= orders; h++) {
        int seen = (double)(h * cycles + 1) <= highest_line * length;
        for (int l = 0; l < GW_ROW; l++) {
            const double *line = meter->squares + h * cycles * GW_ROW + l;
            double scale = meter->scale[l];
            if (h > 0) {
                double square = line[-GW_ROW] + line[0] + line[GW_ROW];
                harmonic[(h - 1) * GW_ROW + l] = seen ? scale * sqrt(square) : (double)NAN;
                first[l] = h == 1 ? square : first[l];
                rest[l] += h > 1 && seen ? square : 0.0;
            }
            if (h < orders) {
                double square = 0.0;
                for (int64_t k = 2; k <= cycles - 2; k++)
                    square += line[k * GW_ROW];
                int also = (double)((h + 1) * cycles) <= highest_line * length;
                inter[h * GW_ROW + l] = also ? scale * sqrt(square) : (double)NAN;
            }
        }
    }
    for (int l = 0; l < GW_ROW; l++)
        value[meter->base[GW_THD] + l] = 100.0 * sqrt(rest[l] / first[l]);
}

void gw_window_measure(gw_meter *meter, const gw_crossing *from, const gw_crossing *to)
{
    double length = gw_length(from, to), mean[GW_PRODUCTS];
    for (int p = 0; p < GW_PRODUCTS; p++)
        mean[p] = gw_between(from, to, p) / length * meter->product_scale[p];
    find_phasors(meter, from, to);
    gw_powers(meter, meter->value, mean);
    meter->value[meter->base[GW_FREQUENCY]] =
        (double)(meter->cycles * meter->setup.stream.rate) / length;
    if (meter->setup.orders > 0)
        measure_lines(meter, from, to);
}

/* Energy of the fundamental's reactive power: where windows overlap, the time counts once. */
static void count_reactive(gw_meter *meter, const gw_window *window, const gw_crossing *to)
{
    int64_t start = window->start.sixth, counted = meter->counted;
    double part = (double)(window->end - (counted > start ? counted : start)) /
                  (double)(window->end - start);
    double hours = part * gw_length(&window->start, to) / ((double)meter->setup.stream.rate * 3600.0);
    for (int p = 0; p <= GW_WATCHED; p++) {
        double energy = meter->value[meter->base[GW_REACTIVE] + p] * hours;
        meter->energy[8 + p + (energy < 0.0 ? 4 : 0)] += fabs(energy);
    }
    meter->counted = window->end;
}

/* A cycle after its end, when no dip can begin in it any more, a window is reported. */
static void report(gw_meter *meter, gw_window *window)
{
    const gw_crossing *to = &meter->crossing[window->end % GW_CROSSINGS];
    int64_t time = gw_time_of(meter, to->row, to->part);
    uint16_t quality = window->quality, frequency;
    gw_window_measure(meter, &window->start, to);
    meter->value[meter->base[GW_FLAG]] = window->flagged;
    if (window->doubt & GW_SLEWING)
        quality = gw_partly(quality);
    frequency = window->doubt ? gw_partly(quality) : quality;
    if ((quality & GW_VALIDITY) != GW_INVALID)
        count_reactive(meter, window, to);
    gw_give_values(meter, GW_CYCLES, meter->value, quality, frequency, time);
    for (int i = 0; i < GW_REGISTERS && meter->selected[GW_FOREVER] > 0; i++)
        gw_give(meter, meter->first[GW_FOREVER] + i, meter->energy[i], GW_GOOD, time);
    gw_watch_slide(meter, meter->value, window->flagged);
    window->quality = quality;
    if (window->doubt & GW_UNLOCKED)
        meter->value[meter->base[GW_FREQUENCY]] = (double)NAN; /* nothing to go into a mean */
    gw_aggregate(meter, window, time);
    window->used = 0;
}

/* At the start of a cycle of phase a: does a window start here? */
static void start(gw_meter *meter, const gw_crossing *crossing)
{
    int64_t interval = gw_index(meter, crossing->row) / (600 * meter->setup.stream.rate);
    int follows = meter->chain >= 0;
    if (follows && crossing->sixth != meter->chain && interval == meter->chain_interval)
        return;
    int i = 0;
    while (meter->window[i].used)
        i++;
    meter->window[i] = (gw_window){.used = 1,
                                   .start = *crossing,
                                   .end = crossing->sixth + GW_SIXTHS * meter->cycles,
                                   .interval = interval,
                                   .whole = follows};
    meter->chain = meter->window[i].end;
    meter->chain_interval = interval;
}

void gw_window_step(gw_meter *meter, const gw_crossing *crossing)
{
    int active = gw_watch_active(meter);
    for (int i = 0; i < GW_OPEN; i++) {
        gw_window *window = &meter->window[i];
        if (!window->used)
            continue;
        if (crossing->sixth <= window->end) {
            window->quality = gw_worse(window->quality, crossing->quality);
            window->doubt |= crossing->doubt;
        }
        if (crossing->sixth < window->end + GW_SIXTHS)
            window->flagged |= active;
        else
            report(meter, window);
    }
    if (crossing->sixth % GW_SIXTHS == 0)
        start(meter, crossing);
}

void gw_window_break(gw_meter *meter)
{
    for (int i = 0; i < GW_OPEN; i++)
        meter->window[i].used = 0;
    meter->chain = -1;
    meter->counted = 0;
}
