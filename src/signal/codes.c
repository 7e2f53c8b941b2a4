#include "signal/codes.h"

#include <stdio.h>
#include <stdlib.h>

#include "signal/codes_table.h"

static int
compare_key(const void *key, const void *row)
{
	return strcmp(key, row); /* every row begins with its code */
}

const struct codes_contact_id *
codes_contact_id_find(const char *code)
{
	return bsearch(code, codes_contact_id_table,
	    codes_contact_id_table_count, sizeof(codes_contact_id_table[0]),
	    compare_key);
}

const struct codes_sia *
codes_sia_find(const char *code)
{
	return bsearch(code, codes_sia_table, codes_sia_table_count,
	    sizeof(codes_sia_table[0]), compare_key);
}

const char *
codes_sia_from_contact_id(const char *code, enum signal_qualifier qualifier)
{
	for (size_t i = 0; i < codes_pair_table_count; i++)
		if (codes_pair_table[i].suggested &&
		    codes_pair_table[i].qualifier == (int)qualifier &&
		    strcmp(codes_pair_table[i].event, code) == 0)
			return codes_pair_table[i].sia;
	return NULL;
}

bool
codes_contact_id_from_sia(const char *sia, char ret_code[4],
    enum signal_qualifier *ret_qualifier)
{
	for (size_t i = 0; i < codes_pair_table_count; i++) {
		const struct codes_pair *pair = &codes_pair_table[i];

		if (strcmp(pair->sia, sia) != 0)
			continue;
		memcpy(ret_code, pair->event, sizeof(pair->event));
		*ret_qualifier = (enum signal_qualifier)pair->qualifier;
		return true;
	}
	return false;
}

bool
codes_contact_id(enum signal_format format, const char *code, char ret_code[4],
    enum signal_qualifier *qualifier)
{
	memset(ret_code, 0, SIGNAL_CODE_SIZE);
	if (signal_format_is_own(format))
		return false;
	if (format == SIGNAL_FORMAT_SIA)
		return codes_contact_id_from_sia(code, ret_code, qualifier);
	for (size_t i = 0; i < SIGNAL_CODE_SIZE - 1 && code[i]; i++)
		ret_code[i] = code[i];
	return true;
}

/* "E130" */
static void
take_contact_id(const char *text, struct codes_both *ret)
{
	ret->qualifier = signal_qualifier_from_char(text[0]);
	snprintf(ret->contact_id, sizeof(ret->contact_id), "%s", text + 1);
}

void
codes_both_find(enum signal_format format, const char *code,
    enum signal_qualifier qualifier, const char *other, struct codes_both *ret)
{
	bool given = other && *other;
	const struct codes_contact_id *contact_id;
	const struct codes_sia *sia;

	*ret = (struct codes_both){ .qualifier = qualifier, .kind = "other" };
	if (signal_format_is_own(format))
		return;
	codes_contact_id(format, code, ret->contact_id, &ret->qualifier);
	if (format == SIGNAL_FORMAT_SIA) {
		ret->sia = code;
		if (given)
			take_contact_id(other, ret);
		sia = codes_sia_find(code);
		if (sia)
			ret->kind = sia->kind;
		return;
	}
	ret->sia = given ? other : codes_sia_from_contact_id(code, qualifier);
	contact_id = codes_contact_id_find(code);
	if (contact_id)
		ret->kind = contact_id->kind;
}

const char *
codes_inbound_format(enum signal_format format, const char *code,
    char out[CODES_INBOUND_SIZE])
{
	static const char digits[SIGNAL_FORMAT_LAST + 1] = {
		[SIGNAL_FORMAT_PULSE] = '1',
		[SIGNAL_FORMAT_BFSK] = '6',
		[SIGNAL_FORMAT_HIGH_SPEED] = '8',
		[SIGNAL_FORMAT_ACRON] = '9',
	};

	if (!signal_format_is_own(format))
		return code;
	snprintf(out, CODES_INBOUND_SIZE, "%c-%.3s", digits[format], code);
	return out;
}

bool
codes_is_life_safety(enum signal_format format, const char *code)
{
	char contact_id[SIGNAL_CODE_SIZE];
	enum signal_qualifier qualifier;

	if (signal_format_is_own(format))
		return true;
	return codes_contact_id(format, code, contact_id, &qualifier) &&
	    contact_id[0] == '1' && contact_id[1] >= '0' &&
	    contact_id[1] <= '2';
}

bool
codes_is_zone_alarm(const struct signal_event *event)
{
	char code[4];
	enum signal_qualifier qualifier;
	const char *contact_id = event->code;

	if (signal_format_is_own(event->format))
		return false;
	if (event->format == SIGNAL_FORMAT_SIA) {
		if (!codes_contact_id_from_sia(event->code, code, &qualifier))
			return false;
		contact_id = code;
	}
	/* 420 and 421: the intercom zone types of the built-in library */
	return contact_id[0] == '1' || strcmp(contact_id, "420") == 0 ||
	    strcmp(contact_id, "421") == 0;
}
