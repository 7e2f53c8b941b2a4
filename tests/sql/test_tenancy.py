"""Who sees and changes what: three roles, each kind of user, each secret."""
import hashlib

import psycopg2
import pytest

from conftest import SQL, create, ctl, opened
from test_constraints import BASE
from test_provisioning import one, refused

USERS = """
INSERT INTO tocsin.dealer (id, name, parent_id) VALUES (3, 'north branch', 1);
INSERT INTO tocsin.site (id, dealer_id, name, timezone) VALUES (4, 3, 'branch house', 'UTC');
INSERT INTO tocsin.receiver (id, center_id, name, protocol, visibility) VALUES (4, 1, 'hidden', 'surgard', 'own');
INSERT INTO tocsin.station_record (id, dealer_id, center_id, receiver_id, name) VALUES (5, 2, 1, 4, 'hidden');
INSERT INTO tocsin.user_account (id, login, name, role, dealer_id, center_id) VALUES
  (10, 'op', 'Op', 'operator', NULL, NULL), (11, 'ina', 'Ina', 'center', NULL, 1), (12, 'olga', 'Olga', 'center', NULL, 2),
  (13, 'sam', 'Sam', 'dealer_admin', 2, NULL), (14, 'tim', 'Tim', 'dealer_technician', 1, NULL),
  (15, 'vera', 'Vera', 'viewer', 1, NULL), (16, 'bea', 'Bea', 'dealer_admin', 3, NULL),
  (17, 'gone', 'Gone', 'dealer_admin', 1, NULL);
UPDATE tocsin.user_account SET disabled = true WHERE id = 17;
INSERT INTO tocsin.event (node, lsn, item, boot, received_at, protocol, encrypted, format, raw, verdict, flags,
  decision_lsn, delivery_count, dealer_id, site_id)
SELECT 'n', s.id, 0, 1, now(), 'dc09', false, 'contact-id', '', 'suppressed', 0, s.id, 0, s.dealer_id, s.id FROM tocsin.site s;
"""
ADMIN, MEMBER, OPERATOR, CENTER, OTHER_CENTER, SOUTH, TECHNICIAN, VIEWER, BRANCH, DISABLED = 1, 2, 10, 11, 12, 13, 14, 15, 16, 17


# to be found by each way of looking: a name, an address, an account, a serial
FOUND = """
UPDATE tocsin.site SET name = 'Villa ' || id, address1 = 'Elm Street ' || id, external_id = 'customer' || id;
UPDATE tocsin.site SET state = 'inactive' WHERE id = 4;
INSERT INTO tocsin.bridge (id, serial, site_id, transport_account) SELECT 100 + id, 'SERIAL' || id, id, '77' || id FROM tocsin.site;
"""


@pytest.fixture(scope="module")
def template(server, migrated):
    with psycopg2.connect(create(server, "peopled", migrated)) as connection:
        connection.cursor().execute(BASE + USERS)
    connection.close()
    return "peopled"


@pytest.fixture
def people(db):
    return db


@pytest.fixture(scope="module")
def onlooker(untouched):
    with opened(untouched) as cursor:
        yield cursor


@pytest.fixture(scope="module")
def finder(server, template):
    """The same, with something to be found by each way of looking."""
    with opened(create(server, "searched", template)) as cursor:
        cursor.execute(FOUND)
        yield cursor


def become(db, user, role="tocsin_portal"):
    db.execute(f"RESET ROLE; SET ROLE {role}")
    db.execute("SELECT set_config('tocsin.user_id', %s, false)", ("" if user is None else str(user),))


def ids(db, table, column="id"):
    db.execute(f"SELECT DISTINCT {column} FROM tocsin.{table} ORDER BY 1")
    return [row[0] for row in db.fetchall()]


SEES = [  # user, sites, stations, receivers
    (None, [], [], [1, 2, 3]),
    (DISABLED, [], [], [1, 2, 3]),
    (ADMIN, [1, 2, 4], [1, 3, 4], [1, 2, 3]),
    (TECHNICIAN, [1, 2, 4], [1, 3, 4], [1, 2, 3]),
    (VIEWER, [1, 2, 4], [1, 3, 4], [1, 2, 3]),
    (BRANCH, [4], [], [1, 2, 3]),
    (SOUTH, [3], [2, 5], [1, 2, 3, 4]),
    (CENTER, [1, 3], [1, 2, 3, 4, 5], [1, 2, 3, 4]),
    (OTHER_CENTER, [], [], [1, 2, 3]),
    (MEMBER, [1], [], [1, 2, 3]),
    (OPERATOR, [1, 2, 3, 4], [1, 2, 3, 4, 5], [1, 2, 3, 4]),
]
OF_SITE = ["effective_account", "bridge", "site_partition", "arming_window", "arming_exception", "contact", "app_member",
           "site_destination", "site_destination_rule", "partition_channel", "effective_library", "site_warning", "site_bridge"]
OF_BRIDGE = ["channel", "channel_zone", "camera", "bridge_path"]


@pytest.mark.parametrize("user,sites,stations,receivers", SEES)
def test_each_user_sees_what_is_theirs(onlooker, user, sites, stations, receivers):
    become(onlooker, user)
    assert ids(onlooker, "site") == ids(onlooker, "site_overview") == sites
    assert ids(onlooker, "station_record") == stations
    assert ids(onlooker, "receiver") == receivers
    assert ids(onlooker, "tenant_event", "site_id") == sites
    for table in OF_SITE:
        assert set(ids(onlooker, table, "site_id")) <= set(sites), table
    for table in OF_BRIDGE:
        assert ids(onlooker, table, "bridge_id") == ([1] if 1 in sites else []), table


WORDS = ["villa", "VILLA 4", "lm str", "serial", "SERIAL3", "773", "customer2", "00", "a", "elm street 3", "%", "nothing like it", ""]


@pytest.mark.parametrize("user,sites", [row[:2] for row in SEES])
def test_each_user_finds_what_is_theirs(finder, user, sites):
    """As whoever sees everything finds it, less what is others'."""
    become(finder, None, "tocsin")

    def found(words):
        finder.execute("SELECT w, site_id FROM unnest(%s) w, tocsin.site_search(w) ORDER BY 1, 2", (words,))
        return finder.fetchall()
    finder.execute("SELECT account FROM tocsin.effective_account UNION SELECT substr(account, 2, 3) FROM tocsin.effective_account")
    words = WORDS + [row[0] for row in finder.fetchall()]
    everything = found(words)
    assert {site for _, site in everything} == {1, 2, 3, 4}
    become(finder, user)
    assert found(words) == [(word, site) for word, site in everything if site in sites]
    for state, wanted in ((None, sites), ("inactive", [4] if 4 in sites else []), ("active", [s for s in sites if s != 4]), ("x", [])):
        finder.execute("SELECT array_agg(i ORDER BY i) FROM tocsin.portal_sites(NULL, %s, 10) i", (state,))
        assert (finder.fetchone()[0] or []) == wanted, state
    finder.execute("SELECT array_agg(i ORDER BY i) FROM tocsin.portal_sites(1, NULL, 1) i")
    assert (finder.fetchone()[0] or []) == [s for s in sites if s > 1][:1]


# of dealer 1 and 2 the same streets; 1 has so many sub-dealers that its rows are picked otherwise
STREETS = """
INSERT INTO tocsin.dealer (id, name, parent_id) SELECT i, 'Branch ' || i, 1 FROM generate_series(100, 111) i;
INSERT INTO tocsin.site (dealer_id, name, timezone, address1, city, postal_code)
  SELECT d, 'Villa', 'UTC', 'Main Street ' || i, 'Dale', '1000' || d FROM generate_series(1, 250) i, unnest(ARRAY[1, 2]) d;
INSERT INTO tocsin.site (dealer_id, name, timezone, address1, city) VALUES
  (111, 'Villa', 'UTC', 'Harbour Lane 12-14', 'Port'), (2, 'Villa', 'UTC', 'Harbour Lane 99', 'Port'), (1, 'Harbour Villa', 'UTC', '', 'Port'),
  (2, 'x', 'UTC', '100% Road_\\ O''Hara', 'Port');
"""
# what is typed, and what is offered first to dealer 1 and to dealer 2
TYPED = [
    ("harbour lane 12", "Harbour Lane 12-14", "Harbour Lane 99"), ("hrbour lane 12-14", "Harbour Lane 12-14", "Harbour Lane 99"),
    ("14 harbour", "Harbour Lane 12-14", "Harbour Lane 99"), ("HARBOUR", "Harbour Lane 12-14", "Harbour Lane 99"), ("harxour", "Harbour Lane 12-14", "Harbour Lane 99"),
    ("lane, port", "Harbour Lane 12-14", "Harbour Lane 99"), ("main street 249", "Main Street 249", "Main Street 249"),
    ("249 main dale", "Main Street 249", "Main Street 249"), ("main stret 249", "Main Street 249", "Main Street 249"),
    ("main street 10002 31", "Main Street 31", "Main Street 31"), ("0% road_\\", None, "100% Road_\\ O'Hara"), ("o'hara", "Harbour Lane 12-14", "100% Road_\\ O'Hara"),
    ("villa", None, None), ("nothing like it", None, None), ("ma", None, None), (" , ", None, None), ("", None, None), (None, None, None)]


def test_addresses_are_offered_as_one_types(people):
    people.execute(STREETS)
    for user, column in ((ADMIN, 1), (SOUTH, 2), (BRANCH, None), (CENTER, None), (MEMBER, None), (DISABLED, None)):
        become(people, user)
        for typed, *offered in TYPED:
            people.execute("SELECT address1 FROM tocsin.address_search(%s, 5)", (typed,))
            found = [row[0] for row in people.fetchall()]
            wanted = offered[column - 1] if column else None
            assert found[:1] == ([wanted] if wanted else []), (user, typed, found)
            assert len(found) <= 5
    become(people, OPERATOR)
    people.execute("SELECT address1 FROM tocsin.address_search('harbour lane', 5)")
    assert sorted(people.fetchall()) == [("Harbour Lane 12-14",), ("Harbour Lane 99",)]


@pytest.mark.parametrize("user", [row[0] for row in SEES])
def test_the_list_of_users_is_what_its_user_sees(onlooker, user):
    become(onlooker, user)
    onlooker.execute("SELECT id FROM tocsin.user_account ORDER BY login")
    theirs = [row[0] for row in onlooker.fetchall()]
    onlooker.execute("SELECT id FROM tocsin.portal_users(NULL, NULL, NULL, NULL, 100) id")
    assert [row[0] for row in onlooker.fetchall()] == theirs
    onlooker.execute("SELECT id FROM tocsin.user_account WHERE login > 'bob' AND role = 'dealer_admin' AND dealer_id = 1 "
                   "AND position('n' IN login) > 0 ORDER BY login LIMIT 2")
    theirs = [row[0] for row in onlooker.fetchall()]
    onlooker.execute("SELECT id FROM tocsin.portal_users('bob', 1, 'dealer_admin', 'N', 2) id")
    assert [row[0] for row in onlooker.fetchall()] == theirs


@pytest.mark.parametrize("user,dealers", [
    (None, []), (DISABLED, []), (MEMBER, []), (CENTER, []), (BRANCH, [3]), (SOUTH, [2]), (ADMIN, [1, 3]), (OPERATOR, [1, 2, 3])])
def test_each_user_sees_the_audit_trail_of_their_dealers(people, user, dealers):
    people.execute("UPDATE tocsin.site SET city = 'Dale'")
    people.execute("SELECT id FROM tocsin.audit_log WHERE chain = ANY (%s) ORDER BY id DESC", (dealers,))
    theirs = [row[0] for row in people.fetchall()]
    become(people, user)
    people.execute("SELECT id FROM tocsin.portal_audit(NULL, 10000)")
    assert [row[0] for row in people.fetchall()] == theirs
    people.execute("SELECT id FROM tocsin.portal_audit(%s, 2)", (theirs[1] if dealers else 0,))
    assert [row[0] for row in people.fetchall()] == theirs[2:4]


def test_nothing_of_another_dealer_in_any_table(people):
    """Of every table that the portal may read, at most rows that are nobody's."""
    people.execute("SELECT table_name FROM information_schema.table_privileges WHERE grantee = 'tocsin_portal' "
                   "AND privilege_type = 'SELECT' AND table_schema = 'tocsin' UNION "
                   "SELECT table_name FROM information_schema.column_privileges WHERE grantee = 'tocsin_portal' "
                   "AND privilege_type = 'SELECT' AND table_schema = 'tocsin'")
    tables = [row[0] for row in people.fetchall()]
    everybodys = {"schema_version", "timezone", "center", "zone_type", "system_event", "arming_method", "supervision_class",
                  "code_class", "firmware_minimum", "user_role", "installation", "receiver", "station_url"}
    people.execute("SELECT relname FROM pg_class WHERE relnamespace = 'tocsin'::regnamespace AND relforcerowsecurity")
    secured = {row[0] for row in people.fetchall()}
    people.execute("SELECT relname FROM pg_class WHERE relnamespace = 'tocsin'::regnamespace AND relkind = 'v' "
                   "AND reloptions::text ~ 'security_(invoker|barrier)=true'")
    safe_views = {row[0] for row in people.fetchall()}
    for table in tables:
        assert table in everybodys | secured | safe_views, table
    become(people, BRANCH)
    for table in set(tables) - everybodys:
        people.execute("SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns c "
                       "WHERE table_schema = 'tocsin' AND table_name = %s AND has_column_privilege("
                       "('tocsin.' || table_name)::regclass, column_name, 'SELECT')", (table,))
        columns = people.fetchone()[0]
        people.execute(f"SELECT {columns} FROM tocsin.{table}")
        names = [column.name for column in people.description]
        for row in map(dict, (zip(names, values) for values in people.fetchall())):
            assert row.get("dealer_id") in (None, 3) and row.get("site_id") in (None, 4), (table, row)
            assert row.get("chain") in (None, 3), (table, row)


SECRETS = [("receiver", "key"), ("receiver", "passkey_hash"), ("receiver", "passkey_sealed"), ("receiver", "passkey"),
           ("bridge", "key"), ("bridge", "previous_key"), ("bridge", "claim_code_hash"), ("bridge", "bearer_key_hash"),
           ("bridge", "previous_bearer_key_hash"),
           ("user_account", "password_hash"), ("user_account", "password_salt"), ("user_account", "totp_secret"),
           ("installation", "secret")]


@pytest.mark.parametrize("table,column", SECRETS)
def test_no_secret_is_read(onlooker, table, column):
    for role in ("tocsin_portal", "tocsin_operator"):
        become(onlooker, OPERATOR, role)
        if role == "tocsin_operator" and column in ("key", "previous_key"):
            continue  # sealed under the master key, which PostgreSQL has not
        for statement in (f"SELECT {column} FROM tocsin.{table}", f"SELECT * FROM tocsin.{table}",
                          f"SELECT FROM tocsin.{table} WHERE {column} IS NOT NULL"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                onlooker.execute(statement)
    become(onlooker, None, "tocsin_daemon")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        onlooker.execute(f"SELECT {column} FROM tocsin.{table}")


def test_secrets_are_not_in_the_trail_either(people):
    people.execute("UPDATE tocsin.bridge SET key = '\\xdeadbeef', claim_code_hash = '\\xfeedface' WHERE id = 1")
    people.execute("SELECT tocsin.bridge_bearer_key_new(1)")
    people.execute("SELECT encode(bearer_key_hash, 'hex') FROM tocsin.bridge WHERE id = 1")
    bearer_key_hash = people.fetchone()[0]
    people.execute("SELECT tocsin.bridge_bearer_key_roll(1, 60)")
    people.execute("UPDATE tocsin.receiver SET key = '\\xdeadbeef', passkey = 'open sesame' WHERE id = 2")
    people.execute("SELECT tocsin.user_password_set(1, '\\x000102030405060708090a0b0c0d0e0f', 2, 19922944, '\\xdeadbeef')")
    people.execute("SELECT coalesce(old::text, '') || coalesce(new::text, '') FROM tocsin.audit_log")
    text = "".join(row[0] for row in people.fetchall())
    for secret in ("deadbeef", "feedface", "sesame", "$2a", "0001020304", bearer_key_hash, hashlib.sha256(b"\xde\xad\xbe\xef").hexdigest()):
        assert secret not in text
    people.execute("SELECT new->>'key', new->>'claim_code_hash', new->>'bearer_key_hash', new->>'previous_bearer_key_hash' "
                   "FROM tocsin.audit_log "
                   "WHERE table_name = 'bridge' AND row_key = '1' AND action = 'update' ORDER BY id DESC LIMIT 3")
    assert people.fetchall() == [("***", "***", "*** changed", "*** changed"), ("***", "***", "*** changed", None),
                                 ("*** changed", "*** changed", None, None)]


WRITES = [  # statement, who may
    ("UPDATE tocsin.site SET city = 'X' WHERE id = 1", {ADMIN, TECHNICIAN, OPERATOR}),
    ("UPDATE tocsin.site SET city = 'X' WHERE id = 4", {ADMIN, TECHNICIAN, BRANCH, OPERATOR}),
    ("UPDATE tocsin.site SET city = 'X' WHERE id = 3", {SOUTH, OPERATOR}),
    ("INSERT INTO tocsin.site (dealer_id, name, timezone) VALUES (1, 'new', 'UTC')", {ADMIN, TECHNICIAN, OPERATOR}),
    ("INSERT INTO tocsin.contact (site_id, name, phone) VALUES (1, 'X', '100')", {ADMIN, TECHNICIAN, OPERATOR}),
    ("INSERT INTO tocsin.alarm_library (dealer_id, zone_type, code) VALUES (1, 5, '131')", {ADMIN, OPERATOR}),
    ("INSERT INTO tocsin.alarm_library (site_id, zone_type, code) VALUES (1, 5, '131')", {ADMIN, TECHNICIAN, OPERATOR}),
    ("INSERT INTO tocsin.station_record (dealer_id, center_id, name) VALUES (1, 1, 'new')", {ADMIN, OPERATOR}),
    ("UPDATE tocsin.station_record SET prefix = '77' WHERE id = 4", {ADMIN, OPERATOR}),
    ("DELETE FROM tocsin.site_template WHERE id = 2", {ADMIN, OPERATOR}),
    ("UPDATE tocsin.bridge SET firmware = '9' WHERE id = 1", {ADMIN, TECHNICIAN, OPERATOR}),
    ("DELETE FROM tocsin.channel WHERE id = 2", {ADMIN, TECHNICIAN, OPERATOR}),
    ("UPDATE tocsin.dealer SET name = 'new name' WHERE id = 1", {ADMIN, OPERATOR}),
    ("INSERT INTO tocsin.dealer (parent_id, name) VALUES (1, 'sub')", {ADMIN, OPERATOR}),
    ("INSERT INTO tocsin.dealer (parent_id, name) VALUES (2, 'sub')", {SOUTH, OPERATOR}),
    ("INSERT INTO tocsin.user_account (login, name, role, dealer_id) VALUES ('new', 'N', 'viewer', 1)", {ADMIN, OPERATOR}),
    ("UPDATE tocsin.user_account SET disabled = true WHERE id = 14", {ADMIN, OPERATOR}),
    ("SELECT tocsin.site_deactivate(1)", {ADMIN, TECHNICIAN, OPERATOR}),
    ("SELECT tocsin.site_test_start(1)", {ADMIN, TECHNICIAN, OPERATOR}),
    ("SELECT tocsin.bridge_unregister(1)", {ADMIN, TECHNICIAN, OPERATOR}),
    ("SELECT tocsin.bridge_transfer(1, 2)", {ADMIN, TECHNICIAN, OPERATOR}),
    ("SELECT tocsin.bridge_transfer(1, 3)", {OPERATOR}),
    ("SELECT tocsin.site_create(1, 'new', 'UTC', library => '[{\"zone_type\": 1, \"code\": \"137\"}]')",
     {ADMIN, TECHNICIAN, OPERATOR}),
    ("SELECT tocsin.station_record_save(NULL, 1, 1, 1, 'new')", {ADMIN, OPERATOR}),
    # what nobody may through the portal
    ("UPDATE tocsin.bridge SET site_id = NULL WHERE id = 1", set()),
    ("INSERT INTO tocsin.bridge (serial, site_id) VALUES ('own', 1)", set()),
    ("UPDATE tocsin.receiver SET name = 'x'", set()),
    ("UPDATE tocsin.user_account SET password_hash = NULL", set()),
    ("UPDATE tocsin.user_account SET dealer_id = 2 WHERE id = 14", set()),
    ("INSERT INTO tocsin.user_account (login, name, role) VALUES ('root', 'R', 'operator')", set()),
    ("UPDATE tocsin.dealer SET parent_id = NULL", set()),
    ("UPDATE tocsin.zone_type SET code = '131'", set()),
    ("DELETE FROM tocsin.audit_log", set()),
    ("SELECT tocsin.bridge_assign(2, 1)", set()),
    ("SELECT tocsin.bridge_claim_code_new(1)", set()),
    ("SELECT tocsin.bridge_bearer_key_new(1)", set()),
    ("SELECT tocsin.bridge_bearer_key_roll(1, 60)", set()),
    ("SELECT * FROM tocsin.event", set()),
    ("SELECT * FROM tocsin.directory_bridge", set()),
    ("SELECT tocsin.audit_verify()", set()),
]


@pytest.fixture(scope="module")
def portal(server, template):
    connection = psycopg2.connect(create(server, "tenancy", template))
    yield connection
    connection.close()


@pytest.mark.parametrize("statement,allowed", WRITES)
def test_each_change_takes_its_user(portal, statement, allowed):
    done = set()
    for user in (ADMIN, MEMBER, OPERATOR, CENTER, SOUTH, TECHNICIAN, VIEWER, BRANCH, DISABLED, None):
        cursor = portal.cursor()
        become(cursor, user)
        try:
            cursor.execute(statement)
            if cursor.rowcount != 0:
                done.add(user)
        except psycopg2.Error as refusal:
            # a refusal, not a mistake of this test
            assert refusal.pgcode[:2] in ("42", "23"), refusal
            assert refusal.pgcode not in ("42601", "42P01", "42703", "42883"), refusal
        portal.rollback()
    assert done == allowed


OPERATOR_STEPS = """
SELECT tocsin.site_create(1, 'new', 'UTC', station_record_id => 1, account_number => '88', template_id => 1)
SELECT tocsin.site_test_start(1, 30, true)
SELECT tocsin.site_test_stop(1)
SELECT tocsin.site_deactivate(1)
SELECT tocsin.site_reactivate(1)
SELECT tocsin.site_arming_set(2, 'schedule')
SELECT tocsin.arming_window_add(2, 31, '18:00', '06:00')
SELECT tocsin.site_arming_require(2, 'schedule')
SELECT tocsin.site_launch_url(1, '1')
SELECT * FROM tocsin.site_find_by_url('https://x/?act=1234')
SELECT tocsin.station_record_save(NULL, 1, 1, 1, 'new', passkey => NULL)
SELECT tocsin.bridge_claim_code_new(2)
SELECT tocsin.bridge_bearer_key_new(2)
SELECT tocsin.bridge_bearer_key_roll(2, 60)
SELECT tocsin.bridge_assign(2, 2, '2.0')
SELECT tocsin.bridge_transfer(2, 3)
SELECT tocsin.bridge_unregister(2)
SELECT tocsin.bridge_supervise(1, 'SP4')
SELECT tocsin.user_password_set(14, '\\x000102030405060708090a0b0c0d0e0f', 2, 19922944, '\\x00')
SELECT * FROM tocsin.site_overview
SELECT * FROM tocsin.site_bridge
SELECT * FROM tocsin.site_warning
SELECT * FROM tocsin.effective_library
SELECT * FROM tocsin.event_history
SELECT * FROM tocsin.audit_verify()
UPDATE tocsin.receiver SET passkey = 'open sesame', key = NULL
UPDATE tocsin.installation SET portal_host = 'h'
INSERT INTO tocsin.firmware_minimum VALUES ('x', '1')
INSERT INTO tocsin.camera (bridge_id, channel_id, name, address) VALUES (2, 3, 'x', 'y')
DELETE FROM tocsin.user_account WHERE id = 12
"""


def test_an_operator_takes_every_step(people):
    become(people, None, "tocsin_operator")
    for step in OPERATOR_STEPS.strip().splitlines():
        people.execute(step)
        assert people.rowcount != 0 or "audit_verify" in step or "event_history" in step, step


def test_a_hidden_receiver_cannot_be_taken(people):
    become(people, ADMIN)
    name, sentence = refused(people, "INSERT INTO tocsin.station_record (dealer_id, center_id, receiver_id, name) VALUES (1, 1, 4, 'x')")
    assert (name, sentence) == ("station_record_receiver_of_center", "there is no such receiver of this center")
    become(people, SOUTH)
    people.execute("INSERT INTO tocsin.station_record (dealer_id, center_id, receiver_id, name) VALUES (2, 1, 4, 'x')")


def test_the_other_dealer_is_not_named(people):
    for user, holder in ((SOUTH, "by another customer:"), (OPERATOR, 'by site 1 "house" of dealer "north":')):
        become(people, user)
        name, sentence = refused(people, "INSERT INTO tocsin.site (dealer_id, name, timezone, station_record_id, account_number) "
                                 "VALUES (2, 'x', 'UTC', 2, '34')")
        assert name == "account_unique_at_receiver" and holder in sentence and "ask the monitoring station center" in sentence
        assert ("house" in sentence) == (user == OPERATOR)
    become(people, BRANCH)
    people.execute("RESET ROLE; INSERT INTO tocsin.station_record (id, dealer_id, center_id, receiver_id, name) VALUES (6, 3, 1, 1, 's')")
    become(people, BRANCH)
    assert "another customer" in refused(people, "INSERT INTO tocsin.site (dealer_id, name, timezone, station_record_id, "
                                         "account_number) VALUES (3, 'x', 'UTC', 6, '1234')")[1]


def test_a_claim_does_not_tell_where_a_bridge_is(people):
    code = one(people, "SELECT tocsin.bridge_claim_code_new(1)")
    become(people, SOUTH)
    name, sentence = refused(people, "SELECT tocsin.bridge_register(%s, 3)", (code,))
    assert name == "bridge_registered_elsewhere" and "house" not in sentence and "site" not in sentence
    assert refused(people, "SELECT tocsin.bridge_register(%s, 1)", (code,)) == ("site_exists", "there is no site 1")
    assert refused(people, "SELECT tocsin.bridge_unregister(1)") == ("bridge_exists", "there is no bridge 1")


def test_passwords_are_proven_not_read(people):
    proof, salt = b"\x01" * 32, b"\x02" * 16
    become(people, ADMIN)
    people.execute("SELECT tocsin.user_password_set(14, %s, 3, 67108864, %s)", (salt, proof))
    assert refused(people, "SELECT tocsin.user_password_set(13, %s, 3, 67108864, %s)", (salt, proof))[0] == "user_account_exists"
    become(people, None)
    people.execute("SELECT * FROM tocsin.user_password_setting('Tim')")
    got = people.fetchone()
    assert (bytes(got[0]), got[1:]) == (salt, (3, 67108864))
    people.execute("SELECT * FROM tocsin.user_password_setting('nobody')")
    first = people.fetchone()
    people.execute("SELECT * FROM tocsin.user_password_setting('nobody')")
    second = people.fetchone()
    assert bytes(first[0]) == bytes(second[0]) and len(bytes(first[0])) == 16
    login = "SELECT tocsin.user_authenticate(%s, %s)"
    assert one(people, login, ("TIM", proof)) == 14
    assert one(people, login, ("nobody", proof)) is None
    assert one(people, login, ("vera", proof)) is None
    for _ in range(5):
        assert one(people, login, ("tim", b"\x03" * 32)) is None
    assert one(people, login, ("tim", proof)) is None  # locked
    people.execute("RESET ROLE")
    people.execute("UPDATE tocsin.user_account SET locked_until = now() - interval '1 s' WHERE id = 14")
    become(people, None)
    assert one(people, login, ("tim", proof)) == 14
    people.execute("RESET ROLE")
    people.execute("UPDATE tocsin.user_account SET disabled = true WHERE id = 14")
    become(people, None)
    assert one(people, login, ("tim", proof)) is None


def test_an_owner_who_is_no_superuser_can_run_everything(server):
    """As docs/OPERATIONS.md sets it up: rows are secured against the owner too,
    and the daemon's views still show all of them."""
    connection = psycopg2.connect(server)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("CREATE ROLE plain_owner LOGIN")
    cursor.execute("GRANT CREATE ON DATABASE postgres TO plain_owner")
    conninfo = create(server, "owned")
    cursor.execute("ALTER DATABASE owned OWNER TO plain_owner")
    cursor.execute("GRANT tocsin_daemon, tocsin_operator, tocsin_portal TO plain_owner")
    owned = conninfo.replace("user=tocsin", "user=plain_owner")
    done = ctl("db", "migrate", "--sql", SQL, conninfo=owned)
    assert done.returncode == 0, done.stderr
    with psycopg2.connect(owned) as owner:
        db = owner.cursor()
        db.execute(BASE + USERS)
        for role in ("tocsin_daemon", "tocsin_operator"):
            db.execute(f"SET ROLE {role}")
            db.execute("SELECT count(*) FROM tocsin.directory_site")
            assert db.fetchone() == (4,)
        become(db, SOUTH)
        assert ids(db, "site") == [3]
        db.execute("SELECT tocsin.site_create(2, 'mine', 'UTC')")
        db.execute("RESET ROLE; RESET tocsin.user_id")
        db.execute("SELECT tocsin.bridge_transfer(1, 2)")
        owner.commit()
        db.execute("SELECT count(*) FROM tocsin.audit_verify()")
        assert db.fetchone() == (0,)
    owner.close(), connection.close()
