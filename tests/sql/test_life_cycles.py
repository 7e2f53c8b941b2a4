"""tocsinctl: what happens to a customer's site, bridges, users and schedule,
and the sentence for each thing that must not happen."""
import hashlib
import json
import os
import pty
import re
import subprocess

import psycopg2
import pytest

from conftest import TOCSINCTL, changes, create, ctl


def run(conninfo, *words):
    done = ctl(*words, "--json", conninfo=conninfo)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


SETTING = (
    "dealer add --name north", "dealer add --name south", "center add --name center",
    "receiver add --center 1 --name plain --protocol surgard --visibility all",
    "station add --dealer 1 --center 1 --receiver 1 --name north",
    "station add --dealer 2 --center 1 --receiver 1 --name south",
    "site add --dealer 1 --name house --timezone Europe/Athens --station 1 --account 1000",
    "site add --dealer 1 --name shop --timezone Europe/Athens --station 1 --account 1001",
    "bridge add --serial B1 --account A1 --site 1 --firmware 1.9 --model M",
    "bridge add --serial B2 --account A2 --firmware 1.0 --model OLD",
    "channel add --bridge 1 --name door --zone-type 1 --zones 1",
    "channel add --bridge 1 --name hall --zone-type 3 --zones 2",
    "camera add --bridge 1 --channel 1 --name front --mac 02:00:00:00:00:01",
    "user add --login ann --name Ann --role app_member --dealer 1",
    "user add --login bob --name Bob --role app_member --dealer 2",
    "app-member add --site 1 --user 1 --number 7",
)


@pytest.fixture(scope="module")
def template(server, migrated):
    conninfo = create(server, "furnished", migrated)
    for words in SETTING:
        run(conninfo, *words.split())
    with psycopg2.connect(conninfo) as connection:
        connection.cursor().execute("INSERT INTO tocsin.firmware_minimum VALUES ('OLD', '1.10')")
    connection.close()
    return "furnished"


def test_a_bridge_is_claimed_moved_and_taken_away(conninfo):
    run(conninfo, *"bridge set --id 2 --firmware 1.10.2".split())
    code = run(conninfo, *"bridge claim-code --id 2".split())[0]["claim_code"]
    typed = code.lower().replace("-", "")
    bridge = run(conninfo, "bridge", "register", "--claim-code", typed, "--site", 1)[0]
    assert (bridge["id"], bridge["site_id"], bridge["state"]) == (2, 1, "registered")
    bridge = run(conninfo, *"bridge transfer --id 2 --site 2 --firmware 2.0".split())[0]
    assert (bridge["site_id"], bridge["firmware"]) == (2, "2.0")
    bridge = run(conninfo, *"bridge supervise --id 2 --class DP3".split())[0]
    assert bridge["supervision"] == "primary DP3, backup DP3"
    bridge = run(conninfo, *"bridge supervise --id 2 --class none".split())[0]
    assert bridge["supervision"] is None
    bridge = run(conninfo, *"bridge unregister --id 2".split())[0]
    assert (bridge["site_id"], bridge["state"]) == (None, "unregistered")
    assert run(conninfo, *"bridge assign --id 2 --site 1".split())[0]["site_id"] == 1


def test_a_bridge_has_a_bearer_key(conninfo):
    shown = run(conninfo, *"bridge bearer-key --id 2".split())[0]
    assert re.fullmatch("tb-2-[0-9a-f]{64}", shown["bearer_key"])
    assert run(conninfo, *"bridge show --id 2".split())[0]["has_bearer_key"]
    assert run(conninfo, *"bridge bearer-key --id 2".split())[0] != shown
    assert run(conninfo, *"bridge show --id 2".split())[0]["previous_bearer_key_until"] is None
    rolled = run(conninfo, *"bridge bearer-key-roll --id 2 --overlap 2h".split())[0]
    assert re.fullmatch("tb-2-[0-9a-f]{64}", rolled["bearer_key"])
    assert run(conninfo, *"bridge show --id 2".split())[0]["previous_bearer_key_until"]
    # one that is made takes the place of both
    run(conninfo, *"bridge bearer-key --id 2".split())
    assert run(conninfo, *"bridge show --id 2".split())[0]["previous_bearer_key_until"] is None
    run(conninfo, *"bridge bearer-key-roll --id 2".split())
    bridge = run(conninfo, *"bridge bearer-key-remove --id 2".split())[0]
    assert not bridge["has_bearer_key"] and bridge["previous_bearer_key_until"] is None


def test_a_site_sleeps_and_wakes(conninfo):
    site = run(conninfo, *"site deactivate --id 1".split())[0]
    assert site["security"] == "inactive" and site["activation_ends"]
    taken = run(conninfo, *"site add --dealer 2 --name x --timezone UTC --station 2 --account 1000".split())[0]
    refused = ctl(*"site reactivate --id 1".split(), conninfo=conninfo)
    assert refused.returncode == 1 and "account 1000 is already taken at receiver plain" in refused.stderr
    run(conninfo, "site", "set", "--id", taken["id"], "--account", 2000)
    assert run(conninfo, *"site reactivate --id 1".split())[0]["security"] == "active"
    site = run(conninfo, *"site set --id 1 --activation-ends none".split())[0]
    assert site["activation_ends"] is None


def test_a_test_begins_and_ends(conninfo):
    site = run(conninfo, *"test start --site 1 --minutes 5 --forward".split())[0]
    assert (site["security"], site["on_test_forward"]) == ("on test", True) and site["on_test_until"]
    assert run(conninfo, *"test start --site 1".split())[0]["on_test_forward"] is False
    assert run(conninfo, *"test stop --site 1".split())[0]["security"] == "active"


def test_a_site_is_armed_by_the_clock(conninfo):
    arming = run(conninfo, *"arming set --site 1 --method schedule".split())[0]
    assert "there is none" in arming["lacks"]
    windows = run(conninfo, *"schedule add --site 1 --days fri,sun --from 22:00 --until 06:00".split())
    # Sunday's night is cut where the week ends
    assert [(w["from_time"], w["until_time"]) for w in windows] == [
        ("mon 00:00", "mon 06:00"), ("fri 22:00", "sat 06:00"), ("sun 22:00", "mon 00:00")]
    assert run(conninfo, *"arming show --site 1".split())[0]["lacks"] is None
    assert len(run(conninfo, "schedule", "remove", "--id", windows[0]["id"])) == 2
    exception = run(conninfo, "schedule", "except", "--site", 1, "--from", "2030-12-24 18:00",
                    "--until", "2030-12-27 06:00", "--armed", "yes", "--note", "closed")[0]
    assert (exception["from_time"], exception["note"]) == ("2030-12-24 18:00:00", "closed")
    assert run(conninfo, "schedule", "unexcept", "--id", exception["id"]) == []


def test_partitions_contacts_destinations_templates(conninfo):
    partition = run(conninfo, *"partition add --site 1 --number 1 --name ground --channels 1,2".split())[0]
    assert partition["channels"] == "1,2"
    assert run(conninfo, *"partition set --id 1 --channels 2".split())[0]["channels"] == "2"
    assert run(conninfo, *"contact add --site 1 --name Ann --phone +301234567 --slot 1".split())[0]["slot"] == 1
    run(conninfo, *"station add --dealer 1 --center 1 --name second".split())
    run(conninfo, *"destination add --site 1 --station 3 --account 77".split())
    rule = run(conninfo, *("destination-rule add --site 1 --destination 1 --days sat,sun "
                           "--from 22:00 --until 06:00").split())[0]
    assert rule["weekdays"] == "sat,sun"
    template = run(conninfo, *"template add --dealer 1 --name flat --entry-delay 45s --arming-method always".split())[0]
    assert template["entry_delay_s"] == 45
    row = run(conninfo, *"template-library add --template 1 --zone-type 1 --code 131".split())[0]
    assert row["code"] == "131"


def test_members_of_the_app(conninfo):
    member = run(conninfo, *"app-member set --site 1 --user 1 --may-arm no".split())[0]
    assert (member["login"], member["user_number"], member["may_arm"], member["may_view"]) == ("ann", 7, False, True)
    assert run(conninfo, *"app-member remove --site 1 --user 1".split()) == []


def test_a_password_is_a_proof(conninfo, tmp_path):
    file = tmp_path / "password"
    file.write_text("correct horse battery\n")
    user = run(conninfo, "user", "password", "--login", "ANN", "--password", file)[0]
    assert user["has_password"] is True
    with psycopg2.connect(conninfo) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT password_salt, password_operations, password_memory_bytes, password_hash "
                       "FROM tocsin.user_account WHERE login = 'ann'")
        salt, operations, memory, stored = cursor.fetchone()
        cursor.execute("SELECT a::text FROM tocsin.audit_log a")
        trail = str(cursor.fetchall())
    connection.close()
    assert (operations, memory) == (2, 19 * 1024 * 1024)
    assert len(bytes(salt)) == 16 and len(bytes(stored)) == hashlib.sha256().digest_size
    assert "horse" not in trail and bytes(stored).hex() not in trail
    assert run(conninfo, *"user list --login ann".split())[0]["has_password"] is True


def until(terminal, text):
    """What the terminal shows, up to the text or the end."""
    shown = b""
    while text not in shown:
        try:
            more = os.read(terminal, 1024)
        except OSError:  # the other side is closed
            more = b""
        if not more:
            break
        shown += more
    return shown


@pytest.mark.parametrize("again,status,end", ((b"correct horse battery", 0, b"changed"),
                                              (b"correct horse batery", 64, b"the two differ")))
def test_a_password_that_is_typed_is_asked_for_twice_and_not_shown(conninfo, again, status, end):
    terminal, side = pty.openpty()
    words = [TOCSINCTL, "user", "password", "--login", "ann", "--database", conninfo]
    with subprocess.Popen(words, stdin=side, stdout=side, stderr=side) as process:
        os.close(side)
        shown = until(terminal, b"new password: ")
        os.write(terminal, b"correct horse battery\n")
        shown += until(terminal, b"the same again: ")
        os.write(terminal, again + b"\n")
        shown += until(terminal, end)
        assert process.wait(60) == status, shown
    os.close(terminal)
    assert b"new password: " in shown and b"horse" not in shown
    assert run(conninfo, *"user list --login ann".split())[0]["has_password"] is (status == 0)


def test_old_firmware_keeps_a_bridge_out(conninfo):
    run(conninfo, *"firmware remove --model OLD".split())
    assert run(conninfo, *"firmware set --version 2.0".split()) == [{"model": "", "version": "2.0"}]
    assert run(conninfo, *"firmware set --model X --version 3.1".split())[-1] == {"model": "X", "version": "3.1"}
    bridge = run(conninfo, *"bridge add --serial FW --model X --firmware 3.0.9".split())[0]["id"]
    refused = ctl("bridge", "assign", "--id", bridge, "--site", 1, conninfo=conninfo)
    assert refused.returncode == 1 and "at least 3.1 is needed" in refused.stderr
    assert run(conninfo, *"firmware remove --model X".split()) == [{"model": "", "version": "2.0"}]
    assert run(conninfo, "bridge", "assign", "--id", bridge, "--site", 1)[0]["site_id"] == 1
    for words, sentence in (("set --version new", "numbers with dots"), ("remove --model Y", "there is none with --model Y")):
        refused = ctl("firmware", *words.split(), conninfo=conninfo)
        assert refused.returncode == 1 and sentence in refused.stderr


def test_a_receiver_has_a_passkey(conninfo, tmp_path):
    file = tmp_path / "passkey"
    file.write_text("open sesame\n")
    receiver = run(conninfo, "receiver", "set", "--id", 1, "--passkey", file)[0]
    assert receiver["has_passkey"] is True and "passkey" not in receiver
    words = "station add --dealer 2 --center 1 --receiver 1 --name other".split()
    assert "needs its passkey" in ctl(*words, conninfo=conninfo).stderr
    assert run(conninfo, *words, "--passkey", file)[0]["name"] == "other"
    # what does not lead elsewhere needs it no more
    assert run(conninfo, *"station set --id 1 --prefix 9".split())[0]["prefix"] == "9"
    file.write_text("something else\n")
    refused = ctl("station", "add", "--dealer", 2, "--center", 1, "--receiver", 1, "--name", "third",
                  "--passkey", file, conninfo=conninfo)
    assert refused.returncode == 1 and "something" not in refused.stderr
    assert len(run(conninfo, "station", "list")) == 3
    assert run(conninfo, "receiver", "set", "--id", 1, "--passkey", "none")[0]["has_passkey"] is False


def test_the_trail_says_who(conninfo):
    run(conninfo, *"site set --id 1 --city Athens --as carol".split())
    row = run(conninfo, *"audit list --table site --row 1 --limit 1".split())[0]
    assert (row["actor"], row["action"], row["old"], row["new"]) == (
        "carol", "update", {"city": ""}, {"city": "Athens"})
    done = ctl("audit", "verify", conninfo=conninfo)
    assert (done.returncode, done.stdout) == (0, "the trail is whole\n")
    with psycopg2.connect(conninfo) as connection:
        cursor = connection.cursor()
        cursor.execute("ALTER TABLE tocsin.audit_log DISABLE TRIGGER USER")
        cursor.execute("UPDATE tocsin.audit_log SET actor = 'dave' WHERE actor = 'carol'")
    connection.close()
    done = ctl("audit", "verify", conninfo=conninfo)
    assert done.returncode == 1 and "was altered" in done.stdout


REFUSED = [
    ("bridge register --claim-code XXXX-YYYY-ZZZZ --site 1", 1, "no bridge has this claim code: compare it"),
    ("bridge register --site 1", 64, "--claim-code CODE is needed"),
    ("bridge assign --id 1 --site 2", 1, "must be unregistered or transferred there first"),
    ("bridge assign --id 2 --site 1", 1, "bridge B2 has firmware 1.0, at least 1.10 is needed: update the bridge"),
    ("bridge assign --id 9 --site 1", 1, "there is no bridge 9"),
    ("bridge assign --id 1 --site 9", 1, "there is no site 9"),
    ("bridge transfer --id 2 --site 1", 1, "registered nowhere: register it instead"),
    ("bridge transfer --id 1 --site 1", 1, "is at site 1 already"),
    ("bridge unregister --id 2", 1, "registered nowhere"),
    ("bridge supervise --id 1 --class SP9", 64, "did you mean \"SP1\"?"),
    ("bridge supervise --id 9 --class SP1", 1, "there is none with --id 9 --class SP1"),
    ("bridge claim-code --id 9", 1, "there is no bridge 9"),
    ("bridge regster --id 1", 64, "did you mean \"register\"?"),
    ("site deactivate --id 9", 1, "there is no site 9"),
    ("site deactivate", 64, "--id ID is needed"),
    ("site set --id 1 --state actve", 64, "did you mean \"active\"?"),
    ("test start --site 1 --minutes 1441", 1, "it may last 1 to 1440 minutes"),
    ("test start --site 1 --minutes 0", 1, "it may last 1 to 1440 minutes"),
    ("test start --site 1 --minutes x", 64, "whole number"),
    ("test start --site 1 --forward=maybe", 64, "--forward takes no value"),
    ("arming set --site 1 --method schedul", 64, "did you mean \"schedule\"?"),
    ("arming set --site 1 --method schedule --bridge 1", 1, "panel_primary one bridge arms the site"),
    ("arming set --site 1 --method panel_primary --bridge 2", 1, "must be registered at the site itself"),
    ("arming show --site 9", 1, "there is none with --site 9"),
    ("schedule add --site 1 --days mon --from 22:00 --until 06:00", 1, "schedule"),
    ("schedule add --site 1 --days moo --from 22:00 --until 06:00", 64, "days such as mon,tue,sun, not \"moo\""),
    ("schedule add --site 1 --days mon --from 25:00 --until 06:00", 64, "--from is a time of day such as 22:00"),
    ("schedule except --site 1 --from now --until then --armed yes", 64, "--from is a time such as"),
    ("site set --id 1 --activation-ends soon", 64, "--activation-ends is a time such as"),
    ("camera add --bridge 1 --channel 2 --name c --mac x", 64, "--mac is a MAC such as"),
    ("partition add --site 1 --number 40000 --name p", 64, "--number is a whole number up to 32767"),
    ("partition add --site 1 --number 100 --name p", 1, "1 to 99"),
    ("schedule remove --id 5", 1, "there is none with --id 5"),
    ("camera add --bridge 1 --channel 2 --name c --mac 02:00:00:00:00:01", 1, "one camera sits on exactly one channel"),
    ("camera add --bridge 1 --channel 1 --name c --mac 02:00:00:00:00:02", 1, "has a camera already"),
    ("camera add --bridge 1 --channel 2 --name c", 1, "needs its MAC or its address"),
    ("partition add --site 1 --number 1 --name p --channels 1,99", 1, "channel"),
    ("partition add --site 2 --number 1 --name p --channels 1", 1, "site"),
    ("contact add --site 1 --name c", 1, "phone"),
    ("contact add --site 1 --name c --email x", 1, "NAME@HOST"),
    ("contact add --site 9 --name c --phone 12345", 1, "no such site"),
    ("app-member add --site 1 --user 2 --number 1", 1, "of the site's dealer"),
    ("app-member add --site 1 --user 1 --number 8", 1, "has the site in the app already"),
    ("app-member add --site 1 --user 1 --number 1000", 1, "a user number is 1 to 999"),
    ("app-member set --site 1 --user 2 --number 1", 1, "there is none with --site 1 --user 2"),
    ("user add --login ann --name A --role viewer --dealer 1", 1, "another user of this login"),
    ("user add --login carl --name C --role viewer", 1, "every other user to a dealer"),
    ("user add --login carl --name C --role viewr --dealer 1", 64, "did you mean \"viewer\"?"),
    ("user password --login nobody --password {good}", 1, "there is no user \"nobody\""),
    ("user password --login ann --password {short}", 64, "10 to 256 bytes"),
    ("user password --login ann --password /nonexistent", 64, "No such file"),
    ("receiver set --id 1 --passkey {passkey}", 1, "4 to 64 characters"),
    ("receiver set --id 1 --visibility al", 64, "did you mean \"all\"?"),
    ("destination add --site 1 --station 2 --account 5", 1, "dealer"),
    ("destination-rule add --site 1 --destination 9", 1, "no such further destination"),
    ("template add --dealer 1 --name t --timezone Athens", 1, "time zone"),
    ("template add --dealer 1 --name t --repeat-filter 1s", 1, "5 to 3600"),
    ("site set --id 1 --account 1001", 1, "account 1001 is already taken at receiver plain"),
    ("audit lst", 64, "did you mean \"list\"?"),
]


@pytest.mark.parametrize("words,status,sentence", REFUSED, ids=[r[0] for r in REFUSED])
def test_a_refusal_says_what_and_changes_nothing(untouched, tmp_path, words, status, sentence):
    for name, text in (("good", "long enough a password"), ("short", "short"), ("passkey", "abc")):
        (tmp_path / name).write_text(text + "\n")
    before = changes(untouched)
    done = ctl(*(w.format(**{n: tmp_path / n for n in ("good", "short", "passkey")}) for w in words.split()),
               conninfo=untouched)
    assert (done.returncode, sentence in done.stderr, done.stdout) == (status, True, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert changes(untouched) == before
