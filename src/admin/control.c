/* The control socket: clients, lines in, answers out. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/internal.h"
#include "base/log.h"

#define GROUPS_MAX 64

static const struct timeval at_once = { 0, 0 };

/* ---- answers -------------------------------------------------------------------- */

/* A reader that falls behind is dropped: its queue is memory of ours. */
static void
client_send_limited(struct client *client, bool limited)
{
	struct json *json = &client->admin->json;
	struct evbuffer *out = bufferevent_get_output(client->stream);
	const char *text;

	json_newline(json);
	text = json_text(json);
	if (!text || evbuffer_add(out, text, json->length) < 0 ||
	    (limited && evbuffer_get_length(out) > CLIENT_BACKLOG_BYTES)) {
		client->dead = true;
		event_active(client->admin->turn, EV_TIMEOUT, 0);
	}
	json_reset(json);
}

void
client_send(struct client *client)
{
	client_send_limited(client, client->job.step != NULL);
}

void
client_done(struct client *client)
{
	struct json *json = &client->admin->json;

	json_object_begin(json, NULL);
	json_boolean(json, "done", true);
	json_object_end(json);
	client_send_limited(client, false);
}

void
client_fail(struct client *client, enum exit_status status, const char *format,
    ...)
{
	struct json *json = &client->admin->json;
	char sentence[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	json_reset(json);
	json_object_begin(json, NULL);
	json_boolean(json, "done", false);
	json_string(json, "error", sentence);
	json_integer(json, "exit", status);
	json_object_end(json);
	client_send_limited(client, false);
}

/* ---- jobs ------------------------------------------------------------------------- */

void
client_begin_job(struct client *client,
    enum job_step (*step)(struct client *client, struct err *err))
{
	client->job.step = step;
	client->waiting = false;
	event_active(client->admin->turn, EV_TIMEOUT, 0);
}

static void
job_end(struct client *client)
{
	if (client->job.tail)
		client->doorway->tails--;
	journal_cursor_close(&client->job.cursor);
	memset(&client->job, 0, sizeof(client->job));
}

static void read_requests(struct client *client);

/* One bounded piece of the job; true: another one is wanted at once. */
static bool
job_step(struct client *client)
{
	struct err err = { "" };

	switch (client->job.step(client, &err)) {
	case JOB_MORE:
		return true;
	case JOB_WAIT:
		client->waiting = true;
		return false;
	case JOB_DONE:
		job_end(client);
		client_done(client);
		break;
	case JOB_FAILED:
		job_end(client);
		client_fail(client, EXIT_STATUS_FAILED, "%s", err.text);
		break;
	}
	read_requests(client);
	return false;
}

static void
client_free(struct client *client)
{
	TAILQ_REMOVE(&client->admin->clients, client, link);
	client->doorway->clients--;
	job_end(client);
	/* it is freed later than the group may be */
	if (client->doorway->limit)
		bufferevent_remove_from_rate_limit_group(client->stream);
	bufferevent_free(client->stream);
	free(client);
}

/* Once per turn of the loop: jobs go on, the dead go. */
static void
on_turn(evutil_socket_t fd, short what, void *context)
{
	struct admin *admin = context;
	struct client *client, *next;
	bool again = false;

	(void)fd;
	(void)what;
	for (client = TAILQ_FIRST(&admin->clients); client; client = next) {
		next = TAILQ_NEXT(client, link);
		if (!client->dead && client->job.step && !client->waiting)
			again |= job_step(client);
		if (client->dead)
			client_free(client);
	}
	if (again)
		event_add(admin->turn, &at_once);
}

static void
on_durable(evutil_socket_t fd, short what, void *context)
{
	struct admin *admin = context;
	struct client *client;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	TAILQ_FOREACH(client, &admin->clients, link) {
		if (client->waiting)
			event_active(admin->turn, EV_TIMEOUT, 0);
		client->waiting = false;
	}
}

/* ---- requests ----------------------------------------------------------------------- */

static void
run_line(struct client *client, const char *line)
{
	struct words words;
	struct err err;

	if (words_parse(line, &words, &err) < 0)
		client_fail(client, EXIT_STATUS_USAGE, "%s", err.text);
	else if (words.count == 0)
		client_fail(client, EXIT_STATUS_USAGE,
		    "the request is empty; try help");
	else
		command_run(client, &words);
}

static void
read_requests(struct client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->stream);
	size_t length;
	char *line;

	while (!client->dead && !client->job.step &&
	    (line = evbuffer_readln(in, &length, EVBUFFER_EOL_CRLF))) {
		if (strlen(line) != length)
			client_fail(client, EXIT_STATUS_USAGE,
			    "the request holds a zero byte");
		else
			run_line(client, line);
		free(line);
	}
	if (!client->job.step &&
	    evbuffer_get_length(in) >= CONTROL_REQUEST_MAX) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "the request is longer than %d bytes", CONTROL_REQUEST_MAX);
		evbuffer_drain(in, evbuffer_get_length(in));
	}
}

static void
on_readable(struct bufferevent *stream, void *context)
{
	(void)stream;
	read_requests(context);
}

/* What a job said is out: it may say more. */
static void
on_written(struct bufferevent *stream, void *context)
{
	struct client *client = context;

	(void)stream;
	if (client->waiting)
		event_active(client->admin->turn, EV_TIMEOUT, 0);
	client->waiting = false;
}

static void
on_gone(struct bufferevent *stream, short what, void *context)
{
	struct client *client = context;

	(void)stream;
	(void)what;
	client->dead = true;
	event_active(client->admin->turn, EV_TIMEOUT, 0);
}

/* ---- clients -------------------------------------------------------------------------- */

/*
 * The socket's mode says who may ask at all. To operate takes root, the
 * daemon's user or its group, so that an installation may open the socket to
 * more readers than operators.
 */
static bool
may_operate(int fd, uid_t *ret_uid)
{
	struct ucred peer = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	gid_t groups[GROUPS_MAX];
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	*ret_uid = peer.uid;
	if (peer.uid == 0 || peer.uid == geteuid() || peer.gid == getegid())
		return true;
	length = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0)
		return false;
	for (size_t i = 0; i < length / sizeof(groups[0]); i++)
		if (groups[i] == getegid())
			return true;
	return false;
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int length, void *context)
{
	struct doorway *doorway = context;
	struct admin *admin = doorway->admin;
	struct client *client = NULL;

	(void)listener;
	(void)address;
	(void)length;
	if (doorway->clients < doorway->clients_max)
		client = calloc(1, sizeof(*client));
	if (client)
		client->stream = bufferevent_socket_new(admin->base, fd,
		    BEV_OPT_CLOSE_ON_FREE);
	if (!client || !client->stream) {
		free(client);
		close(fd);
		return;
	}
	client->admin = admin;
	client->doorway = doorway;
	client->may_operate = may_operate(fd, &client->uid);
	TAILQ_INSERT_TAIL(&admin->clients, client, link);
	doorway->clients++;
	if (doorway->limit)
		bufferevent_add_to_rate_limit_group(client->stream,
		    doorway->limit);
	bufferevent_setcb(client->stream, on_readable, on_written, on_gone,
	    client);
	bufferevent_setwatermark(client->stream, EV_READ, 0,
	    2 * CONTROL_REQUEST_MAX);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

/* ---- life ------------------------------------------------------------------------------- */

/* Somebody answers at this address. */
static bool
answered(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers = fd >= 0 &&
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) ==
		0;

	if (fd >= 0)
		close(fd);
	return answers;
}

static int
bind_socket(int fd, const struct sockaddr_un *address, struct err *err)
{
	const struct sockaddr *any = (const struct sockaddr *)address;
	const char *path = address->sun_path;
	struct stat status;

	if (bind(fd, any, sizeof(*address)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return err_set_errno(err, "control socket %s", path);
	if (stat(path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return err_set(err, -EEXIST,
		    "control socket %s: there is something else of that name",
		    path);
	if (answered(address))
		return err_set(err, -EADDRINUSE,
		    "control socket %s: another process answers there", path);
	if (unlink(path) < 0 || bind(fd, any, sizeof(*address)) < 0)
		return err_set_errno(err, "control socket %s", path);
	return 0;
}

static int
listen_at(struct doorway *doorway, const char *path, struct err *err)
{
	struct admin *admin = doorway->admin;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, result;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG,
		    "control socket %s: a socket's name has at most %zu bytes",
		    path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(err, "control socket %s", path);
	result = bind_socket(fd, &address, err);
	if (result == 0) {
		doorway->path = strdup(path);
		if (!doorway->path || chmod(path, 0660) < 0)
			result = err_set_errno(err, "control socket %s", path);
	}
	if (result == 0) {
		doorway->listener =
		    evconnlistener_new(admin->base, on_accept, doorway,
			LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16, fd);
		if (!doorway->listener)
			result = err_set_errno(err, "control socket %s", path);
	}
	if (result < 0)
		close(fd);
	return result;
}

static int
open_portal(struct admin *admin, const char *path, struct err *err)
{
	struct doorway *doorway = &admin->portal;
	struct ev_token_bucket_cfg *rate =
	    ev_token_bucket_cfg_new(PORTAL_BYTES_A_SECOND,
		2 * PORTAL_BYTES_A_SECOND, EV_RATE_LIMIT_MAX, EV_RATE_LIMIT_MAX,
		NULL);

	*doorway = (struct doorway){ .admin = admin,
		.portal = true,
		.clients_max = PORTAL_CLIENTS_MAX };
	if (rate)
		doorway->limit =
		    bufferevent_rate_limit_group_new(admin->base, rate);
	/* the group has a copy */
	if (rate)
		ev_token_bucket_cfg_free(rate);
	if (!doorway->limit)
		return err_set(err, -ENOMEM, "no memory for %s", path);
	return listen_at(doorway, path, err);
}

int
control_open(struct admin *admin, const struct admin_config *config,
    struct err *err)
{
	int result;

	admin->control =
	    (struct doorway){ .admin = admin, .clients_max = CLIENTS_MAX };
	admin->turn = event_new(admin->base, -1, 0, on_turn, admin);
	admin->durable = event_new(admin->base, admin->durable_fd,
	    EV_READ | EV_PERSIST, on_durable, admin);
	if (!admin->turn || !admin->durable ||
	    event_add(admin->durable, NULL) < 0)
		return err_set(err, -ENOMEM,
		    "no memory for the control socket");
	if (admin->stages.journal) {
		result =
		    journal_subscribe(admin->stages.journal, admin->durable_fd);
		if (result < 0)
			return err_set(err, result,
			    "the control socket cannot follow the journal");
	}
	result = listen_at(&admin->control, config->socket, err);
	if (result == 0 && *config->portal_socket)
		result = open_portal(admin, config->portal_socket, err);
	return result;
}

static void
doorway_close(struct doorway *doorway)
{
	if (doorway->listener)
		evconnlistener_free(doorway->listener);
	if (doorway->path)
		unlink(doorway->path);
	free(doorway->path);
	/* its clients are gone */
	if (doorway->limit)
		bufferevent_rate_limit_group_free(doorway->limit);
}

void
control_close(struct admin *admin)
{
	struct client *client;

	while ((client = TAILQ_FIRST(&admin->clients)))
		client_free(client);
	doorway_close(&admin->portal);
	doorway_close(&admin->control);
	if (admin->durable)
		event_free(admin->durable);
	if (admin->turn)
		event_free(admin->turn);
}
