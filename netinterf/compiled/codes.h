/* Numbers that the tables have for things: those of `netinterf.schema` and `netinterf.decode.headers`, which a test
   holds against these. */

#ifndef CODES_H
#define CODES_H

enum { KIND_ETHERNET = 1, KIND_RAW = 12, KIND_IPV4 = 13, KIND_IPV6 = 14 };

enum {
    STATUS_HEADER_CUT = 1 << 1,
    STATUS_PAYLOAD_CUT = 1 << 2,
    STATUS_PADDED = 1 << 3,
    STATUS_OFFLOADED = 1 << 4,
    STATUS_FRAGMENT_LATER = 1 << 6,
    STATUS_TAGGED = 1 << 8,
};

enum { FLAG_FIN = 0x001, FLAG_SYN = 0x002, FLAG_RST = 0x004, FLAG_PSH = 0x008, FLAG_ACK = 0x010 };

enum {
    OPTION_MSS = 1,
    OPTION_WINDOW_SCALE = 2,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 8,
    OPTION_TIMESTAMPS = 16,
};

enum {
    MARK_REPEAT = 1 << 0,
    MARK_PARTIAL_REPEAT = 1 << 1,
    MARK_FILL = 1 << 2,
    MARK_KEEP_ALIVE = 1 << 5,
    MARK_SPURIOUS = 1 << 6,
    MARK_DUPLICATE_FRAME = 1 << 7,
    MARK_DUP_ACK = 1 << 8,
    MARK_ACKED_UNSEEN = 1 << 9,
    MARK_ZERO_WINDOW = 1 << 10,
};

enum { TCP = 6, UDP = 17 }; /* protocol numbers */

#endif
