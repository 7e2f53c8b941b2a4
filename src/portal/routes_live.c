#include "base/array.h"
#include "portal/route.h"
#include "portal/webhook.h"

#define SITE                                                                   \
 {                                                                             \
  "site_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the site"                    \
 }
#define RECEIVER                                                               \
 {                                                                             \
  "receiver_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "whose deliveries"        \
 }

static const struct route_parameter nothing[] = { { NULL } };
static const struct route_parameter follow[] = {
	{ "account", ROUTE_IN_QUERY, ROUTE_TEXT, false,
	    "only of this one, on either side" },
	{ "verdict", ROUTE_IN_QUERY, ROUTE_TEXT, false,
	    "only with this verdict, or state of a delivery" },
	{ NULL },
};
static const struct route_parameter site[] = { SITE, { NULL } };
static const struct route_parameter arm[] = {
	SITE,
	{ "partition", ROUTE_IN_BODY, ROUTE_INTEGER, false,
	    "its number; null: the whole site" },
	{ NULL },
};
static const struct route_parameter replay[] = { RECEIVER, { NULL } };
static const struct route_parameter skip[] = {
	RECEIVER,
	{ "reason", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "why nobody needs to hear of them any more, one line" },
	{ NULL },
};

static const struct route_parameter passkey[] = {
	{ "webhook_id", ROUTE_IN_PATH, ROUTE_INTEGER, true, "the webhook" },
	{ "passkey", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "16 to 64 characters; null: one is made" },
	{ NULL },
};

/* A center has the receivers that are its own, an operator all, also those
 * that are gone from the directory. */
#define OWN_RECEIVER                                                           \
 "LEFT JOIN tocsin.receiver v ON v.id = (e.e->>'receiver_id')::bigint "        \
 "WHERE (SELECT tocsin.session_center()) IS NULL "                             \
 "OR v.center_id = (SELECT tocsin.session_center())"

static const struct route routes[] = {
	{ ROUTE_GET, "/operations/signals", "followSignals",
	    "Each decision and outcome as it happens, and the last ones before",
	    ROUTE_OPERATIONS, ROUTE_LIST, follow,
	    "SELECT s, NULL FROM tocsin.portal_signals($3::jsonb, NULL, $1, $2) s",
	    .streams = true },
	{ ROUTE_GET, "/sites/{site_id}/signals", "followSiteSignals",
	    "The same of one site", ROUTE_READ, ROUTE_LIST, site,
	    "SELECT s, NULL FROM tocsin.portal_signals($2::jsonb, $1::bigint, "
	    "NULL, NULL) s",
	    .streams = true },
	{ ROUTE_GET, "/operations/links", "listLinks",
	    "Links to receivers, with queue and age", ROUTE_OPERATIONS,
	    ROUTE_LIST, nothing,
	    "SELECT e.e || jsonb_build_object('dealers_own', EXISTS (SELECT FROM "
	    "tocsin.center c WHERE c.id = v.center_id AND c.dealer_id IS NOT "
	    "NULL)), NULL FROM jsonb_array_elements($1::jsonb) e (e) " OWN_RECEIVER
	    " ORDER BY e.e->>'name'",
	    .live = LIVE_LINKS },
	{ ROUTE_GET, "/operations/parked", "listParked",
	    "Deliveries that wait for somebody, the first 500",
	    ROUTE_OPERATIONS, ROUTE_LIST, nothing,
	    "SELECT e.e, NULL FROM jsonb_array_elements($1::jsonb) e (e) " OWN_RECEIVER,
	    .live = LIVE_PARKED },
	{ ROUTE_GET, "/operations/bridges-offline", "listOfflineBridges",
	    "Supervised bridges that are silent, the first 1000",
	    ROUTE_OPERATIONS, ROUTE_LIST, nothing,
	    "SELECT e.e || jsonb_build_object('site_name', s.name), NULL "
	    "FROM jsonb_array_elements($1::jsonb) e (e) "
	    "JOIN tocsin.site s ON s.id = (e.e->>'site')::bigint "
	    "ORDER BY e.e->>'last_seen'",
	    .live = LIVE_OFFLINE },
	{ ROUTE_GET, "/operations/status", "getStatus",
	    "The installation on one page", ROUTE_OPERATOR, ROUTE_ONE, nothing,
	    "SELECT $1::jsonb->0", .live = LIVE_STATUS },
	{ ROUTE_GET, "/operations/rates", "listRates",
	    "Signals a second and latencies of the last quarter of an hour",
	    ROUTE_OPERATOR, ROUTE_LIST, nothing,
	    "SELECT e, NULL FROM jsonb_array_elements($1::jsonb) e",
	    .live = LIVE_RATES },
	{ ROUTE_POST, "/operations/receivers/{receiver_id}/replay",
	    "replayParked", "Put its parked deliveries back into the queue",
	    ROUTE_PARKED, ROUTE_ONE, replay,
	    "SELECT w FROM jsonb_array_elements_text("
	    "tocsin.order_replay($1::bigint)) w",
	    .asks = true },
	{ ROUTE_POST, "/operations/receivers/{receiver_id}/skip", "skipParked",
	    "Give its parked deliveries up; of a paused link also what is queued",
	    ROUTE_ORDERS, ROUTE_ONE, skip,
	    "SELECT w FROM jsonb_array_elements_text("
	    "tocsin.order_skip($1::bigint, $2)) w",
	    .asks = true },
	{ ROUTE_GET, "/sites/{site_id}/armed", "getSiteArmed",
	    "Whether it is armed and since when; areas that are armed apart",
	    ROUTE_READ, ROUTE_LIST, site,
	    "SELECT w.w FROM tocsin.site s CROSS JOIN LATERAL (VALUES ('show'), "
	    "('arming'), (s.id::text)) w (w) WHERE s.id = $1::bigint",
	    .asks = true },
	{ ROUTE_POST, "/sites/{site_id}/arm", "armSite",
	    "Arm it, where users or partners do that; answered when it is durable",
	    ROUTE_ARM, ROUTE_ONE, arm,
	    "SELECT w FROM jsonb_array_elements_text("
	    "tocsin.order_arm($1::bigint, true, $2::integer)) w",
	    .asks = true },
	{ ROUTE_POST, "/sites/{site_id}/disarm", "disarmSite",
	    "Disarm it, in the same way", ROUTE_ARM, ROUTE_ONE, arm,
	    "SELECT w FROM jsonb_array_elements_text("
	    "tocsin.order_arm($1::bigint, false, $2::integer)) w",
	    .asks = true },
	{ ROUTE_POST, "/sites/{site_id}/test-signal", "sendTestSignal",
	    "Its station gets a manual test; answered when it is durable",
	    ROUTE_SITES, ROUTE_ONE, site,
	    "SELECT w FROM jsonb_array_elements_text("
	    "tocsin.order_test($1::bigint)) w",
	    .asks = true },
	{ ROUTE_POST, "/webhooks/{webhook_id}/passkey", "setWebhookPasskey",
	    "With what its posts are signed from now on; it is shown once",
	    ROUTE_SETTINGS, ROUTE_ONE, passkey, .handle = webhook_set_passkey },
};

const struct route_group live_routes = { "Live", routes, COUNT(routes) };
