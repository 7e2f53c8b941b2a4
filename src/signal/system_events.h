/*
 * The events that no zone raises: what they are called and which Contact ID
 * event they are by default. The same rows as the table system_event of the
 * database (tests/integration/test_library_agrees holds them together), which
 * says more about them. Read-only; any thread.
 */
#ifndef SIGNAL_SYSTEM_EVENTS_H
#define SIGNAL_SYSTEM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

struct system_event {
	const char *name;
	char qualifier; /* 'E' new event or opening, 'R' restore or closing */
	char code[4];
	bool of_camera; /* its zone says which channel it is about */
};

extern const struct system_event system_events[];
extern const size_t system_event_count;

/* NULL: none is called so. */
const struct system_event *system_event_by_name(const char *name);
const struct system_event *system_event_by_code(char qualifier,
    const char *code);

#endif
