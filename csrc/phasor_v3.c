/* The loops of the phasors for x86-64-v3 processors, without FMA as in pass_v3.c. */
#include "level.h"

#if GW_HAS_V3

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt")
#endif

/* vpmuldq takes the low 32 bits of each 64. */
#define GW_PRODUCT(x, t) ((wrapping)_mm256_mul_epi32((__m256i)(x), _mm256_set1_epi32(t)))
#define GW_TIMES(a, b, c, t) (GW_PRODUCT(a, t) - (GW_PRODUCT(b, t) << 1) + GW_PRODUCT(c, t))
#define GW_NARROW 1
#define GW_VECTOR 4
#define GW_SUM gw_sum_v3
#define GW_FILTER gw_filter_v3
#include "phasor_loops.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
