#include "codec/sia.h"

#include <errno.h>

#include "base/cursor.h"

/* What is left of a block, and the modifiers that hold so far. */
struct sia_reader {
	struct slice left;
	struct signal_event modifiers; /* code empty */
	char text_name[2];	       /* whose value modifiers.text explains */
	struct signal *signal;
	const char *problem;
};

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') ||
	    (c >= 'a' && c <= 'f');
}

static struct slice
take(struct slice *from, size_t length)
{
	struct slice part = slice_part(*from, 0, length);

	*from = slice_part(*from, length, from->length);
	return part;
}

/* A '|' inside a text is followed by an event block when it really ends the
 * block: no event may drown in the text of the one before. */
static bool
begins_event_block(struct slice s)
{
	return s.length >= 3 && (s.data[0] == 'N' || s.data[0] == 'O') &&
	    ((is_lower(s.data[1]) && is_lower(s.data[2])) ||
		(is_upper(s.data[1]) && is_upper(s.data[2])));
}

/* The length of the text that begins here, up to its closing '^'; a missing
 * one ends with the block. */
static size_t
text_length(struct slice s)
{
	for (size_t i = 0; i < s.length; i++) {
		if (s.data[i] == '^')
			return i;
		if (s.data[i] == '|' &&
		    begins_event_block(slice_part(s, i + 1, s.length)))
			return i;
	}
	return s.length;
}

/* "^text^", the last '^' possibly missing. */
static bool
take_caret_text(struct slice *from, struct slice *ret)
{
	if (from->length == 0 || from->data[0] != '^')
		return false;
	take(from, 1);
	*ret = take(from, text_length(*from));
	if (from->length > 0 && from->data[0] == '^')
		take(from, 1);
	return true;
}

/* Aritech's XSIA form: *'text'NM or *"text"NM */
static bool
take_quoted_text(struct slice *from, struct slice *ret)
{
	const char *end;

	if (from->length < 3 || from->data[0] != '*' ||
	    (from->data[1] != '\'' && from->data[1] != '"'))
		return false;
	end = memchr(from->data + 2, from->data[1], from->length - 2);
	if (!end)
		return false;
	*ret = slice_of(from->data + 2, (size_t)(end - from->data) - 2);
	take(from, ret->length + 3);
	if (from->length >= 2 && memcmp(from->data, "NM", 2) == 0)
		take(from, 2);
	return true;
}

/* A text explains one value: with the next value of its modifier it ends. */
static void
set_modifier_text(struct sia_reader *r, const char *name, struct slice text)
{
	if (memcmp(name, "ri", 2) == 0) {
		r->modifiers.area_text = text;
	} else if (slice_present(text) || memcmp(name, r->text_name, 2) == 0) {
		memcpy(r->text_name, name, 2);
		r->modifiers.text = text;
	}
}

static void
set_modifier(struct sia_reader *r, const char *name, struct slice value)
{
	static const struct {
		char name[3];
		size_t offset;
	} kept[] = {
		{ "ri", offsetof(struct signal_event, partition) },
		{ "pm", offsetof(struct signal_event, partition) },
		{ "id", offsetof(struct signal_event, user) },
		{ "ti", offsetof(struct signal_event, time) },
		{ "da", offsetof(struct signal_event, date) },
		{ "pi", offsetof(struct signal_event, peripheral) },
	};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (memcmp(kept[i].name, name, 2) == 0)
			memcpy((char *)&r->modifiers + kept[i].offset, &value,
			    sizeof(value));
}

static void
read_modifier(struct sia_reader *r)
{
	struct slice name = take(&r->left, 2), text = SLICE_NONE, value;
	size_t length = 0;

	while (length < r->left.length && r->left.data[length] != '/' &&
	    r->left.data[length] != '^' && r->left.data[length] != '|' &&
	    !is_upper(r->left.data[length]) && !is_lower(r->left.data[length]))
		length++;
	value = take(&r->left, length);
	take_caret_text(&r->left, &text);
	set_modifier(r, name.data, value);
	set_modifier_text(r, name.data, text);
}

static void
skip_units(struct slice *from)
{
	size_t length = 0;

	while (length < from->length && from->data[length] != '/' &&
	    from->data[length] != '^' && from->data[length] != '|')
		length++;
	take(from, length);
}

/* What stands behind an address without any mark: kept as the text. */
static void
read_rest(struct sia_reader *r, struct signal_event *event)
{
	struct slice before;

	while (r->left.length > 0 && *r->left.data == ' ')
		take(&r->left, 1);
	before = r->left;
	skip_units(&r->left);
	before.length -= r->left.length;
	if (before.length > 0 && !slice_present(event->text))
		event->text = before;
}

static bool
read_event(struct sia_reader *r)
{
	struct signal *signal = r->signal;
	struct signal_event *event;
	struct slice code = take(&r->left, 2);
	size_t digits = 0;

	if (signal->event_count == SIGNAL_EVENTS_MAX) {
		r->problem = "more events than one frame may carry";
		return false;
	}
	event = &signal->events[signal->event_count++];
	*event = r->modifiers;
	memcpy(event->code, code.data, 2);
	while (digits < r->left.length && is_hex(r->left.data[digits]))
		digits++;
	event->zone = digits > 0 ? take(&r->left, digits) : SLICE_NONE;
	if (!take_quoted_text(&r->left, &event->text)) {
		if (r->left.length > 0 && r->left.data[0] == '*')
			skip_units(&r->left);
		take_caret_text(&r->left, &event->text);
	}
	if (r->left.length > 0 && *r->left.data == ' ')
		read_rest(r, event);
	return true;
}

static bool
read_packets(struct sia_reader *r, char function)
{
	unsigned events_before = r->signal->event_count;
	struct slice stray;

	r->modifiers = (struct signal_event){ .format = SIGNAL_FORMAT_SIA,
		.block = function };
	memset(r->text_name, 0, sizeof(r->text_name));
	while (r->left.length > 0 && r->left.data[0] != '|') {
		const char *p = r->left.data;

		if (*p == '/' || *p == ' ')
			take(&r->left, 1);
		else if (r->left.length >= 2 && is_lower(p[0]) &&
		    is_lower(p[1]))
			read_modifier(r);
		else if (r->left.length >= 2 && is_upper(p[0]) &&
		    is_upper(p[1])) {
			if (!read_event(r))
				return false;
		} else if (*p == '^')
			take_caret_text(&r->left, &stray);
		else if (r->signal->event_count > events_before)
			read_rest(r,
			    &r->signal->events[r->signal->event_count - 1]);
		else {
			r->problem = "a packet that is neither an event nor "
				     "a modifier";
			return false;
		}
	}
	return true;
}

/* A block that carries no event: an account, or text for the event before.
 * "^text|Url:.." leaves its second half to be told from a block. */
static void
read_other_block(struct sia_reader *r, char function)
{
	const char *end = memchr(r->left.data, '|', r->left.length);
	struct slice block =
	    take(&r->left, end ? (size_t)(end - r->left.data) : r->left.length);
	struct signal *signal = r->signal;

	if (function == '#' && !slice_present(signal->data_account))
		signal->data_account = block;
	if (function == 'A' && signal->event_count > 0 &&
	    !slice_present(signal->events[signal->event_count - 1].text))
		signal->events[signal->event_count - 1].text = block;
}

enum codec_result
sia_decode(struct slice blocks, struct signal *signal, const char **ret_problem)
{
	struct sia_reader r = { .left = blocks, .signal = signal };
	unsigned events_before = signal->event_count;

	while (r.left.length > 0) {
		char function = *take(&r.left, 1).data;

		if (function == '|')
			continue;
		if (function != 'N' && function != 'O') {
			if (r.left.length > 0)
				read_other_block(&r, function);
			continue;
		}
		if (!read_packets(&r, function)) {
			*ret_problem = r.problem;
			return CODEC_BAD;
		}
	}
	if (signal->event_count == events_before) {
		*ret_problem = "no event in the data";
		return CODEC_BAD;
	}
	return CODEC_OK;
}

static void
write_slice(struct writer *w, const char *before, struct slice s,
    const char *after)
{
	if (s.length == 0)
		return;
	writer_bytes(w, before, strlen(before));
	writer_bytes(w, s.data, s.length);
	writer_bytes(w, after, strlen(after));
}

static void
write_text(struct writer *w, struct slice text)
{
	if (text.length == 0)
		return;
	writer_u8(w, '^');
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		writer_u8(w, c < ' ' || strchr("^|[]", c) ? ' ' : c);
	}
	writer_u8(w, '^');
}

/* A modifier or address that would be read as something else. */
static bool
value_valid(struct slice s, const char *more)
{
	for (size_t i = 0; i < s.length; i++)
		if (!is_hex(s.data[i]) &&
		    !(s.data[i] && strchr(more, s.data[i])))
			return false;
	return true;
}

int
sia_encode(const struct signal_event *event, char *out, size_t out_size,
    const char **ret_problem)
{
	struct writer w = writer_open(out, out_size);

	if (!is_upper(event->code[0]) || !is_upper(event->code[1]) ||
	    event->code[2] != '\0') {
		*ret_problem = "not a SIA code of two letters";
		return -EINVAL;
	}
	if (!value_valid(event->zone, "") || !value_valid(event->user, "") ||
	    !value_valid(event->partition, "") ||
	    !value_valid(event->time, ":") || !value_valid(event->date, "-")) {
		*ret_problem = "an address, area, user or time that is no "
			       "number";
		return -EINVAL;
	}
	writer_u8(&w, event->block ? (uint8_t)event->block : 'N');
	write_slice(&w, "da", event->date, "/");
	write_slice(&w, "ti", event->time, "/");
	write_slice(&w, "id", event->user, "/");
	write_slice(&w, "ri", event->partition, "/");
	writer_bytes(&w, event->code, 2);
	write_slice(&w, "", event->zone, "");
	write_text(&w, event->text);
	if (w.failed) {
		*ret_problem = "too long";
		return -ENAMETOOLONG;
	}
	return (int)writer_length(&w);
}
