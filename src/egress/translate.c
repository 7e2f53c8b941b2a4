#include "egress/translate.h"

#include "signal/codes.h"

/* The number of a Contact ID event, zone or user, is SIA's address. */
static void
to_sia(struct delivery *delivery)
{
	const char *sia =
	    codes_sia_from_contact_id(delivery->code, delivery->qualifier);

	if (!sia)
		return;
	delivery->format = SIGNAL_FORMAT_SIA;
	delivery->qualifier = SIGNAL_QUALIFIER_NONE;
	slice_copy(slice_from_string(sia), delivery->code,
	    sizeof(delivery->code));
}

static void
to_contact_id(struct delivery *delivery)
{
	enum signal_qualifier qualifier;
	char code[4];

	if (!codes_contact_id_from_sia(delivery->code, code, &qualifier))
		return;
	delivery->format = SIGNAL_FORMAT_CONTACT_ID;
	delivery->qualifier = qualifier;
	memcpy(delivery->code, code, sizeof(delivery->code));
}

void
translate_delivery(enum directory_translation wanted, struct delivery *delivery)
{
	if (wanted == DIRECTORY_TRANSLATION_SIA &&
	    delivery->format == SIGNAL_FORMAT_CONTACT_ID)
		to_sia(delivery);
	else if (wanted == DIRECTORY_TRANSLATION_CONTACT_ID &&
	    delivery->format == SIGNAL_FORMAT_SIA)
		to_contact_id(delivery);
}
