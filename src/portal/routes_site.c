#include "base/array.h"
#include "portal/route.h"

#define SITE                                                                   \
 {                                                                             \
  "site_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the site"                    \
 }
#define LIMIT                                                                  \
 {                                                                             \
  "limit", ROUTE_IN_QUERY, ROUTE_INTEGER, false,                               \
      "rows, 1 to 200; 50 otherwise"                                           \
 }

static const struct route_parameter list_sites[] = {
	{ "after", ROUTE_IN_QUERY, ROUTE_INTEGER, false,
	    "\"next\" of the page before" },
	LIMIT,
	{ "state", ROUTE_IN_QUERY, ROUTE_TEXT, false, "active or inactive" },
	{ NULL },
};
static const struct route_parameter search_sites[] = {
	{ "q", ROUTE_IN_QUERY, ROUTE_TEXT, true,
	    "account, reference or external id, bridge, or a part of name, address, serial or account" },
	LIMIT,
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
static const struct route_parameter site[] = { SITE, { NULL } };
static const struct route_parameter change_site[] = {
	SITE,
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
	{ NULL },
};
static const struct route_parameter start_test[] = {
	SITE,
	{ "minutes", ROUTE_IN_BODY, ROUTE_INTEGER, false, "60 otherwise" },
	{ "forward", ROUTE_IN_BODY, ROUTE_BOOLEAN, false,
	    "true: signals go on, marked as test ones" },
	{ NULL },
};
static const struct route_parameter set_arming[] = {
	SITE,
	{ "arming_method", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "of listArmingMethods" },
	{ "bridge_id", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "with panel_primary: which one arms the site" },
	{ NULL },
};
#define SUBJECT                                                                \
 { "kind", ROUTE_IN_PATH, ROUTE_TEXT, true,                                    \
	 "zone_type, system_event or inbound_code" },                          \
 {                                                                             \
  "subject", ROUTE_IN_PATH, ROUTE_TEXT, true, "which, as the library names it" \
 }
static const struct route_parameter set_library[] = {
	SITE,
	SUBJECT,
	{ "enabled", ROUTE_IN_BODY, ROUTE_BOOLEAN, false,
	    "forwarded; null inherits" },
	{ "code", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "what is sent; null inherits" },
	{ NULL },
};
static const struct route_parameter library_subject[] = { SITE, SUBJECT,
	{ NULL } };
static const struct route_parameter add_contact[] = {
	SITE,
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "of the person" },
	{ "title", ROUTE_IN_BODY, ROUTE_TEXT, false, "for example Owner" },
	{ "phone", ROUTE_IN_BODY, ROUTE_TEXT, false, "as dialled" },
	{ "email", ROUTE_IN_BODY, ROUTE_TEXT, false, "address" },
	{ "slot", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "number in the station's programming" },
	{ NULL },
};
#define CONTACT                                                                \
 {                                                                             \
  "contact_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the contact"              \
 }
static const struct route_parameter change_contact[] = {
	CONTACT,
	{ "name", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "of the person" },
	{ "title", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "for example Owner" },
	{ "phone", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "as dialled" },
	{ "email", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "address" },
	{ "slot", ROUTE_IN_CHANGE, ROUTE_INTEGER, false, "or null" },
	{ NULL },
};
static const struct route_parameter contact[] = { CONTACT, { NULL } };
static const struct route_parameter add_partition[] = {
	SITE,
	{ "number", ROUTE_IN_BODY, ROUTE_INTEGER, true, "1 to 99" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "as people know it" },
	{ NULL },
};
static const struct route_parameter partition[] = {
	{ "partition_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the partition" },
	{ NULL },
};
static const struct route_parameter list_events[] = {
	SITE,
	{ "before", ROUTE_IN_QUERY, ROUTE_TEXT, false,
	    "\"next\" of the page before: a time" },
	LIMIT,
	{ NULL },
};
static const struct route_parameter event[] = {
	SITE,
	{ "event", ROUTE_IN_PATH, ROUTE_TEXT, true, "as the list names it" },
	{ NULL },
};

/* $4 is always there; of the subject the column of its kind is set. */
#define OF_SUBJECT(alias)                                                      \
 "CASE $2::text WHEN 'zone_type' THEN " alias "zone_type::text "               \
 "WHEN 'system_event' THEN " alias "system_event ELSE " alias                  \
 "inbound_code END = $3::text"

static const struct route routes[] = {
	{ ROUTE_GET, "/sites", "listSites", "Customers, a page at a time",
	    ROUTE_READ, ROUTE_LIST, list_sites,
	    "SELECT to_jsonb(o), o.id FROM (SELECT s.id FROM tocsin.site s "
	    "WHERE s.id > coalesce($1::bigint, 0) "
	    "AND ($3::text IS NULL OR s.state = $3) ORDER BY s.id LIMIT $2) p "
	    "JOIN tocsin.site_overview o ON o.id = p.id ORDER BY o.id" },
	{ ROUTE_GET, "/sites/search", "searchSites",
	    "Customers by a part of what is known of them, the likeliest first",
	    ROUTE_READ, ROUTE_LIST, search_sites,
	    "SELECT to_jsonb(o) || jsonb_build_object('matched', f.matched), "
	    "NULL FROM tocsin.site_search($1, $2::integer - 1) f "
	    "JOIN tocsin.site_overview o ON o.id = f.site_id "
	    "ORDER BY f.rank, o.name, o.id LIMIT $2::integer - 1" },
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
	    "exit_delay_s, repeat_filter_s, test_interval_s) = (SELECT p.name, "
	    "p.address1, p.address2, p.city, p.region, p.postal_code, "
	    "p.country, p.latitude, p.longitude, p.timezone, p.external_id, "
	    "p.station_record_id, upper(p.account_number), p.reference_id, "
	    "p.entry_delay_s, p.exit_delay_s, p.repeat_filter_s, "
	    "p.test_interval_s FROM jsonb_populate_record(s, $2::jsonb) p) "
	    "WHERE s.id = $1::bigint RETURNING to_jsonb(s), s.xmin",
	    .version_sql =
		"SELECT xmin FROM tocsin.site WHERE id = $1::bigint FOR UPDATE" },
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
	{ ROUTE_PUT, "/sites/{site_id}/arming", "setSiteArming",
	    "The one authority over its arming", ROUTE_SITES, ROUTE_NOTHING,
	    set_arming,
	    "SELECT tocsin.site_arming_set($1::bigint, $2, $3::bigint)" },
	{ ROUTE_GET, "/sites/{site_id}/library", "listSiteLibrary",
	    "The effective library, each value with its level", ROUTE_READ,
	    ROUTE_LIST, site,
	    "SELECT to_jsonb(l), NULL FROM tocsin.effective_library l "
	    "WHERE l.site_id = $1::bigint "
	    "ORDER BY l.kind DESC, l.subject, l.channel_id NULLS FIRST" },
	{ ROUTE_PUT, "/sites/{site_id}/library/{kind}/{subject}",
	    "setSiteLibrary", "Change a value for this site only", ROUTE_SITES,
	    ROUTE_ONE, set_library,
	    "WITH gone AS (DELETE FROM tocsin.alarm_library l "
	    "WHERE l.site_id = $1::bigint AND num_nonnulls($4::text, $5::text) "
	    "= 0 AND " OF_SUBJECT(
		"l.") "), set AS ("
		      "INSERT INTO tocsin.alarm_library AS l (site_id, zone_type, "
		      "system_event, inbound_code, enabled, code) "
		      "SELECT $1::bigint, CASE $2::text WHEN 'zone_type' THEN "
		      "$3::smallint END, CASE $2::text WHEN 'system_event' THEN $3 END, "
		      "CASE $2::text WHEN 'inbound_code' THEN upper($3) END, "
		      "$4::boolean, upper($5) WHERE num_nonnulls($4::text, $5::text) > 0 "
		      "ON CONFLICT ON CONSTRAINT alarm_library_once DO UPDATE SET "
		      "enabled = EXCLUDED.enabled, code = EXCLUDED.code RETURNING l.id) "
		      "SELECT jsonb_build_object('kind', $2::text, 'subject', $3::text, "
		      "'enabled', $4::boolean, 'code', upper($5::text))" },
	{ ROUTE_DELETE, "/sites/{site_id}/library/{kind}/{subject}",
	    "resetSiteLibrary", "Back to the dealer's default", ROUTE_SITES,
	    ROUTE_NOTHING, library_subject,
	    "DELETE FROM tocsin.alarm_library l WHERE l.site_id = $1::bigint "
	    "AND " OF_SUBJECT("l.") },
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
	    .version_sql =
		"SELECT xmin FROM tocsin.contact WHERE id = $1::bigint FOR UPDATE" },
	{ ROUTE_DELETE, "/contacts/{contact_id}", "removeContact",
	    "Nobody to call any more", ROUTE_SITES, ROUTE_NOTHING, contact,
	    "DELETE FROM tocsin.contact WHERE id = $1::bigint",
	    .version_sql =
		"SELECT xmin FROM tocsin.contact WHERE id = $1::bigint FOR UPDATE" },
	{ ROUTE_GET, "/sites/{site_id}/partitions", "listPartitions",
	    "Groups of channels that are armed apart", ROUTE_READ, ROUTE_LIST,
	    site,
	    "SELECT to_jsonb(p) || jsonb_build_object('channels', (SELECT "
	    "coalesce(jsonb_agg(c.channel_id ORDER BY c.channel_id), '[]') "
	    "FROM tocsin.partition_channel c WHERE c.partition_id = p.id)), "
	    "NULL FROM tocsin.site_partition p WHERE p.site_id = $1::bigint "
	    "ORDER BY p.number" },
	{ ROUTE_POST, "/sites/{site_id}/partitions", "addPartition",
	    "A new partition", ROUTE_SITES, ROUTE_CREATED, add_partition,
	    "INSERT INTO tocsin.site_partition AS p (site_id, number, name) "
	    "VALUES ($1::bigint, $2::smallint, $3) RETURNING to_jsonb(p)" },
	{ ROUTE_DELETE, "/partitions/{partition_id}", "removePartition",
	    "Its channels belong to none then", ROUTE_SITES, ROUTE_NOTHING,
	    partition,
	    "DELETE FROM tocsin.site_partition WHERE id = $1::bigint",
	    .version_sql = "SELECT xmin FROM tocsin.site_partition "
			   "WHERE id = $1::bigint FOR UPDATE" },
	{ ROUTE_GET, "/sites/{site_id}/bridges", "listBridges",
	    "What signals from there", ROUTE_READ, ROUTE_LIST, site,
	    "SELECT to_jsonb(b), NULL FROM tocsin.site_bridge b "
	    "WHERE b.site_id = $1::bigint ORDER BY b.id" },
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
