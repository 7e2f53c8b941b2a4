/*
 * One TCP connection. Belongs to its worker for life. Three ways out:
 *
 *   finish: the peer will send no more, or may not: close when the replies it
 *           is owed are out
 *   close:  at once; the object lives until no pending reply names it
 *   free:   by the worker at the end of a turn
 */
#ifndef INGRESS_SESSION_H
#define INGRESS_SESSION_H

#include <event2/event_struct.h>

#include "base/json.h"
#include "base/socket.h"
#include "directory/presence.h"
#include "ingress/buffer.h"
#include "ingress/listener.h"
#include "ingress/resend.h"
#include "ingress/tls_session.h"
#include "ingress/wheel.h"

/* Unanswered frames after which a session is not read from. */
#define SESSION_IN_FLIGHT_MAX 1024

struct session {
	struct slot *slot; /* NULL once closed */
	struct worker *worker;
	int fd;
	struct tls_session *tls; /* NULL: clear */
	uint32_t in_flight;	 /* replies it is owed */
	uint32_t awaited;	 /* those of them that are in awaiting */
	uint32_t junk_bytes;	 /* since the last sound frame */
	bool sound;		 /* had a sound frame */
	bool reading;		 /* read_event is added */
	bool writing;		 /* write_event is added: the window is full */
	bool dirty, stalled, throttled, finishing, closed;
	bool continued;	   /* HTTP: its next body was asked for */
	int64_t opened_us; /* monotonic */
	int64_t active_us; /* last sound frame, reply, step of a handshake */
	int64_t opened_wall_us;
	uint64_t frames;
	struct resend_message last; /* automation_input: what was last taken */
	uint32_t answers;	    /* sent, ever */
	uint32_t answers_before;    /* the last was taken */
	struct buffer input;	    /* what was read but not parsed */
	struct buffer output;	    /* what may go out but is not sent */
	struct event read_event, write_event;
	struct wheel_entry timeout;
	TAILQ_ENTRY(session) by_slot;
	TAILQ_ENTRY(session) by_age;	 /* until it is sound */
	TAILQ_ENTRY(session) by_turn;	 /* dirty, then closed */
	TAILQ_ENTRY(session) by_waiting; /* stalled, or throttled */
	struct awaiting_queue awaiting;	 /* the oldest first */
	struct presence_peer from;
	char peer[SOCKET_ADDRESS_TEXT]; /* the same */
};

/* Takes fd. -ENOMEM, -EUSERS (too many from this address), -EBUSY (too many
 * handshakes a second from there): the caller still has it. */
int session_open(struct slot *slot, int fd,
    const struct socket_address *address);
void session_finish(struct session *session);
void session_close(struct session *session);
/* Its first sound frame: it makes room for no newcomer from here on. */
void session_found_sound(struct session *session);
/* It has said nothing for long, and nothing of it is unread. */
bool session_is_silent(const struct session *session);
/* Close it for being slow: counted as a timeout, and refused. reason: static. */
void session_give_up(struct session *session, const char *reason);

/* Bytes that may go out now; sent at the end of the turn. */
void session_send(struct session *session, const void *data, size_t length);
/* It is owed one reply less; read on if it was only that. */
void session_answered(struct session *session);

/* Wait until the socket takes more, and read nothing until then. */
void session_set_writing(struct session *session, bool writing);
/* It is owed an answer that waits for a station, and its answers name no
 * request: they leave in the order of the requests, so the next one waits. */
bool session_waits_in_turn(const struct session *session);
/* Take the requests that waited in turn, if it may. */
void session_go_on(struct session *session);
/* Read from it or not, by its state and its worker's. */
void session_update_reading(struct session *session);
/* Event callback of its socket. */
void session_readable(evutil_socket_t fd, short what, void *session);
/* The journal has no room: read and parse nothing until it has. first: it
 * holds unparsed bytes; so only few sessions do at a time. */
void session_stall(struct session *session, bool first);
void session_unstall(struct session *session);
/* Its address sends faster than it may: read and parse nothing for a time. */
void session_throttle(struct session *session);
/* One more frame of its address is within what that may send. */
bool session_may_go_on(struct session *session);
/* Those of this worker whose time has come go on. */
void session_unthrottle_due(struct worker *worker);
/* Set the timeout anew, after the settings changed. */
void session_update_timeout(struct session *session);

/* The worker's turn: send, read on after the journal had no room, look at a
 * timeout that came, free. */
void session_flush(struct session *session);
void session_resume(struct session *session);
void session_timeout(struct session *session);
void session_free(struct session *session);

void session_show(const struct session *session, int64_t now_us,
    struct json *json);

#endif
