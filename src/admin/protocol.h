/*
 * The control socket's protocol, shared with tocsinctl. Unix stream socket
 * RUN_DIR/control. Request: one line, words separated by spaces, a word with
 * spaces in double quotes ("" inside doubles it). Answer: JSON lines, then one
 * last line {"done":true} or {"done":false,"error":"sentence","exit":N}.
 * `tail` streams until the client closes.
 */
#ifndef ADMIN_PROTOCOL_H
#define ADMIN_PROTOCOL_H

#define ADMIN_SOCKET_NAME "control"
#define ADMIN_REQUEST_MAX 4096
#define ADMIN_WORDS_MAX	  32

#endif
