/* Posts, and answers in pieces of any size. */
#include <stdlib.h>

#include "codec/http_client.h"
#include "unit/test.h"

static const struct {
	const char *bytes;
	const char *statuses; /* a '.' behind the last that the peer sends */
} streams[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	  "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
	    "200 503 " },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
	    "204 " },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
	  "\r\nHTTP/1.1 410 Gone\r\nConnection: close\r\nContent-Length: 0\r\n"
	  "\r\n",
	    "200 410. " },
	{ "HTTP/1.0 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
	    "204 " },
	{ "HTTP/1.0 200 OK\r\n\r\nuntil the end", "200. " },
	{ "HTTP/1.1 200 OK\r\n\r\nuntil the end", "200. " },
	{ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
	  "Connection: upgrade\r\n\r\n",
	    "101. " },
	{ "HTTP/1.1 2000 OK\r\n\r\n", "!" },
	{ "\x06", "!" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
	    "200. " },
	{ "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "200. " },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	    "200. " },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n",
	    "200. " },
	{ "HTTP/1.1 200\r\ncontent-length:\t1 \r\n\r\nxHTTP/1.1 404 \r\n"
	  "Content-Length: 0\r\n\r\n",
	    "200 404 " },
	{ "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\nA;x=y\r\n"
	  "0123456789\r\n1\r\nx\r\n0\r\nTrailer: x\r\n\r\n"
	  "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"
	  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	    "200 304 200 " },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
	    "200 !" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy",
	    "200 !" },
	{ "HTTP/1.1 20 OK\r\n\r\n", "!" },
	{ "HTTP/1.1 099 OK\r\n\r\n", "!" },
	{ "HTTP/2 200 OK\r\n\r\n", "!" },
	{ "HTTP/1.2 200 OK\r\n\r\n", "!" },
	{ "SIP/2.0 200 OK\r\n\r\n", "!" },
	{ "HTTP/1.1 200", "" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "" },
};

/* "200 410. ", "!" where it is no HTTP. */
static const char *
read_pieces(const char *bytes, size_t piece)
{
	static char statuses[64];
	struct http_answers answers = { 0 };
	size_t length = strlen(bytes), given = 0, at = 0, written = 0;
	int used = 0;

	http_answers_begin(&answers);
	statuses[0] = '\0';
	while (!answers.last && (used > 0 || given < length)) {
		if (used == 0)
			given +=
			    length - given < piece ? length - given : piece;
		used = http_answers_next(&answers, bytes + at, given - at);
		if (used < 0)
			return strcat(statuses, "!");
		at += (size_t)used;
		if (answers.found)
			written += (size_t)snprintf(statuses + written,
			    sizeof(statuses) - written, "%u%s ", answers.status,
			    answers.last ? "." : "");
	}
	return statuses;
}

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(streams); i++)
		for (size_t piece = 1; piece < 200; piece++) {
			const char *got = read_pieces(streams[i].bytes, piece);

			assert_row(strcmp(got, streams[i].statuses) == 0, i,
			    got);
		}
}

#define AGENT "User-Agent: tocsin\r\n"

static const struct {
	struct http_post post;
	const char *head; /* NULL: refused */
} posts[] = {
	{ { "station.example", 443, true, "/a?b=c", "text/plain", NULL, NULL,
	      NULL },
	    "POST /a?b=c HTTP/1.1\r\nHost: station.example\r\n" AGENT
	    "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody" },
	{ { "2001:db8::1", 443, false, "/", "text/plain", "secret", "node-1",
	      "t=1,v1=ab" },
	    "POST / HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n" AGENT
	    "Content-Type: text/plain\r\nContent-Length: 4\r\n"
	    "Authorization: Bearer secret\r\nIdempotency-Key: node-1\r\n"
	    "X-Tocsin-Signature: t=1,v1=ab\r\n\r\nbody" },
	{ { "a", 80, false, "/", "text/plain", "se\r\ncret", NULL, NULL },
	    NULL },
	{ { "a", 80, false, "/\n", "text/plain", NULL, NULL, NULL }, NULL },
};

static void
test_posts(void **state)
{
	static char out[HTTP_POST_HEAD_MAX + 16], long_path[HTTP_POST_HEAD_MAX];
	struct http_post post = posts[0].post;

	(void)state;
	for (size_t i = 0; i < COUNT(posts); i++) {
		const char *head = posts[i].head;
		size_t length;

		memcpy(out + HTTP_POST_HEAD_MAX, "body", 4);
		length = http_post_encode(&posts[i].post, out, 4);
		assert_row(length == (head ? strlen(head) : 0), i, "length");
		assert_row(!head || memcmp(out, head, length) == 0, i, out);
	}
	memset(long_path, '/', sizeof(long_path) - 1);
	post.path = long_path;
	assert_int_equal(http_post_encode(&post, out, 4), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_posts),
	};

	return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
