/* Many pieces of an array of bytes, copied one after the other into a new one (`pieces`). */

#include <string.h>

#include "shared.h"

enum { FETCHED_AHEAD = 16 }; /* pieces whose first bytes are asked for before they are needed */

/* Copy pieces of `width` bytes each, or of `lengths` where there are any, into `room` bytes. Of one that does not lie
   inside the data, or for which no room is left, `wrong` becomes the number, and nothing more is copied; one without
   bytes may lie anywhere. */
static void copy(int64_t count, int64_t size, const uint8_t *data, const int64_t *starts, const int64_t *lengths,
                 int64_t width, int64_t room, uint8_t *out, int64_t *wrong)
{
    for (int64_t one = 0; one < count; one++) {
        int64_t start = starts[one], length = lengths ? lengths[one] : width;
        if (length == 0)
            continue;
        if (start < 0 || length < 0 || start > size || length > size - start || length > room) {
            *wrong = one;
            return;
        }
        if (one + FETCHED_AHEAD < count && starts[one + FETCHED_AHEAD] >= 0 && starts[one + FETCHED_AHEAD] < size)
            FETCH(data + starts[one + FETCHED_AHEAD]);
        memcpy(out, data + start, (size_t)length);
        out += length;
        room -= length;
    }
}

SHARED void copy_spans(int64_t count, int64_t size, const uint8_t *data, const int64_t *starts, const int64_t *lengths,
                       int64_t room, uint8_t *out, int64_t *wrong)
{
    copy(count, size, data, starts, lengths, 0, room, out, wrong);
}

SHARED void copy_fields(int64_t count, int64_t size, const uint8_t *data, const int64_t *starts, int64_t width,
                        int64_t room, uint8_t *out, int64_t *wrong)
{
    copy(count, size, data, starts, 0, width, room, out, wrong);
}
