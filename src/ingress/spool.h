/*
 * A directory into which Asterisk's AlarmReceiver puts what dialers said, a file
 * for each call. The first worker reads it, oldest file first, and says each
 * line to a session of its own, as a local program would: the file goes only
 * when all of it is durable. What was not taken keeps the file, in "bad".
 */
#ifndef INGRESS_SPOOL_H
#define INGRESS_SPOOL_H

#include "ingress/slot.h"

struct spool;

/* Open it where the slot has one, look for files, say again what was not
 * answered. Called by the worker at each tick. */
void spool_tick(struct slot *slot);
/* The file at hand stays. */
void spool_close(struct spool **spool);

#endif
