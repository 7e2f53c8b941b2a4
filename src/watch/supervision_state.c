/* What was told, over a restart: a function of the journal. The checkpoint
 * shortens its replay, and is written only when all that it says was told is
 * durable. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/cursor.h"
#include "base/io.h"
#include "base/log.h"
#include "journal/own_signal.h"
#include "journal/record.h"
#include "watch/supervision_internal.h"

#define MAGIC	   0x31505553u /* "SUP1" */
#define HEAD_BYTES (4 + HASH_KEY_BYTES + 8 + 1 + 4)
#define ROW_BYTES  (8 + 1)
#define ROWS_MAX   (64u << 20)

static void
make_path(const struct supervision *s, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/supervision", s->config.state_directory);
}

/* ---- writing ---- */

/* A bridge that is told of, or was and is not looked at yet. */
static size_t
write_rows(const struct supervision *s, struct writer *w)
{
	size_t count = 0;

	for (uint32_t slot = 1; slot < s->wheel.size; slot++) {
		const struct timer_wheel_entry *entry = &s->wheel.entries[slot];
		uint64_t id =
		    entry->told ? presence_bridge(s->presence, slot) : 0;

		/* the slot may be another's by now */
		if (id == 0 ||
		    presence_generation(s->presence, slot) != entry->generation)
			continue;
		count++;
		if (!w)
			continue;
		writer_u64(w, id);
		writer_u8(w, entry->told);
	}
	return count;
}

void
supervision_save(struct supervision *s)
{
	uint64_t durable = journal_durable(s->journal);
	char path[PATH_MAX];
	struct writer w;
	size_t count, size;
	uint8_t *data;

	if (!s->config.state_directory || !s->settled || s->own_lsn >= durable)
		return;
	s->saved_us = clock_monotonic_us(s->clock);
	count = write_rows(s, NULL);
	size = HEAD_BYTES + count * ROW_BYTES + 4;
	data = malloc(size);
	if (!data)
		return;
	w = writer_open(data, size);
	writer_u32(&w, MAGIC);
	writer_bytes(&w, journal_hash_key(s->journal)->bytes, HASH_KEY_BYTES);
	writer_u64(&w, durable);
	writer_u8(&w, s->incident_told);
	writer_u32(&w, (uint32_t)count);
	write_rows(s, &w);
	writer_u32(&w, crc32c(0, data, writer_length(&w)));
	make_path(s, path);
	if (io_swap_file(path, data, writer_length(&w)) < 0)
		log_write(LOG_WARN, "watch", "checkpoint_failed",
		    "file=%s effect=\"the next start replays more\"", path);
	free(data);
}

/* ---- reading ---- */

static uint64_t
decode(struct supervision *s, struct reader *r)
{
	uint32_t magic = reader_u32(r);
	struct slice key = reader_bytes(r, HASH_KEY_BYTES);
	uint64_t lsn = reader_u64(r);
	bool incident = reader_u8(r);
	uint32_t count = reader_u32(r);

	if (r->failed || magic != MAGIC || count > ROWS_MAX ||
	    memcmp(key.data, journal_hash_key(s->journal)->bytes,
		HASH_KEY_BYTES) != 0)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t id = reader_u64(r);

		if (told_put(&s->recovered, id, reader_u8(r)) < 0)
			return 0;
	}
	s->incident_told = incident;
	return r->failed ? 0 : lsn;
}

/* Where the replay begins; 0: at the oldest record, nothing is known. */
static uint64_t
read_checkpoint(struct supervision *s)
{
	char path[PATH_MAX];
	uint64_t lsn = 0;
	void *data = NULL;
	ssize_t length;

	make_path(s, path);
	length = io_load_file(path,
	    HEAD_BYTES + (size_t)ROWS_MAX * ROW_BYTES + 4, &data);
	if (length >= HEAD_BYTES + 4) {
		struct reader r = reader_open(data, (size_t)length - 4);
		struct reader tail =
		    reader_open((const uint8_t *)data + length - 4, 4);

		if (reader_u32(&tail) == crc32c(0, data, (size_t)length - 4))
			lsn = decode(s, &r);
	}
	free(data);
	if (lsn > journal_durable(s->journal))
		lsn = 0; /* of a future that did not become durable */
	if (lsn == 0) {
		told_close(&s->recovered);
		s->incident_told = false;
	}
	return lsn;
}

/* ---- replay ---- */

static uint8_t
bit_of(const struct signal_event *event)
{
	if (strcmp(event->code, SUPERVISION_CODE_BRIDGE) == 0)
		return TOLD_OFFLINE;
	if (strcmp(event->code, SUPERVISION_CODE_PATH) == 0)
		return slice_is(event->zone, "002") ? TOLD_PATH << 1
						    : TOLD_PATH;
	return 0;
}

static int
apply(struct supervision *s, const struct record_signal *record)
{
	const struct signal_event *event = &record->signal.events[0];
	uint8_t bit = record->signal.event_count == 1 ? bit_of(event) : 0;
	bool begins = event->qualifier == SIGNAL_QUALIFIER_NEW;
	uint8_t told = told_get(&s->recovered, record->bridge_id);

	if (bit == 0)
		return 0;
	if (record->bridge_id == 0) {
		s->incident_told = begins;
		return 0;
	}
	return told_put(&s->recovered, record->bridge_id,
	    begins ? told | bit : told & (uint8_t)~bit);
}

static int
replay(struct supervision *s, uint64_t lsn, struct err *err)
{
	struct journal_cursor *cursor;
	struct record_signal record;
	struct journal_entry entry;
	struct journal_status status;
	int result;

	journal_status(s->journal, &status);
	if (lsn < status.oldest_lsn)
		lsn = 0;
	result = journal_cursor_open(&cursor, s->journal, lsn, err);
	if (result < 0)
		return result;
	while ((result = journal_cursor_next(cursor, &entry, err)) == 1) {
		if (entry.kind != JOURNAL_SIGNAL ||
		    record_signal_decode(entry.payload, &record, NULL) < 0 ||
		    record.signal.protocol != SIGNAL_PROTOCOL_INTERNAL)
			continue;
		result = apply(s, &record);
		if (result < 0) {
			err_set(err, result, "no memory for the supervision");
			break;
		}
	}
	journal_cursor_close(&cursor);
	return result;
}

static uint64_t
count_offline(const struct told_table *table)
{
	uint64_t count = 0;

	for (size_t i = 0; i < table->size; i++)
		count += (table->places[i].bits & TOLD_OFFLINE) != 0;
	return count;
}

int
supervision_recover(struct supervision *s, struct err *err)
{
	uint64_t lsn = s->config.state_directory ? read_checkpoint(s) : 0;
	int result = replay(s, lsn, err);

	if (result < 0)
		return result;
	if (s->incident_told)
		incident_resume(&s->incident, count_offline(&s->recovered));
	return 0;
}
