#include "bulk/kind.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/slice.h"

#define SMALL 32767

/* name, field, type, maximum, constraints, read */

#define DEALER_COLUMNS(constraints, read)                                      \
 { "dealer", "dealer", BULK_TEXT, 0, constraints, read },                      \
 {                                                                             \
  "dealer-id", "dealer_id", BULK_NUMBER, INT64_MAX, "", NULL                   \
 }

#define SITE_COLUMNS                                                           \
 { "site-external-id", "site_external_id", BULK_TEXT, 0, "",                   \
	 "s.external_id" },                                                    \
 {                                                                             \
  "site-id", "site_id", BULK_NUMBER, INT64_MAX, "",                            \
      "CASE WHEN s.external_id IS NULL THEN s.id END"                          \
 }

static const struct bulk_column site_columns[] = {
	DEALER_COLUMNS("site_dealer_exists ", "d.name"),
	{ "external-id", "external_id", BULK_TEXT, 0,
	    "site_external_id_unique site_external_id_not_blank ",
	    "s.external_id" },
	{ "name", "name", BULK_TEXT, 0, "site_name_not_blank ", "s.name" },
	{ "timezone", "timezone", BULK_TEXT, 0, "site_timezone_known ",
	    "s.timezone" },
	{ "address1", "address1", BULK_TEXT, 0, "", "s.address1" },
	{ "address2", "address2", BULK_TEXT, 0, "", "s.address2" },
	{ "city", "city", BULK_TEXT, 0, "", "s.city" },
	{ "region", "region", BULK_TEXT, 0, "", "s.region" },
	{ "postal-code", "postal_code", BULK_TEXT, 0, "", "s.postal_code" },
	{ "country", "country", BULK_TEXT, 0, "", "s.country" },
	{ "latitude", "latitude", BULK_REAL, 0, "site_position_range ",
	    "s.latitude" },
	{ "longitude", "longitude", BULK_REAL, 0, "", "s.longitude" },
	{ "state", "state", BULK_TEXT, 0, "site_state_known ", "s.state" },
	{ "station", "station", BULK_TEXT, 0, "site_station_of_dealer ",
	    "r.name" },
	{ "account", "account_number", BULK_TEXT, 0,
	    "site_account_format site_account_required "
	    "account_unique_at_receiver ",
	    "s.account_number" },
	{ "reference-id", "reference_id", BULK_TEXT, 0,
	    "site_reference_id_format reference_id_unique_at_center ",
	    "s.reference_id" },
	{ "template", "template", BULK_TEXT, 0, "", NULL },
	{ "arming-method", "arming_method", BULK_TEXT, 0,
	    "site_arming_method_known ", "s.arming_method" },
	{ "entry-delay", "entry_delay_s", BULK_NUMBER, SMALL,
	    "site_entry_delay_range ", "s.entry_delay_s" },
	{ "exit-delay", "exit_delay_s", BULK_NUMBER, SMALL,
	    "site_exit_delay_range ", "s.exit_delay_s" },
	{ "repeat-filter", "repeat_filter_s", BULK_NUMBER, SMALL,
	    "site_repeat_filter_range ", "s.repeat_filter_s" },
	{ "test-interval", "test_interval_s", BULK_NUMBER, INT32_MAX,
	    "site_test_interval_range ", "s.test_interval_s" },
};

static const struct bulk_column bridge_columns[] = {
	DEALER_COLUMNS("", "d.name"),
	SITE_COLUMNS,
	{ "serial", "serial", BULK_TEXT, 0, "bridge_serial_not_blank ",
	    "b.serial" },
	{ "kind", "kind", BULK_TEXT, 0, "bridge_kind_known ", "b.kind" },
	{ "account", "transport_account", BULK_TEXT, 0,
	    "bridge_account_format bridge_sender_needs_account "
	    "bridge_sender_unique ",
	    "b.transport_account" },
	{ "receiver", "transport_receiver", BULK_TEXT, 0,
	    "bridge_receiver_format ", "b.transport_receiver" },
	{ "line", "transport_line", BULK_TEXT, 0, "bridge_line_format ",
	    "b.transport_line" },
	{ "listener", "listener", BULK_TEXT, 0, "bridge_listener_not_blank ",
	    "b.listener" },
	{ "cipher-required", "cipher_required", BULK_BOOLEAN, 0, "",
	    "b.cipher_required" },
	{ "mac", "mac", BULK_MAC, 0, "bridge_mac_unique ", "b.mac" },
	{ "model", "model", BULK_TEXT, 0, "", "b.model" },
	{ "firmware", "firmware", BULK_TEXT, 0, "bridge_firmware_too_old ",
	    "b.firmware" },
	{ "entry-delay", "entry_delay_s", BULK_NUMBER, SMALL,
	    "bridge_entry_delay_range ", "b.entry_delay_s" },
	{ "exit-delay", "exit_delay_s", BULK_NUMBER, SMALL,
	    "bridge_exit_delay_range ", "b.exit_delay_s" },
	{ "supervision", "supervision", BULK_TEXT, 0,
	    "bridge_path_class_known ",
	    "(SELECT p.supervision_class FROM tocsin.bridge_path p "
	    "WHERE p.bridge_id = b.id AND p.path = 'primary')" },
};

static const struct bulk_column channel_columns[] = {
	{ "bridge", "bridge", BULK_TEXT, 0, "channel_bridge_exists ",
	    "b.serial" },
	{ "name", "name", BULK_TEXT, 0, "channel_name_not_blank ", "c.name" },
	{ "zone-type", "zone_type", BULK_NUMBER, SMALL,
	    "channel_zone_type_exists ", "c.zone_type" },
	{ "zones", "zones", BULK_TEXT, 0,
	    "channel_zone_unique channel_zone_number_format ",
	    "(SELECT string_agg(z.zone_number, ',' ORDER BY z.zone_key) "
	    "FROM tocsin.channel_zone z WHERE z.channel_id = c.id)" },
	{ "enabled", "enabled", BULK_BOOLEAN, 0, "", "c.enabled" },
	{ "code", "code", BULK_TEXT, 0, "channel_code_format ", "c.code" },
	{ "repeat-filter", "repeat_filter_s", BULK_NUMBER, SMALL,
	    "channel_repeat_filter_range ", "c.repeat_filter_s" },
};

static const struct bulk_column contact_columns[] = {
	DEALER_COLUMNS("", "d.name"),
	SITE_COLUMNS,
	{ "name", "name", BULK_TEXT, 0, "contact_name_not_blank ", "c.name" },
	{ "title", "title", BULK_TEXT, 0, "", "c.title" },
	{ "phone", "phone", BULK_TEXT, 0,
	    "contact_phone_format contact_reachable ", "c.phone" },
	{ "email", "email", BULK_TEXT, 0, "contact_email_format ", "c.email" },
	{ "slot", "slot", BULK_NUMBER, SMALL,
	    "contact_slot_unique contact_slot_range ", "c.slot" },
};

static const struct bulk_kind kinds[] = {
	{ "site", site_columns, COUNT(site_columns),
	    "tocsin.site s JOIN tocsin.dealer d ON d.id = s.dealer_id "
	    "LEFT JOIN tocsin.station_record r ON r.id = s.station_record_id",
	    "s.dealer_id" },
	{ "bridge", bridge_columns, COUNT(bridge_columns),
	    "tocsin.bridge b LEFT JOIN tocsin.site s ON s.id = b.site_id "
	    "LEFT JOIN tocsin.dealer d ON d.id = s.dealer_id",
	    "s.dealer_id" },
	{ "channel", channel_columns, COUNT(channel_columns),
	    "tocsin.channel c JOIN tocsin.bridge b ON b.id = c.bridge_id "
	    "LEFT JOIN tocsin.site s ON s.id = b.site_id",
	    "s.dealer_id" },
	{ "contact", contact_columns, COUNT(contact_columns),
	    "tocsin.contact c JOIN tocsin.site s ON s.id = c.site_id "
	    "JOIN tocsin.dealer d ON d.id = s.dealer_id",
	    "s.dealer_id" },
};

const struct bulk_kind *
bulk_kind_find(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static bool
is_number(const struct bulk_column *column, const char *text)
{
	unsigned long number;

	return slice_to_number(slice_from_string(text), 10, &number) == 0 &&
	    number <= (unsigned long)column->maximum;
}

static bool
is_real(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	return end != text && *end == '\0' && isfinite(number);
}

static bool
is_boolean(const char *text)
{
	static const char *const words[] = { "yes", "no", "true", "false", "t",
		"f" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool
is_mac(const char *text)
{
	unsigned digits = 0;

	for (; *text; text++)
		if (strchr("0123456789abcdefABCDEF", *text))
			digits++;
		else if (!strchr(":-.", *text))
			return false;
	return digits == 12;
}

const char *
bulk_column_expected(const struct bulk_column *column, const char *text)
{
	switch (column->type) {
	case BULK_TEXT:
		return NULL;
	case BULK_NUMBER:
		return is_number(column, text) ? NULL : "a whole number";
	case BULK_REAL:
		return is_real(text) ? NULL : "a number with a decimal point";
	case BULK_BOOLEAN:
		return is_boolean(text) ? NULL : "yes or no";
	case BULK_MAC:
		return is_mac(text) ? NULL : "a MAC such as 00:1b:44:11:3a:b7";
	}
	return NULL;
}
