/*
 * Raw fields of one type and order to numbers.
 *
 * Two steps over a chunk that stays in the first cache: bytes to words (words.h), words to doubles.
 * Four orders and a dozen types then need some twenty loops instead of forty.
 * A header, because every level compiles it again with its own instruction set.
 */
#ifndef GW_DECODE_H
#define GW_DECODE_H

#include <math.h>

#include "words.h"

/* Samples per chunk: its buffers, 13 KiB, and the columns of the table share a 32 KiB cache. */
#define GW_CHUNK 512

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

/* The buffers of one chunk. */
typedef struct {
    union {
        uint16_t w16[GW_CHUNK];
        uint32_t w32[GW_CHUNK];
        uint64_t w64[GW_CHUNK];
    } word;
    double raw[GW_CHUNK];
    double band[GW_CHUNK];
    uint16_t quality[GW_CHUNK];
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
