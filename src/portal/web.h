/*
 * The files of the pages, read once: what was not in the folder at that time
 * cannot be asked for, however a path is written. Main thread.
 */
#ifndef PORTAL_WEB_H
#define PORTAL_WEB_H

#include <stddef.h>

#include "base/err.h"

struct web;

struct web_file {
	char *path; /* "/app.js" */
	const char *type;
	char *content;
	size_t length;
	char etag[20];
};

/* Regular files of known types in directory and the folders in it, no links,
 * nothing that begins with a dot. 0 or -errno. */
int web_open(const char *directory, struct web **ret, struct err *err);
void web_close(struct web **web);

/* "/" is "/index.html". NULL: there is none. */
const struct web_file *web_find(const struct web *web, const char *path);

#endif
