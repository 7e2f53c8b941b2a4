"""tocsinctl import and export of CSV files."""
import csv
import io
import json

import psycopg2
import pytest

from conftest import SQL, TOCSINCTL, create, ctl, named
from test_constraints import BASE


@pytest.fixture(scope="session")
def customers(server, migrated):
    """The name of a database with two dealers, stations and a template."""
    conninfo = create(server, "customers", migrated)
    with psycopg2.connect(conninfo) as connection:
        connection.cursor().execute("""
            SET search_path = tocsin;
            INSERT INTO dealer (id, name) VALUES (1, 'north'), (2, 'south');
            INSERT INTO center (id, name) VALUES (1, 'center');
            INSERT INTO receiver (id, center_id, name, protocol) VALUES (1, 1, 'plain', 'surgard');
            INSERT INTO station_record (id, dealer_id, center_id, receiver_id, name)
                VALUES (1, 1, 1, 1, 'main'), (2, 2, 1, 1, 'main');
            INSERT INTO site_template (id, dealer_id, name, station_record_id, timezone, arming_method, entry_delay_s)
                VALUES (1, 1, 'shop', 1, 'Europe/Athens', 'panel_primary', 30);
            INSERT INTO site_template_library (template_id, zone_type, code) VALUES (1, 1, '131');
            INSERT INTO site_template_library (template_id, system_event, enabled) VALUES (1, 'camera_lost', false);
            INSERT INTO site (id, dealer_id, name, timezone, station_record_id, account_number, external_id)
                VALUES (1000, 1, 'old', 'UTC', 1, '9999', 'E-OLD');
            INSERT INTO bridge (id, serial, transport_account, site_id) VALUES (1000, 'B-OLD', 'OLD', 1000);
            INSERT INTO firmware_minimum (model, version) VALUES ('', '2.0') ON CONFLICT DO NOTHING;
            """)
    connection.close()
    return "customers"


@pytest.fixture
def conninfo(server, customers, request):
    name = f"bulk_{abs(hash(request.node.name)) % 10**9}"
    return create(server, name, customers)


def load(conninfo, tmp_path, kind, text, *words, encoding="utf-8"):
    """The exit status, the result of each row by its line, the summary."""
    path = tmp_path / f"{kind}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    done = ctl(kind, "import", path, "--json", *words, conninfo=conninfo)
    assert done.stdout, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {row["line"]: row for row in rows[:-1]}, rows[-1]


def counted(db, table):
    db.execute(f"SELECT count(*) FROM tocsin.{table}")
    return db.fetchone()[0]


SITES = """dealer,external-id,name,template,timezone,account,city
north,E1,"Bakery ""Ψωμί"", corner",shop,,0001,Athens
north,E2,Second,,UTC,,"two
lines"
north,,Third,,UTC,,
"""


@pytest.mark.parametrize("form", [lambda t: t, lambda t: "\ufeff" + t, lambda t: t.replace("\n", "\r\n"),
                                  lambda t: t.rstrip("\n"), lambda t: t.replace("\nnorth,E2", "\n\nnorth,E2")])
def test_sites_are_stored_with_their_template(conninfo, db, tmp_path, form):
    status, rows, summary = load(conninfo, tmp_path, "site", form(SITES))
    assert status == 0 and [r["outcome"] for r in rows.values()] == ["stored"] * 3
    assert summary == {"rows": 3, "stored": 3, "there": 0, "refused": 0, "dry_run": False}
    db.execute("SELECT name, timezone, station_record_id, account_number, arming_method, entry_delay_s "
               "FROM tocsin.site WHERE external_id = 'E1'")
    assert db.fetchone() == ('Bakery "Ψωμί", corner', "Europe/Athens", 1, "0001", "panel_primary", 30)
    db.execute("SELECT l.zone_type, l.system_event, l.enabled, l.code FROM tocsin.alarm_library l "
               "JOIN tocsin.site s ON s.id = l.site_id WHERE s.external_id = 'E1' ORDER BY 1")
    assert db.fetchall() == [(1, None, None, "131"), (None, "camera_lost", False, None)]
    db.execute("SELECT replace(city, E'\\r', '') FROM tocsin.site WHERE external_id = 'E2'")
    assert db.fetchone() == ("two\nlines",)
    assert db.execute("SELECT * FROM tocsin.audit_verify()") is None and db.fetchall() == []


def test_a_repeated_import_goes_on(conninfo, db, tmp_path):
    first = SITES.split("\nnorth,E2")[0] + "\n"
    assert load(conninfo, tmp_path, "site", first)[2]["stored"] == 1
    status, rows, summary = load(conninfo, tmp_path, "site", SITES)
    assert (status, summary["stored"], summary["there"]) == (0, 2, 1) and rows[2]["outcome"] == "there"
    status, rows, summary = load(conninfo, tmp_path, "site", SITES)
    assert (status, summary["stored"], summary["there"]) == (0, 0, 3)
    assert counted(db, "site") == 4


def test_a_dry_run_stores_nothing(conninfo, db, tmp_path):
    before = counted(db, "audit_log")
    text = SITES + "north,E4,Fourth,,UTC,,\nsouth,E5,x,,Nowhere,,\n"
    status, rows, summary = load(conninfo, tmp_path, "site", text, "--dry-run")
    assert (status, summary["stored"], summary["refused"], summary["dry_run"]) == (1, 4, 1, True)
    assert all("id" not in row for row in rows.values())
    assert counted(db, "site") == 1 and counted(db, "audit_log") == before


# row, the column that is to blame, words of the sentence
BAD_SITES = [
    ("east,X,n,UTC,,,,,", "dealer", 'no dealer "east"'),
    (",X,n,UTC,,,,,", "dealer", "needs its dealer"),
    ("north,X,  ,UTC,,,,,", "name", "needs a name"),
    ("north,X,n,,,,,,", "timezone", "needs its time zone"),
    ("north,X,n,Athens,,,,,", "timezone", 'no time zone "Athens"'),
    ("north,X,n,UTC,other,1,,,", "station", 'no station "other"'),
    ("north,X,n,UTC,main,,,,", "account", "needs its account number"),
    ("north,X,n,UTC,main,00-1,,,", "account", "1 to 16 digits and letters"),
    ("north,X,n,UTC,main,9999,,,", "account", "already taken at receiver plain"),
    ("north,E-OLD,n,UTC,main,1234,,,", "account", "site 1000 has this external id already"),
    ("north,X,n,UTC,,,91,200,", "latitude", "belong together"),
    ("north,X,n,UTC,,,12x,20,", "latitude", '"12x" is not a number'),
    ("north,X,n,UTC,,,,,4", "repeat-filter", "5 to 3600"),
    ("north,X,n,UTC,,,,,99999", "repeat-filter", "not a whole number"),
    ("north,X,n,UTC,,,", None, "the row has 7 fields, the header has 9"),
    ("north,X,n,UTC,,,,,,", None, "the row has 10 fields, the header has 9"),
    ('north,X,n"m,UTC,,,,,', "name", "a quote inside a field"),
    ('north,X,"n" m,UTC,,,,,', "name", "text follows the closing quote"),
    (b"north,X,caf\xe9,UTC,,,,,", "name", "not UTF-8"),
    (b"north,X,n\0m,UTC,,,,,", "name", "zero byte"),
    ("north,X," + "n" * 70000 + ",UTC,,,,,", "name", "longer than 64 KiB"),
]
SITE_HEADER = "dealer,external-id,name,timezone,station,account,latitude,longitude,repeat-filter\n"


def test_bad_rows_are_told_and_stored_nowhere(conninfo, db, tmp_path):
    """Every kind of bad row, each between two good ones."""
    text = SITE_HEADER.encode()
    for i, (row, _, _) in enumerate(BAD_SITES):
        text += f"north,G{i},good,UTC,main,{i:04d},,,\n".encode()
        text += (row if isinstance(row, bytes) else row.encode()) + b"\n"
    status, rows, summary = load(conninfo, tmp_path, "site", text)
    assert status == 1 and summary["stored"] == summary["refused"] == len(BAD_SITES)
    for i, (row, column, sentence) in enumerate(BAD_SITES):
        result = rows[2 * i + 3]
        assert result["outcome"] == "refused" and sentence in result["sentence"], (row, result)
        if column:
            assert (result["name"], result["column"]) == (
                column, SITE_HEADER.strip().split(",").index(column) + 1), (row, result)
    assert counted(db, "site") == 1 + len(BAD_SITES)
    db.execute("SELECT count(*) FROM tocsin.site WHERE external_id !~ '^(G|E-OLD)'")
    assert db.fetchone() == (0,)


def test_rows_that_spoil_each_other(conninfo, db, tmp_path):
    """The first of two equal ones is stored, the other is told."""
    text = SITE_HEADER + "north,A,n,UTC,main,0001,,,\nnorth,B,n,UTC,main,1,,,\nnorth,A,n,UTC,main,0001,,,\n" \
        "north,A,n,UTC,main,2,,,\nsouth,A,n,UTC,main,3,,,\n"
    _, rows, _ = load(conninfo, tmp_path, "site", text)
    assert [rows[line]["outcome"] for line in range(2, 7)] == ["stored", "refused", "there", "refused", "stored"]
    assert "already taken" in rows[3]["sentence"] and rows[4]["id"] == rows[2]["id"]


def test_an_open_quote_ends_with_the_file(conninfo, db, tmp_path):
    text = SITE_HEADER + 'north,A,n,UTC,,,,,\nnorth,B,"n,UTC,,,,,\nnorth,C,n,UTC,,,,,\n'
    _, rows, summary = load(conninfo, tmp_path, "site", text)
    assert summary["stored"] == 1 and (rows[3]["column"], rows[3]["outcome"]) == (3, "refused")
    assert "never closed" in rows[3]["sentence"]


@pytest.mark.parametrize("text,status,sentence", [
    ("dealer,nam,timezone\n", 78, 'column 2: there is no column "nam", did you mean "name"?'),
    ("dealer,name,time-zone\n", 78, 'did you mean "timezone"?'),
    ("dealer,name,name\n", 78, 'column 3: "name" stands twice'),
    ("", 78, "the first line must name the columns"),
    ('dealer,"name\n', 78, "line 1, column 2"),
])
def test_a_wrong_header_stores_nothing(conninfo, db, tmp_path, text, status, sentence):
    path = tmp_path / "x.csv"
    path.write_text(text + "north,x,UTC\n" if text else "")
    done = ctl("site", "import", path, conninfo=conninfo)
    assert (done.returncode, done.stdout) == (status, "") and sentence in done.stderr
    assert counted(db, "site") == 1


@pytest.mark.parametrize("words,status,sentence", [
    ("site import", 64, "which file?"),
    ("site import /nonexistent/x.csv", 77, "cannot open /nonexistent/x.csv"),
    ("site import x --dealer north", 64, "--dealer is a whole number"),
    ("site import x --dryrun", 64, 'did you mean "--dry-run"'),
    ("site imort x", 64, 'did you mean "import"'),
    ("dealer import x", 64, 'no command "dealer import"'),
    ("site export /nonexistent/x.csv", 73, "cannot create /nonexistent/x.csv"),
])
def test_wrong_words(conninfo, words, status, sentence):
    done = ctl(*words.split(), conninfo=conninfo)
    assert (done.returncode, done.stdout) == (status, "") and sentence in done.stderr


def test_bridges(conninfo, db, tmp_path):
    load(conninfo, tmp_path, "site", SITES)
    header = "serial,dealer,site-external-id,site-id,account,firmware,mac,cipher-required,supervision\n"
    status, rows, summary = load(conninfo, tmp_path, "bridge", header + "\n".join([
        "S1,north,E1,,a1,2.1,00:1b:44:11:3a:b7,yes,SP3", "S2,,,1000,a2,2.0,,,", "S3,,,,a3,,,,",
        "S4,north,E2,,a1,2.1,,,", "S5,north,E9,,a5,2.1,,,", "S6,,E2,,a6,2.1,,,", "S7,north,E2,,a7,1.9,,,",
        "B-OLD,,,1000,OLD,,,,", "B-OLD,north,E2,,OLD,,,,", "B-OLD,,,1000,NEW,,,,",
        "S8,north,E2,,a8,2.1,00:1b:44,,", "S9,north,E2,,a9,2.1,,,SP9", "S10,south,E2,,b1,2.1,,,",
        "S11,north,E2,,b2,2.1,,maybe,", ",north,E2,,b3,2.1,,,"]))
    expected = [("stored", None, "")] * 3 + [
        ("refused", "account", "nobody could tell them apart"), ("refused", "site-external-id", "no such site"),
        ("refused", "site-external-id", "whose site?"), ("refused", "firmware", "at least 2.0 is needed"),
        ("there", None, ""), ("refused", "site-external-id", "at site 1000"), ("refused", "account", "with account OLD"),
        ("refused", "mac", "not a MAC"), ("refused", "supervision", "no such supervision class"),
        ("refused", "site-external-id", "no such site"), ("refused", "cipher-required", "not yes or no"),
        ("refused", "serial", "needs its serial")]
    got = [(r["outcome"], r.get("name"), r.get("sentence", "")) for r in rows.values()]
    for (outcome, column, sentence), result in zip(expected, got, strict=True):
        assert (outcome, column) == result[:2] and sentence in result[2]
    db.execute("SELECT s.external_id, s.arming_bridge_id = b.id, b.cipher_required, p.supervision_class "
               "FROM tocsin.bridge b JOIN tocsin.site s ON s.id = b.site_id "
               "LEFT JOIN tocsin.bridge_path p ON p.bridge_id = b.id WHERE b.serial = 'S1'")
    assert db.fetchone() == ("E1", True, True, "SP3")
    assert counted(db, "bridge") == 4


def test_channels_and_contacts(conninfo, db, tmp_path):
    header = "bridge,name,zone-type,zones,code,enabled\n"
    rows_text = header + "\n".join([
        'B-OLD,Door,1,"001, 2",131,no', "B-OLD,Yard,4,7,,", "B-OLD,Yard,4,7,,", "B-OLD,Yard,3,7,,", "B-OLD,Late,1,02,,",
        "B-NEW,Door,1,1,,", "B-OLD,Door,77,8,,", "B-OLD,,1,8,,", "B-OLD,x,1,8,xyz,", "B-OLD,x,1,8/9,,"])
    _, rows, _ = load(conninfo, tmp_path, "channel", rows_text)
    assert [(r["outcome"], r.get("name")) for r in rows.values()] == [
        ("stored", None), ("stored", None), ("there", None), ("refused", "zone-type"), ("refused", "zones"),
        ("refused", "bridge"), ("refused", "zone-type"), ("refused", "name"), ("refused", "code"), ("refused", "zones")]
    db.execute("SELECT zone_number FROM tocsin.channel_zone ORDER BY 1")
    assert db.fetchall() == [("001",), ("2",), ("7",)]
    header = "dealer,site-external-id,site-id,name,phone,email,slot\n"
    rows_text = header + "\n".join([
        "north,E-OLD,,Ann,+30 210 1234567,,1", ",,1000,Ben,,ben@example.org,", ",,1000,Ben,,ben@example.org,",
        ",,1000,Cid,,,", ",,1000,Dan,12,,", ",,1000,Eve,,eve,", ",,1000,Fay,123,,1", ",,,Gil,123,,", ",,1000,,123,,"])
    _, rows, _ = load(conninfo, tmp_path, "contact", rows_text)
    assert [(r["outcome"], r.get("name")) for r in rows.values()] == [
        ("stored", None), ("stored", None), ("there", None), ("refused", "phone"), ("refused", "phone"),
        ("refused", "email"), ("refused", "slot"), ("refused", "site-external-id"), ("refused", "name")]
    assert counted(db, "contact") == 2


def test_what_is_exported_can_be_imported(server, conninfo, db, tmp_path, migrated, request):
    load(conninfo, tmp_path, "site", SITES)
    db.execute("UPDATE tocsin.site SET external_id = 'E3' WHERE external_id IS NULL")
    load(conninfo, tmp_path, "channel", 'bridge,name,zone-type,zones\nB-OLD,Door,1,"001,2"\nB-OLD,"a ""b""",4,7\n')
    load(conninfo, tmp_path, "contact", "dealer,site-external-id,name,phone\nnorth,E1,Ann,+30 210 1234567\n")
    db.execute("UPDATE tocsin.bridge SET firmware = '2.0'")
    other = create(server, "bulk_other", migrated)
    with psycopg2.connect(other) as connection:
        connection.cursor().execute("""
            INSERT INTO tocsin.dealer (name) VALUES ('north');
            INSERT INTO tocsin.center (name) VALUES ('c');
            INSERT INTO tocsin.station_record (dealer_id, center_id, name) VALUES (1, 1, 'main')""")
    connection.close()
    for kind in ("site", "bridge", "channel", "contact"):
        done = ctl(kind, "export", conninfo=conninfo)
        assert done.returncode == 0, done.stderr
        status, _, summary = load(other, tmp_path, kind, done.stdout.replace("\n", "\r\n"))
        assert status == 0 and summary["stored"] == summary["rows"] > 0
        again = ctl(kind, "export", conninfo=other)
        assert list(csv.reader(io.StringIO(again.stdout))) == list(csv.reader(io.StringIO(done.stdout)))
    path = tmp_path / "out.csv"
    assert ctl("site", "export", path, "--dealer", 2, conninfo=conninfo).returncode == 0
    assert path.read_bytes().count(b"\r\n") == 1


def test_a_tenant_imports_its_own_sites_only(conninfo, db):
    db.execute("INSERT INTO tocsin.user_account (login, name, role, dealer_id) "
               "VALUES ('ann', 'Ann', 'dealer_admin', 1) RETURNING id")
    user = db.fetchone()[0]
    db.execute("SET SESSION AUTHORIZATION DEFAULT; SET ROLE tocsin_portal")
    db.execute("SELECT set_config('tocsin.user_id', %s, false)", (str(user),))
    db.execute("SELECT line, outcome, field FROM tocsin.import_rows('site', %s)", (json.dumps([
        {"line": 1, "dealer": "north", "name": "mine", "template": "shop", "account_number": "5"},
        {"line": 2, "dealer": "south", "name": "theirs", "timezone": "UTC"}]),))
    assert db.fetchall() == [(1, "stored", None), (2, "refused", "dealer")]
