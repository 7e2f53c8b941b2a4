#include "ctl/secret.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX 1024

static char *
read_line(FILE *stream, const char *name, struct err *err)
{
	char *line = malloc(SECRET_MAX + 2);
	size_t length;

	if (!line) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	setvbuf(stream, NULL, _IONBF, 0); /* no second copy of it */
	if (!fgets(line, SECRET_MAX + 2, stream))
		line[0] = '\0';
	length = strcspn(line, "\r\n");
	line[length] = '\0';
	if (length > 0 && length <= SECRET_MAX)
		return line;
	secret_free(line);
	err_set(err, -EINVAL, "%s holds no line of 1 to %d characters", name,
	    SECRET_MAX);
	return NULL;
}

static char *
ask(const char *what, struct err *err)
{
	struct termios shown, hidden;
	sigset_t keys, before;
	char *secret;

	if (tcgetattr(STDIN_FILENO, &shown) < 0) {
		err_set(err, -errno, "the terminal: %s", strerror(errno));
		return NULL;
	}
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* an interrupt waits, or it would leave the terminal hidden */
	sigemptyset(&keys);
	sigaddset(&keys, SIGINT);
	sigaddset(&keys, SIGQUIT);
	sigaddset(&keys, SIGTSTP);
	sigprocmask(SIG_BLOCK, &keys, &before);
	/* before the prompt: what is typed at once is neither shown nor lost */
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fprintf(stderr, "%s: ", what);
	secret = read_line(stdin, "what was typed", err);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return secret;
}

char *
secret_read(const char *file, const char *what, struct err *err)
{
	FILE *stream;
	char *secret;

	if (strcmp(file, "-") == 0)
		return isatty(STDIN_FILENO)
		    ? ask(what, err)
		    : read_line(stdin, "the standard input", err);
	stream = fopen(file, "re");
	if (!stream) {
		err_set(err, -errno, "%s: %s", file, strerror(errno));
		return NULL;
	}
	secret = read_line(stream, file, err);
	fclose(stream);
	return secret;
}

char *
secret_read_new(const char *file, const char *what, struct err *err)
{
	char *secret = secret_read(file, what, err), *again;

	if (!secret || strcmp(file, "-") != 0 || !isatty(STDIN_FILENO))
		return secret;
	again = ask("the same again", err);
	if (again && strcmp(secret, again) == 0) {
		secret_free(again);
		return secret;
	}
	if (again)
		err_set(err, -EINVAL,
		    "the two differ: nothing is changed, try again");
	secret_free(again);
	secret_free(secret);
	return NULL;
}

void
secret_free(char *secret)
{
	if (secret)
		sodium_memzero(secret, strlen(secret));
	free(secret);
}
