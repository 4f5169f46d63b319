/* The caller's memory, cut into parts. */
#ifndef GW_MEMORY_H
#define GW_MEMORY_H

#include <stddef.h>
#include <stdint.h>

enum { GW_ALIGNMENT = 64 }; /* of a part, a cache line */

typedef struct {
    uint8_t *start; /* NULL where parts are only counted */
    int64_t used;
} gw_memory;

/* The next part, of so many bytes. */
static inline void *gw_part(gw_memory *memory, size_t bytes)
{
    int64_t at = memory->used;
    memory->used += ((int64_t)bytes + GW_ALIGNMENT - 1) / GW_ALIGNMENT * GW_ALIGNMENT;
    return memory->start ? memory->start + at : NULL;
}

/* Is the caller's memory there, long enough and fit to hold doubles? */
static inline int gw_fits(const void *memory, int64_t size, int64_t needed)
{
    return memory != NULL && size >= needed && (uintptr_t)memory % sizeof(double) == 0;
}

#endif
