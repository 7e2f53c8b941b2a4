"""A running tocsind follows provisioning without a reload, starts from its
snapshot without its database, and refuses to start with neither."""
import os
import signal
import time

import panel
import proof
import pytest

import harness

SITES = 10
FOLLOW_S = 1.0  # how soon a change has to be in force


def account(site):
    return f"{0x100000 + site:06X}"


def rows_of(place, site):
    """bridge, site, channel of its instant zone"""
    return place.postgres.query(
        "SELECT b.id, b.site_id, c.id FROM tocsin.bridge b "
        "JOIN tocsin.channel c ON c.bridge_id = b.id AND c.zone_type = 3 "
        "WHERE b.transport_account = %s", account(site))[0]


def deliveries(station):
    """account and code of each acknowledged delivery"""
    return [tuple(line.split()[i] for i in (0, 2))
            for line in harness.ledger_lines(station.ledger)]


class Signals:
    """Alarms of one zone, each with a sequence of its own."""

    def __init__(self, place):
        self.panel = panel.Panel(place.port)
        self.sequence = 0

    def send(self, site):
        self.sequence += 1
        assert self.panel.ask(panel.frame(
            account(site), "1130 01 002", sequence=self.sequence)) == "ACK"

    def in_force(self, site, station, expected):
        """A signal sent FOLLOW_S after the change, the measure's own grain
        apart, arrives as expected. Signals before it may be either way."""
        end = time.monotonic() + FOLLOW_S

        def seen():
            late = time.monotonic() >= end
            before = len(deliveries(station))
            self.send(site)
            got = harness.wait_until(
                lambda: deliveries(station)[before:], "a delivery", 5) \
                if late else deliveries(station)
            assert not late or expected in got, (got, expected)
            return expected in got
        harness.wait_until(seen, f"{expected} in force")


@pytest.fixture
def running(installation):
    installation.stations = proof.demo_stations(installation, SITES)
    installation.start_daemon()
    return installation


def test_changes_are_in_force_without_a_reload(running):
    place, (a, b) = running, running.stations
    signals = Signals(place)
    bridge, site, channel = rows_of(place, 0)
    signals.in_force(0, a, ("0000", "131"))
    place.ctl("site", "set", "--id", site, "--account", "7777")
    signals.in_force(0, a, ("7777", "131"))
    place.ctl("channel", "set", "--id", channel, "--code", "136")
    signals.in_force(0, a, ("7777", "136"))
    record_b = place.postgres.query(
        "SELECT station_record_id FROM tocsin.site WHERE id = %s",
        rows_of(place, 1)[1])[0][0]
    place.ctl("site", "set", "--id", site, "--station", record_b)
    signals.in_force(0, b, ("7777", "136"))
    # unregistered, then registered at another site
    other = rows_of(place, 3)[1]
    place.ctl("bridge", "set", "--id", bridge, "--site", "none")
    place.ctl("bridge", "set", "--id", bridge, "--site", other)
    signals.in_force(0, b, ("0001", "136"))
    # a bridge that nobody knew
    place.ctl("bridge", "add", "--serial", "NEW-1", "--kind", "panel",
              "--account", "ABC123", "--site", other)
    sequence = iter(range(1, 1000))

    def known():
        assert signals.panel.ask(panel.frame(
            "ABC123", "1120 01 000", sequence=next(sequence))) == "ACK"
        return ("0001", "120") in deliveries(b)
    harness.wait_until(known, "the new panel is known", FOLLOW_S)
    assert "reload" not in place.daemon.text()


LIFE_CYCLES = [
    ("on_test", "test start --site {site}", "test stop --site {site}"),
    ("site_inactive", "site deactivate --id {site}",
     "site reactivate --id {site}"),
    ("unregistered", "bridge unregister --id {bridge}",
     "bridge assign --id {bridge} --site {site}"),
    ("no_receiver", "station set --id {station} --receiver none",
     "station set --id {station} --receiver {receiver}"),
    ("suppressed", "library set --site {site} --zone-type 3 --enabled no",
     "library reset --site {site} --zone-type 3"),
]


def test_life_cycles_have_their_verdicts(installation):
    """With the daemon as a login that has its own role and no more."""
    place = installation
    (a, _) = proof.demo_stations(place, SITES)
    place.postgres.query("CREATE ROLE watchman LOGIN IN ROLE tocsin_daemon")
    place.extra["database"] = {"conninfo": place.postgres.conninfo.replace(
        "user=tocsin", "user=watchman")}
    place.start_daemon()
    signals = Signals(place)
    bridge, site, _ = rows_of(place, 0)
    rows = {"bridge": bridge, "site": site}
    rows["station"], rows["receiver"] = place.postgres.query(
        "SELECT r.id, r.receiver_id FROM tocsin.site s JOIN "
        "tocsin.station_record r ON r.id = s.station_record_id "
        "WHERE s.id = %s", site)[0]

    def decided_as(verdict):
        signals.send(0)
        return place.live("show", "stats")[0]["verdicts"][verdict]

    def becomes(verdict, step):
        before = decided_as(verdict)
        place.ctl(*step.format(**rows).split())
        harness.wait_until(lambda: decided_as(verdict) > before,
                           f"{verdict} after {step}", FOLLOW_S)

    for verdict, step, back in LIFE_CYCLES:
        becomes(verdict, step)
        becomes("routed", back)
    harness.wait_until(lambda: len(deliveries(a)) == place.live(
        "show", "stats")[0]["verdicts"]["routed"], "nothing else was sent")
    # history is written by the same login
    harness.wait_until(lambda: {row[0] for row in place.postgres.query(
        "SELECT DISTINCT verdict FROM tocsin.event")} >= {
            verdict for verdict, _, _ in LIFE_CYCLES}, "archived")


def test_a_receiver_that_moves_is_followed(running):
    """Other endpoints, then none of the old ones: the next signal goes there."""
    place, (a, b) = running, running.stations
    signals = Signals(place)
    signals.in_force(0, a, ("0000", "131"))
    receiver = place.postgres.query(
        "SELECT id FROM tocsin.receiver WHERE name = 'station-a'")[0][0]
    place.ctl("receiver", "set", "--id", receiver,
              "--endpoints", f"127.0.0.1:{b.port}")
    signals.in_force(0, b, ("0000", "131"))


def test_queued_deliveries_keep_the_old_account(running):
    place, (a, _) = running, running.stations
    site = rows_of(place, 0)[1]
    signals = Signals(place)
    place.ctl("pause", "link", "station-a", database=False)
    for _ in range(5):
        signals.send(0)

    def decided(count):
        return lambda: place.live("show", "stats")[0]["decided"] >= count
    harness.wait_until(decided(5), "the first five are decided")
    before = place.live("show", "directory")[0]["changes"]
    place.ctl("site", "set", "--id", site, "--account", "7777")
    harness.wait_until(
        lambda: place.live("show", "directory")[0]["changes"] > before,
        "the change is known")
    for _ in range(5):
        signals.send(0)
    harness.wait_until(decided(10), "the others are decided")
    assert deliveries(a) == []
    place.ctl("resume", "link", "station-a", database=False)
    harness.wait_until(lambda: len(deliveries(a)) == 10, "ten deliveries")
    assert deliveries(a) == [("0000", "131")] * 5 + [("7777", "131")] * 5


def take_away(postgres):
    """Stop it, and wait until it may be started again."""
    os.kill(postgres.pid, signal.SIGINT)
    harness.wait_until(
        lambda: not (postgres.directory / "data/postmaster.pid").exists(),
        "PostgreSQL is gone")


def test_starts_from_the_snapshot_without_the_database(installation):
    place = installation
    place.extra["directory"] = {"connect_wait": "500ms"}
    stations = proof.demo_stations(place, SITES)
    place.start_daemon()
    assert place.daemon.stop() == 0
    take_away(place.postgres)
    place.start_daemon()
    status = place.live("show", "directory")[0]
    assert (status["source"], status["connected"]) == ("snapshot", False)
    assert status["sites"] == SITES
    load = place.load("panels", "--accounts", proof.accounts(SITES),
                      "--panels", 5, "--count", 200)
    assert load.wait() == 0, load.text()
    harness.wait_until(
        lambda: sum(len(deliveries(s)) for s in stations) == 200,
        "deliveries without the database")
    place.postgres.start()
    harness.wait_until(
        lambda: place.live("show", "directory")[0]["connected"],
        "the database is followed again")
    proof.prove(place, [load], stations, minimum=200)


def refusal(place):
    """The sentence with which tocsind did not start."""
    place.start_daemon(wait=False)
    assert place.daemon.wait() == 69
    return next(line for line in place.daemon.text().splitlines()
                if "event=cannot_start" in line)


def test_refuses_to_start_with_neither(installation):
    place = installation
    place.extra["directory"] = {"connect_wait": "500ms"}
    take_away(place.postgres)
    sentence = refusal(place)
    assert "cannot connect to PostgreSQL" in sentence
    assert str(place.directory / "state/directory") in sentence


def test_refuses_a_database_without_migrations(installation):
    place = installation
    place.extra["directory"] = {"connect_wait": "700ms"}
    place.postgres.query("DROP SCHEMA tocsin CASCADE")
    sentence = refusal(place)
    assert "the database has no Tocsin schema: run" in sentence
    assert "tocsinctl db migrate" in sentence


def test_refuses_a_newer_database_even_with_a_snapshot(installation):
    place = installation
    proof.demo_stations(place, SITES)
    place.start_daemon()
    assert place.daemon.stop() == 0
    place.postgres.query(
        "INSERT INTO tocsin.schema_version (version, name, sha256) "
        "VALUES (9999, 'later.sql', repeat('0', 64))")
    assert "install a newer version" in refusal(place)
