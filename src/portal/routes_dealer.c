#include "base/array.h"
#include "portal/import_file.h"
#include "portal/route_parts.h"

static const struct route_parameter dealer[] = { ROUTE_DEALER, { NULL } };
static const struct route_parameter add_dealer[] = {
	{ "parent_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "below which one" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "as people know it" },
	{ NULL },
};
static const struct route_parameter set_library[] = {
	ROUTE_DEALER,
	ROUTE_SUBJECT,
	ROUTE_LIBRARY_VALUES,
	{ NULL },
};
static const struct route_parameter library_subject[] = { ROUTE_DEALER,
	ROUTE_SUBJECT, { NULL } };
#define STATION_FIELDS                                                         \
 { "center_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "which company" },         \
     { "receiver_id", ROUTE_IN_BODY, ROUTE_INTEGER, false,                     \
	     "null: signals are logged, not sent" },                           \
     { "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "as the dealer calls it" },    \
     { "prefix", ROUTE_IN_BODY, ROUTE_TEXT, false,                             \
	     "before each account number" },                                   \
     { "receiver_adds_prefix", ROUTE_IN_BODY, ROUTE_BOOLEAN, false,            \
	     "then it is not sent" },                                          \
     { "line_card", ROUTE_IN_BODY, ROUTE_TEXT, false,                          \
	     "instead of the receiver's line" },                               \
     { "url_template", ROUTE_IN_BODY, ROUTE_TEXT, false, "launch URL" },       \
     { "url_parameter", ROUTE_IN_BODY, ROUTE_TEXT, false,                      \
	     "act, csid or txid" },                                            \
 {                                                                             \
  "passkey", ROUTE_IN_BODY, ROUTE_TEXT, false, "where the receiver wants one"  \
 }
static const struct route_parameter list_stations[] = {
	{ "dealer_id", ROUTE_IN_QUERY, ROUTE_INTEGER, false,
	    "only this one's" },
	{ "after", ROUTE_IN_QUERY, ROUTE_INTEGER, false,
	    "\"next\" of the page before" },
	ROUTE_LIMIT,
	{ NULL },
};
static const struct route_parameter add_station[] = {
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "whose link" },
	STATION_FIELDS,
	{ NULL },
};
static const struct route_parameter save_station[] = {
	ROUTE_ID("station_id", "the station record"),
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "whose link" },
	STATION_FIELDS,
	{ NULL },
};
static const struct route_parameter station[] = {
	ROUTE_ID("station_id", "the station record"), { NULL }
};
#define WEBHOOK_FIELDS                                                         \
 { "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "as the dealer calls it" },        \
     { "url", ROUTE_IN_BODY, ROUTE_TEXT, true, "https://HOST/PATH" },          \
 {                                                                             \
  "classes", ROUTE_IN_BODY, ROUTE_ARRAY, false,                                \
      "of the classes of events; empty: every signal"                          \
 }
static const struct route_parameter list_webhooks[] = {
	{ "dealer_id", ROUTE_IN_QUERY, ROUTE_INTEGER, false,
	    "only this one's" },
	{ NULL },
};
static const struct route_parameter add_webhook[] = {
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true,
	    "whose sites' signals" },
	WEBHOOK_FIELDS,
	{ NULL },
};
static const struct route_parameter save_webhook[] = {
	ROUTE_ID("webhook_id", "the webhook"),
	WEBHOOK_FIELDS,
	{ "enabled", ROUTE_IN_BODY, ROUTE_BOOLEAN, true,
	    "false: it gets nothing new" },
	{ NULL },
};
static const struct route_parameter webhook[] = {
	ROUTE_ID("webhook_id", "the webhook"), { NULL }
};
#define CLASSES(place)                                                         \
 "ARRAY(SELECT jsonb_array_elements_text(coalesce(" place "::jsonb, '[]')))"

static const struct route_parameter import[] = {
	{ "kind", ROUTE_IN_PATH, ROUTE_TEXT, true, "site, channel or contact" },
	{ "rows", ROUTE_IN_BODY, ROUTE_ARRAY, true,
	    "objects with \"line\" and the fields of the kind" },
	{ NULL },
};
static const struct route_parameter import_csv[] = {
	{ "kind", ROUTE_IN_PATH, ROUTE_TEXT, true, "site, channel or contact" },
	{ "file", ROUTE_IN_BODY, ROUTE_FILE, true,
	    "comma-separated values in UTF-8, at most 5000 rows; the first "
	    "line names the columns, as tocsinctl import takes them" },
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "of rows when no column says whose" },
	{ NULL },
};

static const struct route routes[] = {
	{ ROUTE_GET, "/dealers", "listDealers", "The dealer and those below",
	    ROUTE_READ, ROUTE_LIST, route_no_parameters,
	    ROUTE_ALL_OF("dealer", "name") },
	{ ROUTE_POST, "/dealers", "addDealer", "A new sub-dealer",
	    ROUTE_SETTINGS, ROUTE_CREATED, add_dealer,
	    /* no RETURNING: the row is the user's from the next statement on */
	    "WITH added AS (INSERT INTO tocsin.dealer (parent_id, name) "
	    "VALUES ($1::bigint, $2)) SELECT jsonb_build_object('parent_id', "
	    "$1::bigint, 'name', $2::text)" },
	{ ROUTE_GET, "/dealers/{dealer_id}/library", "listDealerLibrary",
	    "What the dealer's sites inherit", ROUTE_READ, ROUTE_LIST, dealer,
	    "SELECT to_jsonb(l) || jsonb_build_object('sites_override', "
	    "coalesce(o.sites, 0)), NULL FROM tocsin.dealer_library l "
	    "LEFT JOIN tocsin.dealer_overrides($1::bigint) o "
	    "ON o.kind = l.kind AND o.subject = l.subject "
	    "WHERE l.dealer_id = $1::bigint ORDER BY l.kind DESC, l.subject" },
	{ ROUTE_PUT, "/dealers/{dealer_id}/library/{kind}/{subject}",
	    "setDealerLibrary", "Change a default of the dealer",
	    ROUTE_SETTINGS, ROUTE_ONE, set_library,
	    ROUTE_LIBRARY_SET("alarm_library", "dealer_id") },
	{ ROUTE_DELETE, "/dealers/{dealer_id}/library/{kind}/{subject}",
	    "resetDealerLibrary", "Back to what is built in", ROUTE_SETTINGS,
	    ROUTE_NOTHING, library_subject,
	    ROUTE_LIBRARY_RESET("alarm_library", "dealer_id") },
	{ ROUTE_GET, "/stations", "listStations",
	    "Station records, a page at a time", ROUTE_READ, ROUTE_LIST,
	    list_stations,
	    "SELECT jsonb_build_object('id', s.id, 'dealer_id', s.dealer_id, "
	    "'center_id', s.center_id, 'receiver_id', s.receiver_id, 'name', "
	    "s.name, 'prefix', s.prefix, 'receiver_adds_prefix', "
	    "s.receiver_adds_prefix, 'line_card', s.line_card, "
	    "'url_template', s.url_template, 'url_parameter', "
	    "s.url_parameter, 'version', s.xmin::text), s.id "
	    "FROM tocsin.station_record s "
	    "WHERE ($1::bigint IS NULL OR s.dealer_id = $1::bigint) "
	    "AND s.id > coalesce($2::bigint, 0) "
	    "AND NOT EXISTS (SELECT FROM tocsin.webhook w "
	    "WHERE w.station_record_id = s.id) ORDER BY s.id "
	    "LIMIT $3::integer" },
	{ ROUTE_POST, "/stations", "addStation", "A new station record",
	    ROUTE_SETTINGS, ROUTE_CREATED, add_station,
	    "SELECT jsonb_build_object('id', tocsin.station_record_save(NULL, "
	    "$1::bigint, $2::bigint, $3::bigint, $4, $5, $6::boolean, $7, $8, "
	    "$9, $10))" },
	{ ROUTE_PUT, "/stations/{station_id}", "saveStation",
	    "Change a station record", ROUTE_SETTINGS, ROUTE_ONE, save_station,
	    "SELECT jsonb_build_object('id', tocsin.station_record_save("
	    "$1::bigint, $2::bigint, $3::bigint, $4::bigint, $5, $6, "
	    "$7::boolean, $8, $9, $10, $11))",
	    .version_sql = ROUTE_VERSION("station_record") },
	{ ROUTE_DELETE, "/stations/{station_id}", "removeStation",
	    "No site may use it any more", ROUTE_SETTINGS, ROUTE_NOTHING,
	    station, "DELETE FROM tocsin.station_record WHERE id = $1::bigint",
	    .version_sql = ROUTE_VERSION("station_record") },
	{ ROUTE_GET, "/webhooks", "listWebhooks",
	    "Systems of the dealer's own that get its signals", ROUTE_SETTINGS,
	    ROUTE_LIST, list_webhooks,
	    "SELECT w.shown, NULL FROM tocsin.portal_webhooks() w "
	    "WHERE $1::bigint IS NULL OR (w.shown->>'dealer_id')::bigint "
	    "= $1::bigint ORDER BY w.webhook_id" },
	{ ROUTE_POST, "/webhooks", "addWebhook",
	    "One more, which gets nothing before it has a passkey",
	    ROUTE_SETTINGS, ROUTE_CREATED, add_webhook,
	    "SELECT jsonb_build_object('id', tocsin.webhook_new($1::bigint, "
	    "$2, $3, " CLASSES("$4") "))" },
	{ ROUTE_PUT, "/webhooks/{webhook_id}", "saveWebhook",
	    "Change one, or let it get nothing for a time", ROUTE_SETTINGS,
	    ROUTE_NOTHING, save_webhook,
	    "SELECT tocsin.webhook_set($1::bigint, $2, $3, " CLASSES(
		"$4") ", $5::boolean)" },
	{ ROUTE_DELETE, "/webhooks/{webhook_id}", "removeWebhook",
	    "What waits for it is parked", ROUTE_SETTINGS, ROUTE_NOTHING,
	    webhook, "SELECT tocsin.webhook_remove($1::bigint)" },
	{ ROUTE_GET, "/event-classes", "listEventClasses",
	    "Of which a webhook may get some", ROUTE_READ, ROUTE_LIST,
	    route_no_parameters,
	    "SELECT jsonb_build_object('name', c.name, 'title', c.title), NULL "
	    "FROM tocsin.code_class c ORDER BY c.title" },
	{ ROUTE_POST, "/import/{kind}", "importRows",
	    "Many at once; tells of each row, stores only with apply",
	    ROUTE_SITES, ROUTE_LIST, import,
	    "SELECT to_jsonb(r), NULL FROM tocsin.import_rows($1, $2::jsonb) r "
	    "ORDER BY r.line",
	    .preview = true, .worker = ROUTE_BULK },
	{ ROUTE_POST, "/import/{kind}/file", "importFile",
	    "The same from a file of comma-separated values", ROUTE_SITES,
	    ROUTE_LIST, import_csv, .handle = import_file, .preview = true,
	    .worker = ROUTE_BULK },
};

const struct route_group dealer_routes = { "Dealer settings", routes,
	COUNT(routes) };
