/* The links by receiver, and what the directory says about them. */
#include <errno.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "egress/internal.h"

int
egress_open(struct egress **ret, struct event_base *base,
    const struct egress_config *config, struct directory *directory,
    const struct clock *clock, const struct egress_callbacks *callbacks,
    struct err *err)
{
	struct egress *egress = calloc(1, sizeof(*egress));
	int code;

	if (!egress)
		return err_set(err, -ENOMEM, "out of memory");
	/* of the process, once: before any thread uses it */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		free(egress);
		return err_set(err, -ENOMEM, "cannot prepare libcurl");
	}
	egress->base = base;
	egress->config = *config;
	egress->directory = directory;
	egress->clock = clock;
	egress->callbacks = *callbacks;
	egress->tls.directory = egress->config.certificates;
	code = dc09_crypto_open(&egress->crypto, err);
	if (code < 0) {
		egress_close(&egress);
		return code;
	}
	*ret = egress;
	return 0;
}

void
egress_close(struct egress **egress)
{
	struct egress *closing = *egress;

	*egress = NULL;
	if (!closing)
		return;
	for (size_t i = 0; i < closing->count; i++)
		link_close(&closing->links[i]);
	free(closing->links);
	if (closing->dns) {
		/* what was cancelled is let go of in a turn of the loop */
		event_base_loop(closing->base, EVLOOP_NONBLOCK);
		evdns_base_free(closing->dns, 0);
	}
	dc09_crypto_close(&closing->crypto);
	tls_client_close(&closing->tls);
	json_close(&closing->json);
	free(closing);
}

/* ---- links by receiver id ------------------------------------------------------- */

/* Where the link of this receiver is, or would be. */
static size_t
link_place(const struct egress *egress, uint64_t receiver_id)
{
	size_t low = 0, high = egress->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (egress->links[middle]->receiver_id < receiver_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The link, made when new (in state removed); NULL: out of memory. */
static struct link *
link_of(struct egress *egress, uint64_t receiver_id)
{
	size_t place = link_place(egress, receiver_id);
	struct link *link;

	if (place < egress->count &&
	    egress->links[place]->receiver_id == receiver_id)
		return egress->links[place];
	if (egress->count == egress->size) {
		size_t size = egress->size ? 2 * egress->size : 16;
		struct link **links =
		    realloc(egress->links, size * sizeof(links[0]));

		if (!links)
			return NULL;
		egress->links = links;
		egress->size = size;
	}
	if (link_open(&link, egress, receiver_id) < 0)
		return NULL;
	memmove(egress->links + place + 1, egress->links + place,
	    (egress->count - place) * sizeof(link));
	egress->links[place] = link;
	egress->count++;
	return link;
}

/* ---- as the directory says -------------------------------------------------------- */

static void
sync_receiver(void *context, const struct directory_receiver *receiver)
{
	struct egress *egress = context;
	struct link *link = link_of(egress, receiver->id);
	const struct directory_receiver *latest;
	struct directory_receiver *copy;

	if (!link) {
		log_write(LOG_ERROR, "link", "open_failed",
		    "name=\"%s\" error=\"out of memory\"", receiver->name);
		return;
	}
	link->listed = true;
	latest = link->next_settings ? link->next_settings : link->settings;
	if (latest && settings_equal(latest, receiver))
		return;
	copy = settings_copy(receiver);
	if (!copy) {
		log_write(LOG_ERROR, "link", "settings_failed",
		    "name=\"%s\" error=\"out of memory\"", receiver->name);
		return;
	}
	free(link->next_settings);
	link->next_settings = copy;
}

static bool
link_is_spent(const struct link *link)
{
	return link->state == LINK_REMOVED && link->removed &&
	    link->queue.length == 0 && link->count == 0;
}

static void
drop_spent_links(struct egress *egress)
{
	size_t kept = 0;

	for (size_t i = 0; i < egress->count; i++) {
		if (link_is_spent(egress->links[i]))
			link_close(&egress->links[i]);
		else
			egress->links[kept++] = egress->links[i];
	}
	egress->count = kept;
}

void
egress_sync(struct egress *egress)
{
	for (size_t i = 0; i < egress->count; i++)
		egress->links[i]->listed = false;
	directory_thread_online();
	directory_receivers_each(egress->directory, sync_receiver, egress);
	directory_thread_offline();
	for (size_t i = 0; i < egress->count; i++) {
		struct link *link = egress->links[i];
		bool moved = link->removed == link->listed;

		link->removed = !link->listed;
		if (moved || link->next_settings)
			link_apply(link);
	}
	drop_spent_links(egress);
}

/* ---- what dispatch and operators ask ----------------------------------------------- */

/* Some go before what others have waiting. */
static bool
has_ahead(const struct link *link)
{
	for (unsigned i = 0; i < link->count; i++) {
		const struct slot *slot = send_slot(link, i);

		if (slot->ahead && slot->state != SLOT_TOLD)
			return true;
	}
	return queue_has_ahead(&link->queue);
}

static void
note_lead(struct link *link, uint64_t decision_lsn)
{
	if (!has_ahead(link))
		link->lead_lsn = UINT64_MAX;
	if (decision_lsn < link->lead_lsn)
		link->lead_lsn = decision_lsn;
}

int
egress_enqueue(struct egress *egress, uint64_t receiver_id,
    struct egress_reference reference, bool urgent)
{
	struct link *link = link_of(egress, receiver_id);

	if (!link)
		return -ENOMEM;
	reference.queued = link_tick(link);
	if (urgent)
		note_lead(link, reference.decision_lsn);
	if (queue_push(&link->queue, reference, urgent) < 0)
		return -ENOMEM;
	if (link->count < link->ring_size)
		link_kick(link);
	return 0;
}

static uint64_t
link_oldest(const struct link *link)
{
	uint64_t oldest = queue_floor(&link->queue);

	for (unsigned i = 0; i < link->count; i++) {
		const struct slot *slot = send_slot(link, i);

		if (slot->state != SLOT_TOLD && !slot->copy &&
		    slot->reference.decision_lsn < oldest)
			oldest = slot->reference.decision_lsn;
	}
	return oldest;
}

uint64_t
egress_oldest(const struct egress *egress)
{
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; i < egress->count; i++) {
		uint64_t lsn = link_oldest(egress->links[i]);

		if (lsn < oldest)
			oldest = lsn;
	}
	return oldest;
}

uint64_t
egress_lead(const struct egress *egress)
{
	uint64_t lead = UINT64_MAX;

	for (size_t i = 0; i < egress->count; i++) {
		const struct link *link = egress->links[i];

		if (link->lead_lsn < lead && has_ahead(link))
			lead = link->lead_lsn;
	}
	return lead;
}

size_t
egress_queued(const struct egress *egress)
{
	size_t queued = 0;

	for (size_t i = 0; i < egress->count; i++)
		queued += link_queued(egress->links[i]);
	return queued;
}

static bool
rests(const struct link *link)
{
	return link->count == 0 &&
	    (link->state == LINK_PAUSED || link->state == LINK_REMOVED);
}

static int
skip_link(struct link *link, egress_skip_fn fn, void *context)
{
	const struct egress_reference *front;
	int count = 0;

	while ((front = queue_front(&link->queue))) {
		int result = fn(context, link->receiver_id, *front);

		if (result < 0)
			return result;
		queue_pop(&link->queue);
		count++;
	}
	return count;
}

int
egress_skip(struct egress *egress, const char *name, egress_skip_fn fn,
    void *context)
{
	int count = name ? -ENOENT : 0;

	for (size_t i = 0; i < egress->count; i++) {
		struct link *link = egress->links[i];
		int result;

		if (name ? strcmp(link_name(link), name) != 0
			 : !link->removed || !rests(link))
			continue;
		if (!rests(link))
			return -EBUSY;
		result = skip_link(link, fn, context);
		if (result < 0)
			return result;
		count = count < 0 ? result : count + result;
	}
	drop_spent_links(egress);
	return count;
}

int
egress_pause(struct egress *egress, const char *name, bool paused)
{
	for (size_t i = 0; i < egress->count; i++) {
		struct link *link = egress->links[i];

		if (strcmp(link_name(link), name) != 0)
			continue;
		if (link->operator_paused != paused) {
			link->operator_paused = paused;
			link_apply(link);
		}
		return 0;
	}
	return -ENOENT;
}
