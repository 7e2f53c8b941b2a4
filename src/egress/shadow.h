/*
 * Shadows: a receiver may be set to get a copy of what another one has got, to
 * compare a new station with the one in service.
 *
 *	dispatch --> the receiver's queue --> ended, and recorded
 *	                                         |
 *	             the shadow's copies  <------+   in memory, the oldest go first
 *	                     |                       when there is no more room
 *	                     +--> acknowledged, refused, ..: compared, forgotten
 *
 * A copy is made when the delivery has ended at its station: nothing about it
 * can change that any more. It is no delivery: what becomes of it is counted
 * here and nowhere else, it holds no part of the journal (what that has let go
 * of is lost to the shadow), and a restart forgets it. What a link is to deliver
 * itself, from before it became a shadow, goes before copies and counts as ever.
 */
#ifndef EGRESS_SHADOW_H
#define EGRESS_SHADOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "egress/egress.h"

/* Copies that wait for one shadow. */
#define SHADOW_COPIES	   16384
#define SHADOW_DIFFERENCES 100

struct link;
struct slot;
struct shadow;

/* The link is, or is no more, a shadow, as its settings say: what waits and was
 * counted for another one is forgotten. Nothing may be in flight. 0 or -ENOMEM. */
int shadow_apply(struct link *link);
void shadow_close(struct shadow **shadow);

/* Its delivery ended, and that is recorded: copies for the link's shadows. */
void shadow_copy(struct link *link, const struct slot *slot);
/* The next copy becomes the slot's; false: none waits. */
bool shadow_take(struct link *link, struct slot *slot);
/* A copy that was sent as often as its settings say is not sent again. */
bool shadow_gives_up(const struct link *link, const struct slot *slot);
/* The slot's copy cannot be read any more. */
void shadow_lost(struct link *link);
/* The slot's copy has ended: compare. */
void shadow_compare(struct link *link, const struct slot *slot);

/* The receiver whose shadow it is. */
uint64_t shadow_of(const struct link *link);
/* Copies that wait, without those in the ring. */
size_t shadow_waiting(const struct link *link);
/* The first of them; NULL: none. */
const struct egress_reference *shadow_front(const struct link *link);
/* What it has counted. */
void shadow_status(const struct link *link, struct egress_shadow_status *ret);
/* The same and what its station answered, as members of an open object. */
void shadow_show(const struct link *link, struct json *json);
/* Objects into an open array. */
void shadow_show_differences(const struct link *link, struct json *json);

#endif
