/* Sums of rows by group (`stats.mixture`). */

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
