#include "directory/presence.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SLOTS   4096
#define CHUNKS_MAX    8192
#define LISTENERS_MAX 255
#define LINE_BYTES    64

/*
 * seen: milliseconds of the monotonic clock << 8 | listener; 0: never. Two
 * workers may take the same free place at once: the one that is overwritten
 * finds another with its next signal.
 *
 * peer_turn is odd while a worker writes the address; another one that finds
 * it odd lets its own go.
 */
struct entry {
	_Atomic uint64_t bridge_id; /* 0: nobody's */
	_Atomic uint64_t seen[PRESENCE_PATHS];
	_Atomic uint64_t address[2];
	_Atomic uint16_t port;
	_Atomic uint16_t peer_turn;
	_Atomic uint8_t generation;
	_Atomic bool watched;
	uint16_t unused;
};
_Static_assert(sizeof(struct entry) == LINE_BYTES, "one bridge, one line");

struct chunk {
	struct chunk *memory; /* as it was allocated: not on a line */
	_Atomic uint64_t marks[CHUNK_SLOTS / 64]; /* a bit for each slot */
	_Alignas(LINE_BYTES) struct entry entries[CHUNK_SLOTS];
};

struct presence {
	_Atomic(struct chunk *) chunks[CHUNKS_MAX];
	_Atomic uint32_t slots; /* given at any time */
	/* the writer's */
	uint32_t room;	/* slots in the chunks */
	uint32_t *free; /* taken back; room for all of them */
	uint32_t free_count;

	pthread_mutex_t lock; /* over new names */
	_Atomic(char *) listeners[LISTENERS_MAX + 1];
};

static struct chunk *
chunk_of(const struct presence *presence, uint32_t slot)
{
	return atomic_load_explicit(&presence->chunks[(slot - 1) / CHUNK_SLOTS],
	    memory_order_acquire);
}

/* Of a slot that was given: not 0. */
static struct entry *
entry_of(const struct presence *presence, uint32_t slot)
{
	return &chunk_of(presence, slot)->entries[(slot - 1) % CHUNK_SLOTS];
}

/* NULL: slot 0. */
static struct entry *
find(const struct presence *presence, uint32_t slot)
{
	return slot == 0 ? NULL : entry_of(presence, slot);
}

/* ---- listeners ---- */

static const char *
listener_name(const struct presence *presence, unsigned listener)
{
	return atomic_load_explicit(&presence->listeners[listener],
	    memory_order_acquire);
}

unsigned
presence_listener(struct presence *presence, const char *name)
{
	unsigned number = 1;
	const char *known;

	pthread_mutex_lock(&presence->lock);
	while (number <= LISTENERS_MAX &&
	    (known = listener_name(presence, number)) &&
	    strcmp(known, name) != 0)
		number++;
	if (number > LISTENERS_MAX)
		number = 0;
	else if (!known) {
		char *copy = strdup(name);

		atomic_store_explicit(&presence->listeners[number], copy,
		    memory_order_release);
		number = copy ? number : 0;
	}
	pthread_mutex_unlock(&presence->lock);
	return number;
}

/* ---- hearing ---- */

struct presence_peer
presence_peer_of(const struct sockaddr_in6 *address)
{
	struct presence_peer peer = { .port = ntohs(address->sin6_port) };
	struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (address->sin6_family == AF_INET6)
		mapped = address->sin6_addr;
	else
		memcpy(&mapped.s6_addr[12],
		    &((const struct sockaddr_in *)(const void *)address)
			 ->sin_addr,
		    4);
	memcpy(peer.address, &mapped, sizeof(peer.address));
	return peer;
}

/* This listener's place, a free one, or the one unused for longest. */
static _Atomic uint64_t *
place_of(struct entry *entry, unsigned listener)
{
	_Atomic uint64_t *place = &entry->seen[0];
	uint64_t oldest = UINT64_MAX;

	for (unsigned i = 0; i < PRESENCE_PATHS; i++) {
		uint64_t seen =
		    atomic_load_explicit(&entry->seen[i], memory_order_relaxed);

		if ((seen & 0xff) == listener)
			return &entry->seen[i];
		if (seen < oldest) {
			oldest = seen;
			place = &entry->seen[i];
		}
	}
	return place;
}

static bool
is_from(const struct entry *entry, const struct presence_peer *peer)
{
	return atomic_load_explicit(&entry->address[0], memory_order_relaxed) ==
	    peer->address[0] &&
	    atomic_load_explicit(&entry->address[1], memory_order_relaxed) ==
	    peer->address[1] &&
	    atomic_load_explicit(&entry->port, memory_order_relaxed) ==
	    peer->port;
}

static void
keep_peer(struct entry *entry, const struct presence_peer *peer)
{
	uint16_t turn =
	    atomic_load_explicit(&entry->peer_turn, memory_order_relaxed);

	if ((turn & 1) ||
	    !atomic_compare_exchange_strong_explicit(&entry->peer_turn, &turn,
		(uint16_t)(turn + 1), memory_order_acquire,
		memory_order_relaxed))
		return;
	/* each a release: who reads one of them has seen the odd turn */
	for (unsigned i = 0; i < 2; i++)
		atomic_store_explicit(&entry->address[i], peer->address[i],
		    memory_order_release);
	atomic_store_explicit(&entry->port, peer->port, memory_order_release);
	atomic_store_explicit(&entry->peer_turn, (uint16_t)(turn + 2),
	    memory_order_release);
}

void
presence_seen(struct presence *presence, uint32_t slot, unsigned listener,
    const struct presence_peer *peer, int64_t monotonic_us)
{
	struct entry *entry = find(presence, slot);

	if (!entry || listener == 0)
		return;
	atomic_store_explicit(place_of(entry, listener),
	    (uint64_t)(monotonic_us / 1000) << 8 | listener,
	    memory_order_relaxed);
	if (!is_from(entry, peer))
		keep_peer(entry, peer);
	if (atomic_load_explicit(&entry->watched, memory_order_relaxed))
		presence_mark(presence, slot);
}

/* ---- asking ---- */

uint32_t
presence_slots(const struct presence *presence)
{
	return atomic_load_explicit(&presence->slots, memory_order_acquire);
}

uint64_t
presence_bridge(const struct presence *presence, uint32_t slot)
{
	const struct entry *entry = find(presence, slot);

	return entry
	    ? atomic_load_explicit(&entry->bridge_id, memory_order_acquire)
	    : 0;
}

static int
compare_latest(const void *a, const void *b)
{
	const struct presence_path *left = a, *right = b;

	return (left->seen_us < right->seen_us) -
	    (left->seen_us > right->seen_us);
}

static void
format_peer(const struct entry *entry, char out[SOCKET_ADDRESS_TEXT])
{
	struct socket_address address = { .length = sizeof(address.v6) };
	uint64_t parts[2];
	uint16_t turn, port;

	turn = atomic_load_explicit(&entry->peer_turn, memory_order_acquire);
	for (unsigned i = 0; i < 2; i++)
		parts[i] = atomic_load_explicit(&entry->address[i],
		    memory_order_acquire);
	port = atomic_load_explicit(&entry->port, memory_order_acquire);
	out[0] = '\0';
	if ((turn & 1) || parts[1] == 0 ||
	    turn !=
		atomic_load_explicit(&entry->peer_turn, memory_order_relaxed))
		return;
	address.v6.sin6_family = AF_INET6;
	address.v6.sin6_port = htons(port);
	memcpy(&address.v6.sin6_addr, parts, sizeof(parts));
	if (IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr)) {
		struct sockaddr_in v4 = { .sin_family = AF_INET,
			.sin_port = htons(port) };

		memcpy(&v4.sin_addr, (const char *)parts + 12, 4);
		address.v4 = v4;
		address.length = sizeof(v4);
	}
	socket_address_format(&address, out);
}

unsigned
presence_paths(const struct presence *presence, uint32_t slot,
    struct presence_path ret[PRESENCE_PATHS])
{
	const struct entry *entry = find(presence, slot);
	unsigned count = 0;

	for (unsigned i = 0; entry && i < PRESENCE_PATHS; i++) {
		uint64_t seen =
		    atomic_load_explicit(&entry->seen[i], memory_order_relaxed);

		if (seen != 0)
			ret[count++] = (struct presence_path){
				listener_name(presence, seen & 0xff),
				(int64_t)(seen >> 8) * 1000
			};
	}
	return count;
}

void
presence_status(const struct presence *presence, uint32_t slot,
    struct presence_status *ret)
{
	const struct entry *entry = find(presence, slot);

	ret->path_count = presence_paths(presence, slot, ret->paths);
	ret->peer[0] = '\0';
	if (!entry)
		return;
	qsort(ret->paths, ret->path_count, sizeof(ret->paths[0]),
	    compare_latest);
	format_peer(entry, ret->peer);
}

/* ---- supervising ---- */

uint8_t
presence_generation(const struct presence *presence, uint32_t slot)
{
	return atomic_load_explicit(&find(presence, slot)->generation,
	    memory_order_acquire);
}

void
presence_watch(struct presence *presence, uint32_t slot, bool watch)
{
	struct entry *entry = find(presence, slot);

	/* mostly it is as it was: do not take the line from the workers */
	if (atomic_load_explicit(&entry->watched, memory_order_relaxed) !=
	    watch)
		atomic_store_explicit(&entry->watched, watch,
		    memory_order_relaxed);
}

uint32_t
presence_next_mark(struct presence *presence, uint32_t slot)
{
	uint32_t slots = presence_slots(presence);

	while (slot < slots) {
		uint32_t bit = slot % CHUNK_SLOTS; /* of slot + 1 */
		_Atomic uint64_t *word =
		    &chunk_of(presence, slot + 1)->marks[bit / 64];
		uint64_t marks =
		    atomic_load_explicit(word, memory_order_relaxed) >>
		    bit % 64;

		if (marks == 0) {
			slot += 64 - bit % 64;
			continue;
		}
		slot += (uint32_t)__builtin_ctzll(marks);
		atomic_fetch_and_explicit(word,
		    ~(UINT64_C(1) << slot % CHUNK_SLOTS % 64),
		    memory_order_acquire);
		return slot + 1;
	}
	return 0;
}

/* ---- the writer ---- */

void
presence_mark(struct presence *presence, uint32_t slot)
{
	uint32_t bit = (slot - 1) % CHUNK_SLOTS;

	atomic_fetch_or_explicit(&chunk_of(presence, slot)->marks[bit / 64],
	    UINT64_C(1) << bit % 64, memory_order_release);
}

void
presence_renew(struct presence *presence, uint32_t slot)
{
	/* nobody else writes it */
	_Atomic uint8_t *generation = &entry_of(presence, slot)->generation;

	atomic_store_explicit(generation,
	    (uint8_t)(atomic_load_explicit(generation, memory_order_relaxed) +
		1),
	    memory_order_release);
}

struct presence *
presence_create(void)
{
	struct presence *presence = calloc(1, sizeof(*presence));

	if (!presence)
		return NULL;
	pthread_mutex_init(&presence->lock, NULL);
	return presence;
}

void
presence_close(struct presence **presence_in)
{
	struct presence *presence = *presence_in;

	*presence_in = NULL;
	if (!presence)
		return;
	for (unsigned i = 0; i < CHUNKS_MAX; i++) {
		struct chunk *chunk = atomic_load(&presence->chunks[i]);

		if (chunk)
			free(chunk->memory);
	}
	for (unsigned i = 1; i <= LISTENERS_MAX; i++)
		free(atomic_load(&presence->listeners[i]));
	free(presence->free);
	pthread_mutex_destroy(&presence->lock);
	free(presence);
}

static int
add_chunk(struct presence *presence, void *(*allocate)(size_t))
{
	size_t bytes = sizeof(struct chunk) + LINE_BYTES;
	uint32_t room = presence->room + CHUNK_SLOTS;
	struct chunk *memory, *chunk;
	uint32_t *freed;

	if (presence->room / CHUNK_SLOTS == CHUNKS_MAX)
		return -ENOMEM;
	freed = allocate(room * sizeof(*freed));
	memory = allocate(bytes);
	if (!freed || !memory) {
		free(freed);
		free(memory);
		return -ENOMEM;
	}
	memset(memory, 0, bytes);
	chunk = (struct chunk *)(((uintptr_t)memory + LINE_BYTES - 1) &
	    ~(uintptr_t)(LINE_BYTES - 1));
	chunk->memory = memory;
	if (presence->free_count > 0)
		memcpy(freed, presence->free,
		    presence->free_count * sizeof(*freed));
	free(presence->free);
	presence->free = freed;
	atomic_store_explicit(&presence->chunks[presence->room / CHUNK_SLOTS],
	    chunk, memory_order_release);
	presence->room = room;
	return 0;
}

int
presence_reserve(struct presence *presence, size_t more,
    void *(*allocate)(size_t))
{
	int result = 0;

	while (result == 0 &&
	    presence->room - presence_slots(presence) + presence->free_count <
		more)
		result = add_chunk(presence, allocate);
	return result;
}

uint32_t
presence_take(struct presence *presence, uint64_t bridge_id)
{
	uint32_t slots = presence_slots(presence);
	uint32_t slot = presence->free_count > 0
	    ? presence->free[--presence->free_count]
	    : slots + 1;

	atomic_store_explicit(&find(presence, slot)->bridge_id, bridge_id,
	    memory_order_release);
	presence_renew(presence, slot);
	if (slot > slots)
		atomic_store_explicit(&presence->slots, slot,
		    memory_order_release);
	return slot;
}

void
presence_release(struct presence *presence, uint32_t slot, uint64_t bridge_id)
{
	struct entry *entry = find(presence, slot);

	if (!entry || presence_bridge(presence, slot) != bridge_id)
		return;
	atomic_store_explicit(&entry->bridge_id, 0, memory_order_release);
	for (unsigned i = 0; i < PRESENCE_PATHS; i++)
		atomic_store_explicit(&entry->seen[i], 0, memory_order_relaxed);
	for (unsigned i = 0; i < 2; i++)
		atomic_store_explicit(&entry->address[i], 0,
		    memory_order_relaxed);
	atomic_store_explicit(&entry->watched, false, memory_order_relaxed);
	presence_mark(presence, slot);
	presence->free[presence->free_count++] = slot;
}

size_t
presence_bytes(const struct presence *presence)
{
	return sizeof(*presence) +
	    presence->room / CHUNK_SLOTS * sizeof(struct chunk) +
	    presence->room * sizeof(uint32_t);
}
