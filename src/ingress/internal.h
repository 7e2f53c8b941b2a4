/* The whole stage, as ingress.c and show.c see it. */
#ifndef INGRESS_INTERNAL_H
#define INGRESS_INTERNAL_H

#include <pthread.h>

#include "ingress/listener.h"
#include "ingress/settings.h"
#include "ingress/worker.h"

struct ingress {
	pthread_mutex_t lock; /* one reload, look or call at a time */
	struct journal *journal;
	struct directory *directory;
	const struct clock *clock;
	struct settings *settings;
	struct listener **listeners; /* in the order of the settings */
	unsigned listener_count;
	struct worker **workers;
	unsigned worker_count;
};

#endif
