/* What is special about sites: tocsinctl site create, show, find, list. */
#ifndef CTL_SITE_H
#define CTL_SITE_H

#include "ctl/command.h"
#include "db/db.h"

int site_create(int argc, char **argv);
int site_show(int argc, char **argv);
int site_find(int argc, char **argv);
int site_list(int argc, char **argv);

/* Print the overview of one; an exit status. */
int site_print(struct db *db, const char *id, bool json);

#endif
