#include "egress/queue.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK_REFERENCES 255 /* a chunk is 4 KiB */

/* References read to let urgent ones come, for each that is taken: what that
 * costs the main loop does not depend on the backlog. */
#define READ_PER_TAKEN 1024

struct queue_chunk {
	struct queue_chunk *next;
	uint64_t least_lsn; /* that was put into it */
	struct egress_reference references[CHUNK_REFERENCES];
};

/* ---- accounts, by a few bits ------------------------------------------------------ */

static uint32_t
bits_of(uint32_t account)
{
	return account % EGRESS_ACCOUNTS;
}

static bool
is_coming(const struct queue *queue, uint32_t account)
{
	uint32_t bits = bits_of(account);

	return queue->coming_accounts[bits / 64] >> bits % 64 & 1;
}

static void
let_account_come(struct queue *queue, uint32_t account)
{
	uint32_t bits = bits_of(account);

	queue->coming_accounts[bits / 64] |= UINT64_C(1) << bits % 64;
}

static void
forget_coming(struct queue *queue)
{
	memset(queue->coming_accounts, 0, sizeof(queue->coming_accounts));
}

/* ---- lanes ----------------------------------------------------------------------- */

static struct queue_chunk *
take_chunk(struct queue *queue)
{
	struct queue_chunk *chunk = queue->spare;

	queue->spare = NULL;
	return chunk ? chunk : malloc(sizeof(*chunk));
}

static void
append_chunk(struct queue_lane *lane, struct queue_chunk *chunk)
{
	chunk->next = NULL;
	chunk->least_lsn = UINT64_MAX;
	if (lane->last)
		lane->last->next = chunk;
	else
		lane->first = chunk;
	lane->last = chunk;
	lane->tail = 0;
}

static bool
lane_is_full(const struct queue_lane *lane)
{
	return !lane->last || lane->tail == CHUNK_REFERENCES;
}

/* There is room. */
static void
lane_put(struct queue_lane *lane, struct egress_reference reference)
{
	lane->last->references[lane->tail++] = reference;
	if (reference.decision_lsn < lane->last->least_lsn)
		lane->last->least_lsn = reference.decision_lsn;
	lane->length++;
}

static const struct egress_reference *
lane_front(const struct queue_lane *lane)
{
	return lane->length > 0 ? &lane->first->references[lane->head] : NULL;
}

static void
lane_drop_first_chunk(struct queue *queue, struct queue_lane *lane)
{
	struct queue_chunk *chunk = lane->first;

	lane->first = chunk->next;
	if (!lane->first)
		lane->last = NULL;
	lane->head = 0;
	free(queue->spare);
	queue->spare = chunk;
}

/* True: a chunk was emptied. */
static bool
lane_pop(struct queue *queue, struct queue_lane *lane)
{
	lane->head++;
	lane->length--;
	if (lane->head < CHUNK_REFERENCES && lane->length > 0)
		return false;
	lane_drop_first_chunk(queue, lane);
	return true;
}

static uint64_t
lane_floor(const struct queue_lane *lane)
{
	uint64_t floor = UINT64_MAX;

	for (const struct queue_chunk *i = lane->first; i; i = i->next)
		if (i->least_lsn < floor)
			floor = i->least_lsn;
	return floor;
}

/* ---- life safety comes first --------------------------------------------------------- */

/* Where a lane is read or written. */
struct place {
	struct queue_chunk *chunk;
	size_t index;
};

static struct egress_reference *
step(struct place *place)
{
	if (place->index == CHUNK_REFERENCES) {
		place->chunk = place->chunk->next;
		place->index = 0;
	}
	return &place->chunk->references[place->index++];
}

/* Of the ordinary ones. */
static size_t
count_coming(const struct queue *queue)
{
	struct place read = { queue->ordinary.first, queue->ordinary.head };
	size_t count = 0;

	for (size_t i = 0; i < queue->ordinary.length; i++)
		count += is_coming(queue, step(&read)->account);
	return count;
}

static void
free_chunks(struct queue_chunk *chunks)
{
	while (chunks) {
		struct queue_chunk *chunk = chunks;

		chunks = chunk->next;
		free(chunk);
	}
}

/* Chunks for so many more references; NULL and none when there is no memory. */
static struct queue_chunk *
allocate_chunks(struct queue *queue, size_t references)
{
	struct queue_chunk *chunks = NULL, *chunk;

	for (size_t room = 0; room < references; room += CHUNK_REFERENCES) {
		chunk = take_chunk(queue);
		if (!chunk) {
			free_chunks(chunks);
			return NULL;
		}
		chunk->next = chunks;
		chunks = chunk;
	}
	return chunks;
}

static void
put_urgent(struct queue *queue, struct queue_chunk **chunks,
    struct egress_reference reference)
{
	if (lane_is_full(&queue->urgent)) {
		struct queue_chunk *chunk = *chunks;

		*chunks = chunk->next;
		append_chunk(&queue->urgent, chunk);
	}
	if (reference.decision_lsn < queue->floor_lsn)
		queue->floor_lsn = reference.decision_lsn;
	lane_put(&queue->urgent, reference);
	queue->urgent_counts[bits_of(reference.account)]++;
}

/* What stays moves together in its own chunks, the rest behind it is freed. */
static void
move_ordinary(struct queue *queue, struct queue_chunk **chunks)
{
	struct queue_lane *lane = &queue->ordinary;
	struct place read = { lane->first, lane->head }, write = read;
	size_t length = lane->length, kept = 0;

	for (size_t i = 0; i < length; i++) {
		struct egress_reference reference = *step(&read);

		if (is_coming(queue, reference.account)) {
			put_urgent(queue, chunks, reference);
		} else {
			*step(&write) = reference;
			kept++;
		}
	}
	lane->length = kept;
	while (kept == 0 && lane->first)
		lane_drop_first_chunk(queue, lane);
	if (kept == 0)
		return;
	free_chunks(write.chunk->next);
	write.chunk->next = NULL;
	lane->last = write.chunk;
	lane->tail = write.index;
}

static bool
may_read(const struct queue *queue)
{
	return queue->unpaid == 0 || queue->ordinary.length <= READ_PER_TAKEN;
}

/* Nothing goes before them. */
static void
take_over(struct queue *queue)
{
	struct place read = { queue->coming.first, queue->coming.head };

	for (size_t i = 0; i < queue->coming.length; i++)
		queue->urgent_counts[bits_of(step(&read)->account)]++;
	queue->urgent = queue->coming;
	memset(&queue->coming, 0, sizeof(queue->coming));
}

static bool
move_behind_urgent(struct queue *queue, size_t moving)
{
	struct queue_chunk *chunks =
	    allocate_chunks(queue, moving + queue->coming.length);
	const struct egress_reference *reference;

	if (!chunks)
		return false;
	if (moving > 0)
		move_ordinary(queue, &chunks);
	while ((reference = lane_front(&queue->coming))) {
		put_urgent(queue, &chunks, *reference);
		lane_pop(queue, &queue->coming);
	}
	free_chunks(chunks);
	return true;
}

/* Or not now, and the others go on as they came: there is no memory, or few were
 * taken since the last time. */
static void
let_come(struct queue *queue)
{
	size_t moving;

	if (!may_read(queue))
		return;
	if (!queue->urgent_counts)
		queue->urgent_counts =
		    calloc(EGRESS_ACCOUNTS, sizeof(queue->urgent_counts[0]));
	if (!queue->urgent_counts)
		return;
	moving = count_coming(queue);
	queue->unpaid = queue->ordinary.length;
	if (moving == 0 && queue->urgent.length == 0)
		take_over(queue);
	else if (!move_behind_urgent(queue, moving))
		return;
	forget_coming(queue);
}

/* ---- in and out ------------------------------------------------------------------ */

int
queue_push(struct queue *queue, struct egress_reference reference, bool urgent)
{
	struct queue_lane *lane = &queue->ordinary;

	if (urgent || is_coming(queue, reference.account))
		lane = &queue->coming;
	if (lane_is_full(lane)) {
		struct queue_chunk *chunk = take_chunk(queue);

		if (!chunk)
			return -ENOMEM;
		append_chunk(lane, chunk);
	}
	if (queue->coming.length + queue->urgent.length == 0)
		queue->floor_lsn = UINT64_MAX;
	if (lane == &queue->coming) {
		let_account_come(queue, reference.account);
		if (reference.decision_lsn < queue->floor_lsn)
			queue->floor_lsn = reference.decision_lsn;
	}
	lane_put(lane, reference);
	queue->length++;
	return 0;
}

/* An ordinary one in its turn, unless it would overtake its own account. */
static bool
ordinary_has_turn(const struct queue *queue)
{
	const struct egress_reference *front = lane_front(&queue->ordinary);

	return front && queue->run >= QUEUE_URGENT_RUN &&
	    queue->urgent_counts[bits_of(front->account)] == 0;
}

const struct egress_reference *
queue_front(struct queue *queue)
{
	if (queue->coming.length > 0)
		let_come(queue);
	queue->next = &queue->ordinary;
	if (queue->urgent.length > 0 && !ordinary_has_turn(queue))
		queue->next = &queue->urgent;
	else if (queue->ordinary.length == 0)
		queue->next = &queue->coming; /* if they could not come */
	return lane_front(queue->next);
}

void
queue_pop(struct queue *queue)
{
	struct queue_lane *lane = queue->next;
	uint32_t account = lane->first->references[lane->head].account;
	bool emptied = lane_pop(queue, lane);

	queue->length--;
	queue->run = lane != &queue->ordinary ? queue->run + 1 : 0;
	queue->unpaid -=
	    queue->unpaid < READ_PER_TAKEN ? queue->unpaid : READ_PER_TAKEN;
	if (lane == &queue->urgent)
		queue->urgent_counts[bits_of(account)]--;
	if (lane == &queue->coming && lane->length == 0)
		forget_coming(queue);
	if (emptied && lane != &queue->ordinary) {
		uint64_t coming_lsn = lane_floor(&queue->coming);
		uint64_t urgent_lsn = lane_floor(&queue->urgent);

		queue->floor_lsn =
		    coming_lsn < urgent_lsn ? coming_lsn : urgent_lsn;
	}
}

bool
queue_front_is_ahead(const struct queue *queue)
{
	return queue->next != &queue->ordinary;
}

bool
queue_has_ahead(const struct queue *queue)
{
	return queue->coming.length + queue->urgent.length > 0;
}

uint64_t
queue_floor(const struct queue *queue)
{
	const struct egress_reference *front = lane_front(&queue->ordinary);
	uint64_t floor = front ? front->decision_lsn : UINT64_MAX;

	if (queue->coming.length + queue->urgent.length > 0 &&
	    queue->floor_lsn < floor)
		floor = queue->floor_lsn;
	return floor;
}

void
queue_each_first(const struct queue *queue, queue_first_fn fn, void *context)
{
	const struct queue_lane *const lanes[] = { &queue->ordinary,
		&queue->coming, &queue->urgent };

	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++)
		if (lane_front(lanes[i]))
			fn(context, lane_front(lanes[i]));
}

void
queue_close(struct queue *queue)
{
	struct queue_lane *const lanes[] = { &queue->ordinary, &queue->coming,
		&queue->urgent };

	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++)
		while (lanes[i]->first)
			lane_drop_first_chunk(queue, lanes[i]);
	free(queue->spare);
	free(queue->urgent_counts);
	memset(queue, 0, sizeof(*queue));
}
