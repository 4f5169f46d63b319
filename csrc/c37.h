/* What the files of C37.118 share: octets to numbers and back, the highest octet first. */
#ifndef GW_C37_H
#define GW_C37_H

#include <string.h>

#include "kernel.h"

/* Compilers make one load and a swap of these. */
static inline uint16_t gw_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t gw_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline float gw_be_float(const uint8_t *p)
{
    uint32_t bits = gw_be32(p);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline void gw_put16(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 8);
    p[1] = (uint8_t)x;
}

static inline void gw_put32(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

static inline void gw_put_float(uint8_t *p, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    gw_put32(p, bits);
}

/* The start of a frame of this size, and its end: the check of all before it. */
static inline void gw_c37_begin(uint8_t *octets, const gw_c37_header *header, int64_t size)
{
    octets[0] = 0xaa;
    octets[1] = (uint8_t)(header->kind << 4 | header->version);
    gw_put16(octets + 2, (uint32_t)size);
    gw_put16(octets + 4, (uint32_t)header->idcode);
    gw_put32(octets + 6, header->second);
    gw_put32(octets + 10, (uint32_t)header->time_quality << 24 | (uint32_t)header->fraction);
}

static inline void gw_c37_end(uint8_t *octets, int64_t size)
{
    gw_put16(octets + size - 2, gw_c37_crc(octets, size - 2));
}

/* Octets, the start 0xffff with them, as 64 bits that leave the same remainder; length >= 16. */
uint64_t gw_c37_fold_v3(const uint8_t *data, int64_t length);

/* GW_OK where a frame can say all of this, else GW_BAD_TIME. */
int gw_c37_header_fits(const gw_c37_header *header);

#endif
