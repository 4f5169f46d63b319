/* Which loops run. */
#include "loops.h"

#include "level.h"

const gw_loops *gw_loops_now(void)
{
#if GW_HAS_V3
    if (gw_level() == GW_X86_64_V3)
        return &gw_loops_v3;
#endif
    return &gw_loops_plain;
}
