/*
 * The ledger of tocsin-station: one line per signal received, written before
 * its acknowledgement leaves:
 *
 *   account qualifier event partition zone receiver line receive-time-us
 *       state repeat sequence
 *
 * "-" for what the message does not carry. state: ack, no-ack or nak, what the
 * station answers. repeat: "repeat" when the account's message before was the
 * same. sequence: of DC-09. receive-time-us is UTC since 1970.
 */
#ifndef STATION_LEDGER_H
#define STATION_LEDGER_H

#include "base/hash.h"
#include "base/lines.h"
#include "signal/signal.h"

#define LEDGER_REMEMBERED 65536 /* accounts whose last message is known */

struct station_ledger {
	struct lines lines; /* may be closed */
	struct hash_key key;
	struct {
		uint64_t account;
		uint64_t content;
	} last[LEDGER_REMEMBERED];
	uint64_t repeats;
};

/* path NULL: only repeats are counted. 0 or -errno. */
int station_ledger_open(struct station_ledger **ret, const char *path,
    bool sync, struct err *err);
/* One line per event of the signal; 0 or -ENOMEM. */
int station_ledger_add(struct station_ledger *ledger,
    const struct signal *signal, const char *state, int64_t now_us);
/* Everything added is in the file. 0 or -errno. */
int station_ledger_flush(struct station_ledger *ledger, struct err *err);
void station_ledger_close(struct station_ledger **ledger);

#endif
