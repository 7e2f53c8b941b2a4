#include "watch/refusals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "journal/own_signal.h"

#define CODE_ACCESS_DENIED "421"     /* Contact ID, docs/OPERATIONS.md */
#define QUIET_US	   600000000 /* none for so long: over */
#define OTHER_ACCOUNT_US   60000000  /* another account's: not before */
#define ACCOUNT_BYTES	   36	     /* longer ones are cut */
#define PEER_BYTES	   64

/* One cause at one listener. */
struct refused {
	struct refused *next;
	const char *cause;
	uint64_t count;	    /* reported last */
	uint64_t before;    /* when it began */
	int64_t changed_us; /* monotonic: when the last one came */
	int64_t told_us;    /* when it was told last; 0: it is over */
	char account[ACCOUNT_BYTES], peer[PEER_BYTES]; /* of the last one */
	char told_account[ACCOUNT_BYTES];
	char what[64]; /* in words */
	char listener[];
};

struct refusal_watch {
	struct journal *journal;
	const struct clock *clock;
	struct refused *first;
};

struct refusal_watch *
refusal_watch_open(struct journal *journal, const struct clock *clock)
{
	struct refusal_watch *watch = calloc(1, sizeof(*watch));

	if (watch)
		*watch = (struct refusal_watch){ journal, clock, NULL };
	return watch;
}

void
refusal_watch_close(struct refusal_watch **ref)
{
	struct refusal_watch *watch = *ref;

	*ref = NULL;
	while (watch && watch->first) {
		struct refused *next = watch->first->next;

		free(watch->first);
		watch->first = next;
	}
	free(watch);
}

static struct refused *
find(struct refusal_watch *watch, const struct watch_refusal *refusal)
{
	struct refused *refused = watch->first;

	while (refused &&
	    (strcmp(refused->cause, refusal->cause) != 0 ||
		strcmp(refused->listener, refusal->listener) != 0))
		refused = refused->next;
	return refused;
}

static struct refused *
add(struct refusal_watch *watch, const struct watch_refusal *refusal)
{
	size_t length = strlen(refusal->listener) + 1;
	struct refused *refused = calloc(1, sizeof(*refused) + length);

	if (!refused)
		return NULL;
	refused->cause = refusal->cause;
	snprintf(refused->what, sizeof(refused->what), "%s", refusal->text);
	memcpy(refused->listener, refusal->listener, length);
	refused->next = watch->first;
	watch->first = refused;
	return refused;
}

void
refusal_watch_report(struct refusal_watch *watch,
    const struct watch_refusal *refusal)
{
	struct refused *refused = find(watch, refusal);

	if (!refused)
		refused = add(watch, refusal);
	if (!refused || refusal->count == refused->count)
		return;
	/* a listener that was opened anew counts from the start */
	if (refusal->count < refused->count)
		refused->before = 0;
	else if (refused->told_us == 0)
		refused->before = refused->count;
	refused->count = refusal->count;
	refused->changed_us = clock_monotonic_us(watch->clock);
	snprintf(refused->account, sizeof(refused->account), "%s",
	    refusal->account);
	snprintf(refused->peer, sizeof(refused->peer), "%s", refusal->peer);
}

static int
journal_refused(struct refusal_watch *watch, const struct refused *refused,
    bool begins, const char *text)
{
	const struct own_signal signal = { .code = CODE_ACCESS_DENIED,
		.begins = begins,
		.zone = "000",
		.text = text };
	uint64_t lsn;
	int result =
	    own_signal_collect(watch->journal, watch->clock, &signal, &lsn);

	journal_wake(watch->journal);
	if (result == 0)
		log_write(begins ? LOG_WARN : LOG_NOTICE, "watch",
		    begins ? "refused" : "refused_no_more",
		    "cause=%s text=\"%s\"", refused->cause, text);
	return result;
}

static void
describe(const struct refused *refused, bool begins, char *out, size_t size)
{
	uint64_t count = refused->count - refused->before;

	if (begins)
		snprintf(out, size, "%.32s refuses %s: %" PRIu64 "%s%s%s%s",
		    refused->listener, refused->what, count,
		    *refused->account ? ", account " : "", refused->account,
		    *refused->peer ? ", from " : "", refused->peer);
	else
		snprintf(out, size,
		    "%.32s refused %s: %" PRIu64 ", none for 10 minutes",
		    refused->listener, refused->what, count);
}

static bool
is_due(const struct refused *refused, int64_t now_us)
{
	if (refused->count == refused->before)
		return false;
	if (refused->told_us == 0)
		return true;
	return refused->changed_us > refused->told_us &&
	    now_us - refused->told_us >= OTHER_ACCOUNT_US &&
	    strcmp(refused->account, refused->told_account) != 0;
}

static void
tell_one(struct refusal_watch *watch, struct refused *refused, int64_t now_us)
{
	bool over =
	    refused->told_us != 0 && now_us - refused->changed_us >= QUIET_US;
	char text[320];

	if (!over && !is_due(refused, now_us))
		return;
	describe(refused, !over, text, sizeof(text));
	if (journal_refused(watch, refused, !over, text) < 0)
		return;
	refused->told_us = over ? 0 : now_us;
	if (over)
		refused->before = refused->count;
	memcpy(refused->told_account, refused->account,
	    sizeof(refused->told_account));
}

void
refusal_watch_tell(struct refusal_watch *watch)
{
	int64_t now_us = clock_monotonic_us(watch->clock);

	for (struct refused *refused = watch->first; refused;
	     refused = refused->next)
		tell_one(watch, refused, now_us);
}
