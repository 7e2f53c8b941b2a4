/*
 * The portal's configuration, portal.ini: every setting is a row of one table
 * (settings.c), from which the sample and tocsin-portal.ini(5) come too.
 */
#ifndef PORTAL_SETTINGS_H
#define PORTAL_SETTINGS_H

#include <stdio.h>

#include "config/config_file.h"
#include "portal/server.h"

struct settings {
	struct server_settings server;
	struct config_file file; /* owns the strings */
};

extern const struct config_schema settings_schema;

/* 0, or -errno with the first error as "FILE:LINE: sentence" and how many more
 * there are. */
int settings_load(const char *path, struct settings **ret, struct err *err);
void settings_free(struct settings **settings);

/* Prints every error, a line each. 0 or -errno. */
int settings_check(const char *path, FILE *out);

#endif
