/* The alarm library: its rows, and what they come to for a site. */
#ifndef CTL_LIBRARY_H
#define CTL_LIBRARY_H

/* add, set, list, remove of rows; show --site ID [--zone-type N] */
int library_run(int argc, char **argv);

#endif
