// Marks a function that may run on an audio thread: it never allocates, locks, waits or throws. clang from version 20
// on checks the promise at compile time; the allocation guard of the tests checks it everywhere else.
#pragma once

#if defined(__clang__) && __clang_major__ >= 20
#define LACQUER_REALTIME noexcept [[clang::nonblocking]]
#else
#define LACQUER_REALTIME noexcept
#endif
