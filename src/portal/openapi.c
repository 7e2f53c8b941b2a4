#include "portal/openapi.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "portal/route.h"

static const char *
type_name(enum route_type type)
{
	static const char *const names[] = {
		[ROUTE_TEXT] = "string",
		[ROUTE_FILE] = "string",
		[ROUTE_INTEGER] = "integer",
		[ROUTE_NUMBER] = "number",
		[ROUTE_BOOLEAN] = "boolean",
		[ROUTE_ARRAY] = "array",
	};

	return names[type];
}

static void
write_type(struct json *json, const struct route_parameter *parameter)
{
	if (parameter->required || parameter->where < ROUTE_IN_BODY) {
		json_string(json, "type", type_name(parameter->type));
	} else {
		json_array_begin(json, "type");
		json_string(json, NULL, type_name(parameter->type));
		json_string(json, NULL, "null");
		json_array_end(json);
	}
	if (parameter->type == ROUTE_ARRAY) {
		json_object_begin(json, "items");
		json_object_end(json);
	}
}

static void
write_parameters(struct json *json, const struct route *route)
{
	json_array_begin(json, "parameters");
	for (const struct route_parameter *p = route->parameters; p->name;
	     p++) {
		if (p->where >= ROUTE_IN_BODY)
			continue;
		json_object_begin(json, NULL);
		json_string(json, "name", p->name);
		json_string(json, "in",
		    p->where == ROUTE_IN_PATH ? "path" : "query");
		json_boolean(json, "required", p->required);
		json_string(json, "description", p->help);
		json_object_begin(json, "schema");
		write_type(json, p);
		json_object_end(json);
		json_object_end(json);
	}
	if (route->version_sql)
		json_raw(json, NULL,
		    "{\"$ref\":\"#/components/parameters/IfMatch\"}");
	if (route->preview)
		json_raw(json, NULL,
		    "{\"$ref\":\"#/components/parameters/Apply\"}");
	json_array_end(json);
}

static bool
has_body(const struct route *route)
{
	for (const struct route_parameter *p = route->parameters; p->name; p++)
		if (p->where >= ROUTE_IN_BODY)
			return true;
	return false;
}

static void
write_properties(struct json *json, const struct route *route)
{
	json_object_begin(json, "properties");
	for (const struct route_parameter *p = route->parameters; p->name;
	     p++) {
		if (p->where < ROUTE_IN_BODY)
			continue;
		json_object_begin(json, p->name);
		write_type(json, p);
		json_string(json, "description", p->help);
		json_object_end(json);
	}
	json_object_end(json);
	json_array_begin(json, "required");
	for (const struct route_parameter *p = route->parameters; p->name; p++)
		if (p->where >= ROUTE_IN_BODY && p->required)
			json_string(json, NULL, p->name);
	json_array_end(json);
}

static void
write_body(struct json *json, const struct route *route)
{
	if (!has_body(route))
		return;
	json_object_begin(json, "requestBody");
	json_boolean(json, "required", true);
	json_object_begin(json, "content");
	json_object_begin(json, "application/json");
	json_object_begin(json, "schema");
	json_string(json, "type", "object");
	json_boolean(json, "additionalProperties", false);
	write_properties(json, route);
	json_object_end(json);
	json_object_end(json);
	json_object_end(json);
	json_object_end(json);
}

static void
write_responses(struct json *json, const struct route *route)
{
	static const struct {
		const char *status, *schema;
	} answers[] = {
		[ROUTE_NOTHING] = { "204", NULL },
		[ROUTE_ONE] = { "200", "{\"type\":\"object\"}" },
		[ROUTE_CREATED] = { "201", "{\"type\":\"object\"}" },
		[ROUTE_LIST] = { "200",
		    "{\"$ref\":\"#/components/schemas/Page\"}" },
	};

	json_object_begin(json, "responses");
	json_object_begin(json, answers[route->result].status);
	json_string(json, "description", route->summary);
	if (answers[route->result].schema) {
		json_object_begin(json, "content");
		json_object_begin(json,
		    route->streams ? "text/event-stream" : "application/json");
		json_raw(json, "schema", answers[route->result].schema);
		json_object_end(json);
		json_object_end(json);
	}
	json_object_end(json);
	json_raw(json, "default",
	    "{\"$ref\":\"#/components/responses/Problem\"}");
	json_object_end(json);
}

static void
write_operation(struct json *json, const struct route *route, const char *group)
{
	static const char *const keys[] = {
		[ROUTE_GET] = "get",
		[ROUTE_POST] = "post",
		[ROUTE_PUT] = "put",
		[ROUTE_PATCH] = "patch",
		[ROUTE_DELETE] = "delete",
	};
	static const char *const scopes[] = {
		[ROUTE_READ] = "read",
		[ROUTE_SITES] = "sites",
		[ROUTE_SETTINGS] = "settings",
		[ROUTE_ARM] = "sites",
		[ROUTE_OPERATIONS] = "read",
		[ROUTE_PARKED] = "settings",
		[ROUTE_OPERATOR] = "read",
		[ROUTE_ORDERS] = "settings",
	};

	json_object_begin(json, keys[route->method]);
	json_string(json, "operationId", route->name);
	json_string(json, "summary", route->summary);
	json_array_begin(json, "tags");
	json_string(json, NULL, group);
	json_array_end(json);
	if (route->scope == ROUTE_PUBLIC)
		json_raw(json, "security", "[]");
	else
		json_string(json, "x-scope", scopes[route->scope]);
	write_parameters(json, route);
	write_body(json, route);
	write_responses(json, route);
	json_object_end(json);
}

static bool
is_first_of_path(const struct route *route)
{
	const struct route_group *group;

	for (size_t g = 0; (group = route_group(g)) != NULL; g++)
		for (size_t i = 0; i < group->count; i++)
			if (strcmp(group->routes[i].path, route->path) == 0)
				return &group->routes[i] == route;
	return false;
}

/* All methods of one path stand together, whatever group they are in. */
static void
write_path(struct json *json, const char *path)
{
	const struct route_group *group;
	char key[128];

	snprintf(key, sizeof(key), ROUTE_API "%s", path);
	json_object_begin(json, key);
	for (size_t g = 0; (group = route_group(g)) != NULL; g++)
		for (size_t i = 0; i < group->count; i++)
			if (strcmp(group->routes[i].path, path) == 0)
				write_operation(json, &group->routes[i],
				    group->title);
	json_object_end(json);
}

static const char components[] =
    "{\"securitySchemes\":{"
    "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":"
    "\"__Host-tocsin\",\"description\":\"of signIn; whatever changes "
    "something also sends X-CSRF-Token and Origin\"},"
    "\"key\":{\"type\":\"http\",\"scheme\":\"bearer\"}},"
    "\"parameters\":{\"IfMatch\":{\"name\":\"If-Match\",\"in\":\"header\","
    "\"required\":false,\"description\":\"the ETag it was read with: "
    "refused with 412 when somebody changed it meanwhile\",\"schema\":{"
    "\"type\":\"string\"}},\"Apply\":{\"name\":\"apply\",\"in\":\"query\","
    "\"required\":false,\"description\":\"true: store the good rows; else "
    "only tell\",\"schema\":{\"type\":\"boolean\"}}},"
    "\"schemas\":{\"Page\":{\"type\":\"object\",\"required\":[\"items\"],"
    "\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"type\":"
    "\"object\"}},\"next\":{\"type\":\"string\",\"description\":\"there "
    "is more: send it as after or before\"}}},"
    "\"Problem\":{\"type\":\"object\",\"required\":[\"title\",\"status\","
    "\"detail\"],\"properties\":{\"type\":{\"type\":\"string\"},"
    "\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
    "\"detail\":{\"type\":\"string\",\"description\":\"a sentence for "
    "people\"},\"field\":{\"type\":\"string\",\"description\":\"the one "
    "that is wrong\"}}}},"
    "\"responses\":{\"Problem\":{\"description\":\"RFC 9457\","
    "\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":"
    "\"#/components/schemas/Problem\"}}}}}}";

void
openapi_write(struct json *json)
{
	const struct route_group *group;

	json_object_begin(json, NULL);
	json_string(json, "openapi", "3.1.0");
	json_object_begin(json, "info");
	json_string(json, "title", "Tocsin portal");
	json_string(json, "version", PACKAGE_VERSION);
	json_object_end(json);
	json_raw(json, "security", "[{\"session\":[]},{\"key\":[]}]");
	json_object_begin(json, "paths");
	for (size_t g = 0; (group = route_group(g)) != NULL; g++)
		for (size_t i = 0; i < group->count; i++)
			if (is_first_of_path(&group->routes[i]))
				write_path(json, group->routes[i].path);
	json_object_end(json);
	json_raw(json, "components", components);
	json_object_end(json);
}
