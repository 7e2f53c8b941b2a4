#include "codec/xml_package.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/text.h"
#include "codec/automation.h"
#include "signal/codes.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define SPACES	    " \t\r\n"

/* ---- writing ------------------------------------------------------------------- */

static void
put(struct writer *w, const char *string)
{
	writer_bytes(w, string, strlen(string));
}

/* What a character must be written as inside of a text or an attribute; NULL:
 * as itself. White space of an attribute would be read as spaces. */
static const char *
escape_of(const char *character, size_t length)
{
	switch (*character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	}
	if ((unsigned char)*character < 0x20)
		return REPLACEMENT;
	/* U+FFFE and U+FFFF */
	if (length == 3 && memcmp(character, "\xef\xbf", 2) == 0 &&
	    (unsigned char)character[2] >= 0xbe)
		return REPLACEMENT;
	return NULL;
}

/* Bytes of a panel may be anything: UTF-8 as a whole, else Windows-1252. */
static void
put_text(struct writer *w, struct slice text)
{
	bool utf8 = text_is_utf8(text);

	for (size_t i = 0, step; i < text.length; i += step) {
		char character[4];
		const char *escape;
		int length;

		step =
		    utf8 ? text_utf8_length(text.data + i, text.length - i) : 1;
		length = text_to_utf8(slice_part(text, i, step), character,
		    sizeof(character));
		escape = escape_of(character, (size_t)length);
		if (escape)
			put(w, escape);
		else
			writer_bytes(w, character, (size_t)length);
	}
}

static void
put_attribute(struct writer *w, const char *name, struct slice value)
{
	if (!slice_present(value))
		return;
	put(w, " ");
	put(w, name);
	put(w, "=\"");
	put_text(w, value);
	put(w, "\"");
}

static void
put_element(struct writer *w, const char *name, struct slice value)
{
	if (!slice_present(value))
		return;
	put(w, "<");
	put(w, name);
	put(w, ">");
	put_text(w, value);
	put(w, "</");
	put(w, name);
	put(w, ">");
}

static void
put_time(struct writer *w, const char *name, int64_t wall_us)
{
	char text[CLOCK_TEXT_SIZE];

	if (wall_us > 0)
		put_element(w, name,
		    slice_from_string(clock_format(wall_us, text)));
}

static void
put_event(struct writer *w, const char *other_code,
    const struct delivery *delivery)
{
	bool own = signal_format_is_own(delivery->format);
	struct codes_both codes;
	char letter;

	codes_both_find(delivery->format, delivery->code, delivery->qualifier,
	    other_code, &codes);
	letter = signal_qualifier_letter(codes.qualifier);
	put(w, "<Event");
	put_attribute(w, "format",
	    slice_from_string(signal_format_name(delivery->format)));
	if (letter && (own || codes.contact_id[0]))
		put_attribute(w, "qualifier", slice_of(&letter, 1));
	if (letter && codes.contact_id[0])
		put_attribute(w, "code", slice_from_string(codes.contact_id));
	if (own)
		put_attribute(w, "panel_code",
		    slice_from_string(delivery->code));
	put_attribute(w, "partition", delivery->partition);
	put_attribute(w, "zone", delivery->zone);
	put_attribute(w, "user", delivery->user);
	put_attribute(w, "sia", slice_from_string(codes.sia));
	put_attribute(w, "class", slice_from_string(codes.kind));
	put(w, "/>");
}

static void
put_panel_text(struct writer *w, struct slice text, bool with_text)
{
	if (with_text)
		put_element(w, "Text", text);
	else
		put(w, "<Text omitted=\"true\"/>");
}

/* The length, or 0: no room. */
static size_t
write_package(const struct xml_package_settings *settings,
    const struct delivery *delivery, bool with_text, char *out)
{
	struct writer w = writer_open(out, XML_PACKAGE_MAX);
	struct slice line = slice_present(delivery->line_card)
	    ? delivery->line_card
	    : slice_from_string(settings->line);

	put(&w, "<AlarmPackage version=\"1\"");
	put_attribute(&w, "id", slice_from_string(settings->id));
	put(&w, ">");
	put_element(&w, "Receiver", slice_from_string(settings->receiver));
	put_element(&w, "Line", line);
	put_element(&w, "Account", delivery->account);
	put_element(&w, "ReferenceId", delivery->reference_id);
	put_event(&w, settings->other_code, delivery);
	put_element(&w, "ZoneName", delivery->zone_name);
	put_element(&w, "SiteName", delivery->site_name);
	put_panel_text(&w, delivery->text, with_text);
	put_time(&w, "OccurredAt", delivery->occurred_us);
	put_time(&w, "ReceivedAt", delivery->received_us);
	put_element(&w, "Url", delivery->url);
	put_element(&w, "Test",
	    slice_from_string(delivery->test ? "true" : "false"));
	put(&w, "</AlarmPackage>");
	writer_u8(&w, '\0');
	return w.failed ? 0 : writer_length(&w);
}

int
xml_package_encode(const struct xml_package_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	size_t length;

	if (delivery->format == SIGNAL_FORMAT_NONE) {
		*ret_problem = "an event of no format";
		return -EINVAL;
	}
	length = write_package(settings, delivery, true, out);
	if (length == 0)
		length = write_package(settings, delivery, false, out);
	if (length == 0) {
		*ret_problem = "an XML package has no room for it";
		return -EINVAL;
	}
	return (int)length;
}

int
xml_heartbeat_encode(char *out)
{
	static const char heartbeat[] = "<Heartbeat/>";

	memcpy(out, heartbeat, sizeof(heartbeat));
	return (int)sizeof(heartbeat);
}

int
xml_hello_encode(const char *passkey, char *out)
{
	struct writer w = writer_open(out, XML_PACKAGE_MAX);

	put(&w, "<Hello");
	put_attribute(&w, "passkey", slice_from_string(passkey));
	put(&w, "/>");
	writer_u8(&w, '\0');
	return (int)writer_length(&w);
}

/* ---- reading ------------------------------------------------------------------- */

static bool
begins(struct slice s, const char *string)
{
	return slice_equal(slice_part(s, 0, strlen(string)),
	    slice_from_string(string));
}

static size_t
find(struct slice s, const char *string)
{
	const char *found = s.length > 0
	    ? memmem(s.data, s.length, string, strlen(string))
	    : NULL;

	return found ? (size_t)(found - s.data) : SIZE_MAX;
}

static struct slice
skip_to(struct slice s, const char *characters)
{
	size_t i = 0;

	while (i < s.length &&
	    (s.data[i] == '\0' || !strchr(characters, s.data[i])))
		i++;
	return slice_part(s, i, s.length);
}

/* Attribute of a tag ("<Event ../>"), as written; SLICE_NONE: it has none. Goes
 * from one to the next: a value may look like another attribute. */
static struct slice
attribute(struct slice tag, const char *name)
{
	struct slice rest = skip_to(tag, SPACES);

	while (rest.length > 0) {
		struct slice key = slice_part(rest, 1, rest.length);
		struct slice value = skip_to(rest, "\"'");
		size_t length;
		char quote[2] = "";

		if (value.length == 0)
			break;
		key.length -= value.length;
		while (key.length > 0 && strchr(SPACES, *key.data))
			key = slice_part(key, 1, key.length);
		quote[0] = *value.data;
		value = slice_part(value, 1, value.length);
		length = find(value, quote);
		if (length == SIZE_MAX)
			break;
		if (key.length == strlen(name) + 1 && begins(key, name) &&
		    key.data[key.length - 1] == '=')
			return slice_part(value, 0, length);
		rest = slice_part(value, length + 1, value.length);
	}
	return SLICE_NONE;
}

/* From '<' of the tag of that name to its '>', which no attribute of ours
 * holds. */
static struct slice
tag_of(struct slice message, const char *name)
{
	char key[24];
	size_t begin, length;

	snprintf(key, sizeof(key), "<%s", name);
	begin = find(message, key);
	if (begin == SIZE_MAX)
		return SLICE_NONE;
	message = slice_part(message, begin, message.length);
	length = find(message, ">");
	return length == SIZE_MAX ? SLICE_NONE
				  : slice_part(message, 0, length + 1);
}

static struct slice
element(struct slice message, const char *name)
{
	char open[24], close[24];
	size_t begin, length;

	snprintf(open, sizeof(open), "<%s>", name);
	snprintf(close, sizeof(close), "</%s>", name);
	begin = find(message, open);
	if (begin == SIZE_MAX)
		return SLICE_NONE;
	message = slice_part(message, begin + strlen(open), message.length);
	length = find(message, close);
	return length == SIZE_MAX ? SLICE_NONE : slice_part(message, 0, length);
}

static const struct {
	const char *written;
	char character;
} entities[] = {
	{ "&amp;", '&' },
	{ "&lt;", '<' },
	{ "&gt;", '>' },
	{ "&quot;", '"' },
	{ "&#9;", '\t' },
	{ "&#10;", '\n' },
	{ "&#13;", '\r' },
	{ NULL, 0 },
};

/* The value with its escapes undone, moved to *plain, which goes on behind. It
 * never grows. */
static struct slice
plain_of(struct slice written, char **plain)
{
	char *start = *plain;

	if (!slice_present(written))
		return SLICE_NONE;
	for (size_t i = 0, step; i < written.length; i += step) {
		struct slice rest = slice_part(written, i, written.length);
		char character = *rest.data;

		step = 1;
		for (size_t e = 0; character == '&' && entities[e].written; e++)
			if (begins(rest, entities[e].written)) {
				step = strlen(entities[e].written);
				character = entities[e].character;
				break;
			}
		*(*plain)++ = character;
	}
	return slice_of(start, (size_t)(*plain - start));
}

static bool
read_event(struct slice tag, char **plain, struct signal_event *ret)
{
	enum signal_format format =
	    signal_format_from_name(attribute(tag, "format"));
	bool sia = format == SIGNAL_FORMAT_SIA;
	bool own = signal_format_is_own(format);
	struct slice code = attribute(tag,
	    sia	      ? "sia"
		: own ? "panel_code"
		      : "code");
	struct slice letter = attribute(tag, "qualifier");

	*ret = (struct signal_event){
		.format = sia || own ? format : SIGNAL_FORMAT_CONTACT_ID,
		.partition = plain_of(attribute(tag, "partition"), plain),
		.zone = plain_of(attribute(tag, "zone"), plain),
		.user = plain_of(attribute(tag, "user"), plain),
	};
	if (!sia && letter.length == 1)
		ret->qualifier = signal_qualifier_from_char(*letter.data);
	return code.length > 0 && (own || automation_is_alphanumeric(code)) &&
	    slice_copy(code, ret->code, sizeof(ret->code)) == 0 &&
	    (sia || own || ret->qualifier != SIGNAL_QUALIFIER_NONE);
}

static bool
decode_message(struct slice message, char *plain, struct signal *ret)
{
	struct slice tag = tag_of(message, "AlarmPackage");

	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	ret->body = message;
	if (slice_is(message, "<Heartbeat/>") || begins(message, "<Hello ")) {
		ret->poll = true;
		return true;
	}
	if (!begins(message, "<AlarmPackage ") ||
	    find(message, "</AlarmPackage>") !=
		message.length - strlen("</AlarmPackage>"))
		return false;
	ret->sequence = plain_of(attribute(tag, "id"), &plain);
	ret->receiver = plain_of(element(message, "Receiver"), &plain);
	ret->line = plain_of(element(message, "Line"), &plain);
	ret->account = plain_of(element(message, "Account"), &plain);
	if (!read_event(tag_of(message, "Event"), &plain, &ret->events[0]))
		return false;
	ret->events[0].text = plain_of(element(message, "Text"), &plain);
	ret->event_count = 1;
	return ret->sequence.length > 0 && ret->account.length > 0;
}

struct slice
xml_hello_passkey(struct slice message, char *plain)
{
	return begins(message, "<Hello ")
	    ? plain_of(attribute(message, "passkey"), &plain)
	    : SLICE_NONE;
}

static size_t
count_junk(const char *data, size_t length)
{
	size_t junk = 0;

	while (junk < length &&
	    (data[junk] == '\0' || strchr(SPACES, data[junk])))
		junk++;
	return junk;
}

enum codec_result
xml_package_decode(const char *data, size_t length, size_t *ret_consumed,
    char *plain, struct signal *ret)
{
	size_t junk = count_junk(data, length);
	const char *end =
	    length > junk ? memchr(data + junk, '\0', length - junk) : NULL;
	struct slice message;

	*ret_consumed = junk;
	if (!end && length - junk < XML_PACKAGE_MAX)
		return CODEC_MORE;
	if (!end || end - (data + junk) >= XML_PACKAGE_MAX) {
		*ret_consumed = junk + 1;
		return CODEC_BAD;
	}
	message = slice_of(data + junk, (size_t)(end - data) - junk);
	*ret_consumed = (size_t)(end - data) + 1;
	while (strchr(SPACES, message.data[message.length - 1]))
		message.length--;
	return decode_message(message, plain, ret) ? CODEC_OK : CODEC_BAD;
}

/* ---- answers ------------------------------------------------------------------- */

/* Behind the '>' that no quotes hold, 0 when it has not come. */
static size_t
tag_length(const char *data, size_t length)
{
	char quote = '\0';

	for (size_t i = 0; i < length; i++) {
		if (quote != '\0')
			quote = data[i] == quote ? '\0' : quote;
		else if (data[i] == '"' || data[i] == '\'')
			quote = data[i];
		else if (data[i] == '>')
			return i + 1;
	}
	return 0;
}

enum codec_result
xml_answer_decode(const char *data, size_t length, size_t *ret_consumed,
    struct xml_answer *ret)
{
	size_t junk = 0, taken;
	struct slice tag;

	while (junk < length && data[junk] != '<')
		junk++;
	*ret_consumed = junk;
	taken = tag_length(data + junk, length - junk);
	if (taken == 0)
		return CODEC_MORE;
	*ret_consumed = junk + taken;
	tag = slice_of(data + junk, taken);
	*ret = (struct xml_answer){ begins(tag, "<Ack"), attribute(tag, "id") };
	if (!ret->taken && !begins(tag, "<Nak"))
		return CODEC_BAD;
	return strchr(" />", tag.data[4]) ? CODEC_OK : CODEC_BAD;
}

size_t
xml_answer_encode(bool taken, struct slice id, char *out)
{
	struct writer w = writer_open(out, XML_ANSWER_MAX);

	put(&w, taken ? "<Ack" : "<Nak");
	if (id.length > 0)
		put_attribute(&w, "id", id);
	if (!taken)
		put_attribute(&w, "reason", slice_from_string("refused"));
	put(&w, "/>");
	return w.failed ? 0 : writer_length(&w);
}
