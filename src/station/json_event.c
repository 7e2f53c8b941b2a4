#include "station/json_event.h"

#include <string.h>

struct names {
	const char *id, *receiver, *line, *account, *text, *heartbeat;
	const char *event; /* NULL: among the others */
};

json_t *
json_event_parse(struct slice text)
{
	return json_loadb(text.data, text.length,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

static struct slice
member(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return slice_of(json_string_value(value), json_string_length(value));
}

static bool
read_event(const json_t *object, struct signal_event *ret)
{
	enum signal_format format =
	    signal_format_from_name(member(object, "format"));
	bool sia = format == SIGNAL_FORMAT_SIA;
	bool own = signal_format_is_own(format);
	const char *key = sia ? "sia" : own ? "panel_code" : "code";
	struct slice letter = member(object, "qualifier");

	*ret = (struct signal_event){
		.format = sia || own ? format : SIGNAL_FORMAT_CONTACT_ID,
		.partition = member(object, "partition"),
		.zone = member(object, "zone"),
		.user = member(object, "user"),
	};
	if (!sia && letter.length == 1)
		ret->qualifier = signal_qualifier_from_char(*letter.data);
	return slice_copy(member(object, key), ret->code, sizeof(ret->code)) ==
	    0 &&
	    ret->code[0];
}

static bool
read_object(const json_t *object, const struct names *names, struct signal *ret)
{
	const json_t *event =
	    names->event ? json_object_get(object, names->event) : object;

	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	ret->poll = json_is_true(json_object_get(object, names->heartbeat));
	if (ret->poll)
		return true;
	ret->sequence = member(object, names->id);
	ret->receiver = member(object, names->receiver);
	ret->line = member(object, names->line);
	ret->account = member(object, names->account);
	ret->event_count = 1;
	if (!read_event(event, &ret->events[0]))
		return false;
	ret->events[0].text = member(object, names->text);
	return ret->account.length > 0 && ret->sequence.length > 0;
}

bool
json_event_read_line(const json_t *object, struct signal *ret)
{
	static const struct names names = {
		.id = "id",
		.receiver = "receiver",
		.line = "line",
		.account = "account",
		.text = "text",
		.heartbeat = "heartbeat",
	};

	return read_object(object, &names, ret);
}

bool
json_event_read_webhook(const json_t *object, struct signal *ret)
{
	static const struct names names = {
		.id = "id",
		.receiver = "Receiver",
		.line = "Line",
		.account = "Account",
		.text = "Text",
		.heartbeat = "Heartbeat",
		.event = "Event",
	};

	return read_object(object, &names, ret);
}
