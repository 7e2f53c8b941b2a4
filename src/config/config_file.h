/*
 * Configuration files: a setting is a row of a program's table, which says
 * where in the program's own struct its value goes. The parser, the check, the
 * effective print, the comparison of two, the shipped sample and the manual
 * page read the same rows. Main thread.
 */
#ifndef CONFIG_CONFIG_FILE_H
#define CONFIG_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"

#define CONFIG_VALUE_SIZE 8192 /* of any value as text, NUL included */
#define CONFIG_GROUPS_MAX 64

/* For tables of durations and sizes. */
#define CONFIG_MILLISECOND ((int64_t)1000)
#define CONFIG_SECOND	   ((int64_t)1000000)
#define CONFIG_MINUTE	   (60 * CONFIG_SECOND)

enum config_type {
	CONFIG_STRING,	 /* const char * */
	CONFIG_CONNINFO, /* const char *, may hold a password */
	CONFIG_PATH,	 /* const char *, absolute once loaded; "" stays */
	CONFIG_DURATION, /* in units of `unit` us */
	CONFIG_SIZE,	 /* bytes */
	CONFIG_INTEGER,	 /* unsigned */
	CONFIG_PERCENT,	 /* double, 0..1 */
	CONFIG_BOOLEAN,	 /* yes, no */
	CONFIG_CHOICE,	 /* int, one of choices */
	CONFIG_OTHER,	 /* the program's own: struct config_other */
};

/* What a relative path starts from. */
enum config_base {
	CONFIG_BASE_NONE, /* must be absolute */
	CONFIG_BASE_STATE,
	CONFIG_BASE_RUN,
	CONFIG_BASE_FILE, /* the directory of the main file; credential:NAME is
			     $CREDENTIALS_DIRECTORY/NAME */
};

struct config_choice {
	const char *name;
	int value;
};

/* A type that only one program knows. */
struct config_other {
	/* 0, or -EINVAL with a sentence that names the value. */
	int (*parse)(void *member, const char *text, struct err *err);
	void (*format)(const void *member, char out[CONFIG_VALUE_SIZE]);
	bool secret; /* not for eyes */
};

struct config_setting {
	const char *section; /* the schema's repeated one: of each group */
	const char *key;
	enum config_type type;
	/* of the member in the program's struct, or in a group's */
	size_t offset, width;
	int64_t unit; /* us per stored unit of a duration */
	int64_t min, max;
	const char *standard; /* the default, as it would be written */
	const struct config_choice *choices; /* ends with a NULL name */
	const struct config_other *other;
	enum config_base base;
	bool reload; /* in force with a reload, not only after a restart */
	const char *help;
};

/* Sections in the order of the file, with what they are about. */
struct config_section {
	const char *name;
	const char *help;
	/* of a repeated one: its example's name, and what follows it */
	const char *sample_name, *sample_tail;
	void (*manual_tail)(FILE *out);
};

struct config_schema {
	const struct config_setting *table;
	size_t table_count;
	const struct config_section *sections;
	size_t section_count;
	const char *repeated; /* [SECTION NAME], any number; NULL: none is */
	size_t group_size;    /* of the struct behind each */
	unsigned groups_max;
	const char *program; /* whose -t lists all errors */
	const char *sample_head, *manual_head, *manual_tail;
	/* Of the state and the run directory, in the program's struct. */
	size_t base_offset[CONFIG_BASE_FILE];
};

struct config_origin {
	const char *file; /* NULL: nowhere, the default stands */
	unsigned line;
};

/* One section of those that are repeated. */
struct config_group {
	const char *name;
	const char *title; /* "listener NAME" */
	void *object;
	struct config_origin origin;
	struct config_origin *origins; /* by row of the table */
};

struct config_text;

/* A file that was read: owns every string in the program's struct. */
struct config_file {
	const struct config_schema *schema;
	void *object;	  /* the program's struct */
	void *groups_at;  /* its array of groups_max groups; NULL */
	const char *path; /* of the main file */
	struct config_text *texts;
	struct config_origin *origins; /* by row of the table */
	unsigned group_count;
	struct config_group groups[CONFIG_GROUPS_MAX];
};

/* Where errors go: all of them to out, the first also to err. */
struct config_problems {
	FILE *out;
	struct err *err;
	unsigned count;
};
void config_problem(struct config_problems *problems,
    const struct config_origin *origin, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- config_file.c ---- */

/* Everything at its default. object and groups_at are the caller's, zeroed, and
 * outlive it. 0 or -ENOMEM; close it in either case. */
int config_file_open(struct config_file *file,
    const struct config_schema *schema, const char *path, void *object,
    void *groups_at);
/* Wipes and frees what it owns. Accepts a zeroed one. */
void config_file_close(struct config_file *file);
/* path, then conf.d beside it if there is one, then paths made whole. What is
 * wrong goes to problems; -errno only when path cannot be read at all. */
int config_file_read(struct config_file *file, struct config_problems *problems,
    bool with_conf_d);
/* A copy that lives as long as the file; NULL: no memory. */
const char *config_keep(struct config_file *file, const char *text);
/* A further section of the repeated kind. -ENOSPC: too many, -ENOMEM. */
int config_add_group(struct config_file *file, const char *name,
    const struct config_origin *origin, struct config_group **ret);
/* Where the member at offset was set; the section or the file when nowhere.
 * group NULL: of the program's struct. */
struct config_origin config_origin(const struct config_file *file,
    const struct config_group *group, size_t offset);
/* One sentence for err of what problems counted. Returns result. */
int config_summary(const struct config_schema *schema,
    const struct config_problems *problems, int result, struct err *err);

static inline bool
config_is_repeated(const struct config_schema *schema, const char *section)
{
	return schema->repeated && !__builtin_strcmp(section, schema->repeated);
}

/* ---- read.c ---- */

/* One file's lines. -errno only when it cannot be read at all. */
int config_read_lines(struct config_file *file, const char *path,
    struct config_problems *problems);

/* ---- value.c ---- */

/* object: the program's struct or a group's, after the row. 0, or -EINVAL /
 * -ENOMEM with a sentence that names the value. */
int config_value_parse(struct config_file *file,
    const struct config_setting *setting, void *object, const char *text,
    struct err *err);
/* As it would be written in the file. out is returned. */
char *config_value_format(const struct config_setting *setting,
    const void *object, char out[CONFIG_VALUE_SIZE]);
/* The same fit for eyes: no key, no password. */
char *config_value_show(const struct config_setting *setting,
    const void *object, char out[CONFIG_VALUE_SIZE]);
/* The path that a relative one stands for; "" stays "". -ENOENT: a credential
 * was named and the service has none; -ENAMETOOLONG. */
int config_path_resolve(const struct config_file *file, enum config_base base,
    const char *path, char out[CONFIG_VALUE_SIZE]);

/* ---- print.c ---- */

/* The effective configuration in the file's own form; a comment before each
 * value that is not the default says where it was set. Secrets are not shown. */
void config_file_print(const struct config_file *file, FILE *out);
/* The same as JSON members of an open object, an object per section. */
void config_file_show(const struct config_file *file, struct json *json);

/* One setting that differs. key NULL: the group itself came or went. */
struct config_change {
	const char *section; /* "journal", "listener dc09-tcp" */
	const char *key;
	const char *old_value, *new_value; /* borrowed for the call */
	bool restart; /* in force only after one; false: with the reload */
};
typedef void (*config_change_fn)(void *context,
    const struct config_change *change);
void config_file_compare(const struct config_file *old,
    const struct config_file *fresh, config_change_fn fn, void *context);
/* A log line per change, with what it takes to be in force. */
void config_file_log_changes(const struct config_file *old,
    const struct config_file *fresh);

/* What ships, from the table: a file with every key, and its manual page. */
void config_write_sample(const struct config_schema *schema, FILE *out);
void config_write_manual(const struct config_schema *schema, FILE *out);

#endif
