"""Stations that are silent, refuse, stall, break off or die: the queue grows,
the backup takes over, and the ledgers agree afterwards."""
import json
import signal
import socket

import panel
import proof
import pytest
from authority import Authority

import harness

SITES = 40
QUICK = {"reconnect_min": "50ms", "reconnect_max": "400ms",
         "connect_timeout": "1s", "primary_return": "1s"}
PROTOCOLS = ["surgard", "dc09-tls", "ademco685", "d6500", "xml-tls", "json",
             "webhook-https", "xml-https"]
FAULTS = [("no-ack", "nak"), ("half-open", "close-each"), ("drip", "slow"),
          ("wrong-ack", "no-ack")]
TLS_FAULTS = [*FAULTS[:2], ("drip", "slow-tls"), ("wrong-ack", "slow")]
# the others of XML by HTTP are those of the webhook (unit/egress)
WAY_FAULTS = {"webhook-https": [("no-ack", "5xx"), ("half-open", "close-each"),
                                ("drip", "slow-tls")],
              "xml-https": [("5xx", "slow-tls")]}
PASSKEY = "correct-horse-battery"
KEY = "hex:000102030405060708090a0b0c0d0e0f"


def receiver_id(place, name):
    return place.postgres.query(
        "SELECT id FROM tocsin.receiver WHERE name = %s", name)[0][0]


def set_receiver(place, name, *options):
    place.ctl("receiver", "set", "--id", receiver_id(place, name), *options)


def impatient(place, *names):
    """Waits short enough for a test, and heartbeats."""
    for name in names:
        set_receiver(place, name, "--ack-wait", "400ms", "--retries", 1,
                     "--heartbeat", "1s")


def link(place, name):
    return next(x for x in place.live("show", "links") if x["name"] == name)


def received(station):
    """How much the station acknowledged."""
    return sum(line.split()[8] == "ack"
               for line in harness.ledger_lines(station.ledger))


def begin_load(place, name, *options):
    return place.load(name, "--accounts", proof.accounts(SITES),
                      "--panels", 10, *options)


def repeated_outcomes(place, name):
    return place.postgres.query(
        "SELECT count(*) FROM tocsin.delivery_outcome "
        "WHERE repeated AND receiver_id = %s", receiver_id(place, name))[0][0]


def summary(station):
    return json.loads(station.text().splitlines()[-1])


def fault_count(fault):
    """Of refusals too few in a row to park a message; one connection."""
    return {"nak": 2, "slow-tls": 1}.get(fault, 4)


def fault_options(fault):
    """Now and then; a handshake that is late is too late."""
    late = fault == "slow-tls"
    return ("--fault", fault, "--fault-rate", "1" if late else "0.2",
            "--fault-count", fault_count(fault),
            "--delay", "1500ms" if late else "100ms", "--json")


def secure(place):
    """Stations have certificates from now on: the options that say so."""
    directory = place.directory / "tls"
    directory.mkdir(exist_ok=True)
    place.extra["egress"] = {**QUICK, "certificates": directory}
    authority = Authority(directory)
    return ("--certificate", authority.sign("station", "station",
                                            "IP:127.0.0.1"))


def write_master_key(place):
    """For secrets in the database; the daemon has it too."""
    master = place.directory / "master.key"
    master.write_text("5a" * 32)
    master.chmod(0o600)
    place.extra["directory"] = {"master_key_file": master}
    return master


def post_to(place, protocol, name, url):
    """It gets its own by HTTP, with the passkey or signed with it."""
    master, passkey = write_master_key(place), place.directory / "passkey"
    passkey.write_text(PASSKEY)
    set_receiver(place, name, "--endpoints", "none")
    set_receiver(place, name, "--protocol", protocol, "--endpoints", url,
                 "--link-passkey", passkey, "--master-key-file", master)


def stations_of(place, protocol, tls, options, faults, before):
    """One station for each fault, in the places of those before."""
    if not before:
        stations = proof.demo_stations(
            place, SITES, "--protocol",
            "xml" if protocol == "webhook" else protocol, protocol=protocol,
            faults=[(*options, *fault_options(x)) for x in faults])
        for station in stations if tls == "tls" else ():
            set_receiver(place, station.name, "--endpoints",
                         f"tls://127.0.0.1:{station.port};ca=ca.pem")
        for station in stations if tls == "https" else ():
            post_to(place, protocol, station.name,
                    f"https://127.0.0.1:{station.port}/alarms;ca=ca.pem")
        return stations
    stations = []
    for old, fault in zip(before, faults):
        station = place.station(f"{old.name}-{fault}", *options,
                                *fault_options(fault),
                                protocol=protocol, listen=old.port)
        station.name = old.name
        stations.append(station)
    return stations


@pytest.mark.parametrize("way", PROTOCOLS)
def test_each_fault_loses_nothing(installation, way):
    place = installation
    protocol, _, tls = way.partition("-")
    place.extra["egress"] = QUICK
    options = secure(place) if tls else ()
    if tls == "https":
        options += ("--http", "--passkey", PASSKEY)
    everyone, loads, present = [], [], []
    phases = WAY_FAULTS.get(way, TLS_FAULTS if tls else FAULTS)
    for phase, faults in enumerate(phases):
        present = stations_of(place, protocol, tls, options, faults, present)
        everyone += present
        if not place.daemon:
            impatient(place, "station-a", "station-b")
            place.start_daemon()
        marked = [repeated_outcomes(place, x.name) for x in present]
        # panels of its own: those before would seem to repeat themselves
        load = place.load("-".join(faults), "--accounts",
                          proof.accounts(10, 0x100000 + 10 * phase),
                          "--panels", 5, "--rate", 300, "--count", 150)
        loads.append(load)
        assert load.wait() == 0, load.text()
        harness.wait_until(place.drained, "everything is through")
        for station, before in zip(present, marked):
            assert station.stop() == 0
            struck = summary(station)["faults"]
            assert struck == fault_count(
                station.command[station.command.index("--fault") + 1])
            # one message in flight: what a fault can double is one delivery
            assert repeated_outcomes(place, station.name) - before <= struck
    count = 150 * len(phases)
    assert proof.prove(place, loads, everyone, minimum=count) == count
    assert not place.live("show", "parked")
    links = place.live("show", "links")
    assert {x["protocol"] for x in links} == {protocol}
    assert any(x["tls_failures"] > 0 for x in links) == bool(tls)


@pytest.mark.parametrize("protocol", ["ademco685", "d6500"])
def test_a_message_that_is_refused_again_and_again_is_parked(
        installation, protocol):
    place = installation
    stations = proof.demo_stations(
        place, SITES, "--protocol", protocol, protocol=protocol,
        faults=[("--fault", "nak", "--fault-count", 3), ()])
    set_receiver(place, "station-a", "--heartbeat", "0s")
    place.start_daemon()
    load = begin_load(place, "panels", "--count", 40)
    assert load.wait() == 0, load.text()
    parked = harness.wait_until(lambda: place.live("show", "parked"),
                                "it is parked")
    assert [(x["receiver"], x["reason"]) for x in parked] == \
        [("station-a", "the station refused it again and again (NAK)")]
    harness.wait_until(place.drained, "those behind it are through")
    place.ctl("replay", "link", "station-a", database=False)
    harness.wait_until(lambda: not place.live("show", "parked"),
                       "nothing parked any more")
    # an operator's replay comes out of its account's order
    harness.wait_until(place.drained, "the replay is through")
    assert len([line for station in stations
                for line in harness.ledger_lines(station.ledger)
                if line.split()[8] == "ack"]) == 40


def test_a_webhook_that_is_gone_waits_for_an_operator(installation):
    """410 ends the link, not its queue; and no passkey is told to anybody."""
    place = installation
    gone, other = stations = proof.demo_stations(
        place, SITES, "--protocol", "xml", protocol="webhook",
        faults=[("--passkey", PASSKEY, *x) for x in
                (("--fault", "410", "--fault-count", 1), ())])
    for station in stations:
        post_to(place, "webhook", station.name,
                f"http://127.0.0.1:{station.port}/alarms?key=in-the-path")
    place.start_daemon()
    load = begin_load(place, "panels", "--count", 60)
    assert load.wait() == 0, load.text()
    down = harness.wait_until(
        lambda: next((x for x in place.live("show", "links")
                      if x["name"] == "station-a" and x["state"] == "down" and
                      x["queued"] == 30), None), "it is down")
    assert "410" in down["last_error"] and not down["up"]
    harness.wait_until(lambda: received(other) == 30, "the other gets its own")
    assert received(gone) == 0
    place.ctl("pause", "link", "station-a", database=False)
    place.ctl("resume", "link", "station-a", database=False)
    harness.wait_until(place.drained, "everything is through")
    proof.prove(place, [load], stations, minimum=60)
    assert repeated_outcomes(place, "station-a") == 0
    told = [json.dumps(place.live("show", "links"))]
    assert place.daemon.stop() == 0
    told.append(place.daemon.text())
    assert not any("in-the-path" in x for x in told)
    told.append(place.ctl("receiver", "list", "--json"))
    told.append((place.directory / "state/directory").read_text("latin-1"))
    assert not any(PASSKEY in x for x in told)


def outages(place):
    """What history says of links."""
    return [row[0] for row in place.postgres.query(
        "SELECT qualifier FROM tocsin.event_history "
        "WHERE listener = 'watch' AND code = '354' ORDER BY lsn")]


def test_a_dead_station_gets_all_when_it_is_back(installation):
    place = installation
    stations = proof.demo_stations(place, SITES)
    impatient(place, "station-a")
    place.extra["egress"] = QUICK
    place.extra["watch"] = {"outage_after": "1s"}
    place.start_daemon()
    load = begin_load(place, "panels", "--rate", 400, "--seconds", 0)
    dead = stations[0]
    harness.wait_until(lambda: received(dead) > 20, "deliveries to it")
    dead.kill()
    queue = harness.wait_until(
        lambda: [x for x in place.live("show", "queues")
                 if x["link"] == "station-a" and x["queued"] > 100],
        "a growing queue")[0]
    assert not queue["up"] and queue["oldest_s"] > 0
    down = link(place, "station-a")
    assert not down["up"] and "refused" in down["last_error"].lower()
    before = received(stations[1])
    harness.wait_until(lambda: received(stations[1]) > before + 20,
                       "the other station does not suffer")
    harness.wait_until(lambda: outages(place) == ["E"], "the outage is told")
    back = place.station("station-a-again", listen=dead.port)
    back.name = "station-a"
    harness.wait_until(lambda: received(back) > 100, "the queue drains")
    harness.wait_until(lambda: outages(place) == ["E", "R"], "and its end")
    assert load.stop() == 0, load.text()
    proof.prove(place, [load], [*stations, back], minimum=100)
    assert repeated_outcomes(place, "station-a") <= 1


@pytest.mark.parametrize("fault", ["no-ack", "nak"])
def test_the_backup_takes_over_and_the_primary_returns(installation, fault):
    place = installation
    primary, other = proof.demo_stations(
        place, SITES, faults=[("--fault", fault), ()])
    backup = place.station("backup")
    primary.name = backup.name = "station-a"
    impatient(place, "station-a")
    primary.signal(signal.SIGUSR1)  # well, to begin with
    here, there = (f"127.0.0.1:{x.port}" for x in (primary, backup))
    set_receiver(place, "station-a", "--endpoints", f"{here},{there}")
    place.extra["egress"] = QUICK
    place.start_daemon()
    load = begin_load(place, "panels", "--rate", 200, "--seconds", 0)
    harness.wait_until(lambda: received(primary) > 20, "the primary is used")
    assert link(place, "station-a")["endpoint"] == here
    assert received(backup) == 0
    primary.signal(signal.SIGUSR1)
    harness.wait_until(lambda: received(backup) > 20, "the backup takes over")
    harness.wait_until(lambda: link(place, "station-a")["backup"] and
                       link(place, "station-a")["endpoint"] == there,
                       "show links names the backup")
    primary.signal(signal.SIGUSR1)
    before = received(primary)
    harness.wait_until(lambda: received(primary) > before + 20,
                       "the primary returns")
    harness.wait_until(lambda: not link(place, "station-a")["backup"] and
                       link(place, "station-a")["endpoint"] == here,
                       "show links names the primary")
    assert load.stop() == 0, load.text()
    proof.prove(place, [load], [primary, backup, other], minimum=60)


def test_the_backup_takes_over_from_a_dead_primary(installation):
    place = installation
    primary, other = proof.demo_stations(place, SITES)
    backup = place.station("backup")
    primary.name = backup.name = "station-a"
    set_receiver(place, "station-a", "--endpoints",
                 f"127.0.0.1:{primary.port},127.0.0.1:{backup.port}")
    place.extra["egress"] = QUICK
    place.start_daemon()
    load = begin_load(place, "panels", "--rate", 200, "--seconds", 0)
    harness.wait_until(lambda: received(primary) > 20, "the primary is used")
    primary.kill()
    harness.wait_until(lambda: received(backup) > 20, "the backup takes over")
    again = place.station("again", listen=primary.port)
    again.name = "station-a"
    harness.wait_until(lambda: received(again) > 20, "the primary returns")
    assert load.stop() == 0, load.text()
    proof.prove(place, [load], [primary, backup, again, other], minimum=60)
    assert repeated_outcomes(place, "station-a") <= 1


def test_a_resolver_that_never_answers_holds_up_its_link_alone(installation):
    place = installation
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(harness.WAIT_S)
        place.extra["egress"] = {
            **QUICK, "nameservers": f"127.0.0.1:{silent.getsockname()[1]}"}
        stations = proof.demo_stations(place, SITES)
        set_receiver(place, "station-a", "--endpoints",
                     f"station.example:{stations[0].port}")
        place.start_daemon()
        assert b"\7station\7example\0" in silent.recv(512).lower()
        load = begin_load(place, "panels", "--count", 200)
        assert load.wait() == 0, load.text()
        harness.wait_until(lambda: received(stations[1]) == 100,
                           "the other station gets its half")
        assert link(place, "station-a")["queued"] == 100
        harness.wait_until(
            lambda: link(place, "station-a")["state"] == "resolving",
            "it asks again and again")
        # the end does not wait for an answer either
        assert place.daemon.stop() == 0
        set_receiver(place, "station-a", "--endpoints",
                     f"127.0.0.1:{stations[0].port}")
        place.start_daemon()
    proof.prove(place, [load], stations, minimum=200)


def test_shadows_change_nothing(installation):
    """One that is dead and one that refuses everything: the station gets what
    it should, the journal goes on, and the comparison says what they did."""
    place = installation
    place.extra["egress"] = QUICK
    place.extra["journal"] = {"segment_size": "1MiB", "budget": "6MiB"}
    stations = proof.demo_stations(place, SITES)
    refusing = place.station("refusing", "--fault", "nak", protocol="d6500")
    original = receiver_id(place, "station-a")
    for name, protocol, port in (("dead", "surgard", harness.free_port()),
                                 ("refusing", "d6500", refusing.port)):
        place.ctl("receiver", "add", "--center", 1, "--name", name,
                  "--protocol", protocol, "--retries", 0,
                  "--endpoints", f"127.0.0.1:{port}",
                  "--shadow-of", original)
    place.start_daemon()
    begun = place.live("show", "journal")[0]["oldest_lsn"]
    load = begin_load(place, "panels", "--seconds", 0)
    harness.wait_until(
        lambda: place.live("show", "journal")[0]["oldest_lsn"] > begun,
        "the journal lets go of what is delivered")
    assert load.stop() == 0, load.text()
    harness.wait_until(place.drained, "everything is through")

    def shadows():
        found = {x["name"]: x for x in place.live("show", "shadows")}
        return found if found["refusing"]["waiting"] == 0 else None
    found = harness.wait_until(shadows, "the refusing one has answered")
    count = received(stations[0])
    for shadow in found.values():
        assert shadow["shadow_of"] == "station-a"
        assert shadow["copied"] == count
    dead, other = found["dead"], found["refusing"]
    assert dead["waiting"] + dead["lost"] == count and not dead["up"]
    assert other["refused"] == other["different"] > 0
    assert other["refused"] + other["lost"] == count
    for name in ("copied", "lost", "different"):
        assert place.metric(f"tocsin_shadow_{name}_total") == \
            dead[name] + other[name]
    last = place.live("show", "shadow", "refusing")[-1]
    assert (last["station"], last["shadow"]) == ("delivered", "refused")
    traced = place.ctl("trace", last["event"], "--json", database=False)
    assert last["account"] in traced
    status = place.live("show", "status")[0]
    assert (status["links_up"], status["links_down"]) == (2, 0)
    assert status["parked"] == 0
    proof.prove(place, [load], stations, minimum=count)


def test_what_cannot_be_expressed_is_parked_and_replayed(installation):
    place = installation
    stations = proof.demo_stations(place, SITES)
    set_receiver(place, "station-a", "--account-digits", 3)
    place.start_daemon()
    load = begin_load(place, "panels", "--count", 200)
    assert load.wait() == 0, load.text()

    def parked():
        found = place.live("show", "parked")
        return found if len(found) == 100 else None
    reason = "the account is longer than this receiver takes"
    found = harness.wait_until(parked, "the half for station-a is parked")
    assert {(x["receiver"], x["reason"]) for x in found} == \
        {("station-a", reason)}
    harness.wait_until(place.drained, "the others are through")
    assert received(stations[0]) == 0
    assert place.postgres.query(
        "SELECT DISTINCT verdict, reason FROM tocsin.event_history "
        "WHERE verdict <> 'delivered'") == [("parked", reason)]

    assert place.daemon.stop() == 0
    place.start_daemon()
    assert parked() == found  # after a restart, too
    set_receiver(place, "station-a", "--account-digits", 4)
    # replayed before the change is known, it is parked again
    harness.wait_until(
        lambda: place.ctl("replay", "link", "station-a", database=False) and
        received(stations[0]) == 100, "replayed with success")
    harness.wait_until(lambda: not place.live("show", "parked"),
                       "nothing parked any more")
    proof.prove(place, [load], stations, minimum=200)
    assert place.postgres.query(
        "SELECT count(*) FROM tocsin.event_history "
        "WHERE verdict <> 'delivered'") == [(0,)]


def test_what_nobody_can_take_is_given_up(installation):
    """A receiver that was removed while it was away holds nothing up for ever,
    once an operator says so; the others get theirs."""
    place = installation
    stations = proof.demo_stations(place, SITES)
    impatient(place, "station-a")
    place.start_daemon()
    stations[0].kill()
    load = begin_load(place, "panels", "--count", 200)
    assert load.wait() == 0, load.text()
    harness.wait_until(lambda: received(stations[1]) == 100, "the other half")
    refused = place.ctl("skip", "link", "station-b", "a try", database=False)
    assert "not paused" in refused
    assert "no link" in place.ctl("skip", "link", "nobody", "x", database=False,
                                  check=False).stderr
    place.postgres.query(
        "UPDATE tocsin.station_record SET receiver_id = NULL WHERE receiver_id "
        "= (SELECT id FROM tocsin.receiver WHERE name = 'station-a')")
    gone = place.postgres.query(
        "DELETE FROM tocsin.receiver WHERE name = 'station-a' RETURNING id")
    assert gone
    harness.wait_until(
        lambda: [x for x in place.live("show", "queues")
                 if x["link"] == "station-a" and x["queued"] == 100],
        "its queue stays")
    harness.wait_until(
        lambda: place.live("skip", "link", "removed", "told by phone")[0]
        ["queued"] == 100, "its queue is given up")
    harness.wait_until(place.drained, "nothing waits any more")
    assert place.daemon.stop() == 0
    place.start_daemon()
    harness.wait_until(place.drained, "nor after a restart")
    rows = place.postgres.query(
        "SELECT verdict, reason, count(*) FROM tocsin.event_history "
        "WHERE listener <> 'watch' GROUP BY 1, 2 ORDER BY 1")
    assert rows[-1][0] == "skipped" and rows[-1][2] == 100
    assert rows[-1][1].startswith("skipped by uid ") and \
        rows[-1][1].endswith(": told by phone")


def test_automation_connects_to_us_with_three_digit_lines(installation):
    place = installation
    ours = harness.free_port()
    other = place.station("station-b")
    place.ctl("db", "seed-demo", "--sites", SITES, "--listen",
              "--endpoint-a", f"127.0.0.1:{ours}",
              "--endpoint-b", f"127.0.0.1:{other.port}")
    set_receiver(place, "station-a", "--line-digits", 3, "--line", "017",
                 "--number", "42")
    set_receiver(place, "station-b", "--listen", "no")
    place.start_daemon()
    ledger = place.directory / "station-a.ledger"

    def connect(count):
        station = place.start(
            "tocsin-station", "--protocol", "surgard", "--connect",
            f"127.0.0.1:{ours}", "--line-digits", 3,
            "--ledger", f"{ledger}.{count}",
            log=place.directory / f"station-a.{count}.log")
        station.name, station.ledger = "station-a", f"{ledger}.{count}"
        return station
    load = begin_load(place, "panels", "--rate", 200, "--seconds", 0)
    assert link(place, "station-a")["state"] == "listening"
    harness.wait_until(lambda: link(place, "station-a")["queued"] > 20,
                       "deliveries wait for the automation")
    first = connect(1)
    harness.wait_until(lambda: received(first) > 40, "it gets them")
    assert link(place, "station-a")["up"]
    first.kill()
    again = connect(2)
    harness.wait_until(lambda: received(again) > 40, "and again")
    assert load.stop() == 0, load.text()
    proof.prove(place, [load], [first, again, other], minimum=80)
    lines = harness.ledger_lines(first.ledger)
    assert {tuple(line.split()[5:7]) for line in lines} == {("42", "017")}


@pytest.mark.parametrize("ways", [
    ("tcp", "udp"), ("tcp-encrypted", "udp-encrypted")], ids="-".join)
def test_dc09_receivers(installation, ways):
    place = installation
    master = write_master_key(place)
    place.extra["egress"] = QUICK
    options = [(("--udp",) if "udp" in way else ()) +
               (("--key", KEY) if "encrypted" in way else ()) +
               ("--fault", "no-ack", "--fault-rate", "0.05", "--fault-count",
                4) for way in ways]
    stations = proof.demo_stations(place, SITES, "--protocol", "dc09",
                                   protocol="dc09", faults=options)
    impatient(place, "station-a", "station-b")
    for way, station in zip(ways, stations):
        if "udp" in way:
            set_receiver(place, station.name, "--endpoints",
                         f"udp://127.0.0.1:{station.port}")
        if "encrypted" in way:
            set_receiver(place, station.name, "--key", KEY,
                         "--master-key-file", master)
    place.start_daemon()
    load = begin_load(place, "panels", "--rate", 300, "--count", 400)
    assert load.wait() == 0, load.text()
    proof.prove(place, [load], stations, minimum=400)
    assert {x["protocol"] for x in place.live("show", "links")} == {"dc09"}


def test_acknowledged_when_the_station_has_it(installation):
    """ack_level delivered: no answer while the station is silent, and the
    panel's resend is answered when, or as soon as, the station has it."""
    place = installation
    waiting = harness.free_port()
    place.extra["listener waiting"] = {
        "address": "127.0.0.1", "port": waiting, "ack_level": "delivered",
        "delivered_timeout": "1s"}
    place.extra["egress"] = QUICK
    station, _ = proof.demo_stations(place, SITES,
                                     faults=[("--fault", "no-ack"), ()])
    impatient(place, "station-a")
    (first, _), (second, site) = place.postgres.query(
        "SELECT b.transport_account, b.site_id FROM tocsin.bridge b "
        "JOIN tocsin.site s ON s.id = b.site_id "
        "JOIN tocsin.station_record r ON r.id = s.station_record_id "
        "WHERE r.receiver_id = %s ORDER BY b.id LIMIT 2",
        receiver_id(place, "station-a"))
    place.start_daemon()
    alarm = panel.frame(first, "1130 01 001", sequence=1)
    with panel.Panel(waiting) as p:
        p.send(alarm)
        listener = harness.wait_until(
            lambda: next((x for x in place.live("show", "listeners")
                          if x["delivered_timeouts"]), None), "no answer")
        assert listener["name"] == "waiting"
        assert listener["acknowledged"] == 0
        assert p.ask(panel.frame(first, "", identifier="NULL",
                                 sequence=2)) == "ACK"
        assert p.buffer == b""  # the link test's was the only answer
        p.send(alarm)
        harness.wait_until(
            lambda: next(x for x in place.live("show", "listeners")
                         if x["name"] == "waiting")["signals"] == 2,
            "the panel has repeated it")
        with panel.Panel(place.port) as beside:
            assert beside.ask(panel.frame(second, "1130 01 001",
                                          sequence=1)) == "ACK"
        assert received(station) == 0
        place.daemon.kill()
        assert p.receive() == b""
    station.signal(signal.SIGUSR1)  # well from here on
    place.start_daemon()
    harness.wait_until(lambda: received(station) == 2, "both are delivered")
    with panel.Panel(waiting) as p:
        assert p.ask(alarm) == "ACK"
        assert p.ask(panel.frame(first, "3130 01 001", sequence=3)) == "ACK"
    # a site's own level goes before the listener's
    place.ctl("site", "set", "--id", site, "--ack-level", "delivered")

    def told():
        with panel.Panel(place.port) as p:
            assert p.ask(panel.frame(second, "3130 01 001",
                                     sequence=2)) == "ACK"
        harness.wait_until(place.drained, "everything is through")
        return place.postgres.query(
            "SELECT 1 FROM tocsin.event WHERE site_id = %s "
            "AND ack_level = 'delivered'", site)
    harness.wait_until(told, "the site's level is in force")
    assert received(station) == 4
    events = place.postgres.query(
        "SELECT listener, verdict, ack_level, event "
        "FROM tocsin.event_history WHERE protocol <> 'internal' "
        "ORDER BY lsn LIMIT 5")
    assert [row[:3] for row in events] == [
        ("waiting", "delivered", "delivered"),
        ("waiting", "repeat", "delivered"), ("tcp", "delivered", "local"),
        ("waiting", "repeat", "delivered"),
        ("waiting", "delivered", "delivered")]
    assert place.live("trace", events[0][3])[0]["ack_level"] == "delivered"
