#include "unit/test.h"

#include "codec/crc16.h"

/* The definition, one bit at a time. */
static uint16_t
crc16_bitwise(const uint8_t *p, size_t length)
{
	uint16_t crc = 0;

	for (; length > 0; length--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc =
			    (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	return crc;
}

static void
known_answer(void **state)
{
	(void)state;
	assert_int_equal(crc16("123456789", 9), 0xbb3d);
	assert_int_equal(crc16("", 0), 0);
}

static void
same_as_the_definition(void **state)
{
	uint8_t data[300];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i * 7 + i * 31 + 5);
	for (size_t n = 0; n <= sizeof(data); n++)
		assert_int_equal(crc16(data, n), crc16_bitwise(data, n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answer),
		cmocka_unit_test(same_as_the_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
