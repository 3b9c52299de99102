/* What every kernel here keeps to: C99; arrays are contiguous and as long as their function says; nothing is allocated,
   no thread started, no Python object touched. Of a capture nothing is believed: no byte is read before its place was
   held against the length of what was captured. */

#ifndef SHARED_H
#define SHARED_H

#include <stdint.h>

#if UINTPTR_MAX != UINT64_MAX
#error "numpy counts in fewer than 64 bits here, and its arrays would be read as if it did not"
#endif

#ifdef _WIN32
#define SHARED __declspec(dllexport)
#else
#define SHARED
#endif

/* Ask for what lies somewhere in an array, before it is needed. */
#ifdef __GNUC__
#define FETCH(place) __builtin_prefetch(place)
#else
#define FETCH(place) ((void)(place))
#endif

#endif
