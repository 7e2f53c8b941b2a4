#include "portal/values.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define LIMIT_STANDARD 50
#define TEXT_MAX       8192

static const char *const type_words[] = {
	[ROUTE_TEXT] = "a text",
	[ROUTE_FILE] = "a text",
	[ROUTE_INTEGER] = "a whole number",
	[ROUTE_NUMBER] = "a number",
	[ROUTE_BOOLEAN] = "true or false",
	[ROUTE_ARRAY] = "a list",
};

static bool
refuse(struct exchange *exchange, const struct route_parameter *parameter,
    const char *problem)
{
	exchange_problem(exchange, 422, parameter->name, "%s %s",
	    parameter->name, problem);
	return false;
}

static bool
refuse_type(struct exchange *exchange, const struct route_parameter *parameter)
{
	exchange_problem(exchange, 422, parameter->name, "%s has to be %s",
	    parameter->name, type_words[parameter->type]);
	return false;
}

bool
values_add(struct values *values, char *text)
{
	if (values->count == VALUES_MAX)
		return false;
	values->items[values->count++] = text;
	return true;
}

/* ---- from path and query ------------------------------------------------------------ */

static bool
text_fits(enum route_type type, struct slice text)
{
	size_t sign = text.length > 0 && text.data[0] == '-';

	switch (type) {
	case ROUTE_INTEGER:
		return text.length > sign && text.length <= 18 &&
		    strspn(text.data + sign, "0123456789") >=
		    text.length - sign;
	case ROUTE_BOOLEAN:
		return slice_is(text, "true") || slice_is(text, "false");
	case ROUTE_TEXT:
		return text.length <= TEXT_MAX && text_is_utf8(text);
	case ROUTE_FILE:
	case ROUTE_NUMBER:
	case ROUTE_ARRAY:
		break;
	}
	return false;
}

static bool
add_limit(struct exchange *exchange, const struct route_parameter *parameter,
    const char *given, struct values *values)
{
	unsigned long wanted = LIMIT_STANDARD;
	char *text;

	if (given &&
	    (slice_to_number(slice_from_string(given), 10, &wanted) < 0 ||
		wanted < 1 || wanted > VALUES_LIMIT_MAX))
		return refuse(exchange, parameter, "is 1 to 200");
	values->limit = (int)wanted;
	return asprintf(&text, "%d", values->limit + 1) > 0 &&
	    values_add(values, text);
}

static bool
add_text(struct exchange *exchange, const struct route_parameter *parameter,
    struct slice given, struct values *values)
{
	if (!slice_present(given) && parameter->required)
		return refuse(exchange, parameter, "is needed");
	if (slice_present(given) && !text_fits(parameter->type, given))
		return refuse_type(exchange, parameter);
	return values_add(values,
	    slice_present(given) ? strndup(given.data, given.length) : NULL);
}

/* ---- from the body -------------------------------------------------------------------- */

static bool
json_fits(enum route_type type, const json_t *given)
{
	switch (type) {
	case ROUTE_INTEGER:
		return json_is_integer(given);
	case ROUTE_NUMBER:
		return json_is_number(given);
	case ROUTE_BOOLEAN:
		return json_is_boolean(given);
	case ROUTE_TEXT:
		return json_is_string(given) &&
		    json_string_length(given) <= TEXT_MAX;
	case ROUTE_FILE:
		return json_is_string(given);
	case ROUTE_ARRAY:
		return json_is_array(given);
	}
	return false;
}

static char *
json_as_text(const json_t *given)
{
	return json_is_string(given)
	    ? strdup(json_string_value(given))
	    : json_dumps(given, JSON_ENCODE_ANY | JSON_COMPACT);
}

/* The field of the body; NULL in *ret: not there, or null. */
static bool
take_field(struct exchange *exchange, const struct route_parameter *parameter,
    const json_t *body, const json_t **ret)
{
	const json_t *given = json_object_get(body, parameter->name);

	*ret = json_is_null(given) ? NULL : given;
	if (!*ret && parameter->required)
		return refuse(exchange, parameter, "is needed");
	if (*ret && !json_fits(parameter->type, *ret))
		return refuse_type(exchange, parameter);
	return true;
}

static bool
in_body(const struct route *route, const char *name)
{
	for (const struct route_parameter *p = route->parameters; p->name; p++)
		if (p->where >= ROUTE_IN_BODY && strcmp(p->name, name) == 0)
			return true;
	return false;
}

static bool
check_fields_known(struct exchange *exchange, json_t *body)
{
	const char *name;
	json_t *field;

	json_object_foreach(body, name, field)
	{
		if (in_body(exchange->route, name))
			continue;
		exchange_problem(exchange, 422, name,
		    "there is no field \"%s\" here", name);
		return false;
	}
	return true;
}

/* An object, empty where the route takes no body or none was sent. */
static json_t *
read_body(struct exchange *exchange)
{
	json_error_t problem;
	json_t *body;

	if (exchange->body_length == 0)
		return json_object();
	body = json_loadb(exchange->body, exchange->body_length,
	    JSON_REJECT_DUPLICATES, &problem);
	if (json_is_object(body))
		return body;
	exchange_problem(exchange, 400, NULL, "the body is no JSON object%s%s",
	    body ? "" : ": ", body ? "" : problem.text);
	json_decref(body);
	return NULL;
}

/* ---- all of it ------------------------------------------------------------------------ */

static bool
add_value(struct exchange *exchange, const struct route_parameter *parameter,
    struct slice path_value, json_t *body, struct values *values)
{
	const json_t *field;
	const char *given;

	switch (parameter->where) {
	case ROUTE_IN_PATH:
		return add_text(exchange, parameter, path_value, values);
	case ROUTE_IN_QUERY:
		given = evhttp_find_header(&exchange->query, parameter->name);
		if (strcmp(parameter->name, "limit") == 0)
			return add_limit(exchange, parameter, given, values);
		return add_text(exchange, parameter, slice_from_string(given),
		    values);
	case ROUTE_IN_BODY:
		return take_field(exchange, parameter, body, &field) &&
		    values_add(values, field ? json_as_text(field) : NULL);
	case ROUTE_IN_CHANGE:
		return take_field(exchange, parameter, body, &field);
	}
	return false;
}

static bool
add_all(struct exchange *exchange, json_t *body, struct values *values)
{
	const struct route_parameter *p = exchange->route->parameters;
	const struct slice *path_value = exchange->path_values;
	bool change = false;

	for (; p->name; p++) {
		if (!add_value(exchange, p, *path_value, body, values))
			return false;
		path_value += p->where == ROUTE_IN_PATH;
		change = change || p->where == ROUTE_IN_CHANGE;
	}
	return !change || values_add(values, json_dumps(body, JSON_COMPACT));
}

bool
values_read(struct exchange *exchange, struct values *ret)
{
	json_t *body = read_body(exchange);
	bool good;

	memset(ret, 0, sizeof(*ret));
	if (!body)
		return false;
	good =
	    check_fields_known(exchange, body) && add_all(exchange, body, ret);
	json_decref(body);
	if (!good)
		values_close(ret);
	return good;
}

void
values_close(struct values *values)
{
	for (int i = 0; i < values->count; i++)
		free(values->items[i]);
	values->count = 0;
}

const char *
values_find(const struct values *values, const struct route *route,
    const char *name)
{
	for (int i = 0; i < values->count && route->parameters[i].name; i++)
		if (strcmp(route->parameters[i].name, name) == 0)
			return values->items[i];
	return NULL;
}
