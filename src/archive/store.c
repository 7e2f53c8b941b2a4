#include "archive/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

int
archive_store_position(struct db *db, const char *node, uint64_t *ret_lsn,
    struct err *err)
{
	const char *values[] = { node };
	int code;
	PGresult *result = db_query(db,
	    "SELECT lsn FROM tocsin.archive_position WHERE node = $1", 1,
	    values, &code, err);

	if (!result)
		return code;
	*ret_lsn = PQntuples(result) > 0
	    ? strtoull(PQgetvalue(result, 0, 0), NULL, 10)
	    : 0;
	PQclear(result);
	return 0;
}

static int
run(struct db *db, const char *sql, int count, const char *const *values,
    struct err *err)
{
	int code;
	PGresult *result = db_query(db, sql, count, values, &code, err);

	if (!result)
		return code;
	PQclear(result);
	return 0;
}

/* Moves on only from where this batch began: two archives of one node (a
 * second daemon by mistake) cannot both store. */
static int
move_position(struct db *db, const char *node, uint64_t begin_lsn,
    uint64_t end_lsn, struct err *err)
{
	char begin[24], end[24];
	const char *values[] = { node, end, begin };
	bool moved;
	int code;
	PGresult *result;

	snprintf(begin, sizeof(begin), "%" PRIu64, begin_lsn);
	snprintf(end, sizeof(end), "%" PRIu64, end_lsn);
	result = db_query(db,
	    "INSERT INTO tocsin.archive_position AS p (node, lsn) "
	    "VALUES ($1, $2::bigint) ON CONFLICT (node) DO UPDATE "
	    "SET lsn = EXCLUDED.lsn WHERE p.lsn = $3::bigint RETURNING lsn",
	    3, values, &code, err);
	if (!result)
		return code;
	moved = PQntuples(result) == 1;
	PQclear(result);
	return moved ? 0
		     : err_set(err, -EIO,
			   "the archive position of node %s was moved by "
			   "somebody else",
			   node);
}

static int
ensure_partitions(struct db *db, const struct archive_batch *batch,
    struct err *err)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	const char *values[] = { from, to };

	if (batch->first_us == 0)
		return 0;
	clock_format(batch->oldest_us, from);
	clock_format(batch->newest_us, to);
	from[10] = to[10] = '\0'; /* the date */
	return run(db, "SELECT tocsin.ensure_partitions($1::date, $2::date)", 2,
	    values, err);
}

static int
copy_rows(struct db *db, const struct archive_batch *batch, struct err *err)
{
	int result = 0;

	if (batch->event_count > 0)
		result = db_copy_in(db,
		    "COPY tocsin.event (node, lsn, item, boot, received_at, "
		    "listener, peer, protocol, sender_receiver, sender_line, "
		    "sender_account, sequence, encrypted, format, code, "
		    "qualifier, partition, zone, user_number, text, "
		    "occurred_at, raw, dealer_id, site_id, bridge_id, "
		    "channel_id, verdict, reason, flags, decision_lsn, "
		    "delivery_count, ack_level) FROM STDIN",
		    &batch->events, err);
	if (result == 0 && batch->conclusion_count > 0)
		result = db_copy_in(db,
		    "COPY tocsin.event_conclusion (node, lsn, item, "
		    "concluded_at, verdict, reason, flags, decision_lsn, "
		    "delivery_count) FROM STDIN",
		    &batch->conclusions, err);
	if (result == 0 && batch->delivery_count > 0)
		result = db_copy_in(db,
		    "COPY tocsin.delivery (node, decision_lsn, delivery_index, "
		    "signal_lsn, item, received_at, receiver_id, number, "
		    "account, format, code, qualifier, partition, zone) "
		    "FROM STDIN",
		    &batch->deliveries, err);
	if (result == 0 && batch->outcome_count > 0)
		result = db_copy_in(db,
		    "COPY tocsin.delivery_outcome (node, outcome_lsn, "
		    "decision_lsn, delivery_index, signal_lsn, item, "
		    "receiver_id, state, attempts, repeated, endpoint, reason, "
		    "finished_at) FROM STDIN",
		    &batch->outcomes, err);
	return result;
}

/* Class 22 (data exception) and 23 (constraint): the rows are to blame. */
static int
blame(const struct db *db, int result)
{
	const char *state = db_sqlstate(db);

	if (result == -EIO && state[0] == '2' &&
	    (state[1] == '2' || state[1] == '3'))
		return -EINVAL;
	return result;
}

static int
finish(struct db *db, int result, struct err *err)
{
	if (result == 0)
		return db_execute(db, "COMMIT", err);
	result = blame(db, result);
	if (result != -ENOTCONN && db_execute(db, "ROLLBACK", NULL) < 0)
		return -ENOTCONN;
	return result;
}

int
archive_store_batch(struct db *db, const char *node,
    const struct archive_batch *batch, struct err *err)
{
	int result = db_execute(db, "BEGIN", err);

	if (result < 0)
		return result;
	result = ensure_partitions(db, batch, err);
	if (result == 0)
		result = copy_rows(db, batch, err);
	if (result == 0)
		result = move_position(db, node, batch->begin_lsn,
		    batch->end_lsn, err);
	return finish(db, result, err);
}

int
archive_store_quarantine(struct db *db, const char *node, uint64_t begin_lsn,
    const struct journal_entry *entry, const char *reason, struct err *err)
{
	char lsn[24], kind[12];
	char *hex = malloc(2 * entry->payload.length + 3);
	const char *values[] = { node, lsn, kind, reason, hex };
	int result;

	if (!hex)
		return err_set(err, -ENOMEM, "no memory for a record");
	memcpy(hex, "\\x", 2);
	text_hex_encode(entry->payload.data, entry->payload.length, hex + 2);
	snprintf(lsn, sizeof(lsn), "%" PRIu64, entry->lsn);
	snprintf(kind, sizeof(kind), "%d", (int)entry->kind);
	result = db_execute(db, "BEGIN", err);
	if (result == 0) {
		result = run(db,
		    "INSERT INTO tocsin.archive_quarantine (node, lsn, kind, "
		    "reason, payload) VALUES ($1, $2::bigint, $3::int, $4, "
		    "$5::bytea)",
		    5, values, err);
		if (result == 0)
			result = move_position(db, node, begin_lsn,
			    entry->next_lsn, err);
		result = finish(db, result, err);
	}
	free(hex);
	return result;
}
