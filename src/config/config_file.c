#include "config/config_file.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

struct config_text {
	struct config_text *next;
	char text[];
};

/* ---- life ------------------------------------------------------------------------- */

const char *
config_keep(struct config_file *file, const char *text)
{
	size_t size = strlen(text) + 1;
	struct config_text *kept = malloc(sizeof(*kept) + size);

	if (!kept)
		return NULL;
	memcpy(kept->text, text, size);
	kept->next = file->texts;
	file->texts = kept;
	return kept->text;
}

/* The defaults of the program's struct (repeated false) or of one group. */
static int
set_defaults(struct config_file *file, void *object, bool repeated)
{
	const struct config_schema *schema = file->schema;
	struct err err;

	for (size_t i = 0; i < schema->table_count; i++) {
		const struct config_setting *setting = &schema->table[i];

		if (config_is_repeated(schema, setting->section) == repeated &&
		    config_value_parse(file, setting, object, setting->standard,
			&err) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

int
config_file_open(struct config_file *file, const struct config_schema *schema,
    const char *path, void *object, void *groups_at)
{
	*file = (struct config_file){
		.schema = schema, .object = object, .groups_at = groups_at
	};
	file->path = config_keep(file, path);
	file->origins = calloc(schema->table_count, sizeof(*file->origins));
	if (!file->path || !file->origins)
		return -ENOMEM;
	return set_defaults(file, object, false);
}

void
config_file_close(struct config_file *file)
{
	struct config_text *next;

	for (unsigned i = 0; i < file->group_count; i++)
		free(file->groups[i].origins);
	for (struct config_text *t = file->texts; t; t = next) {
		next = t->next;
		explicit_bzero(t->text, strlen(t->text));
		free(t);
	}
	free(file->origins);
	explicit_bzero(file, sizeof(*file));
}

int
config_add_group(struct config_file *file, const char *name,
    const struct config_origin *origin, struct config_group **ret)
{
	const struct config_schema *schema = file->schema;
	struct config_group *group = &file->groups[file->group_count];
	char title[128];

	if (file->group_count == schema->groups_max ||
	    file->group_count == CONFIG_GROUPS_MAX)
		return -ENOSPC;
	snprintf(title, sizeof(title), "%.60s %.60s", schema->repeated, name);
	group->title = config_keep(file, title);
	group->name = config_keep(file, name);
	group->object =
	    (char *)file->groups_at + file->group_count * schema->group_size;
	group->origin = *origin;
	group->origins = calloc(schema->table_count, sizeof(*group->origins));
	file->group_count++;
	if (!group->title || !group->name || !group->origins ||
	    set_defaults(file, group->object, true) < 0) {
		free(group->origins);
		memset(group, 0, sizeof(*group));
		file->group_count--;
		return -ENOMEM;
	}
	*ret = group;
	return 0;
}

struct config_origin
config_origin(const struct config_file *file, const struct config_group *group,
    size_t offset)
{
	const struct config_schema *schema = file->schema;
	const struct config_origin *origins =
	    group ? group->origins : file->origins;

	for (size_t i = 0; i < schema->table_count; i++)
		if (config_is_repeated(schema, schema->table[i].section) ==
			(group != NULL) &&
		    schema->table[i].offset == offset && origins[i].file)
			return origins[i];
	return group ? group->origin : (struct config_origin){ file->path, 0 };
}

int
config_summary(const struct config_schema *schema,
    const struct config_problems *problems, int result, struct err *err)
{
	if (problems->count > 1)
		return err_set(err, result,
		    "%.400s (and %u more: %s -t lists them)",
		    problems->err->text, problems->count - 1, schema->program);
	return err_set(err, result, "%s", problems->err->text);
}

/* ---- paths -------------------------------------------------------------------------- */

static void
resolve_path(struct config_file *file, const struct config_setting *setting,
    void *object, const struct config_origin *origin,
    struct config_problems *problems)
{
	char path[CONFIG_VALUE_SIZE];
	const char *given, *kept;
	int result;

	memcpy(&given, (char *)object + setting->offset, sizeof(given));
	result = config_path_resolve(file, setting->base, given, path);
	if (result == 0 && strlen(path) > (size_t)setting->max)
		result = -ENAMETOOLONG;
	if (result < 0) {
		config_problem(problems, origin,
		    result == -ENOENT
			? "%s: '%s' names a credential, but the service manager passed none"
			: "%s: '%s' becomes too long a path",
		    setting->key, given);
		return;
	}
	kept = config_keep(file, path);
	if (kept)
		memcpy((char *)object + setting->offset, &kept, sizeof(kept));
}

static void
resolve_paths(struct config_file *file, struct config_problems *problems)
{
	const struct config_schema *schema = file->schema;

	for (size_t i = 0; i < schema->table_count; i++) {
		const struct config_setting *setting = &schema->table[i];
		bool repeated = config_is_repeated(schema, setting->section);
		struct config_origin origin;

		if (setting->type != CONFIG_PATH)
			continue;
		if (!repeated) {
			origin = config_origin(file, NULL, setting->offset);
			resolve_path(file, setting, file->object, &origin,
			    problems);
		}
		for (unsigned g = 0; g < file->group_count && repeated; g++) {
			origin = config_origin(file, &file->groups[g],
			    setting->offset);
			resolve_path(file, setting, file->groups[g].object,
			    &origin, problems);
		}
	}
}

/* ---- reading -------------------------------------------------------------------------- */

static void
read_conf_d(struct config_file *file, struct config_problems *problems)
{
	char pattern[CONFIG_VALUE_SIZE];
	struct config_origin origin = { NULL, 0 };
	glob_t found;
	int result;

	if (config_path_resolve(file, CONFIG_BASE_FILE, "conf.d/*.ini",
		pattern) < 0 ||
	    glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		result = config_read_lines(file, found.gl_pathv[i], problems);
		origin.file = found.gl_pathv[i];
		if (result < 0)
			config_problem(problems, &origin, "cannot be read: %s",
			    strerror(-result));
	}
	globfree(&found);
}

int
config_file_read(struct config_file *file, struct config_problems *problems,
    bool with_conf_d)
{
	struct config_origin origin = { file->path, 0 };
	int result = config_read_lines(file, file->path, problems);

	if (result < 0) {
		config_problem(problems, &origin, "cannot be read: %s",
		    strerror(-result));
		return result;
	}
	if (with_conf_d)
		read_conf_d(file, problems);
	resolve_paths(file, problems);
	return 0;
}
