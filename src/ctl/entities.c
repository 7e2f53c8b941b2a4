#include "base/array.h"
#include "ctl/entity.h"
#include "ctl/life.h"

/* option, column, type, required, nullable, filter, value, help */

static const struct entity_column dealer_columns[] = {
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT", "company" },
	{ "parent", "parent_id", ENTITY_NUMBER, false, true, true, "ID",
	    "dealer above this one" },
	{ "test-maximum", "test_maximum_minutes", ENTITY_NUMBER, false, false,
	    false, "MINUTES", "longest test of its sites" },
	{ "webhooks", "webhooks", ENTITY_NUMBER, false, false, false, "N",
	    "how many of its own it may have, 2 at most; 0 unless told" },
};

static const struct entity_column center_columns[] = {
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT", "company" },
};

static const struct entity_column receiver_columns[] = {
	{ "center", "center_id", ENTITY_NUMBER, true, false, true, "ID",
	    "whose it is" },
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT",
	    "of the link, unique" },
	{ "protocol", "protocol", ENTITY_CHOICE, true, false, true,
	    "surgard|dc09|ademco685|d6500|xml|json|mail|webhook",
	    "what it speaks" },
	{ "description", "description", ENTITY_TEXT, false, false, false,
	    "TEXT", "for dealers who choose" },
	{ "listen", "listen", ENTITY_BOOLEAN, false, false, false, "yes|no",
	    "it connects to us: endpoints are our own" },
	{ "paused", "paused", ENTITY_BOOLEAN, false, false, false, "yes|no",
	    "queue, send nothing" },
	{ "visibility", "visibility", ENTITY_CHOICE, false, false, false,
	    "own|all", "which dealers may choose it" },
	{ "number", "receiver_number", ENTITY_UPPER, false, false, false, "RR",
	    "receiver number, 01 otherwise" },
	{ "line", "line_number", ENTITY_UPPER, false, false, false, "L",
	    "line number, 1 otherwise" },
	{ "line-digits", "line_digits", ENTITY_SMALL, false, false, false,
	    "1|3", "Sur-Gard: width of the line number" },
	{ "sia-block", "sia_block", ENTITY_BOOLEAN, false, false, false,
	    "yes|no", "Sur-Gard: SIA in block form" },
	{ "clock", "clock", ENTITY_BOOLEAN, false, false, false, "yes|no",
	    "Sur-Gard: the time behind each event" },
	{ "header-space", "header_space", ENTITY_BOOLEAN, false, false, false,
	    "yes|no", "D6500: a space before each message" },
	{ "account-policy", "account_policy", ENTITY_CHOICE, false, false,
	    false, "refuse|split_front|split_back",
	    "Sur-Gard: an account of more than 4 characters" },
	{ "translation", "translation", ENTITY_CHOICE, false, false, false,
	    "none|contact_id|sia", "the one code it reads" },
	{ "codes", "codes", ENTITY_LIST, false, true, false, "CODE=CODE,..",
	    "what it gets instead of the table's translation: E130=BA, "
	    "BA=E130",
	    "(SELECT string_agg(came || '=' || goes, ',' ORDER BY came) "
	    "FROM tocsin.receiver_code c WHERE c.receiver_id = t.id)",
	    "INSERT INTO tocsin.receiver_code (receiver_id, came, goes) "
	    "SELECT $1::bigint, upper(split_part(pair, '=', 1)), "
	    "upper(substr(pair, strpos(pair, '=') + 1)) "
	    "FROM unnest(string_to_array($2, ',')) pair",
	    "DELETE FROM tocsin.receiver_code WHERE receiver_id = $1::bigint" },
	{ "shadow-of", "shadow_of", ENTITY_NUMBER, false, true, true, "ID",
	    "it only gets copies of what that receiver has got, to compare" },
	{ "account-digits", "account_digits", ENTITY_SMALL, false, true, false,
	    "N", "longest account it takes" },
	{ "heartbeat", "heartbeat_ms", ENTITY_DURATION, false, false, false,
	    "TIME", "interval of link tests, 0: none" },
	{ "ack-wait", "ack_wait_ms", ENTITY_DURATION, false, false, false,
	    "TIME", "how long an acknowledgement may take" },
	{ "retries", "retries", ENTITY_SMALL, false, false, false, "N",
	    "of one message before the link is down" },
	{ "in-flight", "in_flight", ENTITY_NUMBER, false, false, false, "N",
	    "unacknowledged messages allowed" },
	{ "key", "key", ENTITY_KEY, false, true, false, "hex:..|text:..",
	    "DC-09 encryption key, needs --master-key-file" },
	{ "passkey", "passkey", ENTITY_SECRET, false, true, false, "FILE|-",
	    "dealers need it for a station; -: asked for; none: nobody does" },
	{ "link-passkey", "passkey_sealed", ENTITY_SEALED, false, true, false,
	    "FILE|-",
	    "what the link proves itself with, XML and webhook; needs "
	    "--master-key-file",
	    "sends_passkey", "receiver.passkey" },
	{ "endpoints", "endpoints", ENTITY_LIST, false, true, false,
	    "HOST:PORT,..",
	    "in the order of use; udp://HOST:PORT for UDP, "
	    "tls://HOST:PORT[;name=NAME][;ca=FILE][;certificate=FILE] for TLS; "
	    "for xml and webhook: https://HOST:PORT/PATH[;..] or http://; "
	    "for json: run:NAME, each:NAME, file:NAME; for mail: smtp|smtps|"
	    "smtp-clear://TEMPLATE@HOST:PORT; serial:/dev/NAME,9600,8n1",
	    "(SELECT string_agg(tocsin.endpoint_text(e), ',' ORDER BY position) "
	    "FROM tocsin.receiver_endpoint e WHERE e.receiver_id = t.id)",
	    "INSERT INTO tocsin.receiver_endpoint (receiver_id, position, "
	    "transport, host, port, tls_name, tls_ca, tls_certificate, path) "
	    "SELECT $1::bigint, w.* FROM tocsin.endpoints_of($2) w",
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
	{ "url-parameter", "url_parameter", ENTITY_CHOICE, false, false, false,
	    "act|csid|txid", "what the account is called in the launch URL" },
	{ "passkey", "passkey", ENTITY_SECRET, false, false, false, "FILE|-",
	    "the receiver's, where it has one; -: asked for" },
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
	{ "state", "state", ENTITY_CHOICE, false, false, true,
	    "active|inactive", "inactive: logged, not forwarded" },
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
	{ "entry-delay", "entry_delay_s", ENTITY_SECONDS, false, false, false,
	    "TIME", "60s otherwise" },
	{ "exit-delay", "exit_delay_s", ENTITY_SECONDS, false, false, false,
	    "TIME", "60s otherwise" },
	{ "repeat-filter", "repeat_filter_s", ENTITY_SECONDS, false, false,
	    false, "TIME", "20s otherwise" },
	{ "test-interval", "test_interval_s", ENTITY_SECONDS, false, true,
	    false, "TIME", "a test is expected this often" },
	{ "ack-level", "ack_level", ENTITY_CHOICE, false, true, false,
	    "local|delivered",
	    "when its panels are answered; none: as the listener has it" },
	{ "activation-ends", "activation_ends", ENTITY_MOMENT, false, true,
	    false, "'YYYY-MM-DD HH:MM'",
	    "first bridge until then (UTC); 30 days otherwise, none: no end" },
};

static const struct entity_column bridge_columns[] = {
	{ "serial", "serial", ENTITY_TEXT, true, false, true, "TEXT",
	    "on its label" },
	{ "kind", "kind", ENTITY_CHOICE, false, false, true, "bridge|panel",
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
	    "DC-09 key at once (see roll-key), needs --master-key-file" },
	{ "tls-required", "tls_required", ENTITY_BOOLEAN, false, false, false,
	    "yes|no", "refuse what does not come over TLS" },
	{ "time-window-past", "time_window_past_s", ENTITY_SECONDS, false, true,
	    false, "TIME", "how old a frame may be, none: the listener's" },
	{ "time-window-future", "time_window_future_s", ENTITY_SECONDS, false,
	    true, false, "TIME", "how far it may be ahead, likewise" },
	{ "mac", "mac", ENTITY_MAC, false, true, true, "MAC",
	    "of its network interface; refuse frames that name another" },
	{ "model", "model", ENTITY_TEXT, false, false, false, "TEXT",
	    "maker and type" },
	{ "firmware", "firmware", ENTITY_TEXT, false, false, false, "TEXT",
	    "version" },
	{ "entry-delay", "entry_delay_s", ENTITY_SECONDS, false, true, false,
	    "TIME", "none: the site's" },
	{ "exit-delay", "exit_delay_s", ENTITY_SECONDS, false, true, false,
	    "TIME", "none: the site's" },
	{ "arming-input-inverted", "arming_input_inverted", ENTITY_BOOLEAN,
	    false, false, false, "yes|no", "closed means disarmed" },
};

static const struct entity_column channel_columns[] = {
	{ "bridge", "bridge_id", ENTITY_NUMBER, true, false, true, "ID",
	    "where it is connected" },
	{ "name", "name", ENTITY_TEXT, true, false, false, "TEXT",
	    "for example Front door" },
	{ "zone-type", "zone_type", ENTITY_SMALL, true, false, true, "N",
	    "how it behaves" },
	{ "enabled", "enabled", ENTITY_BOOLEAN, false, true, false,
	    "yes|no|none", "none inherits" },
	{ "code", "code", ENTITY_UPPER, false, true, false, "NNN|none",
	    "none inherits" },
	{ "repeat-filter", "repeat_filter_s", ENTITY_SECONDS, false, true,
	    false, "TIME", "none: the site's" },
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

static const struct entity_column camera_columns[] = {
	{ "bridge", "bridge_id", ENTITY_NUMBER, true, false, true, "ID",
	    "where it is connected" },
	{ "channel", "channel_id", ENTITY_NUMBER, true, false, true, "ID",
	    "the one channel it sits on" },
	{ "name", "name", ENTITY_TEXT, true, false, false, "TEXT",
	    "for example Front door" },
	{ "model", "model", ENTITY_TEXT, false, false, false, "TEXT",
	    "maker and type" },
	{ "mac", "mac", ENTITY_MAC, false, true, true, "MAC",
	    "of its network interface" },
	{ "address", "address", ENTITY_TEXT, false, true, true, "HOST",
	    "where the bridge reaches it" },
	{ "idle-days", "idle_days", ENTITY_SMALL, false, true, false, "N",
	    "no signal for so long is an event" },
};

static const struct entity_column contact_columns[] = {
	{ "site", "site_id", ENTITY_NUMBER, true, false, true, "ID",
	    "of which site" },
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT",
	    "of the person" },
	{ "title", "title", ENTITY_TEXT, false, false, false, "TEXT",
	    "owner, neighbour" },
	{ "phone", "phone", ENTITY_TEXT, false, true, true, "NUMBER",
	    "where to call" },
	{ "email", "email", ENTITY_TEXT, false, true, true, "ADDRESS",
	    "where to write" },
	{ "slot", "slot", ENTITY_SMALL, false, true, false, "N",
	    "contact slot in the package" },
};

static const struct entity_column user_columns[] = {
	{ "login", "login", ENTITY_TEXT, true, false, true, "LOGIN",
	    "unique, small letters" },
	{ "name", "name", ENTITY_TEXT, true, false, false, "TEXT",
	    "of the person" },
	{ "role", "role", ENTITY_CHOICE, true, false, true,
	    "operator|center|dealer_admin|dealer_technician|viewer|app_member",
	    "what the user may do" },
	{ "dealer", "dealer_id", ENTITY_NUMBER, false, true, true, "ID",
	    "whose user" },
	{ "center", "center_id", ENTITY_NUMBER, false, true, true, "ID",
	    "whose user, of role center" },
	{ "email", "email", ENTITY_TEXT, false, true, true, "ADDRESS",
	    "where to write" },
	{ "disabled", "disabled", ENTITY_BOOLEAN, false, false, true, "yes|no",
	    "cannot sign in" },
};

static const struct entity_column template_columns[] = {
	{ "dealer", "dealer_id", ENTITY_NUMBER, true, false, true, "ID",
	    "whose template" },
	{ "name", "name", ENTITY_TEXT, true, false, true, "TEXT",
	    "as the dealer calls it" },
	{ "station", "station_record_id", ENTITY_NUMBER, false, true, true,
	    "ID", "who monitors such sites" },
	{ "timezone", "timezone", ENTITY_TEXT, false, true, false, "ZONE",
	    "IANA name: Europe/Athens" },
	{ "arming-method", "arming_method", ENTITY_CHOICE, false, true, false,
	    LIFE_ARMING_METHODS, "the authority over the arming state" },
	{ "entry-delay", "entry_delay_s", ENTITY_SECONDS, false, true, false,
	    "TIME", "60s otherwise" },
	{ "exit-delay", "exit_delay_s", ENTITY_SECONDS, false, true, false,
	    "TIME", "60s otherwise" },
	{ "repeat-filter", "repeat_filter_s", ENTITY_SECONDS, false, true,
	    false, "TIME", "20s otherwise" },
	{ "test-interval", "test_interval_s", ENTITY_SECONDS, false, true,
	    false, "TIME", "a test is expected this often" },
};

static const struct entity_column template_library_columns[] = {
	{ "template", "template_id", ENTITY_NUMBER, true, false, true, "ID",
	    "of which template" },
	{ "zone-type", "zone_type", ENTITY_SMALL, false, true, true, "N",
	    "about alarms of this zone type" },
	{ "inbound-code", "inbound_code", ENTITY_UPPER, false, true, true,
	    "CODE", "about this received code" },
	{ "system-event", "system_event", ENTITY_TEXT, false, true, true,
	    "NAME", "about this system event" },
	{ "enabled", "enabled", ENTITY_BOOLEAN, false, true, false,
	    "yes|no|none", "none inherits" },
	{ "code", "code", ENTITY_UPPER, false, true, false, "CODE|none",
	    "none inherits" },
};

static const struct entity_column partition_columns[] = {
	{ "site", "site_id", ENTITY_NUMBER, true, false, true, "ID",
	    "of which site" },
	{ "number", "number", ENTITY_SMALL, true, false, true, "N",
	    "as it is sent, 1 to 99" },
	{ "name", "name", ENTITY_TEXT, true, false, false, "TEXT",
	    "for example Ground floor" },
	{ "channels", "channels", ENTITY_LIST, false, true, false, "ID,..",
	    "channels that are armed together",
	    "(SELECT string_agg(channel_id::text, ',' ORDER BY channel_id) "
	    "FROM tocsin.partition_channel p WHERE p.partition_id = t.id)",
	    "INSERT INTO tocsin.partition_channel (site_id, partition_id, "
	    "bridge_id, channel_id) SELECT p.site_id, p.id, "
	    "coalesce(c.bridge_id, 0), u.id FROM tocsin.site_partition p, "
	    "(SELECT CASE WHEN trim(n) ~ '^[0-9]{1,18}$' THEN n::bigint "
	    "ELSE 0 END AS id FROM unnest(string_to_array($2, ',')) n) u "
	    "LEFT JOIN tocsin.channel c ON c.id = u.id WHERE p.id = $1::bigint",
	    "DELETE FROM tocsin.partition_channel WHERE partition_id = "
	    "$1::bigint" },
};

static const struct entity_column destination_columns[] = {
	{ "site", "site_id", ENTITY_NUMBER, true, false, true, "ID",
	    "whose signals" },
	{ "station", "station_record_id", ENTITY_NUMBER, true, false, true,
	    "ID", "where they go as well" },
	{ "account", "account_number", ENTITY_UPPER, true, false, true, "A",
	    "at that station, without prefix" },
	{ "reference-id", "reference_id", ENTITY_TEXT, false, true, true,
	    "TEXT", "second identifier at that station" },
};

static const struct entity_column destination_rule_columns[] = {
	{ "site", "site_id", ENTITY_NUMBER, true, false, true, "ID",
	    "whose signals" },
	{ "destination", "destination_id", ENTITY_NUMBER, true, false, true,
	    "ID", "where they go by this rule" },
	{ "code-class", "code_class", ENTITY_TEXT, false, true, true, "NAME",
	    "only such codes" },
	{ "partition", "partition_id", ENTITY_NUMBER, false, true, true, "ID",
	    "only this partition" },
	{ "days", "weekdays", ENTITY_DAYS, false, false, false, "mon,tue,..",
	    "only these days", LIFE_DAYS("weekdays") },
	{ "from", "from_time", ENTITY_CLOCK, false, true, false, "HH:MM",
	    "only from then" },
	{ "until", "until_time", ENTITY_CLOCK, false, true, false, "HH:MM",
	    "to then, over midnight when it is earlier" },
};

#define ENTITY(word, text, table_name, context, more, bulk, steps, step_count) \
 int entity_##word(int argc, char **argv)                                      \
 {                                                                             \
  static const struct entity entity = { text, table_name, word##_columns,      \
	  COUNT(word##_columns), context, more, bulk, steps, step_count };     \
                                                                               \
  return entity_run(&entity, argc, argv);                                      \
 }
#define PLAIN(word, table_name, bulk)                                          \
 ENTITY(word, #word, "tocsin." table_name, NULL, "", bulk, NULL, 0)

PLAIN(dealer, "dealer", false)
PLAIN(center, "center", false)
ENTITY(receiver, "receiver", "tocsin.receiver", "receiver.key", ", has_passkey",
    false, NULL, 0)
PLAIN(station, "station_record", false)
ENTITY(site, "site", "tocsin.site", NULL,
    ", (SELECT account FROM tocsin.effective_account e "
    "WHERE e.site_id = t.id AND e.destination_id IS NULL) AS effective_account",
    true, life_site_actions, LIFE_SITE_ACTIONS)
ENTITY(bridge, "bridge", "tocsin.bridge", "bridge.key",
    ", previous_key_until, number, state, has_bearer_key, "
    "previous_bearer_key_until",
    true, life_bridge_actions, LIFE_BRIDGE_ACTIONS)
PLAIN(channel, "channel", true)
PLAIN(camera, "camera", false)
PLAIN(contact, "contact", true)
ENTITY(user, "user", "tocsin.user_account", NULL, ", has_password, has_totp",
    false, life_user_actions, LIFE_USER_ACTIONS)
PLAIN(template, "site_template", false)
ENTITY(template_library, "template-library", "tocsin.site_template_library",
    NULL, "", false, NULL, 0)
PLAIN(partition, "site_partition", false)
PLAIN(destination, "site_destination", false)
ENTITY(destination_rule, "destination-rule", "tocsin.site_destination_rule",
    NULL, "", false, NULL, 0)
