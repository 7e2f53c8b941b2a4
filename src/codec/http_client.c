#include "codec/http_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "codec/http_wire.h"

/* ---- the request ----------------------------------------------------------- */

/* What would end its line would begin another header: it fails. */
static void
put(struct writer *w, const char *text)
{
	for (const char *c = text; *c; c++)
		w->failed |= *c < ' ' || *c > '~';
	writer_bytes(w, text, strlen(text));
}

static void
put_header(struct writer *w, const char *name, const char *before,
    const char *value)
{
	if (!value)
		return;
	put(w, name);
	put(w, ": ");
	put(w, before);
	put(w, value);
	writer_bytes(w, "\r\n", 2);
}

/* "station.example:8443", "[2001:db8::1]" */
static void
format_host(const struct http_post *post, char *out, size_t size)
{
	bool numeric6 = strchr(post->host, ':') != NULL;
	char port[8] = "";

	if (post->port != (post->tls ? 443 : 80))
		snprintf(port, sizeof(port), ":%u", post->port);
	snprintf(out, size, "%s%s%s%s", numeric6 ? "[" : "", post->host,
	    numeric6 ? "]" : "", port);
}

size_t
http_post_encode(const struct http_post *post, char *out, size_t body_bytes)
{
	struct writer w = writer_open(out, HTTP_POST_HEAD_MAX);
	char host[300], length[24];
	size_t head_bytes;

	format_host(post, host, sizeof(host));
	snprintf(length, sizeof(length), "%zu", body_bytes);
	put(&w, "POST ");
	put(&w, post->path);
	put(&w, " HTTP/1.1");
	writer_bytes(&w, "\r\n", 2);
	put_header(&w, "Host", "", host);
	put_header(&w, "User-Agent", "", "tocsin");
	put_header(&w, "Content-Type", "", post->content_type);
	put_header(&w, "Content-Length", "", length);
	put_header(&w, "Authorization", "Bearer ", post->bearer);
	put_header(&w, "Idempotency-Key", "", post->idempotency_key);
	put_header(&w, "X-Tocsin-Signature", "", post->signature);
	writer_bytes(&w, "\r\n", 2);
	if (w.failed)
		return 0;
	head_bytes = writer_length(&w);
	memmove(out + head_bytes, out + HTTP_POST_HEAD_MAX, body_bytes);
	return head_bytes + body_bytes;
}

/* ---- an answer's head -------------------------------------------------------- */

#define VERSION	    "HTTP/1."
#define INTERIM_MAX 199
#define SWITCHING   101

/* What its fields say about where it ends. */
struct framing {
	bool close, chunked, strange;
	struct slice length;
};

static void
read_field(struct slice line, struct framing *framing)
{
	struct slice value = line;
	struct slice name = http_take_until(&value, ":");

	value = http_trim(value);
	if (http_same_word(name, "Content-Length")) {
		framing->strange |= slice_present(framing->length);
		framing->length = value;
	} else if (http_same_word(name, "Transfer-Encoding")) {
		framing->strange |=
		    framing->chunked || !http_same_word(value, "chunked");
		framing->chunked = true;
	} else if (http_same_word(name, "Connection")) {
		framing->close |= !http_same_word(value, "keep-alive");
	}
}

/* "HTTP/1.1 200 OK"; 0: it is none. */
static unsigned
read_status(struct slice line, bool *ret_old)
{
	struct slice version = http_take_until(&line, " ");
	struct slice digits = http_take_until(&line, " ");
	unsigned long status;

	*ret_old = slice_is(version, VERSION "0");
	if ((!*ret_old && !slice_is(version, VERSION "1")) ||
	    digits.length != 3 || slice_to_number(digits, 10, &status) < 0 ||
	    status < 100)
		return 0;
	return (unsigned)status;
}

/* What cannot be told for sure is the last: the status holds all the same. */
static void
begin_body(struct http_answers *answers, const struct framing *framing)
{
	unsigned long length = 0;

	answers->last =
	    framing->close || framing->strange || answers->status == SWITCHING;
	if (answers->status == 204 || answers->status == 304)
		return;
	if (framing->chunked) {
		answers->next = HTTP_ANSWER_CHUNK_SIZE;
		answers->last |= slice_present(framing->length);
	} else if (slice_present(framing->length) &&
	    slice_to_number(framing->length, 10, &length) == 0) {
		answers->left = length;
		if (length > 0)
			answers->next = HTTP_ANSWER_BODY;
	} else {
		answers->last = true;
	}
}

static int
read_head(struct http_answers *answers, struct slice data)
{
	struct slice rest = data, head = http_take_until(&rest, "\r\n\r\n");
	struct slice begin = slice_part(data, 0, strlen(VERSION));
	struct framing framing = { .length = SLICE_NONE };
	unsigned status;

	if (memcmp(begin.data, VERSION, begin.length) != 0)
		return -EBADMSG;
	if (head.length == data.length)
		return 0;
	status = read_status(http_take_until(&head, "\r\n"), &framing.close);
	if (status == 0)
		return -EBADMSG;
	if (status <= INTERIM_MAX && status != SWITCHING)
		return (int)(data.length - rest.length);
	answers->status = status;
	while (head.length > 0)
		read_field(http_take_until(&head, "\r\n"), &framing);
	begin_body(answers, &framing);
	answers->found = true;
	return (int)(data.length - rest.length);
}

/* ---- what follows it ----------------------------------------------------------- */

static int
pass_over(struct http_answers *answers, size_t length,
    enum http_answer_part next)
{
	if (length > answers->left)
		length = (size_t)answers->left;
	answers->left -= length;
	if (answers->left == 0)
		answers->next = next;
	return (int)length;
}

#define LINE_MAX_BYTES 1024

/* A line without its end; what was used, 0: it is not whole. */
static int
read_line(struct slice data, struct slice *ret)
{
	struct slice rest = data;

	*ret = http_take_until(&rest, "\r\n");
	if (ret->length > LINE_MAX_BYTES)
		return -EBADMSG;
	return ret->length == data.length ? 0 : (int)ret->length + 2;
}

static int
read_chunk_size(struct http_answers *answers, struct slice data)
{
	struct slice line;
	unsigned long size;
	int used = read_line(data, &line);

	if (used <= 0)
		return used;
	if (slice_to_number(http_trim(http_take_until(&line, ";")), 16, &size) <
	    0)
		return -EBADMSG;
	answers->left = size;
	answers->next = size > 0 ? HTTP_ANSWER_CHUNK : HTTP_ANSWER_TRAILER;
	return used;
}

static int
read_trailer(struct http_answers *answers, struct slice data)
{
	struct slice line;
	int used = read_line(data, &line);

	if (used > 0 && line.length == 0)
		answers->next = HTTP_ANSWER_HEAD;
	return used;
}

static int
read_chunk_end(struct http_answers *answers, struct slice data)
{
	struct slice line;
	int used = read_line(data, &line);

	if (line.length > 0 &&
	    (line.length != data.length || !slice_is(line, "\r")))
		return -EBADMSG;
	if (used > 0)
		answers->next = HTTP_ANSWER_CHUNK_SIZE;
	return used;
}

static int
read_next(struct http_answers *answers, struct slice data)
{
	switch (answers->next) {
	case HTTP_ANSWER_HEAD:
		return read_head(answers, data);
	case HTTP_ANSWER_BODY:
		return pass_over(answers, data.length, HTTP_ANSWER_HEAD);
	case HTTP_ANSWER_CHUNK_SIZE:
		return read_chunk_size(answers, data);
	case HTTP_ANSWER_CHUNK:
		return pass_over(answers, data.length, HTTP_ANSWER_CHUNK_END);
	case HTTP_ANSWER_CHUNK_END:
		return read_chunk_end(answers, data);
	case HTTP_ANSWER_TRAILER:
		return read_trailer(answers, data);
	}
	return -EBADMSG;
}

void
http_answers_begin(struct http_answers *answers)
{
	memset(answers, 0, sizeof(*answers));
}

int
http_answers_next(struct http_answers *answers, const char *data, size_t length)
{
	size_t used = 0;

	answers->found = false;
	while (used < length && !answers->found) {
		int step =
		    read_next(answers, slice_of(data + used, length - used));

		if (step < 0)
			return step;
		if (step == 0)
			break;
		used += (size_t)step;
	}
	return (int)used;
}
