#include "journal/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	const uint8_t *data;
	size_t length; /* cut at the limit */
	uint64_t first_lsn;
	uint32_t seed;
	size_t position;
};

static uint64_t
walk_lsn(const struct walk *walk, size_t position)
{
	return walk->first_lsn + (position - SEGMENT_HEADER_BYTES);
}

static size_t
check(const struct walk *walk, size_t position, struct envelope *ret)
{
	size_t left = walk->length - position;
	size_t size = envelope_check(walk->data + position, left, walk->seed,
	    walk_lsn(walk, position), ret);

	return size <= left ? size : 0;
}

/* The next place at which a whole good record stands, or 0. What was lost
 * began with a record, so a hole is never smaller than an envelope. */
static size_t
find_next(const struct walk *walk)
{
	struct envelope ignored;

	for (size_t at = walk->position + ENVELOPE_BYTES;
	     at + ENVELOPE_BYTES <= walk->length; at += 8)
		if (check(walk, at, &ignored) > 0)
			return at;
	return 0;
}

int
scan_add_hole(struct scan *scan, uint64_t start_lsn, uint64_t end_lsn)
{
	struct hole *holes =
	    realloc(scan->holes, (scan->hole_count + 1) * sizeof(*holes));

	if (!holes)
		return -ENOMEM;
	scan->holes = holes;
	holes[scan->hole_count++] = (struct hole){ start_lsn, end_lsn };
	return 0;
}

static void
note(struct scan *scan, const struct envelope *envelope)
{
	scan->crc_known = envelope->kind != ENVELOPE_GAP;
	scan->last_crc = envelope->crc;
	scan->ended = envelope->kind == ENVELOPE_END;
	if (scan->crc_known && !scan->ended)
		scan->records++;
	if (envelope->boot > scan->last_boot)
		scan->last_boot = envelope->boot;
}

static bool
chained(const struct scan *scan, const struct envelope *envelope)
{
	return envelope->kind == ENVELOPE_GAP || !scan->crc_known ||
	    envelope->previous_crc == scan->last_crc;
}

int
scan_segment(const uint8_t *data, size_t length, uint64_t first_lsn,
    uint64_t limit_lsn, scan_record *each, void *user, struct scan *ret)
{
	struct walk walk = { data, length, first_lsn, envelope_seed(first_lsn),
		SEGMENT_HEADER_BYTES };
	int result = 0;

	*ret = (struct scan){ .end_lsn = first_lsn };
	if (length < SEGMENT_HEADER_BYTES)
		return 0;
	ret->header_copies = segment_header_decode(data, &ret->header);
	if (ret->header_copies > 0 && ret->header.first_lsn != first_lsn)
		ret->header_copies = 0;
	ret->crc_known = ret->header_copies > 0;
	ret->last_crc = ret->header.previous_crc;
	if (limit_lsn - first_lsn < length - SEGMENT_HEADER_BYTES)
		walk.length = SEGMENT_HEADER_BYTES + (limit_lsn - first_lsn);
	while (walk.position < walk.length && !ret->ended) {
		struct envelope envelope;
		size_t size = check(&walk, walk.position, &envelope), next;

		if (size > 0 && chained(ret, &envelope)) {
			note(ret, &envelope);
			if (each)
				each(user, &envelope, data + walk.position,
				    size);
			walk.position += size;
			continue;
		}
		next = find_next(&walk);
		if (next == 0)
			break;
		result = scan_add_hole(ret, walk_lsn(&walk, walk.position),
		    walk_lsn(&walk, next));
		if (result < 0)
			break;
		ret->crc_known = false;
		walk.position = next;
	}
	ret->end_lsn = walk_lsn(&walk, walk.position);
	if (result < 0)
		scan_close(ret);
	return result;
}

void
scan_close(struct scan *scan)
{
	free(scan->holes);
	scan->holes = NULL;
	scan->hole_count = 0;
}
