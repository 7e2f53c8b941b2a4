#include "portal/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/json.h"

#define TICK_MS		 500
#define RING_MAX	 2048 /* signals that are kept */
#define BATCH_MAX	 200  /* of them in one question */
#define RECENT_MAX	 100  /* from before a view was opened */
#define SILENCE_MAX_US	 (15 * 1000000ll)
#define WAIT_MAX_US	 (5 * 1000000ll) /* until signals come */
#define OUTPUT_BYTES_MAX (256 * 1024)
#define LAST_EVENT	 "event: end\ndata: {}\n\n"

struct stream {
	TAILQ_ENTRY(stream) link;
	struct streams *streams;
	struct evhttp_request *request; /* NULL: it hung up */
	/* of each batch, as the request said it */
	struct exchange *asked;
	int64_t user_id;
	uint64_t next; /* signal to be told */
	bool started;
	bool may;	 /* the first batch was allowed: it waits for signals */
	bool busy;	 /* a batch is on its way */
	bool lost;	 /* some were not told */
	int64_t said_us; /* before it started: asked for */
};

struct streams {
	struct stream_server server;
	struct event *tick;
	TAILQ_HEAD(, stream) all;
	unsigned count;
	char *ring[RING_MAX]; /* signal n at n % RING_MAX */
	uint64_t begin;	      /* none is missing from here on */
	uint64_t end;	      /* behind the last */
};

/* True: every signal from now on comes. */
static bool
follow(struct streams *streams, bool wanted)
{
	bool following =
	    streams->server.follow(streams->server.context, wanted);

	if (!following)
		streams->begin = streams->end;
	return following;
}

/* ---- one stream ------------------------------------------------------------------------- */

static void
on_hang_up(struct evhttp_connection *connection, void *context)
{
	struct stream *stream = context;

	(void)connection;
	/* one that its connection has let go of is nobody's else */
	if (!evhttp_request_get_connection(stream->request))
		evhttp_request_free(stream->request);
	stream->request = NULL;
}

static void
stream_free(struct stream *stream)
{
	struct streams *streams = stream->streams;

	TAILQ_REMOVE(&streams->all, stream, link);
	streams->count--;
	exchange_free(stream->asked);
	free(stream);
}

static void
stream_end(struct stream *stream)
{
	struct evhttp_request *request = stream->request;
	struct evbuffer *out = evbuffer_new();

	if (!request)
		return;
	evhttp_connection_set_closecb(evhttp_request_get_connection(request),
	    NULL, NULL);
	if (out) {
		evbuffer_add(out, LAST_EVENT, strlen(LAST_EVENT));
		evhttp_send_reply_chunk(request, out);
		evbuffer_free(out);
	}
	evhttp_send_reply_end(request);
	stream->request = NULL;
}

static struct bufferevent *
output_of(const struct stream *stream)
{
	return evhttp_connection_get_bufferevent(
	    evhttp_request_get_connection(stream->request));
}

static void
stream_say(struct stream *stream, struct evbuffer *out)
{
	/* who reads slower than it happens is let go */
	if (evbuffer_get_length(bufferevent_get_output(output_of(stream))) >
	    OUTPUT_BYTES_MAX) {
		evhttp_connection_free(
		    evhttp_request_get_connection(stream->request));
		return;
	}
	evhttp_send_reply_chunk(stream->request, out);
	stream->said_us = clock_monotonic_us(&clock_system);
}

static void
stream_start(struct stream *stream)
{
	struct evkeyvalq *headers =
	    evhttp_request_get_output_headers(stream->request);

	stream->streams->server.add_headers(stream->streams->server.context,
	    stream->request);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "Content-Type", "text/event-stream");
	/* a proxy that gathers would make it anything but live */
	evhttp_add_header(headers, "X-Accel-Buffering", "no");
	evhttp_send_reply_start(stream->request, 200, NULL);
	/* it never says anything again */
	bufferevent_set_timeouts(output_of(stream), NULL, NULL);
	stream->started = true;
	stream->said_us = clock_monotonic_us(&clock_system);
}

/* ---- batches ---------------------------------------------------------------------------- */

/* What is to be told as a JSON array; the stream's place moves on. NULL: no
 * memory. */
static char *
take_batch(struct stream *stream)
{
	struct streams *streams = stream->streams;
	struct json json = { 0 };
	char *text = NULL;

	if (streams->end - stream->next > BATCH_MAX) {
		stream->next = streams->end - BATCH_MAX;
		stream->lost = true;
	}
	json_array_begin(&json, NULL);
	for (; stream->next < streams->end; stream->next++)
		json_raw(&json, NULL, streams->ring[stream->next % RING_MAX]);
	json_array_end(&json);
	if (json_text(&json))
		text = strdup(json_text(&json));
	json_close(&json);
	return text;
}

static void
ask(struct stream *stream)
{
	struct exchange *batch = exchange_copy(stream->asked);

	if (!batch)
		return;
	batch->stream = stream;
	batch->live = take_batch(stream);
	stream->busy = batch->live &&
	    stream->streams->server.take(stream->streams->server.context,
		batch);
	if (!stream->busy) {
		stream->lost |= batch->live != NULL;
		exchange_free(batch);
	}
}

static void
tell(struct stream *stream, struct exchange *batch)
{
	struct evbuffer *out = evbuffer_new();
	const char *items = json_text(batch->answer);
	bool empty = !items || strcmp(items, "{\"items\":[]}") == 0;

	if (!out)
		return;
	if (stream->lost)
		evbuffer_add_printf(out, "event: lost\ndata: {}\n\n");
	stream->lost = false;
	if (!empty)
		evbuffer_add_printf(out, "data: %s\n\n", items);
	else
		evbuffer_add_printf(out, ": here\n\n");
	stream_say(stream, out);
	evbuffer_free(out);
}

static unsigned
count_of(const struct streams *streams, int64_t user_id)
{
	const struct stream *stream;
	unsigned count = 0;

	TAILQ_FOREACH(stream, &streams->all, link)
		count += stream->started && stream->user_id == user_id;
	return count;
}

static void
refuse(struct stream *stream, struct exchange *batch)
{
	struct streams *streams = stream->streams;

	batch->request = stream->request;
	stream->request = NULL;
	streams->server.finish(streams->server.context, batch);
}

/* The first batch is back: a stream from now on, or once signals come, or a
 * refusal. */
static void
conclude_begin(struct streams *streams, struct stream *stream,
    struct exchange *batch)
{
	if (batch->status == 200 &&
	    count_of(streams, batch->user_id) >= STREAMS_A_USER_MAX)
		exchange_problem(batch, 429, NULL,
		    "too many live views of this user are open: close some");
	if (batch->status != 200) {
		refuse(stream, batch);
		return;
	}
	stream->user_id = batch->user_id;
	stream->may = true;
	if (follow(streams, true)) {
		stream_start(stream);
		tell(stream, batch);
	}
	exchange_free(batch);
}

/* tocsind may come within seconds; a browser asks again later. */
static void
refuse_late(struct stream *stream)
{
	struct exchange *batch = exchange_copy(stream->asked);

	if (!batch)
		return;
	exchange_problem(batch, 503, NULL,
	    "tocsind does not answer: nothing can be seen live");
	refuse(stream, batch);
}

void
streams_done(struct streams *streams, struct exchange *batch)
{
	struct stream *stream = batch->stream;

	stream->busy = false;
	if (stream->request && !stream->started) {
		conclude_begin(streams, stream, batch);
		return;
	}
	if (stream->request && batch->status == 200)
		tell(stream, batch);
	else if (stream->request && batch->status < 500)
		stream_end(stream);
	else /* the database is away: what was in it is not told */
		stream->lost = true;
	exchange_free(batch);
}

void
streams_begin(struct streams *streams, struct exchange *exchange)
{
	struct stream *stream =
	    streams->count < STREAMS_MAX ? calloc(1, sizeof(*stream)) : NULL;

	if (!stream) {
		exchange_problem(exchange, 503, NULL,
		    "too many live views are open: try again later");
		streams->server.finish(streams->server.context, exchange);
		return;
	}
	stream->streams = streams;
	stream->request = exchange->request;
	stream->asked = exchange;
	exchange->request = NULL;
	stream->said_us = clock_monotonic_us(&clock_system);
	follow(streams, true);
	stream->next = streams->end - streams->begin < RECENT_MAX
	    ? streams->begin
	    : streams->end - RECENT_MAX;
	evhttp_connection_set_closecb(
	    evhttp_request_get_connection(stream->request), on_hang_up, stream);
	TAILQ_INSERT_TAIL(&streams->all, stream, link);
	streams->count++;
	ask(stream);
}

void
streams_signal(struct streams *streams, struct slice text)
{
	char **place = &streams->ring[streams->end % RING_MAX];
	struct stream *stream;
	char *kept;

	if (!text.data) {
		TAILQ_FOREACH(stream, &streams->all, link)
			stream->lost = true;
		return;
	}
	kept = strndup(text.data, text.length);
	if (!kept)
		return;
	free(*place);
	*place = kept;
	streams->end++;
}

/* ---- each half second --------------------------------------------------------------------- */

/* Of one that is not busy. */
static void
go_on(struct stream *stream, bool following, int64_t now_us)
{
	int64_t silent_us = now_us - stream->said_us;

	if (!stream->request)
		stream_free(stream);
	else if (!stream->started && stream->may && !following) {
		if (silent_us > WAIT_MAX_US)
			refuse_late(stream);
	} else if (!stream->started || stream->next < stream->streams->end ||
	    stream->lost || silent_us > SILENCE_MAX_US)
		ask(stream);
}

static void
on_tick(evutil_socket_t fd, short events, void *context)
{
	struct streams *streams = context;
	int64_t now_us = clock_monotonic_us(&clock_system);
	bool following = follow(streams, streams->count > 0);
	struct stream *stream, *next;

	(void)fd, (void)events;
	for (stream = TAILQ_FIRST(&streams->all); stream; stream = next) {
		next = TAILQ_NEXT(stream, link);
		if (!stream->busy)
			go_on(stream, following, now_us);
	}
}

/* ---- life ---------------------------------------------------------------------------------- */

int
streams_open(struct event_base *base, const struct stream_server *server,
    struct streams **ret, struct err *err)
{
	const struct timeval every = { 0, TICK_MS * 1000 };
	struct streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = streams;
	TAILQ_INIT(&streams->all);
	streams->server = *server;
	streams->tick = event_new(base, -1, EV_PERSIST, on_tick, streams);
	if (!streams->tick || event_add(streams->tick, &every) < 0)
		return err_set(err, -ENOMEM, "no memory for a timer");
	return 0;
}

void
streams_close(struct streams **slot)
{
	struct streams *streams = *slot;
	struct stream *stream;

	if (!streams)
		return;
	*slot = NULL;
	while ((stream = TAILQ_FIRST(&streams->all)))
		stream_free(stream);
	if (streams->tick)
		event_free(streams->tick);
	for (size_t i = 0; i < RING_MAX; i++)
		free(streams->ring[i]);
	free(streams);
}
