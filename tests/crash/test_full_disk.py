"""The journal's disk is filled by something else, long before the budget is,
and has room again later. Meanwhile nothing is acknowledged that is not durable
and deliveries go on; afterwards reception resumes without a restart."""
import errno
import os
import subprocess

import proof
import pytest

import harness

SITES = 100
DISK = "16m"


@pytest.fixture
def place(installation):
    """The installation with its journal on a small disk of its own."""
    journal = installation.directory / "journal"
    if os.geteuid() != 0:
        pytest.skip("a mount needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", journal],
        capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no mount here: {mounted.stderr.strip()}")
    installation.extra = {"journal": {"segment_size": "1MiB",
                                      "budget": "1GiB"}}
    try:
        yield installation
    finally:
        for program in reversed(installation.programs):
            program.kill()
        subprocess.run(["umount", journal], check=True)


def fill(path):
    """Take all the room that is left, as a log or a dump would."""
    with open(path, "wb", buffering=0) as ballast:
        size = 1 << 20
        while size >= 4096:
            try:
                ballast.write(bytes(size))
            except OSError:
                size //= 2


def journal_of(place):
    return place.live("show", "journal")[0]


def refuses(place, because):
    return because in journal_of(place).get("refusing_because", "")


def received(stations):
    return sum(len(harness.ledger_lines(s.ledger)) for s in stations)


def own_events(place, code):
    return [qualifier for qualifier, in place.postgres.query(
        "SELECT qualifier FROM tocsin.event WHERE listener = 'watch' "
        "AND code = %s ORDER BY lsn", code)]


class FullDisk:
    """Load over a disk that another file fills; records wait for room, and
    the link of the first station delivers its backlog."""

    def __init__(self, place):
        self.place = place
        self.stations = proof.demo_stations(place, SITES)
        place.start_daemon()
        self.load = place.load(
            "panels", "--accounts", proof.accounts(SITES), "--panels", 20,
            "--rate", 2000, "--inflight", 4, "--seconds", 600, "--persist",
            "--timeout", "2s")
        harness.wait_until(lambda: received(self.stations) > 500,
                           "signals flow")
        for station in self.stations:
            place.ctl("pause", "link", station.name, database=False)
        harness.wait_until(lambda: journal_of(place)["segments"] >= 8,
                           "a backlog")
        self.ballast = place.directory / "journal/ballast"
        fill(self.ballast)
        harness.wait_until(lambda: refuses(place, "kept for deliveries"),
                           "signals are refused")
        assert journal_of(place)["disk_full"] == os.strerror(errno.ENOSPC)
        before = received(self.stations)
        place.ctl("resume", "link", self.stations[0].name, database=False)
        harness.wait_until(lambda: refuses(place, "held in memory"),
                           "records wait for room")
        self.acknowledged = self.count_acknowledged()
        harness.wait_until(lambda: received(self.stations) > before + 1000,
                           "deliveries go on")
        assert self.count_acknowledged() == self.acknowledged

    def count_acknowledged(self):
        return len(harness.ledger_lines(self.load.ledger))

    def wait_for_reception(self):
        harness.wait_until(
            lambda: self.count_acknowledged() > self.acknowledged + 500,
            "signals are acknowledged again")

    def prove(self):
        self.load.stop()
        proof.prove(self.place, [self.load], self.stations,
                    minimum=self.acknowledged + 500)


def test_a_disk_filled_under_load_is_waited_for(place):
    disk = FullDisk(place)
    daemon = place.daemon
    disk.ballast.unlink()
    disk.wait_for_reception()
    place.ctl("resume", "link", disk.stations[1].name, database=False)
    disk.prove()
    assert daemon.running() and not journal_of(place)["refusing"]
    told = ("623", "624")
    harness.wait_until(lambda: all(own_events(place, x)[1:] for x in told),
                       "it is told that there is room")
    for code in told:
        assert own_events(place, code) == ["E", "R"], code


def test_a_kill_while_records_wait_for_room_loses_nothing(place):
    disk = FullDisk(place)
    place.daemon.kill()
    disk.ballast.unlink()
    place.start_daemon()  # what was paused goes on
    disk.wait_for_reception()
    disk.prove()
