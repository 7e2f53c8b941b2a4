"""Programs and files as stations: what was acknowledged to panels is in them,
in order, also when both the program and the daemon are killed on the way."""
import json
import sys

import proof

import harness

SITES = 40
QUICK = {"reconnect_min": "50ms", "reconnect_max": "200ms"}

# Ends after each 20th signal, before it answers.
PROGRAM = """#!{python}
import json, os, sys
count = 0
while line := sys.stdin.readline():
    sequence = json.loads(line)["sequence"]
    with open("{log}", "a") as log:
        log.write(line)
    count += 1
    if count == 20:
        os._exit(1)
    print("ack", sequence, flush=True)
"""


def sequences(path):
    """Every line is JSON; without the repeats, which come right behind."""
    numbers = []
    for line in harness.ledger_lines(path):
        number = json.loads(line)["sequence"]
        if numbers[-1:] != [number]:
            numbers.append(number)
    return numbers


def test_program_and_file_get_everything_in_order(installation):
    place = installation
    programs, files = place.directory / "programs", place.directory / "files"
    programs.mkdir()
    files.mkdir()
    log = files / "program.log"
    program = programs / "program"
    program.write_text(PROGRAM.format(python=sys.executable, log=log))
    program.chmod(0o755)
    place.extra["egress"] = QUICK | {"programs_dir": programs,
                                     "files_dir": files}
    place.ctl("db", "seed-demo", "--sites", SITES, "--protocol", "json")
    ids = {name: number for number, name in place.postgres.query(
        "SELECT id, name FROM tocsin.receiver")}
    place.ctl("receiver", "set", "--id", ids["station-a"], "--heartbeat", "0s",
              "--endpoints", "run:program")
    place.ctl("receiver", "set", "--id", ids["station-b"], "--in-flight", 8,
              "--endpoints", "file:lines,run:program")
    shown = place.ctl("receiver", "show", "--id", ids["station-b"])
    assert "file:lines,run:program" in shown
    place.start_daemon()
    load = place.load("panels", "--accounts", proof.accounts(SITES),
                      "--panels", 10, "--rate", 200, "--count", 160)
    assert load.wait() == 0, load.text()
    harness.wait_until(lambda: len(sequences(log)) > 30 and
                       len(sequences(files / "lines")) > 30, "both get some")
    place.daemon.kill()
    place.start_daemon()
    harness.wait_until(place.drained, "everything is through")
    first, second = sequences(log), sequences(files / "lines")
    for got in first, second:
        assert got == list(range(1, len(got) + 1))
    assert len(first) + len(second) == 160
    links = {x["name"]: x for x in place.live("show", "links")}
    assert links["station-a"]["endpoint"] == "run:program"
    assert links["station-b"]["endpoint"] == "file:lines"
    assert not place.live("show", "parked")
