/* Apart from decode.c because jansson and base/json share names. */
#include "ctl/decode.h"

#include <errno.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"

static const char *
string_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Unknown names are remarks of whoever recorded the frame. */
static void
read_tolerances(const json_t *names, unsigned *tolerate)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		decode_tolerate(slice_from_string(json_string_value(
				    json_array_get(names, i))),
		    tolerate);
}

static int
read_request(const json_t *object, char *frame,
    char line_format[DECODE_FORMAT_SIZE], struct decode_request *ret,
    const char **ret_problem)
{
	struct decode_request request = { .frame = frame };
	const char *format = string_of(object, "format");
	const char *hex = string_of(object, "frame_hex");
	const char *key = string_of(object, "key");
	const char *clock = string_of(object, "clock");
	int length;

	if (slice_copy(slice_from_string(format ? format : "dc09"), line_format,
		DECODE_FORMAT_SIZE) != 0) {
		*ret_problem = "unknown format";
		return -EINVAL;
	}
	request.format = slice_from_string(line_format);
	length = hex
	    ? text_hex_decode(slice_from_string(hex), frame, strlen(hex) / 2)
	    : -EINVAL;
	if (length < 0) {
		*ret_problem = "frame_hex is not hexadecimal";
		return -EINVAL;
	}
	request.length = (size_t)length;
	if (key &&
	    codec_key_parse(slice_from_string(key), &request.key,
		ret_problem) != 0)
		return -EINVAL;
	if (clock &&
	    clock_parse(slice_from_string(clock), &request.clock_us) != 0) {
		*ret_problem = "clock is not of the form 2026-01-15T10:30:01Z";
		return -EINVAL;
	}
	read_tolerances(json_object_get(object, "tolerate"), &request.tolerate);
	*ret = request;
	return 0;
}

int
decode_request_parse(const char *line, char *frame,
    char line_format[DECODE_FORMAT_SIZE], struct decode_request *ret,
    const char **ret_problem)
{
	json_error_t error;
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	int result = -EINVAL;

	if (json_is_object(object))
		result =
		    read_request(object, frame, line_format, ret, ret_problem);
	else
		*ret_problem = "not a JSON object";
	json_decref(object);
	return result;
}
