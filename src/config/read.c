#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/option.h"
#include "base/slice.h"
#include "config/config_file.h"

/*
 * inih through a reader of our own that sees every line first. As Debian
 * builds it inih keeps 200 bytes of a line and reads the rest as another one,
 * joins an indented key to the value before it, cuts section and key names at
 * 49 characters, drops what follows a ']' and gives the handler no line
 * number. Here each line is checked and counted, and one that inih would
 * misread is reported and replaced by an empty one.
 */
#define LINE_MAX_BYTES 8192
#define NAME_MAX_BYTES 49

struct reading {
	struct config_file *config;
	struct config_problems *problems;
	FILE *stream;
	struct config_origin here; /* the line that inih is at */
	bool in_section;
	bool skip; /* the section's heading was wrong, and said so */
};

void
config_problem(struct config_problems *problems,
    const struct config_origin *origin, const char *format, ...)
{
	char sentence[300], where[220];
	struct err line;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (origin->line)
		snprintf(where, sizeof(where), "%.200s:%u", origin->file,
		    origin->line);
	else
		snprintf(where, sizeof(where), "%.200s", origin->file);
	err_set(&line, 0, "%s: %s", where, sentence);
	if (problems->out)
		fprintf(problems->out, "%s\n", line.text);
	if (problems->count++ == 0 && problems->err)
		*problems->err = line;
}

/* ---- lines ------------------------------------------------------------------------ */

/* Past the white space, and past a byte order mark on the first line. */
static char *
line_begin(char *line, unsigned number)
{
	if (number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3;
	return line + strspn(line, " \t\r\n\v\f");
}

static void
line_cut(char *line)
{
	size_t length = strlen(line);

	while (length && strchr(" \t\r\n\v\f", line[length - 1]))
		length--;
	line[length] = '\0';
}

/* What keeps inih from reading this line as it was meant; NULL: nothing. */
static const char *
line_problem(const char *line)
{
	size_t name = strcspn(line, "=");

	if (*line == '\0' || *line == ';' || *line == '#')
		return NULL;
	if (*line == '[') {
		if (line[strlen(line) - 1] != ']' ||
		    strchr(line, ']') != line + strlen(line) - 1)
			return "a section is written [name] and nothing else";
		if (strlen(line) - 2 > NAME_MAX_BYTES)
			return "the section's name is longer than 49 characters";
		return NULL;
	}
	if (line[name] != '=' || name == 0)
		return "this is neither [section] nor key = value";
	if (strcspn(line, ":") < name)
		return "a key holds no ':', write key = value";
	if (name > NAME_MAX_BYTES)
		return "the key is longer than 49 characters";
	return NULL;
}

/* The next line of the file without its end; false at the end of the file. */
static bool
line_get(struct reading *reading, char line[LINE_MAX_BYTES + 2],
    const char **problem)
{
	size_t length = 0;
	int c;

	*problem = NULL;
	while ((c = getc(reading->stream)) != EOF && c != '\n') {
		if (c == '\0')
			*problem = "the line holds a zero byte";
		else if (length < LINE_MAX_BYTES)
			line[length++] = (char)c;
		else
			*problem = "the line is longer than 8192 bytes";
	}
	line[length] = '\0';
	return c != EOF || length > 0;
}

/* ---- sections ----------------------------------------------------------------------- */

static bool
section_known(const struct config_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->section_count; i++)
		if (strcmp(schema->sections[i].name, name) == 0)
			return true;
	return false;
}

/* Of a section's keys (NULL: of the sections) the one nearest to a wrong word,
 * as " (did you mean X?)"; "" when none is near. */
static const char *
nearest(const struct config_schema *schema, const char *section,
    const char *wrong, char out[80])
{
	const char *words[128];
	size_t count = 0;
	const char *word;

	if (!section)
		for (size_t i = 0; i < schema->section_count; i++)
			words[count++] = schema->sections[i].name;
	for (size_t i = 0; i < schema->table_count && section; i++)
		if (strcmp(schema->table[i].section, section) == 0)
			words[count++] = schema->table[i].key;
	words[count] = NULL;
	word = option_nearest(wrong, words);
	out[0] = '\0';
	if (word)
		snprintf(out, 80, " (did you mean %s%s%s?)", section ? "" : "[",
		    word, section ? "" : "]");
	return out;
}

/* The name behind "listener "; NULL when it is another section. */
static const char *
group_name(const struct config_schema *schema, const char *section)
{
	size_t length = schema->repeated ? strlen(schema->repeated) : 0;

	if (length == 0 || strncmp(section, schema->repeated, length) != 0 ||
	    (section[length] != ' ' && section[length] != '\0'))
		return NULL;
	return section + length + strspn(section + length, " ");
}

static bool
name_sound(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	return *name && name[strspn(name, allowed)] == '\0';
}

static struct config_group *
group_get(struct reading *reading, const char *name)
{
	struct config_file *config = reading->config;
	const char *kind = config->schema->repeated;
	struct config_group *group = NULL;

	for (unsigned i = 0; i < config->group_count; i++)
		if (strcmp(config->groups[i].name, name) == 0)
			return &config->groups[i];
	if (!name_sound(name))
		config_problem(reading->problems, &reading->here,
		    "[%s %s]: a %s has a name of letters, digits, '.', '_' and '-'",
		    kind, name, kind);
	else if (config_add_group(config, name, &reading->here, &group) < 0)
		config_problem(reading->problems, &reading->here,
		    "[%s %s]: more than %u %ss", kind, name,
		    config->schema->groups_max, kind);
	return group;
}

/* A heading counts even when no key follows it: a group may be all
 * defaults. */
static void
section_begin(struct reading *reading, const char *heading)
{
	const struct config_schema *schema = reading->config->schema;
	char section[NAME_MAX_BYTES + 1] = "", hint[80];
	const char *name;

	slice_copy(slice_of(heading + 1, strlen(heading) - 2), section,
	    sizeof(section));
	name = group_name(schema, section);
	reading->in_section = true;
	reading->skip =
	    name ? !group_get(reading, name) : !section_known(schema, section);
	if (!name && reading->skip)
		config_problem(reading->problems, &reading->here,
		    "there is no section [%s]%s", section,
		    nearest(schema, NULL, section, hint));
}

static char *
read_line(char *out, int size, void *stream)
{
	struct reading *reading = stream;
	char line[LINE_MAX_BYTES + 2];
	const char *problem;
	char *begin;

	if (!line_get(reading, line, &problem))
		return NULL;
	reading->here.line++;
	begin = line_begin(line, reading->here.line);
	line_cut(begin);
	if (!problem)
		problem = line_problem(begin);
	if (!problem && strlen(begin) >= (size_t)size)
		problem = "this build of inih cannot take so long a line";
	if (problem) {
		config_problem(reading->problems, &reading->here, "%s",
		    problem);
		reading->skip |= *begin == '[';
		begin = line + strlen(line);
	}
	if (*begin == '[')
		section_begin(reading, begin);
	strcpy(out, begin);
	explicit_bzero(line, sizeof(line));
	return out;
}

/* ---- keys ---------------------------------------------------------------------------- */

static const struct config_setting *
setting_find(const struct config_schema *schema, const char *section,
    const char *key)
{
	for (size_t i = 0; i < schema->table_count; i++)
		if (strcmp(schema->table[i].section, section) == 0 &&
		    strcmp(schema->table[i].key, key) == 0)
			return &schema->table[i];
	return NULL;
}

static void
set(struct reading *reading, const struct config_setting *setting, void *object,
    struct config_origin *origins, const char *value)
{
	struct config_origin *origin =
	    &origins[setting - reading->config->schema->table];
	struct err err;

	if (origin->file)
		config_problem(reading->problems, &reading->here,
		    "%s is already set at %s:%u", setting->key, origin->file,
		    origin->line);
	else if (config_value_parse(reading->config, setting, object, value,
		     &err) < 0)
		config_problem(reading->problems, &reading->here, "%s: %s",
		    setting->key, err.text);
	*origin = reading->here;
}

static void
set_in_group(struct reading *reading, const char *name, const char *key,
    const char *value)
{
	const struct config_schema *schema = reading->config->schema;
	const struct config_setting *setting =
	    setting_find(schema, schema->repeated, key);
	struct config_group *group = group_get(reading, name);
	char hint[80];

	if (!setting)
		config_problem(reading->problems, &reading->here,
		    "a %s has no key '%s'%s", schema->repeated, key,
		    nearest(schema, schema->repeated, key, hint));
	else if (group)
		set(reading, setting, group->object, group->origins, value);
}

static int
on_value(void *user, const char *section, const char *key, const char *value)
{
	struct reading *reading = user;
	struct config_file *config = reading->config;
	const struct config_setting *setting =
	    setting_find(config->schema, section, key);
	const char *name = group_name(config->schema, section);
	char hint[80];

	if (reading->skip)
		return 1;
	if (!reading->in_section)
		config_problem(reading->problems, &reading->here,
		    "'%s' stands before the first [section]", key);
	else if (name)
		set_in_group(reading, name, key, value);
	else if (!setting)
		config_problem(reading->problems, &reading->here,
		    "[%s] has no key '%s'%s", section, key,
		    nearest(config->schema, section, key, hint));
	else
		set(reading, setting, config->object, config->origins, value);
	return 1;
}

int
config_read_lines(struct config_file *file, const char *path,
    struct config_problems *problems)
{
	struct reading reading = { .config = file, .problems = problems };

	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_use_stack = false;
	ini_initial_alloc = LINE_MAX_BYTES + 3;
	ini_max_line = LINE_MAX_BYTES + 3;
	reading.here.file = config_keep(file, path);
	reading.stream = fopen(path, "re");
	if (!reading.here.file || !reading.stream)
		return -errno;
	if (ini_parse_stream(read_line, &reading, on_value, &reading) == -2)
		config_problem(problems, &reading.here, "no memory");
	fclose(reading.stream);
	return 0;
}
