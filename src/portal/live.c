#include "portal/live.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "control/client.h"
#include "portal/sample.h"

#define TICK_S		 1
#define ANSWER_TIMEOUT_S 10
#define ANSWER_BYTES_MAX (8 * 1024 * 1024)
#define LINE_BYTES_MAX	 (256 * 1024)
#define POLL_STATS	 LIVE_RATES
#define POLL_LATENCY	 (LIVE_RATES + 1)
#define POLLS		 (POLL_LATENCY + 1)
/* Its end says that tocsind has read the second line, too. */
#define TAIL_WORDS	"show status\ntail"
#define DONE		"{\"done\":"
#define DONE_WELL	"{\"done\":true}"
#define TEXT_OF(number) #number
#define AS_TEXT(number) TEXT_OF(number)

/* The answers of one are gathered before the next is asked. */
static const struct {
	const char *words;
	unsigned every_s;
} polls[POLLS] = {
	[LIVE_STATUS] = { "show status", 2 },
	[LIVE_LINKS] = { "show links", 2 },
	[LIVE_PARKED] = { "show parked " AS_TEXT(LIVE_PARKED_MAX), 5 },
	[LIVE_OFFLINE] = { "show bridges state offline limit " AS_TEXT(
			       LIVE_OFFLINE_MAX),
	    30 },
	[POLL_STATS] = { "show stats", SAMPLE_EVERY_S },
	[POLL_LATENCY] = { "show latency", SAMPLE_EVERY_S },
};

struct connection {
	struct live *live;
	struct bufferevent *stream; /* NULL: there is none */
	bool lost;		    /* to be freed with the next tick */
};

struct live {
	struct event_base *base;
	const char *socket;
	live_signal_fn fn;
	void *context;
	struct event *tick;
	struct connection poll, tail;
	bool wanted;
	bool following; /* tocsind was asked for signals, and has read it */
	unsigned seconds;
	unsigned asked;	  /* which of polls is being answered; 0: none */
	unsigned asked_s; /* since when, of seconds */
	bool due[POLLS];
	struct json gathered;
	char *answers[POLLS];
	struct samples samples;
	struct json rates;
	struct err problem;
};

/* ---- connections ----------------------------------------------------------------------- */

static void
connection_drop(struct connection *connection)
{
	if (connection->stream)
		bufferevent_free(connection->stream);
	connection->stream = NULL;
	connection->lost = false;
}

static void
on_event(struct bufferevent *stream, short what, void *context)
{
	struct connection *connection = context;

	(void)what;
	connection->lost = true;
	bufferevent_disable(stream, EV_READ | EV_WRITE);
}

static bool
connection_open(struct connection *connection, bufferevent_data_cb on_read)
{
	struct live *live = connection->live;
	int fd = control_connect(live->socket, false, &live->problem);

	if (fd < 0)
		return false;
	connection->stream =
	    bufferevent_socket_new(live->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!connection->stream) {
		close(fd);
		err_set(&live->problem, -ENOMEM, "no memory");
		return false;
	}
	bufferevent_setcb(connection->stream, on_read, NULL, on_event,
	    connection);
	bufferevent_setwatermark(connection->stream, EV_READ, 0,
	    LINE_BYTES_MAX);
	bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
	return true;
}

static void
connection_ask(struct connection *connection, const char *words)
{
	evbuffer_add_printf(bufferevent_get_output(connection->stream), "%s\n",
	    words);
}

/* ---- answers --------------------------------------------------------------------------- */

static void
forget_answers(struct live *live)
{
	for (size_t i = 0; i < POLLS; i++) {
		free(live->answers[i]);
		live->answers[i] = NULL;
		live->due[i] = true;
	}
	live->asked = 0;
	json_reset(&live->gathered);
}

static void
take_sample(struct live *live)
{
	struct sample_counters counters;

	if (!live->answers[POLL_STATS] ||
	    !sample_read(live->answers[POLL_STATS], live->answers[POLL_LATENCY],
		&counters))
		return;
	counters.at_us = clock_monotonic_us(&clock_system);
	samples_add(&live->samples, &counters, clock_wall_us(&clock_system));
	json_reset(&live->rates);
	samples_write(&live->samples, &live->rates);
}

static void
ask_next(struct live *live)
{
	for (unsigned i = LIVE_STATUS; i < POLLS && live->asked == 0; i++)
		if (live->due[i]) {
			live->due[i] = false;
			live->asked = i;
			live->asked_s = live->seconds;
			json_array_begin(&live->gathered, NULL);
			connection_ask(&live->poll, polls[i].words);
		}
}

static void
finish_answer(struct live *live, const char *last)
{
	unsigned asked = live->asked;
	const char *text;

	json_array_end(&live->gathered);
	text = json_text(&live->gathered);
	if (text && strcmp(last, DONE_WELL) == 0) {
		free(live->answers[asked]);
		live->answers[asked] = strdup(text);
		if (asked == POLL_LATENCY && live->answers[asked])
			take_sample(live);
	} else {
		log_write(LOG_WARN, "portal", "tocsind_refuses",
		    "command=\"%s\" answer=%.300s", polls[asked].words, last);
	}
	json_reset(&live->gathered);
	live->asked = 0;
	ask_next(live);
}

static void
on_answer(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	struct live *live = connection->live;
	struct evbuffer *in = bufferevent_get_input(stream);
	char *line;

	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF)) != NULL) {
		if (live->asked == 0)
			connection->lost = true;
		else if (strncmp(line, DONE, strlen(DONE)) == 0)
			finish_answer(live, line);
		else
			json_raw(&live->gathered, NULL, line);
		free(line);
	}
	if (evbuffer_get_length(in) >= LINE_BYTES_MAX ||
	    live->gathered.length > ANSWER_BYTES_MAX)
		connection->lost = true;
}

/* ---- signals --------------------------------------------------------------------------- */

static void
take_line(struct live *live, const char *line, size_t length)
{
	if (live->following)
		live->fn(live->context, slice_of(line, length));
	else
		live->following = strcmp(line, DONE_WELL) == 0;
}

static void
on_signal(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	struct live *live = connection->live;
	struct evbuffer *in = bufferevent_get_input(stream);
	size_t length;
	char *line;

	while ((line = evbuffer_readln(in, &length, EVBUFFER_EOL_LF)) != NULL) {
		/* tail ends with an error only */
		if (strncmp(line, DONE, strlen(DONE)) == 0 &&
		    (live->following || strcmp(line, DONE_WELL) != 0))
			connection->lost = true;
		else
			take_line(live, line, length);
		free(line);
	}
	if (evbuffer_get_length(in) >= LINE_BYTES_MAX)
		connection->lost = true;
}

static void
keep_following(struct live *live)
{
	struct connection *tail = &live->tail;

	if (tail->lost) {
		connection_drop(tail);
		live->fn(live->context, SLICE_NONE);
	}
	if (!live->wanted)
		connection_drop(tail);
	else if (!tail->stream && connection_open(tail, on_signal))
		connection_ask(tail, TAIL_WORDS);
	live->following &= tail->stream != NULL;
}

/* ---- each second ----------------------------------------------------------------------- */

static void
on_tick(evutil_socket_t fd, short events, void *context)
{
	struct live *live = context;

	(void)fd, (void)events;
	live->seconds++;
	if (live->asked != 0 &&
	    live->seconds - live->asked_s > ANSWER_TIMEOUT_S)
		live->poll.lost = true;
	if (live->poll.lost) {
		connection_drop(&live->poll);
		forget_answers(live);
		err_set(&live->problem, -ENOTCONN, "%s: tocsind went away",
		    live->socket);
	}
	for (size_t i = LIVE_STATUS; i < POLLS; i++)
		live->due[i] |= live->seconds % polls[i].every_s == 0;
	if (live->poll.stream || connection_open(&live->poll, on_answer))
		ask_next(live);
	keep_following(live);
}

/* ---- life -------------------------------------------------------------------------------- */

int
live_open(struct event_base *base, const char *socket, live_signal_fn fn,
    void *context, struct live **ret, struct err *err)
{
	const struct timeval every = { TICK_S, 0 };
	struct live *live = calloc(1, sizeof(*live));

	if (!live)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = live;
	live->base = base;
	live->socket = socket;
	live->fn = fn;
	live->context = context;
	live->poll.live = live;
	live->tail.live = live;
	err_set(&live->problem, 0, "tocsind was not asked yet");
	forget_answers(live);
	live->tick = event_new(base, -1, EV_PERSIST, on_tick, live);
	if (!live->tick || event_add(live->tick, &every) < 0)
		return err_set(err, -ENOMEM, "no memory for a timer");
	event_active(live->tick, EV_TIMEOUT, 0);
	return 0;
}

void
live_close(struct live **slot)
{
	struct live *live = *slot;

	if (!live)
		return;
	*slot = NULL;
	if (live->tick)
		event_free(live->tick);
	connection_drop(&live->poll);
	connection_drop(&live->tail);
	forget_answers(live);
	json_close(&live->gathered);
	json_close(&live->rates);
	free(live);
}

const char *
live_answer(struct live *live, enum live_answer answer)
{
	if (answer != LIVE_RATES)
		return live->answers[answer];
	if (!live->poll.stream)
		return NULL;
	return live->rates.length ? json_text(&live->rates) : "[]";
}

const char *
live_problem(const struct live *live)
{
	return live->problem.text;
}

bool
live_follow(struct live *live, bool wanted)
{
	bool changed = wanted != live->wanted;

	live->wanted = wanted;
	if (changed)
		keep_following(live);
	return live->following;
}
