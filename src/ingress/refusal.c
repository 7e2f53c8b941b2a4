#include "ingress/refusal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ingress/listener.h"
#include "ingress/worker.h"

/* told: an operator must know. What any stranger on the network may cause
 * without knowing of a panel is none of that. */
static const struct cause {
	const char *name, *text;
	bool told;
} causes[INGRESS_REFUSALS] = {
	[INGRESS_REFUSED_OTHER_PROTOCOL] = { "other_protocol",
	    "no frames at all", false },
	[INGRESS_REFUSED_BAD_CRC] = { "bad_crc", "damaged frames", false },
	[INGRESS_REFUSED_MALFORMED] = { "malformed", "broken frames", false },
	[INGRESS_REFUSED_UNPROCESSABLE] = { "unprocessable",
	    "frames that cannot be processed", false },
	[INGRESS_REFUSED_UNKNOWN_ACCOUNT] = { "unknown_account",
	    "accounts that nobody has", false },
	[INGRESS_REFUSED_NO_KEY] = { "no_key", "a key where none is known",
	    true },
	[INGRESS_REFUSED_WRONG_KEY] = { "wrong_key",
	    "another key than the account's", true },
	[INGRESS_REFUSED_OLD_KEY] = { "old_key", "a key whose time is over",
	    true },
	[INGRESS_REFUSED_CLEAR_TEXT] = { "clear_text",
	    "clear text where encryption is required", true },
	[INGRESS_REFUSED_NO_TLS] = { "no_tls",
	    "bridges without TLS that must use it", true },
	[INGRESS_REFUSED_OTHER_MAC] = { "other_mac",
	    "frames that name another MAC than the bridge's", true },
	[INGRESS_REFUSED_TIME_WINDOW] = { "time_window",
	    "frames replayed, or of a wrong clock", true },
	[INGRESS_REFUSED_OTHER_ACCOUNT] = { "other_account",
	    "accounts that the sender's certificate does not name", true },
	[INGRESS_REFUSED_NOT_TLS] = { "not_tls", "no TLS where it is required",
	    false },
	[INGRESS_REFUSED_TLS_FAILED] = { "tls_failed", "TLS that failed",
	    false },
	[INGRESS_REFUSED_OVER_LIMIT] = { "over_limit",
	    "more connections than max_sessions", true },
	[INGRESS_REFUSED_OVER_SOURCE_LIMIT] = { "over_source_limit",
	    "more connections than max_source_sessions", true },
	[INGRESS_REFUSED_OVER_FRAME_LIMIT] = { "over_frame_limit",
	    "frames faster than max_source_frames", true },
	[INGRESS_REFUSED_OVER_HANDSHAKE_LIMIT] = { "over_handshake_limit",
	    "handshakes faster than max_source_handshakes", true },
	[INGRESS_REFUSED_NO_DESCRIPTORS] = { "no_descriptors",
	    "connections for want of file descriptors", true },
	[INGRESS_REFUSED_TOO_SLOW] = { "too_slow",
	    "connections that say nothing sound in time", false },
};

const char *
ingress_refusal_name(enum ingress_refusal cause)
{
	return causes[cause].name;
}

const char *
ingress_refusal_text(enum ingress_refusal cause)
{
	return causes[cause].text;
}

bool
ingress_refusal_told(enum ingress_refusal cause)
{
	return causes[cause].told;
}

/* A stranger's choice, on its way into logs and events. */
static void
copy_account(struct slice account, char out[INGRESS_ACCOUNT_TEXT])
{
	size_t length = 0;

	for (; length < account.length && length < INGRESS_ACCOUNT_TEXT - 1;
	     length++) {
		unsigned char c = (unsigned char)account.data[length];

		out[length] = isalnum(c) ? (char)c : '?';
	}
	out[length] = '\0';
}

void
refusal_add(struct slot *slot, const struct refusal *refusal)
{
	struct listener *listener = slot->listener;
	enum ingress_refusal cause = refusal->cause;
	struct refusal_source source;

	counter_add(&slot->counters.refusals[cause], 1);
	snprintf(source.peer, sizeof(source.peer), "%s", refusal->peer);
	copy_account(refusal->account, source.account);
	if (cause < INGRESS_REFUSED_OVER_LIMIT) {
		worker_read_clock(slot->worker);
		bad_frames_add(&listener->bad_frames, slot->worker->wall_us,
		    refusal->peer, refusal->reason, refusal->bytes);
	}
	if (causes[cause].told) {
		pthread_mutex_lock(&listener->refusals.lock);
		listener->refusals.last[cause] = source;
		pthread_mutex_unlock(&listener->refusals.lock);
	}
	log_limited(&slot->refusal_limits[cause], LOG_WARN, "ingress",
	    "refused", "listener=%s cause=%s peer=%s account=%s reason=\"%s\"",
	    slot->config->name, causes[cause].name, source.peer, source.account,
	    refusal->reason);
}

void
refusals_init(struct refusals *refusals)
{
	memset(refusals, 0, sizeof(*refusals));
	pthread_mutex_init(&refusals->lock, NULL);
}

void
refusals_close(struct refusals *refusals)
{
	pthread_mutex_destroy(&refusals->lock);
}

struct refusal_source
refusals_last(struct refusals *refusals, enum ingress_refusal cause)
{
	struct refusal_source last;

	pthread_mutex_lock(&refusals->lock);
	last = refusals->last[cause];
	pthread_mutex_unlock(&refusals->lock);
	return last;
}
