#include "ingress/resend.h"

#include <string.h>

void
resends_init(struct resends *resends)
{
	memset(resends->sources, 0, sizeof(resends->sources));
	pthread_mutex_init(&resends->lock, NULL);
}

void
resends_close(struct resends *resends)
{
	pthread_mutex_destroy(&resends->lock);
}

/* RESEND_SOURCES: it is not there. */
static unsigned
find(const struct resends *resends, const uint64_t address[2])
{
	unsigned i = 0;

	while (i < RESEND_SOURCES &&
	    memcmp(resends->sources[i].address, address,
		sizeof(resends->sources[i].address)) != 0)
		i++;
	return i;
}

struct resend_message
resends_last(struct resends *resends, const uint64_t address[2])
{
	struct resend_message last = { 0, 0 };
	unsigned i;

	pthread_mutex_lock(&resends->lock);
	i = find(resends, address);
	if (i < RESEND_SOURCES)
		last = resends->sources[i].last;
	pthread_mutex_unlock(&resends->lock);
	return last;
}

void
resends_note(struct resends *resends, const uint64_t address[2],
    struct resend_message message)
{
	struct resend_source *sources = resends->sources;
	unsigned i;

	pthread_mutex_lock(&resends->lock);
	i = find(resends, address);
	if (i == RESEND_SOURCES)
		i--;
	memmove(&sources[1], &sources[0], i * sizeof(*sources));
	memcpy(sources[0].address, address, sizeof(sources[0].address));
	sources[0].last = message;
	pthread_mutex_unlock(&resends->lock);
}
