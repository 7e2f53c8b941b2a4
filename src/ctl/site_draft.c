#include "ctl/site_draft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "ctl/library.h"
#include "db/refusal.h"

/* Every choice is for the dealer in $1, also where it makes no difference. */
const struct site_field_row site_fields[SITE_FIELD_COUNT] = {
	[SITE_DEALER] = { "dealer", "Dealer", "DEALER",
	    "whose customer: name or id", "dealer_id", "bigint",
	    "SELECT id, name, '' FROM tocsin.dealer "
	    "WHERE $1::bigint IS NULL OR true ORDER BY name",
	    "dealer" },
	[SITE_TEMPLATE] = { "template", "Template", "TEMPLATE",
	    "name or id: what is not given comes from it", "template_id",
	    "bigint",
	    "SELECT id, name, '' FROM tocsin.site_template "
	    "WHERE dealer_id = $1::bigint ORDER BY name",
	    "template of this dealer" },
	[SITE_NAME] = { "name", "Name", "TEXT", "of the place", "name",
	    "text" },
	[SITE_ADDRESS1] = { "address1", "Address", "TEXT", "street and number",
	    "address1", "text" },
	[SITE_ADDRESS2] = { "address2", "Address, second line", "TEXT",
	    "second line", "address2", "text" },
	[SITE_CITY] = { "city", "City", "TEXT", "town", "city", "text" },
	[SITE_REGION] = { "region", "Region", "TEXT",
	    "state, county or province", "region", "text" },
	[SITE_POSTAL_CODE] = { "postal-code", "Postal code", "TEXT",
	    "as written there", "postal_code", "text" },
	[SITE_COUNTRY] = { "country", "Country", "TEXT", "name or ISO code",
	    "country", "text" },
	[SITE_LATITUDE] = { "latitude", "Latitude", "DEGREES", "north",
	    "latitude", "double precision" },
	[SITE_LONGITUDE] = { "longitude", "Longitude", "DEGREES", "east",
	    "longitude", "double precision" },
	[SITE_TIMEZONE] = { "timezone", "Time zone", "ZONE",
	    "IANA name: Europe/Athens", "timezone", "text",
	    "SELECT name, name, '' FROM tocsin.timezone "
	    "WHERE $1::bigint IS NULL OR true ORDER BY name",
	    "time zone" },
	[SITE_EXTERNAL_ID] = { "external-id", "External id", "TEXT",
	    "the dealer's own number", "external_id", "text" },
	[SITE_STATION] = { "station", "Monitoring station", "STATION",
	    "who monitors it: the dealer's name for the station, or its id",
	    "station_record_id", "bigint",
	    "SELECT r.id, r.name, c.name || coalesce(', receiver ' || v.name, "
	    "', no receiver: nothing is sent') FROM tocsin.station_record r "
	    "JOIN tocsin.center c ON c.id = r.center_id "
	    "LEFT JOIN tocsin.receiver v ON v.id = r.receiver_id "
	    "WHERE r.dealer_id = $1::bigint ORDER BY r.name",
	    "station of this dealer" },
	[SITE_ACCOUNT] = { "account", "Account number", "A",
	    "at the station, without prefix", "account_number", "text" },
	[SITE_REFERENCE_ID] = { "reference-id", "Reference id", "TEXT",
	    "second identifier at the station", "reference_id", "text" },
	[SITE_ARMING] = { "arming", "Arming method", "METHOD",
	    "what sets the arming state", "arming_method", "text",
	    "SELECT name, title, description FROM tocsin.arming_method "
	    "WHERE $1::bigint IS NULL OR true ORDER BY position",
	    "arming method" },
};

static const struct {
	const char *member; /* of the library's JSON */
	const char *what;
	const char *choices;
} subjects[SITE_SUBJECT_COUNT] = {
	[SITE_ZONE_TYPE] = { "zone_type", "zone type",
	    "SELECT number, name, '' FROM tocsin.zone_type "
	    "WHERE $1::bigint IS NULL ORDER BY number" },
	[SITE_EVENT] = { "system_event", "system event",
	    "SELECT name, description, '' FROM tocsin.system_event "
	    "WHERE $1::bigint IS NULL ORDER BY name" },
};

const char *const site_contact_words[CONTACT_FIELD_COUNT] = {
	[CONTACT_NAME] = "name",
	[CONTACT_TITLE] = "title",
	[CONTACT_PHONE] = "phone",
	[CONTACT_EMAIL] = "email",
	[CONTACT_SLOT] = "slot",
};

void
site_draft_open(struct site_draft *draft, struct db *db)
{
	*draft = (struct site_draft){ .db = db };
}

static void
empty_field(struct site_draft *draft, enum site_field field)
{
	free(draft->keys[field]);
	free(draft->titles[field]);
	draft->keys[field] = draft->titles[field] = NULL;
}

static void
empty_contact(struct site_contact *contact)
{
	for (size_t i = 0; i < CONTACT_FIELD_COUNT; i++)
		free(contact->values[i]);
	*contact = (struct site_contact){ 0 };
}

void
site_draft_close(struct site_draft *draft)
{
	for (size_t i = 0; i < SITE_FIELD_COUNT; i++) {
		empty_field(draft, (enum site_field)i);
		choice_close(&draft->choices[i]);
	}
	for (size_t i = 0; i < SITE_SUBJECT_COUNT; i++)
		choice_close(&draft->subjects[i]);
	for (size_t i = 0; i < draft->change_count; i++)
		free(draft->changes[i].subject);
	while (draft->contact_count > 0)
		site_draft_drop_contact(draft);
}

/* ---- fields ---------------------------------------------------------------------- */

int
site_draft_choices(struct site_draft *draft, enum site_field field,
    const struct choice_list **ret, struct err *err)
{
	struct choice_list *list = &draft->choices[field];
	int result = 0;

	*ret = NULL;
	if (!site_fields[field].choices)
		return 0;
	if (!draft->loaded[field]) {
		choice_close(list);
		result = choice_load(list, draft->db,
		    site_fields[field].choices, draft->keys[SITE_DEALER], err);
		draft->loaded[field] = result == 0;
	}
	*ret = list;
	return result;
}

static void
forget_dealer(struct site_draft *draft)
{
	static const enum site_field owned[] = { SITE_TEMPLATE, SITE_STATION };

	for (size_t i = 0; i < COUNT(owned); i++) {
		empty_field(draft, owned[i]);
		draft->loaded[owned[i]] = false;
	}
}

static int
check_text(enum site_field field, const char *text, struct err *err)
{
	char *end;

	if (field == SITE_NAME && strspn(text, " \t") == strlen(text))
		return err_set(err, -EINVAL, "a site needs a name");
	if (strcmp(site_fields[field].type, "double precision") != 0)
		return 0;
	strtod(text, &end);
	if (*text && *end != '\0')
		return err_set(err, -EINVAL,
		    "%s: degrees are a number such as 37.98", text);
	return 0;
}

int
site_draft_set(struct site_draft *draft, enum site_field field,
    const char *text, struct err *err)
{
	const struct choice_list *list;
	const struct choice *choice = NULL;
	int result = site_draft_choices(draft, field, &list, err);

	if (result == 0)
		result = check_text(field, text, err);
	if (result == 0 && list && *text) {
		choice = choice_find(list, text);
		if (!choice)
			return choice_refuse(list, site_fields[field].what,
			    text, err);
	}
	if (result < 0)
		return result;
	if (field == SITE_DEALER)
		forget_dealer(draft);
	empty_field(draft, field);
	if (!*text)
		return 0;
	draft->keys[field] = strdup(choice ? choice->key : text);
	draft->titles[field] = strdup(choice ? choice->name : text);
	return draft->keys[field] && draft->titles[field]
	    ? 0
	    : err_set(err, -ENOMEM, "out of memory");
}

/* ---- library --------------------------------------------------------------------- */

int
site_draft_subjects(struct site_draft *draft, enum site_subject kind,
    const struct choice_list **ret, struct err *err)
{
	struct choice_list *list = &draft->subjects[kind];

	*ret = list;
	return list->rows
	    ? 0
	    : choice_load(list, draft->db, subjects[kind].choices, NULL, err);
}

static struct site_change *
find_change(struct site_draft *draft, enum site_subject kind,
    const char *subject)
{
	for (size_t i = 0; i < draft->change_count; i++)
		if (draft->changes[i].kind == kind &&
		    strcmp(draft->changes[i].subject, subject) == 0)
			return &draft->changes[i];
	return NULL;
}

static void
remove_change(struct site_draft *draft, struct site_change *change)
{
	free(change->subject);
	*change = draft->changes[--draft->change_count];
}

/* One of "on", "off", a code; into change. */
static int
read_setting(struct db *db, const char *word, struct site_change *change,
    struct err *err)
{
	if (strcasecmp(word, "on") == 0)
		change->enabled = 1;
	else if (strcasecmp(word, "off") == 0)
		change->enabled = 0;
	else {
		snprintf(change->code, sizeof(change->code), "%s", word);
		return library_check_code(db, word, err);
	}
	return 0;
}

static int
read_settings(struct db *db, const char *text, struct site_change *change,
    struct err *err)
{
	char words[64], *rest = words, *word;
	int result = 0;

	snprintf(words, sizeof(words), "%s", text);
	while (result == 0 && (word = strsep(&rest, ",")))
		result = read_setting(db, word, change, err);
	return result;
}

int
site_draft_change(struct site_draft *draft, enum site_subject kind,
    const char *subject, const char *setting, struct err *err)
{
	const struct choice_list *list;
	const struct choice *choice;
	struct site_change new = { .kind = kind, .enabled = -1 };
	struct site_change *old;
	int result = site_draft_subjects(draft, kind, &list, err);

	if (result < 0)
		return result;
	choice = choice_find(list, subject);
	if (!choice)
		return choice_refuse(list, subjects[kind].what, subject, err);
	old = find_change(draft, kind, choice->key);
	if (strcasecmp(setting, "default") == 0) {
		if (old)
			remove_change(draft, old);
		return 0;
	}
	if (old)
		new = *old;
	result = read_settings(draft->db, setting, &new, err);
	if (result < 0 || old) {
		if (result == 0)
			*old = new;
		return result;
	}
	if (draft->change_count == SITE_CHANGES_MAX)
		return err_set(err, -EINVAL, "too many changes: at most %d",
		    SITE_CHANGES_MAX);
	new.subject = strdup(choice->key);
	if (!new.subject)
		return err_set(err, -ENOMEM, "out of memory");
	draft->changes[draft->change_count++] = new;
	return 0;
}

/* ---- contacts ---------------------------------------------------------------------- */

int
site_draft_take_contact(struct site_draft *draft, struct site_contact *contact,
    struct err *err)
{
	const char *slot = contact->values[CONTACT_SLOT];
	int result = 0;

	if (slot &&
	    (strlen(slot) > 3 || strspn(slot, "0123456789") != strlen(slot)))
		result = err_set(err, -EINVAL,
		    "%s: a contact's slot is a number from 1 to 999", slot);
	else if (draft->contact_count == SITE_CONTACTS_MAX)
		result = err_set(err, -EINVAL, "too many contacts: at most %d",
		    SITE_CONTACTS_MAX);
	if (result < 0)
		empty_contact(contact);
	else
		draft->contacts[draft->contact_count++] = *contact;
	return result;
}

void
site_draft_drop_contact(struct site_draft *draft)
{
	empty_contact(&draft->contacts[--draft->contact_count]);
}

/* "phone=123" into contact; a piece without a word is the name. */
static int
read_contact_piece(const char *piece, bool first, struct site_contact *contact,
    struct err *err)
{
	size_t length = strcspn(piece, "="), i = 0;

	if (!piece[length] && first) {
		contact->values[CONTACT_NAME] = strdup(piece);
		return contact->values[CONTACT_NAME]
		    ? 0
		    : err_set(err, -ENOMEM, "out of memory");
	}
	while (i < CONTACT_FIELD_COUNT &&
	    (strlen(site_contact_words[i]) != length ||
		strncmp(site_contact_words[i], piece, length) != 0))
		i++;
	if (!piece[length] || i == CONTACT_FIELD_COUNT)
		return err_set(err, -EINVAL,
		    "%s: not understood; a contact is "
		    "NAME,phone=..,email=..,title=..,slot=..",
		    piece);
	free(contact->values[i]);
	contact->values[i] = strdup(piece + length + 1);
	return contact->values[i] ? 0 : err_set(err, -ENOMEM, "out of memory");
}

int
site_draft_add_contact(struct site_draft *draft, const char *text,
    struct err *err)
{
	struct site_contact contact = { 0 };
	char *copy = strdup(text), *rest = copy, *piece;
	bool first = true;
	int result = copy ? 0 : err_set(err, -ENOMEM, "out of memory");

	while (result == 0 && (piece = strsep(&rest, ","))) {
		result = read_contact_piece(piece, first, &contact, err);
		first = false;
	}
	free(copy);
	if (result == 0)
		return site_draft_take_contact(draft, &contact, err);
	empty_contact(&contact);
	return result;
}

/* ---- storing ------------------------------------------------------------------------ */

/* Which option a refusal is about, by the beginning of the constraint's name. */
static const struct {
	const char *constraint, *option;
} owners[] = {
	{ "site_name_", "name" },
	{ "site_timezone_", "timezone" },
	{ "site_dealer_", "dealer" },
	{ "site_station_", "station" },
	{ "site_account_", "account" },
	{ "account_unique_", "account" },
	{ "site_reference_id_", "reference-id" },
	{ "reference_id_unique_", "reference-id" },
	{ "site_arming_", "arming" },
	{ "site_template_", "template" },
	{ "site_external_id_", "external-id" },
	{ "site_position_", "latitude" },
	{ "alarm_library_", "zone-type" },
	{ "contact_", "contact" },
	{ "bridge_", "claim-code" },
	{ "site_activation_", "claim-code" },
};

static const char *
option_of(const char *constraint)
{
	for (size_t i = 0; i < COUNT(owners); i++)
		if (strncmp(owners[i].constraint, constraint,
			strlen(owners[i].constraint)) == 0)
			return owners[i].option;
	return "";
}

static void
write_library(const struct site_draft *draft, struct json *json)
{
	json_array_begin(json, NULL);
	for (size_t i = 0; i < draft->change_count; i++) {
		const struct site_change *change = &draft->changes[i];

		json_object_begin(json, NULL);
		json_string(json, subjects[change->kind].member,
		    change->subject);
		if (change->enabled >= 0)
			json_boolean(json, "enabled", change->enabled);
		if (*change->code)
			json_string(json, "code", change->code);
		json_object_end(json);
	}
	json_array_end(json);
}

static void
write_contacts(const struct site_draft *draft, struct json *json)
{
	json_array_begin(json, NULL);
	for (size_t i = 0; i < draft->contact_count; i++) {
		json_object_begin(json, NULL);
		for (size_t j = 0; j < CONTACT_FIELD_COUNT; j++)
			if (draft->contacts[i].values[j])
				json_string(json, site_contact_words[j],
				    draft->contacts[i].values[j]);
		json_object_end(json);
	}
	json_array_end(json);
}

static int
create(struct site_draft *draft, char ret_id[24], struct err *err)
{
	const char *values[SITE_FIELD_COUNT + 2];
	struct json library = { 0 }, contacts = { 0 };
	char sql[1024];
	size_t length =
	    (size_t)snprintf(sql, sizeof(sql), "SELECT tocsin.site_create(");
	PGresult *result;
	int code = 0;

	for (size_t i = 0; i < SITE_FIELD_COUNT; i++) {
		length += (size_t)snprintf(sql + length, sizeof(sql) - length,
		    "%s => $%zu::%s, ", site_fields[i].parameter, i + 1,
		    site_fields[i].type);
		values[i] = draft->keys[i];
	}
	snprintf(sql + length, sizeof(sql) - length,
	    "library => $%d::jsonb, contacts => $%d::jsonb)",
	    SITE_FIELD_COUNT + 1, SITE_FIELD_COUNT + 2);
	write_library(draft, &library);
	write_contacts(draft, &contacts);
	values[SITE_FIELD_COUNT] = json_text(&library);
	values[SITE_FIELD_COUNT + 1] = json_text(&contacts);
	result =
	    db_query(draft->db, sql, SITE_FIELD_COUNT + 2, values, &code, err);
	if (result)
		snprintf(ret_id, 24, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	json_close(&library);
	json_close(&contacts);
	return code;
}

static int
claim(struct site_draft *draft, const char *id, struct err *err)
{
	const char *values[] = { draft->claim_code, id };
	int code = 0;

	if (draft->claim_code)
		PQclear(db_query(draft->db,
		    "SELECT tocsin.bridge_register($1, $2::bigint)", 2, values,
		    &code, err));
	return code;
}

int
site_draft_store(struct site_draft *draft, bool keep, char ret_id[24],
    const char **ret_option, struct err *err)
{
	struct err unused;
	int result;

	*ret_option = "";
	result = db_execute(draft->db, "BEGIN", err);
	if (result < 0)
		return result;
	result = create(draft, ret_id, err);
	if (result == 0)
		result = claim(draft, ret_id, err);
	if (result < 0) {
		struct err said = *err;

		*ret_option = option_of(db_constraint(draft->db));
		if (*db_constraint(draft->db))
			result = -EINVAL;
		err_set(err, result, "%s", refusal_sentence(draft->db, &said));
	}
	if (result == 0 && keep)
		return db_execute(draft->db, "COMMIT", err);
	db_execute(draft->db, "ROLLBACK", &unused);
	return result;
}
