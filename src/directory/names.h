/*
 * Texts that many objects have in common, kept once: names of zones and
 * listeners. Each use is counted; the last one to go takes the text along.
 * The directory's writer alone takes and releases; whoever reads an object may
 * read its names. Internal to src/directory.
 */
#ifndef DIRECTORY_NAMES_H
#define DIRECTORY_NAMES_H

#include <stddef.h>

struct names;

/* NULL: out of memory. */
struct names *names_create(void *(*allocate)(size_t));
/* With every name in it; accepts NULL. */
void names_close(struct names **names);

/* A use of this text; NULL: out of memory. */
const char *names_take(struct names *names, const char *text,
    void *(*allocate)(size_t));
/* That came from names_take; nothing happens with NULL. */
void names_release(struct names *names, const char *name);
size_t names_bytes(const struct names *names);

#endif
