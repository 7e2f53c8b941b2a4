#include "signal/signal.h"

char
signal_qualifier_letter(enum signal_qualifier qualifier)
{
	switch (qualifier) {
	case SIGNAL_QUALIFIER_NEW:
		return 'E';
	case SIGNAL_QUALIFIER_RESTORE:
		return 'R';
	case SIGNAL_QUALIFIER_STATUS:
		return 'P';
	case SIGNAL_QUALIFIER_NONE:
		break;
	}
	return 0;
}

enum signal_qualifier
signal_qualifier_from_char(char c)
{
	switch (c) {
	case '1':
	case 'E':
		return SIGNAL_QUALIFIER_NEW;
	case '3':
	case 'R':
		return SIGNAL_QUALIFIER_RESTORE;
	case '6':
	case 'P':
		return SIGNAL_QUALIFIER_STATUS;
	default:
		return SIGNAL_QUALIFIER_NONE;
	}
}

const char *
signal_protocol_name(enum signal_protocol protocol)
{
	switch (protocol) {
	case SIGNAL_PROTOCOL_INTERNAL:
		return "internal";
	case SIGNAL_PROTOCOL_DC09:
		return "dc09";
	case SIGNAL_PROTOCOL_SURGARD:
		return "surgard";
	case SIGNAL_PROTOCOL_DIALER:
		return "dialer";
	case SIGNAL_PROTOCOL_ADEMCO685:
		return "ademco685";
	case SIGNAL_PROTOCOL_D6500:
		return "d6500";
	case SIGNAL_PROTOCOL_HTTP:
		return "http";
	}
	return "unknown";
}

const char *
signal_format_name(enum signal_format format)
{
	switch (format) {
	case SIGNAL_FORMAT_NONE:
		return "none";
	case SIGNAL_FORMAT_CONTACT_ID:
		return "contact-id";
	case SIGNAL_FORMAT_SIA:
		return "sia";
	case SIGNAL_FORMAT_PULSE:
		return "pulse";
	case SIGNAL_FORMAT_BFSK:
		return "bfsk";
	case SIGNAL_FORMAT_HIGH_SPEED:
		return "high-speed";
	case SIGNAL_FORMAT_ACRON:
		return "acron";
	}
	return "unknown";
}

enum signal_format
signal_format_from_name(struct slice name)
{
	for (unsigned i = 0; i <= SIGNAL_FORMAT_LAST; i++)
		if (slice_is(name, signal_format_name((enum signal_format)i)))
			return (enum signal_format)i;
	return SIGNAL_FORMAT_NONE;
}

struct slice
signal_extended_value(const struct signal *signal, char id)
{
	for (unsigned i = 0; i < signal->extended_count; i++)
		if (signal->extended[i].id == id)
			return signal->extended[i].value;
	return SLICE_NONE;
}
