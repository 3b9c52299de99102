/* What is equal, as whole numbers (`numbering`): keys by a table of hashes, strings by the hash of their bytes.

   Numbers, and the keys that stand for them, come out as numpy gives them: of the keys that meet in one place of the
   table the last one holds it in each round, and those unlike it meet again by another hash. Whoever writes a capture
   can make keys collide; that takes as many rounds as in numpy. */

#include <stdbool.h>
#include <string.h>

#include "shared.h"

enum { FETCHED_AHEAD = 16 };                                           /* keys whose places are asked for before */
static const uint64_t GOLDEN_RATIO = UINT64_C(0x9E3779B97F4A7C15); /* `numbering.GOLDEN_RATIO` */

/* Keys that are left to be numbered, and the places that their hashes have in a table. */
struct keys {
    const uint64_t *keys;
    int32_t *left;
    int32_t *table;
    uint64_t factor;
    int shift;
};

/* Give the place of the key that is left at some position, and ask for that of one that comes later. */
static inline int32_t *place(const struct keys *of, int64_t one, int64_t count)
{
    if (one + FETCHED_AHEAD < count)
        FETCH(of->table + (of->keys[of->left[one + FETCHED_AHEAD]] * of->factor >> of->shift));
    return of->table + (of->keys[of->left[one]] * of->factor >> of->shift);
}

/* Number what is left of the keys, but those whose place in the table another one has: these stay, in their order.
   `found` keys had numbers before, and `first` has one key for each. Gives how many stay. */
static int64_t settle(const struct keys *of, int64_t count, int64_t *number, int64_t *first, int64_t *found)
{
    int64_t kept = 0, known = *found;
    int32_t *left = of->left;
    for (int64_t one = 0; one < count; one++)
        *place(of, one, count) = left[one]; /* the last one stays */
    for (int64_t one = 0; one < count; one++) {
        number[left[one]] = known; /* of others than these it is written over */
        first[known] = left[one];
        known += *place(of, one, count) == left[one];
    }
    if (known - *found < count)
        for (int64_t one = 0; one < count; one++) {
            int32_t row = left[one], owner = *place(of, one, count);
            number[row] = number[owner];
            left[kept] = row;
            kept += of->keys[owner] != of->keys[row];
        }
    *found = known;
    return kept;
}

/* Number keys. `table` has `1 << bits` places, `left` as many as there are keys; `found` becomes how many differ. */
SHARED void number_keys(int64_t count, const uint64_t *keys, int64_t bits, int32_t *table, int32_t *left,
                        int64_t *number, int64_t *first, int64_t *found)
{
    struct keys of = {.keys = keys, .left = left, .table = table, .factor = GOLDEN_RATIO, .shift = (int)(64 - bits)};
    for (int64_t row = 0; row < count; row++)
        left[row] = (int32_t)row;
    for (; count; of.factor *= GOLDEN_RATIO)
        count = settle(&of, count, number, first, found);
}

/* Number keys that are at least `least`, and less than `table` has places beyond it. */
SHARED void number_small_keys(int64_t count, const uint64_t *keys, uint64_t least, int32_t *table, int64_t *number,
                              int64_t *first, int64_t *found)
{
    for (int64_t row = 0; row < count; row++)
        table[keys[row] - least] = (int32_t)row; /* the last one stays */
    for (int64_t row = 0; row < count; row++)
        if (table[keys[row] - least] == row)
            first[(*found)++] = row;
    for (int64_t one = 0; one < *found; one++)
        table[keys[first[one]] - least] = (int32_t)one;
    for (int64_t row = 0; row < count; row++)
        number[row] = table[keys[row] - least];
}

/* Read up to eight bytes, the first one lowest; a compiler makes one load of eight. */
static inline uint64_t word_at(const uint8_t *at, int64_t left)
{
    uint64_t word = 0;
    if (left >= 8)
        return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
               (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
    while (left-- > 0)
        word = word << 8 | at[left];
    return word;
}

/* Mix the bytes of texts, each from its offset to the next one's, into one number for each. */
SHARED void hash_texts(int64_t count, const int64_t *offsets, const uint8_t *bytes, uint64_t *hash)
{
    for (int64_t row = 0; row < count; row++) {
        const uint8_t *text = bytes + offsets[row];
        int64_t left = offsets[row + 1] - offsets[row];
        uint64_t mixed = (uint64_t)left;
        for (; left > 0; left -= 8, text += 8) {
            uint64_t word = word_at(text, left);
            word = (word ^ (word >> 32)) * GOLDEN_RATIO;
            mixed = (mixed + (word ^ (word >> 29))) * GOLDEN_RATIO;
        }
        hash[row] = mixed;
    }
}

/* Say which texts are those of other rows. */
SHARED void compare_texts(int64_t count, const int64_t *offsets, const uint8_t *bytes, const int64_t *other,
                          bool *same)
{
    for (int64_t row = 0; row < count; row++) {
        int64_t length = offsets[row + 1] - offsets[row], begin = offsets[other[row]];
        if (row + FETCHED_AHEAD < count)
            FETCH(bytes + offsets[other[row + FETCHED_AHEAD]]);
        same[row] = offsets[other[row] + 1] - begin == length &&
                    memcmp(bytes + offsets[row], bytes + begin, (size_t)length) == 0;
    }
}
