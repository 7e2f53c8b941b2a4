"""Mail: a real SMTP dialogue with faults. Nothing is lost, each account's order
is kept, 4xx is tried again, 5xx is parked with the server's words."""
import os
import socket
import subprocess

import proof
import pytest

import harness
import smtp_peer

SITES = 20
QUICK = {"reconnect_min": "50ms", "reconnect_max": "200ms"}
LOGIN = ("tocsin", "a secret")
TEMPLATE = """From: alarms@example.com
To: {account}@station.example
Subject: {sequence} {qualifier}{code}

{zone} {text}
"""


def make_certificate(directory):
    path = directory / "peer.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", path, "-out", directory / "cert.pem"],
        check=True, capture_output=True)
    with open(path, "a") as f:
        f.write((directory / "cert.pem").read_text())
    return path


def send_by_mail(place, name, endpoint):
    number = place.postgres.query(
        "SELECT id FROM tocsin.receiver WHERE name = %s", name)[0][0]
    place.ctl("receiver", "set", "--id", number, "--endpoints", "none")
    place.ctl("receiver", "set", "--id", number, "--protocol", "mail")
    place.ctl("receiver", "set", "--id", number, "--ack-wait", "1s",
              "--retries", 1, "--endpoints", endpoint)


def link(place, name):
    return next(x for x in place.live("show", "links") if x["name"] == name)


@pytest.fixture
def mailing(installation):
    """The demo, its two stations to be reached by mail; two peers with
    faults."""
    place = installation
    templates = place.directory / "mail"
    templates.mkdir()
    certificate = make_certificate(place.directory)
    for name in "immix", "open":
        (templates / name).write_text(TEMPLATE)
    (templates / "immix.ca").write_text(
        (place.directory / "cert.pem").read_text())
    (templates / "immix.login").write_text("\n".join(LOGIN) + "\n")
    place.extra["egress"] = QUICK | {"mail_dir": templates}
    place.ctl("db", "seed-demo", "--sites", SITES)
    peers = [smtp_peer.MailPeer(certificate, LOGIN, script=[
                 None, "greylist", "451-data", "close", "silent", None,
                 "451 4.3.0 later", "close-after", "421 4.3.2 going down"]),
             smtp_peer.MailPeer(script=[
                 None, "unknown", None, "554 5.7.1 looks like spam"])]
    for name, peer, endpoint in zip(("station-a", "station-b"), peers,
                                    ("smtp://immix", "smtp-clear://open")):
        send_by_mail(place, name, f"{endpoint}@127.0.0.1:{peer.port}")
    place.start_daemon()
    yield place, peers
    for peer in peers:
        peer.close()


def sequences(peer):
    """In the order they came, repeats right behind taken together."""
    numbers = []
    for mail in peer.mails:
        number = int(mail["Subject"].split()[0])
        if numbers[-1:] != [number]:
            numbers.append(number)
    return numbers


def test_mail_faults(mailing):
    place, peers = mailing
    load = place.load("panels", "--accounts", proof.accounts(SITES),
                      "--panels", 5, "--rate", 100, "--count", 60)
    assert load.wait() == 0, load.text()
    harness.wait_until(place.drained, "everything is through")
    parked = place.live("show", "parked")
    assert sorted(x["reason"] for x in parked) == [
        "550 5.1.1 no such user", "554 5.7.1 looks like spam"]
    assert {x["receiver"] for x in parked} == {"station-b"}
    first, second = map(sequences, peers)
    assert first == list(range(1, len(first) + 1))
    assert second == sorted(second)
    assert len(first) + len(second) + 2 == 60
    mail = peers[0].mails[0]
    assert mail["From"] == "alarms@example.com"
    assert mail["To"].endswith("@station.example")
    assert mail["Message-ID"].startswith("<test-")
    assert len({x["Message-ID"] for x in peers[0].mails}) == len(first)
    place.ctl("replay", "link", "station-b", database=False)
    harness.wait_until(lambda: len(sequences(peers[1])) == len(second) + 2,
                       "the parked ones after a replay")
    assert not place.live("show", "parked")


def test_a_wrong_login_holds_everything(mailing):
    place, peers = mailing
    peers[0].login = ("tocsin", "another")
    peers[0].script = []
    load = place.load("panels", "--accounts", proof.accounts(SITES),
                      "--panels", 2, "--count", 10)
    assert load.wait() == 0, load.text()

    def last_error():
        return link(place, "station-a")["last_error"]
    harness.wait_until(lambda: "535" in last_error() or
                       "denied" in last_error().lower(),
                       "it says that the login is wrong")
    shown = link(place, "station-a")
    assert shown["delivered"] == 0 and shown["parked"] == 0
    peers[0].login = LOGIN
    harness.wait_until(place.drained, "everything is through")
    assert not [x for x in place.live("show", "parked")
                if x["receiver"] == "station-a"]


def test_a_resolver_that_never_answers_holds_up_its_mails_alone(installation):
    """libcurl asks the system's resolver, and only that link's thread waits."""
    if os.geteuid() != 0:
        pytest.skip("only root gives a program a resolver of its own")
    place = installation
    stations = proof.demo_stations(place, SITES)
    peer = smtp_peer.MailPeer()
    templates, resolver = (place.directory / x for x in ("mail", "resolver"))
    templates.mkdir()
    (templates / "open").write_text(TEMPLATE)
    # longer than anything here is waited for
    resolver.write_text("nameserver 127.0.0.77\n"
                        "options timeout:30 attempts:5\n")
    place.extra["egress"] = QUICK | {"mail_dir": templates}
    send_by_mail(place, "station-a",
                 f"smtp-clear://open@mail.example:{peer.port}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.77", 53))
        silent.settimeout(harness.WAIT_S)
        place.start_daemon(within=(
            "unshare", "--mount", "sh", "-c",
            f"mount --bind {resolver} /etc/resolv.conf && exec \"$0\" \"$@\""))
        load = place.load("panels", "--accounts", proof.accounts(SITES),
                          "--panels", 5, "--count", 60)
        assert b"\4mail\7example\0" in silent.recv(512).lower()
        assert load.wait() == 0, load.text()
        harness.wait_until(
            lambda: link(place, "station-b")["delivered"] > 0 and
            link(place, "station-b")["queued"] == 0,
            "the other station gets its own")
        mails = link(place, "station-a")["queued"]
        assert mails > 0 and link(place, "station-a")["delivered"] == 0
        # the end does not wait for an answer either
        assert place.daemon.stop() == 0
    send_by_mail(place, "station-a",
                 f"smtp-clear://open@127.0.0.1:{peer.port}")
    place.start_daemon()
    harness.wait_until(place.drained, "the mails are through")
    assert sequences(peer) == list(range(1, mails + 1))
    assert len(harness.ledger_lines(stations[1].ledger)) == 60 - mails
    peer.close()
