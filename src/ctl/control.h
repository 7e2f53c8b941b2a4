/* The daemon's control socket (admin/protocol.h), the client's side. */
#ifndef CTL_CONTROL_H
#define CTL_CONTROL_H

#define CONTROL_SHOW_WORDS                                                     \
 "status|listeners|sessions [LIMIT]|bridges [CONDITION...]|links|queues|"      \
 "parked|errors|arming SITE|config|stats|journal|directory|archive"

int control_show(int argc, char **argv);
int control_tail(int argc, char **argv);
int control_trace(int argc, char **argv);
int control_pause(int argc, char **argv);
int control_resume(int argc, char **argv);
int control_replay(int argc, char **argv);
int control_skip(int argc, char **argv);
int control_arm(int argc, char **argv);
int control_disarm(int argc, char **argv);
int control_reload(int argc, char **argv);
int control_drain(int argc, char **argv);

/* One word as the protocol wants it, behind a space unless it is the first.
 * Returns the new length, or -EMSGSIZE / -EINVAL (a line break). */
int control_quote(char *line, int length, int size, const char *word);

#endif
