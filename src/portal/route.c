#include "portal/route.h"

#include "base/array.h"

static const struct route_group *const groups[] = {
	&session_routes,
	&site_routes,
	&address_routes,
	&arming_routes,
	&people_routes,
	&bridge_routes,
	&dealer_routes,
	&template_routes,
	&user_routes,
	&reference_routes,
	&live_routes,
};

const struct route_parameter route_no_parameters[] = { { NULL } };

const struct route_group *
route_group(size_t index)
{
	return index < COUNT(groups) ? groups[index] : NULL;
}

const char *
route_method_name(enum route_method method)
{
	static const char *const names[] = {
		[ROUTE_GET] = "GET",
		[ROUTE_POST] = "POST",
		[ROUTE_PUT] = "PUT",
		[ROUTE_PATCH] = "PATCH",
		[ROUTE_DELETE] = "DELETE",
	};

	return names[method];
}

/* The next segment of a path that begins with '/'. */
static struct slice
take_segment(const char **path)
{
	size_t length = strcspn(*path + 1, "/");
	struct slice segment = slice_of(*path + 1, length);

	*path += 1 + length;
	return segment;
}

static bool
fits(const char *pattern, const char *path,
    struct slice values[ROUTE_PATH_VALUES_MAX])
{
	size_t count = 0;

	while (*pattern && *path == '/') {
		struct slice wanted = take_segment(&pattern);
		struct slice given = take_segment(&path);

		if (wanted.data[0] != '{') {
			if (!slice_equal(wanted, given))
				return false;
		} else if (given.length == 0) {
			return false;
		} else {
			values[count++] = given;
		}
	}
	return *pattern == '\0' && *path == '\0';
}

enum route_match
route_find(enum route_method method, const char *path, const struct route **ret,
    struct slice ret_values[ROUTE_PATH_VALUES_MAX])
{
	enum route_match match = ROUTE_NOT_FOUND;

	for (size_t g = 0; g < COUNT(groups); g++)
		for (size_t i = 0; i < groups[g]->count; i++) {
			const struct route *route = &groups[g]->routes[i];

			if (!fits(route->path, path, ret_values))
				continue;
			if (route->method == method) {
				*ret = route;
				return ROUTE_FOUND;
			}
			match = ROUTE_OTHER_METHOD;
		}
	return match;
}
