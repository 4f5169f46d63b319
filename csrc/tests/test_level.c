/* The choice of the level. */
#include "check.h"

int main(void)
{
    int best = gw_level(); /* decided here, on first use */
    CHECK(best >= GW_PLAIN && best < GW_LEVELS && gw_level() == best);
    for (int level = 0; level < GW_LEVELS; level++) {
        CHECK(gw_level_supported(level) == (level <= best));
        CHECK(gw_level_force(level) == (level <= best ? GW_OK : GW_BAD_LEVEL));
        if (level <= best)
            CHECK(gw_level() == level);
    }
    CHECK(gw_level_force(-1) == GW_BAD_LEVEL && gw_level_force(GW_LEVELS) == GW_BAD_LEVEL);
    CHECK(gw_level() == best);
    CHECK(strcmp(gw_level_name(GW_PLAIN), "plain") == 0);
    CHECK(strcmp(gw_level_name(GW_X86_64_V3), "x86-64-v3") == 0);
    CHECK(gw_level_name(-1) == NULL && gw_level_name(GW_LEVELS) == NULL);
    return 0;
}
