/*
 * Many rows at once: "tocsinctl site import FILE.csv" and "site export", and
 * the same for bridges, channels and contacts.
 */
#ifndef CTL_BULK_H
#define CTL_BULK_H

/* argv[0] is the verb. An enum exit_status. */
int bulk_import(const char *kind, int argc, char **argv);
int bulk_export(const char *kind, int argc, char **argv);

#endif
