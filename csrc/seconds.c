/* Frequency: the whole cycles in 10 s of UTC over the time that they took, IEC 61000-4-30 5.1.1. */
#include "meter.h"

static void report(gw_meter *meter, const gw_seconds *seconds)
{
    int64_t rate = meter->setup.stream.rate;
    double rows = (double)(seconds->last - seconds->first) +
                  (seconds->last_part - seconds->first_part);
    /* 0/0 where not one cycle was whole */
    double frequency = (double)(seconds->cycles * rate) / rows;
    gw_give(meter, meter->first[GW_10_SECONDS], frequency, seconds->quality,
            (seconds->interval + 1) * 10000000000);
}

void gw_seconds_step(gw_meter *meter, const gw_crossing *crossing, uint16_t quality)
{
    gw_seconds *seconds = &meter->seconds;
    int64_t index = gw_index(meter, crossing->row);
    int64_t interval = index / (10 * meter->setup.stream.rate);
    int fresh = meter->fresh;
    meter->fresh = 0;
    if (interval == seconds->interval) {
        if (seconds->broken)
            return;
        seconds->cycles++;
        seconds->quality = gw_worse(seconds->quality, quality);
    } else {
        if (seconds->interval >= 0)
            report(meter, seconds);
        uint16_t partly = gw_partly(GW_GOOD);
        *seconds = (gw_seconds){.interval = interval,
                                .first = index,
                                .first_part = crossing->part,
                                .quality = fresh ? partly : (uint16_t)GW_GOOD};
    }
    seconds->last = index;
    seconds->last_part = crossing->part;
}

void gw_seconds_break(gw_meter *meter)
{
    meter->seconds.broken = 1;
    meter->seconds.quality = gw_partly(meter->seconds.quality);
}
