/*
 * A mail as a template: header lines, an empty line, a body, with named fields.
 *
 *   # a comment, before the empty line
 *   From: alarms@example.com
 *   To: {account}@station.example
 *   Subject: {qualifier}{code} {zone_name}
 *
 *   <Text>{xml:text}</Text>
 *
 * {name} is the field of that name in JSON lines (docs/PROTOCOLS.md), "" where
 * a signal has none; {xml:name} the same escaped for XML, in the body; {{ a
 * brace. No value can end a header or begin another one, and what would change
 * an address is refused.
 */
#ifndef EGRESS_MAIL_TEMPLATE_H
#define EGRESS_MAIL_TEMPLATE_H

#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

#define MAIL_RECIPIENTS_MAX 8
#define MAIL_ADDRESS_SIZE   256
#define MAIL_BYTES_MAX	    131072

struct mail_template;

/* 0, -EINVAL with the line that is wrong, or -ENOMEM. */
int mail_template_read(struct mail_template **ret, struct slice text,
    struct err *err);
void mail_template_close(struct mail_template **template);

/* The value of a field, valid UTF-8; SLICE_NONE: the signal has none. */
typedef struct slice (*mail_field_fn)(void *context, const char *name);

struct mail {
	char sender[MAIL_ADDRESS_SIZE]; /* as in From */
	unsigned recipient_count;
	char recipients[MAIL_RECIPIENTS_MAX][MAIL_ADDRESS_SIZE]; /* To */
	size_t length;
	char message[MAIL_BYTES_MAX]; /* lines end in CR LF; a NUL behind */
	char body[MAIL_BYTES_MAX];    /* while it is made */
};

/*
 * Its Message-ID is made of the field id, its Date of now. 0, or -EINVAL with
 * *ret_problem (static): this signal cannot be written so.
 */
int mail_template_write(const struct mail_template *template,
    mail_field_fn field, void *context, long long now_s, struct mail *ret,
    const char **ret_problem);

#endif
