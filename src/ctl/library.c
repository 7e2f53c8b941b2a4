#include "ctl/library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/slice.h"
#include "ctl/choice.h"
#include "ctl/connection.h"
#include "ctl/table.h"
#include "db/refusal.h"
#include "signal/codes.h"

/* clang-format off */
#define OWNER_OPTIONS                                                          \
	{ "site", "ID", "of this site" },                                      \
	{ "dealer", "ID", "of this dealer: the defaults of all its sites" }
#define SUBJECT_OPTIONS                                                        \
	{ "zone-type", "TYPE", "alarms of this zone type: number or name" },   \
	{ "event", "NAME", "this system event, such as periodic_test" },       \
	{ "inbound-code", "CODE", "this received code" }
/* clang-format on */

static const struct ctl_option show_options[] = {
	OWNER_OPTIONS,
	SUBJECT_OPTIONS,
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "one object a line" },
	{ NULL },
};

static const struct ctl_option set_options[] = {
	OWNER_OPTIONS,
	SUBJECT_OPTIONS,
	{ "enabled", "yes|no|none", "whether it is sent; none inherits" },
	{ "code", "CODE|none", "what is sent; none inherits" },
	{ "any-code", NULL, "also one that the code tables do not know" },
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "one object a line" },
	{ NULL },
};

/* One use of a command; subject NULL: all. */
struct library_use {
	const char *command;
	struct ctl_arguments arguments;
	struct db db;
	const char *site, *dealer;
	char zone_type[24], event[64]; /* keys; "": another subject */
	const char *inbound_code, *enabled, *code;
};

/* Stations have codes of their own for a few of the built-in events. */
static bool
is_built_in(struct db *db, const char *code)
{
	struct err err;
	int result_code;
	PGresult *result = db_query(db,
	    "SELECT 1 FROM tocsin.zone_type WHERE code = upper($1) UNION ALL "
	    "SELECT 1 FROM tocsin.system_event WHERE code = upper($1)",
	    1, &code, &result_code, &err);
	bool found = result && PQntuples(result) > 0;

	PQclear(result);
	return found;
}

int
library_check_code(struct db *db, const char *code, struct err *err)
{
	if (strlen(code) != 3 || strspn(code, "0123456789ABCDEFabcdef") != 3)
		return err_set(err, -EINVAL,
		    "%s: a code is three digits, as in Contact ID: 130",
		    *code ? code : "(nothing)");
	if (!codes_contact_id_find(code) && !is_built_in(db, code))
		return err_set(err, -EINVAL,
		    "%s: unknown code; no Contact ID event has it (130 is "
		    "burglary, 110 fire, 120 panic). A station's own code: "
		    "tocsinctl library set --any-code",
		    code);
	return 0;
}

/* ---- what it is about -------------------------------------------------------------- */

static int
check_id(const struct library_use *use, const char *option, const char *id)
{
	unsigned long number;

	if (id &&
	    (slice_to_number(slice_from_string(id), 10, &number) < 0 ||
		number > INT64_MAX))
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: --%s is a whole number, not \"%s\"", use->command,
		    option, id);
	return CTL_GO_ON;
}

static int
take_owner(struct library_use *use)
{
	int status;

	use->site = ctl_value(&use->arguments, "site");
	use->dealer = ctl_value(&use->arguments, "dealer");
	if (!use->site == !use->dealer)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: one of --site ID and --dealer ID is needed",
		    use->command);
	status = check_id(use, "site", use->site);
	return status == CTL_GO_ON ? check_id(use, "dealer", use->dealer)
				   : status;
}

static const char zone_types[] =
    "SELECT number, name, '' FROM tocsin.zone_type "
    "WHERE $1::text IS NULL ORDER BY number";
static const char events[] =
    "SELECT name, description, '' FROM tocsin.system_event "
    "WHERE $1::text IS NULL ORDER BY name";

/* The key of what an option names into ret; CTL_GO_ON or a status. */
static int
take_subject(struct library_use *use, const char *option, const char *what,
    const char *statement, char *ret, size_t size)
{
	const char *text = ctl_value(&use->arguments, option);
	struct choice_list list = { 0 };
	const struct choice *choice;
	struct err err;
	int result, status = CTL_GO_ON;

	if (!text)
		return CTL_GO_ON;
	result = choice_load(&list, &use->db, statement, NULL, &err);
	choice = choice_find(&list, text);
	if (result < 0)
		status = ctl_database_status(result, &err);
	else if (choice)
		snprintf(ret, size, "%s", choice->key);
	else {
		choice_refuse(&list, what, text, &err);
		status = ctl_fail(EXIT_STATUS_FAILED, "%s: --%s %s",
		    use->command, option, err.text);
	}
	choice_close(&list);
	return status;
}

static int
take_subjects(struct library_use *use, bool needed)
{
	int given = 0, status;

	use->inbound_code = ctl_value(&use->arguments, "inbound-code");
	given = !!ctl_value(&use->arguments, "zone-type") +
	    !!ctl_value(&use->arguments, "event") + !!use->inbound_code;
	if (given > 1 || (needed && given == 0))
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: one of --zone-type TYPE, --event NAME and "
		    "--inbound-code CODE is %s",
		    use->command, given > 1 ? "enough" : "needed");
	status = take_subject(use, "zone-type", "zone type", zone_types,
	    use->zone_type, sizeof(use->zone_type));
	if (status == CTL_GO_ON)
		status = take_subject(use, "event", "system event", events,
		    use->event, sizeof(use->event));
	return status;
}

/* ---- show ----------------------------------------------------------------------------- */

/* $1 owner, $2 zone type, $3 event, $4 inbound code; all but the owner may be
 * NULL, and all three then means everything */
static const char of_site[] =
    "SELECT e.kind, e.subject, e.title, e.channel_id, c.name AS channel, "
    "e.enabled, e.enabled_level, e.code, e.code_level "
    "FROM tocsin.effective_library e "
    "LEFT JOIN tocsin.channel c ON c.id = e.channel_id "
    "WHERE e.site_id = $1::bigint AND ($2::text || $3::text || $4::text = '' "
    "OR e.kind = 'zone_type' AND e.subject = $2 "
    "OR e.kind = 'system_event' AND e.subject = $3 "
    "OR e.kind = 'inbound_code' AND e.subject = upper($4)) "
    "ORDER BY e.kind DESC, CASE e.kind WHEN 'zone_type' THEN "
    "lpad(e.subject, 6) ELSE e.title END, e.channel_id NULLS FIRST";

static const char of_dealer[] =
    "SELECT kind, subject, title, enabled, enabled_level, code, code_level "
    "FROM tocsin.dealer_library "
    "WHERE dealer_id = $1::bigint AND ($2::text || $3::text || $4::text = '' "
    "OR kind = 'zone_type' AND subject = $2 "
    "OR kind = 'system_event' AND subject = $3 "
    "OR kind = 'inbound_code' AND subject = upper($4)) "
    "ORDER BY kind DESC, CASE kind WHEN 'zone_type' THEN "
    "lpad(subject, 6) ELSE title END";

static int
print_library(struct library_use *use)
{
	const char *values[] = { use->site ? use->site : use->dealer,
		use->zone_type, use->event,
		use->inbound_code ? use->inbound_code : "" };
	int code, status = EXIT_STATUS_OK;
	struct err err;
	PGresult *result = db_query(&use->db, use->site ? of_site : of_dealer,
	    4, values, &code, &err);

	if (!result)
		return ctl_database_status(code, &err);
	if (PQntuples(result) > 0)
		table_print_result(result, ctl_flag(&use->arguments, "json"),
		    false);
	else if (!use->inbound_code)
		status = ctl_fail(EXIT_STATUS_FAILED, "%s: there is no %s %s",
		    use->command, use->site ? "site" : "dealer", values[0]);
	PQclear(result);
	return status;
}

/* ---- set and reset ----------------------------------------------------------------- */

#define OF_SUBJECT                                                             \
 "(site_id = $1::bigint OR dealer_id = $2::bigint) "                           \
 "AND ($3::text || $4::text || coalesce($5::text, '') = '' "                   \
 "OR zone_type::text = $3 OR system_event = $4 OR inbound_code = upper($5))"

/* a row that would say nothing is one that goes */
static const char empty_row[] =
    "DELETE FROM tocsin.alarm_library WHERE " OF_SUBJECT
    " AND ($6::text = 'none' OR $6 IS NULL AND enabled IS NULL) "
    "AND ($7::text = 'none' OR $7 IS NULL AND code IS NULL)";

static const char changed_row[] =
    "UPDATE tocsin.alarm_library SET enabled = CASE WHEN $6::text IS NULL "
    "THEN enabled ELSE nullif($6, 'none')::boolean END, "
    "code = CASE WHEN $7::text IS NULL THEN code "
    "ELSE upper(nullif($7, 'none')) END WHERE " OF_SUBJECT;

static const char new_row[] =
    "INSERT INTO tocsin.alarm_library (site_id, dealer_id, zone_type, "
    "system_event, inbound_code, enabled, code) SELECT $1::bigint, "
    "$2::bigint, nullif($3::text, '')::smallint, nullif($4::text, ''), "
    "upper($5::text), nullif($6::text, 'none')::boolean, "
    "upper(nullif($7::text, 'none')) "
    "WHERE nullif($6, 'none') IS NOT NULL OR nullif($7, 'none') IS NOT NULL";

static const char rows_of_subject[] =
    "DELETE FROM tocsin.alarm_library WHERE " OF_SUBJECT;

static int
refused(const struct library_use *use, const struct err *err)
{
	return ctl_fail(PQstatus(use->db.connection) == CONNECTION_OK
		? EXIT_STATUS_FAILED
		: EXIT_STATUS_UNAVAILABLE,
	    "%s: %s", use->command, refusal_sentence(&use->db, err));
}

/* How many rows a statement about the use's subject changed; -1: refused. */
static int
execute(struct library_use *use, const char *statement, int count,
    struct err *err)
{
	const char *values[] = { use->site, use->dealer, use->zone_type,
		use->event, use->inbound_code, use->enabled, use->code };
	int code, changed = -1;
	PGresult *result =
	    db_query(&use->db, statement, count, values, &code, err);

	if (result)
		changed = (int)strtol(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return changed;
}

static int
take_values(struct library_use *use)
{
	const char *enabled = ctl_value(&use->arguments, "enabled");
	const char *code = ctl_value(&use->arguments, "code");
	struct err err;

	use->enabled = enabled;
	use->code = code;
	if (!enabled && !code)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: --enabled yes|no|none, --code CODE or both are "
		    "needed",
		    use->command);
	if (enabled && strcmp(enabled, "yes") != 0 &&
	    strcmp(enabled, "no") != 0 && strcmp(enabled, "none") != 0)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: --enabled is yes, no or none, not \"%s\"",
		    use->command, enabled);
	if (code && strcmp(code, "none") != 0 && !use->inbound_code &&
	    !ctl_flag(&use->arguments, "any-code") &&
	    library_check_code(&use->db, code, &err) < 0)
		return ctl_fail(EXIT_STATUS_FAILED, "%s: --code %s",
		    use->command, err.text);
	return CTL_GO_ON;
}

static int
set_values(struct library_use *use)
{
	static const char *const steps[] = { empty_row, changed_row, new_row };
	int status = take_values(use), changed = 0;
	struct err err;

	if (status != CTL_GO_ON)
		return status;
	if (db_execute(&use->db, "BEGIN", &err) < 0)
		return refused(use, &err);
	for (size_t i = 0; i < COUNT(steps) && changed == 0; i++)
		changed = execute(use, steps[i], 7, &err);
	if (changed < 0 || db_execute(&use->db, "COMMIT", &err) < 0)
		return refused(use, &err);
	return print_library(use);
}

static int
reset_values(struct library_use *use)
{
	struct err err;

	if (execute(use, rows_of_subject, 5, &err) < 0)
		return refused(use, &err);
	return print_library(use);
}

/* ---- the command ----------------------------------------------------------------------- */

static int
run(const char *command, const struct ctl_option *options, bool needed,
    int (*action)(struct library_use *), int argc, char **argv)
{
	struct library_use use = { .command = command };
	int status = ctl_parse(command,
	    needed ? "--site ID|--dealer ID --zone-type TYPE|--event NAME ..."
		   : "--site ID|--dealer ID [--zone-type TYPE|--event NAME]",
	    options, 0, argc, argv, &use.arguments);

	if (status == CTL_GO_ON)
		status = take_owner(&use);
	if (status != CTL_GO_ON)
		return status;
	status = ctl_connect(&use.db, &use.arguments);
	if (status == EXIT_STATUS_OK)
		status = take_subjects(&use, needed);
	if (status == CTL_GO_ON)
		status = action(&use);
	db_close(&use.db);
	return status;
}

static int
library_show(int argc, char **argv)
{
	return run("library show", show_options, false, print_library, argc,
	    argv);
}

static int
library_set(int argc, char **argv)
{
	return run("library set", set_options, true, set_values, argc, argv);
}

static int
library_reset(int argc, char **argv)
{
	return run("library reset", show_options, false, reset_values, argc,
	    argv);
}

int
library_run(int argc, char **argv)
{
	static const struct ctl_command commands[] = {
		{ "show", "--site ID|--dealer ID [OPTION]...",
		    "what is sent, under which code, and who says so",
		    library_show },
		{ "set",
		    "--site ID|--dealer ID --zone-type TYPE|--event NAME "
		    "OPTION...",
		    "send it or not, change its code", library_set },
		{ "reset", "--site ID|--dealer ID [OPTION]...",
		    "inherit again: one entry, or all of them", library_reset },
	};

	return ctl_dispatch("library", commands, COUNT(commands), argc, argv);
}
