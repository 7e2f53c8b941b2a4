/* `show bridges`: when each bridge was last heard. There may be a million, so
 * it is a job: a bounded number of slots in each turn, at the client's pace. */
#include <inttypes.h>
#include <string.h>

#include "admin/internal.h"
#include "base/array.h"
#include "directory/presence.h"

#define LIMIT_DEFAULT  1000
#define LIMIT_MAX      100000000
#define SILENT_MAX_S   (400ul * 24 * 3600)
#define SLOTS_A_TURN   2000
#define BACKLOG_PAUSED (CLIENT_BACKLOG_BYTES / 4)

/* ---- what is wanted ---- */

static bool
read_number(struct client *client, const char *text, unsigned long max,
    unsigned long *ret)
{
	if (slice_to_number(slice_from_string(text), 10, ret) == 0 &&
	    *ret <= max)
		return true;
	client_fail(client, EXIT_STATUS_USAGE,
	    "'%.40s' is not a number up to %lu", text, max);
	return false;
}

static bool
copy_name(struct client *client, const char *text, char *out, size_t out_size)
{
	if (slice_copy(slice_from_string(text), out, out_size) >= 0)
		return true;
	client_fail(client, EXIT_STATUS_USAGE, "no name is as long as '%.40s'",
	    text);
	return false;
}

static bool
take_account(struct client *client, const char *text)
{
	return copy_name(client, text, client->job.account,
	    sizeof(client->job.account));
}

static bool
take_listener(struct client *client, const char *text)
{
	return copy_name(client, text, client->job.bridges.listener,
	    sizeof(client->job.bridges.listener));
}

static bool
take_silent(struct client *client, const char *text)
{
	unsigned long seconds;

	if (!read_number(client, text, SILENT_MAX_S, &seconds))
		return false;
	client->job.bridges.silent_us = (int64_t)seconds * 1000000;
	return true;
}

static const char *const states[] = {
	[SUPERVISION_NONE] = "unsupervised",
	[SUPERVISION_ONLINE] = "online",
	[SUPERVISION_PARTLY] = "partly",
	[SUPERVISION_OFFLINE] = "offline",
};

static bool
take_state(struct client *client, const char *text)
{
	for (size_t i = 0; i < COUNT(states); i++)
		if (strcmp(states[i], text) == 0) {
			client->job.bridges.state = (int)i;
			return true;
		}
	client_fail(client, EXIT_STATUS_USAGE,
	    "'%.40s' is none of online, partly, offline, unsupervised", text);
	return false;
}

static bool
take_limit(struct client *client, const char *text)
{
	unsigned long limit;

	if (!read_number(client, text, LIMIT_MAX, &limit))
		return false;
	client->job.bridges.left = limit;
	return true;
}

static bool
take_after(struct client *client, const char *text)
{
	struct directory *directory = client->admin->stages.directory;
	const struct directory_bridge *bridge;
	unsigned long id;

	if (!read_number(client, text, INT64_MAX, &id))
		return false;
	directory_thread_online();
	bridge = directory_bridge_by_id(directory, id);
	client->job.bridges.slot = bridge ? bridge->slot : 0;
	directory_thread_offline();
	if (!bridge)
		client_fail(client, EXIT_STATUS_USAGE,
		    "there is no bridge %lu to go on behind", id);
	return bridge != NULL;
}

static const struct {
	const char *word;
	bool (*take)(struct client *client, const char *text);
} conditions[] = {
	{ "account", take_account },
	{ "listener", take_listener },
	{ "silent", take_silent },
	{ "state", take_state },
	{ "limit", take_limit },
	{ "after", take_after },
};

static bool
take_condition(struct client *client, const char *word, const char *text)
{
	for (size_t i = 0; i < COUNT(conditions); i++)
		if (strcmp(conditions[i].word, word) == 0)
			return conditions[i].take(client, text);
	client_fail(client, EXIT_STATUS_USAGE,
	    "'%.40s' is none of account, listener, silent, state, limit, after",
	    word);
	return false;
}

static bool
take_conditions(struct client *client, const struct words *words)
{
	if (words->count % 2 != 0) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "there is nothing behind '%.40s'",
		    words->word[words->count - 1]);
		return false;
	}
	for (unsigned i = 2; i < words->count; i += 2)
		if (!take_condition(client, words->word[i], words->word[i + 1]))
			return false;
	return true;
}

/* ---- one bridge ---- */

struct sight {
	const struct directory_bridge *bridge;
	struct presence_status presence;
	enum supervision_state state;
	int64_t monotonic_us, wall_us;
};

static bool
is_wanted(const struct client *client, const struct sight *sight)
{
	const struct bridges_job *wanted = &client->job.bridges;
	const struct presence_status *presence = &sight->presence;
	bool heard_by = wanted->listener[0] == '\0';

	if (wanted->state >= 0 && wanted->state != (int)sight->state)
		return false;
	if (client->job.account[0] != '\0' &&
	    (!sight->bridge->account ||
		strcmp(sight->bridge->account, client->job.account) != 0))
		return false;
	for (unsigned i = 0; i < presence->path_count; i++)
		heard_by |=
		    strcmp(presence->paths[i].listener, wanted->listener) == 0;
	return heard_by &&
	    (presence->path_count == 0 ||
		sight->monotonic_us - presence->paths[0].seen_us >=
		    wanted->silent_us);
}

static void
put_seen(struct json *json, const struct sight *sight, int64_t seen_us)
{
	int64_t silent_us = sight->monotonic_us - seen_us;

	json_time(json, "last_seen", sight->wall_us - silent_us);
	json_double(json, "silent_s", (double)(silent_us / 1000) / 1000);
}

static void
put_paths(struct json *json, const struct sight *sight)
{
	const struct presence_status *presence = &sight->presence;

	json_array_begin(json, "paths");
	for (unsigned i = 0; i < presence->path_count; i++) {
		json_object_begin(json, NULL);
		json_string(json, "listener", presence->paths[i].listener);
		put_seen(json, sight, presence->paths[i].seen_us);
		json_object_end(json);
	}
	json_array_end(json);
}

static void
put_bridge(struct json *json, const struct sight *sight)
{
	const struct directory_bridge *bridge = sight->bridge;
	const struct presence_status *presence = &sight->presence;

	json_object_begin(json, NULL);
	json_unsigned(json, "bridge", bridge->id);
	json_string(json, "serial", bridge->serial);
	json_string(json, "account", bridge->account ? bridge->account : "");
	json_unsigned(json, "site", bridge->site_id);
	json_string(json, "state", states[sight->state]);
	if (presence->path_count > 0) {
		put_seen(json, sight, presence->paths[0].seen_us);
		json_string(json, "listener", presence->paths[0].listener);
		json_string(json, "peer", presence->peer);
		put_paths(json, sight);
	}
	json_object_end(json);
}

/* ---- the job ---- */

static enum supervision_state
state_of(const struct admin_stages *stages, uint32_t slot)
{
	const struct supervision *supervision =
	    stages->watch ? watch_supervision(stages->watch) : NULL;

	return supervision ? supervision_state(supervision, slot)
			   : SUPERVISION_NONE;
}

static void
look_at(struct client *client, struct sight *sight, uint32_t slot)
{
	struct admin *admin = client->admin;
	struct directory *directory = admin->stages.directory;
	const struct presence *presence = directory_presence(directory);
	uint64_t id = presence_bridge(presence, slot);

	sight->bridge = id ? directory_bridge_by_id(directory, id) : NULL;
	if (!sight->bridge || sight->bridge->slot != slot)
		return;
	presence_status(presence, slot, &sight->presence);
	sight->state = state_of(&admin->stages, slot);
	if (!is_wanted(client, sight))
		return;
	put_bridge(&admin->json, sight);
	client_send(client);
	client->job.bridges.left--;
}

static enum job_step
bridges_step(struct client *client, struct err *err)
{
	const struct admin_stages *stages = &client->admin->stages;
	struct bridges_job *job = &client->job.bridges;
	uint32_t slots = presence_slots(directory_presence(stages->directory));
	struct sight sight = {
		.monotonic_us = clock_monotonic_us(stages->clock),
		.wall_us = clock_wall_us(stages->clock),
	};
	struct evbuffer *out = bufferevent_get_output(client->stream);

	(void)err;
	directory_thread_online();
	for (unsigned i = 0; i < SLOTS_A_TURN && job->slot < slots &&
	     job->left > 0 && evbuffer_get_length(out) < BACKLOG_PAUSED;
	     i++)
		look_at(client, &sight, ++job->slot);
	directory_thread_offline();
	if (job->slot >= slots || job->left == 0)
		return JOB_DONE;
	/* what is written wakes it again */
	return evbuffer_get_length(out) < BACKLOG_PAUSED ? JOB_MORE : JOB_WAIT;
}

void
bridges_begin(struct client *client, const struct words *words)
{
	if (!client->admin->stages.directory) {
		client_fail(client, EXIT_STATUS_UNAVAILABLE,
		    "the directory is not open");
		return;
	}
	memset(&client->job, 0, sizeof(client->job));
	client->job.bridges.left = LIMIT_DEFAULT;
	client->job.bridges.state = -1;
	if (take_conditions(client, words))
		client_begin_job(client, bridges_step);
	else
		memset(&client->job, 0, sizeof(client->job));
}
