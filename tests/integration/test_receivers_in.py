"""Existing receivers feed Tocsin: what they say towards automation software,
over real sockets into the real daemon, on to the stations."""
import socket

import harness
import proof

SITES = 10
ACK, NAK = b"\x06", b"\x15"
FIRST = 0x100000  # the demo's first bridge


class Receiver:
    """One by hand: a message, and the byte that answers it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, message):
        self.socket.sendall(message.encode())
        return self.socket.recv(1)


def listen(place, protocol, **settings):
    port = harness.free_port()
    place.extra[f"listener {protocol}"] = {
        "protocol": protocol, "address": "127.0.0.1", "port": port,
        **settings}
    return port


def start(place):
    """Until every listener is open, not only the harness's own."""
    place.start_daemon()
    harness.wait_until(lambda: "event=ready" in place.daemon.text(),
                       "tocsind is ready")


def history(place):
    harness.wait_until(place.drained, "everything is archived")
    return place.postgres.query(
        "SELECT listener, protocol, sender_account, code, verdict "
        "FROM tocsin.event_history WHERE protocol <> 'internal' "
        "ORDER BY lsn, item")


def test_each_protocol_reaches_the_station(installation):
    place = installation
    messages = {
        "surgard": "5021 18100000E13001002\x14",
        "surgard-mlr2000": "S02001[#100001|NBA02]\x14",
        "d6500": "S021[#100002|NBA02]\x14",
        "ademco685": "\n21 4003 18 E130 01 C002\r",
    }
    heartbeats = {
        "surgard": "1021           @    \x14",
        "surgard-mlr2000": "102001           @    \x14",
        "d6500": "1020           @    \x14",
        "ademco685": "\n21 OKAY @\r",
    }
    ports = {protocol: listen(place, protocol) for protocol in messages}
    stations = proof.demo_stations(place, SITES)
    place.postgres.query(
        "UPDATE tocsin.bridge SET transport_account = '4003' "
        "WHERE transport_account = %s RETURNING id", f"{FIRST + 3:06X}")
    place.postgres.query(
        "UPDATE tocsin.bridge SET transport_account = '4004' "
        "WHERE transport_account = %s RETURNING id", f"{FIRST + 4:06X}")
    start(place)
    for protocol, message in messages.items():
        with Receiver(ports[protocol]) as receiver:
            assert receiver.ask(heartbeats[protocol]) == ACK
            assert receiver.ask(message) == ACK
            assert receiver.ask(message[:-4] + message[-1]) == NAK
    with Receiver(ports["surgard"]) as receiver:  # an old panel's pulses
        assert receiver.ask("4021  40045551234567\x14") == ACK  # who called
        assert receiver.ask("1021      4004 A 005\x14") == ACK
    assert history(place) == [
        ("surgard", "surgard", "100000", "130", "delivered"),
        ("surgard-mlr2000", "surgard", "100001", "BA", "delivered"),
        ("d6500", "d6500", "100002", "BA", "delivered"),
        ("ademco685", "ademco685", "4003", "130", "delivered"),
        ("surgard", "surgard", "4004", None, "suppressed"),
        ("surgard", "surgard", "4004", "A", "delivered")]
    delivered = [line for station in stations
                 for line in harness.ledger_lines(station.ledger)]
    assert len(delivered) == 5
    assert ["-", "A", "-", "005"] in [x.split()[1:5] for x in delivered]
    shown = {x["name"]: x for x in place.live("show", "listeners")}
    for protocol, port in ports.items():
        assert shown[protocol]["protocol"] == protocol
        assert shown[protocol]["signals"] == (3 if protocol == "surgard" else 1)
        assert shown[protocol]["polls"] == 1


def test_receiver_and_line_tell_accounts_apart(installation):
    """The same account on two lines of a receiver is two bridges."""
    place = installation
    port = listen(place, "surgard")
    proof.demo_stations(place, SITES)
    bridges = {}
    for line, account in (("1", f"{FIRST:06X}"), ("2", f"{FIRST + 1:06X}")):
        bridges[line] = place.postgres.query(
            "UPDATE tocsin.bridge SET transport_account = '7777', "
            "transport_receiver = '02', transport_line = %s "
            "WHERE transport_account = %s RETURNING site_id",
            line, account)[0][0]
    start(place)
    with Receiver(port) as receiver:
        for line in "123":
            assert receiver.ask(f"502{line} 187777E13001002\x14") == ACK
    harness.wait_until(place.drained, "everything is archived")
    assert place.postgres.query(
        "SELECT sender_receiver, sender_line, site_id, verdict "
        "FROM tocsin.event_history WHERE protocol <> 'internal' "
        "ORDER BY lsn") == [
            ("02", "1", bridges["1"], "delivered"),
            ("02", "2", bridges["2"], "delivered"),
            ("02", "3", None, "unknown_account")]


def test_what_asterisk_leaves(installation):
    """Files that came while the daemon was down, and while it runs; and the
    same digits by hand over a Unix socket."""
    place = installation
    spool = place.directory / "alarmreceiver"
    spool.mkdir()
    local = place.directory / "run/contact-id"
    place.extra["listener dialers"] = {
        "protocol": "contact-id", "transport": "directory", "address": spool}
    place.extra["listener local"] = {
        "protocol": "contact-id", "transport": "unix", "address": local}
    proof.demo_stations(place, SITES)
    place.postgres.query(
        "UPDATE tocsin.bridge SET transport_account = '1234' "
        "WHERE transport_account = %s RETURNING id", f"{FIRST:06X}")

    def leave(name, *lines):
        (spool / name).write_text(
            "\n\n[metadata]\n\nPROTOCOL=ADEMCO_CONTACT_ID\n"
            "CALLINGFROM=0301234\n\n[events]\n\n"
            + "".join(f"{line}\n" for line in lines))

    leave("event-before", "1234181130010055", "1234183130010053")
    start(place)
    leave("event-mixed", "1234181130010055", "1234181130010050")
    harness.wait_until(lambda: not list(spool.glob("event-*")),
                       "the files are taken")
    with socket.socket(socket.AF_UNIX) as program:
        program.connect(str(local))
        program.sendall(b"1234183130010053 call-1\n")
        assert program.recv(1) == ACK
    assert [x.name for x in (spool / "bad").iterdir()] == ["event-mixed"]
    assert history(place) == [
        ("dialers", "dialer", "1234", "130", "delivered")] * 3 + [
        ("local", "dialer", "1234", "130", "delivered")]


def test_a_lost_answer_makes_no_second_event(installation):
    place = installation
    port = listen(place, "surgard")
    proof.demo_stations(place, SITES)
    start(place)
    message = "5021 18100000E13001002\x14"
    with Receiver(port) as receiver:
        assert receiver.ask(message) == ACK
    with Receiver(port) as receiver:
        assert receiver.ask(message) == ACK  # resent: the answer was lost
        assert receiver.ask(message) == ACK  # answered above: a new one
    assert [row[-1] for row in history(place)] == [
        "delivered", "repeat", "delivered"]
