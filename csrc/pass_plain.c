/* The pass in plain C, for every processor. */
#define GW_PASS gw_pass_plain
#include "pass.h"
