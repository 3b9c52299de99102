/* Plain DNS messages: one question, and every name and record where the header and the lengths say; these are nearly
   all messages of nearly all captures. They may lack the class or the last records, or have bytes left over, as those
   of injectors do.

   Whatever else there is, cut, wrong, or with no question or several, is left to `netinterf.protocols.dns_messages`.
   What is written here of a message is what that writes. They are walked twice: measured, then read. */

#include <stdbool.h>
#include <string.h>

#include "shared.h"

enum { HEADER = 12, MAX_RECORDS = 2048 };                     /* `protocols.dns_messages` */
enum { MAX_NAME = 255, MAX_STEPS = 255, POINTER = 0xC0 };     /* `protocols.dns_names` */
enum { QUESTION_NAME = 0xC000 | HEADER, NO_CLASS = QUESTION_NAME, INTERNET = 1 };
enum { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, AAAA = 28, SRV = 33, OPT = 41 };
enum { BAD_VALUE = 3, TRAILING = 6, MISSING = 7 }; /* `schema.ParseError` */
enum { FETCHED_AHEAD = 8 }; /* messages whose first bytes are asked for before they are needed */
enum { DNSSEC_OK = 0x8000, EXTENDED_ERROR = 15, MOST_OPTIONS = 64 };

struct messages {
    uint16_t *header[6];
    uint16_t *kind;
    uint16_t *qclass;
    bool *opt;
    bool *dnssec_ok;
    int32_t *extended_error;
    int32_t *trailing;
    uint8_t *error;
    int32_t *error_at;
    int64_t *name_end; /* where the text of each name ends among all */
    uint8_t *name;
};

struct answers {
    int32_t *message;
    uint8_t *section;
    uint16_t *kind;
    uint16_t *rclass;
    uint32_t *ttl;
    uint64_t *high;
    uint64_t *low;
    uint16_t *length;
    bool *pointer;
    int64_t *data; /* where the data of the record lie among all bytes */
    int64_t *owner_end;
    uint8_t *owner;
    int64_t *target_end;
    uint8_t *target;
};

/* How many there are, and how long their texts are. */
struct sizes {
    int64_t messages, records, names, owners, targets;
};

static uint32_t two(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static uint32_t four(const uint8_t *at) { return two(at) << 16 | two(at + 2); }

/* Read a name that stands at a place of a message and ends before *stop*; write it unless *text* is NULL.
   Gives the length of its text, -1 for one that is not right. */
static int64_t read_name(const uint8_t *message, int64_t place, int64_t stop, uint8_t *text, int64_t *end)
{
    int64_t run = place, size = 0, length = 0; /* the length counts a dot behind each label */
    *end = -1;
    for (int step = 0; step < MAX_STEPS; step++) {
        if (place >= stop)
            return -1;
        int64_t lead = message[place];
        if (lead >= POINTER) {
            if (place + 1 >= stop)
                return -1;
            int64_t target = (lead & 0x3F) << 8 | message[place + 1];
            if (target >= run)
                return -1;
            if (*end < 0)
                *end = place + 2;
            run = place = target;
            continue;
        }
        size += lead + 1;
        if (lead >= 64 || size > MAX_NAME || place + 1 + lead > stop)
            return -1;
        if (lead == 0) {
            if (*end < 0)
                *end = place + 1;
            return length ? length - 1 : 0;
        }
        if (text) {
            if (length)
                text[length - 1] = '.';
            memcpy(text + length, message + place + 1, (size_t)lead);
        }
        length += lead + 1;
        place += lead + 1;
    }
    return -1;
}

/* Write a text in lower case, of ASCII letters; give the bits that became others. */
static inline uint8_t lowered(const uint8_t *text, int64_t length, uint8_t *lower)
{
    uint8_t changed = 0;
    for (int64_t at = 0; at < length; at++) {
        uint8_t bit = (uint8_t)((text[at] >= 'A' && text[at] <= 'Z') << 5);
        lower[at] = text[at] | bit;
        changed |= bit;
    }
    return changed;
}

static void lower(uint8_t *text, int64_t length) { lowered(text, length, text); }

/* Write bytes in lower case, of ASCII letters; `changed` becomes whether that makes a difference. */
SHARED void lower_letters(int64_t length, const uint8_t *bytes, uint8_t *lower, int64_t *changed)
{
    *changed = lowered(bytes, length, lower) != 0;
}

/* Give the bytes of record data before the name in it, -1 for types that hold none. */
static int64_t before_name(uint32_t kind, uint32_t rclass)
{
    switch (kind) {
    case NS: case CNAME: case SOA: case PTR: return 0;
    case MX: return 2;
    case SRV: return rclass == INTERNET ? 6 : -1;
    default: return -1;
    }
}

/* Find the last extended error among the options of an OPT record, -1 for none. */
static int32_t extended_error(const uint8_t *place, const uint8_t *end)
{
    int32_t error = -1;
    for (int option = 0; option < MOST_OPTIONS && end - place >= 4; option++) {
        int64_t size = two(place + 2);
        if (two(place) == EXTENDED_ERROR && size >= 2 && end - place >= 6)
            error = (int32_t)two(place + 4);
        if (end - place < 4 + size)
            break;
        place += 4 + size;
    }
    return error;
}

/* A message that is walked, and what is written of it: nothing where there are no tables. */
struct walk {
    const uint8_t *message;
    int64_t start, length; /* among all bytes */
    int64_t place;         /* what comes next, in the message */
    const uint8_t *name;   /* of the question, if it is written */
    int64_t name_length;
    int64_t options; /* OPT records so far */
    struct sizes *at;
    const struct messages *messages;
    const struct answers *answers;
};

/* Write one record down, but for its names. */
static void write_record(const struct walk *walk, int64_t first, const uint8_t *fixed, int section)
{
    const struct answers *answers = walk->answers;
    int64_t row = walk->at->records, message = walk->at->messages;
    uint32_t kind = two(fixed), size = two(fixed + 8);
    const uint8_t *data = fixed + 10;
    answers->message[row] = (int32_t)message;
    answers->section[row] = (uint8_t)section;
    answers->kind[row] = (uint16_t)kind;
    answers->rclass[row] = (uint16_t)two(fixed + 2);
    answers->ttl[row] = four(fixed + 4);
    answers->high[row] = answers->low[row] = 0;
    if (kind == A && size == 4)
        answers->low[row] = (uint64_t)0xFFFF << 32 | four(data);
    if (kind == AAAA && size == 16) {
        answers->high[row] = (uint64_t)four(data) << 32 | four(data + 4);
        answers->low[row] = (uint64_t)four(data + 8) << 32 | four(data + 12);
    }
    answers->length[row] = (uint16_t)size;
    answers->pointer[row] = walk->message[first] >= POINTER;
    answers->data[row] = walk->start + (data - walk->message);
    if (kind == OPT) {
        walk->messages->opt[message] = true;
        walk->messages->dnssec_ok[message] = (four(fixed + 4) & DNSSEC_OK) != 0;
        walk->messages->extended_error[message] = extended_error(data, data + size);
    }
}

/* Walk one record; say whether it is right. */
static bool walk_record(struct walk *walk, int section)
{
    const uint8_t *message = walk->message;
    const struct answers *answers = walk->answers;
    struct sizes *at = walk->at;
    int64_t first = walk->place, end = first + 2, owned = walk->name_length, named = 0, ignored;
    uint8_t *owner = answers ? answers->owner + at->owners : NULL;
    uint8_t *target = answers ? answers->target + at->targets : NULL;
    if (end > walk->length || two(message + first) != QUESTION_NAME)
        owned = read_name(message, first, walk->length, owner, &end);
    else if (owner)
        memcpy(owner, walk->name, (size_t)owned);
    if (owned < 0 || end + 10 > walk->length)
        return false;
    uint32_t kind = two(message + end), size = two(message + end + 8);
    walk->place = end + 10 + size;
    walk->options += kind == OPT;
    if (walk->place > walk->length || walk->options > 1)
        return false;
    int64_t skipped = before_name(kind, two(message + end + 2));
    if (skipped >= 0 && size > skipped)
        named = read_name(message, end + 10 + skipped, walk->place, target, &ignored);
    if (named < 0)
        return false;
    if (answers) {
        lower(owner, owned);
        lower(target, named);
        write_record(walk, first, message + end, section);
        answers->owner_end[at->records] = at->owners + owned;
        answers->target_end[at->records] = at->targets + named;
    }
    at->records++;
    at->owners += owned;
    at->targets += named;
    return true;
}

/* Write a message down, but for what its OPT record says. */
static void write_message(const struct walk *walk, int64_t tail, bool lost, bool missing)
{
    const struct messages *messages = walk->messages;
    int64_t row = walk->at->messages;
    int32_t left = lost ? 0 : (int32_t)(walk->length - walk->place), place = (int32_t)walk->place;
    for (int field = 0; field < 6; field++)
        messages->header[field][row] = (uint16_t)two(walk->message + 2 * field);
    messages->kind[row] = (uint16_t)two(walk->message + tail);
    messages->qclass[row] = (uint16_t)(lost ? 0 : two(walk->message + tail + 2));
    messages->trailing[row] = left;
    messages->error[row] = lost ? BAD_VALUE : missing ? MISSING : left ? TRAILING : 0;
    messages->error_at[row] = lost ? (int32_t)tail + 2 : missing || left ? place : -1;
    messages->name_end[row] = walk->at->names + walk->name_length;
}

/* Walk one message; say whether it is plain. Count it, and write it down where there are tables. */
static bool walk_message(struct walk *walk)
{
    const uint8_t *message = walk->message;
    struct sizes *at = walk->at;
    if (walk->length < HEADER || two(message + 4) != 1)
        return false;
    uint8_t *name = walk->messages ? walk->messages->name + at->names : NULL;
    int64_t tail, in_answer = two(message + 6), in_authority = in_answer + two(message + 8);
    int64_t records = in_authority + two(message + 10), record = 0;
    walk->name = name;
    walk->name_length = read_name(message, HEADER, walk->length, name, &tail);
    if (walk->name_length < 0 || records > MAX_RECORDS || tail + 4 > walk->length)
        return false;
    bool lost = two(message + tail + 2) == NO_CLASS && two(message + 2) >= 0x8000 && in_answer > 0; /* its class */
    walk->place = tail + (lost ? 2 : 4);
    if (walk->messages) {
        walk->messages->opt[at->messages] = walk->messages->dnssec_ok[at->messages] = false;
        walk->messages->extended_error[at->messages] = -1;
    }
    for (; record < records && walk->place < walk->length; record++)
        if (!walk_record(walk, 1 + (record >= in_answer) + (record >= in_authority)))
            return false;
    if (walk->messages)
        write_message(walk, tail, lost, record < records);
    at->messages++;
    at->names += walk->name_length;
    return true;
}

/* Say which of *count* messages, each of *length* bytes from *start* on, are plain, and measure those. */
SHARED void measure_dns(int64_t count, const uint8_t *data, const int64_t *start, const int64_t *length, bool *plain,
                        struct sizes *sizes)
{
    for (int64_t row = 0; row < count; row++) {
        if (row + FETCHED_AHEAD < count)
            FETCH(data + start[row + FETCHED_AHEAD]);
        struct sizes at = *sizes;
        struct walk walk = {.message = data + start[row], .start = start[row], .length = length[row], .at = &at};
        plain[row] = walk_message(&walk);
        if (plain[row])
            *sizes = at;
    }
}

/* Read those of *count* messages that are plain into tables that have the measured size. */
SHARED void read_dns(int64_t count, const uint8_t *data, const int64_t *start, const int64_t *length, const bool *plain,
                     const struct messages *messages, const struct answers *answers)
{
    struct sizes at = {0};
    for (int64_t row = 0; row < count; row++) {
        struct walk walk = {.message = data + start[row], .start = start[row], .length = length[row], .at = &at};
        if (row + FETCHED_AHEAD < count)
            FETCH(data + start[row + FETCHED_AHEAD]);
        walk.messages = messages;
        walk.answers = answers;
        if (plain[row])
            walk_message(&walk);
    }
}
