/*
 * make_settings sample|manual: what ships of the settings table, on stdout.
 * The files in the tree must equal it (test_config):
 *
 *	src/make_settings sample >etc/tocsin.ini
 *	src/make_settings manual >man/tocsin.ini.5
 */
#include <stdio.h>
#include <string.h>

#include "base/exit.h"
#include "daemon/config.h"

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "sample") == 0)
		config_write_sample(stdout);
	else if (argc == 2 && strcmp(argv[1], "manual") == 0)
		config_write_manual(stdout);
	else {
		fputs("usage: make_settings sample|manual\n", stderr);
		return EXIT_STATUS_USAGE;
	}
	return ferror(stdout) ? EXIT_STATUS_CANNOT_CREATE : EXIT_STATUS_OK;
}
