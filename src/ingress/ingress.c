#include "ingress/ingress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "ingress/internal.h"
#include "ingress/tls_server.h"

/* What a reload does, prepared by the main thread, applied by each worker. */
struct change {
	struct settings *settings;
	struct listener **listeners; /* in the order of the settings */
	bool *kept;		     /* of the present listeners */
};

/* ---- preparing ---------------------------------------------------------------- */

static struct listener *
keep_listener(struct ingress *ingress, struct change *change,
    const struct ingress_listener_config *config)
{
	for (unsigned i = 0; i < ingress->listener_count; i++)
		if (settings_same_socket(ingress->listeners[i]->config,
			config)) {
			change->kept[i] = true;
			return ingress->listeners[i];
		}
	return NULL;
}

static bool
is_present(const struct ingress *ingress, const struct listener *listener)
{
	for (unsigned i = 0; i < ingress->listener_count; i++)
		if (ingress->listeners[i] == listener)
			return true;
	return false;
}

static void
abandon(struct ingress *ingress, struct change *change)
{
	unsigned count = change->settings ? change->settings->count : 0;

	for (unsigned i = 0; change->listeners && i < count; i++)
		if (!is_present(ingress, change->listeners[i]))
			listener_close(&change->listeners[i]);
	free(change->listeners);
	free(change->kept);
	settings_close(&change->settings);
}

static int
prepare(struct ingress *ingress, const struct ingress_config *config,
    struct change *change, struct err *err)
{
	int result = settings_make(&change->settings, config, err);

	if (result < 0)
		return result;
	change->listeners =
	    calloc(change->settings->count + 1, sizeof(struct listener *));
	change->kept = calloc(ingress->listener_count + 1, sizeof(bool));
	if (!change->listeners || !change->kept)
		return err_set(err, -ENOMEM, "no memory for the listeners");
	for (unsigned i = 0; i < change->settings->count && result == 0; i++) {
		const struct ingress_listener_config *wanted =
		    &change->settings->listeners[i];

		change->listeners[i] = keep_listener(ingress, change, wanted);
		if (!change->listeners[i])
			result = listener_open(&change->listeners[i], wanted,
			    ingress->workers, ingress->worker_count, err);
	}
	return result;
}

/* ---- applying ------------------------------------------------------------------- */

struct application {
	struct ingress *ingress;
	const struct change *change;
};

/* On the worker: let go what goes, then attach what is new. */
static void
apply(struct worker *worker, void *context)
{
	const struct application *application = context;
	const struct change *change = application->change;
	const struct ingress *ingress = application->ingress;

	for (unsigned i = 0; i < ingress->listener_count; i++)
		if (!change->kept[i])
			slot_detach(&ingress->listeners[i]
					 ->slots[worker->index]);
	for (unsigned i = 0; i < change->settings->count; i++) {
		struct slot *slot = &change->listeners[i]->slots[worker->index];

		slot_configure(slot, &change->settings->listeners[i],
		    change->settings->tls[i]);
		if (!slot->attached)
			slot_attach(slot);
	}
}

static void
show_in_force(const struct change *change, unsigned index)
{
	const struct settings *settings = change->settings;

	change->listeners[index]->config = &settings->listeners[index];
	if (settings->tls[index])
		tls_server_log(settings->tls[index],
		    settings->listeners[index].name);
}

static void
commit(struct ingress *ingress, struct change *change)
{
	struct application application = { ingress, change };
	struct settings *old = ingress->settings;

	for (unsigned i = 0; i < ingress->worker_count; i++)
		worker_call(ingress->workers[i], apply, &application);
	for (unsigned i = 0; i < change->settings->count; i++)
		show_in_force(change, i);
	for (unsigned i = 0; i < ingress->listener_count; i++)
		if (!change->kept[i])
			listener_close(&ingress->listeners[i]);
	free(ingress->listeners);
	free(change->kept);
	ingress->listeners = change->listeners;
	ingress->listener_count = change->settings->count;
	ingress->settings = change->settings;
	settings_close(&old);
}

int
ingress_reload(struct ingress *ingress, const struct ingress_config *config,
    struct err *err)
{
	struct change change = { NULL, NULL, NULL };
	int result;

	pthread_mutex_lock(&ingress->lock);
	result = prepare(ingress, config, &change, err);
	if (result < 0)
		abandon(ingress, &change);
	else
		commit(ingress, &change);
	pthread_mutex_unlock(&ingress->lock);
	return result;
}

/* ---- life ------------------------------------------------------------------------- */

static int
open_workers(struct ingress *ingress, unsigned count, struct err *err)
{
	int result = 0;

	ingress->workers = calloc(count, sizeof(struct worker *));
	if (!ingress->workers)
		return err_set(err, -ENOMEM, "no memory for the workers");
	for (unsigned i = 0; i < count && result == 0; i++) {
		const struct worker_setup setup = { .index = i,
			.journal = ingress->journal,
			.directory = ingress->directory,
			.clock = ingress->clock };

		result = worker_open(&ingress->workers[i], &setup, err);
		if (result == 0)
			ingress->worker_count++;
	}
	return result;
}

static int
start_workers(struct ingress *ingress, struct err *err)
{
	int result = 0;

	for (unsigned i = 0; i < ingress->worker_count && result == 0; i++)
		result = worker_start(ingress->workers[i], err);
	return result;
}

int
ingress_open(struct ingress **ret, const struct ingress_config *config,
    struct journal *journal, struct directory *directory,
    const struct clock *clock, struct err *err)
{
	struct ingress *ingress = calloc(1, sizeof(*ingress));
	int result;

	if (!ingress)
		return err_set(err, -ENOMEM, "no memory for the listeners");
	pthread_mutex_init(&ingress->lock, NULL);
	ingress->journal = journal;
	ingress->directory = directory;
	ingress->clock = clock;
	result = open_workers(ingress,
	    config->workers > 0 ? config->workers : thread_default_count(),
	    err);
	if (result == 0)
		result = ingress_reload(ingress, config, err);
	if (result == 0)
		result = start_workers(ingress, err);
	if (result < 0) {
		ingress_close(&ingress);
		return result;
	}
	*ret = ingress;
	return 0;
}

void
ingress_settled(struct ingress *ingress, uint64_t lsn)
{
	for (unsigned i = 0; i < ingress->worker_count; i++)
		worker_settled(ingress->workers[i], lsn);
}

static void
begin_drain(struct worker *worker, void *context)
{
	struct slot *slot;

	(void)context;
	worker->draining = true;
	TAILQ_FOREACH(slot, &worker->slots, by_worker)
		slot_quiesce(slot);
}

void
ingress_drain(struct ingress *ingress, int64_t timeout_us)
{
	int64_t deadline_us = clock_monotonic_us(&clock_system) + timeout_us;
	unsigned left = 0;

	pthread_mutex_lock(&ingress->lock);
	for (unsigned i = 0; i < ingress->worker_count; i++)
		worker_call(ingress->workers[i], begin_drain, NULL);
	for (unsigned i = 0; i < ingress->worker_count; i++)
		if (!worker_wait_drained(ingress->workers[i], deadline_us))
			left++;
	pthread_mutex_unlock(&ingress->lock);
	if (left > 0)
		log_write(LOG_WARN, "ingress", "drain-incomplete",
		    "workers=%u: their panels will repeat", left);
}

static void
detach_all(struct worker *worker, void *context)
{
	struct slot *slot;

	(void)context;
	while ((slot = TAILQ_FIRST(&worker->slots)))
		slot_detach(slot);
}

void
ingress_close(struct ingress **ingress)
{
	struct ingress *old = *ingress;

	*ingress = NULL;
	if (!old)
		return;
	for (unsigned i = 0; i < old->worker_count; i++) {
		worker_call(old->workers[i], detach_all, NULL);
		worker_close(&old->workers[i]);
	}
	for (unsigned i = 0; i < old->listener_count; i++)
		listener_close(&old->listeners[i]);
	free(old->listeners);
	free(old->workers);
	settings_close(&old->settings);
	pthread_mutex_destroy(&old->lock);
	free(old);
}
