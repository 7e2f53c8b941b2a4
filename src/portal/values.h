/* What a request sent, as the placeholders of its route's statement. */
#ifndef PORTAL_VALUES_H
#define PORTAL_VALUES_H

#include "portal/exchange.h"

#define VALUES_MAX	 (ROUTE_PARAMETERS_MAX + 2)
#define VALUES_LIMIT_MAX 200

struct values {
	int count;
	char *items[VALUES_MAX]; /* owned; NULL: SQL's null */
	int limit; /* of a list's rows; the placeholder is one more */
};

/* false: the exchange is answered, a field is missing or wrong. */
bool values_read(struct exchange *exchange, struct values *ret);
/* Takes text; false: no room. */
bool values_add(struct values *values, char *text);
void values_close(struct values *values);

/* The one that is called so in the route's parameters; NULL: not sent. */
const char *values_find(const struct values *values, const struct route *route,
    const char *name);

#endif
