/* The control protocol and the metrics over real sockets, with a real journal,
 * listener and directory behind them. */
#include "unit/test.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <event2/thread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/socket.h"
#include "control/words.h"
#include "directory/presence.h"
#include "journal/record.h"
#include "signal/words.h"

#define ANSWER_MAX (1 << 20)

struct fixture {
	char directory[64];
	char socket[96], portal_socket[96];
	struct event_base *base;
	struct journal *journal;
	struct directory *picture;
	struct watch *watch;
	struct ingress *ingress;
	struct admin *admin;
	int durable_fd;
	int fd; /* of the client */
	struct event *readable;
	char *answer;
	size_t length;
	bool ended; /* the other side closed */
	bool reloaded, drained;
	int kept_fds[8]; /* 0: none */
};

/* ---- the daemon's side ---------------------------------------------------------- */

static int
reload(void *context, struct err *err)
{
	struct fixture *f = context;

	if (f->reloaded)
		return err_set(err, -EINVAL, "t.ini:3: nonsense");
	f->reloaded = true;
	return 0;
}

static void
drain(void *context)
{
	((struct fixture *)context)->drained = true;
}

static void
show(void *context, struct json *json)
{
	(void)context;
	json_object_begin(json, "node");
	json_string(json, "name", "hilltop");
	json_object_end(json);
}

static void
open_stages(struct fixture *f)
{
	static const struct watch_config watch = { 1000000, 2000000, 10000000,
		0.8 };
	static const struct ingress_listener_config listener = {
		.name = "quo\"ted",
		.transport = INGRESS_TCP,
		.address = "127.0.0.1",
		.window = { 40, 20 },
		.idle_timeout_us = 30000000,
		.first_frame_timeout_us = 10000000,
		.junk_limit_bytes = 4096,
		.max_sessions = 10,
	};
	const struct ingress_config ingress = { 1, 1, &listener };
	struct journal_config journal = { .node = "hilltop",
		.directory = f->directory,
		.segment_bytes = 1 << 20,
		.budget_bytes = 16 << 20,
		.retention_us = 3600 * 1000000ll };
	struct err err = { "" };

	if (journal_open(&f->journal, &journal, &io_system, &clock_system,
		&err) < 0 ||
	    journal_subscribe(f->journal, f->durable_fd) < 0 ||
	    journal_start(f->journal, &err) < 0 ||
	    directory_create(&f->picture, &err) < 0 ||
	    watch_open(&f->watch, f->base, &watch,
		&(const struct watched){ f->journal, f->picture, NULL },
		&clock_system, &err) < 0 ||
	    ingress_open(&f->ingress, &ingress, f->journal, f->picture,
		&clock_system, &err) < 0)
		fail_msg("%s", err.text);
}

static int
open_admin(struct fixture *f, struct admin **ret, struct err *err)
{
	const struct admin_config config = { f->socket, f->portal_socket,
		"127.0.0.1:0" };
	const struct admin_stages stages = {
		.journal = f->journal,
		.directory = f->picture,
		.ingress = f->ingress,
		.watch = f->watch,
		.clock = &clock_system,
		.reload = reload,
		.drain = drain,
		.show_config = show,
		.context = f,
	};

	return admin_open(ret, f->base, &config, &stages, err);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct fixture *f = context;
	ssize_t n = recv(fd, f->answer + f->length, ANSWER_MAX - 1 - f->length,
	    MSG_DONTWAIT);

	(void)what;
	if (n > 0)
		f->length += (size_t)n;
	else if (n == 0 || errno != EAGAIN) {
		f->ended = true;
		event_del(f->readable);
	}
	f->answer[f->length] = '\0';
}

static void
use_fd(struct fixture *f, int fd)
{
	if (f->readable) {
		event_free(f->readable);
		close(f->fd);
	}
	f->fd = fd;
	f->length = 0;
	f->ended = false;
	f->readable =
	    event_new(f->base, fd, EV_READ | EV_PERSIST, on_readable, f);
	assert_int_equal(event_add(f->readable, NULL), 0);
}

static void
connect_to(struct fixture *f, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	use_fd(f, fd);
}

static void
connect_control(struct fixture *f)
{
	connect_to(f, f->socket);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = { "" };

	strcpy(f->directory, "/tmp/tocsin-admin-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->socket, sizeof(f->socket), "%s/control", f->directory);
	snprintf(f->portal_socket, sizeof(f->portal_socket), "%s/portal",
	    f->directory);
	f->answer = malloc(ANSWER_MAX);
	f->durable_fd = eventfd(0, EFD_CLOEXEC);
	f->base = event_base_new();
	directory_thread_register();
	open_stages(f);
	if (open_admin(f, &f->admin, &err) < 0)
		fail_msg("%s", err.text);
	connect_control(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	event_free(f->readable);
	close(f->fd);
	admin_close(&f->admin);
	ingress_close(&f->ingress);
	watch_close(&f->watch);
	directory_thread_unregister();
	directory_close(&f->picture);
	journal_close(&f->journal);
	event_base_free(f->base);
	for (size_t i = 0; i < COUNT(f->kept_fds) && f->kept_fds[i]; i++)
		close(f->kept_fds[i]);
	close(f->durable_fd);
	free(f->answer);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->directory);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* ---- the client's side ------------------------------------------------------------- */

static void
send_text(struct fixture *f, const char *text)
{
	f->length = 0;
	f->answer[0] = '\0';
	assert_int_equal(send(f->fd, text, strlen(text), MSG_NOSIGNAL),
	    strlen(text));
}

static void
run_until(struct fixture *f, const char *wanted)
{
	while (!f->ended && !strstr(f->answer, wanted))
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	if (!strstr(f->answer, wanted))
		fail_msg("closed before '%s': %s", wanted, f->answer);
}

/* A request and its whole answer. */
static const char *
ask(struct fixture *f, const char *request)
{
	char line[256];

	snprintf(line, sizeof(line), "%s\n", request);
	send_text(f, line);
	run_until(f, "{\"done\":");
	while (f->answer[f->length - 1] != '\n')
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	return f->answer;
}

/* One object from the first to the last byte, brackets balanced outside of
 * strings. */
static bool
is_object(const char *line)
{
	int depth = 0;
	bool quoted = false;

	if (*line != '{')
		return false;
	for (; *line; line++) {
		if (quoted && *line == '\\')
			line++;
		else if (*line == '"')
			quoted = !quoted;
		else if (!quoted && strchr("{[", *line))
			depth++;
		else if (!quoted && strchr("}]", *line) && --depth == 0)
			return line[1] == '\0';
	}
	return false;
}

/* Every line is one object; returns how many before the last. */
static unsigned
count_objects(const char *answer)
{
	char *copy = strdup(answer), *rest = copy, *line;
	unsigned count = 0;

	while ((line = strsep(&rest, "\n")) && *line) {
		if (!is_object(line))
			fail_msg("no object: %s", line);
		count += strncmp(line, "{\"done\":", 8) != 0;
	}
	free(copy);
	return count;
}

static void
assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

/* ---- words ------------------------------------------------------------------------- */

static void
test_words(void **state)
{
	static const struct {
		const char *line,
		    *words; /* words joined by '|'; NULL: refused */
	} rows[] = {
		{ "", "" },
		{ "show status", "show|status" },
		{ "  show   status  ", "show|status" },
		{ "pause link \"A and B\"", "pause|link|A and B" },
		{ "\"a\"\"b\" c", "a\"b|c" },
		{ "x \"\" y", "x||y" },
		{ "\"open", NULL },
		{ "\"a\"b", NULL },
		{ "a\"b\"", NULL },
		{ "a\tb", NULL },
		{ "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33",
		    NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct words words;
		struct err err = { "" };
		char joined[256] = "";
		int result = words_parse(rows[i].line, &words, &err);

		for (unsigned w = 0; w < words.count && result == 0; w++) {
			strcat(joined, w ? "|" : "");
			strcat(joined, words.word[w]);
		}
		if (rows[i].words) {
			assert_row(result == 0, i, rows[i].line);
			assert_row(strcmp(joined, rows[i].words) == 0, i,
			    joined);
		} else {
			assert_row(result == -EINVAL && *err.text, i,
			    rows[i].line);
		}
	}
}

/* ---- answers ------------------------------------------------------------------------ */

static void
test_refusals(void **state)
{
	static const struct {
		const char *request, *answer;
	} rows[] = {
		{ "", "the request is empty; try help\",\"exit\":64}" },
		{ "shw status",
		    "there is no command 'shw status': did you mean 'show status'?\",\"exit\":64}" },
		{ "show", "there is no command 'show': did you mean 'show" },
		{ "trce x",
		    "there is no command 'trce x': did you mean 'trace'?" },
		{ "zzzzzzzz",
		    "there is no command 'zzzzzzzz' (help lists them)" },
		{ "show status now", "write: show status\",\"exit\":64}" },
		{ "pause link", "write: pause link NAME\",\"exit\":64}" },
		{ "show sessions many", "'many' is not a number up to 100000" },
		{ "show bridges silent long",
		    "'long' is not a number up to 34560000" },
		{ "show bridges silent", "there is nothing behind 'silent'" },
		{ "show bridges serial 5", "'serial' is none of account," },
		{ "show bridges state gone", "'gone' is none of online," },
		{ "show bridges after 99",
		    "there is no bridge 99 to go on behind\",\"exit\":64}" },
		{ "show \"status", "a quote is not closed\",\"exit\":64}" },
		{ "show links", "the egress is not open\",\"exit\":69}" },
		{ "pause link x",
		    "there is no link 'x' (show links lists them)" },
		{ "replay link all", "dispatch is not open\",\"exit\":69}" },
		{ "skip link x", "write: skip link NAME|removed REASON" },
		{ "skip link x why", "dispatch is not open\",\"exit\":69}" },
		{ "seal passkey 5", "write: seal passkey RECEIVER PASSKEY" },
		{ "seal passkey x y", "'x' is no number of a receiver" },
		{ "seal passkey 5 \"\"", "a passkey has 1 to 64 characters" },
		{ "seal passkey 5 12345678901234567890123456789012345678901234567890123456789012345",
		    "a passkey has 1 to 64 characters" },
		{ "seal passkey 5 secret",
		    "tocsind has no master key ([directory] master_key_file), under which" },
		{ "tail x", "write: tail [account A]\",\"exit\":64}" },
		{ "trace x", "'x' is no event id: NODE-LSN or NODE-LSN.ITEM" },
		{ "trace valley-64",
		    "valley-64 is an event of another node, this is hilltop" },
		{ "trace hilltop-65",
		    "the journal has no signal hilltop-65: it never was, or the retention took it\",\"exit\":1}" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = ask(f, rows[i].request);

		assert_row(strstr(answer, "{\"done\":false,\"error\":\"") ==
			answer,
		    i, answer);
		assert_row(strstr(answer, rows[i].answer) != NULL, i, answer);
		assert_row(count_objects(answer) == 0, i, answer);
	}
}

/* The portal's socket takes what its table says, by somebody. */
static void
test_portal(void **state)
{
	static const struct {
		const char *request, *answer;
	} rows[] = {
		{ "show status", "{\"done\":true}" },
		{ "show latency", "{\"done\":true}" },
		{ "by \"user 1 ann\" show status", "{\"done\":true}" },
		{ "show config",
		    "'show config' is not for the portal\",\"exit\":77}" },
		{ "show sessions", "is not for the portal" },
		{ "show errors", "is not for the portal" },
		{ "trace hilltop-64", "is not for the portal" },
		{ "help", "is not for the portal" },
		{ "drain", "'drain' is not for the portal\",\"exit\":77}" },
		{ "by ann drain", "'drain' is not for the portal" },
		{ "reload", "is not for the portal" },
		{ "by ann reload", "is not for the portal" },
		{ "by ann pause link x", "is not for the portal" },
		{ "by ann resume link x", "is not for the portal" },
		{ "by ann by bob drain", "there is no command 'by bob'" },
		{ "replay link x",
		    "write: by NAME replay link: somebody asked for it\",\"exit\":64}" },
		{ "skip link x why", "write: by NAME skip link" },
		{ "arm 1", "write: by NAME arm: somebody asked for it" },
		{ "disarm 1", "write: by NAME disarm" },
		{ "send test 1", "write: by NAME send test" },
		{ "seal passkey 1 x", "write: by NAME seal passkey" },
		{ "by ann seal passkey 1 x", "no master key" },
		{ "by ann send test 1", "dispatch is not open\",\"exit\":69}" },
		{ "by \"\" arm 1", "no quote" },
		{ "by ann arm 1", "dispatch is not open\",\"exit\":69}" },
		{ "by \"a\"\"b\" arm 1", "no quote and no backslash" },
		{ "by xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx arm 1",
		    "1 to 100 bytes" },
	};
	struct fixture *f = *state;

	connect_to(f, f->portal_socket);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(strstr(ask(f, rows[i].request), rows[i].answer) !=
			NULL,
		    i, f->answer);
	assert_false(f->reloaded || f->drained);
	/* and nobody else speaks in a name */
	connect_control(f);
	assert_contains(ask(f, "by ann arm 1"), "there is no command 'by ann'");
}

/* A portal that keeps all its places leaves the operators' alone. */
static void
test_portal_is_bounded(void **state)
{
	struct fixture *f = *state;
	int fds[COUNT(f->kept_fds)];

	for (size_t i = 0; i < COUNT(fds); i++) {
		connect_to(f, f->portal_socket);
		fds[i] = dup(f->fd);
		assert_contains(ask(f, "show status"), "\"done\":true");
		if (i < 2)
			send_text(f, "tail\n");
	}
	assert_contains(ask(f, "tail"), "the portal follows 2 times already");
	connect_to(f, f->portal_socket);
	while (!f->ended)
		event_base_loop(f->base, EVLOOP_ONCE);
	connect_control(f);
	assert_contains(ask(f, "show status"), "\"done\":true");
	/* closing the daemon with all of them there is the teardown's */
	for (size_t i = 0; i < COUNT(fds); i++)
		f->kept_fds[i] = fds[i];
}

static void
test_too_long(void **state)
{
	struct fixture *f = *state;
	char line[CONTROL_REQUEST_MAX + 10];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	send_text(f, line);
	run_until(f, "{\"done\":false");
	assert_contains(f->answer, "the request is longer than 4096 bytes");
}

static void
test_show(void **state)
{
	static const struct {
		const char *request, *part;
		unsigned objects;
	} rows[] = {
		{ "show status", "\"node\":\"hilltop\"", 1 },
		{ "show status", "\"healthy\":true", 1 },
		{ "show journal", "\"boot\":1", 1 },
		{ "show directory", "\"sites\":0", 1 },
		{ "show listeners", "\"name\":\"quo\\\"ted\"", 1 },
		{ "show sessions", "", 0 },
		{ "show sessions 5", "", 0 },
		{ "show errors", "", 0 },
		{ "show config", "{\"node\":{\"name\":\"hilltop\"}}", 1 },
		{ "help",
		    "\"command\":\"replay link NAME|all\",\"access\":\"operate\"",
		    30 },
		{ "show latency", "\"of\":\"acknowledgement\",\"bounds_s\":[",
		    1 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = ask(f, rows[i].request);

		assert_row(strstr(answer, rows[i].part) != NULL, i, answer);
		assert_row(strstr(answer, "{\"done\":true}\n") != NULL, i,
		    answer);
		assert_row(count_objects(answer) == rows[i].objects, i, answer);
	}
}

static void
put_bridges(struct fixture *f, uint64_t first, uint64_t last)
{
	struct directory_batch *batch = directory_batch_begin(f->picture);

	for (uint64_t id = first; id <= last; id++) {
		char account[16], serial[16];
		const struct directory_path paths[DIRECTORY_PATHS] = {
			{ id % 2 ? 0 : 60, 6, NULL }
		};
		const struct directory_bridge bridge = { .id = id,
			.site_id = 1000 + id,
			.serial = serial,
			.account = account,
			.paths = paths };

		snprintf(account, sizeof(account), "A%04u", (unsigned)id);
		snprintf(serial, sizeof(serial), "SN%u", (unsigned)id);
		assert_int_equal(directory_put_bridge(batch, id, &bridge), 0);
	}
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
hear(struct fixture *f, uint64_t id, const char *listener, int64_t ago_s)
{
	struct presence *presence = directory_presence(f->picture);
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_port = htons(40112),
		.sin_addr.s_addr = htonl(0xc0000207) };
	struct presence_peer peer =
	    presence_peer_of((const struct sockaddr_in6 *)&from);

	directory_thread_online();
	presence_seen(presence, directory_bridge_by_id(f->picture, id)->slot,
	    presence_listener(presence, listener), &peer,
	    clock_monotonic_us(&clock_system) - ago_s * 1000000);
	directory_thread_offline();
}

static void
test_show_bridges(void **state)
{
	static const struct {
		const char *request, *part;
		unsigned objects;
	} rows[] = {
		{ "show bridges", "\"bridge\":1,\"serial\":\"SN1\"", 5 },
		{ "show bridges account A0002",
		    "\"account\":\"A0002\",\"site\":1002,\"state\":\"online\",\"last_seen\":\"2",
		    1 },
		{ "show bridges account A0002", "\"peer\":\"192.0.2.7:40112\"",
		    1 },
		{ "show bridges account A000", "{\"done\"", 0 },
		{ "show bridges listener udp",
		    "\"listener\":\"tcp\",\"peer\":\"192.0.2.7:40112\",\"paths\":[{\"listener\":\"tcp\"",
		    1 },
		{ "show bridges silent 50", "SN3", 3 },
		{ "show bridges silent 500", "SN4", 2 },
		{ "show bridges limit 2", "SN2", 2 },
		{ "show bridges state online", "\"state\":\"online\"", 2 },
		{ "show bridges state unsupervised silent 1", "SN3", 2 },
		{ "show bridges state offline", "{\"done\"", 0 },
		{ "show status",
		    "\"bridges_supervised\":2,\"bridges_offline\":0", 1 },
		{ "show bridges limit 0", "{\"done\"", 0 },
		{ "show bridges after 2 limit 2", "SN4", 2 },
		{ "show bridges after 5", "{\"done\"", 0 },
	};
	struct fixture *f = *state;

	put_bridges(f, 1, 5);
	hear(f, 1, "udp", 20);
	hear(f, 1, "tcp", 0);
	hear(f, 2, "tcp", 0);
	hear(f, 3, "tcp", 100);
	watch_look(f->watch);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = ask(f, rows[i].request);

		assert_row(strstr(answer, rows[i].part) != NULL, i, answer);
		assert_row(count_objects(answer) == rows[i].objects, i, answer);
	}
}

/* More than fits into the socket and the backlog at once: nobody is dropped
 * and nothing left out. */
static void
test_show_many_bridges(void **state)
{
	struct fixture *f = *state;

	put_bridges(f, 1, 9000);
	assert_int_equal(count_objects(ask(f, "show bridges limit 9000")),
	    9000);
	assert_contains(f->answer, "SN9000");
	assert_int_equal(count_objects(ask(f, "show bridges")), 1000);
}

/* Several requests in one segment, and one in pieces. */
static void
test_segments(void **state)
{
	struct fixture *f = *state;

	send_text(f, "show config\r\nshow journal\nshow dir");
	run_until(f, "\"durable_lsn\"");
	send_text(f, "ectory\n");
	run_until(f, "\"sites\":0");
}

static void
test_operate(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(ask(f, "reload"), "{\"done\":true}\n");
	assert_string_equal(ask(f, "reload"),
	    "{\"done\":false,\"error\":\"nothing changed: t.ini:3: nonsense\",\"exit\":78}\n");
	assert_string_equal(ask(f, "drain"), "{\"done\":true}\n");
	while (!f->drained)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
}

/* ---- the socket itself ----------------------------------------------------------------- */

static void
test_socket(void **state)
{
	struct fixture *f = *state;
	struct admin *second = NULL;
	struct stat status;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct err err;
	FILE *file;
	int stale;

	assert_int_equal(stat(f->socket, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0660);
	/* somebody answers there */
	assert_int_equal(open_admin(f, &second, &err), -EADDRINUSE);
	assert_null(second);
	assert_contains(err.text, "another process answers there");
	assert_string_equal(ask(f, "show sessions"), "{\"done\":true}\n");

	admin_close(&f->admin);
	assert_int_equal(stat(f->socket, &status), -1);
	/* left behind by a process that died */
	stale = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(address.sun_path, f->socket);
	assert_int_equal(bind(stale, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	close(stale);
	assert_int_equal(open_admin(f, &f->admin, &err), 0);
	connect_control(f);
	assert_string_equal(ask(f, "show sessions"), "{\"done\":true}\n");
	/* not a socket: not ours to remove */
	admin_close(&f->admin);
	file = fopen(f->socket, "w");
	fclose(file);
	assert_int_equal(open_admin(f, &f->admin, &err), -EEXIST);
	assert_int_equal(stat(f->socket, &status), 0);
}

/* ---- tail and trace ---------------------------------------------------------------------- */

static uint64_t
append(struct fixture *f, enum journal_kind kind, int length,
    const char *payload)
{
	uint64_t lsn = 0, count;

	assert_true(length > 0);
	assert_int_equal(journal_append(f->journal, kind,
			     1768473001204000 + kind, 5,
			     slice_of(payload, (size_t)length), &lsn),
	    0);
	while (journal_durable(f->journal) <= lsn)
		assert_int_equal(read(f->durable_fd, &count, sizeof(count)),
		    sizeof(count));
	return lsn;
}

static uint64_t
append_signal(struct fixture *f, const char *account)
{
	char payload[2048];
	struct record_signal record = {
		.listener = slice_from_string("dc09-tcp"),
		.peer = slice_from_string("192.0.2.7:40112"),
		.raw = slice_of("\nraw\r", 5),
		.signal = { .protocol = SIGNAL_PROTOCOL_DC09,
		    .account = slice_from_string(account),
		    .event_count = 2,
		    .events = { { .format = SIGNAL_FORMAT_CONTACT_ID,
				    .qualifier = SIGNAL_QUALIFIER_NEW,
				    .code = "130",
				    .partition = slice_from_string("01"),
				    .zone = slice_from_string("005") },
			{ .format = SIGNAL_FORMAT_CONTACT_ID,
			    .qualifier = SIGNAL_QUALIFIER_RESTORE,
			    .code = "131",
			    .zone = slice_from_string("006") } } },
	};

	return append(f, JOURNAL_SIGNAL,
	    record_signal_encode(&record, payload, sizeof(payload)), payload);
}

static uint64_t
append_decision(struct fixture *f, uint64_t signal, unsigned item,
    unsigned deliveries)
{
	char payload[2048];
	struct decision decision = {
		.signal_lsn = signal,
		.item = (uint16_t)item,
		.verdict = deliveries ? VERDICT_ROUTED : VERDICT_SUPPRESSED,
		.reason = slice_from_string("because"),
		.delivery_count = deliveries,
		.deliveries = { { .receiver_id = 7,
		    .number = 1,
		    .format = SIGNAL_FORMAT_CONTACT_ID,
		    .qualifier = SIGNAL_QUALIFIER_NEW,
		    .code = "134",
		    .account = slice_from_string("AB12"),
		    .zone = slice_from_string("005") } },
	};

	return append(f, JOURNAL_DECISION,
	    record_decision_encode(&decision, payload, sizeof(payload)),
	    payload);
}

static void
append_outcome(struct fixture *f, uint64_t signal, uint64_t decision)
{
	char payload[512];
	struct outcome outcome = {
		.sent_as = slice_from_string("BA"),
		.decision_lsn = decision,
		.state = OUTCOME_DELIVERED,
		.signal_lsn = signal,
		.receiver_id = 7,
		.attempts = 2,
		.endpoint = slice_from_string("192.0.2.9:1025"),
	};

	append(f, JOURNAL_OUTCOME,
	    record_outcome_encode(&outcome, payload, sizeof(payload)), payload);
}

/* A tail of f's client has begun once another answer came behind it. */
static void
begin_tail(struct fixture *f, const char *request)
{
	send_text(f, request);
	event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
test_tail(void **state)
{
	struct fixture *f = *state;
	uint64_t signal, decision;
	char id[64];

	begin_tail(f, "tail\n");
	signal = append_signal(f, "1234");
	decision = append_decision(f, signal, 0, 1);
	append_decision(f, signal, 1, 0);
	append_outcome(f, signal, decision);
	run_until(f, "\"kind\":\"outcome\"");
	assert_int_equal(count_objects(f->answer), 3);
	snprintf(id, sizeof(id), "\"event\":\"hilltop-%llu\"",
	    (unsigned long long)signal);
	assert_contains(f->answer, id);
	snprintf(id, sizeof(id), "\"event\":\"hilltop-%llu.1\"",
	    (unsigned long long)signal);
	assert_contains(f->answer, id);
	assert_contains(f->answer,
	    "\"time\":\"2026-01-15T10:30:01.204Z\",\"listener\":\"dc09-tcp\",\"protocol\":\"dc09\",\"account\":\"1234\",\"code\":\"E130\",\"partition\":\"01\",\"zone\":\"005\",\"verdict\":\"routed\",\"reason\":\"because\",\"deliveries\":[{\"receiver_id\":7,\"account\":\"AB12\",\"code\":\"E134\"");
	assert_contains(f->answer,
	    "\"code\":\"R131\",\"partition\":null,\"zone\":\"006\",\"verdict\":\"suppressed\"");
	assert_contains(f->answer,
	    "\"account\":\"AB12\",\"code\":\"E134\",\"zone\":\"005\",\"state\":\"delivered\",\"receiver_id\":7,\"endpoint\":\"192.0.2.9:1025\",\"attempts\":2,\"repeated\":false,\"sent_as\":\"BA\"");
}

static void
test_tail_account(void **state)
{
	struct fixture *f = *state;
	uint64_t other, ours;

	begin_tail(f, "tail account 1234\n");
	other = append_signal(f, "9999");
	append_decision(f, other, 0, 0);
	ours = append_signal(f, "1234");
	append_decision(f, ours, 0, 0);
	run_until(f, "\"kind\":\"decision\"");
	assert_int_equal(count_objects(f->answer), 1);
	assert_contains(f->answer, "\"account\":\"1234\"");
	/* the station's account counts too */
	connect_control(f);
	begin_tail(f, "tail account AB12\n");
	append_decision(f, other, 0, 0);
	append_decision(f, other, 1, 1);
	run_until(f, "\"kind\":\"decision\"");
	assert_int_equal(count_objects(f->answer), 1);
	assert_contains(f->answer, "\"account\":\"AB12\"");
}

/* A reader that never reads is dropped, the others and the daemon go on. */
static void
test_tail_slow_reader(void **state)
{
	struct fixture *f = *state;
	int slow = f->fd, small = 4096;
	uint64_t signal;
	char byte[1];

	setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	event_del(f->readable); /* nobody reads it */
	begin_tail(f, "tail\n");
	signal = append_signal(f, "1234");
	for (unsigned i = 0; i < 3000; i++) {
		append_decision(f, signal, 0, 1);
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	for (unsigned i = 0; i < 64; i++)
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	/* what the kernel holds, then the end */
	while (recv(slow, byte, 1, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(recv(slow, byte, 1, MSG_DONTWAIT), 0);
	connect_control(f);
	assert_string_equal(ask(f, "show sessions"), "{\"done\":true}\n");
}

static void
test_trace(void **state)
{
	struct fixture *f = *state;
	uint64_t signal = append_signal(f, "1234"), decision;
	char request[64];

	snprintf(request, sizeof(request), "trace hilltop-%llu",
	    (unsigned long long)signal);
	ask(f, request);
	assert_contains(f->answer,
	    "\"word\":\"open: the journal says no more yet\"");
	assert_contains(f->answer, "\"undecided\":2");
	for (unsigned i = 0; i < 600; i++) /* more than one turn's work */
		append_signal(f, "77");
	decision = append_decision(f, signal, 0, 1);
	append_decision(f, signal, 1, 0);
	append_outcome(f, signal, decision);
	append_decision(f, signal + 8, 0, 0); /* not ours */
	ask(f, request);
	assert_int_equal(count_objects(f->answer), 7);
	assert_contains(f->answer,
	    "{\"kind\":\"received\",\"time\":\"2026-01-15T10:30:01.204Z\",\"listener\":\"dc09-tcp\",\"peer\":\"192.0.2.7:40112\"");
	assert_contains(f->answer, "\"raw_hex\":\"0a7261770d\"");
	assert_contains(f->answer, "\"code\":\"R131\"");
	assert_contains(f->answer, "\"verdict\":\"suppressed\"");
	assert_contains(f->answer, "\"state\":\"delivered\"");
	assert_contains(f->answer,
	    "\"word\":\"complete: everything decided was delivered or given up\",\"records\":603,\"undecided\":0,\"deliveries_open\":0");
	/* one item only */
	strcat(request, ".1");
	ask(f, request);
	assert_int_equal(count_objects(f->answer), 4);
	assert_null(strstr(f->answer, "\"kind\":\"outcome\""));
	request[strlen(request) - 1] = '5';
	assert_contains(ask(f, request), "has only 2 events");
}

/* A decision with everything that there is to say of one. */
static uint64_t
append_wordy(struct fixture *f, uint64_t signal, enum verdict verdict)
{
	char payload[2048];
	static const unsigned all = 2 * DECISION_FLAG_LAST - 1;
	struct decision decision = {
		.signal_lsn = signal,
		.verdict = verdict,
		.flags = all,
		.reason = slice_from_string("because"),
		/* two ends of a delivery are the last word on it */
		.delivery_count = 2,
		.deliveries = { { .receiver_id = 7, .code = "134" },
		    { .receiver_id = 8, .code = "134" } },
		.effect_count = EFFECTS_MAX,
	};

	/* each kind in one of the decisions */
	for (unsigned i = 0; i < EFFECTS_MAX; i++)
		decision.effects[i].kind =
		    (verdict * EFFECTS_MAX + i) % EFFECT_LAST + 1;
	return append(f, JOURNAL_DECISION,
	    record_decision_encode(&decision, payload, sizeof(payload)),
	    payload);
}

static void
append_end(struct fixture *f, uint64_t signal, uint64_t decision,
    enum outcome_state state)
{
	char payload[512];
	struct outcome outcome = {
		.decision_lsn = decision,
		.state = state,
		.signal_lsn = signal,
		.receiver_id = 7,
		.repeated = true,
	};

	append(f, JOURNAL_OUTCOME,
	    record_outcome_encode(&outcome, payload, sizeof(payload)), payload);
}

/* Whatever became of an event, its trace says why: a value that is new has to
 * have its words. */
static void
test_trace_has_words_for_everything(void **state)
{
	struct fixture *f = *state;
	char request[64], text[EFFECT_TEXT_SIZE];
	unsigned effects = 0;

	for (unsigned verdict = 1; verdict <= VERDICT_LAST; verdict++) {
		uint64_t signal = append_signal(f, "1234");
		uint64_t decision = append_wordy(f, signal, verdict);

		for (unsigned end = 1; end <= OUTCOME_LAST; end++)
			append_end(f, signal, decision, end);
		snprintf(request, sizeof(request), "trace hilltop-%llu.0",
		    (unsigned long long)signal);
		ask(f, request);
		assert_contains(f->answer, verdict_name(verdict));
		assert_contains(f->answer, verdict_words(verdict));
		for (unsigned flag = 1; flag <= DECISION_FLAG_LAST; flag *= 2)
			assert_contains(f->answer, decision_flag_words(flag));
		for (unsigned end = 1; end <= OUTCOME_LAST; end++) {
			assert_contains(f->answer, outcome_state_name(end));
			assert_contains(f->answer, outcome_words(end));
		}
		assert_contains(f->answer, WORDS_REPEATED);
		assert_contains(f->answer, "\"reason\":\"because\"");
		assert_null(strstr(f->answer, "not known to this version"));
		assert_null(strstr(f->answer, "\"unknown\""));
		for (unsigned i = 0; i < EFFECTS_MAX; i++) {
			struct effect effect = {
				.kind =
				    (verdict * EFFECTS_MAX + i) % EFFECT_LAST +
				    1
			};

			effects |= 1u << effect.kind;
			assert_contains(f->answer,
			    effect_format(&effect, text));
		}
	}
	assert_int_equal(effects, (2u << EFFECT_LAST) - 2);
}

/* ---- http ------------------------------------------------------------------------------- */

static const char *
get(struct fixture *f, const char *path)
{
	struct socket_address address;
	struct err err;
	char request[128];
	int fd;

	assert_int_equal(socket_address_make("127.0.0.1",
			     admin_metrics_port(f->admin), &address, &err),
	    0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &address.any, address.length), 0);
	use_fd(f, fd);
	snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	send_text(f, request);
	while (!f->ended)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	return f->answer;
}

static void
test_health(void **state)
{
	struct fixture *f = *state;

	assert_contains(get(f, "/healthz"), "HTTP/1.1 200 OK\r\n");
	assert_contains(f->answer, "\r\n\r\nok\n");
	/* nobody loaded a directory */
	assert_contains(get(f, "/readyz"), "HTTP/1.1 503 ");
	assert_contains(f->answer, "\r\n\r\nthe directory is empty\n");
	assert_contains(get(f, "/etc/passwd"), "HTTP/1.1 404 ");
}

/* name{label="value",...} number; the name's length, 0 when malformed. */
static size_t
sample_name(const char *line)
{
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	const char *at = line + name;
	char *end;

	if (*at == '{')
		for (at++; *at != '}'; at += *at == ',') {
			at += strspn(at, "abcdefghijklmnopqrstuvwxyz_");
			if (strncmp(at, "=\"", 2) != 0)
				return 0;
			for (at += 2; *at && *at != '"'; at++)
				at += *at == '\\';
			if (*at++ != '"')
				return 0;
		}
	at += *at == '}';
	if (*at++ != ' ')
		return 0;
	strtod(at, &end);
	return end != at && *end == '\0' ? name : 0;
}

static void
test_metrics(void **state)
{
	struct fixture *f = *state;
	char names[64][64], family[64] = "", *text, *rest, *line;
	unsigned count = 0, samples = 0;
	double last_bucket = -1;

	append_signal(f, "1234");
	get(f, "/metrics");
	assert_contains(f->answer,
	    "Content-Type: text/plain; version=0.0.4; charset=utf-8");
	text = strstr(f->answer, "\r\n\r\n") + 4;
	assert_contains(text,
	    "\ntocsin_signals_received_total{listener=\"quo\\\"ted\",protocol=\"dc09\"} 0\n");
	assert_contains(text, "\ntocsin_journal_refusing 0\n");
	assert_contains(text, "\ntocsin_healthy 1\n");
	assert_contains(text, "\ntocsin_directory_sites 0\n");
	rest = text;
	while ((line = strsep(&rest, "\n")) && *line) {
		size_t name;

		if (sscanf(line, "# HELP %63s", family) == 1) {
			for (unsigned i = 0; i < count; i++)
				assert_row(strcmp(names[i], family) != 0, i,
				    family);
			strcpy(names[count++], family);
			last_bucket = -1;
			continue;
		}
		if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_memory_equal(line + 7, family, strlen(family));
			continue;
		}
		name = sample_name(line);
		if (name == 0 || strncmp(line, family, strlen(family)) != 0)
			fail_msg("in family %s: '%s'", family, line);
		samples++;
		if (strncmp(line + strlen(family), "_bucket", 7) == 0) {
			double value = strtod(strrchr(line, ' '), NULL);

			if (value < last_bucket)
				fail_msg("less than the bucket before: %s",
				    line);
			last_bucket = value;
		} else if (strncmp(line + strlen(family), "_count", 6) == 0) {
			/* the bucket without a bound holds all */
			assert_int_equal(strtod(strrchr(line, ' '), NULL),
			    last_bucket);
			last_bucket = -1;
		}
	}
	assert_true(count > 20);
	assert_true(samples > 50);
	assert_null(strstr(f->answer, "1234")); /* no account, ever */
}

int
main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		ROW(test_refusals),
		ROW(test_portal),
		ROW(test_portal_is_bounded),
		ROW(test_too_long),
		ROW(test_show),
		ROW(test_show_bridges),
		ROW(test_show_many_bridges),
		ROW(test_segments),
		ROW(test_operate),
		ROW(test_socket),
		ROW(test_tail),
		ROW(test_tail_account),
		ROW(test_tail_slow_reader),
		ROW(test_trace),
		ROW(test_trace_has_words_for_everything),
		ROW(test_health),
		ROW(test_metrics),
	};

	evthread_use_pthreads();
	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
