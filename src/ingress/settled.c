#include "ingress/settled.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
settled_open(struct settled *settled)
{
	pthread_mutex_init(&settled->lock, NULL);
	settled->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return settled->event_fd < 0 ? -errno : 0;
}

void
settled_close(struct settled *settled)
{
	if (settled->event_fd >= 0)
		close(settled->event_fd);
	settled->event_fd = -1;
	pthread_mutex_destroy(&settled->lock);
}

void
settled_put(struct settled *settled, uint64_t lsn)
{
	unsigned before;

	pthread_mutex_lock(&settled->lock);
	before = settled->count;
	if (before < SETTLED_MAX)
		settled->lsns[settled->filling][settled->count++] = lsn;
	pthread_mutex_unlock(&settled->lock);
	if (before == 0)
		eventfd_write(settled->event_fd, 1);
	else if (before == SETTLED_MAX)
		log_limited(&settled->lost_limit, LOG_WARN, "ingress",
		    "settled-lost",
		    "effect=\"signals are not acknowledged: their panels will "
		    "repeat\"");
}

unsigned
settled_take(struct settled *settled, const uint64_t **ret_lsns)
{
	eventfd_t value;
	unsigned count;

	eventfd_read(settled->event_fd, &value);
	pthread_mutex_lock(&settled->lock);
	count = settled->count;
	*ret_lsns = settled->lsns[settled->filling];
	settled->count = 0;
	settled->filling = !settled->filling;
	pthread_mutex_unlock(&settled->lock);
	return count;
}
