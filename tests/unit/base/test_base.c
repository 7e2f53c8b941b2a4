#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/cursor.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/socket.h"
#include "base/text.h"
#include "base/unit.h"

static void
crc32c_known_answers(void **state)
{
	static const struct {
		const char *data;
		uint32_t crc;
	} rows[] = {
		{ "", 0 },
		{ "123456789", 0xe3069283 }, /* RFC 3720 B.4 check value */
		{ "a", 0xc1d04330 },
	};
	char random[257];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(crc32c(0, rows[i].data, strlen(rows[i].data)) ==
			rows[i].crc,
		    i, rows[i].data);
	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (char)(i * 37 + 11);
	for (size_t n = 0; n < sizeof(random); n++) {
		uint32_t whole = crc32c(0, random, n);

		assert_int_equal(whole, crc32c_portable(0, random, n));
		assert_int_equal(whole,
		    crc32c(crc32c(0, random, n / 3), random + n / 3,
			n - n / 3));
	}
}

static void
durations_and_sizes(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t us;
	} durations[] = {
		{ "30s", 0, 30000000 },
		{ "250ms", 0, 250000 },
		{ "2min", 0, 120000000 },
		{ "1h", 0, 3600000000 },
		{ "35d", 0, 35ll * 86400000000 },
		{ "0", 0, 0 },
		{ "30", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-3s", -EINVAL, 0 },
		{ "3 s", -EINVAL, 0 },
		{ "99999999999999d", -ERANGE, 0 },
	};
	char text[UNIT_TEXT_SIZE];
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < COUNT(durations); i++) {
		int64_t us = 0;
		int result = unit_parse_duration(durations[i].text, &us);

		assert_row(result == durations[i].result, i, durations[i].text);
		assert_row(us == durations[i].us, i, durations[i].text);
		if (result == 0)
			assert_string_equal(unit_format_duration(us, text),
			    durations[i].text);
	}
	assert_int_equal(unit_parse_size("64MiB", &bytes), 0);
	assert_int_equal(bytes, 64 << 20);
	assert_string_equal(unit_format_size(bytes, text), "64MiB");
}

static void
times(void **state)
{
	static const char *const rows[] = { "1970-01-01T00:00:00.000Z",
		"2000-02-29T23:59:59.999Z", "2026-01-15T10:30:01.204Z",
		"2100-03-01T00:00:00.000Z" };
	char text[CLOCK_TEXT_SIZE];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_row(clock_parse(slice_from_string(rows[i]), &us) == 0, i,
		    rows[i]);
		assert_string_equal(clock_format(us, text), rows[i]);
	}
	assert_int_equal(clock_parse(slice_from_string("2026-13-01T00:00:00Z"),
			     &us),
	    -EINVAL);
	assert_int_equal(clock_parse(slice_from_string("2026-01-01T00:00:00"),
			     &us),
	    -EINVAL);
	for (int64_t day = -800000; day < 800000; day += 997) {
		int64_t year;
		unsigned month, mday;

		clock_date_from_days(day, &year, &month, &mday);
		assert_int_equal(clock_days_from_date(year, month, mday), day);
	}
}

static void
cursor_is_sticky(void **state)
{
	uint8_t data[64];
	struct writer w = writer_open(data, sizeof(data));
	struct reader r;
	char text[4];

	(void)state;
	writer_u8(&w, 7);
	writer_u32(&w, 0x01020304);
	writer_string(&w, "abc");
	writer_slice(&w, SLICE_NONE);
	writer_align(&w, 8);
	assert_false(w.failed);
	assert_int_equal(writer_length(&w) % 8, 0);

	r = reader_open(data, writer_length(&w));
	assert_int_equal(reader_u8(&r), 7);
	assert_int_equal(reader_u32(&r), 0x01020304);
	reader_string(&r, text, sizeof(text));
	assert_string_equal(text, "abc");
	assert_false(slice_present(reader_slice(&r)));
	assert_false(r.failed);
	reader_bytes(&r, 64);
	assert_true(r.failed);
	assert_int_equal(reader_u64(&r), 0);

	w = writer_open(data, 3);
	writer_u32(&w, 1);
	writer_u8(&w, 1);
	assert_true(w.failed);
	assert_int_equal(writer_length(&w), 0);
}

static void
json_is_always_valid(void **state)
{
	struct json json = { 0 };

	(void)state;
	json_object_begin(&json, NULL);
	json_string(&json, "a", "x\"\\\n\x01y");
	json_slice(&json, "b", slice_of("\xff", 1));
	json_array_begin(&json, "c");
	json_unsigned(&json, NULL, 1);
	json_boolean(&json, NULL, true);
	json_array_end(&json);
	json_object_begin(&json, "d");
	json_object_end(&json);
	json_null(&json, "e");
	json_object_end(&json);
	assert_string_equal(json_text(&json),
	    "{\"a\":\"x\\\"\\\\\\ny\",\"b\":\"\xef\xbf\xbd\",\"c\":[1,true],"
	    "\"d\":{},\"e\":null}");
	json_close(&json);
}

/* One byte that is none, at each place of texts of each length. */
static void
text_ascii(void **state)
{
	char text[40];

	(void)state;
	memset(text, '~', sizeof(text));
	for (size_t length = 0; length <= sizeof(text); length++) {
		assert_true(text_is_ascii(slice_of(text, length)));
		for (size_t at = 0; at < length; at++) {
			text[at] = (char)0x80;
			assert_false(text_is_ascii(slice_of(text, length)));
			assert_true(text_is_ascii(slice_of(text, at)));
			text[at] = '~';
		}
	}
}

static void
text_utf8_or_windows_1252(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "plain" }, { "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "caf\xe9", "caf\xc3\xa9" }, { "\x80", "\xe2\x82\xac" },
		{ "\xc0\x80",
		    "\xc3\x80\xe2\x82\xac" }, /* overlong: not UTF-8 */
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int n = text_to_utf8(slice_from_string(rows[i].in), out,
		    sizeof(out));

		assert_row(n >= 0 &&
			slice_is(slice_of(out, (size_t)n), rows[i].out),
		    i, rows[i].in);
	}
	assert_int_equal(text_hex_decode(slice_from_string("0aFf"), out, 2), 2);
	assert_int_equal(text_hex_decode(slice_from_string("0g"), out, 2),
	    -EINVAL);
}

static void
pool_is_bounded_and_reuses(void **state)
{
	struct pool pool;
	void *objects[5];

	(void)state;
	pool_init(&pool, 24, 2, 5);
	for (size_t i = 0; i < COUNT(objects); i++)
		assert_non_null(objects[i] = pool_take(&pool));
	assert_null(pool_take(&pool));
	pool_give(&pool, objects[3]);
	assert_ptr_equal(pool_take(&pool), objects[3]);
	pool_close(&pool);
}

static void
addresses(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "127.0.0.1:9000", 0 },
		{ "[::1]:65535", 0 },
		{ "127.0.0.1", -EINVAL },
		{ "127.0.0.1:65536", -EINVAL },
		{ "127.0.0.1:", -EINVAL },
		{ "localhost:80", -EINVAL },
	};
	struct socket_address address;
	char text[SOCKET_ADDRESS_TEXT];
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int result = socket_address_parse(rows[i].text, &address, &err);

		assert_row(result == rows[i].result, i, rows[i].text);
		if (result == 0)
			assert_string_equal(socket_address_format(&address,
						text),
			    rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_known_answers),
		cmocka_unit_test(durations_and_sizes),
		cmocka_unit_test(times),
		cmocka_unit_test(cursor_is_sticky),
		cmocka_unit_test(json_is_always_valid),
		cmocka_unit_test(text_ascii),
		cmocka_unit_test(text_utf8_or_windows_1252),
		cmocka_unit_test(pool_is_bounded_and_reuses),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
