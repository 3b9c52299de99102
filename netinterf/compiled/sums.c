/* Sums by group (`stats.mixture`, `anomaly.peers`), and the strongest of each group (`verdict.weigh`). */

#include <math.h>

#include "shared.h"

/* Add to the total of each member's group the row of its kind, so many times; rows are `width` numbers long. */
SHARED void add_rows(int64_t count, int64_t width, const double *rows, const int64_t *kind, const double *times,
                     const int64_t *group, double *total)
{
    for (int64_t one = 0; one < count; one++) {
        const double *row = rows + kind[one] * width;
        double *sum = total + group[one] * width, factor = times[one];
        for (int64_t at = 0; at < width; at++)
            sum[at] += row[at] * factor;
    }
}

/* Find the pair of the largest size for each key, of equal sizes that of the lower value, and of those the last;
   `best`, one for each key, is -1 where there is none. */
SHARED void find_strongest(int64_t count, const int64_t *key, const double *value, int64_t *best)
{
    for (int64_t one = 0; one < count; one++) {
        int64_t other = best[key[one]];
        double size = fabs(value[one]), most = other < 0 ? -1.0 : fabs(value[other]);
        if (size > most || (size == most && value[one] <= value[other]))
            best[key[one]] = one;
    }
}

/* Add up the sizes of those of each one's group that have its value, and of all of them; `whole` and `parts`, one for
   each group, and for each value of each group, are all 0. */
SHARED void count_alike(int64_t count, int64_t width, const int64_t *group, const int64_t *value, const int64_t *size,
                        int64_t *whole, int64_t *parts, int64_t *alike, int64_t *among)
{
    for (int64_t one = 0; one < count; one++) {
        whole[group[one]] += size[one];
        parts[group[one] * width + value[one]] += size[one];
    }
    for (int64_t one = 0; one < count; one++) {
        among[one] = whole[group[one]];
        alike[one] = parts[group[one] * width + value[one]];
    }
}
