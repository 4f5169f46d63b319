/* Frames of a link as they pass, and what they did: packed into memory that is there already. */
#include <string.h>

#include "kernel.h"

static uint8_t *put(uint8_t *at, const void *field, size_t size)
{
    memcpy(at, field, size);
    return at + size;
}

int64_t gw_trace_frame(gw_trace *trace, int64_t time, uint8_t kind, uint16_t text,
                       const uint8_t *frame, int64_t length)
{
    int64_t kept = length < trace->longest ? length : trace->longest;
    if (trace->size - trace->at < GW_TRACE_FRAME + kept)
        return 0;
    uint32_t sizes[2] = {(uint32_t)kept, (uint32_t)length};
    uint8_t *at = trace->memory + trace->at;
    at = put(at, &time, sizeof time);
    at = put(at, &kind, sizeof kind);
    at = put(at, &text, sizeof text);
    at = put(at, sizes, sizeof sizes);
    if (kept > 0)
        memcpy(at, frame, (size_t)kept);
    trace->at += GW_TRACE_FRAME + kept;
    trace->done = 0;
    return ++trace->frames;
}

int gw_trace_done(gw_trace *trace, int64_t time, uint8_t lost, uint32_t samples, uint32_t taken,
                  int64_t frame, const uint8_t *points, int64_t octets)
{
    if (trace->frames == 0 || trace->done == GW_TRACE_MOST)
        return 1;
    if (trace->size - trace->at < GW_TRACE_DONE)
        return 0;
    enum { MOST = GW_TRACE_POINTS * 4 };
    size_t named = octets < MOST ? (size_t)octets : MOST;
    uint8_t kind = GW_TRACE_WAS_DONE;
    uint16_t n = (uint16_t)(named / 4);
    uint32_t counts[2] = {samples, taken};
    int64_t of = frame > 0 ? frame : trace->frames;
    uint8_t *at = trace->memory + trace->at;
    at = put(at, &time, sizeof time);
    at = put(at, &kind, sizeof kind);
    at = put(at, &lost, sizeof lost);
    at = put(at, &n, sizeof n);
    at = put(at, counts, sizeof counts);
    at = put(at, &of, sizeof of);
    memset(at, 0, MOST);
    if (named > 0)
        memcpy(at, points, named);
    trace->at += GW_TRACE_DONE;
    trace->done++;
    return 1;
}
