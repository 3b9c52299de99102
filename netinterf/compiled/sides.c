/* What each side of each flow sent, summed up: `flows.sides` in one walk. */

#include "packets.h"

/* Columns of `schema.Sides`, `flows.segments.SUMS` of them, as they are of sides that sent nothing. */
struct sides {
    uint32_t *packets;
    uint32_t *payload_packets;
    int64_t *payload_bytes;
    int32_t *first;
    int32_t *last;
    int32_t *syn;
    int32_t *fin;
    int32_t *rst;
    int32_t *first_payload;
    uint32_t *isn;
    uint16_t *mss;
    uint8_t *window_shift;
    uint8_t *syn_options;
    int64_t *sent;
    int64_t *acked;
    uint32_t *repeats;
    uint32_t *fills;
};

static inline void keep_first(int32_t *first, int32_t row)
{
    if (*first < 0)
        *first = row;
}

/* Count one packet, which is no copy. */
static void count(const struct packets *packets, int32_t row, uint16_t marks, const struct sides *out, int64_t side)
{
    uint32_t payload = packets->payload_length[row];
    uint16_t flags = packets->protocol[row] == TCP ? packets->tcp_flags[row] : 0;
    out->packets[side]++;
    keep_first(&out->first[side], row);
    out->last[side] = row;
    if (payload > 0) {
        out->payload_packets[side]++;
        out->payload_bytes[side] += payload;
        keep_first(&out->first_payload[side], row);
    }
    if ((flags & (FLAG_SYN | FLAG_RST)) == FLAG_SYN && out->syn[side] < 0) {
        out->syn[side] = row;
        out->mss[side] = packets->mss[row];
        out->window_shift[side] = packets->window_shift[row];
        out->syn_options[side] = packets->tcp_options[row];
    }
    if (flags & FLAG_FIN)
        keep_first(&out->fin[side], row);
    if (flags & FLAG_RST)
        keep_first(&out->rst[side], row);
    out->repeats[side] += (marks & MARK_REPEAT) != 0;
    out->fills[side] += (marks & MARK_FILL) != 0;
}

static void sum_flow(const struct packets *packets, struct flow flow, const int64_t *seq, const int64_t *ack,
                     const uint16_t *marks, const struct sides *out, int64_t client)
{
    int64_t sent[2] = {0, 0}, acked[2] = {0, 0}; /* the last numbers that were sound, by who sent them */
    bool speaks[2] = {false, false};
    for (int64_t place = 0; place < flow.count; place++) {
        int32_t row = flow.rows[place];
        int own = !packets->outbound[row];
        bool is_copy = (marks[row] & MARK_DUPLICATE_FRAME) != 0;
        if (!is_copy)
            count(packets, row, marks[row], out, client + own);
        if (!is_segment(packets, row))
            continue;
        bool acks = (packets->tcp_flags[row] & FLAG_ACK) != 0;
        speaks[own] = true;
        out->isn[client + own] = packets->seq[row] - (uint32_t)seq[row];
        if (acks && !speaks[!own])
            out->isn[client + !own] = packets->ack[row] - (uint32_t)ack[row];
        if (is_copy || (packets->tcp_flags[row] & FLAG_RST))
            continue;
        if (is_sound(seq[row], &sent[own]))
            out->sent[client + own] = larger(out->sent[client + own], seq[row] + numbers_taken(packets, row));
        if (acks && is_sound(ack[row], &acked[own]))
            out->acked[client + !own] = larger(out->acked[client + !own], ack[row]);
    }
}

/* Sum up both sides of every flow; `seq`, `ack` and `marks` are those that were found of the packets. */
SHARED void sum_sides(int64_t flows, const int64_t *first, const int32_t *rows, const struct packets *packets,
                      const int64_t *seq, const int64_t *ack, const uint16_t *marks, const struct sides *out)
{
    for (int64_t number = 0; number < flows; number++)
        sum_flow(packets, flow_of(first, rows, number), seq, ack, marks, out, 2 * number);
}
