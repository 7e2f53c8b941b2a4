#include "ctl/library.h"

#include <string.h>

#include "base/exit.h"
#include "ctl/connection.h"
#include "ctl/entity.h"
#include "ctl/table.h"

static const struct ctl_option options[] = {
	{ "site", "ID", "of which site" },
	{ "zone-type", "N", "only this zone type" },
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "one object a line" },
	{ NULL },
};

static const char effective[] =
    "SELECT e.zone_type, t.name, e.channel_id, c.name AS channel, e.enabled, "
    "e.enabled_level, e.code, e.code_level "
    "FROM tocsin.effective_alarm_code e "
    "JOIN tocsin.zone_type t ON t.number = e.zone_type "
    "LEFT JOIN tocsin.channel c ON c.id = e.channel_id "
    "WHERE e.site_id = $1::bigint "
    "AND ($2::integer IS NULL OR e.zone_type = $2::integer) "
    "ORDER BY e.zone_type, e.channel_id NULLS FIRST";

static int
show(struct db *db, const struct ctl_arguments *arguments)
{
	const char *values[] = { ctl_value(arguments, "site"),
		ctl_value(arguments, "zone-type") };
	int code, status = EXIT_STATUS_OK;
	struct err err;
	PGresult *result = db_query(db, effective, 2, values, &code, &err);

	if (!result)
		return ctl_database_status(code, &err);
	if (PQntuples(result) == 0)
		status = ctl_fail(EXIT_STATUS_FAILED,
		    "there is no such site or zone type");
	else
		table_print_result(result, ctl_flag(arguments, "json"), false);
	PQclear(result);
	return status;
}

static int
library_show(int argc, char **argv)
{
	struct ctl_arguments arguments;
	struct db db = { 0 };
	int status = ctl_parse("library show", "--site ID [--zone-type N]",
	    options, 0, argc, argv, &arguments);

	if (status != CTL_GO_ON)
		return status;
	if (!ctl_value(&arguments, "site"))
		return ctl_fail(EXIT_STATUS_USAGE,
		    "library show: --site ID is needed");
	status = ctl_connect(&db, &arguments);
	if (status == EXIT_STATUS_OK)
		status = show(&db, &arguments);
	db_close(&db);
	return status;
}

int
library_run(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "show") == 0)
		return library_show(argc - 1, argv + 1);
	return entity_run(&entity_library, argc, argv);
}
