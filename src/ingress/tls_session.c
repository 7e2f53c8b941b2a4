#include "ingress/tls_session.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/tls.h"
#include "ingress/session.h"
#include "ingress/worker.h"

#define TLS_RECORD_HANDSHAKE 0x16
#define LET_IN_PER_TURN	     16	 /* of each of the two queues of a listener */
#define ACCOUNT_MAX	     17	 /* characters of an account in DC-09 */
#define ACCOUNTS_MAX	     256 /* of one certificate */

/* ---- life ----------------------------------------------------------------- */

static void
move(struct tls_session *tls, struct tls_list *list)
{
	if (tls->in)
		TAILQ_REMOVE(tls->in, tls, by_handshake);
	tls->in = list;
	if (list)
		TAILQ_INSERT_TAIL(list, tls, by_handshake);
}

/* By so many more: how many its address has. */
static uint32_t
count(const struct tls_session *tls, enum source_count what, int change)
{
	const struct session *session = tls->session;

	return sources_count(&session->slot->listener->sources,
	    session->from.address, what, change);
}

/* It asks, the first time, or goes on. The only one of its address has a list
 * of its own: it does not wait behind the thousands of another. */
static void
make_ready(struct tls_session *tls)
{
	struct worker *worker = tls->session->worker;
	uint32_t asking = count(tls, SOURCE_ASKING, tls->asked ? 0 : 1);

	worker_read_clock(worker);
	tls->asked = true;
	tls->ready_us = worker->monotonic_us;
	move(tls, asking > 1 ? &worker->ready : &worker->ready_alone);
}

static void
leave_handshake(struct tls_session *tls)
{
	move(tls, NULL);
	if (tls->asked)
		count(tls, SOURCE_ASKING, -1);
	if (!tls->ssl)
		return;
	count(tls, SOURCE_SHAKING, -1);
	tls->session->slot->handshake_count--;
}

int
tls_session_open(struct session *session)
{
	session->tls = calloc(1, sizeof(*session->tls));
	if (!session->tls)
		return -ENOMEM;
	session->tls->session = session;
	return 0;
}

void
tls_session_close(struct session *session)
{
	struct tls_session *tls = session->tls;

	session->tls = NULL;
	if (!tls->established)
		leave_handshake(tls);
	else
		SSL_shutdown(tls->ssl);
	ERR_clear_error();
	if (tls->unread)
		TAILQ_REMOVE(&session->worker->unread, tls, by_unread);
	SSL_free(tls->ssl);
	free(tls->accounts);
	free(tls);
}

static void
report(struct session *session, enum ingress_refusal cause, const char *reason,
    struct slice bytes)
{
	refusal_add(session->slot,
	    &(struct refusal){ .cause = cause,
		.peer = session->peer,
		.reason = reason,
		.bytes = bytes });
}

/* ---- places --------------------------------------------------------------- */

static bool
handshakes_are_full(const struct slot *slot)
{
	unsigned workers = slot->listener->slot_count;
	uint32_t share =
	    (slot->config->tls.max_handshakes + workers - 1) / workers;

	return slot->handshake_count >= share;
}

/* Of this slot one that has a place and whose address has more of them than
 * that; NULL: none among the first. */
static struct tls_session *
find_largest(const struct tls_list *list, const struct slot *slot,
    uint32_t *most)
{
	struct tls_session *tls, *found = NULL;
	unsigned looked = 0;

	TAILQ_FOREACH(tls, list, by_handshake) {
		uint32_t places = tls->ssl && tls->session->slot == slot
		    ? count(tls, SOURCE_SHAKING, 0)
		    : 0;

		if (places > *most) {
			*most = places;
			found = tls;
		}
		if (++looked == SLOT_LOOKED_AT)
			break;
	}
	return found;
}

/* One of the address that has most places, and more than the newcomer's would;
 * else the one that has waited longest for its peer, if that is long. */
static struct tls_session *
find_victim(const struct slot *slot, const struct tls_session *newcomer)
{
	uint32_t most = count(newcomer, SOURCE_SHAKING, 0) + 1;
	struct tls_session *victim =
	    find_largest(&slot->handshakes, slot, &most);
	struct tls_session *ready =
	    find_largest(&slot->worker->ready, slot, &most);
	struct tls_session *eldest = TAILQ_FIRST(&slot->handshakes);

	if (ready)
		return ready;
	if (!victim && eldest && session_is_silent(eldest->session))
		victim = eldest;
	return victim;
}

static bool
find_place(const struct slot *slot, const struct tls_session *newcomer)
{
	struct tls_session *victim;

	if (!handshakes_are_full(slot))
		return true;
	victim = find_victim(slot, newcomer);
	if (victim)
		session_give_up(victim->session,
		    "a handshake that others wait behind");
	return victim != NULL;
}

/* It waited too long for its turn, and what it said is still to be read. True:
 * it is closed, and needs no place. */
static bool
close_if_gone(struct session *session)
{
	struct pollfd poll_fd = { .fd = session->fd, .events = POLLRDHUP };

	if (poll(&poll_fd, 1, 0) <= 0)
		return false;
	report(session, INGRESS_REFUSED_TLS_FAILED, "it went before its turn",
	    SLICE_NONE);
	session_close(session);
	return true;
}

/* Takes the place that was found. False: no memory, and it is closed. */
static bool
begin(struct tls_session *tls)
{
	struct session *session = tls->session;
	struct slot *slot = session->slot;
	SSL *ssl = SSL_new(slot->tls);

	if (!ssl || SSL_set_fd(ssl, session->fd) != 1) {
		SSL_free(ssl);
		report(session, INGRESS_REFUSED_TLS_FAILED,
		    "no memory for its TLS", SLICE_NONE);
		session_close(session);
		return false;
	}
	SSL_set_accept_state(ssl);
	tls->ssl = ssl;
	tls->begun_us = slot->worker->monotonic_us;
	count(tls, SOURCE_SHAKING, 1);
	slot->handshake_count++;
	return true;
}

/* False: nobody is there, or there is no place. */
static bool
let_in_first(struct slot *slot, const struct tls_list *list)
{
	struct tls_session *next = TAILQ_FIRST(list);

	if (!next)
		return false;
	if (close_if_gone(next->session))
		return true;
	if (!find_place(slot, next))
		return false;
	if (begin(next))
		make_ready(next);
	return true;
}

/* Those who wait for a place: who is alone and the others by turns. */
static void
let_in(struct slot *slot)
{
	for (unsigned i = 0; i < LET_IN_PER_TURN; i++) {
		bool alone = let_in_first(slot, &slot->queued_alone);
		bool other = let_in_first(slot, &slot->queued);

		if (!alone && !other)
			return;
	}
	event_active(slot->worker->call_event, EV_READ, 0);
}

/* ---- handshake ------------------------------------------------------------ */

/* Whatever else speaks to this port is turned away before the library answers
 * it. False: wait, or it is closed. */
static bool
begins_with_hello(struct session *session)
{
	unsigned char bytes[BAD_FRAMES_BYTES];
	ssize_t n = recv(session->fd, bytes, sizeof(bytes), MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		session_close(session);
		return false;
	}
	if (bytes[0] == TLS_RECORD_HANDSHAKE)
		return true;
	/* what is unread would turn the goodbye into a reset */
	recv(session->fd, bytes, (size_t)n, 0);
	report(session, INGRESS_REFUSED_NOT_TLS, "no TLS on a port for TLS",
	    slice_of(bytes, (size_t)n));
	session_close(session);
	return false;
}

/* Texts that can be no account are passed over. */
static void
add_account(const ASN1_STRING *text, char *out, size_t *length)
{
	const unsigned char *data = ASN1_STRING_get0_data(text);
	int count = ASN1_STRING_length(text);

	if (count < 1 || count > ACCOUNT_MAX ||
	    *length + (size_t)count >= ACCOUNTS_MAX * (ACCOUNT_MAX + 1))
		return;
	for (int i = 0; i < count; i++)
		if (!isalnum(data[i]))
			return;
	memcpy(out + *length, data, (size_t)count);
	*length += (size_t)count;
	out[(*length)++] = '\0';
}

static size_t
read_accounts(const X509 *certificate, char *out)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t length = 0;
	int at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >=
	    0)
		add_account(
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)),
		    out, &length);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			add_account(name->d.dNSName, out, &length);
	}
	GENERAL_NAMES_free(names);
	return length;
}

/* -ENOMEM, so that nobody speaks for any account because memory is short. */
static int
bind_to_accounts(struct tls_session *tls)
{
	const X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
	char accounts[ACCOUNTS_MAX * (ACCOUNT_MAX + 1)];

	if (!certificate || !tls->session->slot->config->tls.client_account)
		return 0;
	tls->accounts_length = read_accounts(certificate, accounts);
	tls->accounts = malloc(tls->accounts_length + 1);
	if (!tls->accounts)
		return -ENOMEM;
	memcpy(tls->accounts, accounts, tls->accounts_length);
	return 0;
}

static void
establish(struct session *session)
{
	if (bind_to_accounts(session->tls) < 0) {
		session_close(session);
		return;
	}
	leave_handshake(session->tls);
	session->tls->established = true;
	counter_add(&session->slot->counters.handshakes, 1);
	session_update_timeout(session);
	tls_session_read_on(session);
}

static void
step(struct session *session)
{
	SSL *ssl = session->tls->ssl;

	switch (tls_handshake(ssl)) {
	case TLS_DONE:
		session_set_writing(session, false);
		establish(session);
		break;
	case TLS_WANTS_READ:
		session_set_writing(session, false);
		break;
	case TLS_WANTS_WRITE:
		session_set_writing(session, true);
		break;
	case TLS_FAILED:
		report(session, INGRESS_REFUSED_TLS_FAILED, tls_failure(ssl),
		    SLICE_NONE);
		session_close(session);
		break;
	}
}

bool
tls_session_is_held(const struct session *session)
{
	return session->tls && session->tls->in &&
	    session->tls->in != &session->slot->handshakes;
}

void
tls_session_handshake(struct session *session)
{
	if (tls_session_is_held(session))
		return;
	make_ready(session->tls);
	session_set_writing(session, false);
	session_update_reading(session);
}

/* It said the first of its hello. */
static void
ask_for_place(struct tls_session *tls)
{
	struct session *session = tls->session;
	struct slot *slot = session->slot;

	if (close_if_gone(session))
		return;
	if (!find_place(slot, tls)) {
		move(tls,
		    count(tls, SOURCE_ASKING, 0) > 1 ? &slot->queued
						     : &slot->queued_alone);
	} else if (begin(tls)) {
		move(tls, &slot->handshakes);
		step(session);
	}
}

/* Those that are alone and the others take turns. NULL: nobody is ready. */
static struct tls_session *
choose_next(struct worker *worker)
{
	struct tls_session *alone = TAILQ_FIRST(&worker->ready_alone),
			   *other = TAILQ_FIRST(&worker->ready);

	worker->alone_last = alone && (!other || !worker->alone_last);
	return worker->alone_last ? alone : other;
}

static void
take_step(struct worker *worker, struct tls_session *tls)
{
	struct session *session = tls->session;

	worker_read_clock(worker);
	session->active_us = worker->monotonic_us;
	if (tls->ssl) {
		tls->begun_us += worker->monotonic_us - tls->ready_us;
		move(tls, &session->slot->handshakes);
		step(session);
	} else {
		move(tls, NULL);
		if (begins_with_hello(session))
			ask_for_place(tls);
	}
	session_update_reading(session);
}

/* ---- reading and writing ---------------------------------------------------- */

static void
mark_unread(struct tls_session *tls)
{
	if (tls->unread)
		return;
	tls->unread = true;
	TAILQ_INSERT_TAIL(&tls->session->worker->unread, tls, by_unread);
}

void
tls_session_read_on(struct session *session)
{
	const struct tls_session *tls = session->tls;

	/* a handshake takes all there is: what is left lacks its end, and to
	 * look at it again would bring nothing */
	if (tls->established && SSL_has_pending(tls->ssl))
		mark_unread(session->tls);
}

void
tls_session_end_turn(struct worker *worker)
{
	struct tls_session *tls;
	struct slot *slot;

	TAILQ_FOREACH(slot, &worker->slots, by_worker) {
		if (worker->draining ||
		    (TAILQ_EMPTY(&slot->queued) &&
			TAILQ_EMPTY(&slot->queued_alone)))
			continue;
		worker_read_clock(worker);
		let_in(slot);
	}
	for (unsigned i = 0; i < TLS_HANDSHAKES_PER_TURN; i++)
		if ((tls = choose_next(worker)))
			take_step(worker, tls);
	/* the next turn waits for nobody */
	if (!TAILQ_EMPTY(&worker->ready) || !TAILQ_EMPTY(&worker->ready_alone))
		event_active(worker->call_event, EV_READ, 0);
	while ((tls = TAILQ_FIRST(&worker->unread))) {
		TAILQ_REMOVE(&worker->unread, tls, by_unread);
		tls->unread = false;
		if (tls->session->reading)
			event_active(&tls->session->read_event, EV_READ, 0);
	}
}

static ssize_t
tell_failure(struct session *session, ssize_t result)
{
	if (result < 0 && errno == EPROTO)
		report(session, INGRESS_REFUSED_TLS_FAILED,
		    tls_failure(session->tls->ssl), SLICE_NONE);
	return result;
}

ssize_t
tls_session_read(struct session *session, void *data, size_t size)
{
	bool more = false;
	ssize_t n = tls_receive(session->tls->ssl, data, size, &more);

	if (more)
		mark_unread(session->tls);
	return tell_failure(session, n);
}

ssize_t
tls_session_write(struct session *session, const void *data, size_t length)
{
	return tell_failure(session, tls_send(session->tls->ssl, data, length));
}

/* ---- whom it speaks for ------------------------------------------------------- */

bool
tls_session_may_say(const struct tls_session *tls, struct slice account)
{
	const char *name = tls->accounts;
	size_t left = tls->accounts_length;

	if (!name)
		return true;
	while (left > 0) {
		size_t length = strlen(name);

		if (length == account.length &&
		    strncasecmp(name, account.data, length) == 0)
			return true;
		name += length + 1;
		left -= length + 1;
	}
	return false;
}

void
tls_session_show(const struct tls_session *tls, struct json *json)
{
	if (!tls->established) {
		json_string(json, "tls",
		    tls->ssl	  ? "handshake"
			: tls->in ? "queued"
				  : "silent");
		return;
	}
	json_format(json, "tls", "%s %s", SSL_get_version(tls->ssl),
	    SSL_get_cipher_name(tls->ssl));
	if (tls->accounts_length > 0)
		json_string(json, "certificate_account", tls->accounts);
}
