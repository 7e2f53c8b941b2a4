/* The daemon's control socket (control/protocol.h) as commands. */
#ifndef CTL_CONTROL_H
#define CTL_CONTROL_H

#define CONTROL_SHOW_WORDS                                                     \
 "status|listeners|sessions [LIMIT]|bridges [CONDITION...]|links|queues|"      \
 "parked [LIMIT]|shadows|shadow NAME|errors|arming SITE|config|stats|latency|" \
 "journal|directory|archive"

int control_show(int argc, char **argv);
int control_tail(int argc, char **argv);
int control_trace(int argc, char **argv);
int control_pause(int argc, char **argv);
int control_resume(int argc, char **argv);
int control_replay(int argc, char **argv);
int control_skip(int argc, char **argv);
int control_arm(int argc, char **argv);
int control_disarm(int argc, char **argv);
int control_send(int argc, char **argv);
int control_reload(int argc, char **argv);
int control_drain(int argc, char **argv);

#endif
