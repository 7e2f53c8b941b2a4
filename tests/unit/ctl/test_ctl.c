#include "../test.h"

#include <errno.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/key.h"

static void
keys_have_the_length_of_a_cipher(void **state)
{
	static const struct {
		const char *text;
		int length;
	} rows[] = {
		{ "hex:000102030405060708090a0b0c0d0e0f", 16 },
		{ "text:sixteen byte key", 16 },
		{ "text:twenty-four byte key 123", 24 },
		{ "text:thirty-two bytes are the longest", 32 },
		{ "text:thirty-two bytes are the longest!", -EINVAL },
		{ "text:short", -EINVAL },
		{ "hex:0001", -EINVAL },
		{ "sixteen byte key", -EINVAL },
	};
	uint8_t key[CTL_KEY_MAX];
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(key_parse(rows[i].text, key, &err) == rows[i].length,
		    i, rows[i].text);
}

static const char *const words[] = { "migrate", "status", "seed-demo" };

static const char *
word_at(const void *table, size_t index)
{
	return ((const char *const *)table)[index];
}

static void
the_nearest_word_is_found(void **state)
{
	static const struct {
		const char *typed, *nearest;
	} rows[] = {
		{ "stats", "status" },
		{ "migrat", "migrate" },
		{ "seed", "seed-demo" },
		{ "mirgate", "migrate" },
		{ "kitchen", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *near =
		    ctl_nearest(rows[i].typed, word_at, words, COUNT(words));

		assert_row(strcmp(near ? near : "", rows[i].nearest) == 0, i,
		    rows[i].typed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_have_the_length_of_a_cipher),
		cmocka_unit_test(the_nearest_word_is_found),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
