"""tocsinctl journal: verify and dump, with and beside the daemon."""
import json

import proof


def test_verify_and_dump(installation):
    place = installation
    stations = proof.demo_stations(place, 10)
    place.start_daemon()
    load = place.load("panels", "--accounts", proof.accounts(10),
                      "--panels", 5, "--count", 200)
    assert load.wait() == 0, load.text()
    journal = place.directory / "journal"

    running = place.ctl("journal", "verify", journal, options=False)
    assert "0 damaged" in running
    proof.prove(place, [load], stations, minimum=200)
    assert place.daemon.stop() == 0

    lines = [json.loads(line) for line in place.ctl(
        "journal", "dump", journal, "--json", options=False).splitlines()]
    kinds = [line["kind"] for line in lines]
    assert kinds[0] == "boot"
    assert kinds.count("signal") == 200
    assert kinds.count("decision") == 200
    assert kinds.count("outcome") == 200
    tail = place.ctl("journal", "dump", journal, "--limit", 1, "--from",
                     lines[10]["lsn"], options=False)
    assert tail.startswith(str(lines[10]["lsn"]))

    segment = sorted(journal.glob("*.segment"))[0]
    with open(segment, "r+b") as file:
        file.seek(20000)
        byte = file.read(1)
        file.seek(20000)
        file.write(bytes([byte[0] ^ 1]))
    damaged = place.ctl("journal", "verify", journal, check=False,
                        options=False)
    assert damaged.returncode == 1, damaged.stdout
    assert "0 damaged" not in damaged.stdout
