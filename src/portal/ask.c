#include "portal/ask.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit.h"
#include "control/client.h"

#define ASKING_MAX	 2
#define TIMEOUT_US	 (5 * 1000000ll)
#define ANSWER_BYTES_MAX (1024 * 1024)

/* ---- one after the other ---------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned asking;
} turn = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static bool
turn_take(void)
{
	struct timespec until;
	int result = 0;
	bool taken;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	pthread_mutex_lock(&turn.lock);
	while (turn.asking == ASKING_MAX && result == 0)
		result =
		    pthread_cond_timedwait(&turn.change, &turn.lock, &until);
	taken = turn.asking < ASKING_MAX;
	turn.asking += taken;
	pthread_mutex_unlock(&turn.lock);
	return taken;
}

static void
turn_give(void)
{
	pthread_mutex_lock(&turn.lock);
	turn.asking--;
	pthread_cond_signal(&turn.change);
	pthread_mutex_unlock(&turn.lock);
}

/* ---- the conversation ------------------------------------------------------------------- */

/* Whether the last line of text is the last of the answer. */
static bool
is_whole(const char *text, size_t length)
{
	static const char done[] = "{\"done\":";
	const char *line;

	if (length == 0 || text[length - 1] != '\n')
		return false;
	line = memrchr(text, '\n', length - 1);
	line = line ? line + 1 : text;
	return strncmp(line, done, sizeof(done) - 1) == 0;
}

/* The whole answer, owned, its last line last; NULL with the reason. */
static char *
read_answer(int fd, struct err *err)
{
	int64_t until_us = clock_monotonic_us(&clock_system) + TIMEOUT_US;
	char *text = malloc(ANSWER_BYTES_MAX);
	size_t length = 0;

	while (text && length < ANSWER_BYTES_MAX - 1) {
		int64_t left_us = until_us - clock_monotonic_us(&clock_system);
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (left_us <= 0 ||
		    poll(&wait, 1, (int)(left_us / 1000) + 1) == 0)
			break;
		n = recv(fd, text + length, ANSWER_BYTES_MAX - 1 - length, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		length += n > 0 ? (size_t)n : 0;
		text[length] = '\0';
		if (is_whole(text, length))
			return text;
	}
	err_set(err, -ETIMEDOUT, "tocsind did not answer in time");
	free(text);
	return NULL;
}

static char *
converse(const struct exchange *exchange, unsigned count,
    const char *const *words, struct err *err)
{
	char line[CONTROL_REQUEST_MAX];
	char *answer = NULL;
	int length = control_request(line, count, words, err);
	int fd = length < 0 ? length
			    : control_connect(exchange->tocsind, false, err);

	if (fd < 0)
		return NULL;
	if (send(fd, line, (size_t)length, MSG_NOSIGNAL) == length)
		answer = read_answer(fd, err);
	else
		err_set(err, -errno, "tocsind closed its socket");
	close(fd);
	return answer;
}

/* ---- the answer -------------------------------------------------------------------------- */

/* false: tocsind refused, and the exchange says so. */
static bool
check_done(struct exchange *exchange, const char *last)
{
	json_t *object = json_loads(last, 0, NULL);
	const char *sentence =
	    json_string_value(json_object_get(object, "error"));
	bool done = json_is_true(json_object_get(object, "done"));
	json_int_t exit_status =
	    json_integer_value(json_object_get(object, "exit"));

	if (!done)
		exchange_problem(exchange,
		    exit_status == EXIT_STATUS_UNAVAILABLE ||
			    exit_status == EXIT_STATUS_NO_PERMISSION
			? 503
			: 422,
		    NULL, "%s", sentence ? sentence : "tocsind refused");
	json_decref(object);
	return done;
}

/* lines: those before the last, a JSON object each. */
static void
give_lines(struct exchange *exchange, const char *lines)
{
	bool list = exchange->route->result == ROUTE_LIST;
	size_t size = strlen(lines) + 32, length;
	char *text = malloc(size);

	if (!text) {
		exchange_problem(exchange, 503, NULL, "no memory");
		return;
	}
	length = (size_t)snprintf(text, size, "%s", list ? "{\"items\":[" : "");
	for (const char *line = lines; *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		if (line != lines)
			text[length++] = ',';
		memcpy(text + length, line, strcspn(line, "\n"));
		length += strcspn(line, "\n");
		if (!list)
			break;
	}
	snprintf(text + length, size - length, "%s", list ? "]}" : "");
	if (exchange->route->result == ROUTE_NOTHING)
		exchange->status = 204;
	else
		exchange_answer(exchange, 200, *text ? text : "{}");
	free(text);
}

/* The lines before the last, owned; NULL: the exchange is answered. */
static char *
ask(struct exchange *exchange, unsigned count, const char *const *words)
{
	struct err err = { "" };
	char *answer, *last;

	if (!exchange->tocsind || !turn_take()) {
		exchange_problem(exchange, 503, NULL,
		    exchange->tocsind
			? "too many ask tocsind at the moment: try again"
			: "the portal is not connected to tocsind: its "
			  "configuration names no socket");
		return NULL;
	}
	answer = converse(exchange, count, words, &err);
	turn_give();
	if (!answer) {
		exchange_problem(exchange, 503, NULL, "%s", err.text);
		return NULL;
	}
	answer[strlen(answer) - 1] = '\0';
	last = strrchr(answer, '\n');
	last = last ? last + 1 : answer;
	if (!check_done(exchange, last)) {
		free(answer);
		return NULL;
	}
	*last = '\0';
	return answer;
}

void
ask_tocsind(struct exchange *exchange)
{
	char *lines = ask(exchange, exchange->word_count,
	    (const char *const *)exchange->words);

	if (lines)
		give_lines(exchange, lines);
	free(lines);
}

char *
ask_for_text(struct exchange *exchange, unsigned count,
    const char *const *words, const char *name)
{
	char *lines = ask(exchange, count, words);
	json_t *object =
	    lines ? json_loads(lines, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	const char *text = json_string_value(json_object_get(object, name));
	char *owned = text ? strdup(text) : NULL;

	if (lines && !owned)
		exchange_problem(exchange, 503, NULL,
		    "tocsind did not say what it was asked for");
	json_decref(object);
	free(lines);
	return owned;
}
