#include "ingress/automation_input.h"

#include <errno.h>

#include "codec/ademco685.h"
#include "codec/automation.h"
#include "codec/contact_id.h"
#include "codec/d6500.h"
#include "codec/surgard.h"
#include "ingress/intake.h"
#include "ingress/policy.h"
#include "ingress/reply.h"
#include "ingress/session.h"
#include "ingress/worker.h"

static enum codec_result
decode_mlr2(const char *data, size_t length, size_t *ret_consumed,
    struct signal *ret)
{
	return surgard_decode(data, length, 1, ret_consumed, ret);
}

static enum codec_result
decode_mlr2000(const char *data, size_t length, size_t *ret_consumed,
    struct signal *ret)
{
	return surgard_decode(data, length, 3, ret_consumed, ret);
}

struct input {
	enum codec_result (*decode)(const char *data, size_t length,
	    size_t *ret_consumed, struct signal *ret);
	enum signal_protocol protocol; /* in the journal */
	char terminator;
};

static const struct input inputs[] = {
	[INGRESS_SURGARD] = { decode_mlr2, SIGNAL_PROTOCOL_SURGARD,
	    SURGARD_TERMINATOR },
	[INGRESS_SURGARD_MLR2000] = { decode_mlr2000, SIGNAL_PROTOCOL_SURGARD,
	    SURGARD_TERMINATOR },
	[INGRESS_ADEMCO685] = { ademco685_decode, SIGNAL_PROTOCOL_ADEMCO685,
	    '\r' },
	[INGRESS_CONTACT_ID] = { contact_id_line_decode, SIGNAL_PROTOCOL_DIALER,
	    '\n' },
	[INGRESS_D6500] = { d6500_decode, SIGNAL_PROTOCOL_D6500, '\x14' },
};

static const struct input *
input_of(const struct frame_origin *origin)
{
	return &inputs[origin->slot->config->protocol];
}

enum codec_result
automation_input_decode(const struct frame_origin *origin, struct slice data,
    size_t *ret_consumed, struct signal *ret)
{
	const struct input *input = input_of(origin);
	enum codec_result result =
	    input->decode(data.data, data.length, ret_consumed, ret);

	ret->protocol = input->protocol;
	return result;
}

/* ---- answers that promise nothing ---------------------------------------- */

static int
stay_silent(const struct frame_origin *origin)
{
	counter_add(&origin->slot->counters.replies[INGRESS_REPLY_NONE], 1);
	return 0;
}

/* Only while nothing else waits: its byte would be taken for another's. */
static int
answer(const struct frame_origin *origin, enum ingress_reply_kind kind,
    char byte)
{
	if (origin->worker->mute || origin->session->in_flight > 0)
		return stay_silent(origin);
	return reply_now(origin, kind, &byte, 1);
}

static int
refuse(const struct frame_origin *origin, struct slice message,
    struct slice account, enum ingress_refusal cause, const char *reason)
{
	frame_refused(origin, cause, reason, account, message);
	return answer(origin, INGRESS_REPLY_NAK, AUTOMATION_NAK);
}

void
automation_input_bad(const struct frame_origin *origin, struct slice bytes)
{
	frame_bad(origin, DC09_FAULT_JUNK, bytes);
	if (bytes.length > 0 &&
	    bytes.data[bytes.length - 1] == input_of(origin)->terminator)
		answer(origin, INGRESS_REPLY_NAK, AUTOMATION_NAK);
}

/* ---- one message ----------------------------------------------------------- */

/* Has what this session took last been answered, as far as we know? */
static bool
was_answered(const struct session *session)
{
	return session->answers != session->answers_before;
}

/* The same for a message and its resend, another for one that reads alike. */
static uint64_t
find_occurrence(const struct frame_origin *origin, uint64_t hash)
{
	struct session *session = origin->session;
	struct resend_message last = session->last;

	/* programs of this machine are many at one address, and hear us */
	if (last.occurrence == 0 &&
	    origin->slot->config->transport != INGRESS_UNIX)
		last = resends_last(&origin->slot->listener->resends,
		    session->from.address);
	else if (was_answered(session))
		last.occurrence = 0;
	if (last.occurrence != 0 && last.hash == hash)
		return last.occurrence;
	return (uint64_t)origin->worker->wall_us;
}

static int
take(const struct frame_origin *origin, struct slice message,
    struct intake *intake, uint64_t hash)
{
	static const char ack[] = { AUTOMATION_ACK };
	struct session *session = origin->session;
	int result;

	intake->raw = message;
	intake->reply = slice_of(ack, 1);
	intake->occurrence = slice_present(intake->record.signal.sequence)
	    ? 0
	    : find_occurrence(origin, hash);
	result = intake_take(origin, intake);
	if (result == -EMSGSIZE)
		return refuse(origin, message, intake->record.signal.account,
		    INGRESS_REFUSED_UNPROCESSABLE, "too much for one record");
	if (result == -ENOSPC)
		return stay_silent(origin);
	if (result < 0)
		return result;
	session->last.hash = hash;
	session->last.occurrence = intake->occurrence;
	session->answers_before = session->answers;
	resends_note(&origin->slot->listener->resends, session->from.address,
	    session->last);
	return 0;
}

/* Who called is no event: it must not keep the receiver from saying what they
 * called for. */
static bool
is_caller(const struct signal *signal)
{
	return signal->event_count > 0 &&
	    signal->events[0].format == SIGNAL_FORMAT_NONE;
}

static int
handle_event(const struct frame_origin *origin, struct slice message,
    struct intake *intake, uint64_t hash)
{
	const struct ingress_listener_config *config = origin->slot->config;
	const struct tls_session *tls = origin->session->tls;
	const struct signal *signal = &intake->record.signal;
	const struct breach *breach;
	bool unknown;

	if (tls && !tls_session_may_say(tls, signal->account))
		return refuse(origin, message, signal->account,
		    INGRESS_REFUSED_OTHER_ACCOUNT,
		    "an account that the client certificate does not name");
	worker_go_online(origin->worker);
	intake->bridge = directory_bridge_by_sender(origin->worker->directory,
	    origin->slot->name, signal->receiver, signal->line, signal->account,
	    config->tolerate & DC09_TOLERATE_ACCOUNT_ZEROS);
	breach = policy_check_way(origin, intake->bridge, false);
	if (breach)
		return refuse(origin, message, signal->account, breach->cause,
		    breach->reason);
	unknown = !intake->bridge && !is_caller(signal);
	if (unknown && config->unknown_account == INGRESS_UNKNOWN_DUH)
		return refuse(origin, message, signal->account,
		    INGRESS_REFUSED_UNKNOWN_ACCOUNT, "unknown account");
	if (unknown && config->unknown_account == INGRESS_UNKNOWN_IGNORE) {
		frame_refused(origin, INGRESS_REFUSED_UNKNOWN_ACCOUNT,
		    "unknown account", signal->account, message);
		return stay_silent(origin);
	}
	if (intake->bridge)
		intake_note_presence(origin, intake->bridge);
	return take(origin, message, intake, hash);
}

/* An answer is owed. It answers the same message again, and a heartbeat; with
 * another message the receiver gave up waiting, and would take the answer for
 * that one's, which nobody has yet. */
static int
handle_while_owed(const struct frame_origin *origin, struct slice message,
    const struct signal *signal, uint64_t hash)
{
	if (!signal->poll && hash != origin->session->last.hash) {
		frame_refused(origin, INGRESS_REFUSED_UNPROCESSABLE,
		    "a message before the answer to another", signal->account,
		    message);
		session_close(origin->session);
		return 0;
	}
	return stay_silent(origin);
}

int
automation_input_handle(const struct frame_origin *origin, struct slice message,
    const struct signal *signal)
{
	struct worker *worker = origin->worker;
	struct intake intake;
	uint64_t hash;

	if (worker->failed)
		return 0;
	worker_read_clock(worker);
	hash = hash_bytes(worker->hash_key, message.data, message.length);
	if (origin->session->in_flight > 0)
		return handle_while_owed(origin, message, signal, hash);
	if (signal->poll) {
		counter_add(&origin->slot->counters.polls, 1);
		return answer(origin, INGRESS_REPLY_ACK, AUTOMATION_ACK);
	}
	intake.record.signal = *signal;
	return handle_event(origin, message, &intake, hash);
}
