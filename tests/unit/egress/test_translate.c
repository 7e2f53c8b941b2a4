/* What becomes of an event for a receiver that wants one code. */
#include "egress/translate.h"

#include "unit/test.h"

#define NONE	   SIGNAL_QUALIFIER_NONE
#define NEW	   SIGNAL_QUALIFIER_NEW
#define RESTORE	   SIGNAL_QUALIFIER_RESTORE
#define CONTACT_ID SIGNAL_FORMAT_CONTACT_ID
#define SIA	   SIGNAL_FORMAT_SIA

#define OWN	   "BA=R13F,E130=BV,E9FF=ZZ,P130=BX"

static const struct {
	enum directory_translation wanted;
	enum signal_format from;
	enum signal_qualifier qualifier;
	const char *code;
	enum signal_format to;
	enum signal_qualifier to_qualifier;
	const char *to_code;
	const char *codes; /* the receiver's own; NULL: none */
} rows[] = {
	{ DIRECTORY_TRANSLATION_NONE, CONTACT_ID, NEW, "130", CONTACT_ID, NEW,
	    "130" },
	{ DIRECTORY_TRANSLATION_NONE, SIA, NONE, "BA", SIA, NONE, "BA" },
	/* already so */
	{ DIRECTORY_TRANSLATION_CONTACT_ID, CONTACT_ID, NEW, "130", CONTACT_ID,
	    NEW, "130" },
	{ DIRECTORY_TRANSLATION_SIA, SIA, NONE, "BA", SIA, NONE, "BA" },
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, NEW, "130", SIA, NONE, "BA" },
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, RESTORE, "130", SIA, NONE,
	    "BH" },
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, NEW, "401", SIA, NONE, "OP" },
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, RESTORE, "401", SIA, NONE,
	    "CL" },
	{ DIRECTORY_TRANSLATION_CONTACT_ID, SIA, NONE, "BA", CONTACT_ID, NEW,
	    "130" },
	{ DIRECTORY_TRANSLATION_CONTACT_ID, SIA, NONE, "BH", CONTACT_ID,
	    RESTORE, "130" },
	/* what the table does not have */
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, NEW, "9FF", CONTACT_ID, NEW,
	    "9FF" },
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, SIGNAL_QUALIFIER_STATUS, "130",
	    CONTACT_ID, SIGNAL_QUALIFIER_STATUS, "130" },
	{ DIRECTORY_TRANSLATION_CONTACT_ID, SIA, NONE, "QQ", SIA, NONE, "QQ" },
	/* its own go first, and only they change */
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, NEW, "130", SIA, NONE, "BV",
	    OWN },
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, RESTORE, "130", SIA, NONE,
	    "BH", OWN },
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, SIGNAL_QUALIFIER_STATUS, "130",
	    SIA, NONE, "BX", OWN },
	{ DIRECTORY_TRANSLATION_SIA, CONTACT_ID, NEW, "9FF", SIA, NONE, "ZZ",
	    OWN },
	{ DIRECTORY_TRANSLATION_CONTACT_ID, SIA, NONE, "BA", CONTACT_ID,
	    RESTORE, "13F", OWN },
	{ DIRECTORY_TRANSLATION_CONTACT_ID, SIA, NONE, "BH", CONTACT_ID,
	    RESTORE, "130", OWN },
	{ DIRECTORY_TRANSLATION_NONE, CONTACT_ID, NEW, "130", CONTACT_ID, NEW,
	    "130", OWN },
};

static void
test_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct directory_receiver receiver = {
			.translation = rows[i].wanted,
			.codes = rows[i].codes ? rows[i].codes : "",
		};
		struct delivery delivery = {
			.format = rows[i].from,
			.qualifier = rows[i].qualifier,
			.account = slice_from_string("1234"),
			.partition = slice_from_string("01"),
			.zone = slice_from_string("017"),
			.text = slice_from_string("Gate"),
		};

		strcpy(delivery.code, rows[i].code);
		assert_row(translate_delivery(&receiver, &delivery) ==
			(rows[i].from != rows[i].to),
		    i, rows[i].code);
		assert_row(delivery.format == rows[i].to, i, rows[i].code);
		assert_row(delivery.qualifier == rows[i].to_qualifier, i,
		    rows[i].code);
		assert_row(strcmp(delivery.code, rows[i].to_code) == 0, i,
		    delivery.code);
		/* everything else stays */
		assert_slice(delivery.account, "1234");
		assert_slice(delivery.partition, "01");
		assert_slice(delivery.zone, "017");
		assert_slice(delivery.text, "Gate");
	}
}

/* What outputs that carry both codes tell beside the one that came. */
static void
test_the_second_code(void **state)
{
	static const struct {
		enum signal_format format;
		enum signal_qualifier qualifier;
		const char *code, *own;
	} cases[] = {
		{ CONTACT_ID, NEW, "130", "BV" },
		{ CONTACT_ID, SIGNAL_QUALIFIER_STATUS, "130", "BX" },
		{ CONTACT_ID, RESTORE, "130", "" },
		{ CONTACT_ID, NEW, "9FF", "ZZ" },
		{ SIA, NONE, "BA", "R13F" },
		{ SIA, NONE, "BH", "" },
	};
	struct directory_receiver receiver = { .codes = OWN };
	char own[CODES_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct delivery delivery = { .format = cases[i].format,
			.qualifier = cases[i].qualifier };

		strcpy(delivery.code, cases[i].code);
		receiver.codes = OWN;
		assert_row(strcmp(translate_own(&receiver, &delivery, own),
			       cases[i].own) == 0,
		    i, own);
		receiver.codes = "";
		assert_row(*translate_own(&receiver, &delivery, own) == '\0', i,
		    own);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_the_second_code),
	};

	return cmocka_run_group_tests_name("egress/translate", tests, NULL,
	    NULL);
}
