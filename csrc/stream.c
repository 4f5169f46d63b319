/* Streams: what they may be, and what may come of them. */
#include "stream.h"

#include <math.h>

enum { LEAST_RATE = 1000, MOST_RATE = 32768 }; /* samples per second */

/* The time in ns of everything before this second has room in its type. */
static const int64_t most_second = 9000000000;

static const double most_scale = 1e9; /* units per count */

int64_t gw_stream_check(const gw_stream *stream)
{
    const gw_stream *s = stream;
    if (s->rate < LEAST_RATE || s->rate > MOST_RATE || (s->nominal != 50 && s->nominal != 60) ||
        s->hold < 0 || s->hold > s->rate || s->columns < 1 || s->columns > GW_COLUMNS)
        return GW_BAD_STREAM;
    for (int64_t c = 0; c < s->columns; c++)
        if (!(fabs(s->scale[c]) <= most_scale))
            return GW_BAD_STREAM;
    return GW_OK;
}

int64_t gw_stream_accepts(const gw_stream *stream, const gw_stream_state *at, int64_t index,
                          int64_t n, int64_t stride)
{
    int64_t most = most_second * stream->rate;
    if (n < 0 || n > most || stride < stream->columns)
        return GW_BAD_BLOCK;
    return index < at->next || index > most - n ? GW_BAD_INDEX : GW_OK;
}

void gw_stream_count(const gw_stream *stream, gw_stream_state *at, int64_t index)
{
    if (at->next == 0)
        return;
    int64_t missing = index - at->next;
    if (missing > stream->hold) {
        at->gaps++;
        at->lost += missing;
    } else {
        at->held += missing;
    }
}
