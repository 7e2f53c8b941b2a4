/*
 * A listener that connects instead: to a receiver that waits for its automation
 * software. One connection at a time, kept by the first worker: when it ends,
 * the next one is tried.
 */
#ifndef INGRESS_DIAL_H
#define INGRESS_DIAL_H

#include "ingress/slot.h"

/* Connect where it is this slot's turn. Called by the worker at each tick. */
void dial_tick(struct slot *slot);

#endif
