#include "codec/automation.h"

#include <errno.h>

#include "codec/codec.h"
#include "codec/sia.h"

#define ZONE_SIZE 16

void
automation_write_string(struct writer *w, const char *string)
{
	writer_bytes(w, string, strlen(string));
}

bool
automation_write_aligned(struct writer *w, struct slice value, size_t width,
    char fill)
{
	if (value.length > width)
		return false;
	for (size_t i = value.length; i < width; i++)
		writer_u8(w, (uint8_t)fill);
	writer_bytes(w, value.data, value.length);
	return true;
}

bool
automation_is_alphanumeric(struct slice s)
{
	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= 'a' && c <= 'z'))
			return false;
	}
	return s.length > 0;
}

struct slice
automation_zone_or_user(const struct delivery *delivery)
{
	return slice_present(delivery->zone) ? delivery->zone : delivery->user;
}

bool
automation_write_number(struct writer *w, struct slice number, size_t digits)
{
	return (number.length == 0 || automation_is_alphanumeric(number)) &&
	    automation_write_aligned(w, slice_strip_zeros(number), digits, '0');
}

/* The same as a string. */
static bool
fill_number(struct slice number, char *out, size_t digits)
{
	struct writer w = writer_open(out, digits + 1);
	bool fits = automation_write_number(&w, number, digits);

	writer_u8(&w, '\0');
	return fits;
}

const char *
automation_contact_id_fill(const struct delivery *delivery,
    struct automation_contact_id *ret)
{
	if (signal_format_is_own(delivery->format))
		return CODEC_OWN_CODE;
	if (delivery->format != SIGNAL_FORMAT_CONTACT_ID ||
	    signal_qualifier_letter(delivery->qualifier) == 0 ||
	    strlen(delivery->code) != 3)
		return "not a Contact ID event";
	if (!fill_number(delivery->partition, ret->partition, 2))
		return "the partition is no number of 2 digits";
	if (!fill_number(automation_zone_or_user(delivery), ret->zone, 3))
		return "the zone or user is no number of 3 digits";
	return NULL;
}

const char *
automation_write_sia_block(struct writer *w, const struct delivery *delivery,
    unsigned zone_digits, size_t after)
{
	struct signal_event event = { .format = SIGNAL_FORMAT_SIA,
		.block = 'N',
		.partition = delivery->partition,
		.zone = delivery->zone,
		.user = delivery->user,
		.text = delivery->text };
	char zone[ZONE_SIZE];
	const char *problem = NULL;
	int length;

	memcpy(event.code, delivery->code, sizeof(event.code));
	if (zone_digits > 0 && slice_present(delivery->zone)) {
		if (!fill_number(delivery->zone, zone, zone_digits))
			return "the zone is no number of 4 digits";
		event.zone = slice_from_string(zone);
	}
	automation_write_string(w, "[#");
	writer_bytes(w, delivery->account.data, delivery->account.length);
	automation_write_string(w, "|");
	for (int attempt = 0; attempt < 2; attempt++) {
		length = (int)(w->end - w->position) - 1 - (int)after;
		length = sia_encode(&event, (char *)w->position,
		    length > 0 ? (size_t)length : 0, &problem);
		if (length != -ENAMETOOLONG)
			break;
		event.text = SLICE_NONE;
	}
	if (length < 0)
		return problem;
	w->position += length;
	automation_write_string(w, "]");
	return NULL;
}
