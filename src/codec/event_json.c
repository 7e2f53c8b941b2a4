#include "codec/event_json.h"

#include <errno.h>

#include "base/json.h"
#include "signal/codes.h"

static void
put_text(struct json *json, const char *key, struct slice value)
{
	if (slice_present(value))
		json_panel_text(json, key, value);
}

static void
put_time(struct json *json, const char *key, int64_t wall_us)
{
	if (wall_us > 0)
		json_time(json, key, wall_us);
}

static void
put_codes(struct json *json, const char *other_code,
    const struct delivery *delivery)
{
	bool own = signal_format_is_own(delivery->format);
	struct codes_both codes;
	char letter;

	codes_both_find(delivery->format, delivery->code, delivery->qualifier,
	    other_code, &codes);
	letter = signal_qualifier_letter(codes.qualifier);
	json_string(json, "format", signal_format_name(delivery->format));
	if (letter && (own || codes.contact_id[0]))
		json_slice(json, "qualifier", slice_of(&letter, 1));
	if (letter && codes.contact_id[0])
		json_string(json, "code", codes.contact_id);
	if (own)
		json_string(json, "panel_code", delivery->code);
	put_text(json, "partition", delivery->partition);
	put_text(json, "zone", delivery->zone);
	put_text(json, "user", delivery->user);
	put_text(json, "sia", slice_from_string(codes.sia));
	json_string(json, "class", codes.kind);
}

static void
put_event(struct json *json, const char *key, const char *other_code,
    const struct delivery *delivery)
{
	if (key)
		json_object_begin(json, key);
	put_codes(json, other_code, delivery);
	if (key)
		json_object_end(json);
}

static void
put_head(struct json *json, const struct event_json_form *form,
    const struct event_json_settings *settings, const struct delivery *delivery)
{
	if (settings->sequence > 0)
		json_unsigned(json, "sequence", settings->sequence);
	json_unsigned(json, "version", 1);
	json_string(json, form->id, settings->id);
	json_string(json, form->receiver, settings->receiver);
	put_text(json, form->line,
	    slice_present(delivery->line_card)
		? delivery->line_card
		: slice_from_string(settings->line));
	put_text(json, form->account, delivery->account);
	put_text(json, form->reference_id, delivery->reference_id);
}

static bool
write_object(const struct event_json_form *form,
    const struct event_json_settings *settings, const struct delivery *delivery,
    bool with_text, size_t most, struct json *json)
{
	json_reset(json);
	json_object_begin(json, NULL);
	put_head(json, form, settings, delivery);
	put_event(json, form->event, settings->other_code, delivery);
	put_text(json, form->zone_name, delivery->zone_name);
	put_text(json, form->site_name, delivery->site_name);
	if (with_text)
		put_text(json, form->text, delivery->text);
	else
		json_boolean(json, form->text_omitted, true);
	put_time(json, form->occurred_at, delivery->occurred_us);
	put_time(json, form->received_at, delivery->received_us);
	put_text(json, form->url, delivery->url);
	json_boolean(json, form->test, delivery->test);
	json_object_end(json);
	return json->length < most;
}

int
event_json_write(const struct event_json_form *form,
    const struct event_json_settings *settings, const struct delivery *delivery,
    size_t most, struct json *json, const char **ret_problem)
{
	if (delivery->format == SIGNAL_FORMAT_NONE) {
		*ret_problem = "an event of no format";
		return -EINVAL;
	}
	if (!write_object(form, settings, delivery, true, most, json) &&
	    !write_object(form, settings, delivery, false, most, json)) {
		*ret_problem = form->no_room;
		return -EINVAL;
	}
	return 0;
}
