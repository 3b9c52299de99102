/* Packets as columns, and where the packets of one flow stand. */

#ifndef PACKETS_H
#define PACKETS_H

#include <stdbool.h>

#include "codes.h"
#include "shared.h"

enum { REACH = 1 << 30 };             /* `flows.unwrap`: the largest step between sound numbers of one side */
#define LOWEST (-((int64_t)1 << 39))  /* and between which they lie */
#define HIGHEST ((int64_t)1 << 44)
#define NOTHING (-((int64_t)1 << 40)) /* `flows.blocks`: less than every number */

/* Columns of `schema.Packets`, those of `flows.segments.COLUMNS`. */
struct packets {
    const int64_t *time;
    const uint16_t *status;
    const uint8_t *protocol;
    const uint32_t *payload_length;
    const uint8_t *ttl;
    const uint16_t *ip_id;
    const uint16_t *tcp_flags;
    const uint32_t *seq;
    const uint32_t *ack;
    const uint16_t *window;
    const uint8_t *tcp_options;
    const uint16_t *mss;
    const uint8_t *window_shift;
    const uint32_t *tsval;
    const uint32_t *tsecr;
    const uint8_t *outbound;
};

/* The packets of some flow in time order: rows of the columns. */
struct flow {
    const int32_t *rows;
    int64_t count;
};

static inline struct flow flow_of(const int64_t *first, const int32_t *rows, int64_t number)
{
    return (struct flow){rows + first[number], first[number + 1] - first[number]};
}

/* Whether it is a TCP packet that was captured as far as its flags (`flows.blocks.tcp_blocks`). */
static inline bool is_segment(const struct packets *packets, int32_t row)
{
    uint16_t status = packets->status[row];
    return packets->protocol[row] == TCP && !(status & STATUS_FRAGMENT_LATER) &&
           (!(status & STATUS_HEADER_CUT) || packets->tcp_flags[row] != 0);
}

/* How many numbers a segment takes: SYN and FIN count as one byte each. */
static inline int64_t numbers_taken(const struct packets *packets, int32_t row)
{
    uint16_t flags = packets->tcp_flags[row];
    return (int64_t)packets->payload_length[row] + ((flags & FLAG_SYN) != 0) + ((flags & FLAG_FIN) != 0);
}

/* The distance of two numbers that are counted modulo 2**32 (RFC 1982). */
static inline int64_t distance(uint32_t number, uint32_t from)
{
    uint32_t apart = number - from;
    return apart < 0x80000000u ? (int64_t)apart : (int64_t)apart - ((int64_t)1 << 32);
}

/* Whether a number lies near enough the last one that did, which it then becomes (`flows.unwrap`). */
static inline bool is_sound(int64_t number, int64_t *last)
{
    int64_t step = number - *last;
    if (step > REACH || step < -REACH || number < LOWEST || number > HIGHEST)
        return false;
    *last = number;
    return true;
}

static inline int64_t larger(int64_t one, int64_t other) { return one > other ? one : other; }

#endif
