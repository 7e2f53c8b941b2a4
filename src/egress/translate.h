/* Contact ID and SIA into each other: by the receiver's own codes, else by the
 * code table (signal/codes.h). */
#ifndef EGRESS_TRANSLATE_H
#define EGRESS_TRANSLATE_H

#include "directory/directory.h"
#include "signal/codes.h"
#include "signal/delivery.h"

/* Make it an event of the code that the receiver reads; true: it was another.
 * What neither has stays as it came: nothing is invented. */
bool translate_delivery(const struct directory_receiver *receiver,
    struct delivery *delivery);

/* The receiver's own code of the other kind for it, for outputs that carry both;
 * "": it has none. */
const char *translate_own(const struct directory_receiver *receiver,
    const struct delivery *delivery, char out[CODES_TEXT_SIZE]);

/* "E130" or "BA". */
const char *translate_code_format(const struct delivery *delivery,
    char out[CODES_TEXT_SIZE]);

#endif
