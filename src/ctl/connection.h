/* How every command finds PostgreSQL. */
#ifndef CTL_CONNECTION_H
#define CTL_CONNECTION_H

#include "ctl/command.h"
#include "db/db.h"

/* Rows for the option table of a command that connects. */
#define CTL_DATABASE_OPTIONS                                                   \
 { "database", "CONNINFO",                                                     \
	 "instead of [database] conninfo of the configuration" },              \
     { "as", "NAME",                                                           \
	     "who is acting, for the audit trail; the login name otherwise" }, \
 {                                                                             \
  "config", "FILE", "configuration, " TOCSIN_CONFIG_FILE " otherwise"          \
 }

/*
 * --database, else [database] conninfo of the configuration where there is
 * one, else what libpq takes from the environment. The audit trail
 * shall name --as, else who called sudo, else the user of this process.
 * EXIT_STATUS_OK, or a status after the sentence was printed.
 */
int ctl_connect(struct db *db, const struct ctl_arguments *arguments);

/* Print err; the exit status that fits the -errno. */
int ctl_database_status(int code, const struct err *err);

#endif
