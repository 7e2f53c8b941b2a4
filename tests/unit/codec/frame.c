#include "unit/codec/frame.h"

#include "unit/test.h"

#include "base/text.h"
#include "codec/crc16.h"

static size_t
finish(char *out, const char *prefix, size_t prefix_length, struct slice body)
{
	memcpy(out, prefix, prefix_length);
	memcpy(out + prefix_length, body.data, body.length);
	out[prefix_length + body.length] = '\r';
	return prefix_length + body.length + 1;
}

size_t
frame_make(struct slice body, bool binary_crc, char *out)
{
	uint16_t crc = crc16(body.data, body.length);
	char prefix[16];

	if (!binary_crc) {
		snprintf(prefix, sizeof(prefix), "\n%04X%04zX", crc,
		    body.length);
		return finish(out, prefix, 9, body);
	}
	prefix[0] = '\n';
	prefix[1] = (char)(crc >> 8);
	prefix[2] = (char)crc;
	snprintf(prefix + 3, sizeof(prefix) - 3, "%04zX", body.length);
	return finish(out, prefix, 7, body);
}

size_t
frame_make_counting_cr(struct slice body, char *out)
{
	size_t length = frame_make(body, false, out);
	char prefix[16];

	snprintf(prefix, sizeof(prefix), "\n%04X%04zX",
	    crc16(out + 9, body.length + 1), body.length + 1);
	memcpy(out, prefix, 9);
	return length;
}

static size_t
unescape(const char *text, char *out)
{
	static const char from[] = "nrt\\", to[] = "\n\r\t\\";
	size_t length = 0;

	while (*text) {
		const char *simple;

		if (text[0] != '\\') {
			out[length++] = *text++;
		} else if (text[1] == 'x') {
			assert_int_equal(text_hex_decode(slice_of(text + 2, 2),
					     out + length++, 1),
			    1);
			text += 4;
		} else {
			simple = strchr(from, text[1]);
			assert_non_null(simple);
			out[length++] = to[simple - from];
			text += 2;
		}
	}
	return length;
}

static bool
read_row(char *line, struct recorded *ret)
{
	char *cell[5], *rest = line;

	for (size_t i = 0; i < COUNT(cell); i++) {
		cell[i] = strsep(&rest, "\t");
		if (!rest)
			return false;
	}
	snprintf(ret->name, sizeof(ret->name), "%s", cell[0]);
	snprintf(ret->transport, sizeof(ret->transport), "%s", cell[1]);
	ret->key[0] = '\0';
	if (strcmp(cell[2], "-") != 0)
		snprintf(ret->key, sizeof(ret->key), "hex:%s", cell[2]);
	ret->length = unescape(cell[3], ret->frame);
	snprintf(ret->expected, sizeof(ret->expected), "%s", cell[4]);
	return true;
}

size_t
recorded_each(recorded_fn fn, void *context)
{
	static struct recorded row;
	FILE *file = fopen(TEST_SOURCE_DIR "/vectors/vectors.tsv", "r");
	char line[8192];
	size_t count = 0;

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file)); /* column names */
	for (; fgets(line, sizeof(line), file); count++) {
		assert_row(read_row(line, &row), count, line);
		fn(context, &row);
	}
	fclose(file);
	return count;
}
