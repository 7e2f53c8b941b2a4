/* db migrate, db status: the numbered files in sql/ and what a database has. */
#ifndef CTL_MIGRATE_H
#define CTL_MIGRATE_H

int migrate_run(int argc, char **argv);
int migrate_status(int argc, char **argv);

#endif
