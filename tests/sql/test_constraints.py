"""Each constraint refuses what it is for, under its own name, and each name is
turned into a sentence by tocsinctl."""
import re
import threading

import psycopg2
import pytest

from conftest import SOURCE, SQL, ctl
from harness import wait_until

BASE = """
INSERT INTO tocsin.dealer (id, name) VALUES (1, 'north'), (2, 'south');
INSERT INTO tocsin.center (id, name) VALUES (1, 'center'), (2, 'other');
INSERT INTO tocsin.receiver (id, center_id, name, protocol) VALUES
  (1, 1, 'plain', 'surgard'), (2, 1, 'net', 'dc09'), (3, 2, 'far', 'surgard');
INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 1, '192.0.2.1', 1025);
INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port, transport) VALUES (2, 1, '192.0.2.1', 1025, 'udp');
INSERT INTO tocsin.receiver_code (receiver_id, came, goes) VALUES (1, 'E130', 'BA');
INSERT INTO tocsin.station_record (id, dealer_id, center_id, receiver_id, name, prefix) VALUES
  (1, 1, 1, 1, 's', '1'), (2, 2, 1, 1, 's', '12'), (3, 1, 1, 2, 'n', ''), (4, 1, 1, NULL, 'none', '');
INSERT INTO tocsin.site (id, dealer_id, name, timezone, station_record_id, account_number, reference_id, external_id) VALUES
  (1, 1, 'house', 'Europe/Athens', 1, '234', 'R1', 'X'),
  (2, 1, 'shop', 'Europe/Athens', NULL, NULL, NULL, NULL),
  (3, 2, 'barn', 'Europe/Athens', 2, '99', NULL, NULL);
INSERT INTO tocsin.bridge (id, serial, mac, transport_account, site_id) VALUES (1, 'B1', '00:00:5e:00:53:01', 'ABCD', 1);
INSERT INTO tocsin.bridge (id, serial, transport_account, transport_receiver) VALUES (2, 'B2', 'ABCD', '1');
INSERT INTO tocsin.channel (id, bridge_id, name, zone_type) VALUES (1, 1, 'door', 1), (2, 1, 'hall', 3), (3, 2, 'x', 3);
INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id) VALUES (1, '001', 1);
INSERT INTO tocsin.alarm_library (dealer_id, zone_type, enabled) VALUES (1, 1, false);
INSERT INTO tocsin.bridge_path (bridge_id, path, interval_s, margin_s) VALUES (1, 'primary', 60, 6);
INSERT INTO tocsin.camera (id, bridge_id, channel_id, name, mac, address) VALUES
  (1, 1, 1, 'porch', '00:00:5e:00:53:02', 'cam1'), (2, 1, 2, 'yard', '00:00:5e:00:53:03', 'cam2');
INSERT INTO tocsin.site_partition (id, site_id, number, name) VALUES (1, 1, 1, 'all'), (2, 2, 1, 'all');
INSERT INTO tocsin.partition_channel (site_id, partition_id, bridge_id, channel_id) VALUES (1, 1, 1, 1);
UPDATE tocsin.site SET arming_method = 'schedule' WHERE id = 1;
INSERT INTO tocsin.arming_window (id, site_id, week_minutes) VALUES (1, 1, '[0,480)');
INSERT INTO tocsin.arming_exception (id, site_id, during, armed) VALUES (1, 1, '[2026-12-24 12:00,2026-12-27)', true);
INSERT INTO tocsin.contact (id, site_id, name, phone, slot) VALUES (1, 1, 'Owner', '+30 210 1234567', 1), (2, 1, 'Guard', '100', NULL);
INSERT INTO tocsin.site_template (id, dealer_id, name) VALUES (1, 1, 'shop'), (2, 1, 'home');
INSERT INTO tocsin.site_template_library (template_id, zone_type, code) VALUES (1, 1, '131');
INSERT INTO tocsin.site_destination (id, site_id, station_record_id, account_number, reference_id) VALUES (1, 1, 3, '7', 'FAR');
INSERT INTO tocsin.site_destination_rule (id, site_id, destination_id, code_class, from_time, until_time) VALUES
  (1, 1, 1, 'fire', '22:00', '06:00'), (2, 1, 1, NULL, NULL, NULL);
INSERT INTO tocsin.user_account (id, login, name, role, dealer_id) VALUES
  (1, 'anna', 'Anna', 'dealer_admin', 1), (2, 'bob', 'Bob', 'app_member', 1), (3, 'carl', 'Carl', 'app_member', 2);
INSERT INTO tocsin.app_member (site_id, user_id, user_number) VALUES (1, 2, 5);
SELECT setval(pg_get_serial_sequence('tocsin.' || name, 'id'), 100)
FROM unnest('{dealer,center,receiver,station_record,site,bridge,channel,camera,site_partition,arming_window,
arming_exception,contact,site_template,site_destination,site_destination_rule,user_account}'::text[]) name;
"""

SITE = "INSERT INTO tocsin.site (dealer_id, name, timezone, station_record_id, account_number) VALUES "
RECEIVER = "UPDATE tocsin.receiver SET "
POSTED = RECEIVER + """protocol = 'xml' WHERE id = 1;
UPDATE tocsin.receiver_endpoint SET transport = 'http', path = '/' WHERE receiver_id = 1;"""
LIBRARY = "INSERT INTO tocsin.alarm_library (dealer_id, site_id, zone_type, inbound_code, enabled, code) VALUES "

STATION = "INSERT INTO tocsin.station_record (dealer_id, center_id, receiver_id, name, passkey) VALUES "
WEBHOOK = "INSERT INTO tocsin.webhook (dealer_id, station_record_id) VALUES "
# each with a name of its own
WEBHOOK_NEW = ("UPDATE tocsin.dealer SET webhooks = 2 WHERE id = 1; SET tocsin.user_id = '1';"
               "SELECT tocsin.webhook_new(1, 'hook ' || nextval('tocsin.webhook_id_seq'), ")
CAMERA = "INSERT INTO tocsin.camera (bridge_id, channel_id, name, address) VALUES "
SHADOW = "INSERT INTO tocsin.receiver (id, center_id, name, protocol, shadow_of) VALUES "
MEMBER = "INSERT INTO tocsin.partition_channel (site_id, partition_id, bridge_id, channel_id) VALUES "
WINDOW = "INSERT INTO tocsin.arming_window (site_id, partition_id, week_minutes) VALUES "
EXCEPTION = "INSERT INTO tocsin.arming_exception (site_id, partition_id, during, armed) VALUES "
EVENT_LIBRARY = "INSERT INTO tocsin.alarm_library (site_id, channel_id, zone_type, system_event, enabled) VALUES "
TEMPLATE = "INSERT INTO tocsin.site_template_library (template_id, zone_type, inbound_code, system_event, code) VALUES "
DESTINATION = "INSERT INTO tocsin.site_destination (site_id, station_record_id, account_number) VALUES "

REFUSED = [
    ("account_unique_at_receiver", SITE + "(2, 'x', 'UTC', 2, '34')"),
    ("account_unique_at_receiver", "UPDATE tocsin.site SET account_number = '34' WHERE id = 3"),
    ("account_unique_at_receiver", "UPDATE tocsin.site SET account_number = '1234', station_record_id = 4 WHERE id = 2;"
                                   "UPDATE tocsin.station_record SET receiver_id = 1 WHERE id = 4"),
    ("account_unique_at_receiver", "UPDATE tocsin.site SET account_number = '34' WHERE id = 1;"
                                   "UPDATE tocsin.station_record SET receiver_adds_prefix = true WHERE id = 2;"
                                   "UPDATE tocsin.site SET account_number = '0134' WHERE id = 3"),
    ("account_unique_at_receiver", SITE + "(1, 'x', 'UTC', 3, '007'), (1, 'y', 'UTC', 3, '0007');"
                                   "UPDATE tocsin.receiver_endpoint SET transport = 'tcp' WHERE receiver_id = 2;"
                                   + RECEIVER + "protocol = 'surgard', receiver_number = '01' WHERE id = 2"),
    ("reference_id_unique_at_center", "UPDATE tocsin.site SET reference_id = 'R1' WHERE id = 3"),
    ("site_account_required", SITE + "(1, 'x', 'UTC', 1, NULL)"),
    ("site_account_format", SITE + "(1, 'x', 'UTC', 1, '')"),
    ("site_account_format", SITE + "(1, 'x', 'UTC', 1, 'ab12')"),
    # the same digits once the receiver writes them its way
    ("account_unique_at_receiver", SITE + "(1, 'x', 'UTC', 1, 'A34'), (1, 'y', 'UTC', 1, '034');"
                                   + RECEIVER + "protocol = 'ademco685' WHERE id = 1"),
    ("account_unique_at_receiver", SITE + "(1, 'x', 'UTC', 1, '2340');"
                                   + RECEIVER + "account_policy = 'split_back' WHERE id = 1"),
    ("account_unique_at_receiver", SITE + "(1, 'x', 'UTC', 1, '234000');"
                                   + RECEIVER + "account_policy = 'split_back' WHERE id = 1;"
                                   + RECEIVER + "line_digits = 3 WHERE id = 1"),
    ("account_unique_at_receiver", "UPDATE tocsin.station_record SET prefix = '' WHERE id = 1;" + SITE + "(1, 'x', 'UTC', 1, '00234');"
                                   + RECEIVER + "account_policy = 'split_front' WHERE id = 1"),
    ("site_account_format", SITE + "(1, 'x', 'UTC', 1, '12345678901234567')"),
    ("site_timezone_known", SITE + "(1, 'x', 'Europe/Nowhere', NULL, NULL)"),
    ("site_name_not_blank", SITE + "(1, E' \\t', 'UTC', NULL, NULL)"),
    ("site_dealer_exists", SITE + "(9, 'x', 'UTC', NULL, NULL)"),
    ("site_station_of_dealer", SITE + "(1, 'x', 'UTC', 2, '5')"),
    ("site_station_of_dealer", "DELETE FROM tocsin.station_record WHERE id = 1"),
    ("site_external_id_unique", "UPDATE tocsin.site SET external_id = 'X' WHERE id = 2"),
    ("site_external_id_not_blank", "UPDATE tocsin.site SET external_id = ' ' WHERE id = 2"),
    ("site_state_known", "UPDATE tocsin.site SET state = 'gone'"),
    ("site_position_range", "UPDATE tocsin.site SET latitude = 1"),
    ("site_position_range", "UPDATE tocsin.site SET latitude = 91, longitude = 0"),
    ("site_reference_id_format", "UPDATE tocsin.site SET reference_id = 'a b' WHERE id = 2"),
    ("dealer_name_not_blank", "INSERT INTO tocsin.dealer (name) VALUES ('')"),
    ("dealer_name_unique", "INSERT INTO tocsin.dealer (name) VALUES ('north')"),
    ("dealer_parent_exists", "UPDATE tocsin.dealer SET parent_id = 9 WHERE id = 1"),
    ("dealer_not_above_itself", "UPDATE tocsin.dealer SET parent_id = 2 WHERE id = 1;"
                                "UPDATE tocsin.dealer SET parent_id = 1 WHERE id = 2"),
    ("center_name_not_blank", "INSERT INTO tocsin.center (name) VALUES (' ')"),
    ("center_name_unique", "INSERT INTO tocsin.center (name) VALUES ('center')"),
    ("receiver_center_exists", RECEIVER + "center_id = 9 WHERE id = 3"),
    ("receiver_name_unique", RECEIVER + "name = 'net' WHERE id = 1"),
    ("receiver_name_not_blank", RECEIVER + "name = '' WHERE id = 1"),
    ("receiver_protocol_known", RECEIVER + "protocol = 'smoke' WHERE id = 1"),
    ("receiver_visibility_known", RECEIVER + "visibility = 'some'"),
    ("receiver_number_format", RECEIVER + "receiver_number = '1' WHERE id = 1"),
    ("receiver_line_format", RECEIVER + "line_number = '12' WHERE id = 1"),
    ("receiver_line_format", RECEIVER + "line_number = 'G' WHERE id = 2"),
    ("receiver_number_format", RECEIVER + "protocol = 'ademco685', receiver_number = '10' WHERE id = 1"),
    ("receiver_line_format", RECEIVER + "protocol = 'ademco685', line_number = 'A' WHERE id = 1"),
    ("receiver_number_format", RECEIVER + "protocol = 'd6500', receiver_number = '0A' WHERE id = 1"),
    ("receiver_line_format", RECEIVER + "protocol = 'd6500', line_number = 'Z' WHERE id = 1"),
    ("receiver_line_format", RECEIVER + "protocol = 'xml', line_number = 'G' WHERE id = 1"),
    ("receiver_clock_only_surgard", RECEIVER + "clock = true WHERE id = 2"),
    ("receiver_header_space_only_d6500", RECEIVER + "header_space = true WHERE id = 1"),
    ("receiver_account_policy_known", RECEIVER + "account_policy = 'cut' WHERE id = 1"),
    ("receiver_account_policy_only_surgard", RECEIVER + "account_policy = 'split_back' WHERE id = 2"),
    ("receiver_translation_known", RECEIVER + "translation = 'both' WHERE id = 1"),
    ("receiver_translation_spoken", RECEIVER + "protocol = 'ademco685', receiver_number = '1', line_number = '1', translation = 'sia' WHERE id = 1"),
    ("receiver_translation_spoken", RECEIVER + "protocol = 'xml', translation = 'sia' WHERE id = 1"),
    ("receiver_line_digits_range", RECEIVER + "line_digits = 2 WHERE id = 2"),
    ("receiver_account_digits_range", RECEIVER + "account_digits = 2"),
    ("receiver_heartbeat_range", RECEIVER + "heartbeat_ms = 999"),
    ("receiver_ack_wait_range", RECEIVER + "ack_wait_ms = 99"),
    ("receiver_retries_range", RECEIVER + "retries = -1"),
    ("receiver_in_flight_range", RECEIVER + "in_flight = 0"),
    ("receiver_key_only_dc09", RECEIVER + "key = '\\x00' WHERE id = 1"),
    ("receiver_shadow_of_exists", RECEIVER + "shadow_of = 9 WHERE id = 3"),
    ("receiver_shadow_of_exists", SHADOW + "(7, 1, 'new', 'surgard', 3); DELETE FROM tocsin.receiver WHERE id = 3"),
    ("receiver_shadow_not_itself", RECEIVER + "shadow_of = 3 WHERE id = 3"),
    ("receiver_shadow_of_no_shadow", RECEIVER + "shadow_of = 1 WHERE id = 3;" + SHADOW + "(7, 1, 'new', 'surgard', 3)"),
    ("receiver_shadow_of_no_shadow", SHADOW + "(7, 1, 'new', 'surgard', 3);" + RECEIVER + "shadow_of = 1 WHERE id = 3"),
    ("receiver_shadow_not_used", RECEIVER + "shadow_of = 2 WHERE id = 1"),
    ("station_record_receiver_no_shadow", RECEIVER + "shadow_of = 1 WHERE id = 3;"
                                          "INSERT INTO tocsin.station_record (dealer_id, center_id, receiver_id, name) VALUES (1, 2, 3, 'x')"),
    ("receiver_code_receiver_exists", "INSERT INTO tocsin.receiver_code VALUES (9, 'E130', 'BA')"),
    ("receiver_code_once", "INSERT INTO tocsin.receiver_code VALUES (1, 'E130', 'BV')"),
    ("receiver_code_came_format", "INSERT INTO tocsin.receiver_code VALUES (1, 'E1A0', 'BA')"),
    ("receiver_code_came_format", "INSERT INTO tocsin.receiver_code VALUES (1, '130', 'BA')"),
    ("receiver_code_goes_format", "UPDATE tocsin.receiver_code SET goes = 'BA1'"),
    ("receiver_code_translates", "UPDATE tocsin.receiver_code SET goes = 'E131'"),
    ("receiver_code_at_most_1000", "INSERT INTO tocsin.receiver_code SELECT 1, 'P' || a || b || c, 'BA' "
                                   "FROM generate_series(0, 9) a, generate_series(0, 9) b, generate_series(0, 9) c"),
    ("receiver_endpoint_receiver_exists", "UPDATE tocsin.receiver_endpoint SET receiver_id = 9 WHERE transport = 'tcp'"),
    ("receiver_endpoint_position_unique", "INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 1, 'b', 1)"),
    ("receiver_endpoint_once", "INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 2, '192.0.2.1', 1025)"),
    ("receiver_endpoint_position_range", "UPDATE tocsin.receiver_endpoint SET position = 17"),
    ("receiver_endpoint_host_format", "UPDATE tocsin.receiver_endpoint SET host = 'a b'"),
    ("receiver_endpoint_port_range", "UPDATE tocsin.receiver_endpoint SET port = 65536"),
    ("receiver_endpoint_tls_options", "UPDATE tocsin.receiver_endpoint SET tls_ca = 'ca.pem' WHERE receiver_id = 1"),
    ("receiver_endpoint_tls_name_format", "UPDATE tocsin.receiver_endpoint SET transport = 'tls', tls_name = 'a b' WHERE receiver_id = 1"),
    ("receiver_endpoint_tls_files", "UPDATE tocsin.receiver_endpoint SET transport = 'tls', tls_ca = '../ca.pem' WHERE receiver_id = 1"),
    ("receiver_endpoint_tls_files", "UPDATE tocsin.receiver_endpoint SET transport = 'tls', tls_certificate = '.' WHERE receiver_id = 1"),
    ("receiver_endpoint_tls_only_outgoing", RECEIVER + "listen = true WHERE id = 1;"
                                            "UPDATE tocsin.receiver_endpoint SET transport = 'tls' WHERE receiver_id = 1"),
    ("receiver_endpoint_tls_only_outgoing", "UPDATE tocsin.receiver_endpoint SET transport = 'tls' WHERE receiver_id = 1;"
                                            + RECEIVER + "listen = true WHERE id = 1"),
    ("receiver_endpoint_local_only_json", "UPDATE tocsin.receiver_endpoint SET transport = 'run', host = 'a', port = 0 WHERE receiver_id = 1"),
    ("receiver_endpoint_local_only_json", RECEIVER + "protocol = 'json' WHERE id = 1;"
                                          "UPDATE tocsin.receiver_endpoint SET transport = 'file', host = 'a', port = 0 WHERE receiver_id = 1;"
                                          + RECEIVER + "listen = true WHERE id = 1"),
    ("receiver_endpoint_host_format", "UPDATE tocsin.receiver_endpoint SET transport = 'each', host = '../a', port = 0"),
    ("receiver_endpoint_host_format", "UPDATE tocsin.receiver_endpoint SET transport = 'each', host = '.a', port = 0"),
    ("receiver_endpoint_port_range", "UPDATE tocsin.receiver_endpoint SET transport = 'run', host = 'a'"),
    ("receiver_line_format", RECEIVER + "protocol = 'json', line_number = 'G' WHERE id = 1"),
    ("receiver_endpoint_smtp_only_mail", "UPDATE tocsin.receiver_endpoint SET transport = 'smtp', host = 'a@b' WHERE receiver_id = 1"),
    ("receiver_endpoint_smtp_only_mail", RECEIVER + "protocol = 'mail' WHERE id = 1"),
    ("receiver_endpoint_smtp_only_mail", "DELETE FROM tocsin.receiver_endpoint WHERE receiver_id = 1;" + RECEIVER + "protocol = 'mail' WHERE id = 1;"
                                         "INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 1, 'b', 25)"),
    ("receiver_endpoint_host_format", "UPDATE tocsin.receiver_endpoint SET transport = 'smtp' WHERE receiver_id = 1"),
    ("receiver_endpoint_serial_only_automation", "UPDATE tocsin.receiver_endpoint SET transport = 'serial', host = '/dev/ttyS0,9600,8n1', port = 0 WHERE receiver_id = 2"),
    ("receiver_endpoint_serial_only_automation", "UPDATE tocsin.receiver_endpoint SET transport = 'serial', host = '/dev/ttyS0,9600,8n1', port = 0 WHERE receiver_id = 1;"
                                                 + RECEIVER + "listen = true WHERE id = 1"),
    ("receiver_endpoint_host_format", "UPDATE tocsin.receiver_endpoint SET transport = 'serial', host = '/dev/../tmp/x,9600,8n1', port = 0 WHERE receiver_id = 1"),
    ("receiver_endpoint_host_format", "UPDATE tocsin.receiver_endpoint SET transport = 'serial', host = '/dev/ttyS0,9601,8n1', port = 0 WHERE receiver_id = 1"),
    ("receiver_endpoint_udp_only_dc09", "UPDATE tocsin.receiver_endpoint SET transport = 'udp' WHERE receiver_id = 1"),
    ("receiver_endpoint_transport_known", "UPDATE tocsin.receiver_endpoint SET transport = 'smoke'"),
    ("receiver_endpoint_path_format", "UPDATE tocsin.receiver_endpoint SET path = '/' WHERE receiver_id = 1"),
    ("receiver_endpoint_path_format", POSTED + "UPDATE tocsin.receiver_endpoint SET path = '/a,b' WHERE receiver_id = 1"),
    ("receiver_endpoint_path_format", POSTED + "UPDATE tocsin.receiver_endpoint SET path = '' WHERE receiver_id = 1"),
    ("receiver_endpoint_http_only_posted", "UPDATE tocsin.receiver_endpoint SET transport = 'http', path = '/' WHERE receiver_id = 1"),
    ("receiver_endpoint_http_only_posted", POSTED + RECEIVER + "listen = true WHERE id = 1"),
    ("receiver_endpoint_webhook_only_http", RECEIVER + "protocol = 'webhook' WHERE id = 1"),
    ("receiver_listen_not_webhook", RECEIVER + "protocol = 'webhook', listen = true WHERE id = 1"),
    ("receiver_passkey_sealed_sent", RECEIVER + "passkey_sealed = 'x' WHERE id = 1"),
    ("receiver_endpoint_udp_only_dc09", RECEIVER + "protocol = 'surgard', receiver_number = '01' WHERE id = 2"),
    ("station_record_dealer_exists", "UPDATE tocsin.station_record SET dealer_id = 9 WHERE id = 4"),
    ("station_record_center_exists", "UPDATE tocsin.station_record SET center_id = 9 WHERE id = 4"),
    ("station_record_receiver_of_center", "UPDATE tocsin.station_record SET receiver_id = 3 WHERE id = 4"),
    ("station_record_name_unique", "UPDATE tocsin.station_record SET name = 's' WHERE id = 4"),
    ("station_record_name_not_blank", "UPDATE tocsin.station_record SET name = ' ' WHERE id = 4"),
    ("station_record_prefix_format", "UPDATE tocsin.station_record SET prefix = 'a'"),
    ("station_record_line_card_format", "UPDATE tocsin.station_record SET line_card = ''"),
    ("station_record_url_format", "UPDATE tocsin.station_record SET url_template = 'javascript:x'"),
    ("bridge_site_exists", "DELETE FROM tocsin.site WHERE id = 1"),
    ("bridge_number_range", "UPDATE tocsin.bridge SET number = 1000 WHERE id = 1"),
    ("bridge_number_unique", "INSERT INTO tocsin.bridge (id, serial, site_id) VALUES (9, 'B9', 1);"
     "UPDATE tocsin.bridge SET number = 1 WHERE id = 9"),
    ("bridge_serial_unique", "UPDATE tocsin.bridge SET serial = 'B1' WHERE id = 2"),
    ("bridge_mac_unique", "UPDATE tocsin.bridge SET mac = '00:00:5e:00:53:01' WHERE id = 2"),
    ("bridge_previous_key_ends", "UPDATE tocsin.bridge SET key = 'k', previous_key = 'p' WHERE id = 2"),
    ("bridge_previous_key_ends", "UPDATE tocsin.bridge SET previous_key_until = now()"),
    ("bridge_previous_key_needs_key", "UPDATE tocsin.bridge SET previous_key = 'p', previous_key_until = now()"),
    ("bridge_time_window_past_range", "UPDATE tocsin.bridge SET time_window_past_s = 86401, time_window_future_s = 1"),
    ("bridge_time_window_whole", "UPDATE tocsin.bridge SET time_window_past_s = 5"),
    ("bridge_time_window_future_range", "UPDATE tocsin.bridge SET time_window_past_s = 1, time_window_future_s = -1"),
    ("bridge_key_roll_has_key", "SELECT tocsin.bridge_key_roll(2, 'k', 60)"),
    ("bridge_key_roll_overlap", "SELECT tocsin.bridge_key_roll(2, 'k', 59)"),
    ("bridge_exists", "SELECT tocsin.bridge_key_roll(9, 'k', 60)"),
    ("bridge_serial_not_blank", "UPDATE tocsin.bridge SET serial = ' ' WHERE id = 2"),
    ("bridge_kind_known", "UPDATE tocsin.bridge SET kind = 'x'"),
    ("bridge_account_format", "UPDATE tocsin.bridge SET transport_account = 'a b'"),
    ("bridge_receiver_format", "UPDATE tocsin.bridge SET transport_receiver = 'x'"),
    ("bridge_line_format", "UPDATE tocsin.bridge SET transport_line = '-'"),
    ("bridge_listener_not_blank", "UPDATE tocsin.bridge SET listener = ''"),
    ("bridge_sender_needs_account", "UPDATE tocsin.bridge SET transport_account = NULL WHERE id = 2"),
    ("bridge_sender_unique", "INSERT INTO tocsin.bridge (serial, transport_account) VALUES ('B3', 'ABCD')"),
    ("bridge_sender_unique", "UPDATE tocsin.bridge SET transport_receiver = NULL WHERE id = 2"),
    ("bridge_registered_elsewhere", "UPDATE tocsin.bridge SET site_id = 2 WHERE id = 1"),
    ("channel_bridge_exists", "UPDATE tocsin.channel SET bridge_id = 9 WHERE id = 3"),
    ("channel_zone_type_exists", "UPDATE tocsin.channel SET zone_type = 99"),
    ("channel_name_not_blank", "UPDATE tocsin.channel SET name = ''"),
    ("channel_code_format", "UPDATE tocsin.channel SET code = '13'"),
    ("channel_zone_unique", "INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id) VALUES (1, '1', 2)"),
    ("channel_zone_channel_exists", "INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id) VALUES (1, '7', 3)"),
    ("channel_zone_number_format", "INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id) VALUES (1, '', 2)"),
    ("alarm_library_dealer_exists", LIBRARY + "(9, NULL, 1, NULL, true, NULL)"),
    ("alarm_library_site_exists", LIBRARY + "(NULL, 9, 1, NULL, true, NULL)"),
    ("alarm_library_zone_type_exists", LIBRARY + "(1, NULL, 99, NULL, true, NULL)"),
    ("alarm_library_one_owner", LIBRARY + "(1, 1, 2, NULL, true, NULL)"),
    ("alarm_library_one_subject", LIBRARY + "(1, NULL, NULL, NULL, true, NULL)"),
    ("alarm_library_says_something", LIBRARY + "(1, NULL, 2, NULL, NULL, NULL)"),
    ("alarm_library_once", LIBRARY + "(1, NULL, 1, NULL, NULL, '131')"),
    ("alarm_library_inbound_code_format", LIBRARY + "(1, NULL, NULL, '40', true, NULL)"),
    ("alarm_library_inbound_code_format", LIBRARY + "(1, NULL, NULL, '8-1G', true, NULL)"),
    ("alarm_library_code_format", LIBRARY + "(1, NULL, NULL, 'BA', NULL, '130')"),
    ("alarm_library_code_format", LIBRARY + "(1, NULL, NULL, '1-A', NULL, '1-B')"),
    ("dealer_test_maximum_range", "UPDATE tocsin.dealer SET test_maximum_minutes = 0"),
    ("zone_type_number_range", "INSERT INTO tocsin.zone_type (number, name, code) VALUES (0, 'x', '130')"),
    ("zone_type_name_not_blank", "UPDATE tocsin.zone_type SET name = ' ' WHERE number = 1"),
    ("zone_type_name_unique", "UPDATE tocsin.zone_type SET name = 'Instant' WHERE number = 1"),
    ("zone_type_code_format", "UPDATE tocsin.zone_type SET code = 'BA'"),
    ("system_event_description_not_blank", "UPDATE tocsin.system_event SET description = ''"),
    ("system_event_qualifier_known", "UPDATE tocsin.system_event SET qualifier = 'P'"),
    ("system_event_code_format", "UPDATE tocsin.system_event SET code = '40'"),
    ("system_event_zone_field_known", "UPDATE tocsin.system_event SET zone_field = 'x'"),
    ("installation_one_row", "INSERT INTO tocsin.installation (id) VALUES (false)"),
    ("installation_portal_host_format", "UPDATE tocsin.installation SET portal_host = 'https://x'"),
    ("arming_method_title_not_blank", "UPDATE tocsin.arming_method SET title = ''"),
    ("arming_method_position_unique", "UPDATE tocsin.arming_method SET position = 1 WHERE name = 'always'"),
    ("supervision_class_interval_range", "UPDATE tocsin.supervision_class SET primary_interval_s = 9"),
    ("code_class_prefixes_format", "UPDATE tocsin.code_class SET prefixes = '{}'"),
    ("firmware_minimum_version_format", "INSERT INTO tocsin.firmware_minimum VALUES ('x', 'two')"),
    ("user_role_belongs_to_known", "UPDATE tocsin.user_role SET belongs_to = 'x'"),
    ("receiver_passkey_length", RECEIVER + "passkey = 'abc'"),
    ("receiver_passkey_is_hashed", RECEIVER + "passkey_hash = 'secret'"),
    ("station_record_passkey_right", RECEIVER + "passkey = 'right' WHERE id = 1;" + STATION + "(1, 1, 1, 'p', 'wrong')"),
    ("station_record_passkey_right", RECEIVER + "passkey = 'right' WHERE id = 1;" + STATION + "(1, 1, 1, 'p', NULL)"),
    ("station_record_passkey_right", RECEIVER + "passkey = 'right' WHERE id = 2;"
                                     "UPDATE tocsin.station_record SET receiver_id = 2 WHERE id = 1"),
    ("station_record_url_parameter_known", "UPDATE tocsin.station_record SET url_parameter = 'account'"),
    ("site_arming_bridge_of_site", "UPDATE tocsin.site SET arming_method = 'panel_primary', arming_bridge_id = 1 WHERE id = 2"),
    ("site_arming_bridge_only_primary", "UPDATE tocsin.site SET arming_bridge_id = 1 WHERE id = 1"),
    ("site_arming_method_known", "UPDATE tocsin.site SET arming_method = 'magic' WHERE id = 2"),
    ("site_entry_delay_range", "UPDATE tocsin.site SET entry_delay_s = -1"),
    ("site_exit_delay_range", "UPDATE tocsin.site SET exit_delay_s = 3601"),
    ("site_repeat_filter_range", "UPDATE tocsin.site SET repeat_filter_s = 4"),
    ("site_test_interval_range", "UPDATE tocsin.site SET test_interval_s = 59"),
    ("site_ack_level_known", "UPDATE tocsin.site SET ack_level = 'replicated'"),
    ("site_on_test_has_both_ends", "UPDATE tocsin.site SET on_test_until = now()"),
    ("site_on_test_has_both_ends", "UPDATE tocsin.site SET on_test_until = now(), on_test_since = now()"),
    ("site_on_test_only_active", "UPDATE tocsin.site SET state = 'inactive', on_test_since = now(), on_test_until = now() + interval '1 h'"),
    ("bridge_claim_code_unique", "UPDATE tocsin.bridge SET claim_code_hash = '\\x00'"),
    ("bridge_bearer_key_is_hashed", "UPDATE tocsin.bridge SET bearer_key_hash = '\\x00'"),
    ("bridge_previous_bearer_key_is_hashed", "UPDATE tocsin.bridge SET bearer_key_hash = sha256('a'), "
     "previous_bearer_key_hash = '\\x00', previous_bearer_key_until = now() WHERE id = 1"),
    ("bridge_previous_bearer_key_ends", "UPDATE tocsin.bridge SET bearer_key_hash = sha256('a'), "
     "previous_bearer_key_hash = sha256('b') WHERE id = 1"),
    ("bridge_previous_bearer_key_ends", "UPDATE tocsin.bridge SET previous_bearer_key_until = now()"),
    ("bridge_previous_bearer_key_needs_key", "UPDATE tocsin.bridge SET previous_bearer_key_hash = sha256('b'), "
     "previous_bearer_key_until = now() WHERE id = 1"),
    ("bridge_bearer_key_roll_has_key", "SELECT tocsin.bridge_bearer_key_roll(1, 60)"),
    ("bridge_key_roll_overlap", "SELECT tocsin.bridge_bearer_key_roll(1, 59)"),
    ("bridge_exists", "SELECT tocsin.bridge_bearer_key_roll(9, 60)"),
    ("bridge_entry_delay_range", "UPDATE tocsin.bridge SET entry_delay_s = -1"),
    ("bridge_exit_delay_range", "UPDATE tocsin.bridge SET exit_delay_s = 3601"),
    ("bridge_path_bridge_exists", "UPDATE tocsin.bridge_path SET bridge_id = 9"),
    ("bridge_path_class_known", "UPDATE tocsin.bridge_path SET supervision_class = 'SP7'"),
    ("bridge_path_class_known", "SELECT tocsin.bridge_supervise(1, 'SP7')"),
    ("bridge_path_once", "INSERT INTO tocsin.bridge_path (bridge_id, path, interval_s, margin_s) VALUES (1, 'primary', 60, 6)"),
    ("bridge_path_known", "UPDATE tocsin.bridge_path SET path = 'third'"),
    ("bridge_path_listener_not_blank", "UPDATE tocsin.bridge_path SET listener = ' '"),
    ("bridge_path_interval_range", "UPDATE tocsin.bridge_path SET interval_s = 9"),
    ("bridge_path_margin_range", "UPDATE tocsin.bridge_path SET margin_s = -1"),
    ("channel_repeat_filter_range", "UPDATE tocsin.channel SET repeat_filter_s = 3601"),
    ("camera_channel_of_bridge", CAMERA + "(1, 3, 'x', 'cam3')"),
    ("camera_channel_has_one", CAMERA + "(1, 1, 'x', 'cam3')"),
    ("camera_on_one_channel", "UPDATE tocsin.camera SET mac = '00:00:5e:00:53:02' WHERE id = 2"),
    ("camera_address_on_one_channel", "UPDATE tocsin.camera SET address = 'cam1' WHERE id = 2"),
    ("camera_name_not_blank", "UPDATE tocsin.camera SET name = ' '"),
    ("camera_address_format", "UPDATE tocsin.camera SET address = 'a b' WHERE id = 1"),
    ("camera_is_recognised", "UPDATE tocsin.camera SET address = NULL, mac = NULL WHERE id = 1"),
    ("camera_idle_days_range", "UPDATE tocsin.camera SET idle_days = 0"),
    ("site_partition_site_exists", "INSERT INTO tocsin.site_partition (site_id, number, name) VALUES (9, 1, 'x')"),
    ("site_partition_number_unique", "INSERT INTO tocsin.site_partition (site_id, number, name) VALUES (1, 1, 'x')"),
    ("site_partition_number_range", "UPDATE tocsin.site_partition SET number = 0"),
    ("site_partition_name_not_blank", "UPDATE tocsin.site_partition SET name = ''"),
    ("partition_channel_once", MEMBER + "(1, 1, 1, 1)"),
    ("partition_channel_partition_of_site", MEMBER + "(1, 2, 1, 2)"),
    ("partition_channel_bridge_of_site", MEMBER + "(1, 1, 2, 3)"),
    ("partition_channel_channel_of_bridge", MEMBER + "(1, 1, 1, 3)"),
    ("arming_window_site_exists", WINDOW + "(9, NULL, '[0,1)')"),
    ("arming_window_partition_of_site", WINDOW + "(1, 2, '[0,1)')"),
    ("arming_window_method_has_schedule", WINDOW + "(3, NULL, '[0,1)')"),
    ("arming_window_method_has_schedule", "UPDATE tocsin.site SET arming_method = 'always' WHERE id = 1"),
    ("arming_window_in_week", WINDOW + "(1, NULL, '[10079,10081)')"),
    ("arming_window_no_overlap", WINDOW + "(1, NULL, '[479,500)')"),
    ("arming_exception_site_exists", EXCEPTION + "(9, NULL, '[2026-01-01,2026-01-02)', true)"),
    ("arming_exception_partition_of_site", EXCEPTION + "(1, 2, '[2026-01-01,2026-01-02)', true)"),
    ("arming_exception_method_has_schedule", EXCEPTION + "(3, NULL, '[2026-01-01,2026-01-02)', true)"),
    ("arming_exception_has_ends", EXCEPTION + "(1, NULL, '[2026-01-01,)', true)"),
    ("arming_exception_no_overlap", EXCEPTION + "(1, NULL, '[2026-12-25,2026-12-26)', false)"),
    ("contact_site_exists", "UPDATE tocsin.contact SET site_id = 9"),
    ("contact_name_not_blank", "UPDATE tocsin.contact SET name = ' '"),
    ("contact_phone_format", "UPDATE tocsin.contact SET phone = 'call me'"),
    ("contact_email_format", "UPDATE tocsin.contact SET email = 'nobody'"),
    ("contact_reachable", "UPDATE tocsin.contact SET phone = NULL"),
    ("contact_slot_unique", "UPDATE tocsin.contact SET slot = 1"),
    ("contact_slot_range", "UPDATE tocsin.contact SET slot = 1000 WHERE id = 1"),
    ("alarm_library_channel_exists", EVENT_LIBRARY + "(NULL, 9, NULL, 'camera_lost', false)"),
    ("alarm_library_system_event_exists", EVENT_LIBRARY + "(1, NULL, NULL, 'party', false)"),
    ("alarm_library_channel_only_events", EVENT_LIBRARY + "(NULL, 1, 1, NULL, false)"),
    ("site_template_dealer_exists", "UPDATE tocsin.site_template SET dealer_id = 9"),
    ("site_template_name_not_blank", "UPDATE tocsin.site_template SET name = ' '"),
    ("site_template_name_unique", "UPDATE tocsin.site_template SET name = 'shop'"),
    ("site_template_station_of_dealer", "UPDATE tocsin.site_template SET station_record_id = 2"),
    ("site_template_timezone_known", "UPDATE tocsin.site_template SET timezone = 'Mars'"),
    ("site_template_arming_method_known", "UPDATE tocsin.site_template SET arming_method = 'magic'"),
    ("site_template_entry_delay_range", "UPDATE tocsin.site_template SET entry_delay_s = -1"),
    ("site_template_exit_delay_range", "UPDATE tocsin.site_template SET exit_delay_s = 3601"),
    ("site_template_repeat_filter_range", "UPDATE tocsin.site_template SET repeat_filter_s = 4"),
    ("site_template_test_interval_range", "UPDATE tocsin.site_template SET test_interval_s = 1"),
    ("site_template_library_template_exists", TEMPLATE + "(9, 1, NULL, NULL, '130')"),
    ("site_template_library_zone_type_exists", TEMPLATE + "(1, 99, NULL, NULL, '130')"),
    ("site_template_library_system_event_exists", TEMPLATE + "(1, NULL, NULL, 'party', '130')"),
    ("site_template_library_one_subject", TEMPLATE + "(1, 2, '401', NULL, '130')"),
    ("site_template_library_says_something", TEMPLATE + "(1, 2, NULL, NULL, NULL)"),
    ("site_template_library_once", TEMPLATE + "(1, 1, NULL, NULL, '130')"),
    ("site_template_library_inbound_code_format", TEMPLATE + "(1, NULL, '4', NULL, '130')"),
    ("site_template_library_code_format", TEMPLATE + "(1, NULL, 'BA', NULL, '130')"),
    ("account_unique_at_receiver", DESTINATION + "(2, 3, '7')"),
    ("account_unique_at_receiver", DESTINATION + "(2, 1, '234')"),
    ("account_unique_at_receiver", SITE + "(1, 'x', 'UTC', 3, '7')"),
    ("account_unique_at_receiver", "UPDATE tocsin.site SET state = 'inactive' WHERE id = 3;" + SITE + "(2, 'new', 'UTC', 2, '99');"
                                   "UPDATE tocsin.site SET state = 'active' WHERE id = 3"),
    ("account_unique_at_receiver", "UPDATE tocsin.site SET state = 'inactive' WHERE id = 1;" + SITE + "(1, 'new', 'UTC', 3, '7');"
                                   "UPDATE tocsin.site SET state = 'active' WHERE id = 1"),
    ("account_unique_at_receiver", SITE + "(1, 'x', 'UTC', 3, '999');" + DESTINATION + "(2, 4, '999');"
                                   "UPDATE tocsin.station_record SET receiver_id = 2 WHERE id = 4"),
    ("reference_id_unique_at_center", "UPDATE tocsin.site_destination SET reference_id = 'R1'"),
    ("reference_id_unique_at_center", "INSERT INTO tocsin.station_record (id, dealer_id, center_id, name) VALUES (9, 1, 2, 'o');"
                                      "UPDATE tocsin.site SET station_record_id = 9, account_number = '1', reference_id = 'R1' WHERE id = 2;"
                                      "UPDATE tocsin.station_record SET center_id = 1 WHERE id = 9"),
    ("site_destination_site_exists", "ALTER TABLE tocsin.site_destination DISABLE TRIGGER USER;" + DESTINATION + "(9, 3, '7')"),
    ("site_destination_station_exists", DESTINATION + "(2, 9, '7')"),
    ("site_destination_once", DESTINATION + "(1, 3, '8')"),
    ("site_destination_account_format", "UPDATE tocsin.site_destination SET account_number = 'a'"),
    ("site_destination_reference_id_format", "UPDATE tocsin.site_destination SET reference_id = 'a b'"),
    ("site_destination_at_most_seven",
     "INSERT INTO tocsin.station_record (id, dealer_id, center_id, name) "
     "SELECT 100 + i, 1, 1, 'further ' || i FROM generate_series(1, 8) i; "
     "INSERT INTO tocsin.site_destination (site_id, station_record_id, account_number) "
     "SELECT 1, 100 + i, 'A' || i FROM generate_series(1, 8) i"),
    ("site_destination_at_most_seven", WEBHOOK + "(1, 4); INSERT INTO tocsin.station_record (id, dealer_id, center_id, name) "
     "SELECT 100 + i, 1, 1, 'further ' || i FROM generate_series(1, 6) i; "
     "INSERT INTO tocsin.site_destination (site_id, station_record_id, account_number) "
     "SELECT 1, 100 + i, 'A' || i FROM generate_series(1, 6) i"),
    ("site_destination_at_most_seven", "INSERT INTO tocsin.station_record (id, dealer_id, center_id, name) "
     "SELECT 100 + i, 1, 1, 'further ' || i FROM generate_series(1, 6) i; "
     "INSERT INTO tocsin.site_destination (site_id, station_record_id, account_number) "
     "SELECT 1, 100 + i, 'A' || i FROM generate_series(1, 6) i;" + WEBHOOK_NEW + "'https://x.example', '{}')"),
    ("center_dealer_exists", "INSERT INTO tocsin.center (name, dealer_id) VALUES ('x', 99)"),
    ("center_of_dealer_once", "INSERT INTO tocsin.center (name, dealer_id) VALUES ('x', 1), ('y', 1)"),
    ("webhook_station_once", WEBHOOK + "(1, 3), (1, 3)"),
    ("webhook_station_of_dealer", WEBHOOK + "(2, 3)"),
    ("webhook_station_of_dealer", WEBHOOK + "(1, 4); DELETE FROM tocsin.station_record WHERE id = 4"),
    ("webhook_station_fixed", WEBHOOK + "(1, 4); UPDATE tocsin.station_record SET receiver_id = 2 WHERE id = 4"),
    ("webhook_gets_every_site", "UPDATE tocsin.center SET dealer_id = 1 WHERE id = 1; UPDATE tocsin.site SET account_number = '235' WHERE id = 1"),
    ("webhook_gets_every_site", "UPDATE tocsin.center SET dealer_id = 1 WHERE id = 1;" + DESTINATION + "(2, 3, '8')"),
    ("webhook_exists", "SET tocsin.user_id = '1'; SELECT tocsin.webhook_remove(5)"),
    ("webhook_url_format", WEBHOOK_NEW + "'http://x.example/', '{}')"),
    ("webhook_url_format", WEBHOOK_NEW + "'https://ann:secret@x.example/', '{}')"),
    ("webhook_url_format", WEBHOOK_NEW + "'https://x.example:65536/', '{}')"),
    ("webhook_classes_known", WEBHOOK_NEW + "'https://x.example/', '{fire,x}')"),
    ("webhook_allowed", 3 * (WEBHOOK_NEW + "'https://x.example/', '{}');")),
    ("webhook_allowed", WEBHOOK_NEW.replace("= 2", "= 0") + "'https://x.example/', '{}')"),
    ("dealer_webhooks_range", "UPDATE tocsin.dealer SET webhooks = 3"),
    ("site_destination_station_of_dealer", DESTINATION + "(2, 2, '7')"),
    ("site_destination_station_of_dealer", DESTINATION + "(2, 3, '8'); UPDATE tocsin.site SET dealer_id = 2 WHERE id = 2"),
    ("site_destination_station_of_dealer", "UPDATE tocsin.station_record SET dealer_id = 2 WHERE id = 3"),
    ("site_destination_rule_class_known", "UPDATE tocsin.site_destination_rule SET code_class = 'x'"),
    ("site_destination_rule_destination_of_site", "INSERT INTO tocsin.site_destination_rule (site_id, destination_id, weekdays) VALUES (2, 1, 1)"),
    ("site_destination_rule_partition_of_site", "UPDATE tocsin.site_destination_rule SET partition_id = 2"),
    ("site_destination_rule_once", "INSERT INTO tocsin.site_destination_rule (site_id, destination_id) VALUES (1, 1)"),
    ("site_destination_rule_weekdays_range", "UPDATE tocsin.site_destination_rule SET weekdays = 0"),
    ("site_destination_rule_time_has_both_ends", "UPDATE tocsin.site_destination_rule SET until_time = NULL"),
    ("user_account_login_format", "UPDATE tocsin.user_account SET login = 'Anna A' WHERE id = 1"),
    ("user_account_login_unique", "UPDATE tocsin.user_account SET login = 'bob' WHERE id = 1"),
    ("user_account_name_not_blank", "UPDATE tocsin.user_account SET name = ''"),
    ("daemon_order_command_known", "INSERT INTO tocsin.daemon_order (ordered_by, command) VALUES ('x', 'stop')"),
    ("daemon_order_reason", "INSERT INTO tocsin.daemon_order (ordered_by, command) VALUES ('x', 'skip')"),
    ("portal_session_user_exists", "INSERT INTO tocsin.portal_session (token_hash, user_id, source, expires_at) VALUES (sha256('t'), 999, 's', now())"),
    ("portal_session_token_unique", "INSERT INTO tocsin.portal_session (token_hash, user_id, source, expires_at) SELECT sha256('t'), 1, 's', now() FROM generate_series(1, 2)"),
    ("portal_session_token_is_hashed", "INSERT INTO tocsin.portal_session (token_hash, user_id, source, expires_at) VALUES ('token', 1, 's', now())"),
    ("api_key_user_exists", "INSERT INTO tocsin.api_key (user_id, name, scopes, key_hash) VALUES (999, 'k', '{read}', sha256('k'))"),
    ("api_key_name_not_blank", "INSERT INTO tocsin.api_key (user_id, name, scopes, key_hash) VALUES (1, ' ', '{read}', sha256('k'))"),
    ("api_key_scopes_known", "INSERT INTO tocsin.api_key (user_id, name, scopes, key_hash) VALUES (1, 'k', '{read,all}', sha256('k'))"),
    ("api_key_hash_unique", "INSERT INTO tocsin.api_key (user_id, name, scopes, key_hash) SELECT 1, 'k', '{read}', sha256('k') FROM generate_series(1, 2)"),
    ("api_key_is_hashed", "INSERT INTO tocsin.api_key (user_id, name, scopes, key_hash) VALUES (1, 'k', '{read}', 'key')"),
    ("user_account_email_format", "UPDATE tocsin.user_account SET email = 'x'"),
    ("user_account_role_known", "UPDATE tocsin.user_account SET role = 'king' WHERE id = 1"),
    ("user_account_dealer_exists", "UPDATE tocsin.user_account SET dealer_id = 9 WHERE id = 1"),
    ("user_account_center_exists", "UPDATE tocsin.user_account SET role = 'center', dealer_id = NULL, center_id = 9 WHERE id = 1"),
    ("user_account_owner_of_role", "UPDATE tocsin.user_account SET role = 'operator' WHERE id = 1"),
    ("user_account_password_whole", "UPDATE tocsin.user_account SET password_hash = sha256('')"),
    ("app_member_site_exists", "INSERT INTO tocsin.app_member (site_id, user_id, user_number) VALUES (9, 2, 1)"),
    ("app_member_user_exists", "INSERT INTO tocsin.app_member (site_id, user_id, user_number) VALUES (2, 9, 1)"),
    ("app_member_once", "INSERT INTO tocsin.app_member (site_id, user_id, user_number) VALUES (1, 2, 9)"),
    ("app_member_number_unique", "INSERT INTO tocsin.user_account (id, login, name, role, dealer_id) VALUES (50, 'dora', 'D', 'app_member', 1);"
                                 "INSERT INTO tocsin.app_member (site_id, user_id, user_number) VALUES (1, 50, 5)"),
    ("app_member_number_range", "UPDATE tocsin.app_member SET user_number = 0"),
    ("app_member_of_dealer", "INSERT INTO tocsin.app_member (site_id, user_id, user_number) VALUES (1, 3, 9)"),
    ("app_member_of_dealer", "UPDATE tocsin.user_account SET role = 'viewer' WHERE id = 2"),
    ("audit_append_only", "UPDATE tocsin.audit_log SET actor = 'nobody'"),
    ("audit_append_only", "DELETE FROM tocsin.audit_log"),
    ("audit_append_only", "TRUNCATE tocsin.audit_log"),
    ("audit_append_only", "UPDATE tocsin.audit_seal SET hash = NULL"),
    ("audit_append_only", "DELETE FROM tocsin.audit_seal"),
    ("audit_append_only", "UPDATE tocsin.audit_head SET sequence = 0"),
    ("audit_append_only", "DELETE FROM tocsin.audit_head"),
]


@pytest.fixture(scope="module")
def filled(server):
    connection = psycopg2.connect(server)
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE constraints")
    connection.close()
    conninfo = server.replace("dbname=postgres", "dbname=constraints")
    assert ctl("db", "migrate", "--sql", SQL, conninfo=conninfo).returncode == 0
    connection = psycopg2.connect(conninfo)
    connection.cursor().execute(BASE)
    connection.commit()
    yield connection
    connection.close()


@pytest.mark.parametrize("name,statement", REFUSED)
def test_refuses(filled, name, statement):
    try:
        with pytest.raises(psycopg2.IntegrityError) as refusal:
            filled.cursor().execute(statement)
        assert refusal.value.diag.constraint_name == name
    finally:
        filled.rollback()


def test_every_constraint_is_tried_and_has_a_sentence(filled):
    cursor = filled.cursor()
    cursor.execute("""
        SELECT conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
        WHERE c.connamespace = 'tocsin'::regnamespace AND c.contype <> 't' AND conparentid = 0 AND conname !~ '_pkey$'
        -- kept by programs, not by people
        AND conname !~ '^(schema_version|effective_account)_'
        -- only there for foreign keys to lean on
        AND NOT (c.contype = 'u' AND conname ~ '_of_(bridge|dealer|center|site)$|^site_with_arming_method$')""")
    names = {row[0] for row in cursor.fetchall()}
    filled.rollback()
    sentences = set(re.findall(r'\{ "([a-z0-9_]+)"', (SOURCE / "src/db/refusal.c").read_text()))
    raised = set(re.findall(r"(?:CONSTRAINT = |refuse\()'([a-z0-9_]+)'",
                            "".join(source.read_text() for source in SQL.glob("*.sql"))))
    assert names - {name for name, _ in REFUSED} == set()
    assert (names | raised) - sentences == set()
    assert {name for name, _ in REFUSED} - sentences == set()


def test_a_refusal_about_one_column_names_it(filled):
    """What a form marks: secrets and keys that people never type stay unnamed."""
    cursor = filled.cursor()
    cursor.execute("""
        SELECT conname, attname FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.connamespace = 'tocsin'::regnamespace AND cardinality(c.conkey) = 1 AND conparentid = 0
        AND attname NOT IN ('id', 'claim_code_hash', 'bearer_key_hash', 'previous_bearer_key_hash', 'passkey_hash',
                            'key_hash', 'token_hash')""")
    about = dict(cursor.fetchall())
    filled.rollback()
    source = (SOURCE / "src/db/refusal.c").read_text()
    named = dict(re.findall(r'\{ "([a-z0-9_]+)",[^{}]*, *"?\s*"([a-z0-9_]+)" \}', source))
    listed = set(re.findall(r'\{ "([a-z0-9_]+)"', source)) & set(about)
    assert {name: about[name] for name in listed} == {name: named.get(name) for name in listed}


def test_two_sessions_cannot_take_one_account(conninfo, db):
    db.execute(BASE)
    first, second = psycopg2.connect(conninfo), psycopg2.connect(conninfo)
    first.cursor().execute(SITE + "(1, 'a', 'UTC', 1, '277')")
    outcome = []

    def take():
        try:
            second.cursor().execute(SITE + "(2, 'b', 'UTC', 2, '77')")
            second.commit()
            outcome.append("taken twice")
        except psycopg2.IntegrityError as refusal:
            outcome.append(refusal.diag.constraint_name)

    waiting = threading.Thread(target=take)
    waiting.start()
    wait_blocked(db, second)
    first.commit()
    waiting.join(30)
    assert outcome == ["account_unique_at_receiver"]
    first.close(), second.close()


def wait_blocked(db, connection):
    """Until the other session waits for a lock."""
    pid = connection.get_backend_pid()

    def blocked():
        db.execute("SELECT cardinality(pg_blocking_pids(%s))", (pid,))
        return db.fetchone()[0] > 0
    wait_until(blocked, "the other session waits")


def test_a_prefix_that_changes_meanwhile_is_not_missed(conninfo, db):
    db.execute(BASE)
    first, second = psycopg2.connect(conninfo), psycopg2.connect(conninfo)
    first.cursor().execute(SITE + "(1, 'a', 'UTC', 1, '555')")

    def change():
        second.cursor().execute("UPDATE tocsin.station_record SET prefix = '7' WHERE id = 1")
        second.commit()

    waiting = threading.Thread(target=change)
    waiting.start()
    wait_blocked(db, second)
    first.commit()
    waiting.join(30)
    db.execute("SELECT account FROM tocsin.effective_account WHERE account LIKE '%555'")
    assert db.fetchall() == [("7555",)]
    db.execute("SELECT count(*) FROM (SELECT * FROM tocsin.effective_account WHERE destination_id IS NULL) e "
               "FULL JOIN tocsin.effective_account_now n USING (site_id) WHERE e.sent_as IS DISTINCT FROM n.sent_as")
    assert db.fetchone() == (0,)
    first.close(), second.close()


def test_one_statement_may_swap_two_accounts(db):
    db.execute(BASE)
    db.execute(SITE + "(1, 'a', 'UTC', 1, '501'), (1, 'b', 'UTC', 1, '502')")
    db.execute("UPDATE tocsin.site SET account_number = CASE account_number WHEN '501' THEN '502' ELSE '501' END "
               "WHERE account_number IN ('501', '502')")
    db.execute("SELECT s.name, e.account FROM tocsin.effective_account e JOIN tocsin.site s ON s.id = e.site_id "
               "WHERE s.name IN ('a', 'b') ORDER BY 1")
    assert db.fetchall() == [("a", "1502"), ("b", "1501")]
