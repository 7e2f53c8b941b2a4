"""DC-09 over TLS through the real daemon: certificates made with openssl, the
synthetic panels of tocsin-load, and panels by hand over Python's ssl."""
import hashlib
import signal
import socket
import ssl
import subprocess

import panel
import proof
import pytest
from authority import Authority

import harness

SITES = 12
ACCOUNT = "100000"  # the demo's first bridge


@pytest.fixture
def place(installation):
    """Listeners "tls" (asks for nothing) and "bound" (demands a certificate
    that names the account) beside the usual clear ones."""
    place = installation
    directory = place.directory / "tls"
    directory.mkdir()
    place.ca = Authority(directory)
    place.certificate = place.ca.sign("receiver", "receiver", "IP:127.0.0.1")
    place.tls_port, place.bound_port = (harness.free_port() for _ in "12")
    common = {"transport": "tls", "address": "127.0.0.1",
              "certificate": place.certificate}
    place.extra["listener tls"] = {**common, "port": place.tls_port,
                                   "handshake_timeout": "1s"}
    place.extra["listener bound"] = {**common, "port": place.bound_port,
                                     "client_ca": place.ca.file}
    return place


class TlsPanel(panel.Panel):
    def __init__(self, place, port, certificate=None):
        super().__init__(port)
        context = ssl.create_default_context(cafile=str(place.ca.file))
        if certificate:
            context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket,
                                          server_hostname="127.0.0.1")

    def certificate_sha256(self):
        return hashlib.sha256(self.socket.getpeercert(True)).hexdigest()


def listener(place, name):
    return next(x for x in place.live("show", "listeners")
                if x["name"] == name)


def errors(place, name):
    return [(x["reason"], bytes.fromhex(x["bytes"]))
            for x in place.live("show", "errors") if x["listener"] == name]


def event(sequence, account=ACCOUNT):
    return panel.frame(account, "1130 01 002", sequence=sequence)


def test_events_over_tls_are_delivered(place):
    stations = proof.demo_stations(place, SITES)
    own = place.ca.sign("panel", ACCOUNT,
                        ",".join(f"DNS:{0x100004 + i:06X}" for i in range(4)))
    place.start_daemon()
    loads = [
        place.load("tls", "--tls", "--ca", place.ca.file, "--accounts",
                   proof.accounts(4), "--panels", 4, "--count", 400,
                   port=place.tls_port),
        place.load("bound", "--tls", "--ca", place.ca.file, "--certificate",
                   own, "--accounts", proof.accounts(4, 0x100004), "--panels",
                   4, "--count", 200, "--reconnect", port=place.bound_port),
        place.load("clear", "--accounts", proof.accounts(4, 0x100008),
                   "--panels", 4, "--count", 200),
    ]
    for load in loads:
        assert load.wait() == 0, load.text()
    assert proof.prove(place, loads, stations) == 800
    assert sorted(place.postgres.query(
        "SELECT listener, count(*) FROM tocsin.event GROUP BY 1")) == [
            ("bound", 200), ("tcp", 200), ("tls", 400)]
    assert listener(place, "tls")["handshakes"] == 4
    # one whose authority the load does not know is no receiver
    stranger = Authority(place.directory / "tls", "stranger")
    refused = place.load("refused", "--tls", "--ca", stranger.file, "--count",
                         1, port=place.tls_port)
    assert refused.wait() == 69
    assert "certificate" in refused.text()


def test_certificates_of_panels(place):
    stations = proof.demo_stations(place, SITES)
    own = place.ca.sign("own", ACCOUNT)
    stranger = Authority(place.directory / "tls", "stranger").sign(
        "foreign", ACCOUNT)
    place.start_daemon()
    with TlsPanel(place, place.bound_port, own) as p:
        assert p.ask(event(1)) == "ACK"
        # another site's account is nobody's of this connection
        assert p.ask(event(2, "100001")) == "DUH"
        assert p.ask(panel.frame("100001", "", identifier="NULL")) == "DUH"
        assert p.ask(event(3)) == "ACK"
    for certificate in (None, stranger):
        with pytest.raises(OSError):
            with TlsPanel(place, place.bound_port, certificate) as p:
                assert p.ask(event(4)) is None
    harness.wait_until(
        lambda: listener(place, "bound")["handshakes_failed"] == 2,
        "both were refused")
    assert listener(place, "bound")["other_account"] == 2
    reasons = [reason for reason, _ in errors(place, "bound")]
    assert reasons.count("an account that the client certificate does not "
                         "name") == 2
    assert "peer did not return a certificate" in reasons
    assert "unable to get local issuer certificate" in reasons
    assert "cause=other_account" in place.daemon.text()
    harness.wait_until(place.drained, "everything is delivered")
    for station in stations:
        station.stop()
    assert [line.split()[0] for station in stations
            for line in harness.ledger_lines(station.ledger)] == \
        [place.postgres.query(
            "SELECT account FROM tocsin.delivery LIMIT 1")[0][0]] * 2


def test_a_reload_renews_the_certificate(place):
    place.start_daemon()
    with TlsPanel(place, place.tls_port) as old:
        before = old.certificate_sha256()
        assert old.ask(event(1)) == "ACK"
        assert listener(place, "tls")["certificate_sha256"] == before
        place.ca.sign("receiver", "renewed", "IP:127.0.0.1")
        place.daemon.signal(signal.SIGHUP)
        harness.wait_until(
            lambda: listener(place, "tls")["certificate_sha256"] != before,
            "the new certificate is in force")
        with TlsPanel(place, place.tls_port) as fresh:
            after = fresh.certificate_sha256()
            assert after == listener(place, "tls")["certificate_sha256"]
            assert fresh.ask(event(2)) == "ACK"
        assert old.ask(event(3)) == "ACK"
        # one that cannot be used changes nothing
        place.certificate.write_text("no certificate")
        done = place.ctl("reload", database=False, check=False)
        assert done.returncode != 0
        assert f"certificate: {place.certificate}: no start line" in \
            done.stdout + done.stderr
        assert old.ask(event(4)) == "ACK"
        with TlsPanel(place, place.tls_port) as fresh:
            assert fresh.certificate_sha256() == after


def test_strangers_are_turned_away(place):
    place.start_daemon()
    with panel.Panel(place.tls_port) as clear:
        clear.send(event(1))
        assert clear.receive() == b""
    assert errors(place, "tls")[0] == ("no TLS on a port for TLS", event(1))
    with socket.create_connection(("127.0.0.1", place.tls_port)) as mute:
        mute.settimeout(panel.REPLY_S)
        mute.sendall(b"\x16\x03\x01\x02\x00\x01")  # and no more
        assert mute.recv(1) == b""
    assert listener(place, "tls")["timeouts"] == 1
    # a TLS 1.1 client, which openssl still plays
    old = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{place.tls_port}",
         "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=harness.WAIT_S)
    assert "alert protocol version" in old.stderr
    assert errors(place, "tls")[0][0] == "unsupported protocol"
    # and TLS where clear text is spoken
    place.extra["listener tcp"] = {"first_frame_timeout": "1s"}
    place.write_config()
    place.live("reload")
    with pytest.raises(OSError):
        TlsPanel(place, place.port)
    reason, start = errors(place, "tcp")[-1]
    assert reason == "TLS on a port for clear text"
    assert start.startswith(b"\x16\x03")
    with TlsPanel(place, place.tls_port) as p:
        assert p.ask(event(2)) == "ACK"


def test_one_address_opens_no_more_than_it_may(place):
    place.extra["listener tls"]["max_source_sessions"] = 3
    place.start_daemon()
    panels = [TlsPanel(place, place.tls_port) for _ in range(3)]
    with pytest.raises(OSError):
        TlsPanel(place, place.tls_port)
    assert listener(place, "tls")["refused_source"] == 1
    assert panels[0].ask(event(1)) == "ACK"
    for p in panels:
        p.socket.close()
    harness.wait_until(lambda: listener(place, "tls")["sessions"] == 0,
                       "they have gone")
    with TlsPanel(place, place.tls_port) as p:
        assert p.ask(event(2)) == "ACK"
