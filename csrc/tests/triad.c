/* The yardstick of benchmarks/kernel.py: a[i] = b[i] + s*c[i], as STREAM has it. */
#include <stdint.h>

__attribute__((visibility("default"))) void triad(double *restrict a, const double *restrict b,
                                                  const double *restrict c, double s, int64_t n);

void triad(double *restrict a, const double *restrict b, const double *restrict c, double s,
           int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        a[i] = b[i] + s * c[i];
}
