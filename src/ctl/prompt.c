#include "ctl/prompt.h"

#include <editline/readline.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* readline's callbacks have no context of their own */
static const struct choice_list *completed;

bool
prompt_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static char *
next_match(const char *text, int state)
{
	static size_t at;

	if (state == 0)
		at = 0;
	while (completed && at < completed->count) {
		const char *name = completed->rows[at++].name;

		if (strncasecmp(name, text, strlen(text)) == 0)
			return strdup(name);
	}
	return NULL;
}

static char **
complete(const char *text, int start, int end)
{
	(void)start;
	(void)end;
	rl_attempted_completion_over = 1; /* never file names */
	return rl_completion_matches(text, next_match);
}

void
prompt_open(void)
{
	static char no_breaks[] = "";

	setlocale(LC_CTYPE, "");
	rl_readline_name = "tocsinctl";
	rl_attempted_completion_function = complete;
	/* names have blanks; which of the two counts depends on the version */
	rl_completer_word_break_characters = no_breaks;
	rl_basic_word_break_characters = no_breaks;
	rl_completion_append_character = '\0';
	rl_catch_signals = 1; /* an interrupt leaves the terminal as it was */
	rl_initialize();
}

static void
list_choices(const struct choice_list *choices)
{
	for (size_t i = 0; i < choices->count; i++)
		printf("  %s%s%s\n", choices->rows[i].name,
		    *choices->rows[i].note ? "  - " : "",
		    choices->rows[i].note);
}

/* In place; the text begins where it did. */
static void
trim(char *text)
{
	size_t skipped = strspn(text, " \t"), length;

	memmove(text, text + skipped, strlen(text + skipped) + 1);
	length = strlen(text);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		text[--length] = '\0';
}

char *
prompt_ask(const char *label, const char *standard,
    const struct choice_list *choices)
{
	bool has_standard = standard && *standard;
	char question[512];

	completed = choices;
	snprintf(question, sizeof(question), "%s%s%s%s: ", label,
	    has_standard ? " [" : "", has_standard ? standard : "",
	    has_standard ? "]" : "");
	for (;;) {
		char *line = readline(question);

		if (!line)
			return NULL;
		trim(line);
		if (choices && strcmp(line, "?") == 0)
			list_choices(choices);
		else if (*line)
			return line;
		else {
			free(line);
			return strdup(has_standard ? standard : "");
		}
		free(line);
	}
}
