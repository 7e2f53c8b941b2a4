/* What readers of geocoders' answers share: JSON as it came, bounded texts. */
#ifndef PORTAL_GEOCODER_ANSWER_H
#define PORTAL_GEOCODER_ANSWER_H

#include <jansson.h>

#include "portal/geocoder.h"

/* The parsed answer, owned; NULL: it is no JSON. */
json_t *geocoder_answer_parse(const char *body, size_t length, struct err *err);

/* A string that is there, cut at a character; else "". */
void geocoder_answer_text(const json_t *value, char *ret, size_t size);

#endif
