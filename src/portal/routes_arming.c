#include "base/array.h"
#include "portal/route_parts.h"

static const struct route_parameter site[] = { ROUTE_SITE, { NULL } };
static const struct route_parameter set_arming[] = {
	ROUTE_SITE,
	{ "arming_method", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "of listArmingMethods" },
	{ "bridge_id", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "with panel_primary: which one arms the site" },
	{ NULL },
};
static const struct route_parameter add_partition[] = {
	ROUTE_SITE,
	{ "number", ROUTE_IN_BODY, ROUTE_INTEGER, true, "1 to 99" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "as people know it" },
	{ NULL },
};
static const struct route_parameter partition[] = {
	ROUTE_ID("partition_id", "the partition"), { NULL }
};
static const struct route_parameter set_channels[] = {
	ROUTE_ID("partition_id", "the partition"),
	{ "channels", ROUTE_IN_BODY, ROUTE_ARRAY, true,
	    "all that belong to it; each leaves the one where it was" },
	{ NULL },
};
#define PART_OF_SITE                                                           \
 {                                                                             \
  "partition_id", ROUTE_IN_BODY, ROUTE_INTEGER, false, "null: the whole site"  \
 }
static const struct route_parameter add_window[] = {
	ROUTE_SITE,
	{ "weekdays", ROUTE_IN_BODY, ROUTE_ARRAY, true,
	    "on which it begins: 1 Monday to 7 Sunday" },
	{ "from", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "armed from then on: 22:00 by the site's clock" },
	{ "until", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "not later than from: of the next day" },
	PART_OF_SITE,
	{ NULL },
};
static const struct route_parameter window[] = {
	ROUTE_ID("window_id", "the window"), { NULL }
};
static const struct route_parameter add_exception[] = {
	ROUTE_SITE,
	{ "from", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "2026-12-24T12:00 by the site's clock" },
	{ "until", ROUTE_IN_BODY, ROUTE_TEXT, true, "when it is over" },
	{ "armed", ROUTE_IN_BODY, ROUTE_BOOLEAN, true,
	    "armed all through, or disarmed" },
	{ "note", ROUTE_IN_BODY, ROUTE_TEXT, false, "for example Holidays" },
	PART_OF_SITE,
	{ NULL },
};
static const struct route_parameter exception[] = {
	ROUTE_ID("exception_id", "the exception"), { NULL }
};

#define CHANNELS_OF_PARTITION                                                  \
 "(SELECT coalesce(jsonb_agg(c.channel_id ORDER BY c.channel_id), '[]') "      \
 "FROM tocsin.partition_channel c WHERE c.partition_id = p.id)"
/* With what belongs to it. */
#define PARTITION_VERSION "md5(p.xmin::text || " CHANNELS_OF_PARTITION ")"
#define PARTITION_VERSION_NOW                                                  \
 "SELECT " PARTITION_VERSION                                                   \
 " FROM tocsin.site_partition p WHERE p.id = $1::bigint"

static const struct route routes[] = {
	{ ROUTE_PUT, "/sites/{site_id}/arming", "setSiteArming",
	    "The one authority over its arming", ROUTE_SITES, ROUTE_NOTHING,
	    set_arming,
	    "SELECT tocsin.site_arming_set($1::bigint, $2, $3::bigint)",
	    .version_sql = ROUTE_VERSION("site") },
	{ ROUTE_GET, "/sites/{site_id}/partitions", "listPartitions",
	    "Groups of channels that are armed apart", ROUTE_READ, ROUTE_LIST,
	    site,
	    "SELECT to_jsonb(p) || jsonb_build_object('channels', " CHANNELS_OF_PARTITION
	    ", 'version', " PARTITION_VERSION "), NULL "
	    "FROM tocsin.site_partition p WHERE p.site_id = $1::bigint "
	    "ORDER BY p.number" },
	{ ROUTE_POST, "/sites/{site_id}/partitions", "addPartition",
	    "A new partition", ROUTE_SITES, ROUTE_CREATED, add_partition,
	    "INSERT INTO tocsin.site_partition AS p (site_id, number, name) "
	    "VALUES ($1::bigint, $2::smallint, $3) RETURNING to_jsonb(p)" },
	{ ROUTE_DELETE, "/partitions/{partition_id}", "removePartition",
	    "Its channels belong to none then", ROUTE_SITES, ROUTE_NOTHING,
	    partition,
	    "DELETE FROM tocsin.site_partition WHERE id = $1::bigint",
	    .version_sql = PARTITION_VERSION_NOW,
	    .lock_sql = ROUTE_LOCK("site_partition") },
	{ ROUTE_PUT, "/partitions/{partition_id}/channels",
	    "setPartitionChannels", "Which channels belong to it", ROUTE_SITES,
	    ROUTE_NOTHING, set_channels,
	    /* one that is not the user's has no bridge: refused as such */
	    "WITH wanted AS (SELECT w.id::bigint, coalesce(c.bridge_id, 0) AS "
	    "bridge_id FROM jsonb_array_elements_text($2::jsonb) w (id) "
	    "LEFT JOIN tocsin.channel c ON c.id = w.id::bigint), "
	    "gone AS (DELETE FROM tocsin.partition_channel p WHERE "
	    "p.partition_id = $1::bigint AND p.channel_id <> ALL (SELECT w.id "
	    "FROM wanted w)) INSERT INTO tocsin.partition_channel (site_id, "
	    "partition_id, bridge_id, channel_id) SELECT p.site_id, p.id, "
	    "w.bridge_id, w.id FROM tocsin.site_partition p, wanted w "
	    "WHERE p.id = $1::bigint ON CONFLICT ON CONSTRAINT "
	    "partition_channel_once DO UPDATE SET site_id = EXCLUDED.site_id, "
	    "partition_id = EXCLUDED.partition_id",
	    .version_sql = PARTITION_VERSION_NOW,
	    .lock_sql = ROUTE_LOCK("site_partition") },
	{ ROUTE_GET, "/sites/{site_id}/windows", "listWindows",
	    "The weekly schedule: armed in these, disarmed else", ROUTE_READ,
	    ROUTE_LIST, site,
	    "SELECT jsonb_build_object('id', w.id, 'partition_id', "
	    "w.partition_id, 'weekday', lower(w.week_minutes) / 1440 + 1, "
	    "'from', to_char(make_interval(mins => lower(w.week_minutes) % "
	    "1440), 'HH24:MI'), 'until', to_char(make_interval(mins => "
	    "(upper(w.week_minutes) - 1) % 1440 + 1), 'HH24:MI')), NULL "
	    "FROM tocsin.arming_window w WHERE w.site_id = $1::bigint "
	    "ORDER BY w.partition_id NULLS FIRST, w.week_minutes" },
	{ ROUTE_POST, "/sites/{site_id}/windows", "addWindow",
	    "Armed on these days from one time to the other", ROUTE_SITES,
	    ROUTE_CREATED, add_window,
	    "SELECT jsonb_build_object('added', tocsin.arming_window_add("
	    "$1::bigint, (SELECT coalesce(bit_or(CASE WHEN d::integer BETWEEN "
	    "1 AND 7 THEN 1 << d::integer - 1 ELSE 128 END), 0) "
	    "FROM jsonb_array_elements_text($2::jsonb) d), $3::time, "
	    "$4::time, $5::bigint))" },
	{ ROUTE_DELETE, "/windows/{window_id}", "removeWindow",
	    "Disarmed in it then", ROUTE_SITES, ROUTE_NOTHING, window,
	    "DELETE FROM tocsin.arming_window WHERE id = $1::bigint",
	    .version_sql = ROUTE_VERSION("arming_window") },
	{ ROUTE_GET, "/sites/{site_id}/exceptions", "listExceptions",
	    "Holidays and the like, whatever the schedule says", ROUTE_READ,
	    ROUTE_LIST, site,
	    "SELECT jsonb_build_object('id', e.id, 'partition_id', "
	    "e.partition_id, 'from', to_char(lower(e.during), "
	    "'YYYY-MM-DD\"T\"HH24:MI'), 'until', to_char(upper(e.during), "
	    "'YYYY-MM-DD\"T\"HH24:MI'), 'armed', e.armed, 'note', e.note), "
	    "NULL FROM tocsin.arming_exception e WHERE e.site_id = $1::bigint "
	    "ORDER BY e.during" },
	{ ROUTE_POST, "/sites/{site_id}/exceptions", "addException",
	    "Armed or disarmed all through", ROUTE_SITES, ROUTE_CREATED,
	    add_exception,
	    "INSERT INTO tocsin.arming_exception AS e (site_id, during, armed, "
	    "note, partition_id) VALUES ($1::bigint, tsrange($2::timestamp, "
	    "$3::timestamp), $4::boolean, coalesce($5, ''), $6::bigint) "
	    "RETURNING jsonb_build_object('id', e.id)" },
	{ ROUTE_DELETE, "/exceptions/{exception_id}", "removeException",
	    "The schedule counts then", ROUTE_SITES, ROUTE_NOTHING, exception,
	    "DELETE FROM tocsin.arming_exception WHERE id = $1::bigint",
	    .version_sql = ROUTE_VERSION("arming_exception") },
};

const struct route_group arming_routes = { "Arming", routes, COUNT(routes) };
