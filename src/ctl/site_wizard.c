#include "ctl/site_wizard.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "ctl/connection.h"
#include "ctl/prompt.h"
#include "ctl/table.h"
#include "db/refusal.h"
#include "signal/codes.h"

/* What a step answers: go on with the next one, or an -errno. */
#define ENDED (-ECANCELED) /* no more input */

static int
explain(const struct err *err)
{
	printf("  %s\n", err->text);
	return 0;
}

/* ---- fields ------------------------------------------------------------------------- */

/* One value of the database, for a standard; owned, NULL when there is none. */
static char *
look_up(struct site_draft *draft, const char *sql)
{
	const char *values[] = { draft->keys[SITE_DEALER],
		draft->keys[SITE_TEMPLATE] };
	struct err err;
	int code;
	PGresult *result = db_query(draft->db, sql, 2, values, &code, &err);
	char *text = NULL;

	if (result && PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
		text = strdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	return text;
}

static const char likely_timezone[] =
    "SELECT coalesce((SELECT timezone FROM tocsin.site_template "
    "WHERE id = $2::bigint), (SELECT timezone FROM tocsin.site "
    "WHERE dealer_id = $1::bigint ORDER BY id DESC LIMIT 1))";
static const char likely_station[] =
    "SELECT r.name FROM tocsin.site_template t "
    "JOIN tocsin.station_record r ON r.id = t.station_record_id "
    "WHERE t.id = $2::bigint AND t.dealer_id = $1::bigint";
static const char likely_arming[] =
    "SELECT m.title FROM tocsin.arming_method m WHERE m.name = "
    "coalesce((SELECT arming_method FROM tocsin.site_template "
    "WHERE id = $2::bigint AND dealer_id = $1::bigint), 'always')";

static char *
standard_of(struct site_draft *draft, enum site_field field)
{
	const struct choice_list *list = NULL;
	struct err err;

	if (draft->titles[field])
		return strdup(draft->titles[field]);
	if (field == SITE_TIMEZONE)
		return look_up(draft, likely_timezone);
	if (field == SITE_STATION)
		return look_up(draft, likely_station);
	if (field == SITE_ARMING)
		return look_up(draft, likely_arming);
	if (field == SITE_DEALER &&
	    site_draft_choices(draft, field, &list, &err) == 0 && list &&
	    list->count == 1)
		return strdup(list->rows[0].name);
	return NULL;
}

static bool
is_needed(enum site_field field)
{
	return field == SITE_DEALER || field == SITE_NAME ||
	    field == SITE_TIMEZONE;
}

/* "none" empties what has a standard. */
static int
take_answer(struct site_draft *draft, enum site_field field, const char *answer,
    struct err *err)
{
	if (is_needed(field) && !*answer)
		return err_set(err, -EINVAL, "%s is needed",
		    site_fields[field].label);
	return site_draft_set(draft, field,
	    !is_needed(field) && strcasecmp(answer, "none") == 0 ? "" : answer,
	    err);
}

static int
ask_field(struct site_draft *draft, enum site_field field)
{
	for (;;) {
		const struct choice_list *list;
		struct err err;
		int result = site_draft_choices(draft, field, &list, &err);
		char *standard = standard_of(draft, field);
		char *answer = result == 0
		    ? prompt_ask(site_fields[field].label, standard, list)
		    : NULL;

		free(standard);
		if (result == 0)
			result = answer
			    ? take_answer(draft, field, answer, &err)
			    : err_set(&err, ENDED, "no more input");
		free(answer);
		if (result == 0)
			return 0;
		explain(&err);
		if (result != -EINVAL)
			return result;
	}
}

/* Nothing to choose: not worth a question. */
static bool
is_asked(struct site_draft *draft, enum site_field field)
{
	const struct choice_list *list = NULL;
	struct err err;

	if (draft->keys[field])
		return false;
	if (field == SITE_ACCOUNT || field == SITE_REFERENCE_ID)
		return draft->keys[SITE_STATION] != NULL;
	if (field == SITE_LONGITUDE)
		return draft->keys[SITE_LATITUDE] != NULL;
	if (field != SITE_TEMPLATE && field != SITE_STATION)
		return true;
	return site_draft_choices(draft, field, &list, &err) == 0 && list &&
	    list->count > 0;
}

/* What another customer may have already is tried at once. */
static int
try_identifiers(struct site_draft *draft)
{
	for (;;) {
		char id[24];
		const char *option;
		struct err err;
		int result = site_draft_store(draft, false, id, &option, &err);
		enum site_field field = SITE_DEALER;

		if (result == 0)
			return 0;
		explain(&err);
		while (field < SITE_FIELD_COUNT &&
		    strcmp(site_fields[field].option, option) != 0)
			field++;
		if (result != -EINVAL)
			return result;
		if (field == SITE_FIELD_COUNT)
			return 0; /* the last step says it again */
		result = ask_field(draft, field);
		if (result < 0)
			return result;
	}
}

static int
ask_fields(struct site_draft *draft)
{
	int result = 0;

	for (size_t i = 0; i < SITE_FIELD_COUNT && result == 0; i++) {
		enum site_field field = (enum site_field)i;

		if (is_asked(draft, field))
			result = ask_field(draft, field);
		if (result == 0 && field == SITE_REFERENCE_ID &&
		    (draft->keys[SITE_STATION] ||
			draft->keys[SITE_EXTERNAL_ID]))
			result = try_identifiers(draft);
	}
	return result;
}

/* ---- zone types ------------------------------------------------------------------------ */

/* What the dealer and the template make of the zone types. */
static const char inherited[] =
    "SELECT t.number, t.name, coalesce(p.enabled, d.enabled, t.enabled), "
    "coalesce(p.code, d.code, t.code), "
    "CASE WHEN p.code IS NOT NULL THEN 'template' "
    "WHEN d.code IS NOT NULL THEN 'dealer' ELSE 'built-in' END "
    "FROM tocsin.zone_type t "
    "LEFT JOIN tocsin.alarm_library d ON d.dealer_id = $1::bigint "
    "AND d.zone_type = t.number "
    "LEFT JOIN tocsin.site_template_library p ON p.template_id = $2::bigint "
    "AND p.zone_type = t.number ORDER BY t.number";

static const struct site_change *
change_of(const struct site_draft *draft, const char *number)
{
	for (size_t i = 0; i < draft->change_count; i++)
		if (draft->changes[i].kind == SITE_ZONE_TYPE &&
		    strcmp(draft->changes[i].subject, number) == 0)
			return &draft->changes[i];
	return NULL;
}

static const char *
check_mark(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\xe2\x9c\x93"
							  : "x";
}

static void
fill_row(const struct site_draft *draft, const PGresult *result, int row,
    char **cells)
{
	const char *number = PQgetvalue(result, row, 0);
	const struct site_change *change = change_of(draft, number);
	bool enabled = change && change->enabled >= 0
	    ? change->enabled
	    : *PQgetvalue(result, row, 2) == 't';
	const char *code =
	    change && *change->code ? change->code : PQgetvalue(result, row, 3);
	const struct codes_contact_id *known = codes_contact_id_find(code);

	cells[0] = strdup(enabled ? check_mark() : " ");
	cells[1] = strdup(number);
	cells[2] = strdup(PQgetvalue(result, row, 1));
	cells[3] = strdup(code);
	cells[4] = strdup(known ? known->meaning : "");
	cells[5] = strdup(change ? "this site" : PQgetvalue(result, row, 4));
}

static int
print_zone_types(struct site_draft *draft, struct err *err)
{
	static const char *const names[] = { " ", "#", "zone type", "code",
		"meaning", "from" };
	const char *values[] = { draft->keys[SITE_DEALER],
		draft->keys[SITE_TEMPLATE] };
	struct table table;
	int code = 0;
	PGresult *result =
	    db_query(draft->db, inherited, 2, values, &code, err);

	if (!result)
		return code;
	if (table_create(&table, COUNT(names), (size_t)PQntuples(result))) {
		for (size_t i = 0; i < COUNT(names); i++)
			table.names[i] = strdup(names[i]);
		for (int row = 0; row < PQntuples(result); row++)
			fill_row(draft, result, row,
			    table.cells + (size_t)row * COUNT(names));
		table_print(&table, false);
	}
	table_close(&table);
	PQclear(result);
	return 0;
}

static int
change_zone_type(struct site_draft *draft, const char *number, struct err *err)
{
	char *setting;
	int result;

	setting =
	    prompt_ask("  Code, on, off, or default to inherit", NULL, NULL);
	if (!setting)
		return err_set(err, ENDED, "no more input");
	result = *setting
	    ? site_draft_change(draft, SITE_ZONE_TYPE, number, setting, err)
	    : 0;
	free(setting);
	return result;
}

static int
ask_zone_types(struct site_draft *draft)
{
	const struct choice_list *list;
	struct err err;
	int result = site_draft_subjects(draft, SITE_ZONE_TYPE, &list, &err);

	puts("\nAlarms of each zone type, as they go to the station:");
	while (result == 0) {
		char *number;

		result = print_zone_types(draft, &err);
		if (result < 0)
			break;
		number = prompt_ask("Zone type to change, by number "
				    "(nothing: go on)",
		    NULL, list);
		if (!number)
			return ENDED;
		if (!*number) {
			free(number);
			return 0;
		}
		result = choice_find(list, number)
		    ? change_zone_type(draft, number, &err)
		    : choice_refuse(list, "zone type", number, &err);
		free(number);
		if (result == -EINVAL)
			result = explain(&err);
	}
	explain(&err);
	return result;
}

/* ---- contacts ------------------------------------------------------------------------- */

static int
ask_contact(struct site_draft *draft, char *name)
{
	static const struct {
		enum site_contact_field field;
		const char *label;
	} rows[] = {
		{ CONTACT_TITLE, "  Title" },
		{ CONTACT_PHONE, "  Phone" },
		{ CONTACT_EMAIL, "  E-mail" },
		{ CONTACT_SLOT, "  Slot number at the station" },
	};
	struct site_contact contact = { { [CONTACT_NAME] = name } };
	char id[24];
	const char *option;
	struct err err;
	int result;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *answer = prompt_ask(rows[i].label, NULL, NULL);

		contact.values[rows[i].field] = answer;
		if (!answer) {
			site_draft_take_contact(draft, &contact, &err);
			return ENDED;
		}
		if (!*answer) {
			free(answer);
			contact.values[rows[i].field] = NULL;
		}
	}
	result = site_draft_take_contact(draft, &contact, &err);
	if (result < 0)
		return explain(&err);
	result = site_draft_store(draft, false, id, &option, &err);
	if (result < 0 && strcmp(option, "contact") == 0) {
		site_draft_drop_contact(draft);
		return explain(&err);
	}
	return result == -EINVAL ? 0 : result;
}

static int
ask_contacts(struct site_draft *draft)
{
	puts("\nWhom the station calls:");
	for (;;) {
		char *name = prompt_ask("Name of a contact (nothing: go on)",
		    NULL, NULL);
		int result;

		if (!name)
			return ENDED;
		if (!*name) {
			free(name);
			return 0;
		}
		result = ask_contact(draft, name);
		if (result < 0)
			return result;
	}
}

/* ---- summary ---------------------------------------------------------------------------- */

static void
print_summary(const struct site_draft *draft)
{
	puts("\nThis will be stored:");
	for (size_t i = 0; i < SITE_FIELD_COUNT; i++)
		if (draft->titles[i])
			printf("  %-22s%s\n", site_fields[i].label,
			    draft->titles[i]);
	for (size_t i = 0; i < draft->change_count; i++) {
		const struct site_change *change = &draft->changes[i];

		printf("  %-22s%s%s%s%s\n",
		    change->kind == SITE_ZONE_TYPE ? "Zone type" : "Event",
		    change->subject, *change->code ? ": code " : "",
		    change->code,
		    change->enabled < 0	      ? ""
			: change->enabled > 0 ? ": sent"
					      : ": not sent");
	}
	for (size_t i = 0; i < draft->contact_count; i++)
		printf("  %-22s%s\n", "Contact",
		    draft->contacts[i].values[CONTACT_NAME]);
	if (draft->claim_code)
		printf("  %-22s%s\n", "Claim code", draft->claim_code);
}

static int
summary_choices(struct choice_list *list, struct err *err)
{
	static const char *const words[][2] = {
		{ "yes", "store it" },
		{ "no", "end without storing" },
		{ "zone-type", "Zone types" },
		{ "contact", "Contacts" },
	};
	int result = 0;

	*list = (struct choice_list){ 0 };
	for (size_t i = 0; i < COUNT(words) && result == 0; i++)
		result = choice_add(list, words[i][0], words[i][0], words[i][1],
		    err);
	for (size_t i = 0; i < SITE_FIELD_COUNT && result == 0; i++)
		result = choice_add(list, site_fields[i].option,
		    site_fields[i].option, site_fields[i].label, err);
	return result;
}

/* Let the user change what option names. */
static int
ask_again(struct site_draft *draft, const char *option)
{
	if (strcmp(option, "zone-type") == 0)
		return ask_zone_types(draft);
	if (strcmp(option, "contact") == 0) {
		while (draft->contact_count > 0)
			site_draft_drop_contact(draft);
		return ask_contacts(draft);
	}
	if (strcmp(option, "claim-code") == 0) {
		draft->claim_code = NULL; /* the wizard offers it afterwards */
		return 0;
	}
	for (size_t i = 0; i < SITE_FIELD_COUNT; i++)
		if (strcmp(site_fields[i].option, option) == 0)
			return ask_field(draft, (enum site_field)i);
	return 0;
}

/* 1: stored. 0: not, ask again. Else an -errno. */
static int
try_to_store(struct site_draft *draft, char ret_id[24])
{
	const char *option;
	struct err err;
	int result = site_draft_store(draft, true, ret_id, &option, &err);

	if (result == 0)
		return 1;
	*ret_id = '\0';
	explain(&err);
	return result == -EINVAL ? ask_again(draft, option) : result;
}

static int
confirm(struct site_draft *draft, char ret_id[24])
{
	struct choice_list list;
	struct err unused;
	int result = summary_choices(&list, &unused);

	while (result == 0) {
		const struct choice *choice;
		struct err err;
		char *answer;

		print_summary(draft);
		answer = prompt_ask("Store it? yes, no, or what to change",
		    "yes", &list);
		choice = answer ? choice_find(&list, answer) : NULL;
		if (!answer)
			result = ENDED;
		else if (!choice) {
			choice_refuse(&list, "answer", answer, &err);
			explain(&err);
		} else if (strcmp(choice->name, "yes") == 0)
			result = try_to_store(draft, ret_id);
		else if (strcmp(choice->name, "no") == 0)
			result = ENDED;
		else
			result = ask_again(draft, choice->name);
		free(answer);
	}
	choice_close(&list);
	return result;
}

/* ---- the bridge --------------------------------------------------------------------------- */

static const char register_bridge[] =
    "SELECT tocsin.bridge_register($1, $2::bigint)";
static const char add_bridge[] =
    "INSERT INTO tocsin.bridge (serial, site_id, transport_account) "
    "VALUES ($1, $2::bigint, nullif(upper($3), '')) RETURNING id";

/* 1: it is there, 0: refused and explained, else an -errno. */
static int
place_bridge(struct site_draft *draft, const char *sql, int count,
    const char *const *values)
{
	struct err err;
	int code = 0;
	PGresult *result = db_query(draft->db, sql, count, values, &code, &err);

	if (result) {
		printf("  Bridge %s is registered.\n",
		    PQgetvalue(result, 0, 0));
		PQclear(result);
		return 1;
	}
	printf("  %s\n", refusal_sentence(draft->db, &err));
	return *db_constraint(draft->db) ? 0 : code;
}

static int
ask_new_bridge(struct site_draft *draft, const char *site)
{
	char *serial = prompt_ask("  Serial number", NULL, NULL);
	char *account = serial
	    ? prompt_ask("  Account that it signals with", NULL, NULL)
	    : NULL;
	const char *values[] = { serial, site, account };
	int result =
	    account ? place_bridge(draft, add_bridge, 3, values) : ENDED;

	free(serial);
	free(account);
	return result;
}

/* The site is stored: whatever happens here, it stays. */
static void
offer_bridge(struct site_draft *draft, const char *site)
{
	int result = 0;

	while (result == 0) {
		char *answer = prompt_ask("\nRegister a bridge: its claim code,"
					  " or add for a new one (nothing: "
					  "later)",
		    NULL, NULL);
		const char *values[] = { answer, site };

		if (!answer || !*answer)
			result = ENDED;
		else if (strcasecmp(answer, "add") == 0)
			result = ask_new_bridge(draft, site);
		else
			result =
			    place_bridge(draft, register_bridge, 2, values);
		free(answer);
	}
}

int
site_wizard(struct site_draft *draft, char ret_id[24])
{
	int result;

	*ret_id = '\0';
	prompt_open();
	puts("A new customer. Tab completes, ? lists what there is, none "
	     "empties, Ctrl-D ends without storing.");
	result = ask_fields(draft);
	if (result == 0)
		result = ask_zone_types(draft);
	if (result == 0 && draft->contact_count == 0)
		result = ask_contacts(draft);
	if (result == 0)
		result = confirm(draft, ret_id);
	if (result == 1) {
		printf("Site %s is stored.\n", ret_id);
		if (!draft->claim_code)
			offer_bridge(draft, ret_id);
		return EXIT_STATUS_OK;
	}
	return ctl_fail(result == ENDED ? EXIT_STATUS_FAILED
					: EXIT_STATUS_UNAVAILABLE,
	    "site create: nothing was stored");
}
