#include "unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "portal/limit.h"
#include "portal/route.h"
#include "portal/token.h"

static void
a_path_finds_its_operation(void **state)
{
	static const struct {
		enum route_method method;
		const char *path;
		enum route_match match;
		const char *name, *first_value;
	} rows[] = {
		{ ROUTE_GET, "/sites", ROUTE_FOUND, "listSites", NULL },
		{ ROUTE_GET, "/sites/search", ROUTE_FOUND, "searchSites",
		    NULL },
		{ ROUTE_GET, "/sites/7", ROUTE_FOUND, "getSite", "7" },
		{ ROUTE_PATCH, "/sites/7", ROUTE_FOUND, "changeSite", "7" },
		{ ROUTE_PUT, "/sites/7", ROUTE_OTHER_METHOD, NULL, NULL },
		{ ROUTE_GET, "/sites/", ROUTE_NOT_FOUND, NULL, NULL },
		{ ROUTE_GET, "/sites//contacts", ROUTE_NOT_FOUND, NULL, NULL },
		{ ROUTE_GET, "/sites/7/8/9/10/11/12", ROUTE_NOT_FOUND, NULL,
		    NULL },
		{ ROUTE_GET, "", ROUTE_NOT_FOUND, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice values[ROUTE_PATH_VALUES_MAX] = { 0 };
		const struct route *route = NULL;

		assert_int_equal(route_find(rows[i].method, rows[i].path,
				     &route, values),
		    rows[i].match);
		if (rows[i].name)
			assert_string_equal(route->name, rows[i].name);
		if (rows[i].first_value)
			assert_true(slice_is(values[0], rows[i].first_value));
	}
}

static unsigned
highest_placeholder(const char *sql)
{
	unsigned highest = 0;

	while ((sql = strchr(sql, '$')) != NULL) {
		unsigned number = (unsigned)strtoul(++sql, NULL, 10);

		if (number > highest)
			highest = number;
	}
	return highest;
}

/* Each value has its placeholder, and each placeholder a value. */
static void
statements_fit_their_parameters(void **state)
{
	const struct route_group *group;

	(void)state;
	for (size_t g = 0; (group = route_group(g)) != NULL; g++)
		for (size_t i = 0; i < group->count; i++) {
			const struct route *route = &group->routes[i];
			unsigned count = route->issues_token +
			    (route->live != LIVE_NOTHING) + route->streams,
				 change = 0;

			for (const struct route_parameter *p =
				 route->parameters;
			     p->name; p++)
				if (p->where == ROUTE_IN_CHANGE)
					change = 1;
				else
					count++;
			assert_int_equal(!route->sql, route->handle != NULL);
			if (route->sql)
				assert_int_equal(highest_placeholder(route
									 ->sql),
				    count + change);
		}
}

static void
tokens_differ_and_are_known_by_their_hash(void **state)
{
	char a[TOKEN_TEXT_SIZE], b[TOKEN_TEXT_SIZE], csrf[TOKEN_TEXT_SIZE];
	char hash[TOKEN_HASH_SIZE];

	(void)state;
	token_new(a);
	token_new(b);
	assert_true(token_sound(a));
	assert_false(token_equal(a, b));
	assert_true(token_equal(a, a));
	assert_false(token_equal(a, ""));
	assert_false(token_sound("' OR ''='"));
	token_csrf(a, csrf);
	assert_true(token_sound(csrf));
	token_hash(a, hash);
	assert_string_not_equal(hash + 2, csrf);
	token_hash("abc", hash);
	assert_string_equal(hash,
	    "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
a_source_that_asks_too_much_waits(void **state)
{
	static struct limit limit;
	int64_t now_us = 1000000;

	(void)state;
	limit_open(&limit);
	for (int i = 0; i < LIMIT_BURST; i++)
		assert_true(limit_take(&limit, "192.0.2.1", now_us));
	assert_false(limit_take(&limit, "192.0.2.1", now_us));
	now_us += 1000000 / LIMIT_PER_SECOND;
	assert_true(limit_take(&limit, "192.0.2.1", now_us));
	assert_false(limit_take(&limit, "192.0.2.1", now_us));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_finds_its_operation),
		cmocka_unit_test(statements_fit_their_parameters),
		cmocka_unit_test(tokens_differ_and_are_known_by_their_hash),
		cmocka_unit_test(a_source_that_asks_too_much_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
