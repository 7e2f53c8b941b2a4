/* What somebody orders about a site: a signal of our own, answered when it is
 * durable. Here the manual test; arming.c has the others. And a passkey sealed
 * for who must not have the master key. */
#include <errno.h>

#include "admin/internal.h"
#include "base/seal.h"
#include "base/text.h"
#include "journal/own_signal.h"

#define CODE_MANUAL_TEST "601"

const struct directory_site *
order_site(struct client *client, const char *text, uint64_t *ret_id)
{
	struct directory *directory = client->admin->stages.directory;
	const struct directory_site *site = NULL;
	unsigned long id = 0;

	if (slice_to_number(slice_from_string(text), 10, &id) < 0) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "'%.40s' is no number of a site", text);
		return NULL;
	}
	if (directory)
		site = directory_site_by_id(directory, id);
	if (!site)
		client_fail(client, EXIT_STATUS_FAILED, "there is no site %lu",
		    id);
	*ret_id = id;
	return site;
}

bool
order_is_possible(struct client *client)
{
	const struct admin_stages *stages = &client->admin->stages;

	if (stages->journal && stages->dispatch)
		return true;
	client_fail(client, EXIT_STATUS_UNAVAILABLE, "dispatch is not open");
	return false;
}

static enum job_step
wait_until_durable(struct client *client, struct err *err)
{
	struct admin *admin = client->admin;
	struct json *json = &admin->json;
	char id[RECORD_EVENT_ID_SIZE];

	(void)err;
	if (journal_durable(admin->stages.journal) <= client->job.signal_lsn)
		return JOB_WAIT;
	json_object_begin(json, NULL);
	json_string(json, "event",
	    record_event_id_format(journal_node(admin->stages.journal),
		client->job.signal_lsn, 0, id));
	json_object_end(json);
	client_send(client);
	return JOB_DONE;
}

void
order_tell(struct client *client, const struct own_signal *signal)
{
	struct admin *admin = client->admin;

	if (own_signal_collect(admin->stages.journal, admin->stages.clock,
		signal, &client->job.signal_lsn) < 0) {
		client_fail(client, EXIT_STATUS_UNAVAILABLE,
		    "the journal takes nothing now: try again");
		return;
	}
	journal_wake(admin->stages.journal);
	client_begin_job(client, wait_until_durable);
}

void
order_begin_test(struct client *client, const struct words *words)
{
	struct own_signal signal = {
		.code = CODE_MANUAL_TEST, .begins = true, .zone = "000"
	};
	char text[16 + sizeof(client->actor)];
	bool found;

	if (!order_is_possible(client))
		return;
	directory_thread_online();
	found = order_site(client, words->word[2], &signal.site_id) != NULL;
	directory_thread_offline();
	if (!found)
		return;
	snprintf(text, sizeof(text), "test sent by %s", client->actor);
	signal.text = text;
	order_tell(client, &signal);
}

/* Whoever may ask learns what an own text looks like sealed; nothing opens one. */
void
order_seal_passkey(struct client *client, const struct words *words)
{
	const struct directory *directory = client->admin->stages.directory;
	struct slice passkey = slice_from_string(words->word[3]);
	struct json *json = &client->admin->json;
	uint8_t sealed[DIRECTORY_PASSKEY_SIZE + SEAL_OVERHEAD];
	char hex[2 * sizeof(sealed) + 1], context[SEAL_CONTEXT_SIZE];
	unsigned long id = 0;
	int length;

	if (slice_to_number(slice_from_string(words->word[2]), 10, &id) < 0) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "'%.40s' is no number of a receiver", words->word[2]);
		return;
	}
	if (passkey.length == 0 || passkey.length >= DIRECTORY_PASSKEY_SIZE) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "a passkey has 1 to %d characters",
		    DIRECTORY_PASSKEY_SIZE - 1);
		return;
	}
	snprintf(context, sizeof(context), "receiver.passkey:%lu", id);
	length = directory ? directory_seal(directory, context, passkey, sealed,
				 sizeof(sealed))
			   : -ENOKEY;
	if (length < 0) {
		client_fail(client, EXIT_STATUS_UNAVAILABLE,
		    "tocsind has no master key ([directory] master_key_file), "
		    "under which passkeys are sealed");
		return;
	}
	text_hex_encode(sealed, (size_t)length, hex);
	json_object_begin(json, NULL);
	json_string(json, "sealed", hex);
	json_object_end(json);
	client_send(client);
	client_done(client);
}
