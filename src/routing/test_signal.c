/* Tests of a site: those that are expected of it, and what we tell of them. */
#include "base/array.h"
#include "routing/internal.h"
#include "signal/codes.h"

#define CODE_MISSING "654"

/* Contact ID: manual, periodic and radio tests, with or without trouble. */
static const char *const tests[] = { "601", "602", "603", "608" };

static bool
is_test(const struct signal_event *event)
{
	char code[SIGNAL_CODE_SIZE];
	enum signal_qualifier qualifier;

	codes_contact_id(event->format, event->code, code, &qualifier);
	for (size_t i = 0; i < COUNT(tests); i++)
		if (strcmp(tests[i], code) == 0)
			return true;
	return false;
}

static void
add(struct route *route, enum effect_kind kind, bool on)
{
	struct effect *effect = route_add_effect(route, kind);

	effect->on = on;
	effect->at_us = route->request->received_us;
}

void
route_note_test(struct route *route)
{
	const struct signal_event *event = route->event;
	bool ours =
	    route->request->signal->protocol == SIGNAL_PROTOCOL_INTERNAL;

	if (!route->request->states)
		return;
	if (ours && strcmp(event->code, CODE_MISSING) == 0)
		add(route, EFFECT_TEST,
		    event->qualifier == SIGNAL_QUALIFIER_RESTORE);
	else if (ours && strcmp(event->code, ROUTE_CODE_ON_TEST) == 0)
		add(route, EFFECT_ON_TEST,
		    event->qualifier == SIGNAL_QUALIFIER_NEW);
	else if (!ours && route->site->test_interval_s > 0 && is_test(event))
		add(route, EFFECT_TEST, true);
}

bool
route_end_test(struct route *route)
{
	const struct signal_event *event = route->event;

	if (route->request->signal->protocol != SIGNAL_PROTOCOL_INTERNAL ||
	    strcmp(event->code, CODE_MISSING) != 0 ||
	    event->qualifier != SIGNAL_QUALIFIER_RESTORE)
		return true;
	return route_end(route, VERDICT_SUPPRESSED, "not for the station: %.*s",
	    SLICE_ARG(event->text));
}
