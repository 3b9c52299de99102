/* The headers of plain frames: IPv4 or IPv6 with TCP or UDP, in Ethernet with or without tags, or bare; each header
   whole, and right. These are nearly all frames of nearly all captures.

   Whatever else there is, cut, wrong, rare or inside a tunnel, is left to `netinterf.decode`. What is written here of a
   frame is what that writes. */

#include <stdbool.h>

#include "codes.h"
#include "shared.h"

enum {
    LINK_MTU = 1500,  /* `decode.decoder` */
    MOST_TAGS = 2,    /* of 802.1Q and 802.1ad */
    FETCHED_AHEAD = 8 /* frames whose first bytes are asked for before they are needed: memory takes so long */
};

/* `decode.block.Columns` */
struct columns {
    uint16_t *status;
    uint8_t *version;
    uint8_t *protocol;
    uint16_t *ip_at;
    uint16_t *transport_at;
    uint16_t *payload_at;
    uint32_t *payload_length;
    uint8_t *ttl;
    uint8_t *tos;
    uint16_t *ip_id;
    uint8_t *ip_flags;
    uint16_t *fragment_offset;
    uint16_t *tcp_flags;
    uint32_t *seq;
    uint32_t *ack;
    uint16_t *window;
    uint8_t *tcp_options;
    uint16_t *mss;
    uint8_t *window_shift;
    uint32_t *tsval;
    uint32_t *tsecr;
    uint16_t *icmp;
    uint64_t *source_high;
    uint64_t *source_low;
    uint64_t *target_high;
    uint64_t *target_low;
    uint16_t *source_port;
    uint16_t *target_port;
};

/* The first header of a frame that is looked at, and how far it goes. */
struct frame {
    const uint8_t *bytes;
    int64_t captured, length; /* bytes that there are, and that there were on the wire */
};

/* What the headers of one packet say before it is sure that all of them are plain. */
struct packet {
    const uint8_t *ip, *transport;
    int64_t ip_at, transport_at, end; /* offsets in the frame; the packet ends there by its own length */
    uint16_t status;
    uint8_t version, protocol;
};

struct options {
    uint8_t seen, window_shift;
    uint16_t mss;
    uint32_t tsval, tsecr;
};

static inline uint16_t two(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static inline uint32_t four(const uint8_t *at) { return (uint32_t)two(at) << 16 | two(at + 2); }

static inline uint64_t eight(const uint8_t *at) { return (uint64_t)four(at) << 32 | four(at + 4); }

/* Whether tunnels use a port of UDP: `decode.headers.UDP_TUNNELS`. */
static inline bool may_tunnel(uint16_t port)
{
    return port == 4789 || port == 2152 || port == 6081 || port == 8472 || port == 1701 || port == 3544;
}

static inline bool is_tag(uint16_t type) { return type == 0x8100 || type == 0x88A8; }

/* Find the IP header behind the link layer; -1 where that is not plain. */
static int64_t behind_link(const struct frame *frame, uint8_t kind, struct packet *packet)
{
    packet->status = packet->version = 0;
    if (kind == KIND_RAW || kind == KIND_IPV4 || kind == KIND_IPV6) {
        if (frame->captured < 1)
            return -1;
        packet->version = frame->bytes[0] >> 4;
        return kind == KIND_RAW || packet->version == (kind == KIND_IPV4 ? 4 : 6) ? 0 : -1;
    }
    int64_t at = 14;
    if (kind != KIND_ETHERNET || frame->captured < at)
        return -1;
    uint16_t type = two(frame->bytes + 12);
    for (int tags = 0; tags < MOST_TAGS && is_tag(type); tags++, at += 4) {
        if (frame->captured < at + 4)
            return -1;
        type = two(frame->bytes + at + 2);
        packet->status = STATUS_TAGGED;
    }
    packet->version = type == 0x0800 ? 4 : type == 0x86DD ? 6 : 0;
    return at;
}

/* Enter the IP packet at an offset, and say whether it is plain and holds a transport header of 8 bytes or more. */
static bool enter(const struct frame *frame, int64_t at, struct packet *packet)
{
    int64_t head = packet->version == 4 ? 20 : 40, length;
    if (at < 0 || frame->captured < at + head || frame->bytes[at] >> 4 != packet->version)
        return false;
    const uint8_t *ip = frame->bytes + at;
    if (packet->version == 4) {
        length = two(ip + 2); /* 0 where that was left to the network card, RFC 791 §3.1 counts the header */
        packet->protocol = ip[9];
        if (ip[0] != 0x45 || (two(ip + 6) & 0x3FFF) != 0)
            return false; /* options; a fragment */
    } else if (packet->version == 6) {
        length = two(ip + 4);
        packet->protocol = ip[6];
        length = length == 0 ? 0 : length + head;
    } else {
        return false;
    }
    packet->ip = ip;
    packet->ip_at = at;
    packet->transport = ip + head;
    packet->transport_at = at + head;
    packet->end = at + length;
    int64_t stop = packet->end < frame->captured ? packet->end : frame->captured;
    return stop - packet->transport_at >= (packet->protocol == TCP ? 20 : 8);
}

/* Read TCP options, and say whether they are whole, right, and such as have a column (`decode.options`). */
static bool read_options(const uint8_t *bytes, int64_t length, struct options *read)
{
    *read = (struct options){.window_shift = 255};
    if (length == 12 && four(bytes) == 0x0101080A) { /* the layout advised in RFC 7323 appendix A */
        read->seen = OPTION_TIMESTAMPS;
        read->tsval = four(bytes + 4);
        read->tsecr = four(bytes + 8);
        return true;
    }
    for (int64_t at = 0, size = 1; at < length && bytes[at] != 0; at += size) {
        const uint8_t *option = bytes + at;
        if (option[0] == 1) {
            size = 1;
            continue;
        }
        size = length - at < 2 ? 0 : option[1];
        if (size < 2 || size > length - at)
            return false;
        if (option[0] == 2 && size == 4) {
            read->seen |= OPTION_MSS;
            read->mss = two(option + 2);
        } else if (option[0] == 3 && size == 3) {
            read->seen |= OPTION_WINDOW_SCALE;
            read->window_shift = option[2];
        } else if (option[0] == 4 && size == 2) {
            read->seen |= OPTION_SACK_PERMITTED;
        } else if (option[0] == 5 && size > 2 && size % 8 == 2) {
            read->seen |= OPTION_SACK;
        } else if (option[0] == 8 && size == 10) {
            read->seen |= OPTION_TIMESTAMPS;
            read->tsval = four(option + 2);
            read->tsecr = four(option + 6);
        } else {
            return false;
        }
    }
    return true;
}

/* Compare the lengths of frame and packet as `decode.decoder._finish` does; false where more than that is to be asked. */
static bool compare_lengths(const struct frame *frame, uint8_t kind, struct packet *packet)
{
    if (packet->end > frame->length && packet->end > frame->captured)
        return false; /* overstated */
    int64_t wired = packet->end < frame->length ? packet->end : frame->length;
    if (packet->end < frame->length)
        packet->status |= STATUS_PADDED;
    if (packet->end > frame->captured)
        packet->status |= STATUS_PAYLOAD_CUT;
    if (wired - packet->ip_at <= LINK_MTU)
        return true;
    if (kind != KIND_ETHERNET)
        return false;
    if (eight(frame->bytes) != 0 || four(frame->bytes + 8) != 0) /* addresses: not of the loopback device */
        packet->status |= STATUS_OFFLOADED;
    return true;
}

static void write_ip(const struct packet *packet, const struct columns *out, int64_t row)
{
    const uint8_t *ip = packet->ip;
    out->version[row] = packet->version;
    out->protocol[row] = packet->protocol;
    out->ip_at[row] = (uint16_t)packet->ip_at;
    out->transport_at[row] = (uint16_t)packet->transport_at;
    if (packet->version == 4) {
        uint64_t mapped = (uint64_t)0xFFFF << 32; /* RFC 4291 §2.5.5.2 */
        out->tos[row] = ip[1];
        out->ip_id[row] = two(ip + 4);
        out->ip_flags[row] = ip[6] >> 5;
        out->ttl[row] = ip[8];
        out->source_low[row] = mapped | four(ip + 12);
        out->target_low[row] = mapped | four(ip + 16);
    } else {
        out->tos[row] = (uint8_t)(two(ip) >> 4);
        out->ttl[row] = ip[7];
        out->source_high[row] = eight(ip + 8);
        out->source_low[row] = eight(ip + 16);
        out->target_high[row] = eight(ip + 24);
        out->target_low[row] = eight(ip + 32);
    }
}

/* Decode one frame, or write nothing and say that it is not plain. */
static bool decode_frame(const struct frame *frame, uint8_t kind, const struct columns *out, int64_t row)
{
    struct packet packet;
    if (!enter(frame, behind_link(frame, kind, &packet), &packet) || !compare_lengths(frame, kind, &packet))
        return false;
    const uint8_t *transport = packet.transport;
    int64_t length = packet.end - packet.transport_at, size = 8; /* of the transport header and what it carries */
    if (packet.protocol == TCP) {
        struct options read;
        size = (transport[12] >> 4) * 4;
        if (size < 20 || size > length || packet.transport_at + size > frame->captured ||
            !read_options(transport + 20, size - 20, &read))
            return false;
        out->seq[row] = four(transport + 4);
        out->ack[row] = four(transport + 8);
        out->tcp_flags[row] = two(transport + 12) & 0x0FFF;
        out->window[row] = two(transport + 14);
        out->tcp_options[row] = read.seen;
        out->mss[row] = read.mss;
        out->window_shift[row] = read.window_shift;
        out->tsval[row] = read.tsval;
        out->tsecr[row] = read.tsecr;
    } else if (packet.protocol != UDP || two(transport + 4) != length || may_tunnel(two(transport)) ||
               may_tunnel(two(transport + 2))) {
        return false;
    }
    write_ip(&packet, out, row);
    out->source_port[row] = two(transport);
    out->target_port[row] = two(transport + 2);
    out->payload_at[row] = (uint16_t)(packet.transport_at + size);
    out->payload_length[row] = (uint32_t)(length - size);
    out->status[row] = packet.status;
    return true;
}

/* Decode the plain ones of `count` frames, and list the others.

   Frame `row` begins at `at[row]` of `data`, of which `captured[row]` bytes may be read; columns are as
   `Columns.allocate` makes them. Rows that are left are written to `left`, which has room for all, and how many they
   are to `lefts`. */
SHARED void decode(int64_t count, const uint8_t *data, const int64_t *at, const int64_t *captured,
                   const uint32_t *length, const uint8_t *kind, const struct columns *out, int64_t *left,
                   int64_t *lefts)
{
    int64_t found = 0;
    for (int64_t row = 0; row < count; row++) {
        if (row + FETCHED_AHEAD < count)
            FETCH(data + at[row + FETCHED_AHEAD]);
        struct frame frame = {data + at[row], captured[row], length[row]};
        if (!decode_frame(&frame, kind[row], out, row))
            left[found++] = row;
    }
    *lefts = found;
}
