"""Each constraint refuses what it is for, under its own name, and each name is
turned into a sentence by tocsinctl."""
import re
import threading

import psycopg2
import pytest

from conftest import SOURCE, SQL, ctl

BASE = """
INSERT INTO tocsin.dealer (id, name) VALUES (1, 'north'), (2, 'south');
INSERT INTO tocsin.center (id, name) VALUES (1, 'center'), (2, 'other');
INSERT INTO tocsin.receiver (id, center_id, name, protocol) VALUES
  (1, 1, 'plain', 'surgard'), (2, 1, 'net', 'dc09'), (3, 2, 'far', 'surgard');
INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 1, '192.0.2.1', 1025);
INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port, udp) VALUES (2, 1, '192.0.2.1', 1025, true);
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
SELECT setval(pg_get_serial_sequence('tocsin.' || name, 'id'), 100)
FROM unnest('{dealer,center,receiver,station_record,site,bridge,channel}'::text[]) name;
"""

SITE = "INSERT INTO tocsin.site (dealer_id, name, timezone, station_record_id, account_number) VALUES "
RECEIVER = "UPDATE tocsin.receiver SET "
LIBRARY = "INSERT INTO tocsin.alarm_library (dealer_id, site_id, zone_type, inbound_code, enabled, code) VALUES "

REFUSED = [
    ("account_unique_at_receiver", SITE + "(2, 'x', 'UTC', 2, '34')"),
    ("account_unique_at_receiver", "UPDATE tocsin.site SET account_number = '34' WHERE id = 3"),
    ("account_unique_at_receiver", "UPDATE tocsin.site SET account_number = '1234', station_record_id = 4 WHERE id = 2;"
                                   "UPDATE tocsin.station_record SET receiver_id = 1 WHERE id = 4"),
    ("account_unique_at_receiver", "UPDATE tocsin.site SET account_number = '34' WHERE id = 1;"
                                   "UPDATE tocsin.station_record SET receiver_adds_prefix = true WHERE id = 2;"
                                   "UPDATE tocsin.site SET account_number = '0134' WHERE id = 3"),
    ("account_unique_at_receiver", SITE + "(1, 'x', 'UTC', 3, '007'), (1, 'y', 'UTC', 3, '0007');"
                                   "UPDATE tocsin.receiver_endpoint SET udp = false WHERE receiver_id = 2;"
                                   + RECEIVER + "protocol = 'surgard', receiver_number = '01' WHERE id = 2"),
    ("reference_id_unique_at_center", "UPDATE tocsin.site SET reference_id = 'R1' WHERE id = 3"),
    ("site_account_required", SITE + "(1, 'x', 'UTC', 1, NULL)"),
    ("site_account_format", SITE + "(1, 'x', 'UTC', 1, '')"),
    ("site_account_format", SITE + "(1, 'x', 'UTC', 1, 'ab12')"),
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
    ("receiver_line_digits_range", RECEIVER + "line_digits = 2 WHERE id = 2"),
    ("receiver_account_digits_range", RECEIVER + "account_digits = 2"),
    ("receiver_heartbeat_range", RECEIVER + "heartbeat_ms = 999"),
    ("receiver_ack_wait_range", RECEIVER + "ack_wait_ms = 99"),
    ("receiver_retries_range", RECEIVER + "retries = -1"),
    ("receiver_in_flight_range", RECEIVER + "in_flight = 0"),
    ("receiver_key_only_dc09", RECEIVER + "key = '\\x00' WHERE id = 1"),
    ("receiver_endpoint_receiver_exists", "UPDATE tocsin.receiver_endpoint SET receiver_id = 9 WHERE NOT udp"),
    ("receiver_endpoint_position_unique", "INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 1, 'b', 1)"),
    ("receiver_endpoint_once", "INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 2, '192.0.2.1', 1025)"),
    ("receiver_endpoint_position_range", "UPDATE tocsin.receiver_endpoint SET position = 17"),
    ("receiver_endpoint_host_format", "UPDATE tocsin.receiver_endpoint SET host = 'a b'"),
    ("receiver_endpoint_port_range", "UPDATE tocsin.receiver_endpoint SET port = 65536"),
    ("receiver_endpoint_udp_only_dc09", "UPDATE tocsin.receiver_endpoint SET udp = true WHERE receiver_id = 1"),
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
    ("bridge_serial_unique", "UPDATE tocsin.bridge SET serial = 'B1' WHERE id = 2"),
    ("bridge_mac_unique", "UPDATE tocsin.bridge SET mac = '00:00:5e:00:53:01' WHERE id = 2"),
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
    ("alarm_library_code_format", LIBRARY + "(1, NULL, NULL, 'BA', NULL, '130')"),
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
        WHERE c.connamespace = 'tocsin'::regnamespace AND c.contype IN ('c', 'f', 'u')
        AND conname !~ '^(zone_type|system_event|schema_version)_'
        AND conname !~ '_of_(bridge|dealer|center)$|^effective_account_'
        UNION SELECT conname FROM pg_constraint
        WHERE conname IN ('station_record_receiver_of_center', 'site_station_of_dealer')""")
    names = {row[0] for row in cursor.fetchall()}
    filled.rollback()
    sentences = set(re.findall(r'\{ "([a-z0-9_]+)"', (SOURCE / "src/ctl/refusal.c").read_text()))
    assert names - {name for name, _ in REFUSED} == set()
    assert names - sentences == set()
    assert {name for name, _ in REFUSED} - sentences == set()


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
    while True:
        db.execute("SELECT cardinality(pg_blocking_pids(%s))", (pid,))
        if db.fetchone()[0] > 0:
            return


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
    db.execute("SELECT count(*) FROM tocsin.effective_account e "
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
