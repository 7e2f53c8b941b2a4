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
	ENTITY_REAL,
	ENTITY_BOOLEAN,	 /* yes or no */
	ENTITY_DURATION, /* "30s", kept in milliseconds */
	ENTITY_KEY,	 /* sealed after the row has its id */
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
	const char *read;  /* ENTITY_LIST: expression that prints it */
	const char *write; /* ENTITY_LIST: two statements with $1 id, $2 list */
	const char *clear;
};

struct entity {
	const char *name;  /* "site" */
	const char *table; /* "tocsin.site" */
	const struct entity_column *columns;
	size_t count;
	const char *key_context; /* "bridge.key", where it has a key */
	const char *computed;	 /* further columns to print, or "" */
	bool bulk;		 /* has import and export (ctl/bulk.h) */
};

int entity_run(const struct entity *entity, int argc, char **argv);

/* dealer, center, receiver, station, site, bridge, channel, contact, library */
int entity_dealer(int argc, char **argv);
int entity_center(int argc, char **argv);
int entity_receiver(int argc, char **argv);
int entity_station(int argc, char **argv);
int entity_site(int argc, char **argv);
int entity_bridge(int argc, char **argv);
int entity_channel(int argc, char **argv);
int entity_contact(int argc, char **argv);
extern const struct entity entity_library;

#endif
