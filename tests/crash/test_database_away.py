"""PostgreSQL stopped or killed under load: reception and delivery go on,
replies are not delayed, and afterwards history is complete without doubles."""
import json
import os
import signal

import proof
import pytest

import harness

SITES = 100
AWAY_S = int(os.environ.get("TOCSIN_AWAY_S", "60"))


def history_is_complete(place, acknowledged):
    rows = place.postgres.query(
        "SELECT count(*), count(DISTINCT (node, lsn, item)) FROM tocsin.event "
        "WHERE verdict <> 'repeat'")[0]
    assert rows[0] == rows[1]
    assert rows[0] >= acknowledged
    open_rows = place.postgres.query(
        "SELECT count(*) FROM tocsin.event_history "
        "WHERE verdict NOT IN ('delivered', 'repeat', 'suppressed') "
        "AND listener <> 'watch'")[0][0]
    assert open_rows == 0


@pytest.mark.parametrize("way", ["SIGSTOP", "SIGKILL"])
def test_reception_goes_on_without_the_database(installation, way):
    place = installation
    stations = proof.demo_stations(place, SITES)
    place.extra["watch"] = {"outage_after": "2s"}
    place.start_daemon()
    quiet = place.load("quiet", "--accounts", proof.accounts(SITES),
                       "--panels", 20, "--rate", 500, "--seconds", 5)
    assert quiet.wait() == 0, quiet.text()
    place.postgres.signal_all(getattr(signal, way))
    away = place.load("away", "--accounts", proof.accounts(SITES),
                      "--panels", 20, "--rate", 500, "--seconds", AWAY_S)
    assert away.wait(AWAY_S + 60) == 0, away.text()
    delivered = harness.wait_until(
        lambda: sum(len(harness.ledger_lines(s.ledger)) for s in stations),
        "deliveries while the database is away")
    assert delivered > 0
    if way == "SIGSTOP":
        place.postgres.signal_all(signal.SIGCONT)
    else:
        place.postgres.start()
    before, during = (
        json.loads(load.text().splitlines()[-1])["latency_us"]["p50"]
        for load in (quiet, away))
    # no time limit: held against the same figure with the database there
    assert during <= 20 * max(before, 1000)
    acknowledged = proof.prove(place, [quiet, away], stations)
    history_is_complete(place, acknowledged)
    if way == "SIGKILL":
        harness.wait_until(lambda: place.postgres.query(
            "SELECT qualifier FROM tocsin.event_history "
            "WHERE listener = 'watch' AND code = '356' ORDER BY lsn") ==
            [("E",), ("R",)], "the outage and its end in history")
