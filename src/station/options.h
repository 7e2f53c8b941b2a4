/* The command line of tocsin-station. */
#ifndef STATION_OPTIONS_H
#define STATION_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/option.h"
#include "base/socket.h"
#include "codec/codec.h"

enum station_protocol {
	STATION_SURGARD,
	STATION_DC09,
	STATION_ADEMCO685,
	STATION_D6500,
	STATION_XML,
	STATION_JSON,
	STATION_WEBHOOK,
};

enum station_fault {
	STATION_FAULT_NONE,
	STATION_FAULT_NO_ACK,	  /* take it, say nothing */
	STATION_FAULT_NAK,	  /* refuse it */
	STATION_FAULT_WRONG_ACK,  /* acknowledge something else */
	STATION_FAULT_SLOW,	  /* acknowledge after the delay */
	STATION_FAULT_HALF_OPEN,  /* never again read or write, nor close */
	STATION_FAULT_DRIP,	  /* one byte of the reply per delay */
	STATION_FAULT_CLOSE_EACH, /* acknowledge and close */
	STATION_FAULT_SLOW_TLS,	  /* begin the handshake after the delay */
	STATION_FAULT_5XX,	  /* HTTP: refuse it with 503 */
	STATION_FAULT_410,	  /* HTTP: refuse it with 410 */
};

struct station_options {
	enum station_protocol protocol;
	struct socket_address address;
	bool connect; /* we connect to the receiver; else it connects to us */
	bool udp;
	unsigned line_digits; /* Sur-Gard: 1 or 3 */
	struct codec_key key;
	const char *certificate; /* with its key: TLS; NULL: clear */
	bool http;		 /* posted: a webhook, or XML if asked for */
	const char *passkey;	 /* what is demanded; NULL: none */
	const char *client_ca;	 /* whose certificate is demanded; NULL: none */
	enum station_fault fault;
	double fault_rate;
	int64_t fault_for_us; /* 0: all the time */
	uint64_t fault_count; /* 0: no limit */
	int64_t delay_us;
	uint64_t seed; /* 0: random */
	int64_t seconds_us;
	uint64_t count;
	const char *ledger;
	bool ledger_sync;
	bool json;
	bool help;
	bool version;

	/* as given; station_options_read turns them into the above */
	const char *protocol_text, *listen_text, *connect_text, *key_text,
	    *fault_text;
};

extern const struct option_row station_option_rows[];

/* 0 or -EINVAL with a sentence for the user. Borrows argv. */
int station_options_read(int argc, char **argv, struct station_options *ret,
    struct err *err);

#endif
