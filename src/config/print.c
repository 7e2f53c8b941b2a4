/* The configuration as people read it: effective, changed, explained. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config_file.h"

/* The default as it stands in this configuration: paths made whole. */
static char *
standard_value(const struct config_file *file,
    const struct config_setting *setting, char out[CONFIG_VALUE_SIZE])
{
	if (setting->type != CONFIG_PATH ||
	    config_path_resolve(file, setting->base, setting->standard, out) <
		0)
		snprintf(out, CONFIG_VALUE_SIZE, "%s", setting->standard);
	return out;
}

/* ---- -T --------------------------------------------------------------------------------- */

static void
print_setting(const struct config_file *file,
    const struct config_setting *setting, const void *object,
    const struct config_origin *origin, FILE *out)
{
	char value[CONFIG_VALUE_SIZE], standard[CONFIG_VALUE_SIZE];

	config_value_format(setting, object, value);
	standard_value(file, setting, standard);
	if (origin->file && strcmp(value, standard) != 0)
		fprintf(out, "; %s:%u, default %s\n", origin->file,
		    origin->line, *standard ? standard : "none");
	config_value_show(setting, object, value);
	if (*value == '(')
		fprintf(out, "; %s %s\n", setting->key, value);
	else
		fprintf(out, "%s = %s\n", setting->key, value);
	explicit_bzero(value, sizeof(value));
}

static void
print_rows(const struct config_file *file, const char *section,
    const char *title, const void *object, const struct config_origin *origins,
    FILE *out)
{
	const struct config_schema *schema = file->schema;

	fprintf(out, "\n[%s]\n", title);
	for (size_t i = 0; i < schema->table_count; i++)
		if (strcmp(schema->table[i].section, section) == 0)
			print_setting(file, &schema->table[i], object,
			    &origins[i], out);
}

void
config_file_print(const struct config_file *file, FILE *out)
{
	const struct config_schema *schema = file->schema;

	fprintf(out, "; %s, effective\n", file->path);
	for (size_t i = 0; i < schema->section_count; i++) {
		const char *section = schema->sections[i].name;

		if (!config_is_repeated(schema, section))
			print_rows(file, section, section, file->object,
			    file->origins, out);
		else
			for (unsigned g = 0; g < file->group_count; g++)
				print_rows(file, section, file->groups[g].title,
				    file->groups[g].object,
				    file->groups[g].origins, out);
	}
}

/* ---- config show ---------------------------------------------------------------------------- */

static void
show_rows(const struct config_schema *schema, const char *section,
    const char *title, const void *object, struct json *json)
{
	char value[CONFIG_VALUE_SIZE];

	json_object_begin(json, title);
	for (size_t i = 0; i < schema->table_count; i++)
		if (strcmp(schema->table[i].section, section) == 0)
			json_string(json, schema->table[i].key,
			    config_value_show(&schema->table[i], object,
				value));
	json_object_end(json);
}

void
config_file_show(const struct config_file *file, struct json *json)
{
	const struct config_schema *schema = file->schema;

	for (size_t i = 0; i < schema->section_count; i++) {
		const char *section = schema->sections[i].name;

		if (!config_is_repeated(schema, section))
			show_rows(schema, section, section, file->object, json);
		else
			for (unsigned g = 0; g < file->group_count; g++)
				show_rows(schema, section,
				    file->groups[g].title,
				    file->groups[g].object, json);
	}
}

/* ---- differences ------------------------------------------------------------------------------ */

/* Whom to tell of each. */
struct comparison {
	const struct config_schema *schema;
	config_change_fn fn;
	void *context;
};

static void
compare_rows(const struct comparison *comparison, const char *section,
    const char *title, const void *old, const void *fresh)
{
	const struct config_schema *schema = comparison->schema;
	char before[CONFIG_VALUE_SIZE], after[CONFIG_VALUE_SIZE];

	for (size_t i = 0; i < schema->table_count; i++) {
		const struct config_setting *setting = &schema->table[i];
		bool same;

		if (strcmp(setting->section, section) != 0)
			continue;
		config_value_format(setting, old, before);
		config_value_format(setting, fresh, after);
		same = strcmp(before, after) == 0;
		config_value_show(setting, old, before);
		config_value_show(setting, fresh, after);
		if (!same)
			comparison->fn(comparison->context,
			    &(struct config_change){ title, setting->key,
				before, after, !setting->reload });
	}
	explicit_bzero(before, sizeof(before));
	explicit_bzero(after, sizeof(after));
}

static const struct config_group *
same_group(const struct config_file *file, const char *title)
{
	for (unsigned i = 0; i < file->group_count; i++)
		if (strcmp(file->groups[i].title, title) == 0)
			return &file->groups[i];
	return NULL;
}

static void
compare_groups(const struct comparison *comparison,
    const struct config_file *old, const struct config_file *fresh)
{
	for (unsigned i = 0; i < old->group_count; i++) {
		const struct config_group *group = &old->groups[i];
		const struct config_group *now =
		    same_group(fresh, group->title);

		if (now)
			compare_rows(comparison, old->schema->repeated,
			    group->title, group->object, now->object);
		else
			comparison->fn(comparison->context,
			    &(struct config_change){
				group->title, NULL, "there", "gone", false });
	}
	for (unsigned i = 0; i < fresh->group_count; i++) {
		const char *title = fresh->groups[i].title;

		if (!same_group(old, title))
			comparison->fn(comparison->context,
			    &(struct config_change){
				title, NULL, "", "new", false });
	}
}

void
config_file_compare(const struct config_file *old,
    const struct config_file *fresh, config_change_fn fn, void *context)
{
	const struct config_schema *schema = old->schema;
	const struct comparison comparison = { schema, fn, context };

	for (size_t i = 0; i < schema->section_count; i++) {
		const char *section = schema->sections[i].name;

		if (config_is_repeated(schema, section))
			compare_groups(&comparison, old, fresh);
		else
			compare_rows(&comparison, section, section, old->object,
			    fresh->object);
	}
}

static void
log_change(void *context, const struct config_change *change)
{
	(void)context;
	log_write(change->restart ? LOG_WARN : LOG_NOTICE, "config", "changed",
	    "setting=\"[%s]%s%s\" old=\"%.200s\" new=\"%.200s\" in_force=%s",
	    change->section, change->key ? " " : "",
	    change->key ? change->key : "", change->old_value,
	    change->new_value, change->restart ? "after_restart" : "now");
}

void
config_file_log_changes(const struct config_file *old,
    const struct config_file *fresh)
{
	config_file_compare(old, fresh, log_change, NULL);
}

/* ---- what ships: a sample ----------------------------------------------------------------- */

static void
write_comment(const char *text, FILE *out)
{
	for (size_t length; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		fprintf(out, "# %.*s\n", (int)length, text);
	}
}

static void
write_sample_rows(const struct config_schema *schema, const char *section,
    FILE *out)
{
	for (size_t i = 0; i < schema->table_count; i++) {
		const struct config_setting *setting = &schema->table[i];

		if (strcmp(setting->section, section) != 0)
			continue;
		fputc('\n', out);
		write_comment(setting->help, out);
		fprintf(out, ";%s =%s%s\n", setting->key,
		    *setting->standard ? " " : "", setting->standard);
	}
}

void
config_write_sample(const struct config_schema *schema, FILE *out)
{
	write_comment(schema->sample_head, out);
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct config_section *section = &schema->sections[i];

		fprintf(out, "\n\n[%s%s%s]\n", section->name,
		    section->sample_name ? " " : "",
		    section->sample_name ? section->sample_name : "");
		write_comment(section->help, out);
		write_sample_rows(schema, section->name, out);
		if (section->sample_tail)
			fputs(section->sample_tail, out);
	}
}

/* ---- what ships: a manual page ------------------------------------------------------------------- */

/* mdoc wants each sentence on a line of its own. */
static void
write_manual_text(const char *text, FILE *out)
{
	for (; *text; text++)
		fputc(text[0] == ' ' && text[-1] == '.' ? '\n' : *text, out);
	fputc('\n', out);
}

static void
write_manual_setting(const struct config_setting *setting, FILE *out)
{
	fprintf(out, ".It Ic %s\n", setting->key);
	write_manual_text(setting->help, out);
	if (setting->choices) {
		fputs("One of", out);
		for (const struct config_choice *c = setting->choices; c->name;
		     c++)
			fprintf(out, "%s\n.Ql %s",
			    c == setting->choices ? "" : " ,", c->name);
		fputs(" .\n", out);
	}
	if (*setting->standard)
		fprintf(out, "Default:\n.Ql %s%s\n", setting->standard,
		    setting->reload ? " ;\n.Em reload ." : " .");
	else
		fprintf(out, "Default: empty%s\n",
		    setting->reload ? ";\n.Em reload ." : ".");
}

void
config_write_manual(const struct config_schema *schema, FILE *out)
{
	fputs(schema->manual_head, out);
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct config_section *section = &schema->sections[i];

		fprintf(out, ".Ss Section %s%s\n", section->name,
		    config_is_repeated(schema, section->name) ? " NAME" : "");
		write_manual_text(section->help, out);
		fputs(".Bl -tag -width Ds\n", out);
		for (size_t s = 0; s < schema->table_count; s++)
			if (strcmp(schema->table[s].section, section->name) ==
			    0)
				write_manual_setting(&schema->table[s], out);
		fputs(".El\n", out);
		if (section->manual_tail)
			section->manual_tail(out);
	}
	fputs(schema->manual_tail, out);
}
