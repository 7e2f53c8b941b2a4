#include "ingress/tls_session.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/tls.h"
#include "ingress/session.h"
#include "ingress/worker.h"

#define TLS_RECORD_HANDSHAKE 0x16
/* A handshake that has waited so long for its peer makes room for others. */
#define PATIENCE_US  1000000
#define ACCOUNT_MAX  17	 /* characters of an account in DC-09 */
#define ACCOUNTS_MAX 256 /* of one certificate */

/* ---- life ----------------------------------------------------------------- */

static void
leave_handshake(struct tls_session *tls)
{
	struct slot *slot = tls->session->slot;

	TAILQ_REMOVE(tls->ready ? &tls->session->worker->ready
				: &slot->handshakes,
	    tls, by_handshake);
	slot->handshake_count--;
}

static bool
handshakes_are_full(const struct slot *slot)
{
	unsigned workers = slot->listener->slot_count;
	uint32_t share =
	    (slot->config->tls.max_handshakes + workers - 1) / workers;

	return slot->handshake_count >= share;
}

/* One more than there may be takes the place of the one that has waited
 * longest for its peer. */
static void
enter_handshake(struct tls_session *tls)
{
	struct slot *slot = tls->session->slot;

	if (handshakes_are_full(slot)) {
		session_give_up(TAILQ_FIRST(&slot->handshakes)->session,
		    "a handshake that others wait behind");
	}
	TAILQ_INSERT_TAIL(&slot->handshakes, tls, by_handshake);
	slot->handshake_count++;
}

bool
tls_session_has_room(struct slot *slot)
{
	const struct tls_session *oldest = TAILQ_FIRST(&slot->handshakes);

	if (!handshakes_are_full(slot))
		return true;
	worker_read_clock(slot->worker);
	return oldest &&
	    oldest->session->active_us + PATIENCE_US <=
	    slot->worker->monotonic_us;
}

int
tls_session_open(struct session *session)
{
	struct tls_session *tls = calloc(1, sizeof(*tls));

	if (tls)
		tls->ssl = SSL_new(session->slot->tls);
	if (!tls || !tls->ssl || SSL_set_fd(tls->ssl, session->fd) != 1) {
		SSL_free(tls ? tls->ssl : NULL);
		free(tls);
		return -ENOMEM;
	}
	SSL_set_accept_state(tls->ssl);
	tls->session = session;
	session->tls = tls;
	enter_handshake(tls);
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

/* ---- handshake ------------------------------------------------------------ */

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
	if (bytes[0] == TLS_RECORD_HANDSHAKE) {
		session->tls->begun = true;
		return true;
	}
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

void
tls_session_handshake(struct session *session)
{
	struct tls_session *tls = session->tls;

	if (tls->ready)
		return;
	TAILQ_REMOVE(&session->slot->handshakes, tls, by_handshake);
	tls->ready = true;
	TAILQ_INSERT_TAIL(&session->worker->ready, tls, by_handshake);
	session_set_writing(session, false);
	session_update_reading(session);
}

/* Of the one that waits longest for us. */
static void
take_step(struct worker *worker)
{
	struct tls_session *tls = TAILQ_FIRST(&worker->ready);
	struct session *session = tls->session;

	TAILQ_REMOVE(&worker->ready, tls, by_handshake);
	tls->ready = false;
	TAILQ_INSERT_TAIL(&session->slot->handshakes, tls, by_handshake);
	worker_read_clock(worker);
	session->active_us = worker->monotonic_us;
	if (tls->begun || begins_with_hello(session))
		step(session);
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
	if (SSL_has_pending(session->tls->ssl))
		mark_unread(session->tls);
}

void
tls_session_end_turn(struct worker *worker)
{
	struct tls_session *tls;

	for (unsigned i = 0; i < TLS_HANDSHAKES_PER_TURN; i++)
		if (!TAILQ_EMPTY(&worker->ready))
			take_step(worker);
	if (!TAILQ_EMPTY(&worker->ready)) /* the next turn waits for nobody */
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
		json_string(json, "tls", "handshake");
		return;
	}
	json_format(json, "tls", "%s %s", SSL_get_version(tls->ssl),
	    SSL_get_cipher_name(tls->ssl));
	if (tls->accounts_length > 0)
		json_string(json, "certificate_account", tls->accounts);
}
