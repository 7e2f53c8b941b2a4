"""tests/tools/compare_ledgers.py finds every kind of fault, and only faults."""

import json
import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[1] / "tools/compare_ledgers.py"

ACCOUNTS = ("1000", "1001")
MAP = """\
# account\tstation_account\tzone\tcode\tstation
1000\tA100\t*\t134\teast
1000\tA100\t3\t-
1001\tB200\t*\t=\twest
"""


def signals(account, count):
    """What the n-th signal of an account is: E/R alternate, zones cycle."""
    for n in range(count):
        yield {"account": account, "sequence": n + 1,
               "qualifier": "ER"[n % 2], "code": "130",
               "partition": 1 + n // 8, "zone": 1 + n // 2 % 4,
               "id": n, "acknowledged": True}


class World:
    """Two ledgers that agree, to be spoilt by a test."""

    def __init__(self, path, count=40):
        self.path = path
        self.sent = [s for pair in zip(*(signals(a, count) for a in ACCOUNTS))
                     for s in pair]
        self.received = {"east": [], "west": []}
        self.repeats = None
        for n, signal in enumerate(self.sent):
            first = signal["account"] == "1000"
            if first and signal["zone"] == 3:
                continue
            self.received["east" if first else "west"].append({
                "account": "A100" if first else "B200",
                "qualifier": signal["qualifier"],
                "code": "134" if first else "130",
                "partition": signal["partition"], "zone": signal["zone"],
                "time": 1000 + n, "state": "ack"})

    def find(self, station, n):
        return self.received[station][n]

    def write(self):
        load = self.path / "load"
        load.write_text("".join(
            "{account} {sequence:04d} {qualifier} {code} {partition:02d} "
            "{zone:03d} {time} {id}\n".format(
                time=5000 + n if s["acknowledged"] else "?", **s)
            for n, s in enumerate(self.sent)))
        arguments = [str(load), "--"]
        for name, rows in self.received.items():
            (self.path / name).write_text("".join(
                "{account} {qualifier} {code} {partition:02d} {zone:03d} 01 1 "
                "{time} {state} - -\n".format(**row) for row in rows))
            arguments.append(f"{name}={self.path / name}")
        (self.path / "map").write_text(MAP)
        arguments += ["--map", str(self.path / "map"), "--json"]
        if self.repeats is not None:
            (self.path / "repeats").write_text("".join(
                f"{row['account']} {row['qualifier']} {row['code']} "
                f"{row['partition']} {row['zone']}\n" for row in self.repeats))
            arguments += ["--repeats", str(self.path / "repeats")]
        return arguments

    def compare(self):
        run = subprocess.run([sys.executable, str(TOOL), *self.write()],
                             capture_output=True, text=True, check=False)
        assert run.returncode in (0, 1), run.stderr
        found = json.loads(run.stdout)
        assert found["good"] == (run.returncode == 0)
        return {key: value for key, value in found.items()
                if isinstance(value, int) and value and key != "good"}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


CLEAN = {"acknowledged": 80, "not_forwarded": 10, "delivered": 70}


def test_agreement(world):
    assert world.compare() == CLEAN


def test_lost(world):
    del world.received["west"][7]
    assert world.compare() == {**CLEAN, "delivered": 69, "lost": 1}


def test_all_lost_at_the_end(world):
    del world.received["west"][-5:]
    assert world.compare() == {**CLEAN, "delivered": 65, "lost": 5}


def test_everything_lost(world):
    world.received["east"].clear()
    assert world.compare() == {**CLEAN, "delivered": 40, "lost": 30}


def test_invented(world):
    world.received["west"].insert(
        9, {**world.find("west", 9), "zone": 77})
    assert world.compare() == {**CLEAN, "invented": 1}


def test_not_to_be_forwarded(world):
    world.received["east"].insert(
        9, {**world.find("east", 9), "zone": 3})
    assert world.compare() == {**CLEAN, "invented": 1}


def test_wrong_account(world):
    row = {**world.received["east"].pop(4), "account": "B200"}
    world.received["west"].insert(4, row)
    assert world.compare() == {**CLEAN, "delivered": 69, "wrong_account": 1}


def test_account_that_nobody_has(world):
    world.find("west", 4)["account"] = "9999"
    assert world.compare() == {**CLEAN, "delivered": 69, "wrong_account": 1}


def test_wrong_code(world):
    world.find("east", 4)["code"] = "130"
    assert world.compare() == {**CLEAN, "delivered": 69, "wrong_code": 1}


def test_wrong_station(world):
    row = world.received["east"].pop(4)
    world.received["west"].insert(4, row)
    assert world.compare() == {**CLEAN, "wrong_station": 1}


def test_out_of_order(world):
    rows = world.received["west"]
    rows[6]["time"], rows[7]["time"] = rows[7]["time"], rows[6]["time"]
    assert world.compare() == {**CLEAN, "out_of_order": 1}


def test_order_is_free_when_acknowledged_the_other_way(world):
    rows = world.received["west"]
    rows[6]["time"], rows[7]["time"] = rows[7]["time"], rows[6]["time"]
    first, second = [n for n, s in enumerate(world.sent)
                     if s["account"] == "1001"][6:8]
    world.sent[first], world.sent[second] = \
        world.sent[second], world.sent[first]
    assert world.compare() == CLEAN


def test_repeat_is_counted(world):
    world.received["west"].insert(9, world.find("west", 8))
    assert world.compare() == {**CLEAN, "repeated": 1}


def test_repeat_must_be_marked(world):
    world.received["west"].insert(9, world.find("west", 8))
    world.repeats = []
    assert world.compare() == {**CLEAN, "repeated": 1, "unmarked_repeat": 1}


def test_marked_repeat(world):
    world.received["west"].insert(9, world.find("west", 8))
    world.repeats = [world.find("west", 8)]
    assert world.compare() == {**CLEAN, "repeated": 1}


def test_a_repeat_does_not_stand_for_a_lost_one(world):
    world.received["west"][9] = world.find("west", 8)
    assert world.compare() == {**CLEAN, "delivered": 69, "repeated": 1,
                               "lost": 1}


def test_unacknowledged_may_be_missing(world):
    world.sent[-1]["acknowledged"] = False
    del world.received["west"][-1]
    assert world.compare() == {**CLEAN, "acknowledged": 79,
                               "unacknowledged": 1, "delivered": 69}


def test_unacknowledged_may_arrive(world):
    world.sent[-1]["acknowledged"] = False
    assert world.compare() == {**CLEAN, "acknowledged": 79,
                               "unacknowledged": 1}


def test_unacknowledged_under_the_wrong_code(world):
    world.sent[-1]["acknowledged"] = False
    world.find("west", -1)["code"] = "131"
    assert world.compare() == {**CLEAN, "acknowledged": 79,
                               "unacknowledged": 1, "delivered": 69,
                               "wrong_code": 1}


def test_withheld_acknowledgement_is_no_delivery(world):
    world.find("west", 5)["state"] = "no-ack"
    assert world.compare() == {**CLEAN, "delivered": 69, "attempts": 1,
                               "lost": 1}


def test_attempt_then_delivery(world):
    world.received["west"].insert(
        5, {**world.find("west", 5), "state": "nak"})
    assert world.compare() == {**CLEAN, "attempts": 1}


def test_attempt_of_something_invented(world):
    world.received["west"].insert(
        5, {**world.find("west", 5), "state": "nak", "zone": 99})
    assert world.compare() == {**CLEAN, "attempts": 1, "invented": 1}


def test_contents_that_come_round_again(tmp_path):
    world = World(tmp_path, count=400)
    for signal in world.sent:
        signal["partition"] = 1
    for rows in world.received.values():
        for row in rows:
            row["partition"] = 1
    assert world.compare() == {"acknowledged": 800, "not_forwarded": 100,
                               "delivered": 700}
    del world.received["west"][111]
    assert world.compare() == {"acknowledged": 800, "not_forwarded": 100,
                               "delivered": 699, "lost": 1}


def test_broken_ledger_is_named(world):
    arguments = world.write()
    (world.path / "load").write_text("1000 0001 E 130\n")
    run = subprocess.run([sys.executable, str(TOOL), *arguments],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "load:1:" in run.stderr


def test_two_stations_may_know_the_same_account(tmp_path):
    (tmp_path / "map").write_text("1000\tA100\t*\t=\teast\n"
                                  "1001\tA100\t*\t=\twest\n")
    line = "A100 E 130 01 001 01 1 {} ack - -\n"
    (tmp_path / "load").write_text("1000 0001 E 130 01 001 500 0\n"
                                   "1001 0001 E 130 01 001 501 0\n")
    for order in ((10, 20), (20, 10)):
        for name, time in zip(("east", "west"), order):
            (tmp_path / name).write_text(line.format(time))
        run = subprocess.run(
            [sys.executable, str(TOOL), str(tmp_path / "load"), "--",
             f"east={tmp_path / 'east'}", f"west={tmp_path / 'west'}",
             "--map", str(tmp_path / "map")],
            capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout
