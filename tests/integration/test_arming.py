"""Arming in the running daemon: from the database and the panels to what the
station gets, over kill -9, and as it is told in traces and in the history."""
import datetime

import panel
import proof
import pytest

import harness

ACCOUNT, SITE_ACCOUNT = "100000", "0000"
ENTRY_DOOR, HALL = "001", "002"  # Entry/Exit and Instant in the demo's sites


@pytest.fixture
def place(installation):
    installation.station_a, _ = proof.demo_stations(installation, 2)
    [[installation.site]] = installation.postgres.query(
        "SELECT id FROM tocsin.site WHERE external_id = 'demo-0'")
    return installation


def set_site(place, **values):
    columns = ", ".join(f"{name} = %s" for name in values)
    place.postgres.query(f"UPDATE tocsin.site SET {columns} WHERE id = %s",
                         *values.values(), place.site)


def say(place, code, zone="000", sequence=[0]):
    """A signal of the site's bridge, acknowledged."""
    sequence[0] += 1
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(ACCOUNT, f"{code} 01 {zone}",
                                 sequence=sequence[0])) == "ACK"


def arrived(place):
    """Qualifier, code and zone of what the station has of the account; what was
    in flight when the daemon was killed comes again, marked."""
    return [tuple(line.split()[i] for i in (1, 2, 4))
            for line in harness.ledger_lines(place.station_a.ledger)
            if line.split()[0] == SITE_ACCOUNT and " repeat " not in line]


def verdicts(place):
    harness.wait_until(place.drained, "everything is archived")
    return place.postgres.query(
        "SELECT qualifier || code || ' ' || zone, verdict "
        "FROM tocsin.event_history WHERE site_id = %s ORDER BY lsn, item",
        place.site)


def method_is(place, method):
    return lambda: place.live("show", "arming", place.site)[0][
        "method"] == method


def armed(place):
    return place.live("show", "arming", place.site)[0]["armed"]


def test_the_entry_delay_outlives_a_kill(place):
    set_site(place, arming_method="panel_individual", entry_delay_s=4,
             exit_delay_s=0)
    place.start_daemon()
    say(place, "3409")
    harness.wait_until(lambda: len(arrived(place)) == 1, "armed is told")
    say(place, "1130", ENTRY_DOOR)
    harness.wait_until(
        lambda: "entry_until" in place.live("show", "arming", place.site)[1],
        "the entry delay runs")
    place.daemon.kill()
    place.start_daemon()
    harness.wait_until(lambda: len(arrived(place)) == 2, "the alarm is raised")
    say(place, "1409")
    harness.wait_until(lambda: len(arrived(place)) == 3, "disarmed is told")
    say(place, "1130", HALL)
    assert verdicts(place) == [
        ("R409 000", "delivered"), ("E130 001", "delivered"),
        ("E409 000", "delivered"), ("E130 002", "suppressed")]
    [door] = [x for x in arrived(place) if x[2] == "001"]
    assert door[1] in ("134", "137")
    [[event]] = place.postgres.query(
        "SELECT event FROM tocsin.event_history WHERE zone = '001'")
    decisions = [x for x in place.live("trace", event)
                 if x["kind"] == "decision"]
    assert [x["verdict"] for x in decisions] == ["waiting", "routed"]
    assert "unless disarmed" in decisions[0]["reason"]
    assert decisions[0]["waits_until"] <= decisions[1]["time"]


def test_disarmed_in_time(place):
    set_site(place, arming_method="panel_individual", entry_delay_s=3600,
             exit_delay_s=0)
    place.start_daemon()
    say(place, "3409")
    say(place, "1130", ENTRY_DOOR)
    say(place, "3130", ENTRY_DOOR)
    place.daemon.kill()
    place.start_daemon()
    say(place, "1409")
    assert verdicts(place) == [
        ("R409 000", "delivered"), ("E130 001", "cancelled"),
        ("R130 001", "cancelled"), ("E409 000", "delivered")]
    assert [x[1] for x in arrived(place)] == ["409", "409"]


def test_a_user_and_nobody_else(place):
    set_site(place, arming_method="remote_api", exit_delay_s=0)
    place.start_daemon()
    [answer] = place.live("disarm", place.site, "user", 7)
    harness.wait_until(lambda: not armed(place), "it is disarmed")
    say(place, "1130", HALL)
    say(place, "3409")  # a keyswitch is no authority here
    place.live("arm", place.site)
    harness.wait_until(lambda: armed(place), "it is armed")
    place.daemon.kill()
    place.start_daemon()
    assert armed(place)
    say(place, "1130", HALL)
    assert [x[1] for x in verdicts(place)] == [
        "delivered", "suppressed", "suppressed", "delivered", "delivered"]
    assert ("E", "407", "007") in arrived(place)
    assert place.live("trace", answer["event"])[-1]["word"].startswith(
        "complete")
    set_site(place, arming_method="schedule")
    harness.wait_until(method_is(place, "schedule"), "the method is in force")
    refused = place.ctl("arm", place.site, database=False, check=False)
    assert refused.returncode != 0
    assert "another authority: schedule" in refused.stdout + refused.stderr


def test_a_schedule_arms_and_is_told(place):
    set_site(place, arming_method="schedule", exit_delay_s=0, timezone="UTC")
    place.start_daemon()
    harness.wait_until(method_is(place, "schedule"), "the method is in force")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    begin = now + datetime.timedelta(seconds=3)
    # never armed otherwise; armed from in three seconds on
    place.postgres.query(
        "INSERT INTO tocsin.arming_exception (site_id, during, armed) VALUES "
        "(%s, tsrange(%s, %s), false), (%s, tsrange(%s, %s), true)",
        place.site, now - datetime.timedelta(days=2), begin,
        place.site, begin, begin + datetime.timedelta(days=2))
    harness.wait_until(lambda: len(arrived(place)) == 1, "it is told")
    assert arrived(place) == [("R", "403", "000")]
    assert armed(place)
    place.daemon.kill()
    place.start_daemon()
    say(place, "1130", HALL)
    assert verdicts(place) == [("R403 000", "delivered"),
                               ("E130 002", "delivered")]


def test_the_repeat_filter(place):
    set_site(place, repeat_filter_s=5)
    place.start_daemon()
    for code in ("1130", "3130", "1130", "3130"):
        say(place, code, HALL)
    assert verdicts(place) == [
        ("E130 002", "delivered"), ("R130 002", "repeat"),
        ("E130 002", "repeat"), ("R130 002", "delivered")]
    assert [x[0] for x in arrived(place)] == ["E", "R"]


def test_a_further_station_gets_what_its_rule_says(place):
    [[station_b]] = place.postgres.query(
        "SELECT id FROM tocsin.station_record WHERE name = 'station-b'")
    place.start_daemon()
    [[destination]] = place.postgres.query(
        "INSERT INTO tocsin.site_destination (site_id, station_record_id, "
        "account_number) VALUES (%s, %s, '7777') RETURNING id",
        place.site, station_b)
    place.postgres.query(
        "INSERT INTO tocsin.site_destination_rule (site_id, destination_id, "
        "code_class) VALUES (%s, %s, 'panic')", place.site, destination)
    further = place.directory / "station-b.ledger"

    def panic_reaches_both():
        say(place, "1130", "004")
        return [line for line in harness.ledger_lines(further)
                if line.split()[:2] == ["7777", "E"]]
    harness.wait_until(panic_reaches_both, "the rule is in force")
    say(place, "1130", HALL)
    harness.wait_until(place.drained, "everything is delivered")
    assert {x.split()[2] for x in harness.ledger_lines(further)} == {"120"}
    assert {x[1] for x in arrived(place)} == {"120", "131"}


def test_test_mode_is_told(place):
    place.start_daemon()
    place.ctl("test", "start", "--site", place.site, "--minutes", 5)
    harness.wait_until(lambda: ("E", "607", "000") in arrived(place),
                       "its station knows that it is on test")
    say(place, "1130", HALL)
    place.daemon.kill()
    place.start_daemon()
    # what is decided after the end of the test is no test
    harness.wait_until(place.drained, "the alarm is decided")
    place.ctl("test", "stop", "--site", place.site)
    harness.wait_until(lambda: ("R", "607", "000") in arrived(place),
                       "its station knows that it is not any more")
    assert verdicts(place) == [
        ("E607 000", "delivered"), ("E130 002", "on_test"),
        ("R607 000", "delivered")]
