/*
 * One thread of synthetic panels: an epoll loop over its connections, pacing,
 * time-outs, book-keeping. Everything in it belongs to the thread that runs
 * it; the caller reads the results when that has ended.
 */
#ifndef LOAD_GENERATOR_H
#define LOAD_GENERATOR_H

#include "base/lines.h"
#include "load/histogram.h"
#include "load/options.h"

struct generator_stats {
	uint64_t sent;		 /* different signals */
	uint64_t acknowledged;	 /* of them */
	uint64_t unacknowledged; /* given up, or still open at the end */
	uint64_t refused;	 /* of those: answered DUH */
	uint64_t resent;	 /* messages sent again */
	uint64_t link_tests, link_tests_acknowledged;
	uint64_t naks;
	uint64_t unexpected_replies; /* sound, but the answer to nothing */
	uint64_t bad_replies;	     /* wrong CRC or no frame at all */
	uint64_t connections;	     /* made */
	uint64_t connections_failed;
	uint64_t connections_lost; /* by the other side, or by an error */
	int64_t elapsed_us;	   /* first sending to last acknowledgement */
	struct histogram latency;  /* first sending to acknowledgement */
};

struct generator_settings {
	const struct load_options *options;
	struct lines *ledger; /* of this thread */
	unsigned first_panel, panel_count;
	double rate;	/* this thread's share; 0: max */
	uint64_t count; /* this thread's share; 0: no limit */
	unsigned id_step, id_offset;
};

struct generator;

int generator_open(struct generator **ret,
    const struct generator_settings *settings, struct err *err);

/*
 * Send until the count or the time is reached or generator_stop was called,
 * then wait until every message is acknowledged or given up. 0 or -errno:
 * -ECONNREFUSED etc. when not one connection could be made.
 */
int generator_run(struct generator *generator, struct err *err);
const struct generator_stats *generator_stats(const struct generator
	*generator);
void generator_close(struct generator **generator);

/* Every generator of the process: stop sending; the second time also stop
 * waiting. Safe in a signal handler. */
void generator_stop(void);

#endif
