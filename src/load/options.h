/* The command line of tocsin-load. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/option.h"
#include "base/socket.h"
#include "codec/codec.h"
#include "load/plan.h"

struct load_options {
	struct socket_address target;
	bool udp;
	bool tls;
	bool insecure;		 /* the receiver's certificate counts not */
	const char *ca;		 /* who signed it */
	const char *certificate; /* of the panels, with its key */
	unsigned panels;
	unsigned inflight;
	unsigned threads;
	unsigned tries;
	unsigned null_every;
	bool link_tests; /* instead of signals, and counted as such */
	double rate;	 /* signals per second in all; 0: as fast as it goes */
	uint64_t count;
	int64_t seconds_us, stay_us;
	int64_t timeout_us;
	bool reconnect;
	bool persist;
	bool allow_unacknowledged;
	struct plan plan;
	struct account_range accounts;
	struct codec_key key;
	const char *receiver;
	const char *line;
	const char *ledger;
	bool ledger_sync;
	bool json;
	bool help;
	bool version;

	/* as given; options_read turns them into the above */
	const char *target_text, *format_text, *events_text, *zones_text,
	    *partitions_text, *accounts_text, *key_text, *rate_text;
};

extern const struct option_row load_option_rows[];

/* 0 or -EINVAL with a sentence for the user. Borrows argv. */
int load_options_read(int argc, char **argv, struct load_options *ret,
    struct err *err);

#endif
