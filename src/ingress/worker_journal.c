/* What the journal tells a worker: how far it is durable, that it has room
 * again, that it hangs, that it is dead. */
#include <sys/eventfd.h>

#include "ingress/datagram.h"
#include "ingress/reply.h"
#include "ingress/worker.h"

#define SYNC_HANGS_US 10000000 /* architecture: then replies stop */

void
worker_fail(struct worker *worker)
{
	struct slot *slot;

	if (worker->failed)
		return;
	worker->failed = true;
	log_write(LOG_ERROR, "ingress", "journal-dead",
	    "worker=%u stops listening", worker->index);
	reply_release(worker, journal_durable(worker->journal));
	worker_flush(worker);
	TAILQ_FOREACH(slot, &worker->slots, by_worker)
		slot_silence(slot);
	reply_drop_all(worker);
}

/* The disk is full, for a minute or a day: an answer that late could be taken
 * for one to another message. The panel repeats its own. */
static void
forget_replies(struct worker *worker)
{
	reply_release(worker, journal_durable(worker->journal));
	reply_drop_all(worker);
}

void
worker_check_journal(struct worker *worker)
{
	struct journal_status status;

	worker->checked_us = worker->monotonic_us;
	journal_status(worker->journal, &status);
	if (status.failure != 0)
		worker_fail(worker);
	else if (status.refusal == JOURNAL_HOLDING)
		forget_replies(worker);
	worker->mute = status.sync_running_us > SYNC_HANGS_US;
}

static void
resume_all(struct worker *worker)
{
	struct session *session;
	struct slot *slot;

	worker->full = false;
	TAILQ_FOREACH(slot, &worker->slots, by_worker)
		if (slot->datagrams && !worker->full)
			datagrams_resume(slot); /* one batch each */
	while (!worker->full && (session = TAILQ_FIRST(&worker->stalled)))
		session_resume(session);
}

void
worker_durable(evutil_socket_t fd, short what, void *context)
{
	struct worker *worker = context;
	eventfd_t value;
	uint64_t durable;

	(void)what;
	if (eventfd_read(fd, &value) < 0 || worker->failed)
		return;
	/* only now: what becomes durable from here on wakes us again */
	durable = journal_durable(worker->journal);
	worker->clock_read = false; /* latency ends here, not at our wake-up */
	worker_read_clock(worker);
	reply_release(worker, durable);
	if (durable == worker->durable)
		worker_check_journal(worker);
	worker->durable = durable;
	if (worker->full && !worker->failed && !worker->draining)
		resume_all(worker);
}
