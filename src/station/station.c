#include "station/station.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/tls.h"
#include "station/station_internal.h"

#define DATAGRAMS_MAX  64 /* per system call */
#define DATAGRAM_BYTES 4200

static const char *
state_name(enum station_fault fault)
{
	switch (fault) {
	case STATION_FAULT_NO_ACK:
	case STATION_FAULT_WRONG_ACK:
	case STATION_FAULT_HALF_OPEN:
		return "no-ack";
	case STATION_FAULT_NAK:
	case STATION_FAULT_5XX:
	case STATION_FAULT_410:
		return "nak";
	case STATION_FAULT_NONE:
	case STATION_FAULT_SLOW:
	case STATION_FAULT_DRIP:
	case STATION_FAULT_CLOSE_EACH:
	case STATION_FAULT_SLOW_TLS:
		break;
	}
	return "ack";
}

static uint64_t *
state_counter(struct station_stats *stats, enum station_fault fault)
{
	switch (fault) {
	case STATION_FAULT_NO_ACK:
	case STATION_FAULT_WRONG_ACK:
	case STATION_FAULT_HALF_OPEN:
		return &stats->withheld;
	case STATION_FAULT_NAK:
	case STATION_FAULT_5XX:
	case STATION_FAULT_410:
		return &stats->refused;
	case STATION_FAULT_NONE:
	case STATION_FAULT_SLOW:
	case STATION_FAULT_DRIP:
	case STATION_FAULT_CLOSE_EACH:
	case STATION_FAULT_SLOW_TLS:
		break;
	}
	return &stats->acknowledged;
}

static void
write_down(struct station *station, const struct message *message,
    enum station_fault fault, int64_t now_us)
{
	*state_counter(&station->stats, fault) += message->signal.event_count;
	if (station->stats.first_us == 0)
		station->stats.first_us = now_us;
	station->stats.last_us = now_us;
	if (station_ledger_add(station->ledger, &message->signal,
		state_name(fault), now_us) < 0)
		station->error = err_set(&station->err, -ENOMEM,
		    "out of memory for the ledger");
}

struct answer
station_take(struct station *station, const struct message *message,
    int64_t now_us)
{
	struct answer answer = { STATION_FAULT_NONE, message->ack,
		message->ack_length };

	if (message->kind == MESSAGE_HELLO)
		return answer;
	if (message->kind == MESSAGE_REFUSED) {
		station->stats.undecodable++;
		return answer;
	}
	if (station->options->fault != STATION_FAULT_SLOW_TLS)
		answer.fault = fault_next(&station->faults,
		    clock_monotonic_us(&clock_system));
	if (message->kind == MESSAGE_POLL)
		station->stats.polls++;
	else
		write_down(station, message, answer.fault, now_us);
	if (strcmp(state_name(answer.fault), "nak") == 0) {
		answer.bytes = message->nak;
		answer.length = message->nak_length;
	} else if (answer.fault == STATION_FAULT_WRONG_ACK) {
		answer.bytes = message->wrong;
		answer.length = message->wrong_length;
	} else if (strcmp(state_name(answer.fault), "ack") != 0) {
		answer.length = 0;
	}
	return answer;
}

bool
station_delays_tls(struct station *station)
{
	return station->options->fault == STATION_FAULT_SLOW_TLS &&
	    fault_next(&station->faults, clock_monotonic_us(&clock_system)) !=
	    STATION_FAULT_NONE;
}

bool
station_flush(struct station *station)
{
	if (station->error == 0)
		station->error =
		    station_ledger_flush(station->ledger, &station->err);
	if (station->error == 0)
		return true;
	station_end(station);
	return false;
}

bool
station_is_done(const struct station *station)
{
	return station->options->count > 0 &&
	    station->stats.acknowledged >= station->options->count;
}

void
station_end(struct station *station)
{
	event_base_loopbreak(station->base);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int length, void *context)
{
	(void)listener;
	(void)address;
	(void)length;
	socket_set_nodelay(fd);
	link_open(context, fd, false);
}

static void
on_reconnect(evutil_socket_t unused, short what, void *context)
{
	static const struct timeval later = { 1, 0 };
	struct station *station = context;
	int fd;

	(void)unused;
	(void)what;
	fd = socket_connect(&station->options->address, SOCK_STREAM, NULL);
	if (fd < 0 || !link_open(station, fd, true))
		event_add(station->reconnect, &later);
}

/* One datagram: its messages are written down, then answered. */
static size_t
take_datagram(struct station *station, const char *data, size_t length,
    char *out, size_t out_size)
{
	int64_t now_us = clock_wall_us(&clock_system);
	char *place = out, *end = out + out_size;
	size_t done = 0;

	while (done < length && end - place >= DC09_REPLY_MAX) {
		struct message message;
		struct answer answer;
		size_t used = 0;
		enum codec_result result = protocol_next(station->protocol,
		    data + done, length - done, now_us, &used, &message);

		if (result == CODEC_MORE)
			break;
		done += used;
		if (result == CODEC_BAD) {
			station->stats.bad_bytes += used;
			continue;
		}
		answer = station_take(station, &message, now_us);
		memcpy(place, answer.bytes, answer.length);
		place += answer.length;
	}
	return (size_t)(place - out);
}

static void
on_datagrams(evutil_socket_t fd, short what, void *context)
{
	static char in[DATAGRAMS_MAX][DATAGRAM_BYTES];
	static char out[DATAGRAMS_MAX][DATAGRAM_BYTES];
	struct sockaddr_storage senders[DATAGRAMS_MAX];
	struct mmsghdr messages[DATAGRAMS_MAX] = { 0 };
	struct iovec parts[DATAGRAMS_MAX];
	struct station *station = context;
	int count;

	(void)what;
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
		parts[i] = (struct iovec){ in[i], sizeof(in[i]) };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &senders[i],
			.msg_namelen = sizeof(senders[i]),
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
		};
	}
	count = recvmmsg(fd, messages, DATAGRAMS_MAX, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		parts[i] = (struct iovec){ out[i],
			take_datagram(station, in[i], messages[i].msg_len,
			    out[i], sizeof(out[i])) };
	if (!station_flush(station))
		return;
	for (int i = 0; i < count; i++)
		if (parts[i].iov_len > 0)
			sendmsg(fd, &messages[i].msg_hdr, MSG_NOSIGNAL);
	if (station_is_done(station))
		station_end(station);
}

static void
on_stop(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	station_end(context);
}

static void
on_switch(evutil_socket_t number, short what, void *context)
{
	struct station *station = context;

	(void)number;
	(void)what;
	station->faults.off = !station->faults.off;
}

static int
open_signals(struct station *station)
{
	static const struct {
		int number;
		event_callback_fn call;
	} rows[] = {
		{ SIGTERM, on_stop },
		{ SIGINT, on_stop },
		{ SIGUSR1, on_switch },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		station->signals[i] = evsignal_new(station->base,
		    rows[i].number, rows[i].call, station);
		if (!station->signals[i] ||
		    event_add(station->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
open_tls(struct station *station, struct err *err)
{
	const struct station_options *o = station->options;
	int result;

	if (!o->certificate)
		return 0;
	station->tls = SSL_CTX_new(TLS_server_method());
	if (!station->tls || tls_set_rules(station->tls) < 0)
		return err_set(err, -ENOMEM, "no memory for TLS");
	result = tls_use_certificate(station->tls, "--certificate",
	    o->certificate, "--certificate", NULL, err);
	if (result < 0 || !o->client_ca)
		return result;
	SSL_CTX_set_verify(station->tls,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return SSL_CTX_load_verify_file(station->tls, o->client_ca) == 1
	    ? 0
	    : tls_refuse_file(err, "--client-ca", o->client_ca);
}

static int
open_socket(struct station *station, struct err *err)
{
	const struct station_options *o = station->options;
	static const struct timeval now = { 0, 0 };
	int fd;

	if (o->connect) {
		station->reconnect =
		    evtimer_new(station->base, on_reconnect, station);
		return station->reconnect &&
			event_add(station->reconnect, &now) == 0
		    ? 0
		    : -ENOMEM;
	}
	fd = socket_listen(&o->address, o->udp ? SOCK_DGRAM : SOCK_STREAM,
	    false, err);
	if (fd < 0)
		return fd;
	station->port = socket_local_port(fd);
	if (o->udp) {
		station->fd = fd;
		station->datagrams = event_new(station->base, fd,
		    EV_READ | EV_PERSIST, on_datagrams, station);
		return station->datagrams &&
			event_add(station->datagrams, NULL) == 0
		    ? 0
		    : err_set(err, -ENOMEM, "out of memory");
	}
	station->listener = evconnlistener_new(station->base, on_accept,
	    station, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (station->listener)
		return 0;
	close(fd);
	return err_set(err, -ENOMEM, "out of memory");
}

int
station_open(struct station **ret, const struct station_options *options,
    struct err *err)
{
	struct station *station = calloc(1, sizeof(*station));
	int result = -ENOMEM;

	if (!station)
		return err_set(err, -ENOMEM, "out of memory");
	station->fd = -1;
	station->options = options;
	LIST_INIT(&station->links);
	fault_plan_init(&station->faults, options,
	    clock_monotonic_us(&clock_system));
	station->base = event_base_new();
	if (!station->base || open_signals(station) < 0) {
		err_set(err, -ENOMEM, "cannot make an event loop");
		goto out;
	}
	result = open_tls(station, err);
	if (result == 0)
		result = protocol_open(&station->protocol, options, err);
	if (result == 0)
		result = station_ledger_open(&station->ledger, options->ledger,
		    options->ledger_sync, err);
	if (result == 0)
		result = open_socket(station, err);
out:
	if (result < 0)
		station_close(&station);
	else
		*ret = station;
	return result;
}

void
station_print_address(const struct station *station)
{
	struct socket_address address = station->options->address;
	char text[SOCKET_ADDRESS_TEXT];

	if (address.any.sa_family == AF_INET6)
		address.v6.sin6_port = htons(station->port);
	else
		address.v4.sin_port = htons(station->port);
	if (station->options->connect)
		address = station->options->address;
	printf("%s %s\n",
	    station->options->connect ? "connecting" : "listening",
	    socket_address_format(&address, text));
	fflush(stdout);
}

int
station_run(struct station *station, struct err *err)
{
	int64_t us = station->options->seconds_us;
	struct timeval limit = { us / 1000000, us % 1000000 };

	if (us > 0)
		event_base_loopexit(station->base, &limit);
	event_base_dispatch(station->base);
	station_flush(station);
	station->stats.repeats = station->ledger->repeats;
	station->stats.faults = station->faults.struck;
	station->stats.seed = station->faults.seed;
	if (station->error < 0)
		return err_set(err, station->error, "%s", station->err.text);
	return 0;
}

const struct station_stats *
station_stats(const struct station *station)
{
	return &station->stats;
}

static void
free_event(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

void
station_close(struct station **station)
{
	struct station *s = *station;
	struct link *link;

	if (!s)
		return;
	free_event(&s->reconnect);
	while ((link = LIST_FIRST(&s->links)) != NULL)
		link_close(link);
	if (s->listener)
		evconnlistener_free(s->listener);
	free_event(&s->datagrams);
	if (s->fd >= 0)
		close(s->fd);
	for (size_t i = 0; i < COUNT(s->signals); i++)
		free_event(&s->signals[i]);
	station_ledger_close(&s->ledger);
	protocol_close(&s->protocol);
	SSL_CTX_free(s->tls);
	if (s->base)
		event_base_free(s->base);
	free(s);
	*station = NULL;
}
