/*
 * The check of C37.118 for x86-64-v3 processors, sixteen octets a step.
 *
 * Octets are a polynomial, the first one its highest part.  Carry-less products move what is above
 * down modulo x^16 + x^12 + x^5 + 1: A = H x^64 + L, and A x^128 = H (x^192) + L (x^128).
 */
#include "c37.h"
#include "level.h"

#if GW_HAS_V3

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,pclmul"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,pclmul")
#endif

/* x^64, x^128 and x^192 modulo the polynomial. */
#define X64 0xb861
#define X128 0xaefc
#define X192 0x650b

enum { STEP = 16 };

/* From 16 - n on: the first n octets reversed, so that the last one is the lowest; above them 0. */
static const uint8_t reversed[2 * STEP] = {15,   14,   13,   12,   11,   10,   9,    8,
                                           7,    6,    5,    4,    3,    2,    1,    0,
                                           0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                           0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

static __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* length >= 16.  The check starts from 0xffff: that is to say from 0 with the first two octets
 * inverted, and zeros before them are nothing. */
uint64_t gw_c37_fold_v3(const uint8_t *data, int64_t length)
{
    const __m128i down = _mm_set_epi64x(X192, X128), whole = load(reversed);
    int64_t first = (length - 1) % STEP + 1;
    __m128i a = _mm_xor_si128(load(data), _mm_cvtsi32_si128(0xffff));
    a = _mm_shuffle_epi8(a, load(reversed + STEP - first));
    __m128i inverted = _mm_cvtsi32_si128(first == 1 ? 0xff : 0);
    for (int64_t at = first; at < length; at += STEP) {
        __m128i next = _mm_shuffle_epi8(_mm_xor_si128(load(data + at), inverted), whole);
        inverted = _mm_setzero_si128();
        a = _mm_xor_si128(next, _mm_xor_si128(_mm_clmulepi64_si128(a, down, 0x11),
                                              _mm_clmulepi64_si128(a, down, 0x00)));
    }
    /* From 128 bits to 80 to 64. */
    const __m128i x64 = _mm_cvtsi32_si128(X64);
    a = _mm_xor_si128(_mm_clmulepi64_si128(a, x64, 0x01), _mm_move_epi64(a));
    a = _mm_xor_si128(_mm_clmulepi64_si128(a, x64, 0x01), _mm_move_epi64(a));
    return (uint64_t)_mm_cvtsi128_si64(a);
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
