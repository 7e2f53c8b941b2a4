/* A shadow gets what the station has got, and whatever it makes of that counts
 * for nothing but the comparison. */
#include "egress/shadow.h"

#include "unit/egress/fixture.h"

#define STATION 7 /* fixture.receiver, at fixture.peer */
#define TRIAL	8 /* at fixture.backup */

static struct directory_receiver trial;

static void
sync_both(void)
{
	struct directory_batch *batch =
	    directory_batch_begin(fixture.directory);

	assert_non_null(batch);
	assert_int_equal(directory_put_receiver(batch, STATION,
			     &fixture.receiver),
	    0);
	assert_int_equal(directory_put_receiver(batch, TRIAL, &trial), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	egress_sync(fixture.egress);
}

static void
begin(uint64_t of)
{
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.account_digits = 4;
	trial = fixture.receiver;
	trial.id = TRIAL;
	trial.name = "trial";
	trial.shadow_of = of;
	trial.endpoints = &fixture.endpoints[1];
	sync_both();
}

/* The number of a member of the shadow. */
static uint64_t
counted(const char *field)
{
	struct json json = { 0 };
	unsigned long number = 0;
	char key[64];
	const char *found;

	snprintf(key, sizeof(key), "\"%s\":", field);
	json_array_begin(&json, NULL);
	egress_show_shadows(fixture.egress, &json);
	json_array_end(&json);
	found = strstr(json_text(&json), key);
	if (found) {
		found += strlen(key);
		slice_to_number(slice_of(found, strcspn(found, ",}")), 10,
		    &number);
	}
	json_close(&json);
	return number;
}

static bool
differences_have(const char *text)
{
	struct json json = { 0 };
	bool found;

	json_array_begin(&json, NULL);
	assert_int_equal(egress_show_differences(fixture.egress, "trial",
			     &json),
	    0);
	json_array_end(&json);
	found = strstr(json_text(&json), text) != NULL;
	json_close(&json);
	return found;
}

/* What the station has got it has got once, in order, and nothing is held. */
static void
assert_station_served(unsigned count)
{
	assert_int_equal(fixture.result_count, count);
	assert_int_equal(fixture.peer.messages, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(fixture.results[i].lsn, i + 1);
		assert_int_equal(fixture.results[i].receiver_id, STATION);
		assert_int_equal(fixture.results[i].state, OUTCOME_DELIVERED);
		assert_false(fixture.results[i].repeated);
	}
	assert_int_equal(egress_queued(fixture.egress), 0);
	assert_true(egress_oldest(fixture.egress) == UINT64_MAX);
}

static void
count_links(void *context, const struct egress_link_status *status)
{
	unsigned *count = context;

	assert_string_equal(status->name, "central");
	(*count)++;
}

static void
a_shadow_gets_the_same_in_the_same_order(void **state)
{
	unsigned links = 0;

	(void)state;
	begin(STATION);
	fixture_enqueue(50);
	wait_for(counted("same") == 50);
	assert_station_served(50);
	assert_int_equal(fixture.backup.messages, 50);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(fixture.backup.zones[i], i + 1);
	assert_string_equal(fixture.backup.last, fixture.peer.last);
	assert_int_equal(counted("copied"), 50);
	assert_int_equal(counted("acknowledged"), 50);
	assert_int_equal(counted("different"), 0);
	/* nobody is alarmed about it */
	egress_each(fixture.egress, count_links, &links);
	assert_int_equal(links, 1);
}

static const struct {
	enum peer_action action;
	const char *answer;
} faults[] = {
	{ PEER_NAK, "refused" },
	{ PEER_SILENT, "unanswered" },
	{ PEER_CLOSE, "unanswered" },
};

static void
what_it_refuses_is_a_difference(void **state)
{
	char shown[64];

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		fixture_open(NULL);
		fixture.peer.otherwise = PEER_ACK;
		begin(STATION);
		fixture.backup.otherwise = faults[i].action;
		trial.retries = 1;
		trial.ack_wait_ms = 20;
		sync_both();
		fixture_enqueue(3);
		wait_for(counted(faults[i].answer) == 3);
		assert_station_served(3);
		/* as often as its settings say */
		assert_int_equal(fixture.backup.turns, 6);
		assert_int_equal(counted("different"), 3);
		assert_int_equal(counted("same"), 0);
		snprintf(shown, sizeof(shown),
		    "\"station\":\"delivered\",\"shadow\":\"%s\"",
		    faults[i].answer);
		assert_true(differences_have(shown));
		assert_true(
		    differences_have("\"account\":\"1234\","
				     "\"code\":\"E130\",\"zone\":\"003\""));
		fixture_close(NULL);
	}
}

static void
what_the_station_did_not_take_is_compared_too(void **state)
{
	(void)state;
	begin(STATION);
	fixture.account = "12345";
	trial.account_digits = 16;
	trial.protocol = DIRECTORY_PROTOCOL_D6500;
	trial.translation = DIRECTORY_TRANSLATION_SIA;
	fixture.backup.behind_zone = 1;
	sync_both();
	fixture_enqueue(2);
	wait_for(counted("different") == 2);
	assert_int_equal(fixture.results[1].state, OUTCOME_PARKED);
	assert_int_equal(fixture.backup.messages, 2);
	assert_true(differences_have(
	    "\"station\":\"parked\",\"shadow\":\"acknowledged\""));
	/* neither of them can say it */
	trial.account_digits = 4;
	sync_both();
	fixture_enqueue(1);
	wait_for(counted("same") == 1);
	assert_int_equal(counted("unsendable"), 1);
	assert_int_equal(fixture.backup.messages, 2);
}

static void
a_dead_shadow_loses_the_oldest_and_holds_nothing(void **state)
{
	unsigned count = SHADOW_COPIES + 30;

	(void)state;
	begin(STATION);
	fixture.receiver.in_flight = 16;
	fixture.accounts = 1000;
	sync_both();
	peer_stop(&fixture.backup);
	fixture_enqueue(count);
	wait_for(fixture.result_count == count);
	assert_station_served(count);
	assert_int_equal(counted("copied"), count);
	assert_int_equal(counted("waiting") + counted("lost"), count);
	assert_true(counted("lost") >= 29);
	peer_listen(&fixture.backup);
	wait_for(counted("waiting") == 0);
	assert_int_equal(counted("same") + counted("lost"), count);
	assert_int_equal(fixture.backup.zones[fixture.backup.messages - 1],
	    count % 1000);
	assert_int_equal(fixture.result_count, count);
}

static void
what_cannot_be_read_any_more_is_lost(void **state)
{
	(void)state;
	begin(STATION);
	assert_int_equal(egress_pause(fixture.egress, "trial", true), 0);
	fixture_enqueue(5);
	wait_for(fixture.result_count == 5);
	assert_int_equal(counted("waiting"), 5);
	fixture.load_fails = 3;
	assert_int_equal(egress_pause(fixture.egress, "trial", false), 0);
	wait_for(counted("waiting") == 0);
	assert_int_equal(counted("lost"), 3);
	assert_int_equal(counted("same"), 2);
	assert_station_served(5);
}

static void
enqueue_for_trial(uint64_t number)
{
	const struct egress_reference reference = { .decision_lsn = number };

	assert_int_equal(egress_enqueue(fixture.egress, TRIAL, reference,
			     false),
	    0);
}

/* From before it was a shadow: those are alarms. */
static void
its_own_deliveries_count_as_ever(void **state)
{
	(void)state;
	begin(0);
	peer_stop(&fixture.backup);
	enqueue_for_trial(101);
	enqueue_for_trial(102);
	trial.shadow_of = STATION;
	sync_both();
	fixture_enqueue(3);
	wait_for(fixture.result_count == 3);
	assert_int_equal(counted("waiting"), 3);
	assert_int_equal(egress_queued(fixture.egress), 2);
	assert_true(egress_oldest(fixture.egress) == 101);
	peer_listen(&fixture.backup);
	wait_for(counted("same") == 3);
	assert_int_equal(fixture.result_count, 5);
	for (unsigned i = 3; i < 5; i++) {
		assert_int_equal(fixture.results[i].receiver_id, TRIAL);
		assert_int_equal(fixture.results[i].state, OUTCOME_DELIVERED);
		assert_int_equal(fixture.results[i].lsn, 98 + i);
	}
	assert_int_equal(fixture.backup.zones[0], 101);
	assert_int_equal(fixture.backup.zones[2], 1);
	assert_true(egress_oldest(fixture.egress) == UINT64_MAX);
}

/* One that is in service from now on gets no old alarms. */
static void
copies_end_with_the_shadow(void **state)
{
	(void)state;
	begin(STATION);
	peer_stop(&fixture.backup);
	fixture_enqueue(3);
	wait_for(fixture.result_count == 3);
	assert_int_equal(counted("waiting"), 3);
	trial.shadow_of = 0;
	sync_both();
	peer_listen(&fixture.backup);
	enqueue_for_trial(101);
	wait_for(fixture.result_count == 4);
	assert_int_equal(fixture.results[3].receiver_id, TRIAL);
	assert_int_equal(fixture.backup.messages, 1);
	assert_int_equal(fixture.backup.zones[0], 101);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 5);
	assert_int_equal(counted("copied"), 0);
}

#define test(name)                                                             \
 cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_shadow_gets_the_same_in_the_same_order),
		cmocka_unit_test(what_it_refuses_is_a_difference),
		test(what_the_station_did_not_take_is_compared_too),
		test(a_dead_shadow_loses_the_oldest_and_holds_nothing),
		test(what_cannot_be_read_any_more_is_lost),
		test(its_own_deliveries_count_as_ever),
		test(copies_end_with_the_shadow),
	};

	return cmocka_run_group_tests_name("egress/shadow", tests, NULL, NULL);
}
