/* A journal in a directory of its own, and records that can be told apart. */
#ifndef TEST_JOURNAL_FIXTURE_H
#define TEST_JOURNAL_FIXTURE_H

#include "journal/journal.h"

#define SEGMENT_BYTES 65536u
#define PAYLOAD_BYTES 1000u

struct fixture {
	char directory[64];
	struct journal_config config;
	struct journal *journal;
	const struct io *io;
	int event_fd;
	/* smaller than a setting may be; 0: as in config */
	uint64_t segment_bytes;
};

int fixture_setup(void **state);
/* On a disk in memory where there is one: for very many files. */
int fixture_setup_in_memory(void **state);
int fixture_teardown(void **state);
/* Remove the files, not the directory. */
void fixture_empty_directory(const char *directory);
/* Open and start; a failure fails the test. */
void fixture_open(struct fixture *f);
/* Until the record at lsn is durable. */
void fixture_wait(struct fixture *f, uint64_t lsn);
/* The number, then bytes that follow from it; returns the length. */
size_t fixture_payload(uint64_t number, char *out);
/* Tries again while the batch is full. */
uint64_t fixture_append(struct fixture *f, enum journal_kind kind,
    uint64_t number);
void fixture_assert_entry(const struct journal_entry *entry, uint64_t number);
/* Everything from the oldest on must be numbers 0.. in order, with boots
 * between them; how many. */
uint64_t fixture_count(struct fixture *f);

#endif
