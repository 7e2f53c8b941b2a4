#include "ingress/sources.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST	  64
#define OBJECTS_PER_CHUNK 128
#define SECOND_US	  1000000

struct source {
	struct source *next;
	uint64_t address[2];
	uint32_t counts[SOURCE_COUNTS];
	int64_t used_until_us[SOURCE_RATES];
	TAILQ_ENTRY(source) by_idle; /* when there are no sessions */
};

void
sources_init(struct sources *sources)
{
	memset(sources, 0, sizeof(*sources));
	pthread_mutex_init(&sources->lock, NULL);
	hash_key_random(&sources->key);
	TAILQ_INIT(&sources->idle);
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

/* An idle one when nobody is there yet; NULL: no memory. */
static struct source *
find_or_add(struct sources *sources, const uint64_t key[2])
{
	struct source **at;

	if (!grow(sources))
		return NULL;
	at = find(sources, key);
	if (*at)
		return *at;
	*at = pool_take(&sources->pool);
	if (!*at)
		return NULL;
	memcpy((*at)->address, key, sizeof((*at)->address));
	TAILQ_INSERT_TAIL(&sources->idle, *at, by_idle);
	sources->count++;
	return *at;
}

/* It is idle. */
static void
forget(struct sources *sources, struct source *source)
{
	*find(sources, source->address) = source->next;
	TAILQ_REMOVE(&sources->idle, source, by_idle);
	pool_give(&sources->pool, source);
	sources->count--;
}

static bool
is_as_new(const struct source *source, int64_t now_us)
{
	for (unsigned i = 0; i < SOURCE_RATES; i++)
		if (source->used_until_us[i] > now_us)
			return false;
	return true;
}

static int
enter(struct sources *sources, const uint64_t key[2], uint32_t limit)
{
	struct source *source = find_or_add(sources, key);

	if (!source)
		return -ENOMEM;
	if (limit > 0 && source->counts[SOURCE_SESSIONS] >= limit)
		return -EUSERS;
	if (source->counts[SOURCE_SESSIONS]++ == 0)
		TAILQ_REMOVE(&sources->idle, source, by_idle);
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
	struct source *source;
	uint64_t key[2];

	make_key(address, key);
	pthread_mutex_lock(&sources->lock);
	source = *find(sources, key);
	if (--source->counts[SOURCE_SESSIONS] == 0) {
		TAILQ_INSERT_TAIL(&sources->idle, source, by_idle);
		if (is_as_new(source, 0)) /* it never had to be counted */
			forget(sources, source);
	}
	pthread_mutex_unlock(&sources->lock);
}

uint32_t
sources_count(struct sources *sources, const uint64_t address[2],
    enum source_count what, int change)
{
	struct source *source;
	uint32_t count = 0;
	uint64_t key[2];

	make_key(address, key);
	pthread_mutex_lock(&sources->lock);
	source = sources->buckets ? *find(sources, key) : NULL;
	if (source)
		count = source->counts[what] += (uint32_t)change;
	pthread_mutex_unlock(&sources->lock);
	return count;
}

static bool
use(struct sources *sources, struct source *source, enum source_rate rate,
    uint32_t per_second, int64_t now_us)
{
	int64_t *until_us = &source->used_until_us[rate];
	int64_t next_us = (*until_us > now_us ? *until_us : now_us) +
	    SECOND_US / (int64_t)per_second;

	if (next_us > now_us + SECOND_US)
		return false;
	*until_us = next_us;
	if (source->counts[SOURCE_SESSIONS] == 0) {
		TAILQ_REMOVE(&sources->idle, source, by_idle);
		TAILQ_INSERT_TAIL(&sources->idle, source, by_idle);
	}
	return true;
}

bool
sources_may(struct sources *sources, const uint64_t address[2],
    enum source_rate rate, uint32_t per_second, int64_t now_us)
{
	struct source *source;
	uint64_t key[2];
	bool may = true;

	if (per_second == 0)
		return true;
	make_key(address, key);
	pthread_mutex_lock(&sources->lock);
	while ((source = TAILQ_FIRST(&sources->idle)) &&
	    is_as_new(source, now_us))
		forget(sources, source);
	source = find_or_add(sources, key);
	if (source)
		may = use(sources, source, rate, per_second, now_us);
	pthread_mutex_unlock(&sources->lock);
	return may;
}
