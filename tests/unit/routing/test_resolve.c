/* The alarm library: the truth table by hand, then random libraries against a
 * resolver that was written down the other way round. */
#include "unit/test.h"

#include <stdlib.h>

#include "routing/routing.h"

enum {
	UNSET = DIRECTORY_INHERIT,
	NO = DIRECTORY_NO,
	YES = DIRECTORY_YES
};

struct level {
	int enabled;
	const char *code;
};

static struct directory_library
library_of(struct directory_library_row *row, const struct level *level,
    unsigned zone_type, const char *inbound)
{
	memset(row, 0, sizeof(*row));
	row->zone_type = (uint16_t)zone_type;
	row->enabled = (int8_t)level->enabled;
	strcpy(row->code, level->code);
	if (inbound)
		strcpy(row->inbound_code, inbound);
	return (struct directory_library){ 1, row };
}

/* Instant: E130, enabled. Each value comes from the first level that has it. */
static const struct {
	const char *name;
	struct level channel, site, dealer;
	bool enabled;
	enum routing_level enabled_level;
	const char *code;
	enum routing_level code_level;
} levels[] = {
	{ "nothing set", { UNSET, "" }, { UNSET, "" }, { UNSET, "" }, true,
	    ROUTING_LEVEL_BUILT_IN, "130", ROUTING_LEVEL_BUILT_IN },
	{ "dealer's code", { UNSET, "" }, { UNSET, "" }, { UNSET, "131" }, true,
	    ROUTING_LEVEL_BUILT_IN, "131", ROUTING_LEVEL_DEALER },
	{ "site before dealer", { UNSET, "" }, { UNSET, "132" },
	    { UNSET, "131" }, true, ROUTING_LEVEL_BUILT_IN, "132",
	    ROUTING_LEVEL_SITE },
	{ "channel before site", { UNSET, "133" }, { UNSET, "132" },
	    { UNSET, "131" }, true, ROUTING_LEVEL_BUILT_IN, "133",
	    ROUTING_LEVEL_CHANNEL },
	{ "dealer disables", { UNSET, "" }, { UNSET, "" }, { NO, "" }, false,
	    ROUTING_LEVEL_DEALER, "130", ROUTING_LEVEL_BUILT_IN },
	{ "site enables again", { UNSET, "" }, { YES, "" }, { NO, "" }, true,
	    ROUTING_LEVEL_SITE, "130", ROUTING_LEVEL_BUILT_IN },
	{ "channel disables", { NO, "" }, { YES, "" }, { YES, "" }, false,
	    ROUTING_LEVEL_CHANNEL, "130", ROUTING_LEVEL_BUILT_IN },
	{ "code and enabled from different levels", { UNSET, "" }, { NO, "" },
	    { YES, "131" }, false, ROUTING_LEVEL_SITE, "131",
	    ROUTING_LEVEL_DEALER },
	{ "a code does not enable", { UNSET, "140" }, { UNSET, "" }, { NO, "" },
	    false, ROUTING_LEVEL_DEALER, "140", ROUTING_LEVEL_CHANNEL },
};

static void
test_levels(void **state)
{
	const struct directory_zone_type instant = { 3, true, "130",
		"Instant" };

	(void)state;
	for (size_t i = 0; i < COUNT(levels); i++) {
		struct directory_library_row site_row, dealer_row;
		struct directory_library site, dealer;
		struct directory_zone zone = { .zone = "005", .zone_type = 3 };
		struct routing_effective got;

		zone.enabled = (int8_t)levels[i].channel.enabled;
		strcpy(zone.code, levels[i].channel.code);
		site = library_of(&site_row, &levels[i].site, 3, NULL);
		dealer = library_of(&dealer_row, &levels[i].dealer, 3, NULL);
		routing_resolve(&instant, &dealer, &site, &zone, &got);
		assert_row(got.enabled == levels[i].enabled, i, levels[i].name);
		assert_row(got.enabled_level == levels[i].enabled_level, i,
		    levels[i].name);
		assert_row(!strcmp(got.code, levels[i].code), i,
		    levels[i].name);
		assert_row(got.code_level == levels[i].code_level, i,
		    levels[i].name);
	}
}

static void
test_rows_of_others_do_not_count(void **state)
{
	const struct directory_zone_type instant = { 3, true, "130",
		"Instant" };
	struct directory_library_row rows[] = {
		{ 4, "", DIRECTORY_NO, "199" },
		{ 0, "130", DIRECTORY_NO, "198" },
	};
	struct directory_library library = { COUNT(rows), rows };
	struct routing_effective got;

	(void)state;
	routing_resolve(&instant, &library, NULL, NULL, &got);
	assert_true(got.enabled);
	assert_string_equal(got.code, "130");
	routing_resolve_inbound("131", &library, &library, &got);
	assert_true(got.enabled);
	assert_string_equal(got.code, "131");
	assert_int_equal(got.code_level, ROUTING_LEVEL_BUILT_IN);
	routing_resolve_inbound("130", &library, NULL, &got);
	assert_false(got.enabled);
	assert_int_equal(got.enabled_level, ROUTING_LEVEL_DEALER);
	assert_string_equal(got.code, "198");
}

/* What rows say about an event of our own, at one level. */
static void
test_system_events(void **state)
{
	static const struct directory_library_row about[] = {
		{ 0, "350", DIRECTORY_NO, "", 'E' },
		{ 0, "350", DIRECTORY_INHERIT, "360", 0 },
		{ 0, "351", DIRECTORY_NO, "", 'E' },
		{ 0, "351", DIRECTORY_YES, "", 'R' },
		{ 0, "401", DIRECTORY_NO, "", 'E' },
		{ 0, "602", DIRECTORY_NO, "603", 0 },
		{ 0, "602", DIRECTORY_YES, "", 'E' },
	};
	static const struct {
		const char *name;
		struct system_event event;
		bool enabled;
		const char *effective;
	} rows[] = {
		{ "the event's row", { "", 'E', "351", false }, false, "351" },
		{ "the code's row fills what the event's leaves open",
		    { "", 'E', "350", false }, false, "360" },
		{ "a restore follows its alarm", { "", 'R', "350", false },
		    false, "360" },
		{ "unless its own row says otherwise",
		    { "", 'R', "351", false }, true, "351" },
		{ "an opening", { "", 'E', "401", false }, false, "401" },
		{ "a closing follows nothing", { "", 'R', "401", false }, true,
		    "401" },
		{ "the event before its code", { "", 'E', "602", false }, true,
		    "603" },
		{ "nothing said", { "", 'E', "601", false }, true, "601" },
	};
	const struct directory_library library = { COUNT(about), about };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct routing_effective got;

		routing_resolve_system_event(&rows[i].event, &library, NULL,
		    NULL, &got);
		assert_row(got.enabled == rows[i].enabled, i, rows[i].name);
		assert_row(!strcmp(got.code, rows[i].effective), i,
		    rows[i].name);
	}
	/* what a panel says itself is no event of ours */
	struct routing_effective got;

	routing_resolve_inbound("351", &library, NULL, &got);
	assert_true(got.enabled);
}

/* ---- random libraries ------------------------------------------------------ */

#define ROWS	   12
#define ZONE_TYPES 9

static uint64_t seed = 0x9e3779b97f4a7c15u;

static unsigned
draw(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % below;
}

static void
draw_code(char code[DIRECTORY_CODE_SIZE])
{
	code[0] = '\0';
	if (draw(2))
		snprintf(code, DIRECTORY_CODE_SIZE, "%u", 100 + draw(8));
}

/* At most one row about each subject, as the database holds it. */
static struct directory_library
draw_library(struct directory_library_row rows[ROWS])
{
	struct directory_library library = { 0, rows };

	memset(rows, 0, ROWS * sizeof(rows[0]));
	for (unsigned subject = 1; subject <= ROWS; subject++) {
		struct directory_library_row *row = &rows[library.count];

		if (draw(3) == 0)
			continue;
		if (subject <= ZONE_TYPES)
			row->zone_type = (uint16_t)subject;
		else
			snprintf(row->inbound_code, sizeof(row->inbound_code),
			    "%u", 400 + subject);
		row->enabled = (int8_t)((int)draw(3) - 1);
		draw_code(row->code);
		library.count++;
	}
	return library;
}

/* From the weakest level to the strongest, each overwriting what it sets. */
static void
naive_overwrite(struct routing_effective *effective, enum routing_level level,
    int enabled, const char *code)
{
	if (enabled == NO || enabled == YES) {
		effective->enabled = enabled == YES;
		effective->enabled_level = level;
	}
	if (strlen(code) > 0) {
		strcpy(effective->code, code);
		effective->code_level = level;
	}
}

static void
naive_library(struct routing_effective *effective, enum routing_level level,
    const struct directory_library *library, unsigned zone_type,
    const char *inbound)
{
	for (unsigned i = 0; i < library->count; i++) {
		const struct directory_library_row *row = &library->rows[i];
		bool meant = inbound
		    ? row->zone_type == 0 && !strcmp(row->inbound_code, inbound)
		    : row->zone_type == zone_type;

		if (meant)
			naive_overwrite(effective, level, row->enabled,
			    row->code);
	}
}

static void
assert_same(const struct routing_effective *got,
    const struct routing_effective *expected)
{
	assert_int_equal(got->enabled, expected->enabled);
	assert_int_equal(got->enabled_level, expected->enabled_level);
	assert_string_equal(got->code, expected->code);
	assert_int_equal(got->code_level, expected->code_level);
}

static void
test_random_zone_types(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct directory_library_row dealer_rows[ROWS], site_rows[ROWS];
		struct directory_library dealer = draw_library(dealer_rows);
		struct directory_library site = draw_library(site_rows);
		struct directory_zone_type type = {
			.number = (uint16_t)(1 + draw(ZONE_TYPES)),
			.enabled = draw(2),
			.code = "130",
		};
		struct directory_zone zone = { .zone_type = type.number };
		struct routing_effective got, expected;
		bool with_zone = draw(4);

		zone.enabled = (int8_t)((int)draw(3) - 1);
		draw_code(zone.code);
		naive_overwrite(&expected, ROUTING_LEVEL_BUILT_IN,
		    type.enabled ? YES : NO, type.code);
		naive_library(&expected, ROUTING_LEVEL_DEALER, &dealer,
		    type.number, NULL);
		naive_library(&expected, ROUTING_LEVEL_SITE, &site, type.number,
		    NULL);
		if (with_zone)
			naive_overwrite(&expected, ROUTING_LEVEL_CHANNEL,
			    zone.enabled, zone.code);
		routing_resolve(&type, &dealer, &site, with_zone ? &zone : NULL,
		    &got);
		assert_same(&got, &expected);
	}
}

static void
test_random_inbound_codes(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct directory_library_row dealer_rows[ROWS], site_rows[ROWS];
		struct directory_library dealer = draw_library(dealer_rows);
		struct directory_library site = draw_library(site_rows);
		struct routing_effective got, expected;
		char code[DIRECTORY_CODE_SIZE];

		snprintf(code, sizeof(code), "%u", 409 + draw(5));
		naive_overwrite(&expected, ROUTING_LEVEL_BUILT_IN, YES, code);
		naive_library(&expected, ROUTING_LEVEL_DEALER, &dealer, 0,
		    code);
		naive_library(&expected, ROUTING_LEVEL_SITE, &site, 0, code);
		routing_resolve_inbound(code, &dealer, &site, &got);
		assert_same(&got, &expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_rows_of_others_do_not_count),
		cmocka_unit_test(test_system_events),
		cmocka_unit_test(test_random_zone_types),
		cmocka_unit_test(test_random_inbound_codes),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
