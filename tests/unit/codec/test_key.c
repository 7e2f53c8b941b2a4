#include "unit/test.h"

#include <errno.h>

#include "codec/codec.h"

static const struct {
	const char *text;
	unsigned length;   /* 0: refused */
	const char *first; /* bytes that the key begins with */
} rows[] = {
	{ "hex:00112233445566778899AABBCCDDEEFF", 16, "\0\x11\x22" },
	{ "hex:41424344454647484142434445464748", 16, "ABCD" },
	{ "hex:aAbBcCdDeEfF00112233445566778899", 16, "\xaa\xbb\xcc" },
	{ "hex:001122334455667788990011223344556677889900112233", 24,
	    "\0\x11" },
	{ "hex:0011223344556677889900112233445566778899001122334455667788990011",
	    32, "\0\x11" },
	{ "text:0123456789ABCDEF", 16, "0123456789ABCDEF" },
	{ "text:hex:456789ABCDEF", 16, "hex:456789ABCDEF" },
	{ "text:0123456789ABCDEF01234567", 24, "0123456789ABCDEF01234567" },
	/* 32 characters are 16 bytes or 32: their kind decides */
	{ "text:00112233445566778899AABBCCDDEEFF", 32, "00112233" },
	{ "00112233445566778899AABBCCDDEEFF", 0, "" },
	{ "0123456789ABCDEF", 0, "" },
	{ "HEX:00112233445566778899AABBCCDDEEFF", 0, "" },
	{ "hex:", 0, "" },
	{ "hex:0011223344556677", 0, "" },
	{ "hex:00112233445566778899AABBCCDDEEF", 0, "" },
	{ "hex:00112233445566778899AABBCCDDEEFG", 0, "" },
	{ "hex:00112233445566778899AABBCCDDEEFF00", 0, "" },
	{ "hex:00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF0"
	  "0",
	    0, "" },
	{ "text:", 0, "" },
	{ "text", 0, "" },
	{ "text:0123456789ABCDE", 0, "" },
	{ "text:0123456789ABCDEF0", 0, "" },
	{ "text:0123456789ABCDEF0123456789ABCDEF0", 0, "" },
	{ "", 0, "" },
};

static void
parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct codec_key key = { .length = 99 };
		const char *problem = NULL;
		int result = codec_key_parse(slice_from_string(rows[i].text),
		    &key, &problem);

		if (rows[i].length == 0) {
			assert_row(result == -EINVAL && problem, i,
			    rows[i].text);
			assert_row(key.length == 99, i, rows[i].text);
			/* a sentence for logs must not give the key away */
			if (strlen(rows[i].text) > 8)
				assert_row(!strstr(problem, rows[i].text + 5),
				    i, rows[i].text);
			continue;
		}
		assert_row(result == 0 && key.length == rows[i].length, i,
		    rows[i].text);
		assert_row(memcmp(key.bytes, rows[i].first,
			       strlen(rows[i].first)) == 0,
		    i, rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse),
	};

	return cmocka_run_group_tests_name("codec/key", tests, NULL, NULL);
}
