"""tocsinctl against a database: provisioning, refusals, the demonstration."""
import json

import psycopg2
import pytest

from conftest import changes, create, ctl


def run(conninfo, *words):
    done = ctl(*words, "--json", conninfo=conninfo)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def template(server, migrated):
    conninfo = create(server, "inhabited", migrated)
    for words in ("dealer add --name north", "center add --name center",
                  "receiver add --center 1 --name plain --protocol surgard --endpoints 192.0.2.1:1025,[2001:db8::1]:1026",
                  "station add --dealer 1 --center 1 --receiver 1 --name s --prefix 1",
                  "site add --dealer 1 --name house --timezone Europe/Athens --station 1 --account 0a1"):
        run(conninfo, *words.split())
    return "inhabited"


def test_an_object_lives(conninfo):
    site = run(conninfo, "site", "show", "--id", 1)[0]
    assert site["account_number"] == "0A1" and site["effective_account"] == "10A1"
    changed = run(conninfo, "site", "set", "--id", 1, "--city", "Athens", "--reference-id", "R 1".replace(" ", ""))
    assert changed[0]["city"] == "Athens" and changed[0]["account_number"] == "0A1"
    assert run(conninfo, "site", "list", "--city", "Athens")[0]["id"] == 1
    assert run(conninfo, "site", "list", "--city", "Sparta") == []
    assert run(conninfo, "receiver", "show", "--id", 1)[0]["endpoints"] == "192.0.2.1:1025,[2001:db8::1]:1026"
    run(conninfo, "receiver", "set", "--id", 1, "--heartbeat", "10s", "--endpoints", "b:7")
    run(conninfo, "receiver", "set", "--id", 1, "--endpoints", "none")
    posted = "https://a.example:443/hook?x=1:2@c;ca=ca.pem,http://[2001:db8::1]:80"
    run(conninfo, "receiver", "set", "--id", 1, "--protocol", "webhook", "--endpoints", posted)
    assert run(conninfo, "receiver", "show", "--id", 1)[0]["endpoints"] == posted + "/"
    run(conninfo, "receiver", "set", "--id", 1, "--endpoints", "none")
    run(conninfo, "receiver", "set", "--id", 1, "--protocol", "surgard", "--endpoints", "b:7")
    secure = "tls://[2001:db8::1]:7;name=a.example;ca=ca.pem;certificate=us.pem,tls://b:8"
    run(conninfo, "receiver", "set", "--id", 1, "--endpoints", secure)
    assert run(conninfo, "receiver", "show", "--id", 1)[0]["endpoints"] == secure
    run(conninfo, "receiver", "set", "--id", 1, "--endpoints", "b:7")
    receiver = run(conninfo, "receiver", "show", "--id", 1)[0]
    assert (receiver["heartbeat_ms"], receiver["endpoints"]) == (10000, "b:7")
    assert ctl("site", "remove", "--id", 1, conninfo=conninfo).returncode == 0
    assert ctl("site", "show", "--id", 1, conninfo=conninfo).returncode == 1


def test_zones_and_library(conninfo):
    run(conninfo, *"bridge add --serial B1 --account ABCD --site 1".split())
    channel = run(conninfo, *"channel add --bridge 1 --name door --zone-type 1 --zones 001,2".split())[0]
    assert channel["zones"] == "001,2"
    run(conninfo, *"library set --site 1 --zone-type 1 --code 131".split())
    rows = run(conninfo, *"library show --site 1 --zone-type 1".split())
    assert [(r["channel"], r["code"], r["code_level"], r["enabled_level"]) for r in rows] == [
        (None, "131", "site", "built-in"), ("door", "131", "site", "built-in")]
    channel = run(conninfo, *"channel set --id 1 --code 120 --zones none".split())[0]
    assert (channel["code"], channel["zones"]) == ("120", None)


REFUSED = [
    ("site add --dealer 1 --name x --timezone UTC --station 1 --account 0A1", 1, "account 10A1 is already taken at receiver plain, by site 1"),
    ("site add --dealer 1 --name x --timezone Athens", 1, "no such time zone"),
    ("site add --dealer 1 --name x", 64, "--timezone ZONE is needed"),
    ("site set --id 1 --acount 5", 64, "did you mean \"--account\""),
    ("site set --id 9 --name x", 1, "there is no site 9"),
    ("site set --id x --name x", 64, "whole number"),
    ("site sett --id 1", 64, "did you mean \"set\""),
    ("sit list", 64, "did you mean \"site\""),
    ("site list extra", 64, "one word too many"),
    ("receiver set --id 1 --heartbeat 30", 64, "time with its unit"),
    ("receiver set --id 1 --endpoints nowhere", 1, "HOST:PORT"),
    ("receiver set --id 1 --endpoints tls://a:1;ca=x;name=y", 1, "in this order"),
    ("receiver set --id 1 --endpoints tls://a:1/x", 1, "have a path"),
    ("receiver set --id 1 --endpoints https://a:1/x", 1, "only XML packages and webhooks"),
    ("receiver set --id 1 --endpoints a:1;ca=x", 1, "are for tls://"),
    ("receiver set --id 1 --listen maybe", 64, "yes or no"),
    ("bridge add --serial B --key hex:00 --master-key-file /nonexistent", 1, "a key is hex:"),
    ("bridge add --serial B --key text:sixteen-byte-key", 1, "--master-key-file"),
    ("db seed-demo --sites 20001", 64, "from 1 to 20000"),
]


@pytest.mark.parametrize("words,status,sentence", REFUSED)
def test_a_refusal_is_a_sentence(untouched, words, status, sentence):
    before = changes(untouched)
    done = ctl(*words.split(), conninfo=untouched)
    assert (done.returncode, sentence in done.stderr, done.stdout) == (status, True, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert changes(untouched) == before


def test_a_refused_list_leaves_nothing(conninfo):
    run(conninfo, *"bridge add --serial B1".split())
    assert ctl(*"channel add --bridge 1 --name c --zone-type 1 --zones 1,01".split(), conninfo=conninfo).returncode == 1
    assert run(conninfo, "channel", "list") == []


def test_a_receiver_has_translations_of_its_own(conninfo):
    def shown():
        return run(conninfo, "receiver", "show", "--id", 1)[0]["codes"]

    assert shown() is None
    run(conninfo, *"receiver set --id 1 --translation sia --codes r130=bw,E130=BV".split())
    assert shown() == "E130=BV,R130=BW"
    run(conninfo, *"receiver set --id 1 --codes BA=E131,P130=BX".split())
    assert shown() == "BA=E131,P130=BX"
    for codes, sentence in (("E130=E131", "Contact ID is translated to SIA"), ("BA=BV", "Contact ID is translated to SIA"),
                            ("E130=BV,E130=BW", "has a code twice"), ("130=BV", "a code is E, R or P"),
                            ("E130", "Contact ID is translated to SIA"), ("E130=BVX", "is translated to E, R or P"),
                            ("E1A0=BV", "a code is E, R or P")):
        done = ctl("receiver", "set", "--id", 1, "--codes", codes, conninfo=conninfo)
        assert done.returncode == 1 and sentence in done.stderr, (codes, done.stderr)
        assert len(done.stderr.splitlines()) == 1 and shown() == "BA=E131,P130=BX"
    run(conninfo, *"receiver set --id 1 --codes none".split())
    assert shown() is None
    added = run(conninfo, *"receiver add --center 1 --name own --protocol xml --codes E130=BV".split())[0]
    assert added["codes"] == "E130=BV"
    run(conninfo, "receiver", "remove", "--id", added["id"])


def test_an_account_without_room_is_warned_about(conninfo):
    done = ctl(*"site set --id 1 --account 12345".split(), conninfo=conninfo)
    assert done.returncode == 0 and "has no room at receiver plain" in done.stderr


def test_keys_are_sealed(conninfo, tmp_path):
    key_file = tmp_path / "master"
    key_file.write_bytes(bytes(range(32)))
    run(conninfo, *f"bridge add --serial B1 --key text:sixteen-byte-key --master-key-file {key_file}".split())
    with psycopg2.connect(conninfo) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT key FROM tocsin.bridge")
        blob = bytes(cursor.fetchone()[0])
    assert len(blob) == 16 + 40 and b"sixteen" not in blob


def test_a_passkey_of_the_link_is_sealed(conninfo, tmp_path):
    key_file, passkey = tmp_path / "master", tmp_path / "passkey"
    key_file.write_bytes(bytes(range(32)))
    passkey.write_text("correct-horse\n")
    secret = ["--link-passkey", passkey, "--master-key-file", key_file]
    hook = ["receiver", "add", "--center", 1, "--name", "hook", "--protocol", "webhook"]
    added = run(conninfo, *hook, *secret)[0]
    assert added["sends_passkey"] is True and "correct" not in json.dumps(added)
    with psycopg2.connect(conninfo) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT passkey_sealed FROM tocsin.receiver WHERE name = 'hook'")
        blob = bytes(cursor.fetchone()[0])
        assert len(blob) == 13 + 40 and b"correct" not in blob
        cursor.execute("SELECT count(*) FROM tocsin.audit_log WHERE coalesce(old::text, '') || coalesce(new::text, '') LIKE %s",
                       ("%" + blob.hex()[:16] + "%",))
        assert cursor.fetchone() == (0,)
    run(conninfo, "receiver", "set", "--id", added["id"], "--link-passkey", "none")
    assert run(conninfo, "receiver", "show", "--id", added["id"])[0]["sends_passkey"] is False
    for text, options, says in (("short", secret, "a passkey has 8 to 64"), ("two words here", secret, "without spaces"),
                                ("x" * 65, secret, "a passkey has 8 to 64"),
                                ("correct-horse", secret[:2], "--link-passkey needs --master-key-file")):
        passkey.write_text(text)
        done = ctl("receiver", "set", "--id", added["id"], *options, conninfo=conninfo)
        assert done.returncode == 1 and says in done.stderr and text not in done.stderr, done.stderr


def test_a_key_is_rolled(conninfo, tmp_path):
    key_file = tmp_path / "master"
    key_file.write_bytes(bytes(range(32)))
    master = ["--master-key-file", key_file]
    run(conninfo, "bridge", "add", "--serial", "B1", "--key", "text:sixteen-byte-key", *master)
    with psycopg2.connect(conninfo) as connection:
        cursor = connection.cursor()

        def keys():
            cursor.execute("SELECT key, previous_key, previous_key_until - now() FROM tocsin.bridge")
            return cursor.fetchone()

        first = keys()[0]
        connection.commit()
        rolled = run(conninfo, "bridge", "roll-key", "--id", "01", "--key", "text:another-key-here", "--overlap", "2h", *master)
        second, previous, left = keys()
        connection.commit()
        assert rolled[0]["previous_key_until"] and bytes(previous) == bytes(first) != bytes(second)
        assert 7100 < left.total_seconds() <= 7200
        run(conninfo, "bridge", "roll-key", "--id", 1, "--key", "text:the-third-key-16", *master)
        _, previous, left = keys()
        connection.commit()
        assert bytes(previous) == bytes(second) and left.days in (29, 30)
        # one that is set takes the place of all of them
        run(conninfo, "bridge", "set", "--id", 1, "--key", "text:sixteen-byte-key", *master)
        assert keys()[1:] == (None, None)
        connection.commit()
        run(conninfo, "bridge", "set", "--id", 1, "--key", "none")
    for words, status, says in (
            (["--id", 1, "--key", "text:sixteen-byte-key"], 64, "--master-key-file"),
            (["--id", 1, "--key", "text:short", *master], 64, "a key is hex:"),
            (["--id", 1, *master], 64, "--key hex:..|text:.. is needed"),
            (["--id", 1, "--key", "text:sixteen-byte-key", *master], 1, "has no key to roll: set one"),
            (["--id", 9, "--key", "text:sixteen-byte-key", *master], 1, "there is no bridge 9"),
            (["--id", 1, "--key", "text:sixteen-byte-key", "--overlap", "1s", *master], 1, "1 minute to 366 days")):
        done = ctl("bridge", "roll-key", *words, conninfo=conninfo)
        assert done.returncode == status and says in done.stderr, (words, done.stderr)
        assert "sixteen" not in done.stderr


def test_the_demonstration_is_added_once(conninfo, tmp_path):
    key_file = tmp_path / "master"
    key_file.write_bytes(bytes(range(32)))
    stations = run(conninfo, *"db seed-demo --sites 100".split())
    assert [(s["station"], s["sites"], s["first_account"], s["last_account"]) for s in stations] == [
        ("station-a", 50, "0000", "0049"), ("station-b", 50, "0000", "0049")]
    assert run(conninfo, *"db seed-demo --sites 100".split()) == stations
    more = run(conninfo, *f"db seed-demo --sites 120 --encrypted 7 --master-key-file {key_file}".split())
    assert sum(s["sites"] for s in more) == 120 and sum(s["encrypted"] for s in more) == 7
    with psycopg2.connect(conninfo) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*), count(DISTINCT bridge_id) FROM tocsin.directory_zone")
        assert cursor.fetchone() == (480, 120)
        cursor.execute("SELECT DISTINCT code_level FROM tocsin.effective_alarm_code")
        assert {row[0] for row in cursor.fetchall()} == {"channel", "site", "dealer", "built-in"}
