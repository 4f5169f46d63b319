/* How the qualities of rows, and of what is made of them, become one. */
#ifndef GW_QUALITY_H
#define GW_QUALITY_H

#include "kernel.h"

/* The quality of a value that there is, but not of all that it should be of. */
static inline uint16_t gw_partly(unsigned quality)
{
    unsigned validity = (quality & GW_VALIDITY) == GW_GOOD ? GW_QUESTIONABLE : GW_GOOD;
    return (uint16_t)(quality | validity | GW_INACCURATE);
}

/* The quality of no value. */
static inline uint16_t gw_void(unsigned quality)
{
    return (uint16_t)((quality & ~(unsigned)GW_VALIDITY) | GW_INVALID);
}

/* All of these qualities: all details, and the worst validity.  No branches, so that vectors do. */
static inline uint16_t gw_worst(const uint16_t *quality, int64_t n)
{
    unsigned all = 0, invalid = 0, reserved = 0;
    for (int64_t i = 0; i < n; i++) {
        unsigned low = quality[i], high = low >> 1;
        all |= low;
        invalid |= low & ~high;
        reserved |= high & ~low;
    }
    unsigned questionable = (all & GW_VALIDITY) != 0 ? GW_QUESTIONABLE : GW_GOOD;
    unsigned validity = invalid & 1    ? GW_INVALID
                        : reserved & 1 ? (GW_QUESTIONABLE & ~GW_INVALID)
                                       : questionable;
    return (uint16_t)((all & ~(unsigned)GW_VALIDITY) | validity);
}

static inline uint16_t gw_worse(unsigned a, unsigned b)
{
    const uint16_t both[2] = {(uint16_t)a, (uint16_t)b};
    return gw_worst(both, 2);
}

#endif
