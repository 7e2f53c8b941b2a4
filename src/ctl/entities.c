#include "base/array.h"
#include "ctl/entity.h"

/* option, column, type, required, nullable, filter, value, help */

static const struct entity_column dealer_columns[] = {
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT", "company" },
	{ "parent", "parent_id", ENTITY_NUMBER, false, true, true, "ID",
	    "dealer above this one" },
};

static const struct entity_column center_columns[] = {
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT", "company" },
};

static const struct entity_column receiver_columns[] = {
	{ "center", "center_id", ENTITY_NUMBER, true, false, true, "ID",
	    "whose it is" },
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT",
	    "of the link, unique" },
	{ "protocol", "protocol", ENTITY_TEXT, true, false, true,
	    "surgard|dc09|ademco685|d6500", "what it speaks" },
	{ "description", "description", ENTITY_TEXT, false, false, false,
	    "TEXT", "for dealers who choose" },
	{ "listen", "listen", ENTITY_BOOLEAN, false, false, false, "yes|no",
	    "it connects to us: endpoints are our own" },
	{ "paused", "paused", ENTITY_BOOLEAN, false, false, false, "yes|no",
	    "queue, send nothing" },
	{ "visibility", "visibility", ENTITY_TEXT, false, false, false,
	    "own|all", "which dealers may choose it" },
	{ "number", "receiver_number", ENTITY_UPPER, false, false, false, "RR",
	    "receiver number, 01 otherwise" },
	{ "line", "line_number", ENTITY_UPPER, false, false, false, "L",
	    "line number, 1 otherwise" },
	{ "line-digits", "line_digits", ENTITY_NUMBER, false, false, false,
	    "1|3", "Sur-Gard: width of the line number" },
	{ "sia-block", "sia_block", ENTITY_BOOLEAN, false, false, false,
	    "yes|no", "Sur-Gard: SIA in block form" },
	{ "clock", "clock", ENTITY_BOOLEAN, false, false, false, "yes|no",
	    "Sur-Gard: the time behind each event" },
	{ "header-space", "header_space", ENTITY_BOOLEAN, false, false, false,
	    "yes|no", "D6500: a space before each message" },
	{ "account-policy", "account_policy", ENTITY_TEXT, false, false, false,
	    "refuse|split_front|split_back",
	    "Sur-Gard: an account of more than 4 characters" },
	{ "account-digits", "account_digits", ENTITY_NUMBER, false, true, false,
	    "N", "longest account it takes" },
	{ "heartbeat", "heartbeat_ms", ENTITY_DURATION, false, false, false,
	    "TIME", "interval of link tests, 0: none" },
	{ "ack-wait", "ack_wait_ms", ENTITY_DURATION, false, false, false,
	    "TIME", "how long an acknowledgement may take" },
	{ "retries", "retries", ENTITY_NUMBER, false, false, false, "N",
	    "of one message before the link is down" },
	{ "in-flight", "in_flight", ENTITY_NUMBER, false, false, false, "N",
	    "unacknowledged messages allowed" },
	{ "key", "key", ENTITY_KEY, false, true, false, "hex:..|text:..",
	    "DC-09 encryption key, needs --master-key-file" },
	{ "endpoints", "endpoints", ENTITY_LIST, false, true, false,
	    "HOST:PORT,..", "in the order of use; udp://HOST:PORT for UDP",
	    "(SELECT string_agg(CASE WHEN udp THEN 'udp://' ELSE '' END || "
	    "CASE WHEN host LIKE '%:%' THEN '[' || host || ']' ELSE host END "
	    "|| ':' || port, ',' ORDER BY position) "
	    "FROM tocsin.receiver_endpoint e WHERE e.receiver_id = t.id)",
	    "INSERT INTO tocsin.receiver_endpoint (receiver_id, position, "
	    "host, port, udp) SELECT $1::bigint, n, "
	    "coalesce(p[2], p[3], ''), coalesce(p[4], '0')::integer, "
	    "p[1] IS NOT NULL FROM unnest(string_to_array($2, ',')) "
	    "WITH ORDINALITY u (text, n) LEFT JOIN LATERAL regexp_match(text, "
	    "'^(udp://)?(?:\\[([^]]+)\\]|([^:]+)):([0-9]{1,9})$') p ON true",
	    "DELETE FROM tocsin.receiver_endpoint WHERE receiver_id = "
	    "$1::bigint" },
};

static const struct entity_column station_columns[] = {
	{ "dealer", "dealer_id", ENTITY_NUMBER, true, false, true, "ID",
	    "whose link" },
	{ "center", "center_id", ENTITY_NUMBER, true, false, true, "ID",
	    "to which monitoring station" },
	{ "receiver", "receiver_id", ENTITY_NUMBER, false, true, true, "ID",
	    "none: nothing is sent" },
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT",
	    "as the dealer calls it" },
	{ "prefix", "prefix", ENTITY_UPPER, false, false, false, "TEXT",
	    "before each account number" },
	{ "receiver-adds-prefix", "receiver_adds_prefix", ENTITY_BOOLEAN, false,
	    false, false, "yes|no", "it is not sent then" },
	{ "line-card", "line_card", ENTITY_UPPER, false, true, false, "L",
	    "instead of the receiver's line number" },
	{ "url-template", "url_template", ENTITY_TEXT, false, false, false,
	    "URL", "launch URL with <account> and <zone>" },
};

static const struct entity_column site_columns[] = {
	{ "dealer", "dealer_id", ENTITY_NUMBER, true, false, true, "ID",
	    "whose customer" },
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT",
	    "of the place" },
	{ "timezone", "timezone", ENTITY_TEXT, true, false, false, "ZONE",
	    "IANA name: Europe/Athens" },
	{ "station", "station_record_id", ENTITY_NUMBER, false, true, true,
	    "ID", "who monitors it" },
	{ "account", "account_number", ENTITY_UPPER, false, true, true, "A",
	    "at the station, without prefix" },
	{ "reference-id", "reference_id", ENTITY_TEXT, false, true, true,
	    "TEXT", "second identifier at the station" },
	{ "state", "state", ENTITY_TEXT, false, false, true, "active|inactive",
	    "inactive: logged, not forwarded" },
	{ "external-id", "external_id", ENTITY_TEXT, false, true, true, "TEXT",
	    "the dealer's own number" },
	{ "address1", "address1", ENTITY_TEXT, false, false, false, "TEXT",
	    "street and number" },
	{ "address2", "address2", ENTITY_TEXT, false, false, false, "TEXT",
	    "second line" },
	{ "city", "city", ENTITY_TEXT, false, false, true, "TEXT", "town" },
	{ "region", "region", ENTITY_TEXT, false, false, false, "TEXT",
	    "state or county" },
	{ "postal-code", "postal_code", ENTITY_TEXT, false, false, false,
	    "TEXT", "as written there" },
	{ "country", "country", ENTITY_TEXT, false, false, false, "TEXT",
	    "name or ISO code" },
	{ "latitude", "latitude", ENTITY_REAL, false, true, false, "DEGREES",
	    "north" },
	{ "longitude", "longitude", ENTITY_REAL, false, true, false, "DEGREES",
	    "east" },
};

static const struct entity_column bridge_columns[] = {
	{ "serial", "serial", ENTITY_TEXT, true, false, true, "TEXT",
	    "on its label" },
	{ "kind", "kind", ENTITY_TEXT, false, false, true, "bridge|panel",
	    "panel: passes through" },
	{ "site", "site_id", ENTITY_NUMBER, false, true, true, "ID",
	    "where it is registered" },
	{ "account", "transport_account", ENTITY_TEXT, false, true, true, "A",
	    "that it signals with" },
	{ "receiver", "transport_receiver", ENTITY_TEXT, false, true, false,
	    "R", "that it signals with, none: any" },
	{ "line", "transport_line", ENTITY_TEXT, false, true, false, "L",
	    "that it signals with, none: any" },
	{ "listener", "listener", ENTITY_TEXT, false, true, false, "NAME",
	    "that it signals to, none: any" },
	{ "cipher-required", "cipher_required", ENTITY_BOOLEAN, false, false,
	    false, "yes|no", "refuse clear frames" },
	{ "key", "key", ENTITY_KEY, false, true, false, "hex:..|text:..",
	    "DC-09 key, needs --master-key-file" },
	{ "mac", "mac", ENTITY_TEXT, false, true, true, "MAC",
	    "of its network interface" },
	{ "model", "model", ENTITY_TEXT, false, false, false, "TEXT",
	    "maker and type" },
	{ "firmware", "firmware", ENTITY_TEXT, false, false, false, "TEXT",
	    "version" },
};

static const struct entity_column channel_columns[] = {
	{ "bridge", "bridge_id", ENTITY_NUMBER, true, false, true, "ID",
	    "where it is connected" },
	{ "name", "name", ENTITY_TEXT, true, false, false, "TEXT",
	    "for example Front door" },
	{ "zone-type", "zone_type", ENTITY_NUMBER, true, false, true, "N",
	    "how it behaves" },
	{ "enabled", "enabled", ENTITY_BOOLEAN, false, true, false,
	    "yes|no|none", "none inherits" },
	{ "code", "code", ENTITY_UPPER, false, true, false, "NNN|none",
	    "none inherits" },
	{ "zones", "zones", ENTITY_LIST, false, true, false, "Z,..",
	    "its zone numbers",
	    "(SELECT string_agg(zone_number, ',' ORDER BY zone_key) "
	    "FROM tocsin.channel_zone z WHERE z.channel_id = t.id)",
	    "INSERT INTO tocsin.channel_zone (bridge_id, zone_number, "
	    "channel_id) SELECT c.bridge_id, upper(trim(z)), c.id "
	    "FROM tocsin.channel c, unnest(string_to_array($2, ',')) z "
	    "WHERE c.id = $1::bigint",
	    "DELETE FROM tocsin.channel_zone WHERE channel_id = $1::bigint" },
};

static const struct entity_column contact_columns[] = {
	{ "site", "site_id", ENTITY_NUMBER, true, false, true, "ID",
	    "of which site" },
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT",
	    "of the person" },
	{ "title", "title", ENTITY_TEXT, false, false, false, "TEXT",
	    "for example Key holder" },
	{ "phone", "phone", ENTITY_TEXT, false, true, true, "NUMBER",
	    "as dialled" },
	{ "email", "email", ENTITY_TEXT, false, true, true, "ADDRESS",
	    "NAME@HOST" },
	{ "slot", "slot", ENTITY_NUMBER, false, true, false, "N",
	    "number in the station's programming" },
};

static const struct entity_column library_columns[] = {
	{ "dealer", "dealer_id", ENTITY_NUMBER, false, true, true, "ID",
	    "defaults of a dealer" },
	{ "site", "site_id", ENTITY_NUMBER, false, true, true, "ID",
	    "of one site" },
	{ "zone-type", "zone_type", ENTITY_NUMBER, false, true, true, "N",
	    "about alarms of this zone type" },
	{ "inbound-code", "inbound_code", ENTITY_UPPER, false, true, true,
	    "CODE", "about this received code" },
	{ "enabled", "enabled", ENTITY_BOOLEAN, false, true, false,
	    "yes|no|none", "none inherits" },
	{ "code", "code", ENTITY_UPPER, false, true, false, "CODE|none",
	    "none inherits" },
};

const struct entity entity_library = { "library", "tocsin.alarm_library",
	library_columns, COUNT(library_columns), NULL, "", false };

#define ENTITY(word, table_name, context, more, bulk)                          \
 int entity_##word(int argc, char **argv)                                      \
 {                                                                             \
  static const struct entity entity = { #word, table_name, word##_columns,     \
	  COUNT(word##_columns), context, more, bulk };                        \
                                                                               \
  return entity_run(&entity, argc, argv);                                      \
 }

ENTITY(dealer, "tocsin.dealer", NULL, "", false)
ENTITY(center, "tocsin.center", NULL, "", false)
ENTITY(receiver, "tocsin.receiver", "receiver.key", "", false)
ENTITY(station, "tocsin.station_record", NULL, "", false)
ENTITY(site, "tocsin.site", NULL,
    ", (SELECT account FROM tocsin.effective_account e "
    "WHERE e.site_id = t.id AND e.destination_id IS NULL) AS effective_account",
    true)
ENTITY(bridge, "tocsin.bridge", "bridge.key", ", state", true)
ENTITY(channel, "tocsin.channel", NULL, "", true)
ENTITY(contact, "tocsin.contact", NULL, "", true)
