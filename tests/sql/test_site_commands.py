"""tocsinctl site create, show, find and list, and library: what they store,
what they say, and that a refusal stores nothing."""
import json

import pytest

from conftest import create, ctl, opened

PLACE = """
INSERT INTO tocsin.dealer (name) VALUES ('North'), ('South');
INSERT INTO tocsin.center (name) VALUES ('Watch');
INSERT INTO tocsin.receiver (center_id, name, protocol) VALUES (1, 'plain', 'surgard'), (1, 'sia', 'dc09');
INSERT INTO tocsin.station_record (dealer_id, center_id, receiver_id, name, prefix, url_template) VALUES
	(1, 1, 1, 'Watch plain', '1', 'https://portal.example/monitoring?act=<account>&zone=<zone>'),
	(1, 1, 2, 'Watch two identifiers', '', 'https://portal.example/monitoring?txid=<reference>'),
	(2, 1, 1, 'Southern', '', '');
INSERT INTO tocsin.alarm_library (dealer_id, zone_type, code) VALUES (1, 5, '131');
INSERT INTO tocsin.site_template (dealer_id, name, timezone, arming_method, entry_delay_s) VALUES
	(1, 'Shop', 'Europe/Paris', 'schedule', 45);
INSERT INTO tocsin.site_template_library (template_id, zone_type, enabled, code) VALUES (1, 2, false, '137');
INSERT INTO tocsin.site (dealer_id, name, timezone, station_record_id, account_number) VALUES
	(2, 'Old mill', 'UTC', 3, '1077');
INSERT INTO tocsin.bridge (serial) VALUES ('B1'), ('B2');
SELECT tocsin.bridge_assign(2, 1);
UPDATE tocsin.bridge SET claim_code_hash = tocsin.claim_code_hash('CODE-' || id);
"""
TABLES = "site alarm_library contact effective_account audit_log bridge".split()


@pytest.fixture(scope="module")
def template(server, migrated):
    with opened(create(server, "placed", migrated)) as cursor:
        cursor.execute(PLACE)
    return "placed"


@pytest.fixture
def place(db):
    return db


def counts(db):
    db.execute("SELECT " + ", ".join(f"(SELECT count(*) FROM tocsin.{table})" for table in TABLES))
    return db.fetchone()


def run(conninfo, *words):
    done = ctl(*words, "--json", conninfo=conninfo)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def text(conninfo, *words):
    done = ctl(*words, conninfo=conninfo)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


WHOLE = ["site", "create", "--dealer", "North", "--name", "Bakery", "--timezone", "europe/athens", "--address1", "Odos 1",
         "--city", "Athens", "--country", "GR", "--latitude", "37.98", "--longitude", "23.73", "--external-id", "C-7",
         "--station", "Watch plain", "--account", "0a7", "--reference-id", "REF7", "--arming", "Video system",
         "--zone-type", "3=off", "--zone-type", "Follower=131,on", "--zone-type", "3=132", "--event", "periodic_test=off",
         "--contact", "Maria,phone=+30 210 1234567,title=Owner,slot=1", "--contact", "name=Nikos,email=n@example.org",
         "--claim-code", "code 1", "--yes"]


def test_one_call_makes_a_whole_customer(conninfo, place):
    site = run(conninfo, *WHOLE)[0]
    assert {key: site[key] for key in ("name", "timezone", "external_id", "effective_account", "reference_id",
                                       "arming_method", "latitude", "city", "security", "launch_url")} == {
        "name": "Bakery", "timezone": "Europe/Athens", "external_id": "C-7", "effective_account": "10A7",
        "reference_id": "REF7", "arming_method": "video_system", "latitude": 37.98, "city": "Athens",
        "security": "active", "launch_url": "https://portal.example/monitoring?act=10A7&zone=000"}
    library = {row["n"]: (row["sent"], row["sent_by"], row["code"], row["code_by"]) for row in site["zone_types"]}
    assert library[2] == (True, "site", "131", "site") and library[3] == (False, "site", "132", "site")
    assert library[5] == (True, "built-in", "131", "dealer") and library[1] == (True, "built-in", "134", "built-in")
    assert [(c["name"], c["slot"], c["title"]) for c in site["contacts"]] == [("Maria", 1, "Owner"), ("Nikos", None, "")]
    assert [bridge["serial"] for bridge in site["bridges"]] == ["B1"]
    assert [event["sent"] for event in site["events"] if event["event"] == "periodic_test"] == [False]
    assert [w["warning"] for w in site["warnings"]] == ["bridge_without_account", "no_app_member"]


def test_a_template_gives_what_is_not_said(conninfo, place):
    site = run(conninfo, *"site create --dealer 1 --name x --template shop --zone-type 2=on".split())[0]
    assert (site["timezone"], site["arming_method"], site["entry_delay_s"]) == ("Europe/Paris", "schedule", 45)
    # what was said about one value leaves the template's other one
    assert [(row["sent"], row["code"]) for row in site["zone_types"] if row["n"] == 2] == [(True, "137")]


CREATE = "site create --dealer North --name x --timezone UTC"
NOT_CREATED = [
    ("site create --name x --timezone UTC", 64, "--dealer DEALER is needed"),
    ("site create --dealer North --timezone UTC", 64, "--name TEXT is needed"),
    ("site create --dealer Nort --name x --timezone UTC", 1, "--dealer: Nort: unknown dealer; did you mean North?"),
    ("site create --dealer North --name x", 1, "--timezone: a site needs its time zone, such as Europe/Athens"),
    ("site create --dealer North --timezone UTC --name=", 1, "--name: a site needs a name"),
    ("site create --dealer North --name x --timezone Europe/Athen", 1,
     "--timezone: Europe/Athen: unknown time zone; did you mean Europe/Athens?"),
    ("site create --dealer North --name x --timezone Athens", 1, "did you mean Europe/Athens?"),
    (CREATE + " --station Southern --account 5", 1,
     "--station: Southern: unknown station of this dealer; there is Watch plain, Watch two identifiers"),
    (CREATE + " --station 3 --account 5", 1, "--station: 3: unknown station of this dealer"),
    (CREATE + " --station 1", 1, "--account: a site with a station needs its account number"),
    (CREATE + " --station 1 --account 5-5", 1, "--account: an account number is 1 to 16 digits and capital letters"),
    (CREATE + " --station 1 --account 077", 1, "--account: account 1077 is already taken at receiver plain, by site 1 "
     "\"Old mill\" of dealer \"South\": no two customers may signal under one account; ask the monitoring station Watch"),
    (CREATE + " --arming sometimes", 1, "--arming: sometimes: unknown arming method; there is Panel, primary bridge"),
    (CREATE + " --arming alway", 1, "did you mean always?"),
    (CREATE + " --template Shopp", 1, "--template: Shopp: unknown template of this dealer; did you mean Shop?"),
    (CREATE + " --latitude 91 --longitude 0", 1, "--latitude: latitude (-90 to 90)"),
    (CREATE + " --latitude north --longitude 0", 1, "--latitude: north: degrees are a number"),
    (CREATE + " --zone-type 3=13", 1, "--zone-type: 13: a code is three digits"),
    (CREATE + " --zone-type 3=199", 1, "--zone-type: 199: unknown code"),
    (CREATE + " --zone-type Instnt=off", 1, "--zone-type: Instnt: unknown zone type; did you mean Instant?"),
    (CREATE + " --zone-type 3", 64, "--zone-type 3: it is N=CODE, N=on or N=off"),
    (CREATE + " --event periodic_tst=off", 1, "did you mean periodic_test?"),
    (CREATE + " --contact Maria", 1, "--contact: a contact needs a phone number or an e-mail address"),
    (CREATE + " --contact Maria,tel=5", 1, "--contact: tel=5: not understood; a contact is NAME,phone=.."),
    (CREATE + " --contact Maria,phone=5555,slot=x", 1, "--contact: x: a contact's slot is a number"),
    (CREATE + " --claim-code nothing", 1, "--claim-code: no bridge has this claim code"),
    (CREATE + " --claim-code code2", 1, "--claim-code: bridge B2 is registered already at site 1"),
    (CREATE + " --timezon UTC", 64, "did you mean \"--timezone\""),
]


def test_what_is_refused_names_its_field_and_stores_nothing(conninfo, place):
    before = counts(place)
    for words, status, sentence in NOT_CREATED:
        done = ctl(*words.split(), conninfo=conninfo)
        assert (done.returncode, sentence in done.stderr, done.stdout) == (status, True, ""), (words, done.stderr)
        assert len(done.stderr.splitlines()) == 1
    assert counts(place) == before


def test_the_overview_says_it_all(conninfo, place):
    run(conninfo, *WHOLE)
    place.execute("SELECT id FROM tocsin.site WHERE name = 'Bakery'")
    site = place.fetchone()[0]
    place.execute("SELECT tocsin.site_test_start(%s, 30, true)", (site,))
    place.execute("INSERT INTO tocsin.channel (bridge_id, name, zone_type) VALUES (1, 'Door', 1)")
    place.execute("INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id) VALUES (1, '17', 1)")
    place.execute("INSERT INTO tocsin.camera (bridge_id, channel_id, name, address) VALUES (1, 1, 'Eye', '10.0.0.9')")
    place.execute("INSERT INTO tocsin.site_partition (site_id, number, name) VALUES (%s, 1, 'Shop')", (site,))
    shown = text(conninfo, "site", "show", site)
    for part in ("Bakery\n", "of dealer North", "Odos 1, Athens, GR", "37.98, 23.73", "on test until", "forwarded as test",
                 "Watch plain, Watch, plain, surgard", "10A7 (prefix 1, number 0A7)", "REF7", "https://portal.example",
                 "Video system", "entry 60 s", "periodic_test", "30 system events as built in", "Door", "Eye", "Maria",
                 "! camera Eye is in no partition: it raises nothing", "! bridge B1 has no account to signal with"):
        assert part in shown, part
    place.execute("UPDATE tocsin.bridge SET transport_account = 'AB12' WHERE id = 1")
    place.execute("DELETE FROM tocsin.site_partition")
    place.execute("SELECT tocsin.site_arming_set(%s, 'always')", (site,))
    assert text(conninfo, "site", "show", "--id", site).endswith("\nComplete.\n")


NOT_SHOWN = [
    ("site show", 64, "ID is needed"),
    ("site show Bakery", 64, "\"tocsinctl site find TEXT\" looks for names"),
    ("site show 99", 1, "there is no site 99"),
    ("site find", 64, "a text or --url URL is needed"),
    ("site find x --url y", 64, "a text or --url URL is needed"),
    ("site find nowhere", 1, "no site is found for nowhere"),
    ("site find %", 1, "no site is found for %"),
    ("site find _ld", 1, "no site is found for _ld"),
    ("site find --url https://portal.example/monitoring?zone=1", 1, "one of act=, csid= or txid= must be in it"),
    ("site find --url https://portal.example/?act=4711", 1, "no site is found"),
    ("site find x --limit 0", 64, "--limit is a number"),
    ("site list --dealer north", 64, "--dealer is a whole number"),
]


@pytest.mark.parametrize("words,status,sentence", NOT_SHOWN)
def test_what_is_not_found_says_so(untouched, words, status, sentence):
    done = ctl(*words.split(), conninfo=untouched)
    assert (done.returncode, sentence in done.stderr, done.stdout) == (status, True, ""), done.stderr


FOUND = [
    (["bakery"], "name"), (["10a7"], "account"), (["0A7"], "account number"), (["REF7"], "reference id"),
    (["C-7"], "external id"), (["b1"], "bridge"), (["odos"], "address"),
    (["a7"], "part of an account"),
    (["--url", "https://portal.example/monitoring?act=10A7&zone=017"], "account"),
    (["--url", "https://portal.example/monitoring?zone=017&csid=10a7"], "account"),
    (["--url", "https://portal.example/monitoring?txid=REF7"], "reference id"),
]


def test_a_site_is_found_by_what_people_have(conninfo, place):
    site = run(conninfo, *WHOLE)[0]["id"]
    for words, matched in FOUND:
        found = run(conninfo, "site", "find", *words)
        assert [(row["id"], row["matched"]) for row in found] == [(site, matched)], words
    both = ctl("site", "find", "l", "--limit", 1, conninfo=conninfo)
    assert both.returncode == 0 and "only the first 1 are shown" in both.stderr


LISTED = [("", {"Bakery", "Old mill"}), ("--dealer 2", {"Old mill"}), ("--search ATHENS", {"Bakery"}),
          ("--search 10a7", {"Bakery"}), ("--account 1077", {"Old mill"}), ("--state active --city Athens", {"Bakery"}),
          ("--state inactive", set()), ("--search nowhere", set()), ("--reference-id REF7 --station 1", {"Bakery"})]


def test_a_list_can_be_searched(conninfo, place):
    run(conninfo, *WHOLE)
    for words, names in LISTED:
        assert {row["name"] for row in run(conninfo, "site", "list", *words.split())} == names, words


# ---- library ----------------------------------------------------------------------


def entry(conninfo, *words):
    rows = run(conninfo, "library", *words)
    assert len(rows) == 1
    return tuple(rows[0][key] for key in ("enabled", "enabled_level", "code", "code_level"))


def test_each_level_is_set_and_reset(conninfo, place):
    site = ["--site", 1, "--zone-type", "Exterior instant"]
    dealer = ["--dealer", 2, "--zone-type", 5]
    assert entry(conninfo, "show", *site) == (True, "built-in", "136", "built-in")
    assert entry(conninfo, "set", *dealer, "--code", "131") == (True, "built-in", "131", "dealer")
    assert entry(conninfo, "set", *site, "--enabled", "no") == (False, "site", "131", "dealer")
    assert entry(conninfo, "set", *site, "--code", "132") == (False, "site", "132", "site")
    assert entry(conninfo, "set", *site, "--enabled", "none") == (True, "built-in", "132", "site")
    assert entry(conninfo, "set", *site, "--code", "none") == (True, "built-in", "131", "dealer")
    place.execute("SELECT count(*) FROM tocsin.alarm_library WHERE site_id = 1")
    assert place.fetchone() == (0,)
    assert entry(conninfo, "set", *site, "--code", "none") == (True, "built-in", "131", "dealer")
    entry(conninfo, "set", *site, "--code", "9A9", "--any-code")
    assert entry(conninfo, "reset", *site) == (True, "built-in", "131", "dealer")
    assert entry(conninfo, "reset", *dealer) == (True, "built-in", "136", "built-in")


def test_events_and_received_codes_have_entries_too(conninfo, place):
    event = ["--site", 1, "--event", "camera_lost"]
    assert entry(conninfo, "set", *event, "--enabled", "no", "--code", "381") == (False, "site", "381", "site")
    assert entry(conninfo, "set", "--dealer", 2, "--inbound-code", "ba", "--code", "bv") == (True, "built-in", "BV", "dealer")
    assert entry(conninfo, "show", "--site", 1, "--inbound-code", "BA") == (True, "built-in", "BV", "dealer")
    whole = run(conninfo, "library", "show", "--site", 1)
    assert [row["kind"] for row in whole] == ["zone_type"] * 9 + ["system_event"] * 31 + ["inbound_code"]
    assert [row["subject"] for row in whole[:9]] == [str(n) for n in range(1, 10)]
    run(conninfo, "library", "reset", "--site", 1)
    place.execute("SELECT dealer_id, site_id FROM tocsin.alarm_library ORDER BY 1")
    assert place.fetchall() == [(1, None), (2, None)]
    assert len(run(conninfo, "library", "show", "--dealer", 2)) == 41


LIBRARY_REFUSED = [
    ("library show", 64, "one of --site ID and --dealer ID is needed"),
    ("library show --site 1 --dealer 1", 64, "one of --site ID and --dealer ID is needed"),
    ("library show --site x", 64, "--site is a whole number, not \"x\""),
    ("library show --site 99", 1, "there is no site 99"),
    ("library show --dealer 99", 1, "there is no dealer 99"),
    ("library show --site 1 --zone-type 12", 1, "--zone-type 12: unknown zone type"),
    ("library set --site 1 --code 131", 64, "one of --zone-type TYPE, --event NAME and --inbound-code CODE is needed"),
    ("library set --site 1 --zone-type 1 --event camera_lost --code 131", 64, "is enough"),
    ("library set --site 1 --zone-type 1", 64, "--enabled yes|no|none, --code CODE or both are needed"),
    ("library set --site 1 --zone-type 1 --enabled maybe", 64, "--enabled is yes, no or none"),
    ("library set --site 1 --zone-type 1 --code 13X", 1, "--code 13X: a code is three digits"),
    ("library set --site 1 --zone-type 1 --code 199", 1, "--code 199: unknown code"),
    ("library set --site 1 --event camera_lst --code 131", 1, "did you mean camera_lost?"),
    ("library set --site 99 --zone-type 1 --code 131", 1, "there is no such site"),
]


def test_a_wrong_entry_changes_nothing(conninfo, place):
    before = counts(place)
    for words, status, sentence in LIBRARY_REFUSED:
        done = ctl(*words.split(), conninfo=conninfo)
        assert (done.returncode, sentence in done.stderr, done.stdout) == (status, True, ""), (words, done.stderr)
        assert len(done.stderr.splitlines()) == 1
    assert counts(place) == before
