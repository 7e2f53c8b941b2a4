/* Texts kept once. */
#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/names.h"

#define MANY 1000

static void *
no_memory(size_t bytes)
{
	(void)bytes;
	return NULL;
}

static void
a_text_is_kept_while_it_is_used(void **state)
{
	struct names *names = names_create(malloc);
	size_t empty = names_bytes(names), one;
	const char *door = names_take(names, "Front door", malloc);

	(void)state;
	one = names_bytes(names);
	assert_string_equal(door, "Front door");
	assert_ptr_equal(names_take(names, "Front door", malloc), door);
	assert_int_equal(names_bytes(names), one);
	names_release(names, door);
	assert_string_equal(door, "Front door");
	assert_int_equal(names_bytes(names), one);
	names_release(names, door);
	assert_int_equal(names_bytes(names), empty);
	names_release(names, NULL);
	names_close(&names);
	names_close(&names);
}

static void
many_are_told_apart(void **state)
{
	struct names *names = names_create(malloc);
	const char *kept[MANY];
	char text[16];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "Zone %u", i);
		kept[i] = names_take(names, text, malloc);
	}
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "Zone %u", i);
		assert_string_equal(kept[i], text);
		assert_ptr_equal(names_take(names, text, malloc), kept[i]);
		names_release(names, kept[i]);
		if (i % 2)
			names_release(names, kept[i]);
	}
	assert_ptr_equal(names_take(names, "Zone 2", malloc), kept[2]);
	names_close(&names);
}

static void
without_memory_nothing_changes(void **state)
{
	struct names *names = names_create(malloc);
	const char *door = names_take(names, "Front door", malloc);

	(void)state;
	assert_null(names_create(no_memory));
	assert_null(names_take(names, "Back door", no_memory));
	assert_ptr_equal(names_take(names, "Front door", no_memory), door);
	names_close(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_kept_while_it_is_used),
		cmocka_unit_test(many_are_told_apart),
		cmocka_unit_test(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
