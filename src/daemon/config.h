/*
 * The configuration: FILE, and the .ini files of conf.d beside it, read into
 * one small struct per stage. Every setting is a row of one table
 * (config_table.c): the parser, the check, the effective print, `show config`,
 * the shipped sample and tocsin.ini(5) come from it (config/config_file.h). A struct config is immutable once loaded and
 * owns every string in it; stages that borrow them must go first.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "admin/admin.h"
#include "archive/archive.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "directory/directory.h"
#include "dispatch/dispatch.h"
#include "egress/egress.h"
#include "ingress/ingress.h"
#include "journal/journal.h"
#include "watch/watch.h"

/* The newest migration in sql/ that this build knows. */
#define CONFIG_NEWEST_SCHEMA 47

#define CONFIG_LISTENERS_MAX 64

struct config_owned;

struct config {
	struct {
		const char *name;
		const char *state_dir;
		const char *run_dir;
	} node;
	struct {
		const char *file; /* "": stderr */
		enum log_level level;
	} log;
	struct {
		const char *conninfo; /* "": none */
	} database;
	struct journal_config journal;
	struct directory_config directory;
	struct ingress_config ingress;
	struct dispatch_config dispatch;
	struct egress_config egress;
	struct archive_config archive;
	bool archive_enabled; /* [archive] enabled */
	struct watch_config watch;
	struct admin_config admin;
	struct config_owned
	    *owned; /* strings, listeners, where keys were set */
};

/* 0, or -EINVAL / -errno with the first error as "FILE:LINE: sentence" and
 * how many more there are. */
int config_load(const char *path, struct config **ret, struct err *err);
void config_free(struct config **config);

/* Prints every error as "FILE:LINE: sentence", a line each. 0 or -EINVAL. */
int config_check(const char *path, FILE *out);

/* The effective configuration in the file's own form; a comment before each
 * value that is not the default says where it was set. Secrets are not shown. */
void config_print(const struct config *config, FILE *out);

/* The same as JSON members of an open object, an object per section. */
void config_show(const struct config *config, struct json *json);

/* A log line per change, with what it takes to be in force. */
void config_log_changes(const struct config *old, const struct config *fresh);

#endif
