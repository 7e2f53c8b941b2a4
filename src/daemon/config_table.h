/* What a setting is: a row of config_table. Only config_*.c look here. */
#ifndef DAEMON_CONFIG_TABLE_H
#define DAEMON_CONFIG_TABLE_H

#include <string.h>

#include "daemon/config.h"

#define CONFIG_VALUE_SIZE 8192 /* of any value as text, NUL included */

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
	CONFIG_TOLERATE, /* unsigned, enum dc09_tolerance bits */
	CONFIG_KEY,	 /* struct codec_key */
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

struct config_setting {
	const char *section; /* CONFIG_SECTION_LISTENER: one per listener */
	const char *key;
	enum config_type type;
	/* of the member in struct config, or in struct config_listener */
	size_t offset, width;
	int64_t unit; /* us per stored unit of a duration */
	int64_t min, max;
	const char *standard; /* the default, as it would be written */
	const struct config_choice *choices; /* ends with a NULL name */
	enum config_base base;
	bool reload; /* in force with a reload, not only after a restart */
	const char *help;
};

#define CONFIG_SECTION_LISTENER "listener"

extern const struct config_setting config_table[];
extern const size_t config_table_count;

/* Sections in the order of the file, with what they are about. */
struct config_section {
	const char *name;
	const char *help;
};
extern const struct config_section config_sections[];
extern const size_t config_section_count;

struct config_origin {
	const char *file; /* NULL: nowhere, the default stands */
	unsigned line;
};

struct config_listener {
	struct ingress_listener_config ingress;
	int ack_level;
	const char *key_file;
	const char *title; /* "listener NAME" */
	struct config_origin origin;
	struct config_origin *origins; /* by row of config_table */
};

struct config_text;

struct config_owned {
	const char *path; /* of the main file */
	struct config_text *texts;
	struct config_origin *origins; /* by row of config_table */
	unsigned listener_count;
	struct config_listener listeners[CONFIG_LISTENERS_MAX];
	struct ingress_listener_config ingress[CONFIG_LISTENERS_MAX];
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

/* Everything at its default. NULL: no memory. */
struct config *config_create(const char *path);
/* A copy that lives as long as the configuration; NULL: no memory. */
const char *config_keep(struct config *config, const char *text);
/* -ENOSPC: too many, -ENOMEM. */
int config_add_listener(struct config *config, const char *name,
    const struct config_origin *origin, struct config_listener **ret);

/* Read one file. What is wrong goes to problems; -errno only when the file
 * cannot be read at all. */
int config_read_file(struct config *config, const char *path,
    struct config_problems *problems);

/* object: struct config or struct config_listener, after the row. 0, or
 * -EINVAL / -ENOMEM with a sentence that names the value. */
int config_value_parse(struct config *config,
    const struct config_setting *setting, void *object, const char *text,
    struct err *err);
/* As it would be written in the file; a key as "hex:...". out is returned. */
char *config_value_format(const struct config_setting *setting,
    const void *object, char out[CONFIG_VALUE_SIZE]);
/* The same fit for eyes: no key, no password. */
char *config_value_show(const struct config_setting *setting,
    const void *object, char out[CONFIG_VALUE_SIZE]);
/* The path that a relative one stands for; "" stays "". -ENOENT: a credential
 * was named and the service has none; -ENAMETOOLONG. */
int config_path_resolve(const struct config *config, enum config_base base,
    const char *path, char out[CONFIG_VALUE_SIZE]);

static inline bool
config_is_listener(const struct config_setting *setting)
{
	return strcmp(setting->section, CONFIG_SECTION_LISTENER) == 0;
}

#endif
