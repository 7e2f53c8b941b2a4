/*
 * journal_appender append DIR   append for ever; a line "NUMBER LSN" for each
 *                               record once it is durable
 * journal_appender read DIR     the same lines for what is there
 * journal_appender rate DIR SECONDS
 *                               records of 200 bytes made durable per second
 *                               beside a bare loop that writes and syncs
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/exit.h"
#include "journal/journal.h"

#define PAYLOAD_BYTES	  200u
#define RECORD_BYTES	  248u /* with its envelope */
#define PENDING_MAX	  256u
#define BUDGET_BYTES	  (512u << 20)
#define BARE_FILE_BYTES	  (64u << 20)
#define MICROS_PER_SECOND 1000000

static int
complain(const char *what, const char *why)
{
	fprintf(stderr, "journal_appender: %s: %s\n", what, why);
	return EXIT_STATUS_FAILED;
}

static int
open_journal(const char *directory, bool read_only, uint64_t segment_bytes,
    int event_fd, struct journal **ret)
{
	struct journal_config config = { .node = read_only ? NULL : "crash",
		.directory = directory,
		.segment_bytes = segment_bytes,
		.budget_bytes = BUDGET_BYTES,
		.read_only = read_only };
	struct err err = { "" };

	if (journal_open(ret, &config, &io_system, &clock_system, &err) < 0)
		return complain(directory, err.text);
	if (read_only ||
	    (journal_subscribe(*ret, event_fd) == 0 &&
		journal_start(*ret, &err) == 0))
		return 0;
	journal_close(ret);
	return complain(directory, err.text);
}

static void
wait_batch(int event_fd)
{
	struct pollfd wait = { event_fd, POLLIN, 0 };
	uint64_t count;

	if (poll(&wait, 1, -1) == 1 &&
	    read(event_fd, &count, sizeof(count)) != sizeof(count))
		abort();
}

/* Up to PENDING_MAX appended, then told when they are durable. */
static int
append_for_ever(struct journal *journal, int event_fd)
{
	uint8_t payload[PAYLOAD_BYTES] = { 0 };
	uint64_t lsns[PENDING_MAX], number = 0, told = 0;
	struct journal_status status;

	journal_hold(journal, JOURNAL_HOLDER_DISPATCH, 1);
	for (;;) {
		int result = 0;

		while (result == 0 && number - told < PENDING_MAX) {
			memcpy(payload, &number, sizeof(number));
			result = journal_append(journal, JOURNAL_SIGNAL, 0, 0,
			    slice_of(payload, sizeof(payload)),
			    &lsns[number % PENDING_MAX]);
			number += result == 0;
		}
		wait_batch(event_fd);
		while (told < number &&
		    lsns[told % PENDING_MAX] < journal_durable(journal)) {
			printf("%" PRIu64 " %" PRIu64 "\n", told,
			    lsns[told % PENDING_MAX]);
			told++;
		}
		fflush(stdout);
		journal_status(journal, &status);
		if (status.failure != 0)
			return complain("the journal failed",
			    status.failure_text);
	}
}

static int
read_all(struct journal *journal)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct journal_status status;
	struct err err = { "" };
	int result = journal_cursor_open(&cursor, journal, 0, &err);

	if (result < 0)
		return complain("read", err.text);
	while ((result = journal_cursor_next(cursor, &entry, &err)) == 1) {
		uint64_t number;

		if (entry.kind != JOURNAL_SIGNAL)
			continue;
		memcpy(&number, entry.payload.data, sizeof(number));
		printf("%" PRIu64 " %" PRIu64 "\n", number, entry.lsn);
	}
	journal_cursor_close(&cursor);
	journal_status(journal, &status);
	if (result < 0)
		return complain("read", err.text);
	if (status.quarantined > 0)
		return complain("read", "a segment is damaged");
	return EXIT_STATUS_OK;
}

/* ---- rate -------------------------------------------------------------------- */

static double
journal_rate(struct journal *journal, int event_fd, int64_t duration_us)
{
	char payload[PAYLOAD_BYTES] = { 0 };
	int64_t started_us = clock_monotonic_us(&clock_system), now_us;
	uint64_t records = 0, lsn = 0;

	do {
		int result = journal_append(journal, JOURNAL_SIGNAL, 0, 0,
		    slice_of(payload, sizeof(payload)), &lsn);

		if (result == 0)
			records++;
		else if (result == -EAGAIN)
			wait_batch(event_fd);
		else
			return 0;
		now_us = clock_monotonic_us(&clock_system);
	} while (now_us - started_us < duration_us);
	while (journal_durable(journal) <= lsn)
		wait_batch(event_fd);
	now_us = clock_monotonic_us(&clock_system);
	return (double)records * MICROS_PER_SECOND /
	    (double)(now_us - started_us);
}

/* Batches of the same size into a file that was written before. */
static double
bare_rate(const char *directory, int64_t duration_us, size_t record_bytes,
    size_t batch_bytes)
{
	char path[4096], *batch = calloc(1, batch_bytes);
	int64_t started_us, now_us = 0;
	uint64_t written = 0;
	off_t at = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/bare", directory);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || !batch)
		abort();
	for (; at < (off_t)BARE_FILE_BYTES; at += (off_t)batch_bytes)
		if (pwrite(fd, batch, batch_bytes, at) != (ssize_t)batch_bytes)
			abort();
	fsync(fd);
	at = 0;
	started_us = clock_monotonic_us(&clock_system);
	do {
		if (pwrite(fd, batch, batch_bytes, at) !=
			(ssize_t)batch_bytes ||
		    fdatasync(fd) < 0)
			abort();
		written += batch_bytes;
		at = at + (off_t)batch_bytes < (off_t)BARE_FILE_BYTES
		    ? at + (off_t)batch_bytes
		    : 0;
		now_us = clock_monotonic_us(&clock_system);
	} while (now_us - started_us < duration_us);
	close(fd);
	unlink(path);
	free(batch);
	return (double)(written / record_bytes) * MICROS_PER_SECOND /
	    (double)(now_us - started_us);
}

/* Nanoseconds for each record that a cursor reads. */
static double
cursor_cost(struct journal *journal)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	uint64_t records = 0;
	int64_t started_us = clock_monotonic_us(&clock_system);

	if (journal_cursor_open(&cursor, journal, 0, NULL) < 0)
		return 0;
	while (journal_cursor_next(cursor, &entry, NULL) == 1)
		records++;
	journal_cursor_close(&cursor);
	return (double)(clock_monotonic_us(&clock_system) - started_us) * 1000 /
	    (double)records;
}

static int
measure(struct journal *journal, const char *directory, int event_fd,
    int seconds)
{
	int64_t duration_us = (int64_t)seconds * MICROS_PER_SECOND;
	double ours = journal_rate(journal, event_fd, duration_us), bare;
	struct journal_status status;
	size_t batch_bytes;

	journal_status(journal, &status);
	batch_bytes = (size_t)(status.records * RECORD_BYTES / status.batches);
	bare = bare_rate(directory, duration_us, RECORD_BYTES, batch_bytes);
	printf("journal %.0f records/s in batches of %zu bytes, "
	       "bare loop %.0f, ratio %.2f\n",
	    ours, batch_bytes, bare, ours / bare);
	printf("cursor %.0f ns per record\n", cursor_cost(journal));
	return EXIT_STATUS_OK;
}

int
main(int argc, char **argv)
{
	const char *verb = argc >= 3 ? argv[1] : "";
	bool rate = strcmp(verb, "rate") == 0 && argc == 4;
	bool reading = strcmp(verb, "read") == 0;
	int event_fd = eventfd(0, EFD_CLOEXEC), result;
	struct journal *journal;

	if (!rate && !reading && strcmp(verb, "append") != 0) {
		fputs("usage: journal_appender append|read DIR | "
		      "rate DIR SECONDS\n",
		    stderr);
		return EXIT_STATUS_USAGE;
	}
	result = open_journal(argv[2], reading, rate ? 64u << 20 : 1u << 20,
	    event_fd, &journal);
	if (result != 0)
		return result;
	if (rate)
		result = measure(journal, argv[2], event_fd, atoi(argv[3]));
	else
		result = reading ? read_all(journal)
				 : append_for_ever(journal, event_fd);
	journal_close(&journal);
	return result;
}
