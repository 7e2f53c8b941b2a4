#include "ctl/refusal.h"

#include <string.h>

#include "base/array.h"

static const struct {
	const char *constraint, *sentence;
} refusals[] = {
	{ "account_unique_at_receiver",
	    "this account number is already taken at this receiver, by this "
	    "or another dealer's site: no two sites may signal under one "
	    "account" },
	{ "reference_id_unique_at_center",
	    "this reference id is already taken at this center" },
	{ "site_account_required",
	    "a site with a station needs its account number" },
	{ "site_account_format",
	    "an account number is 1 to 16 digits and capital letters" },
	{ "site_timezone_known",
	    "there is no such time zone; it is an IANA name such as "
	    "Europe/Athens" },
	{ "site_name_not_blank", "a site needs a name" },
	{ "site_external_id_not_blank", "an external id must not be blank" },
	{ "site_external_id_unique",
	    "this dealer has another site with this external id" },
	{ "site_dealer_exists", "there is no such dealer, or it has sites" },
	{ "site_station_of_dealer",
	    "there is no such station of this dealer, or sites use it" },
	{ "site_state_known", "a site is active or inactive" },
	{ "site_position_range",
	    "latitude (-90 to 90) and longitude (-180 to 180) belong "
	    "together" },
	{ "site_reference_id_format",
	    "a reference id is 1 to 64 characters without spaces" },
	{ "dealer_name_not_blank", "a dealer needs a name" },
	{ "dealer_name_unique", "there is another dealer of this name" },
	{ "dealer_parent_exists",
	    "there is no such parent dealer, or it has sub-dealers" },
	{ "dealer_not_above_itself", "a dealer cannot be above itself" },
	{ "center_name_not_blank", "a center needs a name" },
	{ "center_name_unique", "there is another center of this name" },
	{ "receiver_center_exists",
	    "there is no such center, or it has receivers" },
	{ "receiver_name_unique", "there is another receiver of this name" },
	{ "receiver_name_not_blank", "a receiver needs a name" },
	{ "receiver_protocol_known", "the protocol is surgard or dc09" },
	{ "receiver_visibility_known", "the visibility is own or all" },
	{ "receiver_number_format",
	    "the receiver number is two hexadecimal digits in Sur-Gard, 1 to "
	    "6 in DC-09" },
	{ "receiver_line_format",
	    "the line number is one character (or up to three digits with "
	    "line digits 3) in Sur-Gard, 1 to 6 hexadecimal digits in DC-09" },
	{ "receiver_line_digits_range", "line digits are 1 or 3" },
	{ "receiver_account_digits_range", "account digits are 3 to 32" },
	{ "receiver_heartbeat_range", "the heartbeat is 0 or 1s to 1d" },
	{ "receiver_ack_wait_range", "the ack wait is 100ms to 10min" },
	{ "receiver_retries_range", "retries are 0 to 255" },
	{ "receiver_in_flight_range", "in flight is 1 to 65535" },
	{ "receiver_key_only_dc09", "only a DC-09 receiver has a key" },
	{ "receiver_endpoint_receiver_exists", "there is no such receiver" },
	{ "receiver_endpoint_position_unique",
	    "two endpoints have the same place in the order" },
	{ "receiver_endpoint_once", "this endpoint is named twice" },
	{ "receiver_endpoint_position_range", "at most 16 endpoints" },
	{ "receiver_endpoint_host_format",
	    "an endpoint is HOST:PORT, or udp://HOST:PORT" },
	{ "receiver_endpoint_port_range", "a port is 1 to 65535" },
	{ "receiver_endpoint_udp_only_dc09",
	    "only a DC-09 receiver is reached by UDP" },
	{ "station_record_dealer_exists",
	    "there is no such dealer, or it has stations" },
	{ "station_record_center_exists",
	    "there is no such center, or stations use it" },
	{ "station_record_receiver_of_center",
	    "there is no such receiver of this center, or stations use it" },
	{ "station_record_name_unique",
	    "this dealer has another station of this name" },
	{ "station_record_name_not_blank", "a station needs a name" },
	{ "station_record_prefix_format",
	    "a prefix is up to 16 digits and capital letters" },
	{ "station_record_line_card_format",
	    "a line card is 1 to 6 digits and capital letters" },
	{ "station_record_url_format",
	    "a launch URL begins with http:// or https://, has no spaces and "
	    "at most 400 characters" },
	{ "bridge_site_exists", "there is no such site, or it has bridges" },
	{ "bridge_serial_unique", "there is another bridge of this serial" },
	{ "bridge_mac_unique", "there is another bridge of this MAC" },
	{ "bridge_serial_not_blank", "a serial must not be blank" },
	{ "bridge_kind_known", "the kind is bridge or panel" },
	{ "bridge_account_format",
	    "a transport account is 1 to 32 digits and letters" },
	{ "bridge_receiver_format",
	    "a transport receiver is 1 to 6 hexadecimal digits" },
	{ "bridge_line_format",
	    "a transport line is 1 to 6 digits and letters" },
	{ "bridge_listener_not_blank", "a listener's name must not be blank" },
	{ "bridge_sender_needs_account",
	    "receiver, line and listener of a sender need its account" },
	{ "bridge_sender_unique",
	    "another bridge signals with the same account, receiver, line and "
	    "listener: nobody could tell them apart" },
	{ "bridge_registered_elsewhere",
	    "the bridge is registered at another site: take it from there "
	    "first (--site none)" },
	{ "channel_bridge_exists", "there is no such bridge" },
	{ "channel_zone_type_exists", "there is no such zone type" },
	{ "channel_name_not_blank", "a channel needs a name" },
	{ "channel_code_format",
	    "a code is three digits, as in Contact ID: 130" },
	{ "channel_zone_unique",
	    "this zone belongs to another channel of the bridge" },
	{ "channel_zone_channel_exists", "there is no such channel" },
	{ "channel_zone_number_format",
	    "a zone is 1 to 6 digits and capital letters" },
	{ "alarm_library_dealer_exists", "there is no such dealer" },
	{ "alarm_library_site_exists", "there is no such site" },
	{ "alarm_library_zone_type_exists", "there is no such zone type" },
	{ "alarm_library_one_owner",
	    "a library row is about one dealer or one site" },
	{ "alarm_library_one_subject",
	    "a library row is about one zone type or one inbound code" },
	{ "alarm_library_says_something",
	    "a library row sets enabled, code or both" },
	{ "alarm_library_once", "there is already a library row about this" },
	{ "alarm_library_inbound_code_format",
	    "an inbound code is three digits (Contact ID) or two letters "
	    "(SIA)" },
	{ "alarm_library_code_format",
	    "a code is three digits (Contact ID), or two letters for an "
	    "inbound SIA code" },
};

const char *
refusal_sentence(const struct db *db, const struct err *err)
{
	for (size_t i = 0; i < COUNT(refusals); i++)
		if (strcmp(db_constraint(db), refusals[i].constraint) == 0)
			return refusals[i].sentence;
	return err->text;
}
