/* Contact ID and SIA into each other: by the receiver's own codes, else by the
 * code table (signal/codes.h). */
#ifndef EGRESS_TRANSLATE_H
#define EGRESS_TRANSLATE_H

#include "directory/directory.h"
#include "signal/delivery.h"

/* Make it an event of the code that the receiver reads; true: it was another.
 * What neither has stays as it came: nothing is invented. */
bool translate_delivery(const struct directory_receiver *receiver,
    struct delivery *delivery);

/* "E130" or "BA". */
#define TRANSLATE_CODE_SIZE 5
const char *translate_code_format(const struct delivery *delivery,
    char out[TRANSLATE_CODE_SIZE]);

#endif
