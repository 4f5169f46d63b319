/*
 * Bytes to words: where the fields of a block are, and the order of their bytes.
 *
 * A header, because every level compiles it again with its own instruction set.
 */
#ifndef GW_WORDS_H
#define GW_WORDS_H

#include <stddef.h>
#include <string.h>

#include "kernel.h"

/* The loops below are worth a copy per caller: with its constants known each becomes vectors. */
#define GW_INLINE static inline __attribute__((always_inline))

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

/* Numbers as a little-endian machine would load them, from anywhere. */
GW_INLINE uint16_t gw_load16(const uint8_t *p)
{
    uint16_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap16(x);
#endif
    return x;
}

GW_INLINE uint32_t gw_load32(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap32(x);
#endif
    return x;
}

GW_INLINE uint64_t gw_load64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* From such a load to the value: swap the bytes of each word, reverse the words, or both. */
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

#endif
