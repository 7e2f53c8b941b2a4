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

/* The column of its kind is set. */
#define ROUTE_OF_SUBJECT                                                       \
 "CASE $2::text WHEN 'zone_type' THEN l.zone_type::text "                      \
 "WHEN 'system_event' THEN l.system_event ELSE l.inbound_code END = $3::text"

/* owner: the column that $1 is; $4 enabled, $5 code. A row that says neither
 * goes. */
#define ROUTE_LIBRARY_SET(owner)                                               \
 "WITH gone AS (DELETE FROM tocsin.alarm_library l "                           \
 "WHERE l." owner " = $1::bigint AND num_nonnulls($4::text, $5::text) = 0 "    \
 "AND " ROUTE_OF_SUBJECT "), "                                                 \
 "set AS (INSERT INTO tocsin.alarm_library AS l (" owner ", zone_type, "       \
 "system_event, inbound_code, enabled, code) "                                 \
 "SELECT $1::bigint, CASE $2::text WHEN 'zone_type' THEN $3::smallint END, "   \
 "CASE $2::text WHEN 'system_event' THEN $3 END, "                             \
 "CASE $2::text WHEN 'inbound_code' THEN upper($3) END, "                      \
 "$4::boolean, upper($5) WHERE num_nonnulls($4::text, $5::text) > 0 "          \
 "ON CONFLICT ON CONSTRAINT alarm_library_once DO UPDATE SET "                 \
 "enabled = EXCLUDED.enabled, code = EXCLUDED.code RETURNING l.id) "           \
 "SELECT jsonb_build_object('kind', $2::text, 'subject', $3::text, "           \
 "'enabled', $4::boolean, 'code', upper($5::text))"

#define ROUTE_LIBRARY_RESET(owner)                                             \
 "DELETE FROM tocsin.alarm_library l WHERE l." owner                           \
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
