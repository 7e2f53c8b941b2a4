/* Where a line of the log goes, also while that changes. */
#include "unit/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define SWITCHES 2000

struct fixture {
	char directory[64], first[80], second[80], other[80];
};

static int
open_fixture(void **state)
{
	static struct fixture f;

	snprintf(f.directory, sizeof(f.directory), "/tmp/tocsin-log-XXXXXX");
	assert_non_null(mkdtemp(f.directory));
	snprintf(f.first, sizeof(f.first), "%s/first", f.directory);
	snprintf(f.second, sizeof(f.second), "%s/second", f.directory);
	snprintf(f.other, sizeof(f.other), "%s/other", f.directory);
	*state = &f;
	return 0;
}

static int
close_fixture(void **state)
{
	struct fixture *f = *state;

	log_open(NULL, LOG_INFO, NULL);
	unlink(f->first);
	unlink(f->second);
	unlink(f->other);
	return rmdir(f->directory);
}

static const char *
content(const char *path)
{
	static char text[4096];
	FILE *in = fopen(path, "r");
	size_t length = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

	text[length] = '\0';
	if (in)
		fclose(in);
	return text;
}

static bool
says(const char *path, const char *event)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), " event=%s ", event);
	return strstr(content(path), wanted);
}

static void
write_event(const char *event)
{
	log_write(LOG_INFO, "test", event, "%s", "");
}

static void
lines_go_where_it_was_opened(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(log_open(f->first, LOG_INFO, NULL), 0);
	write_event("one");
	log_write(LOG_DEBUG, "test", "too_much", "%s", "");
	assert_int_equal(log_open(f->second, LOG_WARN, NULL), 0);
	write_event("two");
	log_write(LOG_WARN, "test", "three", "%s", "");
	assert_true(says(f->first, "one"));
	assert_false(says(f->first, "too_much"));
	assert_false(says(f->first, "three"));
	assert_false(says(f->second, "two"));
	assert_true(says(f->second, "three"));
}

static void
a_renamed_file_is_opened_anew(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(log_open(f->first, LOG_INFO, NULL), 0);
	assert_int_equal(rename(f->first, f->second), 0);
	write_event("still_there");
	assert_int_equal(log_open(f->first, LOG_INFO, NULL), 0);
	write_event("anew");
	assert_true(says(f->second, "still_there"));
	assert_true(says(f->first, "anew"));
}

static void
nothing_changes_before_the_switch(void **state)
{
	struct fixture *f = *state;
	struct log_target target;
	struct err err;

	assert_int_equal(log_open(f->first, LOG_INFO, NULL), 0);
	assert_int_equal(log_prepare(&target, f->second, LOG_WARN, &err), 0);
	write_event("between");
	log_discard(&target);
	write_event("behind");
	assert_true(says(f->first, "between"));
	assert_true(says(f->first, "behind"));
	assert_string_equal(content(f->second), "");

	assert_true(log_prepare(&target, f->directory, LOG_INFO, &err) < 0);
	assert_non_null(strstr(err.text, f->directory));
	write_event("after_an_error");
	assert_true(says(f->first, "after_an_error"));
}

static void *
write_on(void *context)
{
	const atomic_bool *stop = context;

	while (!atomic_load(stop))
		write_event("on_and_on");
	return NULL;
}

/* The number of a file that is closed is the next one's. */
static void
a_line_never_meets_what_another_has_opened(void **state)
{
	struct fixture *f = *state;
	atomic_bool stop = false;
	pthread_t writer;
	struct stat found;

	assert_int_equal(log_open(f->first, LOG_INFO, NULL), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_on, &stop), 0);
	for (unsigned i = 0; i < SWITCHES; i++) {
		int fd;

		log_open(i % 2 ? f->first : f->second, LOG_INFO, NULL);
		fd = open(f->other, O_WRONLY | O_CREAT, 0600);
		assert_true(fd >= 0);
		fstat(fd, &found);
		close(fd);
		assert_int_equal(found.st_size, 0);
	}
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
	assert_int_equal(stat(f->other, &found), 0);
	assert_int_equal(found.st_size, 0);
}

int
main(void)
{
#define TEST(name)                                                             \
 cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
	const struct CMUnitTest tests[] = {
		TEST(lines_go_where_it_was_opened),
		TEST(a_renamed_file_is_opened_anew),
		TEST(nothing_changes_before_the_switch),
		TEST(a_line_never_meets_what_another_has_opened),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
