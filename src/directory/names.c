#include "directory/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BUCKETS_MIN 64

struct name {
	struct name *next; /* in its bucket */
	uint32_t hash, uses;
	char text[];
};

struct names {
	struct hash_key key; /* strangers choose the texts */
	struct name **buckets;
	size_t bucket_count; /* a power of two */
	size_t count, bytes;
};

struct names *
names_create(void *(*allocate)(size_t))
{
	struct names *names = allocate(sizeof(*names));
	struct name **buckets = allocate(BUCKETS_MIN * sizeof(struct name *));

	if (!names || !buckets) {
		free(names);
		free(buckets);
		return NULL;
	}
	memset(buckets, 0, BUCKETS_MIN * sizeof(struct name *));
	*names =
	    (struct names){ .buckets = buckets, .bucket_count = BUCKETS_MIN };
	hash_key_random(&names->key);
	return names;
}

void
names_close(struct names **names_in)
{
	struct names *names = *names_in;

	*names_in = NULL;
	if (!names)
		return;
	for (size_t i = 0; i < names->bucket_count; i++)
		while (names->buckets[i]) {
			struct name *next = names->buckets[i]->next;

			free(names->buckets[i]);
			names->buckets[i] = next;
		}
	free(names->buckets);
	free(names);
}

static struct name **
bucket_of(const struct names *names, uint32_t hash)
{
	return &names->buckets[hash & (names->bucket_count - 1)];
}

/* Twice as many buckets; without memory for them the lists grow longer. */
static void
grow(struct names *names, void *(*allocate)(size_t))
{
	size_t old_count = names->bucket_count;
	struct name **old = names->buckets;
	struct name **buckets = allocate(2 * old_count * sizeof(struct name *));

	if (!buckets)
		return;
	memset(buckets, 0, 2 * old_count * sizeof(struct name *));
	names->buckets = buckets;
	names->bucket_count = 2 * old_count;
	for (size_t i = 0; i < old_count; i++)
		while (old[i]) {
			struct name *name = old[i];
			struct name **bucket = bucket_of(names, name->hash);

			old[i] = name->next;
			name->next = *bucket;
			*bucket = name;
		}
	free(old);
}

static struct name *
add(struct names *names, uint32_t hash, const char *text, size_t length,
    void *(*allocate)(size_t))
{
	struct name *name = allocate(sizeof(*name) + length + 1);
	struct name **bucket;

	if (!name)
		return NULL;
	if (names->count == names->bucket_count)
		grow(names, allocate);
	bucket = bucket_of(names, hash);
	*name = (struct name){ .next = *bucket, .hash = hash };
	memcpy(name->text, text, length + 1);
	*bucket = name;
	names->count++;
	names->bytes += sizeof(*name) + length + 1;
	return name;
}

const char *
names_take(struct names *names, const char *text, void *(*allocate)(size_t))
{
	size_t length = strlen(text);
	uint32_t hash = (uint32_t)hash_bytes(&names->key, text, length);
	struct name *name = *bucket_of(names, hash);

	while (name && (name->hash != hash || strcmp(name->text, text) != 0))
		name = name->next;
	if (!name)
		name = add(names, hash, text, length, allocate);
	if (!name)
		return NULL;
	name->uses++;
	return name->text;
}

void
names_release(struct names *names, const char *text)
{
	struct name *name, **link;

	if (!text)
		return;
	name = (struct name *)(uintptr_t)(text - offsetof(struct name, text));
	if (--name->uses > 0)
		return;
	link = bucket_of(names, name->hash);
	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
	names->count--;
	names->bytes -= sizeof(*name) + strlen(name->text) + 1;
	free(name);
}

size_t
names_bytes(const struct names *names)
{
	return sizeof(*names) + names->bytes +
	    names->bucket_count * sizeof(struct name *);
}
