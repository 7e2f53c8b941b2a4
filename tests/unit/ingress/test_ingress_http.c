/* The bridge API: who may say what, what is journalled, and what is answered
 * when. */
#include "rig.h"
#include "unit/certificates.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <sodium.h>
#include <sys/socket.h>

#include "base/text.h"

#define TOKEN	  "tb-7-secret"
#define BEARER	  "Authorization: Bearer " TOKEN "\r\n"
#define JSON	  "Content-Type: application/json\r\n"
#define EVENT	  "{\"zone\":\"17\",\"state\":\"alarm\"}"
#define KEY_BYTES "sixteen byte key"
#define DAY_S	  86400

enum {
	CLEAR,
	SILENT,
	CIPHER, /* TLS is demanded, and not spoken */
	SECURE, /* TLS; the certificate names an account */
	LISTENERS
};
static const char *const names[] = { "clear", "silent", "cipher", "secure" };

struct fixture {
	struct rig rig;
	char directory[64], server[80], authority[80];
	struct certificate ca;
	struct ingress_listener_config listeners[LISTENERS];
};

static void
put_bridges(struct rig *rig)
{
	static uint8_t hash[DIRECTORY_HASH_SIZE];
	struct directory_bridge bridge = { .id = 7,
		.site_id = 1,
		.kind = DIRECTORY_BRIDGE,
		.serial = "B7",
		.account = "7000",
		.key = (const uint8_t *)KEY_BYTES,
		.key_length = sizeof(KEY_BYTES) - 1,
		.bearer_hash = hash };

	crypto_hash_sha256(hash, (const uint8_t *)TOKEN, strlen(TOKEN));
	rig_put_bridge(rig, &bridge);
	bridge.id = 8; /* has the hash of a key that names another */
	bridge.serial = "B8";
	bridge.account = "8000";
	bridge.key_length = 0;
	bridge.listener = "elsewhere";
	rig_put_bridge(rig, &bridge);
	bridge.id = 9;
	bridge.serial = "B9";
	bridge.account = NULL;
	bridge.listener = NULL;
	bridge.bearer_hash = NULL;
	rig_put_bridge(rig, &bridge);
}

static void
make_files(struct fixture *f)
{
	struct certificate server;

	snprintf(f->directory, sizeof(f->directory), "/tmp/tocsin-http-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->server, sizeof(f->server), "%s/server", f->directory);
	snprintf(f->authority, sizeof(f->authority), "%s/ca", f->directory);
	f->ca = certificate_make("authority", NULL, NULL, DAY_S);
	certificate_write(&f->ca, f->authority);
	server = certificate_make("receiver", NULL, &f->ca, DAY_S);
	certificate_write(&server, f->server);
	certificate_free(&server);
}

static int
open_with(void **state, uint64_t budget_bytes)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	make_files(&f);
	for (unsigned i = 0; i < LISTENERS; i++) {
		f.listeners[i] = rig_listener;
		f.listeners[i].name = names[i];
		f.listeners[i].protocol = INGRESS_HTTP;
	}
	f.listeners[SILENT].silent = true;
	f.listeners[CIPHER].cipher_required = true;
	f.listeners[SECURE].cipher_required = true;
	f.listeners[SECURE].transport = INGRESS_TLS;
	f.listeners[SECURE].tls = (struct ingress_tls_config){
		.certificate = f.server,
		.client_ca = f.authority,
		.client_account = true,
		.max_handshakes = 4,
		.handshake_timeout_us = 5000000,
	};
	rig_open(&f.rig, f.listeners, LISTENERS, budget_bytes);
	put_bridges(&f.rig);
	*state = &f;
	return 0;
}

static int
open_fixture(void **state)
{
	return open_with(state, RIG_BUDGET);
}

static int
open_small_fixture(void **state)
{
	return open_with(state, 6 << 20);
}

static int
close_fixture(void **state)
{
	struct fixture *f = *state;

	rig_close(&f->rig);
	certificate_free(&f->ca);
	unlink(f->server);
	unlink(f->authority);
	rmdir(f->directory);
	return 0;
}

/* ---- a bridge -------------------------------------------------------------------- */

struct reply {
	unsigned status;
	char head[1024];
	char content[16384];
};

static size_t
write_request(char *out, size_t out_size, const char *line, const char *fields,
    const char *body)
{
	int length = snprintf(out, out_size,
	    "%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s", line,
	    fields, strlen(body), body);

	assert_true(length > 0 && (size_t)length < out_size);
	return (size_t)length;
}

static void
say(int fd, const char *line, const char *fields, const char *body)
{
	static char text[40000];

	rig_send(fd, text,
	    write_request(text, sizeof(text), line, fields, body));
}

/* One byte of the connection; false: it has ended. */
typedef bool (*read_byte_fn)(void *connection, char *ret);

static bool
read_clear(void *connection, char *ret)
{
	return recv(*(int *)connection, ret, 1, 0) == 1;
}

static bool
read_tls(void *connection, char *ret)
{
	return SSL_read(connection, ret, 1) == 1;
}

static struct reply
hear_by(read_byte_fn read_byte, void *connection)
{
	struct reply reply = { .status = 0 };
	const char *length;
	size_t at = 0, left = 0;

	while (at < 4 || memcmp(reply.head + at - 4, "\r\n\r\n", 4) != 0) {
		assert_true(at < sizeof(reply.head) - 1);
		if (!read_byte(connection, &reply.head[at++]))
			fail_msg("no reply but '%s'", reply.head);
	}
	assert_int_equal(sscanf(reply.head, "HTTP/1.1 %u ", &reply.status), 1);
	length = strstr(reply.head, "Content-Length: ");
	if (length)
		left = (size_t)atoi(length + 16);
	assert_true(left < sizeof(reply.content));
	for (at = 0; at < left; at++)
		assert_true(read_byte(connection, &reply.content[at]));
	return reply;
}

static struct reply
hear(int fd)
{
	return hear_by(read_clear, &fd);
}

static struct reply
ask(int fd, const char *line, const char *fields, const char *body)
{
	say(fd, line, fields, body);
	return hear(fd);
}

/* What would sign this, some seconds away from now. */
static const char *
sign_with(struct rig *rig, const char *key, int64_t away_s, const char *line,
    const char *idempotency_key, const char *body)
{
	static char field[200];
	char text[1024], hex[2 * crypto_auth_hmacsha256_BYTES + 1];
	uint8_t digest[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state hmac;
	long long now_s = clock_wall_us(&rig->clock.clock) / 1000000 + away_s;
	const char *space = strchr(line, ' ');

	snprintf(text, sizeof(text), "%lld\n%.*s\n%s\n%s\n%s", now_s,
	    (int)(space - line), line, space + 1, idempotency_key, body);
	crypto_auth_hmacsha256_init(&hmac, (const uint8_t *)key, strlen(key));
	crypto_auth_hmacsha256_update(&hmac, (const uint8_t *)text,
	    strlen(text));
	crypto_auth_hmacsha256_final(&hmac, digest);
	text_hex_encode(digest, sizeof(digest), hex);
	snprintf(field, sizeof(field),
	    "X-Tocsin-Signature: bridge=7,t=%lld,v1=%s\r\n" JSON, now_s, hex);
	return field;
}

/* ---- what is journalled ------------------------------------------------------------ */

struct seen {
	unsigned count;
	uint64_t fingerprints[16], senders[16];
	char text[200]; /* of the last one */
};

static void
see(void *context, const struct record_signal *record)
{
	struct seen *seen = context;
	const struct signal *s = &record->signal;

	assert_true(seen->count < COUNT(seen->fingerprints));
	seen->fingerprints[seen->count] = record->fingerprint;
	seen->senders[seen->count++] = record->sender;
	snprintf(seen->text, sizeof(seen->text), "%s %u %.*s '%.*s' %u %s %.*s",
	    signal_protocol_name(s->protocol), (unsigned)record->bridge_id,
	    SLICE_ARG(s->account), SLICE_ARG(s->sequence), s->event_count,
	    s->events[0].code, SLICE_ARG(s->events[0].zone));
}

static struct seen
look(struct fixture *f)
{
	struct seen seen = { 0 };

	rig_each_record(&f->rig, see, &seen);
	return seen;
}

static uint64_t
refused(struct fixture *f, const char *listener, enum ingress_refusal cause)
{
	return rig_status(&f->rig, listener).refusals[cause];
}

static void
test_events_are_journalled_and_answered(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *record; /* NULL: none */
		const char *content;
	} rows[] = {
		{ EVENT, 200, "http 7 7000 'k-0' 1 140 17",
		    "{\"results\":[{\"status\":\"accepted\"}]}" },
		{ "{\"events\":[{\"sia\":\"XX1\"},{\"sia\":\"BA\","
		  "\"zone\":\"3\"}]}",
		    207, "http 7 7000 'k-1' 1 BA 3",
		    "{\"results\":[{\"status\":\"refused\",\"reason\":\"sia "
		    "does not match ^[A-Z]{2}$\"},{\"status\":\"accepted\"}]}" },
		{ "{}", 422, NULL,
		    "{\"results\":[{\"status\":\"refused\",\"reason\":\"state, "
		    "arming_input, code or sia is needed\"}]}" },
		{ "[]", 400, NULL,
		    "{\"type\":\"about:blank\",\"title\":\"Bad Request\","
		    "\"status\":400,\"detail\":\"the body is no object\"}" },
	};
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	unsigned records = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char fields[200];
		struct reply reply;

		snprintf(fields, sizeof(fields),
		    BEARER JSON "Idempotency-Key: \"k-%zu\"\r\n", i);
		reply = ask(fd, "POST /v1/events", fields, rows[i].body);
		assert_row(reply.status == rows[i].status, i, rows[i].body);
		assert_string_equal(reply.content, rows[i].content);
		records += rows[i].record != NULL;
		assert_int_equal(look(f).count, records);
		if (rows[i].record)
			assert_string_equal(look(f).text, rows[i].record);
	}
	assert_int_equal(refused(f, "clear", INGRESS_REFUSED_UNPROCESSABLE), 3);
	assert_int_equal(rig_status(&f->rig, "clear").signals, 2);
	close(fd);
}

static void
test_heartbeats_move_the_last_seen_time(void **state)
{
	struct fixture *f = *state;
	struct presence_status presence;
	int fd = rig_connect(&f->rig, "clear");

	assert_true(!rig_presence(&f->rig, 7, &presence) ||
	    presence.path_count == 0);
	assert_int_equal(ask(fd, "POST /v1/heartbeat", BEARER, "").status, 204);
	assert_true(rig_presence(&f->rig, 7, &presence));
	assert_string_equal(presence.paths[0].listener, "clear");
	assert_int_equal(look(f).count, 0);
	assert_int_equal(rig_status(&f->rig, "clear").polls, 1);
	close(fd);
}

/* All of them get one answer, so that nobody learns who there is. */
static void
test_who_is_refused(void **state)
{
	static const struct {
		const char *fields;
		enum ingress_refusal cause;
	} rows[] = {
		{ "", INGRESS_REFUSED_UNPROCESSABLE },
		{ "Authorization: Basic dTpw\r\n",
		    INGRESS_REFUSED_UNPROCESSABLE },
		{ "Authorization: Bearer x\r\n",
		    INGRESS_REFUSED_UNPROCESSABLE },
		{ "Authorization: Bearer tb-7\r\n",
		    INGRESS_REFUSED_UNPROCESSABLE },
		{ "Authorization: Bearer " TOKEN "x\r\n",
		    INGRESS_REFUSED_WRONG_KEY },
		{ "Authorization: Bearer tb-7-\r\n",
		    INGRESS_REFUSED_WRONG_KEY },
		{ "Authorization: Bearer tb-8-secret\r\n",
		    INGRESS_REFUSED_UNKNOWN_ACCOUNT },
		{ "Authorization: Bearer tb-9-secret\r\n",
		    INGRESS_REFUSED_NO_KEY },
		{ "Authorization: Bearer tb-99-secret\r\n",
		    INGRESS_REFUSED_UNKNOWN_ACCOUNT },
		{ "Authorization: Bearer tb-x-secret\r\n",
		    INGRESS_REFUSED_UNKNOWN_ACCOUNT },
		{ "X-Tocsin-Signature: bridge=7\r\n",
		    INGRESS_REFUSED_UNPROCESSABLE },
		{ "X-Tocsin-Signature: bridge=7,t=1,v1=00\r\n" BEARER,
		    INGRESS_REFUSED_UNPROCESSABLE },
	};
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	char content[200] = "";

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t before = refused(f, "clear", rows[i].cause);
		char fields[300];
		struct reply reply;

		snprintf(fields, sizeof(fields), "%s" JSON, rows[i].fields);
		reply = ask(fd, "POST /v1/events", fields, EVENT);
		assert_row(reply.status == 401, i, rows[i].fields);
		assert_non_null(strstr(reply.head, "WWW-Authenticate: Bearer"));
		if (i > 0)
			assert_string_equal(reply.content, content);
		snprintf(content, sizeof(content), "%.199s", reply.content);
		while (refused(f, "clear", rows[i].cause) == before)
			;
	}
	assert_int_equal(look(f).count, 0);
	close(fd);
}

static void
test_signatures(void **state)
{
	static const char line[] = "POST /v1/events";
	static const struct {
		const char *key;
		int64_t away_s;
		const char *body; /* that is signed */
		unsigned status;
		enum ingress_refusal cause;
	} rows[] = {
		{ KEY_BYTES, 0, EVENT, 200, INGRESS_REFUSALS },
		{ KEY_BYTES, -30, EVENT, 200, INGRESS_REFUSALS },
		{ KEY_BYTES, 15, EVENT, 200, INGRESS_REFUSALS },
		{ KEY_BYTES, -60, EVENT, 403, INGRESS_REFUSED_TIME_WINDOW },
		{ KEY_BYTES, 60, EVENT, 403, INGRESS_REFUSED_TIME_WINDOW },
		{ "another key's b.", 0, EVENT, 401,
		    INGRESS_REFUSED_WRONG_KEY },
		{ "another key's b.", -60, EVENT, 401,
		    INGRESS_REFUSED_WRONG_KEY },
		{ KEY_BYTES, 0, "{}", 401, INGRESS_REFUSED_WRONG_KEY },
	};
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	unsigned records = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t before = rows[i].cause == INGRESS_REFUSALS
		    ? 0
		    : refused(f, "clear", rows[i].cause);
		const char *fields = sign_with(&f->rig, rows[i].key,
		    rows[i].away_s, line, "", rows[i].body);

		assert_row(ask(fd, line, fields, EVENT).status ==
			rows[i].status,
		    i, rows[i].body);
		if (rows[i].status == 200)
			records++;
		else
			while (refused(f, "clear", rows[i].cause) == before)
				;
	}
	/* another path, another method, an idempotency key put beside it */
	assert_int_equal(ask(fd, "POST /v1/heartbeat",
			     sign_with(&f->rig, KEY_BYTES, 0, line, "", ""), "")
			     .status,
	    401);
	assert_int_equal(ask(fd, line,
			     sign_with(&f->rig, KEY_BYTES, 0, line, "k", EVENT),
			     EVENT)
			     .status,
	    401);
	assert_int_equal(look(f).count, records);
	close(fd);
}

/* Who listens in sends the same bytes again: a repeat, whatever its letters. */
static void
test_a_signed_request_sent_again_is_a_repeat(void **state)
{
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	char fields[200], *digit;
	struct seen seen;

	snprintf(fields, sizeof(fields), "%s",
	    sign_with(&f->rig, KEY_BYTES, 0, "POST /v1/events", "", EVENT));
	assert_int_equal(ask(fd, "POST /v1/events", fields, EVENT).status, 200);
	for (digit = strstr(fields, "v1=") + 3; *digit != '\r'; digit++)
		if (*digit >= 'a')
			*digit = (char)(*digit - 'a' + 'A');
	assert_int_equal(ask(fd, "POST /v1/events", fields, EVENT).status, 200);
	seen = look(f);
	assert_int_equal(seen.count, 2);
	assert_true(seen.fingerprints[0] == seen.fingerprints[1]);
	close(fd);
}

/* Both keys while the overlap lasts, then the new one alone. */
static void
test_rolled_keys(void **state)
{
	static const char line[] = "POST /v1/events";
	static const struct {
		int64_t left_us; /* of the overlap */
		unsigned status;
	} rows[] = { { 60000000, 200 }, { -1000000, 401 } };
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct directory_previous_key previous = {
			.until_us = clock_wall_us(&f->rig.clock.clock) +
			    rows[i].left_us,
			.length = sizeof(KEY_BYTES) - 1,
			.bytes = KEY_BYTES,
		};
		const struct directory_bridge bridge = { .id = 7,
			.site_id = 1,
			.serial = "B7",
			.key = (const uint8_t *)"the newest of it",
			.key_length = 16,
			.previous_key = &previous };

		rig_put_bridge(&f->rig, &bridge);
		assert_int_equal(ask(fd, line,
				     sign_with(&f->rig, KEY_BYTES, 0, line, "",
					 EVENT),
				     EVENT)
				     .status,
		    rows[i].status);
		assert_int_equal(ask(fd, line,
				     sign_with(&f->rig, "the newest of it", 0,
					 line, "", EVENT),
				     EVENT)
				     .status,
		    200);
	}
	assert_int_equal(refused(f, "clear", INGRESS_REFUSED_OLD_KEY), 1);
	assert_int_equal(rig_status(&f->rig, "clear").previous_key, 1);
	close(fd);
}

/* The same with bearer keys. */
static void
test_rolled_bearer_keys(void **state)
{
	static const char newest[] = "tb-7-the-newest-of-it";
	static const char with_newest[] =
	    "Authorization: Bearer tb-7-the-newest-of-it\r\n" JSON;
	static const struct {
		int64_t left_us; /* of the overlap */
		unsigned status;
	} rows[] = { { 60000000, 200 }, { -1000000, 401 } };
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	struct directory_previous_bearer previous;
	uint8_t hash[DIRECTORY_HASH_SIZE];

	crypto_hash_sha256(hash, (const uint8_t *)newest, strlen(newest));
	crypto_hash_sha256(previous.hash, (const uint8_t *)TOKEN,
	    strlen(TOKEN));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct directory_bridge bridge = { .id = 7,
			.site_id = 1,
			.serial = "B7",
			.bearer_hash = hash,
			.previous_bearer = &previous };

		previous.until_us =
		    clock_wall_us(&f->rig.clock.clock) + rows[i].left_us;
		rig_put_bridge(&f->rig, &bridge);
		assert_row(ask(fd, "POST /v1/events", BEARER JSON, EVENT)
			       .status == rows[i].status,
		    i, "the key before");
		assert_row(ask(fd, "POST /v1/events", with_newest, EVENT)
			       .status == 200,
		    i, "the newest");
	}
	assert_int_equal(refused(f, "clear", INGRESS_REFUSED_OLD_KEY), 1);
	assert_int_equal(rig_status(&f->rig, "clear").previous_key, 1);
	close(fd);
}

static void
test_what_makes_a_repeat(void **state)
{
	static const char *const other =
	    "{\"zone\":\"18\",\"state\":\"alarm\"}";
	static const struct {
		const char *key, *body;
		int same_as; /* -1: an event of its own */
	} rows[] = {
		{ "Idempotency-Key: a\r\n", EVENT, -1 },
		{ "Idempotency-Key: a\r\n", EVENT, 0 },
		{ "Idempotency-Key: \"a\"\r\n", EVENT, 0 },
		{ "Idempotency-Key: b\r\n", EVENT, -1 },
		{ "Idempotency-Key: a\r\n", NULL, -1 },
		{ "", EVENT, -1 },
		{ "", EVENT, -1 },
	};
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	struct seen seen;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char fields[200];

		snprintf(fields, sizeof(fields), BEARER JSON "%s", rows[i].key);
		assert_int_equal(ask(fd, "POST /v1/events", fields,
				     rows[i].body ? rows[i].body : other)
				     .status,
		    200);
	}
	seen = look(f);
	assert_int_equal(seen.count, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t j = 0; j < i; j++) {
			bool same = (rows[i].same_as < 0 ? i : 0) ==
			    (rows[j].same_as < 0 ? j : 0);

			assert_row(same ==
				(seen.fingerprints[i] == seen.fingerprints[j]),
			    i, rows[i].key);
		}
	assert_true(seen.senders[0] == seen.senders[1]);
	close(fd);
}

static void
test_paths_and_forms(void **state)
{
	static const struct {
		const char *line, *fields, *body;
		unsigned status;
	} rows[] = {
		{ "GET /v1/openapi.json", "", "", 200 },
		{ "GET /v1/events", BEARER, "", 405 },
		{ "POST /v1/openapi.json", BEARER, "", 405 },
		{ "GET /", "", "", 404 },
		{ "POST /v1/events?x", BEARER JSON, EVENT, 404 },
		{ "POST /v1/events", BEARER, EVENT, 415 },
		{ "POST /v1/events",
		    BEARER "Content-Type: application/jsonx\r\n", EVENT, 415 },
		{ "POST /v1/events",
		    BEARER "Content-Type: Application/JSON; charset=utf-8\r\n",
		    EVENT, 200 },
		{ "POST /v1/events", BEARER JSON "Idempotency-Key: \r\n", EVENT,
		    400 },
		{ "POST /v1/events", BEARER JSON "Idempotency-Key: a b\r\n",
		    EVENT, 400 },
	};
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(ask(fd, rows[i].line, rows[i].fields, rows[i].body)
			       .status == rows[i].status,
		    i, rows[i].line);
	assert_int_equal(look(f).count, 1);
	close(fd);
}

/* What cannot be told apart ends the connection; what is no HTTP is not
 * answered, nor anybody at a silent listener. */
static void
test_ends_of_connections(void **state)
{
	static const struct {
		const char *listener, *text;
		unsigned status; /* 0: none */
	} rows[] = {
		{ "clear", "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "clear", "GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505 },
		{ "clear",
		    "POST /v1/events HTTP/1.1\r\nHost: x\r\n"
		    "Content-Length: 99999\r\n\r\n",
		    413 },
		{ "clear", "GET /none HTTP/1.0\r\n\r\n", 404 },
		{ "clear",
		    "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" BEARER
			JSON "Content-Length: 29\r\n\r\n" EVENT,
		    200 },
		{ "clear", "\n0000000\"NULL\"0000L0#1234[]\r", 0 },
		{ "silent", "GET / HTTP/1.1\r\n\r\n", 0 },
		{ "silent",
		    "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: "
		    "Bearer tb-7-x\r\nContent-Length: 0\r\n\r\n",
		    0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = rig_connect(&f->rig, rows[i].listener);

		rig_send(fd, rows[i].text, strlen(rows[i].text));
		if (rows[i].status)
			assert_row(hear(fd).status == rows[i].status, i,
			    rows[i].text);
		rig_expect_closed(fd);
		close(fd);
	}
	assert_int_equal(refused(f, "clear", INGRESS_REFUSED_MALFORMED), 3);
	assert_int_equal(refused(f, "clear", INGRESS_REFUSED_OTHER_PROTOCOL),
	    1);
	assert_int_equal(refused(f, "silent", INGRESS_REFUSED_WRONG_KEY), 1);
}

static void
test_byte_by_byte_and_with_continue(void **state)
{
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	char text[1000], got[25];
	size_t length = write_request(text, sizeof(text), "POST /v1/events",
	    BEARER JSON "Expect: 100-continue\r\n", EVENT);
	size_t head = length - strlen(EVENT);

	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < head; i++)
			rig_send(fd, text + i, 1);
		assert_int_equal(recv(fd, got, sizeof(got), MSG_WAITALL),
		    sizeof(got));
		assert_memory_equal(got, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		for (size_t i = head; i < length; i++)
			rig_send(fd, text + i, 1);
		assert_int_equal(hear(fd).status, 200);
	}
	assert_int_equal(look(f).count, 2);
	close(fd);
}

/* ---- durability --------------------------------------------------------------------- */

static void
test_answered_in_order_when_durable(void **state)
{
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	int other = rig_connect(&f->rig, "clear");

	rig_disk_hold(&f->rig);
	say(fd, "POST /v1/events", BEARER JSON, EVENT);
	say(fd, "POST /v1/heartbeat", BEARER, "");
	say(fd, "GET /none", "", "");
	rig_disk_wait_held(&f->rig);
	assert_int_equal(ask(other, "POST /v1/heartbeat", BEARER, "").status,
	    204);
	rig_expect_nothing(fd);
	rig_disk_release(&f->rig);
	assert_int_equal(hear(fd).status, 200);
	assert_int_equal(hear(fd).status, 204);
	assert_int_equal(hear(fd).status, 404);
	close(fd);
	close(other);
}

/* 95 % of the budget is held: nothing is promised, and it says so. */
static void
test_a_full_journal_says_so(void **state)
{
	static char body[14000];
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	struct reply reply;

	snprintf(body, sizeof(body), "{\"sia\":\"BA\"%*s}", 13000, "");
	journal_hold(f->rig.journal, JOURNAL_HOLDER_DISPATCH,
	    journal_durable(f->rig.journal));
	do
		reply = ask(fd, "POST /v1/events", BEARER JSON, body);
	while (reply.status == 200);
	assert_int_equal(reply.status, 503);
	assert_non_null(strstr(reply.head, "Retry-After: "));
	assert_true(rig_status(&f->rig, "clear").replies[INGRESS_REPLY_NAK] >
	    0);
	journal_hold(f->rig.journal, JOURNAL_HOLDER_DISPATCH,
	    journal_durable(f->rig.journal));
	do
		reply = ask(fd, "POST /v1/events", BEARER JSON, EVENT);
	while (reply.status == 503);
	assert_int_equal(reply.status, 200);
	close(fd);
}

/* The disk fills while answers are owed: they are refused, never given late as
 * another request's. */
static void
test_a_full_disk_says_so(void **state)
{
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");

	rig_disk_hold(&f->rig);
	say(fd, "POST /v1/events", BEARER JSON "Idempotency-Key: 1\r\n", EVENT);
	rig_disk_wait_held(&f->rig);
	atomic_store(&f->rig.disk.error, ENOSPC);
	rig_disk_release(&f->rig);
	assert_int_equal(hear(fd).status, 503);
	rig_expect_closed(fd);
	close(fd);
	fd = rig_connect(&f->rig, "clear");
	assert_int_equal(ask(fd, "POST /v1/events", BEARER JSON, EVENT).status,
	    503);
	atomic_store(&f->rig.disk.error, 0);
	while (ask(fd, "POST /v1/events", BEARER JSON "Idempotency-Key: 1\r\n",
		   EVENT)
		   .status == 503)
		;
	assert_true(look(f).count >= 2);
	close(fd);
}

static void
test_a_hanging_sync_ends_heartbeats(void **state)
{
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, "clear");
	int other = rig_connect(&f->rig, "clear");

	rig_disk_hold(&f->rig);
	say(fd, "POST /v1/events", BEARER JSON, EVENT);
	rig_disk_wait_held(&f->rig);
	atomic_fetch_add(&f->rig.clock.ahead_us, 11000000);
	while (ask(other, "POST /v1/heartbeat", BEARER, "").status != 503)
		;
	rig_expect_nothing(fd);
	rig_disk_release(&f->rig);
	assert_int_equal(hear(fd).status, 200);
	close(fd);
	close(other);
}

/* ---- TLS ------------------------------------------------------------------------------ */

static unsigned
ask_tls(struct fixture *f, const struct certificate *certificate)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int fd = rig_connect(&f->rig, "secure");
	char text[1000];
	size_t length = write_request(text, sizeof(text), "POST /v1/events",
	    BEARER JSON, EVENT);
	unsigned status;
	SSL *ssl;

	if (certificate) {
		SSL_CTX_use_certificate(context, certificate->x509);
		SSL_CTX_use_PrivateKey(context, certificate->key);
	}
	ssl = SSL_new(context);
	SSL_CTX_free(context);
	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(SSL_write(ssl, text, (int)length), (int)length);
	status = hear_by(read_tls, ssl).status;
	SSL_free(ssl);
	close(fd);
	return status;
}

static void
test_tls_and_certificates(void **state)
{
	struct fixture *f = *state;
	struct certificate own = certificate_make("7000", NULL, &f->ca, DAY_S);
	struct certificate others =
	    certificate_make("7001", NULL, &f->ca, DAY_S);
	int fd = rig_connect(&f->rig, "cipher");

	assert_int_equal(ask_tls(f, NULL), 200);
	assert_int_equal(ask_tls(f, &own), 200);
	assert_int_equal(ask_tls(f, &others), 403);
	assert_int_equal(ask(fd, "POST /v1/events", BEARER JSON, EVENT).status,
	    403);
	assert_int_equal(refused(f, "secure", INGRESS_REFUSED_OTHER_ACCOUNT),
	    1);
	assert_int_equal(refused(f, "cipher", INGRESS_REFUSED_CLEAR_TEXT), 1);
	assert_int_equal(look(f).count, 2);
	certificate_free(&own);
	certificate_free(&others);
	close(fd);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_fixture, close_fixture)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_events_are_journalled_and_answered),
		TEST(test_heartbeats_move_the_last_seen_time),
		TEST(test_who_is_refused),
		TEST(test_signatures),
		TEST(test_a_signed_request_sent_again_is_a_repeat),
		TEST(test_rolled_keys),
		TEST(test_rolled_bearer_keys),
		TEST(test_what_makes_a_repeat),
		TEST(test_paths_and_forms),
		TEST(test_ends_of_connections),
		TEST(test_byte_by_byte_and_with_continue),
		TEST(test_answered_in_order_when_durable),
		cmocka_unit_test_setup_teardown(test_a_full_journal_says_so,
		    open_small_fixture, close_fixture),
		TEST(test_a_full_disk_says_so),
		TEST(test_a_hanging_sync_ends_heartbeats),
		TEST(test_tls_and_certificates),
	};

	return cmocka_run_group_tests_name("ingress/http", tests, NULL, NULL);
}
