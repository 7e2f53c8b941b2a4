#include "base/array.h"
#include "portal/password_change.h"
#include "portal/route.h"

#define DEALER                                                                 \
 {                                                                             \
  "dealer_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the dealer"                \
 }
#define LIMIT                                                                  \
 {                                                                             \
  "limit", ROUTE_IN_QUERY, ROUTE_INTEGER, false,                               \
      "rows, 1 to 200; 50 otherwise"                                           \
 }

static const struct route_parameter nothing[] = { { NULL } };
static const struct route_parameter dealer[] = { DEALER, { NULL } };
static const struct route_parameter add_dealer[] = {
	{ "parent_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "below which one" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "as people know it" },
	{ NULL },
};
#define SUBJECT                                                                \
 { "kind", ROUTE_IN_PATH, ROUTE_TEXT, true,                                    \
	 "zone_type, system_event or inbound_code" },                          \
 {                                                                             \
  "subject", ROUTE_IN_PATH, ROUTE_TEXT, true, "which, as the library names it" \
 }
static const struct route_parameter set_library[] = {
	DEALER,
	SUBJECT,
	{ "enabled", ROUTE_IN_BODY, ROUTE_BOOLEAN, false,
	    "forwarded; null: as built in" },
	{ "code", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "what is sent; null: as built in" },
	{ NULL },
};
static const struct route_parameter library_subject[] = { DEALER, SUBJECT,
	{ NULL } };
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
static const struct route_parameter add_station[] = {
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "whose link" },
	STATION_FIELDS,
	{ NULL },
};
#define STATION                                                                \
 {                                                                             \
  "station_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the station record"       \
 }
static const struct route_parameter save_station[] = {
	STATION,
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "whose link" },
	STATION_FIELDS,
	{ NULL },
};
static const struct route_parameter station[] = { STATION, { NULL } };
static const struct route_parameter add_user[] = {
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "whose user" },
	{ "login", ROUTE_IN_BODY, ROUTE_TEXT, true, "small letters" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "of the person" },
	{ "email", ROUTE_IN_BODY, ROUTE_TEXT, false, "address" },
	{ "role", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "dealer_admin, dealer_technician, viewer or app_member" },
	{ NULL },
};
#define USER                                                                   \
 {                                                                             \
  "user_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the user"                    \
 }
static const struct route_parameter change_user[] = {
	USER,
	{ "name", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "of the person" },
	{ "email", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "address" },
	{ "role", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "of listRoles" },
	{ "disabled", ROUTE_IN_CHANGE, ROUTE_BOOLEAN, false, "cannot sign in" },
	{ NULL },
};
static const struct route_parameter set_password[] = {
	USER,
	{ "password", ROUTE_IN_BODY, ROUTE_TEXT, true, "10 to 256 characters" },
	{ NULL },
};
static const struct route_parameter user[] = { USER, { NULL } };
static const struct route_parameter add_key[] = {
	{ "user_id", ROUTE_IN_BODY, ROUTE_INTEGER, true,
	    "whose rights it has, at most" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "what it is for" },
	{ "scopes", ROUTE_IN_BODY, ROUTE_ARRAY, true,
	    "of read, sites, settings" },
	{ "expires_at", ROUTE_IN_BODY, ROUTE_TEXT, false, "a time" },
	{ NULL },
};
static const struct route_parameter key[] = {
	{ "key_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the key" },
	{ NULL },
};
static const struct route_parameter import[] = {
	{ "kind", ROUTE_IN_PATH, ROUTE_TEXT, true, "site, channel or contact" },
	{ "rows", ROUTE_IN_BODY, ROUTE_ARRAY, true,
	    "objects with \"line\" and the fields of the kind" },
	{ NULL },
};
static const struct route_parameter list_audit[] = {
	{ "before", ROUTE_IN_QUERY, ROUTE_INTEGER, false,
	    "\"next\" of the page before" },
	LIMIT,
	{ NULL },
};

#define OF_SUBJECT                                                             \
 "CASE $2::text WHEN 'zone_type' THEN l.zone_type::text "                      \
 "WHEN 'system_event' THEN l.system_event ELSE l.inbound_code END = $3::text"
#define USER_JSON                                                              \
 "jsonb_build_object('id', u.id, 'login', u.login, 'name', u.name, 'email', "  \
 "u.email, 'role', u.role, 'dealer_id', u.dealer_id, 'center_id', "            \
 "u.center_id, 'disabled', u.disabled, 'has_password', u.has_password, "       \
 "'has_totp', u.has_totp, 'locked_until', u.locked_until)"
#define USER_VERSION                                                           \
 "SELECT id FROM tocsin.user_account WHERE id = $1::bigint FOR UPDATE"
#define ALL_OF(table, order)                                                   \
 "SELECT to_jsonb(t), NULL FROM tocsin." table " t ORDER BY t." order

static const struct route routes[] = {
	{ ROUTE_GET, "/dealers", "listDealers", "The dealer and those below",
	    ROUTE_READ, ROUTE_LIST, nothing, ALL_OF("dealer", "name") },
	{ ROUTE_POST, "/dealers", "addDealer", "A new sub-dealer",
	    ROUTE_SETTINGS, ROUTE_CREATED, add_dealer,
	    /* no RETURNING: the row is the user's from the next statement on */
	    "WITH added AS (INSERT INTO tocsin.dealer (parent_id, name) "
	    "VALUES ($1::bigint, $2)) SELECT jsonb_build_object('parent_id', "
	    "$1::bigint, 'name', $2::text)" },
	{ ROUTE_GET, "/dealers/{dealer_id}/library", "listDealerLibrary",
	    "What the dealer's sites inherit", ROUTE_READ, ROUTE_LIST, dealer,
	    "SELECT to_jsonb(l) || jsonb_build_object('sites_override', "
	    "(SELECT count(*) FROM tocsin.alarm_library o JOIN tocsin.site s "
	    "ON s.id = o.site_id WHERE s.dealer_id = l.dealer_id AND CASE "
	    "l.kind WHEN 'zone_type' THEN o.zone_type::text WHEN "
	    "'system_event' THEN o.system_event ELSE o.inbound_code END = "
	    "l.subject)), NULL FROM tocsin.dealer_library l "
	    "WHERE l.dealer_id = $1::bigint ORDER BY l.kind DESC, l.subject" },
	{ ROUTE_PUT, "/dealers/{dealer_id}/library/{kind}/{subject}",
	    "setDealerLibrary", "Change a default of the dealer",
	    ROUTE_SETTINGS, ROUTE_ONE, set_library,
	    "WITH gone AS (DELETE FROM tocsin.alarm_library l "
	    "WHERE l.dealer_id = $1::bigint "
	    "AND num_nonnulls($4::text, $5::text) = 0 AND " OF_SUBJECT "), "
	    "set AS (INSERT INTO tocsin.alarm_library AS l (dealer_id, "
	    "zone_type, system_event, inbound_code, enabled, code) "
	    "SELECT $1::bigint, CASE $2::text WHEN 'zone_type' THEN "
	    "$3::smallint END, CASE $2::text WHEN 'system_event' THEN $3 END, "
	    "CASE $2::text WHEN 'inbound_code' THEN upper($3) END, "
	    "$4::boolean, upper($5) WHERE num_nonnulls($4::text, $5::text) > 0 "
	    "ON CONFLICT ON CONSTRAINT alarm_library_once DO UPDATE SET "
	    "enabled = EXCLUDED.enabled, code = EXCLUDED.code RETURNING l.id) "
	    "SELECT jsonb_build_object('kind', $2::text, 'subject', $3::text, "
	    "'enabled', $4::boolean, 'code', upper($5::text))" },
	{ ROUTE_DELETE, "/dealers/{dealer_id}/library/{kind}/{subject}",
	    "resetDealerLibrary", "Back to what is built in", ROUTE_SETTINGS,
	    ROUTE_NOTHING, library_subject,
	    "DELETE FROM tocsin.alarm_library l "
	    "WHERE l.dealer_id = $1::bigint AND " OF_SUBJECT },
	{ ROUTE_GET, "/centers", "listCenters", "Monitoring stations",
	    ROUTE_READ, ROUTE_LIST, nothing, ALL_OF("center", "name") },
	{ ROUTE_GET, "/receivers", "listReceivers",
	    "Receivers that may be chosen", ROUTE_READ, ROUTE_LIST, nothing,
	    "SELECT jsonb_build_object('id', r.id, 'center_id', r.center_id, "
	    "'name', r.name, 'protocol', r.protocol, 'visibility', "
	    "r.visibility), NULL FROM tocsin.receiver r ORDER BY r.name" },
	{ ROUTE_GET, "/stations", "listStations", "Station records", ROUTE_READ,
	    ROUTE_LIST, nothing,
	    "SELECT jsonb_build_object('id', s.id, 'dealer_id', s.dealer_id, "
	    "'center_id', s.center_id, 'receiver_id', s.receiver_id, 'name', "
	    "s.name, 'prefix', s.prefix, 'receiver_adds_prefix', "
	    "s.receiver_adds_prefix, 'line_card', s.line_card, "
	    "'url_template', s.url_template, 'url_parameter', "
	    "s.url_parameter, 'version', s.xmin::text), NULL "
	    "FROM tocsin.station_record s ORDER BY s.name, s.id" },
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
	    .version_sql = "SELECT xmin FROM tocsin.station_record "
			   "WHERE id = $1::bigint FOR UPDATE" },
	{ ROUTE_DELETE, "/stations/{station_id}", "removeStation",
	    "No site may use it any more", ROUTE_SETTINGS, ROUTE_NOTHING,
	    station, "DELETE FROM tocsin.station_record WHERE id = $1::bigint",
	    .version_sql = "SELECT xmin FROM tocsin.station_record "
			   "WHERE id = $1::bigint FOR UPDATE" },
	{ ROUTE_GET, "/users", "listUsers", "Who may sign in", ROUTE_READ,
	    ROUTE_LIST, nothing,
	    "SELECT " USER_JSON ", NULL FROM tocsin.user_account u "
	    "ORDER BY u.login" },
	{ ROUTE_POST, "/users", "addUser", "Somebody new, without a password",
	    ROUTE_SETTINGS, ROUTE_CREATED, add_user,
	    "INSERT INTO tocsin.user_account AS u (dealer_id, login, name, "
	    "email, role) VALUES ($1::bigint, lower($2), $3, nullif($4, ''), "
	    "$5) RETURNING " USER_JSON },
	{ ROUTE_PATCH, "/users/{user_id}", "changeUser", "Change what is sent",
	    ROUTE_SETTINGS, ROUTE_ONE, change_user,
	    "UPDATE tocsin.user_account u SET "
	    "name = coalesce($2::jsonb ->> 'name', u.name), "
	    "email = CASE WHEN $2::jsonb ? 'email' "
	    "THEN nullif($2::jsonb ->> 'email', '') ELSE u.email END, "
	    "role = coalesce($2::jsonb ->> 'role', u.role), "
	    "disabled = coalesce(($2::jsonb ->> 'disabled')::boolean, "
	    "u.disabled) WHERE u.id = $1::bigint RETURNING " USER_JSON,
	    .version_sql = USER_VERSION },
	{ ROUTE_PUT, "/users/{user_id}/password", "setPassword",
	    "A new password; ends that user's sessions", ROUTE_READ,
	    ROUTE_NOTHING, set_password, .handle = password_change,
	    .slow = true },
	{ ROUTE_DELETE, "/users/{user_id}", "removeUser",
	    "Cannot sign in any more", ROUTE_SETTINGS, ROUTE_NOTHING, user,
	    "DELETE FROM tocsin.user_account WHERE id = $1::bigint",
	    .version_sql = USER_VERSION },
	{ ROUTE_GET, "/keys", "listKeys", "Keys of programs", ROUTE_READ,
	    ROUTE_LIST, nothing,
	    "SELECT jsonb_build_object('id', k.id, 'user_id', k.user_id, "
	    "'name', k.name, 'scopes', to_jsonb(k.scopes), 'created_at', "
	    "k.created_at, 'expires_at', k.expires_at), NULL "
	    "FROM tocsin.api_key k ORDER BY k.name, k.id" },
	{ ROUTE_POST, "/keys", "addKey",
	    "A new key for a program; it is shown once", ROUTE_SETTINGS,
	    ROUTE_CREATED, add_key,
	    "INSERT INTO tocsin.api_key AS k (user_id, name, scopes, "
	    "expires_at, key_hash) VALUES ($1::bigint, $2, ARRAY(SELECT "
	    "jsonb_array_elements_text($3::jsonb)), $4::timestamptz, "
	    "$5::bytea) RETURNING jsonb_build_object('id', k.id)",
	    .issues_token = true },
	{ ROUTE_DELETE, "/keys/{key_id}", "removeKey", "It opens nothing then",
	    ROUTE_SETTINGS, ROUTE_NOTHING, key,
	    "DELETE FROM tocsin.api_key WHERE id = $1::bigint" },
	{ ROUTE_POST, "/import/{kind}", "importRows",
	    "Many at once; tells of each row, stores only with apply",
	    ROUTE_SITES, ROUTE_LIST, import,
	    "SELECT to_jsonb(r), NULL FROM tocsin.import_rows($1, $2::jsonb) r "
	    "ORDER BY r.line",
	    .preview = true },
	{ ROUTE_GET, "/audit", "listAudit", "Who changed what, newest first",
	    ROUTE_SETTINGS, ROUTE_LIST, list_audit,
	    "SELECT to_jsonb(a) - 'hash' - 'xid', a.id FROM tocsin.audit_log a "
	    "WHERE a.id < coalesce($1::bigint, 9223372036854775807) "
	    "ORDER BY a.id DESC LIMIT $2" },
	{ ROUTE_GET, "/zone-types", "listZoneTypes", "How zones behave",
	    ROUTE_READ, ROUTE_LIST, nothing, ALL_OF("zone_type", "number") },
	{ ROUTE_GET, "/arming-methods", "listArmingMethods",
	    "What may arm a site", ROUTE_READ, ROUTE_LIST, nothing,
	    ALL_OF("arming_method", "position") },
	{ ROUTE_GET, "/supervision-classes", "listSupervisionClasses",
	    "Presets of supervision", ROUTE_READ, ROUTE_LIST, nothing,
	    ALL_OF("supervision_class", "name") },
	{ ROUTE_GET, "/roles", "listRoles", "What users may be", ROUTE_READ,
	    ROUTE_LIST, nothing, ALL_OF("user_role", "name") },
	{ ROUTE_GET, "/templates", "listTemplates", "Templates of sites",
	    ROUTE_READ, ROUTE_LIST, nothing, ALL_OF("site_template", "name") },
	{ ROUTE_GET, "/timezones", "listTimezones", "IANA names", ROUTE_READ,
	    ROUTE_LIST, nothing, ALL_OF("timezone", "name") },
};

const struct route_group dealer_routes = { "Dealer settings", routes,
	COUNT(routes) };
