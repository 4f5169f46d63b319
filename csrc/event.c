/*
 * Dips, swells, interruptions (IEC 61000-4-30 clauses 5.4 and 5.5) and rapid voltage changes
 * (clause 5.11) out of Urms(1/2).
 *
 * An event begins at the start of the cycle whose Urms(1/2) is beyond the threshold, and ends with
 * the end of the one that is back by more than the hysteresis.
 */
#include <math.h>
#include <string.h>

#include "meter.h"

enum { CIRCUIT = GW_WATCHED };

/* Share of the last window in the sliding reference: a first-order filter of 1 minute. */
static const double slide = 0.0033;

static int64_t second_of(const gw_meter *meter)
{
    return 2 * meter->setup.stream.nominal;
}

void gw_watch_init(gw_meter *meter)
{
    memset(&meter->watch, 0, sizeof meter->watch);
    for (int p = 0; p < GW_WATCHED; p++)
        meter->watch.reference[p] = meter->setup.declared;
}

int gw_watch_active(const gw_meter *meter)
{
    for (int kind = 0; kind < GW_CHANGE; kind++)
        for (int p = 0; p < GW_WATCHED; p++)
            if (meter->watch.of[kind][p].active)
                return 1;
    return 0;
}

static void tell(gw_meter *meter, int kind, int phase, int64_t start, int64_t end, double value,
                 double more, uint16_t quality)
{
    gw_events *events = meter->happened;
    int64_t i = events->count++;
    events->kind[i] = (uint8_t)kind;
    events->phase[i] = (int8_t)(phase == CIRCUIT ? -1 : phase);
    events->start[i] = start;
    events->end[i] = end;
    events->value[i] = value;
    events->more[i] = more;
    events->quality[i] = quality;
}

/* Bring an event from what it was to what it is. */
static void turn(gw_meter *meter, int kind, int phase, int active, double value, uint16_t quality,
                 int64_t start, int64_t end)
{
    gw_passage *passage = &meter->watch.of[kind][phase];
    if (active && !passage->active) {
        *passage = (gw_passage){1, start, value, quality};
        tell(meter, kind, phase, start, 0, value, 0.0, quality);
    } else if (passage->active) {
        double further = kind == GW_SWELL ? fmax(passage->extreme, value)
                                          : fmin(passage->extreme, value);
        passage->extreme = further;
        passage->quality = gw_worse(passage->quality, quality);
        passage->active = active;
        if (!active)
            tell(meter, kind, phase, passage->start, end, further, 0.0, passage->quality);
    }
}

static int is_watched(const gw_meter *meter, int phase)
{
    return meter->setup.voltage[phase] >= 0;
}

/* Is a value beyond the threshold, or not back from it by the hysteresis yet? */
static int is_beyond(const gw_meter *meter, int kind, int phase, double value)
{
    const gw_meter_setup *setup = &meter->setup;
    double part = value / meter->watch.reference[phase];
    double back = meter->watch.of[kind][phase].active ? setup->hysteresis : 0.0;
    if (kind == GW_SWELL)
        return part > setup->swell - back;
    double limit = kind == GW_DIP ? setup->dip : setup->interruption;
    return limit > 0.0 && part < limit + back;
}

static void take_kind(gw_meter *meter, int kind, int phase, double value, uint16_t quality,
                      int64_t start, int64_t end)
{
    int beyond = is_beyond(meter, kind, phase, value);
    turn(meter, kind, phase, beyond, value, quality, start, end);
    int any = 0, all = 1;
    for (int p = 0; p < GW_WATCHED; p++)
        if (is_watched(meter, p)) {
            any |= meter->watch.of[kind][p].active;
            all &= meter->watch.of[kind][p].active;
        }
    int circuit = kind == GW_INTERRUPTION ? all : any;
    turn(meter, kind, CIRCUIT, circuit, value, quality, start, end);
}

/* Add a value to the last second of a phase, and judge whether it is steady. */
static void take_second(gw_meter *meter, int phase, double value, int64_t start)
{
    gw_second *second = &meter->watch.second[phase];
    int64_t whole = second_of(meter);
    second->value[second->count % whole] = value;
    second->start[second->count % whole] = start;
    second->count++;
    double band = meter->setup.change * meter->watch.reference[phase];
    if (!second->steady)
        band *= 1.0 - meter->setup.change_hysteresis;
    double sum = 0.0, low = value, high = value;
    for (int64_t i = 0; i < whole; i++) {
        double v = second->value[i];
        sum += v;
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    double mean = sum / (double)whole;
    second->steady = second->count >= whole && high - mean <= band && mean - low <= band;
    if (second->steady && !meter->watch.changing)
        second->mean = mean;
}

/* All phases are steady again: the change ended where the oldest value of the second begins. */
static void end_change(gw_meter *meter, int phase)
{
    gw_watch *watch = &meter->watch;
    double largest = 0.0, settled = 0.0;
    for (int p = 0; p < GW_WATCHED; p++) {
        gw_second *second = &watch->second[p];
        if (!is_watched(meter, p))
            continue;
        double mean = 0.0;
        for (int64_t i = 0; i < second_of(meter); i++)
            mean += second->value[i] / (double)second_of(meter);
        largest = fmax(largest, second->largest);
        settled = fmax(settled, fabs(mean - second->mean));
        second->mean = mean;
    }
    const gw_second *last = &watch->second[phase];
    watch->changing = 0;
    if (!watch->spoiled)
        tell(meter, GW_CHANGE, CIRCUIT, watch->change_start,
             last->start[last->count % second_of(meter)], largest, settled,
             watch->change_quality);
}

static void take_change(gw_meter *meter, int phase, double value, uint16_t quality, int64_t start)
{
    gw_watch *watch = &meter->watch;
    int was_steady = watch->steady, all_steady = 1;
    take_second(meter, phase, value, start);
    for (int p = 0; p < GW_WATCHED; p++)
        all_steady &= watch->second[p].steady || !is_watched(meter, p);
    watch->steady = all_steady;
    if (was_steady && !all_steady) {
        watch->changing = 1;
        watch->spoiled = 0;
        watch->change_start = start;
        watch->change_quality = GW_GOOD;
        for (int p = 0; p < GW_WATCHED; p++)
            watch->second[p].largest = 0.0;
    }
    if (!watch->changing)
        return;
    gw_second *second = &watch->second[phase];
    second->largest = fmax(second->largest, fabs(value - second->mean));
    watch->spoiled |= gw_watch_active(meter);
    watch->change_quality = gw_worse(watch->change_quality, quality);
    if (all_steady)
        end_change(meter, phase);
}

void gw_watch_take(gw_meter *meter, int phase, double value, uint16_t quality, int64_t start,
                   int64_t end)
{
    if ((quality & GW_VALIDITY) == GW_INVALID)
        return;
    for (int kind = 0; kind < GW_CHANGE; kind++)
        take_kind(meter, kind, phase, value, quality, start, end);
    if (meter->setup.change > 0.0)
        take_change(meter, phase, value, quality, start);
}

void gw_watch_slide(gw_meter *meter, const double *rms, int flagged)
{
    if (!meter->setup.sliding || flagged)
        return;
    for (int p = 0; p < GW_WATCHED; p++)
        meter->watch.reference[p] += slide * (rms[p] - meter->watch.reference[p]);
}

void gw_watch_break(gw_meter *meter, int64_t time)
{
    gw_watch *watch = &meter->watch;
    uint16_t partly = gw_partly(GW_GOOD);
    for (int kind = 0; kind < GW_CHANGE; kind++)
        for (int p = 0; p <= CIRCUIT; p++) {
            gw_passage *passage = &watch->of[kind][p];
            if (passage->active)
                turn(meter, kind, p, 0, passage->extreme, partly, 0, time);
        }
    memset(watch->second, 0, sizeof watch->second);
    watch->steady = watch->changing = 0;
}
