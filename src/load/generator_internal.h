/* Shared by the files of the generator: generator.c (loop, pacing, time-outs),
 * exchange.c (bytes out and in), connection.c. */
#ifndef LOAD_GENERATOR_INTERNAL_H
#define LOAD_GENERATOR_INTERNAL_H

#include "load/generator.h"
#include "load/panel.h"
#include "load/secure.h"

#define BUFFER_BYTES 65536
#define BATCH_MAX    64 /* datagrams per system call */

struct generator {
	struct generator_settings settings;
	const struct load_options *options;
	struct frame_maker *maker;
	SSL_CTX *tls; /* NULL: clear */
	struct panel *panels;
	struct flight *flights; /* of all panels */
	int epoll_fd;
	bool started;
	bool failed; /* end now; the reason is in err */
	struct err err;
	int error;
	unsigned open_panels;
	unsigned next_panel; /* whose turn it is when sending at a rate */
	uint64_t open_flights;
	int64_t now_us, wall_offset_us; /* monotonic, once per turn */
	int64_t started_us, end_us, next_tick_us, last_ack_us;
	int64_t leave_us; /* 0: there is something to say or to hear */
	struct generator_stats stats;
	char out[BUFFER_BYTES];
	size_t out_length;
	unsigned frame_count; /* frames in out, for datagrams */
	size_t frame_lengths[BATCH_MAX];
	char in[BUFFER_BYTES];
};

int64_t generator_clock(struct generator *generator);
/* New signals may still be made. */
bool generator_may_send(const struct generator *generator);
/* The run ends with this error. */
void generator_fail(struct generator *generator, int error, const char *what);

/* ---- connection.c --------------------------------------------------------- */

void connection_open(struct generator *generator, struct panel *panel);
void connection_lost(struct generator *generator, struct panel *panel);
/* By the panel itself, after its one message. */
void connection_renew(struct generator *generator, struct panel *panel);
/* What epoll said about a connecting socket. */
void connection_ready(struct generator *generator, struct panel *panel,
    bool failed);

/* ---- exchange.c ----------------------------------------------------------- */

/* Send what waits for repetition, then new signals, at most `limit` of them
 * and as far as the window reaches. Returns the number of new signals. */
uint64_t exchange_send(struct generator *generator, struct panel *panel,
    uint64_t limit);
void exchange_flush_unsent(struct generator *generator, struct panel *panel);
/* until_end: the other side has closed; read up to there */
void exchange_receive(struct generator *generator, struct panel *panel,
    bool until_end);
/* Stop waiting for this message. */
void exchange_give_up(struct generator *generator, struct panel *panel,
    struct flight *flight);

#endif
