/* What several tables of routes have in common: parameters, and pieces of
 * statements. */
#ifndef PORTAL_ROUTE_PARTS_H
#define PORTAL_ROUTE_PARTS_H

#include "portal/route.h"

#define ROUTE_ID(name, help)                                                   \
 {                                                                             \
  name, ROUTE_IN_PATH, ROUTE_INTEGER, true, help                               \
 }
#define ROUTE_SITE   ROUTE_ID("site_id", "the site")
#define ROUTE_BRIDGE ROUTE_ID("bridge_id", "the bridge")
#define ROUTE_DEALER ROUTE_ID("dealer_id", "the dealer")

#define ROUTE_LIMIT                                                            \
 {                                                                             \
  "limit", ROUTE_IN_QUERY, ROUTE_INTEGER, false,                               \
      "rows, 1 to 200; 50 otherwise"                                           \
 }

/* Of a row of an alarm library, behind its owner: $2, $3. */
#define ROUTE_SUBJECT                                                          \
 { "kind", ROUTE_IN_PATH, ROUTE_TEXT, true,                                    \
	 "zone_type, system_event or inbound_code" },                          \
 {                                                                             \
  "subject", ROUTE_IN_PATH, ROUTE_TEXT, true, "which, as the library names it" \
 }

/* What is sent of it: $4, $5. */
#define ROUTE_LIBRARY_VALUES                                                   \
 { "enabled", ROUTE_IN_BODY, ROUTE_BOOLEAN, false,                             \
	 "forwarded; null inherits" },                                         \
 {                                                                             \
  "code", ROUTE_IN_BODY, ROUTE_TEXT, false, "what is sent; null inherits"      \
 }

/* The column of its kind is set. */
#define ROUTE_OF_SUBJECT                                                       \
 "CASE $2::text WHEN 'zone_type' THEN l.zone_type::text "                      \
 "WHEN 'system_event' THEN l.system_event ELSE l.inbound_code END = $3::text"

/* table: alarm_library, or what a template has of it; owner: the column that $1
 * is; $4 enabled, $5 code. A row that says neither goes. */
#define ROUTE_LIBRARY_SET(table, owner)                                        \
 "WITH gone AS (DELETE FROM tocsin." table " l "                               \
 "WHERE l." owner " = $1::bigint AND num_nonnulls($4::text, $5::text) = 0 "    \
 "AND " ROUTE_OF_SUBJECT "), "                                                 \
 "set AS (INSERT INTO tocsin." table " AS l (" owner ", zone_type, "           \
 "system_event, inbound_code, enabled, code) "                                 \
 "SELECT $1::bigint, CASE $2::text WHEN 'zone_type' THEN $3::smallint END, "   \
 "CASE $2::text WHEN 'system_event' THEN $3 END, "                             \
 "CASE $2::text WHEN 'inbound_code' THEN upper($3) END, "                      \
 "$4::boolean, upper($5) WHERE num_nonnulls($4::text, $5::text) > 0 "          \
 "ON CONFLICT ON CONSTRAINT " table "_once DO UPDATE SET "                     \
 "enabled = EXCLUDED.enabled, code = EXCLUDED.code RETURNING l.id) "           \
 "SELECT jsonb_build_object('kind', $2::text, 'subject', $3::text, "           \
 "'enabled', $4::boolean, 'code', upper($5::text))"

#define ROUTE_LIBRARY_RESET(table, owner)                                      \
 "DELETE FROM tocsin." table " l WHERE l." owner                               \
 " = $1::bigint AND " ROUTE_OF_SUBJECT

/* version_sql of a row that is locked and compared as a whole. */
#define ROUTE_VERSION(table)                                                   \
 "SELECT xmin FROM tocsin." table " WHERE id = $1::bigint FOR UPDATE"

/* lock_sql of one that version_sql makes of rows besides. */
#define ROUTE_LOCK(table)                                                      \
 "SELECT FROM tocsin." table " WHERE id = $1::bigint FOR UPDATE"

#define ROUTE_ALL_OF(table, order)                                             \
 "SELECT to_jsonb(t), NULL FROM tocsin." table " t ORDER BY t." order

#endif
