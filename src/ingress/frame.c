#include "ingress/frame.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ingress/intake.h"
#include "ingress/policy.h"
#include "ingress/reply.h"
#include "ingress/session.h"
#include "ingress/worker.h"

/* What is known about a frame so far. */
struct opened {
	struct intake intake; /* with the bridge and the signal */
	struct codec_key own_key, previous_key;
	/* own_key, the listener's, or NULL; previous_key once that opened it */
	const struct codec_key *key;
	struct dc09_window window;
};

void
frame_refused(const struct frame_origin *origin, enum ingress_refusal cause,
    const char *reason, struct slice account, struct slice bytes)
{
	refusal_add(origin->slot,
	    &(struct refusal){ .cause = cause,
		.peer = origin->peer,
		.reason = reason,
		.account = account,
		.bytes = bytes });
}

void
frame_bad(const struct frame_origin *origin, enum dc09_fault fault,
    struct slice bytes)
{
	counter_add(&origin->slot->counters.faults[fault], 1);
	frame_refused(origin,
	    fault == DC09_FAULT_CRC ? INGRESS_REFUSED_BAD_CRC
				    : INGRESS_REFUSED_MALFORMED,
	    dc09_fault_name(fault), SLICE_NONE, bytes);
}

/* Sound, but nothing is said. */
static int
stay_silent(const struct frame_origin *origin)
{
	counter_add(&origin->slot->counters.replies[INGRESS_REPLY_NONE], 1);
	return 0;
}

/* The same, for a reason that the installer should see. */
static int
ignore(const struct frame_origin *origin, const struct dc09_frame *frame,
    enum ingress_refusal cause, const char *reason)
{
	frame_refused(origin, cause, reason, frame->account, frame->raw);
	return stay_silent(origin);
}

static const enum ingress_reply_kind counted_as[] = {
	[DC09_REPLY_ACK] = INGRESS_REPLY_ACK,
	[DC09_REPLY_NAK] = INGRESS_REPLY_NAK,
	[DC09_REPLY_DUH] = INGRESS_REPLY_DUH,
};

static size_t
encode_reply(const struct frame_origin *origin, enum dc09_reply kind,
    const struct dc09_frame *frame, const struct codec_key *key,
    char out[DC09_REPLY_MAX])
{
	size_t length = dc09_reply_encode(origin->worker->crypto, kind, frame,
	    key, origin->slot->config->reply_timestamp, origin->worker->wall_us,
	    out);

	if (length == 0)
		frame_refused(origin, INGRESS_REFUSED_UNPROCESSABLE,
		    "header too long to echo", frame->account, frame->raw);
	return length;
}

/* A reply that promises nothing. */
static int
answer(const struct frame_origin *origin, enum dc09_reply kind,
    const struct dc09_frame *frame, const struct codec_key *key)
{
	char bytes[DC09_REPLY_MAX];
	size_t length;

	if (origin->worker->mute)
		return stay_silent(origin);
	length = encode_reply(origin, kind, frame, key, bytes);
	if (length == 0)
		return stay_silent(origin);
	return reply_now(origin, counted_as[kind], bytes, length);
}

/* Would an answer tell a stranger something of who there is? */
static bool
says_who_there_is(enum ingress_refusal cause)
{
	return cause == INGRESS_REFUSED_UNKNOWN_ACCOUNT ||
	    cause == INGRESS_REFUSED_NO_KEY ||
	    cause == INGRESS_REFUSED_WRONG_KEY ||
	    cause == INGRESS_REFUSED_OLD_KEY ||
	    cause == INGRESS_REFUSED_CLEAR_TEXT ||
	    cause == INGRESS_REFUSED_NO_TLS ||
	    cause == INGRESS_REFUSED_OTHER_MAC ||
	    cause == INGRESS_REFUSED_OTHER_ACCOUNT;
}

/* Refused for a reason that the installer should see. */
static int
refuse(const struct frame_origin *origin, enum dc09_reply kind,
    const struct dc09_frame *frame, enum ingress_refusal cause,
    const char *reason)
{
	bool silent = origin->slot->config->silent && says_who_there_is(cause);
	int result =
	    silent ? stay_silent(origin) : answer(origin, kind, frame, NULL);

	if (result == 0)
		frame_refused(origin, cause, reason, frame->account,
		    frame->raw);
	return result;
}

static void
find_sender(const struct frame_origin *origin, const struct dc09_frame *frame,
    struct opened *ret)
{
	const struct ingress_listener_config *config = origin->slot->config;

	worker_go_online(origin->worker);
	ret->intake.bridge =
	    directory_bridge_by_sender(origin->worker->directory,
		origin->slot->name, frame->receiver, frame->line,
		frame->account, config->tolerate & DC09_TOLERATE_ACCOUNT_ZEROS);
	ret->window = policy_time_window(origin, ret->intake.bridge);
	ret->key = config->key.length > 0 ? &config->key : NULL;
	if (ret->intake.bridge && ret->intake.bridge->key_length > 0) {
		memcpy(ret->own_key.bytes, ret->intake.bridge->key,
		    ret->intake.bridge->key_length);
		ret->own_key.length = ret->intake.bridge->key_length;
		ret->key = &ret->own_key;
	}
}

/* Journal the event; its reply waits until that is durable. The reply is made
 * first: what cannot be answered is not taken either. */
static int
take(const struct frame_origin *origin, const struct dc09_frame *frame,
    struct opened *opened)
{
	char bytes[DC09_REPLY_MAX];
	size_t length =
	    encode_reply(origin, DC09_REPLY_ACK, frame, opened->key, bytes);
	int result;

	if (length == 0)
		return stay_silent(origin);
	opened->intake.raw = frame->raw;
	opened->intake.occurrence = 0;
	opened->intake.reply = slice_of(bytes, length);
	result = intake_take(origin, &opened->intake);
	if (result == -EMSGSIZE)
		return refuse(origin, DC09_REPLY_DUH, frame,
		    INGRESS_REFUSED_UNPROCESSABLE, "too much for one record");
	return result == -ENOSPC ? stay_silent(origin) : result;
}

static int
accept_frame(const struct frame_origin *origin, const struct dc09_frame *frame,
    struct opened *opened)
{
	const struct breach *breach = policy_check_signal(opened->intake.bridge,
	    &opened->intake.record.signal);
	int result;

	if (breach)
		return refuse(origin, DC09_REPLY_DUH, frame, breach->cause,
		    breach->reason);
	if (opened->intake.bridge)
		intake_note_presence(origin, opened->intake.bridge);
	if (!opened->intake.record.signal.poll)
		return take(origin, frame, opened);
	result = answer(origin, DC09_REPLY_ACK, frame, opened->key);
	if (result == 0)
		counter_add(&origin->slot->counters.polls, 1);
	return result;
}

/* Nobody's. */
static const struct codec_key no_key = { .length = 16 };
/* Of an account: its key and the one before. */
#define KEYS_TRIED 2

/* Who has no key, or none before it, is refused after the same work as who has
 * others: the time of an answer must not tell which accounts there are. */
static void
open_in_vain(const struct frame_origin *origin, const struct dc09_frame *frame,
    unsigned keys)
{
	const struct ingress_listener_config *config = origin->slot->config;
	struct signal nothing;
	const char *reason;

	for (unsigned i = 0; frame->encrypted && i < keys; i++)
		dc09_decode(origin->worker->crypto, frame, &no_key,
		    config->window, config->tolerate, origin->worker->wall_us,
		    origin->worker->plain, &nothing, &reason);
}

static enum dc09_verdict
decode_with(const struct frame_origin *origin, const struct dc09_frame *frame,
    const struct codec_key *key, struct opened *opened, const char **ret_reason)
{
	struct worker *worker = origin->worker;

	return dc09_decode(worker->crypto, frame, key, opened->window,
	    origin->slot->config->tolerate, worker->wall_us, worker->plain,
	    &opened->intake.record.signal, ret_reason);
}

/* The key of its account does not open it: perhaps the one before does, and
 * is opened->key then. */
static enum dc09_verdict
decode_with_previous(const struct frame_origin *origin,
    const struct dc09_frame *frame, struct opened *opened,
    const char **ret_reason)
{
	const struct directory_bridge *bridge = opened->intake.bridge;
	enum dc09_verdict verdict;

	if (!bridge || !bridge->previous_key) {
		open_in_vain(origin, frame, opened->key ? 1 : KEYS_TRIED);
		return DC09_UNREADABLE;
	}
	opened->previous_key.length = bridge->previous_key->length;
	memcpy(opened->previous_key.bytes, bridge->previous_key->bytes,
	    bridge->previous_key->length);
	verdict = decode_with(origin, frame, &opened->previous_key, opened,
	    ret_reason);
	if (verdict != DC09_UNREADABLE)
		opened->key = &opened->previous_key;
	return verdict;
}

/* Opened by the key before the last roll: is its time over? */
static bool
is_too_old(const struct frame_origin *origin, const struct opened *opened)
{
	return opened->key == &opened->previous_key &&
	    origin->worker->wall_us >
	    opened->intake.bridge->previous_key->until_us;
}

static int
open_frame(const struct frame_origin *origin, const struct dc09_frame *frame,
    struct opened *opened)
{
	const char *reason = "";
	enum dc09_verdict verdict =
	    decode_with(origin, frame, opened->key, opened, &reason);

	if (verdict == DC09_UNREADABLE)
		verdict = decode_with_previous(origin, frame, opened, &reason);
	if (is_too_old(origin, opened))
		return refuse(origin, DC09_REPLY_DUH, frame,
		    INGRESS_REFUSED_OLD_KEY,
		    "encrypted with the key before, whose time is over");
	switch (verdict) {
	case DC09_ACCEPT:
		if (opened->key == &opened->previous_key)
			policy_note_previous_key(origin, opened->intake.bridge,
			    opened->intake.bridge->previous_key->until_us);
		return accept_frame(origin, frame, opened);
	case DC09_NAK:
		return refuse(origin, DC09_REPLY_NAK, frame,
		    INGRESS_REFUSED_TIME_WINDOW, reason);
	case DC09_DUH:
		return refuse(origin, DC09_REPLY_DUH, frame,
		    INGRESS_REFUSED_UNPROCESSABLE, reason);
	case DC09_UNREADABLE:
		return refuse(origin, DC09_REPLY_DUH, frame,
		    opened->key ? INGRESS_REFUSED_WRONG_KEY
				: INGRESS_REFUSED_NO_KEY,
		    reason);
	case DC09_IGNORE:
		return ignore(origin, frame, INGRESS_REFUSED_UNPROCESSABLE,
		    reason);
	}
	return 0;
}

static int
handle_sender(const struct frame_origin *origin, const struct dc09_frame *frame,
    struct opened *opened)
{
	const struct breach *breach =
	    policy_check_way(origin, opened->intake.bridge, frame->encrypted);

	if (breach) {
		open_in_vain(origin, frame, KEYS_TRIED);
		return refuse(origin, DC09_REPLY_DUH, frame, breach->cause,
		    breach->reason);
	}
	return open_frame(origin, frame, opened);
}

static int
handle_unknown(const struct frame_origin *origin,
    const struct dc09_frame *frame, struct opened *opened)
{
	const struct ingress_listener_config *config = origin->slot->config;

	switch (config->silent ? INGRESS_UNKNOWN_IGNORE
			       : config->unknown_account) {
	case INGRESS_UNKNOWN_ACK_AND_LOG:
		return handle_sender(origin, frame, opened);
	case INGRESS_UNKNOWN_DUH:
		open_in_vain(origin, frame, KEYS_TRIED);
		return refuse(origin, DC09_REPLY_DUH, frame,
		    INGRESS_REFUSED_UNKNOWN_ACCOUNT, "unknown account");
	case INGRESS_UNKNOWN_IGNORE:
		open_in_vain(origin, frame, KEYS_TRIED);
		return ignore(origin, frame, INGRESS_REFUSED_UNKNOWN_ACCOUNT,
		    "unknown account");
	}
	return 0;
}

/* Its client certificate names other accounts than this one. */
static int
refuse_other_account(const struct frame_origin *origin,
    const struct dc09_frame *frame)
{
	return refuse(origin, DC09_REPLY_DUH, frame,
	    INGRESS_REFUSED_OTHER_ACCOUNT,
	    "an account that the client certificate does not name");
}

static bool
may_say(const struct frame_origin *origin, const struct dc09_frame *frame)
{
	return !origin->session || !origin->session->tls ||
	    tls_session_may_say(origin->session->tls, frame->account);
}

int
frame_handle(const struct frame_origin *origin, const struct dc09_frame *frame)
{
	struct opened opened;
	int result;

	if (origin->worker->failed)
		return 0;
	worker_read_clock(origin->worker);
	if (dc09_frame_is_reply(frame))
		return ignore(origin, frame, INGRESS_REFUSED_UNPROCESSABLE,
		    "a reply that strayed here");
	opened.own_key.length = 0;
	find_sender(origin, frame, &opened);
	if (!may_say(origin, frame))
		result = refuse_other_account(origin, frame);
	else if (!opened.intake.bridge)
		result = handle_unknown(origin, frame, &opened);
	else
		result = handle_sender(origin, frame, &opened);
	if (result == -EAGAIN)
		origin->worker->full = true;
	return result;
}
