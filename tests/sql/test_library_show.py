"""library show against the rule of the domain, written down once more: channel, site,
dealer, built-in; enabled and code independently; random rows of every kind. That SQL
and the daemon agree is test_library_agrees."""
import json
import random

import pytest

from conftest import ctl

DEALERS, SITES, CHANNELS, CODES = 2, 4, 2, ("401", "350", "602", "ABC", "1-A")
OWNERS = ("dealer_id", "site_id", "channel_id")


def subjects_of(db):
    """(kind, subject) -> (enabled, code) of the built-in level."""
    db.execute("SELECT number, enabled, code FROM tocsin.zone_type")
    built_in = {("zone_type", str(n)): (enabled, code) for n, enabled, code in db.fetchall()}
    db.execute("SELECT name, qualifier, code, zone_field FROM tocsin.system_event")
    events = {name: rest for name, *rest in db.fetchall()}
    built_in.update({("system_event", name): (True, event[1]) for name, event in events.items()})
    return built_in, events


def some_rows(db, events, chance):
    """Rows of the library in the database, and the same as a dictionary."""
    wanted = [("zone_type", number) for number in range(1, 10)]
    wanted += [("system_event", name) for name in events]
    wanted += [("inbound_code", code) for code in CODES]
    rows = {}
    for owner, count in zip(OWNERS, (DEALERS, SITES, SITES * CHANNELS)):
        for number in range(1, count + 1):
            for kind, subject in wanted:
                enabled = chance.choice((None, None, True, False))
                code = chance.choice((None, None, f"{chance.randrange(4096):03X}"))
                if (enabled, code) == (None, None) or owner == "channel_id" and kind != "system_event":
                    continue
                db.execute(f"INSERT INTO tocsin.alarm_library ({owner}, {kind}, enabled, code) VALUES (%s, %s, %s, %s)",
                           (number, subject, enabled, code))
                rows[owner, number, kind, str(subject)] = (enabled, code)
    return rows


def sayings(rows, events, owner, number, kind, subject):
    """What one level says about it, the most particular first."""
    about = [(kind, subject)]
    if kind == "system_event":
        qualifier, code, _ = events[subject]
        if qualifier == "R" and not code.startswith("4"):
            about += [("system_event", name) for name, (q, c, _) in events.items() if (q, c) == ("E", code)]
        about.append(("inbound_code", code))
    return [rows[owner, number, *it] for it in about if (owner, number, *it) in rows]


def resolve(rows, events, built_in, levels, kind, subject):
    """levels: [(name, owner, number)]; (value, level) of enabled and of code."""
    said = [(name, saying) for name, owner, number in levels
            for saying in sayings(rows, events, owner, number, kind, subject)]
    said.append(("built-in", built_in.get((kind, subject), (True, subject))))
    return [next((saying[part], name) for name, saying in said if saying[part] is not None) for part in (0, 1)]


@pytest.mark.parametrize("seed", (1, 2))
def test_every_value_and_its_level(db, conninfo, seed):
    chance = random.Random(seed)
    built_in, events = subjects_of(db)
    db.execute(f"""
        INSERT INTO tocsin.dealer (name) SELECT 'd' || d FROM generate_series(1, {DEALERS}) d;
        INSERT INTO tocsin.site (dealer_id, name, timezone)
            SELECT 1 + s % {DEALERS}, 's' || s, 'UTC' FROM generate_series(1, {SITES}) s;
        INSERT INTO tocsin.bridge (site_id) SELECT id FROM tocsin.site;
        INSERT INTO tocsin.channel (bridge_id, name, zone_type)
            SELECT b, 'c' || c, 3 FROM generate_series(1, {SITES}) b, generate_series(1, {CHANNELS}) c""")
    rows = some_rows(db, events, chance)
    for site in range(1, SITES + 1):
        dealer = 1 + site % DEALERS
        shown = ctl("library", "show", "--site", site, "--json", conninfo=conninfo)
        assert shown.returncode == 0, shown.stderr
        seen = set()
        for row in map(json.loads, shown.stdout.splitlines()):
            levels = [("site", "site_id", site), ("dealer", "dealer_id", dealer)]
            if row["channel_id"]:
                levels.insert(0, ("channel", "channel_id", row["channel_id"]))
            enabled, code = resolve(rows, events, built_in, levels, row["kind"], row["subject"])
            assert ((row["enabled"], row["enabled_level"]), (row["code"], row["code_level"])) == (enabled, code), row
            seen.add((row["kind"], row["subject"], row["channel_id"]))
        cameras = sum(field == "camera" for _, _, field in events.values())
        named = {key[3] for key in rows if key[:3] in (("site_id", site, "inbound_code"), ("dealer_id", dealer, "inbound_code"))}
        assert len(seen) == 9 + CHANNELS + len(events) + CHANNELS * cameras + len(named)
    for dealer in range(1, DEALERS + 1):
        shown = ctl("library", "show", "--dealer", dealer, "--json", conninfo=conninfo)
        for row in map(json.loads, shown.stdout.splitlines()):
            enabled, code = resolve(rows, events, built_in, [("dealer", "dealer_id", dealer)], row["kind"], row["subject"])
            assert ((row["enabled"], row["enabled_level"]), (row["code"], row["code_level"])) == (enabled, code), row
