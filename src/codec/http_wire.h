/* What requests and answers are made of; only codec/http_*.c include this. */
#ifndef CODEC_HTTP_WIRE_H
#define CODEC_HTTP_WIRE_H

#include <stdbool.h>

#include "base/slice.h"

/* The part before the separator, which goes with it; all of it when there is
 * none. */
struct slice http_take_until(struct slice *from, const char *separator);
/* Without the spaces and tabs around it. */
struct slice http_trim(struct slice s);
/* In upper or lower case. */
bool http_same_word(struct slice s, const char *word);

#endif
