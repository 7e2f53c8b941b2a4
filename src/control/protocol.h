/*
 * The control protocol of tocsind: tocsinctl and the portal are its clients.
 * Unix stream socket. Request: one line, words separated by spaces, a word with
 * spaces in double quotes ("" inside doubles it). Answer: JSON lines, then one
 * last line {"done":true} or {"done":false,"error":"sentence","exit":N}.
 * `tail` streams until the client closes.
 *
 * RUN_DIR/control is for operators of the machine. The portal's socket, where
 * one is configured, takes only what admin/command.c's table lets it; what
 * changes something begins there with `by NAME`, the user who asked for it.
 */
#ifndef CONTROL_PROTOCOL_H
#define CONTROL_PROTOCOL_H

#define CONTROL_SOCKET_NAME "control"
#define CONTROL_REQUEST_MAX 4096
#define CONTROL_WORDS_MAX   32
#define CONTROL_ACTOR_MAX   100 /* bytes of NAME */

#endif
