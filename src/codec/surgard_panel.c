#include "codec/surgard_panel.h"

#include "codec/automation.h"

#define BODY_LENGTH    16 /* of all but high speed and LONG_CALLER */
#define LONG_CALLER    24 /* the account and 18 characters */
#define ACCOUNT_FIELD  10 /* of pulse formats and BFSK */
#define ACRON_CHANNELS 8
#define FEW_CHANNELS   9
#define MANY_CHANNELS  17
#define BLOCK	       5 /* four channels and a space */
#define CHANNEL_NORMAL '5'

/* The channels' names; one digit where there are nine at most. */
static const char channel_names[MANY_CHANNELS][3] = { "01", "02", "03", "04",
	"05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16",
	"17" };

/* ---- reading ------------------------------------------------------------------- */

static bool
take_account(struct slice field, struct signal *ret)
{
	ret->account = slice_skip_spaces(field);
	return automation_is_alphanumeric(ret->account);
}

/* False: there is something else than letters, digits and spaces. */
static bool
take_code(const char *field, size_t length, struct signal_event *event)
{
	for (size_t i = 0; i < length; i++) {
		if (field[i] != ' ' &&
		    !automation_is_alphanumeric(slice_of(field + i, 1)))
			return false;
		event->code[i] = field[i] == ' ' ? '_' : field[i];
	}
	return true;
}

/* Right-aligned; none where all of it is spaces. */
static bool
take_number(struct slice field, struct slice *ret)
{
	struct slice number = slice_skip_spaces(field);

	*ret = number.length > 0 ? number : SLICE_NONE;
	return number.length == 0 || automation_is_alphanumeric(number);
}

/* Openings and closings have letters of their own, with the user who did. What
 * others mean the receiver lets be chosen; R is a remote access at some. */
static void
understand_pulse(struct signal_event *event)
{
	bool opening = event->code[0] == 'O', closing = event->code[0] == 'C';

	if (opening)
		event->qualifier = SIGNAL_QUALIFIER_NEW;
	else if (closing)
		event->qualifier = SIGNAL_QUALIFIER_RESTORE;
	if (opening || closing) {
		event->user = event->zone;
		event->zone = SLICE_NONE;
	}
}

/* "ssssAAAAAAsXGYYY" */
static bool
decode_pulse(struct slice text, struct signal *ret)
{
	struct signal_event *event = &ret->events[0];

	*event = (struct signal_event){ .format = SIGNAL_FORMAT_PULSE };
	ret->event_count = 1;
	if (!take_account(slice_part(text, 0, ACCOUNT_FIELD), ret) ||
	    !take_code(text.data + 11, 1, event) ||
	    !take_number(slice_part(text, 12, 1), &event->partition) ||
	    !take_number(slice_part(text, 13, 3), &event->zone))
		return false;
	if (event->code[0] == '_' && !slice_present(event->zone))
		return false; /* it says nothing */
	understand_pulse(event);
	return true;
}

/* "ssssssAAAAXXYYYY" */
static bool
decode_bfsk(struct slice text, struct signal *ret)
{
	struct signal_event *event = &ret->events[0];

	*event = (struct signal_event){ .format = SIGNAL_FORMAT_BFSK };
	ret->event_count = 1;
	return take_account(slice_part(text, 0, ACCOUNT_FIELD), ret) &&
	    take_code(text.data + ACCOUNT_FIELD, 2, event) &&
	    take_number(slice_part(text, 12, 4), &event->zone) &&
	    strcmp(event->code, "__") != 0;
}

static bool
is_hexadecimal(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* "CCCC CCCC C" into its digits. */
static bool
read_channels(struct slice blocks, unsigned count, char digits[MANY_CHANNELS])
{
	if (blocks.length != count + (count - 1) / (BLOCK - 1))
		return false;
	for (size_t i = 0, n = 0; i < blocks.length; i++) {
		if (i % BLOCK == BLOCK - 1 ? blocks.data[i] != ' '
					   : !is_hexadecimal(blocks.data[i]))
			return false;
		if (i % BLOCK != BLOCK - 1)
			digits[n++] = blocks.data[i];
	}
	return true;
}

static struct signal_event *
add_channel(struct signal *ret, enum signal_format format, unsigned channel,
    bool many, struct slice text)
{
	struct signal_event *event = &ret->events[ret->event_count++];
	const char *name = channel_names[channel];

	*event = (struct signal_event){ .format = format,
		.zone = slice_from_string(many ? name : name + 1),
		.text = text };
	return event;
}

/* Duress, a low battery, a test, and what nobody printed: it is about no other
 * channel, or not only. */
static bool
reports_itself(char last)
{
	return last < '2' || last > '7';
}

/* As printed: an opening (2) or closing (4) of whom the channels tell, else what
 * each of them says. With a duress that may be whom it is about: no restore. */
static enum signal_qualifier
high_speed_qualifier(char digit, char last)
{
	static const enum signal_qualifier said[] = {
		[0] = SIGNAL_QUALIFIER_NEW, /* trouble */
		[1] = SIGNAL_QUALIFIER_NEW,
		[2] = SIGNAL_QUALIFIER_NEW, /* opening */
		[3] = SIGNAL_QUALIFIER_RESTORE,
		[4] = SIGNAL_QUALIFIER_RESTORE, /* closing */
		[5] = SIGNAL_QUALIFIER_NONE,
		[6] = SIGNAL_QUALIFIER_STATUS,
	};

	if (last == '2')
		return SIGNAL_QUALIFIER_NEW;
	if (last == '4')
		return SIGNAL_QUALIFIER_RESTORE;
	if (reports_itself(last) || digit < '0' || digit > '6')
		return SIGNAL_QUALIFIER_NONE;
	return said[digit - '0'];
}

/* The last digit says what the channels before it report. */
static void
add_high_speed(struct signal *ret, const char *digits, unsigned count,
    struct slice text)
{
	char last = digits[count - 1];
	bool many = count == MANY_CHANNELS;
	struct signal_event *event;

	for (unsigned i = 0; i + 1 < count; i++) {
		if (digits[i] == CHANNEL_NORMAL)
			continue;
		event =
		    add_channel(ret, SIGNAL_FORMAT_HIGH_SPEED, i, many, text);
		event->code[0] = digits[i];
		event->code[1] = last;
		event->qualifier = high_speed_qualifier(digits[i], last);
	}
	if (ret->event_count > 0 && !reports_itself(last))
		return;
	event =
	    add_channel(ret, SIGNAL_FORMAT_HIGH_SPEED, count - 1, many, text);
	event->code[0] = last;
}

/* "AAAAsCCCCsCCCCsC": shorter accounts are not filled. */
static bool
decode_high_speed(struct slice text, struct signal *ret)
{
	char digits[MANY_CHANNELS];
	const char *space;
	size_t length;
	unsigned count = MANY_CHANNELS;

	text = slice_skip_spaces(text);
	space = text.length > 0 ? memchr(text.data, ' ', text.length) : NULL;
	if (!space)
		return false;
	length = (size_t)(space - text.data);
	if (!take_account(slice_part(text, 0, length), ret))
		return false;
	text = slice_part(text, length + 1, text.length);
	if (!read_channels(text, count, digits)) {
		count = FEW_CHANNELS;
		if (!read_channels(text, count, digits))
			return false;
	}
	add_high_speed(ret, digits, count, text);
	return true;
}

/* "ssssAAAACCCCCCCC" */
static bool
decode_acron(struct slice text, struct signal *ret)
{
	struct slice channels = slice_part(text, 8, ACRON_CHANNELS);
	struct signal_event *event;

	if (!take_account(slice_part(text, 0, 8), ret))
		return false;
	for (unsigned i = 0; i < ACRON_CHANNELS; i++) {
		if (!is_hexadecimal(channels.data[i]))
			return false;
		if (channels.data[i] == CHANNEL_NORMAL)
			continue;
		event =
		    add_channel(ret, SIGNAL_FORMAT_ACRON, i, false, channels);
		event->code[0] = channels.data[i];
	}
	if (ret->event_count > 0)
		return true;
	ret->event_count = 1; /* that all of them are normal */
	ret->events[0] = (struct signal_event){ .format = SIGNAL_FORMAT_ACRON,
		.code = { CHANNEL_NORMAL },
		.text = channels };
	return true;
}

/* "AAAAAALLLTTTTTTT", or a longer number or a name; who hides the number may leave all of it out. */
static bool
decode_caller(struct slice text, struct signal *ret)
{
	struct slice number = slice_part(text, 6, text.length);

	for (size_t i = 0; i < number.length; i++)
		if (number.data[i] < ' ' || number.data[i] > '~')
			return false;
	ret->account = slice_skip_spaces(slice_part(text, 0, 6));
	ret->event_count = 1;
	ret->events[0] = (struct signal_event){ .format = SIGNAL_FORMAT_NONE,
		.text = slice_skip_spaces(number) };
	return ret->account.length == 0 ||
	    automation_is_alphanumeric(ret->account);
}

bool
surgard_panel_decode(char digit, struct slice text, struct signal *ret)
{
	ret->event_count = 0;
	if (digit == '8')
		return decode_high_speed(text, ret);
	if (digit == 'U' || digit == 'u')
		return text.length == LONG_CALLER && decode_caller(text, ret);
	if (text.length != BODY_LENGTH)
		return false;
	switch (digit) {
	case '1': /* a receiver may be set to say BFSK so too */
		return text.data[ACCOUNT_FIELD] == ' ' ? decode_pulse(text, ret)
						       : decode_bfsk(text, ret);
	case '4':
		return decode_caller(text, ret);
	case '6':
		return decode_bfsk(text, ret);
	case '9':
		return decode_acron(text, ret);
	default:
		return false;
	}
}

/* ---- writing ------------------------------------------------------------------- */

char
surgard_panel_digit(enum signal_format format)
{
	switch (format) {
	case SIGNAL_FORMAT_PULSE:
		return '1';
	case SIGNAL_FORMAT_BFSK:
		return '6';
	case SIGNAL_FORMAT_HIGH_SPEED:
		return '8';
	case SIGNAL_FORMAT_ACRON:
		return '9';
	case SIGNAL_FORMAT_NONE:
	case SIGNAL_FORMAT_CONTACT_ID:
	case SIGNAL_FORMAT_SIA:
		break;
	}
	return 0;
}

static bool
write_code(struct writer *w, const char *code, size_t length)
{
	if (strlen(code) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		writer_u8(w, (uint8_t)(code[i] == '_' ? ' ' : code[i]));
	return true;
}

/* As it came; the zeros of these say how long it was. */
static bool
write_field(struct writer *w, struct slice value, size_t width)
{
	return (value.length == 0 || automation_is_alphanumeric(value)) &&
	    automation_write_aligned(w, value, width, ' ');
}

static const char *
write_pulse(struct writer *w, const struct delivery *delivery)
{
	automation_write_string(w, "    ");
	if (!write_field(w, delivery->account, 6))
		return "the account has more than 6 characters";
	writer_u8(w, ' ');
	if (!write_code(w, delivery->code, 1))
		return "not a code of a pulse format";
	if (!write_field(w, delivery->partition, 1))
		return "the group has more than 1 character";
	if (!write_field(w, automation_zone_or_user(delivery), 3))
		return "the zone or user has more than 3 characters";
	return NULL;
}

static const char *
write_bfsk(struct writer *w, const struct delivery *delivery)
{
	if (!write_field(w, delivery->account, ACCOUNT_FIELD))
		return "the account has more than 10 characters";
	if (!write_code(w, delivery->code, 2))
		return "not a code of BFSK";
	if (!write_field(w, automation_zone_or_user(delivery), 4))
		return "the zone has more than 4 characters";
	return NULL;
}

/* Zeros to four characters, as receivers do it. */
static bool
write_short_account(struct writer *w, struct slice account, size_t most)
{
	return account.length <= most &&
	    automation_write_aligned(w, account,
		account.length < 4 ? 4 : account.length, '0');
}

/* The channel that the zone names, from 0; count: it names none of them. */
static unsigned
find_channel(struct slice zone, unsigned count)
{
	unsigned long number;

	if (slice_to_number(zone, 10, &number) < 0 || number < 1 ||
	    number > count)
		return count;
	return (unsigned)number - 1;
}

static const char *
write_high_speed(struct writer *w, const struct delivery *delivery)
{
	unsigned count =
	    delivery->zone.length == 2 ? MANY_CHANNELS : FEW_CHANNELS;
	unsigned channel = find_channel(delivery->zone, count);
	const char *code = delivery->code;
	size_t digits = channel + 1 < count ? 2 : 1; /* the last stands alone */

	if (!write_short_account(w, delivery->account, 6))
		return "the account has more than 6 characters";
	if (channel == count)
		return "the zone is no channel of the high speed format";
	if (strlen(code) != digits)
		return "not a code of the high speed format";
	for (unsigned i = 0; i < count; i++) {
		if (i % (BLOCK - 1) == 0)
			writer_u8(w, ' ');
		writer_u8(w,
		    (uint8_t)(i + 1 == count ? code[digits - 1]
			    : i == channel   ? code[0]
					     : CHANNEL_NORMAL));
	}
	return NULL;
}

static const char *
write_acron(struct writer *w, const struct delivery *delivery)
{
	unsigned channel = find_channel(delivery->zone, ACRON_CHANNELS);
	bool normal = !slice_present(delivery->zone);

	automation_write_string(w, "    ");
	if (!write_short_account(w, delivery->account, 4))
		return "the account has more than 4 characters";
	if (strlen(delivery->code) != 1 ||
	    (normal && delivery->code[0] != CHANNEL_NORMAL))
		return "not a code of the Acron format";
	if (channel == ACRON_CHANNELS && !normal)
		return "the zone is no channel of the Acron format";
	for (unsigned i = 0; i < ACRON_CHANNELS; i++)
		writer_u8(w,
		    (uint8_t)(i == channel ? delivery->code[0]
					   : CHANNEL_NORMAL));
	return NULL;
}

const char *
surgard_panel_write(struct writer *w, const struct delivery *delivery)
{
	switch (surgard_panel_digit(delivery->format)) {
	case '1':
		return write_pulse(w, delivery);
	case '6':
		return write_bfsk(w, delivery);
	case '8':
		return write_high_speed(w, delivery);
	default:
		return write_acron(w, delivery);
	}
}
