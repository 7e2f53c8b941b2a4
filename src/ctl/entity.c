#include "ctl/entity.h"

#include <errno.h>
#include <regex.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/seal.h"
#include "base/text.h"
#include "base/unit.h"
#include "ctl/bulk.h"
#include "ctl/connection.h"
#include "ctl/key.h"
#include "ctl/secret.h"
#include "ctl/table.h"
#include "db/refusal.h"

#define COLUMNS_MAX 32
#define SECRET_MAX  64

/* One use of a command: what was given, and the statement that it becomes. */
struct entity_run {
	const struct entity *entity;
	const char *verb;
	struct ctl_option options[CTL_OPTIONS_MAX];
	struct ctl_arguments arguments;
	const char *given[COLUMNS_MAX]; /* by column; NULL: not given */
	char buffers[COLUMNS_MAX][64];	/* converted numbers */
	char *owned[COLUMNS_MAX];	/* upper case, secrets */
	char sql[8192];
	size_t length;
	const char *values[COLUMNS_MAX + 1];
	int count;
	bool json;
	struct db db;
	struct err err;
};

/* ---- options ---------------------------------------------------------------------- */

static void
build_options(struct entity_run *run, bool columns, bool filters, bool id)
{
	static const struct ctl_option common[] = {
		CTL_DATABASE_OPTIONS,
		{ "json", NULL, "one object a line" },
	};
	const struct entity *entity = run->entity;
	size_t n = 0;

	if (id)
		run->options[n++] =
		    (struct ctl_option){ "id", "ID", "which one" };
	for (size_t i = 0; i < entity->count; i++) {
		const struct entity_column *column = &entity->columns[i];

		if (columns || (filters && column->filter))
			run->options[n++] = (struct ctl_option){ column->option,
				column->value, column->help };
	}
	if (columns && entity->key_context)
		run->options[n++] = (struct ctl_option){ "master-key-file",
			"FILE", "to seal the key with" };
	for (size_t i = 0; i < COUNT(common); i++)
		run->options[n++] = common[i];
}

static int
wrong_value(const struct entity_run *run, const struct entity_column *column,
    const char *expected)
{
	return ctl_fail(EXIT_STATUS_USAGE, "%s %s: --%s is %s, not \"%s\"",
	    run->entity->name, run->verb, column->option, expected,
	    ctl_value(&run->arguments, column->option));
}

static int
convert_upper(struct entity_run *run, size_t i, const char *text)
{
	char *copy = run->owned[i] = strdup(text);

	if (!copy)
		return ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
	for (; *copy; copy++)
		if (*copy >= 'a' && *copy <= 'z')
			*copy = (char)(*copy - 'a' + 'A');
	run->given[i] = run->owned[i];
	return CTL_GO_ON;
}

static int
convert_number(struct entity_run *run, size_t i, const char *text)
{
	unsigned long number;
	char *end;

	if (run->entity->columns[i].type == ENTITY_REAL) {
		strtod(text, &end);
		if (end == text || *end != '\0')
			return wrong_value(run, &run->entity->columns[i],
			    "a number");
	} else if (slice_to_number(slice_from_string(text), 10, &number) < 0 ||
	    number > INT64_MAX)
		return wrong_value(run, &run->entity->columns[i],
		    "a whole number");
	else if (run->entity->columns[i].type == ENTITY_SMALL &&
	    number > INT16_MAX)
		return wrong_value(run, &run->entity->columns[i],
		    "a whole number up to 32767");
	run->given[i] = text;
	return CTL_GO_ON;
}

static int
convert_duration(struct entity_run *run, size_t i, const char *text,
    int64_t unit_us)
{
	int64_t us;

	if (unit_parse_duration(text, &us) < 0 || us % unit_us != 0)
		return wrong_value(run, &run->entity->columns[i],
		    "a time with its unit such as 30s");
	snprintf(run->buffers[i], sizeof(run->buffers[i]), "%lld",
	    (long long)(us / unit_us));
	run->given[i] = run->buffers[i];
	return CTL_GO_ON;
}

#define CHOICES_MAX 16

struct choices {
	char text[192];
	const char *words[CHOICES_MAX];
	size_t count;
};

static const char *
choice_at(const void *table, size_t index)
{
	return ((const struct choices *)table)->words[index];
}

/* "own|all" into its words */
static void
split_choices(const char *value, struct choices *ret)
{
	char *rest = NULL;

	ret->count = 0;
	snprintf(ret->text, sizeof(ret->text), "%s", value);
	for (char *word = strtok_r(ret->text, "|", &rest);
	     word && ret->count < CHOICES_MAX;
	     word = strtok_r(NULL, "|", &rest))
		ret->words[ret->count++] = word;
}

static int
convert_choice(struct entity_run *run, size_t i, const char *text)
{
	const struct entity_column *column = &run->entity->columns[i];
	struct choices choices;
	const char *near;

	split_choices(column->value, &choices);
	for (size_t j = 0; j < choices.count; j++)
		if (strcmp(choices.words[j], text) == 0) {
			run->given[i] = text;
			return CTL_GO_ON;
		}
	near = *text ? ctl_nearest(text, choice_at, &choices, choices.count)
		     : NULL;
	return ctl_fail(EXIT_STATUS_USAGE,
	    "%s %s: --%s is %s, not \"%s\"%s%s%s", run->entity->name, run->verb,
	    column->option, column->value, text,
	    near ? ", did you mean \"" : "", near ? near : "",
	    near ? "\"?" : "");
}

static int
convert_days(struct entity_run *run, size_t i, const char *text)
{
	static const char days[] = "mon tue wed thu fri sat sun ";
	unsigned bits = 0;

	for (const char *at = text; at; at = strchr(at, ',')) {
		char day[5];
		const char *found;

		at += *at == ',';
		snprintf(day, sizeof(day), "%.3s ", at);
		found = strcspn(at, ",") == 3 ? strstr(days, day) : NULL;
		if (!found)
			return wrong_value(run, &run->entity->columns[i],
			    "days such as mon,tue,sun");
		bits |= 1U << (unsigned)((found - days) / 4);
	}
	snprintf(run->buffers[i], sizeof(run->buffers[i]), "%u", bits);
	run->given[i] = run->buffers[i];
	return CTL_GO_ON;
}

/* What PostgreSQL would refuse without saying where it stood. */
static int
convert_pattern(struct entity_run *run, size_t i, const char *text,
    const char *pattern, const char *expected)
{
	regex_t compiled;
	bool matches;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
	matches = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	if (!matches)
		return wrong_value(run, &run->entity->columns[i], expected);
	run->given[i] = text;
	return CTL_GO_ON;
}

#define CLOCK "([01][0-9]|2[0-3]):[0-5][0-9]"
#define DATE  "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"

static int
convert_secret(struct entity_run *run, size_t i, const char *file)
{
	run->owned[i] =
	    secret_read(file, run->entity->columns[i].option, &run->err);
	run->given[i] = run->owned[i];
	return run->owned[i]
	    ? CTL_GO_ON
	    : ctl_fail(EXIT_STATUS_USAGE, "%s %s: --%s: %s", run->entity->name,
		  run->verb, run->entity->columns[i].option, run->err.text);
}

/* Check and convert one given text into run->given. */
static int
convert(struct entity_run *run, size_t i, const char *text)
{
	const struct entity_column *column = &run->entity->columns[i];

	switch (column->type) {
	case ENTITY_TEXT:
	case ENTITY_LIST:
	case ENTITY_KEY:
		run->given[i] = text;
		return CTL_GO_ON;
	case ENTITY_UPPER:
		return convert_upper(run, i, text);
	case ENTITY_NUMBER:
	case ENTITY_SMALL:
	case ENTITY_REAL:
		return convert_number(run, i, text);
	case ENTITY_FLAG:
		run->given[i] = "yes";
		return CTL_GO_ON;
	case ENTITY_BOOLEAN:
		if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
			return wrong_value(run, column, "yes or no");
		run->given[i] = text;
		return CTL_GO_ON;
	case ENTITY_DURATION:
		return convert_duration(run, i, text, 1000);
	case ENTITY_SECONDS:
		return convert_duration(run, i, text, 1000000);
	case ENTITY_CLOCK:
		return convert_pattern(run, i, text, "^" CLOCK "$",
		    "a time of day such as 22:00");
	case ENTITY_MOMENT:
		return convert_pattern(run, i, text, "^" DATE " " CLOCK "$",
		    "a time such as \"2026-12-24 18:00\"");
	case ENTITY_MAC:
		return convert_pattern(run, i, text,
		    "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$",
		    "a MAC such as 02:00:00:00:00:01");
	case ENTITY_CHOICE:
		return convert_choice(run, i, text);
	case ENTITY_DAYS:
		return convert_days(run, i, text);
	case ENTITY_SECRET:
	case ENTITY_SEALED:
		return convert_secret(run, i, text);
	}
	return ctl_fail(EXIT_STATUS_SOFTWARE, "unknown type of column");
}

static bool
is_none(const struct entity_column *column, const char *text)
{
	return column->nullable && strcmp(text, "none") == 0;
}

static bool
has_option(const struct entity_run *run, const char *name)
{
	for (size_t i = 0; run->options[i].name; i++)
		if (strcmp(run->options[i].name, name) == 0)
			return true;
	return false;
}

static int
take_columns(struct entity_run *run, bool all_needed)
{
	static const char none[] = "none";

	for (size_t i = 0; i < run->entity->count; i++) {
		const struct entity_column *column = &run->entity->columns[i];
		const char *text = has_option(run, column->option)
		    ? ctl_value(&run->arguments, column->option)
		    : NULL;
		int status = CTL_GO_ON;

		if (text && is_none(column, text))
			run->given[i] = none;
		else if (text)
			status = convert(run, i, text);
		else if (column->required && all_needed)
			status = ctl_fail(EXIT_STATUS_USAGE,
			    "%s %s: --%s %s is needed", run->entity->name,
			    run->verb, column->option, column->value);
		if (status != CTL_GO_ON)
			return status;
	}
	return CTL_GO_ON;
}

/* ---- statements -------------------------------------------------------------------- */

static void append(struct entity_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void
append(struct entity_run *run, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(run->sql + run->length,
	    sizeof(run->sql) - run->length, format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(run->sql) - run->length)
		abort(); /* the tables of entities.c outgrew it */
	run->length += (size_t)length;
}

static void
begin_statement(struct entity_run *run)
{
	run->length = 0;
	run->count = 0;
}

static int
parameter(struct entity_run *run, const char *value)
{
	run->values[run->count++] = value;
	return run->count;
}

/* A column of the table itself, which this use gives. */
static bool
is_plain(const struct entity_run *run, size_t i)
{
	enum entity_type type = run->entity->columns[i].type;

	return run->given[i] && type != ENTITY_LIST && type != ENTITY_KEY &&
	    type != ENTITY_SEALED;
}

static const char *
stored(const struct entity_run *run, size_t i)
{
	const struct entity_column *column = &run->entity->columns[i];

	if (!run->given[i] || !is_none(column, run->given[i]))
		return run->given[i];
	return column->type == ENTITY_SECRET ? "" : NULL; /* "" removes it */
}

static PGresult *
execute(struct entity_run *run)
{
	int code;

	return db_query(&run->db, run->sql, run->count, run->values, &code,
	    &run->err);
}

/* false: refused */
static bool
execute_only(struct entity_run *run)
{
	PGresult *result = execute(run);

	PQclear(result);
	return result != NULL;
}

static void
append_select(struct entity_run *run)
{
	append(run, "SELECT id");
	for (size_t i = 0; i < run->entity->count; i++) {
		const struct entity_column *column = &run->entity->columns[i];

		if (column->type == ENTITY_KEY)
			append(run, ", key IS NOT NULL AS has_key");
		else if (column->type == ENTITY_SEALED)
			append(run, ", %s", column->read);
		else if (column->type == ENTITY_SECRET)
			continue;
		else if (column->read)
			append(run, ", %s AS %s", column->read, column->column);
		else
			append(run, ", %s", column->column);
	}
	append(run, "%s FROM %s t", run->entity->computed, run->entity->table);
}

/* Print what the id now is; EXIT_STATUS_FAILED when there is none. */
static int
print_one(struct entity_run *run, const char *id)
{
	PGresult *result;
	int status = EXIT_STATUS_OK;

	begin_statement(run);
	append_select(run);
	append(run, " WHERE id = $%d::bigint", parameter(run, id));
	result = execute(run);
	if (!result)
		return ctl_fail(EXIT_STATUS_FAILED, "%s", run->err.text);
	if (PQntuples(result) == 0)
		status = ctl_fail(EXIT_STATUS_FAILED, "there is no %s %s",
		    run->entity->name, id);
	else
		table_print_result(result, run->json, true);
	PQclear(result);
	return status;
}

/* ---- keys and lists ------------------------------------------------------------------ */

#define SEALED_HEX_SIZE (2 + 2 * (SECRET_MAX + SEAL_OVERHEAD) + 1)

/* What a passkey may hold: it goes into a line of HTTP. */
static int
passkey_parse(const char *text, uint8_t out[SECRET_MAX], struct err *err)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			length = 0;
	if (length < 8 || length > SECRET_MAX)
		return err_set(err, -EINVAL,
		    "a passkey has 8 to 64 characters of ASCII without spaces");
	memcpy(out, text, length);
	return (int)length;
}

static int
seal_secret(struct entity_run *run, size_t i, const char *id,
    char ret_hex[SEALED_HEX_SIZE])
{
	const struct entity_column *column = &run->entity->columns[i];
	const char *file = ctl_value(&run->arguments, "master-key-file");
	bool key = column->type == ENTITY_KEY;
	struct seal_master master;
	char context[SEAL_CONTEXT_SIZE];
	uint8_t secret[SECRET_MAX], blob[SECRET_MAX + SEAL_OVERHEAD];
	int length;

	if (!file)
		return err_set(&run->err, -EINVAL,
		    "--%s needs --master-key-file", column->option);
	length = key ? key_parse(run->given[i], secret, &run->err)
		     : passkey_parse(run->given[i], secret, &run->err);
	if (length < 0)
		return length;
	if (seal_master_load(file, &master, &run->err) < 0)
		return -EINVAL;
	snprintf(context, sizeof(context), "%s:%s",
	    key ? run->entity->key_context : column->write, id);
	length = seal_close(&master, context, slice_of(secret, (size_t)length),
	    blob, sizeof(blob));
	seal_master_wipe(&master);
	sodium_memzero(secret, sizeof(secret));
	memcpy(ret_hex, "\\x", 2);
	text_hex_encode(blob, (size_t)length, ret_hex + 2);
	return 0;
}

static bool
store_sealed(struct entity_run *run, size_t i, const char *id)
{
	char hex[SEALED_HEX_SIZE];
	bool clear = is_none(&run->entity->columns[i], run->given[i]);

	if (!clear && seal_secret(run, i, id, hex) < 0)
		return false;
	begin_statement(run);
	append(run, "UPDATE %s SET %s = $1::bytea WHERE id = $2::bigint",
	    run->entity->table, run->entity->columns[i].column);
	parameter(run, clear ? NULL : hex);
	parameter(run, id);
	return execute_only(run);
}

static bool
store_list(struct entity_run *run, size_t i, const char *id)
{
	const struct entity_column *column = &run->entity->columns[i];

	begin_statement(run);
	append(run, "%s", column->clear);
	parameter(run, id);
	if (!execute_only(run))
		return false;
	if (is_none(column, run->given[i]))
		return true;
	begin_statement(run);
	append(run, "%s", column->write);
	parameter(run, id);
	parameter(run, run->given[i]);
	return execute_only(run);
}

static bool
store_others(struct entity_run *run, const char *id)
{
	for (size_t i = 0; i < run->entity->count; i++) {
		enum entity_type type = run->entity->columns[i].type;

		if (!run->given[i])
			continue;
		if ((type == ENTITY_KEY || type == ENTITY_SEALED) &&
		    !store_sealed(run, i, id))
			return false;
		if (type == ENTITY_LIST && !store_list(run, i, id))
			return false;
	}
	return true;
}

/* ---- verbs ----------------------------------------------------------------------------- */

static void
append_insert(struct entity_run *run)
{
	const char *between = "";

	append(run, "INSERT INTO %s (", run->entity->table);
	for (size_t i = 0; i < run->entity->count; i++)
		if (is_plain(run, i)) {
			append(run, "%s%s", between,
			    run->entity->columns[i].column);
			parameter(run, stored(run, i));
			between = ", ";
		}
	append(run, ") VALUES (");
	for (int i = 1; i <= run->count; i++)
		append(run, "%s$%d", i > 1 ? ", " : "", i);
	append(run, ") RETURNING id");
}

static void
append_update(struct entity_run *run, const char *id)
{
	append(run, "UPDATE %s SET ", run->entity->table);
	for (size_t i = 0; i < run->entity->count; i++)
		if (is_plain(run, i)) {
			int number = parameter(run, stored(run, i));

			append(run, "%s = $%d, ",
			    run->entity->columns[i].column, number);
		}
	append(run, "id = id WHERE id = $%d::bigint RETURNING id",
	    parameter(run, id));
}

/* Run the statement, then keys and lists, in one transaction. The row's id
 * goes to ret_id, "" when there was no row. */
static bool
change(struct entity_run *run, char ret_id[24])
{
	PGresult *result;
	bool good;

	ret_id[0] = '\0';
	if (db_execute(&run->db, "BEGIN", &run->err) < 0)
		return false;
	result = execute(run);
	good = result != NULL;
	if (good && PQntuples(result) > 0)
		snprintf(ret_id, 24, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	if (good && *ret_id)
		good = store_others(run, ret_id);
	return good && db_execute(&run->db, "COMMIT", &run->err) == 0;
}

static int
refused(struct entity_run *run)
{
	return ctl_fail(PQstatus(run->db.connection) == CONNECTION_OK
		? EXIT_STATUS_FAILED
		: EXIT_STATUS_UNAVAILABLE,
	    "%s %s: %s", run->entity->name, run->verb,
	    refusal_sentence(&run->db, &run->err));
}

/* The account is stored as it is; the link may have no room for it. */
static void
warn_long_account(struct entity_run *run, const char *id)
{
	PGresult *result;

	begin_statement(run);
	append(run,
	    "SELECT e.account, r.name, r.account_digits "
	    "FROM tocsin.effective_account e JOIN tocsin.directory_receiver r "
	    "ON r.id = e.receiver_id WHERE e.site_id = $1::bigint "
	    "AND length(e.account) > r.account_digits");
	parameter(run, id);
	result = execute(run);
	if (result && PQntuples(result) > 0)
		fprintf(stderr,
		    "tocsinctl: warning: account %s has no room at receiver "
		    "%s, which takes %s characters: its signals will be "
		    "parked\n",
		    PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
		    PQgetvalue(result, 0, 2));
	PQclear(result);
}

static int
store(struct entity_run *run, const char *asked_id)
{
	char id[24];

	if (!change(run, id))
		return refused(run);
	if (!*id)
		return ctl_fail(EXIT_STATUS_FAILED, "there is no %s %s",
		    run->entity->name, asked_id);
	if (strcmp(run->entity->name, "site") == 0)
		warn_long_account(run, id);
	return print_one(run, id);
}

static int
run_add(struct entity_run *run)
{
	append_insert(run);
	return store(run, "");
}

static int
run_set(struct entity_run *run)
{
	const char *id = ctl_value(&run->arguments, "id");

	append_update(run, id);
	return store(run, id);
}

static int
run_show(struct entity_run *run)
{
	return print_one(run, ctl_value(&run->arguments, "id"));
}

static int
run_list(struct entity_run *run)
{
	const char *before = " WHERE ";
	PGresult *result;

	append_select(run);
	for (size_t i = 0; i < run->entity->count; i++)
		if (run->given[i]) {
			int number = parameter(run, stored(run, i));

			append(run, "%s%s IS NOT DISTINCT FROM $%d", before,
			    run->entity->columns[i].column, number);
			before = " AND ";
		}
	append(run, " ORDER BY id");
	result = execute(run);
	if (!result)
		return refused(run);
	table_print_result(result, run->json, false);
	PQclear(result);
	return EXIT_STATUS_OK;
}

static int
run_remove(struct entity_run *run)
{
	const char *id = ctl_value(&run->arguments, "id");
	PGresult *result;
	int status = EXIT_STATUS_OK;

	append(run, "DELETE FROM %s WHERE id = $%d::bigint RETURNING id",
	    run->entity->table, parameter(run, id));
	result = execute(run);
	if (!result)
		return refused(run);
	if (PQntuples(result) == 0)
		status = ctl_fail(EXIT_STATUS_FAILED, "there is no %s %s",
		    run->entity->name, id);
	PQclear(result);
	return status;
}

/* ---- actions --------------------------------------------------------------------------- */

/* Its first value, or an empty text. false: refused. */
static bool
take_step(struct entity_run *run, const char *sql, char ret_id[24])
{
	PGresult *result;

	append(run, "%s", sql);
	result = execute(run);
	ret_id[0] = '\0';
	if (result && PQntuples(result) > 0)
		snprintf(ret_id, 24, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	begin_statement(run);
	parameter(run, ret_id);
	return result != NULL;
}

static int
print_action(struct entity_run *run, const struct entity_action *action)
{
	PGresult *result;
	int status = EXIT_STATUS_OK;

	append(run, "%s", action->show);
	result = execute(run);
	if (!result || db_execute(&run->db, "COMMIT", &run->err) < 0) {
		PQclear(result);
		return refused(run);
	}
	if (action->fine && PQntuples(result) > 0)
		status = EXIT_STATUS_FAILED;
	if (action->fine && status == EXIT_STATUS_OK && !run->json)
		printf("%s\n", action->fine);
	else
		table_print_result(result, run->json,
		    action->step && PQntuples(result) == 1);
	PQclear(result);
	return status;
}

static bool
is_secret(const struct entity_column *column)
{
	return column->type == ENTITY_SECRET || column->type == ENTITY_KEY ||
	    column->type == ENTITY_SEALED;
}

/* What was asked for, as it was given: "--site 1 --user 2". */
static const char *
describe_given(const struct entity_run *run, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < run->entity->count && used < size; i++) {
		const char *option = run->entity->columns[i].option;
		const char *value = ctl_value(&run->arguments, option);

		if (value && !is_secret(&run->entity->columns[i]))
			used += (size_t)snprintf(out + used, size - used,
			    "%s--%s %s", used ? " " : "", option, value);
	}
	return out;
}

/* A key goes into the statement sealed, for the row that --id names. */
static bool
seal_given(struct entity_run *run)
{
	unsigned long number;
	char id[24];

	for (size_t i = 0; i < run->entity->count; i++) {
		if (run->entity->columns[i].type != ENTITY_KEY)
			continue;
		/* as it is stored, however it was typed */
		slice_to_number(slice_from_string(ctl_value(&run->arguments,
				    "id")),
		    10, &number);
		snprintf(id, sizeof(id), "%lu", number);
		run->owned[i] = calloc(1, SEALED_HEX_SIZE);
		if (!run->owned[i]) {
			err_set(&run->err, -ENOMEM, "out of memory");
			return false;
		}
		if (seal_secret(run, i, id, run->owned[i]) < 0)
			return false;
		run->given[i] = run->owned[i];
	}
	return true;
}

static int
do_action(struct entity_run *run, const struct entity_action *action)
{
	char id[24], given[256];

	if (!seal_given(run))
		return ctl_fail(EXIT_STATUS_USAGE, "%s %s: %s",
		    run->entity->name, run->verb, run->err.text);
	for (size_t i = 0; i < action->count; i++)
		parameter(run, stored(run, i));
	if (db_execute(&run->db, "BEGIN", &run->err) < 0)
		return refused(run);
	if (action->step && !take_step(run, action->step, id))
		return refused(run);
	if (action->step && !*id)
		return ctl_fail(EXIT_STATUS_FAILED,
		    "%s %s: there is none with %s: \"tocsinctl %s list\" "
		    "shows what there is",
		    run->entity->name, run->verb,
		    describe_given(run, given, sizeof(given)),
		    run->entity->name);
	return print_action(run, action);
}

static int
run_action(struct entity_run *run, const struct entity_action *action, int argc,
    char **argv)
{
	struct entity own = { .name = run->entity->name,
		.columns = action->columns,
		.count = action->count };
	char command[64];
	int status;

	for (size_t i = 0; i < own.count; i++)
		if (own.columns[i].type == ENTITY_KEY)
			own.key_context = run->entity->key_context;

	run->entity = &own;
	run->verb = action->name;
	build_options(run, true, false, false);
	snprintf(command, sizeof(command), "%s %s", own.name, action->name);
	status = ctl_parse(command, action->synopsis, run->options, 0, argc,
	    argv, &run->arguments);
	if (status == CTL_GO_ON)
		status = take_columns(run, true);
	if (status != CTL_GO_ON)
		return status;
	run->json = ctl_flag(&run->arguments, "json");
	status = ctl_connect(&run->db, &run->arguments);
	if (status == EXIT_STATUS_OK)
		status = do_action(run, action);
	db_close(&run->db);
	return status;
}

/* ---- dispatch -------------------------------------------------------------------------- */

static const struct verb {
	const char *name, *synopsis, *help;
	int (*run)(struct entity_run *run);
	bool columns, filters, id;
} verbs[] = {
	{ "add", "OPTION...", "a new one", run_add, true, false, false },
	{ "set", "--id ID OPTION...", "change what is given", run_set, true,
	    false, true },
	{ "show", "--id ID", "one with everything", run_show, false, false,
	    true },
	{ "list", "[OPTION]...", "all, or those that match", run_list, false,
	    true, false },
	{ "remove", "--id ID", "for good", run_remove, false, false, true },
};

static int
check_id(const struct entity_run *run)
{
	const char *id = ctl_value(&run->arguments, "id");
	unsigned long number;

	if (!id)
		return ctl_fail(EXIT_STATUS_USAGE, "%s %s: --id ID is needed",
		    run->entity->name, run->verb);
	if (slice_to_number(slice_from_string(id), 10, &number) < 0 ||
	    number > INT64_MAX)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s %s: --id is a whole number, not \"%s\"",
		    run->entity->name, run->verb, id);
	return CTL_GO_ON;
}

static int
run_verb(struct entity_run *run, const struct verb *verb, int argc, char **argv)
{
	char command[64];
	int status;

	run->verb = verb->name;
	build_options(run, verb->columns, verb->filters, verb->id);
	snprintf(command, sizeof(command), "%s %s", run->entity->name,
	    verb->name);
	status = ctl_parse(command, verb->synopsis, run->options, 0, argc, argv,
	    &run->arguments);
	if (status == CTL_GO_ON && verb->id)
		status = check_id(run);
	if (status == CTL_GO_ON)
		status = take_columns(run, strcmp(run->verb, "add") == 0);
	if (status != CTL_GO_ON)
		return status;
	run->json = ctl_flag(&run->arguments, "json");
	status = ctl_connect(&run->db, &run->arguments);
	if (status == EXIT_STATUS_OK)
		status = verb->run(run);
	db_close(&run->db);
	return status;
}

static const struct bulk_verb {
	const char *name, *synopsis, *help;
	int (*run)(const char *kind, int argc, char **argv);
} bulk_verbs[] = {
	{ "import", "FILE.csv [OPTION]...",
	    "add what a file of comma-separated values lists", bulk_import },
	{ "export", "[FILE.csv] [OPTION]...", "all, as import takes them",
	    bulk_export },
};

static const struct bulk_verb *
find_bulk(const struct entity *entity, const char *word)
{
	for (size_t i = 0; entity->bulk && i < COUNT(bulk_verbs); i++)
		if (strcmp(word, bulk_verbs[i].name) == 0)
			return &bulk_verbs[i];
	return NULL;
}

#define ACTIONS_MAX 16

static const struct verb *
find_verb(const struct entity *entity, const char *word)
{
	for (size_t i = 0; entity->table && i < COUNT(verbs); i++)
		if (strcmp(word, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static const struct entity_action *
find_action(const struct entity *entity, const char *word)
{
	for (size_t i = 0; i < entity->action_count; i++)
		if (strcmp(word, entity->actions[i].name) == 0)
			return &entity->actions[i];
	return NULL;
}

/* What the word is not: help, or a mistake with the nearest right word. */
static int
explain(const struct entity *entity, int argc, char **argv)
{
	struct ctl_command rows[COUNT(verbs) + COUNT(bulk_verbs) + ACTIONS_MAX];
	size_t count = 0;

	for (size_t i = 0; entity->table && i < COUNT(verbs); i++)
		if (!find_action(entity, verbs[i].name))
			rows[count++] = (struct ctl_command){ verbs[i].name,
				verbs[i].synopsis, verbs[i].help, NULL };
	for (size_t i = 0; entity->bulk && i < COUNT(bulk_verbs); i++)
		rows[count++] = (struct ctl_command){ bulk_verbs[i].name,
			bulk_verbs[i].synopsis, bulk_verbs[i].help, NULL };
	for (size_t i = 0; i < entity->action_count; i++)
		rows[count++] = (struct ctl_command){ entity->actions[i].name,
			entity->actions[i].synopsis, entity->actions[i].help,
			NULL };
	return ctl_dispatch(entity->name, rows, count, argc, argv);
}

static void
free_run(struct entity_run *run)
{
	for (size_t i = 0; i < COLUMNS_MAX; i++)
		secret_free(run->owned[i]);
	free(run);
}

int
entity_run(const struct entity *entity, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct verb *verb = find_verb(entity, word);
	const struct entity_action *action = find_action(entity, word);
	const struct bulk_verb *bulk = find_bulk(entity, word);
	struct entity_run *run;
	int status;

	if (bulk)
		return bulk->run(entity->name, argc - 1, argv + 1);
	if (action && action->run)
		return action->run(argc - 1, argv + 1);
	if (!verb && !action)
		return explain(entity, argc, argv);
	run = calloc(1, sizeof(*run));
	if (!run)
		return ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
	run->entity = entity;
	status = verb ? run_verb(run, verb, argc - 1, argv + 1)
		      : run_action(run, action, argc - 1, argv + 1);
	free_run(run);
	return status;
}
