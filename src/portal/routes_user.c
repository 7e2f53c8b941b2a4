#include "base/array.h"
#include "portal/password_change.h"
#include "portal/route_parts.h"

static const struct route_parameter list_users[] = {
	{ "after", ROUTE_IN_QUERY, ROUTE_TEXT, false,
	    "\"next\" of the page before" },
	ROUTE_LIMIT,
	{ "dealer_id", ROUTE_IN_QUERY, ROUTE_INTEGER, false,
	    "only this one's" },
	{ "role", ROUTE_IN_QUERY, ROUTE_TEXT, false, "only with this one" },
	{ "q", ROUTE_IN_QUERY, ROUTE_TEXT, false,
	    "only with this part of login or name" },
	{ NULL },
};
static const struct route_parameter add_user[] = {
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "whose user" },
	{ "login", ROUTE_IN_BODY, ROUTE_TEXT, true, "small letters" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "of the person" },
	{ "email", ROUTE_IN_BODY, ROUTE_TEXT, false, "address" },
	{ "role", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "dealer_admin, dealer_technician, viewer or app_member" },
	{ NULL },
};
static const struct route_parameter change_user[] = {
	ROUTE_ID("user_id", "the user"),
	{ "name", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "of the person" },
	{ "email", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "address" },
	{ "role", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "of listRoles" },
	{ "disabled", ROUTE_IN_CHANGE, ROUTE_BOOLEAN, false, "cannot sign in" },
	{ NULL },
};
static const struct route_parameter set_password[] = {
	ROUTE_ID("user_id", "the user"),
	{ "password", ROUTE_IN_BODY, ROUTE_TEXT, true, "10 to 256 characters" },
	{ NULL },
};
static const struct route_parameter user[] = { ROUTE_ID("user_id", "the user"),
	{ NULL } };
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
static const struct route_parameter list_audit[] = {
	{ "before", ROUTE_IN_QUERY, ROUTE_INTEGER, false,
	    "\"next\" of the page before" },
	ROUTE_LIMIT,
	{ NULL },
};

#define USER_SAID                                                                \
 "jsonb_build_object('id', u.id, 'login', u.login, 'name', u.name, 'email', "    \
 "u.email, 'role', u.role, 'dealer_id', u.dealer_id, 'center_id', u.center_id, " \
 "'disabled', u.disabled, 'has_password', u.has_password, 'has_totp', u.has_totp)"
/* Of what people decide: a sign-in that fails changes the row, and nobody's
 * change is refused for that. */
#define USER_VERSION "md5(" USER_SAID "::text)"
#define USER_JSON                                                                  \
 USER_SAID                                                                         \
 " || jsonb_build_object('locked_until', u.locked_until, 'version', " USER_VERSION \
 ")"
#define USER_VERSION_NOW                                                       \
 "SELECT " USER_VERSION                                                        \
 " FROM tocsin.user_account u WHERE u.id = $1::bigint FOR UPDATE"

static const struct route routes[] = {
	{ ROUTE_GET, "/users", "listUsers", "Who may sign in", ROUTE_READ,
	    ROUTE_LIST, list_users,
	    "SELECT " USER_JSON ", u.login FROM tocsin.portal_users($1, "
	    "$3::bigint, $4, nullif($5, ''), $2::integer) p (id) "
	    "JOIN tocsin.user_account u ON u.id = p.id ORDER BY u.login" },
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
	    "u.disabled) WHERE u.id = $1::bigint RETURNING " USER_JSON
	    ", " USER_VERSION,
	    .version_sql = USER_VERSION_NOW },
	{ ROUTE_PUT, "/users/{user_id}/password", "setPassword",
	    "A new password; ends that user's sessions", ROUTE_READ,
	    ROUTE_NOTHING, set_password, .handle = password_change,
	    .worker = ROUTE_PASSWORD },
	{ ROUTE_DELETE, "/users/{user_id}/second-factor", "takeSecondFactor",
	    "Of somebody else who lost it: the password is enough again",
	    ROUTE_SETTINGS, ROUTE_NOTHING, user,
	    "SELECT tocsin.second_factor_take_away($1::bigint)" },
	{ ROUTE_DELETE, "/users/{user_id}", "removeUser",
	    "Cannot sign in any more", ROUTE_SETTINGS, ROUTE_NOTHING, user,
	    "DELETE FROM tocsin.user_account WHERE id = $1::bigint",
	    .version_sql = USER_VERSION_NOW },
	{ ROUTE_GET, "/keys", "listKeys", "Keys of programs", ROUTE_READ,
	    ROUTE_LIST, route_no_parameters,
	    "SELECT jsonb_build_object('id', k.id, 'user_id', k.user_id, "
	    "'login', u.login, 'dealer_id', u.dealer_id, 'name', k.name, "
	    "'scopes', to_jsonb(k.scopes), 'created_at', k.created_at, "
	    "'expires_at', k.expires_at), NULL FROM tocsin.api_key k "
	    "LEFT JOIN tocsin.user_account u ON u.id = k.user_id "
	    "ORDER BY k.name, k.id" },
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
	{ ROUTE_GET, "/audit", "listAudit", "Who changed what, newest first",
	    ROUTE_SETTINGS, ROUTE_LIST, list_audit,
	    "SELECT to_jsonb(a) - 'hash' - 'xid', a.id "
	    "FROM tocsin.portal_audit($1::bigint, $2::integer) p "
	    "JOIN tocsin.audit_log a ON a.chain = p.chain AND a.id = p.id "
	    "ORDER BY a.id DESC" },
};

const struct route_group user_routes = { "Users and keys", routes,
	COUNT(routes) };
