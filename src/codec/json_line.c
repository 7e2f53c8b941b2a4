#include "codec/json_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/array.h"

#define BEGIN	  "{\"sequence\":"
#define HEARTBEAT BEGIN "0,\"heartbeat\":true}"

/* ---- writing ------------------------------------------------------------------- */

int
json_line_write(const struct event_json_settings *settings,
    const struct delivery *delivery, size_t most, struct json *json,
    const char **ret_problem)
{
	static const struct event_json_form form = {
		.id = "id",
		.receiver = "receiver",
		.line = "line",
		.account = "account",
		.reference_id = "reference_id",
		.zone_name = "zone_name",
		.site_name = "site_name",
		.text = "text",
		.text_omitted = "text_omitted",
		.occurred_at = "occurred_at",
		.received_at = "received_at",
		.url = "url",
		.test = "test",
		.no_room = "a JSON line has no room for it",
	};

	return event_json_write(&form, settings, delivery, most, json,
	    ret_problem);
}

int
json_line_heartbeat_encode(char *out)
{
	return snprintf(out, JSON_ANSWER_MAX, "%s\n", HEARTBEAT);
}

/* ---- reading ------------------------------------------------------------------- */

/* Decimal digits at the beginning; how many, 0: none, or too many. */
static size_t
read_sequence(struct slice text, uint64_t *ret)
{
	size_t digits = 0;

	*ret = 0;
	while (digits < text.length && text.data[digits] >= '0' &&
	    text.data[digits] <= '9')
		*ret = *ret * 10 + (uint64_t)(text.data[digits++] - '0');
	return digits <= 19 ? digits : 0;
}

bool
json_line_sequence(struct slice line, uint64_t *ret)
{
	size_t begin = strlen(BEGIN), digits;

	if (!slice_is(slice_part(line, 0, begin), BEGIN))
		return false;
	line = slice_part(line, begin, line.length);
	digits = read_sequence(line, ret);
	return digits > 0 && digits < line.length && line.data[digits] == ',';
}

bool
json_line_is_heartbeat(struct slice line)
{
	return slice_is(line, HEARTBEAT);
}

static const char *const words[] = {
	[JSON_ANSWER_ACK] = "ack",
	[JSON_ANSWER_NAK] = "nak",
	[JSON_ANSWER_REFUSE] = "refuse",
	[JSON_ANSWER_FAIL] = "fail",
};

static bool
read_answer(struct slice line, struct json_answer *ret)
{
	const char *space = memchr(line.data, ' ', line.length);
	size_t length = space ? (size_t)(space - line.data) : line.length;
	size_t kind = 0, digits;

	while (kind < COUNT(words) &&
	    !slice_is(slice_part(line, 0, length), words[kind]))
		kind++;
	if (kind == COUNT(words))
		return false;
	ret->kind = (enum json_answer_kind)kind;
	ret->sequence = 0;
	ret->words = slice_skip_spaces(slice_part(line, length, line.length));
	if (ret->kind == JSON_ANSWER_FAIL)
		return true;
	digits = read_sequence(ret->words, &ret->sequence);
	if (digits == 0 ||
	    (digits < ret->words.length && ret->words.data[digits] != ' '))
		return false;
	ret->words = slice_skip_spaces(slice_part(ret->words, digits,
	    ret->words.length));
	return true;
}

enum codec_result
json_answer_decode(const char *data, size_t length, size_t *ret_consumed,
    struct json_answer *ret)
{
	const char *end = length > 0 ? memchr(data, '\n', length) : NULL;
	struct slice line;

	*ret_consumed = 0;
	if (!end)
		return CODEC_MORE;
	line = slice_of(data, (size_t)(end - data));
	*ret_consumed = line.length + 1;
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	return line.length > 0 && read_answer(line, ret) ? CODEC_OK : CODEC_BAD;
}

int
json_answer_encode(enum json_answer_kind kind, uint64_t sequence,
    const char *reason, char *out)
{
	return snprintf(out, JSON_ANSWER_MAX, "%s %" PRIu64 "%s%.96s\n",
	    words[kind], sequence, *reason ? " " : "", reason);
}
