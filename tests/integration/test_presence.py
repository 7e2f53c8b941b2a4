"""Signs of life: what moves a bridge's last-seen time in a running daemon, and
that `tocsinctl show bridges` tells it."""
import datetime

import panel
import proof
import pytest

import harness

KEY = bytes(range(16))
WRONG_KEY = bytes(range(16, 32))


def put_bridge(place, serial, account, *options):
    place.ctl("bridge", "add", "--serial", serial, "--account", account,
              *options)


def seen(place, account):
    """What is told of the bridge that signals with this account."""
    [bridge] = place.live("show", "bridges", "account", account)
    return bridge


def known(place, account):
    return any(place.live("show", "bridges", "account", account))


def heard_again(place, account, before):
    now = seen(place, account)
    return now.get("last_seen", "") > before.get("last_seen", "") and now


def is_same(before, after):
    """Of one signal: told as wall time, which is slewed and read apart."""
    times = [datetime.datetime.fromisoformat(x["last_seen"].rstrip("Z"))
             for x in (before, after)]
    return abs(times[1] - times[0]) < datetime.timedelta(milliseconds=4)


@pytest.fixture
def place(installation):
    master = installation.directory / "master.key"
    master.write_text("a5" * 32)
    installation.extra["directory"] = {"master_key_file": master}
    put_bridge(installation, "CLEAR", "1234")
    put_bridge(installation, "SEALED", "5678", "--key", f"hex:{KEY.hex()}",
               "--cipher-required", "yes", "--master-key-file", master)
    installation.start_daemon()
    return installation


def test_what_moves_the_last_seen_time(place):
    assert "last_seen" not in seen(place, "1234")
    with panel.Panel(place.port) as p, panel.Panel(place.udp_port, True) as u:
        before = seen(place, "1234")
        assert p.ask(panel.frame("1234", "", identifier="NULL")) == "ACK"
        test = heard_again(place, "1234", before)
        assert test["listener"] == "tcp"
        assert test["peer"] == "127.0.0.1:%d" % p.socket.getsockname()[1]
        assert u.ask(panel.frame("1234", "1130 01 002")) == "ACK"
        event = heard_again(place, "1234", test)
        assert event["listener"] == "udp"
        assert event["peer"] == "127.0.0.1:%d" % u.socket.getsockname()[1]
        assert [x["listener"] for x in event["paths"]] == ["udp", "tcp"]
        # what is broken, sealed with another key or clear is nobody's word
        good = panel.frame("1234", "1130 01 003", sequence=2)
        stranger = panel.frame("9999", "", identifier="NULL")
        assert p.is_silent_about(b"\nDEAD" + good[5:], stranger) == "ACK"
        assert is_same(seen(place, "1234"), event)
        for key in (WRONG_KEY, None):
            assert p.ask(panel.frame("5678", "1130 01 002", key=key)) == "DUH"
        assert "last_seen" not in seen(place, "5678")
        assert p.ask(panel.frame("5678", "1130 01 002", key=KEY)) == "*ACK"
        assert seen(place, "5678")["listener"] == "tcp"
    quiet = place.live("show", "bridges", "silent", 3600)
    assert quiet == []
    assert place.live("show", "stats")[0]["signals"] == 2


def test_a_change_keeps_it_and_a_removal_forgets_it(place):
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame("1234", "", identifier="NULL")) == "ACK"
    before = seen(place, "1234")
    place.ctl("bridge", "set", "--id", before["bridge"], "--account", "4321")
    harness.wait_until(lambda: known(place, "4321"), "the change is in force")
    assert is_same(seen(place, "4321"), before)
    changes = place.live("show", "directory")[0]["loaded"]
    place.live("reload")
    harness.wait_until(
        lambda: place.live("show", "directory")[0]["loaded"] > changes,
        "the directory is loaded anew")
    assert is_same(seen(place, "4321"), before)
    place.ctl("bridge", "remove", "--id", before["bridge"])
    harness.wait_until(lambda: not known(place, "4321"), "it is gone")
    put_bridge(place, "CLEAR", "4321")
    harness.wait_until(lambda: known(place, "4321"), "another one is there")
    assert "last_seen" not in seen(place, "4321")


def supervise(place, account, path, interval_s, margin_s, listener=None):
    place.postgres.query(
        "INSERT INTO tocsin.bridge_path (bridge_id, path, interval_s, "
        "margin_s, listener) SELECT id, %s, %s, %s, %s FROM tocsin.bridge "
        "WHERE transport_account = %s",
        path, interval_s, margin_s, listener, account)


def test_five_minutes_away_make_nobody_silent(installation):
    """tocsind is killed and comes back more than five minutes later, by its
    clocks: who keeps to the interval then is not told to be silent, who does
    not is, a whole interval after the start."""
    place = installation
    proof.demo_stations(place, 2)
    kept, lost = "100000", "100001"
    supervise(place, kept, "primary", 30, 3)
    supervise(place, lost, "primary", 30, 3)
    place.start_daemon()
    with panel.Panel(place.port) as p:
        for account in (kept, lost):
            assert p.ask(panel.frame(account, "1602 00 000")) == "ACK"
        harness.wait_until(lambda: len(in_state(place, "online")()) == 2,
                           "both are supervised")
    place.daemon.kill()
    place.start_daemon(variables=harness.other_time(330, 10))
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(kept, "1602 00 000", sequence=2)) == "ACK"

        def told():
            assert p.ask(panel.frame(kept, "", identifier="NULL")) == "ACK"
            return in_state(place, "offline")()
        assert harness.wait_until(told, "somebody is silent") == [lost]
        harness.wait_until(place.drained, "everything is archived")
        assert in_state(place, "online")() == [kept]
    assert [row[0] for row in own_events(place)] == ["E350"]
    [(away, silent)] = place.postgres.query(
        "SELECT extract(epoch FROM min(received_at) FILTER (WHERE sequence = "
        "'0002') - max(received_at) FILTER (WHERE sequence = '0001')), "
        "extract(epoch FROM max(received_at) FILTER (WHERE code = '350') - "
        "min(received_at) FILTER (WHERE sequence = '0002')) FROM tocsin.event")
    assert away >= 300 and silent >= 25


def own_events(place):
    """What was told of bridges, as it stands in the history."""
    harness.wait_until(place.drained, "everything is archived")
    return place.postgres.query(
        "SELECT qualifier || code, verdict FROM tocsin.event_history "
        "WHERE listener = 'watch' AND bridge_id IS NOT NULL "
        "ORDER BY lsn, item")


def in_state(place, state):
    return lambda: [x["account"] for x in
                    place.live("show", "bridges", "state", state)]


def test_a_silent_bridge_is_told_to_its_station(installation):
    place = installation
    stations = proof.demo_stations(place, 2)
    account, other = "100000", "100001"
    supervise(place, account, "primary", 10, 0)
    place.start_daemon()
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(account, "", identifier="NULL")) == "ACK"
        harness.wait_until(in_state(place, "online"), "it is supervised")
        harness.wait_until(in_state(place, "offline"), "it is offline")
        # told and its acknowledgement durable, or it would be told again
        assert own_events(place) == [("E350", "delivered")]
        # a restart knows it, and gives everyone an interval
        place.daemon.kill()
        place.start_daemon()
    supervise(place, other, "primary", 3600, 0)
    harness.wait_until(in_state(place, "online"), "the other is supervised")
    assert in_state(place, "offline")() == [account]
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(account, "", identifier="NULL")) == "ACK"
        harness.wait_until(lambda: len(in_state(place, "online")()) == 2,
                           "it is back")
    assert own_events(place) == [("E350", "delivered"),
                                 ("R350", "delivered")]
    said = [line.split()[1:5] for station in stations
            for line in harness.ledger_lines(station.ledger)]
    # the zone is the number of the bridge at its site
    assert said == [["E", "350", "00", "001"], ["R", "350", "00", "001"]]
    [status] = place.live("show", "status")
    assert (status["bridges_supervised"], status["bridges_offline"]) == (2, 0)
