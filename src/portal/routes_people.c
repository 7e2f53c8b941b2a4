#include "base/array.h"
#include "portal/route_parts.h"

static const struct route_parameter site[] = { ROUTE_SITE, { NULL } };
static const struct route_parameter add_contact[] = {
	ROUTE_SITE,
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "of the person" },
	{ "title", ROUTE_IN_BODY, ROUTE_TEXT, false, "for example Owner" },
	{ "phone", ROUTE_IN_BODY, ROUTE_TEXT, false, "as dialled" },
	{ "email", ROUTE_IN_BODY, ROUTE_TEXT, false, "address" },
	{ "slot", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "number in the station's programming" },
	{ NULL },
};
static const struct route_parameter change_contact[] = {
	ROUTE_ID("contact_id", "the contact"),
	{ "name", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "of the person" },
	{ "title", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "for example Owner" },
	{ "phone", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "as dialled" },
	{ "email", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "address" },
	{ "slot", ROUTE_IN_CHANGE, ROUTE_INTEGER, false, "or null" },
	{ NULL },
};
static const struct route_parameter contact[] = {
	ROUTE_ID("contact_id", "the contact"), { NULL }
};
#define MEMBER ROUTE_SITE, ROUTE_ID("user_id", "the app's user")
static const struct route_parameter set_member[] = {
	MEMBER,
	{ "user_number", ROUTE_IN_BODY, ROUTE_INTEGER, true,
	    "in openings and closings at the station, 1 to 999" },
	{ "may_arm", ROUTE_IN_BODY, ROUTE_BOOLEAN, false, "true otherwise" },
	{ "may_view", ROUTE_IN_BODY, ROUTE_BOOLEAN, false, "true otherwise" },
	{ NULL },
};
static const struct route_parameter member[] = { MEMBER, { NULL } };

static const struct route routes[] = {
	{ ROUTE_GET, "/sites/{site_id}/contacts", "listContacts",
	    "Whom the station calls", ROUTE_READ, ROUTE_LIST, site,
	    "SELECT to_jsonb(c) || jsonb_build_object('version', c.xmin::text), "
	    "NULL FROM tocsin.contact c WHERE c.site_id = $1::bigint "
	    "ORDER BY c.slot NULLS LAST, c.name, c.id" },
	{ ROUTE_POST, "/sites/{site_id}/contacts", "addContact",
	    "Somebody to call", ROUTE_SITES, ROUTE_CREATED, add_contact,
	    "INSERT INTO tocsin.contact AS c (site_id, name, title, phone, "
	    "email, slot) VALUES ($1::bigint, $2, coalesce($3, ''), "
	    "nullif($4, ''), nullif($5, ''), $6::smallint) "
	    "RETURNING to_jsonb(c), c.xmin" },
	{ ROUTE_PATCH, "/contacts/{contact_id}", "changeContact",
	    "Change what is sent", ROUTE_SITES, ROUTE_ONE, change_contact,
	    "UPDATE tocsin.contact c SET (name, title, phone, email, slot) = "
	    "(SELECT p.name, p.title, nullif(p.phone, ''), nullif(p.email, ''), "
	    "p.slot FROM jsonb_populate_record(c, $2::jsonb) p) "
	    "WHERE c.id = $1::bigint RETURNING to_jsonb(c), c.xmin",
	    .version_sql = ROUTE_VERSION("contact") },
	{ ROUTE_DELETE, "/contacts/{contact_id}", "removeContact",
	    "Nobody to call any more", ROUTE_SITES, ROUTE_NOTHING, contact,
	    "DELETE FROM tocsin.contact WHERE id = $1::bigint",
	    .version_sql = ROUTE_VERSION("contact") },
	{ ROUTE_GET, "/sites/{site_id}/members", "listMembers",
	    "Who has the site in the app", ROUTE_READ, ROUTE_LIST, site,
	    "SELECT to_jsonb(m) || jsonb_build_object('login', u.login, "
	    "'name', u.name), NULL FROM tocsin.app_member m "
	    "LEFT JOIN tocsin.user_account u ON u.id = m.user_id "
	    "WHERE m.site_id = $1::bigint ORDER BY m.user_number" },
	{ ROUTE_PUT, "/sites/{site_id}/members/{user_id}", "setMember",
	    "That user has the site in the app", ROUTE_SITES, ROUTE_NOTHING,
	    set_member,
	    "INSERT INTO tocsin.app_member (site_id, user_id, user_number, "
	    "may_arm, may_view) VALUES ($1::bigint, $2::bigint, $3::smallint, "
	    "coalesce($4::boolean, true), coalesce($5::boolean, true)) "
	    "ON CONFLICT ON CONSTRAINT app_member_once DO UPDATE SET "
	    "user_number = EXCLUDED.user_number, may_arm = EXCLUDED.may_arm, "
	    "may_view = EXCLUDED.may_view" },
	{ ROUTE_DELETE, "/sites/{site_id}/members/{user_id}", "removeMember",
	    "Not any more", ROUTE_SITES, ROUTE_NOTHING, member,
	    "DELETE FROM tocsin.app_member WHERE site_id = $1::bigint "
	    "AND user_id = $2::bigint" },
};

const struct route_group people_routes = { "People of a customer", routes,
	COUNT(routes) };
