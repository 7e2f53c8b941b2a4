"""What strangers and broken panels do to the real daemon, and that it harms
nobody: every honest signal is acknowledged and delivered, and what an operator
must know of is told once."""
import os
import pathlib
import socket

import panel
import proof
import test_tls

import harness

SITES = 12
KEY = bytes(range(16))
OTHER_KEY = bytes(range(1, 17))
MANY = 300
# connections of each kind that are held open and say nothing sound
SLOW = int(os.environ.get("TOCSIN_ABUSE_CLIENTS", "60"))
NODE_EVENTS = ("SELECT qualifier || code, text FROM tocsin.event "
               "WHERE protocol = 'internal' ORDER BY lsn")


def account(site):
    return f"{0x100000 + site:06X}"


def listener(place, name="tcp"):
    return next(x for x in place.live("show", "listeners")
                if x["name"] == name)


def demo_with_keys(place):
    """Stations and sites whose first bridge must encrypt."""
    master = place.directory / "master.key"
    master.write_text("a5" * 32)
    place.extra["directory"] = {"master_key_file": master}
    stations = proof.demo_stations(place, SITES, "--encrypted", 2, "--key",
                                   f"hex:{KEY.hex()}", "--master-key-file",
                                   master)
    first = place.postgres.query(
        "SELECT id FROM tocsin.bridge WHERE transport_account = %s",
        account(0))[0][0]
    place.ctl("bridge", "set", "--id", first, "--cipher-required", "yes")
    return stations


def test_refusals_are_told_once(installation):
    place = installation
    demo_with_keys(place)
    place.start_daemon()
    event = "1130 01 002"
    refused = {
        "clear_text": (panel.frame(account(0), event), "DUH"),
        "wrong_key": (panel.frame(account(0), event, key=OTHER_KEY), "DUH"),
        "no_key": (panel.frame(account(5), event, key=KEY), "DUH"),
        "time_window": (panel.frame(account(1), event, key=KEY,
                                    stamp=panel.timestamp(-3600)), "NAK"),
    }
    good = panel.frame(account(0), event, key=KEY)
    bad_crc = b"\n0000" + good[5:]
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(account(5), "", identifier="NULL")) == "ACK"
        for _ in range(MANY):
            before = bad_crc  # in one packet with what is answered
            for data, reply in refused.values():
                assert p.ask(before + data) == reply
                before = b""
        assert p.ask(good) == "*ACK"
    counted = listener(place)["refusals"]
    assert counted["bad_crc"] == MANY
    assert {cause: counted[cause] for cause in refused} == \
        dict.fromkeys(refused, MANY)
    harness.wait_until(
        lambda: len(place.postgres.query(NODE_EVENTS)) == len(refused),
        "each cause was told once")
    harness.wait_until(place.drained, "everything is archived")
    told = place.postgres.query(NODE_EVENTS)
    assert len(told) == len(refused)
    assert {code for code, _ in told} == {"E421"}
    for site, what in ((0, "clear text"), (0, "another key"),
                       (5, "a key where none is known"), (1, "replayed")):
        assert any(what in text and f"account {account(site)}, from 127." in
                   text for _, text in told), (what, told)
    lines = [x for x in place.daemon.text().splitlines()
             if "scope=ingress event=refused" in x]
    assert {"cause=" + c for c in [*refused, "bad_crc"]} == \
        {x for line in lines for x in line.split() if x[:6] == "cause="}
    assert len(lines) < MANY / 10  # one each ten seconds
    assert place.postgres.query(
        "SELECT sender_account FROM tocsin.event "
        "WHERE protocol <> 'internal'") == [(account(0),)]
    last = place.live("show", "errors")[0]
    assert bytes.fromhex(last["bytes"]) == refused["time_window"][0]


def hold(port, count, first=b""):
    """Connections that say no more than this."""
    held = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port), panel.REPLY_S)
        s.settimeout(panel.REPLY_S)
        if first:
            s.sendall(first)
        held.append(s)
    return held


def throw(port, data, times=1):
    """Say it as long as somebody listens, and go."""
    with socket.create_connection(("127.0.0.1", port), panel.REPLY_S) as s:
        try:
            for _ in range(times):
                s.sendall(data)
        except OSError:
            pass  # turned away


def truncated(frame):
    """The frame cut off at every length, and with each length it may claim."""
    for length in range(1, len(frame)):
        yield frame[:length]
    for claimed in range(0, 0x1000, 37):
        yield b"%s%04X%s" % (frame[:5], claimed, frame[9:])


def resident_kib(daemon):
    """0 where AddressSanitizer keeps what was freed."""
    process = pathlib.Path("/proc", str(daemon.pid))
    if "libasan" in (process / "maps").read_text():
        return 0
    return next(int(line.split()[1])
                for line in (process / "status").read_text().splitlines()
                if line.startswith("VmRSS"))


def abuse(place, tls_port, frame, slow):
    """Everything at once, beside whatever else goes on."""
    hello = b"\x16\x03\x01\x02\x00\x01"
    held = hold(place.port, slow) + hold(place.port, slow, frame[:20]) + \
        hold(tls_port, slow) + hold(tls_port, slow, hello)
    for port in (place.port, tls_port):
        for data in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n\r\n",
                     hello + bytes(250), frame, b"\n" * 9000, bytes(9000),
                     b"\n00000FFF" + b"x" * 9000):
            throw(port, data, 4)
        for _ in range(slow):
            throw(port, b"")  # a port scan
    for data in truncated(frame):
        throw(place.port, data)
    throw(place.port, b"\n0000" + frame[5:], 2000)
    for s in held:  # trickle
        try:
            s.sendall(b"\x00")
        except OSError:
            pass
    return held


def test_honest_panels_are_served_beside_all_that(installation):
    place = installation
    authority = test_tls.Authority(place.directory)
    certificate = authority.sign("receiver", "receiver", "IP:127.0.0.1")
    tls_port = harness.free_port()
    place.extra["listener tcp"] = {"first_frame_timeout": "2s"}
    place.extra["listener tls"] = {
        "transport": "tls", "address": "127.0.0.1", "port": tls_port,
        "certificate": certificate, "first_frame_timeout": "2s",
        "handshake_timeout": "2s", "max_handshakes": 20}
    stations = proof.demo_stations(place, SITES)
    place.start_daemon()
    before_kib = resident_kib(place.daemon)
    loads = [
        place.load("clear", "--accounts", proof.accounts(4), "--panels", 4,
                   "--count", 600, "--rate", 100, "--persist"),
        place.load("tls", "--tls", "--ca", authority.file, "--accounts",
                   proof.accounts(4, 0x100004), "--panels", 4, "--count", 300,
                   "--rate", 50, "--reconnect", "--persist", port=tls_port),
    ]
    # of nobody, so that what stations get is the honest panels' alone
    once = panel.frame("BEEF", "1130 01 002", sequence=7)
    held = abuse(place, tls_port, panel.frame("DEAD", "1130 01 002"), SLOW)
    with panel.Panel(place.port) as p:  # a hundred times the same
        assert [p.ask(once) for _ in range(100)] == ["ACK"] * 100
    for load in loads:
        assert load.wait() == 0, load.text()
    for s in held:
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass
        s.close()
    harness.wait_until(
        lambda: listener(place)["sessions"] == 0 and
        listener(place, "tls")["sessions"] == 0, "nobody is left")
    assert listener(place)["refusals"]["bad_crc"] > 0
    assert listener(place, "tls")["refusals"]["not_tls"] > 0
    assert resident_kib(place.daemon) < before_kib + 64 * 1024
    harness.wait_until(place.drained, "everything is delivered")
    assert place.postgres.query(
        "SELECT verdict, count(*) FROM tocsin.event_history "
        "WHERE sender_account = 'BEEF' GROUP BY 1 ORDER BY 1") == [
            ("repeat", 99), ("unknown_account", 1)]
    assert proof.prove(place, loads, stations) == 900
