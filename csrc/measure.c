/* From rows of samples to all that is measured of them, in one call. */
#include <stddef.h>

#include "kernel.h"

int64_t gw_measure(const gw_sample_rows *rows, const gw_measured *to)
{
    int64_t made = 0;
    for (int64_t r = 0; r < rows->runs; r++) {
        int64_t first = rows->run_first[r], index = rows->run_index[r], stride = rows->columns;
        int64_t n = (r + 1 < rows->runs ? rows->run_first[r + 1] : rows->count) - first;
        const int32_t *samples = rows->samples + first * stride;
        const uint16_t *quality = rows->marks != GW_GOOD ? rows->quality + first : NULL;
        gw_stream_state at;
        gw_meter_state meter;
        if (to->phasor)
            gw_phasor_look(to->phasor, &at);
        if (to->phasor && index + n > at.next) { /* else it was taken */
            int64_t code = gw_phasor_push(to->phasor, index, samples, n, stride, quality,
                                          to->reports);
            if (code < 0)
                return code;
            made += code;
        }
        if (to->meter)
            gw_meter_look(to->meter, &meter);
        if (to->meter && index + n > meter.stream.next) {
            int64_t code = gw_meter_push(to->meter, index, samples, n, stride, quality, to->values,
                                         to->events);
            if (code < 0)
                return code;
            made += code;
        }
    }
    return made;
}

int64_t gw_sv_measure(gw_sv *sv, const gw_frames *frames, gw_sample_rows *rows,
                      const gw_measured *to)
{
    int64_t code = gw_sv_decode(sv, frames, rows);
    return code < 0 ? code : gw_measure(rows, to);
}
