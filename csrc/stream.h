/* What is the same for all that is measured of a stream: its limits, its indices and its gaps. */
#ifndef GW_STREAM_H
#define GW_STREAM_H

#include "kernel.h"

/* GW_OK or GW_BAD_STREAM. */
int64_t gw_stream_check(const gw_stream *stream);

/* May n rows come at this index?  GW_OK, GW_BAD_BLOCK or GW_BAD_INDEX. */
int64_t gw_stream_accepts(const gw_stream *stream, const gw_stream_state *at, int64_t index,
                          int64_t n, int64_t stride);

/* Is there a gap before this index that is not filled, or nothing at all? */
static inline int gw_stream_breaks(const gw_stream *stream, const gw_stream_state *at,
                                   int64_t index)
{
    return at->next == 0 || index - at->next > stream->hold;
}

/* Count the rows that are missing before this index. */
void gw_stream_count(const gw_stream *stream, gw_stream_state *at, int64_t index);

#endif
