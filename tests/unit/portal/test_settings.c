/* The portal's file: what is wrong in it is told with its place, what ships
 * equals the table. */
#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "portal/settings.h"

#define SOURCE TEST_SOURCE_DIR "/../"

static char path[64];

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int
setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/tocsin-settings-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void
what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{ "[portal]\nlisten = 127.0.0.1:1\n", NULL },
		{ "[portal]\nlisten =\n", ":2: listen: may not be empty" },
		{ "[portal]\nliste = x\n",
		    ":2: [portal] has no key 'liste' (did you mean listen?)" },
		{ "[quux]\n", ":1: there is no section [quux]" },
		{ "[listener x]\n", ":1: there is no section [listener x]" },
		{ "[portal]\nbehind_proxy = maybe\n",
		    ":2: behind_proxy: 'maybe' is neither yes nor no" },
		{ "[portal]\n\ncertificate = c\n",
		    ":3: certificate and key belong together" },
		{ "[portal]\nkey = k\n",
		    ":2: certificate and key belong together" },
		{ "[database]\nconnections = 17\n",
		    ":2: connections: '17' is not between 0 and 16" },
		{ "listen = x\n",
		    ":1: 'listen' stands before the first [section]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *settings = NULL;
		struct err err = { "" };
		int result;

		write_file(rows[i].text);
		result = settings_load(path, &settings, &err);
		assert_row((result == 0) == !rows[i].told, i, err.text);
		if (rows[i].told)
			assert_row(strcmp(err.text + strlen(path),
				       rows[i].told) == 0,
			    i, err.text);
		settings_free(&settings);
	}
	write_file("[portal]\n");
	assert_int_equal(settings_load("/nonexistent/portal.ini",
			     &(struct settings *){ NULL }, &(struct err){ "" }),
	    -ENOENT);
}

static void
files_are_beside_it_and_absent_is_null(void **state)
{
	struct settings *settings = NULL;
	struct err err = { "" };

	(void)state;
	write_file("[portal]\ncertificate = a/c\nkey = /k\n");
	assert_int_equal(settings_load(path, &settings, &err), 0);
	assert_string_equal(settings->server.certificate, "/tmp/a/c");
	assert_string_equal(settings->server.key, "/k");
	assert_null(settings->server.origin);
	assert_string_equal(settings->server.listen, "127.0.0.1:8443");
	assert_true(*settings->server.web == '/');
	assert_int_equal(settings->server.threads, 0);
	settings_free(&settings);
}

static void
assert_generated(void (*write)(const struct config_schema *, FILE *),
    const char *name)
{
	char *text = NULL, *shipped = NULL;
	size_t size = 0, length = 0;
	FILE *out = open_memstream(&text, &size), *file = fopen(name, "r");

	assert_non_null(file);
	write(&settings_schema, out);
	fclose(out);
	assert_true(getdelim(&shipped, &length, '\0', file) > 0);
	fclose(file);
	if (strcmp(text, shipped) != 0)
		fail_msg("%s is not what src/make_settings prints", name);
	free(text);
	free(shipped);
}

static void
what_ships_is_the_table(void **state)
{
	(void)state;
	assert_generated(config_write_sample, SOURCE "etc/portal.ini");
	assert_generated(config_write_manual, SOURCE "man/tocsin-portal.ini.5");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_told_with_its_place),
		cmocka_unit_test(files_are_beside_it_and_absent_is_null),
		cmocka_unit_test(what_ships_is_the_table),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
