/* db seed-demo: a dealer with sites on two stations, to try things with. */
#ifndef CTL_SEED_H
#define CTL_SEED_H

int seed_demo(int argc, char **argv);

#endif
