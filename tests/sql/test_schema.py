"""Migrations, the change feed, the directory views, resolution, history."""
import random
import shutil

import psycopg2

from conftest import SQL, ctl
from test_constraints import BASE


def newest():
    return max(int(source.name[:4]) for source in SQL.glob("*.sql"))


def test_migrations_run_once_and_are_guarded(empty, tmp_path):
    first = ctl("db", "migrate", "--sql", SQL, conninfo=empty)
    assert first.returncode == 0 and first.stdout.count("applied") == len(list(SQL.glob("*.sql")))
    again = ctl("db", "migrate", "--sql", SQL, conninfo=empty)
    assert again.returncode == 0 and "up to date" in again.stdout
    for source in SQL.glob("*.sql"):
        shutil.copy(source, tmp_path)
    older = sorted(tmp_path.glob("*.sql"))
    older[-1].rename(tmp_path / "later")
    newer = ctl("db", "migrate", "--sql", tmp_path, conninfo=empty)
    assert newer.returncode == 78 and "newer version" in newer.stderr
    (tmp_path / "later").rename(older[-1])
    older[0].write_text(older[0].read_text() + "\n")
    altered = ctl("db", "migrate", "--sql", tmp_path, conninfo=empty)
    assert altered.returncode == 78 and "altered" in altered.stderr


def test_a_failing_migration_leaves_nothing(conninfo, tmp_path):
    for source in SQL.glob("*.sql"):
        shutil.copy(source, tmp_path)
    (tmp_path / f"{newest() + 1:04d}_bad.sql").write_text("CREATE TABLE tocsin.half (a int); SELECT 1 / 0;")
    assert ctl("db", "status", "--sql", tmp_path, conninfo=conninfo).returncode == 1
    failed = ctl("db", "migrate", "--sql", tmp_path, conninfo=conninfo)
    assert failed.returncode == 1 and f"{newest() + 1:04d}_bad.sql" in failed.stderr
    with psycopg2.connect(conninfo) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT to_regclass('tocsin.half'), max(version) FROM tocsin.schema_version")
        assert cursor.fetchone() == (None, newest())


OLDER = """
INSERT INTO tocsin.dealer (id, name) VALUES (1, 'north');
INSERT INTO tocsin.center (id, name) VALUES (1, 'center');
INSERT INTO tocsin.receiver (id, center_id, name, protocol, key) VALUES (1, 1, 'net', 'dc09', '\\x00');
INSERT INTO tocsin.station_record (id, dealer_id, center_id, receiver_id, name) VALUES (1, 1, 1, 1, 's');
INSERT INTO tocsin.site (id, dealer_id, name, timezone, station_record_id, account_number, reference_id, state) VALUES
  (1, 1, 'house', 'UTC', 1, '1', 'R', 'active'), (2, 1, 'closed', 'UTC', 1, '2', NULL, 'inactive');
INSERT INTO tocsin.bridge (id, serial, site_id) VALUES (1, 'B1', 1);
INSERT INTO tocsin.channel (id, bridge_id, name, zone_type) VALUES (1, 1, 'door', 1);
INSERT INTO tocsin.alarm_library (site_id, zone_type, code) VALUES (1, 1, '131');
"""


def test_a_filled_database_of_the_first_release_is_migrated(empty, tmp_path):
    for source in sorted(SQL.glob("*.sql"))[:4]:
        shutil.copy(source, tmp_path)
    assert ctl("db", "migrate", "--sql", tmp_path, conninfo=empty).returncode == 0
    with psycopg2.connect(empty) as connection:
        connection.cursor().execute(OLDER)
    done = ctl("db", "migrate", "--sql", SQL, conninfo=empty)
    assert done.returncode == 0, done.stderr
    with psycopg2.connect(empty) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT e.account, e.receiver_claimed, s.activation_ends FROM tocsin.effective_account e "
                       "JOIN tocsin.site s ON s.id = e.site_id ORDER BY 1")
        assert cursor.fetchall() == [("1", 1, None), ("2", None, None)]
        cursor.execute("SELECT has_key, has_passkey FROM tocsin.receiver")
        assert cursor.fetchall() == [(True, False)]
        cursor.execute("UPDATE tocsin.site SET name = 'after' WHERE id = 1; SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT count(*) FROM tocsin.audit_verify()")
        assert cursor.fetchone() == (0,)


def test_everything_in_the_catalog_has_a_comment(db):
    db.execute("""
        SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'tocsin'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        AND obj_description(c.oid, 'pg_class') IS NULL
        UNION ALL
        SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'tocsin'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0
        AND NOT a.attisdropped AND a.attname <> 'id' AND col_description(c.oid, a.attnum) IS NULL
        UNION ALL
        SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'tocsin'::regnamespace
        AND obj_description(p.oid, 'pg_proc') IS NULL
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')""")
    assert db.fetchall() == []


WEBHOOK = "UPDATE tocsin.dealer SET webhooks = 2 WHERE id = 1; DELETE FROM tocsin.directory_change; INSERT INTO tocsin.webhook (dealer_id, station_record_id) VALUES (1, 4);"
OF_BEFORE = "DELETE FROM tocsin.directory_change;"
FEED = [
    ("UPDATE tocsin.dealer SET name = 'n' WHERE id = 1", {("dealer", 1)}),
    ("UPDATE tocsin.receiver SET paused = true WHERE id = 1", {("receiver", 1)}),
    ("UPDATE tocsin.receiver SET protocol = 'xml', passkey_sealed = 'p' WHERE id = 1", {("receiver", 1)}),
    ("UPDATE tocsin.receiver_endpoint SET port = 7 WHERE receiver_id = 1", {("receiver", 1)}),
    ("UPDATE tocsin.receiver_endpoint SET transport = 'tls' WHERE receiver_id = 1", {("receiver", 1)}),
    ("DELETE FROM tocsin.receiver_endpoint WHERE receiver_id = 1", {("receiver", 1)}),
    ("UPDATE tocsin.receiver SET shadow_of = 1 WHERE id = 3", {("receiver", 3)}),
    ("INSERT INTO tocsin.receiver_code VALUES (2, 'BA', 'E130')", {("receiver", 2)}),
    ("UPDATE tocsin.receiver_code SET goes = 'BV'", {("receiver", 1)}),
    ("DELETE FROM tocsin.receiver_code", {("receiver", 1)}),
    ("UPDATE tocsin.station_record SET prefix = '3' WHERE id = 1", {("station", 1)}),
    ("UPDATE tocsin.site SET name = 'n' WHERE id IN (1, 2)", {("site", 1), ("site", 2)}),
    ("UPDATE tocsin.site SET ack_level = 'delivered' WHERE id = 2", {("site", 2)}),
    ("UPDATE tocsin.bridge SET site_id = NULL WHERE id = 1", {("bridge", 1), ("site", 1)}),
    ("UPDATE tocsin.site SET activation_ends = NULL; DELETE FROM tocsin.directory_change; "
     "UPDATE tocsin.bridge SET site_id = NULL WHERE id = 1", {("bridge", 1)}),
    ("UPDATE tocsin.camera SET idle_days = 3 WHERE id = 1", {("bridge", 1)}),
    ("DELETE FROM tocsin.camera WHERE id = 1", {("bridge", 1)}),
    ("UPDATE tocsin.bridge SET tls_required = true, time_window_past_s = 5, time_window_future_s = 5 WHERE id = 2", {("bridge", 2)}),
    ("UPDATE tocsin.bridge SET key = 'k' WHERE id = 1; SELECT tocsin.bridge_key_roll(1, 'n', 60)", {("bridge", 1)}),
    ("SELECT tocsin.bridge_bearer_key_new(1)", {("bridge", 1)}),
    ("UPDATE tocsin.bridge SET bearer_key_hash = sha256('a') WHERE id = 2; DELETE FROM tocsin.directory_change; "
     "SELECT tocsin.bridge_bearer_key_roll(2, 60)", {("bridge", 2)}),
    ("UPDATE tocsin.channel SET code = '131' WHERE id = 1", {("bridge", 1)}),
    ("UPDATE tocsin.channel SET bridge_id = 2 WHERE id = 2", {("bridge", 1), ("bridge", 2)}),
    ("INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id) VALUES (1, '2', 1)", {("bridge", 1)}),
    ("SELECT tocsin.bridge_supervise(2, 'SP4')", {("bridge", 2)}),
    ("UPDATE tocsin.bridge_path SET listener = 'gsm'", {("bridge", 1)}),
    ("DELETE FROM tocsin.bridge_path", {("bridge", 1)}),
    ("DELETE FROM tocsin.bridge WHERE id = 2", {("bridge", 2)}),
    ("INSERT INTO tocsin.alarm_library (site_id, zone_type, code) VALUES (2, 1, '131')", {("site", 2)}),
    ("UPDATE tocsin.alarm_library SET dealer_id = 2", {("dealer", 1), ("dealer", 2)}),
    ("DELETE FROM tocsin.alarm_library", {("dealer", 1)}),
    ("UPDATE tocsin.zone_type SET code = '131' WHERE number = 3", {("zone_type", 3)}),
    ("UPDATE tocsin.site SET name = 'n' WHERE id = 99", set()),
    ("UPDATE tocsin.site SET timezone = 'UTC' WHERE id IN (1, 2)", {("site", 1), ("site", 2), ("schedule", 1), ("destinations", 1)}),
    ("INSERT INTO tocsin.arming_exception (site_id, during, armed) VALUES (1, '[2026-01-01, 2026-01-02)', true)",
     {("schedule", 1)}),
    ("INSERT INTO tocsin.site_partition (site_id, number, name) VALUES (2, 7, 'n')",
     {("site", 2), ("schedule", 2), ("destinations", 2)}),
    ("INSERT INTO tocsin.site_destination (site_id, station_record_id, account_number) "
     "SELECT 2, s.id, 'F1' FROM tocsin.station_record s JOIN tocsin.site t USING (dealer_id) WHERE t.id = 2 "
     "AND s.id IS DISTINCT FROM t.station_record_id ORDER BY s.id LIMIT 1", {("destinations", 2)}),
    (WEBHOOK, {("destinations", 1), ("destinations", 2)}),
    (WEBHOOK + OF_BEFORE + "UPDATE tocsin.webhook SET enabled = false", {("destinations", 1), ("destinations", 2)}),
    (WEBHOOK + OF_BEFORE + "UPDATE tocsin.dealer SET webhooks = 0 WHERE id = 1", {("dealer", 1), ("destinations", 1), ("destinations", 2)}),
    (WEBHOOK + OF_BEFORE + "DELETE FROM tocsin.webhook", {("destinations", 1), ("destinations", 2)}),
    (WEBHOOK + OF_BEFORE + "INSERT INTO tocsin.site (id, dealer_id, name, timezone) VALUES (7, 1, 'n', 'UTC'), (8, 2, 'n', 'UTC')",
     {("site", 7), ("site", 8), ("destinations", 7)}),
    (WEBHOOK + OF_BEFORE + "UPDATE tocsin.site SET dealer_id = 2 WHERE id = 2", {("site", 2), ("destinations", 2)}),
]


def test_each_change_is_in_the_feed(conninfo, db):
    db.execute(BASE)
    connection = psycopg2.connect(conninfo)
    cursor = connection.cursor()
    for statement, expected in FEED:
        cursor.execute(statement)
        cursor.execute("SELECT entity, entity_id FROM tocsin.directory_change WHERE xid = pg_current_xact_id()")
        assert set(cursor.fetchall()) == expected, statement
        connection.rollback()
    connection.close()


def test_one_notification_per_transaction(conninfo, db):
    listening = psycopg2.connect(conninfo)
    listening.autocommit = True
    cursor = listening.cursor()
    cursor.execute("LISTEN tocsin_directory")
    writing = psycopg2.connect(conninfo)
    writing.cursor().execute(BASE)
    writing.commit()
    cursor.execute("SELECT 1")
    listening.poll()
    assert [n.channel for n in listening.notifies] == ["tocsin_directory"]
    writing.close(), listening.close()


def test_trim_forgets_only_old_changes(db):
    db.execute(BASE)
    db.execute("SELECT count(*) FROM tocsin.directory_change")
    count = db.fetchone()[0]
    db.execute("UPDATE tocsin.directory_change SET changed_at = now() - interval '25 hours' WHERE entity = 'dealer'")
    db.execute("SELECT tocsin.directory_change_trim()")
    assert db.fetchone()[0] == 3
    db.execute("SELECT count(*) FROM tocsin.directory_change")
    assert db.fetchone()[0] == count - 3


def first_set(*levels):
    return next((value, name) for name, value in levels if value is not None)


def test_resolution_takes_the_first_level_that_is_set(db):
    chance = random.Random(7)
    db.execute(BASE)
    db.execute("DELETE FROM tocsin.alarm_library")
    rows = {}
    for owner, owner_id in (("dealer", 1), ("dealer", 2), ("site", 1), ("site", 2), ("site", 3)):
        for zone_type in range(1, 10):
            value = (chance.choice([None, True, False]), chance.choice([None, "131", "140"]))
            if value != (None, None):
                db.execute(f"INSERT INTO tocsin.alarm_library ({owner}_id, zone_type, enabled, code) "
                           "VALUES (%s, %s, %s, %s)", (owner_id, zone_type, *value))
                rows[owner, owner_id, zone_type] = value
    channels = {1: (None, None), 2: (True, None), 3: (None, None)}
    for zone_type in range(1, 10):
        value = (chance.choice([None, True, False]), chance.choice([None, "120"]))
        db.execute("INSERT INTO tocsin.channel (bridge_id, name, zone_type, enabled, code) "
                   "VALUES (1, 'c', %s, %s, %s) RETURNING id", (zone_type, *value))
        channels[db.fetchone()[0]] = value
    db.execute("UPDATE tocsin.channel SET enabled = true WHERE id = 2")
    db.execute("SELECT number, enabled, code FROM tocsin.zone_type")
    built_in = {number: (enabled, code) for number, enabled, code in db.fetchall()}
    dealer_of = {1: 1, 2: 1, 3: 2}
    db.execute("SELECT site_id, zone_type, channel_id, enabled, enabled_level, code, code_level "
               "FROM tocsin.effective_alarm_code")
    seen = db.fetchall()
    assert len(seen) == 3 * 9 + 2 + 9
    for site, zone_type, channel, *got in seen:
        none = (None, None)
        levels = (("channel", channels[channel] if channel else none),
                  ("site", rows.get(("site", site, zone_type), none)),
                  ("dealer", rows.get(("dealer", dealer_of[site], zone_type), none)),
                  ("built-in", built_in[zone_type]))
        want = [*first_set(*((n, v[0]) for n, v in levels)), *first_set(*((n, v[1]) for n, v in levels))]
        assert got == want, (site, zone_type, channel)


def test_inbound_codes_resolve_too(db):
    db.execute(BASE)
    db.execute("INSERT INTO tocsin.alarm_library (dealer_id, inbound_code, enabled, code) VALUES (1, '401', false, '441')")
    db.execute("INSERT INTO tocsin.alarm_library (site_id, inbound_code, enabled) VALUES (1, '401', true)")
    db.execute("SELECT site_id, enabled, enabled_level, code, code_level FROM tocsin.effective_inbound_code "
               "WHERE inbound_code = '401' ORDER BY 1")
    assert db.fetchall() == [(1, True, "site", "441", "dealer"), (2, False, "dealer", "441", "dealer"),
                             (3, True, "built-in", "401", "built-in")]


EVENT = ("INSERT INTO tocsin.event (node, lsn, item, boot, received_at, protocol, encrypted, format, raw, verdict, "
         "flags, decision_lsn, delivery_count) VALUES ('n', %s, 0, 1, %s, 'dc09', false, 'contact-id', '', %s, 0, %s, %s)")
OUTCOME = ("INSERT INTO tocsin.delivery_outcome (node, outcome_lsn, decision_lsn, delivery_index, signal_lsn, item, "
           "receiver_id, state, attempts, repeated, finished_at) VALUES ('n', %s, %s, %s, 1, 0, 1, %s, 1, false, now())")


def test_days_get_partitions_and_nothing_is_refused_for_its_date(db):
    db.execute(EVENT, (1, "2026-01-02 23:59:59.9+00", "unrouted", 2, 0))
    db.execute(EVENT, (3, "1970-01-01 00:00+00", "unrouted", 4, 0))
    for _ in range(2):
        db.execute("SELECT tocsin.ensure_partitions('1970-01-01', '2026-01-03')")
    db.execute("SELECT relname, lsn FROM tocsin.event e JOIN pg_class c ON c.oid = e.tableoid ORDER BY lsn")
    assert db.fetchall() == [("event_20260102", 1), ("event_default", 3)]
    db.execute("SELECT tocsin.drop_partitions('2026-01-03')")
    db.execute("SELECT lsn FROM tocsin.event")
    assert db.fetchall() == [(3,)]


def test_history_says_how_it_ended(db):
    db.execute(EVENT, (1, "now", "routed", 2, 2))
    db.execute(EVENT, (5, "now", "suppressed", 6, 0))

    def verdicts():
        db.execute("SELECT event, verdict, delivered_count FROM tocsin.event_history ORDER BY lsn")
        return db.fetchall()

    assert verdicts() == [("n-1", "routed", 0), ("n-5", "suppressed", 0)]
    for lsn, index, state, want in ((10, 0, "delivered", ("routed", 1)), (11, 1, "parked", ("parked", 1)),
                                    (12, 1, "requeued", ("routed", 1)), (13, 1, "delivered", ("delivered", 2))):
        db.execute(OUTCOME, (lsn, 2, index, state))
        assert verdicts()[0][1:] == want


def test_the_daemon_may_do_its_work_and_no_more(conninfo, db):
    db.execute(BASE)
    db.execute("SET ROLE tocsin_daemon")
    for view in "dealer receiver endpoint station site bridge zone library zone_type change".split():
        db.execute(f"SELECT * FROM tocsin.directory_{view}")
    db.execute("SELECT tocsin.ensure_partitions('2026-01-01', '2026-01-02')")
    db.execute(EVENT, (1, "2026-01-01", "unrouted", 2, 0))
    for forbidden in ("SELECT * FROM tocsin.site", "DELETE FROM tocsin.event",
                      "UPDATE tocsin.receiver SET name = 'x'", "SELECT tocsin.drop_partitions('2026-01-01')"):
        try:
            db.execute(forbidden)
            assert False, forbidden
        except psycopg2.errors.InsufficientPrivilege:
            pass
