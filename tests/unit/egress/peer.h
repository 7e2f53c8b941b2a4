/*
 * A station on loopback in the test's own event base: it takes messages apart
 * and answers as its script says, message by message, then by `otherwise`.
 */
#ifndef PEER_H
#define PEER_H

#include <event2/event.h>
#include <openssl/types.h>

#include "base/socket.h"
#include "codec/dc09.h"
#include "codec/xml_package.h"

enum peer_action {
	PEER_ACK,
	PEER_NAK,
	PEER_DUH,
	PEER_RSP,
	PEER_SILENT,
	PEER_CLOSE,	/* without an answer */
	PEER_ACK_CLOSE, /* answer, then close */
	PEER_GARBAGE,	/* bytes that are no answer */
	PEER_WRONG,	/* a sound answer to something else */
	PEER_DRIP,	/* the answer byte by byte, where there are several */
	PEER_TROUBLE,	/* HTTP: 503, elsewhere as NAK */
};

#define PEER_MESSAGES 200000

struct peer {
	struct event_base *base;
	bool dc09, udp, xml, json, http;
	const char *passkey; /* XML demands a Hello with it; NULL: none */
	bool proven;	     /* on this connection */
	int line_fd;	     /* -1; the other end of a serial line, held open */
	char terminator;     /* of a message that one byte answers */
	size_t behind_zone;  /* bytes between its zone and that */
	SSL_CTX *secure;     /* NULL: clear; borrowed */
	bool mute;	     /* accept, but never read, so no handshake */
	struct codec_key key;
	struct dc09_crypto *crypto;
	int64_t clock_offset_us; /* of its own clock */

	const enum peer_action *script;
	unsigned script_length;
	enum peer_action otherwise;
	enum peer_action heartbeats;
	bool refuse; /* close what connects */

	int listen_fd, fd;	    /* -1: none; udp: fd only */
	SSL *tls;		    /* of fd; NULL: clear */
	struct socket_address from; /* udp: of the last datagram */
	uint16_t port;
	struct event *acceptable, *readable;
	char in[65536];
	size_t filled;

	/* what came, in order: the zone of each message */
	unsigned zones[PEER_MESSAGES];
	unsigned messages, beats, connects, hellos;
	unsigned turns; /* messages answered by script, taken or not */
	unsigned acked; /* messages answered with ACK */
	char last[XML_PACKAGE_MAX + 1];
	char head[2048]; /* of the last HTTP request */
	char account[40];
	char extended[1024]; /* of the last message: "H..;I..;" */
};

void peer_open(struct peer *peer, struct event_base *base, bool dc09, bool udp);
/* Stop listening and drop the connection; peer_listen on the same port. */
void peer_stop(struct peer *peer);
void peer_listen(struct peer *peer);
/* Be the end of a new serial line instead; the other end's name. */
const char *peer_be_line(struct peer *peer);
/* Connect to an address of ours (server mode). */
void peer_connect(struct peer *peer, uint16_t port);
/* Bytes that answer nothing. */
void peer_say(struct peer *peer, const char *text);
void peer_hang_up(struct peer *peer);
void peer_close(struct peer *peer);
void peer_script(struct peer *peer, const enum peer_action *script,
    unsigned length, enum peer_action otherwise);

#endif
