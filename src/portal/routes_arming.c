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
	{ "partition_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the partition" },
	{ NULL },
};

static const struct route routes[] = {
	{ ROUTE_PUT, "/sites/{site_id}/arming", "setSiteArming",
	    "The one authority over its arming", ROUTE_SITES, ROUTE_NOTHING,
	    set_arming,
	    "SELECT tocsin.site_arming_set($1::bigint, $2, $3::bigint)",
	    .version_sql = ROUTE_VERSION("site") },
	{ ROUTE_GET, "/sites/{site_id}/partitions", "listPartitions",
	    "Groups of channels that are armed apart", ROUTE_READ, ROUTE_LIST,
	    site,
	    "SELECT to_jsonb(p) || jsonb_build_object('channels', (SELECT "
	    "coalesce(jsonb_agg(c.channel_id ORDER BY c.channel_id), '[]') "
	    "FROM tocsin.partition_channel c WHERE c.partition_id = p.id), "
	    "'version', p.xmin::text), NULL FROM tocsin.site_partition p WHERE p.site_id = $1::bigint "
	    "ORDER BY p.number" },
	{ ROUTE_POST, "/sites/{site_id}/partitions", "addPartition",
	    "A new partition", ROUTE_SITES, ROUTE_CREATED, add_partition,
	    "INSERT INTO tocsin.site_partition AS p (site_id, number, name) "
	    "VALUES ($1::bigint, $2::smallint, $3) RETURNING to_jsonb(p)" },
	{ ROUTE_DELETE, "/partitions/{partition_id}", "removePartition",
	    "Its channels belong to none then", ROUTE_SITES, ROUTE_NOTHING,
	    partition,
	    "DELETE FROM tocsin.site_partition WHERE id = $1::bigint",
	    .version_sql = ROUTE_VERSION("site_partition") },
};

const struct route_group arming_routes = { "Arming", routes, COUNT(routes) };
