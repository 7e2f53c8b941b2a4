/*
 * A whole connection without TLS: a real listener, worker and journal, and
 * bytes that arrive in pieces. The first byte chooses the listener; then each
 * piece is its length in one byte and so many bytes. The worker has no thread:
 * its turns are taken here, one after each piece.
 *
 * Whatever comes, every answer is well-formed; and DC-09 and HTTP in pieces are
 * answered as often, and journalled as often, as the same bytes at once.
 */
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "codec/http_client.h"
#include "fuzz/fuzz.h"
#include "ingress/listener.h"
#include "ingress/session.h"
#include "ingress/worker.h"

#define LISTENER(protocol_, name_, ...)                                        \
 {                                                                             \
  .name = name_, .protocol = protocol_, .address = "127.0.0.1",                \
  .window = { 40, 20 }, .idle_timeout_us = 60000000,                           \
  .first_frame_timeout_us = 60000000, .junk_limit_bytes = 1 << 20,             \
  .max_sessions = 10, __VA_ARGS__                                              \
 }
#define KEY .key = { .length = 16, .bytes = "0123456789ABCDEF" }

static const struct ingress_listener_config configs[] = {
	LISTENER(INGRESS_DC09, "dc09", KEY),
	LISTENER(INGRESS_DC09, "strict", .cipher_required = true,
	    .silent = true, KEY),
	LISTENER(INGRESS_DC09, "lenient", .tolerate = ~0u,
	    .unknown_account = INGRESS_UNKNOWN_DUH, .reply_timestamp = true),
	LISTENER(INGRESS_SURGARD, "surgard", .max_source_sessions = 1),
	LISTENER(INGRESS_SURGARD_MLR2000, "mlr2000", .max_source_sessions = 1),
	LISTENER(INGRESS_ADEMCO685, "ademco685", .max_source_sessions = 1),
	LISTENER(INGRESS_D6500, "d6500", .max_source_sessions = 1),
	LISTENER(INGRESS_CONTACT_ID, "dialer", .max_source_sessions = 1),
	LISTENER(INGRESS_HTTP, "bridges"),
	LISTENER(INGRESS_HTTP, "silent-bridges", .silent = true),
};

static struct place {
	char path[64];
	struct journal *journal;
	struct directory *directory;
	struct worker *worker;
	struct listener *listeners[COUNT(configs)];
} place;

/* ---- life ------------------------------------------------------------------ */

static void
leave(void)
{
	char file[512];
	struct dirent *entry;
	DIR *directory;

	for (size_t i = 0; i < COUNT(configs); i++) {
		slot_detach(&place.listeners[i]->slots[0]);
		listener_close(&place.listeners[i]);
	}
	worker_close(&place.worker);
	journal_close(&place.journal);
	directory_thread_unregister();
	directory_close(&place.directory);
	directory = opendir(place.path);
	while (directory && (entry = readdir(directory))) {
		snprintf(file, sizeof(file), "%s/%s", place.path,
		    entry->d_name);
		unlink(file);
	}
	if (directory)
		closedir(directory);
	rmdir(place.path);
}

static void
put_bridge(void)
{
	static const uint8_t mac[] = { 2, 0, 0x5e, 0, 0x53, 1 };
	static const struct directory_previous_key previous = {
		.until_us = INT64_MAX, .length = 16, .bytes = "the-key-before-1"
	};
	static const char bearer[] = "tb-1-secret";
	uint8_t bearer_hash[DIRECTORY_HASH_SIZE];
	const struct directory_bridge bridge = { .id = 1,
		.site_id = 1,
		.account = "1234",
		.key = (const uint8_t *)"0123456789ABCDEF",
		.key_length = 16,
		.previous_key = &previous,
		.mac = mac,
		.bearer_hash = bearer_hash };
	struct directory_batch *batch = directory_batch_begin(place.directory);

	crypto_hash_sha256(bearer_hash, (const uint8_t *)bearer,
	    strlen(bearer));
	FUZZ_CHECK(batch && directory_put_bridge(batch, 1, &bridge) == 0);
	FUZZ_CHECK(directory_batch_commit(batch) == 0);
}

static void
enter(void)
{
	struct journal_config journal = { .node = "fuzz",
		.segment_bytes = 1 << 20,
		.budget_bytes = 16 << 20,
		.directory = place.path };
	struct worker_setup setup = { .clock = &clock_system };
	struct err err = { "" };

	snprintf(place.path, sizeof(place.path), "%s/tocsin-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	FUZZ_CHECK(mkdtemp(place.path));
	FUZZ_CHECK(log_open("/dev/null", LOG_ERROR, &err) == 0);
	FUZZ_CHECK(journal_open(&place.journal, &journal, &io_system,
		       &clock_system, &err) == 0);
	FUZZ_CHECK(directory_create(&place.directory, &err) == 0);
	put_bridge();
	FUZZ_CHECK(journal_start(place.journal, &err) == 0);
	setup.journal = place.journal;
	setup.directory = place.directory;
	FUZZ_CHECK(worker_open(&place.worker, &setup, &err) == 0);
	for (size_t i = 0; i < COUNT(configs); i++) {
		FUZZ_CHECK(listener_open(&place.listeners[i], &configs[i],
			       &place.worker, 1, &err) == 0);
		slot_attach(&place.listeners[i]->slots[0]);
	}
	directory_thread_register();
	directory_thread_offline();
	atexit(leave);
}

/* ---- one connection ---------------------------------------------------------- */

struct talk {
	struct listener *listener;
	int fd; /* the panel's end */
	enum ingress_protocol protocol;
	struct http_answers http;
	unsigned answers;
	char heard[65536];
	size_t length;
};

/* The bytes of the next answer, 0: it is not whole. Whatever header came is
 * echoed. */
static size_t
judge_frame(const char *data, size_t length)
{
	struct dc09_frame frame;
	enum dc09_fault fault;
	size_t consumed;
	enum codec_result result = dc09_frame_next(data, length,
	    ~0u & ~DC09_TOLERATE_BAD_CRC, &consumed, &frame, &fault);

	FUZZ_CHECK(result != CODEC_BAD);
	if (result == CODEC_MORE)
		return 0;
	FUZZ_CHECK(dc09_frame_is_reply(&frame));
	return consumed;
}

static size_t
judge_next(struct talk *talk, const char *data, size_t length)
{
	int used = 1;

	if (talk->protocol == INGRESS_DC09) {
		used = (int)judge_frame(data, length);
		talk->answers += used > 0;
	} else if (talk->protocol == INGRESS_HTTP) {
		used = http_answers_next(&talk->http, data, length);
		FUZZ_CHECK(used >= 0);
		talk->answers += talk->http.found;
	} else {
		FUZZ_CHECK(*data == 0x06 || *data == 0x15);
		talk->answers++;
	}
	return (size_t)used;
}

/* Cut off what is complete; a well-formed answer is all there may be. */
static void
judge(struct talk *talk)
{
	size_t used = 1, done = 0;

	while (used > 0 && done < talk->length) {
		used =
		    judge_next(talk, talk->heard + done, talk->length - done);
		done += used;
	}
	talk->length -= done;
	memmove(talk->heard, talk->heard + done, talk->length);
}

static void
listen_to(struct talk *talk)
{
	ssize_t n;

	while ((n = recv(talk->fd, talk->heard + talk->length,
		    sizeof(talk->heard) - talk->length, MSG_DONTWAIT)) > 0) {
		talk->length += (size_t)n;
		judge(talk);
	}
}

static void
turn(struct talk *talk, int flags)
{
	worker_turn(place.worker, flags);
	listen_to(talk);
}

static void
begin(struct talk *talk, size_t which)
{
	struct socket_address address = { 0 };
	struct err err;
	int pair[2];

	FUZZ_CHECK(socket_address_make("127.0.0.1", 9, &address, &err) == 0);
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) ==
	    0);
	talk->listener = place.listeners[which];
	talk->protocol = configs[which].protocol;
	http_answers_begin(&talk->http);
	talk->fd = pair[0];
	talk->answers = 0;
	talk->length = 0;
	FUZZ_CHECK(session_open(&talk->listener->slots[0], pair[1], &address) ==
	    0);
}

static void
say(struct talk *talk, const uint8_t *data, size_t length)
{
	/* it may have been closed for what it said before */
	if (send(talk->fd, data, length, MSG_NOSIGNAL) < 0)
		FUZZ_CHECK(errno == EPIPE || errno == ECONNRESET);
	turn(talk, EVLOOP_NONBLOCK);
}

/* Until it has all its answers; nothing may be left of it. */
static void
finish(struct talk *talk)
{
	shutdown(talk->fd, SHUT_WR);
	while (atomic_load(&talk->listener->sessions) > 0)
		turn(talk, EVLOOP_ONCE);
	listen_to(talk);
	FUZZ_CHECK(talk->length == 0);
	close(talk->fd);
}

static uint64_t
signals(const struct talk *talk)
{
	return counter_read(&talk->listener->slots[0].counters.signals);
}

static size_t
say_in_pieces(struct talk *talk, const uint8_t *data, size_t length,
    uint8_t *whole)
{
	size_t total = 0;

	while (length > 1) {
		size_t piece = data[0] < length - 1 ? data[0] : length - 1;

		if (piece > 0)
			say(talk, data + 1, piece);
		memcpy(whole + total, data + 1, piece);
		total += piece;
		data += 1 + piece;
		length -= 1 + piece;
	}
	return total;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct talk pieces, once;
	static uint8_t whole[65536];
	uint64_t before, journalled;
	size_t which, total;

	if (!place.worker)
		enter();
	if (length < 2 || length > 16384)
		return 0;
	which = data[0] % COUNT(configs);
	begin(&pieces, which);
	before = signals(&pieces);
	total = say_in_pieces(&pieces, data + 1, length - 1, whole);
	finish(&pieces);
	journalled = signals(&pieces) - before;
	if (pieces.protocol != INGRESS_DC09 && pieces.protocol != INGRESS_HTTP)
		return 0;
	begin(&once, which);
	if (total > 0)
		say(&once, whole, total);
	finish(&once);
	FUZZ_CHECK(once.answers == pieces.answers);
	FUZZ_CHECK(signals(&once) - before == 2 * journalled);
	return 0;
}
