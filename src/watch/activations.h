/*
 * Activations: tells that the time of a site in which its first bridge was to
 * be registered is over, and none was (E628). A signal of our own, told once for
 * each end, over restarts; it goes no further than the history. All sites are
 * looked at in turn, thousands in each look. Main loop only.
 */
#ifndef WATCH_ACTIVATIONS_H
#define WATCH_ACTIVATIONS_H

#include "base/clock.h"
#include "directory/directory.h"
#include "journal/journal.h"
#include "routing/site_state.h"

struct activations;
/* Keeps them all. NULL: no memory. */
struct activations *activations_open(struct journal *journal,
    const struct directory *directory, const struct site_states *sites,
    const struct clock *clock);
void activations_close(struct activations **activations);

/* A bounded look; several times a second. The thread is registered with the
 * directory and offline. */
void activations_look(struct activations *activations);

#endif
