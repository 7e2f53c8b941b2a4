/* Who arms a site and whether it is armed; and commands of users and partners,
 * answered when they are durable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/internal.h"
#include "journal/own_signal.h"
#include "routing/arming.h"

#define CODE_REMOTE   "407"
#define PARTITION_MAX 99u
#define USER_MAX      999u

struct arming_request {
	uint64_t site_id;
	unsigned long partition, user;
	bool arm;
};

/* ---- show arming ------------------------------------------------------------------ */

static struct arming_question
question_of(const struct admin *admin, const struct directory_site *site)
{
	const struct dispatch *dispatch = admin->stages.dispatch;

	return (struct arming_question){
		.site = site,
		.schedule = directory_schedule_by_site(admin->stages.directory,
		    site->id),
		.state = dispatch
		    ? site_states_find(dispatch_sites(dispatch), site->id)
		    : NULL,
		.at_us = clock_wall_us(admin->stages.clock),
	};
}

static void
send_area(struct client *client, const struct arming_question *question,
    struct area area)
{
	static const char *const kinds[] = { "site", "bridge", "partition" };
	struct json *json = &client->admin->json;
	struct arming arming = arming_of(question);
	const struct site_area *memory = site_state_area(question->state, area);

	json_object_begin(json, NULL);
	json_unsigned(json, "site", question->site->id);
	json_string(json, "method",
	    directory_arming_name(question->site->arming));
	json_string(json, "area", kinds[area.kind]);
	if (area.number)
		json_unsigned(json, "number", area.number);
	json_boolean(json, "armed", arming.armed);
	json_boolean(json, "known", arming.known);
	if (arming.known)
		json_time(json, "since", arming.since_us);
	if (memory && memory->entry_until_us > question->at_us)
		json_time(json, "entry_until", memory->entry_until_us);
	json_object_end(json);
	client_send(client);
}

void
arming_show(struct client *client, const struct words *words)
{
	const struct directory_site *site;
	struct arming_question question;
	uint64_t id;

	directory_thread_online();
	site = order_site(client, words->word[2], &id);
	if (site) {
		question = question_of(client->admin, site);
		send_area(client, &question, (struct area){ AREA_SITE, 0 });
		for (unsigned i = 0;
		     question.state && i < question.state->area_count; i++) {
			struct area area = question.state->areas[i].area;

			question.bridge_id =
			    area.kind == AREA_BRIDGE ? area.number : 0;
			question.partition = area.kind == AREA_PARTITION
			    ? (unsigned)area.number
			    : 0;
			if (area.kind == AREA_BRIDGE ||
			    area.kind == AREA_PARTITION)
				send_area(client, &question, area);
		}
		client_done(client);
	}
	directory_thread_offline();
}

/* ---- arm, disarm -------------------------------------------------------------------- */

/* "partition N" and "user U" in any order. */
static bool
read_options(struct client *client, const struct words *words,
    struct arming_request *request)
{
	for (unsigned i = 2; i < words->count; i += 2) {
		bool user = strcmp(words->word[i], "user") == 0;
		unsigned long max = user ? USER_MAX : PARTITION_MAX, number;

		if ((!user && strcmp(words->word[i], "partition") != 0) ||
		    i + 1 == words->count ||
		    slice_to_number(slice_from_string(words->word[i + 1]), 10,
			&number) < 0 ||
		    number > max) {
			client_fail(client, EXIT_STATUS_USAGE,
			    "behind the site: partition 1-%u, user 0-%u",
			    PARTITION_MAX, USER_MAX);
			return false;
		}
		*(user ? &request->user : &request->partition) = number;
	}
	return true;
}

static bool
may_arm(struct client *client, const char *text, struct arming_request *request)
{
	const struct directory_site *site;
	bool may = false;

	directory_thread_online();
	site = order_site(client, text, &request->site_id);
	if (site && !arming_by_command(site->arming))
		client_fail(client, EXIT_STATUS_FAILED,
		    "site %s is armed by another authority: %s", text,
		    directory_arming_name(site->arming));
	else if (site && request->partition && !site->has_partitions)
		client_fail(client, EXIT_STATUS_FAILED,
		    "site %s has no partitions", text);
	else
		may = site != NULL;
	directory_thread_offline();
	return may;
}

static void
begin(struct client *client, const struct words *words, bool arm)
{
	struct arming_request request = { .arm = arm };
	struct own_signal signal = { .code = CODE_REMOTE, .begins = !arm };
	char user[24], text[16 + sizeof(client->actor)];

	if (!order_is_possible(client) ||
	    !read_options(client, words, &request) ||
	    !may_arm(client, words->word[1], &request))
		return;
	snprintf(user, sizeof(user), "%03lu", request.user);
	snprintf(text, sizeof(text), "%s by %s", arm ? "armed" : "disarmed",
	    client->actor);
	signal.site_id = request.site_id;
	signal.partition = (unsigned)request.partition;
	signal.zone = user;
	signal.text = text;
	order_tell(client, &signal);
}

void
arming_begin_arm(struct client *client, const struct words *words)
{
	begin(client, words, true);
}

void
arming_begin_disarm(struct client *client, const struct words *words)
{
	begin(client, words, false);
}
