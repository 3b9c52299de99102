/* Records of a capture, each of which says where the next one begins (`capture.records`). */

#include <stdbool.h>

#include "shared.h"

/* `capture.records.Chain`: how the records of one format follow each other. */
struct chain {
    int64_t field, base, header, least, most, multiple, big_endian;
};

enum { LANES = 16 }; /* chains walked in turn: each waits for memory, and so many can wait at once */

static inline uint32_t read_number(const uint8_t *at, bool big_endian)
{
    return big_endian ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
                      : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* Where the next record begins; -1 where this one is not whole, or has a length that is not believed. */
static inline int64_t behind(const uint8_t *data, int64_t size, int64_t at, const struct chain *chain)
{
    if (at > size - chain->header)
        return -1;
    int64_t length = read_number(data + at + chain->field, chain->big_endian != 0);
    if (length < chain->least || length > chain->most || length % chain->multiple != 0 ||
        length > size - at - chain->base)
        return -1;
    return at + chain->base + length;
}

/* Walk some chains of records, each until it reaches its goal, for at most `room` records.

   `at`, one for each chain, is where it begins and becomes where it stands, behind the last record listed; -1 less that
   where a record stands that is cut or has a length that is not believed. `starts` has `room` places for each chain, of which `passed`
   become filled. */
SHARED void walk(int64_t size, const uint8_t *data, const struct chain *chain, int64_t chains, const int64_t *goals,
                 int64_t room, int64_t *at, int64_t *starts, int64_t *passed)
{
    for (int64_t low = 0; low < chains; low += LANES) {
        int64_t lanes = chains - low < LANES ? chains - low : LANES, walking = lanes, lane_of[LANES];
        for (int64_t lane = 0; lane < lanes; lane++) {
            lane_of[lane] = low + lane;
            passed[low + lane] = 0;
        }
        while (walking > 0)
            for (int64_t turn = 0; turn < walking; turn++) {
                int64_t one = lane_of[turn];
                if (at[one] < 0 || at[one] >= goals[one] || passed[one] == room) {
                    lane_of[turn--] = lane_of[--walking];
                    continue;
                }
                int64_t next = behind(data, size, at[one], chain);
                if (next >= 0)
                    starts[one * room + passed[one]++] = at[one];
                at[one] = next >= 0 ? next : -1 - at[one];
            }
    }
}
