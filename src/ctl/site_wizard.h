/* The creation wizard on a terminal. */
#ifndef CTL_SITE_WIZARD_H
#define CTL_SITE_WIZARD_H

#include "ctl/site_draft.h"

/*
 * Ask for what the draft does not hold yet, show it, and store it when that is
 * wished; then offer a bridge. What is refused is asked again. Returns an exit
 * status; ret_id is "" when nothing was stored.
 */
int site_wizard(struct site_draft *draft, char ret_id[24]);

#endif
