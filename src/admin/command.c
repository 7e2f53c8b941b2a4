/* The commands, in one table. */
#include <errno.h>
#include <string.h>

#include "admin/internal.h"
#include "base/array.h"
#include "base/log.h"
#include "base/option.h"

#define COMMAND_WORDS_MAX 2
#define NAME_SIZE	  64

/* Bits. */
enum access {
	ACCESS_READ = 0,
	ACCESS_OPERATE = 1, /* changes what the daemon does */
	ACCESS_PORTAL = 2   /* for users of the portal too */
};

struct command {
	const char *words;
	const char *arguments; /* "" none; [] around what may be left out */
	unsigned min, max;     /* words behind */
	unsigned access;       /* of enum access */
	void (*run)(struct client *client, const struct words *words);
	const char *help;
};

/* ---- what operates ------------------------------------------------------------- */

static void
pause_link(struct client *client, const char *name, bool paused)
{
	struct egress *egress = client->admin->stages.egress;
	int result = egress ? egress_pause(egress, name, paused) : -ENOENT;

	if (result < 0)
		client_fail(client, EXIT_STATUS_FAILED,
		    "there is no link '%s' (show links lists them)", name);
	else
		client_done(client);
}

static void
run_pause(struct client *client, const struct words *words)
{
	pause_link(client, words->word[2], true);
}

static void
run_resume(struct client *client, const struct words *words)
{
	pause_link(client, words->word[2], false);
}

static void
run_replay(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;
	const char *name = words->word[2];
	struct err err = { "" };
	int count;

	if (!admin->stages.dispatch) {
		client_fail(client, EXIT_STATUS_UNAVAILABLE,
		    "dispatch is not open");
		return;
	}
	count = dispatch_replay_parked(admin->stages.dispatch,
	    strcmp(name, "all") == 0 ? NULL : name, client->actor, &err);
	if (count < 0) {
		client_fail(client, EXIT_STATUS_FAILED, "%s", err.text);
		return;
	}
	json_object_begin(&admin->json, NULL);
	json_integer(&admin->json, "replayed", count);
	json_object_end(&admin->json);
	client_send(client);
	client_done(client);
}

static void
run_skip(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;
	const char *name = words->word[2];
	struct dispatch_skipped skipped;
	char why[256 + sizeof(client->actor)];
	struct err err = { "" };

	if (!admin->stages.dispatch) {
		client_fail(client, EXIT_STATUS_UNAVAILABLE,
		    "dispatch is not open");
		return;
	}
	snprintf(why, sizeof(why), "skipped by %s: %.200s", client->actor,
	    words->word[3]);
	if (dispatch_skip(admin->stages.dispatch,
		strcmp(name, "removed") == 0 ? NULL : name, why, &skipped,
		&err) < 0) {
		client_fail(client, EXIT_STATUS_FAILED, "%s", err.text);
		return;
	}
	log_write(LOG_NOTICE, "admin", "skipped",
	    "link=\"%s\" parked=%u queued=%u why=\"%s\"", name, skipped.parked,
	    skipped.queued, why);
	json_object_begin(&admin->json, NULL);
	json_unsigned(&admin->json, "parked", skipped.parked);
	json_unsigned(&admin->json, "queued", skipped.queued);
	if (skipped.delivering)
		json_string(&admin->json, "note",
		    "what is queued was left: the link is not paused");
	json_object_end(&admin->json);
	client_send(client);
	client_done(client);
}

static void
run_reload(struct client *client, const struct words *words)
{
	const struct admin_stages *stages = &client->admin->stages;
	struct err err = { "" };

	(void)words;
	if (stages->reload(stages->context, &err) < 0)
		client_fail(client, EXIT_STATUS_CONFIG, "nothing changed: %s",
		    err.text);
	else
		client_done(client);
}

/* The answer goes out before the service ends. */
static void
run_drain(struct client *client, const struct words *words)
{
	const struct timeval soon = { 0, 100000 };

	(void)words;
	client_done(client);
	event_add(client->admin->drain, &soon);
}

static void run_help(struct client *client, const struct words *words);

/* ---- the table -------------------------------------------------------------------- */

static const struct command commands[] = {
	{ "show status", "", 0, 0, ACCESS_PORTAL, show_status,
	    "the whole on one page" },
	{ "show listeners", "", 0, 0, ACCESS_READ, show_listeners,
	    "where signals come in, with counters" },
	{ "show sessions", "[LIMIT]", 0, 1, ACCESS_READ, show_sessions,
	    "connected panels, 1000 unless told" },
	{ "show bridges",
	    "[account A] [listener L] [silent SECONDS] [state S] "
	    "[limit N] [after ID]",
	    0, 12, ACCESS_PORTAL, bridges_begin,
	    "when each bridge was last heard and whether it is offline, 1000 "
	    "unless told" },
	{ "show links", "", 0, 0, ACCESS_PORTAL, show_links,
	    "links to stations" },
	{ "show queues", "", 0, 0, ACCESS_READ, show_queues,
	    "what waits for each link" },
	{ "show parked", "[LIMIT]", 0, 1, ACCESS_PORTAL, show_parked,
	    "deliveries that wait for an operator" },
	{ "show shadows", "", 0, 0, ACCESS_READ, show_shadows,
	    "receivers that get copies, and how they compare" },
	{ "show shadow", "NAME", 1, 1, ACCESS_READ, show_shadow,
	    "where a shadow answered otherwise than the station" },
	{ "show errors", "", 0, 0, ACCESS_READ, show_errors,
	    "the last bad frames of each listener" },
	{ "show arming", "SITE", 1, 1, ACCESS_PORTAL, arming_show,
	    "whether a site is armed, and since when" },
	{ "show config", "", 0, 0, ACCESS_READ, show_config,
	    "the configuration in force" },
	{ "show stats", "", 0, 0, ACCESS_PORTAL, show_stats,
	    "counters since the start" },
	{ "show latency", "", 0, 0, ACCESS_PORTAL, show_latency,
	    "how long acknowledgements and deliveries take" },
	{ "show journal", "", 0, 0, ACCESS_READ, show_journal,
	    "how full and how fast" },
	{ "show directory", "", 0, 0, ACCESS_READ, show_directory,
	    "what is known of dealers and sites" },
	{ "show archive", "", 0, 0, ACCESS_READ, show_archive,
	    "how far the history in the database is" },
	{ "tail", "[account A]", 0, 2, ACCESS_PORTAL, tail_begin,
	    "each decision and outcome from now on" },
	{ "trace", "EVENT", 1, 1, ACCESS_READ, trace_begin,
	    "the life of one signal" },
	{ "pause link", "NAME", 1, 1, ACCESS_OPERATE, run_pause,
	    "keep a link's deliveries in its queue" },
	{ "resume link", "NAME", 1, 1, ACCESS_OPERATE, run_resume,
	    "deliver again" },
	{ "replay link", "NAME|all", 1, 1, ACCESS_OPERATE | ACCESS_PORTAL,
	    run_replay, "put parked deliveries back into the queue" },
	{ "skip link", "NAME|removed REASON", 2, 2,
	    ACCESS_OPERATE | ACCESS_PORTAL, run_skip,
	    "give parked deliveries up, of a paused link also queued ones" },
	{ "arm", "SITE [partition N] [user U]", 1, 5,
	    ACCESS_OPERATE | ACCESS_PORTAL, arming_begin_arm,
	    "arm a site that users or a partner may arm" },
	{ "disarm", "SITE [partition N] [user U]", 1, 5,
	    ACCESS_OPERATE | ACCESS_PORTAL, arming_begin_disarm,
	    "the same the other way" },
	{ "send test", "SITE", 1, 1, ACCESS_OPERATE | ACCESS_PORTAL,
	    order_begin_test, "tell a site's station a manual test" },
	{ "seal passkey", "RECEIVER PASSKEY", 2, 2,
	    ACCESS_OPERATE | ACCESS_PORTAL, order_seal_passkey,
	    "what a link proves itself with, as the database keeps it" },
	{ "reload", "", 0, 0, ACCESS_OPERATE, run_reload,
	    "read the configuration and the directory again" },
	{ "drain", "", 0, 0, ACCESS_OPERATE, run_drain,
	    "answer what was received and end" },
	{ "help", "", 0, 0, ACCESS_READ, run_help, "this list" },
};

static void
run_help(struct client *client, const struct words *words)
{
	struct json *json = &client->admin->json;

	(void)words;
	for (size_t i = 0; i < COUNT(commands); i++) {
		json_object_begin(json, NULL);
		json_format(json, "command", "%s%s%s", commands[i].words,
		    *commands[i].arguments ? " " : "", commands[i].arguments);
		json_string(json, "access",
		    commands[i].access & ACCESS_OPERATE ? "operate" : "read");
		json_boolean(json, "portal",
		    (commands[i].access & ACCESS_PORTAL) != 0);
		json_string(json, "help", commands[i].help);
		json_object_end(json);
		client_send(client);
	}
	client_done(client);
}

/* The first words of a request as they stand in the table. */
static void
join(const struct words *words, unsigned count, char out[NAME_SIZE])
{
	size_t length = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < count && i < words->count; i++)
		length += (size_t)snprintf(out + length, NAME_SIZE - length,
		    "%s%.24s", i ? " " : "", words->word[i]);
}

static const struct command *
find(const struct words *words, unsigned *ret_count)
{
	char name[NAME_SIZE];

	for (unsigned count = COMMAND_WORDS_MAX; count > 0; count--) {
		join(words, count, name);
		for (size_t i = 0; i < COUNT(commands); i++)
			if (count <= words->count &&
			    strcmp(commands[i].words, name) == 0) {
				*ret_count = count;
				return &commands[i];
			}
	}
	return NULL;
}

static void
fail_unknown(struct client *client, const struct words *words)
{
	const char *known[COUNT(commands) + 1] = { NULL };
	char name[NAME_SIZE];
	const char *nearest;

	for (size_t i = 0; i < COUNT(commands); i++)
		known[i] = commands[i].words;
	join(words, COMMAND_WORDS_MAX, name);
	nearest = option_nearest(name, known);
	if (!nearest) {
		join(words, 1, name);
		nearest = option_nearest(name, known);
		join(words, COMMAND_WORDS_MAX, name);
	}
	if (nearest)
		client_fail(client, EXIT_STATUS_USAGE,
		    "there is no command '%s': did you mean '%s'?", name,
		    nearest);
	else
		client_fail(client, EXIT_STATUS_USAGE,
		    "there is no command '%s' (help lists them)", name);
}

/* `by NAME` before a command that comes from the portal: the words behind it.
 * false: the client was told what is wrong. */
static bool
take_actor(struct client *client, const struct words *words,
    struct words *ret_behind)
{
	bool named = client->doorway->portal && words->count > 2 &&
	    strcmp(words->word[0], "by") == 0;
	unsigned skipped = named ? 2 : 0;

	if (named &&
	    (*words->word[1] == '\0' ||
		strlen(words->word[1]) > CONTROL_ACTOR_MAX ||
		strpbrk(words->word[1], "\"\\"))) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "a name behind 'by' has 1 to %d bytes, no quote and "
		    "no backslash",
		    CONTROL_ACTOR_MAX);
		return false;
	}
	if (named)
		snprintf(client->actor, sizeof(client->actor),
		    "%s (portal, uid %u)", words->word[1], client->uid);
	else if (client->doorway->portal)
		client->actor[0] = '\0';
	else
		snprintf(client->actor, sizeof(client->actor), "uid %u",
		    client->uid);
	ret_behind->count = words->count - skipped;
	for (unsigned i = 0; i < ret_behind->count; i++)
		ret_behind->word[i] = words->word[i + skipped];
	return true;
}

static bool
may_run(struct client *client, const struct command *command)
{
	bool operates = command->access & ACCESS_OPERATE;

	if (!client->doorway->portal) {
		if (!operates || client->may_operate)
			return true;
		client_fail(client, EXIT_STATUS_NO_PERMISSION,
		    "'%s' is for the service's group", command->words);
	} else if (!(command->access & ACCESS_PORTAL)) {
		client_fail(client, EXIT_STATUS_NO_PERMISSION,
		    "'%s' is not for the portal", command->words);
	} else if (operates && client->actor[0] == '\0') {
		client_fail(client, EXIT_STATUS_USAGE,
		    "write: by NAME %s: somebody asked for it", command->words);
	} else {
		return true;
	}
	return false;
}

static void
run(struct client *client, const struct words *words)
{
	unsigned count = 0;
	const struct command *command = find(words, &count);

	if (!command) {
		fail_unknown(client, words);
	} else if (words->count - count < command->min ||
	    words->count - count > command->max) {
		client_fail(client, EXIT_STATUS_USAGE, "write: %s%s%s",
		    command->words, *command->arguments ? " " : "",
		    command->arguments);
	} else if (may_run(client, command)) {
		if (command->access & ACCESS_OPERATE)
			log_write(LOG_NOTICE, "admin", "operator",
			    "by=\"%s\" command=\"%s%s%.100s\"", client->actor,
			    command->words, words->count > count ? " " : "",
			    words->count > count ? words->word[count] : "");
		command->run(client, words);
	}
}

void
command_run(struct client *client, const struct words *words)
{
	struct words behind;

	if (take_actor(client, words, &behind))
		run(client, &behind);
}
