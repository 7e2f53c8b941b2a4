/*
 * The writer thread: takes the batch that was collected, seals every record,
 * writes, syncs, moves durable, signals.
 */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H

#include "journal/internal.h"

int journal_writer_start(struct journal *journal, struct err *err);
/* Writes what was appended, then ends. */
void journal_writer_stop(struct journal *journal);

#endif
