#include "ctl/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit.h"
#include "control/client.h"
#include "ctl/command.h"
#include "ctl/table_objects.h"

#define DEFAULT_SOCKET "/run/tocsin/" CONTROL_SOCKET_NAME

static const struct ctl_option options[] = {
	{ "socket", "PATH", "control socket, " DEFAULT_SOCKET " otherwise" },
	{ "json", NULL, "the daemon's lines as they are" },
	{ NULL },
};

static const struct ctl_option tail_options[] = {
	{ "account", "A", "only this account, on either side" },
	{ "socket", "PATH", "control socket, " DEFAULT_SOCKET " otherwise" },
	{ "json", NULL, "the daemon's lines as they are" },
	{ NULL },
};

enum control_shape {
	CONTROL_TABLE,	/* all objects together, aligned */
	CONTROL_FIELDS, /* one field a line */
	CONTROL_STREAM, /* each object on a line, at once */
};

/* ---- the request ------------------------------------------------------------------ */

static int
connect_socket(const char *path, FILE **ret)
{
	struct err err;
	int fd = control_connect(path, true, &err);

	if (fd < 0)
		return ctl_fail(fd == -EACCES ? EXIT_STATUS_NO_PERMISSION
			: fd == -ENAMETOOLONG ? EXIT_STATUS_USAGE
					      : EXIT_STATUS_UNAVAILABLE,
		    "%s", err.text);
	*ret = fdopen(fd, "r+e");
	return *ret ? EXIT_STATUS_OK
		    : ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
}

static int
send_words(FILE *socket, int count, const char *const *words)
{
	char line[CONTROL_REQUEST_MAX];
	struct err err;
	int length = control_request(line, (unsigned)count, words, &err);

	if (length < 0)
		return ctl_fail(EXIT_STATUS_USAGE, "%s", err.text);
	if (fwrite(line, 1, (size_t)length, socket) != (size_t)length ||
	    fflush(socket) != 0)
		return ctl_fail(EXIT_STATUS_UNAVAILABLE,
		    "the daemon closed the control socket");
	return EXIT_STATUS_OK;
}

/* ---- the answer ------------------------------------------------------------------- */

/* The last line: its exit status, printing the sentence. */
static int
finish(const json_t *last)
{
	const char *sentence =
	    json_string_value(json_object_get(last, "error"));
	const json_t *status = json_object_get(last, "exit");

	if (json_is_true(json_object_get(last, "done")))
		return EXIT_STATUS_OK;
	return ctl_fail(json_is_integer(status)
		? (int)json_integer_value(status)
		: EXIT_STATUS_FAILED,
	    "%s", sentence ? sentence : "the daemon refused");
}

static void
handle_object(json_t *object, const char *line, bool json,
    enum control_shape shape, json_t *collected)
{
	if (json)
		fputs(line, stdout);
	else if (shape == CONTROL_STREAM)
		table_print_line(object);
	else
		json_array_append(collected, object);
	if (shape == CONTROL_STREAM)
		fflush(stdout);
}

/* -1: the connection ended before the last line. */
static int
read_answer(FILE *socket, bool json, enum control_shape shape,
    json_t *collected)
{
	char *line = NULL;
	size_t size = 0;
	int status = -1;

	while (status < 0 && getline(&line, &size, socket) > 0) {
		json_error_t problem;
		json_t *object =
		    json_loads(line, JSON_REJECT_DUPLICATES, &problem);

		if (!json_is_object(object))
			status = ctl_fail(EXIT_STATUS_SOFTWARE,
			    "the daemon's answer is no JSON object: %s",
			    object ? line : problem.text);
		else if (json_object_get(object, "done"))
			status = finish(object);
		else
			handle_object(object, line, json, shape, collected);
		json_decref(object);
	}
	free(line);
	return status;
}

static int
converse(const struct ctl_arguments *arguments, int count,
    const char *const *words, enum control_shape shape)
{
	const char *path = ctl_value(arguments, "socket");
	json_t *collected;
	FILE *socket;
	int status = connect_socket(path ? path : DEFAULT_SOCKET, &socket);

	if (status != EXIT_STATUS_OK)
		return status;
	collected = json_array();
	status = send_words(socket, count, words);
	if (status == EXIT_STATUS_OK)
		status = read_answer(socket, ctl_flag(arguments, "json"), shape,
		    collected);
	if (status < 0)
		status = ctl_fail(EXIT_STATUS_UNAVAILABLE,
		    "the daemon closed the control socket");
	if (json_array_size(collected) > 0)
		table_print_objects(collected,
		    shape == CONTROL_FIELDS || json_array_size(collected) == 1);
	json_decref(collected);
	fclose(socket);
	return status;
}

/* ---- commands ---------------------------------------------------------------------- */

/* The command's word and what was given, as they are. */
static int
pass_on(const char *command, const char *synopsis, int words_min, int words_max,
    enum control_shape shape, int argc, char **argv)
{
	struct ctl_arguments arguments;
	const char *words[CONTROL_WORDS_MAX] = { command };
	int result = ctl_parse(command, synopsis, options, words_max, argc,
	    argv, &arguments);

	if (result != CTL_GO_ON)
		return result;
	if (arguments.word_count < words_min)
		return ctl_fail(EXIT_STATUS_USAGE, "usage: tocsinctl %s %s",
		    command, synopsis);
	for (int i = 0; i < arguments.word_count; i++)
		words[1 + i] = arguments.words[i];
	return converse(&arguments, 1 + arguments.word_count, words, shape);
}

int
control_show(int argc, char **argv)
{
	return pass_on("show", CONTROL_SHOW_WORDS, 1, 13, CONTROL_TABLE, argc,
	    argv);
}

int
control_trace(int argc, char **argv)
{
	return pass_on("trace", "EVENT", 1, 1, CONTROL_FIELDS, argc, argv);
}

int
control_pause(int argc, char **argv)
{
	return pass_on("pause", "link NAME", 2, 2, CONTROL_TABLE, argc, argv);
}

int
control_resume(int argc, char **argv)
{
	return pass_on("resume", "link NAME", 2, 2, CONTROL_TABLE, argc, argv);
}

int
control_replay(int argc, char **argv)
{
	return pass_on("replay", "link NAME|all", 2, 2, CONTROL_TABLE, argc,
	    argv);
}

int
control_skip(int argc, char **argv)
{
	return pass_on("skip", "link NAME|removed REASON", 3, 3, CONTROL_TABLE,
	    argc, argv);
}

int
control_arm(int argc, char **argv)
{
	return pass_on("arm", "SITE [partition N] [user U]", 1, 5,
	    CONTROL_FIELDS, argc, argv);
}

int
control_disarm(int argc, char **argv)
{
	return pass_on("disarm", "SITE [partition N] [user U]", 1, 5,
	    CONTROL_FIELDS, argc, argv);
}

int
control_send(int argc, char **argv)
{
	return pass_on("send", "test SITE", 2, 2, CONTROL_FIELDS, argc, argv);
}

int
control_reload(int argc, char **argv)
{
	return pass_on("reload", "", 0, 0, CONTROL_TABLE, argc, argv);
}

int
control_drain(int argc, char **argv)
{
	return pass_on("drain", "", 0, 0, CONTROL_TABLE, argc, argv);
}

int
control_tail(int argc, char **argv)
{
	struct ctl_arguments arguments;
	const char *words[] = { "tail", "account", NULL };
	int result = ctl_parse("tail", "[--account A] [--json]", tail_options,
	    0, argc, argv, &arguments);

	if (result != CTL_GO_ON)
		return result;
	words[2] = ctl_value(&arguments, "account");
	return converse(&arguments, words[2] ? 3 : 1, words, CONTROL_STREAM);
}
