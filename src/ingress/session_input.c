/* The reading side of a session: bytes to frames. */
#include <errno.h>
#include <string.h>

#include "ingress/automation_input.h"
#include "ingress/frame.h"
#include "ingress/http_input.h"
#include "ingress/session.h"
#include "ingress/worker.h"

static void
count_junk(struct session *session, size_t bytes)
{
	session->junk_bytes += (uint32_t)bytes;
	if (session->junk_bytes >= session->slot->config->junk_limit_bytes)
		session_finish(session);
}

/* What a connection begins with that is no frame is kept whole for whoever
 * installs the panel, once: later faults are told one by one. */
static void
note_junk(const struct frame_origin *origin, struct slice data)
{
	const struct session *session = origin->session;

	if (session->sound || session->junk_bytes > 0)
		return;
	frame_refused(origin, INGRESS_REFUSED_OTHER_PROTOCOL,
	    data.length >= 2 && data.data[0] == 0x16 && data.data[1] == 3
		? "TLS on a port for clear text"
		: "not what this listener speaks",
	    SLICE_NONE, data);
}

static void
count_sound(struct session *session)
{
	session->junk_bytes = 0;
	session->frames++;
	session->active_us = session->worker->monotonic_us;
	if (!session->sound)
		session_found_sound(session);
}

/* A message of a receiver's automation output, or what is none; as parse_one. */
static size_t
parse_message(const struct frame_origin *origin, struct slice data)
{
	struct session *session = origin->session;
	struct signal signal;
	size_t consumed = 0;
	enum codec_result result =
	    automation_input_decode(origin, data, &consumed, &signal);
	struct slice bytes = slice_part(data, 0, consumed);

	if (result == CODEC_OK) {
		if (automation_input_handle(origin, bytes, &signal) ==
		    -EAGAIN) {
			session_stall(session, true);
			return 0;
		}
		if (!session->closed)
			count_sound(session);
	} else if (consumed > 0) {
		note_junk(origin, data);
		if (result == CODEC_BAD)
			automation_input_bad(origin, bytes);
		count_junk(session, consumed);
	}
	return consumed;
}

/* A request of the bridge API; likewise. */
static size_t
parse_request(const struct frame_origin *origin, struct slice data)
{
	struct session *session = origin->session;
	struct http_request request;
	struct http_fault fault;

	switch (http_request_decode(data, &request, &fault)) {
	case CODEC_OK:
		if (http_input_handle(origin, &request) == -EAGAIN) {
			session_stall(session, true);
			return 0;
		}
		if (!session->closed)
			count_sound(session);
		return request.head_bytes + request.body.length;
	case CODEC_MORE:
		http_input_await_body(origin, &request);
		return 0;
	case CODEC_BAD:
		break;
	}
	http_input_bad(origin, &fault, data);
	return data.length;
}

/* One frame, or what is none. Returns the bytes done with; 0: wait for more,
 * or the session is stalled. */
static size_t
parse_one(struct session *session, struct slice data)
{
	const struct frame_origin origin = { .worker = session->worker,
		.slot = session->slot,
		.session = session,
		.peer = session->peer };
	struct dc09_frame frame;
	enum dc09_fault fault;
	size_t consumed = 0;

	if (session->slot->config->protocol == INGRESS_HTTP)
		return parse_request(&origin, data);
	if (session->slot->config->protocol != INGRESS_DC09)
		return parse_message(&origin, data);
	switch (dc09_frame_next(data.data, data.length,
	    session->slot->config->tolerate, &consumed, &frame, &fault)) {
	case CODEC_OK:
		if (frame_handle(&origin, &frame) == -EAGAIN) {
			session_stall(session, true);
			return 0;
		}
		if (!session->closed)
			count_sound(session);
		break;
	case CODEC_BAD:
		note_junk(&origin, data);
		frame_bad(&origin, fault, slice_part(data, 0, consumed));
		count_junk(session, consumed);
		break;
	case CODEC_MORE:
		if (consumed > 0) {
			note_junk(&origin, data);
			count_junk(session, consumed);
		}
		break;
	}
	return consumed;
}

bool
session_may_go_on(struct session *session)
{
	return sources_may(&session->slot->listener->sources,
	    session->from.address, SOURCE_FRAMES,
	    session->slot->config->max_source_frames,
	    session->worker->monotonic_us);
}

/* A frame, or what is none, has been dealt with: was it one too many? Then
 * what comes next waits until it is paid for. */
static void
charge(struct session *session)
{
	if (session->closed || session->finishing || session->stalled ||
	    session_may_go_on(session))
		return;
	session_throttle(session);
	refusal_add(session->slot,
	    &(struct refusal){ .cause = INGRESS_REFUSED_OVER_FRAME_LIMIT,
		.peer = session->peer,
		.reason = "faster than max_source_frames allows: it waits" });
}

static bool
may_parse(const struct session *session)
{
	return !session->closed && !session->finishing && !session->throttled &&
	    !session_waits_in_turn(session);
}

/* All frames in the scratch buffer; the rest is kept in the session. */
static void
parse(struct session *session, size_t length)
{
	struct worker *worker = session->worker;
	struct slice data = slice_of(worker->scratch, length);
	size_t consumed = 1;

	while (consumed > 0 && data.length > 0 && may_parse(session)) {
		consumed = parse_one(session, data);
		data = slice_part(data, consumed, data.length);
		if (consumed > 0)
			charge(session);
	}
	if (session->closed || session->finishing)
		return;
	if (buffer_append(&worker->buffers, &session->input, data.data,
		data.length) < 0)
		session_close(session);
	else
		session_update_reading(session);
}

/* What was kept comes first in the scratch buffer; returns its length. */
static size_t
unpack_input(struct session *session)
{
	struct worker *worker = session->worker;
	struct slice kept = buffer_content(&session->input);

	if (kept.length == 0)
		return 0;
	memcpy(worker->scratch, kept.data, kept.length);
	buffer_clear(&worker->buffers, &session->input);
	return kept.length;
}

void
session_readable(evutil_socket_t fd, short what, void *context)
{
	struct session *session = context;
	struct worker *worker = session->worker;
	size_t kept, share = worker->read_share;
	ssize_t n;

	(void)what;
	if (session->closed)
		return;
	if (session->tls && !session->tls->established) {
		tls_session_handshake(session);
		return;
	}
	if (worker->full) {
		session_stall(session, false);
		return;
	}
	kept = session->input.length;
	n = session->tls
	    ? tls_session_read(session, worker->scratch + kept, share)
	    : recv(fd, worker->scratch + kept, share, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		session_close(session);
	} else if (n == 0) {
		/* it gave up waiting for the station, and comes again */
		awaiting_forget_session(session);
		session_finish(session);
	} else {
		worker->greedy += (size_t)n == share;
		worker_read_clock(worker);
		kept = unpack_input(session);
		parse(session, kept + (size_t)n);
	}
}

void
session_resume(struct session *session)
{
	size_t kept;

	session_unstall(session);
	worker_read_clock(session->worker);
	kept = unpack_input(session);
	if (kept > 0)
		parse(session, kept);
}

void
session_go_on(struct session *session)
{
	const struct worker *worker = session->worker;

	if (session->closed || session->slot->config->protocol != INGRESS_HTTP)
		return;
	session_update_reading(session);
	if (session->finishing || session->stalled || session->throttled ||
	    worker->failed || worker->draining)
		return;
	if (worker->full)
		session_stall(session, false);
	else
		session_resume(session);
}
