#include "journal/own_signal.h"

#include <stdio.h>

#include "base/hash.h"
#include "journal/record.h"

/* Two alike are two: no two are appended at one lsn. */
static void
identify(struct record_signal *record, const struct journal *journal,
    const struct own_signal *signal, int64_t wall_us)
{
	static uint64_t serial;
	const struct hash_key *key = journal_hash_key(journal);
	const uint64_t identity[4] = { (uint64_t)wall_us, signal->bridge_id,
		signal->site_id, serial++ };

	/* whose it is: the bridge and the site */
	record->sender = hash_bytes(key, &identity[1], 2 * sizeof(identity[1]));
	record->fingerprint = hash_bytes(key, identity, sizeof(identity));
}

int
own_signal_collect(struct journal *journal, const struct clock *clock,
    const struct own_signal *signal, uint64_t *ret_lsn)
{
	struct record_signal record = {
		.listener = slice_from_string(OWN_SIGNAL_LISTENER),
		.peer = slice_of("", 0),
		.raw = slice_of("", 0),
		.bridge_id = signal->bridge_id,
		.site_id = signal->site_id,
		.signal.panel_time_us = signal->occurred_us,
		.signal.protocol = SIGNAL_PROTOCOL_INTERNAL,
		.signal.event_count = 1,
	};
	struct signal_event *event = &record.signal.events[0];
	int64_t wall_us = clock_wall_us(clock);
	char payload[2048], partition[12];
	int length;

	snprintf(partition, sizeof(partition), "%02u", signal->partition);
	event->format = SIGNAL_FORMAT_CONTACT_ID;
	event->qualifier =
	    signal->begins ? SIGNAL_QUALIFIER_NEW : SIGNAL_QUALIFIER_RESTORE;
	snprintf(event->code, sizeof(event->code), "%s", signal->code);
	event->partition = slice_from_string(partition);
	event->zone = slice_from_string(signal->zone);
	event->text = slice_from_string(signal->text);
	identify(&record, journal, signal, wall_us);
	length = record_signal_encode(&record, payload, sizeof(payload));
	if (length < 0)
		return length;
	if (signal->bridge_id == 0 && signal->site_id == 0)
		return journal_report(journal, wall_us,
		    clock_monotonic_us(clock),
		    slice_of(payload, (size_t)length), ret_lsn);
	return journal_collect(journal, JOURNAL_SIGNAL, wall_us,
	    clock_monotonic_us(clock), slice_of(payload, (size_t)length),
	    ret_lsn);
}
