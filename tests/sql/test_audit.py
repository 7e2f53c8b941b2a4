"""The audit trail: everything is in it, nothing is taken out of it unnoticed."""
import threading

import psycopg2
import pytest

from test_constraints import BASE, SITE, wait_blocked
from test_provisioning import one


@pytest.fixture
def base(db):
    db.execute(BASE)
    return db


def problems(db):
    db.execute("SELECT problem FROM tocsin.audit_verify()")
    return [row[0] for row in db.fetchall()]


def last(db, count=1):
    db.execute("SELECT actor, table_name, row_key, action, old, new FROM tocsin.audit_log ORDER BY xid DESC, id DESC LIMIT %s", (count,))
    return db.fetchall()


def test_who_what_old_and_new(base):
    base.execute("SET tocsin.actor = 'tocsinctl:uid 1000'")
    base.execute("UPDATE tocsin.site SET city = 'Athens' WHERE id = 1")
    actor, table, key, action, old, new = last(base)[0]
    assert (actor, table, key, action) == ("tocsinctl:uid 1000", "site", "1", "update")
    assert (old["city"], new["city"]) == ("", "Athens")
    assert {name for name in new if new[name] != old[name]} == {"city"}
    base.execute("RESET tocsin.actor; SET tocsin.user_id = '1'")
    base.execute("DELETE FROM tocsin.contact WHERE id = 2")
    actor, table, key, action, old, new = last(base)[0]
    assert (actor, table, key, action, old["name"], new) == ("anna", "contact", "2", "delete", "Guard", None)
    base.execute("RESET tocsin.user_id")
    base.execute("INSERT INTO tocsin.contact (site_id, name, phone) VALUES (1, 'New', '100')")
    actor, table, key, action, old, new = last(base)[0]
    assert (actor, action, old, new["name"]) == ("tocsin", "insert", None, "New")


def test_what_changes_nothing_is_no_change(base):
    before = one(base, "SELECT count(*) FROM tocsin.audit_log")
    base.execute("UPDATE tocsin.site SET name = name")
    base.execute("UPDATE tocsin.site SET name = 'x' WHERE id = 99")
    assert one(base, "SELECT count(*) FROM tocsin.audit_log") == before


def test_every_provisioning_table_is_audited(base):
    base.execute("SELECT relname FROM pg_class WHERE relnamespace = 'tocsin'::regnamespace AND relkind = 'r' AND NOT relispartition")
    tables = {row[0] for row in base.fetchall()}
    base.execute("SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname ~ '^audit_(insert|update|delete)$' "
                 "GROUP BY 1 HAVING count(*) = 3")
    audited = {row[0] for row in base.fetchall()}
    assert tables - audited == {"schema_version", "timezone", "effective_account", "directory_change", "sign_in_failure", "archive_position",
                                "archive_quarantine", "audit_log", "audit_seal", "audit_head"}
    base.execute("SELECT DISTINCT table_name FROM tocsin.audit_log")
    assert {"dealer", "site", "bridge", "channel_zone", "app_member"} <= {row[0] for row in base.fetchall()}


def test_rows_are_in_their_dealers_chain(base):
    base.execute("SELECT table_name, row_key, chain FROM tocsin.audit_log WHERE action = 'insert'")
    chains = {(table, key): chain for table, key, chain in base.fetchall()}
    for row, chain in ((("center", "1"), 0), (("dealer", "2"), 2), (("site", "3"), 2), (("site", "1"), 1), (("bridge", "1"), 1),
                       (("bridge", "2"), 0), (("channel", "1"), 1), (("channel_zone", "1/1"), 1), (("app_member", "1/2"), 1),
                       (("user_account", "3"), 2), (("camera", "1"), 1), (("site_template_library", "1"), 1)):
        assert chains[row] == chain, row
    base.execute("SELECT tocsin.bridge_unregister(1)")
    base.execute("SELECT chain, new->>'site_id' FROM tocsin.audit_log WHERE table_name = 'bridge' AND action = 'update' ORDER BY xid DESC LIMIT 1")
    assert base.fetchone() == (1, None)  # of whom it was


def test_a_rolled_back_change_leaves_no_trace(conninfo, base):
    before = one(base, "SELECT count(*) FROM tocsin.audit_log")
    connection = psycopg2.connect(conninfo)
    cursor = connection.cursor()
    cursor.execute("UPDATE tocsin.site SET name = 'lost' WHERE id = 1")
    connection.rollback()
    cursor.execute("UPDATE tocsin.site SET name = 'a' WHERE id = 1; SAVEPOINT s; UPDATE tocsin.site SET name = 'b' WHERE id = 3;"
                   "ROLLBACK TO s; UPDATE tocsin.site SET name = 'c' WHERE id = 2")
    connection.commit()
    connection.close()
    assert one(base, "SELECT count(*) FROM tocsin.audit_log") == before + 2
    assert problems(base) == []


def test_sealing_early_seals_the_rest_later(conninfo, base):
    connection = psycopg2.connect(conninfo)
    cursor = connection.cursor()
    cursor.execute("UPDATE tocsin.site SET name = 'a' WHERE id = 1; SET CONSTRAINTS ALL IMMEDIATE;"
                   "UPDATE tocsin.site SET name = 'b' WHERE id = 1; UPDATE tocsin.site SET name = 'c' WHERE id = 3")
    connection.commit()
    connection.close()
    assert problems(base) == []
    assert one(base, "SELECT count(*) FROM tocsin.audit_seal WHERE hash IS NULL") == 0


TAMPERING = [
    ("UPDATE tocsin.audit_log SET new = new || '{\"name\": \"other\"}' WHERE table_name = 'site' AND row_key = '3'", "was altered"),
    ("UPDATE tocsin.audit_log SET actor = 'innocent' WHERE table_name = 'site' AND row_key = '3'", "was altered"),
    ("UPDATE tocsin.audit_log l SET actor = 'innocent', hash = tocsin.audit_row_hash(chain, xid, at, 'innocent', database_role, "
     "table_name, row_key, action, old, new) WHERE table_name = 'site' AND row_key = '3'", "not those that were sealed"),
    ("DELETE FROM tocsin.audit_log WHERE table_name = 'site' AND row_key = '3'", "rows were sealed"),
    ("INSERT INTO tocsin.audit_log (chain, xid, at, actor, database_role, table_name, row_key, action, hash) "
     "SELECT 1, '3', now(), 'x', 'x', 'site', '1', 'update', "
     "tocsin.audit_row_hash(1, '3', now(), 'x', 'x', 'site', '1', 'update', NULL, NULL)", "added by other means"),
    ("UPDATE tocsin.audit_seal SET row_count = row_count + 1 WHERE chain = 2 AND sequence = 1", "rows were sealed"),
    ("UPDATE tocsin.audit_seal SET rows_hash = sha256('x') WHERE chain = 1 AND sequence = 1", "not those that were sealed"),
    ("DELETE FROM tocsin.audit_seal WHERE chain = 1 AND sequence = 2", "seals before it are missing"),
    ("DELETE FROM tocsin.audit_seal WHERE chain = 1 AND sequence = 4", "the end of the chain is missing"),
    ("DELETE FROM tocsin.audit_head WHERE chain = 1", "goes on behind its end"),
    # a whole forged seal, with its head: the link to the next one breaks
    ("UPDATE tocsin.audit_seal s SET row_count = 1, hash = tocsin.audit_seal_hash(sha256(''), chain, sequence, xid, first_id, "
     "last_id, 1, rows_hash) WHERE chain = 1 AND sequence = 1", "seal was altered, or the one before it"),
]


def test_tampering_is_found(conninfo, base):
    for turn in range(3):
        base.execute(f"UPDATE tocsin.site SET name = 'turn {turn}' WHERE id = 1")
    assert problems(base) == []
    assert one(base, "SELECT sequence FROM tocsin.audit_head WHERE chain = 1") == 4
    connection = psycopg2.connect(conninfo)
    for statement, problem in TAMPERING:
        cursor = connection.cursor()
        cursor.execute("SET LOCAL session_replication_role = replica")  # past every trigger
        cursor.execute(statement)
        assert cursor.rowcount > 0, statement
        assert any(problem in found for found in problems(cursor)), (statement, problems(cursor))
        connection.rollback()
    connection.close()


def test_an_end_that_was_noted_elsewhere_finds_a_cut_one(conninfo, base):
    base.execute("UPDATE tocsin.site SET name = 'late' WHERE id = 1")
    base.execute("SELECT chain, sequence, hash FROM tocsin.audit_head WHERE chain = 1")
    noted = base.fetchone()
    connection = psycopg2.connect(conninfo)
    cursor = connection.cursor()
    cursor.execute("SET LOCAL session_replication_role = replica")
    cursor.execute("DELETE FROM tocsin.audit_log l USING tocsin.audit_seal s WHERE s.xid = l.xid AND s.chain = l.chain AND s.chain = 1 AND s.sequence = %s", (noted[1],))
    cursor.execute("DELETE FROM tocsin.audit_seal WHERE chain = 1 AND sequence = %s", (noted[1],))
    cursor.execute("UPDATE tocsin.audit_head h SET sequence = s.sequence, hash = s.hash FROM tocsin.audit_seal s "
                   "WHERE h.chain = 1 AND s.chain = 1 AND s.sequence = %s", (noted[1] - 1,))
    assert problems(cursor) == []
    cursor.execute("SELECT problem FROM tocsin.audit_verify(%s, %s, %s)", noted)
    assert cursor.fetchall() == [("the seal is not the one that was noted elsewhere",)]
    connection.close()
    base.execute("SELECT problem FROM tocsin.audit_verify(%s, %s, %s)", noted)
    assert base.fetchall() == []


def test_many_sessions_make_one_chain(conninfo, base):
    def work(number):
        connection = psycopg2.connect(conninfo)
        for turn in range(25):
            cursor = connection.cursor()
            # both chains, in either order
            for site in (1, 3) if number % 2 else (3, 1):
                cursor.execute("INSERT INTO tocsin.contact (site_id, name, phone) VALUES (%s, %s, '100')", (site, f"{number}/{turn}"))
            connection.commit()
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems(base) == []
    base.execute("SELECT chain, sequence FROM tocsin.audit_head WHERE chain > 0 ORDER BY 1")
    assert base.fetchall() == [(1, 151), (2, 151)]


def test_only_commits_of_one_dealer_wait(conninfo, base):
    first, second = psycopg2.connect(conninfo), psycopg2.connect(conninfo)
    first.cursor().execute("UPDATE tocsin.site SET name = 'first' WHERE id = 1")
    # not sealed before the commit: others change and commit meanwhile
    second.cursor().execute("UPDATE tocsin.site SET name = 'second' WHERE id = 2")
    second.commit()
    first.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    second.cursor().execute("UPDATE tocsin.site SET name = 'other dealer' WHERE id = 3")
    second.commit()
    second.cursor().execute("UPDATE tocsin.site SET name = 'third' WHERE id = 2")
    waiting = threading.Thread(target=second.commit)
    waiting.start()
    wait_blocked(base, second)
    first.commit()
    waiting.join(30)
    assert problems(base) == []
    first.close(), second.close()


def test_a_bulk_import_is_one_seal(base):
    base.execute("INSERT INTO tocsin.site (dealer_id, name, timezone) SELECT 1, 's' || i, 'UTC' FROM generate_series(1, 2000) i")
    base.execute("SELECT row_count FROM tocsin.audit_seal WHERE chain = 1 ORDER BY sequence DESC LIMIT 1")
    assert base.fetchone() == (2000,)
    base.execute(SITE + "(1, 'x', 'UTC', 3, '70')")
    assert problems(base) == []
