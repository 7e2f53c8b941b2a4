/* Contact ID and SIA into each other by the code table (signal/codes.h). */
#ifndef EGRESS_TRANSLATE_H
#define EGRESS_TRANSLATE_H

#include "directory/directory.h"
#include "signal/delivery.h"

/* Make it an event of the wanted code. What the table does not know stays as it
 * came: nothing is invented. */
void translate_delivery(enum directory_translation wanted,
    struct delivery *delivery);

#endif
