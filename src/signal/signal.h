/*
 * struct signal: the one thing that travels. What a panel said, decoded but
 * not judged. A value: its slices borrow the frame it was decoded from (or the
 * buffer a journal record was read into); nobody frees anything.
 */
#ifndef SIGNAL_SIGNAL_H
#define SIGNAL_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Events in one frame and extended-data blocks; a frame with more is refused
 * (DUH), never cut. */
#define SIGNAL_EVENTS_MAX   32
#define SIGNAL_EXTENDED_MAX 16

/* In the journal and in PostgreSQL: never renumber. */
enum signal_protocol {
	SIGNAL_PROTOCOL_INTERNAL = 0, /* found by the daemon itself (watch) */
	SIGNAL_PROTOCOL_DC09 = 1,
	SIGNAL_PROTOCOL_SURGARD = 2,
	SIGNAL_PROTOCOL_DIALER = 3, /* Contact ID digits */
	SIGNAL_PROTOCOL_ADEMCO685 = 4,
	SIGNAL_PROTOCOL_D6500 = 5,
	SIGNAL_PROTOCOL_HTTP = 6, /* the bridge API */
};
#define SIGNAL_PROTOCOL_LAST SIGNAL_PROTOCOL_HTTP

enum signal_format {
	SIGNAL_FORMAT_NONE = 0,
	SIGNAL_FORMAT_CONTACT_ID = 1,
	SIGNAL_FORMAT_SIA = 2,
	/* Of panels whose codes mean what somebody once agreed on, each as a
	 * telephone receiver tells it (codec/surgard.h). A space in such a code
	 * is written '_'. */
	SIGNAL_FORMAT_PULSE = 3,
	SIGNAL_FORMAT_BFSK = 4,	      /* Modem II */
	SIGNAL_FORMAT_HIGH_SPEED = 5, /* Ademco */
	SIGNAL_FORMAT_ACRON = 6,
};
#define SIGNAL_FORMAT_LAST SIGNAL_FORMAT_ACRON

/* No table says what its codes mean; the alarm library may. */
static inline bool
signal_format_is_own(enum signal_format format)
{
	return format >= SIGNAL_FORMAT_PULSE;
}

/* Contact ID's own digits (DC-05). SIA codes carry it in the code itself. */
enum signal_qualifier {
	SIGNAL_QUALIFIER_NONE = 0,
	SIGNAL_QUALIFIER_NEW = 1,     /* E: new event, opening */
	SIGNAL_QUALIFIER_RESTORE = 3, /* R: restore, closing */
	SIGNAL_QUALIFIER_STATUS = 6,  /* P: still present */
};

#define SIGNAL_CODE_SIZE 4 /* "130" or "BA", NUL-terminated */

struct signal_event {
	enum signal_format format;
	enum signal_qualifier qualifier;
	char code[SIGNAL_CODE_SIZE];
	struct slice partition;	 /* "01"; SIA: the ri value */
	struct slice zone;	 /* "005"; SIA: the address */
	struct slice user;	 /* SIA: the id value */
	struct slice time;	 /* SIA: the ti value */
	struct slice date;	 /* SIA: the da value */
	struct slice peripheral; /* SIA: the pi value */
	struct slice text;	 /* raw bytes as sent */
	struct slice area_text;	 /* text given to the ri modifier */
	char block; /* SIA function: 'N' new, 'O' old; 0 otherwise */
};

struct signal_extended {
	char id; /* 'A'..'Z' */
	struct slice value;
};

struct signal {
	enum signal_protocol protocol;
	bool poll; /* link test: answered at once, not journalled */
	bool encrypted;
	/* as on the wire, byte for byte; SLICE_NONE when the field was absent */
	struct slice id; /* DC-09 token ("*ADM-CID"), Sur-Gard format digit */
	struct slice sequence;
	struct slice receiver;
	struct slice line; /* DC-09 Lpref */
	struct slice account;
	struct slice data_account;
	int64_t panel_time_us; /* the frame's own timestamp; 0: none */
	/* What makes a repeat a repeat: the payload without pad and timestamp. */
	struct slice body;
	unsigned event_count;
	struct signal_event events[SIGNAL_EVENTS_MAX];
	unsigned extended_count;
	struct signal_extended extended[SIGNAL_EXTENDED_MAX];
};

/* 'E', 'R', 'P', or 0 */
char signal_qualifier_letter(enum signal_qualifier qualifier);
/* from 1/3/6 or E/R/P; SIGNAL_QUALIFIER_NONE for anything else */
enum signal_qualifier signal_qualifier_from_char(char c);
/* "dc09"; never NULL */
const char *signal_protocol_name(enum signal_protocol protocol);
/* "contact-id", "sia", "pulse", "bfsk", "high-speed", "acron", "none" */
const char *signal_format_name(enum signal_format format);
/* SIGNAL_FORMAT_NONE for anything else */
enum signal_format signal_format_from_name(struct slice name);
/* The value of the first extended block with this id, or SLICE_NONE. */
struct slice signal_extended_value(const struct signal *signal, char id);

#endif
