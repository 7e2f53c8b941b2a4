/*
 * Tests of sites: tells that one which was expected has not come (E654), and
 * that a site is on test (E607) and is not any more (R607), which ends by
 * itself. Each is a signal of our own, told once over restarts. All sites are
 * looked at in turn, thousands in each look. Main loop only.
 *
 * A test may be late by a twentieth of its interval, and by a minute at least.
 * Its interval begins with the last one, also over restarts, and anew where
 * that one's successor may have come while nothing was received: the process
 * was not there or the journal took nothing. That, and where the first interval
 * begins, is told as well (R654) and goes no further than the history. Until
 * when something was received is kept in the file `reception` of the state
 * directory; without it, as if nothing was since ever.
 */
#ifndef WATCH_SITE_TESTS_H
#define WATCH_SITE_TESTS_H

#include "base/clock.h"
#include "directory/directory.h"
#include "journal/journal.h"
#include "routing/site_state.h"

struct site_tests;
/* Keeps them all but the path. state_directory NULL: none. NULL: no memory. */
struct site_tests *site_tests_open(struct journal *journal,
    const struct directory *directory, const struct site_states *sites,
    const struct clock *clock, const char *state_directory);
void site_tests_close(struct site_tests **tests);

/* A bounded look; several times a second. The thread is registered with the
 * directory and offline. */
void site_tests_look(struct site_tests *tests);

#endif
