/*
 * Provisioning: add, set, show, list and remove for each kind of object. A
 * kind is a table of columns; the options, the SQL and the help come from it.
 */
#ifndef CTL_ENTITY_H
#define CTL_ENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/command.h"

enum entity_type {
	ENTITY_TEXT,
	ENTITY_UPPER, /* account numbers, codes: made upper case */
	ENTITY_NUMBER,
	ENTITY_SMALL,  /* a number up to 32767 */
	ENTITY_CLOCK,  /* "22:00" */
	ENTITY_MOMENT, /* "2026-12-24 18:00" */
	ENTITY_MAC,
	ENTITY_REAL,
	ENTITY_FLAG,	 /* takes no value: yes when given */
	ENTITY_BOOLEAN,	 /* yes or no */
	ENTITY_DURATION, /* "30s", kept in milliseconds */
	ENTITY_SECONDS,	 /* "30s", kept in seconds */
	ENTITY_CHOICE,	 /* one of the words of value: "own|all" */
	ENTITY_DAYS,	 /* "mon,tue": bits, 1 Monday ... 64 Sunday */
	ENTITY_SECRET,	 /* read from a file or asked for, never printed */
	ENTITY_KEY,	 /* sealed after the row has its id */
	ENTITY_SEALED,	 /* ENTITY_SECRET, kept as a key is */
	ENTITY_LIST,	 /* comma-separated, rows of another table */
};

struct entity_column {
	const char *option;
	const char *column; /* of the table, and in what is printed */
	enum entity_type type;
	bool required;	   /* to add */
	bool nullable;	   /* "none" clears it */
	bool filter;	   /* list takes it too */
	const char *value; /* in the help */
	const char *help;
	const char *read; /* expression that prints it; NULL: the column */
	/* ENTITY_LIST: two statements with $1 id, $2 list; ENTITY_SEALED: the
	 * context of its seal */
	const char *write;
	const char *clear;
};

/*
 * One more verb: a step of its life rather than a change of columns. What is
 * given becomes $1.. in the order of columns. step (may be NULL) answers the
 * id of what it was about; show then has that as $1, else the parameters
 * themselves. Both are one transaction.
 */
struct entity_action {
	const char *name, *synopsis, *help;
	const struct entity_column *columns;
	size_t count;
	const char *step, *show;
	const char *fine; /* rows are faults; said when there are none */
	ctl_run_fn run;	  /* instead of all this */
};

struct entity {
	const char *name;  /* "site" */
	const char *table; /* "tocsin.site"; NULL: nothing but actions */
	const struct entity_column *columns;
	size_t count;
	const char *key_context; /* "bridge.key", where it has a key */
	const char *computed;	 /* further columns to print, or "" */
	bool bulk;		 /* has import and export (ctl/bulk.h) */
	const struct entity_action *actions;
	size_t action_count;
};

int entity_run(const struct entity *entity, int argc, char **argv);

int entity_dealer(int argc, char **argv);
int entity_center(int argc, char **argv);
int entity_receiver(int argc, char **argv);
int entity_station(int argc, char **argv);
int entity_site(int argc, char **argv);
int entity_bridge(int argc, char **argv);
int entity_channel(int argc, char **argv);
int entity_camera(int argc, char **argv);
int entity_contact(int argc, char **argv);
int entity_user(int argc, char **argv);
int entity_template(int argc, char **argv);
int entity_template_library(int argc, char **argv);
int entity_partition(int argc, char **argv);
int entity_destination(int argc, char **argv);
int entity_destination_rule(int argc, char **argv);
/* nothing but actions: life.c */
int entity_schedule(int argc, char **argv);
int entity_app_member(int argc, char **argv);
int entity_test(int argc, char **argv);
int entity_arming(int argc, char **argv);
int entity_firmware(int argc, char **argv);
int entity_audit(int argc, char **argv);

#endif
