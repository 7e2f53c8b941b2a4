/* cmocka with what it wants included before it, and helpers for tables. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/slice.h"

/* Fail with the row of a table that does not hold. */
#define assert_row(condition, index, name)                                     \
 do {                                                                          \
  if (!(condition))                                                            \
   fail_msg("row %zu (%s): %s", (size_t)(index), (name), #condition);          \
 } while (0)

#define assert_slice(got, string)                                              \
 do {                                                                          \
  struct slice got_ = (got);                                                   \
  if (!slice_is(got_, (string)))                                               \
   fail_msg("%s is '%.*s', not '%s'", #got, SLICE_ARG(got_), (string));        \
 } while (0)

/*
 * How many steps a walk over everything takes at once. It takes each without
 * sanitizers, which are slow and see the same of a part: the one for addresses
 * each so many, the one for threads the other number.
 */
#if defined(__SANITIZE_THREAD__)
# define TEST_STRIDE(addresses, threads) (threads)
#elif defined(__SANITIZE_ADDRESS__)
# define TEST_STRIDE(addresses, threads) (addresses)
#elif defined(__has_feature)
# if __has_feature(thread_sanitizer)
#  define TEST_STRIDE(addresses, threads) (threads)
# elif __has_feature(address_sanitizer)
#  define TEST_STRIDE(addresses, threads) (addresses)
# endif
#endif
#ifndef TEST_STRIDE
# define TEST_STRIDE(addresses, threads) 1
#endif

#endif
