/*
 * The code tables: Contact ID events, SIA codes, and the map between them,
 * generated from signal/data/ (whose headers name the columns and whose
 * sources stand in docs/PROTOCOLS.md). Read-only; any thread.
 */
#ifndef SIGNAL_CODES_H
#define SIGNAL_CODES_H

#include <stdbool.h>
#include <stddef.h>

#include "signal/signal.h"

struct codes_contact_id {
	char code[4];
	const char *meaning;
	char field; /* what CCC means: 'Z'one, 'U'ser, 'D'ownloader, '-' */
	const char *kind; /* column class: "alarm", "trouble", ... */
};

struct codes_sia {
	char code[3];
	const char *meaning;
	const char *address; /* what the address means: "Zone or point", ... */
	const char *kind;
};

/* The row, or NULL for a code that no table knows. */
const struct codes_contact_id *codes_contact_id_find(const char *code);
const struct codes_sia *codes_sia_find(const char *code);

/* The suggested SIA code ("BA") of a Contact ID event; NULL: no translation. */
const char *codes_sia_from_contact_id(const char *code,
    enum signal_qualifier qualifier);

/* The Contact ID event that this SIA code is taken for: a zone alarm where any
 * maker sends it for one, else the first that it is suggested for, else the
 * first that some maker sends it for; false: none. */
bool codes_contact_id_from_sia(const char *sia, char ret_code[4],
    enum signal_qualifier *ret_qualifier);

/* The Contact ID event of a code. Of SIA the qualifier is set, of Contact ID it
 * is left as it is. False: SIA without translation, or a panel's own code;
 * ret_code is "" then. */
bool codes_contact_id(enum signal_format format, const char *code,
    char ret_code[4], enum signal_qualifier *qualifier);

/* A code of either format as people write it, "E130" or "BA", with its end. */
#define CODES_TEXT_SIZE 5

/* Both codes of an event: the one that came, and what stands for it: `other`, or
 * what the table takes it for where that is NULL or "". */
struct codes_both {
	char contact_id[SIGNAL_CODE_SIZE]; /* "": none */
	enum signal_qualifier qualifier;
	const char *sia;  /* NULL: none; borrows code or other */
	const char *kind; /* "alarm"; "other" for what no table knows */
};
void codes_both_find(enum signal_format format, const char *code,
    enum signal_qualifier qualifier, const char *other, struct codes_both *ret);

/* What the alarm library calls an inbound code: itself, or of a panel's own code
 * Sur-Gard's digit of its format and the code, as in "1-A" or "8-17". */
#define CODES_INBOUND_SIZE 6
const char *codes_inbound_format(enum signal_format format, const char *code,
    char out[CODES_INBOUND_SIZE]);

/* Medical, fire, panic and hold-up, or their end; and what may be that for all
 * anybody here knows: a panel's own code. */
bool codes_is_life_safety(enum signal_format format, const char *code);

/* A zone reporting an alarm (or its restore), in Contact ID or SIA: what a
 * bridge's alarm library speaks about. Everything else passes. */
bool codes_is_zone_alarm(const struct signal_event *event);

#endif
