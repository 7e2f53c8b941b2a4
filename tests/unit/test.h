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

#endif
