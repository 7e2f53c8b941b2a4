/* tocsinctl journal: read a journal directory without the daemon. */
#ifndef CTL_JOURNAL_H
#define CTL_JOURNAL_H

/* argv[0] is "journal". verify exits 1 when something was lost or set aside. */
int ctl_journal(int argc, char **argv);

#endif
