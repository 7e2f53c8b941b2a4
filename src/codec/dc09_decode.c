#include "codec/dc09_wire.h"

#include <errno.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/contact_id.h"
#include "codec/sia.h"

#define SECOND_US 1000000
#define DAY_S	  86400
/* pad and its bar */
#define PAD_MAX 17

static bool
two_digits(const char *p, unsigned *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
	return true;
}

int
dc09_timestamp_decode(struct slice text, int64_t *ret_us)
{
	unsigned hour, minute, second, month, day, century, year;
	const char *p = text.data;
	int64_t days;

	if (text.length != DC09_TIMESTAMP_LENGTH || p[2] != ':' ||
	    p[5] != ':' || p[8] != ',' || p[11] != '-' || p[14] != '-')
		return -EINVAL;
	if (!two_digits(p, &hour) || !two_digits(p + 3, &minute) ||
	    !two_digits(p + 6, &second) || !two_digits(p + 9, &month) ||
	    !two_digits(p + 12, &day) || !two_digits(p + 15, &century) ||
	    !two_digits(p + 17, &year))
		return -EINVAL;
	if (hour > 23 || minute > 59 || second > 60 || month < 1 ||
	    month > 12 || day < 1 || day > 31)
		return -EINVAL;
	days = clock_days_from_date(century * 100 + year, month, day);
	*ret_us =
	    (days * DAY_S + hour * 3600 + minute * 60 + second) * SECOND_US;
	return 0;
}

/* The ']' that ends a bracket: text may hold one too, but then neither '[',
 * nor '_' nor the end follows. */
static const char *
find_bracket_end(const char *p, const char *end)
{
	while ((p = memchr(p, ']', (size_t)(end - p))) != NULL) {
		if (p + 1 == end || p[1] == '[' || p[1] == '_')
			return p;
		p++;
	}
	return NULL;
}

/* Split off "_timestamp"; what is left ends in ']' or is no content. */
static bool
cut_timestamp(struct slice *content, struct slice *ret)
{
	const char *start = content->data;
	const char *p = start + content->length;

	*ret = SLICE_NONE;
	if (content->length > 0 && p[-1] == ']')
		return true;
	while (p > start && p[-1] != ']')
		p--;
	if (p == start || *p != '_')
		return false;
	*ret = slice_of(p + 1, (size_t)(start + content->length - p) - 1);
	content->length = (size_t)(p - start);
	return true;
}

static bool
cut_content(struct slice content, struct dc09_content *ret)
{
	const char *end;

	if (!cut_timestamp(&content, &ret->timestamp))
		return false;
	ret->body = content;
	end = find_bracket_end(content.data, content.data + content.length);
	if (!end)
		return false;
	ret->data = slice_of(content.data, (size_t)(end - content.data));
	ret->extended =
	    slice_part(content, ret->data.length + 1, content.length);
	return true;
}

/* Where the header's account opens the data: "#acct|", or NULL. */
static const char *
find_account(struct slice region, struct slice account)
{
	const char *p = region.data, *end = region.data + region.length;

	if (account.length == 0)
		return NULL;
	while (p < end && (p = memchr(p, '#', (size_t)(end - p))) != NULL) {
		struct slice rest = slice_of(p + 1, (size_t)(end - p) - 1);

		if (rest.length > account.length &&
		    rest.data[account.length] == '|' &&
		    memcmp(rest.data, account.data, account.length) == 0)
			return p;
		p++;
	}
	return NULL;
}

/* The decrypted region without its pad (docs/PROTOCOLS.md, encryption). */
static bool
strip_pad(struct slice *region, struct slice account, unsigned tolerate)
{
	const char *end = region->data + region->length;
	const char *bracket = memchr(region->data, ']', region->length);
	const char *bar = memchr(region->data, '|', region->length);
	const char *start;

	if (!bracket)
		return false;
	if (bar && bar < bracket)
		start = bar + 1;
	else if (tolerate & DC09_TOLERATE_NO_PAD_BAR)
		start = bracket;
	else
		return false;
	/* a sender whose pad holds bars, or has none behind it */
	if (start < end && *start != '#') {
		const char *found = find_account(*region, account);

		if (found && found - region->data <= PAD_MAX &&
		    (found == region->data || found[-1] != '['))
			start = found;
	}
	*region = slice_of(start, (size_t)(end - start));
	return true;
}

/* A wrong key gives bytes that may end in a bracket by chance, but neither a
 * time nor the sender's account. */
static bool
key_proven(const struct dc09_content *content, struct slice account)
{
	int64_t time_us;

	if (slice_present(content->timestamp) &&
	    dc09_timestamp_decode(content->timestamp, &time_us) == 0)
		return true;
	return find_account(content->data, account) == content->data.data;
}

enum dc09_opened
dc09_content_open(struct dc09_crypto *crypto, const struct dc09_frame *frame,
    const struct codec_key *key, unsigned tolerate, char *plain,
    struct dc09_content *ret)
{
	struct slice region = frame->content;
	int length;

	if (!frame->encrypted)
		return cut_content(region, ret) ? DC09_OPENED
						: DC09_OPENED_BROKEN;
	if (!key || key->length == 0)
		return DC09_OPENED_NO_KEY;
	length = text_hex_decode(region, plain, DC09_BODY_MAX / 2);
	if (length <= 0 || length % 16 != 0 ||
	    !dc09_crypto_decrypt(crypto, key, plain, (size_t)length, plain))
		return DC09_OPENED_WRONG_KEY;
	region = slice_of(plain, (size_t)length);
	if (!strip_pad(&region, frame->account, tolerate) ||
	    !cut_content(region, ret) || !key_proven(ret, frame->account))
		return DC09_OPENED_WRONG_KEY;
	return DC09_OPENED;
}

void
dc09_signal_begin(const struct dc09_frame *frame, struct signal *ret)
{
	/* the tables are as long as their counts say: not worth clearing */
	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	ret->protocol = SIGNAL_PROTOCOL_DC09;
	ret->encrypted = frame->encrypted;
	ret->id = frame->id;
	ret->sequence = frame->sequence;
	ret->receiver = frame->receiver;
	ret->line = frame->line;
	ret->account = frame->account;
}

struct slice
dc09_data_account(struct slice data, struct slice *ret_account)
{
	const char *bar;
	size_t length;

	*ret_account = SLICE_NONE;
	if (data.length == 0 || data.data[0] != '#')
		return data;
	bar = memchr(data.data, '|', data.length);
	length = bar ? (size_t)(bar - data.data) : data.length;
	*ret_account = slice_of(data.data + 1, length - 1);
	return slice_part(data, length + 1, data.length);
}

bool
dc09_extended_decode(struct slice extended, struct signal *signal,
    const char **ret_reason)
{
	while (extended.length > 0 && extended.data[0] == '[') {
		const char *end = find_bracket_end(extended.data,
		    extended.data + extended.length);
		struct slice value, account;

		if (!end)
			break;
		value = slice_of(extended.data + 1,
		    (size_t)(end - extended.data) - 1);
		extended =
		    slice_part(extended, value.length + 2, extended.length);
		value = dc09_data_account(value, &account);
		if (value.length == 0)
			continue;
		if (signal->extended_count == SIGNAL_EXTENDED_MAX) {
			*ret_reason = "more extended data than one frame may "
				      "carry";
			return false;
		}
		signal->extended[signal->extended_count++] =
		    (struct signal_extended){ .id = value.data[0],
			    .value = slice_part(value, 1, value.length) };
	}
	if (extended.length > 0)
		*ret_reason = "bytes between the data and the extended data";
	return extended.length == 0;
}

/* id without '*' */
static struct slice
plain_id(const struct dc09_frame *frame)
{
	return slice_part(frame->id, frame->encrypted, frame->id.length);
}

/* "[#0001|0|NRP]": a field of its own before the blocks (AlphaVision XL). */
static struct slice
skip_extra_field(struct slice data, unsigned tolerate)
{
	if ((tolerate & DC09_TOLERATE_EXTRA_FIELD) && data.length >= 2 &&
	    memcmp(data.data, "0|", 2) == 0)
		return slice_part(data, 2, data.length);
	return data;
}

static bool
decode_contact_id(struct slice data, struct signal *ret,
    const char **ret_reason)
{
	if (contact_id_event_decode(data, &ret->events[0]) != CODEC_OK) {
		*ret_reason = "not a Contact ID event";
		return false;
	}
	ret->event_count = 1;
	return true;
}

static bool
decode_data(struct slice id, const struct dc09_content *content,
    unsigned tolerate, struct signal *ret, const char **ret_reason)
{
	struct slice data =
	    dc09_data_account(content->data, &ret->data_account);

	if (slice_is(id, "NULL") || slice_is(id, "XNM")) {
		ret->poll = true;
		return true;
	}
	if (!slice_is(id, "SIA-DCS") && !slice_is(id, "ADM-CID")) {
		*ret_reason = "unknown id";
		return false;
	}
	data = skip_extra_field(data, tolerate);
	if (data.length == 0) {
		*ret_reason = "no event data";
		return false;
	}
	if (slice_is(id, "ADM-CID"))
		return decode_contact_id(data, ret, ret_reason);
	return sia_decode(data, ret, ret_reason) == CODEC_OK;
}

/* Is the frame's own time within the window? Whole seconds, as the frame. */
static bool
time_accepted(int64_t panel_us, struct dc09_window window, int64_t now_us,
    const char **ret_reason)
{
	int64_t ahead_s = panel_us / SECOND_US - now_us / SECOND_US;

	if (panel_us == 0)
		*ret_reason = "encrypted without a timestamp";
	else if (ahead_s < -(int64_t)window.past_s)
		*ret_reason = "timestamp too old";
	else if (ahead_s > window.future_s)
		*ret_reason = "timestamp in the future";
	else
		return true;
	return false;
}

enum dc09_verdict
dc09_decode(struct dc09_crypto *crypto, const struct dc09_frame *frame,
    const struct codec_key *key, struct dc09_window window, unsigned tolerate,
    int64_t now_us, char *plain, struct signal *ret, const char **ret_reason)
{
	struct dc09_content content;
	bool sound;

	dc09_signal_begin(frame, ret);
	if (dc09_frame_is_reply(frame)) {
		*ret_reason = "a reply, and no receiver answers one";
		return DC09_IGNORE;
	}
	switch (dc09_content_open(crypto, frame, key, tolerate, plain,
	    &content)) {
	case DC09_OPENED_NO_KEY:
		*ret_reason = "encrypted, and no key is known";
		return DC09_UNREADABLE;
	case DC09_OPENED_WRONG_KEY:
		*ret_reason = "cannot be decrypted with this key";
		return DC09_UNREADABLE;
	case DC09_OPENED_BROKEN:
		*ret_reason = "brackets do not match";
		return DC09_DUH;
	case DC09_OPENED:
		break;
	}
	ret->body = content.body;
	if (slice_present(content.timestamp))
		dc09_timestamp_decode(content.timestamp, &ret->panel_time_us);
	sound =
	    decode_data(plain_id(frame), &content, tolerate, ret, ret_reason) &&
	    dc09_extended_decode(content.extended, ret, ret_reason);
	if (frame->encrypted && !(tolerate & DC09_TOLERATE_TIME) &&
	    !time_accepted(ret->panel_time_us, window, now_us, ret_reason))
		return DC09_NAK;
	return sound ? DC09_ACCEPT : DC09_DUH;
}
