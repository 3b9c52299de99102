/* Rows in the order of their groups, and of some keys within each group (`numbering.ordered_within`).

   Rows are counted into their groups, and each group is sorted by itself: short runs by insertion, and runs by merging
   them, so that what is equal stays as it stood, and no order that somebody chose takes long. */

#include <stdbool.h>
#include <string.h>

#include "shared.h"

enum { RUN = 16 };

/* Columns by which rows are compared, the first one first. */
struct keys {
    int64_t count;
    const int64_t *const *columns;
};

static bool comes_before(const struct keys *keys, int64_t row, int64_t other)
{
    for (int64_t key = 0; key < keys->count; key++)
        if (keys->columns[key][row] != keys->columns[key][other])
            return keys->columns[key][row] < keys->columns[key][other];
    return false;
}

static void insert(const struct keys *keys, int64_t *rows, int64_t count)
{
    for (int64_t next = 1; next < count; next++) {
        int64_t row = rows[next], place = next;
        for (; place > 0 && comes_before(keys, row, rows[place - 1]); place--)
            rows[place] = rows[place - 1];
        rows[place] = row;
    }
}

/* Merge two runs that stand side by side. */
static void merge(const struct keys *keys, int64_t *rows, int64_t middle, int64_t count, int64_t *spare)
{
    int64_t left = 0, right = middle, out = 0;
    if (!comes_before(keys, rows[middle], rows[middle - 1]))
        return;
    memcpy(spare, rows, (size_t)middle * sizeof *rows);
    while (left < middle && right < count)
        rows[out++] = comes_before(keys, rows[right], spare[left]) ? rows[right++] : spare[left++];
    memcpy(rows + out, spare + left, (size_t)(middle - left) * sizeof *rows);
}

static void sort(const struct keys *keys, int64_t *rows, int64_t count, int64_t *spare)
{
    for (int64_t begin = 0; begin < count; begin += RUN)
        insert(keys, rows + begin, count - begin < RUN ? count - begin : RUN);
    for (int64_t run = RUN; run < count; run *= 2)
        for (int64_t begin = 0; begin + run < count; begin += 2 * run)
            merge(keys, rows + begin, run, count - begin < 2 * run ? count - begin : 2 * run, spare);
}

/* Order rows. `first`, one longer than there are groups and all 0, is room; so is `spare`, as long as the rows. */
SHARED void order_within(int64_t count, int64_t groups, const int64_t *group, int64_t columns,
                         const int64_t *const *column, int64_t *first, int64_t *rows, int64_t *spare)
{
    struct keys keys = {.count = columns, .columns = column};
    for (int64_t row = 0; row < count; row++)
        first[group[row] + 1]++;
    for (int64_t one = 0; one < groups; one++)
        first[one + 1] += first[one];
    for (int64_t row = 0; row < count; row++)
        rows[first[group[row]]++] = row; /* then each begins where the one before it ends */
    for (int64_t one = 0, begin = 0; one < groups; begin = first[one++])
        sort(&keys, rows + begin, first[one] - begin, spare);
}
