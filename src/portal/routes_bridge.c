#include "base/array.h"
#include "portal/route_parts.h"

static const struct route_parameter site[] = { ROUTE_SITE, { NULL } };
static const struct route_parameter register_bridge[] = {
	{ "site_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the site" },
	{ "claim_code", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "on the bridge's label" },
	{ "firmware", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "as the bridge told it" },
	{ NULL },
};
static const struct route_parameter transfer_bridge[] = {
	ROUTE_BRIDGE,
	{ "site_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "where it goes" },
	{ "firmware", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "as the bridge told it" },
	{ NULL },
};
static const struct route_parameter bridge[] = { ROUTE_BRIDGE, { NULL } };
static const struct route_parameter supervise_bridge[] = {
	ROUTE_BRIDGE,
	{ "supervision_class", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "of listSupervisionClasses; null: not at all" },
	{ NULL },
};
static const struct route_parameter add_channel[] = {
	ROUTE_BRIDGE,
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "for example Front door" },
	{ "zone_type", ROUTE_IN_BODY, ROUTE_INTEGER, true, "of listZoneTypes" },
	{ "enabled", ROUTE_IN_BODY, ROUTE_BOOLEAN, false, "null inherits" },
	{ "code", ROUTE_IN_BODY, ROUTE_TEXT, false, "null inherits" },
	{ "zones", ROUTE_IN_BODY, ROUTE_ARRAY, false,
	    "zone numbers that are this channel, as texts" },
	{ NULL },
};
static const struct route_parameter change_channel[] = {
	ROUTE_ID("channel_id", "the channel"),
	{ "name", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "for example Hall" },
	{ "zone_type", ROUTE_IN_CHANGE, ROUTE_INTEGER, false,
	    "of listZoneTypes" },
	{ "enabled", ROUTE_IN_CHANGE, ROUTE_BOOLEAN, false, "null inherits" },
	{ "code", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "null inherits" },
	{ NULL },
};
static const struct route_parameter channel[] = {
	ROUTE_ID("channel_id", "the channel"), { NULL }
};
static const struct route_parameter add_camera[] = {
	ROUTE_BRIDGE,
	{ "channel_id", ROUTE_IN_BODY, ROUTE_INTEGER, true,
	    "the one it sits on" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "for example Yard" },
	{ "model", ROUTE_IN_BODY, ROUTE_TEXT, false, "maker and type" },
	{ "mac", ROUTE_IN_BODY, ROUTE_TEXT, false, "of its interface" },
	{ "address", ROUTE_IN_BODY, ROUTE_TEXT, false, "HOST or HOST:PORT" },
	{ "idle_days", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "tell when it is idle that long" },
	{ NULL },
};
static const struct route_parameter camera[] = {
	{ "camera_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the camera" },
	{ NULL },
};

/* Of what is supervised, not of the bridge. */
#define SUPERVISION_VERSION                                                    \
 "(SELECT md5(coalesce(string_agg(p::text, ',' ORDER BY p.path), '')) "        \
 "FROM tocsin.bridge_path p WHERE p.bridge_id = b.id)"

static const struct route routes[] = {
	{ ROUTE_GET, "/sites/{site_id}/bridges", "listBridges",
	    "What signals from there", ROUTE_READ, ROUTE_LIST, site,
	    "SELECT to_jsonb(b), NULL FROM tocsin.site_bridge b "
	    "WHERE b.site_id = $1::bigint ORDER BY b.id" },
	{ ROUTE_POST, "/sites/{site_id}/bridges", "registerBridge",
	    "Register the bridge with this claim code at the site", ROUTE_SITES,
	    ROUTE_CREATED, register_bridge,
	    "SELECT jsonb_build_object('id', "
	    "tocsin.bridge_register($2, $1::bigint, $3))" },
	{ ROUTE_GET, "/bridges/{bridge_id}", "getBridge", "A bridge",
	    ROUTE_READ, ROUTE_ONE, bridge,
	    "SELECT to_jsonb(b) FROM tocsin.site_bridge b "
	    "WHERE b.id = $1::bigint" },
	{ ROUTE_POST, "/bridges/{bridge_id}/transfer", "transferBridge",
	    "Move it to another site; what is queued keeps the old account",
	    ROUTE_SITES, ROUTE_NOTHING, transfer_bridge,
	    "SELECT tocsin.bridge_transfer($1::bigint, $2::bigint, $3)" },
	{ ROUTE_DELETE, "/bridges/{bridge_id}/registration", "unregisterBridge",
	    "Its later signals are logged, not forwarded", ROUTE_SITES,
	    ROUTE_NOTHING, bridge,
	    "SELECT tocsin.bridge_unregister($1::bigint)" },
	{ ROUTE_GET, "/bridges/{bridge_id}/supervision", "getSupervision",
	    "How long it may be silent on each of its paths", ROUTE_READ,
	    ROUTE_ONE, bridge,
	    "SELECT jsonb_build_object('paths', coalesce((SELECT "
	    "jsonb_agg(to_jsonb(p) - 'bridge_id' ORDER BY p.path DESC) "
	    "FROM tocsin.bridge_path p WHERE p.bridge_id = b.id), '[]')), " SUPERVISION_VERSION
	    " FROM tocsin.site_bridge b WHERE b.id = $1::bigint" },
	{ ROUTE_PUT, "/bridges/{bridge_id}/supervision", "superviseBridge",
	    "Tell when it falls silent, by a preset", ROUTE_SITES,
	    ROUTE_NOTHING, supervise_bridge,
	    "SELECT tocsin.bridge_supervise($1::bigint, $2)",
	    .version_sql = "SELECT " SUPERVISION_VERSION
			   " FROM tocsin.bridge b WHERE b.id = $1::bigint",
	    .lock_sql = ROUTE_LOCK("bridge") },
	{ ROUTE_GET, "/bridges/{bridge_id}/channels", "listChannels",
	    "Cameras and alarm inputs", ROUTE_READ, ROUTE_LIST, bridge,
	    "SELECT to_jsonb(c) || jsonb_build_object('version', c.xmin::text, "
	    "'zones', (SELECT coalesce(jsonb_agg(z.zone_number ORDER BY "
	    "z.zone_key), '[]') FROM tocsin.channel_zone z "
	    "WHERE z.channel_id = c.id)), NULL FROM tocsin.channel c "
	    "WHERE c.bridge_id = $1::bigint ORDER BY c.id" },
	{ ROUTE_POST, "/bridges/{bridge_id}/channels", "addChannel",
	    "A new channel with its zones", ROUTE_SITES, ROUTE_CREATED,
	    add_channel,
	    "WITH added AS (INSERT INTO tocsin.channel (bridge_id, name, "
	    "zone_type, enabled, code) VALUES ($1::bigint, $2, $3::smallint, "
	    "$4::boolean, upper($5)) RETURNING id, bridge_id), zones AS ("
	    "INSERT INTO tocsin.channel_zone (bridge_id, channel_id, "
	    "zone_number) SELECT a.bridge_id, a.id, upper(z) FROM added a, "
	    "jsonb_array_elements_text(coalesce($6::jsonb, '[]')) z) "
	    "SELECT jsonb_build_object('id', a.id) FROM added a" },
	{ ROUTE_PATCH, "/channels/{channel_id}", "changeChannel",
	    "Change what is sent", ROUTE_SITES, ROUTE_ONE, change_channel,
	    "UPDATE tocsin.channel c SET (name, zone_type, enabled, code) = "
	    "(SELECT p.name, p.zone_type, p.enabled, upper(p.code) "
	    "FROM jsonb_populate_record(c, $2::jsonb) p) "
	    "WHERE c.id = $1::bigint RETURNING to_jsonb(c), c.xmin",
	    .version_sql = ROUTE_VERSION("channel") },
	{ ROUTE_DELETE, "/channels/{channel_id}", "removeChannel",
	    "Its zones are unknown then", ROUTE_SITES, ROUTE_NOTHING, channel,
	    "DELETE FROM tocsin.channel WHERE id = $1::bigint",
	    .version_sql = ROUTE_VERSION("channel") },
	{ ROUTE_GET, "/bridges/{bridge_id}/cameras", "listCameras",
	    "Cameras of a bridge", ROUTE_READ, ROUTE_LIST, bridge,
	    "SELECT to_jsonb(c) || jsonb_build_object('version', "
	    "c.xmin::text), NULL FROM tocsin.camera c WHERE c.bridge_id = $1::bigint ORDER BY c.id" },
	{ ROUTE_POST, "/bridges/{bridge_id}/cameras", "addCamera",
	    "A camera on a channel", ROUTE_SITES, ROUTE_CREATED, add_camera,
	    "INSERT INTO tocsin.camera AS c (bridge_id, channel_id, name, "
	    "model, mac, address, idle_days) VALUES ($1::bigint, $2::bigint, "
	    "$3, coalesce($4, ''), $5::macaddr, nullif($6, ''), "
	    "$7::smallint) RETURNING to_jsonb(c)" },
	{ ROUTE_DELETE, "/cameras/{camera_id}", "removeCamera",
	    "The channel has none then", ROUTE_SITES, ROUTE_NOTHING, camera,
	    "DELETE FROM tocsin.camera WHERE id = $1::bigint",
	    .version_sql = ROUTE_VERSION("camera") },
};

const struct route_group bridge_routes = { "Bridges", routes, COUNT(routes) };
