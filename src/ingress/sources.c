#include "ingress/sources.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST	  64
#define OBJECTS_PER_CHUNK 128

struct source {
	struct source *next;
	uint64_t address[2];
	uint32_t sessions;
};

void
sources_init(struct sources *sources)
{
	memset(sources, 0, sizeof(*sources));
	pthread_mutex_init(&sources->lock, NULL);
	hash_key_random(&sources->key);
	pool_init(&sources->pool, sizeof(struct source), OBJECTS_PER_CHUNK, 0);
}

void
sources_close(struct sources *sources)
{
	free(sources->buckets);
	pool_close(&sources->pool);
	pthread_mutex_destroy(&sources->lock);
}

/* ::ffff:0:0/96, and so all of IPv4, has zeros in its first half. */
static void
make_key(const uint64_t address[2], uint64_t out[2])
{
	out[0] = address[0];
	out[1] = address[0] == 0 ? address[1] : 0;
}

static struct source **
bucket_of(const struct sources *sources, const uint64_t key[2])
{
	uint64_t hash = hash_bytes(&sources->key, key, 2 * sizeof(*key));

	return &sources->buckets[hash & sources->mask];
}

/* Where it hangs, or the end of its chain. */
static struct source **
find(const struct sources *sources, const uint64_t key[2])
{
	struct source **at = bucket_of(sources, key);

	while (*at && memcmp((*at)->address, key, 2 * sizeof(*key)) != 0)
		at = &(*at)->next;
	return at;
}

/* As many buckets as addresses at least, while memory lasts. */
static bool
grow(struct sources *sources)
{
	uint32_t old = sources->buckets ? sources->mask + 1 : 0;
	uint32_t size = old > 0 ? 2 * old : BUCKETS_FIRST;
	struct source **buckets, **before = sources->buckets;

	if (sources->count < old)
		return true;
	buckets = calloc(size, sizeof(struct source *));
	if (!buckets)
		return old > 0;
	sources->buckets = buckets;
	sources->mask = size - 1;
	for (uint32_t i = 0; i < old; i++)
		for (struct source *s = before[i], *next; s; s = next) {
			struct source **at = bucket_of(sources, s->address);

			next = s->next;
			s->next = *at;
			*at = s;
		}
	free(before);
	return true;
}

static int
enter(struct sources *sources, const uint64_t key[2], uint32_t limit)
{
	struct source **at;

	if (!grow(sources))
		return -ENOMEM;
	at = find(sources, key);
	if (!*at) {
		*at = pool_take(&sources->pool);
		if (!*at)
			return -ENOMEM;
		memcpy((*at)->address, key, sizeof((*at)->address));
		sources->count++;
	}
	if (limit > 0 && (*at)->sessions >= limit)
		return -EUSERS;
	(*at)->sessions++;
	return 0;
}

int
sources_enter(struct sources *sources, const uint64_t address[2],
    uint32_t limit)
{
	uint64_t key[2];
	int result;

	make_key(address, key);
	pthread_mutex_lock(&sources->lock);
	result = enter(sources, key, limit);
	pthread_mutex_unlock(&sources->lock);
	return result;
}

void
sources_leave(struct sources *sources, const uint64_t address[2])
{
	struct source **at, *source;
	uint64_t key[2];

	make_key(address, key);
	pthread_mutex_lock(&sources->lock);
	at = find(sources, key);
	source = *at;
	if (--source->sessions == 0) {
		*at = source->next;
		pool_give(&sources->pool, source);
		sources->count--;
	}
	pthread_mutex_unlock(&sources->lock);
}
