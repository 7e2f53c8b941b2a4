#include "unit/codec/read_json.h"

#include <jansson.h>
#include <stdio.h>

bool
read_json(const char *text, size_t length, const char *member, char *out,
    size_t out_size)
{
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const char *value = json_string_value(json_object_get(object, member));
	bool valid = json_is_object(object);

	snprintf(out, out_size, "%s", value ? value : "");
	json_decref(object);
	return valid;
}
