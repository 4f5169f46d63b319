/*
 * The pass for x86-64-v3 processors, those with AVX2.
 *
 * FMA belongs to that level and is left out on purpose: a fused multiply-add rounds once where
 * plain C rounds twice, and the levels promise the same bits.
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "level.h"

#if GW_HAS_V3

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt")
#endif

#define GW_PASS gw_pass_v3
#include "pass.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
