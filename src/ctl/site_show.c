/*
 * The overview of a site. One statement makes one JSON object; --json prints
 * it, people get its parts as tables. No json.h of base here: table_objects.c
 * says why.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/slice.h"
#include "ctl/connection.h"
#include "ctl/site.h"
#include "ctl/table_objects.h"

#define ROWS(name, order, rows)                                                \
 "(SELECT coalesce(json_agg(x ORDER BY " order "), '[]') FROM (" rows          \
 ") x) AS " name

static const char overview[] =
    "SELECT row_to_json(o) FROM (SELECT o.*, "
    "to_char(o.on_test_until AT TIME ZONE o.timezone, 'YYYY-MM-DD HH24:MI') "
    "AS on_test_until_local, "
    "to_char(o.activation_ends AT TIME ZONE o.timezone, 'YYYY-MM-DD HH24:MI') "
    "AS activation_ends_local, " ROWS("zone_types", "x.n",
	"SELECT l.subject::integer AS n, l.title AS zone_type, l.enabled AS "
	"sent, l.enabled_level AS sent_by, l.code, l.code_level AS code_by "
	"FROM tocsin.effective_library l WHERE l.site_id = o.id "
	"AND l.kind = 'zone_type' AND l.channel_id IS NULL") ", " ROWS("events",
	"x.title",
	"SELECT l.subject AS event, l.title, l.enabled AS sent, "
	"l.enabled_level AS sent_by, l.code, l.code_level AS code_by "
	"FROM tocsin.effective_library l WHERE l.site_id = o.id "
	"AND l.kind <> 'zone_type' AND l.channel_id IS NULL") ", " ROWS("bridges",
	"x.id",
	"SELECT b.id, (SELECT n.number FROM tocsin.bridge n WHERE n.id = b.id), "
	"b.serial, b.kind, b.model, b.firmware, "
	"b.transport_account AS signals_as, b.cipher_required AS "
	"must_encrypt, b.has_key, b.arms_site, b.channels, b.cameras, "
	"b.supervision FROM tocsin.site_bridge b WHERE b.site_id = o.id") ", " ROWS("channels",
	"x.id",
	"SELECT c.id, coalesce(b.serial, b.id::text) AS bridge, c.name, "
	"(SELECT string_agg(z.zone_number, ',' ORDER BY z.zone_key) "
	"FROM tocsin.channel_zone z WHERE z.channel_id = c.id) AS zones, "
	"t.name AS zone_type, l.enabled AS sent, l.enabled_level AS sent_by, "
	"l.code, l.code_level AS code_by, k.name AS camera, "
	"p.number AS partition FROM tocsin.bridge b "
	"JOIN tocsin.channel c ON c.bridge_id = b.id "
	"JOIN tocsin.zone_type t ON t.number = c.zone_type "
	"LEFT JOIN tocsin.effective_alarm_code l ON l.site_id = o.id "
	"AND l.channel_id = c.id AND l.zone_type = c.zone_type "
	"LEFT JOIN tocsin.camera k ON k.channel_id = c.id "
	"LEFT JOIN tocsin.partition_channel q ON q.channel_id = c.id "
	"LEFT JOIN tocsin.site_partition p ON p.id = q.partition_id "
	"WHERE b.site_id = o.id") ", " ROWS("partitions", "x.number",
	"SELECT p.id, p.number, p.name, (SELECT count(*) "
	"FROM tocsin.partition_channel c WHERE c.partition_id = p.id) "
	"AS channels FROM tocsin.site_partition p WHERE p.site_id = o.id") ", " ROWS("contacts",
	"x.slot NULLS LAST, x.id",
	"SELECT c.id, c.slot, c.name, c.title, c.phone, c.email "
	"FROM tocsin.contact c WHERE c.site_id = o.id") ", " ROWS("warnings",
	"x.warning",
	"SELECT w.warning, w.sentence FROM tocsin.site_warning w "
	"WHERE w.site_id = o.id") " FROM tocsin.site_overview o WHERE o.id = $1::bigint) o";

/* ---- for people --------------------------------------------------------------------- */

static const char *
text_of(const json_t *site, const char *key)
{
	const char *text = json_string_value(json_object_get(site, key));

	return text ? text : "";
}

static long long
number_of(const json_t *site, const char *key)
{
	return json_integer_value(json_object_get(site, key));
}

static void
print_field(const char *label, const char *text)
{
	if (*text)
		printf("  %-14s%s\n", label, text);
}

/* "a, b, c" of the members that say something */
static void
print_joined(const char *label, const json_t *site, const char *const *keys,
    size_t count)
{
	char line[1024] = "";
	size_t length = 0;

	for (size_t i = 0; i < count && length < sizeof(line); i++)
		if (*text_of(site, keys[i]))
			length += (size_t)snprintf(line + length,
			    sizeof(line) - length, "%s%s",
			    length > 0 ? ", " : "", text_of(site, keys[i]));
	print_field(label, line);
}

static void
print_place(const json_t *site)
{
	static const char *const address[] = { "address1", "address2", "city",
		"region", "postal_code", "country" };
	const json_t *latitude = json_object_get(site, "latitude");

	printf("%s\n", text_of(site, "name"));
	printf("  %-14s%lld, of dealer %s\n", "Site", number_of(site, "id"),
	    text_of(site, "dealer"));
	print_joined("Address", site, address, COUNT(address));
	if (json_is_number(latitude))
		printf("  %-14s%.6g, %.6g\n", "Position",
		    json_number_value(latitude),
		    json_number_value(json_object_get(site, "longitude")));
	print_field("Time zone", text_of(site, "timezone"));
	print_field("External id", text_of(site, "external_id"));
}

static void
print_state(const json_t *site)
{
	const char *security = text_of(site, "security");
	const char *until = text_of(site, "on_test_until_local");

	if (*until)
		printf("  %-14s%s until %s, signals are %s\n", "Security",
		    security, until,
		    json_is_true(json_object_get(site, "on_test_forward"))
			? "forwarded as test"
			: "held back");
	else
		print_field("Security", security);
	if (json_array_size(json_object_get(site, "bridges")) == 0 &&
	    *text_of(site, "activation_ends_local"))
		printf("  %-14sregister the first bridge by %s\n", "Activation",
		    text_of(site, "activation_ends_local"));
}

static void
print_station(const json_t *site)
{
	static const char *const station[] = { "station", "center", "receiver",
		"protocol" };
	const char *number = text_of(site, "account_number");
	const char *effective = text_of(site, "effective_account");

	print_joined("Station", site, station, COUNT(station));
	if (!*text_of(site, "station"))
		print_field("Station", "none");
	if (strcmp(number, effective) != 0 && *effective)
		printf("  %-14s%s (prefix %s, number %s)\n", "Account",
		    effective, text_of(site, "prefix"), number);
	else
		print_field("Account", number);
	print_field("Reference id", text_of(site, "reference_id"));
	print_field("Launch URL", text_of(site, "launch_url"));
	print_field("Arming", text_of(site, "arming_title"));
	printf("  %-14sentry %lld s, exit %lld s, repeat filter %lld s\n",
	    "Delays", number_of(site, "entry_delay_s"),
	    number_of(site, "exit_delay_s"),
	    number_of(site, "repeat_filter_s"));
}

static void
print_rows(const json_t *site, const char *key, const char *title)
{
	const json_t *rows = json_object_get(site, key);

	if (json_array_size(rows) == 0)
		return;
	printf("\n%s\n", title);
	table_print_objects(rows, false);
}

/* System events as they are built in would hide the few that are not. */
static void
print_changed_events(const json_t *site)
{
	json_t *changed = json_array(), *event;
	size_t index, count = 0;

	json_array_foreach(json_object_get(site, "events"), index, event)
	{
		count++;
		if (strcmp(text_of(event, "sent_by"), "built-in") != 0 ||
		    strcmp(text_of(event, "code_by"), "built-in") != 0)
			json_array_append(changed, event);
	}
	if (json_array_size(changed) > 0) {
		puts("\nSystem events that are changed");
		table_print_objects(changed, false);
	}
	printf("\n%zu system events as built in: tocsinctl library show "
	       "--site %lld\n",
	    count - json_array_size(changed), number_of(site, "id"));
	json_decref(changed);
}

static void
print_warnings(const json_t *site)
{
	const json_t *warnings = json_object_get(site, "warnings"), *row;
	size_t index;

	if (json_array_size(warnings) == 0) {
		puts("\nComplete.");
		return;
	}
	puts("\nMissing");
	json_array_foreach(warnings, index, row)
	    printf("  ! %s\n", text_of(row, "sentence"));
}

static int
print_overview(const char *text)
{
	json_t *site = json_loads(text, 0, NULL);

	if (!site)
		return ctl_fail(EXIT_STATUS_SOFTWARE,
		    "the overview cannot be read");
	print_place(site);
	print_state(site);
	print_station(site);
	print_rows(site, "zone_types", "Alarm library");
	print_changed_events(site);
	print_rows(site, "bridges", "Bridges");
	print_rows(site, "channels", "Channels and cameras");
	print_rows(site, "partitions", "Partitions");
	print_rows(site, "contacts", "Contacts");
	print_warnings(site);
	json_decref(site);
	return EXIT_STATUS_OK;
}

/* One object on one line: json_agg breaks lines between rows, and a line
 * break inside a string is escaped. */
static void
print_line(const char *text)
{
	for (; *text; text++)
		putchar(*text == '\n' ? ' ' : *text);
	putchar('\n');
}

int
site_print(struct db *db, const char *id, bool json)
{
	const char *values[] = { id };
	int code, status = EXIT_STATUS_OK;
	struct err err;
	PGresult *result = db_query(db, overview, 1, values, &code, &err);

	if (!result)
		return ctl_database_status(code, &err);
	if (PQntuples(result) == 0)
		status = ctl_fail(EXIT_STATUS_FAILED,
		    "there is no site %s; \"tocsinctl site find TEXT\" looks "
		    "for one",
		    id);
	else if (json)
		print_line(PQgetvalue(result, 0, 0));
	else
		status = print_overview(PQgetvalue(result, 0, 0));
	PQclear(result);
	return status;
}

/* ---- the command ----------------------------------------------------------------------- */

static const struct ctl_option options[] = {
	{ "id", "ID", "which one, as the plain word" },
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "one object a line" },
	{ NULL },
};

int
site_show(int argc, char **argv)
{
	struct ctl_arguments arguments;
	struct db db = { 0 };
	const char *id;
	unsigned long number;
	int status =
	    ctl_parse("site show", "ID", options, 1, argc, argv, &arguments);

	if (status != CTL_GO_ON)
		return status;
	id = arguments.word_count > 0 ? arguments.words[0]
				      : ctl_value(&arguments, "id");
	if (!id)
		return ctl_fail(EXIT_STATUS_USAGE, "site show: ID is needed");
	if (slice_to_number(slice_from_string(id), 10, &number) < 0 ||
	    number > INT64_MAX)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "site show: ID is a whole number, not \"%s\"; "
		    "\"tocsinctl site find TEXT\" looks for names",
		    id);
	status = ctl_connect(&db, &arguments);
	if (status == EXIT_STATUS_OK)
		status = site_print(&db, id, ctl_flag(&arguments, "json"));
	db_close(&db);
	return status;
}
