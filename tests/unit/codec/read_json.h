/* What a JSON parser of others makes of a text. */
#ifndef READ_JSON_H
#define READ_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* One valid object of strict UTF-8; member's text is copied to out, "" when it
 * has none or it is no string. */
bool read_json(const char *text, size_t length, const char *member, char *out,
    size_t out_size);

#endif
