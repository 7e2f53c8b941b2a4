#include "codec/ademco685.h"

#include <errno.h>

#include "codec/automation.h"
#include "codec/contact_id.h"
#include "signal/codes.h"

/* R G sp: what every message begins with. */
static const char *
write_start(struct writer *w, const struct ademco685_settings *settings,
    struct slice line_card)
{
	struct slice line = slice_present(line_card)
	    ? slice_strip_zeros(line_card)
	    : slice_from_string(settings->line);

	if (line.length != 1 || *line.data < '0' || *line.data > '9')
		return "the line card is not one digit";
	writer_u8(w, '\n');
	automation_write_string(w, settings->receiver);
	writer_u8(w, (uint8_t)*line.data);
	writer_u8(w, ' ');
	return NULL;
}

/* A and 0 are the same tone of a dialer, written 0. */
static const char *
write_account(struct writer *w, struct slice account)
{
	char digits[4];
	struct writer filled = writer_open(digits, sizeof(digits));

	if (account.length == 0 ||
	    !automation_write_aligned(&filled, account, sizeof(digits), '0'))
		return "the account is not 1 to 4 digits";
	for (size_t i = 0; i < sizeof(digits); i++) {
		char c = digits[i];

		if (c >= 'a' && c <= 'f')
			c = (char)(c - 'a' + 'A');
		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'F'))
			return "the account has characters that are no digits "
			       "(0-9, A-F)";
		writer_u8(w, c == 'A' ? '0' : (uint8_t)c);
	}
	return NULL;
}

/* Whether CCC says a user or a contact. */
static char
zone_letter(const struct delivery *delivery)
{
	const struct codes_contact_id *code =
	    codes_contact_id_find(delivery->code);

	bool user_only =
	    slice_present(delivery->user) && !slice_present(delivery->zone);

	return (code && code->field == 'U') || user_only ? 'U' : 'C';
}

static const char *
write_event(struct writer *w, const struct delivery *delivery)
{
	struct automation_contact_id fields;
	const char *problem = automation_contact_id_fill(delivery, &fields);

	if (problem)
		return problem;
	problem = write_account(w, delivery->account);
	automation_write_string(w, " 18 ");
	writer_u8(w, (uint8_t)signal_qualifier_letter(delivery->qualifier));
	automation_write_string(w, delivery->code);
	automation_write_string(w, " ");
	automation_write_string(w, fields.partition);
	automation_write_string(w, " ");
	writer_u8(w, (uint8_t)zone_letter(delivery));
	automation_write_string(w, fields.zone);
	writer_u8(w, '\r');
	return problem;
}

int
ademco685_encode(const struct ademco685_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct writer w = writer_open(out, ADEMCO685_MESSAGE_MAX);
	const char *problem = write_start(&w, settings, delivery->line_card);

	if (!problem)
		problem = write_event(&w, delivery);
	if (problem) {
		*ret_problem = problem;
		return -EINVAL;
	}
	return (int)writer_length(&w);
}

int
ademco685_heartbeat_encode(const struct ademco685_settings *settings, char *out)
{
	struct writer w = writer_open(out, ADEMCO685_MESSAGE_MAX);

	if (write_start(&w, settings, SLICE_NONE))
		return -EINVAL;
	automation_write_string(&w, "OKAY @\r");
	return (int)writer_length(&w);
}

/* "1234 18 QXYZ GG FCCC" */
static bool
decode_contact_id(struct slice text, struct signal *ret)
{
	char compact[9];
	struct signal_event *event = &ret->events[0];

	if (text.length != 20 || memcmp(text.data + 4, " 18 ", 4) != 0 ||
	    text.data[12] != ' ' || text.data[15] != ' ' ||
	    (text.data[16] != 'C' && text.data[16] != 'U'))
		return false;
	memcpy(compact, text.data + 8, 4);
	memcpy(compact + 4, text.data + 13, 2);
	memcpy(compact + 6, text.data + 17, 3);
	if (contact_id_event_decode(slice_of(compact, sizeof(compact)),
		event) != CODEC_OK)
		return false;
	ret->account = slice_part(text, 0, 4);
	event->partition = slice_part(text, 13, 2);
	event->zone = slice_part(text, 17, 3);
	if (text.data[16] == 'U')
		event->user = event->zone;
	ret->event_count = 1;
	return true;
}

/* message: between LF and CR */
static bool
decode_message(struct slice message, struct signal *ret)
{
	struct slice rest = slice_part(message, 3, message.length);

	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	if (message.length < 4 || message.data[2] != ' ')
		return false;
	ret->receiver = slice_part(message, 0, 1);
	ret->line = slice_part(message, 1, 1);
	ret->body = message;
	if (slice_is(rest, "OKAY @") || slice_is(rest, "OKAY @ ")) {
		ret->poll = true;
		return true;
	}
	return decode_contact_id(rest, ret);
}

enum codec_result
ademco685_decode(const char *data, size_t length, size_t *ret_consumed,
    struct signal *ret)
{
	const char *lf = length > 0 ? memchr(data, '\n', length) : NULL;
	size_t junk = lf ? (size_t)(lf - data) : length;
	const char *cr = lf ? memchr(lf, '\r', length - junk) : NULL;

	*ret_consumed = junk;
	if (!cr && length - junk < ADEMCO685_MESSAGE_MAX)
		return CODEC_MORE;
	if (!cr || cr - lf >= ADEMCO685_MESSAGE_MAX) {
		*ret_consumed = junk + 1;
		return CODEC_BAD;
	}
	*ret_consumed = (size_t)(cr - data) + 1;
	return decode_message(slice_of(lf + 1, (size_t)(cr - lf) - 1), ret)
	    ? CODEC_OK
	    : CODEC_BAD;
}
