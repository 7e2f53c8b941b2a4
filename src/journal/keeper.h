/*
 * The housekeeper thread: keeps one spare segment ready, so that the writer
 * never waits for zeros, and removes segments that nobody needs.
 */
#ifndef JOURNAL_KEEPER_H
#define JOURNAL_KEEPER_H

#include "journal/internal.h"

int journal_keeper_start(struct journal *journal, struct err *err);
void journal_keeper_stop(struct journal *journal);

/* Writer thread: wait for the spare and take it. 0 with the descriptor (the
 * file is still named spare, in *ret_directory), or -errno. */
int journal_keeper_take(struct journal *journal, int *ret_fd,
    unsigned *ret_directory);
/* Writer thread: the file taken has its own name now, or is gone for the reason
 * of this result (0 or -errno). */
void journal_keeper_release(struct journal *journal, int result);
/* Writer thread: wait until there is room for a spare, or no hope for it (then
 * journal_keeper_take says why). False: the journal closes, wait no longer. */
bool journal_keeper_await(struct journal *journal);
/* Any thread: the journal closes; ends that waiting. */
void journal_keeper_hurry(struct journal *journal);
/* Writer thread: a file failed: new ones in the other directory, if any. */
void journal_keeper_turn(struct journal *journal);

#endif
