/*
 * What the portal's API can do: one row per operation. The dispatcher, the
 * check of what was sent, the statement and the OpenAPI document all read the
 * same row; a new operation is a new row.
 */
#ifndef PORTAL_ROUTE_H
#define PORTAL_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "portal/live.h"

struct exchange;
struct db;

#define ROUTE_API	      "/api/v1"
#define ROUTE_PARAMETERS_MAX  32
#define ROUTE_PATH_VALUES_MAX 4

enum route_method {
	ROUTE_GET,
	ROUTE_POST,
	ROUTE_PUT,
	ROUTE_PATCH,
	ROUTE_DELETE,
};

/* What the caller must be allowed. Whose rows are meant is decided by
 * PostgreSQL's row-level security, never here. */
enum route_scope {
	ROUTE_PUBLIC,	  /* nobody needs to have signed in */
	ROUTE_READ,	  /* anybody who has */
	ROUTE_SITES,	  /* who changes sites */
	ROUTE_SETTINGS,	  /* who changes the dealer's own */
	ROUTE_ARM,	  /* who changes sites, and app members */
	ROUTE_OPERATIONS, /* operators and centers */
	ROUTE_PARKED,	  /* the same, not with a key that only reads */
	ROUTE_OPERATOR,	  /* operators of the installation */
	ROUTE_ORDERS,	  /* the same, not with a key that only reads */
};

enum route_where {
	ROUTE_IN_PATH,
	ROUTE_IN_QUERY,
	ROUTE_IN_BODY,
	/* Of a body that says what changes: these are one placeholder
	 * together, the object of those that were sent, after all others. */
	ROUTE_IN_CHANGE,
};

enum route_type {
	ROUTE_TEXT,
	ROUTE_FILE, /* a text as long as a body may be */
	ROUTE_INTEGER,
	ROUTE_NUMBER,
	ROUTE_BOOLEAN,
	ROUTE_ARRAY,
};

/* Placeholders $1.. stand in the order of the parameters. */
struct route_parameter {
	const char *name; /* NULL ends the list */
	enum route_where where;
	enum route_type type;
	bool required;
	const char *help;
};

enum route_result {
	ROUTE_NOTHING, /* 204 */
	ROUTE_ONE,     /* the first row: JSON, and its ETag where it has one */
	ROUTE_CREATED, /* the same with 201 */
	ROUTE_LIST,    /* each row: JSON, and the cursor behind it */
};

/* Whose threads do it, so that what takes long holds up only its like. */
enum route_worker {
	ROUTE_QUICK,	/* several */
	ROUTE_PASSWORD, /* one: the proof takes memory and processor time */
	ROUTE_BULK,	/* one: many rows at once */
	ROUTE_OUTSIDE,	/* one: waits for somebody else's service */
	ROUTE_STREAM,	/* one: batches of live views, however many */
	ROUTE_WORKERS,
};

struct route {
	enum route_method method;
	const char *path; /* behind ROUTE_API, "{name}" takes a segment */
	const char *name; /* operationId */
	const char *summary;
	enum route_scope scope;
	enum route_result result;
	const struct route_parameter *parameters;
	const char *sql;
	/* Of a row that may be changed under one's hands: its version by the
	 * first parameter, locked. If-Match is compared with it; no row is
	 * 404. */
	const char *version_sql;
	/* Where that is made of rows besides: locks what they belong to in a
	 * statement of its own, so that version_sql reads them as they are
	 * then. */
	const char *lock_sql;
	/* Only tried unless "apply" in the query says true: rolled back. */
	bool preview;
	/* The last placeholder is the hash of a new token, which the answer
	 * carries once. */
	bool issues_token;
	/* The last placeholder is what tocsind said last: a JSON array. */
	enum live_answer live;
	/* The answer goes on: the last placeholder is a JSON array of signals,
	 * each row one that is to be told. */
	bool streams;
	/* The rows are words of a command; once they are committed tocsind is
	 * asked, and says the answer. */
	bool asks;
	/* Instead of sql; answers the exchange. In a worker's thread. */
	void (*handle)(struct exchange *exchange, struct db *db);
	enum route_worker worker;
};

/* Of an operation that takes none. */
extern const struct route_parameter route_no_parameters[];

struct route_group {
	const char *title;
	const struct route *routes;
	size_t count;
};
extern const struct route_group session_routes, site_routes, address_routes,
    arming_routes, people_routes, bridge_routes, dealer_routes, template_routes,
    user_routes, reference_routes, live_routes;

/* NULL behind the last. */
const struct route_group *route_group(size_t index);

const char *route_method_name(enum route_method method);

enum route_match {
	ROUTE_FOUND,
	ROUTE_NOT_FOUND,
	ROUTE_OTHER_METHOD, /* the path is there, not with this method */
};

/* path: without ROUTE_API and query. ret_values borrow path. */
enum route_match route_find(enum route_method method, const char *path,
    const struct route **ret, struct slice ret_values[ROUTE_PATH_VALUES_MAX]);

#endif
