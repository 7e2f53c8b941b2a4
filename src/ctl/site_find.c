/* Looking for sites: by one text, by a launch URL, by filters. */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/slice.h"
#include "ctl/connection.h"
#include "ctl/site.h"
#include "ctl/table.h"
#include "db/refusal.h"

#define COLUMNS                                                                \
 "o.id, o.name, o.dealer, o.city, o.external_id, o.station, "                  \
 "o.effective_account AS account, o.reference_id, o.security"

static const char by_text[] = "SELECT " COLUMNS ", m.matched "
			      "FROM tocsin.site_search($1, $2::bigint) m "
			      "JOIN tocsin.site_overview o ON o.id = m.site_id "
			      "ORDER BY m.rank, o.name, o.id LIMIT $2::bigint";

static const char by_url[] =
    "SELECT f.site_id AS id, f.site_name AS name, d.name AS dealer, "
    "f.account, f.reference_id, v.name AS receiver, f.zone, f.channel_id, "
    "f.channel_name AS channel, f.matched "
    "FROM tocsin.site_find_by_url($1) f "
    "LEFT JOIN tocsin.dealer d ON d.id = f.dealer_id "
    "LEFT JOIN tocsin.receiver v ON v.id = f.receiver_id "
    "LIMIT $2::bigint";

struct column {
	const char *option, *value, *help;
	const char *condition; /* with %d for its parameter */
};

static const struct column filters[] = {
	{ "dealer", "ID", "whose customers", "o.dealer_id = $%d::bigint" },
	{ "station", "ID", "monitored by",
	    "o.station_record_id = $%d::bigint" },
	{ "name", "TEXT", "with this name", "o.name = $%d" },
	{ "account", "A", "with this account number",
	    "$%d IN (o.account_number, o.effective_account)" },
	{ "reference-id", "TEXT", "with this reference id",
	    "o.reference_id = $%d" },
	{ "external-id", "TEXT", "with this external id",
	    "o.external_id = $%d" },
	{ "city", "TEXT", "there", "o.city = $%d" },
	{ "state", "active|inactive|\"on test\"", "as it is now",
	    "o.security = $%d" },
	{ "search", "TEXT", "in name, address, city, accounts or serial",
	    "o.id IN (SELECT site_id FROM tocsin.site_search($%d, 1000000000))" },
};

/* ---- printing ----------------------------------------------------------------------- */

/* The rows of a statement; as many as limit: there may be more. */
static int
print_found(struct db *db, const char *command, const char *sql, int count,
    const char *const *values, bool json, unsigned long limit, int none_status)
{
	int code;
	struct err err;
	PGresult *result = db_query(db, sql, count, values, &code, &err);

	if (!result)
		return ctl_fail(PQstatus(db->connection) == CONNECTION_OK
			? EXIT_STATUS_FAILED
			: EXIT_STATUS_UNAVAILABLE,
		    "%s: %s", command, refusal_sentence(db, &err));
	code = EXIT_STATUS_OK;
	if (PQntuples(result) > 0)
		table_print_result(result, json, false);
	else if (none_status != EXIT_STATUS_OK)
		code = ctl_fail(none_status, "%s: no site is found for %s",
		    command, values[0]);
	else if (!json)
		table_print_result(result, json, false);
	if (limit > 0 && (unsigned long)PQntuples(result) == limit)
		fprintf(stderr,
		    "tocsinctl: only the first %lu are shown: say more of "
		    "it, or raise --limit\n",
		    limit);
	PQclear(result);
	return code;
}

static int
take_limit(const char *command, const struct ctl_arguments *arguments,
    const char **ret_text, unsigned long *ret)
{
	const char *text = ctl_value(arguments, "limit");

	*ret_text = text ? text : "50";
	if (slice_to_number(slice_from_string(*ret_text), 10, ret) < 0 ||
	    *ret == 0 || *ret > 1000000)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: --limit is a number from 1 to 1000000, not \"%s\"",
		    command, *ret_text);
	return CTL_GO_ON;
}

/* ---- find ------------------------------------------------------------------------------ */

static const struct ctl_option find_options[] = {
	{ "url", "URL", "launch URL with act=, csid= or txid=" },
	{ "limit", "N", "so many at most, 50 otherwise" },
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "one object a line" },
	{ NULL },
};

int
site_find(int argc, char **argv)
{
	struct ctl_arguments arguments;
	struct db db = { 0 };
	const char *values[2], *url;
	unsigned long limit;
	int status = ctl_parse("site find", "TEXT | --url URL", find_options, 1,
	    argc, argv, &arguments);

	if (status == CTL_GO_ON)
		status =
		    take_limit("site find", &arguments, &values[1], &limit);
	if (status != CTL_GO_ON)
		return status;
	url = ctl_value(&arguments, "url");
	values[0] = url ? url : arguments.words[0];
	if ((arguments.word_count == 1) == (url != NULL) || !*values[0])
		return ctl_fail(EXIT_STATUS_USAGE,
		    "site find: a text or --url URL is needed");
	status = ctl_connect(&db, &arguments);
	if (status == EXIT_STATUS_OK)
		status = print_found(&db, "site find", url ? by_url : by_text,
		    2, values, ctl_flag(&arguments, "json"), limit,
		    EXIT_STATUS_FAILED);
	db_close(&db);
	return status;
}

/* ---- list ------------------------------------------------------------------------------ */

static int
check_ids(const struct ctl_arguments *arguments)
{
	unsigned long number;

	for (size_t i = 0; i < COUNT(filters); i++) {
		const char *value = ctl_value(arguments, filters[i].option);

		if (value && strcmp(filters[i].value, "ID") == 0 &&
		    (slice_to_number(slice_from_string(value), 10, &number) <
			    0 ||
			number > INT64_MAX))
			return ctl_fail(EXIT_STATUS_USAGE,
			    "site list: --%s is a whole number, not \"%s\"",
			    filters[i].option, value);
	}
	return CTL_GO_ON;
}

static int
run_list(struct db *db, const struct ctl_arguments *arguments)
{
	const char *values[COUNT(filters)];
	char sql[2048];
	size_t length = (size_t)snprintf(sql, sizeof(sql),
	    "SELECT " COLUMNS " FROM tocsin.site_overview o");
	int count = 0;

	for (size_t i = 0; i < COUNT(filters); i++) {
		const char *value = ctl_value(arguments, filters[i].option);
		char number[16];
		const char *mark = strstr(filters[i].condition, "%d");

		if (!value)
			continue;
		values[count++] = value;
		snprintf(number, sizeof(number), "%d", count);
		length += (size_t)snprintf(sql + length, sizeof(sql) - length,
		    " %s %.*s%s%s", count == 1 ? "WHERE" : "AND",
		    (int)(mark - filters[i].condition), filters[i].condition,
		    number, mark + 2);
	}
	snprintf(sql + length, sizeof(sql) - length, " ORDER BY o.id");
	return print_found(db, "site list", sql, count, values,
	    ctl_flag(arguments, "json"), 0, EXIT_STATUS_OK);
}

int
site_list(int argc, char **argv)
{
	static const struct ctl_option common[] = {
		CTL_DATABASE_OPTIONS,
		{ "json", NULL, "one object a line" },
	};
	struct ctl_option options[COUNT(filters) + COUNT(common) + 1] = { 0 };
	struct ctl_arguments arguments;
	struct db db = { 0 };
	int status;

	for (size_t i = 0; i < COUNT(filters); i++)
		options[i] = (struct ctl_option){ filters[i].option,
			filters[i].value, filters[i].help };
	memcpy(options + COUNT(filters), common, sizeof(common));
	status = ctl_parse("site list", "[OPTION]...", options, 0, argc, argv,
	    &arguments);
	if (status == CTL_GO_ON)
		status = check_ids(&arguments);
	if (status != CTL_GO_ON)
		return status;
	status = ctl_connect(&db, &arguments);
	if (status == EXIT_STATUS_OK)
		status = run_list(&db, &arguments);
	db_close(&db);
	return status;
}
