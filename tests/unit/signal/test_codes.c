/* The generated tables hold what their sources say. */
#include "unit/test.h"

#include "signal/codes.h"

#define DATA TEST_SOURCE_DIR "/../src/signal/data/"

/* Calls check with the first four cells of each row; returns how many. */
static unsigned
each_row(const char *path, void (*check)(char *const cells[4]))
{
	FILE *file = fopen(path, "r");
	char line[1024];
	unsigned count = 0;

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file)); /* column names */
	while (fgets(line, sizeof(line), file)) {
		char *rest = line, *cells[4];

		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < COUNT(cells); i++)
			if (!(cells[i] = strsep(&rest, "\t")))
				cells[i] = line + strlen(line);
		check(cells);
		count++;
	}
	fclose(file);
	return count;
}

static void
check_contact_id(char *const cells[4])
{
	const struct codes_contact_id *row = codes_contact_id_find(cells[0]);

	if (strlen(cells[0]) != 3 || strspn(cells[0], "0123456789BCDEF") != 3) {
		assert_null(row);
		return;
	}
	assert_non_null(row);
	assert_string_equal(row->code, cells[0]);
}

static void
check_sia(char *const cells[4])
{
	const struct codes_sia *row = codes_sia_find(cells[0]);

	assert_non_null(row);
	assert_string_equal(row->code, cells[0]);
}

static void
check_pair(char *const cells[4])
{
	const char *sia = codes_sia_from_contact_id(cells[0],
	    signal_qualifier_from_char(*cells[1]));
	enum signal_qualifier qualifier;
	char code[4];

	if (strlen(cells[3]) != 2)
		return;
	if (!sia || strcmp(sia, cells[3]) != 0)
		fail_msg("%s %s gives %s, not %s", cells[0], cells[1],
		    sia ? sia : "none", cells[3]);
	assert_true(codes_contact_id_from_sia(sia, code, &qualifier));
	/* back the same way, unless somebody's zone alarm comes before */
	if (code[0] != '1' || cells[0][0] == '1')
		assert_string_equal(codes_sia_from_contact_id(code, qualifier),
		    sia);
}

static void
tables_hold_their_sources(void **state)
{
	(void)state;
	assert_true(each_row(DATA "cid_codes.tsv", check_contact_id) > 250);
	assert_true(each_row(DATA "sia_codes.tsv", check_sia) > 300);
	assert_true(each_row(DATA "cid_sia_map.tsv", check_pair) > 100);
}

static void
known_codes(void **state)
{
	(void)state;
	assert_string_equal(codes_contact_id_find("130")->meaning, "Burglary");
	assert_int_equal(codes_contact_id_find("130")->field, 'Z');
	assert_int_equal(codes_contact_id_find("401")->field, 'U');
	assert_string_equal(codes_sia_find("BA")->meaning, "Burglary Alarm");
	assert_string_equal(codes_sia_find("BA")->address, "Zone or point");
	assert_null(codes_contact_id_find(""));
	assert_null(codes_contact_id_find("999999"));
	assert_null(codes_sia_find("QQQ"));
	assert_null(codes_sia_from_contact_id("130", SIGNAL_QUALIFIER_NONE));
	assert_string_equal(codes_sia_from_contact_id("401",
				SIGNAL_QUALIFIER_RESTORE),
	    "CL");
}

static const struct {
	enum signal_format format;
	const char *code;
	bool zone_alarm;
} alarms[] = {
	{ SIGNAL_FORMAT_CONTACT_ID, "130", true },
	{ SIGNAL_FORMAT_CONTACT_ID, "110", true },
	{ SIGNAL_FORMAT_CONTACT_ID, "420", true },
	{ SIGNAL_FORMAT_CONTACT_ID, "421", true },
	{ SIGNAL_FORMAT_CONTACT_ID, "401", false },
	{ SIGNAL_FORMAT_CONTACT_ID, "305", false },
	{ SIGNAL_FORMAT_CONTACT_ID, "602", false },
	{ SIGNAL_FORMAT_SIA, "BA", true },
	{ SIGNAL_FORMAT_SIA, "BH", true },
	{ SIGNAL_FORMAT_SIA, "FA", true },
	{ SIGNAL_FORMAT_SIA, "BR", true },
	{ SIGNAL_FORMAT_SIA, "MR", true },
	{ SIGNAL_FORMAT_SIA, "BV", true },
	{ SIGNAL_FORMAT_SIA, "YA", false },
	{ SIGNAL_FORMAT_SIA, "CL", false },
	{ SIGNAL_FORMAT_SIA, "RP", false },
	{ SIGNAL_FORMAT_SIA, "QQ", false },
	{ SIGNAL_FORMAT_PULSE, "1", false },
	{ SIGNAL_FORMAT_HIGH_SPEED, "17", false },
};

static void
zone_alarms(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(alarms); i++) {
		struct signal_event event = { .format = alarms[i].format };

		strcpy(event.code, alarms[i].code);
		assert_row(codes_is_zone_alarm(&event) == alarms[i].zone_alarm,
		    i, alarms[i].code);
	}
}

static const struct {
	enum signal_format format;
	const char *code;
	bool life_safety;
} lives[] = {
	{ SIGNAL_FORMAT_CONTACT_ID, "100", true },
	{ SIGNAL_FORMAT_CONTACT_ID, "110", true },
	{ SIGNAL_FORMAT_CONTACT_ID, "129", true },
	{ SIGNAL_FORMAT_CONTACT_ID, "130", false },
	{ SIGNAL_FORMAT_CONTACT_ID, "602", false },
	{ SIGNAL_FORMAT_SIA, "FA", true },
	{ SIGNAL_FORMAT_SIA, "PA", true },
	{ SIGNAL_FORMAT_SIA, "MA", true },
	{ SIGNAL_FORMAT_SIA, "BA", false },
	{ SIGNAL_FORMAT_SIA, "QQ", false },
	/* nobody can tell */
	{ SIGNAL_FORMAT_PULSE, "A", true },
	{ SIGNAL_FORMAT_BFSK, "_C", true },
};

static void
life_safety(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lives); i++)
		assert_row(codes_is_life_safety(lives[i].format,
			       lives[i].code) == lives[i].life_safety,
		    i, lives[i].code);
}

static void
inbound_names(void **state)
{
	static const struct {
		enum signal_format format;
		const char *code, *name;
	} cases[] = {
		{ SIGNAL_FORMAT_CONTACT_ID, "602", "602" },
		{ SIGNAL_FORMAT_SIA, "OP", "OP" },
		{ SIGNAL_FORMAT_PULSE, "A", "1-A" },
		{ SIGNAL_FORMAT_BFSK, "_A", "6-_A" },
		{ SIGNAL_FORMAT_HIGH_SPEED, "17", "8-17" },
		{ SIGNAL_FORMAT_ACRON, "1", "9-1" },
	};
	char name[CODES_INBOUND_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(codes_inbound_format(cases[i].format,
					cases[i].code, name),
		    cases[i].name);
}

/* No table says what they mean. */
static void
codes_of_panels(void **state)
{
	struct codes_both codes;

	(void)state;
	codes_both_find(SIGNAL_FORMAT_PULSE, "1", SIGNAL_QUALIFIER_NEW, NULL,
	    &codes);
	assert_string_equal(codes.contact_id, "");
	assert_null(codes.sia);
	assert_string_equal(codes.kind, "other");
}

/* What only some makers send is understood, but never said to a station. */
static void
codes_of_some_makers(void **state)
{
	static const struct {
		const char *sia, *contact_id;
		enum signal_qualifier qualifier;
	} cases[] = {
		{ "MR", "100", SIGNAL_QUALIFIER_RESTORE },
		{ "BR", "130", SIGNAL_QUALIFIER_RESTORE },
		{ "BV", "139", SIGNAL_QUALIFIER_NEW },
		{ "BW", "139", SIGNAL_QUALIFIER_RESTORE },
		{ "KR", "158", SIGNAL_QUALIFIER_RESTORE },
		{ "NR", "350", SIGNAL_QUALIFIER_RESTORE },
		{ "CF", "400", SIGNAL_QUALIFIER_RESTORE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum signal_qualifier qualifier;
		const char *said;
		char code[4];

		assert_row(codes_contact_id_from_sia(cases[i].sia, code,
			       &qualifier),
		    i, cases[i].sia);
		assert_string_equal(code, cases[i].contact_id);
		assert_row(qualifier == cases[i].qualifier, i, cases[i].sia);
		said = codes_sia_from_contact_id(code, qualifier);
		assert_row(!said || strcmp(said, cases[i].sia) != 0, i,
		    cases[i].sia);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_hold_their_sources),
		cmocka_unit_test(known_codes),
		cmocka_unit_test(zone_alarms),
		cmocka_unit_test(life_safety),
		cmocka_unit_test(inbound_names),
		cmocka_unit_test(codes_of_panels),
		cmocka_unit_test(codes_of_some_makers),
	};

	return cmocka_run_group_tests_name("signal/codes", tests, NULL, NULL);
}
