"""What panels send, sound or not, and what becomes of it: replies, verdicts
and their reasons in the history and in `tocsinctl trace`."""
import signal

import panel
import proof
import pytest

import harness

SITES = 40
KEY = bytes(range(16))
KEY_TEXT = f"hex:{KEY.hex()}"
LISTENER_KEY = bytes(range(16, 48))
FIRST = 0x100000  # the demo's first bridge


def account(site):
    return f"{FIRST + site:06X}"


def accounts(first, last):
    return f"{account(first)}-{account(last)}"


def bridge(place, site):
    return place.postgres.query(
        "SELECT id, site_id FROM tocsin.bridge WHERE transport_account = %s",
        account(site))[0]


def history(place, *columns):
    """Rows of the event history in order, once everything is in it."""
    harness.wait_until(place.drained, "everything is archived")
    return place.postgres.query(
        f"SELECT {', '.join(columns)} FROM tocsin.event_history "
        "WHERE protocol <> 'internal' ORDER BY lsn, item")


def ledger_fields(station):
    """account, qualifier, code, partition, zone of what was acknowledged"""
    lines = map(str.split, harness.ledger_lines(station.ledger))
    return [tuple(line[:5]) for line in lines if line[8] == "ack"]


def test_all_ways_in(installation):
    place = installation
    master = place.directory / "master.key"
    master.write_text("a5" * 32)
    keyed = harness.free_port()
    place.extra["directory"] = {"master_key_file": master}
    place.extra["listener keyed"] = {
        "address": "127.0.0.1", "port": keyed,
        "key": f"hex:{LISTENER_KEY.hex()}"}
    stations = proof.demo_stations(place, SITES, "--encrypted", 20, "--key",
                                   KEY_TEXT, "--master-key-file", master)
    place.start_daemon()
    ways = [
        # its own sealed key, over both transports
        (accounts(0, 9), place.port, True, "--key", KEY_TEXT),
        (accounts(10, 19), place.udp_port, True, "--key", KEY_TEXT, "--udp"),
        (accounts(20, 26), keyed, True, "--key",
         f"hex:{LISTENER_KEY.hex()}"),
        (accounts(27, 29), keyed, False),  # a key does not forbid clear text
        (accounts(30, 34), place.port, False, "--format", "adm-cid"),
        (accounts(35, 39), place.udp_port, False, "--udp"),
    ]
    loads = [place.load(f"panels-{i}", "--accounts", who, "--panels", 2,
                        "--count", 100, "--null-every", 10, *options,
                        port=port)
             for i, (who, port, _, *options) in enumerate(ways)]
    for load in loads:
        assert load.wait() == 0, load.text()
    assert proof.prove(place, loads, stations) == 600
    assert sorted(place.postgres.query(
        "SELECT listener, encrypted, count(*) FROM tocsin.event "
        "GROUP BY 1, 2")) == [
            ("keyed", False, 100), ("keyed", True, 100),
            ("tcp", False, 100), ("tcp", True, 100),
            ("udp", False, 100), ("udp", True, 100)]


def test_unknown_accounts(installation):
    place = installation
    ports = {policy: harness.free_port()
             for policy in ("ack-and-log", "duh", "ignore")}
    for policy, port in ports.items():
        place.extra[f"listener {policy}"] = {
            "address": "127.0.0.1", "port": port, "unknown_account": policy}
    proof.demo_stations(place, SITES)
    place.start_daemon()
    stranger = panel.frame("ABCDEF", "1130 01 002")
    known = panel.frame(account(0), "", identifier="NULL", sequence=7)
    with panel.Panel(ports["ack-and-log"]) as p:
        assert p.ask(stranger) == "ACK"
    with panel.Panel(ports["duh"]) as p:
        assert p.ask(stranger) == "DUH"
    with panel.Panel(ports["ignore"]) as p:
        p.send(stranger)
        assert p.ask(known) == "ACK"
        assert p.buffer == b""
    assert history(place, "listener", "verdict", "reason") == [
        ("ack-and-log", "unknown_account",
         "nobody signals with account 'ABCDEF' by listener 'ack-and-log'")]
    refused = [(x["listener"], x["reason"])
               for x in place.live("show", "errors")]
    assert sorted(refused) == [("duh", "unknown account"),
                               ("ignore", "unknown account")]


def test_junk_is_never_answered_and_harms_nobody(installation):
    place = installation
    stations = proof.demo_stations(place, SITES)
    place.start_daemon()
    good = panel.frame(account(1), "1130 01 002", sequence=1)
    bad_crc = b"\nDEAD" + good[5:]
    too_long = b"\n00000FFF" + b"x" * 100
    junk = [bad_crc, b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)),
            b"\n" * 100, good[:-10] + b"\r", b"\nZZZZ0012\"NULL\"\r"]
    with panel.Panel(place.port) as p:
        for data in junk:
            p.send(data)
        assert p.ask(good) == "ACK"
        assert p.buffer == b""  # that was the only answer
    with panel.Panel(place.port) as p:  # in pieces
        split = panel.frame(account(1), "1130 01 001", sequence=2)
        for i in range(len(split)):
            p.send(split[i:i + 1])
        assert panel.reply_kind(p.receive()) == "ACK"
    with panel.Panel(place.udp_port, udp=True) as p:
        for data in [*junk, too_long]:
            p.send(data)
        assert p.ask(panel.frame(account(1), "1130 01 003",
                                 sequence=3)) == "ACK"
    with panel.Panel(place.port) as p:
        try:
            for _ in range(100):
                p.send(b"junk without end " * 100)
            assert p.receive() == b""
        except (ConnectionResetError, BrokenPipeError):
            pass  # closed, as it must be
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(account(1), "", identifier="XYZ-ABC",
                                 sequence=4)) == "DUH"
    assert [row[0] for row in history(place, "zone")] == ["002", "001", "003"]
    assert [x[4] for x in ledger_fields(stations[1])] == ["002", "001", "003"]
    errors = place.live("show", "errors")
    assert {"tcp", "udp"} == {x["listener"] for x in errors}
    faults = {x["name"]: x for x in place.live("show", "listeners")}
    assert faults["tcp"]["signals"] == 2 and faults["udp"]["signals"] == 1


@pytest.mark.parametrize("restart", ["", "stop", "kill"])
def test_a_repeat_is_acknowledged_and_delivered_once(installation, restart):
    place = installation
    stations = proof.demo_stations(place, SITES)
    place.start_daemon()
    again = panel.frame(account(0), "1133 01 003", sequence=42)
    with panel.Panel(place.port) as p:
        assert p.ask(again) == "ACK"  # the panel does not hear it
    if restart:
        getattr(place.daemon, restart)()
        place.start_daemon()
    with panel.Panel(place.port) as p:
        assert p.ask(again) == "ACK"
        # the same sequence, another event: a new signal
        assert p.ask(panel.frame(account(0), "3133 01 003",
                                 sequence=42)) == "ACK"
        # the same event, another sequence, and another sender: new
        assert p.ask(panel.frame(account(0), "1133 01 003",
                                 sequence=43)) == "ACK"
        assert p.ask(panel.frame(account(2), "1133 01 003",
                                 sequence=42)) == "ACK"
    assert [row[0] for row in history(place, "verdict")] == \
        ["delivered", "repeat", "delivered", "delivered", "delivered"]
    expected = [("0000", "E", "133", "01", "003"),
                ("0000", "R", "133", "01", "003"),
                ("0000", "E", "133", "01", "003"),
                ("0001", "E", "133", "01", "003")]
    got = ledger_fields(stations[0])
    if restart:  # maybe it was in flight when the daemon ended: it is marked
        marked = place.postgres.query(
            "SELECT count(*) FROM tocsin.delivery_outcome WHERE repeated")
        assert len(got) - len(expected) <= marked[0][0]
        got = got[len(got) - len(expected):]
    assert got == expected


def test_a_wrong_clock_is_told_the_time(installation):
    place = installation
    master = place.directory / "master.key"
    master.write_text("a5" * 32)
    place.extra["directory"] = {"master_key_file": master}
    proof.demo_stations(place, SITES, "--encrypted", 1, "--key", KEY_TEXT,
                        "--master-key-file", master)
    place.ctl("bridge", "set", "--id", bridge(place, 0)[0],
              "--cipher-required", "yes")
    place.start_daemon()

    def frame(offset_s, key=KEY):
        return panel.frame(account(0), "1130 01 002", sequence=9, key=key,
                           stamp=panel.timestamp(offset_s))
    with panel.Panel(place.port) as p:
        for offset in (-3600, 3600, -60, 40):
            p.send(frame(offset))
            reply = p.receive()
            assert panel.reply_kind(reply) == "NAK"
            assert panel.timestamp()[-11:] in reply  # the date
        assert p.ask(frame(0, key=LISTENER_KEY[:16])) == "DUH"
        assert p.ask(panel.frame(account(0), "1130 01 002")) == "DUH"
        assert p.ask(frame(0)) == "*ACK"
    assert history(place, "sequence", "verdict") == [("0009", "delivered")]


def test_a_key_is_rolled(installation):
    place = installation
    master = place.directory / "master.key"
    master.write_text("a5" * 32)
    sealed = ("--master-key-file", master)
    place.extra["directory"] = {"master_key_file": master}
    proof.demo_stations(place, SITES, "--encrypted", 1, "--key", KEY_TEXT,
                        *sealed)
    place.start_daemon()
    new, other = bytes(range(32)), bytes(range(1, 17))
    sequences = iter(range(1, 1000))

    def says(key):
        with panel.Panel(place.port) as p:
            return p.ask(panel.frame(account(0), "1130 01 002", key=key,
                                     sequence=next(sequences)))
    place.ctl("bridge", "roll-key", "--id", bridge(place, 0)[0], "--key",
              f"hex:{new.hex()}", "--overlap", "1h", *sealed)
    harness.wait_until(lambda: says(new) == "*ACK", "the new key is known")
    assert says(KEY) == "*ACK" and says(other) == "DUH"
    assert "event=previous-key" in place.daemon.text()
    place.postgres.query("UPDATE tocsin.bridge SET previous_key_until = now()"
                         " WHERE previous_key IS NOT NULL")
    harness.wait_until(lambda: says(KEY) == "DUH", "the overlap is over")
    assert says(new) == "*ACK"
    counted = next(x for x in place.live("show", "listeners")
                   if x["port"] == place.port)
    assert counted["refusals"]["old_key"] > 0 and counted["previous_key"] > 0

    def told():
        return place.postgres.query(
            "SELECT text FROM tocsin.event WHERE protocol = 'internal' "
            "AND code = '421' AND text LIKE %s",
            f"%whose time is over%account {account(0)}%")
    harness.wait_until(told, "the use of the old key is in the history")


def verdicts(place):
    """Per site of the demo: what is changed first, what is sent, and the
    verdict, flags, words of the reason, and code at the station expected."""
    def site(number, *options):
        place.ctl("site", "set", "--id", bridge(place, number)[1], *options)
    dealer, center = place.postgres.query(
        "SELECT dealer_id, center_id FROM tocsin.station_record LIMIT 1")[0]
    place.ctl("station", "add", "--dealer", dealer, "--center", center,
              "--name", "to come")
    to_come = place.postgres.query(
        "SELECT id FROM tocsin.station_record WHERE name = 'to come'")[0][0]
    place.ctl("library", "set", "--site", bridge(place, 1)[1],
              "--zone-type", 4, "--enabled", "no")
    place.ctl("library", "set", "--site", bridge(place, 2)[1],
              "--inbound-code", "602", "--enabled", "no")
    place.ctl("bridge", "set", "--id", bridge(place, 4)[0], "--kind", "panel")
    site(5, "--station", "none")
    site(6, "--station", to_come)
    site(8, "--state", "inactive")
    place.ctl("bridge", "set", "--id", bridge(place, 9)[0], "--site", "none")
    return [
        (1, "1133 01 003", "suppressed", 0, "24-Hour): disabled by site", None),
        (2, "1602 00 000", "suppressed", 0, "602: disabled by site", None),
        (3, "1131 01 099", "delivered", 1, "no channel knows zone '099'",
         "131"),
        (4, "1134 01 002", "delivered", 2, "panel's own code 134 passes",
         "134"),
        (5, "1130 01 002", "unrouted", 0, "names no station", None),
        (6, "1130 01 002", "no_receiver", 0,
         "station record 'to come' has no receiver", None),
        (8, "1130 01 002", "site_inactive", 0, "is deactivated", None),
        (9, "1130 01 002", "unregistered", 0, "belongs to no site", None),
        (11, "1130 01 002", "delivered", 0, "code 131 from dealer", "131"),
        (12, "1401 01 005", "delivered", 0, "401 passes as received", "401"),
    ]


def test_every_verdict_has_its_reason(installation):
    place = installation
    stations = proof.demo_stations(place, SITES)
    table = verdicts(place)
    place.start_daemon()
    with panel.Panel(place.port) as p:
        for number, content, *_ in table:
            assert p.ask(panel.frame(account(number), content)) == "ACK"
    rows = history(place, "event", "sender_account", "verdict", "flags",
                   "reason")
    assert len(rows) == len(table)
    # even sites are at the first station, odd ones at the second
    delivered = {(half, x[0]): x[2] for half in (0, 1)
                 for x in ledger_fields(stations[half])}
    sent = {account(number) for number, *_, code in table if code}
    assert len(delivered) == len(sent)
    for (number, _, verdict, flags, words, code), row in zip(table, rows):
        event, sender, *found, reason = row
        assert (sender, *found) == (account(number), verdict, flags), row
        assert words in reason, row
        assert delivered.get((number % 2, f"{number // 2:04d}")) == code, row
        trace = place.live("trace", event)
        kinds = [x["kind"] for x in trace]
        assert kinds[:3] == ["received", "event", "decision"], trace
        assert trace[0]["account"] == sender
        decision = trace[2]
        assert decision["reason"] == reason
        assert decision["verdict"] == (
            "routed" if verdict == "delivered" else verdict)
        assert decision.get("unmapped_zone", False) == bool(flags & 1)
        assert trace[-1]["word"].startswith("complete")
        assert [x["state"] for x in trace if x["kind"] == "outcome"] == (
            ["delivered"] if code else [])
    place.daemon.signal(signal.SIGTERM)
    assert place.daemon.wait() == 0
