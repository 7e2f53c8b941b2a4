#include "base/array.h"
#include "portal/route_parts.h"

static const struct route_parameter list_sites[] = {
	{ "after", ROUTE_IN_QUERY, ROUTE_INTEGER, false,
	    "\"next\" of the page before" },
	ROUTE_LIMIT,
	{ "state", ROUTE_IN_QUERY, ROUTE_TEXT, false, "active or inactive" },
	{ NULL },
};
static const struct route_parameter search_sites[] = {
	{ "q", ROUTE_IN_QUERY, ROUTE_TEXT, true,
	    "account, reference or external id, bridge, or a part of name, address, serial or account" },
	ROUTE_LIMIT,
	{ NULL },
};
static const struct route_parameter create_site[] = {
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "whose customer" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "as people know it" },
	{ "timezone", ROUTE_IN_BODY, ROUTE_TEXT, false, "IANA name" },
	{ "address1", ROUTE_IN_BODY, ROUTE_TEXT, false, "street and number" },
	{ "address2", ROUTE_IN_BODY, ROUTE_TEXT, false, "second line" },
	{ "city", ROUTE_IN_BODY, ROUTE_TEXT, false, "town" },
	{ "region", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "state, county or province" },
	{ "postal_code", ROUTE_IN_BODY, ROUTE_TEXT, false, "as written there" },
	{ "country", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "name or ISO 3166 code" },
	{ "latitude", ROUTE_IN_BODY, ROUTE_NUMBER, false, "degrees north" },
	{ "longitude", ROUTE_IN_BODY, ROUTE_NUMBER, false, "degrees east" },
	{ "external_id", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "the dealer's own number" },
	{ "station_record_id", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "who monitors it" },
	{ "account_number", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "at the station, without prefix" },
	{ "reference_id", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "second identifier" },
	{ "arming_method", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "of listArmingMethods" },
	{ "template_id", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "where the rest comes from" },
	{ "library", ROUTE_IN_BODY, ROUTE_ARRAY, false,
	    "differences from the dealer's: zone_type, inbound_code or system_event with enabled, code" },
	{ "contacts", ROUTE_IN_BODY, ROUTE_ARRAY, false,
	    "name, title, phone, email, slot" },
	{ NULL },
};
static const struct route_parameter site[] = { ROUTE_SITE, { NULL } };
static const struct route_parameter change_site[] = {
	ROUTE_SITE,
	{ "name", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "as people know it" },
	{ "address1", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "street and number" },
	{ "address2", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "second line" },
	{ "city", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "town" },
	{ "region", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "state or province" },
	{ "postal_code", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "as written" },
	{ "country", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "name or code" },
	{ "latitude", ROUTE_IN_CHANGE, ROUTE_NUMBER, false, "degrees north" },
	{ "longitude", ROUTE_IN_CHANGE, ROUTE_NUMBER, false, "degrees east" },
	{ "timezone", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "IANA name" },
	{ "external_id", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "the dealer's" },
	{ "station_record_id", ROUTE_IN_CHANGE, ROUTE_INTEGER, false,
	    "who monitors it; null: nobody" },
	{ "account_number", ROUTE_IN_CHANGE, ROUTE_TEXT, false,
	    "at the station, without prefix" },
	{ "reference_id", ROUTE_IN_CHANGE, ROUTE_TEXT, false,
	    "second identifier" },
	{ "entry_delay_s", ROUTE_IN_CHANGE, ROUTE_INTEGER, false, "seconds" },
	{ "exit_delay_s", ROUTE_IN_CHANGE, ROUTE_INTEGER, false, "seconds" },
	{ "repeat_filter_s", ROUTE_IN_CHANGE, ROUTE_INTEGER, false,
	    "seconds; 0: none" },
	{ "test_interval_s", ROUTE_IN_CHANGE, ROUTE_INTEGER, false,
	    "tests are expected that often; null: never" },
	{ "ack_level", ROUTE_IN_CHANGE, ROUTE_TEXT, false,
	    "when panels are answered: local or delivered; null: as the "
	    "listener has it" },
	{ NULL },
};
static const struct route_parameter start_test[] = {
	ROUTE_SITE,
	{ "minutes", ROUTE_IN_BODY, ROUTE_INTEGER, false, "60 otherwise" },
	{ "forward", ROUTE_IN_BODY, ROUTE_BOOLEAN, false,
	    "true: signals go on, marked as test ones" },
	{ NULL },
};
static const struct route_parameter set_library[] = {
	ROUTE_SITE,
	ROUTE_SUBJECT,
	ROUTE_LIBRARY_VALUES,
	{ NULL },
};
static const struct route_parameter library_subject[] = { ROUTE_SITE,
	ROUTE_SUBJECT, { NULL } };
static const struct route_parameter list_events[] = {
	ROUTE_SITE,
	{ "before", ROUTE_IN_QUERY, ROUTE_TEXT, false,
	    "\"next\" of the page before: a time" },
	ROUTE_LIMIT,
	{ NULL },
};
static const struct route_parameter event[] = {
	ROUTE_SITE,
	{ "event", ROUTE_IN_PATH, ROUTE_TEXT, true, "as the list names it" },
	{ NULL },
};

/* Row by row: the view has more tables than the planner would look through to
 * see that only these are wanted. */
#define OVERVIEW_OF(id)                                                        \
 "CROSS JOIN LATERAL (SELECT v.* FROM tocsin.site_overview v "                 \
 "WHERE v.id = " id " OFFSET 0) o"

static const struct route routes[] = {
	{ ROUTE_GET, "/sites", "listSites", "Customers, a page at a time",
	    ROUTE_READ, ROUTE_LIST, list_sites,
	    "SELECT to_jsonb(o), o.id FROM tocsin.portal_sites($1::bigint, $3, "
	    "$2::integer) p (id) " OVERVIEW_OF("p.id") " ORDER BY o.id" },
	{ ROUTE_GET, "/sites/search", "searchSites",
	    "Customers by a part of what is known of them, the likeliest first",
	    ROUTE_READ, ROUTE_LIST, search_sites,
	    "SELECT to_jsonb(o) || jsonb_build_object('matched', f.matched), "
	    "NULL FROM tocsin.site_search($1, $2::integer - 1) f " OVERVIEW_OF(
		"f.site_id") " ORDER BY f.rank, o.name, o.id LIMIT $2::integer - 1" },
	{ ROUTE_POST, "/sites", "createSite", "A new customer", ROUTE_SITES,
	    ROUTE_CREATED, create_site,
	    "SELECT jsonb_build_object('id', tocsin.site_create($1::bigint, "
	    "$2, $3, $4, $5, $6, $7, $8, $9, $10::float8, $11::float8, $12, "
	    "$13::bigint, $14, $15, $16, $17::bigint, $18::jsonb, "
	    "$19::jsonb))" },
	{ ROUTE_GET, "/sites/{site_id}", "getSite",
	    "The overview of a customer", ROUTE_READ, ROUTE_ONE, site,
	    "SELECT to_jsonb(o), s.xmin FROM tocsin.site_overview o "
	    "JOIN tocsin.site s ON s.id = o.id WHERE o.id = $1::bigint" },
	{ ROUTE_PATCH, "/sites/{site_id}", "changeSite", "Change what is sent",
	    ROUTE_SITES, ROUTE_ONE, change_site,
	    "UPDATE tocsin.site s SET (name, address1, address2, city, region, "
	    "postal_code, country, latitude, longitude, timezone, external_id, "
	    "station_record_id, account_number, reference_id, entry_delay_s, "
	    "exit_delay_s, repeat_filter_s, test_interval_s, ack_level) = "
	    "(SELECT p.name, "
	    "p.address1, p.address2, p.city, p.region, p.postal_code, "
	    "p.country, p.latitude, p.longitude, p.timezone, p.external_id, "
	    "p.station_record_id, upper(p.account_number), p.reference_id, "
	    "p.entry_delay_s, p.exit_delay_s, p.repeat_filter_s, "
	    "p.test_interval_s, p.ack_level "
	    "FROM jsonb_populate_record(s, $2::jsonb) p) "
	    "WHERE s.id = $1::bigint RETURNING to_jsonb(s), s.xmin",
	    .version_sql = ROUTE_VERSION("site") },
	{ ROUTE_GET, "/sites/{site_id}/warnings", "listSiteWarnings",
	    "What a site lacks to be complete", ROUTE_READ, ROUTE_LIST, site,
	    "SELECT to_jsonb(w), NULL FROM tocsin.site_warning w "
	    "WHERE w.site_id = $1::bigint" },
	{ ROUTE_POST, "/sites/{site_id}/test", "startSiteTest",
	    "Put a site on test; ends by itself", ROUTE_SITES, ROUTE_ONE,
	    start_test,
	    "SELECT jsonb_build_object('on_test_until', tocsin.site_test_start("
	    "$1::bigint, coalesce($2::integer, 60), "
	    "coalesce($3::boolean, false)))" },
	{ ROUTE_DELETE, "/sites/{site_id}/test", "stopSiteTest",
	    "The test ends now", ROUTE_SITES, ROUTE_NOTHING, site,
	    "SELECT tocsin.site_test_stop($1::bigint)" },
	{ ROUTE_POST, "/sites/{site_id}/deactivate", "deactivateSite",
	    "Acknowledge and log its signals, forward none", ROUTE_SITES,
	    ROUTE_NOTHING, site, "SELECT tocsin.site_deactivate($1::bigint)" },
	{ ROUTE_POST, "/sites/{site_id}/reactivate", "reactivateSite",
	    "Forward its signals again", ROUTE_SITES, ROUTE_NOTHING, site,
	    "SELECT tocsin.site_reactivate($1::bigint)" },
	{ ROUTE_GET, "/sites/{site_id}/library", "listSiteLibrary",
	    "The effective library, each value with its level", ROUTE_READ,
	    ROUTE_LIST, site,
	    "SELECT l, NULL FROM tocsin.portal_library($1::bigint) l" },
	{ ROUTE_PUT, "/sites/{site_id}/library/{kind}/{subject}",
	    "setSiteLibrary", "Change a value for this site only", ROUTE_SITES,
	    ROUTE_ONE, set_library,
	    ROUTE_LIBRARY_SET("alarm_library", "site_id") },
	{ ROUTE_DELETE, "/sites/{site_id}/library/{kind}/{subject}",
	    "resetSiteLibrary", "Back to the dealer's default", ROUTE_SITES,
	    ROUTE_NOTHING, library_subject,
	    ROUTE_LIBRARY_RESET("alarm_library", "site_id") },
	{ ROUTE_GET, "/sites/{site_id}/events", "listEvents",
	    "History, newest first", ROUTE_READ, ROUTE_LIST, list_events,
	    "SELECT to_jsonb(e) - 'raw', e.received_at FROM "
	    "tocsin.portal_events($1::bigint, $2::timestamptz, $3::integer) e" },
	{ ROUTE_GET, "/sites/{site_id}/events/{event}", "getEvent",
	    "An event with its deliveries and what became of each", ROUTE_READ,
	    ROUTE_ONE, event,
	    "SELECT e FROM tocsin.portal_event($1::bigint, $2) e" },
};

const struct route_group site_routes = { "Customers", routes, COUNT(routes) };
