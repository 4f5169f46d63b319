/*
 * Which level runs: chosen on first use, or by force.
 *
 * A table of our own instead of the linker's IFUNC, which musl does not have, and which no test
 * could steer.  The number in force is the kernel's only state; choosing it twice does no harm.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "level.h"

enum { GW_UNDECIDED = -1 };

static atomic_int in_force = GW_UNDECIDED;

int gw_level_supported(int level)
{
    if (level == GW_PLAIN)
        return 1;
#if GW_HAS_V3
    if (level == GW_X86_64_V3) {
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
               __builtin_cpu_supports("pclmul"); /* not of v3, but of every processor that is */
    }
#endif
    return 0;
}

int gw_level(void)
{
    int level = atomic_load_explicit(&in_force, memory_order_relaxed);
    if (level != GW_UNDECIDED)
        return level;
    level = GW_PLAIN;
    for (int better = level + 1; better < GW_LEVELS; better++)
        level = gw_level_supported(better) ? better : level;
    atomic_store_explicit(&in_force, level, memory_order_relaxed);
    return level;
}

int gw_level_force(int level)
{
    if (!gw_level_supported(level))
        return GW_BAD_LEVEL;
    atomic_store_explicit(&in_force, level, memory_order_relaxed);
    return GW_OK;
}

const char *gw_level_name(int level)
{
    static const char *const names[GW_LEVELS] = {"plain", "x86-64-v3"};
    return level < 0 || level >= GW_LEVELS ? NULL : names[level];
}

gw_pass *gw_pass_now(void)
{
#if GW_HAS_V3
    if (gw_level() == GW_X86_64_V3)
        return gw_pass_v3;
#endif
    return gw_pass_plain;
}
