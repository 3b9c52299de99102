/* The place of TCP segments in their streams, flow by flow, where everything came in order or was only sent again.

   These are nearly all flows. One with a gap, with bytes below its first captured ones, with numbers that moved far, with
   what may be a probe of an idle peer, or of which it is disputed where its numbers begin, is left to `flows.sequence`,
   which also has the definitions. */

#include "packets.h"

enum { BEHIND = 8, COPY_NS = 1000000 }; /* `flows.datagrams`: REACH, and the longest time between copies */
enum { CIRCLE_NS = 200000000 };         /* `flows.duplicates` */
enum { NEAR = REACH / 2 };              /* numbers that are closer need no unwrapping */

/* Whether two packets written alike are one that passed the tap again (`flows.duplicates.passed_again`). */
static bool passed_again(const struct packets *packets, int32_t row, int32_t other)
{
    int hops = packets->ttl[row] - packets->ttl[other];
    int64_t later = (int64_t)((uint64_t)packets->time[row] - (uint64_t)packets->time[other]); /* wraps, as in numpy */
    if (later <= COPY_NS && hops >= -1 && hops <= 1)
        return true;
    return later <= CIRCLE_NS && hops < 0 && packets->payload_length[row] > 0 &&
           !(packets->tcp_flags[row] & (FLAG_RST | FLAG_FIN));
}

/* Whether a packet agrees with another one of its flow in everything that a copy shares with its original. */
static bool agree(const struct packets *packets, int32_t row, int32_t other)
{
    return packets->seq[row] == packets->seq[other] && packets->ack[row] == packets->ack[other] &&
           packets->outbound[row] == packets->outbound[other] && packets->tcp_flags[row] == packets->tcp_flags[other] &&
           packets->window[row] == packets->window[other] &&
           packets->payload_length[row] == packets->payload_length[other] &&
           packets->ip_id[row] == packets->ip_id[other] && packets->tcp_options[row] == packets->tcp_options[other] &&
           packets->tsval[row] == packets->tsval[other] && packets->tsecr[row] == packets->tsecr[other] &&
           passed_again(packets, row, other);
}

/* Whether a segment of a flow agrees with one of the few before it. */
static bool has_copy(const struct packets *packets, struct flow flow)
{
    int32_t recent[BEHIND];
    uint32_t seq[BEHIND];
    int64_t met = 0;
    for (int64_t place = 0; place < flow.count; place++) {
        int32_t row = flow.rows[place];
        if (!is_segment(packets, row))
            continue;
        uint32_t number = packets->seq[row];
        for (int64_t before = 0; before < met && before < BEHIND; before++)
            if (seq[before] == number && agree(packets, row, recent[before]))
                return true;
        recent[met % BEHIND] = row;
        seq[met % BEHIND] = number;
        met++;
    }
    return false;
}

/* List the flows in which a segment agrees with one of the few before it. */
SHARED void with_copies(int64_t flows, const int64_t *first, const int32_t *rows, const struct packets *packets,
                        int64_t *found, int64_t *founds)
{
    int64_t count = 0;
    for (int64_t number = 0; number < flows; number++)
        if (has_copy(packets, flow_of(first, rows, number)))
            found[count++] = number;
    *founds = count;
}

/* What is known of one side of a flow: side 0 is that of the client. */
struct side {
    uint32_t base;       /* its initial number */
    int known;           /* by which of five sources, the first being the best; 0 for none */
    int64_t sent, acked; /* its last numbers that count, to which others are held; 0 before there are any */
    int64_t high_water;  /* one beyond the highest byte captured of it */
    int64_t lowest;      /* its first byte captured */
    int64_t top_ack;     /* its highest acknowledgement */
    int window;          /* the window that it advertised last, -1 before */
};

static inline void learn(struct side *side, int source, uint32_t base)
{
    if (side->known == 0 || source < side->known) {
        side->known = source;
        side->base = base;
    }
}

/* Find the initial number of each side (`flows.numbers.initial_numbers`), and say whether it is undisputed. */
static bool find_bases(const struct packets *packets, const uint16_t *marks, struct flow flow, struct side *sides)
{
    for (int64_t place = 0; place < flow.count; place++) {
        int32_t row = flow.rows[place];
        if (!is_segment(packets, row))
            continue;
        struct side *own = sides + !packets->outbound[row], *other = sides + packets->outbound[row];
        uint16_t flags = packets->tcp_flags[row];
        uint32_t seq = packets->seq[row], ack = packets->ack[row];
        if (flags & FLAG_RST) {
            learn(own, 5, seq - 1);
            continue;
        }
        if (flags & FLAG_SYN) {
            learn(own, 1, seq);
            if (own->base != seq)
                return false;
        }
        if (flags & FLAG_ACK)
            learn(other, flags & FLAG_SYN ? 2 : 4, ack - 1);
        if (!(marks[row] & MARK_DUPLICATE_FRAME))
            learn(own, 3, seq - 1);
    }
    return true;
}

/* Number and mark one segment, and say whether this needed no closer look. */
static bool mark_segment(const struct packets *packets, int32_t row, struct side *sides, int64_t *seq, int64_t *ack,
                         uint16_t *marks)
{
    struct side *own = sides + !packets->outbound[row], *other = sides + packets->outbound[row];
    uint16_t flags = packets->tcp_flags[row], mark = 0;
    bool counts = !(flags & FLAG_RST) && !(marks[row] & MARK_DUPLICATE_FRAME), acks = (flags & FLAG_ACK) != 0;
    bool quiet = !(flags & (FLAG_SYN | FLAG_FIN | FLAG_RST));
    int64_t start = own->sent + distance(packets->seq[row] - own->base, (uint32_t)own->sent);
    int64_t acked = own->acked + distance(packets->ack[row] - other->base, (uint32_t)own->acked);
    int64_t length = numbers_taken(packets, row), end = start + length, payload = packets->payload_length[row];
    int window = packets->window[row];

    if (counts) {
        bool known = own->high_water > NOTHING;
        if (start > NEAR || start < -NEAR || (own->known == 3 && start < 1))
            return false;
        if (known && quiet && payload <= 1 && start == own->high_water - 1)
            return false;
        if (length > 0) {
            if (!known)
                own->lowest = start;
            else if (start > own->high_water || start < own->lowest)
                return false;
            else if (start < own->high_water)
                mark |= end > own->high_water   ? MARK_PARTIAL_REPEAT
                        : end <= other->top_ack ? MARK_REPEAT | MARK_SPURIOUS
                                                : MARK_REPEAT;
        }
        if (quiet && window == 0)
            mark |= MARK_ZERO_WINDOW;
    }
    if (counts && acks) {
        if (acked > NEAR || acked < -NEAR)
            return false;
        if (other->high_water > NOTHING && acked > other->high_water && acked > own->top_ack)
            mark |= MARK_ACKED_UNSEEN;
        if (quiet && payload == 0 && acked == own->top_ack && acked < other->high_water && window == own->window)
            mark |= MARK_DUP_ACK;
        own->acked = acked;
        own->top_ack = larger(own->top_ack, acked);
    }
    if (counts) {
        own->sent = start;
        own->window = window;
        if (length > 0)
            own->high_water = larger(own->high_water, end);
    }
    seq[row] = start;
    ack[row] = acks ? acked : -1;
    marks[row] |= mark;
    return true;
}

static bool mark_flow(const struct packets *packets, struct flow flow, int64_t *seq, int64_t *ack, uint16_t *marks)
{
    struct side sides[2];
    for (int one = 0; one < 2; one++)
        sides[one] = (struct side){.high_water = NOTHING, .top_ack = NOTHING, .window = -1};
    if (!find_bases(packets, marks, flow, sides))
        return false;
    for (int64_t place = 0; place < flow.count; place++) {
        int32_t row = flow.rows[place];
        if (is_segment(packets, row) && !mark_segment(packets, row, sides, seq, ack, marks)) {
            while (place-- > 0)
                marks[flow.rows[place]] &= MARK_DUPLICATE_FRAME;
            return false;
        }
    }
    return true;
}

/* Number and mark the segments of the flows that need no closer look, and list the others.

   `marks` tells copies of frames, and nothing else yet. What is written of a flow that is left does not count. */
SHARED void mark(int64_t flows, const int64_t *first, const int32_t *rows, const struct packets *packets, int64_t *seq,
                 int64_t *ack, uint16_t *marks, int64_t *left, int64_t *lefts)
{
    int64_t count = 0;
    for (int64_t number = 0; number < flows; number++)
        if (!mark_flow(packets, flow_of(first, rows, number), seq, ack, marks))
            left[count++] = number;
    *lefts = count;
}
