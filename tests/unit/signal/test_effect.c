/* Everything that a decision says has words for people: verdicts, effects, ends
 * of deliveries. */
#include "unit/test.h"

#include "signal/delivery.h"

#define AT_US	 INT64_C(1780308000000000) /* 2026-06-01 10:00 UTC */
#define UNTIL_US (AT_US + 60000000)

static void
every_verdict_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int verdict = 1; verdict <= VERDICT_LAST; verdict++) {
		const char *name = verdict_name((enum verdict)verdict);

		assert_row(strcmp(name, "unknown") != 0, verdict, name);
		for (int other = 1; other < verdict; other++)
			assert_row(strcmp(name,
				       verdict_name((enum verdict)other)) != 0,
			    verdict, name);
	}
	assert_string_equal(verdict_name(VERDICT_LAST + 1), "unknown");
}

static void
every_end_of_a_delivery_has_a_name(void **state)
{
	static const char *const names[] = { "delivered", "parked", "requeued",
		"skipped" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(outcome_state_name((enum outcome_state)(i +
					1)),
		    names[i]);
	assert_string_equal(outcome_state_name(COUNT(names) + 1), "unknown");
}

#define SITE                                                                   \
 {                                                                             \
  AREA_SITE, 0                                                                 \
 }
#define AT	"2026-06-01T10:00:00.000Z"
#define UNTIL	"2026-06-01T10:01:00.000Z"
#define ZONE_17 ('1' << 8 | '7')
#define ROW(...)                                                               \
 {                                                                             \
  __VA_ARGS__, .at_us = AT_US, .until_us = UNTIL_US                            \
 }

static const struct {
	struct effect effect;
	const char *words;
} effects[] = {
	{ ROW(.kind = EFFECT_ARMING, .area = SITE, .armed = true),
	    "the site is armed since " AT },
	{ ROW(.kind = EFFECT_ARMING, .area = { AREA_BRIDGE, 9 }),
	    "bridge 9 is disarmed since " AT },
	{ ROW(.kind = EFFECT_ARMING, .area = { AREA_PARTITION, 2 },
	      .armed = true),
	    "partition 2 is armed since " AT },
	{ ROW(.kind = EFFECT_SCHEDULE, .area = SITE, .armed = true),
	    "it was told that the schedule armed the site at " AT },
	{ ROW(.kind = EFFECT_SCHEDULE, .area = { AREA_PARTITION, 2 }),
	    "it was told that the schedule disarmed partition 2 at " AT },
	{ ROW(.kind = EFFECT_ENTRY, .area = SITE),
	    "the entry delay of the site runs from " AT " until " UNTIL },
	{ ROW(.kind = EFFECT_ZONE, .zone = ZONE_17, .alarm = ZONE_ALARM_NONE),
	    "zone 17: its alarm is over" },
	{ ROW(.kind = EFFECT_ZONE, .zone = ZONE_17, .alarm = ZONE_ALARM_RAISED),
	    "zone 17: its alarm is raised, trips until " UNTIL " are repeats" },
	{ ROW(.kind = EFFECT_ZONE, .zone = ZONE_17, .held_lsn = 4096,
	      .alarm = ZONE_ALARM_RAISED),
	    "zone 17: its alarm is raised, trips until " UNTIL
	    " are repeats; a restore is held back until then" },
	{ ROW(.kind = EFFECT_ZONE, .zone = 0, .alarm = ZONE_ALARM_WAITING),
	    "zone 0: its alarm waits until " UNTIL },
	{ ROW(.kind = EFFECT_ZONE, .zone = ZONE_17, .held_lsn = 4096,
	      .alarm = ZONE_ALARM_WAITING),
	    "zone 17: its alarm waits until " UNTIL
	    "; a restore is held back until then" },
	{ ROW(.kind = EFFECT_ZONE, .zone = ZONE_17, .alarm = ZONE_ALARM_SILENT),
	    "zone 17: its alarm stays silent, and so will its restore" },
	{ ROW(.kind = EFFECT_WAIT),
	    "the event is decided again at " UNTIL
	    ", or sooner if something changes" },
	{ ROW(.kind = EFFECT_TEST, .on = true),
	    "the next test is awaited from " AT " on" },
	{ ROW(.kind = EFFECT_TEST),
	    "it was told at " AT " that a test is missing" },
	{ ROW(.kind = EFFECT_ON_TEST, .on = true),
	    "it was told at " AT " that the site is on test" },
	{ ROW(.kind = EFFECT_ON_TEST),
	    "it was told at " AT " that the site is not on test any more" },
	{ ROW(.kind = EFFECT_CAMERA, .area = { AREA_CAMERA, 90 }),
	    "an event of the camera of channel 90 is awaited from " AT " on" },
	{ ROW(.kind = EFFECT_IDLE, .area = { AREA_CAMERA, 90 }, .on = true),
	    "it was told at " AT " that the camera of channel 90 is idle" },
	{ ROW(.kind = EFFECT_IDLE, .area = { AREA_CAMERA, 90 }),
	    "it was told at " AT
	    " that the camera of channel 90 is not idle any more" },
	{ ROW(.kind = EFFECT_ACTIVATION, .area = { AREA_ACTIVATION, 0 }),
	    "it was told that the activation ended at " AT
	    " without a bridge" },
};

static void
every_effect_has_words(void **state)
{
	char text[EFFECT_TEXT_SIZE];
	unsigned kinds = 0, areas = 0, alarms = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(effects); i++) {
		assert_row(strcmp(effect_format(&effects[i].effect, text),
			       effects[i].words) == 0,
		    i, text);
		kinds |= 1u << effects[i].effect.kind;
		areas |= 1u << effects[i].effect.area.kind;
		alarms |= 1u << effects[i].effect.alarm;
	}
	/* what comes after the last one is missing here */
	for (unsigned kind = 1; kind <= EFFECT_LAST; kind++)
		assert_row(kinds & 1u << kind, kind, "effect kind");
	for (unsigned kind = 0; kind <= AREA_LAST; kind++)
		assert_row(areas & 1u << kind, kind, "area kind");
	for (unsigned alarm = 0; alarm <= ZONE_ALARM_LAST; alarm++)
		assert_row(alarms & 1u << alarm, alarm, "alarm of a zone");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_has_a_name_of_its_own),
		cmocka_unit_test(every_end_of_a_delivery_has_a_name),
		cmocka_unit_test(every_effect_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
