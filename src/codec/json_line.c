#include "codec/json_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/array.h"
#include "base/json.h"
#include "signal/codes.h"

#define BEGIN	  "{\"sequence\":"
#define HEARTBEAT BEGIN "0,\"heartbeat\":true}"

/* ---- writing ------------------------------------------------------------------- */

static void
put_text(struct json *json, const char *key, struct slice value)
{
	if (slice_present(value))
		json_panel_text(json, key, value);
}

static void
put_time(struct json *json, const char *key, int64_t wall_us)
{
	if (wall_us > 0)
		json_time(json, key, wall_us);
}

static void
put_codes(struct json *json, const struct delivery *delivery)
{
	struct codes_both codes;
	char letter;

	codes_both_find(delivery->format, delivery->code, delivery->qualifier,
	    &codes);
	letter = signal_qualifier_letter(codes.qualifier);
	json_string(json, "format", signal_format_name(delivery->format));
	if (codes.contact_id[0] && letter) {
		json_slice(json, "qualifier", slice_of(&letter, 1));
		json_string(json, "code", codes.contact_id);
	}
	put_text(json, "partition", delivery->partition);
	put_text(json, "zone", delivery->zone);
	put_text(json, "user", delivery->user);
	put_text(json, "sia", slice_from_string(codes.sia));
	json_string(json, "class", codes.kind);
}

static bool
write_object(const struct json_line_settings *settings,
    const struct delivery *delivery, bool with_text, size_t most,
    struct json *json)
{
	struct slice line = slice_present(delivery->line_card)
	    ? delivery->line_card
	    : slice_from_string(settings->line);

	json_reset(json);
	json_object_begin(json, NULL);
	json_unsigned(json, "sequence", settings->sequence);
	json_unsigned(json, "version", 1);
	json_string(json, "id", settings->id);
	json_string(json, "receiver", settings->receiver);
	put_text(json, "line", line);
	put_text(json, "account", delivery->account);
	put_text(json, "reference_id", delivery->reference_id);
	put_codes(json, delivery);
	put_text(json, "zone_name", delivery->zone_name);
	put_text(json, "site_name", delivery->site_name);
	if (with_text)
		put_text(json, "text", delivery->text);
	else
		json_boolean(json, "text_omitted", true);
	put_time(json, "occurred_at", delivery->occurred_us);
	put_time(json, "received_at", delivery->received_us);
	put_text(json, "url", delivery->url);
	json_boolean(json, "test", delivery->test);
	json_object_end(json);
	return json->length < most;
}

int
json_line_write(const struct json_line_settings *settings,
    const struct delivery *delivery, size_t most, struct json *json,
    const char **ret_problem)
{
	if (delivery->format != SIGNAL_FORMAT_CONTACT_ID &&
	    delivery->format != SIGNAL_FORMAT_SIA) {
		*ret_problem = "it is neither Contact ID nor SIA";
		return -EINVAL;
	}
	if (!write_object(settings, delivery, true, most, json) &&
	    !write_object(settings, delivery, false, most, json)) {
		*ret_problem = "a JSON line has no room for it";
		return -EINVAL;
	}
	return 0;
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

/* The rest behind the spaces. */
static struct slice
skip_spaces(struct slice text)
{
	while (text.length > 0 && *text.data == ' ')
		text = slice_part(text, 1, text.length);
	return text;
}

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
	ret->words = skip_spaces(slice_part(line, length, line.length));
	if (ret->kind == JSON_ANSWER_FAIL)
		return true;
	digits = read_sequence(ret->words, &ret->sequence);
	if (digits == 0 ||
	    (digits < ret->words.length && ret->words.data[digits] != ' '))
		return false;
	ret->words =
	    skip_spaces(slice_part(ret->words, digits, ret->words.length));
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
