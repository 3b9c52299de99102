/* Round trips, flow by flow: what each side asked, and the packets that answered (`flows.rtt` has the definitions).

   Each side has a queue of segments that nothing has covered yet, in the order of their ends, and one of the timestamps
   that it sent, rising. A flow whose timestamps do not rise is left to numpy for these. */

#include "packets.h"

enum { COVERED_CLIENT, COVERED_SERVER, ECHOED, LISTS }; /* lists of pairs that are written */
enum { AGAIN = MARK_REPEAT | MARK_PARTIAL_REPEAT | MARK_FILL };

/* Rows, of which those before the head are done with. */
struct queue {
    int32_t *rows;
    int64_t head, tail;
};

struct side {
    struct queue uncovered, stamps; /* a row of a timestamp that was echoed stands as -1 less it */
    int64_t sound, top_ack;         /* its last sound number, and its highest acknowledgement */
    bool early;                     /* an echo came of a timestamp that the side had not sent: */
    uint32_t earliest;              /* the highest of these */
};

/* Pairs of rows: what asked, and what answered. */
struct pairs {
    int32_t *asked, *answer;
    int64_t room, counts[LISTS];
};

struct numbers {
    const int64_t *seq, *ack;
    const uint16_t *marks;
};

static inline void add_pair(struct pairs *pairs, int list, int32_t asked, int32_t answer)
{
    int64_t place = list * pairs->room + pairs->counts[list]++;
    pairs->asked[place] = asked;
    pairs->answer[place] = answer;
}

static inline int64_t end_of(const struct packets *packets, const struct numbers *numbers, int32_t row)
{
    return numbers->seq[row] + numbers_taken(packets, row);
}

/* Take what an acknowledgement covers out of the queue, and pair the newest of it that it can be an answer to. */
static void cover(const struct packets *packets, const struct numbers *numbers, struct queue *queue, int32_t row,
                  struct pairs *pairs, int list)
{
    bool is_opening = (packets->tcp_flags[row] & (FLAG_SYN | FLAG_ACK)) == (FLAG_SYN | FLAG_ACK);
    int32_t newest = -1;
    while (queue->head < queue->tail) {
        int32_t asked = queue->rows[queue->head];
        if (end_of(packets, numbers, asked) > numbers->ack[row])
            break;
        if (is_opening || (packets->tcp_flags[asked] & (FLAG_SYN | FLAG_ACK)) != FLAG_SYN)
            newest = asked;
        queue->head++;
    }
    if (newest >= 0)
        add_pair(pairs, list, newest, row);
}

/* Pair the first segment that carries a timestamp with its first echo, where this acknowledges the segment. */
static void echo(const struct packets *packets, const struct numbers *numbers, struct side *sender, int32_t row,
                 struct pairs *pairs)
{
    struct queue *stamps = &sender->stamps;
    uint32_t value = packets->tsecr[row];
    int64_t low = 0, high = stamps->tail; /* the first that is no less lies there */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int32_t sent = stamps->rows[middle];
        if (packets->tsval[sent < 0 ? -1 - sent : sent] < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == stamps->tail) {
        sender->earliest = sender->early && sender->earliest > value ? sender->earliest : value;
        sender->early = true;
        return;
    }
    int32_t asked = stamps->rows[low];
    if (asked < 0 || packets->tsval[asked] != value)
        return;
    stamps->rows[low] = -1 - asked;
    if (numbers->ack[row] >= end_of(packets, numbers, asked))
        add_pair(pairs, ECHOED, asked, row);
}

/* Note the timestamp of a segment, and say whether they rise. */
static bool stamp(const struct packets *packets, struct side *own, int32_t row)
{
    struct queue *stamps = &own->stamps;
    uint32_t value = packets->tsval[row];
    if (own->early && value <= own->earliest)
        return false;
    if (stamps->tail > 0) {
        int32_t last = stamps->rows[stamps->tail - 1];
        uint32_t before = packets->tsval[last < 0 ? -1 - last : last];
        if (value <= before)
            return value == before;
    }
    stamps->rows[stamps->tail++] = row;
    return true;
}

/* Find the round trips of one flow; `rises` becomes false where its timestamps do not. False where segments that brought
   something new do not end one after the other, which marks do not allow. */
static bool find(const struct packets *packets, struct flow flow, const struct numbers *numbers, const int64_t *sent,
                 struct side *sides, struct pairs *pairs, bool *rises)
{
    for (int64_t place = 0; place < flow.count; place++) {
        int32_t row = flow.rows[place];
        if (!is_segment(packets, row))
            continue;
        int is_server = !packets->outbound[row];
        struct side *own = sides + is_server, *other = sides + !is_server;
        uint16_t flags = packets->tcp_flags[row], marks = numbers->marks[row];
        bool is_stamped = (packets->tcp_options[row] & OPTION_TIMESTAMPS) && *rises;
        if (marks & AGAIN)
            own->uncovered.head = own->uncovered.tail;
        if ((flags & FLAG_RST) || (marks & MARK_DUPLICATE_FRAME))
            continue;
        if ((flags & FLAG_ACK) && numbers->ack[row] <= sent[!is_server] && numbers->ack[row] > own->top_ack) {
            cover(packets, numbers, &other->uncovered, row, pairs, is_server ? COVERED_CLIENT : COVERED_SERVER);
            if (is_stamped && packets->tsecr[row] != 0)
                echo(packets, numbers, other, row, pairs);
            own->top_ack = numbers->ack[row];
        }
        int64_t end = end_of(packets, numbers, row);
        if (!is_sound(numbers->seq[row], &own->sound) || end == numbers->seq[row] || (marks & MARK_KEEP_ALIVE))
            continue;
        if (!(marks & AGAIN) && end > other->top_ack) {
            struct queue *queue = &own->uncovered;
            if (queue->head < queue->tail && end_of(packets, numbers, queue->rows[queue->tail - 1]) >= end)
                return false;
            queue->rows[queue->tail++] = row;
        }
        if (is_stamped)
            *rises = stamp(packets, own, row);
    }
    return true;
}

/* Find the round trips of some flows.

   `sent` has two numbers for each flow, `scratch` four times `room` places, and so many packets has each flow at most.
   `asked` and `answer` are three lists of `total` places, of which `counts` become filled: what the client asked, what
   the server asked, and timestamps. `left` lists flows whose timestamps do not rise, and of which none were written;
   `lefts` becomes how many, or -1 where everything is left. */
SHARED void round_trips(int64_t flows, const int64_t *first, const int32_t *rows, const struct packets *packets,
                        const int64_t *seq, const int64_t *ack, const uint16_t *marks, const int64_t *sent,
                        int64_t room, int32_t *scratch, int64_t total, int32_t *asked, int32_t *answer,
                        int64_t *counts, int64_t *left, int64_t *lefts)
{
    struct numbers numbers = {seq, ack, marks};
    struct pairs pairs = {asked, answer, total, {0}};
    *lefts = 0;
    for (int64_t number = 0; number < flows; number++) {
        struct side sides[2];
        for (int one = 0; one < 2; one++)
            sides[one] = (struct side){.uncovered = {scratch + 2 * one * room, 0, 0},
                                       .stamps = {scratch + (2 * one + 1) * room, 0, 0},
                                       .top_ack = NOTHING};
        int64_t echoed = pairs.counts[ECHOED];
        bool rises = true;
        if (!find(packets, flow_of(first, rows, number), &numbers, sent + 2 * number, sides, &pairs, &rises)) {
            *lefts = -1;
            return;
        }
        if (!rises) {
            pairs.counts[ECHOED] = echoed;
            left[(*lefts)++] = number;
        }
    }
    for (int list = 0; list < LISTS; list++)
        counts[list] = pairs.counts[list];
}
