/* The configuration as people read it: effective, changed, explained. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "daemon/config_table.h"

/* The default as it stands in this configuration: paths made whole. */
static char *
standard_value(const struct config *config,
    const struct config_setting *setting, char out[CONFIG_VALUE_SIZE])
{
	if (setting->type != CONFIG_PATH ||
	    config_path_resolve(config, setting->base, setting->standard, out) <
		0)
		snprintf(out, CONFIG_VALUE_SIZE, "%s", setting->standard);
	return out;
}

/* ---- -T --------------------------------------------------------------------------------- */

static void
print_setting(const struct config *config, const struct config_setting *setting,
    const void *object, const struct config_origin *origin, FILE *out)
{
	char value[CONFIG_VALUE_SIZE], standard[CONFIG_VALUE_SIZE];

	config_value_format(setting, object, value);
	standard_value(config, setting, standard);
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
print_rows(const struct config *config, const char *section, const char *title,
    const void *object, const struct config_origin *origins, FILE *out)
{
	fprintf(out, "\n[%s]\n", title);
	for (size_t i = 0; i < config_table_count; i++)
		if (strcmp(config_table[i].section, section) == 0)
			print_setting(config, &config_table[i], object,
			    &origins[i], out);
}

void
config_print(const struct config *config, FILE *out)
{
	const struct config_owned *owned = config->owned;

	fprintf(out, "; %s, effective\n", owned->path);
	for (size_t i = 0; i < config_section_count; i++) {
		const char *section = config_sections[i].name;

		if (strcmp(section, CONFIG_SECTION_LISTENER) != 0) {
			print_rows(config, section, section, config,
			    owned->origins, out);
			continue;
		}
		for (unsigned l = 0; l < owned->listener_count; l++)
			print_rows(config, section, owned->listeners[l].title,
			    &owned->listeners[l], owned->listeners[l].origins,
			    out);
	}
}

/* ---- config show ---------------------------------------------------------------------------- */

static void
show_rows(const char *section, const char *title, const void *object,
    struct json *json)
{
	char value[CONFIG_VALUE_SIZE];

	json_object_begin(json, title);
	for (size_t i = 0; i < config_table_count; i++)
		if (strcmp(config_table[i].section, section) == 0)
			json_string(json, config_table[i].key,
			    config_value_show(&config_table[i], object, value));
	json_object_end(json);
}

void
config_show(const struct config *config, struct json *json)
{
	const struct config_owned *owned = config->owned;

	for (size_t i = 0; i < config_section_count; i++) {
		const char *section = config_sections[i].name;

		if (strcmp(section, CONFIG_SECTION_LISTENER) != 0) {
			show_rows(section, section, config, json);
			continue;
		}
		for (unsigned l = 0; l < owned->listener_count; l++)
			show_rows(section, owned->listeners[l].title,
			    &owned->listeners[l], json);
	}
}

/* ---- differences ------------------------------------------------------------------------------ */

static void
compare_rows(const char *section, const char *title, const void *old,
    const void *fresh, config_change_fn fn, void *context)
{
	char before[CONFIG_VALUE_SIZE], after[CONFIG_VALUE_SIZE];

	for (size_t i = 0; i < config_table_count; i++) {
		const struct config_setting *setting = &config_table[i];
		bool same;

		if (strcmp(setting->section, section) != 0)
			continue;
		config_value_format(setting, old, before);
		config_value_format(setting, fresh, after);
		same = strcmp(before, after) == 0;
		config_value_show(setting, old, before);
		config_value_show(setting, fresh, after);
		if (!same)
			fn(context,
			    &(struct config_change){ title, setting->key,
				before, after, !setting->reload });
	}
	explicit_bzero(before, sizeof(before));
	explicit_bzero(after, sizeof(after));
}

static const struct config_listener *
same_listener(const struct config *config, const char *title)
{
	for (unsigned i = 0; i < config->owned->listener_count; i++)
		if (strcmp(config->owned->listeners[i].title, title) == 0)
			return &config->owned->listeners[i];
	return NULL;
}

static void
compare_listeners(const struct config *old, const struct config *fresh,
    config_change_fn fn, void *context)
{
	for (unsigned i = 0; i < old->owned->listener_count; i++) {
		const struct config_listener *listener =
		    &old->owned->listeners[i];
		const struct config_listener *now =
		    same_listener(fresh, listener->title);

		if (now)
			compare_rows(CONFIG_SECTION_LISTENER, listener->title,
			    listener, now, fn, context);
		else
			fn(context,
			    &(struct config_change){ listener->title, NULL,
				"there", "gone", false });
	}
	for (unsigned i = 0; i < fresh->owned->listener_count; i++) {
		const char *title = fresh->owned->listeners[i].title;

		if (!same_listener(old, title))
			fn(context,
			    &(struct config_change){
				title, NULL, "", "new", false });
	}
}

void
config_compare(const struct config *old, const struct config *fresh,
    config_change_fn fn, void *context)
{
	for (size_t i = 0; i < config_section_count; i++) {
		const char *section = config_sections[i].name;

		if (strcmp(section, CONFIG_SECTION_LISTENER) == 0)
			compare_listeners(old, fresh, fn, context);
		else
			compare_rows(section, section, old, fresh, fn, context);
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
config_log_changes(const struct config *old, const struct config *fresh)
{
	config_compare(old, fresh, log_change, NULL);
}

/* ---- what ships: etc/tocsin.ini ----------------------------------------------------------------- */

static void
write_comment(const char *text, FILE *out)
{
	for (size_t length; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		fprintf(out, "# %.*s\n", (int)length, text);
	}
}

static void
write_sample_rows(const char *section, FILE *out)
{
	for (size_t i = 0; i < config_table_count; i++) {
		const struct config_setting *setting = &config_table[i];

		if (strcmp(setting->section, section) != 0)
			continue;
		fputc('\n', out);
		write_comment(setting->help, out);
		fprintf(out, ";%s =%s%s\n", setting->key,
		    *setting->standard ? " " : "", setting->standard);
	}
}

void
config_write_sample(FILE *out)
{
	fputs(
	    "# Tocsin's configuration. Every key stands here with its default,\n"
	    "# behind a semicolon: take that away to change it. tocsin.ini(5)\n"
	    "# explains the form; `tocsind -t` checks, `tocsind -T` shows what is\n"
	    "# in force. Files conf.d/*.ini beside this one are read after it.\n",
	    out);
	for (size_t i = 0; i < config_section_count; i++) {
		const struct config_section *section = &config_sections[i];
		bool listener =
		    strcmp(section->name, CONFIG_SECTION_LISTENER) == 0;

		fprintf(out, "\n\n[%s%s]\n", section->name,
		    listener ? " dc09-tcp" : "");
		write_comment(section->help, out);
		write_sample_rows(section->name, out);
		if (listener)
			fputs("\n\n[listener dc09-udp]\ntransport = udp\n",
			    out);
	}
}

/* ---- what ships: tocsin.ini(5) ------------------------------------------------------------------- */

static const char manual_head[] =
    ".\\\" Generated from src/daemon/config_table.c by make_settings.c.\n"
    ".Dd November 24, 2026\n"
    ".Dt TOCSIN.INI 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm tocsin.ini\n"
    ".Nd configuration of the alarm receiver tocsind\n"
    ".Sh DESCRIPTION\n"
    ".Xr tocsind 8\n"
    "reads\n"
    ".Pa /etc/tocsin/tocsin.ini ,\n"
    "then, in the order of their names, the files\n"
    ".Pa conf.d/*.ini\n"
    "beside it.\n"
    "A key may be set once in all of them together.\n"
    ".Pp\n"
    "A file has sections and, in them, lines of the form\n"
    ".Ql key = value .\n"
    "A line that begins with a semicolon or a number sign is a comment; there is\n"
    "no comment behind a value.\n"
    "A line has at most 8192 bytes and is never continued on the next one.\n"
    "Anything that is not understood is an error that names file and line;\n"
    ".Ql tocsind -t\n"
    "lists all of them.\n"
    ".Pp\n"
    "A unit is part of the value.\n"
    "Durations:\n"
    ".Ql us , ms , s , min , h , d .\n"
    "Sizes:\n"
    ".Ql B , KiB , MiB , GiB , TiB .\n"
    "Shares:\n"
    ".Ql % .\n"
    "Only 0 stands alone.\n"
    ".Pp\n"
    "On\n"
    ".Dv SIGHUP\n"
    "or\n"
    ".Ql tocsinctl reload\n"
    "the files are read again and taken as a whole or, with an error, not at\n"
    "all.\n"
    "Settings marked\n"
    ".Em reload\n"
    "are then in force; a change of any other is logged and waits for a restart.\n"
    ".Sh SETTINGS\n";

static const char manual_tail[] =
    ".Sh FILES\n"
    ".Bl -tag -width Ds -compact\n"
    ".It Pa /etc/tocsin/tocsin.ini\n"
    "the configuration; it may hold keys and belongs to root:tocsin, mode 0640\n"
    ".It Pa /etc/tocsin/conf.d/*.ini\n"
    "more of it\n"
    ".El\n"
    ".Sh EXAMPLES\n"
    "A second port where encrypted panels with slow clocks are received:\n"
    ".Bd -literal -offset indent\n"
    "[listener slow-clocks]\n"
    "port = 12001\n"
    "key_file = keys/slow-clocks\n"
    "time_window_past = 10min\n"
    "tolerate = default, account_zeros\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr tocsinctl 1 ,\n"
    ".Xr tocsind 8\n";

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

static void
write_tolerances(bool standard, FILE *out)
{
	const char *name;
	unsigned bit = 0, count = 0;

	fputs(standard ? "Quirks in the default set:"
		       : "Quirks to be named beside it:",
	    out);
	for (unsigned i = 0; (name = dc09_tolerance_name(i, &bit)); i++)
		if (((bit & dc09_tolerance_default) != 0) == standard)
			fprintf(out, "%s\n.Ql %s", count++ ? " ," : "", name);
	fputs(" .\n", out);
}

void
config_write_manual(FILE *out)
{
	fputs(manual_head, out);
	for (size_t i = 0; i < config_section_count; i++) {
		const struct config_section *section = &config_sections[i];
		bool listener =
		    strcmp(section->name, CONFIG_SECTION_LISTENER) == 0;

		fprintf(out, ".Ss Section %s%s\n", section->name,
		    listener ? " NAME" : "");
		write_manual_text(section->help, out);
		fputs(".Bl -tag -width Ds\n", out);
		for (size_t s = 0; s < config_table_count; s++)
			if (strcmp(config_table[s].section, section->name) == 0)
				write_manual_setting(&config_table[s], out);
		fputs(".El\n", out);
		if (listener) {
			write_tolerances(true, out);
			write_tolerances(false, out);
		}
	}
	fputs(manual_tail, out);
}
