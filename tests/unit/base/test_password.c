#include "../test.h"

#include <errno.h>
#include <string.h>

#include "base/password.h"

static void
length_is_checked(void **state)
{
	char longest[PASSWORD_LENGTH_MAX + 2];
	struct err err;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[PASSWORD_LENGTH_MAX] = '\0';
	assert_int_equal(password_check("123456789", &err), -EINVAL);
	assert_non_null(strstr(err.text, "10 to 256"));
	assert_null(strstr(err.text, "123456789"));
	assert_int_equal(password_check("1234567890", &err), 0);
	assert_int_equal(password_check(longest, &err), 0);
	longest[PASSWORD_LENGTH_MAX] = 'x';
	longest[PASSWORD_LENGTH_MAX + 1] = '\0';
	assert_int_equal(password_check(longest, &err), -EINVAL);
}

static void
proof_depends_on_password_and_salt(void **state)
{
	uint8_t proof[PASSWORD_PROOF_SIZE], again[PASSWORD_PROOF_SIZE];
	struct password_setting setting, other;

	(void)state;
	password_setting_new(&setting);
	password_setting_new(&other);
	assert_memory_not_equal(setting.salt, other.salt, PASSWORD_SALT_SIZE);
	assert_int_equal(password_prove("1234567890", &setting, proof), 0);
	assert_int_equal(password_prove("1234567890", &setting, again), 0);
	assert_memory_equal(proof, again, sizeof(proof));
	assert_int_equal(password_prove("1234567891", &setting, again), 0);
	assert_memory_not_equal(proof, again, sizeof(proof));
	assert_int_equal(password_prove("1234567890", &other, again), 0);
	assert_memory_not_equal(proof, again, sizeof(proof));
}

static void
cost_out_of_range_is_refused(void **state)
{
	uint8_t proof[PASSWORD_PROOF_SIZE];
	struct password_setting setting;

	(void)state;
	password_setting_new(&setting);
	setting.operations = 0;
	assert_int_equal(password_prove("1234567890", &setting, proof),
	    -EINVAL);
	password_setting_new(&setting);
	setting.memory_bytes = 1;
	assert_int_equal(password_prove("1234567890", &setting, proof),
	    -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length_is_checked),
		cmocka_unit_test(proof_depends_on_password_and_salt),
		cmocka_unit_test(cost_out_of_range_is_refused),
	};

	return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
