"""The proof from two ledgers: what panels were acknowledged against what the
stations got, through tests/tools/compare_ledgers.py, and against the map of
who should get what, which comes from PostgreSQL's own view."""
import csv
import subprocess

import harness


def accounts(sites, base=0x100000):
    """The demo's transport accounts, as tocsin-load takes them."""
    return f"{base:06X}-{base + sites - 1:06X}"


def demo_stations(place, sites, *seed, protocol="surgard", faults=((), ())):
    """Two stations and the demo dealer's sites split over them."""
    stations = [place.station(name, *fault, protocol=protocol)
                for name, fault in zip(("station-a", "station-b"), faults)]
    place.ctl("db", "seed-demo", "--sites", sites,
              "--endpoint-a", f"127.0.0.1:{stations[0].port}",
              "--endpoint-b", f"127.0.0.1:{stations[1].port}", *seed)
    return stations


def write_map(place):
    """Who should get what, from PostgreSQL's own view of the libraries."""
    query = (harness.SOURCE / "tests/tools/expected_map.sql").read_text()
    path = place.directory / "map.tsv"
    with open(path, "w") as f:
        for row in place.postgres.query(query):
            f.write("\t".join(row) + "\n")
    return path


def repeats(place, kills):
    """What the daemon's history marks as repeated, for the proof: a row for
    each time that it was sent again. A daemon killed while it repeats cannot
    know how often that was done before; each life repeats once."""
    rows = place.postgres.query(
        "SELECT d.account, d.qualifier, d.code, d.partition, d.zone "
        "FROM tocsin.delivery_outcome o JOIN tocsin.delivery d "
        "USING (node, decision_lsn, delivery_index) "
        "CROSS JOIN generate_series(1, greatest(o.attempts - 1, 1, %s)) "
        "WHERE o.repeated", kills)
    path = place.directory / "repeats.tsv"
    with open(path, "w", newline="") as f:
        csv.writer(f, delimiter=" ").writerows(
            [[c or "-" for c in row] for row in rows])
    return path


def prove(place, loads, stations, minimum=1, kills=0):
    """Wait until everything is through, then hold the ledgers together."""
    harness.wait_until(place.drained, "queues and archive are empty", 120)
    for station in stations:
        station.stop()
    done = subprocess.run(
        ["python3", harness.SOURCE / "tests/tools/compare_ledgers.py",
         *(load.ledger for load in loads), "--",
         *(f"{station.name}={station.ledger}" for station in stations),
         "--map", write_map(place), "--repeats", repeats(place, kills)],
        capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    acknowledged = sum(
        1 for load in loads for line in harness.ledger_lines(load.ledger)
        if line.split()[6] != "?")
    assert acknowledged >= minimum
    return acknowledged
