/*
 * jansson and base/json.h both have a json_string, json_integer and json_null.
 * No file includes both, none that includes jansson calls those three, and the
 * program hides base's from the shared library (--exclude-libs).
 */
#include "ctl/table_objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/table.h"

static char *
value_text(const json_t *value)
{
	char number[64];

	switch (json_typeof(value)) {
	case JSON_STRING:
		return strdup(json_string_value(value));
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" PRId64,
		    (int64_t)json_integer_value(value));
		return strdup(number);
	case JSON_REAL:
		snprintf(number, sizeof(number), "%g", json_real_value(value));
		return strdup(number);
	case JSON_TRUE:
		return strdup("yes");
	case JSON_FALSE:
		return strdup("no");
	case JSON_NULL:
		return NULL;
	case JSON_OBJECT:
	case JSON_ARRAY:
		return json_dumps(value, JSON_COMPACT);
	}
	return NULL;
}

/* {"key": true, ...} of every key in the order of appearance */
static json_t *
all_keys(const json_t *array)
{
	json_t *keys = json_object();
	json_t *object, *value;
	const char *key;
	size_t index;

	json_array_foreach(array, index, object)
	{
		json_object_foreach(object, key, value)
		{
			if (!json_object_get(keys, key))
				json_object_set_new(keys, key, json_true());
		}
	}
	return keys;
}

void
table_print_objects(const json_t *array, bool single)
{
	json_t *keys = all_keys(array);
	struct table table;
	const char *key;
	json_t *unused;
	size_t column = 0;

	if (table_create(&table, json_object_size(keys),
		json_array_size(array))) {
		json_object_foreach(keys, key, unused)
		{
			table.names[column] = strdup(key);
			for (size_t row = 0; row < table.rows; row++) {
				json_t *value =
				    json_object_get(json_array_get(array, row),
					key);

				if (value)
					table.cells[row * table.columns +
					    column] = value_text(value);
			}
			column++;
		}
		table_print(&table, single);
	}
	table_close(&table);
	json_decref(keys);
}

void
table_print_line(json_t *object)
{
	const char *between = "";
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		char *text = value_text(value);

		if (text && *text) {
			printf("%s%s=%s", between, key, text);
			between = "  ";
		}
		free(text);
	}
	putchar('\n');
}
