#include "egress/translate.h"

#include <stdio.h>

const char *
translate_code_format(const struct delivery *delivery,
    char out[CODES_TEXT_SIZE])
{
	const char letter[] = { signal_qualifier_letter(delivery->qualifier),
		'\0' };

	snprintf(out, CODES_TEXT_SIZE, "%s%.3s",
	    delivery->format == SIGNAL_FORMAT_CONTACT_ID ? letter : "",
	    delivery->code);
	return out;
}

/* What stands for it in "E130=BA,R130=BH"; absent: nothing. */
static struct slice
find_own(const char *codes, const struct delivery *delivery)
{
	char came[CODES_TEXT_SIZE];
	size_t length = strlen(translate_code_format(delivery, came)),
	       pair_length;

	for (const char *pair = codes; *pair;
	     pair += pair_length + (pair[pair_length] == ',')) {
		pair_length = strcspn(pair, ",");
		if (strncmp(pair, came, length) == 0 && pair[length] == '=')
			return slice_of(pair + length + 1,
			    pair_length - length - 1);
	}
	return SLICE_NONE;
}

static void
become_sia(struct delivery *delivery, struct slice code)
{
	delivery->format = SIGNAL_FORMAT_SIA;
	delivery->qualifier = SIGNAL_QUALIFIER_NONE;
	slice_copy(code, delivery->code, sizeof(delivery->code));
}

static void
become_contact_id(struct delivery *delivery, enum signal_qualifier qualifier,
    struct slice code)
{
	delivery->format = SIGNAL_FORMAT_CONTACT_ID;
	delivery->qualifier = qualifier;
	slice_copy(code, delivery->code, sizeof(delivery->code));
}

/* The number of a Contact ID event, zone or user, is SIA's address. */
static bool
to_sia(const char *codes, struct delivery *delivery)
{
	struct slice sia = find_own(codes, delivery);

	if (sia.length == 0)
		sia =
		    slice_from_string(codes_sia_from_contact_id(delivery->code,
			delivery->qualifier));
	if (sia.length == 0)
		return false;
	become_sia(delivery, sia);
	return true;
}

static bool
to_contact_id(const char *codes, struct delivery *delivery)
{
	struct slice own = find_own(codes, delivery);
	enum signal_qualifier qualifier;
	char code[4];

	if (own.length == 4)
		become_contact_id(delivery,
		    signal_qualifier_from_char(own.data[0]),
		    slice_of(own.data + 1, 3));
	else if (codes_contact_id_from_sia(delivery->code, code, &qualifier))
		become_contact_id(delivery, qualifier, slice_from_string(code));
	else
		return false;
	return true;
}

bool
translate_delivery(const struct directory_receiver *receiver,
    struct delivery *delivery)
{
	if (receiver->translation == DIRECTORY_TRANSLATION_SIA &&
	    delivery->format == SIGNAL_FORMAT_CONTACT_ID)
		return to_sia(receiver->codes, delivery);
	return receiver->translation == DIRECTORY_TRANSLATION_CONTACT_ID &&
	    delivery->format == SIGNAL_FORMAT_SIA &&
	    to_contact_id(receiver->codes, delivery);
}

const char *
translate_own(const struct directory_receiver *receiver,
    const struct delivery *delivery, char out[CODES_TEXT_SIZE])
{
	slice_copy(find_own(receiver->codes, delivery), out, CODES_TEXT_SIZE);
	return out;
}
