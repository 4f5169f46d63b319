/*
 * Raw fields of one type and order to numbers.
 *
 * Two steps over a chunk that stays in the first cache: bytes to words (order), words to doubles
 * (type).  Four orders and twelve types then need sixteen loops instead of forty.
 * A header, because every level compiles it again with its own instruction set.
 */
#ifndef GW_DECODE_H
#define GW_DECODE_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernel.h"

#if defined(__GNUC__)
#define GW_INLINE static inline __attribute__((always_inline))
#else
#define GW_INLINE static inline
#endif

/* Fields per chunk: the buffers of one, 8 KiB, leave room for the columns in a 32 KiB cache. */
#define GW_CHUNK 512

/* Where the fields of a chunk are: a list of positions, or one every stride. */
typedef struct {
    const uint8_t *data;
    const int64_t *offsets; /* or NULL */
    int64_t stride;
} gw_place;

GW_INLINE const uint8_t *gw_at(gw_place place, int64_t i)
{
    return place.data + (place.offsets ? place.offsets[i] : i * place.stride);
}

/* Words as a little-endian machine would load them; compilers make one load of each. */
GW_INLINE uint16_t gw_load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

GW_INLINE uint32_t gw_load32(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap32(x);
#endif
    return x;
}

GW_INLINE uint64_t gw_load64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* Each of the three takes a little-endian load to the value: the bytes of a word, the words. */
GW_INLINE uint16_t gw_swap16(uint16_t x)
{
    return (uint16_t)(x << 8 | x >> 8);
}

GW_INLINE uint32_t gw_swap32(uint32_t x)
{
    return (x & 0x00ff00ffu) << 8 | (x >> 8 & 0x00ff00ffu);
}

GW_INLINE uint64_t gw_swap64(uint64_t x)
{
    return (x & 0x00ff00ff00ff00ffu) << 8 | (x >> 8 & 0x00ff00ff00ff00ffu);
}

GW_INLINE uint32_t gw_reverse32(uint32_t x)
{
    return x << 16 | x >> 16;
}

GW_INLINE uint64_t gw_reverse64(uint64_t x)
{
    x = (x & 0x0000ffff0000ffffu) << 16 | (x >> 16 & 0x0000ffff0000ffffu);
    return x << 32 | x >> 32;
}

GW_INLINE void gw_words16(gw_place place, int order, int n, uint16_t *restrict word)
{
    if (order == GW_ABCD || order == GW_CDAB)
        for (int i = 0; i < n; i++)
            word[i] = gw_swap16(gw_load16(gw_at(place, i)));
    else
        for (int i = 0; i < n; i++)
            word[i] = gw_load16(gw_at(place, i));
}

GW_INLINE void gw_words32(gw_place place, int order, int n, uint32_t *restrict word)
{
    if (order == GW_ABCD)
        for (int i = 0; i < n; i++)
            word[i] = gw_reverse32(gw_swap32(gw_load32(gw_at(place, i))));
    else if (order == GW_CDAB)
        for (int i = 0; i < n; i++)
            word[i] = gw_swap32(gw_load32(gw_at(place, i)));
    else if (order == GW_BADC)
        for (int i = 0; i < n; i++)
            word[i] = gw_reverse32(gw_load32(gw_at(place, i)));
    else
        for (int i = 0; i < n; i++)
            word[i] = gw_load32(gw_at(place, i));
}

GW_INLINE void gw_words64(gw_place place, int order, int n, uint64_t *restrict word)
{
    if (order == GW_ABCD)
        for (int i = 0; i < n; i++)
            word[i] = gw_reverse64(gw_swap64(gw_load64(gw_at(place, i))));
    else if (order == GW_CDAB)
        for (int i = 0; i < n; i++)
            word[i] = gw_swap64(gw_load64(gw_at(place, i)));
    else if (order == GW_BADC)
        for (int i = 0; i < n; i++)
            word[i] = gw_reverse64(gw_load64(gw_at(place, i)));
    else
        for (int i = 0; i < n; i++)
            word[i] = gw_load64(gw_at(place, i));
}

/* Binary coded decimal; NaN where a half byte is above nine. */
GW_INLINE double gw_bcd(uint32_t x)
{
    uint32_t bad = x & (x << 1 | x << 2) & 0x88888888u;
    uint32_t pair = (x & 0x0f0f0f0fu) + (x >> 4 & 0x0f0f0f0fu) * 10u;
    uint32_t four = (pair & 0x00ff00ffu) + (pair >> 8 & 0x00ff00ffu) * 100u;
    uint32_t all = (four & 0xffffu) + (four >> 16) * 10000u;
    return bad ? (double)NAN : (double)all;
}

static void gw_from16(int type, const uint16_t *restrict word, int n, double *restrict raw)
{
    if (type == GW_INT16)
        for (int i = 0; i < n; i++)
            raw[i] = (int16_t)word[i];
    else if (type == GW_UINT16)
        for (int i = 0; i < n; i++)
            raw[i] = word[i];
    else
        for (int i = 0; i < n; i++)
            raw[i] = gw_bcd(word[i]);
}

static void gw_from32(int type, const uint32_t *restrict word, int n, double *restrict raw)
{
    if (type == GW_INT32) {
        for (int i = 0; i < n; i++)
            raw[i] = (int32_t)word[i];
    } else if (type == GW_UINT32) {
        for (int i = 0; i < n; i++)
            raw[i] = word[i];
    } else if (type == GW_FLOAT32) {
        for (int i = 0; i < n; i++) {
            float x;
            memcpy(&x, &word[i], sizeof x);
            raw[i] = x;
        }
    } else {
        for (int i = 0; i < n; i++)
            raw[i] = gw_bcd(word[i]);
    }
}

static void gw_from64(int type, const uint64_t *restrict word, int n, double *restrict raw)
{
    if (type == GW_INT64)
        for (int i = 0; i < n; i++)
            raw[i] = (double)(int64_t)word[i];
    else if (type == GW_UINT64)
        for (int i = 0; i < n; i++)
            raw[i] = (double)word[i];
    else
        memcpy(raw, word, (size_t)n * sizeof *raw);
}

/* A double holds whole numbers up to 2^53; a sample beyond has lost digits and has to say so. */
static void gw_exact64(int type, const uint64_t *restrict word, int n, uint16_t inexact,
                       uint16_t *restrict quality)
{
    const uint64_t limit = (uint64_t)1 << 53;
    uint64_t shift = type == GW_INT64 ? limit : 0;
    for (int i = 0; i < n; i++)
        quality[i] = word[i] + shift > limit + shift ? inexact : quality[i];
}

static void gw_bits(gw_place place, int64_t first, int n, double *restrict raw)
{
    for (int i = 0; i < n; i++) {
        int64_t bit = place.offsets ? place.offsets[i] : first + i * place.stride;
        raw[i] = place.data[bit >> 3] >> (bit & 7) & 1;
    }
}

static void gw_bytes(gw_place place, int type, int n, double *restrict raw)
{
    if (type == GW_INT8)
        for (int i = 0; i < n; i++)
            raw[i] = (int8_t)*gw_at(place, i);
    else
        for (int i = 0; i < n; i++)
            raw[i] = *gw_at(place, i);
}

/* The usual case, fields side by side, is compiled on its own: it becomes vector loads. */
static void gw_take16(gw_place place, int order, int n, uint16_t *restrict word)
{
    if (!place.offsets && place.stride == 2)
        gw_words16((gw_place){place.data, NULL, 2}, order, n, word);
    else
        gw_words16(place, order, n, word);
}

static void gw_take32(gw_place place, int order, int n, uint32_t *restrict word)
{
    if (!place.offsets && place.stride == 4)
        gw_words32((gw_place){place.data, NULL, 4}, order, n, word);
    else
        gw_words32(place, order, n, word);
}

static void gw_take64(gw_place place, int order, int n, uint64_t *restrict word)
{
    if (!place.offsets && place.stride == 8)
        gw_words64((gw_place){place.data, NULL, 8}, order, n, word);
    else
        gw_words64(place, order, n, word);
}

/* The buffers of one chunk. */
typedef struct {
    union {
        uint16_t w16[GW_CHUNK];
        uint32_t w32[GW_CHUNK];
        uint64_t w64[GW_CHUNK];
    } word;
    double raw[GW_CHUNK];
    uint16_t quality[GW_CHUNK];
    uint16_t index[GW_CHUNK];
    uint8_t quiet[GW_CHUNK];
} gw_chunk;

/*
 * Decode fields start..start+n of a run into chunk->raw; n <= GW_CHUNK.
 * For whole numbers of 64 bits chunk->quality becomes inexact where digits were lost.
 */
static void gw_decode(const gw_plan *plan, const gw_run *run, const uint8_t *data, int64_t start,
                      int n, uint16_t inexact, gw_chunk *chunk)
{
    int64_t first = run->offset + start * run->stride;
    gw_place place = {data, run->list < 0 ? NULL : plan->offsets + run->list + start, run->stride};
    if (run->type == GW_BIT) {
        gw_bits(place, first, n, chunk->raw);
        return;
    }
    if (!place.offsets)
        place.data += first;
    switch (run->type) {
    case GW_INT8:
    case GW_UINT8:
        gw_bytes(place, run->type, n, chunk->raw);
        break;
    case GW_INT16:
    case GW_UINT16:
    case GW_BCD16:
        gw_take16(place, run->order, n, chunk->word.w16);
        gw_from16(run->type, chunk->word.w16, n, chunk->raw);
        break;
    case GW_INT32:
    case GW_UINT32:
    case GW_FLOAT32:
    case GW_BCD32:
        gw_take32(place, run->order, n, chunk->word.w32);
        gw_from32(run->type, chunk->word.w32, n, chunk->raw);
        break;
    default:
        gw_take64(place, run->order, n, chunk->word.w64);
        gw_from64(run->type, chunk->word.w64, n, chunk->raw);
        if (run->type != GW_FLOAT64)
            gw_exact64(run->type, chunk->word.w64, n, inexact, chunk->quality);
    }
}

#endif
