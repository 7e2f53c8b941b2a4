#include "base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void
json_close(struct json *json)
{
	free(json->text);
	memset(json, 0, sizeof(*json));
}

void
json_reset(struct json *json)
{
	json->length = 0;
	json->comma = false;
	json->failed = false;
}

static bool
reserve(struct json *json, size_t more)
{
	size_t size = json->size ? json->size : 256;
	char *text;

	if (json->failed)
		return false;
	if (json->length + more <= json->size)
		return true;
	while (size < json->length + more)
		size *= 2;
	text = realloc(json->text, size);
	if (!text) {
		json->failed = true;
		return false;
	}
	json->text = text;
	json->size = size;
	return true;
}

static void
put(struct json *json, const char *data, size_t length)
{
	if (!reserve(json, length + 1))
		return;
	memcpy(json->text + json->length, data, length);
	json->length += length;
}

const char *
json_text(struct json *json)
{
	if (!reserve(json, 1))
		return NULL;
	json->text[json->length] = '\0';
	return json->text;
}

static void
put_escaped(struct json *json, const char *data, size_t length)
{
	static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char pair[2] = { '\\', 0 };

	for (size_t i = 0, n; i < length; i += n) {
		unsigned char c = (unsigned char)data[i];
		const char *escape = NULL;

		n = text_utf8_length(data + i, length - i);
		for (size_t e = 0; e < sizeof(escapes) - 1 && !escape; e += 2)
			if (escapes[e] == (char)c)
				escape = &escapes[e + 1];
		if (n == 0) {
			put(json, REPLACEMENT, strlen(REPLACEMENT));
			n = 1;
		} else if (escape) {
			pair[1] = *escape;
			put(json, pair, 2);
		} else if (c >= 0x20) {
			put(json, data + i, n);
		}
	}
}

static void
begin_value(struct json *json, const char *key)
{
	if (json->comma)
		put(json, ",", 1);
	json->comma = true;
	if (!key)
		return;
	put(json, "\"", 1);
	put_escaped(json, key, strlen(key));
	put(json, "\":", 2);
}

static void
begin_nest(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	put(json, &bracket, 1);
	json->comma = false;
}

static void
end_nest(struct json *json, char bracket)
{
	put(json, &bracket, 1);
	json->comma = true;
}

void
json_object_begin(struct json *json, const char *key)
{
	begin_nest(json, key, '{');
}

void
json_object_end(struct json *json)
{
	end_nest(json, '}');
}

void
json_array_begin(struct json *json, const char *key)
{
	begin_nest(json, key, '[');
}

void
json_array_end(struct json *json)
{
	end_nest(json, ']');
}

void
json_slice(struct json *json, const char *key, struct slice value)
{
	if (!slice_present(value)) {
		json_null(json, key);
		return;
	}
	begin_value(json, key);
	put(json, "\"", 1);
	put_escaped(json, value.data, value.length);
	put(json, "\"", 1);
}

void
json_string(struct json *json, const char *key, const char *value)
{
	json_slice(json, key, slice_from_string(value));
}

void
json_panel_text(struct json *json, const char *key, struct slice value)
{
	bool utf8 = text_is_utf8(value);

	begin_value(json, key);
	put(json, "\"", 1);
	for (size_t i = 0, step; i < value.length; i += step) {
		struct slice rest = slice_part(value, i, value.length);
		char character[4];
		int length;

		step = utf8 ? text_utf8_length(rest.data, rest.length) : 1;
		length = text_to_utf8(slice_part(rest, 0, step), character,
		    sizeof(character));
		if ((unsigned char)*rest.data < 0x20 &&
		    (*rest.data == '\0' || !strchr("\b\f\n\r\t", *rest.data)))
			put(json, REPLACEMENT, strlen(REPLACEMENT));
		else
			put_escaped(json, character, (size_t)length);
	}
	put(json, "\"", 1);
}

void
json_raw(struct json *json, const char *key, const char *text)
{
	begin_value(json, key);
	put(json, text, strlen(text));
}

__attribute__((format(printf, 3, 4))) static void
put_bare(struct json *json, const char *key, const char *format, ...)
{
	char text[64];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_raw(json, key, text);
}

void
json_integer(struct json *json, const char *key, int64_t value)
{
	put_bare(json, key, "%lld", (long long)value);
}

void
json_unsigned(struct json *json, const char *key, uint64_t value)
{
	put_bare(json, key, "%llu", (unsigned long long)value);
}

void
json_double(struct json *json, const char *key, double value)
{
	if (isfinite(value))
		put_bare(json, key, "%.6g", value);
	else
		json_null(json, key);
}

void
json_boolean(struct json *json, const char *key, bool value)
{
	put_bare(json, key, "%s", value ? "true" : "false");
}

void
json_null(struct json *json, const char *key)
{
	put_bare(json, key, "null");
}

void
json_format(struct json *json, const char *key, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_string(json, key, text);
}

void
json_hex(struct json *json, const char *key, struct slice bytes)
{
	char pair[3];

	begin_value(json, key);
	put(json, "\"", 1);
	for (size_t i = 0; i < bytes.length; i++) {
		text_hex_encode(bytes.data + i, 1, pair);
		put(json, pair, 2);
	}
	put(json, "\"", 1);
}

void
json_time(struct json *json, const char *key, int64_t wall_us)
{
	char text[CLOCK_TEXT_SIZE];

	json_string(json, key, clock_format(wall_us, text));
}

void
json_newline(struct json *json)
{
	put(json, "\n", 1);
	json->comma = false;
}
