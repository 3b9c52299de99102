/* Which payload may belong to the first bytes of each side, in order of arrival (`flows.stream._candidates`). */

#include "packets.h"

/* Where the payload of packets is: columns of `schema.Packets`, and the bytes that they point into. */
struct payloads {
    const int64_t *at;
    const uint32_t *captured;
    const uint16_t *ip_at;
    const uint16_t *payload_at;
    const uint8_t *data;
    int64_t size;
};

/* Columns of `flows.overlap.Pieces`. */
struct pieces {
    int64_t *side;
    int64_t *packet;
    int64_t *low;
    int64_t *high;
    int64_t *at;
};

/* Whether a payload is padding of an Ethernet frame that became part of the packet (`flows.stream._is_padding`). */
static bool is_padding(const struct packets *packets, const struct payloads *payloads, int32_t row)
{
    uint32_t length = packets->payload_length[row];
    uint32_t total = (uint16_t)(payloads->payload_at[row] - payloads->ip_at[row]) + length;
    int64_t at = payloads->at[row] + payloads->payload_at[row];
    if (length > 6 || (packets->tcp_flags[row] & FLAG_PSH) || (total != 46 && total != 42) ||
        payloads->payload_at[row] + length > payloads->captured[row] || at < 0 || at > payloads->size - length)
        return false;
    for (uint32_t place = 0; place < length; place++)
        if (payloads->data[at + place] != 0)
            return false;
    return true;
}

/* Cut what one side of a flow sent below `limit` into pieces, and give how many there are with those before. */
static int64_t cut_side(const struct packets *packets, const struct payloads *payloads, const int64_t *seq,
                        struct flow flow, int64_t side, int64_t limit, const struct pieces *out, int64_t count)
{
    int64_t highest = 0; /* end of the pieces before */
    for (int64_t place = 0; place < flow.count; place++) {
        int32_t row = flow.rows[place];
        int64_t wire = packets->payload_length[row];
        if (packets->outbound[row] == (side & 1) || wire == 0 || seq[row] > limit || packets->protocol[row] != TCP ||
            (packets->tcp_flags[row] & FLAG_RST) || (packets->status[row] & STATUS_FRAGMENT_LATER) ||
            is_padding(packets, payloads, row))
            continue;
        int64_t low = seq[row] - 1 + ((packets->tcp_flags[row] & FLAG_SYN) != 0);
        bool is_probe = wire == 1 && low + 1 == highest;
        int64_t stored = (int64_t)payloads->captured[row] - payloads->payload_at[row];
        int64_t high = low + (stored < wire ? stored : wire), from = larger(low, 0);
        highest = larger(highest, low + wire);
        high = high < limit ? high : limit;
        if (high <= from || is_probe)
            continue;
        out->side[count] = side;
        out->packet[count] = row;
        out->low[count] = from;
        out->high[count] = high;
        out->at[count++] = payloads->at[row] + payloads->payload_at[row] + (from - low);
    }
    return count;
}

/* Cut what each side of some flows sent below `limit` into pieces; there is room for one of each packet.

   `number` says of each packet which flow it belongs to: one below `most`, or it is left out. */
SHARED void cut_heads(int64_t flows, const int64_t *first, const int32_t *rows, const struct packets *packets,
                      const int32_t *number, int64_t most, const int64_t *at, const uint32_t *captured, const uint16_t *ip_at, const uint16_t *payload_at,
                      const int64_t *seq, const uint8_t *data, int64_t size, int64_t limit, const struct pieces *out,
                      int64_t *counts)
{
    struct payloads payloads = {at, captured, ip_at, payload_at, data, size};
    int64_t count = 0;
    for (int64_t one = 0; one < flows; one++) {
        struct flow flow = flow_of(first, rows, one);
        int64_t whose = flow.count > 0 ? number[flow.rows[0]] : -1;
        if (whose < 0 || whose >= most)
            continue;
        count = cut_side(packets, &payloads, seq, flow, 2 * whose, limit, out, count);
        count = cut_side(packets, &payloads, seq, flow, 2 * whose + 1, limit, out, count);
    }
    counts[0] = count;
}
