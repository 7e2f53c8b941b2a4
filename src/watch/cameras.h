/*
 * Cameras that see nothing: tells that the channel of one had no event for as
 * many days as it may (E391), and that it has again (R391). Each is a signal of
 * our own, told once over restarts. What it has seen last is known to an hour
 * (ROUTING_CAMERA_GRAIN_US), and it may be late by that. Where the first of
 * these times begins is told as well (R391) and goes no further than the
 * history. All bridges are looked at in turn, thousands in each look. Main loop
 * only.
 *
 * What a camera saw while nothing was received comes again from its bridge: no
 * camera is told to be idle before ten minutes of reception.
 */
#ifndef WATCH_CAMERAS_H
#define WATCH_CAMERAS_H

#include "base/clock.h"
#include "directory/directory.h"
#include "journal/journal.h"
#include "routing/site_state.h"

struct cameras;
/* Keeps them all. NULL: no memory. */
struct cameras *cameras_open(struct journal *journal,
    const struct directory *directory, const struct site_states *sites,
    const struct clock *clock);
void cameras_close(struct cameras **cameras);

/* A bounded look; several times a second. The thread is registered with the
 * directory and offline. */
void cameras_look(struct cameras *cameras);

#endif
