#include "ingress/http_input.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <strings.h>

#include "base/array.h"
#include "base/json.h"
#include "codec/http_event.h"
#include "ingress/http_key.h"
#include "ingress/intake.h"
#include "ingress/policy.h"
#include "ingress/reply.h"
#include "ingress/session.h"
#include "ingress/worker.h"

#define KEY_MAX	     64 /* characters of an idempotency key */
#define RETRY_S	     5
#define ANSWER_MAX   16384

#define JSON_TYPE    "application/json"
#define PROBLEM_TYPE "application/problem+json"

/* A request and who said it. */
struct http_call {
	const struct frame_origin *origin;
	const struct http_request *request;
	struct http_proof proof;
};

/* ---- answers -------------------------------------------------------------------- */

static int
encode(const struct http_call *call, struct http_reply *reply,
    struct json *content, char out[ANSWER_MAX])
{
	const char *text = reply->content_type ? json_text(content) : "";

	reply->date_us = call->origin->worker->wall_us;
	reply->close = !call->request->keep_alive;
	if (!text)
		return -ENOMEM;
	reply->content = slice_from_string(text);
	return http_reply_encode(reply, out, ANSWER_MAX);
}

static enum ingress_reply_kind
counted_as(unsigned status)
{
	if (status == 503)
		return INGRESS_REPLY_NAK;
	return status < 300 ? INGRESS_REPLY_ACK : INGRESS_REPLY_DUH;
}

/* One that promises nothing. 0, or -EAGAIN. */
static int
answer(const struct http_call *call, struct http_reply reply,
    struct json *content)
{
	char out[ANSWER_MAX];
	int length = encode(call, &reply, content, out);

	if (length < 0) {
		session_close(call->origin->session);
		return 0;
	}
	return reply_now(call->origin, counted_as(reply.status), out,
	    (size_t)length);
}

static int
answer_problem(const struct http_call *call, struct http_reply reply,
    const char *detail)
{
	struct json json = { 0 };
	int result;

	reply.content_type = PROBLEM_TYPE;
	json_object_begin(&json, NULL);
	json_string(&json, "type", "about:blank");
	json_string(&json, "title", http_status_text(reply.status));
	json_unsigned(&json, "status", reply.status);
	json_string(&json, "detail", detail);
	json_object_end(&json);
	result = answer(call, reply, &json);
	json_close(&json);
	return result;
}

static int
answer_unavailable(const struct http_call *call)
{
	return answer_problem(call,
	    (struct http_reply){ .status = 503, .retry_s = RETRY_S },
	    "nothing can be promised now: try again, with the same "
	    "Idempotency-Key");
}

/* Counted, shown and told; the answer is given. */
static int
refuse(const struct http_call *call, struct http_reply reply,
    enum ingress_refusal cause, const char *reason)
{
	int result = answer_problem(call, reply, reason);

	if (result == 0)
		frame_refused(call->origin, cause, reason, call->proof.claimed,
		    call->request->body);
	return result;
}

/* Who it is or what it must not say: one answer for all of these, and none
 * where the listener is silent, but to whose key is right and clock wrong. */
static int
refuse_sender(const struct http_call *call, unsigned status,
    enum ingress_refusal cause, const char *reason)
{
	const struct frame_origin *origin = call->origin;
	bool silent = origin->slot->config->silent &&
	    cause != INGRESS_REFUSED_TIME_WINDOW;
	int result = 0;

	if (silent)
		counter_add(&origin->slot->counters.replies[INGRESS_REPLY_NONE],
		    1);
	else
		result = answer_problem(call,
		    (struct http_reply){
			.status = status, .authenticate = status == 401 },
		    status == 401 ? "no key of a bridge, or not its key"
				  : reason);
	if (result < 0)
		return result;
	frame_refused(origin, cause, reason, call->proof.claimed,
	    call->request->body);
	if (silent)
		session_close(origin->session);
	return 0;
}

/* ---- events --------------------------------------------------------------------- */

static bool
is_json(struct slice type)
{
	struct slice name = slice_part(type, 0, strlen(JSON_TYPE));

	return name.length == strlen(JSON_TYPE) &&
	    strncasecmp(name.data, JSON_TYPE, name.length) == 0 &&
	    (type.length == name.length || type.data[name.length] == ';' ||
		type.data[name.length] == ' ');
}

/* The key without the quotes that it may stand in. Not present: there is
 * none. */
static bool
read_key(struct slice field, struct slice *ret)
{
	if (field.length >= 2 && field.data[0] == '"' &&
	    field.data[field.length - 1] == '"')
		field = slice_part(field, 1, field.length - 2);
	*ret = field;
	if (!slice_present(field))
		return true;
	for (size_t i = 0; i < field.length; i++)
		if (field.data[i] <= ' ' || field.data[i] > '~')
			return false;
	return field.length > 0 && field.length <= KEY_MAX;
}

static struct slice
account_of(const struct directory_bridge *bridge)
{
	return slice_from_string(bridge->account ? bridge->account
						 : bridge->serial);
}

/* What the events say is in the intake already. */
static void
name_sender(const struct http_call *call, struct slice key,
    struct intake *intake)
{
	const struct http_proof *proof = &call->proof;
	struct signal *signal = &intake->record.signal;

	signal->protocol = SIGNAL_PROTOCOL_HTTP;
	signal->encrypted = call->origin->session->tls != NULL;
	signal->sequence = key;
	if (!slice_present(key) && proof->signature[0])
		signal->sequence = slice_from_string(proof->signature);
	signal->receiver = slice_from_string(proof->bridge->receiver);
	signal->line = slice_from_string(proof->bridge->line);
	signal->account = account_of(proof->bridge);
	signal->body = call->request->body;
	intake->bridge = proof->bridge;
	intake->raw = call->request->body;
	intake->occurrence = 0;
	/* nothing says that it is another one's repeat */
	while (!slice_present(signal->sequence) && intake->occurrence == 0)
		randombytes_buf(&intake->occurrence,
		    sizeof(intake->occurrence));
}

static unsigned
status_of(const struct http_events *events, const struct signal *signal)
{
	if (signal->event_count == 0)
		return 422;
	return signal->event_count == events->count ? 200 : 207;
}

/* Journal what is accepted; the results wait until that is durable. */
static int
journal(const struct http_call *call, struct intake *intake,
    struct http_reply reply, struct json *results)
{
	char out[ANSWER_MAX];
	int length = encode(call, &reply, results, out);
	int result;

	if (length < 0)
		return answer_unavailable(call);
	intake->reply = slice_of(out, (size_t)length);
	result = intake_take(call->origin, intake);
	if (result == -EMSGSIZE)
		return refuse(call, (struct http_reply){ .status = 413 },
		    INGRESS_REFUSED_UNPROCESSABLE, "too much for one record");
	return result == -ENOSPC ? answer_unavailable(call) : result;
}

static int
take_decoded(const struct http_call *call, struct slice key,
    struct intake *intake, const struct http_events *events)
{
	struct http_reply reply = { .content_type = JSON_TYPE };
	struct json results = { 0 };
	unsigned accepted = intake->record.signal.event_count;
	int result;

	reply.status = status_of(events, &intake->record.signal);
	name_sender(call, key, intake);
	http_events_results(events, &results);
	result = reply.status == 422 ? answer(call, reply, &results)
				     : journal(call, intake, reply, &results);
	json_close(&results);
	if (result == 0 && accepted < events->count)
		frame_refused(call->origin, INGRESS_REFUSED_UNPROCESSABLE,
		    "an event that makes no sense", call->proof.claimed,
		    call->request->body);
	return result;
}

static int
take_events(const struct http_call *call)
{
	const struct http_request *request = call->request;
	char problem[HTTP_EVENT_REASON_SIZE];
	struct http_events events;
	struct intake intake;
	struct slice key;
	int result;

	if (!is_json(request->fields[HTTP_CONTENT_TYPE]))
		return refuse(call, (struct http_reply){ .status = 415 },
		    INGRESS_REFUSED_UNPROCESSABLE,
		    "Content-Type is not application/json");
	if (!read_key(request->fields[HTTP_IDEMPOTENCY_KEY], &key))
		return refuse(call, (struct http_reply){ .status = 400 },
		    INGRESS_REFUSED_UNPROCESSABLE,
		    "Idempotency-Key is not 1 to 64 characters without spaces");
	if (http_events_decode(request->body, &intake.record.signal, &events,
		problem) != CODEC_OK) {
		result = answer_problem(call,
		    (struct http_reply){ .status = 400 }, problem);
		if (result == 0)
			frame_refused(call->origin,
			    INGRESS_REFUSED_UNPROCESSABLE,
			    "a body that says no events", call->proof.claimed,
			    request->body);
		return result;
	}
	result = take_decoded(call, key, &intake, &events);
	http_events_close(&events);
	return result;
}

/* ---- heartbeats and the document --------------------------------------------------- */

static int
take_heartbeat(const struct http_call *call)
{
	int result;

	if (call->origin->worker->mute)
		return answer_unavailable(call);
	result = answer(call, (struct http_reply){ .status = 204 }, NULL);
	if (result == 0)
		counter_add(&call->origin->slot->counters.polls, 1);
	return result;
}

static int
serve_document(const struct http_call *call)
{
	struct json json = { 0 };
	int result;

	http_event_openapi(&json);
	result = answer(call,
	    (struct http_reply){ .status = 200, .content_type = JSON_TYPE },
	    &json);
	json_close(&json);
	return result;
}

/* ---- a request ---------------------------------------------------------------------- */

static const struct route {
	const char *path, *method;
	bool open; /* to anybody */
	int (*take)(const struct http_call *call);
} routes[] = {
	{ "/v1/events", "POST", false, take_events },
	{ "/v1/heartbeat", "POST", false, take_heartbeat },
	{ "/v1/openapi.json", "GET", true, serve_document },
};

static const struct route *
find_route(struct slice path)
{
	for (size_t i = 0; i < COUNT(routes); i++)
		if (slice_is(path, routes[i].path))
			return &routes[i];
	return NULL;
}

/* May who has the right key say it this way? */
static int
check_policy(const struct http_call *call, const struct route *route)
{
	const struct frame_origin *origin = call->origin;
	const struct directory_bridge *bridge = call->proof.bridge;
	const struct tls_session *tls = origin->session->tls;
	const struct breach *breach =
	    policy_check_way(origin, bridge, tls != NULL);

	if (tls && !tls_session_may_say(tls, account_of(bridge)))
		return refuse_sender(call, 403, INGRESS_REFUSED_OTHER_ACCOUNT,
		    "a bridge that the client certificate does not name");
	if (breach)
		return refuse_sender(call, 403, breach->cause, breach->reason);
	if (call->proof.previous_until_us != 0)
		policy_note_previous_key(origin, bridge,
		    call->proof.previous_until_us);
	intake_note_presence(origin, bridge);
	return route->take(call);
}

static int
take_call(struct http_call *call)
{
	const struct route *route = find_route(call->request->target);

	if (!route)
		return refuse(call, (struct http_reply){ .status = 404 },
		    INGRESS_REFUSED_UNPROCESSABLE, "no such path");
	if (!slice_is(call->request->method, route->method))
		return refuse(call,
		    (struct http_reply){
			.status = 405, .allow = route->method },
		    INGRESS_REFUSED_UNPROCESSABLE, "another method");
	if (route->open)
		return route->take(call);
	worker_go_online(call->origin->worker);
	call->proof = http_key_prove(call->origin, call->request);
	if (!call->proof.bridge)
		return refuse_sender(call,
		    call->proof.cause == INGRESS_REFUSED_TIME_WINDOW ? 403
								     : 401,
		    call->proof.cause, call->proof.reason);
	return check_policy(call, route);
}

int
http_input_handle(const struct frame_origin *origin,
    const struct http_request *request)
{
	struct http_call call = { .origin = origin, .request = request };
	int result;

	if (origin->worker->failed)
		return 0;
	worker_read_clock(origin->worker);
	result = take_call(&call);
	if (result == -EAGAIN)
		origin->worker->full = true;
	else if (!request->keep_alive)
		session_finish(origin->session);
	origin->session->continued = false;
	return result;
}

void
http_input_await_body(const struct frame_origin *origin,
    const struct http_request *request)
{
	struct session *session = origin->session;

	/* behind an answer that is owed it would be taken for that one's */
	if (!request->awaits_continue || session->continued ||
	    session->in_flight > 0)
		return;
	session->continued = true;
	session_send(session, HTTP_CONTINUE, sizeof(HTTP_CONTINUE) - 1);
}

/* The first line, where keys do not stand. */
static struct slice
first_line(struct slice bytes)
{
	const char *end = memchr(bytes.data, '\r', bytes.length);

	return end ? slice_part(bytes, 0, (size_t)(end - bytes.data)) : bytes;
}

void
http_input_bad(const struct frame_origin *origin,
    const struct http_fault *fault, struct slice bytes)
{
	const struct http_request nothing = { .keep_alive = false };
	const struct http_call call = { .origin = origin, .request = &nothing };

	worker_read_clock(origin->worker);
	frame_refused(origin,
	    fault->status ? INGRESS_REFUSED_MALFORMED
			  : INGRESS_REFUSED_OTHER_PROTOCOL,
	    fault->reason, SLICE_NONE, first_line(bytes));
	if (fault->status && !origin->slot->config->silent)
		answer_problem(&call,
		    (struct http_reply){ .status = fault->status },
		    fault->reason);
	session_finish(origin->session);
}

void
http_input_drop(struct session *session)
{
	static const char refusal[] =
	    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
	    "Connection: close\r\n\r\n";

	session_send(session, refusal, sizeof(refusal) - 1);
	session_finish(session);
}
