#include "../test.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/seal.h"

static const struct seal_master master_a = { { 1, 2, 3 } };
static const struct seal_master master_b = { { 1, 2, 4 } };
static const char secret[] = "sixteen byte key";

static void
opens_only_where_it_belongs(void **state)
{
	char blob[64], again[64], plain[64];
	int length = seal_close(&master_a, "bridge.key:7",
	    slice_from_string(secret), blob, sizeof(blob));
	struct slice sealed = slice_of(blob, (size_t)length);

	(void)state;
	assert_int_equal(length, (int)strlen(secret) + SEAL_OVERHEAD);
	assert_int_equal(seal_open(&master_a, "bridge.key:7", sealed, plain,
			     sizeof(plain)),
	    (int)strlen(secret));
	assert_memory_equal(plain, secret, strlen(secret));
	assert_int_equal(seal_open(&master_a, "bridge.key:8", sealed, plain,
			     sizeof(plain)),
	    -EBADMSG);
	assert_int_equal(seal_open(&master_b, "bridge.key:7", sealed, plain,
			     sizeof(plain)),
	    -EBADMSG);
	assert_int_equal(seal_close(&master_a, "bridge.key:7",
			     slice_from_string(secret), again, sizeof(again)),
	    length);
	assert_memory_not_equal(blob, again, (size_t)length);
}

static void
every_changed_or_missing_byte_is_noticed(void **state)
{
	char blob[64], plain[64];
	int length = seal_close(&master_a, "receiver.key:1",
	    slice_from_string(secret), blob, sizeof(blob));

	(void)state;
	for (int i = 0; i < length; i++) {
		blob[i] = (char)(blob[i] ^ 1);
		assert_row(seal_open(&master_a, "receiver.key:1",
			       slice_of(blob, (size_t)length), plain,
			       sizeof(plain)) == -EBADMSG,
		    i, "changed");
		blob[i] = (char)(blob[i] ^ 1);
		assert_row(seal_open(&master_a, "receiver.key:1",
			       slice_of(blob, (size_t)i), plain,
			       sizeof(plain)) == -EBADMSG,
		    i, "cut");
	}
	assert_int_equal(seal_open(&master_a, "receiver.key:1",
			     slice_of(blob, (size_t)length), plain,
			     strlen(secret) - 1),
	    -ENOBUFS);
	assert_int_equal(seal_close(&master_a, "receiver.key:1",
			     slice_from_string(secret), blob,
			     strlen(secret) + SEAL_OVERHEAD - 1),
	    -ENOBUFS);
}

#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

static void
master_key_files(void **state)
{
	static const struct {
		const char *name, *content;
		int result;
	} rows[] = {
		{ "raw", "abcdefghijklmnopqrstuvwxyz012345", 0 },
		{ "hexadecimal", HEX64, 0 },
		{ "hexadecimal and line end", HEX64 "\n", 0 },
		{ "empty", "", -EINVAL },
		{ "one byte short", "abcdefghijklmnopqrstuvwxyz01234",
		    -EINVAL },
		{ "one byte long", "abcdefghijklmnopqrstuvwxyz0123456",
		    -EINVAL },
		{ "a digit too many", HEX64 "0", -EINVAL },
		{ "no digit", "x" HEX64, -EINVAL },
	};
	char path[] = "/tmp/test_seal.XXXXXX";
	int fd = mkstemp(path);
	struct seal_master master;
	struct err err;

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t length = strlen(rows[i].content);

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, rows[i].content, length, 0),
		    (int)length);
		assert_row(seal_master_load(path, &master, &err) ==
			rows[i].result,
		    i, rows[i].name);
		if (rows[i].result != 0)
			assert_row(strstr(err.text, path) != NULL, i,
			    rows[i].name);
	}
	assert_int_equal(ftruncate(fd, 64), 0);
	assert_int_equal(pwrite(fd, HEX64, 64, 0), 64);
	assert_int_equal(seal_master_load(path, &master, &err), 0);
	for (size_t i = 0; i < SEAL_MASTER_SIZE; i++)
		assert_int_equal(master.key[i], (int)i);
	close(fd);
	unlink(path);
	assert_int_equal(seal_master_load(path, &master, &err), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_only_where_it_belongs),
		cmocka_unit_test(every_changed_or_missing_byte_is_noticed),
		cmocka_unit_test(master_key_files),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
