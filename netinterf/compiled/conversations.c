/* Packets sorted into conversations: what two endpoints say to each other over one protocol (`flows.assign`).

   A hash of both endpoints, the same in both directions, leads to the first packet of the conversation, whose endpoints
   are compared. Whoever writes a capture can make hashes collide, so the steps that are taken for all packets together
   have a bound; beyond it everything is left to numpy, which sorts. */

#include <stdbool.h>

#include "shared.h"

enum { STEPS = 8, FETCHED_AHEAD = 16 }; /* steps per packet, on the average; packets whose places are asked for before */

/* Columns of `schema.Endpoints`, with the ports of fragments filled in. */
struct endpoints {
    const uint64_t *source_high;
    const uint64_t *source_low;
    const uint64_t *target_high;
    const uint64_t *target_low;
    const uint16_t *source_port;
    const uint16_t *target_port;
};

/* The finaliser of splitmix64, which is `flows.grouping.mix`. */
static inline uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

static inline uint64_t endpoint_hash(uint64_t high, uint64_t low, uint16_t port)
{
    return mix(low ^ ((uint64_t)port << 48) ^ mix(high));
}

/* Whether two packets go between the same endpoints; `swapped` are those that go the other way. */
static bool same_ends(const struct endpoints *ends, const uint8_t *swapped, int64_t row, int64_t other)
{
    if (swapped[row] == swapped[other])
        return ends->source_low[row] == ends->source_low[other] && ends->target_low[row] == ends->target_low[other] &&
               ends->source_port[row] == ends->source_port[other] &&
               ends->target_port[row] == ends->target_port[other] &&
               ends->source_high[row] == ends->source_high[other] && ends->target_high[row] == ends->target_high[other];
    return ends->source_low[row] == ends->target_low[other] && ends->target_low[row] == ends->source_low[other] &&
           ends->source_port[row] == ends->target_port[other] && ends->target_port[row] == ends->source_port[other] &&
           ends->source_high[row] == ends->target_high[other] && ends->target_high[row] == ends->source_high[other];
}

/* Hash the conversation of each packet, and say of each whether its source comes second in the order of hashes. */
SHARED void hash_conversations(int64_t count, const struct endpoints *ends, const uint8_t *protocol,
                               const uint8_t *version, uint64_t *hash, uint8_t *swapped)
{
    for (int64_t row = 0; row < count; row++) {
        uint64_t source = endpoint_hash(ends->source_high[row], ends->source_low[row], ends->source_port[row]);
        uint64_t target = endpoint_hash(ends->target_high[row], ends->target_low[row], ends->target_port[row]);
        swapped[row] = source > target;
        hash[row] = mix((source + target) ^ ((uint64_t)protocol[row] << 56) ^ (version[row] == 0));
    }
}

/* Number the conversations in the order of their first packets.

   Each packet gets the number of its conversation; `counts[0]` becomes how many there are, or -1 where too many hashes
   collide. `table` holds `1 << bits` numbers, all -1, more than there are packets. */
SHARED void number_conversations(int64_t count, const struct endpoints *ends, const uint8_t *protocol,
                                 const uint8_t *version, const uint64_t *hash, const uint8_t *swapped, int64_t bits,
                                 int32_t *table, int32_t *number, int64_t *counts)
{
    int64_t found = 0, left = STEPS * count;
    int shift = (int)(64 - bits);
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    for (int64_t row = 0; row < count; row++) {
        if (row + FETCHED_AHEAD < count)
            FETCH(table + (hash[row + FETCHED_AHEAD] >> shift));
        uint64_t place = hash[row] >> shift;
        int32_t other;
        while ((other = table[place]) >= 0 &&
               !(hash[other] == hash[row] && protocol[other] == protocol[row] &&
                 (version[other] == 0) == (version[row] == 0) && same_ends(ends, swapped, row, other))) {
            place = (place + 1) & mask;
            if (left-- == 0) {
                counts[0] = -1;
                return;
            }
        }
        if (other < 0)
            table[place] = (int32_t)row;
        number[row] = other < 0 ? (int32_t)found++ : number[other];
    }
    counts[0] = found;
}

/* List rows by number, as they stand among those of one number; `first`, one longer than there are numbers and all 0,
   becomes where each begins and where all end. */
SHARED void by_number(int64_t count, int64_t numbers, const int32_t *number, int64_t *first, int32_t *rows)
{
    for (int64_t row = 0; row < count; row++)
        first[number[row] + 1]++;
    for (int64_t one = 0; one < numbers; one++)
        first[one + 1] += first[one];
    for (int64_t row = 0; row < count; row++)
        rows[first[number[row]]++] = (int32_t)row;
    for (int64_t one = numbers; one > 0; one--)
        first[one] = first[one - 1];
    first[0] = 0;
}
