#include "ctl/decode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/text.h"
#include "codec/ademco685.h"
#include "codec/automation.h"
#include "codec/contact_id.h"
#include "codec/d6500.h"
#include "codec/dc09.h"
#include "codec/surgard.h"
#include "ctl/command.h"

static const struct dc09_window window = { .past_s = 40, .future_s = 20 };

/* ---- what a frame says, as JSON or as lines for people ------------------------ */

struct output {
	struct json *json; /* NULL: lines on stdout */
};

static void
put_string(const struct output *out, const char *key, const char *value)
{
	if (out->json)
		json_string(out->json, key, value);
	else
		printf("%-12s %s\n", key, value);
}

/* Absent fields stay absent; bytes that are not UTF-8 are Windows-1252. */
static void
put_slice(const struct output *out, const char *key, struct slice value)
{
	char text[3 * DC09_BODY_MAX + 1];
	int length;

	if (!slice_present(value))
		return;
	length = text_to_utf8(value, text, sizeof(text) - 1);
	if (length < 0)
		return;
	text[length] = '\0';
	put_string(out, key, text);
}

static void
put_hex(const struct output *out, const char *key, const char *data,
    size_t length)
{
	char hex[2 * DC09_REPLY_MAX + 1];

	if (length > DC09_REPLY_MAX)
		return;
	text_hex_encode(data, length, hex);
	put_string(out, key, hex);
}

static void
put_time(const struct output *out, const char *key, int64_t wall_us)
{
	char text[CLOCK_TEXT_SIZE];

	if (wall_us != 0)
		put_string(out, key, clock_format(wall_us, text));
}

/* letters: the format writes E/R/P where Contact ID has 1/3/6 */
static void
put_event(const struct output *out, const struct signal_event *event,
    bool letters)
{
	char q[2] = { 0 }, block[2] = { event->block, '\0' };

	switch (event->format) {
	case SIGNAL_FORMAT_CONTACT_ID:
		q[0] = letters ? signal_qualifier_letter(event->qualifier)
			       : (char)('0' + (int)event->qualifier);
		put_string(out, "q", q);
		put_string(out, "evt", event->code);
		put_slice(out, "part", event->partition);
		put_slice(out, "zone", event->zone);
		break;
	case SIGNAL_FORMAT_SIA:
		if (event->block)
			put_string(out, "blk", block);
		put_slice(out, "ri", event->partition);
		put_slice(out, "ritext", event->area_text);
		put_slice(out, "idm", event->user);
		put_slice(out, "da", event->date);
		put_slice(out, "ti", event->time);
		put_slice(out, "pi", event->peripheral);
		put_string(out, "code", event->code);
		put_slice(out, "addr", event->zone);
		break;
	case SIGNAL_FORMAT_PULSE:
	case SIGNAL_FORMAT_BFSK:
	case SIGNAL_FORMAT_HIGH_SPEED:
	case SIGNAL_FORMAT_ACRON:
		q[0] = signal_qualifier_letter(event->qualifier);
		put_string(out, "format", signal_format_name(event->format));
		if (q[0])
			put_string(out, "q", q);
		put_string(out, "code", event->code);
		put_slice(out, "part", event->partition);
		put_slice(out, "zone", event->zone);
		put_slice(out, "idm", event->user);
		break;
	case SIGNAL_FORMAT_NONE:
		break;
	}
	put_slice(out, "text", event->text);
}

/* The first event stands with the frame, further ones in a list. */
static void
put_events(const struct output *out, const struct signal *signal, bool letters)
{
	if (signal->event_count > 0)
		put_event(out, &signal->events[0], letters);
	if (signal->event_count < 2)
		return;
	if (out->json)
		json_array_begin(out->json, "more_events");
	for (unsigned i = 1; i < signal->event_count; i++) {
		if (out->json)
			json_object_begin(out->json, NULL);
		else
			printf("event %u\n", i + 1);
		put_event(out, &signal->events[i], letters);
		if (out->json)
			json_object_end(out->json);
	}
	if (out->json)
		json_array_end(out->json);
}

static void
put_extended(const struct output *out, const struct signal *signal)
{
	for (unsigned i = 0; i < signal->extended_count; i++) {
		const struct signal_extended *x = &signal->extended[i];
		char key[16], text[DC09_BODY_MAX + 2];

		snprintf(key, sizeof(key), "x%u", i + 1);
		text[0] = x->id;
		text[1] = ':';
		memcpy(text + 2, x->value.data, x->value.length);
		put_slice(out, key, slice_of(text, x->value.length + 2));
	}
}

static void
put_dc09(const struct output *out, const struct signal *signal)
{
	put_slice(out, "id", signal->id);
	put_slice(out, "seq", signal->sequence);
	put_slice(out, "rcvr", signal->receiver);
	put_slice(out, "pref", signal->line);
	put_slice(out, "acct", signal->account);
	put_slice(out, "dacct", signal->data_account);
	put_time(out, "ts", signal->panel_time_us);
	put_events(out, signal, false);
	put_extended(out, signal);
}

static void
put_automation(const struct output *out, const struct signal *signal,
    bool letters)
{
	put_slice(out, "rcvr", signal->receiver);
	put_slice(out, "line", signal->line);
	put_slice(out, "acct", signal->account);
	put_events(out, signal, letters);
}

/* ---- one format each ------------------------------------------------------------- */

/* What a reader works with; the signal borrows plain and the frame. */
struct reading {
	const struct decode_request *request;
	struct dc09_crypto *crypto;
	char plain[DC09_BODY_MAX / 2];
	struct signal signal;
};

static int64_t
now_us(const struct decode_request *request)
{
	return request->clock_us != 0 ? request->clock_us
				      : clock_wall_us(&clock_system);
}

static void
put_dc09_frame(struct reading *r, const struct dc09_frame *frame,
    const struct output *out)
{
	static const struct {
		const char *name;
		bool answered;
		enum dc09_reply reply;
	} verdicts[] = {
		[DC09_ACCEPT] = { "accept", true, DC09_REPLY_ACK },
		[DC09_NAK] = { "NAK", true, DC09_REPLY_NAK },
		[DC09_DUH] = { "DUH", true, DC09_REPLY_DUH },
		[DC09_UNREADABLE] = { "DUH", true, DC09_REPLY_DUH },
		[DC09_IGNORE] = { .name = "ignore" },
	};
	const struct decode_request *request = r->request;
	unsigned tolerate = dc09_tolerance_default | request->tolerate;
	const char *reason = NULL;
	char reply[DC09_REPLY_MAX];
	enum dc09_verdict verdict;
	size_t length;

	verdict = dc09_decode(r->crypto, frame, &request->key, window, tolerate,
	    now_us(request), r->plain, &r->signal, &reason);
	put_string(out, "verdict", verdicts[verdict].name);
	if (verdict != DC09_ACCEPT)
		put_string(out, "reason", reason);
	length = !verdicts[verdict].answered
	    ? 0
	    : dc09_reply_encode(r->crypto, verdicts[verdict].reply, frame,
		  &request->key, false, now_us(request), reply);
	if (length > 0)
		put_hex(out, "reply_hex", reply, length);
	put_dc09(out, &r->signal);
}

static void
put_dc09_reply(struct reading *r, const struct dc09_frame *frame,
    const struct output *out)
{
	static const char *const names[] = {
		[DC09_RESPONSE_ACK] = "response:ACK",
		[DC09_RESPONSE_NAK] = "response:NAK",
		[DC09_RESPONSE_DUH] = "response:DUH",
		[DC09_RESPONSE_RSP] = "response:RSP",
		[DC09_RESPONSE_OTHER] = "ignore",
	};
	const char *reason = NULL;
	enum dc09_response response = dc09_response_decode(r->crypto, frame,
	    &r->request->key, r->plain, &r->signal, &reason);

	put_string(out, "verdict", names[response]);
	if (response == DC09_RESPONSE_OTHER)
		put_string(out, "reason", reason);
	put_dc09(out, &r->signal);
}

/* How much was read: whole frames, and bytes that belong to none. */
struct tally {
	unsigned frames;
	size_t discarded;
	const char *fault; /* of the last broken frame */
};

/* Further frames of one stream follow as lists or blocks. */
static void
frame_begin(const struct output *out, const struct tally *tally)
{
	if (tally->frames == 1 && out->json)
		json_array_begin(out->json, "more_frames");
	if (tally->frames >= 1 && out->json)
		json_object_begin(out->json, NULL);
	if (tally->frames >= 1 && !out->json)
		printf("\n");
}

static void
frame_end(const struct output *out, struct tally *tally)
{
	if (tally->frames >= 1 && out->json)
		json_object_end(out->json);
	tally->frames++;
}

static void
stream_end(const struct output *out, const struct tally *tally)
{
	char number[24];

	if (tally->frames > 1 && out->json)
		json_array_end(out->json);
	if (tally->frames == 0) {
		put_string(out, "verdict", "ignore");
		put_string(out, "reason",
		    tally->fault ? tally->fault : "no whole frame");
	}
	snprintf(number, sizeof(number), "%u", tally->frames);
	put_string(out, "frames", number);
	snprintf(number, sizeof(number), "%zu", tally->discarded);
	put_string(out, "discarded", number);
}

static void
read_dc09(struct reading *r, const struct output *out,
    void (*put)(struct reading *, const struct dc09_frame *,
	const struct output *))
{
	unsigned tolerate = dc09_tolerance_default | r->request->tolerate;
	const char *data = r->request->frame;
	size_t left = r->request->length, consumed = 0;
	struct tally tally = { .frames = 0 };
	enum codec_result result = CODEC_OK;

	for (; result != CODEC_MORE; data += consumed, left -= consumed) {
		struct dc09_frame frame;
		enum dc09_fault fault;

		result = dc09_frame_next(data, left, tolerate, &consumed,
		    &frame, &fault);
		tally.discarded += consumed;
		if (result == CODEC_BAD)
			tally.fault = dc09_fault_name(fault);
		if (result != CODEC_OK)
			continue;
		tally.discarded -= frame.raw.length;
		frame_begin(out, &tally);
		put(r, &frame, out);
		frame_end(out, &tally);
	}
	stream_end(out, &tally);
}

static void
read_dc09_frames(struct reading *r, const struct output *out)
{
	read_dc09(r, out, put_dc09_frame);
}

static void
read_dc09_replies(struct reading *r, const struct output *out)
{
	read_dc09(r, out, put_dc09_reply);
}

static void
put_acknowledged(const struct output *out, const struct signal *signal)
{
	put_string(out, "verdict", "accept");
	put_hex(out, "reply_hex", (char[]){ AUTOMATION_ACK }, 1);
	if (signal->poll)
		put_string(out, "kind", "heartbeat");
}

/* A line of one character, else of three: the widths do not overlap, but in high
 * speed, where two digits may be the line's or the account's. */
static enum codec_result
next_surgard(const char *data, size_t length, size_t *ret_consumed,
    struct signal *ret)
{
	enum codec_result result =
	    surgard_decode(data, length, 1, ret_consumed, ret);

	if (result == CODEC_BAD)
		result = surgard_decode(data, length, 3, ret_consumed, ret);
	return result;
}

static void
read_automation(struct reading *r, const struct output *out, bool letters,
    enum codec_result (*next)(const char *, size_t, size_t *, struct signal *))
{
	const char *data = r->request->frame;
	size_t left = r->request->length, consumed = 0;
	struct tally tally = { .frames = 0 };
	enum codec_result result = CODEC_OK;

	for (; result != CODEC_MORE; data += consumed, left -= consumed) {
		result = next(data, left, &consumed, &r->signal);
		if (result == CODEC_BAD) {
			tally.fault = "malformed";
			tally.discarded += consumed;
		}
		if (result != CODEC_OK)
			continue;
		frame_begin(out, &tally);
		put_acknowledged(out, &r->signal);
		put_slice(out, "proto", r->signal.id);
		put_automation(out, &r->signal, letters);
		frame_end(out, &tally);
	}
	tally.discarded += left;
	stream_end(out, &tally);
}

static void
read_surgard(struct reading *r, const struct output *out)
{
	read_automation(r, out, true, next_surgard);
}

static void
read_d6500(struct reading *r, const struct output *out)
{
	read_automation(r, out, false, d6500_decode);
	if (r->signal.event_count > 0 &&
	    r->signal.events[0].format == SIGNAL_FORMAT_CONTACT_ID)
		put_string(out, "mt", "18");
}

static void
read_ademco685(struct reading *r, const struct output *out)
{
	read_automation(r, out, true, ademco685_decode);
}

static void
read_dialer(struct reading *r, const struct output *out)
{
	struct slice digits = slice_of(r->request->frame, r->request->length);
	const char *problem = NULL;

	if (contact_id_decode(digits, &r->signal, &problem) != CODEC_OK) {
		put_string(out, "verdict", "NAK");
		put_string(out, "reason", problem);
		return;
	}
	put_string(out, "verdict", "accept");
	put_slice(out, "acct", r->signal.account);
	put_slice(out, "mt", slice_part(digits, 4, 2));
	put_events(out, &r->signal, false);
	put_slice(out, "cksum", slice_part(digits, 15, 1));
}

static const struct decode_format {
	const char *name;
	void (*read)(struct reading *, const struct output *);
} formats[] = {
	{ "dc09", read_dc09_frames },
	{ "dc09-reply", read_dc09_replies },
	{ "surgard", read_surgard },
	{ "d6500", read_d6500 },
	{ "ademco685", read_ademco685 },
	{ "dialer", read_dialer },
};

static const struct decode_format *
find_format(struct slice name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (slice_is(name, formats[i].name))
			return &formats[i];
	return NULL;
}

/* "binary_crc(2 bytes big-endian)": recordings add remarks. */
static struct slice
tolerance_word(struct slice name)
{
	size_t length = 0;

	while (name.length > 0 && *name.data == ' ')
		name = slice_part(name, 1, name.length);
	while (length < name.length && name.data[length] != ' ' &&
	    name.data[length] != '(')
		length++;
	return slice_part(name, 0, length);
}

bool
decode_tolerate(struct slice names, unsigned *tolerate)
{
	bool known = true;

	while (names.length > 0) {
		const char *comma = memchr(names.data, ',', names.length);
		size_t length =
		    comma ? (size_t)(comma - names.data) : names.length;
		unsigned bit =
		    dc09_tolerance_from_name(tolerance_word(slice_part(names, 0,
			length)));

		*tolerate |= bit;
		known = known && bit != 0;
		names = slice_part(names, length + 1, names.length);
	}
	return known;
}

/* ---- the command ------------------------------------------------------------------- */

static const struct ctl_option options[] = {
	{ "format", "FORMAT",
	    "dc09 (default), dc09-reply, surgard, d6500, ademco685, dialer" },
	{ "key", "KEY",
	    "hex:DIGITS or text:CHARACTERS, of 16, 24 or 32 bytes" },
	{ "clock", "TIME", "the receiver's clock, 2026-01-15T10:30:01Z" },
	{ "tolerate", "NAMES", "tolerances beyond the default, with commas" },
	{ "json", NULL, "print a JSON object" },
	{ "jsonl", NULL, "JSON requests on standard input, a line each" },
	{ NULL, NULL, NULL },
};

/* One stream from standard input, or a frame from the command line. */
static int
print_reading(struct reading *r, bool as_json)
{
	const struct decode_format *format = find_format(r->request->format);
	struct json json = { .text = NULL };
	const char *text;
	int result = EXIT_STATUS_SOFTWARE;

	r->signal.event_count = 0;
	if (!as_json) {
		format->read(r, &(struct output){ .json = NULL });
		return EXIT_STATUS_OK;
	}
	json_object_begin(&json, NULL);
	format->read(r, &(struct output){ .json = &json });
	json_object_end(&json);
	json_newline(&json);
	text = json_text(&json);
	if (text && fputs(text, stdout) != EOF)
		result = EXIT_STATUS_OK;
	json_close(&json);
	return result;
}

/* An answer to every line, also to one that cannot be read. */
static int
answer_line(struct reading *r, const char *line, char *frame)
{
	char format[DECODE_FORMAT_SIZE];
	struct decode_request request;
	const char *problem = NULL;
	struct json json = { .text = NULL };
	const char *text;

	if (decode_request_parse(line, frame, format, &request, &problem) ==
	    0) {
		if (find_format(request.format)) {
			r->request = &request;
			return print_reading(r, true);
		}
		problem = "unknown format";
	}
	json_object_begin(&json, NULL);
	json_string(&json, "verdict", "error");
	json_string(&json, "reason", problem);
	json_object_end(&json);
	json_newline(&json);
	text = json_text(&json);
	fputs(text ? text : "{}\n", stdout);
	json_close(&json);
	return EXIT_STATUS_OK;
}

static int
decode_lines(struct reading *r)
{
	char *line = NULL, *frame;
	size_t size = 0;
	int result = EXIT_STATUS_OK;

	while (result == EXIT_STATUS_OK && getline(&line, &size, stdin) > 0) {
		frame = malloc(size / 2 + 1);
		if (!frame) {
			result = ctl_fail(EXIT_STATUS_SOFTWARE,
			    "decode: out of memory");
			break;
		}
		result = answer_line(r, line, frame);
		free(frame);
	}
	free(line);
	return result;
}

/* \n \r \t \\ \xHH as frames are written down; in place. Returns the length. */
static size_t
unescape(char *text)
{
	char *in = text, *out = text;

	while (*in) {
		static const char from[] = "nrt\\", to[] = "\n\r\t\\";
		const char *simple =
		    in[0] == '\\' && in[1] ? strchr(from, in[1]) : NULL;

		if (simple) {
			*out++ = to[simple - from];
			in += 2;
		} else if (in[0] == '\\' && in[1] == 'x' && in[2] &&
		    text_hex_decode(slice_of(in + 2, strnlen(in + 2, 2)), out,
			1) == 1) {
			out++;
			in += 4;
		} else {
			*out++ = *in++;
		}
	}
	return (size_t)(out - text);
}

/* A frame as it is copied from a log lacks its LF and CR. */
static size_t
complete_dc09(const char *frame, size_t length, char *out)
{
	size_t n = 0;

	if (length > 0 && !memchr(frame, '\n', length))
		out[n++] = '\n';
	memcpy(out + n, frame, length);
	n += length;
	if (n > 0 && !memchr(out, '\r', n))
		out[n++] = '\r';
	return n;
}

static int
decode_word(struct reading *r, struct decode_request *request, char *word,
    bool as_json)
{
	size_t length = unescape(word);
	char *frame = malloc(length + 2);
	int result;

	if (!frame)
		return ctl_fail(EXIT_STATUS_SOFTWARE, "decode: out of memory");
	request->frame = frame;
	if (request->format.length >= 4 &&
	    memcmp(request->format.data, "dc09", 4) == 0) {
		request->length = complete_dc09(word, length, frame);
	} else {
		memcpy(frame, word, length);
		request->length = length;
	}
	r->request = request;
	result = print_reading(r, as_json);
	free(frame);
	return result;
}

/* 0, or the status of a mistake that was named. */
static int
read_options(const struct ctl_arguments *arguments, struct decode_request *ret)
{
	const char *format = ctl_value(arguments, "format");
	const char *key = ctl_value(arguments, "key");
	const char *clock = ctl_value(arguments, "clock");
	const char *problem = NULL;

	ret->format = slice_from_string(format ? format : "dc09");
	if (!find_format(ret->format))
		return ctl_fail(EXIT_STATUS_USAGE,
		    "decode: there is no format \"%s\"", format);
	if (key &&
	    codec_key_parse(slice_from_string(key), &ret->key, &problem) != 0)
		return ctl_fail(EXIT_STATUS_USAGE, "decode: --key: %s",
		    problem);
	if (clock && clock_parse(slice_from_string(clock), &ret->clock_us) != 0)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "decode: --clock \"%s\" is not of the form "
		    "2026-01-15T10:30:01Z",
		    clock);
	if (!decode_tolerate(slice_from_string(ctl_value(arguments,
				 "tolerate")),
		&ret->tolerate))
		return ctl_fail(EXIT_STATUS_USAGE,
		    "decode: --tolerate \"%s\" names an unknown tolerance",
		    ctl_value(arguments, "tolerate"));
	return 0;
}

int
ctl_decode(int argc, char **argv)
{
	struct ctl_arguments arguments;
	struct decode_request request = { .length = 0 };
	struct reading reading = { .request = &request };
	struct err err;
	int result =
	    ctl_parse("decode", "[FRAME]", options, 1, argc, argv, &arguments);

	if (result != CTL_GO_ON)
		return result;
	result = read_options(&arguments, &request);
	if (result != 0)
		return result;
	if (dc09_crypto_open(&reading.crypto, &err) != 0)
		return ctl_fail(EXIT_STATUS_SOFTWARE, "%s", err.text);
	if (ctl_flag(&arguments, "jsonl"))
		result = decode_lines(&reading);
	else if (arguments.word_count == 1)
		result = decode_word(&reading, &request, arguments.words[0],
		    ctl_flag(&arguments, "json"));
	else
		result = ctl_fail(EXIT_STATUS_USAGE,
		    "decode: give a FRAME, or --jsonl");
	dc09_crypto_close(&reading.crypto);
	return result;
}
