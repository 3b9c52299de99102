/* The recursions of `stats/recursion/arrays.py`: the same operations in the same order.

   Both agree to the last bit, so each operation is rounded as numpy rounds it: none is contracted with another, none
   reordered, and no exp and no log is taken here (`hatch_build.py` has the flags that this needs). */

#include <float.h>
#include <math.h>
#include <string.h>

#include "shared.h"

#if FLT_EVAL_METHOD != 0
#error "doubles are not computed as doubles here, and numpy would round otherwise"
#endif

/* The same once more for wider registers, chosen where the library is loaded. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

/* Buckets of one series that are followed side by side: as many as hide how long each waits for its last step. */
enum { LANES = 32 };

/* Packets that move a link before what it carries is stored again. */
enum { STRIDE = 4 };

/* What is in a bucket when a packet comes: bytes, after so many seconds. */
static inline double refilled(double level, double rate, double depth, double gap)
{
    double granted = level + rate * gap;
    return depth < granted ? depth : granted;
}

/* What is in it after a loss that would have left so much; after one with another cause, what was. */
static inline double set_right(double level, double left, double slack, double after)
{
    return left < slack && after < level ? after : level;
}

/* What is in it after a packet that passed and would have left so much. */
static inline double kept(double left) { return left < 0.0 ? 0.0 : left; }

/* Follow one bucket along each series. See `arrays.follow`. */
SHARED void follow(int64_t series, const int64_t *first, const double *gap, const double *size, const double *after,
                   const uint8_t *lost, const double *slack, const double *rate, const double *depth, double *left)
{
    for (int64_t one = 0; one < series; one++) {
        double level = depth[one];
        for (int64_t packet = first[one]; packet < first[one + 1]; packet++) {
            level = refilled(level, rate[one], depth[one], gap[packet]);
            left[packet] = level - size[packet];
            level = lost[packet] ? set_right(level, left[packet], slack[one], after[packet]) : kept(left[packet]);
        }
    }
}

/* Count packets by what they would leave in buckets that are tried on one of the series each. See `arrays.count_under`:
   shape (2, 2, buckets). */
SHARED WIDE void count_under(int64_t buckets, const int64_t *owner, const double *rate, const double *depth,
                             const int64_t *first, const double *gap, const double *size, const double *after,
                             const uint8_t *lost, const double *slack, const double *edge, int64_t *under)
{
    int64_t many;
    for (int64_t start = 0; start < buckets; start += many) {
        int64_t own = owner[start];
        double level[LANES] = {0}, grant[LANES] = {0}, most[LANES] = {0};
        int64_t none[2][LANES] = {{0}}, few[2][LANES] = {{0}}; /* passed and lost, with less than nothing or `edge` */
        for (many = 0; many < LANES && start + many < buckets && owner[start + many] == own; many++) {
            grant[many] = rate[start + many];
            level[many] = most[many] = depth[start + many];
        }
        for (int64_t packet = first[own]; packet < first[own + 1]; packet++) {
            if (lost[packet])
                for (int lane = 0; lane < LANES; lane++) {
                    double there = refilled(level[lane], grant[lane], most[lane], gap[packet]);
                    double left = there - size[packet];
                    none[1][lane] += left < 0.0;
                    few[1][lane] += left < edge[own];
                    level[lane] = set_right(there, left, slack[own], after[packet]);
                }
            else
                for (int lane = 0; lane < LANES; lane++) {
                    double left = refilled(level[lane], grant[lane], most[lane], gap[packet]) - size[packet];
                    none[0][lane] += left < 0.0;
                    few[0][lane] += left < edge[own];
                    level[lane] = kept(left);
                }
        }
        for (int lane = 0; lane < many; lane++) {
            int64_t *to = under + start + lane;
            to[0] = none[0][lane] + none[1][lane];
            to[buckets] = few[0][lane] + few[1][lane];
            to[2 * buckets] = none[1][lane];
            to[3 * buckets] = few[1][lane];
        }
    }
}

/* Measure the largest burst above rates that are held against one of the series each. See `arrays.bursts`. */
SHARED WIDE void bursts(int64_t rates, const int64_t *owner, const double *rate, const int64_t *first,
                        const double *since, const double *total, const double *before, double *height)
{
    int64_t many;
    for (int64_t start = 0; start < rates; start += many) {
        int64_t own = owner[start];
        double slope[LANES] = {0}, lowest[LANES], highest[LANES];
        for (many = 0; many < LANES && start + many < rates && owner[start + many] == own; many++)
            slope[many] = rate[start + many];
        for (int lane = 0; lane < LANES; lane++) {
            lowest[lane] = INFINITY;
            highest[lane] = -INFINITY;
        }
        for (int64_t packet = first[own]; packet < first[own + 1]; packet++)
            for (int lane = 0; lane < LANES; lane++) {
                double line = slope[lane] * since[packet];
                double begin = before[packet] - line;
                lowest[lane] = lowest[lane] < begin ? lowest[lane] : begin;
                double burst = (total[packet] - line) - lowest[lane];
                highest[lane] = highest[lane] > burst ? highest[lane] : burst;
            }
        for (int64_t lane = 0; lane < many; lane++)
            height[start + lane] = first[own] < first[own + 1] ? highest[lane] : 0.0;
    }
}

/* Move a link through some packets, of which each has how much stays and turns, cell by cell, and how much likelier it is
   in the bad state. */
static inline void pass(int64_t packets, int64_t cells, const double *restrict stays, const double *restrict turns,
                        const double *likelier, double *restrict bad, double *restrict both)
{
    for (int64_t cell = 0; cell < cells; cell++) {
        double here = bad[cell], all = both[cell];
        for (int64_t packet = 0; packet < packets; packet++) {
            double now = here * stays[packet * cells + cell] + all * turns[packet * cells + cell];
            double more = now * likelier[packet];
            all += more;
            here = now + more;
        }
        bad[cell] = here;
        both[cell] = all;
    }
}

/* Move all links that are tried along one series, `every` packets between two logarithms. See `arrays.fade`: a link is
   tried with each share and each of the rates, which are its cells; `share` has that of each. `stay` has the shape
   (packets, rates), `likelier` (2, links); `here`, (links, cells), is moved, and what was seen in each stretch is
   written, (stretches, links, cells). `laid`, (2, every, cells), is room for what all links meet in one stretch. */
SHARED WIDE void fade(int64_t packets, int64_t every, int64_t links, int64_t cells, int64_t rates, const double *share,
                      const double *stay, const uint8_t *lost, const double *likelier, double *here, double *seen,
                      double *laid)
{
    for (int64_t start = 0; start < packets; start += every) {
        int64_t stop = packets - start < every ? packets : start + every;
        for (int64_t packet = start; packet < stop; packet++) {
            double *restrict stays = laid + (packet - start) * cells, *restrict turns = stays + every * cells;
            for (int64_t cell = 0; cell < cells; cell += rates)
                memcpy(stays + cell, stay + packet * rates, (size_t)rates * sizeof *stay);
            for (int64_t cell = 0; cell < cells; cell++)
                turns[cell] = share[cell] * (1.0 - stays[cell]);
        }
        for (int64_t link = 0; link < links; link++, seen += cells) {
            double *bad = here + link * cells;
            for (int64_t cell = 0; cell < cells; cell++)
                seen[cell] = 1.0;
            for (int64_t packet = start; packet < stop;) {
                const double *stays = laid + (packet - start) * cells, *turns = stays + every * cells;
                double than_good[STRIDE] = {0};
                int64_t many = stop - packet < STRIDE ? 1 : STRIDE;
                for (int64_t next = 0; next < many; next++)
                    than_good[next] = likelier[lost[packet + next] * links + link];
                if (many == STRIDE) /* said so that it is unrolled */
                    pass(STRIDE, cells, stays, turns, than_good, bad, seen);
                else
                    pass(1, cells, stays, turns, than_good, bad, seen);
                packet += many;
            }
            for (int64_t cell = 0; cell < cells; cell++)
                bad[cell] /= seen[cell];
        }
    }
}
