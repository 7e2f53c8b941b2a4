"""The steps that tocsinctl and the portal take: creation, life cycles, accounts,
launch URLs, the library with its levels, warnings."""
import json
import threading

import psycopg2
import pytest

from test_constraints import BASE, SITE, wait_blocked


def one(db, statement, values=()):
    db.execute(statement, values)
    return db.fetchone()[0]


def refused(db, statement, values=()):
    """Name and sentence of the refusal."""
    with pytest.raises(psycopg2.Error) as refusal:
        db.execute(statement, values)
    return refusal.value.diag.constraint_name, refusal.value.diag.message_primary


@pytest.fixture
def base(db):
    db.execute(BASE)
    return db


# ---- creation ---------------------------------------------------------------------


def test_the_wizard_creates_a_whole_customer(base):
    base.execute("UPDATE tocsin.site_template SET timezone = 'Europe/Paris', arming_method = 'video_system', "
                 "entry_delay_s = 45, station_record_id = 3 WHERE id = 1")
    site = one(base, "SELECT tocsin.site_create(1, 'Bakery', city => 'Lyon', account_number => 'ab9', "
               "reference_id => 'REF9', template_id => 1, library => %s, contacts => %s)",
               (json.dumps([{"zone_type": 1, "code": "137"}, {"system_event": "periodic_test", "enabled": False},
                            {"zone_type": 2}]),
                json.dumps([{"name": "Jean", "phone": "+33 1 23456789", "slot": 2}])))
    base.execute("SELECT name, timezone, arming_method, entry_delay_s, exit_delay_s, station, effective_account, "
                 "security, activation_ends > now() + interval '29 days' FROM tocsin.site_overview WHERE id = %s", (site,))
    assert base.fetchone() == ("Bakery", "Europe/Paris", "video_system", 45, 60, "n", "AB9", "active", True)
    base.execute("SELECT subject, enabled, enabled_level, code, code_level FROM tocsin.effective_library "
                 "WHERE site_id = %s AND channel_id IS NULL AND subject IN ('1', '2', 'periodic_test') ORDER BY 1", (site,))
    assert base.fetchall() == [("1", False, "dealer", "137", "site"), ("2", True, "built-in", "132", "built-in"),
                               ("periodic_test", False, "site", "602", "built-in")]
    assert one(base, "SELECT slot FROM tocsin.contact WHERE site_id = %s", (site,)) == 2


def test_the_template_fills_each_value_that_was_not_said(base):
    base.execute("INSERT INTO tocsin.site_template_library (template_id, zone_type, enabled, code) VALUES (1, 4, false, '151')")
    for said, enabled, code in (({"enabled": True}, True, "151"), ({"code": "152"}, False, "152")):
        site = one(base, "SELECT tocsin.site_create(1, 'x', 'UTC', template_id => 1, library => %s)",
                   (json.dumps([{"zone_type": 4, **said}]),))
        base.execute("SELECT enabled, code FROM tocsin.alarm_library WHERE site_id = %s AND zone_type = 4", (site,))
        assert base.fetchall() == [(enabled, code)]


CREATE = "SELECT tocsin.site_create(1, 'x', 'UTC'"
NOT_CREATED = [
    ("site_name_not_blank", "SELECT tocsin.site_create(1, ' ', 'UTC')"),
    ("site_timezone_needed", "SELECT tocsin.site_create(1, 'x')"),
    ("site_timezone_known", "SELECT tocsin.site_create(1, 'x', 'Mars/Olympus')"),
    ("site_dealer_exists", "SELECT tocsin.site_create(9, 'x', 'UTC')"),
    ("site_station_of_dealer", CREATE + ", station_record_id => 2, account_number => '5')"),
    ("site_account_required", CREATE + ", station_record_id => 1)"),
    ("site_account_format", CREATE + ", station_record_id => 1, account_number => '1 2')"),
    ("account_unique_at_receiver", CREATE + ", station_record_id => 1, account_number => '234')"),
    ("reference_id_unique_at_center", CREATE + ", station_record_id => 3, account_number => '1', reference_id => 'R1')"),
    ("site_arming_method_known", CREATE + ", arming_method => 'magic')"),
    ("site_template_of_dealer", CREATE + ", template_id => 9)"),
    ("alarm_library_code_format", CREATE + ", library => '[{\"zone_type\": 1, \"code\": \"13\"}]')"),
    ("alarm_library_system_event_exists", CREATE + ", library => '[{\"system_event\": \"party\", \"code\": \"130\"}]')"),
    ("contact_reachable", CREATE + ", contacts => '[{\"name\": \"Jean\"}]')"),
    ("contact_slot_unique", CREATE + ", contacts => '[{\"name\": \"A\", \"phone\": \"100\", \"slot\": 1}, "
                                     "{\"name\": \"B\", \"phone\": \"101\", \"slot\": 1}]')"),
]


def test_what_is_refused_leaves_nothing(base):
    tables = "site alarm_library contact effective_account directory_change audit_log".split()
    count = "SELECT " + ", ".join(f"(SELECT count(*) FROM tocsin.{table})" for table in tables)
    base.execute(count)
    before = base.fetchone()
    for name, statement in NOT_CREATED:
        assert refused(base, statement)[0] == name, statement
    base.execute(count)
    assert base.fetchone() == before


def test_a_number_or_station_may_be_blank(base):
    site = one(base, "SELECT tocsin.site_create(1, 'x', 'UTC', account_number => '', reference_id => '')")
    base.execute("SELECT warning FROM tocsin.site_warning WHERE site_id = %s ORDER BY 1", (site,))
    assert [row[0] for row in base.fetchall()] == ["no_bridge", "no_contact", "no_station"]


# ---- accounts ------------------------------------------------------------------------


def test_the_refusal_says_whom_to_call(base):
    name, sentence = refused(base, SITE + "(2, 'x', 'UTC', 2, '34')")
    assert (name, sentence) == ("account_unique_at_receiver", (
        "account 1234 is already taken at receiver plain, by site 1 \"house\" of dealer \"north\": no two customers may "
        "signal under one account; ask the monitoring station center for a free one, or choose another"))
    name, sentence = refused(base, "UPDATE tocsin.site SET reference_id = 'R1' WHERE id = 3")
    assert name == "reference_id_unique_at_center" and "reference id R1 is already taken at center center, by site 1" in sentence
    name, sentence = refused(base, SITE + "(1, 'a', 'UTC', 1, '55'), (1, 'b', 'UTC', 1, '55')")
    assert "account 0155 is already taken at receiver plain, in this very moment: " in sentence


def race(conninfo, db, first_statement, second_statement):
    """Two sessions at the same moment; the second one's refusal, or None."""
    first, second = psycopg2.connect(conninfo), psycopg2.connect(conninfo)
    first.cursor().execute(first_statement)
    outcome = []

    def work():
        try:
            second.cursor().execute(second_statement)
            second.commit()
            outcome.append(None)
        except psycopg2.Error as refusal:
            outcome.append((refusal.diag.constraint_name, refusal.diag.message_primary))

    waiting = threading.Thread(target=work)
    waiting.start()
    wait_blocked(db, second)
    first.commit()
    waiting.join(30)
    first.close(), second.close()
    return outcome[0]


INACTIVE = "UPDATE tocsin.site SET state = 'inactive' WHERE id = 3"
RACES = [  # prepare, first, second, who has it afterwards
    ("", SITE + "(1, 'a', 'UTC', 1, '277')", SITE + "(2, 'b', 'UTC', 2, '77')", 'site 101 "a" of dealer "north"'),
    # a prefix that changes onto the other's number
    ("", SITE + "(1, 'a', 'UTC', 1, '999')", "UPDATE tocsin.station_record SET prefix = '19' WHERE id = 2", 'site 101 "a"'),
    ("", "UPDATE tocsin.station_record SET prefix = '19' WHERE id = 2", SITE + "(1, 'a', 'UTC', 1, '999')", 'site 3 "barn"'),
    # reactivation against who got the number meanwhile
    (INACTIVE, SITE + "(2, 'new', 'UTC', 2, '99')", "SELECT tocsin.site_reactivate(3)", 'site 101 "new" of dealer "south"'),
    (INACTIVE, "SELECT tocsin.site_reactivate(3)", SITE + "(2, 'new', 'UTC', 2, '99')", 'site 3 "barn" of dealer "south"'),
    # a further destination against a site
    ("", "INSERT INTO tocsin.site_destination (site_id, station_record_id, account_number) VALUES (2, 1, '777')",
     SITE + "(1, 'a', 'UTC', 1, '777')", 'site 2 "shop"'),
]


@pytest.mark.parametrize("prepare,first,second,holder", RACES)
def test_of_two_sessions_one_wins_and_the_other_reads_whom_to_call(conninfo, base, prepare, first, second, holder):
    if prepare:
        base.execute(prepare)
    name, sentence = race(conninfo, base, first, second)
    assert name == "account_unique_at_receiver" and holder in sentence and "ask the monitoring station center" in sentence
    base.execute("SELECT receiver_claimed, sent_as FROM tocsin.effective_account WHERE receiver_claimed IS NOT NULL "
                 "GROUP BY 1, 2 HAVING count(*) > 1")
    assert base.fetchall() == []


def test_a_receiver_change_meets_the_number(base):
    base.execute(SITE + "(1, 'a', 'UTC', 4, '1299')")
    name, sentence = refused(base, "UPDATE tocsin.station_record SET receiver_id = 1 WHERE id = 4")
    assert name == "account_unique_at_receiver" and 'site 3 "barn"' in sentence
    assert one(base, "SELECT receiver_id FROM tocsin.station_record WHERE id = 4") is None


def test_a_deactivated_site_releases_its_number(base):
    base.execute("SELECT tocsin.site_deactivate(3)")
    base.execute(SITE + "(2, 'new', 'UTC', 2, '99')")
    assert refused(base, "SELECT tocsin.site_reactivate(3)")[0] == "account_unique_at_receiver"
    assert one(base, "SELECT security FROM tocsin.site_overview WHERE id = 3") == "inactive"
    base.execute("UPDATE tocsin.site SET account_number = '98' WHERE id = 3")
    base.execute("SELECT tocsin.site_reactivate(3)")
    assert one(base, "SELECT effective_account FROM tocsin.site_overview WHERE id = 3") == "1298"


# ---- stations -------------------------------------------------------------------------


def test_a_station_record_wants_the_passkey(base):
    base.execute("UPDATE tocsin.receiver SET passkey = 'open sesame' WHERE id = 1")
    base.execute("SELECT passkey, passkey_hash ~ '^\\$2', has_passkey FROM tocsin.receiver WHERE id = 1")
    assert base.fetchone() == (None, True, True)
    save = "SELECT tocsin.station_record_save(NULL, 2, 1, 1, 'mine', passkey => %s)"
    assert "another passkey: the station record was not saved" in refused(base, save, ("wrong",))[1]
    assert "needs its passkey" in refused(base, save, (None,))[1]
    saved = one(base, save, ("open sesame",))
    assert one(base, "SELECT passkey FROM tocsin.station_record WHERE id = %s", (saved,)) is None
    # a new prefix is no new link
    one(base, "SELECT tocsin.station_record_save(%s, 2, 1, 1, 'mine', prefix => '7')", (saved,))
    assert refused(base, "SELECT tocsin.station_record_save(1, 2, 1, 1, 'x')")[0] == "station_record_exists"
    base.execute("UPDATE tocsin.receiver SET passkey = '' WHERE id = 1")
    one(base, "SELECT tocsin.station_record_save(NULL, 1, 1, 1, 'free')")


def test_launch_urls_lead_back_to_the_site(base):
    url = one(base, "SELECT tocsin.site_launch_url(1, '17')")
    assert url is None
    base.execute("UPDATE tocsin.installation SET portal_host = 'portal.example:8443'")
    for parameter in ("act", "csid", "txid"):
        base.execute("UPDATE tocsin.station_record SET url_parameter = %s", (parameter,))
        url = one(base, "SELECT tocsin.site_launch_url(1, '1')")
        assert url == f"https://portal.example:8443/monitoring?{parameter}=1234&zone=001"
        base.execute("SELECT site_id, matched, zone, channel_name FROM tocsin.site_find_by_url(%s)", (url,))
        assert base.fetchall() == [(1, "account", "001", "door")]
        base.execute("SELECT site_id, matched FROM tocsin.site_find_by_url(%s)", (f"http://x/?zone=2&{parameter}=R1#x",))
        assert base.fetchall() == [(1, "reference id")]
    base.execute("UPDATE tocsin.site SET reference_id = 'a&b/1%%' WHERE id = 1")
    base.execute("UPDATE tocsin.station_record SET url_template = 'https://cms.example/open?customer=<reference>&act=<account>'")
    url = one(base, "SELECT tocsin.site_launch_url(1)")
    assert url == "https://cms.example/open?customer=a%26b%2F1%25%25&act=1234"
    base.execute("SELECT site_id FROM tocsin.site_find_by_url(%s)", (url.replace("act=1234", "csid=a%26b%2F1%25%25"),))
    assert base.fetchall() == [(1,)]
    assert refused(base, "SELECT * FROM tocsin.site_find_by_url('https://x/?a=1')")[0] == "url_names_account"
    base.execute("SELECT count(*) FROM tocsin.site_find_by_url('https://x/?act=nobody')")
    assert base.fetchone() == (0,)


def test_the_default_url_reaches_the_daemon(base):
    base.execute("UPDATE tocsin.station_record SET url_parameter = 'csid' WHERE id = 1")
    base.execute("TRUNCATE tocsin.directory_change")
    base.execute("UPDATE tocsin.installation SET portal_host = 'h'")
    base.execute("SELECT url_template FROM tocsin.directory_station WHERE id = 1")
    assert base.fetchone() == ("https://h/monitoring?csid=<account>&zone=<zone>",)
    base.execute("SELECT entity, count(*) FROM tocsin.directory_change GROUP BY 1")
    assert base.fetchall() == [("station", 4)]


# ---- bridges ----------------------------------------------------------------------------


@pytest.fixture
def code(base):
    return one(base, "SELECT tocsin.bridge_claim_code_new(2)")


def test_a_bridge_is_claimed_once(base, code):
    assert len(code) == 14
    assert refused(base, "SELECT tocsin.bridge_register('AAAA-BBBB-CCCC', 2)")[0] == "bridge_claim_code_known"
    assert refused(base, "SELECT tocsin.bridge_register(%s, 9)", (code,))[0] == "site_exists"
    assert one(base, "SELECT tocsin.bridge_register(%s, 2, '1.2')", (code.lower().replace("-", " "),)) == 2
    base.execute("SELECT state, firmware FROM tocsin.bridge WHERE id = 2")
    assert base.fetchone() == ("registered", "1.2")
    name, sentence = refused(base, "SELECT tocsin.bridge_register(%s, 3)", (code,))
    assert name == "bridge_registered_elsewhere" and 'bridge B2 is registered already at site 2 "shop"' in sentence
    assert refused(base, "SELECT tocsin.bridge_assign(2, 3)")[0] == "bridge_registered_elsewhere"


def test_of_two_claims_one_wins(conninfo, base, code):
    name, _ = race(conninfo, base, f"SELECT tocsin.bridge_register('{code}', 2)",
                   f"SELECT tocsin.bridge_register('{code}', 3)")
    assert name == "bridge_registered_elsewhere"
    assert one(base, "SELECT site_id FROM tocsin.bridge WHERE id = 2") == 2


def test_firmware_is_a_gate(base, code):
    base.execute("UPDATE tocsin.bridge SET model = 'X1'")
    base.execute("INSERT INTO tocsin.firmware_minimum VALUES ('', '1.0'), ('X1', '1.10')")
    for old in ("1.9", "1.9.9-beta", None, ""):
        name, sentence = refused(base, "SELECT tocsin.bridge_register(%s, 2, %s)", (code, old))
        assert name == "bridge_firmware_too_old" and "at least 1.10 is needed" in sentence
    assert refused(base, "SELECT tocsin.bridge_transfer(1, 2)")[0] == "bridge_firmware_too_old"
    assert one(base, "SELECT site_id FROM tocsin.bridge WHERE id = 1") == 1
    assert one(base, "SELECT tocsin.bridge_register(%s, 2, 'v1.10')", (code,)) == 2
    base.execute("UPDATE tocsin.bridge SET model = 'X2', firmware = '1.0' WHERE id = 1")
    base.execute("SELECT tocsin.bridge_transfer(1, 2)")


def test_a_transfer_takes_the_bridge_and_leaves_the_rest(base):
    base.execute("DELETE FROM tocsin.arming_window; DELETE FROM tocsin.arming_exception")
    base.execute("SELECT tocsin.site_arming_set(1, 'panel_primary')")
    assert one(base, "SELECT arming_bridge_id FROM tocsin.site WHERE id = 1") == 1
    base.execute("SELECT tocsin.bridge_transfer(1, 2, '2.0')")
    base.execute("SELECT site_id, firmware FROM tocsin.bridge WHERE id = 1")
    assert base.fetchone() == (2, "2.0")
    assert one(base, "SELECT count(*) FROM tocsin.channel WHERE bridge_id = 1") == 2
    assert one(base, "SELECT count(*) FROM tocsin.partition_channel") == 0
    assert one(base, "SELECT arming_bridge_id FROM tocsin.site WHERE id = 1") is None
    assert refused(base, "SELECT tocsin.bridge_transfer(1, 2)")[0] == "bridge_transfer_elsewhere"
    base.execute("SELECT tocsin.bridge_unregister(1)")
    base.execute("SELECT site_id FROM tocsin.directory_bridge WHERE id = 1")
    assert base.fetchone() == (0,)
    assert refused(base, "SELECT tocsin.bridge_unregister(1)")[0] == "bridge_is_registered"
    assert refused(base, "SELECT tocsin.bridge_unregister(99)")[0] == "bridge_exists"


def test_activation_has_thirty_days(base, code):
    base.execute("UPDATE tocsin.site SET activation_ends = now() - interval '1 day'")
    base.execute("SELECT warning FROM tocsin.site_warning WHERE site_id = 2 AND warning = 'activation_ended'")
    assert base.fetchone()
    assert refused(base, "SELECT tocsin.bridge_register(%s, 2)", (code,))[0] == "site_activation_open"
    base.execute("SELECT tocsin.bridge_register(%s, 1)", (code,))  # has a bridge: it was activated


def test_supervision_classes_are_presets(base):
    base.execute("SELECT tocsin.bridge_supervise(1, 'dp3')")
    base.execute("SELECT path, interval_s, margin_s, supervision_class FROM tocsin.bridge_path WHERE bridge_id = 1 ORDER BY 1 DESC")
    assert base.fetchall() == [("primary", 180, 18, "DP3"), ("backup", 90000, 9000, "DP3")]
    base.execute("SELECT tocsin.bridge_supervise(1, NULL)")
    assert one(base, "SELECT count(*) FROM tocsin.bridge_path") == 0
    base.execute("SELECT name, primary_interval_s, backup_interval_s FROM tocsin.supervision_class ORDER BY 1")
    assert dict((name, rest) for name, *rest in base.fetchall()) == {
        "SP1": [32 * 86400, None], "SP2": [90000, None], "SP3": [1800, None], "SP4": [180, None], "SP5": [90, None],
        "SP6": [20, None], "DP1": [90000, 180000], "DP2": [1800, 90000], "DP3": [180, 90000], "DP4": [90, 18000]}


# ---- arming --------------------------------------------------------------------------------


AUTHORITIES = {"panel_primary": {"input"}, "panel_individual": {"input"}, "video_system": {"user", "schedule"},
               "schedule": {"schedule"}, "panel_signals": {"panel_signal"}, "remote_api": {"api"}, "always": set()}


def test_each_site_has_one_authority(base):
    base.execute("SELECT name FROM tocsin.arming_method")
    assert {row[0] for row in base.fetchall()} == set(AUTHORITIES)
    for method, authorities in AUTHORITIES.items():
        base.execute("SELECT tocsin.site_arming_set(2, %s)", (method,))
        for authority in ("input", "user", "schedule", "panel_signal", "api"):
            if authority in authorities:
                base.execute("SELECT tocsin.site_arming_require(2, %s)", (authority,))
            else:
                name, sentence = refused(base, "SELECT tocsin.site_arming_require(2, %s)", (authority,))
                assert name == "site_arming_authority" and sentence.endswith(".")
    assert refused(base, "SELECT tocsin.site_arming_set(1, 'always', 1)")[0] == "site_arming_bridge_only_primary"


def test_windows_go_over_midnight_and_the_end_of_the_week(base):
    base.execute("SELECT tocsin.site_arming_set(2, 'schedule')")
    assert one(base, "SELECT tocsin.arming_window_add(2, 64 + 1, '22:00', '06:00')") == 3
    base.execute("SELECT lower(week_minutes), upper(week_minutes) FROM tocsin.arming_window WHERE site_id = 2 ORDER BY 1")
    assert base.fetchall() == [(0, 360), (1320, 1800), (6 * 1440 + 1320, 10080)]
    assert refused(base, "SELECT tocsin.arming_window_add(2, 1, '05:00', '07:00')")[0] == "arming_window_no_overlap"
    assert refused(base, "SELECT tocsin.arming_window_add(2, 0, '05:00', '07:00')")[0] == "arming_window_weekdays"
    # another method with a schedule keeps it, one without must not hide it
    base.execute("SELECT tocsin.site_arming_set(2, 'video_system')")
    assert one(base, "SELECT count(*) FROM tocsin.arming_window WHERE site_id = 2 AND arming_method = 'video_system'") == 3
    assert refused(base, "SELECT tocsin.site_arming_set(2, 'always')")[0] == "arming_window_method_has_schedule"


# ---- on test -----------------------------------------------------------------------------------


def test_a_test_ends_by_itself_and_has_a_maximum(base):
    base.execute("UPDATE tocsin.dealer SET test_maximum_minutes = 90 WHERE id = 1")
    base.execute("SELECT tocsin.site_test_start(1) BETWEEN now() + interval '59 min' AND now() + interval '61 min'")
    assert base.fetchone() == (True,)
    base.execute("SELECT security, on_test_forward FROM tocsin.site_overview WHERE id = 1")
    assert base.fetchone() == ("on test", False)
    assert one(base, "SELECT on_test_until_us / 1000000 - extract(epoch FROM now())::bigint FROM tocsin.directory_site "
               "WHERE id = 1") in range(3500, 3700)
    for minutes in (0, 91):
        name, sentence = refused(base, "SELECT tocsin.site_test_start(1, %s)", (minutes,))
        assert name == "site_test_length" and "1 to 90 minutes" in sentence
    base.execute("UPDATE tocsin.site SET on_test_since = now() - interval '1 h' WHERE id = 1")
    assert refused(base, "SELECT tocsin.site_test_start(1, 31)")[0] == "site_test_length"
    base.execute("SELECT tocsin.site_test_start(1, 29, true)")
    base.execute("SELECT tocsin.site_test_stop(1)")
    assert one(base, "SELECT security FROM tocsin.site_overview WHERE id = 1") == "active"
    base.execute("SELECT tocsin.site_test_start(1, 90)")
    base.execute("SELECT tocsin.site_deactivate(1)")
    assert one(base, "SELECT on_test_until FROM tocsin.site WHERE id = 1") is None
    assert refused(base, "SELECT tocsin.site_test_start(1)")[0] == "site_on_test_only_active"
    base.execute("UPDATE tocsin.site SET on_test_since = now() - interval '2 h', on_test_until = now() - interval '1 h' WHERE id = 2")
    assert one(base, "SELECT security FROM tocsin.site_overview WHERE id = 2") == "active"


# ---- library ----------------------------------------------------------------------------------


def test_system_events_resolve_on_four_levels(base):
    base.execute("INSERT INTO tocsin.alarm_library (dealer_id, system_event, enabled, code) VALUES (1, 'camera_lost', false, '381')")
    base.execute("INSERT INTO tocsin.alarm_library (site_id, inbound_code, code) VALUES (1, '380', '382')")
    base.execute("INSERT INTO tocsin.alarm_library (channel_id, system_event, enabled) VALUES (2, 'camera_lost', true)")
    base.execute("SELECT channel_id, enabled, enabled_level, code, code_level FROM tocsin.effective_system_event "
                 "WHERE site_id = 1 AND system_event = 'camera_lost' ORDER BY 1 NULLS FIRST")
    assert base.fetchall() == [(None, False, "dealer", "382", "site"), (1, False, "dealer", "382", "site"),
                               (2, True, "channel", "382", "site")]
    # at one level the event itself comes before its code, value by value
    base.execute("INSERT INTO tocsin.alarm_library (site_id, system_event, enabled) VALUES (1, 'camera_lost', true)")
    base.execute("SELECT enabled, enabled_level, code, code_level FROM tocsin.effective_system_event "
                 "WHERE site_id = 1 AND system_event = 'camera_lost' AND channel_id IS NULL")
    assert base.fetchone() == (True, "site", "382", "site")
    base.execute("SELECT enabled, code FROM tocsin.effective_system_event WHERE site_id = 1 AND system_event = 'camera_back' "
                 "AND channel_id IS NULL")
    assert base.fetchone() == (True, "382")
    base.execute("SELECT owner, owner_id, enabled, code FROM tocsin.directory_library WHERE system_event = 'camera_lost' ORDER BY 1")
    assert base.fetchall() == [("channel", 2, True, ""), ("dealer", 1, False, "381"), ("site", 1, True, "")]
    base.execute("SELECT count(*) FROM tocsin.directory_change WHERE entity = 'channel' AND entity_id = 2")
    assert base.fetchone() == (1,)


SYSTEM_EVENTS = """R401 user, E401 user, R403 none, E403 none, R407 user, E407 user, R409 none, E409 none, E350 bridge,
R350 bridge, E351 path, R351 path, E380 camera, R380 camera, E391 camera, R391 camera, E305 bridge, E313 bridge,
E306 device, E531 device, E532 device, E602 none, E601 none, E654 none, E607 none, R607 none, E609 none, R609 none,
E606 device, E750 contact, E406 contact"""


def test_the_built_in_events_are_those_of_the_table(db):
    db.execute("SELECT qualifier || code || ' ' || zone_field, enabled FROM tocsin.system_event")
    rows = db.fetchall()
    assert sorted(row[0] for row in rows) == sorted(e.strip() for e in SYSTEM_EVENTS.replace("\n", " ").split(","))
    assert all(row[1] for row in rows)


# ---- warnings ----------------------------------------------------------------------------------


def warnings(db, site=1):
    db.execute("SELECT warning FROM tocsin.site_warning WHERE site_id = %s ORDER BY 1", (site,))
    return [row[0] for row in db.fetchall()]


WARNINGS = [
    ("UPDATE tocsin.site SET account_number = '12345' WHERE id = 1", "account_too_long"),
    ("UPDATE tocsin.receiver SET protocol = 'd6500' WHERE protocol = 'surgard';"
     "UPDATE tocsin.site SET account_number = '12345' WHERE id = 1", "account_too_long"),
    ("DELETE FROM tocsin.contact WHERE site_id = 1", "no_contact"),
    ("SELECT tocsin.bridge_unregister(1)", "no_bridge"),
    ("UPDATE tocsin.bridge SET transport_account = NULL WHERE id = 1", "bridge_without_account"),
    ("UPDATE tocsin.bridge SET cipher_required = true WHERE id = 1", "key_missing"),
    ("DELETE FROM tocsin.channel_zone WHERE bridge_id = 1 AND channel_id = 1", "channel_without_zone"),
    ("DELETE FROM tocsin.partition_channel WHERE channel_id = 1", "camera_in_no_partition"),
    ("DELETE FROM tocsin.arming_window", "no_schedule"),
    ("UPDATE tocsin.station_record SET receiver_id = NULL WHERE id = 1", "no_receiver"),
    ("UPDATE tocsin.site SET station_record_id = NULL WHERE id = 1", "no_station"),
    ("DELETE FROM tocsin.arming_window; DELETE FROM tocsin.arming_exception;"
     "UPDATE tocsin.site SET arming_method = 'panel_primary' WHERE id = 1", "no_arming_bridge"),
    ("DELETE FROM tocsin.app_member; UPDATE tocsin.site SET arming_method = 'video_system' WHERE id = 1", "no_app_member"),
]


def test_each_gap_has_its_warning(conninfo, base):
    base.execute("INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id) VALUES (1, '2', 2)")
    base.execute("INSERT INTO tocsin.partition_channel (site_id, partition_id, bridge_id, channel_id) VALUES (1, 1, 1, 2)")
    assert warnings(base) == []
    connection = psycopg2.connect(conninfo)
    for statement, warning in WARNINGS:
        cursor = connection.cursor()
        cursor.execute(statement)
        assert warning in warnings(cursor), statement
        connection.rollback()
    # a site without partitions is not divided: nothing is missing
    base.execute("DELETE FROM tocsin.site_partition WHERE site_id = 1")
    assert warnings(base) == []
    connection.close()


# ---- the end ---------------------------------------------------------------------------------


def test_a_removed_site_takes_what_is_its_own_along(base):
    assert refused(base, "DELETE FROM tocsin.site WHERE id = 1")[0] == "bridge_site_exists"
    base.execute("SELECT tocsin.bridge_unregister(1)")
    base.execute("DELETE FROM tocsin.site WHERE id = 1")
    for table in ("contact", "site_partition", "partition_channel", "arming_window", "arming_exception", "app_member",
                  "site_destination", "site_destination_rule", "effective_account", "alarm_library"):
        assert one(base, f"SELECT count(*) FROM tocsin.{table} WHERE site_id = 1") == 0, table
    assert one(base, "SELECT count(*) FROM tocsin.channel WHERE bridge_id = 1") == 2
    # its number is free
    base.execute(SITE + "(2, 'x', 'UTC', 2, '34')")
    base.execute("SELECT table_name FROM tocsin.audit_log WHERE action = 'delete'")
    assert {"site", "contact", "app_member", "site_destination"} <= {row[0] for row in base.fetchall()}
    assert one(base, "SELECT count(*) FROM tocsin.audit_verify()") == 0
