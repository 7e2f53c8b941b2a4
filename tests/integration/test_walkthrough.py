"""README's way from nothing to the first alarm, as it stands there: the
commands are read from it and run by a shell in an empty directory."""
import os
import re
import subprocess
import time

import harness

FIRST, LAST = "## From nothing to the first alarm", "## Programs"
ALLOWED_S = 300  # "five minutes"
PORTS = ("10025", "10999")  # as README has them


def commands():
    text = (harness.SOURCE / "README.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text[text.index(FIRST):text.index(LAST)], re.M | re.S)
    assert len(blocks) == 4
    return "".join(blocks)


def test_the_first_alarm_arrives(request):
    directory = harness.make_directory()
    request.addfinalizer(lambda: harness.remove_directory(directory))
    postgres = harness.Postgres(directory / "pg")
    request.addfinalizer(postgres.stop)
    place = directory / "try"
    place.mkdir()
    (directory / "sql").symlink_to(harness.SOURCE / "sql")
    script = commands()
    for port in PORTS:
        assert port in script
        script = script.replace(port, str(harness.free_port()))
    where = dict(part.split("=", 1) for part in postgres.conninfo.split())
    # what is left when a command fails is stopped, by its pid
    script = f"trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{script}wait\n"
    begun = time.monotonic()
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script], cwd=place, text=True,
        capture_output=True, timeout=ALLOWED_S,
        env={**os.environ, "PATH": f"{harness.PROGRAMS}:{os.environ['PATH']}",
             "PGHOST": where["host"], "PGUSER": where["user"], "PGDATABASE": where["dbname"]})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert time.monotonic() - begun < ALLOWED_S
    ledger = harness.ledger_lines(place / "station.ledger")
    assert len(ledger) == 1 and re.search(r"\b0042\b", ledger[0]) and "131" in ledger[0], ledger
    assert "Complete." in done.stdout  # what site show says of the customer
