/*
 * How a worker hears which signals are settled: dispatch's thread puts their
 * lsns, the worker takes them all at once. Bounded: what has no room is lost,
 * and whoever waits for it is not answered.
 */
#ifndef INGRESS_SETTLED_H
#define INGRESS_SETTLED_H

#include <pthread.h>
#include <stdint.h>

#include "base/log.h"

#define SETTLED_MAX 8192

struct settled {
	int event_fd; /* readable: there is something to take */
	pthread_mutex_t lock;
	unsigned count, filling; /* which of the two is filled */
	uint64_t lsns[2][SETTLED_MAX];
	struct log_limit lost_limit;
};

/* 0 or -errno. */
int settled_open(struct settled *settled);
/* Accepts one whose open failed. */
void settled_close(struct settled *settled);

/* Any thread. */
void settled_put(struct settled *settled, uint64_t lsn);
/* The worker: how many, in *ret_lsns until the next call. */
unsigned settled_take(struct settled *settled, const uint64_t **ret_lsns);

#endif
