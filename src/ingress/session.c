#include "ingress/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ingress/frame.h"
#include "ingress/refusal.h"
#include "ingress/worker.h"

/* Who keeps us waiting so long makes room for others. */
#define PATIENCE_US 1000000

/* ---- what is done with it ----------------------------------------------- */

bool
session_waits_in_turn(const struct session *session)
{
	return session->awaited > 0 &&
	    session->slot->config->protocol == INGRESS_HTTP;
}

void
session_update_reading(struct session *session)
{
	bool wanted = !session->closed && !session->finishing &&
	    !session->stalled && !session->throttled && !session->writing &&
	    session->in_flight < SESSION_IN_FLIGHT_MAX &&
	    !session->worker->draining && !session_waits_in_turn(session) &&
	    !tls_session_is_held(session);

	if (wanted == session->reading)
		return;
	session->reading = wanted;
	if (!wanted) {
		event_del(&session->read_event);
		return;
	}
	event_add(&session->read_event, NULL);
	if (session->tls)
		tls_session_read_on(session);
}

void
session_set_writing(struct session *session, bool writing)
{
	if (writing == session->writing)
		return;
	session->writing = writing;
	if (writing) {
		session->worker->writing++;
		event_add(&session->write_event, NULL);
	} else {
		session->worker->writing--;
		event_del(&session->write_event);
	}
	session_update_reading(session);
}

void
session_stall(struct session *session, bool first)
{
	struct session_list *list = &session->worker->stalled;

	if (session->stalled || session->throttled)
		return;
	session->stalled = true;
	if (first)
		TAILQ_INSERT_HEAD(list, session, by_waiting);
	else
		TAILQ_INSERT_TAIL(list, session, by_waiting);
	session_update_reading(session);
}

void
session_unstall(struct session *session)
{
	if (!session->stalled)
		return;
	session->stalled = false;
	TAILQ_REMOVE(&session->worker->stalled, session, by_waiting);
	session_update_reading(session);
}

void
session_throttle(struct session *session)
{
	if (session->closed || session->finishing || session->stalled)
		return;
	session->throttled = true;
	TAILQ_INSERT_TAIL(&session->worker->throttled, session, by_waiting);
	session_update_reading(session);
}

static void
unthrottle(struct session *session)
{
	if (!session->throttled)
		return;
	session->throttled = false;
	TAILQ_REMOVE(&session->worker->throttled, session, by_waiting);
	session_update_reading(session);
}

void
session_unthrottle_due(struct worker *worker)
{
	const struct session *last =
	    TAILQ_LAST(&worker->throttled, session_list);
	struct session *session, *next = TAILQ_FIRST(&worker->throttled);

	/* a journal that fails closes them all */
	while ((session = next) && !worker->full && !worker->failed) {
		next = session == last ? NULL : TAILQ_NEXT(session, by_waiting);
		if (!session_may_go_on(session))
			continue;
		unthrottle(session);
		session_resume(session);
	}
}

static void
mark_dirty(struct session *session)
{
	if (session->dirty)
		return;
	session->dirty = true;
	TAILQ_INSERT_TAIL(&session->worker->dirty, session, by_turn);
}

/* Nobody names it any more: it may go at the end of the turn. */
static void
bury(struct session *session)
{
	if (session->dirty)
		TAILQ_REMOVE(&session->worker->dirty, session, by_turn);
	session->dirty = false;
	TAILQ_INSERT_TAIL(&session->worker->closed, session, by_turn);
}

void
session_close(struct session *session)
{
	struct worker *worker = session->worker;
	struct slot *slot = session->slot;

	if (session->closed)
		return;
	awaiting_forget_session(session);
	session->closed = true;
	session_unstall(session);
	unthrottle(session);
	session_set_writing(session, false);
	session_update_reading(session);
	wheel_remove(&worker->wheel, &session->timeout);
	buffer_clear(&worker->buffers, &session->input);
	buffer_clear(&worker->buffers, &session->output);
	TAILQ_REMOVE(&slot->sessions, session, by_slot);
	if (!session->sound)
		TAILQ_REMOVE(&slot->strangers, session, by_age);
	atomic_fetch_sub_explicit(&slot->listener->sessions, 1,
	    memory_order_relaxed);
	if (session->tls)
		tls_session_close(session);
	sources_leave(&slot->listener->sources, session->from.address);
	session->slot = NULL;
	close(session->fd); /* counted before the peer can know */
	if (session->in_flight == 0)
		bury(session);
}

void
session_found_sound(struct session *session)
{
	session->sound = true;
	TAILQ_REMOVE(&session->slot->strangers, session, by_age);
	session_update_timeout(session);
}

bool
session_is_silent(const struct session *session)
{
	struct pollfd poll_fd = { .fd = session->fd, .events = POLLIN };

	return !tls_session_is_held(session) &&
	    session->active_us + PATIENCE_US <= session->worker->monotonic_us &&
	    poll(&poll_fd, 1, 0) == 0;
}

void
session_free(struct session *session)
{
	pool_give(&session->worker->sessions, session);
}

static void
close_if_finished(struct session *session)
{
	if (session->finishing && session->in_flight == 0 &&
	    session->output.length == 0)
		session_close(session);
}

void
session_finish(struct session *session)
{
	if (session->closed)
		return;
	session->finishing = true;
	session_unstall(session);
	unthrottle(session);
	buffer_clear(&session->worker->buffers, &session->input);
	session_update_reading(session);
	close_if_finished(session);
}

/* ---- out ------------------------------------------------------------------ */

void
session_send(struct session *session, const void *data, size_t length)
{
	if (session->closed)
		return;
	session->answers++;
	session->active_us = session->worker->monotonic_us;
	if (buffer_append(&session->worker->buffers, &session->output, data,
		length) < 0)
		session_close(session); /* it reads nothing of what we say */
	else
		mark_dirty(session);
}

void
session_answered(struct session *session)
{
	session->in_flight--;
	if (session->closed) {
		if (session->in_flight == 0)
			bury(session);
		return;
	}
	if (session->in_flight == SESSION_IN_FLIGHT_MAX / 2)
		session_update_reading(session);
	if (session->finishing)
		mark_dirty(session);
}

void
session_flush(struct session *session)
{
	struct slice out = buffer_content(&session->output);
	ssize_t n = 0;

	if (session->closed)
		return;
	if (out.length > 0)
		n = session->tls
		    ? tls_session_write(session, out.data, out.length)
		    : send(session->fd, out.data, out.length,
			  MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		session_close(session);
		return;
	}
	if (n > 0)
		buffer_consume(&session->worker->buffers, &session->output,
		    (size_t)n);
	session_set_writing(session, session->output.length > 0);
	close_if_finished(session);
}

static void
on_writable(evutil_socket_t fd, short what, void *context)
{
	struct session *session = context;

	(void)fd;
	(void)what;
	if (session->closed)
		return;
	if (session->tls && !session->tls->established)
		tls_session_handshake(session);
	else
		mark_dirty(session);
}

/* ---- life ----------------------------------------------------------------- */

static int64_t
deadline(const struct session *session)
{
	const struct ingress_listener_config *config = session->slot->config;
	const struct tls_session *tls = session->tls;
	int64_t since = session->opened_us;
	int64_t wait_us = config->first_frame_timeout_us;

	if (tls && !tls->established) {
		wait_us = config->tls.handshake_timeout_us;
		if (tls_session_is_held(session)) /* it waits for us */
			since = session->worker->monotonic_us;
		else if (tls->ssl)
			since = tls->begun_us;
	} else if (tls || session->sound) {
		since = session->active_us;
	}
	if (session->sound)
		wait_us = config->idle_timeout_us;
	return wait_us > 0 ? since + wait_us : INT64_MAX;
}

void
session_update_timeout(struct session *session)
{
	wheel_set(&session->worker->wheel, &session->timeout,
	    deadline(session));
}

void
session_timeout(struct session *session)
{
	int64_t now_us = session->worker->monotonic_us;

	if (deadline(session) > now_us || session->in_flight > 0 ||
	    session->throttled) {
		wheel_set(&session->worker->wheel, &session->timeout,
		    deadline(session));
		return;
	}
	if (session->sound) {
		counter_add(&session->slot->counters.timeouts, 1);
		session_close(session);
	} else {
		session_give_up(session, "it said nothing sound in time");
	}
}

void
session_give_up(struct session *session, const char *reason)
{
	counter_add(&session->slot->counters.timeouts, 1);
	refusal_add(session->slot,
	    &(struct refusal){ .cause = INGRESS_REFUSED_TOO_SLOW,
		.peer = session->peer,
		.reason = reason });
	session_close(session);
}

/* NULL: no memory. */
static struct session *
make(struct slot *slot, int fd, const struct presence_peer *from)
{
	struct worker *worker = slot->worker;
	struct session *session = pool_take(&worker->sessions);

	if (!session)
		return NULL;
	session->slot = slot;
	session->worker = worker;
	TAILQ_INIT(&session->awaiting);
	session->fd = fd;
	session->from = *from;
	if (slot->tls && tls_session_open(session) < 0) {
		session_free(session);
		return NULL;
	}
	return session;
}

int
session_open(struct slot *slot, int fd, const struct socket_address *address)
{
	const struct presence_peer from = presence_peer_of(&address->v6);
	struct sources *sources = &slot->listener->sources;
	struct worker *worker = slot->worker;
	struct session *session;
	int result;

	worker_read_clock(worker);
	if (slot->tls &&
	    !sources_may(sources, from.address, SOURCE_HANDSHAKES,
		slot->config->max_source_handshakes, worker->monotonic_us))
		return -EBUSY;
	result = sources_enter(sources, from.address,
	    slot->config->max_source_sessions);
	if (result < 0)
		return result;
	session = make(slot, fd, &from);
	if (!session) {
		sources_leave(sources, from.address);
		return -ENOMEM;
	}
	session->opened_us = session->active_us = worker->monotonic_us;
	session->opened_wall_us = worker->wall_us;
	socket_address_format(address, session->peer);
	event_assign(&session->read_event, worker->base, fd,
	    EV_READ | EV_PERSIST, session_readable, session);
	event_assign(&session->write_event, worker->base, fd,
	    EV_WRITE | EV_PERSIST, on_writable, session);
	TAILQ_INSERT_TAIL(&slot->sessions, session, by_slot);
	TAILQ_INSERT_TAIL(&slot->strangers, session, by_age);
	atomic_fetch_add_explicit(&slot->listener->sessions, 1,
	    memory_order_relaxed);
	counter_add(&slot->counters.sessions_total, 1);
	session_update_timeout(session);
	session_update_reading(session);
	return 0;
}

void
session_show(const struct session *session, int64_t now_us, struct json *json)
{
	json_object_begin(json, NULL);
	json_string(json, "listener", session->slot->config->name);
	json_string(json, "peer", session->peer);
	json_time(json, "since", session->opened_wall_us);
	json_unsigned(json, "frames", session->frames);
	json_unsigned(json, "in_flight", session->in_flight);
	json_unsigned(json, "awaiting_delivery", session->awaited);
	json_boolean(json, "blocked", session->writing);
	json_boolean(json, "stalled", session->stalled);
	json_boolean(json, "throttled", session->throttled);
	if (session->tls)
		tls_session_show(session->tls, json);
	json_integer(json, "idle_ms", (now_us - session->active_us) / 1000);
	json_unsigned(json, "worker", session->worker->index);
	json_object_end(json);
}
