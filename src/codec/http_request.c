#include "codec/http.h"

#include <string.h>

#include "codec/http_wire.h"

#define METHOD_MAX 16

static const char *const field_names[HTTP_FIELDS] = {
	[HTTP_HOST] = "Host",
	[HTTP_CONTENT_LENGTH] = "Content-Length",
	[HTTP_CONTENT_TYPE] = "Content-Type",
	[HTTP_TRANSFER_ENCODING] = "Transfer-Encoding",
	[HTTP_CONNECTION] = "Connection",
	[HTTP_EXPECT] = "Expect",
	[HTTP_AUTHORIZATION] = "Authorization",
	[HTTP_IDEMPOTENCY_KEY] = "Idempotency-Key",
	[HTTP_SIGNATURE] = "X-Tocsin-Signature",
};

static bool
fail(struct http_fault *fault, unsigned status, const char *reason)
{
	*fault = (struct http_fault){ status, reason };
	return false;
}

/* ---- characters ------------------------------------------------------------ */

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_token(struct slice s)
{
	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];

		if (!is_upper(c) && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return s.length > 0;
}

/* No control characters, so no CR or LF by itself either. */
static bool
is_printable(struct slice s)
{
	for (size_t i = 0; i < s.length; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* ---- head ------------------------------------------------------------------ */

/* What begins so may become a request. */
static bool
begins_like_one(struct slice data)
{
	size_t i = 0;

	while (i < data.length && i <= METHOD_MAX && is_upper(data.data[i]))
		i++;
	return i <= METHOD_MAX &&
	    (i == data.length || (i > 0 && data.data[i] == ' '));
}

static bool
read_request_line(struct slice line, struct http_request *ret,
    struct http_fault *fault)
{
	if (!is_printable(line))
		return fail(fault, 400, "a control character in the head");
	ret->method = http_take_until(&line, " ");
	ret->target = http_take_until(&line, " ");
	if (ret->target.length == 0 || ret->target.data[0] != '/')
		return fail(fault, 400, "the target is no path");
	if (slice_is(line, "HTTP/1.1"))
		ret->keep_alive = true;
	else if (!slice_is(line, "HTTP/1.0"))
		return fail(fault, 505, "neither HTTP/1.1 nor HTTP/1.0");
	return true;
}

static bool
read_field(struct slice line, struct http_request *ret,
    struct http_fault *fault)
{
	struct slice value = line;
	struct slice name = http_take_until(&value, ":");

	if (!is_printable(line))
		return fail(fault, 400, "a control character in the head");
	if (name.length == line.length || !is_token(name))
		return fail(fault, 400, "a line of the head is no field");
	for (unsigned i = 0; i < HTTP_FIELDS; i++) {
		if (!http_same_word(name, field_names[i]))
			continue;
		if (slice_present(ret->fields[i]))
			return fail(fault, 400, "a field is given twice");
		ret->fields[i] = http_trim(value);
	}
	return true;
}

/* What the fields say about the message and the connection. */
static bool
read_framing(struct http_request *ret, size_t *ret_body_bytes,
    struct http_fault *fault)
{
	const struct slice *fields = ret->fields;
	struct slice length = fields[HTTP_CONTENT_LENGTH];
	unsigned long bytes = 0;

	if (ret->keep_alive && !slice_present(fields[HTTP_HOST]))
		return fail(fault, 400, "no Host");
	if (slice_present(fields[HTTP_TRANSFER_ENCODING]))
		return fail(fault, 411,
		    "a Content-Length is needed, no Transfer-Encoding");
	if (slice_present(length) && slice_to_number(length, 10, &bytes) < 0)
		return fail(fault, 400, "Content-Length is no number");
	if (bytes > HTTP_BODY_MAX)
		return fail(fault, 413, "more than 16384 bytes");
	if (slice_present(fields[HTTP_EXPECT]) &&
	    !http_same_word(fields[HTTP_EXPECT], "100-continue"))
		return fail(fault, 417, "expects what is not known here");
	ret->awaits_continue =
	    ret->keep_alive && slice_present(fields[HTTP_EXPECT]);
	if (http_same_word(fields[HTTP_CONNECTION], "close"))
		ret->keep_alive = false;
	*ret_body_bytes = bytes;
	return true;
}

static bool
read_head(struct slice head, struct http_request *ret, size_t *ret_body_bytes,
    struct http_fault *fault)
{
	if (!read_request_line(http_take_until(&head, "\r\n"), ret, fault))
		return false;
	for (unsigned lines = 0; head.length > 0; lines++) {
		if (lines == HTTP_FIELD_LINES)
			return fail(fault, 431, "more than 64 fields");
		if (!read_field(http_take_until(&head, "\r\n"), ret, fault))
			return false;
	}
	return read_framing(ret, ret_body_bytes, fault);
}

enum codec_result
http_request_decode(struct slice data, struct http_request *ret,
    struct http_fault *ret_fault)
{
	struct slice head = slice_part(data, 0, HTTP_HEAD_MAX), rest = head;
	size_t body_bytes;

	memset(ret, 0, sizeof(*ret));
	head = http_take_until(&rest, "\r\n\r\n");
	if (!begins_like_one(data)) {
		fail(ret_fault, 0, "no HTTP");
		return CODEC_BAD;
	}
	if (head.length == data.length)
		return CODEC_MORE;
	if (head.length == HTTP_HEAD_MAX) {
		fail(ret_fault, 431, "a head of more than 8192 bytes");
		return CODEC_BAD;
	}
	if (!read_head(head, ret, &body_bytes, ret_fault)) {
		memset(ret, 0, sizeof(*ret));
		return CODEC_BAD;
	}
	ret->head_bytes = head.length + 4;
	ret->body = slice_part(data, ret->head_bytes, body_bytes);
	return ret->body.length == body_bytes ? CODEC_OK : CODEC_MORE;
}
