"""tocsind as a service: its configuration checked and reloaded, its end, what
it tells the service manager and metrics, and the commands of its control
socket."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import panel
import proof
import pytest

import harness

SITES = 20


def account(site):
    return f"{0x100000 + site:06X}"


def tocsind(*arguments):
    return subprocess.run([harness.PROGRAMS / "tocsind", *map(str, arguments)],
                          capture_output=True, text=True,
                          timeout=harness.WAIT_S, check=False)


def received(stations):
    return sum(len(harness.ledger_lines(s.ledger)) for s in stations)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


@pytest.fixture
def running(installation):
    installation.stations = proof.demo_stations(installation, SITES)
    installation.start_daemon()
    return installation


# ---- configuration


def test_check_and_print_the_configuration(tmp_path):
    good = tmp_path / "good.ini"
    good.write_text("[node]\nname = here\n[listener a]\nport = 4000\n"
                    "key = hex:" + "00" * 16 + "\n")
    assert tocsind("-t", "-c", good).returncode == 0
    printed = tocsind("-T", "-c", good)
    assert printed.returncode == 0
    assert re.search(r"^name = here$", printed.stdout, re.M)
    assert re.search(r"^port = 4000$", printed.stdout, re.M)
    assert re.search(rf"{good}:2\b", printed.stdout)  # where it was set
    assert re.search(r"^retention = 7d$", printed.stdout, re.M)  # a default
    assert "00000000" not in printed.stdout
    bad = tmp_path / "bad.ini"
    bad.write_text("[node]\nnmae = here\n\n[listener a]\nport = 99999\n"
                   "[jornal]\ndir = x\n")
    for arguments in (("-t", "-c", bad), ("-c", bad)):
        done = tocsind(*arguments)
        assert done.returncode == 78, done
        assert f"{bad}:2:" in done.stderr
    errors = tocsind("-t", "-c", bad).stderr
    assert f"{bad}:5:" in errors and f"{bad}:6:" in errors
    assert "did you mean" in errors
    assert tocsind("-t", "-c", tmp_path / "none.ini").returncode == 78
    assert tocsind("-x").returncode == 64


def reloads(place):
    return place.daemon.text().count("event=reloaded")


def reload(place):
    before = reloads(place)
    place.write_config()
    place.daemon.signal(signal.SIGHUP)
    harness.wait_until(lambda: reloads(place) > before, "reloaded")


def test_reload_keeps_connections(running):
    place = running
    added = harness.free_port()
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(account(0), "1130 01 002")) == "ACK"
        place.extra["listener added"] = {"address": "127.0.0.1",
                                         "port": added}
        place.extra["listener tcp"] = {"unknown_account": "duh"}
        reload(place)
        # the connection of before, the new setting
        assert p.ask(panel.frame("ABCDEF", "1130 01 002")) == "DUH"
        with panel.Panel(added) as q:
            assert q.ask(panel.frame(account(1), "1130 01 002")) == "ACK"
        del place.extra["listener added"]
        reload(place)
        harness.wait_until(lambda: not accepts(added), "it is closed")
        assert p.ask(panel.frame(account(2), "1130 01 002")) == "ACK"
    assert [x["name"] for x in place.live("show", "listeners")] == \
        ["tcp", "udp"]
    assert "unknown_account" in place.daemon.text()  # what changed


@pytest.mark.parametrize("wrong", ["key", "address", "log"])
def test_a_bad_configuration_changes_nothing(running, wrong):
    place = running
    added = harness.free_port()
    place.extra["listener added"] = {"address": "127.0.0.1", "port": added}
    place.extra["listener tcp"] = {"unknown_account": "duh"}
    log = place.directory / "other.log"
    if wrong == "key":
        place.extra["egress"] = {"reconect_min": "1s"}
    elif wrong == "address":  # taken by the metrics
        place.extra["log"] = {"file": log}
        place.extra["listener added"]["port"] = place.metrics_port
    else:
        place.extra["log"] = {"file": place.directory / "no/such/place"}
    place.write_config()
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(account(0), "1130 01 002")) == "ACK"
        place.daemon.signal(signal.SIGHUP)
        refused = harness.wait_until(
            lambda: [line for line in place.daemon.text().splitlines()
                     if "reload_refused" in line], "refused")
        assert "nothing changed" in refused[0]
        done = place.ctl("reload", database=False, check=False)
        assert done.returncode == 78
        assert "nothing changed" in done.stderr
        if wrong == "key":
            assert "reconect_min" in done.stderr
        assert not accepts(added)
        assert p.ask(panel.frame("ABCDEF", "1130 01 002")) == "ACK"
    assert not log.exists() or log.read_text() == ""
    assert place.daemon.text().count("reload_refused") >= 1


# ---- the end, and the service manager


def test_a_stop_finishes_the_replies(running):
    place = running
    load = place.load("panels", "--accounts", proof.accounts(SITES),
                      "--panels", 20, "--inflight", 4, "--rate", 3000,
                      "--seconds", 0, "--persist", "--timeout", "2s")
    for _ in range(3):
        before = received(place.stations)
        harness.wait_until(lambda: received(place.stations) > before + 100,
                           "deliveries")
        assert place.daemon.stop() == 0
        place.start_daemon()
    assert load.stop() == 0, load.text()
    proof.prove(place, [load], place.stations, minimum=300)


def test_tells_the_service_manager(installation, monkeypatch):
    place = installation
    path = str(place.directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(harness.WAIT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        proof.demo_stations(place, SITES)

        def told(word):
            while True:
                text = manager.recv(4096).decode()
                if word in text.splitlines():
                    return text
        place.start_daemon(wait=False)
        told("READY=1")
        assert accepts(place.port)  # ready means ready
        told("WATCHDOG=1")
        told("WATCHDOG=1")
        place.daemon.signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in told("RELOADING=1")
        told("READY=1")
        place.daemon.signal(signal.SIGTERM)
        told("STOPPING=1")
        assert place.daemon.wait() == 0


def test_metrics_and_health(running):
    place = running
    load = place.load("panels", "--accounts", proof.accounts(SITES),
                      "--panels", 4, "--count", 100, "--null-every", 5)
    assert load.wait() == 0, load.text()
    polls = json.loads(load.text().splitlines()[-1])["link_tests_acknowledged"]
    harness.wait_until(place.drained, "delivered")
    assert place.page("/healthz")[0] == 200
    assert place.page("/readyz")[0] == 200
    assert place.page("/else")[0] == 404
    for name, value in {
            "tocsin_signals_received_total": 100, "tocsin_polls_total": polls,
            "tocsin_ack_seconds_count": 100,
            "tocsin_delivery_seconds_count": 100, "tocsin_link_up": 2,
            "tocsin_link_delivered_total": 100,
            "tocsin_link_queue_length": 0, "tocsin_deliveries_parked": 0,
            "tocsin_journal_refusing": 0, "tocsin_directory_sites": SITES,
            "tocsin_archive_connected": 1, "tocsin_healthy": 1,
            "tocsin_build_info": 1}.items():
        assert place.metric(name) == value, name
    text = place.page("/metrics")[1]
    # what the manual lists is there, and no account is a label
    manual = (harness.SOURCE / "docs/OPERATIONS.md").read_text()
    roles = "daemon|operator|portal"  # of the database
    for name in re.findall(rf"tocsin_(?!(?:{roles})\b)[a-z_]+", manual):
        if not name.startswith("tocsin_link_parked"):
            assert re.search(rf"^# HELP {name}", text, re.M), name
    assert not re.search(r'="[^"\n]*1000[0-9A-F]{2}[^"\n]*"', text)
    for station in place.stations:
        station.kill()
    harness.wait_until(lambda: place.metric("tocsin_link_up") == 0,
                       "both links are down")


# ---- a journal without room


def journal_signals(place):
    """The installation's own events, from its journal."""
    out = place.ctl("journal", "dump", place.directory / "journal", "--json",
                    options=False, check=False).stdout
    return [event for line in out.splitlines()
            for record in [json.loads(line)]
            if record["kind"] == "signal" and record["protocol"] == "internal"
            for event in record["events"]]


# ---- the control socket


def test_pause_resume_and_tail(running):
    place = running
    control = place.run_directory / "control"
    tail = place.start("tocsinctl", "tail", "--account", account(0), "--json",
                       "--socket", control, log=place.directory / "tail.log")
    everything = place.start("tocsinctl", "tail", "--socket", control,
                             log=place.directory / "all.log")
    assert place.ctl("pause", "link", "nobody", database=False,
                     check=False).returncode == 1
    with panel.Panel(place.port) as p:
        sequence = 0

        def heard():
            nonlocal sequence
            sequence += 1
            assert p.ask(panel.frame(account(0), "1130 01 002",
                                     sequence=sequence)) == "ACK"
            return tail.text() and everything.text()
        harness.wait_until(heard, "both listen")
        harness.wait_until(place.drained, "what was heard is delivered")
        place.ctl("pause", "link", "station-a", database=False)
        harness.wait_until(
            lambda: [x["state"] for x in place.live("show", "links")
                     if x["name"] == "station-a"] == ["paused"], "paused")
        before = received(place.stations[:1])
        assert p.ask(panel.frame(account(0), "1133 01 003",
                                 sequence=9000)) == "ACK"
        assert p.ask(panel.frame(account(1), "1133 01 003",
                                 sequence=9000)) == "ACK"
        harness.wait_until(lambda: received(place.stations[1:]) == 1,
                           "the other link delivers")
        assert [x["queued"] for x in place.live("show", "queues")
                if x["link"] == "station-a"] == [1]
        assert received(place.stations[:1]) == before
        place.ctl("resume", "link", "station-a", database=False)
        harness.wait_until(lambda: received(place.stations[:1]) == before + 1,
                           "resumed")
    harness.wait_until(lambda: '"zone":"003"' in tail.text(), "tail says it")
    lines = [json.loads(line) for line in tail.text().splitlines()]
    assert {x["account"] for x in lines if x["kind"] == "decision"} == \
        {account(0)}
    assert account(1) in everything.text()
    event = next(x["event"] for x in lines if x["zone"] == "003")
    harness.wait_until(place.drained, "its outcome is read back")
    trace = place.live("trace", event)
    assert [x["kind"] for x in trace] == \
        ["received", "event", "decision", "outcome", "end"]
    outcome = trace[3]
    assert (outcome["state"], outcome["receiver"], outcome["attempts"],
            outcome["repeated"]) == ("delivered", "station-a", 1, False)
    assert place.ctl("trace", "test-1", database=False,
                     check=False).returncode == 1
    assert place.ctl("trace", "nonsense", database=False,
                     check=False).returncode == 64


def test_everything_that_show_knows(running):
    place = running
    words = place.ctl("-h", options=False).split("\n")
    words = next(line for line in words if line.strip().startswith("show "))
    words = re.sub(r" (\[[^]]*\]|SITE|NAME)", "", words).split()[1].split("|")
    words.remove("shadow")  # there is none
    assert {"status", "links", "parked", "archive"} <= set(words)
    behind = {"arming": place.postgres.query(
        "SELECT min(id) FROM tocsin.site")[0]}
    for word in words:
        arguments = (word, *behind.get(word, ()))
        place.ctl("show", *arguments, "--json", database=False)
        place.ctl("show", *arguments, database=False)  # for people
    done = place.ctl("show", "shadow", "of nobody", database=False, check=False)
    assert done.returncode != 0 and "of nobody" in done.stderr
    done = place.ctl("show", "lnks", database=False, check=False)
    assert done.returncode == 64
    assert "did you mean 'show links'" in done.stderr
    place.live("show", "sessions", 5)
    done = place.ctl("drain", database=False)
    assert place.daemon.wait() == 0
    done = place.ctl("show", "status", database=False, check=False)
    assert done.returncode == 69
    assert "is tocsind running?" in done.stderr
    verified = place.ctl("journal", "verify", place.directory / "journal",
                         options=False)
    assert "0 damaged" in verified


def test_nobody_else_gets_in(running):
    place = running
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    # the tree may lie where nobody else comes
    tocsinctl = shutil.copy(harness.PROGRAMS / "tocsinctl", place.directory)
    done = subprocess.run(
        ["runuser", "-u", "nobody", "--", tocsinctl,
         "show", "status", "--socket", place.run_directory / "control"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 77, done
    assert "Permission denied" in done.stderr
    again = subprocess.run(
        [harness.PROGRAMS / "tocsind", "-c", place.config],
        capture_output=True, text=True, timeout=harness.WAIT_S, check=False)
    assert again.returncode == 69  # one daemon a journal
    assert "cannot_start" in again.stderr
