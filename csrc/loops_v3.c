/* The loops over samples for x86-64-v3 processors; without FMA, as in pass_v3.c and for its reason. */
#include "level.h"

#if GW_HAS_V3

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt")
#endif

#include "lanes_v3.h"
#define GW_LOOPS gw_loops_v3
#include "loops_pass.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
