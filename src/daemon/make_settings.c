/*
 * make_settings NAME: what ships of the tables of settings, on stdout. The
 * files in the tree must equal it (test_config, test_settings):
 *
 *	src/make_settings sample >etc/tocsin.ini
 *	src/make_settings manual >man/tocsin.ini.5
 *	src/make_settings portal-sample >etc/portal.ini
 *	src/make_settings portal-manual >man/tocsin-portal.ini.5
 */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "daemon/config_table.h"
#include "portal/settings.h"

static const struct {
	const char *name;
	const struct config_schema *schema;
	void (*write)(const struct config_schema *schema, FILE *out);
} files[] = {
	{ "sample", &config_schema, config_write_sample },
	{ "manual", &config_schema, config_write_manual },
	{ "portal-sample", &settings_schema, config_write_sample },
	{ "portal-manual", &settings_schema, config_write_manual },
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < COUNT(files) && argc == 2; i++)
		if (strcmp(argv[1], files[i].name) == 0) {
			files[i].write(files[i].schema, stdout);
			return ferror(stdout) ? EXIT_STATUS_CANNOT_CREATE
					      : EXIT_STATUS_OK;
		}
	fputs("usage: make_settings [portal-]sample|[portal-]manual\n", stderr);
	return EXIT_STATUS_USAGE;
}
