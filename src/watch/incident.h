/*
 * A mass loss: many bridges that fall silent within a minute are one incident
 * (a network is gone, not each of them), told once beside their own signals.
 * It ends when nine in ten of them are back, or supervised no more. Pure.
 */
#ifndef WATCH_INCIDENT_H
#define WATCH_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#define INCIDENT_WINDOW_S 60

struct incident_config {
	uint32_t least; /* bridges, in the window */
	double share;	/* and of all that are supervised, 0..1 */
};

struct incident {
	struct incident_config config;
	uint32_t lost[INCIDENT_WINDOW_S]; /* in each of the last seconds */
	int64_t second;			  /* that was counted last */
	uint64_t recent;		  /* sum of lost */
	bool on;
	uint64_t before; /* silent already when it began */
	uint64_t most;	 /* of those that belong to it, at a time */
};

/* One more fell silent. */
void incident_count(struct incident *incident, int64_t now_us);
/* How many there are now; on begins or ends. */
void incident_judge(struct incident *incident, int64_t now_us,
    uint64_t supervised, uint64_t silent);
/* It was on when the process ended, with so many silent. */
void incident_resume(struct incident *incident, uint64_t silent);

#endif
