/* What the files of routing share; nobody else includes this. */
#ifndef ROUTING_INTERNAL_H
#define ROUTING_INTERNAL_H

#include "routing/routing.h"
#include "signal/codes.h"

/* That a site is on test, or is not any more: a signal of our own. */
#define ROUTE_CODE_ON_TEST "607"

/* Everything one event was found to belong to, and what it becomes. */
struct route {
	const struct directory *directory;
	const struct routing_request *request;
	struct routing_scratch *scratch;
	struct decision *decision;
	const struct signal_event *event;
	/* what a panel's own code stands for, where the library says so: event
	 * points here then, and everything is as if it had come so */
	struct signal_event meant;
	struct routing_effective meaning; /* and who says it */
	char inbound[CODES_INBOUND_SIZE]; /* room for the code's name */

	const struct directory_bridge *bridge;
	const struct directory_site *site;
	const struct directory_dealer *dealer; /* NULL: no library of its own */
	/* the site's own station; NULL: the verdict says why not */
	const struct directory_station *station;
	const struct directory_receiver *receiver;
	/* whose library row decides; NULL: the code passes as received */
	const struct directory_zone *zone;
	const struct site_state *state; /* of the site; NULL: none */
	bool waits; /* not yet: scratch->waiting says for what */

	/* what goes out */
	enum signal_format format;
	enum signal_qualifier qualifier;
	char code[SIGNAL_CODE_SIZE];
};

/* The verdict with its sentence; always returns false: "not routed". Of printf
 * it takes %s, %.*s and %u. */
bool route_end(struct route *route, enum verdict verdict, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* The sentence alone; behind what it says already. */
void route_say(struct route *route, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void route_say_more(struct route *route, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One more thing that the decision changes, of this kind and otherwise zero. */
struct effect *route_add_effect(struct route *route, enum effect_kind kind);

/* What a signal that arms or disarms comes to. */
enum route_command {
	ROUTE_COMMAND_NONE,	 /* it does not, or the site does not care */
	ROUTE_COMMAND_TAKEN,	 /* it did: the decision has the effect */
	ROUTE_COMMAND_UNCHANGED, /* it was so before */
	ROUTE_COMMAND_REFUSED,	 /* another authority arms the site */
};
/* Looks at it whatever else becomes of the event; turns the qualifier of an
 * inverted input. */
enum route_command route_take_command(struct route *route);
/* Tests that are expected, and what we tell of tests ourselves. */
void route_note_test(struct route *route);
/* False: it only says from when on a test is awaited, and ends here. */
bool route_end_test(struct route *route);
/* Cameras and activations, after the zone is found. */
void route_note_absence(struct route *route);
/* False: it is for the history alone, and ends here. */
bool route_end_absence(struct route *route);
/* False: the event ends here. */
bool route_end_command(struct route *route, enum route_command command);

/* What the zone's type makes of its event. False: it ends here. */
bool route_behave(struct route *route);
/* It does not go out after all: its zone has stayed silent. */
void route_silence(struct route *route);
/* It goes out later if nothing else stops it; with the sentence. */
void route_wait(struct route *route, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Asked before its time, and nothing has changed. Always returns false. */
bool route_keep_waiting(struct route *route);

/* The site is, at the moment of receipt. */
bool route_on_test(const struct route *route);

/* Where a delivery goes, under which account. */
struct route_target {
	const struct directory_station *station;
	const struct directory_receiver *receiver;
	const char *account, *reference_id;
};
/* Add a delivery to the decision, which has room for it. False when the account
 * cannot be composed; the verdict is set then. */
bool route_compose(struct route *route, const struct route_target *target);

/* Add deliveries to further stations whose rules fit. What cannot go to one
 * of them is told in the sentence. */
void route_further(struct route *route);

#endif
