#include "unit/test.h"

#include <stdio.h>

#include "base/array.h"
#include "portal/totp.h"

static const uint8_t secret[TOTP_SECRET_BYTES] = "12345678901234567890";

/* RFC 6238, appendix B: the last six digits of its eight. */
static const struct {
	int64_t at_s;
	const char *code;
} vectors[] = {
	{ 59, "287082" },
	{ 1111111109, "081804" },
	{ 1111111111, "050471" },
	{ 1234567890, "005924" },
	{ 2000000000, "279037" },
	{ 20000000000, "353130" },
};

static void
codes_are_those_of_the_standard(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		int64_t step = vectors[i].at_s / TOTP_STEP_S;
		char code[12];

		snprintf(code, sizeof(code), "%06u", totp_code(secret, step));
		assert_row(strcmp(code, vectors[i].code) == 0, i, code);
	}
}

static void
a_code_is_found_while_clocks_differ_by_a_step(void **state)
{
	static const struct {
		int64_t later_s;
		bool found;
	} rows[] = {
		{ -60, false },
		{ -30, true },
		{ 0, true },
		{ 30, true },
		{ 60, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const int64_t at_s = vectors[1].at_s;
		int64_t step =
		    totp_find(secret, vectors[1].code, at_s + rows[i].later_s);

		assert_row(step == (rows[i].found ? at_s / TOTP_STEP_S : 0), i,
		    "step");
	}
}

static void
what_is_no_code_is_of_no_step(void **state)
{
	static const char *const codes[] = { "", "08180", "0818040", "81804",
		"abcdef", "08180 " };

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++)
		assert_row(totp_find(secret, codes[i], vectors[1].at_s) == 0, i,
		    codes[i]);
}

static void
secrets_are_written_in_base_32(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {
		{ "", "" },
		{ "fooba", "MZXW6YTB" },
		{ "foobafooba", "MZXW6YTBMZXW6YTB" },
		{ "\xff\xff\xff\xff\xff", "77777777" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		totp_base32(rows[i].bytes, strlen(rows[i].bytes), out);
		assert_row(strcmp(out, rows[i].text) == 0, i, out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_the_standard),
		cmocka_unit_test(a_code_is_found_while_clocks_differ_by_a_step),
		cmocka_unit_test(what_is_no_code_is_of_no_step),
		cmocka_unit_test(secrets_are_written_in_base_32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
