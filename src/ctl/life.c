#include "ctl/life.h"

#include "base/array.h"
#include "ctl/site.h"
#include "ctl/user_password.h"

/* option, column, type, required, nullable, filter, value, help */

#define NEEDED(option, type, value, help)                                      \
 {                                                                             \
  option, NULL, type, true, false, false, value, help                          \
 }
#define OPTIONAL(option, type, value, help)                                    \
 {                                                                             \
  option, NULL, type, false, false, false, value, help                         \
 }
#define SITE   NEEDED("site", ENTITY_NUMBER, "ID", "which site")
#define BRIDGE NEEDED("id", ENTITY_NUMBER, "ID", "which bridge")
#define FIRMWARE                                                               \
 OPTIONAL("firmware", ENTITY_TEXT, "VERSION",                                  \
     "as the bridge tells it; as stored otherwise")
#define COLUMNS(table) table, COUNT(table)

/* ---- sites ------------------------------------------------------------------------ */

#define SHOW_SITE                                                              \
 "SELECT id, name, security, on_test_until, on_test_forward, "                 \
 "effective_account, activation_ends FROM tocsin.site_overview "               \
 "WHERE id = $1::bigint"

static const struct entity_column site_id[] = {
	NEEDED("id", ENTITY_NUMBER, "ID", "which site"),
};

const struct entity_action life_site_actions[LIFE_SITE_ACTIONS] = {
	{ "create", "[OPTION]...",
	    "a new customer, step by step on a terminal or in one call",
	    .run = site_create },
	{ "show", "ID", "everything about one, and what it lacks",
	    .run = site_show },
	{ "find", "TEXT | --url URL",
	    "by name, account, external id, serial or launch URL",
	    .run = site_find },
	{ "list", "[OPTION]...", "all, or those that match", .run = site_list },
	{ "deactivate", "--id ID",
	    "acknowledge and log its signals, forward nothing",
	    COLUMNS(site_id),
	    "SELECT $1::bigint, tocsin.site_deactivate($1::bigint)",
	    SHOW_SITE },
	{ "reactivate", "--id ID",
	    "forward again, when its account is still free", COLUMNS(site_id),
	    "SELECT $1::bigint, tocsin.site_reactivate($1::bigint)",
	    SHOW_SITE },
};

/* ---- on test ---------------------------------------------------------------------- */

static const struct entity_column test_start[] = {
	SITE,
	OPTIONAL("minutes", ENTITY_NUMBER, "N", "60 otherwise"),
	OPTIONAL("forward", ENTITY_FLAG, NULL,
	    "send the signals marked as test; held back otherwise"),
};
static const struct entity_column only_site[] = { SITE };

static const struct entity_action test_actions[] = {
	{ "start", "--site ID [--minutes N] [--forward]",
	    "on test, until the time is over", COLUMNS(test_start),
	    "SELECT $1::bigint, tocsin.site_test_start($1::bigint, "
	    "least(coalesce($2::bigint, 60), 2147483647)::integer, "
	    "coalesce($3::boolean, false))",
	    SHOW_SITE },
	{ "stop", "--site ID", "the test ends now", COLUMNS(only_site),
	    "SELECT $1::bigint, tocsin.site_test_stop($1::bigint)", SHOW_SITE },
};

/* ---- arming ----------------------------------------------------------------------- */

static const struct entity_column arming_set[] = {
	SITE,
	NEEDED("method", ENTITY_CHOICE, LIFE_ARMING_METHODS,
	    "the one authority over the arming state"),
	OPTIONAL("bridge", ENTITY_NUMBER, "ID",
	    "panel_primary: whose arming input; the first otherwise"),
};

#define SHOW_ARMING                                                            \
 "SELECT id, name, arming_method, arming_title, arming_bridge_id, "            \
 "entry_delay_s, exit_delay_s, (SELECT string_agg(sentence, '; ') FROM "       \
 "tocsin.site_warning w WHERE w.site_id = o.id AND warning IN "                \
 "('no_arming_bridge', 'no_schedule', 'no_app_member')) AS lacks "             \
 "FROM tocsin.site_overview o WHERE id = $1::bigint"

static const struct entity_action arming_actions[] = {
	{ "set", "--site ID --method METHOD [--bridge ID]",
	    "another authority in the place of the one before",
	    COLUMNS(arming_set),
	    "SELECT $1::bigint, tocsin.site_arming_set($1::bigint, $2, "
	    "$3::bigint)",
	    SHOW_ARMING },
	{ "show", "--site ID", "who arms the site, and what that lacks",
	    COLUMNS(only_site),
	    "SELECT id FROM tocsin.site WHERE id = $1::bigint", SHOW_ARMING },
};

/* ---- schedules -------------------------------------------------------------------- */

static const struct entity_column schedule_add[] = {
	SITE,
	NEEDED("days", ENTITY_DAYS, "mon,tue,..", "on which days it begins"),
	NEEDED("from", ENTITY_CLOCK, "HH:MM", "in the site's timezone"),
	NEEDED("until", ENTITY_CLOCK, "HH:MM",
	    "over midnight when it is not later"),
	OPTIONAL("partition", ENTITY_NUMBER, "ID", "only this one"),
};
static const struct entity_column schedule_except[] = {
	SITE,
	NEEDED("from", ENTITY_MOMENT, "\'YYYY-MM-DD HH:MM'",
	    "in the site's timezone"),
	NEEDED("until", ENTITY_MOMENT, "\'YYYY-MM-DD HH:MM'", "when it ends"),
	NEEDED("armed", ENTITY_BOOLEAN, "yes|no", "whatever the week says"),
	OPTIONAL("note", ENTITY_TEXT, "TEXT", "why"),
	OPTIONAL("partition", ENTITY_NUMBER, "ID", "only this one"),
};
static const struct entity_column window_id[] = {
	NEEDED("id", ENTITY_NUMBER, "ID", "which window"),
};
static const struct entity_column exception_id[] = {
	NEEDED("id", ENTITY_NUMBER, "ID", "which exception"),
};

#define WEEK_TIME(minute)                                                      \
 "(ARRAY['mon','tue','wed','thu','fri','sat','sun','mon'])[" minute            \
 " / 1440 + 1] || to_char(make_interval(mins => " minute                       \
 " % 1440), ' HH24:MI')"
#define LIST_WINDOWS                                                                                \
 "SELECT id, site_id, partition_id, " WEEK_TIME("lower(week_minutes)") " AS from_time, " WEEK_TIME( \
     "upper(week_minutes)") " AS until_time FROM tocsin.arming_window WHERE site_id = $1::bigint "  \
			    "ORDER BY partition_id NULLS FIRST, lower(week_minutes)"
#define LIST_EXCEPTIONS                                                        \
 "SELECT id, site_id, partition_id, lower(during) AS from_time, "              \
 "upper(during) AS until_time, armed, note FROM tocsin.arming_exception "      \
 "WHERE site_id = $1::bigint ORDER BY lower(during)"

static const struct entity_action schedule_actions[] = {
	{ "add", "--site ID --days mon,tue --from HH:MM --until HH:MM",
	    "armed each week from one time to the other", COLUMNS(schedule_add),
	    "SELECT $1::bigint, tocsin.arming_window_add($1::bigint, "
	    "$2::integer, $3::time, $4::time, $5::bigint)",
	    LIST_WINDOWS },
	{ "list", "--site ID", "the week of a site", COLUMNS(only_site), NULL,
	    LIST_WINDOWS },
	{ "remove", "--id ID", "one window", COLUMNS(window_id),
	    "DELETE FROM tocsin.arming_window WHERE id = $1::bigint "
	    "RETURNING site_id",
	    LIST_WINDOWS },
	{ "except", "--site ID --from TIME --until TIME --armed yes|no",
	    "once otherwise than the week says", COLUMNS(schedule_except),
	    "INSERT INTO tocsin.arming_exception (site_id, during, armed, "
	    "note, partition_id) VALUES ($1::bigint, tsrange($2::timestamp, "
	    "$3::timestamp), $4::boolean, coalesce($5, ''), $6::bigint) "
	    "RETURNING site_id",
	    LIST_EXCEPTIONS },
	{ "exceptions", "--site ID", "what is once otherwise",
	    COLUMNS(only_site), NULL, LIST_EXCEPTIONS },
	{ "unexcept", "--id ID", "remove one exception", COLUMNS(exception_id),
	    "DELETE FROM tocsin.arming_exception WHERE id = $1::bigint "
	    "RETURNING site_id",
	    LIST_EXCEPTIONS },
};

/* ---- bridges ---------------------------------------------------------------------- */

static const struct entity_column bridge_id[] = { BRIDGE };
static const struct entity_column bridge_register[] = {
	NEEDED("claim-code", ENTITY_TEXT, "CODE", "on the bridge's label"),
	SITE,
	FIRMWARE,
};
static const struct entity_column bridge_to_site[] = { BRIDGE, SITE, FIRMWARE };
static const struct entity_column bridge_supervise[] = {
	BRIDGE,
	{ "class", NULL, ENTITY_CHOICE, true, true, false,
	    "SP1|SP2|SP3|SP4|SP5|SP6|DP1|DP2|DP3|DP4",
	    "of EN 50136; none: not supervised" },
};

#define OVERLAP                                                                \
 OPTIONAL("overlap", ENTITY_SECONDS, "TIME",                                   \
     "how long the old one is accepted too, 30d otherwise")

static const struct entity_column bridge_roll_key[] = {
	BRIDGE,
	NEEDED("key", ENTITY_KEY, "hex:..|text:..", "the new one"),
	OVERLAP,
};
static const struct entity_column bridge_roll_bearer[] = { BRIDGE, OVERLAP };

#define SHOW_BRIDGE                                                            \
 "SELECT id, site_id, serial, model, firmware, kind, transport_account, "      \
 "has_key, previous_key_until, has_bearer_key, previous_bearer_key_until, "    \
 "state, supervision FROM tocsin.site_bridge WHERE id = $1::bigint"

const struct entity_action life_bridge_actions[LIFE_BRIDGE_ACTIONS] = {
	{ "claim-code", "--id ID", "a new claim code, shown this once",
	    COLUMNS(bridge_id), NULL,
	    "SELECT $1::bigint AS id, "
	    "tocsin.bridge_claim_code_new($1::bigint) AS claim_code" },
	{ "bearer-key", "--id ID",
	    "a new key for the HTTP bridge API, shown this once",
	    COLUMNS(bridge_id), NULL,
	    "SELECT $1::bigint AS id, "
	    "tocsin.bridge_bearer_key_new($1::bigint) AS bearer_key" },
	{ "bearer-key-roll", "--id ID [--overlap T]",
	    "a new one; the old one is accepted beside it for a time",
	    COLUMNS(bridge_roll_bearer), NULL,
	    "SELECT $1::bigint AS id, tocsin.bridge_bearer_key_roll($1::bigint, "
	    "coalesce($2::bigint, 30 * 86400)) AS bearer_key" },
	{ "bearer-key-remove", "--id ID", "it has no such key any more",
	    COLUMNS(bridge_id),
	    "UPDATE tocsin.bridge SET bearer_key_hash = NULL "
	    "WHERE id = $1::bigint RETURNING id",
	    SHOW_BRIDGE },
	{ "register", "--claim-code CODE --site ID [--firmware VERSION]",
	    "at a site, by who has the bridge", COLUMNS(bridge_register),
	    "SELECT tocsin.bridge_register($1, $2::bigint, $3)", SHOW_BRIDGE },
	{ "assign", "--id ID --site ID [--firmware VERSION]",
	    "register without a claim code", COLUMNS(bridge_to_site),
	    "SELECT $1::bigint, tocsin.bridge_assign($1::bigint, $2::bigint, "
	    "$3)",
	    SHOW_BRIDGE },
	{ "transfer", "--id ID --site ID [--firmware VERSION]",
	    "from its site to another; queued signals keep the old account",
	    COLUMNS(bridge_to_site),
	    "SELECT $1::bigint, tocsin.bridge_transfer($1::bigint, $2::bigint, "
	    "$3)",
	    SHOW_BRIDGE },
	{ "unregister", "--id ID",
	    "its later signals are logged and not forwarded",
	    COLUMNS(bridge_id),
	    "SELECT $1::bigint, tocsin.bridge_unregister($1::bigint)",
	    SHOW_BRIDGE },
	{ "supervise", "--id ID --class CLASS",
	    "report its silence after the class's interval",
	    COLUMNS(bridge_supervise),
	    "SELECT b.id, tocsin.bridge_supervise(b.id, $2) "
	    "FROM tocsin.bridge b WHERE b.id = $1::bigint",
	    SHOW_BRIDGE },
	{ "roll-key", "--id ID --key KEY --master-key-file FILE [--overlap T]",
	    "a new key; the old one is accepted beside it for a time",
	    COLUMNS(bridge_roll_key),
	    "SELECT $1::bigint, tocsin.bridge_key_roll($1::bigint, $2::bytea, "
	    "coalesce($3::bigint, 30 * 86400))",
	    SHOW_BRIDGE },
};

/* ---- users ------------------------------------------------------------------------ */

const struct entity_action life_user_actions[LIFE_USER_ACTIONS] = {
	{ .name = "password",
	    .synopsis = "--login LOGIN [--password FILE|-]",
	    .help = "a new one; asked for when no file is given",
	    .run = user_password },
};

#define MEMBER NEEDED("user", ENTITY_NUMBER, "ID", "a user of role app_member")
#define MEMBER_NUMBER(need)                                                    \
 need("number", ENTITY_SMALL, "N", "in openings and closings, 1 to 999")
#define MEMBER_MAY                                                             \
 OPTIONAL("may-arm", ENTITY_BOOLEAN, "yes|no", "arms and disarms"),            \
     OPTIONAL("may-view", ENTITY_BOOLEAN, "yes|no", "sees the cameras")

static const struct entity_column member_columns[] = { SITE, MEMBER,
	MEMBER_NUMBER(NEEDED), MEMBER_MAY };
static const struct entity_column member_changes[] = { SITE, MEMBER,
	MEMBER_NUMBER(OPTIONAL), MEMBER_MAY };
static const struct entity_column member_key[] = { SITE, MEMBER };

#define LIST_MEMBERS                                                           \
 "SELECT m.site_id, m.user_id, u.login, u.name, m.user_number, m.may_arm, "    \
 "m.may_view FROM tocsin.app_member m JOIN tocsin.user_account u "             \
 "ON u.id = m.user_id WHERE m.site_id = $1::bigint ORDER BY m.user_number"

static const struct entity_action app_member_actions[] = {
	{ "add", "--site ID --user ID --number N", "give a user the site",
	    COLUMNS(member_columns),
	    "INSERT INTO tocsin.app_member (site_id, user_id, user_number, "
	    "may_arm, may_view) VALUES ($1::bigint, $2::bigint, $3::smallint"
	    ", coalesce($4::boolean, true), coalesce($5::boolean, true)) "
	    "RETURNING site_id",
	    LIST_MEMBERS },
	{ "set", "--site ID --user ID OPTION...", "change what is given",
	    COLUMNS(member_changes),
	    "UPDATE tocsin.app_member SET user_number = "
	    "coalesce($3::smallint, user_number), "
	    "may_arm = coalesce($4::boolean, may_arm), "
	    "may_view = coalesce($5::boolean, may_view) "
	    "WHERE site_id = $1::bigint AND user_id = $2::bigint "
	    "RETURNING site_id",
	    LIST_MEMBERS },
	{ "list", "--site ID", "who has the site", COLUMNS(only_site), NULL,
	    LIST_MEMBERS },
	{ "remove", "--site ID --user ID", "take the site away",
	    COLUMNS(member_key),
	    "DELETE FROM tocsin.app_member WHERE site_id = $1::bigint "
	    "AND user_id = $2::bigint RETURNING site_id",
	    LIST_MEMBERS },
};

/* ---- firmware ---------------------------------------------------------------------- */

#define MODEL                                                                  \
 OPTIONAL("model", ENTITY_TEXT, "TEXT", "of bridges; every other otherwise")
#define LIST_FIRMWARE "SELECT model, version FROM tocsin.firmware_minimum "
#define BY_MODEL      "ORDER BY model"
/* a step answers 0, which they have instead of an id */
#define AFTER "WHERE $1::bigint = 0 "

static const struct entity_column firmware_set[] = {
	MODEL,
	NEEDED("version", ENTITY_TEXT, "N.N.N", "the oldest that may be used"),
};
static const struct entity_column firmware_remove[] = { MODEL };

static const struct entity_action firmware_actions[] = {
	{ "set", "[--model TEXT] --version N.N.N",
	    "a bridge with an older one is not registered or transferred",
	    COLUMNS(firmware_set),
	    "INSERT INTO tocsin.firmware_minimum (model, version) "
	    "VALUES (coalesce($1, ''), $2) ON CONFLICT (model) "
	    "DO UPDATE SET version = excluded.version RETURNING 0",
	    LIST_FIRMWARE AFTER BY_MODEL },
	{ "list", "", "the oldest firmware of each model", NULL, 0, NULL,
	    LIST_FIRMWARE BY_MODEL },
	{ "remove", "[--model TEXT]", "any firmware may be used again",
	    COLUMNS(firmware_remove),
	    "DELETE FROM tocsin.firmware_minimum "
	    "WHERE model = coalesce($1, '') RETURNING 0",
	    LIST_FIRMWARE AFTER BY_MODEL },
};

/* ---- audit ------------------------------------------------------------------------ */

static const struct entity_column audit_filters[] = {
	OPTIONAL("dealer", ENTITY_NUMBER, "ID", "its rows; 0: nobody's"),
	OPTIONAL("table", ENTITY_TEXT, "NAME", "rows of this table"),
	OPTIONAL("row", ENTITY_TEXT, "ID", "this row"),
	OPTIONAL("actor", ENTITY_TEXT, "NAME", "who did it"),
	OPTIONAL("limit", ENTITY_NUMBER, "N", "the last N, 100 otherwise"),
};

/* Of an update only what is another value on the other side. */
#define OTHER(row, beside)                                                     \
 "CASE WHEN action <> 'update' THEN " row " ELSE (SELECT "                     \
 "jsonb_object_agg(key, value) FROM jsonb_each(" row ") "                      \
 "WHERE " beside " -> key IS DISTINCT FROM value) END"

static const struct entity_action audit_actions[] = {
	{ "list", "[OPTION]...", "who changed what, the last first",
	    COLUMNS(audit_filters), NULL,
	    "SELECT at, actor, database_role, action, table_name, row_key, " OTHER(
		"old", "new") " AS old, " OTHER("new",
		"old") " AS new "
		       "FROM tocsin.audit_log "
		       "WHERE ($1::bigint IS NULL OR chain = $1::bigint) "
		       "AND ($2::text IS NULL OR table_name = $2) "
		       "AND ($3::text IS NULL OR row_key = $3) "
		       "AND ($4::text IS NULL OR actor = $4) "
		       "ORDER BY at DESC, id DESC LIMIT coalesce($5::bigint, 100)" },
	{ "verify", "", "whether the trail was altered; exit 1 when it was",
	    NULL, 0, NULL, "SELECT * FROM tocsin.audit_verify()",
	    "the trail is whole" },
};

/* ---- commands --------------------------------------------------------------------- */

#define ACTIONS(word, text)                                                    \
 int entity_##word(int argc, char **argv)                                      \
 {                                                                             \
  static const struct entity entity = { .name = text,                          \
	  .actions = word##_actions,                                           \
	  .action_count = COUNT(word##_actions) };                             \
                                                                               \
  return entity_run(&entity, argc, argv);                                      \
 }

ACTIONS(schedule, "schedule")
ACTIONS(test, "test")
ACTIONS(arming, "arming")
ACTIONS(app_member, "app-member")
ACTIONS(firmware, "firmware")
ACTIONS(audit, "audit")
