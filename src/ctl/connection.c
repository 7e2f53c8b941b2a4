#include "ctl/connection.h"

#include <errno.h>
#include <ini.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit.h"

struct config_reader {
	FILE *file;
	char *conninfo; /* owned */
	int line;
	int cut_line; /* one that did not fit; 0: none */
};

/* inih would silently go on with the rest of a cut line as a new one. */
static char *
read_line(char *line, int size, void *stream)
{
	struct config_reader *reader = stream;
	char *got = fgets(line, size, reader->file);

	reader->line++;
	if (got && !strchr(line, '\n') && !feof(reader->file)) {
		reader->cut_line = reader->line;
		return NULL;
	}
	return got;
}

static int
take_setting(void *context, const char *section, const char *name,
    const char *value)
{
	struct config_reader *reader = context;

	if (strcmp(section, "database") != 0 || strcmp(name, "conninfo") != 0)
		return 1;
	free(reader->conninfo);
	reader->conninfo = strdup(value);
	return reader->conninfo != NULL;
}

static int
read_config(const char *path, bool wanted, char **ret_conninfo)
{
	struct config_reader reader = { .file = fopen(path, "re") };

	if (!reader.file && (wanted || errno != ENOENT))
		return ctl_fail(EXIT_STATUS_CONFIG, "%s: %s", path,
		    strerror(errno));
	if (!reader.file)
		return EXIT_STATUS_OK;
	ini_parse_stream(read_line, &reader, take_setting, &reader);
	fclose(reader.file);
	if (reader.cut_line) {
		free(reader.conninfo);
		return ctl_fail(EXIT_STATUS_CONFIG,
		    "%s:%d: the line is too long to be read here, give "
		    "--database instead",
		    path, reader.cut_line);
	}
	*ret_conninfo = reader.conninfo;
	return EXIT_STATUS_OK;
}

int
ctl_database_status(int code, const struct err *err)
{
	return ctl_fail(code == -ENOTCONN ? EXIT_STATUS_UNAVAILABLE
					  : EXIT_STATUS_FAILED,
	    "%s", err->text);
}

/* $SUDO_USER is sudo's word for it only where sudo made us root. */
static const char *
who_is_acting(const struct ctl_arguments *arguments)
{
	const char *as = ctl_value(arguments, "as");
	const char *sudo_user = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *user;

	if (as && *as)
		return as;
	if (sudo_user && *sudo_user)
		return sudo_user;
	user = getpwuid(getuid());
	return user ? user->pw_name : "";
}

static int
set_actor(struct db *db, const struct ctl_arguments *arguments, struct err *err)
{
	const char *values[] = { who_is_acting(arguments) };
	int code = 0;
	PGresult *result =
	    db_query(db, "SELECT set_config('tocsin.actor', $1, false)", 1,
		values, &code, err);

	PQclear(result);
	return result ? 0 : code;
}

int
ctl_connect(struct db *db, const struct ctl_arguments *arguments)
{
	const char *given = ctl_value(arguments, "database");
	const char *config = ctl_value(arguments, "config");
	char *conninfo = NULL;
	int status = EXIT_STATUS_OK;
	struct err err;
	int result;

	if (!given)
		status = read_config(config ? config : TOCSIN_CONFIG_FILE,
		    config != NULL, &conninfo);
	if (status != EXIT_STATUS_OK)
		return status;
	memset(db, 0, sizeof(*db));
	result = db_connect(db,
	    given	   ? given
		: conninfo ? conninfo
			   : "",
	    "tocsinctl", &err);
	free(conninfo);
	if (result == 0)
		result = set_actor(db, arguments, &err);
	return result < 0 ? ctl_database_status(result, &err) : EXIT_STATUS_OK;
}
