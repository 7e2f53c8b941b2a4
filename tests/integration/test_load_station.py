"""tocsin-load against tocsin-station: panels and station keep the same books,
whatever the station does wrong."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

import harness

BUILD = pathlib.Path(os.environ.get("TOCSIN_BUILD", "."))
TOOL = pathlib.Path(__file__).resolve().parents[1] / "tools/compare_ledgers.py"
KEY = ("--key", "hex:000102030405060708090a0b0c0d0e0f")
WAIT_S = 60


class Station:
    def __init__(self, process, address):
        self.process = process
        self.address = address

    def summary(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=WAIT_S)
        assert self.process.returncode == 0
        return json.loads(out)


@contextlib.contextmanager
def station(ledger, *options, address="127.0.0.1:0"):
    process = subprocess.Popen(
        [BUILD / "src/tocsin-station", "--protocol", "dc09", "--json",
         "--listen", address, "--ledger", ledger, *options],
        stdout=subprocess.PIPE, text=True)
    try:
        word, address = process.stdout.readline().split()
        assert word == "listening"
        yield Station(process, address)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def load_command(address, ledger, *options):
    return [BUILD / "src/tocsin-load", "--target", address, "--json",
            "--ledger", ledger, "--panels", "10", *options]


def load(*arguments):
    done = subprocess.run(load_command(*arguments), capture_output=True,
                          text=True, timeout=WAIT_S, check=False)
    return done.returncode, json.loads(done.stdout)


def compare(sent, *received):
    done = subprocess.run(
        [sys.executable, TOOL, sent, "--", *received, "--json"],
        capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert done.returncode == 0, found
    return found


@pytest.mark.parametrize("ways", [
    (), ("--inflight", "8"), ("--reconnect",), ("--threads", "2"),
    ("--format", "sia-dcs"), ("--null-every", "3"),
    ("--rate", "5000", "--inflight", "4"),
    ("--accounts", "0100-01FF"), KEY], ids=" ".join)
@pytest.mark.parametrize("transport", [(), ("--udp",)], ids=["tcp", "udp"])
def test_books_agree(tmp_path, ways, transport):
    if ways == ("--reconnect",) and transport:
        pytest.skip("a datagram has no connection")
    key = ways if ways == KEY else ()
    with station(tmp_path / "received", *transport, *key) as there:
        status, sent = load(there.address, tmp_path / "sent", "--count",
                            "2000", *transport, *ways)
        received = there.summary()
    assert status == 0
    assert sent["acknowledged"] == received["acknowledged"] == 2000
    assert sent["unexpected_replies"] == sent["bad_replies"] == 0
    assert sent["latency_us"]["p50"] <= sent["latency_us"]["max"]
    assert sent["link_tests_acknowledged"] == sent["link_tests"] == \
        received["polls"]
    assert compare(tmp_path / "sent", tmp_path / "received")["delivered"] == \
        2000


def test_link_tests_alone(tmp_path):
    with station(tmp_path / "received") as there:
        status, sent = load(there.address, tmp_path / "sent", "--count", "500",
                            "--link-tests", "--accounts", "0100-01FF")
        received = there.summary()
    assert status == 0
    assert sent["acknowledged"] == received["polls"] == 500
    assert received["acknowledged"] == sent["link_tests"] == 0


def test_panels_stay(tmp_path):
    with station(tmp_path / "received") as there:
        began = time.monotonic()
        status, sent = load(there.address, tmp_path / "sent", "--count", "20",
                            "--stay", "1s")
        assert time.monotonic() >= began + 1
        assert status == 0 and sent["acknowledged"] == 20
        staying = subprocess.Popen(
            load_command(there.address, tmp_path / "again", "--count", "20",
                         "--stay", "10min"),
            stdout=subprocess.PIPE, text=True)
        harness.wait_until(
            lambda: len(harness.ledger_lines(tmp_path / "again")) == 20,
            "all is said")
        staying.send_signal(signal.SIGINT)
        out, _ = staying.communicate(timeout=WAIT_S)
        assert staying.returncode == 0
        assert json.loads(out)["acknowledged"] == 20


@pytest.mark.parametrize("fault", ["no-ack", "nak", "slow", "half-open",
                                   "drip", "close-each"])
def test_faults_cost_no_signal(tmp_path, fault):
    with station(tmp_path / "received", "--fault", fault, "--fault-rate",
                 "0.02", "--delay", "2ms", "--seed", "7") as there:
        status, sent = load(there.address, tmp_path / "sent", "--count",
                            "1000", "--timeout", "200ms", "--persist",
                            "--inflight", "3")
        received = there.summary()
    assert status == 0
    assert sent["acknowledged"] == 1000
    assert received["faults"] > 0
    compare(tmp_path / "sent", tmp_path / "received")


def test_killed_station(tmp_path):
    """A message in flight is sent again to the next one on the same port."""
    with station(tmp_path / "received-1") as first:
        address = first.address
        panels = subprocess.Popen(
            load_command(address, tmp_path / "sent", "--persist", "--count",
                         "20000", "--inflight", "4"),
            stdout=subprocess.PIPE, text=True)
        while (tmp_path / "received-1").stat().st_size < 100000:
            assert panels.poll() is None
        first.process.kill()
        first.process.wait()
    with station(tmp_path / "received-2", address=address):
        out, _ = panels.communicate(timeout=WAIT_S)
        assert panels.returncode == 0
    assert json.loads(out)["acknowledged"] == 20000
    compare(tmp_path / "sent", tmp_path / "received-1",
            tmp_path / "received-2")


def test_silence_is_reported(tmp_path):
    """Tries run out: status 1, and the ledger says so."""
    with station(tmp_path / "received", "--fault", "no-ack") as there:
        status, sent = load(there.address, tmp_path / "sent", "--count", "20",
                            "--timeout", "50ms", "--tries", "2")
    assert status == 1
    assert sent["acknowledged"] == 0
    assert sent["unacknowledged"] == sent["resent"] == sent["sent"]
    times = [line.split()[6] for line in open(tmp_path / "sent",
                                              encoding="ascii")]
    assert times == ["?"] * sent["sent"]


def test_nobody_listens(tmp_path):
    done = subprocess.run(load_command("127.0.0.1:1", tmp_path / "sent"),
                          capture_output=True, text=True, timeout=WAIT_S,
                          check=False)
    assert done.returncode == 69
    assert "127.0.0.1:1: Connection refused" in done.stderr


@pytest.mark.parametrize("program", ["tocsin-load", "tocsin-station"])
def test_help_and_wrong_use(program):
    good = subprocess.run([BUILD / "src" / program, "--help"],
                          capture_output=True, text=True, check=False)
    assert good.returncode == 0
    assert good.stdout.startswith(f"usage: {program} ")
    bad = subprocess.run([BUILD / "src" / program, "--ledgr", "x"],
                         capture_output=True, text=True, check=False)
    assert bad.returncode == 64
    assert "did you mean '--ledger'" in bad.stderr
