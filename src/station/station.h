/*
 * A simulated monitoring station: takes what a receiver delivers, writes it
 * down, acknowledges, and does wrong what it is told to. One thread, one
 * libevent loop.
 */
#ifndef STATION_STATION_H
#define STATION_STATION_H

#include <stdint.h>

#include "station/options.h"

struct station_stats {
	uint64_t acknowledged; /* signals, by state */
	uint64_t withheld;
	uint64_t refused;
	uint64_t polls;
	uint64_t undecodable; /* frames that could not be processed */
	uint64_t bad_bytes;   /* skipped: no message */
	uint64_t repeats;
	uint64_t faults;
	uint64_t connections;
	uint64_t seed;
	int64_t first_us, last_us; /* UTC: of the signals */
};

struct station;

/* Listens (or begins to connect). options must live on. 0 or -errno. */
int station_open(struct station **ret, const struct station_options *options,
    struct err *err);
/* "listening 127.0.0.1:41234", the port as bound; one line on stdout. */
void station_print_address(const struct station *station);
/* Until SIGTERM, SIGINT, --seconds or --count. SIGUSR1 switches the fault off
 * and on. 0, or -errno when the ledger could not be written. */
int station_run(struct station *station, struct err *err);
const struct station_stats *station_stats(const struct station *station);
void station_close(struct station **station);

#endif
