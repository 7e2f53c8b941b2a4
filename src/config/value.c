#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"
#include "base/unit.h"
#include "config/config_file.h"

/* ---- members of any width ------------------------------------------------------ */

static void
member_set(const struct config_setting *setting, void *object, uint64_t value)
{
	char *at = (char *)object + setting->offset;

	switch (setting->width) {
	case 1:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		memcpy(at, &(uint16_t){ (uint16_t)value }, 2);
		break;
	case 4:
		memcpy(at, &(uint32_t){ (uint32_t)value }, 4);
		break;
	default:
		memcpy(at, &value, 8);
	}
}

static uint64_t
member_get(const struct config_setting *setting, const void *object)
{
	const char *at = (const char *)object + setting->offset;
	uint64_t wide = 0;
	uint32_t half = 0;
	uint16_t quarter = 0;

	switch (setting->width) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		memcpy(&quarter, at, 2);
		return quarter;
	case 4:
		memcpy(&half, at, 4);
		return half;
	default:
		memcpy(&wide, at, 8);
		return wide;
	}
}

static const char *
member_string(const struct config_setting *setting, const void *object)
{
	const char *string = NULL;

	memcpy(&string, (const char *)object + setting->offset, sizeof(string));
	return string ? string : "";
}

static double
member_double(const struct config_setting *setting, const void *object)
{
	double value = 0;

	memcpy(&value, (const char *)object + setting->offset, sizeof(value));
	return value;
}

/* ---- text to value ----------------------------------------------------------------- */

/* A limit in the unit that people write it in. */
static const char *
limit_text(enum config_type type, int64_t value, char out[UNIT_TEXT_SIZE])
{
	if (type == CONFIG_DURATION)
		return unit_format_duration(value, out);
	if (type == CONFIG_SIZE)
		return unit_format_size((uint64_t)value, out);
	snprintf(out, UNIT_TEXT_SIZE, "%" PRId64 "%s", value,
	    type == CONFIG_PERCENT ? "%" : "");
	return out;
}

static int
check_range(const struct config_setting *setting, uint64_t value,
    const char *text, struct err *err)
{
	char min[UNIT_TEXT_SIZE], max[UNIT_TEXT_SIZE];

	if (value >= (uint64_t)setting->min && value <= (uint64_t)setting->max)
		return 0;
	return err_set(err, -EINVAL, "'%s' is not between %s and %s", text,
	    limit_text(setting->type, setting->min, min),
	    limit_text(setting->type, setting->max, max));
}

static int
parse_string(struct config_file *file, const struct config_setting *setting,
    void *object, const char *text, struct err *err)
{
	size_t length = strlen(text);
	const char *kept;

	if (length < (size_t)setting->min)
		return err_set(err, -EINVAL, "may not be empty");
	if (length > (size_t)setting->max)
		return err_set(err, -EINVAL,
		    "is %zu characters long, at most %" PRId64 " are possible",
		    length, setting->max);
	if (!text_is_utf8(slice_from_string(text)))
		return err_set(err, -EINVAL, "is not UTF-8");
	kept = config_keep(file, text);
	if (!kept)
		return err_set(err, -ENOMEM, "no memory");
	memcpy((char *)object + setting->offset, &kept, sizeof(kept));
	return 0;
}

static int
parse_path(struct config_file *file, const struct config_setting *setting,
    void *object, const char *text, struct err *err)
{
	if (setting->base == CONFIG_BASE_NONE && *text && *text != '/')
		return err_set(err, -EINVAL,
		    "'%s' is not an absolute path (it begins with /)", text);
	return parse_string(file, setting, object, text, err);
}

static int
parse_duration(const struct config_setting *setting, void *object,
    const char *text, struct err *err)
{
	int64_t us = 0;
	int result = unit_parse_duration(text, &us);

	if (result < 0)
		return err_set(err, result,
		    "'%s' is not a duration: write a number and us, ms, s, min, h or d (30s)",
		    text);
	result = check_range(setting, (uint64_t)us, text, err);
	if (result < 0)
		return result;
	if (us % setting->unit != 0)
		return err_set(err, -EINVAL, "'%s' is not in whole seconds",
		    text);
	member_set(setting, object, (uint64_t)(us / setting->unit));
	return 0;
}

static int
parse_size(const struct config_setting *setting, void *object, const char *text,
    struct err *err)
{
	uint64_t bytes = 0;
	int result = unit_parse_size(text, &bytes);

	if (result < 0)
		return err_set(err, result,
		    "'%s' is not a size: write a number and B, KiB, MiB, GiB or TiB (64MiB)",
		    text);
	result = check_range(setting, bytes, text, err);
	if (result == 0)
		member_set(setting, object, bytes);
	return result;
}

static int
parse_integer(const struct config_setting *setting, void *object,
    const char *text, struct err *err)
{
	unsigned long value = 0;
	int result = slice_to_number(slice_from_string(text), 10, &value);

	if (result < 0)
		return err_set(err, result, "'%s' is not a whole number", text);
	result = check_range(setting, value, text, err);
	if (result == 0)
		member_set(setting, object, value);
	return result;
}

static int
parse_percent(const struct config_setting *setting, void *object,
    const char *text, struct err *err)
{
	size_t length = strlen(text);
	unsigned long value = 0;
	double share;
	int result = -EINVAL;

	if (length > 1 && text[length - 1] == '%')
		result =
		    slice_to_number(slice_of(text, length - 1), 10, &value);
	if (result < 0)
		return err_set(err, result,
		    "'%s' is not a share: write a whole number and %% (80%%)",
		    text);
	result = check_range(setting, value, text, err);
	if (result < 0)
		return result;
	share = (double)value / 100;
	memcpy((char *)object + setting->offset, &share, sizeof(share));
	return 0;
}

static int
parse_boolean(const struct config_setting *setting, void *object,
    const char *text, struct err *err)
{
	bool yes = strcmp(text, "yes") == 0;

	if (!yes && strcmp(text, "no") != 0)
		return err_set(err, -EINVAL, "'%s' is neither yes nor no",
		    text);
	member_set(setting, object, yes);
	return 0;
}

static int
parse_choice(const struct config_setting *setting, void *object,
    const char *text, struct err *err)
{
	char names[200] = "";
	size_t length = 0;

	for (const struct config_choice *c = setting->choices; c->name; c++) {
		if (strcmp(c->name, text) == 0) {
			member_set(setting, object, (uint64_t)c->value);
			return 0;
		}
		length +=
		    (size_t)snprintf(names + length, sizeof(names) - length,
			"%s%s", c == setting->choices ? "" : ", ", c->name);
	}
	return err_set(err, -EINVAL, "'%s' is not possible here, only %s", text,
	    names);
}

int
config_value_parse(struct config_file *file,
    const struct config_setting *setting, void *object, const char *text,
    struct err *err)
{
	switch (setting->type) {
	case CONFIG_STRING:
	case CONFIG_CONNINFO:
		return parse_string(file, setting, object, text, err);
	case CONFIG_PATH:
		return parse_path(file, setting, object, text, err);
	case CONFIG_DURATION:
		return parse_duration(setting, object, text, err);
	case CONFIG_SIZE:
		return parse_size(setting, object, text, err);
	case CONFIG_INTEGER:
		return parse_integer(setting, object, text, err);
	case CONFIG_PERCENT:
		return parse_percent(setting, object, text, err);
	case CONFIG_BOOLEAN:
		return parse_boolean(setting, object, text, err);
	case CONFIG_CHOICE:
		return parse_choice(setting, object, text, err);
	case CONFIG_OTHER:
		return setting->other->parse((char *)object + setting->offset,
		    text, err);
	}
	return -EINVAL;
}

/* ---- value to text ------------------------------------------------------------------- */

static void
format_choice(const struct config_setting *setting, const void *object,
    char *out)
{
	int value = (int)member_get(setting, object);

	for (const struct config_choice *c = setting->choices; c->name; c++)
		if (c->value == value)
			snprintf(out, CONFIG_VALUE_SIZE, "%s", c->name);
}

char *
config_value_format(const struct config_setting *setting, const void *object,
    char out[CONFIG_VALUE_SIZE])
{
	uint64_t number;

	out[0] = '\0';
	switch (setting->type) {
	case CONFIG_STRING:
	case CONFIG_CONNINFO:
	case CONFIG_PATH:
		snprintf(out, CONFIG_VALUE_SIZE, "%s",
		    member_string(setting, object));
		break;
	case CONFIG_DURATION:
		number = member_get(setting, object);
		unit_format_duration((int64_t)number * setting->unit, out);
		break;
	case CONFIG_SIZE:
		unit_format_size(member_get(setting, object), out);
		break;
	case CONFIG_INTEGER:
		snprintf(out, CONFIG_VALUE_SIZE, "%" PRIu64,
		    member_get(setting, object));
		break;
	case CONFIG_PERCENT:
		snprintf(out, CONFIG_VALUE_SIZE, "%.0f%%",
		    member_double(setting, object) * 100);
		break;
	case CONFIG_BOOLEAN:
		snprintf(out, CONFIG_VALUE_SIZE, "%s",
		    member_get(setting, object) ? "yes" : "no");
		break;
	case CONFIG_CHOICE:
		format_choice(setting, object, out);
		break;
	case CONFIG_OTHER:
		setting->other->format((const char *)object + setting->offset,
		    out);
		break;
	}
	return out;
}

/* libpq takes a password as key = value or inside a URI's user part. */
static bool
has_password(const char *conninfo)
{
	const char *authority = strstr(conninfo, "://");

	if (strcasestr(conninfo, "password"))
		return true;
	if (!authority)
		return false;
	authority += 3;
	return memchr(authority, '@', strcspn(authority, "/?")) != NULL;
}

char *
config_value_show(const struct config_setting *setting, const void *object,
    char out[CONFIG_VALUE_SIZE])
{
	config_value_format(setting, object, out);
	if (setting->type == CONFIG_OTHER && setting->other->secret && *out) {
		explicit_bzero(out, strlen(out));
		snprintf(out, CONFIG_VALUE_SIZE, "(set, not shown)");
	} else if (setting->type == CONFIG_CONNINFO && has_password(out)) {
		explicit_bzero(out, strlen(out));
		snprintf(out, CONFIG_VALUE_SIZE,
		    "(set, not shown: holds a password)");
	}
	return out;
}

/* ---- paths ------------------------------------------------------------------------------ */

static int
join(const char *directory, size_t length, const char *name,
    char out[CONFIG_VALUE_SIZE])
{
	int n = snprintf(out, CONFIG_VALUE_SIZE, "%.*s/%s", (int)length,
	    directory, name);

	return n < CONFIG_VALUE_SIZE ? 0 : -ENAMETOOLONG;
}

static int
join_file(const char *file, const char *name, char out[CONFIG_VALUE_SIZE])
{
	const char *slash = strrchr(file, '/');

	if (!slash)
		return join(".", 1, name, out);
	return join(file, (size_t)(slash - file), name, out);
}

int
config_path_resolve(const struct config_file *file, enum config_base base,
    const char *path, char out[CONFIG_VALUE_SIZE])
{
	static const char credential[] = "credential:";
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	size_t prefix = sizeof(credential) - 1;

	if (base == CONFIG_BASE_FILE && strncmp(path, credential, prefix) == 0)
		return directory
		    ? join(directory, strlen(directory), path + prefix, out)
		    : -ENOENT;
	if (*path == '\0' || *path == '/' || base == CONFIG_BASE_NONE)
		return slice_copy(slice_from_string(path), out,
		    CONFIG_VALUE_SIZE);
	if (base == CONFIG_BASE_FILE)
		return join_file(file->path, path, out);
	memcpy(&directory,
	    (const char *)file->object + file->schema->base_offset[base],
	    sizeof(directory));
	return join(directory, strlen(directory), path, out);
}
