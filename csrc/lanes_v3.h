/* Lanes side by side, with AVX2; the meaning of each is said in lanes_plain.h. */
#include <immintrin.h>
#include <stdint.h>

#include "sv.h"

typedef __m256d gw_lanes;
typedef __m256i gw_words;
typedef __m256 gw_eight;

/* vpmuldq takes the low 32 bits of each 64. */
#define GW_PRODUCT(x, t) ((wrapping)_mm256_mul_epi32((__m256i)(x), _mm256_set1_epi32(t)))
#define GW_TIMES(a, b, c, t) (GW_PRODUCT(a, t) - (GW_PRODUCT(b, t) << 1) + GW_PRODUCT(c, t))
#define GW_NARROW 1
#define GW_VECTOR 4

static uint32_t pairs(const uint8_t *from, int64_t n, int32_t *to)
{
    const __m256i swap = _mm256_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3, 12,
                                         13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    __m256i all = _mm256_setzero_si256();
    for (; n >= 8; n -= 8, to += 8, from += 8 * GW_PAIR) {
        __m256i a = _mm256_loadu_si256((const __m256i *)from);
        __m256i b = _mm256_loadu_si256((const __m256i *)(from + 4 * GW_PAIR));
        all = _mm256_or_si256(all, _mm256_or_si256(a, b));
        /* Values 0 1 4 5 2 3 6 7 of the two halves of each, then in their order. */
        __m256 even = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88);
        __m256i values = _mm256_permute4x64_epi64(_mm256_castps_si256(even), 0xd8);
        _mm256_storeu_si256((__m256i *)to, _mm256_shuffle_epi8(values, swap));
    }
    uint8_t each[8 * 4];
    _mm256_storeu_si256((__m256i *)each, all);
    uint32_t any = gw_be32(each + 4) | gw_be32(each + 12) | gw_be32(each + 20) | gw_be32(each + 28);
    for (int64_t c = 0; c < n; c++, from += GW_PAIR) {
        to[c] = (int32_t)gw_be32(from);
        any |= gw_be32(from + 4);
    }
    return any;
}

static inline gw_lanes gw_all(double x)
{
    return _mm256_set1_pd(x);
}

static inline gw_lanes gw_load(const double *from)
{
    return _mm256_loadu_pd(from);
}

static inline gw_lanes gw_load_samples(const int32_t *from)
{
    return _mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)from));
}

static inline void gw_store(double *to, gw_lanes a)
{
    _mm256_storeu_pd(to, a);
}

static inline gw_lanes gw_add(gw_lanes a, gw_lanes b)
{
    return _mm256_add_pd(a, b);
}

static inline gw_lanes gw_sub(gw_lanes a, gw_lanes b)
{
    return _mm256_sub_pd(a, b);
}

static inline gw_lanes gw_mul(gw_lanes a, gw_lanes b)
{
    return _mm256_mul_pd(a, b);
}

static inline gw_words gw_load_words(const int32_t *from)
{
    return _mm256_cvtepi32_epi64(_mm_loadu_si128((const __m128i *)from));
}

static inline void gw_store_words(uint64_t *to, gw_words a)
{
    _mm256_storeu_si256((__m256i *)to, a);
}

static inline gw_words gw_no_words(void)
{
    return _mm256_setzero_si256();
}

static inline gw_words gw_add_words(gw_words a, gw_words b)
{
    return _mm256_add_epi64(a, b);
}

static inline gw_words gw_mul_words(gw_words a, gw_words b)
{
    return _mm256_mul_epi32(a, b);
}

static inline gw_words gw_upper_words(gw_words a)
{
    return _mm256_srli_epi64(_mm256_xor_si256(a, _mm256_set1_epi64x(INT64_MIN)), 32);
}

static inline gw_words gw_turn_words(gw_words a)
{
    return _mm256_permute4x64_epi64(a, 0xC9); /* lanes 1, 2, 0, 3 */
}

static inline gw_eight gw_all_eight(float x)
{
    return _mm256_set1_ps(x);
}

static inline gw_eight gw_load_eight(const float *from)
{
    return _mm256_loadu_ps(from);
}

static inline gw_eight gw_load_row(const int32_t *from)
{
    return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)from));
}

static inline void gw_store_eight(float *to, gw_eight a)
{
    _mm256_storeu_ps(to, a);
}

static inline gw_eight gw_add_eight(gw_eight a, gw_eight b)
{
    return _mm256_add_ps(a, b);
}

static inline gw_eight gw_sub_eight(gw_eight a, gw_eight b)
{
    return _mm256_sub_ps(a, b);
}

static inline gw_eight gw_mul_eight(gw_eight a, gw_eight b)
{
    return _mm256_mul_ps(a, b);
}
